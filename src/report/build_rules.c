#include "report/build.h"

#include <stdlib.h>
#include <string.h>

enum { FIGURE_LEADS, FIGURE_SQL, FIGURE_WON, FIGURE_LOST };

struct outcomes {
    int64_t won, lost;
};

static bool text_is(struct baton_text text, const char *name)
{
    return strlen(name) == text.size && memcmp(text.data, name, text.size) == 0;
}

/* Whom a fit rule holds for is not counted, as it may hold for all: only who gets further. */
static bool is_fit(const struct baton_agreement *agreement, const char *name)
{
    for (uint32_t i = 0; i < agreement->fit_count; i++)
        if (text_is(agreement->fit[i].id, name))
            return true;
    return false;
}

/* Precision of the rule ÷ that of all, in hundredths, half up. */
static struct report_value lift_of(const struct group *rule, struct outcomes all)
{
    __extension__ typedef __int128 wide;
    int64_t won = rule->figures[FIGURE_WON], of = won + rule->figures[FIGURE_LOST];
    if (of <= 0 || all.won <= 0)
        return cell_none();
    wide over = (wide)won * (all.won + all.lost), under = (wide)of * all.won;
    return cell_points((int64_t)((over * 200 + under) / (under * 2)));
}

static void add_rule(struct build *build, struct report_table *table, const struct group *rule,
                     struct outcomes all)
{
    int64_t won = rule->figures[FIGURE_WON], lost = rule->figures[FIGURE_LOST];
    struct report_value *row = report_add_row(build->report, table);
    row[RULES_RULE] = build_name(build, rule->name);
    if (rule->figures[FIGURE_LEADS] || !is_fit(build->in->agreement, rule->name))
        row[RULES_LEADS] = cell_count(rule->figures[FIGURE_LEADS]);
    row[RULES_SQL] = cell_count(rule->figures[FIGURE_SQL]);
    row[RULES_WON] = cell_count(won);
    row[RULES_LOST] = cell_count(lost);
    row[RULES_PRECISION] = cell_because(MESSAGE_REPORT_W_TOO_FEW);
    if (won + lost < build->in->too_few || won + lost == 0)
        return;
    row[RULES_PRECISION] = cell_ratio(won, won + lost);
    row[RULES_RECALL] = cell_ratio(won, all.won);
    row[RULES_LIFT] = lift_of(rule, all);
}

/* Those that say most first; of which nothing can be concluded last. */
static int by_lift(const void *left, const void *right)
{
    const struct report_value *a = left, *b = right;
    bool known_a = a[RULES_LIFT].kind != VALUE_NONE, known_b = b[RULES_LIFT].kind != VALUE_NONE;
    if (known_a != known_b)
        return known_a ? -1 : 1;
    if (a[RULES_LIFT].amount != b[RULES_LIFT].amount)
        return a[RULES_LIFT].amount > b[RULES_LIFT].amount ? -1 : 1;
    if (a[RULES_SQL].amount != b[RULES_SQL].amount)
        return a[RULES_SQL].amount > b[RULES_SQL].amount ? -1 : 1;
    return strcmp(a[RULES_RULE].text, b[RULES_RULE].text);
}

static void add_rules(struct build *build)
{
    struct report_table *table = report_add_table(build->report, &table_rules);
    struct groups rules = {.build = build};
    struct outcomes all = {build_count(build, PACT_WON), build_count(build, PACT_LOST)};
    groups_add(&rules, FIGURE_LEADS, PACT_RULE_LEADS, PACT_RULE, NULL);
    groups_add(&rules, FIGURE_SQL, PACT_RULE_SQL, PACT_RULE, NULL);
    groups_add(&rules, FIGURE_WON, PACT_RULE_WON, PACT_RULE, NULL);
    groups_add(&rules, FIGURE_LOST, PACT_RULE_LOST, PACT_RULE, NULL);
    for (size_t i = 0; i < rules.count; i++)
        add_rule(build, table, &rules.rows[i], all);
    if (table->row_count)
        qsort(table->cells, table->row_count, table->shape->column_count * sizeof *table->cells,
              by_lift);
}

/* ---- What gave no sign ---- */

static void add_sign(struct build *build, struct report_table *table, struct baton_text name,
                     struct report_value kind)
{
    struct report_value *row = report_add_row(build->report, table);
    row[SILENT_NAME] = cell_text(build_keep_text(build, name));
    row[SILENT_KIND] = kind;
}

static void add_silent(struct build *build)
{
    const struct report_input *in = build->in;
    struct report_table *table = report_add_table(build->report, &table_silent);
    for (uint32_t i = 0; i < in->agreement->behaviour_count; i++) {
        struct baton_text id = in->agreement->behaviour[i].id;
        const char *name = build_keep_text(build, id);
        if (sums_get(in->sums, PACT_RULE_LEADS, PACT_RULE, name, "", in->span) == 0)
            add_sign(build, table, id, cell_word(MESSAGE_REPORT_W_RULE, "rule", TONE_PLAIN));
    }
    for (uint32_t i = 0; i < build->pact->goal_count; i++) {
        const struct baton_goal *goal = &build->pact->goals[i];
        struct goal_figure figure;
        goal_over(in->agreement, goal, in->sums, in->span, in->since, in->now_ms, &figure);
        if (!figure.known)
            add_sign(build, table, goal->id, cell_word(MESSAGE_REPORT_W_GOAL, "goal", TONE_PLAIN));
    }
}

/* ---- The shadow agreement ---- */

static struct report_value *add_shadow_row(struct build *build, struct report_table *table,
                                           enum message_id word, const char *id, int64_t leads)
{
    struct report_value *row = report_add_row(build->report, table);
    row[SHADOW_GROUP] = cell_word(word, id, TONE_PLAIN);
    row[SHADOW_LEADS] = cell_count(leads);
    return row;
}

static void put_outcomes(struct report_value *row, int64_t won, int64_t lost)
{
    row[SHADOW_WON] = cell_count(won);
    row[SHADOW_LOST] = cell_count(lost);
}

/* The first day on which a lead was compared, of those that are kept; none: INT32_MAX. */
static int32_t shadow_since(const struct build *build)
{
    static const enum pact_measure compared[] = {PACT_SHADOW_BOTH, PACT_SHADOW_ONLY,
                                                 PACT_SHADOW_LIVE_ONLY};
    for (int32_t day = build->today - PACT_DAYS_MAX; day <= build->today; day++) {
        struct calendar_span span = {day, day + 1};
        for (size_t i = 0; i < sizeof compared / sizeof *compared; i++)
            if (sums_get(build->in->sums, compared[i], PACT_ALL, "", "", span))
                return day;
    }
    return INT32_MAX;
}

static void say_shadow_since(struct build *build)
{
    int32_t day = shadow_since(build);
    if (day != INT32_MAX)
        report_add_note(build->report, MESSAGE_REPORT_SHADOW_SINCE)->holes[0] =
            (struct report_hole){"date", cell_date(day)};
}

static void add_shadow(struct build *build)
{
    struct report_table *table = report_add_table(build->report, &table_shadow);
    int64_t both = build_count(build, PACT_SHADOW_BOTH),
            only = build_count(build, PACT_SHADOW_ONLY),
            live = build_count(build, PACT_SHADOW_LIVE_ONLY),
            hours = build_count(build, PACT_SHADOW_EARLIER_H);
    if (both == 0 && only == 0 && live == 0)
        return;
    say_shadow_since(build);
    struct report_value *row =
        add_shadow_row(build, table, MESSAGE_REPORT_W_SHADOW_BOTH, "both", both);
    if (both > 0)
        row[SHADOW_HOURS] = cell_points(hours * 100 / both);
    (void)add_shadow_row(build, table, MESSAGE_REPORT_W_SHADOW_ONLY, "shadow only", only);
    (void)add_shadow_row(build, table, MESSAGE_REPORT_W_SHADOW_LIVE, "in force only", live);
    row = add_shadow_row(build, table, MESSAGE_REPORT_W_SHADOW_ALL, "shadow", both + only);
    put_outcomes(row, build_count(build, PACT_SHADOW_WON), build_count(build, PACT_SHADOW_LOST));
    row = add_shadow_row(build, table, MESSAGE_REPORT_W_LIVE_ALL, "in force", both + live);
    put_outcomes(row, build_count(build, PACT_SHADOW_LIVE_WON),
                 build_count(build, PACT_SHADOW_LIVE_LOST));
}

void build_rules(struct build *build)
{
    add_rules(build);
    add_silent(build);
    add_shadow(build);
}
