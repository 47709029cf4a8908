/* Sends the events of a plan when they are due, in a thread of its own. When it, the client or the
 * broker falls behind, nothing is left out and nothing is put off: what is late goes at once, and
 * its time counts from when it was due. */
#ifndef LATENCY_SENDER_H
#define LATENCY_SENDER_H

#include "common/histogram.h"
#include "common/options.h"
#include "latency/freshness.h"
#include "latency/plan.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

struct sender {
    struct plan *plan;
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    struct freshness *freshness; /* NULL: nobody asks */
    uint64_t sample_every;       /* events */
    double start;                /* clock_seconds() at which event 0 is due */
    double warm_up;              /* seconds of the plan that do not count */
    double deadline;             /* until then the last event must be with the broker */
    pthread_t thread;
    atomic_uint_fast64_t sent, failed, promotions; /* promotions: that must come of what was sent */
    atomic_uint_fast64_t lag_us;                   /* now */
    atomic_bool done;
    struct histogram lag;    /* how late events were handed to the client, once a piece */
    uint64_t *lag_by_second; /* the most, by second of the plan */
};

/* Everything is borrowed. linger_s: how long the client may collect events into a batch; wait_s:
 * patience for the last answers. */
enum status sender_init(struct sender *sender, struct plan *plan,
                        const struct common_options *common, double linger_s, double wait_s,
                        struct error *error);
enum status sender_start(struct sender *sender, double start, struct error *error);
void sender_join(struct sender *sender);
void sender_fini(struct sender *sender);

#endif
