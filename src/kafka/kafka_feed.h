/* A plain writer of lead events, for the demo: not part of `baton run`. One thread. */
#ifndef KAFKA_FEED_H
#define KAFKA_FEED_H

#include "kafka/kafka_settings.h"

#include <stdint.h>

struct kafka_feed;

struct kafka_feed_counts {
    uint64_t acknowledged; /* by the broker */
    uint64_t failed;
};

enum status kafka_feed_create(const struct kafka_settings *settings, struct kafka_feed **out,
                              struct error *error);
void kafka_feed_destroy(struct kafka_feed *feed);
/* To the events topic, to the partition of the key, stamped with the present. value NULL: a
 * tombstone. Copies. RETRY: the queue is full. */
enum status kafka_feed_send(struct kafka_feed *feed, const void *key, size_t key_size,
                            const void *value, size_t value_size, struct error *error);
/* Takes in what the broker has acknowledged; waits for it up to so long. */
void kafka_feed_poll(struct kafka_feed *feed, int timeout_ms, struct kafka_feed_counts *counts);
/* Waits until nothing is outstanding. RETRY: something still is. */
enum status kafka_feed_flush(struct kafka_feed *feed, int timeout_ms, struct error *error);

#endif
