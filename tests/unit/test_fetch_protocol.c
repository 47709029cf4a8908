/* Requests and answers of every version that is spoken, byte by byte. */
#include "fetch_answers.h"

/* ---- requests ---- */

static int64_t take(struct byte_reader *reader, int size)
{
    uint64_t value = big_endian_read(reader, size);
    return size == 8   ? (int64_t)value
           : size == 4 ? (int32_t)value
           : size == 2 ? (int16_t)value
                       : (int8_t)value;
}

static void expect_text(struct byte_reader *reader, const char *text)
{
    cr_assert_eq(take(reader, 2), (int64_t)strlen(text));
    const uint8_t *at = bytes_take(reader, strlen(text));
    cr_assert(at && memcmp(at, text, strlen(text)) == 0);
}

static struct byte_reader open_request(const uint8_t *out, size_t size, int key, int version,
                                       uint32_t correlation)
{
    struct byte_reader reader = {.at = out, .end = out + size};
    cr_assert_eq(take(&reader, 4), (int64_t)size - 4);
    cr_assert_eq(take(&reader, 2), key);
    cr_assert_eq(take(&reader, 2), version);
    cr_assert_eq((uint32_t)take(&reader, 4), correlation);
    expect_text(&reader, "baton");
    return reader;
}

Test(fetch_protocol, the_versions_are_asked_for_in_the_oldest_form)
{
    uint8_t out[64];
    size_t size = fetch_versions_request("baton", 0xfffffffe, out);
    cr_assert_leq(size, fetch_request_bound(5, 0, 0));
    struct byte_reader reader = open_request(out, size, 18, 0, 0xfffffffe);
    cr_expect_eq(bytes_left(&reader), 0);
}

Test(fetch_protocol, a_request_is_that_of_its_version)
{
    static const struct fetch_limits limits = {100, 1, 4194304, 1048576};
    static const struct fetch_wish wishes[] = {{7, 0}, {0, INT64_C(1) << 40}, {3, 5}};
    for (int version = FETCH_VERSION_MIN; version <= FETCH_VERSION_MAX; version++)
        for (size_t count = 1; count <= 3; count++) {
            uint8_t *out = malloc(fetch_request_bound(5, 6, count));
            size_t size = fetch_request(version, "baton", 9, "events", &limits, wishes, count, out);
            cr_assert_leq(size, fetch_request_bound(5, 6, count));
            struct byte_reader reader = open_request(out, size, 1, version, 9);
            cr_expect_eq(take(&reader, 4), -1, "a client is no replica");
            cr_expect_eq(take(&reader, 4), 100);
            cr_expect_eq(take(&reader, 4), 1);
            cr_expect_eq(take(&reader, 4), 4194304);
            cr_expect_eq(take(&reader, 1), 1, "read_committed");
            if (version >= 7) {
                cr_expect_eq(take(&reader, 4), 0, "no session …");
                cr_expect_eq(take(&reader, 4), -1, "… and none wanted");
            }
            cr_expect_eq(take(&reader, 4), 1);
            expect_text(&reader, "events");
            cr_expect_eq(take(&reader, 4), (int64_t)count);
            for (size_t i = 0; i < count; i++) {
                cr_expect_eq(take(&reader, 4), wishes[i].unit);
                if (version >= 9)
                    cr_expect_eq(take(&reader, 4), -1);
                cr_expect_eq(take(&reader, 8), wishes[i].offset);
                if (version >= 5)
                    cr_expect_eq(take(&reader, 8), -1);
                cr_expect_eq(take(&reader, 4), 1048576);
            }
            if (version >= 7)
                cr_expect_eq(take(&reader, 4), 0);
            if (version >= 11)
                expect_text(&reader, "");
            cr_expect(!reader.failed && bytes_left(&reader) == 0, "version %d", version);
            free(out);
        }
}

/* ---- answers about versions ---- */

static bool read_versions(const struct bytes *answer, uint32_t correlation, int *version)
{
    size_t size = answer->size - FETCH_FRAME;
    uint8_t *copy = memory_take(size);
    (void)bytes_put(copy, answer->at + FETCH_FRAME, size);
    bool read = fetch_versions_read(copy, size, correlation, version);
    free(copy);
    return read;
}

Test(fetch_protocol, the_greatest_version_that_both_know_is_taken)
{
    static const int cases[][3] = {{0, 17, 11},  {4, 11, 11}, {0, 4, 4},  {0, 3, -1}, {11, 18, 11},
                                   {12, 18, -1}, {5, 9, 9},   {9, 5, -1}, {-3, 6, 6}, {0, -1, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes answer = made_versions(77, 0, cases[i][0], cases[i][1]);
        int version = 99;
        cr_expect(read_versions(&answer, 77, &version));
        cr_expect_eq(version, cases[i][2], "case %zu: %d", i, version);
        cr_expect_not(read_versions(&answer, 78, &version), "an answer to another question");
        free(answer.at);
    }
}

Test(fetch_protocol, an_error_or_a_cut_answer_tells_no_version)
{
    int version = 99;
    struct bytes answer = made_versions(1, 35, 4, 11);
    cr_expect(read_versions(&answer, 1, &version));
    cr_expect_eq(version, -1);
    free(answer.at);
    answer = made_versions(1, 0, 4, 11);
    size_t whole = answer.size;
    for (answer.size = FETCH_FRAME; answer.size < whole; answer.size++)
        cr_expect_not(read_versions(&answer, 1, &version), "cut at %zu", answer.size);
    static const int64_t counts[] = {-2, INT32_MIN, INT32_MAX, 4};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        (void)big_endian_put32(answer.at + FETCH_FRAME + 6, (uint32_t)counts[i]);
        cr_expect_not(read_versions(&answer, 1, &version), "%lld of them", (long long)counts[i]);
    }
    free(answer.at);
}

/* ---- answers with records ---- */

static struct arena arena;

static bool read_answer(int version, const struct bytes *answer, uint32_t correlation,
                        struct fetch_answer *out, uint8_t **copy)
{
    size_t size = answer->size - FETCH_FRAME;
    if (!arena.block_bytes)
        arena_init(&arena, 1024);
    *copy = memory_take(size);
    (void)bytes_put(*copy, answer->at + FETCH_FRAME, size);
    arena_reset(&arena);
    return fetch_answer_read(version, *copy, size, correlation, &arena, out);
}

static const struct fetch_aborted aborted[] = {{5, 300}, {INT64_MAX, 10}, {5, 20}, {1, 20}};
static const struct made_part parts[] = {
    {.unit = 3,
     .first = 7,
     .stable = 500,
     .aborted = aborted,
     .aborted_count = 4,
     .records = (const uint8_t *)"records",
     .size = 7},
    {.unit = 0, .error = 6, .first = -1, .stable = -1, .aborted_count = -1, .size = -1},
    {.unit = 65000, .error = -1, .first = 1, .stable = INT64_MAX - 1000},
};

static void expect_parts(const struct fetch_answer *answer, int version)
{
    cr_assert_eq(answer->count, 3);
    const struct fetch_part *part = answer->parts;
    cr_expect_eq(part->unit, 3);
    cr_expect_eq(part->error, 0);
    cr_expect_eq(part->first, version >= 5 ? 7 : -1);
    cr_expect_eq(part->stable, 500);
    cr_assert_eq(part->size, 7);
    cr_expect_eq(memcmp(part->records, "records", 7), 0);
    static const int64_t sorted[] = {10, 20, 20, 300};
    cr_assert_eq(part->aborted_count, 4);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(part->aborted[i].first, sorted[i]);
    cr_expect_eq(part->aborted[0].producer, INT64_MAX);
    cr_expect_eq(part->aborted[1].producer + part->aborted[2].producer, 6);
    cr_expect_eq(part->aborted[3].producer, 5);
    memset(part->aborting, 1, 4 * sizeof *part->aborting);
    cr_expect_eq(part[1].unit, 0);
    cr_expect_eq(part[1].error, 6);
    cr_expect_eq(part[1].stable, -1);
    cr_expect_eq(part[1].aborted_count, 0);
    cr_expect_eq(part[1].size, 0);
    cr_expect_eq(part[2].unit, 65000);
    cr_expect_eq(part[2].error, -1);
    cr_expect_eq(part[2].stable, INT64_MAX - 1000);
    cr_expect_eq(part[2].size, 0);
}

Test(fetch_protocol, an_answer_is_that_of_its_version)
{
    for (int version = FETCH_VERSION_MIN; version <= FETCH_VERSION_MAX; version++) {
        struct fetch_answer out;
        uint8_t *copy;
        struct bytes answer = made_answer(version, 5, 250, 71, parts, 3);
        cr_assert(read_answer(version, &answer, 5, &out, &copy), "version %d", version);
        cr_expect_eq(out.throttle_ms, 250);
        cr_expect_eq(out.error, version >= 7 ? 71 : 0);
        expect_parts(&out, version);
        free(copy);
        cr_expect_not(read_answer(version, &answer, 6, &out, &copy), "to another question");
        free(copy);
        size_t whole = answer.size;
        for (answer.size = FETCH_FRAME; answer.size < whole; answer.size++) {
            cr_expect_not(read_answer(version, &answer, 5, &out, &copy), "cut at %zu", answer.size);
            free(copy);
        }
        free(answer.at);
    }
    arena_fini(&arena);
}

Test(fetch_protocol, an_answer_may_hold_nothing)
{
    struct fetch_answer out;
    uint8_t *copy;
    for (int nothing = -1; nothing <= 0; nothing++) {
        struct bytes answer = {0};
        add_number(&answer, 0, 4);
        add_number(&answer, 5, 4);
        add_number(&answer, 0, 4);
        add_number(&answer, 70, 2);
        add_number(&answer, 0, 4);
        add_number(&answer, nothing, 4);
        cr_expect(read_answer(7, &answer, 5, &out, &copy));
        cr_expect_eq(out.count, 0);
        cr_expect_eq(out.error, 70);
        free(copy);
        free(answer.at);
    }
    struct bytes answer = made_answer(11, 5, 0, 0, NULL, 0);
    cr_expect(read_answer(11, &answer, 5, &out, &copy));
    cr_expect_eq(out.count, 0);
    free(copy);
    free(answer.at);
    arena_fini(&arena);
}

/* Places of numbers in an answer of version 4 with one part, behind the frame. */
enum { TOPICS = 8, NAME = 12, PARTS = 20, ABORTED = 46, SIZE = 50 };

Test(fetch_protocol, numbers_that_cannot_be_true_are_refused)
{
    static const struct {
        size_t at;
        int size;
        int64_t number;
    } cases[] = {
        {TOPICS, 4, 2},        {TOPICS, 4, -2}, {TOPICS, 4, INT32_MAX}, {NAME, 2, -1},
        {NAME, 2, INT16_MAX},  {PARTS, 4, 2},   {PARTS, 4, -2},         {PARTS, 4, INT32_MAX},
        {PARTS, 4, INT32_MIN}, {ABORTED, 4, 1}, {ABORTED, 4, -2},       {ABORTED, 4, INT32_MAX},
        {SIZE, 4, 8},          {SIZE, 4, -2},   {SIZE, 4, INT32_MAX},
    };
    struct made_part part = {.stable = 9, .records = (const uint8_t *)"records", .size = 7};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fetch_answer out;
        uint8_t *copy;
        struct bytes answer = made_answer(4, 5, 0, 0, &part, 1);
        cr_assert(read_answer(4, &answer, 5, &out, &copy));
        free(copy);
        (void)big_endian_put(answer.at + FETCH_FRAME + cases[i].at, (uint64_t)cases[i].number,
                             cases[i].size);
        cr_expect_not(read_answer(4, &answer, 5, &out, &copy), "case %zu", i);
        free(copy);
        free(answer.at);
    }
    arena_fini(&arena);
}

/* Not only when they come in order. */
Test(fetch_protocol, many_aborted_transactions_take_no_time_to_speak_of, .timeout = 60)
{
    enum { MANY = 400000 };
    struct fetch_aborted *many = malloc(MANY * sizeof *many);
    for (int i = 0; i < MANY; i++)
        many[i] = (struct fetch_aborted){i, MANY - i};
    struct made_part part = {.stable = MANY, .aborted = many, .aborted_count = MANY, .size = -1};
    struct bytes answer = made_answer(11, 5, 0, 0, &part, 1);
    struct fetch_answer out;
    uint8_t *copy;
    cr_assert(read_answer(11, &answer, 5, &out, &copy));
    for (int i = 0; i < MANY; i++)
        cr_assert(out.parts[0].aborted[i].first == i + 1 &&
                  out.parts[0].aborted[i].producer == MANY - i - 1);
    free(copy);
    free(answer.at);
    free(many);
    arena_fini(&arena);
}
