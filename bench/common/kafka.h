/* What the subcommands need of Kafka, with errors in plain words. */
#ifndef BENCH_COMMON_KAFKA_H
#define BENCH_COMMON_KAFKA_H

#include "base/status.h"
#include "common/options.h"

#include <librdkafka/rdkafka.h>

struct bench_setting {
    const char *name, *value;
};

/* A client with these settings; the user's own (-X) come after them and win. The client's log is
 * kept quiet; what goes wrong is found by bench_kafka_trouble. NULL: *error says why.
 * `opaque` and the callbacks may be NULL. */
rd_kafka_t *bench_kafka_create(rd_kafka_type_t type, const struct common_options *common,
                               const struct bench_setting *settings, size_t count,
                               void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *),
                               void *opaque, struct error *error);

/* The last thing that a client of this process complained of; "" when nothing. Any thread; the text
 * is copied to `room`. */
const char *bench_kafka_trouble(char *room, size_t size);

struct bench_topic {
    int32_t partitions;
    uint64_t messages; /* offsets between the ends of its partitions */
    bool created;
};

/* Looks for the topic. When it is absent: makes it with `partitions` (0: *error says that it is
 * absent). Never changes one that is there. */
enum status bench_kafka_topic(const struct common_options *common, int32_t partitions,
                              struct bench_topic *topic, struct error *error);

#endif
