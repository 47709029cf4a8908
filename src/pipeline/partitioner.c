#include "pipeline/partitioner.h"

static uint32_t byte_at(struct baton_text key, uint32_t index)
{
    return (unsigned char)key.data[index];
}

/* As org.apache.kafka.common.utils.Utils.murmur2 has it. */
uint32_t partition_by_murmur2(struct baton_text key, uint32_t partitions)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ key.size, at = 0;
    for (; at + 4 <= key.size; at += 4) {
        uint32_t k = byte_at(key, at) | byte_at(key, at + 1) << 8 | byte_at(key, at + 2) << 16 |
                     byte_at(key, at + 3) << 24;
        k *= m;
        k ^= k >> 24;
        k *= m;
        h *= m;
        h ^= k;
    }
    uint32_t rest = key.size - at;
    for (uint32_t i = rest; i > 0; i--)
        h ^= byte_at(key, at + i - 1) << (8 * (i - 1));
    if (rest)
        h *= m;
    h ^= h >> 13;
    h *= m;
    h ^= h >> 15;
    return (h & 0x7fffffff) % partitions;
}

uint32_t partition_by_crc32(struct baton_text key, uint32_t partitions)
{
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < key.size; i++) {
        crc ^= byte_at(key, i);
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc % partitions;
}

uint32_t partition_of(enum partitioner partitioner, struct baton_text key, uint32_t partitions)
{
    return partitioner == PARTITIONER_MURMUR2 ? partition_by_murmur2(key, partitions)
                                              : partition_by_crc32(key, partitions);
}

enum partitioner partitioner_seen(struct baton_text key, uint32_t partition, uint32_t partitions,
                                  bool *none)
{
    bool murmur2 = partition_by_murmur2(key, partitions) == partition;
    bool crc32 = partition_by_crc32(key, partitions) == partition;
    *none = !murmur2 && !crc32;
    if (murmur2 == crc32)
        return PARTITIONER_AUTO;
    return murmur2 ? PARTITIONER_MURMUR2 : PARTITIONER_CRC32;
}
