/* Choosing one of many by weight in constant time (Walker's alias method, as Vose builds it). */
#ifndef BENCH_TRAFFIC_ALIAS_H
#define BENCH_TRAFFIC_ALIAS_H

#include <stdint.h>

struct alias_entry {
    uint32_t threshold; /* below it the column itself, from it on … */
    uint32_t other;     /* … this one */
};

/* Weight of number k, from 0: 1 / (k + 1)^exponent. To be freed; NULL: no memory. */
struct alias_entry *alias_zipf(uint32_t count, double exponent);

/* The high half of `random` chooses the column, the low half decides within it. */
static inline uint32_t alias_choose(const struct alias_entry *entries, uint32_t count,
                                    uint64_t random)
{
    uint32_t column = (uint32_t)(((random >> 32) * count) >> 32);
    const struct alias_entry *entry = &entries[column];
    return (uint32_t)random < entry->threshold ? column : entry->other;
}

#endif
