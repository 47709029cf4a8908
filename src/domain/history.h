/* What only some leads have: sales' word, mails, forms, earlier generations, other ids. */
#ifndef DOMAIN_HISTORY_H
#define DOMAIN_HISTORY_H

#include <baton/scoring.h>

/* NULL is none. */
void history_free(struct baton_history *history, struct baton_allocator *allocator);

/* Counts a mail, keeps a form fill; false if there is no memory. Other events are none of its
 * business. */
bool history_take(struct baton_lead *lead, const struct baton_event *event,
                  const struct baton_fold_context *context);

#endif
