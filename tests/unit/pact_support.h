/* Counters that a test writes down cell by cell, with texts for words, and the sums of them. */
#ifndef TESTS_UNIT_PACT_SUPPORT_H
#define TESTS_UNIT_PACT_SUPPORT_H

#include "pact/counters.h"
#include "pact/sums.h"

#include <baton/agreement.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HAND_WORDS 100
#define NOV(day) (20758 + (day)-1) /* of 2026; the first is a Sunday */

struct hand_unit {
    struct counters *counters;
    const char *words[HAND_WORDS]; /* from 2 on: 0 is (none), 1 is (other) */
    uint32_t word_count;
};

static struct hand_unit hand_unit(void)
{
    return (struct hand_unit){.counters = counters_create(), .word_count = 2};
}

static uint32_t hand_word(struct hand_unit *unit, const char *text)
{
    if (strcmp(text, "(none)") == 0 || strcmp(text, "(other)") == 0)
        return strcmp(text, "(other)") == 0;
    for (uint32_t i = 2; i < unit->word_count; i++)
        if (strcmp(unit->words[i], text) == 0)
            return i;
    cr_assert_lt(unit->word_count, HAND_WORDS);
    unit->words[unit->word_count] = text;
    return unit->word_count++;
}

static void hand_add(struct hand_unit *unit, int32_t day, enum pact_measure measure,
                     enum pact_dimension dimension, const char *value, const char *second,
                     int64_t amount)
{
    uint32_t of = dimension == PACT_ALL ? 0 : hand_word(unit, value), number = 0;
    if (pact_second_of(measure) == PACT_SECOND_WORD)
        number = hand_word(unit, second);
    else if (pact_second_of(measure) == PACT_SECOND_NUMBER)
        number = (uint32_t)atoi(second);
    counters_add(unit->counters, day, measure, dimension, of, number, amount);
}

static void hand_all(struct hand_unit *unit, int32_t day, enum pact_measure measure, int64_t amount)
{
    hand_add(unit, day, measure, PACT_ALL, "", "0", amount);
}

static struct baton_text hand_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text);
    return (struct baton_text){arena_copy(arena, text, size + 1), (uint32_t)size};
}

static struct baton_text hand_number(struct arena *arena, int64_t number)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%lld", (long long)number);
    return hand_text(arena, digits);
}

/* Adds the unit to the sums, as it would lie in the store, and lets go of it. */
static void hand_take(struct pact_sums *sums, struct hand_unit *unit)
{
    struct arena arena;
    struct field fields[PACT_DAYS_MAX], words[HAND_WORDS];
    int32_t days[PACT_DAYS_MAX];
    size_t count = counters_days(unit->counters, days);
    arena_init(&arena, 4096);
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes;
        size_t size = counters_pack(unit->counters, days[i], &bytes, &arena);
        fields[i] =
            (struct field){hand_number(&arena, days[i]), {(const char *)bytes, (uint32_t)size}};
    }
    for (uint32_t i = 2; i < unit->word_count; i++)
        words[i - 2] = (struct field){hand_number(&arena, i), hand_text(&arena, unit->words[i])};
    cr_assert(sums_add_unit(sums, fields, count, words, unit->word_count - 2,
                            (struct calendar_span){INT32_MIN, INT32_MAX}));
    counters_destroy(unit->counters);
    arena_fini(&arena);
}

static const struct baton_zone_offset hand_utc = {INT64_MIN, 0};
#define HAND_TEXT(text) ((struct baton_text){text, sizeof(text) - 1})

#endif
