#include "base/crc32c.h"

#include <criterion/criterion.h>
#include <stdint.h>

/* Byte by byte, as the polynomial says. */
static uint32_t step(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    return crc;
}

Test(crc32c, every_size_and_place_is_the_sum_of_its_bytes)
{
    static uint8_t bytes[10000];
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * UINT32_C(1664525) + 1013904223;
        bytes[i] = (uint8_t)(state >> 24);
    }
    for (size_t from = 0; from < 9; from++) {
        uint32_t sum = UINT32_MAX;
        for (size_t size = 0; from + size < sizeof bytes; size++) {
            cr_assert_eq(crc32c(bytes + from, size), ~sum, "%zu bytes from %zu on", size, from);
            sum = step(sum, bytes[from + size]);
        }
    }
}

Test(crc32c, zeros_count)
{
    static const uint8_t zeros[100000];
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < sizeof zeros; i++)
        sum = step(sum, 0);
    cr_expect_eq(crc32c(zeros, sizeof zeros), ~sum);
    cr_expect_eq(crc32c(zeros, 32), 0x8a9136aa); /* RFC 3720, B.4 */
}
