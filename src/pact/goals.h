/* What came of a goal: figures of a span from the counters of all units. Pure functions. */
#ifndef PACT_GOALS_H
#define PACT_GOALS_H

#include "pact/sums.h"

/* Figures are hundredths of what the goal counts: of leads, per cents, days, a currency. */
struct goal_figure {
    const struct baton_goal *goal;
    struct calendar_span span;
    bool known;  /* there is something to judge: a rate of nothing is neither kept nor missed */
    bool missed; /* the promise is not kept by the figures as they are; false where not known */
    int64_t promised, actual;
    int64_t projected; /* what actual comes to if the span goes on as its days that are over, or as
                          these and today */
    int64_t needed;    /* CONVERSION: SQLs that the promised customers take at the actual rate; -1:
                          not known */
    int64_t basis;     /* what a rate is of, or how many days a median is of: a whole number */
};

/* Since when anything is owed. A working day and the days off right before it are one thing: it is
 * owed where the day itself is not before the agreement, and all of it was counted. */
struct goal_since {
    int32_t effective; /* the first day of the agreement; INT32_MIN: there is none */
    int32_t counted; /* the first day that was counted whole; INT32_MAX: nothing was counted yet */
};
/* `effective_ms`: of the first version that there is. `counted_from`: the day on which counting
 * began, a part of which it may have missed; INT32_MIN: it has not. */
struct goal_since goal_since_of(const struct baton_agreement *agreement, int64_t effective_ms,
                                int32_t counted_from);
/* Is all of the goal's span owed? */
bool goal_is_owed(const struct baton_agreement *agreement, struct calendar_span span,
                  struct goal_since since);

/* One span of the goal. The sums must hold its days; of `churn` all days before, too. */
void goal_judge(const struct baton_agreement *agreement, const struct baton_goal *goal,
                const struct pact_sums *sums, struct calendar_span span, int64_t now_ms,
                struct goal_figure *out);
/* The same over any days, as far as they are owed; not known where none is. What is promised per
 * span counts by the part of its working days that lies in them: whole spans count whole. A working
 * day in them brings the days off right before it that lie in the same span, and days off behind
 * the last one are left to the next. A rate is that of all the days. */
void goal_over(const struct baton_agreement *agreement, const struct baton_goal *goal,
               const struct pact_sums *sums, struct calendar_span wide, struct goal_since since,
               int64_t now_ms, struct goal_figure *out);
/* When nothing more can come that counts: the end of the span, for CONVERSION judge_after later. */
int64_t goal_ready_ms(const struct baton_agreement *agreement, const struct baton_goal *goal,
                      struct calendar_span span);
/* Is it a part of something else, per cent of it? */
bool goal_is_rate(enum baton_measure measure);

#endif
