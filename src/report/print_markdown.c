#include "report/say.h"

#include <string.h>

/* Nothing of the data may end a cell or begin a mark-up. */
static void put_escaped(struct text_buffer *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_[]|~", *text))
            text_buffer_add(out, "\\", 1);
        if (*text == '<')
            text_buffer_add_text(out, "&lt;");
        else if (*text == '&')
            text_buffer_add_text(out, "&amp;");
        else
            text_buffer_add(out, text, 1);
    }
}

static void put_heads(const struct report_table *table, struct speech *speech)
{
    const struct report_shape *shape = table->shape;
    struct text_buffer *out = speech->out;
    for (size_t i = 0; i < shape->column_count; i++) {
        text_buffer_add_text(out, i ? " | " : "| ");
        put_escaped(out, phrase_plain(speech, shape->columns[i].head));
    }
    text_buffer_add_text(out, " |\n");
    for (size_t i = 0; i < shape->column_count; i++)
        text_buffer_add_text(out, column_is_number(table, i) ? "|---:" : "|---");
    text_buffer_add_text(out, "|\n");
}

static void print_table(const struct report *report, size_t index, struct speech *speech)
{
    const struct report_table *table = &report->tables[index];
    struct text_buffer *out = speech->out;
    if (table_begins_section(report, index))
        text_buffer_print(out, "\n## %s\n", phrase_plain(speech, table->shape->section));
    text_buffer_print(out, "\n### %s\n\n", phrase_plain(speech, table->shape->title));
    put_heads(table, speech);
    for (size_t row = 0; row < rows_shown(table); row++) {
        for (size_t i = 0; i < table->shape->column_count; i++) {
            const struct report_value *cell = table_cell(table, row, i);
            text_buffer_add_text(out, i ? " | " : "| ");
            text_buffer_add_text(out, cell->tone == TONE_BAD ? "**" : "");
            put_escaped(out, say_value(speech, cell));
            text_buffer_add_text(out, cell->tone == TONE_BAD ? "**" : "");
        }
        text_buffer_add_text(out, " |\n");
    }
    const char *more = say_more(speech, table), *note = say_table_note(speech, report, table);
    if (*more)
        text_buffer_print(out, "\n… %s\n", more);
    if (*note)
        text_buffer_print(out, "\n%s\n", note);
}

void report_print_markdown(const struct report *report, struct speech *speech)
{
    struct text_buffer *out = speech->out;
    text_buffer_add_text(out, "# ");
    put_escaped(out, say_title(speech, report));
    text_buffer_add_text(out, "\n\n");
    put_escaped(out, say_period(speech, report));
    text_buffer_add_text(out, "\n\n");
    for (size_t i = 0; i < report->note_count; i++) {
        text_buffer_add_text(out, "- ");
        put_escaped(out, say_note(speech, &report->notes[i]));
        text_buffer_add_text(out, "\n");
    }
    for (size_t i = 0; i < report->table_count; i++)
        if (report->tables[i].row_count)
            print_table(report, i, speech);
    const char *empty = say_empty(speech, report);
    if (*empty)
        text_buffer_print(out, "\n%s\n", empty);
    text_buffer_print(out, "\n---\n\n%s\n", say_made(speech, report));
}
