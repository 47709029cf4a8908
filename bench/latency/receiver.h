/* Reads the promotions as any other program would: a consumer that sees committed messages only,
 * in a thread of its own, from what was the topic's end when it was opened. The moment that a
 * promotion is handed to it is the moment at which it is visible. Values may have any of baton's
 * formats: Avro single-object, Avro with a registry's ids, JSON. */
#ifndef LATENCY_RECEIVER_H
#define LATENCY_RECEIVER_H

#include "base/status.h"
#include "common/options.h"

#include <avro.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

struct received {
    double at;         /* clock_seconds() */
    int64_t made_ms;   /* the message's own time, since 1970 */
    uint64_t sequence; /* of the event that it names */
    uint32_t lead;
};

struct receiver {
    rd_kafka_t *consumer;
    avro_schema_t schema;
    avro_value_iface_t *reader;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint_fast64_t count; /* of all below, for others to look at */
    /* the thread's until it has ended */
    struct received *items;
    size_t item_count, item_room;
    uint64_t others, unreadable; /* others: promotions that no event of ours has made */
    struct error error;          /* text "" when all is well */
};

enum status receiver_open(struct receiver *receiver, const struct common_options *common,
                          const char *topic, struct error *error);
/* The event that a promotion's value names; false: it cannot be read, or is none of ours. For an
 * opened receiver, or one with a schema (receiver_schema) alone. */
bool receiver_sequence(struct receiver *receiver, const void *value, size_t size,
                       uint64_t *sequence);
enum status receiver_schema(struct receiver *receiver, struct error *error);
enum status receiver_start(struct receiver *receiver, struct error *error);
void receiver_join(struct receiver *receiver); /* ends it */
void receiver_fini(struct receiver *receiver);

#endif
