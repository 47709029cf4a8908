/* Sends the events of a plan when they are due, in a thread of its own. When it, the client or the
 * broker falls behind, nothing is left out and nothing is put off: what is late goes at once, and
 * its time counts from when it was due. */
#ifndef LATENCY_SENDER_H
#define LATENCY_SENDER_H

#include "common/histogram.h"
#include "latency/freshness.h"
#include "latency/outlet.h"
#include "latency/plan.h"

#include <pthread.h>
#include <stdatomic.h>

struct sender {
    struct plan *plan;
    struct outlet *outlet;
    struct freshness *freshness; /* NULL: nobody asks */
    uint64_t sample_every;       /* events */
    struct freshness_sample *samples;
    uint64_t sample_count, sample_room;
    double start;   /* clock_seconds() at which event 0 is due */
    double warm_up; /* seconds of the plan that do not count */
    double wait;    /* patience for the last answers */
    pthread_t thread;
    atomic_uint_fast64_t sent, failed, promotions; /* promotions: that must come of what was sent */
    atomic_uint_fast64_t lag_us;                   /* now */
    atomic_bool done;
    char refusal[200];       /* why the first one failed */
    struct histogram lag;    /* how late events were handed to the client, once a piece */
    uint64_t *lag_by_second; /* the most, by second of the plan */
};

struct sender_settings {
    const char *client; /* "librdkafka" or "direct" */
    double linger, wait, warm_up;
};

/* Everything is borrowed. */
enum status sender_init(struct sender *sender, struct plan *plan,
                        const struct common_options *common, const struct sender_settings *settings,
                        struct error *error);
enum status sender_start(struct sender *sender, double start, struct error *error);
void sender_join(struct sender *sender);
void sender_fini(struct sender *sender);

#endif
