#include "domain/shadow.h"

#include "domain/profile.h"
#include "domain/tally.h"
#include "domain/window.h"

/* ---- hits
 * ----------------------------------------------------------------------------------------- */

static bool hit(struct baton_lead *lead, const struct baton_event *event,
                const struct baton_shadow *shadow, uint16_t index,
                struct baton_allocator *allocator)
{
    const struct baton_behaviour_rule *rule = &shadow->agreement->behaviour[index];
    if (rule->while_times) {
        if (window_take(lead, shadow->agreement, index, event->time_ms, allocator) ==
            TALLY_NO_MEMORY)
            return false;
    } else {
        struct baton_tally *tally = tally_of(lead, shadow->agreement, index, allocator);
        if (!tally)
            return false;
        (void)tally_hit(tally, rule, shadow->agreement, event->time_ms);
    }
    struct baton_tally *tally = tally_find(lead, rule->hash);
    if (tally) /* the live agreement does not know it, and gives nothing for it */
        tally->rule = -1;
    return true;
}

bool shadow_hit(const struct folding *folding)
{
    const struct baton_shadow *shadow = folding->context->shadow;
    const struct baton_event *event = folding->event;
    for (uint32_t i = shadow->start[event->kind]; i < shadow->start[event->kind + 1]; i++) {
        uint16_t index = shadow->own[i];
        if (baton_event_matches(&shadow->agreement->behaviour[index].where, event) &&
            !hit(folding->lead, event, shadow, index, folding->context->allocator))
            return false;
    }
    return true;
}

/* ---- gates
 * ---------------------------------------------------------------------------------------- */

/* Of this shadow; another one's times are nothing to it. NULL if there is no memory. */
static struct baton_shadowed *times_of(const struct folding *folding)
{
    const struct baton_shadow *shadow = folding->context->shadow;
    struct baton_history *history = baton_lead_history(folding->lead, folding->context->allocator);
    if (!history)
        return NULL;
    if (history->shadow.of != shadow->of)
        history->shadow = (struct baton_shadowed){.of = shadow->of};
    return &history->shadow;
}

static struct baton_shadowed known_times(const struct baton_lead *lead,
                                         const struct baton_shadow *shadow)
{
    if (lead->history && lead->history->shadow.of == shadow->of)
        return lead->history->shadow;
    return (struct baton_shadowed){.of = 0};
}

static int64_t moment(const struct folding *folding)
{
    return folding->event->time_ms ? folding->event->time_ms : 1; /* 0 says that there is none */
}

static bool is_promoted(const struct baton_fold_result *result)
{
    for (uint32_t i = 0; i < result->transition_count; i++)
        if (result->transitions[i].to == BATON_SQL && !result->transitions[i].adopted)
            return true;
    return false;
}

/* The lead as the shadow sees it: the indexes of rules and what is derived of the profile are those
 * of its agreement. It has promoted nobody before, so nobody comes back to it. */
struct seen {
    struct baton_lead lead;
    struct baton_tally tallies[BATON_TALLIES_MAX];
    struct baton_window windows[BATON_RULES_MAX]; /* that two tallies have together */
    uint32_t window_count;
};

/* A version of the live agreement may take in a rule that was the shadow's own, or let go of one
 * that both had: the lead has a tally of before and one of since, under either hash, and no event
 * is in both. */
static void unite_seen(struct seen *seen, struct baton_tally *tally,
                       const struct baton_agreement *agreement)
{
    uint32_t hash = shadow_hash(tally->rule_hash);
    int32_t rule = baton_agreement_rule(agreement, hash);
    if (rule < 0)
        return;
    struct baton_tally *other = tally_find(&seen->lead, hash);
    if (!other) {
        tally->rule = rule;
        tally->rule_hash = hash;
        return;
    }
    if (other->parts & tally->parts & TALLY_HAS_WINDOW) { /* it is the lead's */
        seen->windows[seen->window_count] = *other->window;
        other->window = &seen->windows[seen->window_count++];
    }
    tally_unite(other, tally, agreement);
}

static void look(struct seen *seen, const struct folding *folding)
{
    const struct baton_agreement *agreement = folding->context->shadow->agreement;
    seen->lead = *folding->lead;
    seen->lead.tallies = seen->tallies;
    seen->lead.generation = 1;
    for (uint16_t i = 0; i < seen->lead.tally_count; i++) {
        seen->tallies[i] = folding->lead->tallies[i];
        seen->tallies[i].rule = baton_agreement_rule(agreement, seen->tallies[i].rule_hash);
    }
    seen->window_count = 0;
    for (uint16_t i = 0; i < seen->lead.tally_count; i++)
        if (seen->tallies[i].rule < 0)
            unite_seen(seen, &seen->tallies[i], agreement);
    profile_refit(&seen->lead, agreement);
}

/* Which gates open: bit 0 mql, bit 1 sql. */
static unsigned open_gates(const struct folding *folding, bool is_mql)
{
    struct seen seen;
    look(&seen, folding);
    struct score_now now = {.lead = &seen.lead,
                            .agreement = folding->context->shadow->agreement,
                            .at_ms = seen.lead.newest_ms};
    if (!is_mql && !score_opens_mql(&now))
        return 0;
    return score_opens_sql(&now) ? 3 : 1;
}

bool shadow_pass_gates(const struct folding *folding)
{
    struct baton_fold_result *result = folding->result;
    struct baton_shadowed known = known_times(folding->lead, folding->context->shadow);
    unsigned gates = known.sql_ms ? 0 : open_gates(folding, known.mql_ms != 0);
    bool live = !known.live_ms && is_promoted(result);
    result->shadow_mql = gates & 1 && !known.mql_ms;
    result->shadow_sql = gates & 2;
    if (!result->shadow_mql && !result->shadow_sql && !live)
        return true;
    struct baton_shadowed *times = times_of(folding);
    if (!times)
        return false;
    if (result->shadow_mql)
        times->mql_ms = moment(folding);
    if (result->shadow_sql)
        times->sql_ms = moment(folding);
    if (live)
        times->live_ms = moment(folding);
    return true;
}

/* ---- two ids of one person
 * ------------------------------------------------------------------------ */

static void take_earlier(int64_t *time_ms, int64_t other_ms)
{
    if (other_ms && (!*time_ms || other_ms < *time_ms))
        *time_ms = other_ms;
}

void shadow_unite(struct baton_history *history, const struct baton_history *from)
{
    if (!from->shadow.of)
        return;
    if (!history->shadow.of)
        history->shadow.of = from->shadow.of;
    if (history->shadow.of != from->shadow.of)
        return;
    take_earlier(&history->shadow.mql_ms, from->shadow.mql_ms);
    take_earlier(&history->shadow.sql_ms, from->shadow.sql_ms);
    take_earlier(&history->shadow.live_ms, from->shadow.live_ms);
}
