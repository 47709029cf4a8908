/* What a named person changes by hand. */
#include "domain/stages.h"

static int32_t add_points(int32_t before, int32_t points)
{
    int64_t sum = (int64_t)before + points;
    return (int32_t)(sum > BATON_SCORE_MAX    ? BATON_SCORE_MAX
                     : sum < -BATON_SCORE_MAX ? -BATON_SCORE_MAX
                                              : sum);
}

/* NULL: it can be done. */
static const char *objection(const struct folding *folding)
{
    const struct baton_adjustment *adjustment = folding->event->adjustment;
    if (!adjustment->has_stage)
        return NULL;
    if (adjustment->stage == (enum baton_stage)folding->lead->stage)
        return "is in that stage already";
    bool promotes = adjustment->stage == BATON_SQL;
    if (folding->context->gates_closed
            ? !stage_may_enter(folding, adjustment->stage)
            : promotes && baton_never_promote(folding->lead, folding->context->agreement))
        return "is never to be promoted";
    return NULL;
}

static bool add(const struct folding *folding)
{
    struct baton_history *history = baton_lead_history(folding->lead, folding->context->allocator);
    if (history)
        history->adjusted = add_points(history->adjusted, folding->event->adjustment->points);
    return history != NULL;
}

/* As a report's, the reason of a rejection is what is told of it later. */
static bool move(const struct folding *folding)
{
    const struct baton_adjustment *adjustment = folding->event->adjustment;
    struct baton_lead *lead = folding->lead;
    struct baton_score score;
    baton_lead_score(lead, folding->context->agreement, lead->newest_ms, &score);
    if (!stage_enter(folding, adjustment->stage, &score))
        return false;
    if (adjustment->stage == BATON_REJECTED)
        lead->history->sales.reason =
            baton_words_id(folding->context->words, adjustment->reason, BATON_WORD_TEXT);
    return true;
}

bool adjust_take(const struct folding *folding)
{
    const struct baton_adjustment *adjustment = folding->event->adjustment;
    const char *why = objection(folding);
    if (why) {
        stage_ignore(folding, why);
        return true;
    }
    if (adjustment->points && !add(folding))
        return false;
    if (adjustment->has_stage && !move(folding))
        return false;
    folding->result->notice = BATON_ADJUSTED;
    return true;
}
