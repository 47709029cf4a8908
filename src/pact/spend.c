#include "pact/spend.h"

#include "base/bytes.h"
#include "base/hash.h"

#include <stdlib.h>

#define VERSION 1
#define HEAD_BYTES 5 /* version and checksum */
#define CHECKSUM_SEED 2
#define NAMES 3
#define NUMBER_BYTES (5 * BYTES_VARINT_MAX)
#define NO_CAMPAIGN "(none)"

struct statement {
    char *names[NAMES]; /* channel, campaign, currency; one piece of memory, names[0] owns it */
    struct calendar_span period;
    int64_t time_ms, amount;
};

struct spend_table {
    struct statement *statements; /* in their order */
    size_t count, room;
    bool dirty;
};

/* ---- the table
 * ------------------------------------------------------------------------------------ */

struct spend_table *spend_create(void)
{
    return memory_take_zeroed(1, sizeof(struct spend_table));
}

void spend_clear(struct spend_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->statements[i].names[0]);
    table->count = 0;
    table->dirty = false;
}

void spend_destroy(struct spend_table *table)
{
    if (!table)
        return;
    spend_clear(table);
    free(table->statements);
    free(table);
}

static int by_names(const struct statement *a, const struct statement *b)
{
    int order = 0;
    for (size_t i = 0; i < NAMES && !order; i++)
        order = strcmp(a->names[i], b->names[i]);
    return order;
}

static int by_key(const struct statement *a, const struct statement *b)
{
    int order = by_names(a, b);
    if (order)
        return order;
    if (a->period.first != b->period.first)
        return a->period.first < b->period.first ? -1 : 1;
    return (a->period.end > b->period.end) - (a->period.end < b->period.end);
}

/* Where it is, or belongs. */
static size_t index_of(const struct spend_table *table, const struct statement *wanted)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_key(&table->statements[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_at(struct spend_table *table, size_t index)
{
    struct statement *at = &table->statements[index];
    free(at->names[0]);
    memmove(at, at + 1, (table->count - index - 1) * sizeof *at);
    table->count--;
}

static void drop_oldest(struct spend_table *table)
{
    size_t oldest = 0;
    for (size_t i = 1; i < table->count; i++)
        if (table->statements[i].period.end < table->statements[oldest].period.end)
            oldest = i;
    remove_at(table, oldest);
}

/* Takes the names. */
static void insert_at(struct spend_table *table, size_t index, const struct statement *statement)
{
    if (table->count == table->room) {
        table->room = table->room ? table->room * 2 : 16;
        table->statements = memory_resize(table->statements, table->room * sizeof *statement);
    }
    struct statement *at = &table->statements[index];
    memmove(at + 1, at, (table->count - index) * sizeof *at);
    *at = *statement;
    table->count++;
    if (table->count > SPEND_MAX)
        drop_oldest(table);
}

/* Of the same thing: is `a` what stands? */
typedef bool wins(const struct statement *a, const struct statement *b);

static bool later_in_log(const struct statement *a, const struct statement *b)
{
    return a->time_ms >= b->time_ms;
}

static bool of_other_unit(const struct statement *a, const struct statement *b)
{
    return a->time_ms > b->time_ms || (a->time_ms == b->time_ms && a->amount > b->amount);
}

/* Takes the names; tells whether anything has changed. */
static bool put(struct spend_table *table, const struct statement *statement, wins *stands)
{
    size_t index = index_of(table, statement);
    struct statement *held = &table->statements[index];
    if (index == table->count || by_key(held, statement) != 0) {
        insert_at(table, index, statement);
        return true;
    }
    bool taken = stands(statement, held) &&
                 (held->time_ms != statement->time_ms || held->amount != statement->amount);
    if (taken) {
        held->time_ms = statement->time_ms;
        held->amount = statement->amount;
    }
    free(statement->names[0]);
    return taken;
}

static void take_names(struct statement *statement, const struct baton_text texts[NAMES])
{
    size_t size = 0;
    for (size_t i = 0; i < NAMES; i++)
        size += texts[i].size + 1;
    char *at = memory_take(size);
    for (size_t i = 0; i < NAMES; i++) {
        statement->names[i] = at;
        at = (char *)bytes_put((uint8_t *)at, texts[i].data, texts[i].size);
        *at++ = 0;
    }
}

void spend_take(struct spend_table *table, const struct baton_event *event)
{
    const struct baton_spend *spend = event->spend;
    struct statement statement = {.period = {spend->first_day, spend->end_day},
                                  .time_ms = event->time_ms,
                                  .amount = spend->amount};
    take_names(&statement,
               (const struct baton_text[]){spend->channel, spend->campaign, spend->currency});
    if (put(table, &statement, later_in_log))
        table->dirty = true;
}

bool spend_is_empty(const struct spend_table *table)
{
    return table->count == 0;
}

bool spend_is_dirty(const struct spend_table *table)
{
    return table->dirty;
}

void spend_mark_clean(struct spend_table *table)
{
    table->dirty = false;
}

/* ---- packing
 * -------------------------------------------------------------------------------------- */

static size_t pack_bound(const struct spend_table *table)
{
    size_t size = HEAD_BYTES + BYTES_VARINT_MAX;
    for (size_t i = 0; i < table->count; i++) {
        size += NUMBER_BYTES;
        for (size_t j = 0; j < NAMES; j++)
            size += BYTES_VARINT_MAX + strlen(table->statements[i].names[j]);
    }
    return size;
}

static uint8_t *put_statement(uint8_t *at, const struct statement *statement)
{
    for (size_t i = 0; i < NAMES; i++) {
        size_t size = strlen(statement->names[i]);
        at = bytes_put(bytes_put_varint(at, size), statement->names[i], size);
    }
    at = bytes_put_zigzag(at, statement->period.first);
    at = bytes_put_varint(at, (uint64_t)(statement->period.end - statement->period.first));
    at = bytes_put_zigzag(at, statement->time_ms);
    return bytes_put_zigzag(at, statement->amount);
}

size_t spend_pack(const struct spend_table *table, uint8_t **bytes, struct arena *arena)
{
    if (!table->count)
        return 0;
    *bytes = arena_take(arena, pack_bound(table));
    uint8_t *rest = *bytes + HEAD_BYTES, *at = bytes_put_varint(rest, table->count);
    for (size_t i = 0; i < table->count; i++)
        at = put_statement(at, &table->statements[i]);
    (*bytes)[0] = VERSION;
    bytes_put_u32_le(*bytes + 1, (uint32_t)hash64(rest, (size_t)(at - rest), CHECKSUM_SEED));
    arena_trim(arena, *bytes, (size_t)(at - *bytes));
    return (size_t)(at - *bytes);
}

static bool read_statement(struct byte_reader *reader, struct spend_table *table)
{
    struct baton_text texts[NAMES];
    for (size_t i = 0; i < NAMES; i++) {
        uint64_t size = bytes_varint(reader);
        texts[i].data = (const char *)bytes_take(reader, size);
        texts[i].size = (uint32_t)size;
    }
    int64_t first = bytes_zigzag(reader);
    uint64_t days = bytes_varint(reader);
    struct statement statement = {.time_ms = bytes_zigzag(reader), .amount = bytes_zigzag(reader)};
    if (reader->failed || !days || days > INT32_MAX / 2 || first < INT32_MIN / 2 ||
        first > INT32_MAX / 2 || statement.amount < 0)
        return false;
    statement.period = (struct calendar_span){(int32_t)first, (int32_t)(first + (int64_t)days)};
    take_names(&statement, texts);
    (void)put(table, &statement, of_other_unit);
    return true;
}

bool spend_unpack(struct spend_table *table, const uint8_t *bytes, size_t size)
{
    struct byte_reader reader = {.at = bytes, .end = size ? bytes + size : bytes};
    bool known = bytes_u8(&reader) == VERSION;
    uint32_t checksum = bytes_u32_le(&reader);
    if (!known || reader.failed ||
        (uint32_t)hash64(reader.at, bytes_left(&reader), CHECKSUM_SEED) != checksum)
        return false;
    uint64_t count = bytes_varint(&reader);
    if (reader.failed || !count || count > SPEND_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!read_statement(&reader, table))
            return false;
    return bytes_left(&reader) == 0;
}

/* ---- asking
 * --------------------------------------------------------------------------------------- */

static int64_t days_in_both(struct calendar_span a, struct calendar_span b)
{
    int64_t first = a.first > b.first ? a.first : b.first, end = a.end < b.end ? a.end : b.end;
    return end > first ? end - first : 0;
}

int64_t spend_share(int64_t amount, struct calendar_span period, struct calendar_span span)
{
    int64_t days = (int64_t)period.end - period.first;
    struct calendar_span dearer = {period.first, period.first + (int32_t)(amount % days)};
    return amount / days * days_in_both(period, span) + days_in_both(dearer, span);
}

static const char *campaign_of(const struct statement *statement)
{
    return *statement->names[1] ? statement->names[1] : NO_CAMPAIGN;
}

void spend_on(const struct spend_table *table, struct calendar_span span,
              void (*each)(void *context, const struct spend_row *row), void *context)
{
    for (size_t i = 0; i < table->count;) {
        const struct statement *first = &table->statements[i];
        struct spend_row row = {.channel = first->names[0],
                                .campaign = campaign_of(first),
                                .currency = first->names[2]};
        for (; i < table->count && by_names(first, &table->statements[i]) == 0; i++) {
            const struct statement *statement = &table->statements[i];
            if (__builtin_add_overflow(row.amount,
                                       spend_share(statement->amount, statement->period, span),
                                       &row.amount))
                row.amount = INT64_MAX;
        }
        if (row.amount)
            each(context, &row);
    }
}
