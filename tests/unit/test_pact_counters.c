#include "base/hash.h"
#include "pact/counters.h"
#include "pact/day_pack.h"
#include "pact/sums.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct counters *counters;
static struct arena arena;

static void start(void)
{
    counters = counters_create();
    arena_init(&arena, 4096);
}

static void end(void)
{
    counters_destroy(counters);
    arena_fini(&arena);
}

TestSuite(counters, .init = start, .fini = end);
TestSuite(sums, .init = start, .fini = end);

#define DAY 20780

static void add(enum pact_measure measure, enum pact_dimension dimension, uint32_t value,
                int64_t amount)
{
    counters_add(counters, DAY, measure, dimension, value, 0, amount);
}

static int64_t get(enum pact_measure measure, enum pact_dimension dimension, uint32_t value)
{
    return counters_get(counters, DAY, measure, dimension, value, 0);
}

static int64_t others(uint32_t dimension)
{
    return get(PACT_OTHER, PACT_ALL, dimension);
}

static struct baton_text packed(const struct counters *of, int32_t day)
{
    uint8_t *bytes = NULL;
    size_t size = counters_pack(of, day, &bytes, &arena);
    return (struct baton_text){(const char *)bytes, (uint32_t)size};
}

static bool same(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

static size_t dirty_days(void)
{
    return counters_dirty(counters, NULL, 0);
}

/* The same counters after a restart. */
static struct counters *restarted(void)
{
    struct counters *copy = counters_create();
    int32_t days[PACT_DAYS_MAX];
    size_t count = counters_days(counters, days);
    for (size_t i = 0; i < count; i++) {
        struct baton_text bytes = packed(counters, days[i]);
        cr_assert(counters_unpack(copy, days[i], (const uint8_t *)bytes.data, bytes.size));
    }
    return copy;
}

Test(counters, what_is_added_adds_up)
{
    add(PACT_SQL, PACT_ALL, 0, 2);
    add(PACT_SQL, PACT_ALL, 0, 3);
    add(PACT_MQL, PACT_ALL, 0, 1);
    cr_assert_eq(get(PACT_SQL, PACT_ALL, 0), 5);
    cr_assert_eq(get(PACT_MQL, PACT_ALL, 0), 1);
    cr_assert_eq(get(PACT_CUSTOMER, PACT_ALL, 0), 0);
    cr_assert_eq(counters_get(counters, DAY + 1, PACT_SQL, PACT_ALL, 0, 0), 0);
}

Test(counters, a_day_has_the_bytes_that_are_documented)
{
    add(PACT_SQL, PACT_ALL, 0, 300);
    counters_add(counters, DAY, PACT_BROKEN, PACT_SELLER, 200, 1, -1);
    struct baton_text bytes = packed(counters, DAY);
    static const uint8_t rest[] = {2,           PACT_SQL,    0,    0,    0, 0xd8, 4,
                                   PACT_BROKEN, PACT_SELLER, 0xc8, 0x01, 1, 1};
    cr_assert_eq(bytes.size, 5 + sizeof rest);
    cr_assert_eq(bytes.data[0], 1);
    cr_assert_arr_eq(bytes.data + 5, rest, sizeof rest);
}

Test(counters, the_order_of_adding_leaves_no_trace)
{
    for (uint32_t i = 0; i < 2000; i++)
        add(PACT_RULE_LEADS, PACT_RULE, 2 + i * 7919 % 2000, (int64_t)i * 7919 % 2000 + 1);
    struct baton_text there = packed(counters, DAY);
    counters_clear(counters);
    for (uint32_t i = 0; i < 2000; i++)
        add(PACT_RULE_LEADS, PACT_RULE, 2 + i, 7);
    for (uint32_t i = 2000; i-- > 0;)
        add(PACT_RULE_LEADS, PACT_RULE, 2 + i, (int64_t)i + 1 - 7);
    cr_assert(same(packed(counters, DAY), there));
}

Test(counters, a_cell_that_is_zero_again_is_not_packed)
{
    add(PACT_SQL, PACT_ALL, 0, 1);
    struct baton_text before = packed(counters, DAY);
    add(PACT_BROKEN, PACT_SELLER, 9, 1);
    cr_assert_not(same(packed(counters, DAY), before));
    add(PACT_BROKEN, PACT_SELLER, 9, -1);
    cr_assert(same(packed(counters, DAY), before));
}

Test(counters, a_day_whose_last_cell_goes_is_gone)
{
    add(PACT_SQL, PACT_ALL, 0, 1);
    counters_mark_clean(counters);
    add(PACT_SQL, PACT_ALL, 0, -1);
    int32_t days[2];
    cr_assert_eq(counters_dirty(counters, days, 2), 1);
    cr_assert_eq(days[0], DAY);
    uint8_t *bytes;
    cr_assert_eq(counters_pack(counters, DAY, &bytes, &arena), 0);
    add(PACT_SQL, PACT_ALL, 0, 1);
    cr_assert_eq(dirty_days(), 1, "told once");
}

Test(counters, days_are_dirty_until_they_are_marked_clean)
{
    add(PACT_SQL, PACT_ALL, 0, 1);
    counters_add(counters, DAY + 3, PACT_SQL, PACT_ALL, 0, 0, 1);
    cr_assert_eq(dirty_days(), 2);
    counters_mark_clean(counters);
    cr_assert_eq(dirty_days(), 0);
    add(PACT_SQL, PACT_ALL, 0, 0);
    cr_assert_eq(dirty_days(), 0, "nothing was added");
    add(PACT_SQL, PACT_ALL, 0, 1);
    cr_assert_eq(dirty_days(), 1);
}

static const struct {
    enum pact_dimension dimension;
    uint32_t limit;
} limits[] = {{PACT_CHANNEL_FIRST, 100},  {PACT_CHANNEL_LAST, 100},  {PACT_CHANNEL_LINEAR, 100},
              {PACT_CAMPAIGN_FIRST, 500}, {PACT_CAMPAIGN_LAST, 500}, {PACT_CAMPAIGN_LINEAR, 500},
              {PACT_SEGMENT, 100},        {PACT_SECTOR, 100},        {PACT_RULE, 2000},
              {PACT_SELLER, 200},         {PACT_REASON, 200}};

Test(counters, each_dimension_has_its_limit)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        enum pact_dimension dimension = limits[i].dimension;
        for (uint32_t value = 0; value < limits[i].limit + 2; value++) /* (none), (other), … */
            add(PACT_SQL, dimension, value, 1);
        cr_assert_eq(others(dimension), 0, "dimension %d", dimension);
        uint32_t last = limits[i].limit + 1;
        add(PACT_SQL, dimension, last + 1, 5);
        cr_assert_eq(others(dimension), 1, "dimension %d", dimension);
        cr_assert_eq(get(PACT_SQL, dimension, last + 1), 0);
        cr_assert_eq(get(PACT_SQL, dimension, 1), 6);
        add(PACT_MQL, dimension, last, 1); /* it is known */
        cr_assert_eq(get(PACT_MQL, dimension, last), 1);
        cr_assert_eq(others(dimension), 1);
        counters_add(counters, DAY + 1, PACT_SQL, dimension, last + 1, 0, 1);
        cr_assert_eq(counters_get(counters, DAY + 1, PACT_SQL, dimension, last + 1, 0), 1,
                     "of another day");
    }
}

Test(counters, pairs_and_currencies_have_limits_too)
{
    for (uint32_t i = 0; i < 501; i++)
        counters_add(counters, DAY, PACT_OBSTACLE, PACT_BY_PAGE, 2 + i % 10, 2 + i / 10, 1);
    cr_assert_eq(others(PACT_BY_PAGE), 1);
    cr_assert_eq(counters_get(counters, DAY, PACT_OBSTACLE, PACT_BY_PAGE, 1, 1), 1);
    for (uint32_t i = 0; i < 21; i++)
        for (int times = 0; times < 2; times++)
            counters_add(counters, DAY, PACT_REVENUE, PACT_ALL, 0, 2 + i, 100);
    cr_assert_eq(others(PACT_OF_CURRENCY), 2);
    cr_assert_eq(counters_get(counters, DAY, PACT_REVENUE, PACT_ALL, 0, 21), 200);
    cr_assert_eq(counters_get(counters, DAY, PACT_REVENUE, PACT_ALL, 0, 1), 200);
}

/* What is not 0 alone decides what is known: else a restart would count otherwise. */
Test(counters, a_value_whose_cells_are_zero_gives_its_room_back)
{
    for (uint32_t value = 2; value < 202; value++)
        add(PACT_BROKEN, PACT_SELLER, value, 1);
    add(PACT_BROKEN, PACT_SELLER, 100, -1);
    struct counters *other = restarted();
    add(PACT_BROKEN, PACT_SELLER, 777, 1);
    counters_add(other, DAY, PACT_BROKEN, PACT_SELLER, 777, 0, 1);
    cr_assert_eq(get(PACT_BROKEN, PACT_SELLER, 777), 1);
    cr_assert(same(packed(counters, DAY), packed(other, DAY)));
    add(PACT_BROKEN, PACT_SELLER, 778, 1);
    cr_assert_eq(others(PACT_SELLER), 1);
    counters_destroy(other);
}

Test(counters, the_401st_day_drops_the_oldest)
{
    for (int32_t day = 0; day < PACT_DAYS_MAX; day++)
        counters_add(counters, DAY + 2 * day, PACT_SQL, PACT_ALL, 0, 0, 1);
    counters_mark_clean(counters);
    counters_add(counters, DAY + 7, PACT_SQL, PACT_ALL, 0, 0, 1);
    int32_t days[3];
    cr_assert_eq(counters_dirty(counters, days, 3), 2);
    cr_assert_eq(days[0], DAY);
    cr_assert_eq(days[1], DAY + 7);
    cr_assert_eq(get(PACT_SQL, PACT_ALL, 0), 0);
    counters_add(counters, DAY + 1, PACT_SQL, PACT_ALL, 0, 0, 4);
    counters_add(counters, DAY + 1, PACT_SQL, PACT_SEGMENT, 9, 0, 4);
    cr_assert_eq(counters_get(counters, DAY + 1, PACT_SQL, PACT_ALL, 0, 0), 0);
    cr_assert_eq(counters_get(counters, DAY + 2, PACT_OTHER, PACT_ALL, PACT_ALL, 0), 1);
    cr_assert_eq(counters_get(counters, DAY + 2, PACT_OTHER, PACT_ALL, PACT_SEGMENT, 0), 1);
    cr_assert_eq(counters_get(counters, DAY + 2, PACT_SQL, PACT_ALL, 0, 0), 1);
}

/* Random changes, with a restart anywhere: the same bytes of every day. */
Test(counters, a_restart_anywhere_leaves_no_trace)
{
    srand(7);
    struct counters *other = counters_create();
    for (int i = 0; i < 60000; i++) {
        int32_t day = DAY + rand() % 3;
        enum pact_measure measure = (enum pact_measure)(rand() % PACT_OTHER);
        enum pact_dimension dimension =
            (enum pact_dimension)(PACT_SEGMENT + rand() % (PACT_DIMENSIONS - PACT_SEGMENT));
        uint32_t value = (uint32_t)(rand() % 300), second = (uint32_t)(rand() % 5);
        int64_t amount = rand() % 3 - 1;
        counters_add(counters, day, measure, dimension, value, second, amount);
        counters_add(other, day, measure, dimension, value, second, amount);
        if (i % 5000 == 4999) {
            struct counters *next = restarted();
            counters_destroy(counters);
            counters = next;
        }
    }
    for (int32_t day = DAY; day < DAY + 3; day++)
        cr_assert(same(packed(counters, day), packed(other, day)));
    cr_assert(others(PACT_SEGMENT) > 0);
    counters_destroy(other);
}

Test(counters, amounts_stop_at_their_limit)
{
    for (int i = 0; i < 3; i++)
        add(PACT_REVENUE, PACT_ALL, 0, INT64_MAX / 2);
    cr_assert_eq(get(PACT_REVENUE, PACT_ALL, 0), INT64_MAX);
}

Test(counters, a_damaged_day_is_told_and_leaves_nothing)
{
    for (uint32_t value = 2; value < 12; value++)
        add(PACT_SQL, PACT_SEGMENT, value, value);
    struct baton_text bytes = packed(counters, DAY);
    uint8_t *broken = memory_take(bytes.size + 1);
    counters_clear(counters);
    for (uint32_t at = 0; at <= bytes.size; at++) {
        memcpy(broken, bytes.data, bytes.size);
        broken[at] = (uint8_t)(broken[at] ^ 4);
        size_t size = bytes.size + (at == bytes.size);
        cr_assert_not(counters_unpack(counters, DAY, broken, size), "byte %u", at);
        if (at < bytes.size)
            cr_assert_not(counters_unpack(counters, DAY, (const uint8_t *)bytes.data, at));
    }
    free(broken);
    cr_assert_eq(dirty_days(), 0);
    cr_assert(counters_unpack(counters, DAY, (const uint8_t *)bytes.data, bytes.size));
    cr_assert_eq(dirty_days(), 0, "as the store has it");
    cr_assert_not(counters_unpack(counters, DAY, (const uint8_t *)bytes.data, bytes.size), "twice");
}

static bool reads(const struct day_cell *cells, size_t count)
{
    uint8_t bytes[256];
    size_t size = day_pack(cells, count, bytes);
    bool read = counters_unpack(counters, DAY, bytes, size);
    counters_clear(counters);
    return read;
}

Test(counters, only_the_canonical_form_is_read)
{
    struct day_cell good[] = {{1, 0, 0, 0, 5}, {1, 1, 0, 0, 5}, {1, 1, 2, 0, 5}, {1, 1, 2, 1, 5}};
    cr_assert(reads(good, 4));
    cr_assert_not(reads(good, 0), "a day without cells");
    for (size_t i = 0; i + 1 < 4; i++) {
        struct day_cell cells[] = {good[i + 1], good[i]};
        cr_assert_not(reads(cells, 2), "out of order");
    }
    struct day_cell twice[] = {good[0], good[0]};
    cr_assert_not(reads(twice, 2));
    cr_assert_not(reads(&(struct day_cell){1, 0, 0, 0, 0}, 1), "a cell that is 0");
    cr_assert_not(reads(&(struct day_cell){PACT_MEASURES, 0, 0, 0, 1}, 1));
    cr_assert_not(reads(&(struct day_cell){1, PACT_DIMENSIONS, 0, 0, 1}, 1));
}

/* A check sum of its own does not make it a day. */
Test(counters, what_stands_behind_the_cells_is_damage)
{
    uint8_t bytes[256];
    size_t size = day_pack(&(struct day_cell){1, 0, 0, 0, 5}, 1, bytes);
    bytes[size] = 0;
    bytes_put_u32_le(bytes + 1, (uint32_t)hash64(bytes + 5, size - 4, 1));
    cr_assert_not(counters_unpack(counters, DAY, bytes, size + 1));
    bytes_put_u32_le(bytes + 1, (uint32_t)hash64(bytes + 5, size - 5, 1));
    cr_assert(counters_unpack(counters, DAY, bytes, size));
}

/* ---- sums of units
 * ------------------------------------------------------------------------------------------- */

static struct baton_text text_of(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

static struct pact_sums *pact_sums;
static const struct calendar_span wide = {DAY - 10, DAY + 10};

/* Adds what the counters hold as a unit whose word 2 is `two`, word 3 `three`; clears them. */
static bool add_unit(const char *two, const char *three)
{
    struct field days[8], words[2] = {{text_of("2"), text_of(two)}, {text_of("3"), text_of(three)}};
    char names[8][12];
    int32_t numbers[PACT_DAYS_MAX];
    size_t count = counters_days(counters, numbers);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "%d", numbers[i]);
        days[i] = (struct field){text_of(names[i]), packed(counters, numbers[i])};
    }
    days[count] = (struct field){text_of("spend"), text_of("?")};
    counters_clear(counters);
    return sums_add_unit(pact_sums, days, count + 1, words, 2, wide);
}

static int64_t sum(enum pact_measure measure, enum pact_dimension dimension, const char *value,
                   const char *second)
{
    return sums_get(pact_sums, measure, dimension, value, second, wide);
}

Test(sums, units_meet_by_their_texts)
{
    pact_sums = sums_create();
    add(PACT_SQL, PACT_SEGMENT, 2, 3);
    add(PACT_SQL, PACT_SEGMENT, 3, 4);
    add(PACT_SQL, PACT_ALL, 0, 7);
    cr_assert(add_unit("retail", "bank"));
    add(PACT_SQL, PACT_SEGMENT, 2, 10);
    add(PACT_SQL, PACT_SEGMENT, 0, 20);
    add(PACT_SQL, PACT_SEGMENT, 1, 30);
    add(PACT_SQL, PACT_ALL, 0, 60);
    cr_assert(add_unit("bank", "other"));
    cr_assert_eq(sum(PACT_SQL, PACT_SEGMENT, "retail", NULL), 3);
    cr_assert_eq(sum(PACT_SQL, PACT_SEGMENT, "bank", ""), 14);
    cr_assert_eq(sum(PACT_SQL, PACT_SEGMENT, "(none)", NULL), 20);
    cr_assert_eq(sum(PACT_SQL, PACT_SEGMENT, "(other)", NULL), 30);
    cr_assert_eq(sum(PACT_SQL, PACT_ALL, NULL, NULL), 67);
    cr_assert_eq(sum(PACT_SQL, PACT_SEGMENT, "nobody", NULL), 0);
    sums_destroy(pact_sums);
}

Test(sums, only_days_of_the_span_count)
{
    pact_sums = sums_create();
    for (int32_t day = DAY - 3; day <= DAY + 3; day++)
        counters_add(counters, day, PACT_SQL, PACT_ALL, 0, 0, 1 << (day - DAY + 3));
    cr_assert(add_unit("a", "b"));
    struct calendar_span inner = {DAY - 1, DAY + 2};
    cr_assert_eq(sums_get(pact_sums, PACT_SQL, PACT_ALL, NULL, NULL, inner), 4 + 8 + 16);
    cr_assert_eq(sum(PACT_SQL, PACT_ALL, NULL, NULL), 127);
    cr_assert_eq(sums_get(pact_sums, PACT_SQL, PACT_ALL, NULL, NULL,
                          (struct calendar_span){DAY + 4, DAY + 400}),
                 0);
    counters_add(counters, wide.end, PACT_SQL, PACT_ALL, 0, 0, 1);
    cr_assert(add_unit("a", "b"));
    cr_assert_eq(sums_get(pact_sums, PACT_SQL, PACT_ALL, NULL, NULL,
                          (struct calendar_span){DAY - 99, DAY + 99}),
                 127, "nobody asked for that day");
    sums_destroy(pact_sums);
}

static void note_row(void *context, const struct sum_row *row)
{
    char *told = context;
    sprintf(told + strlen(told), "%s/%s=%lld ", row->value, row->second, (long long)row->amount);
}

static const char *rows(enum pact_measure measure, enum pact_dimension dimension)
{
    static char told[512];
    told[0] = 0;
    sums_each(pact_sums, measure, dimension, wide, note_row, told);
    return told;
}

Test(sums, rows_come_in_the_order_of_their_bytes)
{
    pact_sums = sums_create();
    counters_add(counters, DAY, PACT_REVENUE, PACT_SEGMENT, 2, 3, 100);
    counters_add(counters, DAY, PACT_REVENUE, PACT_SEGMENT, 2, 0, 7);
    counters_add(counters, DAY + 1, PACT_REVENUE, PACT_SEGMENT, 2, 3, 1);
    counters_add(counters, DAY, PACT_REVENUE, PACT_SEGMENT, 0, 3, 5);
    counters_add(counters, DAY, PACT_DAYS_CUSTOMER, PACT_ALL, 0, 10, 1);
    counters_add(counters, DAY, PACT_DAYS_CUSTOMER, PACT_ALL, 0, 9, 2);
    counters_add(counters, DAY, PACT_BROKEN, PACT_SELLER, 3, 1, 1);
    counters_add(counters, DAY + 1, PACT_BROKEN, PACT_SELLER, 3, 1, -1);
    counters_add(counters, DAY, PACT_OTHER, PACT_ALL, PACT_SEGMENT, 0, 3);
    cr_assert(add_unit("retail", "EUR"));
    cr_assert_str_eq(rows(PACT_REVENUE, PACT_SEGMENT),
                     "(none)/EUR=5 retail/(none)=7 retail/EUR=101 ");
    cr_assert_str_eq(rows(PACT_DAYS_CUSTOMER, PACT_ALL), "/10=1 /9=2 ");
    cr_assert_str_eq(rows(PACT_BROKEN, PACT_SELLER), "", "two days that make up for each other");
    cr_assert_str_eq(rows(PACT_OTHER, PACT_ALL), "7/=3 ");
    cr_assert_eq(sum(PACT_REVENUE, PACT_SEGMENT, "retail", "EUR"), 101);
    sums_destroy(pact_sums);
}

Test(sums, damage_is_told)
{
    pact_sums = sums_create();
    add(PACT_SQL, PACT_SEGMENT, 4, 1);
    cr_assert_not(add_unit("a", "b"), "a word that the unit does not have");
    struct field twice[] = {{text_of("2"), text_of("x")}, {text_of("2"), text_of("y")}};
    add(PACT_SQL, PACT_SEGMENT, 3, 1);
    struct field third = {text_of("20780"), packed(counters, DAY)};
    counters_clear(counters);
    cr_assert_not(sums_add_unit(pact_sums, &third, 1, twice, 2, wide), "a word that is missing");
    struct field day = {text_of("20780"), text_of("?")}, word = {text_of("5"), text_of("x")};
    cr_assert_not(sums_add_unit(pact_sums, &day, 1, NULL, 0, wide));
    cr_assert_not(sums_add_unit(pact_sums, NULL, 0, &word, 1, wide), "words with a gap");
    day.name = text_of("20780x");
    cr_assert(sums_add_unit(pact_sums, &day, 1, NULL, 0, wide), "no day");
    sums_destroy(pact_sums);
}

Test(sums, thousands_of_values_are_kept_apart)
{
    pact_sums = sums_create();
    for (uint32_t i = 0; i < 2000; i++)
        add(PACT_RULE_SQL, PACT_RULE, 2 + i, i + 1);
    static char texts[2000][2][12];
    static struct field words[2000];
    for (uint32_t i = 0; i < 2000; i++) {
        snprintf(texts[i][0], 12, "%u", i + 2);
        snprintf(texts[i][1], 12, "rule-%u", i);
        words[i] = (struct field){text_of(texts[i][0]), text_of(texts[i][1])};
    }
    struct field day = {text_of("20780"), packed(counters, DAY)};
    for (int unit = 0; unit < 3; unit++)
        cr_assert(sums_add_unit(pact_sums, &day, 1, words, 2000, wide));
    for (uint32_t i = 0; i < 2000; i++)
        cr_assert_eq(sum(PACT_RULE_SQL, PACT_RULE, texts[i][1], NULL), 3 * (i + 1));
    sums_destroy(pact_sums);
}
