#include "pact/best.h"

static bool is_better(const struct baton_goal *goal, const struct goal_figure *figure,
                      const struct goal_best *best)
{
    if (!best->known)
        return true;
    return goal->at_most ? figure->actual <= best->amount : figure->actual >= best->amount;
}

/* What every span has missed is beyond the best of them; the parts of a rate were compared as they
 * are, not as they are written. */
static void take(const struct baton_goal *goal, const struct goal_figure *figure,
                 struct goal_best *best)
{
    bool missed_before = best->beaten || !best->known;
    if (is_better(goal, figure, best)) {
        best->span = figure->span;
        best->amount = figure->actual;
        best->promised = figure->promised;
    }
    best->known = true;
    best->beaten = missed_before && figure->missed;
}

void goal_find_best(const struct baton_agreement *agreement, const struct baton_goal *goal,
                    const struct pact_sums *sums, int32_t from, int64_t now_ms,
                    struct goal_best *out)
{
    const struct baton_hours *hours = agreement->pact ? &agreement->pact->hours : NULL;
    struct calendar_span span = calendar_span_of(goal->per, from, hours);
    *out = (struct goal_best){.known = false};
    if (span.first < from) /* not all of it was counted */
        span = calendar_span_of(goal->per, span.end, hours);
    while (goal_ready_ms(agreement, goal, span) <= now_ms) {
        struct goal_figure figure;
        goal_judge(agreement, goal, sums, span, now_ms, &figure);
        if (figure.known)
            take(goal, &figure, out);
        span = calendar_span_of(goal->per, span.end, hours);
    }
}
