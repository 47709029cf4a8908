#include "report/say.h"

#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Text of events ends up in terminals and browsers: nothing of it may steer them. Control
 * characters and the marks that turn the direction of writing become U+FFFD. */
static bool steers(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0xfffe || point == 0xffff;
}

static const char *tame(struct speech *speech, const char *text)
{
    struct text_buffer out;
    text_buffer_init(&out);
    for (const char *at = text, *end = text + strlen(text); at < end;) {
        uint32_t point;
        size_t size = utf8_read(at, end, &point);
        if (size && !steers(point))
            text_buffer_add(&out, at, size);
        else
            text_buffer_add_text(&out, "\xef\xbf\xbd");
        at += size ? size : 1;
    }
    const char *tamed = speech_print(speech, "%s", out.data ? out.data : "");
    text_buffer_fini(&out);
    return tamed;
}

const char *say_day(struct speech *speech, int32_t day)
{
    struct text_buffer time;
    text_buffer_init(&time);
    text_buffer_add_time(&time, day * INT64_C(86400000));
    assert(time.size == 24);
    const char *said = speech_date(speech, speech_print(speech, "%.10s", time.data));
    text_buffer_fini(&time);
    return said;
}

static const char *say_percent(struct speech *speech, int64_t permyriad)
{
    int64_t tenths = permyriad >= 0 ? (permyriad + 5) / 10 : (permyriad - 5) / 10;
    return speech_percent(speech, tenths * 10);
}

static const char *say_amount(struct speech *speech, const struct report_value *value)
{
    switch (value->kind) {
    case VALUE_TEXT: return tame(speech, value->text);
    case VALUE_WORD: return phrase_plain(speech, value->word);
    case VALUE_COUNT: return speech_count(speech, value->amount);
    case VALUE_POINTS: return speech_points(speech, value->amount);
    case VALUE_PERCENT: return say_percent(speech, value->amount);
    case VALUE_DAYS:
        return phrase(speech, MESSAGE_DAYS, {"count", speech_points(speech, value->amount)});
    case VALUE_MONEY: return speech_money(speech, value->amount, tame(speech, value->currency));
    case VALUE_DATE: return say_day(speech, (int32_t)value->amount);
    case VALUE_TIME: return speech_time(speech, value->amount);
    case VALUE_NONE: break;
    }
    return value->word < MESSAGES ? phrase_plain(speech, value->word) : "–";
}

const char *say_value(struct speech *speech, const struct report_value *value)
{
    const char *said = say_amount(speech, value);
    return value->at_most ? speech_print(speech, "≤ %s", said) : said;
}

bool value_is_number(const struct report_value *value)
{
    return value->kind >= VALUE_COUNT && value->kind <= VALUE_MONEY;
}

int64_t value_size(const struct report_value *value)
{
    if (!value_is_number(value) || value->amount <= 0)
        return 0;
    if (value->kind != VALUE_COUNT)
        return value->amount;
    return value->amount > INT64_MAX / 100 ? INT64_MAX : value->amount * 100;
}

bool column_is_number(const struct report_table *table, size_t column)
{
    for (size_t row = 0; row < table->row_count; row++)
        if (value_is_number(table_cell(table, row, column)))
            return true;
    return false;
}

const char *say_label(struct speech *speech, const struct report_table *table, size_t row)
{
    const char *label = say_value(speech, table_cell(table, row, 0));
    for (size_t i = 1; i < table->shape->labels; i++)
        label =
            speech_print(speech, "%s · %s", label, say_value(speech, table_cell(table, row, i)));
    return label;
}

const char *say_title(struct speech *speech, const struct report *report)
{
    return phrase(speech, MESSAGE_REPORT_TITLE, {"name", tame(speech, report->agreement)},
                  {"version", speech_print(speech, "%" PRIu32, report->version)});
}

const char *say_period(struct speech *speech, const struct report *report)
{
    const char *from = say_day(speech, report->first_day), *to = say_day(speech, report->last_day);
    if (!*report->period)
        return phrase(speech, MESSAGE_REPORT_PERIOD_DAYS, {"from", from}, {"to", to});
    return phrase(speech, MESSAGE_REPORT_PERIOD, {"name", tame(speech, report->period)},
                  {"from", from}, {"to", to});
}

const char *say_note(struct speech *speech, const struct report_note *note)
{
    struct message_hole holes[6] = {{NULL, NULL}};
    for (size_t i = 0; i < 5 && note->holes[i].name; i++)
        holes[i] =
            (struct message_hole){note->holes[i].name, say_value(speech, &note->holes[i].value)};
    return speech_part(speech, note->id, holes);
}

const char *say_table_note(struct speech *speech, const struct report *report,
                           const struct report_table *table)
{
    if (table->shape->note >= MESSAGES)
        return "";
    return phrase(speech, table->shape->note, {"count", speech_count(speech, report->too_few)});
}

const char *say_empty(struct speech *speech, const struct report *report)
{
    const char *titles[REPORT_TABLES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < report->table_count; i++)
        if (report->tables[i].row_count == 0)
            titles[count++] = phrase_plain(speech, report->tables[i].shape->title);
    if (count == 0)
        return "";
    return phrase(speech, MESSAGE_REPORT_EMPTY,
                  {"tables", speech_list(speech, titles, count, SPEECH_AND)});
}

const char *say_made(struct speech *speech, const struct report *report)
{
    return phrase(speech, MESSAGE_REPORT_MADE, {"time", speech_time(speech, report->now_local_ms)});
}

bool table_begins_section(const struct report *report, size_t table)
{
    for (size_t i = table; i-- > 0;)
        if (report->tables[i].row_count)
            return report->tables[i].shape->section != report->tables[table].shape->section;
    return true;
}

/* A drawing over time needs all of its rows: they are never many. */
size_t rows_shown(const struct report_table *table)
{
    if (table->shape->drawing == DRAW_TIME || table->row_count <= ROWS_SHOWN)
        return table->row_count;
    return ROWS_SHOWN;
}

const char *say_more(struct speech *speech, const struct report_table *table)
{
    size_t shown = rows_shown(table);
    if (shown == table->row_count)
        return "";
    return phrase(speech, MESSAGE_REPORT_MORE,
                  {"count", speech_count(speech, (int64_t)(table->row_count - shown))});
}
