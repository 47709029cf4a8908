/* The partition that common producers choose for a key: a lead's unit. */
#ifndef PIPELINE_PARTITIONER_H
#define PIPELINE_PARTITIONER_H

#include <baton/event.h>

uint32_t partition_by_murmur2(struct baton_text key, uint32_t partitions); /* Java clients */
uint32_t partition_by_crc32(struct baton_text key,
                            uint32_t partitions); /* librdkafka, unless told otherwise */

enum partitioner { PARTITIONER_AUTO, PARTITIONER_MURMUR2, PARTITIONER_CRC32 };
/* AUTO counts as crc32. */
uint32_t partition_of(enum partitioner partitioner, struct baton_text key, uint32_t partitions);
/* Which of the two put this key there; AUTO: both would, or (*none) neither. */
enum partitioner partitioner_seen(struct baton_text key, uint32_t partition, uint32_t partitions,
                                  bool *none);

#endif
