#include "report/say.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define GAP 2    /* blanks between columns, and before the first */
#define LEAST 10 /* no text is cut shorter than this */
#define BAR_LEAST 8
#define BAR_MOST 24
#define HEAD_LINES 2

/* ---- How wide a text is ---- */

static unsigned point_width(uint32_t point)
{
    if ((point >= 0x300 && point < 0x370) || point == 0x200b || point == 0x200d ||
        (point >= 0xfe00 && point <= 0xfe0f))
        return 0;
    bool wide = (point >= 0x1100 && point <= 0x115f) || (point >= 0x2e80 && point <= 0xa4cf) ||
                (point >= 0xac00 && point <= 0xd7a3) || (point >= 0xf900 && point <= 0xfaff) ||
                (point >= 0xff00 && point <= 0xff60) || (point >= 0x1f300 && point <= 0x1faff);
    return wide ? 2 : 1;
}

/* Bytes of the beginning that is at most `most` wide. */
static size_t cut_at(const char *text, size_t size, unsigned most, unsigned *width)
{
    const char *at = text, *end = text + size;
    *width = 0;
    while (at < end) {
        uint32_t point;
        size_t bytes = utf8_read(at, end, &point);
        unsigned more = bytes ? point_width(point) : 1;
        if (*width + more > most)
            break;
        *width += more;
        at += bytes ? bytes : 1;
    }
    return (size_t)(at - text);
}

static unsigned text_width(const char *text)
{
    unsigned width;
    (void)cut_at(text, strlen(text), 100000, &width);
    return width;
}

static void put_blanks(struct text_buffer *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_buffer_add(out, " ", 1);
}

/* Padded to `width`, cut with an ellipsis where it is longer. */
static void put_cell(struct text_buffer *out, const char *text, unsigned width, bool right)
{
    unsigned is = text_width(text), cut = is;
    size_t size = strlen(text);
    if (is > width)
        size = cut_at(text, size, width - 1, &cut);
    unsigned filled = is > width ? cut + 1 : is;
    put_blanks(out, GAP + (right ? width - filled : 0));
    text_buffer_add(out, text, size);
    text_buffer_add_text(out, is > width ? "…" : "");
    put_blanks(out, right ? 0 : width - filled);
}

/* Blanks at the end of a line help nobody. */
static void end_line(struct text_buffer *out)
{
    while (out->size && out->data[out->size - 1] == ' ')
        out->data[--out->size] = 0;
    text_buffer_add(out, "\n", 1);
}

/* ---- A table as texts ---- */

struct laid_out {
    const struct report_table *table;
    struct speech *speech;
    unsigned width; /* of the terminal */
    const char **cells, **heads;
    unsigned *widths;
    bool *right;
    size_t rows;
};

/* The least width at which a head takes two lines at most. */
static unsigned head_width(const char *head)
{
    unsigned whole = text_width(head), least = whole;
    for (const char *blank = strchr(head, ' '); blank; blank = strchr(blank + 1, ' ')) {
        unsigned first, rest = text_width(blank + 1);
        (void)cut_at(head, (size_t)(blank - head), 1000, &first);
        unsigned longer = first > rest ? first : rest;
        least = longer < least ? longer : least;
    }
    return least;
}

static void lay_out_column(struct laid_out *laid, size_t column)
{
    size_t columns = laid->table->shape->column_count;
    struct speech *speech = laid->speech;
    laid->heads[column] = phrase_plain(speech, laid->table->shape->columns[column].head);
    laid->widths[column] = head_width(laid->heads[column]);
    laid->right[column] = column_is_number(laid->table, column);
    for (size_t row = 0; row < laid->rows; row++) {
        const char *said = say_value(speech, table_cell(laid->table, row, column));
        unsigned width = text_width(said);
        laid->cells[row * columns + column] = said;
        laid->widths[column] = width > laid->widths[column] ? width : laid->widths[column];
    }
}

static unsigned sum_widths(const struct laid_out *laid, size_t from, size_t to)
{
    unsigned sum = 0;
    for (size_t i = from; i < to; i++)
        sum += laid->widths[i] + GAP;
    return sum;
}

/* What says what a row is may take half of the line at most. */
static void shrink_labels(struct laid_out *laid)
{
    size_t labels = laid->table->shape->labels;
    while (sum_widths(laid, 0, laid->table->shape->column_count) > laid->width &&
           sum_widths(laid, 0, labels) > laid->width / 2) {
        size_t widest = 0;
        for (size_t i = 1; i < labels; i++)
            widest = laid->widths[i] > laid->widths[widest] ? i : widest;
        if (laid->widths[widest] <= LEAST)
            return;
        laid->widths[widest]--;
    }
}

static void lay_out(struct laid_out *laid)
{
    size_t columns = laid->table->shape->column_count;
    struct arena *arena = &laid->speech->arena;
    laid->cells = arena_take(arena, (laid->rows * columns + 1) * sizeof *laid->cells);
    laid->heads = arena_take(arena, columns * sizeof *laid->heads);
    laid->widths = arena_take(arena, columns * sizeof *laid->widths);
    laid->right = arena_take(arena, columns * sizeof *laid->right);
    for (size_t i = 0; i < columns; i++)
        lay_out_column(laid, i);
    shrink_labels(laid);
}

/* ---- Columns from `first` to `end` behind the labels ---- */

struct block {
    const struct laid_out *laid;
    size_t first, end;
    unsigned bar; /* width of the bar at the end of the line; 0: none */
    int64_t most;
};

static bool in_block(const struct block *block, size_t column)
{
    return column < block->laid->table->shape->labels ||
           (column >= block->first && column < block->end);
}

/* The words of a head that stand in line `line`; the last line takes what is left. */
static const char *head_line(const struct laid_out *laid, size_t column, size_t line)
{
    const char *at = laid->heads[column];
    for (size_t now = 0;; now++) {
        unsigned width;
        size_t size = cut_at(at, strlen(at), laid->widths[column], &width);
        while (at[size] && at[size] != ' ' && size > 0)
            size--;
        if (size == 0 || now + 1 == HEAD_LINES)
            size = strlen(at);
        while (now == line && size && at[size - 1] == ' ')
            size--;
        if (now == line)
            return speech_print(laid->speech, "%.*s", (int)size, at);
        at += size;
        at += strspn(at, " ");
    }
}

static size_t head_lines(const struct block *block)
{
    for (size_t line = HEAD_LINES; line-- > 1;)
        for (size_t i = 0; i < block->laid->table->shape->column_count; i++)
            if (in_block(block, i) && *head_line(block->laid, i, line))
                return line + 1;
    return 1;
}

/* Heads stand at the bottom of their lines. */
static void put_heads(const struct block *block, struct text_buffer *out)
{
    const struct laid_out *laid = block->laid;
    size_t lines = head_lines(block);
    for (size_t line = 0; line < lines; line++) {
        for (size_t i = 0; i < laid->table->shape->column_count; i++) {
            if (!in_block(block, i))
                continue;
            size_t own = 1;
            while (own < lines && *head_line(laid, i, own))
                own++;
            const char *text = line + own >= lines ? head_line(laid, i, line + own - lines) : "";
            put_cell(out, text, laid->widths[i], laid->right[i]);
        }
        end_line(out);
    }
}

static int64_t drawn_amount(const struct laid_out *laid, size_t row)
{
    if (row_is_sum(laid->table, row))
        return 0;
    return value_size(table_cell(laid->table, row, laid->table->shape->drawn));
}

/* Against a promise the line is full where it is kept. */
static void put_bar(const struct block *block, size_t row, struct text_buffer *out)
{
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    bool against = block->laid->table->shape->drawing == DRAW_AGAINST;
    int64_t amount = drawn_amount(block->laid, row);
    if (against &&
        !value_is_number(table_cell(block->laid->table, row, block->laid->table->shape->drawn)))
        return;
    amount = amount > block->most ? block->most : amount;
    unsigned eighths = (unsigned)((double)amount / (double)block->most * block->bar * 8 + 0.5);
    put_blanks(out, GAP);
    for (unsigned i = 0; i < eighths / 8; i++)
        text_buffer_add_text(out, "█");
    text_buffer_add_text(out, parts[eighths % 8]);
    for (unsigned i = (eighths + 7) / 8; against && i < block->bar; i++)
        text_buffer_add_text(out, "░");
}

static void put_block(const struct block *block, struct text_buffer *out)
{
    const struct laid_out *laid = block->laid;
    size_t columns = laid->table->shape->column_count;
    put_heads(block, out);
    for (size_t row = 0; row < laid->rows; row++) {
        for (size_t i = 0; i < columns; i++)
            if (in_block(block, i))
                put_cell(out, laid->cells[row * columns + i], laid->widths[i], laid->right[i]);
        if (block->bar)
            put_bar(block, row, out);
        end_line(out);
    }
}

/* Is there room for bars behind these columns, and something to draw? */
static void plan_bar(struct block *block, unsigned used)
{
    const struct laid_out *laid = block->laid;
    const struct report_shape *shape = laid->table->shape;
    unsigned room = laid->width > used + GAP ? laid->width - used - GAP : 0;
    if (shape->drawing == DRAW_NOTHING || shape->drawn < block->first ||
        shape->drawn >= block->end || room < BAR_LEAST)
        return;
    for (size_t row = 0; row < laid->rows; row++) {
        int64_t amount = drawn_amount(laid, row);
        block->most = amount > block->most ? amount : block->most;
    }
    if (shape->drawing == DRAW_AGAINST)
        block->most = 10000;
    block->bar = block->most == 0 ? 0 : room < BAR_MOST ? room : BAR_MOST;
}

static void put_table(const struct laid_out *laid, struct text_buffer *out)
{
    const struct report_shape *shape = laid->table->shape;
    unsigned label_width = sum_widths(laid, 0, shape->labels);
    for (size_t first = shape->labels; first < shape->column_count;) {
        struct block block = {.laid = laid, .first = first, .end = first};
        unsigned used = label_width;
        do
            used += laid->widths[block.end++] + GAP;
        while (block.end < shape->column_count &&
               used + laid->widths[block.end] + GAP <= laid->width);
        plan_bar(&block, used);
        if (first > shape->labels)
            text_buffer_add_text(out, "\n");
        put_block(&block, out);
        first = block.end;
    }
}

/* ---- Over time: a line per column ---- */

static void put_spark(const struct report_table *table, size_t column, int64_t most,
                      struct text_buffer *out)
{
    static const char *const heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    for (size_t row = 0; row < table->row_count; row++) {
        int64_t amount = table_cell(table, row, column)->amount;
        size_t height = most > 0 && amount > 0 ? (size_t)((amount * 7 + most - 1) / most) : 0;
        text_buffer_add_text(out, heights[height]);
    }
}

static void put_lines(const struct laid_out *laid, struct text_buffer *out)
{
    const struct report_table *table = laid->table;
    const struct report_shape *shape = table->shape;
    unsigned head = 0;
    for (size_t i = shape->drawn; i < shape->column_count; i++)
        head = text_width(laid->heads[i]) > head ? text_width(laid->heads[i]) : head;
    for (size_t i = shape->drawn; i < shape->column_count; i++) {
        struct report_value least = *table_cell(table, 0, i), most = least;
        for (size_t row = 1; row < table->row_count; row++) {
            const struct report_value *value = table_cell(table, row, i);
            least = value->amount < least.amount ? *value : least;
            most = value->amount > most.amount ? *value : most;
        }
        put_cell(out, laid->heads[i], head, false);
        put_blanks(out, GAP);
        put_spark(table, i, most.amount, out);
        text_buffer_print(out, "  %s – %s\n", say_value(laid->speech, &least),
                          say_value(laid->speech, &most));
    }
}

/* ---- The whole ---- */

static void put_rule(struct text_buffer *out, const char *text, unsigned width)
{
    text_buffer_print(out, "\n── %s ", text);
    for (unsigned i = text_width(text) + 4; i < width; i++)
        text_buffer_add_text(out, "─");
    text_buffer_add_text(out, "\n");
}

/* Sentences are broken between words. */
static void put_sentence(struct text_buffer *out, const char *text, unsigned width)
{
    unsigned used = 0;
    while (*text) {
        size_t size = strcspn(text, " ");
        unsigned word;
        (void)cut_at(text, size, 100000, &word);
        if (used && used + 1 + word > width) {
            text_buffer_add_text(out, "\n");
            used = 0;
        }
        text_buffer_add_text(out, used ? " " : "");
        text_buffer_add(out, text, size);
        used += word + (used ? 1 : 0);
        text += size + (text[size] == ' ');
    }
    text_buffer_add_text(out, "\n");
}

static void print_table(const struct report *report, size_t index, struct speech *speech,
                        unsigned width)
{
    const struct report_table *table = &report->tables[index];
    struct laid_out laid = {
        .table = table, .speech = speech, .width = width, .rows = rows_shown(table)};
    struct text_buffer *out = speech->out;
    lay_out(&laid);
    if (table_begins_section(report, index))
        put_rule(out, phrase_plain(speech, table->shape->section), width);
    text_buffer_print(out, "\n%s\n", phrase_plain(speech, table->shape->title));
    if (table->shape->drawing == DRAW_TIME)
        put_lines(&laid, out);
    else
        put_table(&laid, out);
    const char *more = say_more(speech, table), *note = say_table_note(speech, report, table);
    if (*more)
        text_buffer_print(out, "  … %s\n", more);
    if (*note)
        put_sentence(out, note, width);
}

void report_print_terminal(const struct report *report, struct speech *speech, unsigned width)
{
    struct text_buffer *out = speech->out;
    width = width < 40 ? 40 : width;
    text_buffer_print(out, "%s\n%s\n\n", say_title(speech, report), say_period(speech, report));
    for (size_t i = 0; i < report->note_count; i++)
        put_sentence(out, say_note(speech, &report->notes[i]), width);
    for (size_t i = 0; i < report->table_count; i++)
        if (report->tables[i].row_count)
            print_table(report, i, speech, width);
    const char *empty = say_empty(speech, report);
    if (*empty) {
        text_buffer_add_text(out, "\n");
        put_sentence(out, empty, width);
    }
}
