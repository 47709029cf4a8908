/* What sales owes: its hours, and the times within which it answers. */
#include "agreement/building.h"

#include <stdlib.h>
#include <string.h>

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* ---- Times in working hours ------------------------------------------------------------------ */

/* `4 business hours` and `4`: what may be meant. */
static const char *near_times(struct building *building, const struct yaml_node *node,
                              size_t digits)
{
    struct speech *speech = &building->findings->speech;
    const char *amount = speech_print(speech, "%.*s", (int)digits, node->text.data);
    bool one = strcmp(amount, "1") == 0, days = strstr(node->text.data + digits, "day") != NULL;
    if (digits == 0 || digits > 4 || strspn(amount, "0") == digits)
        return "";
    return phrase(speech, MESSAGE_SUGGEST_TIMES,
                  {"elapsed", speech_print(speech, "%s%c", amount, days ? 'd' : 'h')},
                  {"working", speech_print(speech, "%s working %s%s", amount, days ? "day" : "hour",
                                           one ? "" : "s")});
}

static void not_a_promise(struct building *building, const struct yaml_node *node, const char *what,
                          size_t digits)
{
    const char *given = "";
    if (node->kind == YAML_SCALAR && node->text.size)
        given = phrase(&building->findings->speech, MESSAGE_GIVEN_NOT,
                       {"text", shown(building, node->text.data)},
                       {"suggestion", near_times(building, node, digits)});
    error_at(building, node, MESSAGE_FINDING_NOT_PROMISE, {"what", what}, {"given", given});
}

/* `4 working hours`, `3 working days`, or elapsed time. */
static bool read_promise(struct building *building, const struct yaml_node *node, const char *what,
                         struct baton_promise *promise)
{
    static const struct {
        const char *name;
        enum baton_promise_unit unit;
    } units[] = {{" working hour", BATON_WORKING_HOURS},
                 {" working hours", BATON_WORKING_HOURS},
                 {" working day", BATON_WORKING_DAYS},
                 {" working days", BATON_WORKING_DAYS}};
    size_t digits = node->kind == YAML_SCALAR ? strspn(node->text.data, "0123456789") : 0;
    int64_t amount;
    *promise = (struct baton_promise){.unit = BATON_ELAPSED};
    for (size_t i = 0; i < sizeof units / sizeof *units && digits > 0 && digits <= 5; i++) {
        if (strcmp(node->text.data + digits, units[i].name) != 0)
            continue;
        amount = 0;
        for (size_t k = 0; k < digits; k++)
            amount = amount * 10 + (node->text.data[k] - '0');
        *promise = (struct baton_promise){units[i].unit, amount};
        if (amount < 1)
            error_at(building, node, MESSAGE_FINDING_NO_TIME, {"what", what});
        else if (!building->hours)
            error_at(building, node, MESSAGE_FINDING_NEEDS_HOURS, {"what", what});
        return amount >= 1;
    }
    if (digits > 0 && node->text.data[digits] && node->text.data[digits] != ' ')
        return value_duration(building, node, what, &promise->amount);
    not_a_promise(building, node, what, digits);
    return false;
}

/* ---- Hours ----------------------------------------------------------------------------------- */

static int day_index(const char *name, size_t size)
{
    for (int i = 0; i < 7; i++)
        if (size == 3 && memcmp(name, day_names[i], 3) == 0)
            return i;
    return -1;
}

/* `mon` or `mon-fri`: bit 0 is Monday. */
static uint8_t read_days(struct building *building, const struct yaml_node *node)
{
    if (!value_text(building, node, "`days`", TERM_TEXT_MAX))
        return 0;
    const char *dash = strchr(node->text.data, '-');
    size_t first_size = dash ? (size_t)(dash - node->text.data) : node->text.size;
    int first = day_index(node->text.data, first_size);
    int last = dash ? day_index(dash + 1, strlen(dash + 1)) : first;
    if (first < 0 || last < 0)
        error_plain_at(building, node, MESSAGE_FINDING_NOT_DAYS);
    else if (last < first)
        error_plain_at(building, node, MESSAGE_FINDING_DAYS_BACKWARDS);
    else
        return (uint8_t)((2u << last) - (1u << first));
    return 0;
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
    error_at(building, node, MESSAGE_FINDING_NOT_CLOCK, {"what", what});
    return -1;
}

static int in_order(const void *a, const void *b)
{
    const int32_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static void read_holidays(struct building *building, const struct yaml_node *list,
                          struct baton_hours *hours)
{
    uint32_t count = 0, kept = 0;
    if (!value_list(building, list, "`holidays`"))
        return;
    int32_t *days = arena_take(building->arena, (list->count + 1) * sizeof *days);
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        int64_t day;
        if (value_date(building, node, word(building, MESSAGE_WHAT_HOLIDAY), &day))
            days[count++] = (int32_t)day;
    }
    qsort(days, count, sizeof *days, in_order);
    for (uint32_t i = 0; i < count; i++)
        if (!kept || days[kept - 1] != days[i])
            days[kept++] = days[i];
    hours->holidays = days;
    hours->holiday_count = kept;
}

void promises_hours(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"days", true}, {"from", true}, {"to", true}, {"holidays", false}};
    struct baton_hours *hours = &pact_of(building)->hours;
    (void)value_keys(building, node, "`hours`", keys, sizeof keys / sizeof *keys);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *days = yaml_find(node, "days"), *holidays = yaml_find(node, "holidays");
    const struct yaml_node *from = yaml_find(node, "from"), *to = yaml_find(node, "to");
    hours->given = true;
    if (days && days->kind == YAML_LIST && value_list(building, days, "`days`"))
        for (const struct yaml_node *day = days->first; day; day = day->next)
            hours->days |= read_days(building, day);
    else if (days && days->kind != YAML_LIST)
        hours->days = read_days(building, days);
    hours->from_minute = from ? clock_minutes(building, from, "`from`") : -1;
    hours->to_minute = to ? clock_minutes(building, to, "`to`") : -1;
    if (hours->from_minute >= 0 && hours->to_minute >= 0 && hours->to_minute <= hours->from_minute)
        error_plain_at(building, to, MESSAGE_FINDING_HOURS_BACKWARDS);
    if (holidays)
        read_holidays(building, holidays, hours);
}

/* ---- Clocks ---------------------------------------------------------------------------------- */

static void read_clock(struct building *building, const struct yaml_node *node,
                       enum baton_clock_id id)
{
    struct baton_clock_rule *rule = &pact_of(building)->clocks[id];
    const struct yaml_node *within = yaml_find(node, "within"), *remind = yaml_find(node, "remind");
    struct baton_promise before;
    bool good = within && read_promise(building, within, "`within`", &rule->within);
    rule->owner = optional_text(building, node, "owner", "`owner`");
    if (!remind || !read_promise(building, remind, "`remind`", &before))
        return;
    if (good && rule->within.unit == before.unit && before.amount >= rule->within.amount)
        error_plain_at(building, remind, MESSAGE_FINDING_REMINDER_LATE);
    rule->remind = before;
}

void promises_first_contact(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {
        {"within", true}, {"remind", false}, {"owner", false}, {"escalate_to", false}};
    (void)value_keys(building, node, "`first_contact`", keys, sizeof keys / sizeof *keys);
    if (node->kind != YAML_MAPPING)
        return;
    read_clock(building, node, BATON_CLOCK_CONTACT);
    pact_of(building)->clocks[BATON_CLOCK_CONTACT].escalate_to =
        optional_text(building, node, "escalate_to", "`escalate_to`");
}

static void read_plain_clock(struct building *building, const struct yaml_node *node,
                             const char *what, enum baton_clock_id id)
{
    static const struct key keys[] = {{"within", true}, {"owner", false}};
    (void)value_keys(building, node, what, keys, 2);
    if (node->kind == YAML_MAPPING)
        read_clock(building, node, id);
}

void promises_verdict(struct building *building, const struct yaml_node *node)
{
    read_plain_clock(building, node, "`verdict`", BATON_CLOCK_VERDICT);
}

void promises_next_update(struct building *building, const struct yaml_node *node)
{
    read_plain_clock(building, node, "`next_update`", BATON_CLOCK_UPDATE);
}

/* Who names the first owner names those behind it, so one finding is enough for all. */
static void find_ownerless(struct building *building, const struct yaml_node *sales)
{
    for (int i = 0; i < BATON_CLOCKS; i++) {
        const char *name = baton_clock_name((enum baton_clock_id)i);
        const struct yaml_node *clock = yaml_find(sales, name);
        if (!clock)
            continue;
        if (clock->kind == YAML_MAPPING && !yaml_find(clock, "owner"))
            value_missing(building, clock, "owner",
                          speech_print(&building->findings->speech, "`%s`", name));
        return;
    }
}

void promises_end(struct building *building, const struct yaml_node *sales)
{
    struct baton_pact *pact = building->pact;
    find_ownerless(building, sales);
    for (unsigned i = 0; pact && i < BATON_CLOCKS; i++) {
        struct baton_clock_rule *rule = &pact->clocks[i];
        pact->has_clocks |= rule->within.amount > 0;
        if (i && !rule->owner.size)
            rule->owner = pact->clocks[i - 1].owner;
    }
}
