/* When leads of a unit are to be looked at: a heap of times. A timer is a hint, and never the truth
 * of a clock: a lead may stand in it several times, and for a time at which nothing is due. Owns
 * copies of the ids. One thread. */
#ifndef PIPELINE_TIMERS_H
#define PIPELINE_TIMERS_H

#include <baton/event.h>

struct timer {
    int64_t due_ms;
    struct baton_text id; /* owned */
};

struct timers {
    struct timer *heap;
    size_t count, room;
};

void timers_push(struct timers *timers, int64_t due_ms, struct baton_text id);
/* The earliest; NULL: there is none. */
const struct timer *timers_first(const struct timers *timers);
/* Takes the earliest out; there is one. The caller gives it back with timer_free. */
struct timer timers_take(struct timers *timers);
void timer_free(struct timer *timer);
void timers_clear(struct timers *timers);
void timers_fini(struct timers *timers);

#endif
