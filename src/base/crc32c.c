#include "base/crc32c.h"

#include <string.h>

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
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at,
                                                                 size_t size)
{
    uint64_t wide = crc;
    for (; size >= sizeof wide; size -= sizeof wide, at += sizeof wide) {
        uint64_t piece;
        memcpy(&piece, at, sizeof piece);
        wide = __builtin_ia32_crc32di(wide, piece);
    }
    return by_bits((uint32_t)wide, at, size);
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
