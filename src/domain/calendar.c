#include "domain/calendar.h"

#include <baton/scoring.h>

#include <assert.h>

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS 60000
#define DAY_MINUTES (24 * 60)

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- Dates ----------------------------------------------------------------------------------- */

/* Years begin in March here, so that the leap day is their last; 400 years have 146,097 days. */
int32_t calendar_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2 ? 1 : 0;
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year =
        (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int32_t)(era * 146097 + day_of_era - 719468);
}

void calendar_date(int32_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t from_march = (int64_t)days + 719468; /* of the year 0 */
    int64_t era = floor_divide(from_march, 146097);
    int64_t day_of_era = from_march - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

unsigned calendar_month_days(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

unsigned calendar_weekday(int32_t day)
{
    int32_t rest = (day + 3) % 7; /* 1970-01-01 was a Thursday */
    return (unsigned)(rest < 0 ? rest + 7 : rest);
}

int32_t calendar_first_monday(int64_t year)
{
    int32_t fourth = calendar_days(year, 1, 4);
    return fourth - (int32_t)calendar_weekday(fourth);
}

/* ---- Local time ------------------------------------------------------------------------------ */

int32_t calendar_day(const struct baton_agreement *agreement, int64_t time_ms)
{
    return baton_bucket(agreement, BATON_PER_DAY, time_ms);
}

#define OFFSET_MAX_MS (INT64_C(30) * 3600000) /* no zone is further from UTC */

/* The entry that holds at a time. */
static uint32_t entry_at(const struct baton_zone_offset *zone, uint32_t zone_count, int64_t time_ms)
{
    uint32_t low = 0, high = zone_count; /* it is in [low, high) */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (zone[middle].from_ms <= time_ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Of each stretch of the table: the moment at which its own clock shows the time, if it begins no
 * later; and its beginning, where the clock was put forward over that time. */
static int64_t first_moment(const struct baton_zone_offset *zone, uint32_t zone_count,
                            int64_t local_ms)
{
    assert(zone_count > 0);
    for (uint32_t i = entry_at(zone, zone_count, local_ms - OFFSET_MAX_MS); i < zone_count; i++) {
        int64_t moment = local_ms - (int64_t)zone[i].offset_s * 1000;
        if (moment < zone[i].from_ms)
            moment = zone[i].from_ms;
        if (i + 1 == zone_count || moment < zone[i + 1].from_ms)
            return moment;
    }
    return 0;
}

int64_t calendar_start_of_day(const struct baton_zone_offset *zone, uint32_t zone_count,
                              int64_t days)
{
    return first_moment(zone, zone_count, days * DAY_MS);
}

int64_t calendar_instant(const struct baton_agreement *agreement, int32_t day, int32_t minute)
{
    assert(minute >= 0 && minute <= DAY_MINUTES);
    return first_moment(agreement->zone, agreement->zone_count,
                        day * DAY_MS + (int64_t)minute * MINUTE_MS);
}

/* ---- Spans ----------------------------------------------------------------------------------- */

static bool is_holiday(const struct baton_hours *hours, int32_t day)
{
    uint32_t low = 0, high = hours->holiday_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (hours->holidays[middle] == day)
            return true;
        if (hours->holidays[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool calendar_is_working(const struct baton_hours *hours, int32_t day)
{
    if (!hours || !hours->given)
        return true;
    return (hours->days >> calendar_weekday(day) & 1) && !is_holiday(hours, day);
}

/* Holidays may stand in a row, and no list of them covers the years beyond. */
static struct calendar_span working_day_of(const struct baton_hours *hours, int32_t day)
{
    assert(!hours || !hours->given || (hours->days & 0x7f));
    int32_t last = day, first = day;
    while (!calendar_is_working(hours, last))
        last++;
    while (!calendar_is_working(hours, first - 1))
        first--;
    return (struct calendar_span){first, last + 1};
}

/* `count` months that begin with a month whose number is a multiple of count. */
static struct calendar_span months_of(int32_t day, unsigned count)
{
    int64_t year;
    unsigned month, of_month;
    calendar_date(day, &year, &month, &of_month);
    unsigned first = (month - 1) / count * count + 1, next = first + count;
    return (struct calendar_span){calendar_days(year, first, 1),
                                  next > 12 ? calendar_days(year + 1, 1, 1)
                                            : calendar_days(year, next, 1)};
}

struct calendar_span calendar_span_of(enum baton_span per, int32_t day,
                                      const struct baton_hours *hours)
{
    int32_t monday = day - (int32_t)calendar_weekday(day);
    switch (per) {
    case BATON_SPAN_WORKING_DAY: return working_day_of(hours, day);
    case BATON_SPAN_WEEK: return (struct calendar_span){monday, monday + 7};
    case BATON_SPAN_MONTH: return months_of(day, 1);
    case BATON_SPAN_QUARTER: return months_of(day, 3);
    case BATON_SPAN_YEAR: return months_of(day, 12);
    default: return (struct calendar_span){day, day + 1};
    }
}
