#include "domain_support.h"

static struct world world;

static void start(void)
{
    world_init(&world);
}

TestSuite(bucket, .init = start);

static void zone(size_t count, const struct baton_zone_offset *offsets)
{
    memcpy(world.zone, offsets, count * sizeof *offsets);
    world.agreement.zone_count = (uint32_t)count;
}

static int32_t bucket(enum baton_period period, int64_t time_ms)
{
    return baton_bucket(&world.agreement, period, time_ms);
}

/* New York in 2026: summer time from March 8, 2:00 EST, to November 1, 2:00 EDT. */
#define EST (-5 * 3600)
#define EDT (-4 * 3600)
#define SPRING_MS INT64_C(1772953200000) /* 2026-03-08T07:00:00Z */
#define AUTUMN_MS INT64_C(1793512800000) /* 2026-11-01T06:00:00Z */
static const struct baton_zone_offset new_york[] = {
    {INT64_MIN, EST}, {SPRING_MS, EDT}, {AUTUMN_MS, EST}};

Test(bucket, hours_are_those_of_utc_in_every_zone)
{
    zone(1, (struct baton_zone_offset[]){{INT64_MIN, 19800}});
    cr_assert_eq(bucket(BATON_PER_HOUR, 0), 0);
    cr_assert_eq(bucket(BATON_PER_HOUR, HOUR_MS - 1), 0);
    cr_assert_eq(bucket(BATON_PER_HOUR, HOUR_MS), 1);
    cr_assert_eq(bucket(BATON_PER_HOUR, BATON_TIME_MAX_MS), 70389527);
}

Test(bucket, days_begin_at_local_midnight)
{
    zone(1, (struct baton_zone_offset[]){{INT64_MIN, -3 * 3600}});
    int32_t monday = (int32_t)(MONDAY_MS / DAY_MS);
    cr_assert_eq(bucket(BATON_PER_DAY, MONDAY_MS + 3 * HOUR_MS - 1), monday - 1);
    cr_assert_eq(bucket(BATON_PER_DAY, MONDAY_MS + 3 * HOUR_MS), monday);
}

Test(bucket, west_of_greenwich_time_begins_on_the_day_before)
{
    zone(1, (struct baton_zone_offset[]){{INT64_MIN, -3600}});
    cr_assert_eq(bucket(BATON_PER_DAY, 0), -1);
    cr_assert_eq(bucket(BATON_PER_DAY, HOUR_MS), 0);
    cr_assert_eq(bucket(BATON_PER_MONTH, 0), 1969 * 12 + 11);
    cr_assert_eq(bucket(BATON_PER_MONTH, HOUR_MS), 1970 * 12);
}

Test(bucket, the_day_of_the_spring_change_has_23_hours)
{
    zone(3, new_york);
    int64_t midnight = SPRING_MS - 2 * HOUR_MS;
    int32_t day = bucket(BATON_PER_DAY, midnight);
    cr_assert_eq(bucket(BATON_PER_DAY, midnight - 1), day - 1);
    cr_assert_eq(bucket(BATON_PER_DAY, midnight + 23 * HOUR_MS - 1), day);
    cr_assert_eq(bucket(BATON_PER_DAY, midnight + 23 * HOUR_MS), day + 1);
}

Test(bucket, the_day_of_the_autumn_change_has_25_hours)
{
    zone(3, new_york);
    int64_t midnight = AUTUMN_MS - 2 * HOUR_MS;
    int32_t day = bucket(BATON_PER_DAY, midnight);
    cr_assert_eq(bucket(BATON_PER_DAY, midnight - 1), day - 1);
    cr_assert_eq(bucket(BATON_PER_DAY, midnight + 25 * HOUR_MS - 1), day);
    cr_assert_eq(bucket(BATON_PER_DAY, midnight + 25 * HOUR_MS), day + 1);
}

Test(bucket, a_change_takes_effect_at_its_millisecond)
{
    zone(2, (struct baton_zone_offset[]){{INT64_MIN, 0}, {MONDAY_MS - 1000, 3600}});
    cr_assert_eq(bucket(BATON_PER_DAY, MONDAY_MS - 1001), MONDAY_MS / DAY_MS - 1);
    cr_assert_eq(bucket(BATON_PER_DAY, MONDAY_MS - 1000), MONDAY_MS / DAY_MS);
}

Test(bucket, every_entry_of_a_long_zone_is_found)
{
    struct baton_zone_offset many[7] = {{INT64_MIN, 0}};
    for (int i = 1; i < 7; i++)
        many[i] = (struct baton_zone_offset){i * 100 * DAY_MS, i * 3600};
    for (uint32_t count = 1; count <= 7; count++) {
        zone(count, many);
        for (uint32_t i = 0; i < count; i++) {
            int64_t from = i * 100 * DAY_MS + 20 * DAY_MS;
            cr_assert_eq(bucket(BATON_PER_DAY, from + DAY_MS - 1 - i * HOUR_MS), from / DAY_MS);
            cr_assert_eq(bucket(BATON_PER_DAY, from + DAY_MS - i * HOUR_MS), from / DAY_MS + 1);
        }
    }
}

Test(bucket, weeks_begin_on_monday)
{
    int32_t week = bucket(BATON_PER_WEEK, MONDAY_MS);
    cr_assert_eq(bucket(BATON_PER_WEEK, MONDAY_MS - 1), week - 1);
    cr_assert_eq(bucket(BATON_PER_WEEK, MONDAY_MS + 7 * DAY_MS - 1), week);
    cr_assert_eq(bucket(BATON_PER_WEEK, MONDAY_MS + 7 * DAY_MS), week + 1);
    cr_assert_eq(bucket(BATON_PER_WEEK, 0), 0);
}

Test(bucket, the_first_weeks_of_time_are_counted_downwards)
{
    zone(1, (struct baton_zone_offset[]){{INT64_MIN, -12 * 3600}});
    cr_assert_eq(bucket(BATON_PER_WEEK, 0), 0, "a Wednesday there");
    cr_assert_eq(bucket(BATON_PER_DAY, 0), -1);
}

Test(bucket, months_are_those_of_the_local_calendar)
{
    cr_assert_eq(bucket(BATON_PER_MONTH, 951782400000), 2000 * 12 + 1, "2000-02-29");
    cr_assert_eq(bucket(BATON_PER_MONTH, 951868800000 - 1), 2000 * 12 + 1);
    cr_assert_eq(bucket(BATON_PER_MONTH, 951868800000), 2000 * 12 + 2, "2000-03-01");
    cr_assert_eq(bucket(BATON_PER_MONTH, BATON_TIME_MAX_MS), 9999 * 12 + 11);
    zone(1, (struct baton_zone_offset[]){{INT64_MIN, 14 * 3600}});
    cr_assert_eq(bucket(BATON_PER_MONTH, BATON_TIME_MAX_MS), 10000 * 12);
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

Test(bucket, every_month_from_1970_to_9999_has_its_days)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = 0;
    for (int year = 1970; year < 10000; year++)
        for (int month = 0; month < 12; month++) {
            cr_assert_eq(bucket(BATON_PER_MONTH, day * DAY_MS), year * 12 + month);
            day += days[month] + (month == 1 && is_leap(year));
            cr_assert_eq(bucket(BATON_PER_MONTH, day * DAY_MS - 1), year * 12 + month);
        }
}

Test(bucket, ever_is_one_bucket)
{
    cr_assert_eq(bucket(BATON_PER_EVER, 0), 0);
    cr_assert_eq(bucket(BATON_PER_EVER, BATON_TIME_MAX_MS), 0);
}
