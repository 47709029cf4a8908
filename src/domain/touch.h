/* The scored events that a lead keeps for the hand-over. */
#ifndef DOMAIN_TOUCH_H
#define DOMAIN_TOUCH_H

#include <baton/scoring.h>

/* Indexes of the rules with a counted hit at one event, ascending. */
struct touch_rules {
    uint32_t count;
    uint16_t rules[BATON_RULES_MAX];
};

/* Keeps the event among the newest touches if it is one of them; false if there is no memory. */
bool touch_add(struct baton_lead *lead, const struct baton_event *event,
               const struct touch_rules *rules, const struct baton_fold_context *context);

#endif
