#include "report/build.h"

#include <string.h>

const char *build_keep(struct build *build, const char *text)
{
    return arena_copy(&build->report->arena, text, strlen(text) + 1);
}

const char *build_keep_text(struct build *build, struct baton_text text)
{
    char *kept = arena_take(&build->report->arena, (size_t)text.size + 1);
    if (text.size)
        memcpy(kept, text.data, text.size);
    kept[text.size] = 0;
    return kept;
}

struct report_value build_name(struct build *build, const char *name)
{
    if (strcmp(name, "(none)") == 0)
        return cell_word(MESSAGE_REPORT_W_NONE, "(none)", TONE_PLAIN);
    if (strcmp(name, "(other)") == 0)
        return cell_word(MESSAGE_REPORT_W_OTHER, "(other)", TONE_PLAIN);
    return cell_text(build_keep(build, name));
}

int64_t build_count(const struct build *build, enum pact_measure measure)
{
    return sums_get(build->in->sums, measure, PACT_ALL, "", "", build->in->span);
}

struct report_value build_side(enum baton_side side)
{
    static const enum message_id words[] = {MESSAGE_SIDE_MARKETING, MESSAGE_SIDE_SALES,
                                            MESSAGE_REPORT_W_BOTH};
    return cell_word(words[side], baton_side_name(side), TONE_PLAIN);
}

struct report_value build_per(enum baton_span per)
{
    static const enum message_id words[] = {MESSAGE_PERIOD_WORKING_DAY, MESSAGE_PERIOD_DAY,
                                            MESSAGE_PERIOD_WEEK,        MESSAGE_PERIOD_MONTH,
                                            MESSAGE_PERIOD_QUARTER,     MESSAGE_PERIOD_YEAR};
    if (per >= BATON_SPANS)
        return cell_none();
    return cell_word(words[per], baton_span_name(per), TONE_PLAIN);
}

/* ---- Groups ---- */

static void make_room(struct groups *groups)
{
    if (groups->count < groups->room)
        return;
    size_t room = groups->room ? 2 * groups->room : 32;
    struct group *rows = arena_take(&groups->build->report->arena, room * sizeof *rows);
    if (groups->count)
        memcpy(rows, groups->rows, groups->count * sizeof *rows);
    groups->rows = rows;
    groups->room = room;
}

struct group *groups_find(struct groups *groups, const char *name)
{
    size_t low = 0, high = groups->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(groups->rows[middle].name, name);
        if (order == 0)
            return &groups->rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    make_room(groups);
    struct group *row = &groups->rows[low];
    memmove(row + 1, row, (groups->count++ - low) * sizeof *row);
    *row = (struct group){.name = build_keep(groups->build, name)};
    return row;
}

struct adding {
    struct groups *groups;
    const char *second;
};

static void add_row(void *context, const struct sum_row *row)
{
    const struct adding *adding = context;
    if (adding->second && strcmp(adding->second, row->second) != 0)
        return;
    groups_find(adding->groups, row->value)->figures[adding->groups->figure] += row->amount;
}

void groups_add(struct groups *groups, size_t figure, enum pact_measure measure,
                enum pact_dimension dimension, const char *second)
{
    struct adding adding = {groups, second};
    groups->figure = figure;
    sums_each(groups->build->in->sums, measure, dimension, groups->build->in->span, add_row,
              &adding);
}

bool group_is_word(const struct group *group)
{
    return strcmp(group->name, "(none)") == 0 || strcmp(group->name, "(other)") == 0;
}
