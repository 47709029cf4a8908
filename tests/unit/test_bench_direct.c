/* What the direct client of the load-test harness writes is what Kafka reads. A real broker takes
 * it in tests/bench/test_bench.py. */
#include "base/arena.h"
#include "base/big_endian.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "direct/direct.h"
#include "direct/lz4_frame.h"
#include "direct/murmur2.h"
#include "direct/record_batch.h"
#include "pipeline/partitioner.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 1;
static uint32_t roll(uint32_t limit)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((state >> 33) % limit);
}

Test(bench_direct, the_check_is_crc32c)
{
    uint8_t zeros[32] = {0};
    cr_expect_eq(crc32c("123456789", 9), 0xe3069283);
    cr_expect_eq(crc32c(zeros, sizeof zeros), 0x8a9136aa); /* RFC 3720, B.4 */
    cr_expect_eq(crc32c("", 0), 0);
}

Test(bench_direct, partitions_are_those_of_java)
{
    for (int i = 0; i < 10000; i++) {
        char key[32];
        uint32_t size = roll(sizeof key);
        for (uint32_t k = 0; k < size; k++)
            key[k] = (char)roll(256);
        uint32_t partitions = 1 + roll(64);
        cr_assert_eq(murmur2_partition(key, size, partitions),
                     partition_by_murmur2((struct baton_text){key, size}, partitions));
    }
}

/* ---- LZ4 ---- */

/* Reads a frame of independent blocks with liblz4's own reader of blocks. */
static size_t read_frame(const uint8_t *frame, size_t size, uint8_t *room, size_t room_size)
{
    int (*decompress)(const char *, char *, int, int);
    void *symbol = dlsym(RTLD_DEFAULT, "LZ4_decompress_safe");
    memcpy(&decompress, &symbol, sizeof decompress);
    cr_assert(decompress);
    struct byte_reader reader = {frame, frame + size, false};
    static const uint8_t header[] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82};
    cr_assert_arr_eq(bytes_take(&reader, 7), header, 7);
    size_t used = 0;
    for (;;) {
        uint32_t head = bytes_u32_le(&reader), length = head & 0x7fffffff;
        if (!head)
            break;
        const uint8_t *block = bytes_take(&reader, length);
        cr_assert(block);
        if (head >> 31) {
            cr_assert_leq(length, room_size - used);
            memcpy(room + used, block, length);
            used += length;
        } else {
            int got = decompress((const char *)block, (char *)room + used, (int)length,
                                 (int)(room_size - used));
            cr_assert(got > 0 && got <= 65536);
            used += (size_t)got;
        }
    }
    cr_assert(!reader.failed && bytes_left(&reader) == 0);
    return used;
}

Test(bench_direct, a_frame_holds_what_was_put_in)
{
    static const size_t sizes[] = {1, 5, 100, 65535, 65536, 65537, 200000};
    cr_assert(lz4_frame_available());
    for (int noise = 0; noise <= 1; noise++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            uint8_t *data = malloc(sizes[s]), *back = malloc(sizes[s]);
            for (size_t i = 0; i < sizes[s]; i++)
                data[i] = (uint8_t)(noise ? roll(256) : i / 100);
            uint8_t *frame = malloc(lz4_frame_bound(sizes[s]));
            size_t size = lz4_frame_write(data, sizes[s], frame);
            cr_assert_leq(size, lz4_frame_bound(sizes[s]));
            if (!noise && sizes[s] > 1000)
                cr_expect_lt(size, sizes[s] / 10);
            cr_assert_eq(read_frame(frame, size, back, sizes[s]), sizes[s]);
            cr_assert_arr_eq(data, back, sizes[s]);
            free(frame);
            free(back);
            free(data);
        }
}

/* ---- Record batches ---- */

#define RECORDS 300

static void read_records(const uint8_t *at, size_t size)
{
    struct byte_reader reader = {at, at + size, false};
    for (int i = 0; i < RECORDS; i++) {
        char key[32], value[64];
        int key_size = snprintf(key, sizeof key, "key-%d", i);
        int value_size = snprintf(value, sizeof value, "the value of record %d", i * i);
        int64_t length = bytes_zigzag(&reader);
        const uint8_t *begin = reader.at;
        cr_assert_eq(bytes_u8(&reader), 0);     /* attributes */
        cr_assert_eq(bytes_zigzag(&reader), 0); /* time */
        cr_assert_eq(bytes_zigzag(&reader), i); /* offset */
        cr_assert_eq(bytes_zigzag(&reader), key_size);
        cr_assert_arr_eq(bytes_take(&reader, (uint64_t)key_size), key, key_size);
        cr_assert_eq(bytes_zigzag(&reader), value_size);
        cr_assert_arr_eq(bytes_take(&reader, (uint64_t)value_size), value, value_size);
        cr_assert_eq(bytes_zigzag(&reader), 0); /* headers */
        cr_assert_eq(reader.at - begin, length);
    }
    cr_assert(!reader.failed && bytes_left(&reader) == 0);
}

static void read_batch(const uint8_t *at, size_t size, bool lz4)
{
    struct byte_reader reader = {at, at + size, false};
    cr_expect_eq(big_endian_read(&reader, 8), 0);          /* first offset */
    cr_expect_eq(big_endian_read(&reader, 4), size - 12);  /* what follows */
    cr_expect_eq(big_endian_read(&reader, 4), UINT32_MAX); /* epoch of the leader */
    cr_expect_eq(big_endian_read(&reader, 1), 2);          /* version */
    uint32_t check = (uint32_t)big_endian_read(&reader, 4);
    cr_expect_eq(check, crc32c(reader.at, bytes_left(&reader)));
    cr_expect_eq(big_endian_read(&reader, 2), lz4 ? 3 : 0);
    cr_expect_eq(big_endian_read(&reader, 4), RECORDS - 1);
    cr_expect_eq(big_endian_read(&reader, 8), 1234567890123);
    cr_expect_eq(big_endian_read(&reader, 8), 1234567890123);
    cr_expect_eq(big_endian_read(&reader, 8), UINT64_MAX); /* producer */
    cr_expect_eq(big_endian_read(&reader, 2), UINT16_MAX);
    cr_expect_eq(big_endian_read(&reader, 4), UINT32_MAX);
    cr_expect_eq(big_endian_read(&reader, 4), RECORDS);
    uint8_t room[65536];
    if (lz4)
        read_records(room, read_frame(reader.at, bytes_left(&reader), room, sizeof room));
    else
        read_records(reader.at, bytes_left(&reader));
}

Test(bench_direct, a_batch_is_as_kafka_has_it)
{
    struct record_batch batch;
    record_batch_init(&batch, 16); /* and grows */
    for (int round = 0; round <= 1; round++) {
        for (int i = 0; i < RECORDS; i++) {
            char key[32], value[64];
            int key_size = snprintf(key, sizeof key, "key-%d", i);
            int value_size = snprintf(value, sizeof value, "the value of record %d", i * i);
            record_batch_add(&batch, key, (size_t)key_size, (const uint8_t *)value,
                             (size_t)value_size);
        }
        uint8_t *out = malloc(record_batch_bound(&batch));
        size_t size = record_batch_seal(&batch, round, out);
        cr_assert_leq(size, record_batch_bound(&batch));
        record_batch_stamp(out, size, 1234567890123);
        read_batch(out, size, round);
        record_batch_clear(&batch);
        free(out);
    }
    record_batch_fini(&batch);
}

/* ---- Errors ---- */

Test(bench_direct, properties_of_librdkafka_are_refused)
{
    struct common_options common = {.brokers = "127.0.0.1:1", .topic = "x"};
    struct direct_settings settings = {0};
    struct error error;
    common.properties.count = 1;
    common.properties.items[0] = (struct option_property){"a", "b"};
    cr_assert_null(direct_create(&common, &settings, &error));
    cr_expect_str_eq(error.text, "-X is for librdkafka, and the direct client does without it");
}
