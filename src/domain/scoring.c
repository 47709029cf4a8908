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
    score->score = saturate((int64_t)score->fit + score->behaviour);
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

static bool reaches(int32_t hundredths, int32_t threshold)
{
    return threshold == BATON_NO_THRESHOLD || hundredths >= threshold * INT64_C(100);
}

/* What costs least goes first: the decay of the behaviour is computed only for a gate that could
 * open. */
static bool gate_met(struct score_now *now, const struct baton_gate *gate)
{
    if (!needs_met(now->lead, now->agreement, gate) ||
        !reaches(fit_hundredths(now->lead, now->agreement), gate->fit))
        return false;
    if (!now->known)
        baton_lead_score(now->lead, now->agreement, now->lead->newest_ms, &now->score);
    now->known = true;
    return reaches(now->score.behaviour, gate->behaviour) && reaches(now->score.score, gate->score);
}

bool score_opens_mql(struct score_now *now)
{
    return gate_met(now, &now->agreement->mql);
}

bool score_opens_sql(struct score_now *now)
{
    return gate_met(now, &now->agreement->sql) && !baton_never_promote(now->lead, now->agreement);
}
