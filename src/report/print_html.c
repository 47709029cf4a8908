#include "base/embedded.h"
#include "report/drawing.h"

#include <string.h>

extern const struct embedded_text report_texts[];

static void put(struct text_buffer *out, const char *before, const char *text, const char *behind)
{
    text_buffer_add_text(out, before);
    html_escape(out, text);
    text_buffer_add_text(out, behind);
}

/* What stands in `<td class="…">`. */
static const char *class_of(const struct report_table *table, size_t row, size_t column)
{
    static const char *const tones[] = {"", "good", "bad"};
    const struct report_value *cell = table_cell(table, row, column);
    if (cell->tone != TONE_PLAIN)
        return tones[cell->tone];
    if (cell->kind == VALUE_NONE)
        return column_is_number(table, column) ? "n none" : "none";
    return column_is_number(table, column) ? "n" : "";
}

static void put_row(const struct report_table *table, struct speech *speech, size_t row)
{
    struct text_buffer *out = speech->out;
    text_buffer_add_text(out, "<tr>");
    for (size_t i = 0; i < table->shape->column_count; i++) {
        const char *tag = i == 0 ? "th" : "td", *class = class_of(table, row, i);
        text_buffer_print(out, "<%s%s", tag, i == 0 ? " scope=\"row\"" : "");
        if (*class)
            text_buffer_print(out, " class=\"%s\"", class);
        put(out, ">", say_value(speech, table_cell(table, row, i)), "");
        text_buffer_print(out, "</%s>", tag);
    }
    text_buffer_add_text(out, "</tr>\n");
}

static void put_rows(const struct report_table *table, struct speech *speech)
{
    struct text_buffer *out = speech->out;
    text_buffer_add_text(out, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (size_t i = 0; i < table->shape->column_count; i++)
        put(out,
            column_is_number(table, i) ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">",
            phrase_plain(speech, table->shape->columns[i].head), "</th>");
    text_buffer_add_text(out, "</tr></thead>\n<tbody>\n");
    for (size_t row = 0; row < rows_shown(table); row++)
        put_row(table, speech, row);
    text_buffer_add_text(out, "</tbody></table></div>\n");
    const char *more = say_more(speech, table);
    if (*more)
        put(out, "<p class=\"note\">… ", more, "</p>\n");
}

static void put_table(const struct report *report, const struct report_table *table,
                      struct speech *speech)
{
    struct text_buffer *out = speech->out;
    const char *note = say_table_note(speech, report, table);
    put(out, "<section class=\"table\" id=\"", table->shape->id, "\">\n");
    put(out, "<h3>", phrase_plain(speech, table->shape->title), "</h3>\n");
    if (*note)
        put(out, "<p class=\"note\">", note, "</p>\n");
    drawing_svg(table, speech);
    bool folded = table->shape->drawing == DRAW_TIME;
    if (folded)
        put(out, "<details><summary>", phrase_plain(speech, MESSAGE_REPORT_FIGURES),
            "</summary>\n");
    put_rows(table, speech);
    text_buffer_add_text(out, folded ? "</details></section>\n" : "</section>\n");
}

static void put_head(const struct report *report, struct speech *speech)
{
    struct text_buffer *out = speech->out;
    text_buffer_print(out,
                      "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\"/>\n",
                      language_name(speech->language));
    text_buffer_add_text(out, "<meta name=\"viewport\" content=\"width=device-width, "
                              "initial-scale=1\"/>\n<meta name=\"color-scheme\" "
                              "content=\"light dark\"/>\n");
    put(out, "<title>", say_title(speech, report), " · ");
    put(out, "", say_period(speech, report), "</title>\n<style>\n");
    text_buffer_add(out, report_texts[0].text, report_texts[0].size);
    text_buffer_add_text(out, "</style>\n</head>\n");
}

static void put_contents(const struct report *report, struct speech *speech)
{
    struct text_buffer *out = speech->out;
    put(out, "<nav aria-label=\"", phrase_plain(speech, MESSAGE_REPORT_CONTENTS), "\">");
    for (size_t i = 0; i < report->table_count; i++) {
        const struct report_table *table = &report->tables[i];
        if (!table->row_count || !table_begins_section(report, i))
            continue;
        put(out, "<a href=\"#", table->shape->id, "\">");
        put(out, "", phrase_plain(speech, table->shape->section), "</a>");
    }
    text_buffer_add_text(out, "</nav>\n");
}

static void put_notes(const struct report *report, struct speech *speech)
{
    static const char *const tones[] = {"plain", "good", "bad"};
    struct text_buffer *out = speech->out;
    text_buffer_add_text(out, "<div class=\"headlines\">");
    for (size_t i = 0; i < report->note_count; i++) {
        if (!report->notes[i].headline)
            continue;
        text_buffer_print(out, "<p class=\"%s\">", tones[report->notes[i].tone]);
        put(out, "", say_note(speech, &report->notes[i]), "</p>");
    }
    text_buffer_add_text(out, "</div>\n");
    for (size_t i = 0; i < report->note_count; i++)
        if (!report->notes[i].headline)
            put(out, "<p class=\"note\">", say_note(speech, &report->notes[i]), "</p>\n");
}

void report_print_html(const struct report *report, struct speech *speech)
{
    struct text_buffer *out = speech->out;
    put_head(report, speech);
    put(out, "<body>\n<header>\n<h1>", say_title(speech, report), "</h1>\n");
    put(out, "<p class=\"subtitle\">", phrase_plain(speech, MESSAGE_REPORT_SUBTITLE), "</p>\n");
    put(out, "<p class=\"period\">", say_period(speech, report), "</p>\n");
    put_notes(report, speech);
    put_contents(report, speech);
    text_buffer_add_text(out, "</header>\n<main>\n");
    for (size_t i = 0; i < report->table_count; i++) {
        const struct report_table *table = &report->tables[i];
        if (!table->row_count)
            continue;
        if (table_begins_section(report, i))
            put(out, "<h2>", phrase_plain(speech, table->shape->section), "</h2>\n");
        put_table(report, table, speech);
    }
    const char *empty = say_empty(speech, report);
    if (*empty)
        put(out, "<p class=\"note\">", empty, "</p>\n");
    put(out, "</main>\n<footer>", say_made(speech, report), "</footer>\n</body>\n</html>\n");
}
