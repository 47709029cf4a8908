/* The hash by which Java's producer, and librdkafka's murmur2 partitioners, choose a partition. */
#ifndef BENCH_DIRECT_MURMUR2_H
#define BENCH_DIRECT_MURMUR2_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t murmur2(const char *key, size_t size)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)size;
    for (; size >= 4; size -= 4, key += 4) {
        uint32_t k;
        memcpy(&k, key, sizeof k); /* little-endian machines only, see direct.c */
        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (size > 0) {
        for (size_t i = size; i-- > 0;)
            h ^= (uint32_t)(unsigned char)key[i] << (8 * i);
        h *= m;
    }
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

static inline uint32_t murmur2_partition(const char *key, size_t size, uint32_t partitions)
{
    return (murmur2(key, size) & 0x7fffffff) % partitions;
}

#endif
