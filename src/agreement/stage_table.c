#include "agreement/stage_table.h"

#include <baton/scoring.h>

#include <string.h>

#define NOTHING "-" /* it is told as ignored, and changes nothing */

struct column {
    enum baton_stage stage; /* one of those that share it */
    char head[64];
    int width;
};

static const char *cell(enum baton_stage stage, enum baton_report report)
{
    struct baton_ruling ruling = baton_rule_report(stage, report);
    return ruling.allowed ? baton_stage_name(ruling.stage) : NOTHING;
}

static bool same(enum baton_stage one, enum baton_stage other)
{
    for (int report = BATON_REPORT_NONE + 1; report < BATON_REPORTS; report++)
        if (strcmp(cell(one, (enum baton_report)report), cell(other, (enum baton_report)report)) !=
            0)
            return false;
    return true;
}

static void join(struct column *column, enum baton_stage stage)
{
    if (column->head[0])
        (void)strcat(column->head, ", ");
    (void)strcat(column->head, baton_stage_name(stage));
    column->width = (int)strlen(column->head);
}

/* All names of stages with commas between are shorter than a head. */
static size_t make_columns(struct column *columns)
{
    size_t count = 0;
    for (int stage = 0; stage < BATON_STAGES; stage++) {
        size_t i = 0;
        while (i < count && !same(columns[i].stage, (enum baton_stage)stage))
            i++;
        if (i == count)
            columns[count++] = (struct column){.stage = (enum baton_stage)stage};
        join(&columns[i], (enum baton_stage)stage);
    }
    return count;
}

static void say_row(struct text_buffer *out, const char *first, const struct column *columns,
                    size_t count, enum baton_report report)
{
    text_buffer_print(out, "  %-12s", first);
    for (size_t i = 0; i < count; i++) {
        const char *text = report ? cell(columns[i].stage, report) : columns[i].head;
        int width = i + 1 < count ? columns[i].width > 8 ? columns[i].width : 8 : 0;
        text_buffer_print(out, "  %-*s", width, text);
    }
    text_buffer_add_text(out, "\n");
}

void stage_table_say(struct speech *speech)
{
    struct column columns[BATON_STAGES];
    size_t count = make_columns(columns);
    say_row(speech->out, phrase_plain(speech, MESSAGE_REPORT), columns, count, BATON_REPORT_NONE);
    for (int report = BATON_REPORT_NONE + 1; report < BATON_REPORTS; report++)
        say_row(speech->out, baton_report_name((enum baton_report)report), columns, count,
                (enum baton_report)report);
}
