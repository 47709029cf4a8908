/* librdkafka's mock cluster: a broker inside of this process for the demo and for tests of error
 * paths. Its transactions are hollow and it keeps at most 5 MB or 100,000 message sets per
 * partition. */
#ifndef KAFKA_EMBEDDED_H
#define KAFKA_EMBEDDED_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

struct kafka_embedded;

/* Limits of one partition of the mock cluster. */
#define KAFKA_EMBEDDED_PARTITION_BYTES 5000000
#define KAFKA_EMBEDDED_PARTITION_BATCHES 100000

enum status kafka_embedded_start(const char *const *topics, size_t topic_count, uint32_t partitions,
                                 struct kafka_embedded **out, struct error *error);
/* "127.0.0.1:35207"; lives as long as the cluster. */
const char *kafka_embedded_brokers(const struct kafka_embedded *embedded);
/* Connections are refused until it is up again: for tests. */
void kafka_embedded_set_up(struct kafka_embedded *embedded, int up);
/* Every answer comes so much later: a frozen broker, for tests. */
void kafka_embedded_set_delay(struct kafka_embedded *embedded, int milliseconds);
void kafka_embedded_stop(struct kafka_embedded *embedded);

#endif
