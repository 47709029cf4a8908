/* Clocks on what sales promised: how they begin and stop, and what came of them by a time. */
#ifndef DOMAIN_CLOCKS_H
#define DOMAIN_CLOCKS_H

#include "domain/stages.h"

/* What came of a clock. Nothing of it is stored: it follows from the clock and the time up to which
 * the unit has told of clocks. */
enum clock_verdict { CLOCK_NONE, CLOCK_OPEN, CLOCK_KEPT, CLOCK_BROKEN };
enum clock_verdict clock_verdict(const struct baton_clock *clock, int64_t clock_ms);
/* The least time behind clock_ms at which something is to be told of the lead: that a clock is due,
 * or soon will be. INT64_MAX: there is none. */
int64_t clock_next_ms(const struct baton_lead *lead, int64_t clock_ms);
/* Is a reminder told when the unit's time goes from from_ms to to_ms? Not one that would go out
 * together with the breach. */
bool clock_reminds(const struct baton_clock *clock, int64_t from_ms, int64_t to_ms);

/* The event `published`: FOLDED or UNCHANGED, or PASSED_ON where the lead was given up. */
enum baton_fold_outcome published_take(const struct folding *folding);
/* A report was allowed, and stands in the lead, which has a history. */
void clocks_report(const struct folding *folding, uint32_t seller_before);
/* The generation ends: what ran is of no concern any more. */
void clocks_end_generation(struct baton_history *history);
/* A rebuild: the lead entered its stage at that time, as lead-stages tells and no event does; of
 * stage sql it tells when the promotion went out, where there were clocks (0: there were none). */
void clocks_recall(struct baton_lead *lead, const struct baton_agreement *agreement,
                   int64_t time_ms, int64_t published_ms);
/* The stage was taken over with a transfer, and with it the clocks; `from` may be NULL. What the
 * sender told of is not told again. */
void clocks_adopt(const struct folding *folding, const struct baton_history *from);
/* … was not: its clocks end. What was told of them and is not counted is counted here. */
void clocks_leave(const struct folding *folding, const struct baton_lead *from);

/* What runs before a fold; behind it each that ran and is gone makes a move. False: nothing is to
 * be seen to. */
struct clocks_before {
    struct baton_clock clocks[BATON_CLOCKS];
    uint32_t seller;
    uint16_t generation;
    bool run; /* else the others are not set */
};
bool clocks_watch(const struct baton_lead *lead, const struct baton_agreement *agreement,
                  struct clocks_before *out);
void clocks_end(const struct folding *folding, const struct clocks_before *before);

#endif
