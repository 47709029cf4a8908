#include "pact/sums.h"

#include "base/hash.h"
#include "pact/day_pack.h"

#include <baton/lead.h>

#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES (64 * 1024)
#define SLOTS_FIRST 1024

/* Texts by number, once each. */
struct names {
    const char **texts;
    uint32_t count, room;
    uint32_t *slots; /* number + 1; 0: free */
    uint32_t slot_count;
};

struct sum_cell {
    uint8_t measure, dimension;
    bool used;
    int32_t day;
    uint32_t value, second; /* names */
    int64_t amount;
};

struct pact_sums {
    struct arena texts;
    struct names names;
    struct sum_cell *cells; /* open addressing */
    uint32_t cell_slots, cell_count;
    struct calendar_span seen; /* days that have cells */
};

/* ---- names
 * ---------------------------------------------------------------------------------------- */

static uint32_t *name_slot(const struct names *names, const char *text, size_t size)
{
    uint32_t mask = names->slot_count - 1, at = (uint32_t)hash64(text, size, 0) & mask;
    while (names->slots[at]) {
        const char *held = names->texts[names->slots[at] - 1];
        if (strncmp(held, text, size) == 0 && !held[size])
            break;
        at = (at + 1) & mask;
    }
    return &names->slots[at];
}

static void grow_names(struct names *names)
{
    names->room = names->room ? names->room * 2 : SLOTS_FIRST;
    names->texts = memory_resize(names->texts, names->room * sizeof *names->texts);
    free(names->slots);
    names->slot_count = names->room * 2;
    names->slots = memory_take_zeroed(names->slot_count, sizeof *names->slots);
    for (uint32_t i = 0; i < names->count; i++)
        *name_slot(names, names->texts[i], strlen(names->texts[i])) = i + 1;
}

static uint32_t name_of(struct pact_sums *sums, struct baton_text text)
{
    struct names *names = &sums->names;
    size_t size = text.size ? strnlen(text.data, text.size) : 0;
    if (names->count == names->room)
        grow_names(names);
    uint32_t *slot = name_slot(names, text.data, size);
    if (!*slot) {
        char *copy = arena_take(&sums->texts, size + 1);
        if (size)
            memcpy(copy, text.data, size);
        copy[size] = 0;
        names->texts[names->count++] = copy;
        *slot = names->count;
    }
    return *slot - 1;
}

static uint32_t name_of_text(struct pact_sums *sums, const char *text)
{
    return name_of(sums, (struct baton_text){text, (uint32_t)strlen(text)});
}

static uint32_t name_of_number(struct pact_sums *sums, uint32_t number)
{
    char text[12];
    (void)snprintf(text, sizeof text, "%u", number);
    return name_of_text(sums, text);
}

/* ---- cells
 * ---------------------------------------------------------------------------------------- */

static struct sum_cell *find(const struct pact_sums *sums, const struct sum_cell *key)
{
    uint64_t mixed = (uint64_t)key->measure << 56 ^ (uint64_t)key->dimension << 48 ^
                     (uint64_t)key->value << 20 ^ (uint64_t)(uint32_t)key->day;
    mixed = (mixed ^ (uint64_t)key->second * UINT64_C(0xC2B2AE3D27D4EB4F)) *
            UINT64_C(0x9E3779B97F4A7C15);
    uint32_t mask = sums->cell_slots - 1, at = (uint32_t)(mixed >> 32) & mask;
    struct sum_cell *cells = sums->cells;
    while (cells[at].used && (cells[at].measure != key->measure ||
                              cells[at].dimension != key->dimension || cells[at].day != key->day ||
                              cells[at].value != key->value || cells[at].second != key->second))
        at = (at + 1) & mask;
    return &cells[at];
}

static void grow_cells(struct pact_sums *sums)
{
    struct sum_cell *former = sums->cells;
    uint32_t former_slots = sums->cell_slots;
    sums->cell_slots = former_slots ? former_slots * 2 : SLOTS_FIRST;
    sums->cells = memory_take_zeroed(sums->cell_slots, sizeof *sums->cells);
    for (uint32_t i = 0; i < former_slots; i++)
        if (former[i].used)
            *find(sums, &former[i]) = former[i];
    free(former);
}

static void add_amount(int64_t *to, int64_t amount)
{
    if (__builtin_add_overflow(*to, amount, to))
        *to = amount < 0 ? INT64_MIN : INT64_MAX;
}

static void see_day(struct calendar_span *seen, int32_t day)
{
    if (seen->first == seen->end)
        *seen = (struct calendar_span){day, day + 1};
    else if (day < seen->first)
        seen->first = day;
    else if (day >= seen->end)
        seen->end = day + 1;
}

static void add_cell(struct pact_sums *sums, const struct sum_cell *cell)
{
    if ((sums->cell_count + 1) * 2 > sums->cell_slots)
        grow_cells(sums);
    struct sum_cell *held = find(sums, cell);
    if (held->used) {
        add_amount(&held->amount, cell->amount);
        return;
    }
    *held = *cell;
    held->used = true;
    sums->cell_count++;
    see_day(&sums->seen, cell->day);
}

struct pact_sums *sums_create(void)
{
    struct pact_sums *sums = memory_take_zeroed(1, sizeof *sums);
    arena_init(&sums->texts, BLOCK_BYTES);
    grow_names(&sums->names);
    grow_cells(sums);
    return sums;
}

void sums_destroy(struct pact_sums *sums)
{
    if (!sums)
        return;
    arena_fini(&sums->texts);
    free(sums->names.texts);
    free(sums->names.slots);
    free(sums->cells);
    free(sums);
}

/* ---- a unit
 * --------------------------------------------------------------------------------------- */

#define UNNAMED UINT32_MAX

/* What the unit's words are called here; found when they are first met. */
struct unit_words {
    struct baton_text *texts; /* by id; from 2 on */
    uint32_t *names;
    size_t count;
};

static bool read_number(struct baton_text text, int64_t *number)
{
    char digits[12] = "";
    if (!text.size || text.size >= sizeof digits)
        return false;
    memcpy(digits, text.data, text.size);
    size_t sign = digits[0] == '-';
    if (strlen(digits) != text.size || strspn(digits + sign, "0123456789") + sign != text.size ||
        text.size == sign)
        return false;
    *number = strtoll(digits, NULL, 10);
    return true;
}

/* Ids are dense from 2 on. */
static bool words_read(struct unit_words *words, const struct field *fields, size_t count)
{
    words->count = count + 2;
    words->texts = memory_take_zeroed(words->count, sizeof *words->texts);
    words->names = memory_take(words->count * sizeof *words->names);
    for (size_t i = 0; i < words->count; i++)
        words->names[i] = UNNAMED;
    for (size_t i = 0; i < count; i++) {
        int64_t id;
        if (!read_number(fields[i].name, &id) || id < 2 || id >= (int64_t)words->count)
            return false;
        words->texts[id] = fields[i].value;
    }
    return true;
}

static bool word_name(struct pact_sums *sums, struct unit_words *words, uint32_t id, uint32_t *name)
{
    if (id >= words->count || (id >= 2 && !words->texts[id].size))
        return false;
    if (words->names[id] == UNNAMED)
        words->names[id] = id == BATON_WORD_NONE    ? name_of_text(sums, "(none)")
                           : id == BATON_WORD_OTHER ? name_of_text(sums, "(other)")
                                                    : name_of(sums, words->texts[id]);
    *name = words->names[id];
    return true;
}

static bool value_name(struct pact_sums *sums, struct unit_words *words,
                       const struct day_cell *cell, uint32_t *name)
{
    if (cell->dimension != PACT_ALL)
        return word_name(sums, words, cell->value, name);
    *name =
        cell->measure == PACT_OTHER ? name_of_number(sums, cell->value) : name_of_text(sums, "");
    return true;
}

static bool second_name(struct pact_sums *sums, struct unit_words *words,
                        const struct day_cell *cell, uint32_t *name)
{
    switch (pact_second_of((enum pact_measure)cell->measure)) {
    case PACT_SECOND_WORD: return word_name(sums, words, cell->second, name);
    case PACT_SECOND_NUMBER: *name = name_of_number(sums, cell->second); return true;
    default: *name = name_of_text(sums, ""); return true;
    }
}

static bool add_day(struct pact_sums *sums, struct unit_words *words, int32_t day,
                    struct baton_text bytes)
{
    struct day_reader reader;
    struct day_cell cell;
    if (!day_reader_begin(&reader, (const uint8_t *)bytes.data, bytes.size))
        return false;
    while (day_reader_next(&reader, &cell)) {
        struct sum_cell sum = {.measure = cell.measure,
                               .dimension = cell.dimension,
                               .day = day,
                               .amount = cell.amount};
        if (!value_name(sums, words, &cell, &sum.value) ||
            !second_name(sums, words, &cell, &sum.second))
            return false;
        add_cell(sums, &sum);
    }
    return !reader.damaged;
}

bool sums_add_unit(struct pact_sums *sums, const struct field *days, size_t day_count,
                   const struct field *words, size_t word_count, struct calendar_span span)
{
    struct unit_words unit;
    bool sound = words_read(&unit, words, word_count);
    for (size_t i = 0; sound && i < day_count; i++) {
        int64_t day;
        if (read_number(days[i].name, &day) && day >= span.first && day < span.end)
            sound = add_day(sums, &unit, (int32_t)day, days[i].value);
    }
    free(unit.texts);
    free(unit.names);
    return sound;
}

/* ---- asking
 * --------------------------------------------------------------------------------------- */

/* False: nothing is called that. */
static bool find_name(const struct pact_sums *sums, const char *text, uint32_t *name)
{
    const char *wanted = text ? text : "";
    const uint32_t *slot = name_slot(&sums->names, wanted, strlen(wanted));
    if (!*slot)
        return false;
    *name = *slot - 1;
    return true;
}

int64_t sums_get(const struct pact_sums *sums, enum pact_measure measure,
                 enum pact_dimension dimension, const char *value, const char *second,
                 struct calendar_span span)
{
    struct sum_cell key = {.measure = (uint8_t)measure, .dimension = (uint8_t)dimension};
    if (!find_name(sums, value, &key.value) || !find_name(sums, second, &key.second))
        return 0;
    int32_t end = span.end < sums->seen.end ? span.end : sums->seen.end;
    int64_t sum = 0;
    for (key.day = span.first > sums->seen.first ? span.first : sums->seen.first; key.day < end;
         key.day++) {
        const struct sum_cell *cell = find(sums, &key);
        if (cell->used)
            add_amount(&sum, cell->amount);
    }
    return sum;
}

static int by_names(const void *a, const void *b)
{
    const struct sum_row *first = a, *second = b;
    int order = strcmp(first->value, second->value);
    return order ? order : strcmp(first->second, second->second);
}

static size_t collect(const struct pact_sums *sums, enum pact_measure measure,
                      enum pact_dimension dimension, struct calendar_span span,
                      struct sum_row *rows)
{
    size_t count = 0;
    for (uint32_t i = 0; i < sums->cell_slots; i++) {
        const struct sum_cell *cell = &sums->cells[i];
        if (!cell->used || cell->measure != (uint8_t)measure ||
            cell->dimension != (uint8_t)dimension || cell->day < span.first ||
            cell->day >= span.end)
            continue;
        if (rows)
            rows[count] = (struct sum_row){.value = sums->names.texts[cell->value],
                                           .second = sums->names.texts[cell->second],
                                           .amount = cell->amount};
        count++;
    }
    return count;
}

void sums_each(const struct pact_sums *sums, enum pact_measure measure,
               enum pact_dimension dimension, struct calendar_span span,
               void (*each)(void *context, const struct sum_row *row), void *context)
{
    size_t count = collect(sums, measure, dimension, span, NULL);
    struct sum_row *rows = memory_take((count + 1) * sizeof *rows);
    (void)collect(sums, measure, dimension, span, rows);
    qsort(rows, count, sizeof *rows, by_names);
    for (size_t i = 0; i < count;) {
        struct sum_row row = rows[i++];
        for (; i < count && by_names(&row, &rows[i]) == 0; i++)
            add_amount(&row.amount, rows[i].amount);
        if (row.amount)
            each(context, &row);
    }
    free(rows);
}
