#include "pact/counters.h"

#include "pact/day_pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- cells
 * ---------------------------------------------------------------------------------------- */

/* Of a value that takes room: how many of its cells are not 0. Never packed. */
#define KNOWN UINT8_MAX
#define CURRENCIES PACT_DIMENSIONS /* a limit of its own */
#define OTHER 1u                   /* the word `(other)` */
#define FIRST_VALUE 2u             /* words below it take no room */

static const uint16_t limits[PACT_DIMENSIONS + 1] = {
    [PACT_CHANNEL_FIRST] = 100,  [PACT_CHANNEL_LAST] = 100,  [PACT_CHANNEL_LINEAR] = 100,
    [PACT_CAMPAIGN_FIRST] = 500, [PACT_CAMPAIGN_LAST] = 500, [PACT_CAMPAIGN_LINEAR] = 500,
    [PACT_SEGMENT] = 100,        [PACT_SECTOR] = 100,        [PACT_RULE] = 2000,
    [PACT_SELLER] = 200,         [PACT_REASON] = 200,        [PACT_BY_PAGE] = 500,
    [PACT_BY_CAMPAIGN] = 500,    [CURRENCIES] = 20};

struct slot {
    uint64_t head; /* measure, dimension, value */
    uint32_t second;
    bool used;
    int64_t amount;
};

struct day {
    int32_t day;
    bool dirty;
    struct slot *slots; /* open addressing; what went back to 0 stays until the next growth */
    uint32_t slot_count, used;
    uint32_t cells, known; /* not 0: what is packed, and what tells that a value takes room */
    uint32_t distinct[PACT_DIMENSIONS + 1];
};

struct counters {
    struct day *days;           /* ascending */
    size_t count, room, latest; /* latest: the one that was looked for last */
    int32_t *dirty;
    size_t dirty_count, dirty_room;
};

enum pact_second pact_second_of(enum pact_measure measure)
{
    switch (measure) {
    case PACT_KEPT:
    case PACT_BROKEN:
    case PACT_COHORT_CUSTOMER:
    case PACT_DAYS_CONTACT:
    case PACT_DAYS_PROPOSAL:
    case PACT_DAYS_CUSTOMER: return PACT_SECOND_NUMBER;
    case PACT_REVENUE:
    case PACT_OBSTACLE: return PACT_SECOND_WORD;
    default: return PACT_SECOND_NONE;
    }
}

static uint64_t head_of(uint8_t measure, unsigned dimension, uint32_t value)
{
    return (uint64_t)measure << 40 | (uint64_t)dimension << 32 | value;
}

static uint32_t place_of(uint64_t head, uint32_t second, uint32_t mask)
{
    uint64_t mixed = (head ^ (uint64_t)second << 20) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mixed >> 32) & mask;
}

static struct slot *find(const struct day *day, uint64_t head, uint32_t second)
{
    uint32_t mask = day->slot_count - 1, at = place_of(head, second, mask);
    while (day->slots[at].used && (day->slots[at].head != head || day->slots[at].second != second))
        at = (at + 1) & mask;
    return &day->slots[at];
}

static void take_slots(struct day *day, uint32_t count)
{
    struct slot *former = day->slots;
    uint32_t former_count = day->slot_count;
    day->slots = memory_take_zeroed(count, sizeof *day->slots);
    day->slot_count = count;
    day->used = 0;
    for (uint32_t i = 0; i < former_count; i++) {
        if (!former[i].used || !former[i].amount)
            continue;
        *find(day, former[i].head, former[i].second) = former[i];
        day->used++;
    }
    free(former);
}

#define SLOTS_FIRST 64

/* At most half of the slots are in use. */
static void make_room(struct day *day)
{
    if (day->slot_count && (day->used + 1) * 2 <= day->slot_count)
        return;
    uint32_t count = day->slot_count ? day->slot_count : SLOTS_FIRST;
    while (count < (day->cells + day->known + 1) * 4)
        count *= 2;
    take_slots(day, count);
}

/* Gives by how much the number of those that are not 0 has changed. */
static int change(struct day *day, uint64_t head, uint32_t second, int64_t amount)
{
    make_room(day);
    struct slot *slot = find(day, head, second);
    if (!slot->used) {
        *slot = (struct slot){.head = head, .second = second, .used = true};
        day->used++;
    }
    bool before = slot->amount != 0;
    if (__builtin_add_overflow(slot->amount, amount, &slot->amount))
        slot->amount = amount < 0 ? INT64_MIN : INT64_MAX;
    return (slot->amount != 0) - before;
}

static bool is_pair(unsigned dimension)
{
    return dimension == PACT_BY_PAGE || dimension == PACT_BY_CAMPAIGN;
}

static bool takes_room(unsigned dimension, uint32_t value, uint32_t second)
{
    return limits[dimension] &&
           (value >= FIRST_VALUE || (is_pair(dimension) && second >= FIRST_VALUE));
}

static void know(struct day *day, unsigned dimension, uint32_t value, uint32_t second, int by)
{
    if (!by || !takes_room(dimension, value, second))
        return;
    int known = change(day, head_of(KNOWN, dimension, value), is_pair(dimension) ? second : 0, by);
    day->known += (uint32_t)known;
    day->distinct[dimension] += (uint32_t)known;
}

static void add_cell(struct day *day, const struct day_cell *cell)
{
    int by = change(day, head_of(cell->measure, cell->dimension, cell->value), cell->second,
                    cell->amount);
    day->cells += (uint32_t)by;
    know(day, cell->dimension, cell->value, cell->second, by);
    if (cell->measure == PACT_REVENUE)
        know(day, CURRENCIES, cell->second, 0, by);
}

static bool finds_room(const struct day *day, unsigned dimension, uint32_t value, uint32_t second)
{
    if (!takes_room(dimension, value, second) || day->distinct[dimension] < limits[dimension])
        return true;
    const struct slot *slot =
        find(day, head_of(KNOWN, dimension, value), is_pair(dimension) ? second : 0);
    return slot->used && slot->amount;
}

/* ---- days
 * ----------------------------------------------------------------------------------------- */

struct counters *counters_create(void)
{
    return memory_take_zeroed(1, sizeof(struct counters));
}

void counters_clear(struct counters *counters)
{
    for (size_t i = 0; i < counters->count; i++)
        free(counters->days[i].slots);
    counters->count = counters->latest = counters->dirty_count = 0;
}

void counters_destroy(struct counters *counters)
{
    if (!counters)
        return;
    counters_clear(counters);
    free(counters->days);
    free(counters->dirty);
    free(counters);
}

/* Where the day is, or belongs. */
static size_t index_of(const struct counters *counters, int32_t day)
{
    size_t low = 0, high = counters->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (counters->days[middle].day < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct day *day_at(const struct counters *counters, int32_t day)
{
    size_t index = index_of(counters, day);
    return index < counters->count && counters->days[index].day == day ? &counters->days[index]
                                                                       : NULL;
}

static bool is_listed(const struct counters *counters, int32_t day)
{
    for (size_t i = 0; i < counters->dirty_count; i++)
        if (counters->dirty[i] == day)
            return true;
    return false;
}

static void mark_dirty(struct counters *counters, struct day *day)
{
    if (day->dirty)
        return;
    day->dirty = true;
    if (is_listed(counters, day->day))
        return;
    if (counters->dirty_count == counters->dirty_room) {
        counters->dirty_room = counters->dirty_room ? counters->dirty_room * 2 : 16;
        counters->dirty =
            memory_resize(counters->dirty, counters->dirty_room * sizeof *counters->dirty);
    }
    counters->dirty[counters->dirty_count++] = day->day;
}

static void remove_day(struct counters *counters, size_t index)
{
    struct day *day = &counters->days[index];
    mark_dirty(counters, day);
    free(day->slots);
    memmove(day, day + 1, (counters->count - index - 1) * sizeof *day);
    counters->count--;
    counters->latest = 0;
}

/* There is room for it. */
static struct day *insert_day(struct counters *counters, int32_t day)
{
    assert(counters->count < PACT_DAYS_MAX);
    if (counters->count == counters->room) {
        counters->room = counters->room ? counters->room * 2 : 4;
        counters->days = memory_resize(counters->days, counters->room * sizeof *counters->days);
    }
    size_t index = index_of(counters, day);
    memmove(&counters->days[index + 1], &counters->days[index],
            (counters->count - index) * sizeof *counters->days);
    counters->days[index] = (struct day){.day = day};
    counters->count++;
    counters->latest = index;
    return &counters->days[index];
}

/* NULL: it is older than all that are kept. */
static struct day *day_for(struct counters *counters, int32_t day)
{
    if (counters->latest < counters->count && counters->days[counters->latest].day == day)
        return &counters->days[counters->latest];
    size_t index = index_of(counters, day);
    counters->latest = index;
    if (index < counters->count && counters->days[index].day == day)
        return &counters->days[index];
    if (counters->count == PACT_DAYS_MAX && index == 0)
        return NULL;
    if (counters->count == PACT_DAYS_MAX)
        remove_day(counters, 0);
    return insert_day(counters, day);
}

/* ---- adding
 * --------------------------------------------------------------------------------------- */

static void count_other(struct day *day, uint32_t dimension)
{
    add_cell(day, &(struct day_cell){.measure = PACT_OTHER, .value = dimension, .amount = 1});
}

static void add_to_day(struct day *day, struct day_cell *cell)
{
    if (!finds_room(day, cell->dimension, cell->value, cell->second)) {
        count_other(day, cell->dimension);
        cell->value = OTHER;
        if (is_pair(cell->dimension))
            cell->second = OTHER;
    }
    if (cell->measure == PACT_REVENUE && !finds_room(day, CURRENCIES, cell->second, 0)) {
        count_other(day, PACT_OF_CURRENCY);
        cell->second = OTHER;
    }
    add_cell(day, cell);
}

void counters_add(struct counters *counters, int32_t day, enum pact_measure measure,
                  enum pact_dimension dimension, uint32_t value, uint32_t second, int64_t amount)
{
    assert(measure < PACT_MEASURES && dimension < PACT_DIMENSIONS);
    if (!amount)
        return;
    struct day *to = day_for(counters, day);
    if (to) {
        struct day_cell cell = {(uint8_t)measure, (uint8_t)dimension, value, second, amount};
        add_to_day(to, &cell);
    } else {
        to = &counters->days[0];
        count_other(to, dimension);
    }
    mark_dirty(counters, to);
    if (!to->cells)
        remove_day(counters, (size_t)(to - counters->days));
}

int64_t counters_get(const struct counters *counters, int32_t day, enum pact_measure measure,
                     enum pact_dimension dimension, uint32_t value, uint32_t second)
{
    const struct day *from = day_at(counters, day);
    if (!from)
        return 0;
    const struct slot *slot = find(from, head_of((uint8_t)measure, dimension, value), second);
    return slot->used ? slot->amount : 0;
}

/* ---- packing
 * -------------------------------------------------------------------------------------- */

size_t counters_dirty(const struct counters *counters, int32_t *days, size_t room)
{
    size_t count = counters->dirty_count < room ? counters->dirty_count : room;
    if (count)
        memcpy(days, counters->dirty, count * sizeof *days);
    return counters->dirty_count;
}

void counters_mark_clean(struct counters *counters)
{
    for (size_t i = 0; counters->dirty_count && i < counters->count; i++)
        counters->days[i].dirty = false;
    counters->dirty_count = 0;
}

size_t counters_days(const struct counters *counters, int32_t days[PACT_DAYS_MAX])
{
    for (size_t i = 0; i < counters->count; i++)
        days[i] = counters->days[i].day;
    return counters->count;
}

static int by_order(const void *a, const void *b)
{
    return day_cell_order(a, b);
}

static struct day_cell cell_in(const struct slot *slot)
{
    return (struct day_cell){.measure = (uint8_t)(slot->head >> 40),
                             .dimension = (uint8_t)(slot->head >> 32),
                             .value = (uint32_t)slot->head,
                             .second = slot->second,
                             .amount = slot->amount};
}

size_t counters_pack(const struct counters *counters, int32_t day, uint8_t **bytes,
                     struct arena *arena)
{
    const struct day *from = day_at(counters, day);
    if (!from)
        return 0;
    struct day_cell *cells = memory_take(from->cells * sizeof *cells);
    size_t count = 0;
    for (uint32_t i = 0; i < from->slot_count; i++)
        if (from->slots[i].used && from->slots[i].amount && from->slots[i].head >> 40 != KNOWN)
            cells[count++] = cell_in(&from->slots[i]);
    assert(count == from->cells && count > 0);
    qsort(cells, count, sizeof *cells, by_order);
    *bytes = arena_take(arena, day_pack_bound(count));
    size_t size = day_pack(cells, count, *bytes);
    arena_trim(arena, *bytes, size);
    free(cells);
    return size;
}

bool counters_unpack(struct counters *counters, int32_t day, const uint8_t *bytes, size_t size)
{
    struct day_reader reader;
    if (day_at(counters, day) || counters->count == PACT_DAYS_MAX ||
        !day_reader_begin(&reader, bytes, size))
        return false;
    struct day *to = insert_day(counters, day);
    struct day_cell cell;
    while (day_reader_next(&reader, &cell))
        add_cell(to, &cell);
    if (reader.damaged) {
        free(to->slots);
        memmove(to, to + 1, (counters->count - (size_t)(to - counters->days) - 1) * sizeof *to);
        counters->count--;
    }
    return !reader.damaged;
}
