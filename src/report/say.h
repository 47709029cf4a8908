/* What the three printers for people share: how a value is said, in what language, and the head of
 * a report. Private to this room. */
#ifndef REPORT_SAY_H
#define REPORT_SAY_H

#include "report/report.h"

#define ROWS_SHOWN 25 /* of a table, where people read; JSON has them all */

/* From the speech's memory. A text of the data comes without control characters and as well-formed
 * UTF-8, whatever it was. */
const char *say_value(struct speech *speech, const struct report_value *value);
bool value_is_number(const struct report_value *value);
/* How large it is in a drawing beside others of its column: hundredths, not below 0. */
int64_t value_size(const struct report_value *value);
/* Is it drawn to the right? As the first row with a number in this column. */
bool column_is_number(const struct report_table *table, size_t column);
static inline const struct report_value *table_cell(const struct report_table *table, size_t row,
                                                    size_t column)
{
    return &table->cells[row * table->shape->column_count + column];
}
/* A sum of other rows: it is no bar beside them. */
static inline bool row_is_sum(const struct report_table *table, size_t row)
{
    return table_cell(table, row, 0)->kind == VALUE_NONE;
}
/* All columns that say what the row is, with " · " between. */
const char *say_label(struct speech *speech, const struct report_table *table, size_t row);

const char *say_day(struct speech *speech, int32_t day);
const char *say_title(struct speech *speech, const struct report *report);
const char *say_period(struct speech *speech, const struct report *report);
const char *say_note(struct speech *speech, const struct report_note *note);
/* "": the table has none. */
const char *say_table_note(struct speech *speech, const struct report *report,
                           const struct report_table *table);
/* The sentence on tables that have no row; "": there is none such. */
const char *say_empty(struct speech *speech, const struct report *report);
const char *say_made(struct speech *speech, const struct report *report);
/* Does the table begin another section than the table with rows before it? */
bool table_begins_section(const struct report *report, size_t table);
/* Rows that are shown of it. */
size_t rows_shown(const struct report_table *table);
const char *say_more(struct speech *speech, const struct report_table *table);

#endif
