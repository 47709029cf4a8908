/* The port source on librdkafka: one consumer of the group, for one worker's thread. */
#ifndef KAFKA_SOURCE_H
#define KAFKA_SOURCE_H

#include "kafka/kafka_settings.h"
#include "pipeline/ports.h"

/* Joins the group in the background. STOP: the configuration is refused. `end` of range() is the
 * last stable offset: what an open transaction holds back is not there yet. */
enum status kafka_source_create(const struct kafka_settings *settings, struct source **out,
                                struct error *error);

#endif
