/* The partition that common producers choose for a key, to find a lead's unit without asking Kafka.
 */
#ifndef COMMANDS_PARTITIONER_H
#define COMMANDS_PARTITIONER_H

#include <baton/event.h>

uint32_t partition_by_murmur2(struct baton_text key, uint32_t partitions); /* Java clients */
uint32_t partition_by_crc32(struct baton_text key,
                            uint32_t partitions); /* librdkafka, unless told otherwise */

#endif
