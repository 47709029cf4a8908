#include "report/drawing.h"

#include <inttypes.h>
#include <string.h>

#define ROWS_DRAWN 12
#define ROW_HEIGHT 42
#define STEP_HEIGHT 22 /* more, where a funnel says how many went on */
#define LABEL_MOST 32  /* characters */
#define TIME_HEIGHT 96
#define WIDEST 800   /* column, in permyriad of the width */
#define KEPT_AT 8000 /* of the width in permyriad: where a promise is kept */

void html_escape(struct text_buffer *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': text_buffer_add_text(out, "&lt;"); break;
        case '>': text_buffer_add_text(out, "&gt;"); break;
        case '&': text_buffer_add_text(out, "&amp;"); break;
        case '"': text_buffer_add_text(out, "&quot;"); break;
        default: text_buffer_add(out, text, 1);
        }
    }
}

/* The beginning of a text that is too long for its place. */
static void put_short(struct text_buffer *out, struct speech *speech, const char *text)
{
    size_t at = 0, count = 0;
    while (text[at] && count < LABEL_MOST) {
        at++;
        while ((text[at] & 0xc0) == 0x80)
            at++;
        count++;
    }
    html_escape(out, text[at] ? speech_print(speech, "%.*s…", (int)at, text) : text);
}

static int64_t amount_of(const struct report_table *table, size_t row, size_t column)
{
    return value_size(table_cell(table, row, column));
}

static int64_t most_of(const struct report_table *table, size_t column)
{
    int64_t most = 0;
    for (size_t row = 0; row < table->row_count; row++) {
        int64_t amount = row_is_sum(table, row) ? 0 : amount_of(table, row, column);
        most = amount > most ? amount : most;
    }
    return most;
}

/* A part of the width as an attribute: `width="62.5%"`. */
static void put_part(struct text_buffer *out, const char *attribute, int64_t permyriad)
{
    text_buffer_print(out, " %s=\"%" PRId64 ".%02" PRId64 "%%\"", attribute, permyriad / 100,
                      permyriad % 100);
}

static int64_t part_of(int64_t amount, int64_t most)
{
    return most > 0 ? (int64_t)((double)amount / (double)most * 10000 + 0.5) : 0;
}

static void put_title(struct text_buffer *out, const char *label, const char *value)
{
    text_buffer_add_text(out, "<title>");
    html_escape(out, label);
    text_buffer_add_text(out, ": ");
    html_escape(out, value);
    text_buffer_add_text(out, "</title>");
}

static void begin(const struct report_table *table, struct speech *speech, size_t height)
{
    struct text_buffer *out = speech->out;
    text_buffer_print(out, "<svg class=\"drawing\" role=\"img\" width=\"100%%\" height=\"%zu\"",
                      height);
    text_buffer_add_text(out, " aria-label=\"");
    html_escape(out, phrase_plain(speech, table->shape->title));
    text_buffer_add_text(out, "\">\n");
}

/* The line above a bar: what it is on the left, how much on the right, and what that means where
 * there is room ("": nothing). */
static void put_line_of_text(struct speech *speech, size_t y, const char *label, const char *value,
                             const char *state)
{
    struct text_buffer *out = speech->out;
    text_buffer_print(out, "<text x=\"0\" y=\"%zu\">", y);
    put_short(out, speech, label);
    text_buffer_print(out, "</text><text class=\"value\" x=\"100%%\" y=\"%zu\">", y);
    html_escape(out, value);
    if (*state) {
        text_buffer_add_text(out, "<tspan class=\"state\"> · ");
        html_escape(out, state);
        text_buffer_add_text(out, "</tspan>");
    }
    text_buffer_add_text(out, "</text>");
}

static void put_bar(struct text_buffer *out, const char *css, int64_t x, size_t y, int64_t width)
{
    text_buffer_print(out, "<rect class=\"%s\" y=\"%zu\" height=\"10\" rx=\"3\"", css, y);
    put_part(out, "x", x);
    put_part(out, "width", width);
    text_buffer_add_text(out, "/>");
}

/* ---- Bars and funnels ---- */

/* A channel with two currencies stands in two rows; it is drawn once. Nothing is drawn of nothing.
 */
static bool is_drawn(const struct report_table *table, size_t row)
{
    const struct report_value *label = table_cell(table, row, 0);
    if (row_is_sum(table, row) || amount_of(table, row, table->shape->drawn) == 0)
        return false;
    if (row == 0 || label->kind != VALUE_TEXT || table->shape->labels < 2)
        return true;
    const struct report_value *before = table_cell(table, row - 1, 0);
    return before->kind != VALUE_TEXT || strcmp(label->text, before->text) != 0;
}

static size_t count_drawn(const struct report_table *table)
{
    size_t count = 0;
    for (size_t row = 0; row < table->row_count && count < ROWS_DRAWN; row++)
        count += is_drawn(table, row);
    return count;
}

static void draw_bars(const struct report_table *table, struct speech *speech)
{
    struct text_buffer *out = speech->out;
    unsigned drawn = table->shape->drawn;
    int64_t most = most_of(table, drawn);
    size_t y = 0, rows = count_drawn(table);
    if (most == 0)
        return;
    begin(table, speech, rows * ROW_HEIGHT);
    for (size_t row = 0; rows > 0; row++) {
        if (!is_drawn(table, row))
            continue;
        const char *label = say_value(speech, table_cell(table, row, 0));
        const char *value = say_value(speech, table_cell(table, row, drawn));
        text_buffer_add_text(out, "<g>");
        put_title(out, label, value);
        put_line_of_text(speech, y + 15, label, value, "");
        put_bar(out, "bar", 0, y + 22, part_of(amount_of(table, row, drawn), most));
        text_buffer_add_text(out, "</g>\n");
        y += ROW_HEIGHT;
        rows--;
    }
    text_buffer_add_text(out, "</svg>\n");
}

/* How many of one stage went on, between its bar and the next. */
static void put_step(const struct report_table *table, struct speech *speech, size_t row, size_t y)
{
    const struct report_value *step = table_cell(table, row, table->shape->drawn + 1);
    if (step->kind != VALUE_PERCENT)
        return;
    text_buffer_print(speech->out, "<text class=\"small\" x=\"0\" y=\"%zu\">↓ ", y);
    html_escape(speech->out, say_value(speech, step));
    text_buffer_add_text(speech->out, "</text>");
}

static void draw_funnel(const struct report_table *table, struct speech *speech)
{
    struct text_buffer *out = speech->out;
    unsigned drawn = table->shape->drawn;
    int64_t most = most_of(table, drawn);
    size_t height = ROW_HEIGHT + STEP_HEIGHT;
    if (most == 0)
        return;
    begin(table, speech, table->row_count * height - STEP_HEIGHT);
    for (size_t row = 0, y = 0; row < table->row_count; row++, y += height) {
        const char *label = say_value(speech, table_cell(table, row, 0));
        const char *value = say_value(speech, table_cell(table, row, drawn));
        int64_t part = part_of(amount_of(table, row, drawn), most);
        text_buffer_add_text(out, "<g>");
        put_title(out, label, value);
        put_line_of_text(speech, y + 15, label, value, "");
        put_bar(out, "bar", 0, y + 22, part);
        put_step(table, speech, row, y + 50);
        text_buffer_add_text(out, "</g>\n");
    }
    text_buffer_add_text(out, "</svg>\n");
}

/* ---- Against a promise ---- */

static const struct report_value *judgement(const struct report_table *table, size_t row)
{
    return table->shape->judged ? table_cell(table, row, table->shape->judged - 1) : NULL;
}

static const char *tone_class(const struct report_value *judged)
{
    static const char *const classes[] = {"bar", "bar good", "bar bad"};
    return judged ? classes[judged->tone] : classes[0];
}

static void put_against(const struct report_table *table, struct speech *speech, size_t row,
                        size_t y)
{
    struct text_buffer *out = speech->out;
    const struct report_value *percent = table_cell(table, row, table->shape->drawn);
    const struct report_value *judged = judgement(table, row);
    const char *label = say_label(speech, table, row), *value = say_value(speech, percent);
    const char *state = judged ? say_value(speech, judged) : "";
    int64_t part = percent->amount * KEPT_AT / 10000;
    part = percent->amount > 12500 ? 10000 : part;
    text_buffer_add_text(out, "<g>");
    put_title(out, label, judged ? speech_print(speech, "%s · %s", value, state) : value);
    put_line_of_text(speech, y + 15, label, value, state);
    put_bar(out, "track", 0, y + 22, 10000);
    put_bar(out, tone_class(judged), 0, y + 22, part > 0 ? part : 0);
    text_buffer_print(out, "<line class=\"promised\" y1=\"%zu\" y2=\"%zu\"", y + 19, y + 35);
    put_part(out, "x1", KEPT_AT);
    put_part(out, "x2", KEPT_AT);
    text_buffer_add_text(out, "/></g>\n");
}

static void draw_against(const struct report_table *table, struct speech *speech)
{
    size_t rows = 0, y = 0;
    for (size_t row = 0; row < table->row_count; row++)
        rows += value_is_number(table_cell(table, row, table->shape->drawn));
    if (rows == 0)
        return;
    begin(table, speech, rows * ROW_HEIGHT + 16);
    for (size_t row = 0; row < table->row_count; row++) {
        if (!value_is_number(table_cell(table, row, table->shape->drawn)))
            continue;
        put_against(table, speech, row, y);
        y += ROW_HEIGHT;
    }
    text_buffer_print(speech->out, "<text class=\"step\" y=\"%zu\"", y + 8);
    put_part(speech->out, "x", KEPT_AT);
    text_buffer_add_text(speech->out, ">");
    html_escape(speech->out, phrase_plain(speech, MESSAGE_REPORT_DRAWN_PROMISED));
    text_buffer_add_text(speech->out, "</text></svg>\n");
}

/* ---- Over time ---- */

static void put_column(const struct report_table *table, struct speech *speech, size_t row,
                       size_t column, int64_t most)
{
    struct text_buffer *out = speech->out;
    int64_t step = 10000 / (int64_t)table->row_count,
            x = 10000 * (int64_t)row / (int64_t)table->row_count;
    int64_t amount = amount_of(table, row, column);
    size_t height = amount ? (size_t)(1 + (double)amount / (double)most * (TIME_HEIGHT - 1)) : 0;
    text_buffer_add_text(out, "<g>");
    put_title(out, say_value(speech, table_cell(table, row, 0)),
              say_value(speech, table_cell(table, row, column)));
    text_buffer_print(out, "<rect class=\"none\" y=\"0\" height=\"%d\"", TIME_HEIGHT);
    put_part(out, "x", x);
    put_part(out, "width", step);
    text_buffer_print(out, "/><rect class=\"bar\" y=\"%zu\" height=\"%zu\"", TIME_HEIGHT - height,
                      height);
    int64_t width = step - step / 5 < WIDEST ? step - step / 5 : WIDEST;
    put_part(out, "x", x + (step - width) / 2);
    put_part(out, "width", width);
    text_buffer_add_text(out, "/></g>\n");
}

static void put_axis(const struct report_table *table, struct speech *speech)
{
    struct text_buffer *out = speech->out;
    text_buffer_print(out, "<line class=\"axis\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>",
                      TIME_HEIGHT, TIME_HEIGHT);
    text_buffer_print(out, "<text class=\"small\" x=\"0\" y=\"%d\">", TIME_HEIGHT + 16);
    html_escape(out, say_value(speech, table_cell(table, 0, 0)));
    text_buffer_print(out, "</text><text class=\"small end\" x=\"100%%\" y=\"%d\">",
                      TIME_HEIGHT + 16);
    html_escape(out, say_value(speech, table_cell(table, table->row_count - 1, 0)));
    text_buffer_add_text(out, "</text>");
}

static void draw_series(const struct report_table *table, struct speech *speech, size_t column)
{
    struct text_buffer *out = speech->out;
    int64_t most = most_of(table, column);
    struct report_value sum = cell_count(0), highest = cell_points(most);
    for (size_t row = 0; row < table->row_count; row++)
        sum.amount += table_cell(table, row, column)->amount;
    text_buffer_add_text(out, "<figure><figcaption><b>");
    html_escape(out, say_value(speech, &sum));
    text_buffer_add_text(out, "</b> ");
    html_escape(out, phrase_plain(speech, table->shape->columns[column].head));
    text_buffer_add_text(out, "<span>");
    html_escape(out,
                phrase(speech, MESSAGE_REPORT_DRAWN_MOST, {"count", say_value(speech, &highest)}));
    text_buffer_add_text(out, "</span></figcaption>\n");
    begin(table, speech, TIME_HEIGHT + 20);
    for (size_t row = 0; row < table->row_count; row++)
        put_column(table, speech, row, column, most);
    put_axis(table, speech);
    text_buffer_add_text(out, "</svg></figure>\n");
}

static void draw_time(const struct report_table *table, struct speech *speech)
{
    text_buffer_add_text(speech->out, "<div class=\"series\">\n");
    for (size_t i = table->shape->drawn; i < table->shape->column_count; i++)
        draw_series(table, speech, i);
    text_buffer_add_text(speech->out, "</div>\n");
}

void drawing_svg(const struct report_table *table, struct speech *speech)
{
    if (table->row_count == 0)
        return;
    switch (table->shape->drawing) {
    case DRAW_NOTHING: return;
    case DRAW_BARS: draw_bars(table, speech); return;
    case DRAW_FUNNEL: draw_funnel(table, speech); return;
    case DRAW_TIME: draw_time(table, speech); return;
    case DRAW_AGAINST: draw_against(table, speech); return;
    }
}
