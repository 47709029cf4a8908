#include "backtest/fold_run.h"

#include "text/sha256.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum status fold_tools_init(struct fold_tools *tools, const struct backtest_config *config,
                            struct error *error)
{
    static const char *const topics[OUTGOING_TOPICS] = {[TOPIC_PROMOTIONS] = "promotions",
                                                        [TOPIC_STAGES] = "stages",
                                                        [TOPIC_DEAD] = "dead",
                                                        [TOPIC_BREACHES] = "breaches"};
    *tools = (struct fold_tools){.ignore = ignore_create()};
    arena_init(&tools->arena, 1 << 16);
    if (!config->with_records)
        return STATUS_OK;
    enum status status =
        encoder_create(&tools->encoder, OUTPUT_JSON, "/baton", topics, NULL, error);
    if (status == STATUS_OK)
        encoder_speak(tools->encoder, config->language);
    return status;
}

void fold_tools_fini(struct fold_tools *tools)
{
    if (tools->encoder)
        encoder_destroy(tools->encoder);
    ignore_destroy(tools->ignore);
    arena_fini(&tools->arena);
}

/* Touches and channels are told of a promotion, and no rule looks at them. They go along with a
 * merged lead, though, and where there is no room for them other things go after them: where that
 * is near, a lead has to be whole. */
#define LEAN_EVENT_BYTES ((size_t)1 << 18)
#define LEAN_SHARE                                                                                 \
    4 /* of a message: what a lean state may have, so that a whole one has room, too */

bool fold_run_keeps_all(const struct backtest_config *config, bool is_candidate)
{
    return config->whole || (is_candidate && config->with_records) ||
           (config->event_bytes && config->event_bytes < LEAN_EVENT_BYTES);
}

static bool is_too_lean(const struct fold_run *run, const struct baton_event *event,
                        const struct folded *folded)
{
    return run->is_lean && run->config->event_bytes && event->kind == BATON_MERGE &&
           folded->cargo.state.size > run->config->event_bytes / LEAN_SHARE;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void enter(struct fold_run *run, const struct agreement *agreement, int64_t time_ms)
{
    run->agreement = agreement_compiled(agreement);
    run->folded = *run->agreement;
    if (run->is_lean)
        run->folded.touches = 0;
    run->turn_ms = run->versions ? versions_next_ms(run->versions,
                                                    later(run->agreement->effective_ms, time_ms))
                                 : INT64_MAX;
    baton_matcher_destroy(run->matcher);
    run->matcher = baton_matcher_create(&run->folded, run->leads.allocator);
}

void fold_run_init(struct fold_run *run, const struct backtest_config *config, uint32_t unit,
                   bool is_candidate, uint32_t words_capacity)
{
    *run = (struct fold_run){.config = config, .unit = unit, .is_candidate = is_candidate};
    const struct agreement *last = is_candidate ? config->candidate : config->against;
    run->versions = is_candidate ? config->candidate_versions : config->against_versions;
    run->counted = agreement_compiled(last);
    run->present_ms = -1;
    run->is_lean = !fold_run_keeps_all(config, is_candidate);
    lead_table_init(&run->leads, SIZE_MAX);
    baton_words_init(&run->words, words_capacity, run->leads.allocator);
    enter(run, run->versions ? versions_at(run->versions, 0) : last, 0);
    lines_init(&run->lines);
    arena_init(&run->kept, 4096);
}

void fold_run_fini(struct fold_run *run)
{
    baton_words_fini(&run->words);
    baton_matcher_destroy(run->matcher);
    lead_table_fini(&run->leads);
    tombstones_fini(&run->tombstones);
    lines_fini(&run->lines);
    arena_fini(&run->kept);
    free(run->promoted);
    free(run->judged);
}

struct lead_entry *fold_run_find(struct fold_run *run, struct fold_tools *tools,
                                 const struct baton_event *event, uint64_t hash)
{
    if (ignore_event(tools->ignore, run->agreement, event))
        return NULL;
    struct lead_entry *entry = lead_table_find(&run->leads, hash, run->unit, event->lead_id);
    if (entry) {
        lead_table_fetch_owned(entry);
        return entry;
    }
    entry = lead_table_add(&run->leads, hash, run->unit, event->lead_id);
    baton_lead_attach(&entry->lead, run->agreement);
    return entry;
}

static void attach(void *context, struct lead_entry *entry)
{
    baton_lead_attach(&entry->lead, context);
}

void fold_run_turn(struct fold_run *run, const struct baton_event *event)
{
    enter(run, versions_at(run->versions, event->time_ms), event->time_ms);
    lead_table_each(&run->leads, run->unit, attach, (void *)(uintptr_t)run->agreement);
}

/* ---- what is told
 * -------------------------------------------------------------------------------- */

static bool is_counted(const struct fold_run *run, const struct baton_event *event)
{
    return event->time_ms >= run->config->from_ms && event->time_ms < run->config->to_ms;
}

static bool is_promotion(const struct baton_transition *transition)
{
    return transition->to == BATON_SQL && !transition->adopted;
}

static void add_promoted(struct fold_run *run, uint32_t lead, int64_t time_ms)
{
    run->promotions++;
    if (run->promoted_count == run->promoted_room) {
        run->promoted_room = run->promoted_room ? run->promoted_room * 2 : 256;
        run->promoted = memory_resize(run->promoted, run->promoted_room * sizeof *run->promoted);
    }
    run->promoted[run->promoted_count++] = (struct promoted){lead, time_ms};
}

/* Counted with every promotion of the unit, so that the turns are those of a live one. */
static struct baton_text assign_owner(struct fold_run *run, const struct baton_lead *lead)
{
    int32_t route = baton_route_find(lead, run->agreement);
    if (route < 0)
        return (struct baton_text){NULL, 0};
    return baton_route_name(&run->agreement->routes[route], run->unit, run->assigned[route]++);
}

static struct baton_text count_transitions(struct fold_run *run, const struct baton_event *event,
                                           const struct lead_entry *entry,
                                           const struct baton_fold_result *result)
{
    struct baton_text owner = {NULL, 0};
    for (uint32_t i = 0; i < result->transition_count; i++) {
        if (!is_promotion(&result->transitions[i]))
            continue;
        owner = assign_owner(run, &entry->lead);
        if (is_counted(run, event))
            add_promoted(run, entry->number, event->time_ms);
    }
    return owner;
}

static void keep(struct fold_run *run, const struct outgoing_message *message)
{
    lines_add(&run->lines, message->value, message->value_size);
}

static bool has_clocks(const struct baton_agreement *agreement)
{
    return agreement->pact && agreement->pact->has_clocks;
}

#define UNTOLD "\"published\":null"
#define UNTOLD_VALUE 4 /* null */

/* When it went out stands further on in the log. In a text its quotes would have a backslash. */
static void await_time(struct fold_run *run, const struct outgoing_message *message, int64_t offset)
{
    const char *at = memmem(message->value, message->value_size, UNTOLD, sizeof UNTOLD - 1);
    if (at && has_clocks(run->agreement))
        lines_leave_gap(&run->lines, message->value_size,
                        (size_t)(at - (const char *)message->value) + sizeof UNTOLD - 1 -
                            UNTOLD_VALUE,
                        UNTOLD_VALUE, offset);
}

/* published/PARTITION/OFFSET of the event that caused the promotion. */
static void take_time(struct fold_run *run, const struct baton_event *event)
{
    char id[BATON_ID_MAX + 1];
    uint32_t partition;
    int64_t offset;
    struct text_buffer time;
    memcpy(id, event->event_id.data, event->event_id.size);
    id[event->event_id.size] = '\0';
    if (sscanf(id, "published/%" SCNu32 "/%" SCNd64, &partition, &offset) != 2 ||
        partition != run->unit)
        return;
    text_buffer_init(&time);
    text_buffer_add_text(&time, "\"");
    text_buffer_add_time(&time, event->time_ms);
    text_buffer_add_text(&time, "\"");
    lines_fill_gap(&run->lines, offset, time.data);
    text_buffer_fini(&time);
}

static void tell_transitions(struct fold_run *run, struct fold_tools *tools,
                             const struct stage_view *lead, const struct baton_fold_result *result,
                             struct baton_text owner)
{
    struct outgoing_message message;
    for (uint32_t i = 0; i < result->transition_count; i++) {
        struct stage_view view = *lead;
        view.transition = &result->transitions[i];
        if (run->present_ms >= 0 && is_promotion(view.transition) && has_clocks(run->agreement))
            view.published_ms = later(run->present_ms, view.event->time_ms);
        encoder_stage_change(tools->encoder, &tools->arena, &view, &message);
        keep(run, &message);
        if (!is_promotion(view.transition))
            continue;
        await_time(run, &message, lead->origin->offset);
        view.owner = owner;
        encoder_promotion(tools->encoder, &tools->arena, &view, &message);
        keep(run, &message);
    }
}

static void tell_notice(struct fold_run *run, struct fold_tools *tools,
                        const struct stage_view *lead, const struct baton_fold_result *result)
{
    static const enum stage_record_kind kinds[] = {[BATON_IGNORED] = RECORD_IGNORED,
                                                   [BATON_ADJUSTED] = RECORD_ADJUSTED,
                                                   [BATON_MERGED] = RECORD_MERGED,
                                                   [BATON_ERASED] = RECORD_ERASED};
    enum baton_stage stage = (enum baton_stage)lead->lead->stage;
    struct baton_transition stays = {
        .from = stage, .to = stage, .generation = lead->lead->generation};
    struct stage_view view = *lead;
    struct outgoing_message message;
    char proof[SHA256_HEX_SIZE + 1];
    baton_lead_score(lead->lead, lead->agreement, lead->lead->newest_ms, &stays.score);
    view.kind = kinds[result->notice];
    view.transition = &stays;
    view.why = result->why;
    view.other = result->to;
    view.stage_offset = result->stage_offset;
    if (result->notice == BATON_ERASED) {
        hmac_sha256_hex(view.event->event_id.data, view.event->event_id.size,
                        view.event->lead_id.data, view.event->lead_id.size, proof);
        view.proof = (struct baton_text){proof, SHA256_HEX_SIZE};
    }
    encoder_stage_change(tools->encoder, &tools->arena, &view, &message);
    keep(run, &message);
}

/* As a live unit publishes it, in its order. */
static void tell(struct fold_run *run, struct fold_tools *tools, const struct baton_event *event,
                 const struct lead_entry *entry, const struct origin *origin,
                 const struct baton_fold_result *result, struct baton_text owner)
{
    struct stage_view view = {.lead = &entry->lead,
                              .event = event,
                              .agreement = run->agreement,
                              .words = &run->words,
                              .origin = origin};
    tell_transitions(run, tools, &view, result, owner);
    if (result->notice)
        tell_notice(run, tools, &view, result);
}

/* ---- what sales said
 * ----------------------------------------------------------------------------- */

size_t fold_run_rule_words(const struct baton_agreement *agreement)
{
    return ((size_t)agreement->behaviour_count + agreement->fit_count + 63) / 64;
}

static void set(uint64_t *bits, size_t at)
{
    bits[at / 64] |= UINT64_C(1) << at % 64;
}

static const uint64_t *rules_of(struct fold_run *run, const struct baton_lead *lead)
{
    const struct baton_agreement *agreement = run->counted;
    size_t words = fold_run_rule_words(agreement);
    uint64_t *bits = arena_take(&run->kept, (words + 1) * sizeof *bits);
    memset(bits, 0, (words + 1) * sizeof *bits);
    for (uint16_t i = 0; i < lead->tally_count; i++) {
        int32_t rule = baton_agreement_rule(agreement, lead->tallies[i].rule_hash);
        if (rule >= 0 && lead->tallies[i].count > 0)
            set(bits, (size_t)rule);
    }
    for (uint32_t i = 0; i < agreement->fit_count; i++)
        if (baton_profile_matches(&agreement->fit[i].where, lead))
            set(bits, (size_t)agreement->behaviour_count + i);
    return bits;
}

static bool is_listed(const struct baton_agreement *agreement, struct baton_text reason)
{
    for (uint32_t i = 0; i < agreement->reason_count; i++)
        if (agreement->reasons[i].size == reason.size &&
            memcmp(agreement->reasons[i].data, reason.data, reason.size) == 0)
            return true;
    return agreement->reason_count == 0;
}

static enum verdict_weight weigh(const struct fold_run *run, const struct baton_event *event,
                                 const struct lead_entry *entry,
                                 const struct baton_fold_result *result)
{
    enum baton_stage stage = (enum baton_stage)entry->lead.stage;
    if (result->notice != BATON_IGNORED)
        return VERDICT_IN_EFFECT;
    if (event->feedback->report == BATON_REPORT_REJECTED &&
        !is_listed(run->agreement, event->feedback->reason_folded))
        return VERDICT_REFUSED;
    bool unhanded = stage == BATON_LEAD || stage == BATON_MQL || stage == BATON_RECYCLED;
    return unhanded ? VERDICT_UNHANDED : VERDICT_REFUSED;
}

static void note_verdict(struct fold_run *run, const struct baton_event *event,
                         const struct lead_entry *entry, const struct baton_fold_result *result)
{
    enum baton_report report = event->feedback->report;
    enum verdict_weight weight = weigh(run, event, entry, result);
    if (report != BATON_REPORT_CUSTOMER && report != BATON_REPORT_REJECTED)
        return;
    if (!run->is_candidate && weight != VERDICT_IN_EFFECT)
        return;
    if (run->judged_count == run->judged_room) {
        run->judged_room = run->judged_room ? run->judged_room * 2 : 256;
        run->judged = memory_resize(run->judged, run->judged_room * sizeof *run->judged);
    }
    run->judged[run->judged_count++] = (struct judged){
        .lead = entry->number,
        .outcome = report == BATON_REPORT_CUSTOMER ? OUTCOME_CUSTOMER : OUTCOME_REJECTED,
        .weight = weight,
        .time_ms = event->time_ms,
        .rules = run->is_candidate ? rules_of(run, &entry->lead) : NULL};
}

void fold_run_take(struct fold_run *run, struct fold_tools *tools, const struct baton_event *event,
                   struct lead_entry *entry, const struct origin *origin, struct folded *out)
{
    struct baton_fold_context context = {.agreement = &run->folded,
                                         .words = &run->words,
                                         .allocator = &run->leads.allocator,
                                         .matcher = run->matcher};
    struct baton_fold_result *result = &out->result;
    hops_fold(&entry->lead, event, &context, &run->tombstones, &tools->arena,
              run->config->event_bytes, result, &out->cargo);
    run->is_too_lean = run->is_too_lean || is_too_lean(run, event, out);
    if (event->kind == BATON_FEEDBACK && result->outcome == BATON_FOLDED)
        note_verdict(run, event, entry, result);
    if (run->is_candidate && event->kind == BATON_PUBLISHED)
        take_time(run, event);
    run->refused += result->refusal != BATON_NOT_REFUSED;
    if (!result->transition_count && !result->notice)
        return;
    struct baton_text owner = count_transitions(run, event, entry, result);
    if (tools->encoder && run->is_candidate && is_counted(run, event))
        tell(run, tools, event, entry, origin, result, owner);
}
