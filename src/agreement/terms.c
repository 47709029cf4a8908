/* What both sides promised: checked here, in force in a later version. */
#include "agreement/building.h"

#include <string.h>

#define TEXT_MAX 200

static const char *const side_names[] = {"marketing", "sales"};
static const char *const rhythm_names[] = {"day", "week", "month", "quarter", "year"};
static const char *const goal_periods[] = {"working day", "day",     "week",
                                           "month",       "quarter", "year"};
static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static void optional_text(struct building *building, const struct yaml_node *mapping,
                          const char *key, const char *what)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    if (node)
        (void)value_text(building, node, what, TEXT_MAX);
}

static void optional_choice(struct building *building, const struct yaml_node *mapping,
                            const char *key, const char *what, const char *const *choices,
                            size_t count)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    size_t index;
    if (node)
        (void)value_choice(building, node, what, choices, count, &index);
}

static void optional_date(struct building *building, const struct yaml_node *mapping,
                          const char *key, const char *what)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    int64_t days;
    if (node)
        (void)value_date(building, node, what, &days);
}

/* ---- Header ---------------------------------------------------------------------------------- */

void terms_review(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"every", true}, {"next", false}, {"owner", false}};
    (void)value_keys(building, node, "`review`", keys, 3);
    if (node->kind != YAML_MAPPING)
        return;
    optional_choice(building, node, "every", "`every`", rhythm_names,
                    sizeof rhythm_names / sizeof *rhythm_names);
    optional_date(building, node, "next", "`next`");
    optional_text(building, node, "owner", "`owner`");
}

void terms_meeting(struct building *building, const struct yaml_node *node)
{
    size_t index;
    (void)value_choice(building, node, "`meeting`", rhythm_names,
                       sizeof rhythm_names / sizeof *rhythm_names, &index);
}

void terms_signed(struct building *building, const struct yaml_node *list)
{
    static const struct key keys[] = {{"side", true}, {"by", true}, {"date", true}};
    if (!value_list(building, list, "`signed`"))
        return;
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        (void)value_keys(building, node, "a signature", keys, 3);
        if (node->kind != YAML_MAPPING)
            continue;
        optional_choice(building, node, "side", "`side`", side_names, 2);
        optional_text(building, node, "by", "`by`");
        optional_date(building, node, "date", "`date`");
    }
}

void terms_ignore(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"bots", false}, {"user_agents", false}};
    if (!value_keys(building, node, "`ignore`", keys, 2))
        return;
    const struct yaml_node *bots = yaml_find(node, "bots"),
                           *agents = yaml_find(node, "user_agents");
    bool ignored;
    if (bots)
        (void)value_flag(building, bots, "`bots`", &ignored);
    if (!agents || !value_list(building, agents, "`user_agents`"))
        return;
    for (const struct yaml_node *agent = agents->first; agent; agent = agent->next)
        (void)value_text(building, agent, "a user agent", BATON_TEXT_MAX);
}

/* ---- Times in working hours ------------------------------------------------------------------ */

enum time_unit { TIME_ELAPSED, TIME_WORKING_HOURS, TIME_WORKING_DAYS };

/* `4 working hours`, `3 working days`, or elapsed time. */
static bool read_promise(struct building *building, const struct yaml_node *node, const char *what,
                         enum time_unit *unit, int64_t *amount)
{
    static const struct {
        const char *name;
        enum time_unit unit;
    } units[] = {{" working hour", TIME_WORKING_HOURS},
                 {" working hours", TIME_WORKING_HOURS},
                 {" working day", TIME_WORKING_DAYS},
                 {" working days", TIME_WORKING_DAYS}};
    size_t digits = node->kind == YAML_SCALAR ? strspn(node->text.data, "0123456789") : 0;
    *unit = TIME_ELAPSED;
    for (size_t i = 0; i < sizeof units / sizeof *units && digits > 0 && digits <= 5; i++) {
        if (strcmp(node->text.data + digits, units[i].name) != 0)
            continue;
        *unit = units[i].unit;
        *amount = 0;
        for (size_t k = 0; k < digits; k++)
            *amount = *amount * 10 + (node->text.data[k] - '0');
        if (*amount < 1)
            error_at(building, node, "%s must be more than nothing", what);
        else if (!building->hours)
            error_at(building, node, "%s counts working time, so `sales` must have `hours`", what);
        return *amount >= 1;
    }
    if (digits > 0 && node->text.data[digits] != ' ')
        return value_duration(building, node, what, amount);
    error_at(building, node,
             "%s must be a time like 4 working hours, 3 working days, 30m, 4h or 14d", what);
    return false;
}

static void optional_promise(struct building *building, const struct yaml_node *mapping,
                             const char *key, const char *what)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    enum time_unit unit;
    int64_t amount;
    if (node)
        (void)read_promise(building, node, what, &unit, &amount);
}

/* ---- Goals ----------------------------------------------------------------------------------- */

static void check_goal_period(struct building *building, const struct yaml_node *goal)
{
    const struct yaml_node *per = yaml_find(goal, "per");
    size_t index;
    if (per &&
        value_choice(building, per, "`per`", goal_periods,
                     sizeof goal_periods / sizeof *goal_periods, &index) &&
        index == 0 && !building->hours)
        error_at(building, per, "`per: working day` needs `hours` under `sales`");
}

static void check_customers(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"at_least", true}, {"per", true}, {"owner", false}};
    int64_t value;
    (void)value_keys(building, node, "the goal `customers`", keys, 3);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *at_least = yaml_find(node, "at_least");
    if (at_least)
        (void)value_whole(building, at_least, "`at_least`", 1, 1000000000, &value);
    check_goal_period(building, node);
    optional_text(building, node, "owner", "`owner`");
}

static void check_conversion(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"one_in", true}, {"judge_after", false}, {"owner", false}};
    int64_t value;
    (void)value_keys(building, node, "the goal `conversion`", keys, 3);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *one_in = yaml_find(node, "one_in"),
                           *after = yaml_find(node, "judge_after");
    if (one_in)
        (void)value_whole(building, one_in, "`one_in`", 1, 1000000, &value);
    if (after)
        (void)value_duration(building, after, "`judge_after`", &value);
    optional_text(building, node, "owner", "`owner`");
}

/* A whole number, or `30%`. */
static void check_amount(struct building *building, const struct yaml_node *node)
{
    size_t digits = node->kind == YAML_SCALAR ? strspn(node->text.data, "0123456789") : 0;
    bool percent = digits > 0 && digits <= 3 && strcmp(node->text.data + digits, "%") == 0;
    int64_t value;
    if (!percent)
        (void)value_whole(building, node, "`at_least`", 0, 1000000000, &value);
}

static void check_other_goal(struct building *building, const struct yaml_node *list,
                             const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"id", true}, {"measure", true}, {"at_least", true}, {"per", true}, {"owner", false}};
    (void)value_keys(building, node, "a goal", keys, sizeof keys / sizeof *keys);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *id = yaml_find(node, "id"), *at_least = yaml_find(node, "at_least");
    optional_text(building, node, "id", "a goal's `id`");
    for (const struct yaml_node *other = list->first; id && other != node; other = other->next) {
        const struct yaml_node *other_id =
            other->kind == YAML_MAPPING ? yaml_find(other, "id") : NULL;
        if (other_id && id->kind == YAML_SCALAR && yaml_is_text(other_id, id->text.data))
            error_at(building, id, "goal `%s` stands here twice (before in line %u)", id->text.data,
                     other_id->line);
    }
    optional_text(building, node, "measure", "`measure`");
    if (at_least)
        check_amount(building, at_least);
    check_goal_period(building, node);
    optional_text(building, node, "owner", "`owner`");
}

void terms_goals(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"customers", false}, {"conversion", false}, {"others", false}};
    if (!value_keys(building, node, "`goals`", keys, 3))
        return;
    const struct yaml_node *customers = yaml_find(node, "customers"),
                           *conversion = yaml_find(node, "conversion");
    const struct yaml_node *others = yaml_find(node, "others");
    if (customers)
        check_customers(building, customers);
    if (conversion)
        check_conversion(building, conversion);
    if (!others || !value_list(building, others, "`others`"))
        return;
    if (others->count > 200) {
        error_at(building, others, "more than 200 goals");
        return;
    }
    for (const struct yaml_node *other = others->first; other; other = other->next)
        check_other_goal(building, others, other);
}

/* ---- Sales ----------------------------------------------------------------------------------- */

static int day_index(const char *name, size_t size)
{
    for (int i = 0; i < 7; i++)
        if (size == 3 && memcmp(name, day_names[i], 3) == 0)
            return i;
    return -1;
}

/* `mon` or `mon-fri`. */
static void check_days(struct building *building, const struct yaml_node *node)
{
    if (!value_text(building, node, "`days`", TEXT_MAX))
        return;
    const char *dash = strchr(node->text.data, '-');
    size_t first_size = dash ? (size_t)(dash - node->text.data) : node->text.size;
    int first = day_index(node->text.data, first_size);
    int last = dash ? day_index(dash + 1, strlen(dash + 1)) : first;
    if (first < 0 || last < 0)
        error_at(building, node,
                 "`days` must be like mon-fri, or a list of mon, tue, wed, thu, fri, sat, sun");
    else if (last < first)
        error_at(building, node, "`days` ends before it begins; a week begins on Monday here");
}

/* 09:00 in minutes; -1 with a finding. 24:00 is the end of a day. */
static int clock_minutes(struct building *building, const struct yaml_node *node, const char *what)
{
    const char *text = node->text.data;
    if (node->kind == YAML_SCALAR && node->text.size == 5 && text[2] == ':' &&
        strspn(text, "0123456789") == 2 && strspn(text + 3, "0123456789") == 2) {
        int minutes =
            ((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 + text[4] - '0';
        if (text[3] <= '5' && minutes <= 24 * 60)
            return minutes;
    }
    error_at(building, node, "%s must be a time of the day like 09:00", what);
    return -1;
}

static void check_hours(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"days", true}, {"from", true}, {"to", true}, {"holidays", false}};
    (void)value_keys(building, node, "`hours`", keys, sizeof keys / sizeof *keys);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *days = yaml_find(node, "days"), *holidays = yaml_find(node, "holidays");
    const struct yaml_node *from = yaml_find(node, "from"), *to = yaml_find(node, "to");
    if (days && days->kind == YAML_LIST && value_list(building, days, "`days`"))
        for (const struct yaml_node *day = days->first; day; day = day->next)
            check_days(building, day);
    else if (days && days->kind != YAML_LIST)
        check_days(building, days);
    int start = from ? clock_minutes(building, from, "`from`") : -1;
    int end = to ? clock_minutes(building, to, "`to`") : -1;
    if (start >= 0 && end >= 0 && end <= start)
        error_at(building, to, "the day's work must end after it begins");
    if (!holidays || !value_list(building, holidays, "`holidays`"))
        return;
    int64_t day;
    for (const struct yaml_node *holiday = holidays->first; holiday; holiday = holiday->next)
        (void)value_date(building, holiday, "a holiday", &day);
}

static void check_first_contact(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"within", true}, {"remind", false}, {"owner", false}, {"escalate_to", false}};
    enum time_unit within_unit, remind_unit;
    int64_t within_amount, remind_amount;
    (void)value_keys(building, node, "`first_contact`", keys, sizeof keys / sizeof *keys);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *within = yaml_find(node, "within"), *remind = yaml_find(node, "remind");
    bool good = within && read_promise(building, within, "`within`", &within_unit, &within_amount);
    if (remind && read_promise(building, remind, "`remind`", &remind_unit, &remind_amount) &&
        good && within_unit == remind_unit && remind_amount >= within_amount)
        error_at(building, remind, "the reminder must come before the time is over");
    optional_text(building, node, "owner", "`owner`");
    optional_text(building, node, "escalate_to", "`escalate_to`");
}

static void check_promise(struct building *building, const struct yaml_node *node, const char *what)
{
    static const struct key keys[] = {{"within", true}, {"owner", false}};
    (void)value_keys(building, node, what, keys, 2);
    if (node->kind != YAML_MAPPING)
        return;
    optional_promise(building, node, "within", "`within`");
    optional_text(building, node, "owner", "`owner`");
}

static void check_reasons(struct building *building, const struct yaml_node *list)
{
    if (!value_list(building, list, "`reasons`"))
        return;
    if (list->count > 200) {
        error_at(building, list, "more than 200 reasons");
        return;
    }
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        if (!value_text(building, node, "a reason", TEXT_MAX))
            continue;
        for (const struct yaml_node *other = list->first; other != node; other = other->next)
            if (yaml_is_text(other, node->text.data))
                error_at(building, node, "reason `%s` stands here twice", node->text.data);
    }
}

void terms_sales(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"hours", false},
                                      {"first_contact", false},
                                      {"verdict", false},
                                      {"next_update", false},
                                      {"reasons", false}};
    if (!value_keys(building, node, "`sales`", keys, sizeof keys / sizeof *keys))
        return;
    const struct yaml_node *contact = yaml_find(node, "first_contact"),
                           *verdict = yaml_find(node, "verdict");
    const struct yaml_node *update = yaml_find(node, "next_update"),
                           *reasons = yaml_find(node, "reasons");
    if (building->hours)
        check_hours(building, building->hours);
    if (contact)
        check_first_contact(building, contact);
    if (verdict)
        check_promise(building, verdict, "`verdict`");
    if (update)
        check_promise(building, update, "`next_update`");
    if (reasons)
        check_reasons(building, reasons);
}

void terms_recycle(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"after", true}, {"score", true}};
    int64_t value;
    (void)value_keys(building, node, "`recycle`", keys, 2);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *after = yaml_find(node, "after"), *score = yaml_find(node, "score");
    if (after)
        (void)value_duration(building, after, "`after`", &value);
    if (score)
        (void)value_whole(building, score, "`score`", 0, BATON_SCORE_MAX, &value);
}
