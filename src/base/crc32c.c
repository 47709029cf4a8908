#include "base/crc32c.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define POLYNOMIAL UINT32_C(0x82f63b78)

static uint32_t by_bits(uint32_t crc, const uint8_t *at, size_t size)
{
    for (; size > 0; size--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return crc;
}

#if defined(__x86_64__)
/* The instruction gives its answer after three cycles and may begin in each: three sums go along
 * side by side, each over a lane, and are brought together by what a lane of zeros would make of
 * them, a product modulo the polynomial ("Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ Instruction", Intel 2009). */
enum { LANE = 1024 };
#define PAST_ONE_LANE UINT32_C(0x170076fa)  /* x^(8 LANE - 33), its bits reflected */
#define PAST_TWO_LANES UINT32_C(0xa51b6135) /* x^(16 LANE - 33) */

static uint64_t word_at(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

__attribute__((target("sse4.2,pclmul"))) static uint64_t moved(uint64_t crc, uint32_t by)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi64_si128(by), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t
by_lanes(uint32_t crc, const uint8_t **from, size_t *left)
{
    const uint8_t *at = *from;
    uint64_t first = crc;
    for (; *left >= 3 * LANE; *left -= 3 * LANE, at += 3 * LANE) {
        uint64_t second = 0, third = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            first = _mm_crc32_u64(first, word_at(at + i));
            second = _mm_crc32_u64(second, word_at(at + LANE + i));
            third = _mm_crc32_u64(third, word_at(at + 2 * LANE + i));
        }
        first = moved(first, PAST_TWO_LANES) ^ moved(second, PAST_ONE_LANE) ^ third;
    }
    *from = at;
    return (uint32_t)first;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at,
                                                                 size_t size)
{
    if (__builtin_cpu_supports("pclmul"))
        crc = by_lanes(crc, &at, &size);
    uint64_t wide = crc;
    for (; size >= 8; size -= 8, at += 8)
        wide = _mm_crc32_u64(wide, word_at(at));
    for (crc = (uint32_t)wide; size > 0; size--)
        crc = _mm_crc32_u8(crc, *at++);
    return crc;
}
#endif

uint32_t crc32c(const void *data, size_t size)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~by_instruction(UINT32_MAX, data, size);
#endif
    return ~by_bits(UINT32_MAX, data, size);
}
