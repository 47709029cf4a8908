/* Days of a `while` rule. */
#ifndef DOMAIN_WINDOW_H
#define DOMAIN_WINDOW_H

#include "domain/tally.h"

/* Takes a matching event of a lead whose newest event time counts it in already. COUNTED: the rule
 * comes to hold with it; NO_MEMORY: it was not taken. */
enum tally_outcome window_take(struct baton_lead *lead, const struct baton_agreement *agreement,
                               uint16_t rule, int64_t time_ms, struct baton_allocator *allocator);
/* Does the rule hold at that time? The tally has a window. */
bool window_holds(const struct baton_tally *tally, const struct baton_agreement *agreement,
                  int64_t at_ms);

#endif
