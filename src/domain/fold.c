#include <baton/scoring.h>

#include "base/hash.h"
#include "domain/profile.h"
#include "domain/score.h"
#include "domain/tally.h"
#include "domain/text.h"
#include "domain/touch.h"

#include <assert.h>

static uint64_t short_hash(struct baton_text id)
{
    return hash64(id.data, id.size, 0) & ((UINT64_C(1) << 56) - 1);
}

static bool is_recent(const struct baton_lead *lead, uint64_t id)
{
    for (unsigned i = 0; i < lead->recent_count; i++)
        if (lead->recent[i] == id)
            return true;
    return false;
}

static void remember(struct baton_lead *lead, uint64_t id)
{
    memmove(lead->recent + 1, lead->recent, (BATON_RECENT_IDS - 1) * sizeof *lead->recent);
    lead->recent[0] = id;
    if (lead->recent_count < BATON_RECENT_IDS)
        lead->recent_count++;
}

static void count_event(struct baton_lead *lead, const struct baton_event *event)
{
    if (event->time_ms > lead->newest_ms)
        lead->newest_ms = event->time_ms;
    if (lead->events < UINT32_MAX)
        lead->events++;
    if (event->kind == BATON_FORM_FILL && lead->conversions < UINT32_MAX)
        lead->conversions++;
}

/* False if there is no memory. */
static bool take_profile(struct baton_lead *lead, const struct baton_event *event,
                         const struct baton_fold_context *context)
{
    bool changed =
        lead->events == 1; /* rules with `not` can hold for a lead that nothing is known of */
    for (uint32_t i = 0; i < event->update_count; i++) {
        enum profile_outcome outcome = profile_take(lead, &event->updates[i], event->time_ms,
                                                    context->agreement, context->allocator);
        if (outcome == PROFILE_NO_MEMORY)
            return false;
        changed |= outcome == PROFILE_TAKEN;
    }
    if (changed)
        lead->fit_points = profile_fit(lead, context->agreement);
    return true;
}

static void take_channel(struct baton_lead *lead, const struct baton_event *event,
                         struct baton_words *words)
{
    struct baton_text channel = event->fields[BATON_CHANNEL];
    bool first = !lead->first_channel || event->time_ms < lead->first_channel_ms;
    bool last = !lead->last_channel || event->time_ms >= lead->last_channel_ms;
    if (!channel.size || (!first && !last))
        return;
    bool same = text_equal(baton_words_text(words, lead->last_channel), channel);
    uint32_t word = same ? lead->last_channel : baton_words_id(words, channel, BATON_WORD_TEXT);
    if (first) {
        lead->first_channel = word;
        lead->first_channel_ms = event->time_ms;
    }
    if (last) {
        lead->last_channel = word;
        lead->last_channel_ms = event->time_ms;
    }
}

/* Hits every rule that matches; false if there is no memory. */
static bool hit_rules(struct baton_lead *lead, const struct baton_event *event,
                      const struct baton_fold_context *context, struct touch_rules *counted,
                      uint32_t *too_late)
{
    const struct baton_agreement *agreement = context->agreement;
    for (uint32_t i = agreement->kind_start[event->kind];
         i < agreement->kind_start[event->kind + 1]; i++) {
        uint16_t index = agreement->by_kind[i];
        const struct baton_behaviour_rule *rule = &agreement->behaviour[index];
        if (!baton_event_matches(&rule->where, event))
            continue;
        struct baton_tally *tally = tally_of(lead, agreement, index, context->allocator);
        if (!tally)
            return false;
        enum tally_outcome outcome = tally_hit(tally, rule, agreement, event->time_ms);
        if (outcome == TALLY_COUNTED)
            counted->rules[counted->count++] = index;
        *too_late += outcome == TALLY_TOO_LATE;
    }
    return true;
}

static void enter(struct baton_lead *lead, enum baton_stage stage, const struct score_now *now,
                  int64_t time_ms, struct baton_fold_result *result)
{
    result->transitions[result->transition_count++] =
        (struct baton_transition){.from = lead->stage, .to = stage, .score = now->score};
    lead->stage = (uint8_t)stage;
    lead->stage_ms = time_ms;
    *(stage == BATON_MQL ? &lead->mql_ms : &lead->sql_ms) = time_ms;
}

static void pass_gates(struct baton_lead *lead, const struct baton_event *event,
                       const struct baton_fold_context *context, struct baton_fold_result *result)
{
    if (context->gates_closed || lead->stage == BATON_SQL)
        return;
    struct score_now now = {.lead = lead, .agreement = context->agreement};
    if (lead->stage == BATON_LEAD && score_opens_mql(&now))
        enter(lead, BATON_MQL, &now, event->time_ms, result);
    if (lead->stage == BATON_MQL && score_opens_sql(&now))
        enter(lead, BATON_SQL, &now, event->time_ms, result);
}

static bool fold(struct baton_lead *lead, const struct baton_event *event,
                 const struct baton_fold_context *context, struct baton_fold_result *result)
{
    struct touch_rules counted;
    counted.count = 0;
    /* Here and not when the agreement changes: leads must not depend on who was in memory then. */
    if (lead->touch_count > context->agreement->touches)
        lead->touch_count = (uint16_t)context->agreement->touches;
    if (!take_profile(lead, event, context))
        return false;
    take_channel(lead, event, context->words);
    if (!hit_rules(lead, event, context, &counted, &result->too_late))
        return false;
    if (counted.count && context->agreement->touches && !touch_add(lead, event, &counted, context))
        return false;
    if (context->words->starved)
        return false;
    pass_gates(lead, event, context, result);
    return true;
}

void baton_fold(struct baton_lead *lead, const struct baton_event *event,
                const struct baton_fold_context *context, struct baton_fold_result *result)
{
    assert((unsigned)event->kind < BATON_EVENT_KINDS && event->offset >= 0);
    assert(event->time_ms >= 0 && event->time_ms <= BATON_TIME_MAX_MS);
    assert(context->agreement->behaviour_count <= BATON_RULES_MAX &&
           context->agreement->touches <= BATON_TOUCHES_MAX);
    result->too_late = 0;
    result->transition_count = 0;
    result->outcome = BATON_ALREADY_APPLIED;
    if (event->offset < lead->applied)
        return;
    uint64_t id = short_hash(event->event_id);
    result->outcome = BATON_DUPLICATE;
    if (is_recent(lead, id))
        return;
    remember(lead, id);
    count_event(lead, event);
    result->outcome = fold(lead, event, context, result) ? BATON_FOLDED : BATON_OUT_OF_MEMORY;
    if (result->outcome == BATON_FOLDED)
        lead->applied = event->offset + 1;
}
