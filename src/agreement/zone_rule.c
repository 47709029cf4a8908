/* The rule at the end of a zone's file, in force after its last written change. */
#include "agreement/zone.h"

#include "base/arena.h"
#include "domain/calendar.h"

#include <stdlib.h>
#include <string.h>

struct day_rule {
    enum { DAY_JULIAN, DAY_OF_YEAR, DAY_OF_MONTH } kind;
    unsigned month, week, day; /* DAY_OF_MONTH; the others use `day` only */
    int64_t time_s;
};

struct clock_rule {
    int64_t standard_s, summer_s;
    bool has_summer;
    struct day_rule start, end;
};

static bool read_number(const char **at, unsigned most, unsigned *value)
{
    const char *p = *at;
    unsigned found = 0;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        found = found * 10 + (unsigned)(*p - '0');
        if (found > most)
            return false;
    }
    *at = p;
    *value = found;
    return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool read_time(const char **at, int64_t *seconds)
{
    unsigned parts[3] = {0, 0, 0};
    bool negative = **at == '-';
    if (**at == '-' || **at == '+')
        (*at)++;
    if (!read_number(at, 167, &parts[0]))
        return false;
    for (int i = 1; i < 3 && **at == ':'; i++) {
        (*at)++;
        if (!read_number(at, 59, &parts[i]))
            return false;
    }
    int64_t found = (int64_t)parts[0] * 3600 + parts[1] * 60 + parts[2];
    *seconds = negative ? -found : found;
    return true;
}

static bool skip_name(const char **at)
{
    const char *start = *at;
    if (**at == '<') {
        const char *end = strchr(*at, '>');
        if (!end)
            return false;
        *at = end + 1;
        return true;
    }
    while ((**at >= 'A' && **at <= 'Z') || (**at >= 'a' && **at <= 'z'))
        (*at)++;
    return *at - start >= 3;
}

static bool expect(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool read_day(const char **at, struct day_rule *rule)
{
    bool good;
    if (expect(at, 'M')) {
        rule->kind = DAY_OF_MONTH;
        good = read_number(at, 12, &rule->month) && expect(at, '.') &&
               read_number(at, 5, &rule->week) && expect(at, '.') &&
               read_number(at, 6, &rule->day) && rule->month >= 1 && rule->week >= 1;
    } else {
        rule->kind = expect(at, 'J') ? DAY_JULIAN : DAY_OF_YEAR;
        good = read_number(at, 365, &rule->day) && (rule->kind == DAY_OF_YEAR || rule->day >= 1);
    }
    rule->time_s = 7200;
    if (good && expect(at, '/'))
        good = read_time(at, &rule->time_s);
    return good;
}

static bool read_rule(const char *text, struct clock_rule *rule)
{
    const char *at = text;
    *rule = (struct clock_rule){0};
    if (!skip_name(&at) || !read_time(&at, &rule->standard_s))
        return false;
    rule->standard_s = -rule->standard_s; /* TZ counts westwards */
    if (!*at)
        return true;
    rule->has_summer = true;
    rule->summer_s = rule->standard_s + 3600;
    if (!skip_name(&at))
        return false;
    if (*at != ',') {
        if (!read_time(&at, &rule->summer_s))
            return false;
        rule->summer_s = -rule->summer_s;
    }
    return expect(&at, ',') && read_day(&at, &rule->start) && expect(&at, ',') &&
           read_day(&at, &rule->end) && !*at;
}

/* Days since 1970 of a rule's day in a year. */
static int64_t day_in_year(const struct day_rule *rule, int64_t year)
{
    int64_t first = calendar_days(year, 1, 1);
    bool leap = calendar_month_days(year, 2) == 29;
    switch (rule->kind) {
    case DAY_JULIAN: return first + rule->day - 1 + (leap && rule->day >= 60 ? 1 : 0);
    case DAY_OF_YEAR: return first + rule->day;
    case DAY_OF_MONTH: break;
    }
    int64_t month_start = calendar_days(year, rule->month, 1);
    int64_t weekday = ((month_start + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; Sunday is 0 */
    int64_t day = ((int64_t)rule->day - weekday + 7) % 7 + 7 * ((int64_t)rule->week - 1);
    while (day >= (int64_t)calendar_month_days(year, rule->month))
        day -= 7;
    return month_start + day;
}

void zone_table_add(struct zone_table *table, int64_t from_s, int64_t offset_s)
{
    if (table->count == table->room) {
        table->room = table->room ? 2 * table->room : 64;
        table->offsets = memory_resize(table->offsets, table->room * sizeof *table->offsets);
    }
    struct baton_zone_offset *last = table->count ? &table->offsets[table->count - 1] : NULL;
    if (!last || from_s <= 0) {
        table->offsets[0] = (struct baton_zone_offset){INT64_MIN, (int32_t)offset_s};
        table->count = 1;
    } else if (from_s * 1000 <= last->from_ms) {
        last->offset_s = (int32_t)offset_s;
    } else if (last->offset_s != offset_s) {
        table->offsets[table->count++] =
            (struct baton_zone_offset){from_s * 1000, (int32_t)offset_s};
    }
}

bool zone_table_extend(struct zone_table *table, const char *text, int64_t after_s)
{
    struct clock_rule rule;
    if (!read_rule(text, &rule) || llabs(rule.standard_s) > 93600 || llabs(rule.summer_s) > 93600)
        return false;
    if (!table->count)
        zone_table_add(table, INT64_MIN, rule.standard_s);
    if (!rule.has_summer)
        return true;
    int64_t first_year, after_days = (after_s > 0 ? after_s : 0) / 86400;
    unsigned month, day;
    calendar_date(after_days < INT32_MAX ? (int32_t)after_days : INT32_MAX, &first_year, &month,
                  &day);
    for (int64_t year = first_year; year <= ZONE_LAST_YEAR; year++) {
        int64_t start =
            day_in_year(&rule.start, year) * 86400 + rule.start.time_s - rule.standard_s;
        int64_t end = day_in_year(&rule.end, year) * 86400 + rule.end.time_s - rule.summer_s;
        for (int k = 0; k < 2; k++) {
            bool is_start = (k == 0) == (start < end);
            int64_t at = is_start ? start : end;
            if (at > after_s)
                zone_table_add(table, at, is_start ? rule.summer_s : rule.standard_s);
        }
    }
    return true;
}
