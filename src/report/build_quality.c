#include "report/build.h"

#include <stdlib.h>
#include <string.h>

enum { FIGURE_MQL, FIGURE_SQL, FIGURE_WON, FIGURE_LOST };

/* ---- Days until something, by value of a dimension ---- */

struct days {
    const char *value;
    int64_t counts[PACT_DAYS_MAX + 1], all;
};

static void add_days(void *context, const struct sum_row *row)
{
    struct days *days = context;
    long long number = strtoll(row->second, NULL, 10);
    if (strcmp(row->value, days->value) != 0 || number < 0 || number > PACT_DAYS_MAX ||
        row->amount < 0)
        return;
    days->counts[number] += row->amount;
    days->all += row->amount;
}

/* The lower median of whole days. */
static struct report_value median_of(const struct build *build, enum pact_measure measure,
                                     enum pact_dimension dimension, const char *value)
{
    struct days days = {.value = value};
    int64_t before = 0, day = 0;
    sums_each(build->in->sums, measure, dimension, build->in->span, add_days, &days);
    if (days.all == 0)
        return cell_none();
    while (before + days.counts[day] < (days.all + 1) / 2)
        before += days.counts[day++];
    return cell_days(day * 100);
}

/* ---- Segments and sectors ---- */

static int by_won(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    for (int figure = FIGURE_WON; figure >= FIGURE_MQL; figure--)
        if (a->figures[figure] != b->figures[figure])
            return a->figures[figure] > b->figures[figure] ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void add_group(struct build *build, struct report_table *table,
                      enum pact_dimension dimension, const struct group *group)
{
    int64_t won = group->figures[FIGURE_WON], lost = group->figures[FIGURE_LOST];
    struct report_value *row = report_add_row(build->report, table);
    row[GROUPS_NAME] = build_name(build, group->name);
    row[GROUPS_MQL] = cell_count(group->figures[FIGURE_MQL]);
    row[GROUPS_SQL] = cell_count(group->figures[FIGURE_SQL]);
    row[GROUPS_WON] = cell_count(won);
    row[GROUPS_LOST] = cell_count(lost);
    row[GROUPS_WIN_RATE] = won + lost < build->in->too_few ? cell_because(MESSAGE_REPORT_W_TOO_FEW)
                                                           : cell_ratio(won, won + lost);
    row[GROUPS_CONTACT] = median_of(build, PACT_DAYS_CONTACT, dimension, group->name);
    row[GROUPS_PROPOSAL] = median_of(build, PACT_DAYS_PROPOSAL, dimension, group->name);
    row[GROUPS_CUSTOMER] = median_of(build, PACT_DAYS_CUSTOMER, dimension, group->name);
}

static void add_groups(struct build *build, const struct report_shape *shape,
                       enum pact_dimension dimension)
{
    struct report_table *table = report_add_table(build->report, shape);
    struct groups groups = {.build = build};
    groups_add(&groups, FIGURE_MQL, PACT_MQL, dimension, NULL);
    groups_add(&groups, FIGURE_SQL, PACT_SQL, dimension, NULL);
    groups_add(&groups, FIGURE_WON, PACT_WON, dimension, NULL);
    groups_add(&groups, FIGURE_LOST, PACT_LOST, dimension, NULL);
    if (groups.count == 1 && group_is_word(&groups.rows[0]))
        return; /* nobody says of anybody: it would be the funnel again */
    if (groups.count)
        qsort(groups.rows, groups.count, sizeof *groups.rows, by_won);
    for (size_t i = 0; i < groups.count; i++)
        add_group(build, table, dimension, &groups.rows[i]);
}

/* ---- Reasons and obstacles ---- */

static int by_count(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    if (a->figures[0] != b->figures[0])
        return a->figures[0] > b->figures[0] ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void add_reasons(struct build *build)
{
    struct report_table *table = report_add_table(build->report, &table_reasons);
    struct groups groups = {.build = build};
    int64_t all = 0;
    groups_add(&groups, 0, PACT_REJECTED, PACT_REASON, NULL);
    if (groups.count)
        qsort(groups.rows, groups.count, sizeof *groups.rows, by_count);
    for (size_t i = 0; i < groups.count; i++)
        all += groups.rows[i].figures[0];
    for (size_t i = 0; i < groups.count; i++) {
        struct report_value *row = report_add_row(build->report, table);
        row[REASONS_REASON] = build_name(build, groups.rows[i].name);
        row[REASONS_COUNT] = cell_count(groups.rows[i].figures[0]);
        row[REASONS_SHARE] = cell_ratio(groups.rows[i].figures[0], all);
    }
}

struct obstacles {
    struct build *build;
    struct report_table *table;
};

static void add_obstacle(void *context, const struct sum_row *sum)
{
    const struct obstacles *obstacles = context;
    struct report_value *row = report_add_row(obstacles->build->report, obstacles->table);
    row[OBSTACLES_OBSTACLE] = build_name(obstacles->build, sum->second);
    row[OBSTACLES_WHERE] = build_name(obstacles->build, sum->value);
    row[OBSTACLES_COUNT] = cell_count(sum->amount);
}

static int by_obstacle(const void *left, const void *right)
{
    const struct report_value *a = left, *b = right;
    if (a[OBSTACLES_COUNT].amount != b[OBSTACLES_COUNT].amount)
        return a[OBSTACLES_COUNT].amount > b[OBSTACLES_COUNT].amount ? -1 : 1;
    int order = strcmp(a[OBSTACLES_OBSTACLE].text, b[OBSTACLES_OBSTACLE].text);
    return order ? order : strcmp(a[OBSTACLES_WHERE].text, b[OBSTACLES_WHERE].text);
}

static void add_obstacles(struct build *build, const struct report_shape *shape,
                          enum pact_dimension dimension)
{
    struct obstacles obstacles = {build, report_add_table(build->report, shape)};
    struct report_table *table = obstacles.table;
    sums_each(build->in->sums, PACT_OBSTACLE, dimension, build->in->span, add_obstacle, &obstacles);
    if (table->row_count)
        qsort(table->cells, table->row_count, table->shape->column_count * sizeof *table->cells,
              by_obstacle);
}

void build_quality(struct build *build)
{
    add_groups(build, &table_segments, PACT_SEGMENT);
    add_groups(build, &table_sectors, PACT_SECTOR);
    add_reasons(build);
    add_obstacles(build, &table_obstacles_pages, PACT_BY_PAGE);
    add_obstacles(build, &table_obstacles_campaigns, PACT_BY_CAMPAIGN);
}
