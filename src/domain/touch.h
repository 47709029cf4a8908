/* The scored events that a lead keeps for the hand-over. */
#ifndef DOMAIN_TOUCH_H
#define DOMAIN_TOUCH_H

#include "domain/matcher.h"

/* Keeps the event among the newest touches if it is one of them; false if there is no memory. */
bool touch_add(struct baton_lead *lead, const struct baton_event *event,
               const struct matched *matched, const struct touch_rules *rules,
               const struct baton_fold_context *context);

#endif
