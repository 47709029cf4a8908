/* What the sink needs of the source whose offsets it commits. Private to this room. */
#ifndef KAFKA_SOURCE_PRIVATE_H
#define KAFKA_SOURCE_PRIVATE_H

#include "kafka/kafka_client.h"
#include "pipeline/ports.h"

/* Of the present assignment; worker's thread. */
const struct kafka_membership *kafka_source_membership(const struct source *source);
/* Any thread; lives as long as the source. Only the seeded faults and tests use it. */
rd_kafka_t *kafka_source_consumer(const struct source *source);

#endif
