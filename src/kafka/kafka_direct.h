/* The reader of fetch/, set up like a consumer of librdkafka that is there already: that one is the
 * group's member, and knows the brokers. Private to this room. */
#ifndef KAFKA_DIRECT_H
#define KAFKA_DIRECT_H

#include "fetch/fetcher.h"

#include <librdkafka/rdkafka.h>

struct kafka_direct;

/* NULL: the consumer's properties ask for what the reader does not know (TLS, SASL, a rack, …). The
 * topic is borrowed. */
struct kafka_direct *kafka_direct_create(rd_kafka_t *consumer, const char *topic);
void kafka_direct_destroy(struct kafka_direct *direct); /* before the consumer */
struct fetcher *kafka_direct_fetcher(const struct kafka_direct *direct);

#endif
