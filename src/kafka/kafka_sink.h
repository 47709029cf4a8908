/* The port sink on librdkafka: one transactional producer and one thread that carries its
 * transactions, for one worker's thread. */
#ifndef KAFKA_SINK_H
#define KAFKA_SINK_H

#include "kafka/kafka_settings.h"
#include "pipeline/ports.h"

/* Commits offsets for the group as a member of which `source` (from kafka_source_create) was
 * assigned its units: the source must outlive the sink. transactional.id is GROUP.INSTANCE.WORKER.
 * The first `reset` connects. */
enum status kafka_sink_create(const struct kafka_settings *settings, unsigned worker,
                              struct source *source, struct sink **out, struct error *error);

#endif
