/* The best that ever came of what a goal counts: what its promise is held against before anyone
 * signs it. Pure functions. */
#ifndef PACT_BEST_H
#define PACT_BEST_H

#include "pact/goals.h"

struct goal_best {
    bool known;                /* a span was over and had something to judge */
    struct calendar_span span; /* of several that are alike, the newest */
    int64_t promised, amount;  /* hundredths, as in goal_figure */
    bool beaten;               /* the promise asks for more than any span gave */
};

/* Looks at the goal's spans that begin on the day `from` or later and were ready by `now_ms`. The
 * sums must hold all days from `from` on; of `churn` all days before, too. */
void goal_find_best(const struct baton_agreement *agreement, const struct baton_goal *goal,
                    const struct pact_sums *sums, int32_t from, int64_t now_ms,
                    struct goal_best *out);

#endif
