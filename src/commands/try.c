/* Scores a file of events in memory: no Kafka, no Redis, the same decoder and the same fold. */
#include "codec/outgoing.h"
#include "codec/own_event.h"
#include "commands/lead_view.h"
#include "commands/times.h"
#include "commands/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_CAPACITY (1u << 24)
#define UNREADABLE_TOLD 20
#define HOPS_PER_LINE_BITS 20

/* ---- Folding
 * -------------------------------------------------------------------------------------- */

static struct told *told_of(struct trial *trial, const struct lead_entry *entry)
{
    while (entry->number >= trial->told_room) {
        size_t room = trial->told_room ? 2 * trial->told_room : 1024;
        trial->told = memory_resize(trial->told, room * sizeof *trial->told);
        memset(trial->told + trial->told_room, 0, (room - trial->told_room) * sizeof *trial->told);
        trial->told_room = room;
    }
    return &trial->told[entry->number];
}

static void keep(json_t **list, const struct outgoing_message *message)
{
    json_error_t ignored;
    json_t *record = json_loadb(message->value, message->value_size, JSON_ALLOW_NUL, &ignored);
    if (!*list)
        *list = json_array();
    if (record)
        json_array_append_new(*list, record);
}

static void tell_notice(struct trial *trial, const struct stage_view *lead, struct told *told,
                        const struct baton_fold_result *result)
{
    enum baton_stage stage = (enum baton_stage)lead->lead->stage;
    struct baton_transition stays = {
        .from = stage, .to = stage, .generation = lead->lead->generation};
    struct stage_view view = *lead;
    struct outgoing_message message;
    baton_lead_score(lead->lead, lead->agreement, lead->lead->newest_ms, &stays.score);
    view.kind = result->notice == BATON_IGNORED  ? RECORD_IGNORED
                : result->notice == BATON_MERGED ? RECORD_MERGED
                                                 : RECORD_ADJUSTED;
    view.transition = &stays;
    view.why = result->why;
    view.other = result->to;
    encoder_stage_change(trial->encoder, &trial->scratch, &view, &message);
    keep(&told->changes, &message);
    trial->reports_ignored += view.kind == RECORD_IGNORED;
}

/* Everything is one unit here. */
static struct baton_text owner_of(struct trial *trial, const struct baton_lead *lead)
{
    int32_t route = baton_route_find(lead, trial->agreement);
    if (route < 0)
        return (struct baton_text){NULL, 0};
    return baton_route_name(&trial->agreement->routes[route], 0, trial->assigned[route]++);
}

static void keep_made(struct trial *trial, const struct outgoing_message *made, size_t count)
{
    if (trial->hop_count + count > trial->hop_room) {
        trial->hop_room = 2 * (trial->hop_count + count);
        trial->hops = memory_resize(trial->hops, trial->hop_room * sizeof *trial->hops);
    }
    for (size_t i = 0; i < count; i++)
        trial->hops[trial->hop_count++] = made[i];
}

/* The clocks of sales begin when the promotion goes out: at once. */
static int64_t publish(struct trial *trial, const struct stage_view *view)
{
    struct outgoing_message made;
    int64_t now_ms = try_clocks_arrived_ms(&trial->clocks, view->event);
    own_event_published(&trial->scratch, 0, view->origin, view->event->lead_id,
                        view->transition->generation, now_ms, &made);
    keep_made(trial, &made, 1);
    return now_ms;
}

static void tell_breach(void *context, const struct lead_entry *entry,
                        const struct breach_view *view)
{
    struct trial *trial = context;
    struct outgoing_message message;
    encoder_breach(trial->encoder, &trial->scratch, view, &message);
    keep(&told_of(trial, entry)->breaches, &message);
}

static void tell_transition(struct trial *trial, const struct stage_view *lead, struct told *told,
                            const struct baton_transition *transition)
{
    struct stage_view view = *lead;
    struct outgoing_message message;
    const struct baton_pact *pact = trial->agreement->pact;
    view.transition = transition;
    if (transition->to == BATON_SQL && !transition->adopted && pact && pact->has_clocks)
        view.published_ms = publish(trial, &view);
    encoder_stage_change(trial->encoder, &trial->scratch, &view, &message);
    keep(&told->changes, &message);
    if (transition->to != BATON_SQL || transition->adopted)
        return;
    view.owner = owner_of(trial, lead->lead);
    encoder_promotion(trial->encoder, &trial->scratch, &view, &message);
    keep(&told->promotions, &message);
    trial->promoted++;
}

/* What would be published, in its order. */
static void tell(struct trial *trial, const struct baton_event *event,
                 const struct lead_entry *entry, const struct baton_fold_result *result)
{
    struct origin origin = {.topic = "", .offset = trial->line};
    struct stage_view lead = {.lead = &entry->lead,
                              .event = event,
                              .agreement = trial->agreement,
                              .words = &trial->words,
                              .origin = &origin};
    for (uint32_t i = 0; i < result->transition_count; i++)
        tell_transition(trial, &lead, told_of(trial, entry), &result->transitions[i]);
    if (result->notice && result->notice != BATON_ERASED) /* whose record has no name on it */
        tell_notice(trial, &lead, told_of(trial, entry), result);
}

static void tell_unreadable(struct trial *trial, const struct decode_result *result)
{
    trial->unreadable++;
    const char *reason =
        result->outcome == DECODE_DEAD ? dead_reason_name(result->reason) : "unknown_schema";
    const char *detail =
        result->outcome == DECODE_DEAD ? result->detail : "only JSON events are read here";
    if (trial->unreadable <= UNREADABLE_TOLD)
        (void)fprintf(stderr, "%s:%" PRId64 ": %s: %s\n", trial->invocation->arguments[1],
                      trial->line + 1, reason, detail);
    else if (trial->unreadable == UNREADABLE_TOLD + 1)
        (void)fprintf(stderr, "%s: more lines cannot be read\n", trial->invocation->arguments[1]);
}

/* They are taken before the next line is. */
static void keep_hops(struct trial *trial, const struct message *message,
                      const struct baton_event *event, const struct lead_entry *entry,
                      const struct baton_fold_result *result, const struct hop_cargo *cargo)
{
    struct origin origin = {.topic = "",
                            .offset = trial->line,
                            .headers = trial->headers,
                            .header_count = trial->header_count};
    struct hop_cause cause = {.event = event,
                              .origin = &origin,
                              .clock_ms = trial->clocks.clock_ms,
                              .arrived_ms = try_clocks_arrived_ms(&trial->clocks, event)};
    if (result->hop) {
        size_t count;
        const struct outgoing_message *made =
            hops_make(&trial->scratch, message, &cause, result, cargo, &count);
        keep_made(trial, made, count);
    }
    struct baton_text id;
    if (trial->identity.enabled && result->outcome == BATON_FOLDED &&
        identity_of(&trial->identity, event, &entry->lead, &trial->scratch, &id)) {
        struct outgoing_message made;
        hop_identify(&trial->scratch, &cause, id, &made);
        keep_made(trial, &made, 1);
    }
}

static void count_fold(struct trial *trial, const struct baton_event *event,
                       const struct baton_fold_result *result)
{
    trial->too_late += result->too_late;
    trial->duplicates += result->outcome == BATON_DUPLICATE;
    trial->dropped += result->outcome == BATON_TOO_OLD;
    if (result->outcome != BATON_FOLDED || event->kind == BATON_TRANSFER ||
        event->kind == BATON_PUBLISHED)
        return;
    trial->events++;
    trial->outside += !agreement_in_force(trial->source, event->time_ms, NULL);
}

static int fold_event(struct trial *trial, const struct message *message,
                      const struct baton_event *event)
{
    if (ignore_event(trial->ignore, trial->agreement, event)) {
        trial->ignored++;
        return EXIT_CODE_OK;
    }
    /* what is due at this moment goes off behind what is said at it */
    try_clocks_advance(&trial->clocks, event->time_ms - 1);
    uint64_t hash = lead_table_hash(0, event->lead_id);
    struct lead_entry *entry = lead_table_find(&trial->leads, hash, 0, event->lead_id);
    if (!entry) {
        entry = lead_table_add(&trial->leads, hash, 0, event->lead_id);
        baton_lead_attach(&entry->lead, trial->agreement);
    }
    struct baton_fold_context context = {.agreement = trial->agreement,
                                         .words = &trial->words,
                                         .allocator = &trial->leads.allocator,
                                         .matcher = trial->matcher};
    struct baton_fold_result result;
    struct hop_cargo cargo;
    hops_fold(&entry->lead, event, &context, &trial->tombstones, &trial->scratch, 0, &result,
              &cargo);
    if (result.outcome == BATON_OUT_OF_MEMORY)
        return command_fail(trial->invocation, EXIT_CODE_FAILED, "out of memory");
    count_fold(trial, event, &result);
    tell(trial, event, entry, &result);
    try_clocks_folded(&trial->clocks, entry, event, &result);
    keep_hops(trial, message, event, entry, &result, &cargo);
    if (result.refusal) {
        struct decode_result verdict;
        hops_verdict(&result, &verdict);
        tell_unreadable(trial, &verdict);
    }
    return EXIT_CODE_OK;
}

static int take_message(struct trial *trial, struct message *message)
{
    struct baton_event event;
    struct decode_result result;
    decoder_decode(trial->decoder, message, &trial->scratch, &event, &result);
    if (result.outcome == DECODED && baton_kind_is_of_unit(event.kind))
        return EXIT_CODE_OK; /* of no lead: there is nothing to show */
    if (result.outcome == DECODED)
        return fold_event(trial, message, &event);
    tell_unreadable(trial, &result);
    return EXIT_CODE_OK;
}

/* A line, and then what it makes baton tell other leads. Positions leave room for that. */
static int take_line(struct trial *trial, const char *line, size_t size, int64_t number)
{
    int64_t offset = number << HOPS_PER_LINE_BITS;
    struct message message = {
        .value = (const uint8_t *)line, .value_size = size, .timestamp_ms = -1, .offset = offset};
    trial->line = number;
    trial->hop_count = trial->header_count = 0;
    arena_reset(&trial->scratch);
    int code = take_message(trial, &message);
    for (size_t i = 0; code == EXIT_CODE_OK && i < trial->hop_count; i++) {
        struct outgoing_message made = trial->hops[i];
        struct hop hop;
        (void)hop_read(made.headers, made.header_count, &trial->scratch, &hop);
        trial->headers = made.headers;
        trial->header_count = made.header_count;
        message = (struct message){.key = made.key,
                                   .key_size = made.key_size,
                                   .value = made.value,
                                   .value_size = made.value_size,
                                   .timestamp_ms = -1,
                                   .offset = offset + 1 + (int64_t)i,
                                   .hop = &hop};
        code = take_message(trial, &message);
    }
    return code;
}

static int take_file(struct trial *trial)
{
    const char *path = trial->invocation->arguments[1];
    struct error error;
    FILE *file = setup_events_open(path, &error);
    if (!file)
        return command_fail(trial->invocation, EXIT_CODE_BAD_INPUT, "%s", error.text);
    char *line = NULL;
    size_t room = 0;
    int code = EXIT_CODE_OK;
    for (int64_t number = 0; code == EXIT_CODE_OK; number++) {
        ssize_t size = getline(&line, &room, file);
        if (size < 0)
            break;
        if (size > 0 && line[size - 1] == '\n')
            size--;
        if (size > 0)
            code = take_line(trial, line, (size_t)size, number);
    }
    if (ferror(file))
        code = command_fail(trial->invocation, EXIT_CODE_BAD_INPUT, "cannot read %s: %s", path,
                            strerror(errno));
    free(line);
    if (file != stdin)
        (void)fclose(file);
    return code;
}

/* ---- Making and ending
 * ---------------------------------------------------------------------------- */

static int prepare(struct trial *trial)
{
    static const char *const topics[OUTGOING_TOPICS] = {[TOPIC_PROMOTIONS] = "promotions",
                                                        [TOPIC_STAGES] = "stages",
                                                        [TOPIC_DEAD] = "dead",
                                                        [TOPIC_BREACHES] = "breaches"};
    struct error error;
    int code = EXIT_CODE_OK;
    if (trial->invocation->config_given)
        code = setup_config(trial->invocation, &trial->config);
    if (code == EXIT_CODE_OK)
        code = setup_agreement(trial->invocation->arguments[0],
                               setup_output_language(trial->config), true, &trial->source);
    if (code != EXIT_CODE_OK)
        return code;
    trial->agreement = agreement_compiled(trial->source);
    trial->matcher = baton_matcher_create(trial->agreement, trial->leads.allocator);
    trial->clocks = (struct try_clocks){.leads = &trial->leads,
                                        .words = &trial->words,
                                        .agreement = trial->agreement,
                                        .tell = tell_breach,
                                        .context = trial};
    trial->ignore = ignore_create();
    if (trial->config) {
        setup_input(trial->config, &trial->settings, &trial->input);
        setup_identity(trial->config, &trial->identity);
    }
    trial->input.lead_id_from_key = false;
    trial->input.ignore_key = true;
    if (decoder_create(&trial->decoder, &trial->input, &error) != STATUS_OK)
        return command_fail(trial->invocation, EXIT_CODE_BAD_INPUT, "%s", error.text);
    if (encoder_create(&trial->encoder, OUTPUT_JSON, "/baton", topics, NULL, &error) != STATUS_OK)
        return command_fail_status(trial->invocation, &error);
    encoder_speak(trial->encoder, setup_output_language(trial->config));
    return EXIT_CODE_OK;
}

static void finish(struct trial *trial)
{
    tombstones_fini(&trial->tombstones);
    free(trial->hops);
    for (size_t i = 0; i < trial->told_room; i++) {
        json_decref(trial->told[i].promotions);
        json_decref(trial->told[i].changes);
        json_decref(trial->told[i].breaches);
    }
    free(trial->told);
    timers_fini(&trial->clocks.timers);
    if (trial->encoder)
        encoder_destroy(trial->encoder);
    ignore_destroy(trial->ignore);
    if (trial->decoder)
        decoder_destroy(trial->decoder);
    baton_words_fini(&trial->words);
    baton_matcher_destroy(trial->matcher);
    lead_table_fini(&trial->leads);
    arena_fini(&trial->scratch);
    arena_fini(&trial->settings);
    if (trial->source)
        agreement_destroy(trial->source);
    if (trial->config)
        config_destroy(trial->config);
}

static int read_until(struct trial *trial)
{
    const char *until = invocation_option(trial->invocation, "--until");
    if (!until || time_read(until, &trial->until_ms))
        return EXIT_CODE_OK;
    return command_fail(trial->invocation, EXIT_CODE_USAGE,
                        "--until wants a time in UTC like 2026-11-01 or 2026-11-01T12:00:00Z, "
                        "not %s",
                        until);
}

int command_try(const struct invocation *invocation)
{
    struct trial trial = {.invocation = invocation};
    arena_init(&trial.settings, 4096);
    arena_init(&trial.scratch, 65536);
    lead_table_init(&trial.leads, SIZE_MAX);
    baton_words_init(&trial.words, WORDS_CAPACITY, heap_allocator());
    int code = prepare(&trial);
    if (code == EXIT_CODE_OK)
        code = read_until(&trial);
    if (code == EXIT_CODE_OK)
        code = take_file(&trial);
    if (code == EXIT_CODE_OK) {
        try_clocks_advance(&trial.clocks, trial.until_ms);
        trial_print(&trial);
        setup_tell_dates(trial.source, setup_output_language(trial.config));
    }
    finish(&trial);
    return code;
}
