/* What a folded event adds to the counters. */
#ifndef PACT_COUNT_H
#define PACT_COUNT_H

#include "pact/counters.h"

#include <baton/scoring.h>

struct pact_fold {
    const struct baton_agreement *agreement; /* it has a pact */
    const struct baton_lead *lead;           /* after the fold */
    const struct baton_event *event;
    const struct baton_fold_result *result;
    const uint16_t *first_hits; /* result->first_hit_count of them */
    struct baton_words *words;
    int64_t clock_ms;   /* up to which the unit has told of clocks */
    int64_t arrived_ms; /* when the event did */
    bool counted; /* false: it is counted already. Words are asked for all the same, so that ids
                   stay those of the log */
};
void count_fold(struct counters *counters, const struct pact_fold *fold);

/* What came of a clock is another thing now, by the move or because the unit's time went on from
 * before_ms to after_ms. A clock that has ended is counted as what had come of it at after_ms, the
 * arrival of what ended it: this stands in the log, the unit's time does not. */
void count_clock(struct counters *counters, const struct baton_agreement *agreement,
                 const struct baton_clock_move *move, int64_t before_ms, int64_t after_ms);

#endif
