#include "domain/decay.h"

#include <assert.h>

/* 2^(-r / d) for 0 <= r < d with 63 fractional bits: r / d as 48 bits, one factor of the table for
 * each 8 of them. */
static uint64_t fraction_factor(uint64_t rest, uint64_t half_life)
{
    uint64_t high = (rest << 24) / half_life;
    uint64_t low = (((rest << 24) % half_life) << 24) / half_life;
    uint64_t fraction = high << 24 | low;
    uint64_t factor = UINT64_C(1) << 63;
    for (unsigned k = 0; k < 6; k++) {
        unsigned byte = (unsigned)(fraction >> (40 - 8 * k)) & 255;
        unsigned __int128 product = (unsigned __int128)factor * decay_table[k][byte];
        factor = (uint64_t)((product + (UINT64_C(1) << 62)) >> 63);
    }
    return factor;
}

uint64_t baton_decay(uint64_t weight, int64_t age_ms, int64_t half_life_ms)
{
    assert(age_ms >= 0 && half_life_ms > 0 && half_life_ms <= BATON_HALF_LIFE_MAX_MS);
    if (age_ms == 0)
        return weight; /* what the arithmetic gives, too */
    uint64_t whole = (uint64_t)age_ms / (uint64_t)half_life_ms;
    uint64_t rest = (uint64_t)age_ms % (uint64_t)half_life_ms;
    if (whole >= 64)
        return 0;
    unsigned shift = 63 + (unsigned)whole;
    unsigned __int128 product =
        (unsigned __int128)weight * fraction_factor(rest, (uint64_t)half_life_ms);
    return (uint64_t)((product + ((unsigned __int128)1 << (shift - 1))) >> shift);
}
