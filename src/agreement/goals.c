/* The goals: what both sides want of a period. */
#include "agreement/building.h"
#include "text/currency.h"

#include <string.h>

#define GOALS_MAX 200
#define COUNT_MAX 1000000000
#define DAY_MS INT64_C(86400000)

static const char *const period_names[] = {"working day", "day",     "week",
                                           "month",       "quarter", "year"};
_Static_assert(sizeof period_names / sizeof *period_names == BATON_SPANS, "a name for each span");

/* What the list holds, in the order of baton_pact. Items that were not understood have an error. */
struct goal_list {
    struct baton_goal *goals;
    uint32_t count;
};

static struct baton_text literal(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

static void read_period(struct building *building, const struct yaml_node *goal,
                        struct baton_goal *out)
{
    const struct yaml_node *per = yaml_find(goal, "per");
    size_t index;
    if (!per || !value_choice(building, per, "`per`", period_names, BATON_SPANS, &index))
        return;
    out->per = (enum baton_span)index;
    if (out->per == BATON_SPAN_WORKING_DAY && !building->hours)
        error_plain_at(building, per, MESSAGE_FINDING_GOAL_NEEDS_HOURS);
}

static void read_customers(struct building *building, const struct yaml_node *node,
                           struct goal_list *list)
{
    static const struct key keys[] = {{"at_least", true}, {"per", true}, {"owner", true}};
    struct baton_goal *goal = &list->goals[list->count++];
    int64_t value = 0;
    *goal = (struct baton_goal){
        .id = literal("customers"), .measure = BATON_GOAL_CUSTOMERS, .side = BATON_SALES};
    (void)value_keys(building, node, word(building, MESSAGE_WHAT_GOAL_CUSTOMERS), keys, 3);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *at_least = yaml_find(node, "at_least");
    if (at_least)
        (void)value_whole(building, at_least, "`at_least`", 1, 1000000000, &value);
    goal->amount = value * 100;
    read_period(building, node, goal);
    goal->owner = optional_text(building, node, "owner", "`owner`");
}

static void read_conversion(struct building *building, const struct yaml_node *node,
                            struct goal_list *list)
{
    static const struct key keys[] = {{"one_in", true}, {"judge_after", false}, {"owner", true}};
    struct baton_goal *goal = &list->goals[list->count++];
    int64_t value = 0;
    *goal = (struct baton_goal){.id = literal("conversion"),
                                .measure = BATON_GOAL_CONVERSION,
                                .per = BATON_SPAN_MONTH,
                                .side = BATON_SALES,
                                .judge_after_ms = GOAL_JUDGE_AFTER_DEFAULT_MS};
    (void)value_keys(building, node, word(building, MESSAGE_WHAT_GOAL_CONVERSION), keys, 3);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *one_in = yaml_find(node, "one_in"),
                           *after = yaml_find(node, "judge_after");
    if (one_in)
        (void)value_whole(building, one_in, "`one_in`", 1, 1000000, &value);
    goal->amount = value * 100;
    if (after)
        (void)value_duration(building, after, "`judge_after`", &goal->judge_after_ms);
    goal->owner = optional_text(building, node, "owner", "`owner`");
}

static void wrong_amount(struct building *building, const struct yaml_node *node,
                         enum message_id finding, enum baton_measure measure, const char *what)
{
    error_at(building, node, finding, {"measure", baton_measure_name(measure)}, {"what", what});
}

/* The SQLs that marketing owes follow from the customers that sales wants: one in so many. */
static void add_delivery(struct building *building, const struct yaml_node *node,
                         struct goal_list *list)
{
    const struct baton_goal *customers = &list->goals[0], *conversion = &list->goals[1];
    int64_t one_in = conversion->amount / 100;
    if (one_in > 0 && customers->amount / 100 > COUNT_MAX / one_in) {
        wrong_amount(building, node, MESSAGE_FINDING_GOAL_COUNT, BATON_GOAL_SQLS,
                     "`at_least` × `one_in`");
        return;
    }
    struct baton_goal *delivery = &list->goals[list->count++];
    struct baton_text owner = building->marketing_by;
    if (!owner.size)
        owner = pact_of(building)->review_owner;
    *delivery = (struct baton_goal){.id = literal("delivery"),
                                    .measure = BATON_GOAL_SQLS,
                                    .amount = customers->amount * one_in,
                                    .per = customers->per,
                                    .side = BATON_MARKETING,
                                    .owner = owner.size ? owner : literal("marketing")};
}

/* ---- Goals of any measure
 * ------------------------------------------------------------------------ */

static bool is_rate(enum baton_measure measure)
{
    return measure == BATON_GOAL_MEETING_RATE || measure == BATON_GOAL_CONTACT_KEPT ||
           measure == BATON_GOAL_CHURN;
}

/* `30%`: hundredths of a per cent. */
static bool take_percent(const struct yaml_node *node, int64_t *amount)
{
    size_t digits = node->kind == YAML_SCALAR ? strspn(node->text.data, "0123456789") : 0;
    int64_t value = 0;
    if (digits == 0 || digits > 3 || strcmp(node->text.data + digits, "%") != 0)
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (node->text.data[i] - '0');
    *amount = value * 100;
    return value <= 100;
}

/* Rates are per cents, times are times, all else is counted. */
static void read_amount(struct building *building, const struct yaml_node *node, const char *what,
                        struct baton_goal *goal)
{
    int64_t value;
    if (is_rate(goal->measure)) {
        if (!take_percent(node, &goal->amount))
            wrong_amount(building, node, MESSAGE_FINDING_GOAL_PERCENT, goal->measure, what);
    } else if (goal->measure == BATON_GOAL_SALES_CYCLE) {
        if (yaml_whole(node, &value))
            wrong_amount(building, node, MESSAGE_FINDING_GOAL_DAYS, goal->measure, what);
        else if (value_duration(building, node, what, &value))
            goal->amount = value / (DAY_MS / 100);
    } else if (yaml_whole(node, &value) && value >= 0 && value <= COUNT_MAX) {
        goal->amount = value * 100;
    } else {
        wrong_amount(building, node, MESSAGE_FINDING_GOAL_COUNT, goal->measure, what);
    }
}

static void read_bound(struct building *building, const struct yaml_node *node, bool known,
                       struct baton_goal *goal)
{
    const struct yaml_node *least = yaml_find(node, "at_least"), *most = yaml_find(node, "at_most");
    goal->at_most = most != NULL;
    if (!least == !most)
        error_plain_at(building, most ? most : node, MESSAGE_FINDING_GOAL_ONE_BOUND);
    else if (known)
        read_amount(building, most ? most : least, most ? "`at_most`" : "`at_least`", goal);
}

/* What is meant by `eur`; else nothing. */
static const char *near_currency(struct building *building, struct baton_text text)
{
    char code[4];
    return currency_code(text, code)
               ? phrase(&building->findings->speech, MESSAGE_SUGGEST_NEAR, {"near", code})
               : "";
}

static bool is_currency(struct baton_text text)
{
    char code[4];
    return currency_code(text, code) && memcmp(code, text.data, 3) == 0;
}

static void read_currency(struct building *building, const struct yaml_node *node,
                          struct baton_goal *goal)
{
    const struct yaml_node *currency = yaml_find(node, "currency");
    bool wants = goal->measure == BATON_GOAL_REVENUE;
    goal->currency = optional_text(building, node, "currency", "`currency`");
    if (wants && !currency)
        error_plain_at(building, node, MESSAGE_FINDING_GOAL_CURRENCY);
    else if (currency && !wants)
        error_plain_at(building, currency, MESSAGE_FINDING_GOAL_NO_CURRENCY);
    else if (goal->currency.size && !is_currency(goal->currency))
        error_at(building, currency, MESSAGE_FINDING_CURRENCY, {"what", "`currency`"},
                 {"text", shown(building, goal->currency.data)},
                 {"suggestion", near_currency(building, goal->currency)});
}

/* Conversion is a goal of its own. */
static bool read_measure(struct building *building, const struct yaml_node *node,
                         enum baton_measure *measure)
{
    const char *names[BATON_GOAL_CONVERSION];
    const struct yaml_node *said = yaml_find(node, "measure");
    size_t index = 0;
    for (int i = 0; i < BATON_GOAL_CONVERSION; i++)
        names[i] = baton_measure_name((enum baton_measure)i);
    if (!said || !value_choice(building, said, "`measure`", names, BATON_GOAL_CONVERSION, &index))
        return false;
    *measure = (enum baton_measure)index;
    return true;
}

static enum baton_side side_of(enum baton_measure measure)
{
    switch (measure) {
    case BATON_GOAL_SQLS:
    case BATON_GOAL_MQLS:
    case BATON_GOAL_EMAIL_CLICKS: return BATON_MARKETING;
    case BATON_GOAL_MEETING_RATE: return BATON_BOTH;
    default: return BATON_SALES;
    }
}

static void find_double(struct building *building, const struct yaml_node *list,
                        const struct yaml_node *node, const struct yaml_node *id)
{
    for (const struct yaml_node *other = list->first; id && other != node; other = other->next) {
        const struct yaml_node *other_id =
            other->kind == YAML_MAPPING ? yaml_find(other, "id") : NULL;
        if (other_id && id->kind == YAML_SCALAR && yaml_is_text(other_id, id->text.data))
            error_at(building, id, MESSAGE_FINDING_GOAL_TWICE,
                     {"id", shown(building, id->text.data)},
                     {"line", number(building, other_id->line)});
    }
}

/* One whose measure is not known is not kept: it has an error. */
static void read_other_goal(struct building *building, const struct yaml_node *list,
                            const struct yaml_node *node, struct goal_list *out)
{
    static const struct key keys[] = {{"id", true},       {"measure", true},   {"at_least", false},
                                      {"at_most", false}, {"currency", false}, {"per", true},
                                      {"owner", true}};
    (void)value_keys(building, node, word(building, MESSAGE_WHAT_GOAL), keys,
                     sizeof keys / sizeof *keys);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *id = yaml_find(node, "id");
    struct baton_goal goal = {
        .id = optional_text(building, node, "id", word(building, MESSAGE_WHAT_GOAL_ID))};
    find_double(building, list, node, id);
    bool known = read_measure(building, node, &goal.measure);
    read_bound(building, node, known, &goal);
    if (known)
        read_currency(building, node, &goal);
    read_period(building, node, &goal);
    goal.owner = optional_text(building, node, "owner", "`owner`");
    goal.side = side_of(goal.measure);
    if (known)
        out->goals[out->count++] = goal;
}

static void read_others(struct building *building, const struct yaml_node *others,
                        struct goal_list *list)
{
    if (!value_list(building, others, "`others`") ||
        !value_few(building, others, GOALS_MAX, MESSAGE_THINGS_GOALS))
        return;
    for (const struct yaml_node *other = others->first; other; other = other->next)
        read_other_goal(building, others, other, list);
}

void goals_read(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"customers", false}, {"conversion", false}, {"others", false}};
    struct baton_pact *pact = pact_of(building);
    if (!value_keys(building, node, "`goals`", keys, 3))
        return;
    const struct yaml_node *customers = yaml_find(node, "customers"),
                           *conversion = yaml_find(node, "conversion"),
                           *others = yaml_find(node, "others");
    uint32_t room = others && others->kind == YAML_LIST ? others->count : 0;
    struct goal_list list = {.goals = arena_take(building->arena, (room + 3) * sizeof *list.goals)};
    if (customers)
        read_customers(building, customers, &list);
    if (conversion)
        read_conversion(building, conversion, &list);
    if (customers && conversion)
        add_delivery(building, conversion, &list);
    if (others)
        read_others(building, others, &list);
    pact->goals = list.goals;
    pact->goal_count = list.count;
}
