/* A consumer of some partitions from their beginning on, with settings as good as baton's, that
 * joins no group: what is measured is reading, not joining. One thread. */
#ifndef STAGES_CONSUMER_H
#define STAGES_CONSUMER_H

#include "common/kafka.h"

struct part_consumer {
    rd_kafka_t *client;
    rd_kafka_topic_partition_list_t *partitions;
    uint64_t messages; /* offsets that the partitions hold together */
};

/* Does not fetch yet. */
enum status part_consumer_open(struct part_consumer *consumer, const struct common_options *common,
                               uint32_t first_partition, uint32_t count, struct error *error);
enum status part_consumer_start(struct part_consumer *consumer, struct error *error);
void part_consumer_close(struct part_consumer *consumer);

#endif
