/* Messages as they arrive: the partitions' queues lead into one of our own, which the callback call
 * empties. That costs about a third less per message than polling single ones, and what it hands
 * out is copied, so that a message is given back while it is still in the cache. (The batch call
 * loses messages at a seek or rebalance before librdkafka 2.1.0; news of the group would end in an
 * assertion of the callback call, and so stay on the consumer's own queue.) One thread. */
#ifndef KAFKA_ARRIVALS_H
#define KAFKA_ARRIVALS_H

#include "base/arena.h"
#include "pipeline/ports.h"

#include <librdkafka/rdkafka.h>

/* librdkafka forgets where a partition's queue leads when it stops fetching it, which it does in
 * its own time: a queue is led here again until something has come from it. */
struct expected_unit {
    int64_t next; /* lowest offset that may still come; -1: nothing is expected */
    bool heard;
};

struct kafka_arrivals {
    rd_kafka_t *consumer;
    const char *topic; /* borrowed */
    rd_kafka_queue_t *queue;
    struct expected_unit *units; /* by number */
    size_t unit_room;
    size_t unheard; /* expected, and not heard of yet */
    struct arena bytes;
    /* the batch under way */
    struct record *records;
    size_t count, room, taken_bytes;
    bool strayed; /* a message came by the consumer's own queue: what follows it may have passed it
                   */
    /* an error that came instead of a message; code 0: none */
    rd_kafka_resp_err_t code;
    uint32_t code_unit;
    char code_text[256];
    /* whether librdkafka goes on fetching, see wake_fetchers */
    bool fetchers_sleep; /* they may, in this version */
    size_t left;         /* in the queue behind the last batch */
    int64_t grown_ms;    /* when more had come than that */
    int64_t woken_ms, wake_pause_ms;
};

void kafka_arrivals_init(struct kafka_arrivals *arrivals, rd_kafka_t *consumer, const char *topic);
void kafka_arrivals_fini(struct kafka_arrivals *arrivals); /* before the consumer is destroyed */

/* From now on the unit's messages from this offset on are wanted. Before the assignment. */
void kafka_arrivals_expect(struct kafka_arrivals *arrivals, uint32_t unit, int64_t offset);
void kafka_arrivals_forget(struct kafka_arrivals *arrivals); /* nothing is expected any more */
/* All of them from where they stand, after a message that strayed. Before the assignment. */
void kafka_arrivals_expect_again(struct kafka_arrivals *arrivals);
int64_t kafka_arrivals_next(const struct kafka_arrivals *arrivals, uint32_t unit);

/* Offsets up to the ends that the broker's last answers told, of all units that are expected. */
uint64_t kafka_arrivals_waiting(const struct kafka_arrivals *arrivals);

/* A new batch: gives back the bytes of the last one. */
void kafka_arrivals_begin(struct kafka_arrivals *arrivals, struct record *records, size_t room);
/* Waits for a first message, then takes what is there. Ends early at an error. */
void kafka_arrivals_take(struct kafka_arrivals *arrivals, int timeout_ms);
/* A message that came by the consumer's own queue; not taken over. */
void kafka_arrivals_stray(struct kafka_arrivals *arrivals, const rd_kafka_message_t *message);

#endif
