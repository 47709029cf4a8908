/* Which events are not a person's, by the agreement's `ignore`: they are dropped before their lead
 * is looked for. A verdict depends on the user agent and the agreement alone; those of agents that
 * were met lately are kept, so that the cost per event does not grow with the list of crawlers. */
#ifndef PIPELINE_IGNORE_H
#define PIPELINE_IGNORE_H

#include <baton/agreement.h>

/* Used by one thread. */
struct ignore;

struct ignore *ignore_create(void);
void ignore_destroy(struct ignore *ignore);

/* The agreement is known by its address: it stays as it is as long as `ignore` lives. */
bool ignore_event(struct ignore *ignore, const struct baton_agreement *agreement,
                  const struct baton_event *event);

/* A hash over all that decides a verdict beside the agreement. */
uint64_t ignore_version(void);

#endif
