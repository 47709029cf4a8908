/* Gates, and the score that they look at. */
#ifndef DOMAIN_SCORE_H
#define DOMAIN_SCORE_H

#include <baton/scoring.h>

/* The score of a lead at the present, computed when the first gate asks for it. `score`
 * is there once a gate has opened. */
struct score_now {
    const struct baton_lead *lead;
    const struct baton_agreement *agreement;
    int64_t at_ms;
    struct baton_score score;
    bool known;
};

bool score_opens_mql(struct score_now *now);
bool score_opens_sql(struct score_now *now);

#endif
