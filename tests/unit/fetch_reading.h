/* Reading batches record by record. What is read lies in memory of just its size, so that a
 * sanitizer sees a step beyond it. */
#ifndef TESTS_FETCH_READING_H
#define TESTS_FETCH_READING_H

#include "fetch_support.h"

struct reading {
    struct fetch_records records;
    struct fetch_unpacker *unpacker;
    struct arena arena;
    struct record record;
    uint8_t *copy;
    int64_t aborting[8];
};

static inline void begin(struct reading *reading, int64_t position, const struct bytes *bytes,
                         struct fetch_aborted *aborted, size_t aborted_count)
{
    *reading = (struct reading){.unpacker = fetch_unpacker_create()};
    arena_init(&reading->arena, 4096);
    reading->copy = memory_take(bytes->size);
    (void)bytes_put(reading->copy, bytes->at, bytes->size);
    cr_assert_leq(aborted_count, 8);
    fetch_records_init(&reading->records, position, reading->copy, bytes->size, aborted,
                       reading->aborting, aborted_count);
}

static inline enum fetch_read next(struct reading *reading)
{
    return fetch_records_next(&reading->records, reading->unpacker, &reading->arena,
                              &reading->record);
}

static inline void end(struct reading *reading)
{
    fetch_unpacker_destroy(reading->unpacker);
    arena_fini(&reading->arena);
    free(reading->copy);
}

/* The records' values are the offsets that they were written with. */
static inline void expect_offset(struct reading *reading, int64_t offset)
{
    char text[32] = "";
    cr_assert_eq(next(reading), FETCH_READ, "offset %lld", (long long)offset);
    cr_assert_eq(reading->record.offset, offset, "%lld instead of %lld",
                 (long long)reading->record.offset, (long long)offset);
    cr_assert_lt(reading->record.value_size, sizeof text);
    (void)bytes_put((uint8_t *)text, reading->record.value, reading->record.value_size);
    cr_assert_eq(atoll(text), offset);
    cr_assert_gt(reading->records.position, offset);
}

static inline void expect_offsets(struct reading *reading, int64_t first, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        expect_offset(reading, first + i);
}

/* Nothing changes any more afterwards. */
static inline void expect_last(struct reading *reading, enum fetch_read read, int64_t position)
{
    for (int i = 0; i < 2; i++) {
        enum fetch_read got = next(reading);
        cr_assert_eq(got, read, "%d instead of %d", (int)got, (int)read);
        cr_assert_eq(reading->records.position, position, "position %lld",
                     (long long)reading->records.position);
    }
    end(reading);
}

/* One of its records is handed out at most once, and the position stays before what is damaged. */
static inline void expect_corrupt(const struct bytes *bytes, int64_t good)
{
    struct reading reading;
    begin(&reading, 0, bytes, NULL, 0);
    expect_offsets(&reading, 0, good);
    expect_last(&reading, FETCH_CORRUPT, good);
}

#endif
