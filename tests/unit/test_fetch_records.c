/* Record batches, well formed and not. */
#include "fetch_reading.h"

/* ---- what is well formed ---- */

static const unsigned codecs[] = {0, LZ4};

Test(fetch_records, batches_come_one_behind_the_other)
{
    for (size_t c = 0; c < 4; c++) {
        struct bytes bytes = {0};
        struct reading reading;
        add_simple_batch(&bytes, 5, 3, codecs[c & 1], -1);
        add_simple_batch(&bytes, 8, 1, codecs[c >> 1], -1);
        add_simple_batch(&bytes, 9, 400, codecs[c & 1], -1);
        cr_assert_eq(fetch_records_end(5, bytes.at, bytes.size), 409);
        begin(&reading, 5, &bytes, NULL, 0);
        expect_offsets(&reading, 5, 404);
        expect_last(&reading, FETCH_END, 409);
        free(bytes.at);
    }
}

Test(fetch_records, nothing_is_there)
{
    struct bytes bytes = {0};
    struct reading reading;
    begin(&reading, 17, &bytes, NULL, 0);
    cr_expect_eq(fetch_records_end(17, reading.copy, 0), 17);
    expect_last(&reading, FETCH_END, 17);
    fetch_records_init(&reading.records, 17, NULL, 0, NULL, NULL, 0);
    reading.unpacker = fetch_unpacker_create();
    cr_expect_eq(next(&reading), FETCH_END);
    fetch_unpacker_destroy(reading.unpacker);
}

Test(fetch_records, a_batch_may_begin_before_the_position)
{
    for (size_t c = 0; c < 2; c++)
        for (int64_t position = 100; position <= 110; position++) {
            struct bytes bytes = {0};
            struct reading reading;
            add_simple_batch(&bytes, 90, 5, codecs[c], -1); /* wholly before */
            add_simple_batch(&bytes, 100, 10, codecs[c], -1);
            add_simple_batch(&bytes, 110, 2, codecs[c], -1);
            begin(&reading, position, &bytes, NULL, 0);
            expect_offsets(&reading, position, 112 - position);
            expect_last(&reading, FETCH_END, 112);
            free(bytes.at);
        }
}

/* Compaction leaves gaps within batches, behind their last record, and whole batches without any.
 */
Test(fetch_records, offsets_may_have_gaps)
{
    for (size_t c = 0; c < 2; c++) {
        struct bytes bytes = {0}, content = {0}, none = {0};
        struct reading reading;
        add_values(&content, 100, 2, 1);
        add_values(&content, 100, 7, 2);
        if (codecs[c] == LZ4) {
            struct bytes packed = lz4_frame(&content, NULL);
            free(content.at);
            content = packed;
        }
        add_batch(&bytes,
                  &(struct made_batch){
                      .base = 100, .last_delta = 19, .count = 3, .attributes = codecs[c]},
                  &content);
        add_batch(&bytes, &(struct made_batch){.base = 120, .last_delta = 9}, &none);
        add_simple_batch(&bytes, 200, 1, 0, -1);
        add_batch(&bytes, &(struct made_batch){.base = 210, .last_delta = 4}, &none);
        begin(&reading, 100, &bytes, NULL, 0);
        expect_offset(&reading, 102);
        expect_offset(&reading, 107);
        expect_offset(&reading, 108);
        cr_assert_eq(reading.records.position, 120, "the rest of the batch is read, too");
        expect_offset(&reading, 200);
        expect_last(&reading, FETCH_END, 215);
        free(bytes.at);
        free(content.at);
    }
}

Test(fetch_records, keys_values_times_and_headers_are_as_written)
{
    static const struct pair headers[] = {{"traceparent", "00-ab"}, {"empty", ""}, {"none", NULL}};
    struct bytes bytes = {0}, content = {0};
    struct reading reading;
    add_record(&content, &(struct made_record){.delta = 0, .time = 5, .key = "lead", .value = "v"});
    add_record(&content, &(struct made_record){.delta = 1, .time = -7, .value = ""});
    add_record(&content,
               &(struct made_record){.delta = 2, .key = "", .headers = headers, .header_count = 3});
    add_batch(&bytes,
              &(struct made_batch){
                  .base = 40, .last_delta = 2, .count = 3, .base_ms = 1700000000000, .max_ms = 9},
              &content);
    begin(&reading, 0, &bytes, NULL, 0);
    cr_assert_eq(next(&reading), FETCH_READ);
    const struct record *record = &reading.record;
    cr_expect_eq(record->offset, 40);
    cr_expect_eq(record->timestamp_ms, 1700000000005);
    cr_expect(record->key_size == 4 && memcmp(record->key, "lead", 4) == 0);
    cr_expect(record->value_size == 1 && record->value[0] == 'v');
    cr_expect_eq(record->header_count, 0);
    cr_expect_not(record->is_end);
    cr_assert_eq(next(&reading), FETCH_READ);
    cr_expect_eq(record->timestamp_ms, 1699999999993);
    cr_expect_null(record->key);
    cr_expect_eq(record->key_size, 0);
    cr_expect_not_null(record->value, "an empty value is no tombstone");
    cr_expect_eq(record->value_size, 0);
    cr_assert_eq(next(&reading), FETCH_READ);
    cr_expect_not_null(record->key);
    cr_expect_null(record->value);
    cr_expect_eq(record->value_size, 0);
    cr_assert_eq(record->header_count, 3);
    cr_expect_str_eq(record->headers[0].name, "traceparent");
    cr_expect_eq(record->headers[0].value_size, 5);
    cr_expect_eq(memcmp(record->headers[0].value, "00-ab", 5), 0);
    cr_expect_str_eq(record->headers[1].name, "empty");
    cr_expect_not_null(record->headers[1].value);
    cr_expect_eq(record->headers[1].value_size, 0);
    cr_expect_str_eq(record->headers[2].name, "none");
    cr_expect_null(record->headers[2].value);
    expect_last(&reading, FETCH_END, 43);
    free(bytes.at);
    free(content.at);
}

Test(fetch_records, the_broker_may_have_set_the_time)
{
    static const struct {
        unsigned attributes;
        int64_t base_ms, max_ms, wanted[2];
    } cases[] = {
        {APPEND, 1000, 2000, {2000, 2000}}, {0, 1000, 2000, {1003, 1004}},    {0, -1, -1, {-1, -1}},
        {APPEND, -1, 2000, {2000, 2000}},   {APPEND, 1000, -1, {1003, 1004}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes bytes = {0}, content = {0};
        struct reading reading;
        add_record(&content, &(struct made_record){.delta = 0, .time = 3, .value = "0"});
        add_record(&content, &(struct made_record){.delta = 1, .time = 4, .value = "1"});
        add_batch(&bytes,
                  &(struct made_batch){.last_delta = 1,
                                       .count = 2,
                                       .attributes = cases[i].attributes,
                                       .base_ms = cases[i].base_ms,
                                       .max_ms = cases[i].max_ms},
                  &content);
        begin(&reading, 0, &bytes, NULL, 0);
        for (int k = 0; k < 2; k++) {
            expect_offset(&reading, k);
            cr_expect_eq(reading.record.timestamp_ms, cases[i].wanted[k], "case %zu", i);
        }
        expect_last(&reading, FETCH_END, 2);
        free(bytes.at);
        free(content.at);
    }
}

Test(fetch_records, a_batch_that_is_cut_is_not_read_and_not_passed)
{
    struct bytes bytes = {0};
    add_simple_batch(&bytes, 0, 4, 0, -1);
    size_t first = bytes.size;
    add_simple_batch(&bytes, 4, 4, LZ4, -1);
    for (size_t size = 0; size <= bytes.size; size++) {
        struct bytes part = {.at = bytes.at, .size = size};
        struct reading reading;
        int64_t position = size < first ? 0 : size < bytes.size ? 4 : 8;
        begin(&reading, 0, &part, NULL, 0);
        cr_expect_eq(fetch_records_end(0, reading.copy, size), position);
        cr_expect_eq(fetch_records_first(reading.copy, size), size < first ? 0 : first);
        expect_offsets(&reading, 0, position);
        expect_last(&reading, FETCH_END, position);
    }
    free(bytes.at);
}

/* ---- transactions ---- */

Test(fetch_records, aborted_transactions_are_read_over)
{
    struct bytes bytes = {0};
    struct reading reading;
    add_simple_batch(&bytes, 0, 2, IN_TRANSACTION, 1); /* aborted */
    add_simple_batch(&bytes, 2, 2, IN_TRANSACTION, 2); /* committed */
    add_simple_batch(&bytes, 4, 2, 0, -1);             /* plain */
    add_simple_batch(&bytes, 6, 2, IN_TRANSACTION | LZ4, 1);
    add_simple_batch(&bytes, 8, 1, IN_TRANSACTION, 3); /* aborted */
    add_mark(&bytes, 9, 1, false);
    add_simple_batch(&bytes, 10, 2, IN_TRANSACTION, 1); /* the next one of 1: committed */
    add_mark(&bytes, 12, 2, true);
    add_simple_batch(&bytes, 13, 1, IN_TRANSACTION, 3);
    add_mark(&bytes, 14, 1, true);
    add_simple_batch(&bytes, 15, 1, 0, 3); /* of that producer, but in no transaction */
    add_mark(&bytes, 16, 3, false);
    add_simple_batch(&bytes, 17, 1, IN_TRANSACTION, 1); /* aborted again */
    add_mark(&bytes, 18, 1, false);
    add_simple_batch(&bytes, 19, 1, IN_TRANSACTION, 3); /* committed */
    struct fetch_aborted aborted[] = {{1, 0}, {3, 8}, {1, 17}};
    static const int64_t wanted[] = {2, 3, 4, 5, 10, 11, 15, 19};
    /* Wherever it begins. */
    for (int64_t position = 0; position <= 20; position++) {
        begin(&reading, position, &bytes, aborted, 3);
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (wanted[i] >= position)
                expect_offset(&reading, wanted[i]);
        expect_last(&reading, FETCH_END, 20);
    }
    /* Without the list all of it had been committed; the marks are read over all the same. */
    begin(&reading, 0, &bytes, NULL, 0);
    expect_offsets(&reading, 0, 9);
    expect_offsets(&reading, 10, 2);
    expect_offset(&reading, 13);
    expect_offset(&reading, 15);
    expect_offset(&reading, 17);
    expect_offset(&reading, 19);
    expect_last(&reading, FETCH_END, 20);
    free(bytes.at);
}

Test(fetch_records, an_aborted_transaction_may_have_begun_before_the_answer)
{
    struct bytes bytes = {0};
    struct reading reading;
    add_simple_batch(&bytes, 50, 2, IN_TRANSACTION, 1);
    add_simple_batch(&bytes, 52, 2, 0, -1);
    struct fetch_aborted aborted[] = {{1, 3}, {2, 20}, {1, 900}};
    begin(&reading, 50, &bytes, aborted, 3);
    expect_offsets(&reading, 52, 2);
    expect_last(&reading, FETCH_END, 54);
    free(bytes.at);
}

Test(fetch_records, only_what_was_aborted_moves_the_position_to_its_end)
{
    struct bytes bytes = {0};
    struct reading reading;
    add_simple_batch(&bytes, 0, 6, IN_TRANSACTION | ZSTD, 1); /* nobody unpacks it */
    add_mark(&bytes, 6, 1, false);
    struct fetch_aborted aborted[] = {{1, 0}};
    begin(&reading, 3, &bytes, aborted, 1);
    expect_last(&reading, FETCH_END, 7);
    free(bytes.at);
}

Test(fetch_records, a_mark_that_is_cut_or_strange_ends_no_transaction)
{
    static const struct {
        const char *bytes;
        size_t size;
    } marks[] = {
        {"", 0},                                /* emptied by compaction */
        {"\x0c\0\0\0\x01\x01\0", 7},            /* no key */
        {"\x10\0\0\0\x04\0\0\x01\0", 9},        /* a key of two bytes */
        {"\x16\0\0\0\x08\0\0\0\x02\x01\0", 11}, /* of another kind */
        {"\x02\0", 2},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        struct bytes bytes = {0},
                     content = {.at = (uint8_t *)(uintptr_t)marks[i].bytes, .size = marks[i].size};
        struct reading reading;
        add_simple_batch(&bytes, 0, 1, IN_TRANSACTION, 1);
        add_batch(
            &bytes,
            &(struct made_batch){
                .base = 1, .count = 1, .attributes = IN_TRANSACTION | CONTROL_MARK, .producer = 1},
            &content);
        add_simple_batch(&bytes, 2, 1, IN_TRANSACTION, 1);
        struct fetch_aborted aborted[] = {{1, 0}};
        begin(&reading, 0, &bytes, aborted, 1);
        expect_last(&reading, FETCH_END, 3);
        free(bytes.at);
    }
}

/* ---- what is not well formed ---- */

Test(fetch_records, a_byte_that_differs_is_found)
{
    for (size_t c = 0; c < 2; c++) {
        struct bytes bytes = {0};
        add_simple_batch(&bytes, 0, 2, 0, -1);
        size_t begin = bytes.size;
        add_simple_batch(&bytes, 2, 2, codecs[c], -1);
        for (size_t i = begin + 17; i < bytes.size; i++) {
            bytes.at[i] ^= 0x20;
            expect_corrupt(&bytes, 2);
            bytes.at[i] ^= 0x20;
        }
        free(bytes.at);
    }
}

Test(fetch_records, headers_that_cannot_be_true_are_found)
{
    static const struct {
        size_t at;
        int size;
        int64_t number;
    } cases[] = {
        {8, 4, -1},         {8, 4, INT32_MIN}, {8, 4, 0},          {8, 4, 4},         {8, 4, 5},
        {8, 4, 48},         {0, 8, -1},        {0, 8, INT64_MIN},  {0, 8, INT64_MAX}, {23, 4, -1},
        {23, 4, INT32_MIN}, {57, 4, -1},       {57, 4, INT32_MIN}, {57, 4, 2},        {57, 4, 4},
        {57, 4, INT32_MAX}, {23, 4, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes bytes = {0};
        struct reading reading;
        add_simple_batch(&bytes, 0, 3, 0, -1);
        (void)big_endian_put(bytes.at + cases[i].at, (uint64_t)cases[i].number, cases[i].size);
        stamp(bytes.at, bytes.size);
        begin(&reading, 0, &bytes, NULL, 0);
        enum fetch_read read;
        int64_t last = -1;
        while ((read = next(&reading)) == FETCH_READ) {
            cr_assert_eq(reading.record.offset, last + 1);
            last = reading.record.offset;
        }
        cr_expect_eq(read, FETCH_CORRUPT, "case %zu: %d", i, (int)read);
        cr_expect_eq(reading.records.position, last + 1, "case %zu", i);
        cr_expect_eq(next(&reading), FETCH_CORRUPT);
        end(&reading);
        free(bytes.at);
    }
}

Test(fetch_records, an_offset_at_the_edge_of_64_bits_is_no_offset)
{
    struct bytes bytes = {0};
    struct reading reading;
    add_simple_batch(&bytes, INT64_MAX - 2, 2, 0, -1);
    begin(&reading, 0, &bytes, NULL, 0);
    expect_offsets(&reading, INT64_MAX - 2, 2);
    expect_last(&reading, FETCH_END, INT64_MAX);
    bytes.size = 0;
    add_simple_batch(&bytes, INT64_MAX - 1, 2, 0, -1);
    cr_expect_eq(fetch_records_end(5, bytes.at, bytes.size), 5);
    expect_corrupt(&bytes, 0);
    free(bytes.at);
}

static void expect_bad_records(const struct bytes *content, int count, int64_t good)
{
    for (size_t c = 0; c < 2; c++) {
        struct bytes bytes = {0};
        struct bytes packed = lz4_frame(content, NULL);
        add_batch(&bytes,
                  &(struct made_batch){.last_delta = 9, .count = count, .attributes = codecs[c]},
                  codecs[c] ? &packed : content);
        /* Nothing behind it is read. */
        add_simple_batch(&bytes, 10, 1, 0, -1);
        expect_corrupt(&bytes, good);
        free(packed.at);
        free(bytes.at);
    }
}

Test(fetch_records, a_record_keeps_within_its_batch)
{
    struct bytes content = {0};
    add_values(&content, 0, 0, 3);
    size_t good = content.size;
    for (size_t cut = good - 4; cut < good; cut++) {
        struct bytes part = {.at = content.at, .size = cut};
        expect_bad_records(&part, 3, 2);
    }
    content.at[good - 3]++; /* its value would be longer than it is itself */
    expect_bad_records(&content, 3, 2);
    content.at[good - 3] -= 2;
    expect_bad_records(&content, 3, 2);
    content.at[good - 3]++;
    add(&content, "", 1);
    expect_bad_records(&content, 3, 2); /* something follows the last one */
    free(content.at);
}

Test(fetch_records, offsets_grow_and_stay_within_their_batch)
{
    static const int64_t deltas[] = {-1, 0, 1, 10, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof deltas / sizeof *deltas; i++) {
        struct bytes content = {0};
        add_values(&content, 0, 0, 2);
        add_record(&content, &(struct made_record){.delta = deltas[i], .value = "x"});
        add_values(&content, 0, 4, 1);
        expect_bad_records(&content, 4, 2);
        free(content.at);
    }
}

Test(fetch_records, sizes_and_counts_of_a_record_are_checked)
{
    static const char *const bodies[] = {
        "\1",                                       /* size -1 */
        "\0",                                       /* size 0 */
        "\x0c\0\0\x04\x03\1\0",                     /* key of -2 */
        "\x0c\0\0\x04\1\x03\0",                     /* value of -2 */
        "\x0c\0\0\x04\1\1\1",                       /* -1 headers */
        "\x0c\0\0\x04\1\1\x02",                     /* a header that is not there */
        "\x10\0\0\x04\1\1\x02\x03\0",               /* name of -2 */
        "\x10\0\0\x04\1\1\x02\0\x03",               /* value of -2 */
        "\x10\0\0\x04\1\1\x02\0\x02",               /* value that is not there */
        "\x0e\0\0\x04\1\1\0\0",                     /* a byte behind it */
        "\x16\0\0\x04\1\1\x02\xfe\xff\xff\xff\x7f", /* name of many GB */
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    };
    static const size_t sizes[] = {1, 1, 7, 7, 7, 7, 9, 9, 9, 8, 12, 10, 10};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct bytes content = {0};
        add_values(&content, 0, 0, 2);
        add(&content, bodies[i], sizes[i]);
        expect_bad_records(&content, 3, 2);
        free(content.at);
    }
}

/* ---- what another reader has to read ---- */

Test(fetch_records, other_codecs_and_versions_are_not_known)
{
    static const unsigned others[] = {GZIP, SNAPPY, ZSTD, 5, 6, 7};
    for (size_t i = 0; i < sizeof others / sizeof *others + 2; i++) {
        struct bytes bytes = {0}, none = {0};
        struct reading reading;
        bool by_codec = i < sizeof others / sizeof *others;
        add_simple_batch(&bytes, 0, 3, 0, -1);
        add_batch(&bytes,
                  &(struct made_batch){.base = 3,
                                       .last_delta = 2,
                                       .count = 3,
                                       .attributes = by_codec ? others[i] : 0,
                                       .magic = by_codec ? 2
                                                : i % 2  ? 1
                                                         : 3},
                  &none);
        add_simple_batch(&bytes, 6, 3, 0, -1);
        begin(&reading, 0, &bytes, NULL, 0);
        expect_offsets(&reading, 0, 3);
        expect_last(&reading, FETCH_UNKNOWN, 3);
        /* Before the position, or aborted, it does not matter. */
        if (by_codec) {
            begin(&reading, 6, &bytes, NULL, 0);
            expect_offsets(&reading, 6, 3);
            expect_last(&reading, FETCH_END, 9);
        }
        free(bytes.at);
    }
}

Test(fetch_records, messages_of_old_versions_are_not_known)
{
    /* Offset, size, check, version 0 or 1, attributes, key and value: shorter than a batch's
     * header. */
    uint8_t message[26] = {0};
    (void)big_endian_put32(message + 8, 14);
    memset(message + 18, 0xff, 8);
    for (uint8_t version = 0; version <= 1; version++) {
        message[16] = version;
        struct bytes bytes = {.at = message, .size = sizeof message};
        struct reading reading;
        begin(&reading, 0, &bytes, NULL, 0);
        cr_expect_eq(fetch_records_end(0, message, sizeof message), 0);
        expect_last(&reading, FETCH_UNKNOWN, 0);
    }
}
