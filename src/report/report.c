#include "report/report.h"

#include <assert.h>
#include <string.h>

void report_init(struct report *report)
{
    *report = (struct report){.agreement = "", .hash = "", .period = "", .counted_from = INT32_MIN};
    arena_init(&report->arena, 65536);
}

void report_fini(struct report *report)
{
    arena_fini(&report->arena);
}

static const char *const attributions[] = {"first", "last", "linear"};

const char *attribution_name(enum attribution attribution)
{
    assert(attribution <= ATTRIBUTE_LINEAR);
    return attributions[attribution];
}

bool attribution_find(const char *name, enum attribution *attribution)
{
    for (int i = 0; i <= ATTRIBUTE_LINEAR; i++) {
        if (strcmp(name, attributions[i]) != 0)
            continue;
        *attribution = (enum attribution)i;
        return true;
    }
    return false;
}

/* ---- Values ---- */

struct report_value cell_text(const char *text)
{
    return (struct report_value){.kind = VALUE_TEXT, .word = MESSAGES, .text = text};
}

struct report_value cell_word(enum message_id word, const char *text, enum report_tone tone)
{
    return (struct report_value){.kind = VALUE_WORD, .word = word, .text = text, .tone = tone};
}

static struct report_value value_of(enum report_value_kind kind, int64_t amount)
{
    return (struct report_value){.kind = kind, .word = MESSAGES, .amount = amount};
}

struct report_value cell_count(int64_t count)
{
    return value_of(VALUE_COUNT, count);
}

struct report_value cell_points(int64_t hundredths)
{
    return value_of(VALUE_POINTS, hundredths);
}

struct report_value cell_percent(int64_t permyriad)
{
    return value_of(VALUE_PERCENT, permyriad);
}

struct report_value cell_days(int64_t hundredths)
{
    return value_of(VALUE_DAYS, hundredths);
}

struct report_value cell_money(int64_t hundredths, const char *currency)
{
    struct report_value value = value_of(VALUE_MONEY, hundredths);
    value.currency = currency;
    return value;
}

struct report_value cell_date(int32_t day)
{
    return value_of(VALUE_DATE, day);
}

struct report_value cell_time(int64_t local_ms)
{
    return value_of(VALUE_TIME, local_ms);
}

struct report_value cell_none(void)
{
    return value_of(VALUE_NONE, 0);
}

struct report_value cell_because(enum message_id word)
{
    return (struct report_value){.kind = VALUE_NONE, .word = word};
}

struct report_value cell_ratio(int64_t part, int64_t of)
{
    if (of <= 0)
        return cell_none();
    /* Beyond 4.6 × 10^14 a hundredth of a per cent is lost on nobody. */
    int64_t twice;
    if (of <= INT64_MAX / 4 && !__builtin_mul_overflow(part, 20000, &twice) &&
        !__builtin_add_overflow(twice, of, &twice))
        return cell_percent(twice / (2 * of));
    int64_t times = part / of, most = INT64_MAX / 10000;
    times = times > most ? most : times < -most ? -most : times;
    return cell_percent(times * 10000);
}

/* ---- Tables ---- */

struct report_table *report_add_table(struct report *report, const struct report_shape *shape)
{
    assert(report->table_count < REPORT_TABLES_MAX);
    struct report_table *table = &report->tables[report->table_count++];
    *table = (struct report_table){.shape = shape};
    return table;
}

static void grow(struct report *report, struct report_table *table)
{
    size_t room = table->row_room ? 2 * table->row_room : 8;
    size_t row_bytes = table->shape->column_count * sizeof *table->cells;
    struct report_value *cells = arena_take(&report->arena, room * row_bytes);
    if (table->row_count)
        memcpy(cells, table->cells, table->row_count * row_bytes);
    table->cells = cells;
    table->row_room = room;
}

struct report_value *report_add_row(struct report *report, struct report_table *table)
{
    if (table->row_count == table->row_room)
        grow(report, table);
    size_t columns = table->shape->column_count;
    struct report_value *row = table->cells + table->row_count++ * columns;
    for (size_t i = 0; i < columns; i++)
        row[i] = cell_none();
    return row;
}

struct report_note *report_add_note(struct report *report, enum message_id id)
{
    assert(report->note_count < REPORT_NOTES_MAX);
    struct report_note *note = &report->notes[report->note_count++];
    *note = (struct report_note){.id = id};
    return note;
}

const struct report_table *report_find(const struct report *report, const char *id)
{
    for (size_t i = 0; i < report->table_count; i++)
        if (strcmp(report->tables[i].shape->id, id) == 0)
            return &report->tables[i];
    return NULL;
}
