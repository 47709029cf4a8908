/* Which event is due when, and which promotions must come of it under agreements/simple.yaml (visit
 * 1, click 3, form fill 10; promoted once, at 100).
 *
 * Event n is due n / rate seconds after the start, whatever happened to those before it. Most
 * events are of `leads` known leads with Zipf popularity, of which ever less popular ones reach
 * 100. A share of them is of rising leads: a window moves over ever new leads, each of which has
 * some 70 events (55 make a promotion) within `rise_s` seconds, so that promotions come evenly and
 * in thousands, as on the days of a campaign. Another seed has other leads.
 *
 * Used by one thread while it makes events; later only read. */
#ifndef LATENCY_PLAN_H
#define LATENCY_PLAN_H

#include "traffic/traffic.h"

#define PLAN_EVENTS_OF_A_RISING_LEAD 70

struct plan_options {
    uint64_t seed;
    uint32_t leads;
    double zipf;
    uint32_t event_bytes; /* 0: what comes naturally */
    double rate, seconds; /* events per second; until the last one is due */
    double rising;        /* share of events */
    double rise_s;
};

#define PLAN_NONE UINT32_MAX

struct plan_promotion {
    uint64_t sequence; /* of the event that makes it */
    double acked;      /* clock_seconds() at which the broker had that event; 0: not yet */
    double seen;       /* … and at which the promotion was visible */
    int64_t made_ms;   /* since 1970: when it was handed to the client of Kafka */
};

struct plan {
    struct plan_options options;
    struct traffic *traffic;
    uint64_t events;        /* in all */
    int64_t start_ms;       /* when the first event is due, since 1970; set before any is made */
    uint64_t rising_events; /* made so far */
    uint32_t window;        /* leads that rise at a time */
    uint32_t first_lead, lead_count;
    uint8_t *scores;        /* by lead, counted from first_lead; stays at 100 */
    uint32_t *promotion_of; /* by lead: index into promotions, or PLAN_NONE */
    struct plan_promotion *promotions;
    uint32_t promotion_count, promotion_room;
};

enum status plan_init(struct plan *plan, const struct plan_options *options, struct error *error);
void plan_fini(struct plan *plan);

/* Seconds after the start at which event `sequence` is due. */
double plan_due(const struct plan *plan, uint64_t sequence);
/* The same as the time that the event carries. */
int64_t plan_time_ms(const struct plan *plan, uint64_t sequence);
/* How many events are due so many seconds after the start. */
uint64_t plan_count(const struct plan *plan, double seconds);

/* Makes the next event; call with 0, 1, 2, … Gives the index of the promotion that it makes, or
 * PLAN_NONE. */
uint32_t plan_make(struct plan *plan, uint64_t sequence, struct traffic_event *event);

/* Is the lead with this number one of the plan's? *promotion is its own, or NULL when it has none.
 */
bool plan_knows(const struct plan *plan, uint32_t number, struct plan_promotion **promotion);

#endif
