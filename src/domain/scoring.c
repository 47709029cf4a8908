#include <baton/scoring.h>

#include "domain/score.h"
#include "domain/tally.h"

static int32_t saturate(int64_t hundredths)
{
    const int64_t most = BATON_SCORE_MAX * INT64_C(100);
    return (int32_t)(hundredths > most ? most : hundredths < -most ? -most : hundredths);
}

static int32_t behaviour_hundredths(const struct baton_lead *lead,
                                    const struct baton_agreement *agreement, int64_t at_ms)
{
    tally_worth sum = 0;
    for (uint16_t i = 0; i < lead->tally_count; i++)
        sum += tally_points(&lead->tallies[i], agreement, at_ms);
    tally_worth limit = agreement->limit_behaviour * (tally_worth)BATON_WEIGHT_ONE;
    if (agreement->limit_behaviour != BATON_NO_LIMIT && sum > limit)
        sum = limit;
    return tally_hundredths(sum);
}

static int32_t fit_hundredths(const struct baton_lead *lead,
                              const struct baton_agreement *agreement)
{
    int64_t points = lead->fit_points;
    if (agreement->limit_fit != BATON_NO_LIMIT && points > agreement->limit_fit)
        points = agreement->limit_fit;
    return saturate(points * 100);
}

void baton_lead_score(const struct baton_lead *lead, const struct baton_agreement *agreement,
                      int64_t at_ms, struct baton_score *score)
{
    int64_t when_ms = at_ms > lead->newest_ms ? at_ms : lead->newest_ms;
    score->fit = fit_hundredths(lead, agreement);
    score->behaviour = behaviour_hundredths(lead, agreement, when_ms);
    int64_t adjusted = lead->history ? (int64_t)lead->history->adjusted * 100 : 0;
    score->score = saturate((int64_t)score->fit + score->behaviour + adjusted);
}

bool baton_never_promote(const struct baton_lead *lead, const struct baton_agreement *agreement)
{
    for (uint32_t i = 0; i < agreement->never_count; i++)
        if (baton_profile_matches(&agreement->never[i], lead))
            return true;
    return false;
}

static bool is_hit(const struct baton_lead *lead, const struct baton_agreement *agreement,
                   uint16_t rule)
{
    const struct baton_tally *tally = tally_find(lead, agreement->behaviour[rule].hash);
    return tally && tally->count > 0;
}

static bool needs_met(const struct baton_lead *lead, const struct baton_agreement *agreement,
                      const struct baton_gate *gate)
{
    for (uint32_t i = 0; i < gate->needs_all_count; i++)
        if (!is_hit(lead, agreement, gate->needs_all_of[i]))
            return false;
    for (uint32_t i = 0; i < gate->needs_one_count; i++)
        if (is_hit(lead, agreement, gate->needs_one_of[i]))
            return true;
    return gate->needs_one_count == 0;
}

/* A gate without a threshold asks for what is added to it alone. No threshold is beyond the
 * greatest score. */
static bool reaches(int32_t hundredths, int32_t threshold, int64_t more)
{
    if (threshold == BATON_NO_THRESHOLD && more == 0)
        return true;
    int64_t points = more + (threshold == BATON_NO_THRESHOLD ? 0 : threshold);
    return hundredths >= (points < BATON_SCORE_MAX ? points : BATON_SCORE_MAX) * 100;
}

/* Points that a tally gives at most: without its decay. */
static int64_t most_points(const struct baton_tally *tally, const struct baton_agreement *agreement)
{
    if (tally->rule < 0)
        return 0;
    const struct baton_behaviour_rule *rule = &agreement->behaviour[tally->rule];
    if (tally->parts & TALLY_HAS_WINDOW)
        return rule->points > 0 ? rule->points : 0;
    if (!rule->half_life_ms)
        return (int64_t)tally->count * rule->points;
    return rule->points > 0 ? (int64_t)(tally->weight / BATON_WEIGHT_ONE + 1) * rule->points : 0;
}

/* Is the gate out of reach even if nothing had decayed? Of at most 2,000 tallies each gives less
 * than 2^46. */
static bool is_far_from(const struct score_now *now, const struct baton_gate *gate,
                        int64_t more_points)
{
    const struct baton_lead *lead = now->lead;
    int64_t most = 0;
    for (uint16_t i = 0; i < lead->tally_count; i++)
        most += most_points(&lead->tallies[i], now->agreement);
    most = most < BATON_SCORE_MAX ? most > -BATON_SCORE_MAX ? most : -BATON_SCORE_MAX
                                  : BATON_SCORE_MAX;
    int64_t fit = fit_hundredths(lead, now->agreement);
    int64_t adjusted = lead->history ? (int64_t)lead->history->adjusted * 100 : 0;
    return !reaches(saturate(most * 100), gate->behaviour, 0) ||
           !reaches(saturate(most * 100 + fit + adjusted), gate->score, more_points);
}

/* What costs least goes first: the decay of the behaviour is computed only for a gate that could
 * open. */
static bool gate_met(struct score_now *now, const struct baton_gate *gate, int64_t more_points)
{
    if (!needs_met(now->lead, now->agreement, gate) ||
        !reaches(fit_hundredths(now->lead, now->agreement), gate->fit, 0) ||
        (!now->known && is_far_from(now, gate, more_points)))
        return false;
    if (!now->known)
        baton_lead_score(now->lead, now->agreement, now->at_ms, &now->score);
    now->known = true;
    return reaches(now->score.behaviour, gate->behaviour, 0) &&
           reaches(now->score.score, gate->score, more_points);
}

static const struct baton_persona *persona_of(const struct score_now *now)
{
    return now->lead->persona ? &now->agreement->personas[now->lead->persona - 1] : NULL;
}

bool score_opens_mql(struct score_now *now)
{
    const struct baton_persona *persona = persona_of(now);
    return gate_met(now, persona && persona->has_mql ? &persona->mql : &now->agreement->mql, 0);
}

/* Whoever comes back has to show more. */
bool score_opens_sql(struct score_now *now)
{
    const struct baton_persona *persona = persona_of(now);
    int64_t more = (int64_t)now->agreement->recycle_score * (now->lead->generation - 1);
    return gate_met(now, persona && persona->has_sql ? &persona->sql : &now->agreement->sql,
                    more) &&
           !baton_never_promote(now->lead, now->agreement);
}
