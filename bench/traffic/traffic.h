/* Believable traffic of a website, made from a seed: visits, clicks, form fills and profiles.
 *
 * Pure: an event is a function of the options, its sequence number and its time alone. Generators
 * with the same options make the same bytes in any order, in any number of threads.
 *
 * - Lead: Zipf (lead k, from 0, has the weight 1 / (k + 1)^zipf) or uniform. Its id, which is also
 *   the Kafka key, is `lead-` and eight hex digits.
 * - Kinds: of what are no profiles 70 % visits, 27 % clicks, 3 % form fills.
 * - Session: what a lead does within half an hour has one session, one channel and campaign, and
 *   mostly pages of one interest.
 * - Late: the time of the event lies up to `late_by_ms` before its turn.
 * - Repeated: one of the seven messages before comes again, byte for byte (its id is among the
 *   lead's last eight, so that it counts once, as long as nobody changes the order).
 * - Unreadable: cut off, too long, or of no known framing. Becomes a dead letter.
 * - Avro has the registry's framing with the ids 1 Visit, 2 Click, 3 FormFill, 4 Profile, as in
 *   schemas/; JSON says the same.
 */
#ifndef BENCH_TRAFFIC_TRAFFIC_H
#define BENCH_TRAFFIC_TRAFFIC_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct traffic_options {
    uint64_t seed;
    uint32_t leads;
    double zipf;          /* exponent; 0: uniform */
    uint32_t event_bytes; /* about, on average; 0: as it comes (Avro: 240) */
    bool json;
    double late, repeated, unreadable; /* shares of all messages */
    double profiles;                   /* share of the other messages that are Profile events;
                                          more than 0: forms carry profile fields, too */
    int64_t late_by_ms;                /* 0: two days */
    /* The plan of event times: event n happens at start_ms + n / events_per_second. */
    int64_t start_ms;
    double events_per_second; /* of event time; 0: 10000 */
};

#define TRAFFIC_DEFAULTS                                                                           \
    {                                                                                              \
        .seed = 1, .leads = 200000, .zipf = 1.0                                                    \
    }

enum traffic_kind { TRAFFIC_VISIT = 1, TRAFFIC_CLICK, TRAFFIC_FORM_FILL, TRAFFIC_PROFILE };
enum traffic_fate { TRAFFIC_PLAIN, TRAFFIC_LATE, TRAFFIC_REPEATED, TRAFFIC_UNREADABLE };

struct traffic_event {
    const char *key; /* the lead id, not terminated; lives until the next call */
    size_t key_size;
    const uint8_t *value; /* lives until the next call */
    size_t value_size;
    uint32_t lead; /* from 0, the most popular one first */
    enum traffic_kind kind;
    enum traffic_fate fate;
    int64_t time_ms;   /* of the event; of a late one, after its delay is taken off */
    uint64_t sequence; /* that its id names: of a repeated one, that of the original */
};

struct traffic;

/* NULL: *error says which option cannot be. */
struct traffic *traffic_create(const struct traffic_options *options, struct error *error);
/* Another one for another thread, which borrows the tables of the first: destroyed before it. */
struct traffic *traffic_share(const struct traffic *traffic);
void traffic_destroy(struct traffic *traffic);

/* As time: the event happens when the plan says. */
#define TRAFFIC_BY_PLAN INT64_MIN

/* Makes event `sequence`. No allocation, no system call; not for two threads at once. */
void traffic_make(struct traffic *traffic, uint64_t sequence, int64_t time_ms,
                  struct traffic_event *event);
/* The same event, done by this lead (any number, also one beyond the options' leads): for a caller
 * that chooses leads itself. Neither late nor repeated nor unreadable; time_ms is a time. */
void traffic_make_of(struct traffic *traffic, uint64_t sequence, uint32_t lead, int64_t time_ms,
                     struct traffic_event *event);
/* The lead of that event alone, at a fraction of the cost. Any thread. */
uint32_t traffic_lead(const struct traffic *traffic, uint64_t sequence);
/* When the plan says that it happens. Any thread. */
int64_t traffic_time(const struct traffic *traffic, uint64_t sequence);

#define TRAFFIC_ID_SIZE                                                                            \
    25 /* of an event id: eight hex digits of the seed, `-`, sixteen of the                        \
          sequence */
#define TRAFFIC_LEAD_ID_SIZE 13 /* lead-0123abcd */
/* Writes TRAFFIC_LEAD_ID_SIZE bytes, without a NUL. */
void traffic_lead_id(uint32_t lead, char *room);
/* The lead of an id; false when it is no id of ours. */
bool traffic_lead_of(const char *id, size_t size, uint32_t *lead);
/* The event that an id names; false when it is no id of ours. */
bool traffic_sequence_of(const char *id, size_t size, uint64_t *sequence);

#endif
