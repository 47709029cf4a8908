#include <baton/scoring.h>

#include "base/hash.h"
#include "domain/clocks.h"
#include "domain/history.h"
#include "domain/matcher.h"
#include "domain/persons.h"
#include "domain/profile.h"
#include "domain/shadow.h"
#include "domain/stages.h"
#include "domain/tally.h"
#include "domain/text.h"
#include "domain/touch.h"
#include "domain/window.h"

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
    if (event->time_ms < lead->first_ms || lead->events == 0)
        lead->first_ms = event->time_ms;
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
        profile_refit(lead, context->agreement);
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

static enum tally_outcome hit_rule(struct baton_lead *lead, const struct baton_event *event,
                                   const struct baton_fold_context *context, uint16_t index)
{
    const struct baton_agreement *agreement = context->agreement;
    const struct baton_behaviour_rule *rule = &agreement->behaviour[index];
    if (rule->while_times)
        return window_take(lead, agreement, index, event->time_ms, context->allocator);
    struct baton_tally *tally = tally_of(lead, agreement, index, context->allocator);
    return tally ? tally_hit(tally, rule, agreement, event->time_ms) : TALLY_NO_MEMORY;
}

static void note_first_hit(const struct folding *folding, uint16_t index)
{
    const struct baton_fold_context *context = folding->context;
    uint32_t hash = context->agreement->behaviour[index].hash;
    if (tally_find(folding->lead, hash)->count == 1)
        context->first_hits[folding->result->first_hit_count++] = index;
}

/* Hits every rule that matches; false if there is no memory. */
static bool hit_rules(const struct folding *folding, struct matched *matched,
                      struct touch_rules *counted)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_event *event = folding->event;
    const struct baton_fold_context *context = folding->context;
    const struct baton_agreement *agreement = context->agreement;
    uint32_t start = agreement->kind_start[event->kind];
    uint32_t count = agreement->kind_start[event->kind + 1] - start;
    struct baton_fold_result *result = folding->result;
    matcher_find(context, event, matched);
    for (uint32_t word = 0; word * 64 < count; word++)
        for (uint64_t left = matched->bits[word]; left; left &= left - 1) {
            uint16_t index =
                agreement->by_kind[start + word * 64 + (uint32_t)__builtin_ctzll(left)];
            enum tally_outcome outcome = hit_rule(lead, event, context, index);
            if (outcome == TALLY_NO_MEMORY)
                return false;
            if (outcome == TALLY_COUNTED) {
                counted->rules[counted->count++] = index;
                if (context->first_hits)
                    note_first_hit(folding, index);
            }
            result->too_late += outcome == TALLY_TOO_LATE;
        }
    return true;
}

/* What somebody says of the lead. */
static bool take_word(const struct folding *folding)
{
    switch (folding->event->kind) {
    case BATON_FEEDBACK: return verdict_take(folding);
    case BATON_ADJUST: return adjust_take(folding);
    default: assert(false && "a kind that is in force"); return false;
    }
}

static bool take_act(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_event *event = folding->event;
    const struct baton_fold_context *context = folding->context;
    struct matched matched;
    struct touch_rules counted;
    counted.count = 0;
    take_channel(lead, event, context->words);
    if (!hit_rules(folding, &matched, &counted))
        return false;
    if (context->shadow && !shadow_hit(folding))
        return false;
    if (event->kind >= BATON_FORM_FILL && !history_take(lead, event, context))
        return false;
    return !counted.count || !context->agreement->touches ||
           touch_add(lead, event, &matched, &counted, context);
}

static bool come_back(const struct folding *folding)
{
    return folding->lead->stage != BATON_REJECTED || stage_recycle(folding);
}

static bool fold(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_event *event = folding->event;
    const struct baton_fold_context *context = folding->context;
    /* Here and not when the agreement changes: leads must not depend on who was in memory then. */
    if (lead->touch_count > context->agreement->touches)
        lead->touch_count = (uint16_t)context->agreement->touches;
    if (!take_profile(lead, event, context))
        return false;
    bool taken = baton_kind_is_own(event->kind) ? take_act(folding) : take_word(folding);
    return taken && come_back(folding) && !context->words->starved && stage_pass_gates(folding) &&
           (!context->shadow || shadow_pass_gates(folding));
}

void event_enter(struct baton_lead *lead, const struct baton_event *event)
{
    remember(lead, short_hash(event->event_id));
    count_event(lead, event);
}

/* False: it is a repeat. */
static bool enters(struct baton_lead *lead, const struct baton_event *event)
{
    uint64_t id = short_hash(event->event_id);
    if (is_recent(lead, id))
        return false;
    remember(lead, id);
    count_event(lead, event);
    return true;
}

/* Who the person is, and not what it does. */
static bool is_of_persons(enum baton_event_kind kind)
{
    return kind == BATON_MERGE || kind == BATON_ERASE || kind == BATON_TRANSFER;
}

static enum baton_fold_outcome fold_person(const struct folding *folding)
{
    const struct baton_event *event = folding->event;
    if (event->kind != BATON_TRANSFER && is_recent(folding->lead, short_hash(event->event_id)))
        return BATON_DUPLICATE;
    if (event->kind == BATON_MERGE)
        return merge_take(folding);
    if (event->kind == BATON_ERASE)
        return erase_take(folding);
    enum baton_fold_outcome outcome = transfer_take(folding);
    if (outcome == BATON_FOLDED && !(stage_recycle(folding) && stage_pass_gates(folding) &&
                                     (!folding->context->shadow || shadow_pass_gates(folding))))
        return BATON_OUT_OF_MEMORY;
    return outcome;
}

/* Beside rechecks and transfers, which fold with the others. */
static void fold_own(const struct folding *folding)
{
    struct baton_fold_result *result = folding->result;
    if (folding->event->kind != BATON_PUBLISHED)
        result->outcome = BATON_UNCHANGED; /* of the unit: no lead's */
    else if (!folding->lead->flags || person_takes(folding))
        result->outcome = published_take(folding);
}

/* A stub that stopped being one, and an emptied lead that stays empty. */
static void end_fold(const struct folding *folding, uint8_t flags)
{
    struct baton_lead *lead = folding->lead;
    struct baton_fold_result *result = folding->result;
    bool revived = flags & BATON_LEAD_MERGED && !(lead->flags & BATON_LEAD_MERGED);
    if ((result->outcome == BATON_DUPLICATE || result->outcome == BATON_UNCHANGED) && revived)
        result->outcome = BATON_FOLDED;
    if (result->outcome == BATON_FOLDED || result->outcome == BATON_REFUSED)
        lead->applied = folding->event->offset + 1;
    if (result->outcome != BATON_FOLDED && flags & BATON_LEAD_EMPTIED)
        lead->flags = flags;
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
    result->notice = BATON_NO_NOTICE;
    result->why = result->refused = NULL;
    result->hop = BATON_NO_HOP;
    result->refusal = BATON_NOT_REFUSED;
    result->first_hit_count = 0;
    result->clock_move_count = 0;
    result->shadow_mql = result->shadow_sql = result->first_report = false;
    result->outcome = BATON_ALREADY_APPLIED;
    if (event->offset < lead->applied)
        return;
    result->outcome = BATON_DUPLICATE;
    struct folding folding = {.lead = lead, .event = event, .context = context, .result = result};
    uint8_t flags = lead->flags;
    struct clocks_before before;
    bool watched = clocks_watch(lead, context->agreement, &before);
    if (event->kind == BATON_RECHECK) {
        result->outcome = recheck_take(&folding);
    } else if (event->kind >= BATON_PUBLISHED) {
        fold_own(&folding);
    } else if (!flags || person_takes(&folding)) {
        if (is_of_persons(event->kind))
            result->outcome = fold_person(&folding);
        else if (enters(lead, event))
            result->outcome = fold(&folding) ? BATON_FOLDED : BATON_OUT_OF_MEMORY;
    }
    end_fold(&folding, flags);
    if (watched && result->outcome == BATON_FOLDED)
        clocks_end(&folding, &before);
}
