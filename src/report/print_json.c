#include "report/report.h"

#include <stdio.h>

static json_t *hundredths(int64_t amount)
{
    /* Fifteen digits print a number of two decimals as it is meant. */
    return amount % 100 == 0 ? json_integer(amount / 100) : json_real((double)amount / 100.0);
}

/* "2026-11-01"; text_buffer_add_time knows the years to 9999. */
static json_t *date(int32_t day)
{
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_add_time(&text, day * INT64_C(86400000));
    json_t *value = json_stringn(text.data, 10);
    text_buffer_fini(&text);
    return value;
}

static json_t *text_or_sign(const char *text)
{
    json_t *value = json_string(text);
    return value ? value : json_string("(not UTF-8)");
}

static json_t *cell(const struct report_value *value)
{
    switch (value->kind) {
    case VALUE_TEXT:
    case VALUE_WORD: return text_or_sign(value->text);
    case VALUE_TIME:
    case VALUE_COUNT: return json_integer(value->amount);
    case VALUE_POINTS:
    case VALUE_PERCENT:
    case VALUE_DAYS:
    case VALUE_MONEY: return hundredths(value->amount);
    case VALUE_DATE: return date((int32_t)value->amount);
    case VALUE_NONE: break;
    }
    return json_null();
}

static json_t *rows(const struct report_table *table)
{
    json_t *list = json_array();
    size_t columns = table->shape->column_count;
    for (size_t row = 0; row < table->row_count; row++) {
        json_t *object = json_object();
        for (size_t i = 0; i < columns; i++)
            json_object_set_new(object, table->shape->columns[i].id,
                                cell(&table->cells[row * columns + i]));
        json_array_append_new(list, object);
    }
    return list;
}

json_t *report_json(const struct report *report)
{
    json_t *tables = json_object();
    for (size_t i = 0; i < report->table_count; i++)
        json_object_set_new(tables, report->tables[i].shape->id, rows(&report->tables[i]));
    json_t *agreement = json_object(), *period = json_object(), *whole = json_object();
    json_object_set_new(agreement, "name", text_or_sign(report->agreement));
    json_object_set_new(agreement, "version", json_integer(report->version));
    json_object_set_new(agreement, "hash", text_or_sign(report->hash));
    json_object_set_new(period, "name", json_string(report->period));
    json_object_set_new(period, "first", date(report->first_day));
    json_object_set_new(period, "last", date(report->last_day));
    json_object_set_new(period, "running", json_boolean(report->running));
    json_object_set_new(whole, "agreement", agreement);
    json_object_set_new(whole, "period", period);
    json_object_set_new(whole, "counted_from",
                        report->counted_from == INT32_MIN ? json_null()
                                                          : date(report->counted_from));
    json_object_set_new(whole, "attribution", json_string(attribution_name(report->attribution)));
    json_object_set_new(whole, "tables", tables);
    return whole;
}
