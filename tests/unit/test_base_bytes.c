#include "base/bytes.h"

#include <criterion/criterion.h>

static struct byte_reader reader_of(const uint8_t *bytes, size_t size)
{
    return (struct byte_reader){.at = bytes, .end = bytes + size};
}

static const uint64_t edges[] = {
    0,         1,          127,        128,       16383,
    16384,     UINT32_MAX, 1ull << 32, INT64_MAX, (uint64_t)INT64_MAX + 1,
    UINT64_MAX};

Test(bytes, varints_read_as_they_were_written)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        uint8_t room[BYTES_VARINT_MAX];
        uint8_t *end = bytes_put_varint(room, edges[i]);
        struct byte_reader reader = reader_of(room, (size_t)(end - room));
        cr_assert_eq(bytes_varint(&reader), edges[i]);
        cr_assert_not(reader.failed);
        cr_assert_eq(bytes_left(&reader), 0);
    }
}

Test(bytes, zigzag_numbers_read_as_they_were_written)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (int sign = 0; sign < 2; sign++) {
            int64_t value = (int64_t)(sign ? 0 - edges[i] : edges[i]);
            uint8_t room[BYTES_VARINT_MAX];
            uint8_t *end = bytes_put_zigzag(room, value);
            struct byte_reader reader = reader_of(room, (size_t)(end - room));
            cr_assert_eq(bytes_zigzag(&reader), value);
            cr_assert_not(reader.failed);
        }
}

Test(bytes, small_negative_numbers_take_one_byte)
{
    uint8_t room[BYTES_VARINT_MAX];
    cr_assert_eq(bytes_put_zigzag(room, -1) - room, 1);
    cr_assert_eq(room[0], 1);
    cr_assert_eq(bytes_put_zigzag(room, 1) - room, 1);
    cr_assert_eq(room[0], 2);
}

Test(bytes, a_varint_that_is_cut_fails)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        uint8_t room[BYTES_VARINT_MAX];
        size_t size = (size_t)(bytes_put_varint(room, edges[i]) - room);
        for (size_t cut = 0; cut < size; cut++) {
            struct byte_reader reader = reader_of(room, cut);
            cr_assert_eq(bytes_varint(&reader), 0);
            cr_assert(reader.failed);
        }
    }
}

Test(bytes, a_varint_of_more_than_64_bits_fails)
{
    static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0};
    struct byte_reader reader = reader_of(eleven, sizeof eleven);
    (void)bytes_varint(&reader);
    cr_assert(reader.failed);
    static const uint8_t high[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    reader = reader_of(high, sizeof high);
    (void)bytes_varint(&reader);
    cr_assert(reader.failed);
}

Test(bytes, fixed_numbers_are_little_endian)
{
    uint8_t room[12];
    uint8_t *end = bytes_put_u64_le(bytes_put_u32_le(room, 0x04030201), 0x0c0b0a0908070605);
    cr_assert_eq(end - room, 12);
    for (uint8_t i = 0; i < 12; i++)
        cr_assert_eq(room[i], i + 1);
    struct byte_reader reader = reader_of(room, 12);
    cr_assert_eq(bytes_u32_le(&reader), 0x04030201);
    cr_assert_eq(bytes_u64_le(&reader), 0x0c0b0a0908070605);
}

Test(bytes, after_a_failure_everything_reads_as_zero)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct byte_reader reader = reader_of(bytes, 3);
    cr_assert_eq(bytes_u8(&reader), 1);
    cr_assert_eq(bytes_u32_le(&reader), 0);
    cr_assert(reader.failed);
    cr_assert_eq(bytes_u8(&reader), 0);
    cr_assert_eq(bytes_varint(&reader), 0);
    cr_assert_null(bytes_take(&reader, 0));
}

Test(bytes, a_hostile_size_does_not_wrap)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct byte_reader reader = reader_of(bytes, 3);
    cr_assert_null(bytes_take(&reader, UINT64_MAX));
    cr_assert(reader.failed);
}

Test(bytes, putting_nothing_moves_nothing)
{
    uint8_t room[2] = {9, 9};
    cr_assert_eq(bytes_put(room, NULL, 0), room);
    cr_assert_eq(bytes_put(room, "ab", 2), room + 2);
    cr_assert_eq(room[1], 'b');
}
