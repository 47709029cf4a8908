/* Frames of LZ4, and where what is unpacked lies. */
#include "fetch_reading.h"

static struct bytes noise(size_t size, unsigned period)
{
    struct bytes bytes = {0};
    uint64_t state = 7;
    uint8_t *at = more(&bytes, size);
    for (size_t i = 0; i < size; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
        at[i] = i >= period ? at[i - period] : (uint8_t)(state >> 40);
    }
    return bytes;
}

/* One record whose value is this. */
static struct bytes record_of(const struct bytes *value)
{
    struct bytes body = {0}, content = {0};
    add(&body, "\0\0\0\1", 4);
    add_zigzag(&body, (int64_t)value->size);
    add(&body, value->at, value->size);
    add_zigzag(&body, 0);
    add_zigzag(&content, (int64_t)body.size);
    add(&content, body.at, body.size);
    free(body.at);
    return content;
}

static void expect_value(struct reading *reading, const struct bytes *value)
{
    cr_assert_eq(next(reading), FETCH_READ);
    cr_assert_eq(reading->record.value_size, value->size);
    cr_assert(!value->size || memcmp(reading->record.value, value->at, value->size) == 0);
}

Test(fetch_lz4, frames_of_every_kind_are_unpacked)
{
    static const size_t sizes[] = {0, 1, 1000, 65536, 300000, 5000000};
    for (unsigned kind = 0; kind < 32; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct bytes value = noise(sizes[s], kind & 1 ? 70001 : 5000000);
            struct bytes content = record_of(&value), bytes = {0};
            LZ4F_preferences_t how = {
                .frameInfo = {.blockMode = kind & 2 ? LZ4F_blockLinked : LZ4F_blockIndependent,
                              .contentChecksumFlag =
                                  kind & 4 ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum,
                              .blockChecksumFlag =
                                  kind & 8 ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum,
                              .contentSize = kind & 16 ? content.size : 0,
                              .blockSizeID = kind & 1 ? LZ4F_max64KB : LZ4F_max4MB}};
            struct bytes packed = lz4_frame(&content, &how);
            struct reading reading;
            add_batch(&bytes, &(struct made_batch){.count = 1, .attributes = LZ4}, &packed);
            begin(&reading, 0, &bytes, NULL, 0);
            expect_value(&reading, &value);
            expect_last(&reading, FETCH_END, 1);
            free(value.at);
            free(content.at);
            free(packed.at);
            free(bytes.at);
        }
}

Test(fetch_lz4, a_frame_that_is_cut_or_damaged_is_found)
{
    struct bytes value = noise(3000, 400), content = record_of(&value);
    LZ4F_preferences_t how = {.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};
    struct bytes packed = lz4_frame(&content, &how);
    for (size_t cut = 0; cut < packed.size; cut++) {
        struct bytes bytes = {0}, part = {.at = packed.at, .size = cut};
        add_batch(&bytes, &(struct made_batch){.count = 1, .attributes = LZ4}, &part);
        add_simple_batch(&bytes, 1, 1, 0, -1);
        expect_corrupt(&bytes, 0);
        free(bytes.at);
    }
    for (size_t i = 0; i < packed.size; i++) {
        struct bytes bytes = {0};
        packed.at[i] ^= 0x41;
        add_batch(&bytes, &(struct made_batch){.count = 1, .attributes = LZ4}, &packed);
        expect_corrupt(&bytes, 0);
        packed.at[i] ^= 0x41;
        free(bytes.at);
    }
    free(value.at);
    free(content.at);
    free(packed.at);
}

/* What was handed out stays where it is while the frames behind it are unpacked, and the batch that
 * is open stays when the rest is used again. */
Test(fetch_lz4, what_is_lent_stays_in_place)
{
    enum { BATCHES = 200, LENT = 7 };
    struct bytes bytes = {0}, values[BATCHES];
    struct reading reading;
    for (int i = 0; i < BATCHES; i++) {
        static const size_t sizes[] = {10, 100, 3000, 90000, 400000, 700000};
        values[i] = noise(sizes[i % 6] + (size_t)i, i % 3 ? 50 : 4000);
        values[i].at[0] = (uint8_t)i;
        struct bytes content = record_of(&values[i]);
        add_record(&content, &(struct made_record){.delta = 1, .value = "second"});
        struct bytes packed = lz4_frame(&content, NULL);
        add_batch(
            &bytes,
            &(struct made_batch){.base = 2 * i, .last_delta = 1, .count = 2, .attributes = LZ4},
            &packed);
        free(content.at);
        free(packed.at);
    }
    begin(&reading, 0, &bytes, NULL, 0);
    int read = 0, fulls = 0;
    while (read < 2 * BATCHES) {
        struct record lent[LENT];
        int count = 0, first = read;
        enum fetch_read got = FETCH_READ;
        while (count < LENT && read < 2 * BATCHES && (got = next(&reading)) == FETCH_READ) {
            lent[count++] = reading.record;
            read++;
        }
        cr_assert(got == FETCH_READ || got == FETCH_FULL);
        cr_assert(got == FETCH_READ || count > 0, "full of nothing");
        fulls += got == FETCH_FULL;
        for (int i = 0; i < count; i++) {
            int number = first + i;
            cr_assert_eq(lent[i].offset, number);
            if (number % 2) {
                cr_assert_eq(memcmp(lent[i].value, "second", 6), 0);
                continue;
            }
            const struct bytes *value = &values[number / 2];
            cr_assert_eq(lent[i].value_size, value->size);
            cr_assert_eq(memcmp(lent[i].value, value->at, value->size), 0);
        }
        fetch_unpacker_reuse(reading.unpacker);
    }
    cr_expect_eq(fulls, 0, "seven of these are not that much");
    expect_last(&reading, FETCH_END, 2 * BATCHES);
    for (int i = 0; i < BATCHES; i++)
        free(values[i].at);
    free(bytes.at);
}

/* A small answer may hold very much; it comes in parts, however it is read. */
Test(fetch_lz4, what_is_lent_at_once_has_a_limit)
{
    enum { BATCHES = 40, GREAT = 3000000 };
    struct bytes bytes = {0}, value = noise(GREAT, 1);
    struct bytes content = record_of(&value), packed = lz4_frame(&content, NULL);
    struct reading reading;
    for (int i = 0; i < BATCHES; i++)
        add_batch(&bytes, &(struct made_batch){.base = i, .count = 1, .attributes = LZ4}, &packed);
    cr_assert_lt(bytes.size, BATCHES * GREAT / 50);
    begin(&reading, 0, &bytes, NULL, 0);
    int read = 0, lent = 0, most = 0;
    for (enum fetch_read got; (got = next(&reading)) != FETCH_END;) {
        if (got == FETCH_FULL) {
            cr_assert_gt(lent, 0);
            fetch_unpacker_reuse(reading.unpacker);
            lent = 0;
            continue;
        }
        cr_assert_eq(got, FETCH_READ);
        cr_assert_eq(reading.record.offset, read++);
        cr_assert_eq(memcmp(reading.record.value, value.at, GREAT), 0);
        lent++;
        most = lent > most ? lent : most;
    }
    cr_expect_eq(read, BATCHES);
    cr_expect_leq(most, 3);
    end(&reading);
    free(value.at);
    free(content.at);
    free(packed.at);
    free(bytes.at);
}
