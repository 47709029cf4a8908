#include "report/build.h"

#include <stdlib.h>
#include <string.h>

enum { FIGURE_MQL, FIGURE_SQL, FIGURE_CUSTOMERS };

/* Money of a channel or campaign in one currency. */
struct money {
    const char *name, *currency;
    int64_t spend, revenue;
};

struct sources {
    struct build *build;
    bool campaigns;
    int64_t share; /* figures of one: PACT_SHARE where leads are shared */
    struct groups groups;
    struct money *money; /* by name, then currency */
    size_t money_count, money_room;
};

static enum pact_dimension dimension_of(const struct sources *s)
{
    static const enum pact_dimension dimensions[2][3] = {
        {PACT_CHANNEL_FIRST, PACT_CHANNEL_LAST, PACT_CHANNEL_LINEAR},
        {PACT_CAMPAIGN_FIRST, PACT_CAMPAIGN_LAST, PACT_CAMPAIGN_LINEAR}};
    return dimensions[s->campaigns][s->build->in->attribution];
}

/* ---- Gathering ---- */

static void make_room(struct sources *s)
{
    if (s->money_count < s->money_room)
        return;
    size_t room = s->money_room ? 2 * s->money_room : 32;
    struct money *money = arena_take(&s->build->report->arena, room * sizeof *money);
    if (s->money_count)
        memcpy(money, s->money, s->money_count * sizeof *money);
    s->money = money;
    s->money_room = room;
}

static struct money *money_of(struct sources *s, const char *name, const char *currency)
{
    for (size_t i = 0; i < s->money_count; i++)
        if (strcmp(s->money[i].name, name) == 0 && strcmp(s->money[i].currency, currency) == 0)
            return &s->money[i];
    make_room(s);
    struct money *money = &s->money[s->money_count++];
    *money = (struct money){.name = groups_find(&s->groups, name)->name,
                            .currency = build_keep(s->build, currency)};
    return money;
}

static void add_revenue(void *context, const struct sum_row *row)
{
    struct sources *s = context;
    money_of(s, row->value, row->second)->revenue += row->amount;
}

static void add_spend(void *context, const struct spend_row *row)
{
    struct sources *s = context;
    money_of(s, s->campaigns ? row->campaign : row->channel, row->currency)->spend += row->amount;
}

static int by_name(const void *left, const void *right)
{
    const struct money *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->currency, b->currency);
}

static void gather(struct sources *s)
{
    struct build *build = s->build;
    enum pact_dimension dimension = dimension_of(s);
    s->groups.build = build;
    groups_add(&s->groups, FIGURE_MQL, PACT_MQL, dimension, NULL);
    groups_add(&s->groups, FIGURE_SQL, PACT_SQL, dimension, NULL);
    groups_add(&s->groups, FIGURE_CUSTOMERS, PACT_CUSTOMER, dimension, NULL);
    sums_each(build->in->sums, PACT_REVENUE, dimension, build->in->span, add_revenue, s);
    if (build->in->spend)
        spend_on(build->in->spend, build->in->span, add_spend, s);
    if (s->money_count)
        qsort(s->money, s->money_count, sizeof *s->money, by_name);
}

/* ---- Rows ---- */

static struct report_value count_value(int64_t figure, int64_t share)
{
    return share == 1 ? cell_count(figure) : cell_points((figure + share / 200) / (share / 100));
}

/* Half up. None: nothing was won with it, or nothing was spent. */
static struct report_value cost_value(int64_t spend, int64_t figure, int64_t share)
{
    __extension__ typedef __int128 wide;
    if (spend <= 0 || figure <= 0)
        return cell_none();
    wide cost = ((wide)spend * share * 2 + figure) / ((wide)figure * 2);
    return cost > INT64_MAX ? cell_none() : cell_money((int64_t)cost, "");
}

static void fill_row(struct report_value *row, const int64_t *figures, int64_t share,
                     const struct money *money)
{
    row[SOURCES_MQL] = count_value(figures[FIGURE_MQL], share);
    row[SOURCES_SQL] = count_value(figures[FIGURE_SQL], share);
    row[SOURCES_CUSTOMERS] = count_value(figures[FIGURE_CUSTOMERS], share);
    if (!money)
        return;
    row[SOURCES_CURRENCY] = cell_text(money->currency);
    if (money->spend)
        row[SOURCES_SPEND] = cell_money(money->spend, "");
    if (money->revenue)
        row[SOURCES_REVENUE] = cell_money(money->revenue, "");
    row[SOURCES_COST_MQL] = cost_value(money->spend, figures[FIGURE_MQL], share);
    row[SOURCES_COST_SQL] = cost_value(money->spend, figures[FIGURE_SQL], share);
    row[SOURCES_COST_CUSTOMER] = cost_value(money->spend, figures[FIGURE_CUSTOMERS], share);
}

static void add_source(struct sources *s, struct report_table *table, const struct group *group)
{
    bool any = false;
    for (size_t i = 0; i < s->money_count; i++) {
        if (strcmp(s->money[i].name, group->name) != 0)
            continue;
        struct report_value *row = report_add_row(s->build->report, table);
        row[SOURCES_NAME] = build_name(s->build, group->name);
        fill_row(row, group->figures, s->share, &s->money[i]);
        any = true;
    }
    if (any)
        return;
    struct report_value *row = report_add_row(s->build->report, table);
    row[SOURCES_NAME] = build_name(s->build, group->name);
    fill_row(row, group->figures, s->share, NULL);
}

static bool currency_before(const struct sources *s, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(s->money[i].currency, s->money[at].currency) == 0)
            return true;
    return false;
}

static int by_currency(const void *left, const void *right)
{
    return strcmp(((const struct money *)left)->currency, ((const struct money *)right)->currency);
}

/* A row for each currency. What was counted stands in each of them. */
static void add_totals(struct sources *s, struct report_table *table)
{
    struct build *build = s->build;
    struct money totals[64];
    size_t count = 0;
    int64_t figures[3] = {build_count(build, PACT_MQL), build_count(build, PACT_SQL),
                          build_count(build, PACT_CUSTOMER)};
    for (size_t i = 0; i < s->money_count && count < 64; i++) {
        if (currency_before(s, i))
            continue;
        struct money total = {.currency = s->money[i].currency};
        for (size_t j = i; j < s->money_count; j++) {
            bool same = strcmp(s->money[j].currency, total.currency) == 0;
            total.spend += same ? s->money[j].spend : 0;
            total.revenue += same ? s->money[j].revenue : 0;
        }
        totals[count++] = total;
    }
    qsort(totals, count, sizeof *totals, by_currency);
    for (size_t i = 0; i < (count ? count : 1); i++) {
        struct report_value *row = report_add_row(build->report, table);
        row[SOURCES_NAME] = cell_because(MESSAGE_REPORT_W_TOTAL);
        fill_row(row, figures, 1, count ? &totals[i] : NULL);
    }
}

static int by_sqls(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    if (a->figures[FIGURE_SQL] != b->figures[FIGURE_SQL])
        return a->figures[FIGURE_SQL] > b->figures[FIGURE_SQL] ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void add_sources(struct sources *s, const struct report_shape *shape)
{
    struct report_table *table = report_add_table(s->build->report, shape);
    if (s->groups.count == 0)
        return;
    qsort(s->groups.rows, s->groups.count, sizeof *s->groups.rows, by_sqls);
    for (size_t i = 0; i < s->groups.count; i++)
        add_source(s, table, &s->groups.rows[i]);
    add_totals(s, table);
}

/* ---- The cheapest, and the best ---- */

static struct report_value kind_of(const struct sources *s)
{
    return s->campaigns ? cell_word(MESSAGE_REPORT_W_CAMPAIGN, "campaign", TONE_PLAIN)
                        : cell_word(MESSAGE_REPORT_W_CHANNEL, "channel", TONE_PLAIN);
}

static const struct group *group_of(const struct sources *s, const char *name)
{
    for (size_t i = 0; i < s->groups.count; i++)
        if (strcmp(s->groups.rows[i].name, name) == 0)
            return &s->groups.rows[i];
    return NULL;
}

static void add_cheapest(struct sources *s, struct report_table *table)
{
    for (size_t i = 0; i < s->money_count; i++) {
        const struct money *money = &s->money[i];
        const struct group *group = group_of(s, money->name);
        if (!group || group_is_word(group) || money->spend <= 0 ||
            group->figures[FIGURE_CUSTOMERS] <= 0)
            continue;
        struct report_value *row = report_add_row(s->build->report, table);
        row[CHEAPEST_NAME] = build_name(s->build, money->name);
        row[CHEAPEST_KIND] = kind_of(s);
        row[CHEAPEST_CURRENCY] = cell_text(money->currency);
        row[CHEAPEST_SPEND] = cell_money(money->spend, "");
        row[CHEAPEST_CUSTOMERS] = count_value(group->figures[FIGURE_CUSTOMERS], s->share);
        row[CHEAPEST_COST] = cost_value(money->spend, group->figures[FIGURE_CUSTOMERS], s->share);
    }
}

/* By currency first: costs of two are not compared. */
static int by_cost(const void *left, const void *right)
{
    const struct report_value *a = left, *b = right;
    int order = strcmp(a[CHEAPEST_CURRENCY].text, b[CHEAPEST_CURRENCY].text);
    if (order)
        return order;
    if (a[CHEAPEST_COST].amount != b[CHEAPEST_COST].amount)
        return a[CHEAPEST_COST].amount < b[CHEAPEST_COST].amount ? -1 : 1;
    order = strcmp(a[CHEAPEST_NAME].text, b[CHEAPEST_NAME].text);
    return order ? order : strcmp(a[CHEAPEST_KIND].text, b[CHEAPEST_KIND].text);
}

static void add_best(struct sources *s, struct report_table *table)
{
    for (size_t i = 0; i < s->groups.count; i++) {
        const struct group *group = &s->groups.rows[i];
        int64_t sqls = group->figures[FIGURE_SQL], won = group->figures[FIGURE_CUSTOMERS];
        if (group_is_word(group) || sqls <= 0 || sqls / s->share < s->build->in->too_few)
            continue;
        struct report_value *row = report_add_row(s->build->report, table);
        row[BEST_NAME] = build_name(s->build, group->name);
        row[BEST_KIND] = kind_of(s);
        row[BEST_SQL] = count_value(sqls, s->share);
        row[BEST_CUSTOMERS] = count_value(won, s->share);
        row[BEST_RATE] = cell_ratio(won, sqls);
    }
}

static int by_rate(const void *left, const void *right)
{
    const struct report_value *a = left, *b = right;
    if (a[BEST_RATE].amount != b[BEST_RATE].amount)
        return a[BEST_RATE].amount > b[BEST_RATE].amount ? -1 : 1;
    int order = strcmp(a[BEST_NAME].text, b[BEST_NAME].text);
    return order ? order : strcmp(a[BEST_KIND].text, b[BEST_KIND].text);
}

static void sort_rows(struct report_table *table, int (*order)(const void *left, const void *right))
{
    if (table->row_count)
        qsort(table->cells, table->row_count, table->shape->column_count * sizeof *table->cells,
              order);
}

void build_channels(struct build *build)
{
    int64_t share = build->in->attribution == ATTRIBUTE_LINEAR ? PACT_SHARE : 1;
    struct sources channels = {.build = build, .share = share},
                   campaigns = {.build = build, .campaigns = true, .share = share};
    gather(&channels);
    gather(&campaigns);
    add_sources(&channels, &table_channels);
    add_sources(&campaigns, &table_campaigns);
    struct report_table *cheapest = report_add_table(build->report, &table_cheapest);
    add_cheapest(&channels, cheapest);
    add_cheapest(&campaigns, cheapest);
    sort_rows(cheapest, by_cost);
    struct report_table *best = report_add_table(build->report, &table_best);
    add_best(&channels, best);
    add_best(&campaigns, best);
    sort_rows(best, by_rate);
}
