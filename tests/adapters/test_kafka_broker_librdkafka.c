/* The same tests, with librdkafka's consumer in place of our own reader. */
#define READS_BY_LIBRDKAFKA
#include "adapters/test_kafka_broker.c"
