/* Days, local time of day, and the spans that promises are counted by. */
#include "domain_support.h"

#include "domain/calendar.h"

#define MINUTES(h, m) ((h)*60 + (m))

/* Berlin: +1, in summer +2. Both changes of 2026, at 01:00 UTC. */
static const struct baton_zone_offset berlin[] = {
    {INT64_MIN, 3600}, {INT64_C(1774746000000), 7200}, {INT64_C(1792890000000), 3600}};
/* Lord Howe: +10:30, in summer +11:00: the clock goes half an hour, at 02:00 local time. */
static const struct baton_zone_offset howe[] = {
    {INT64_MIN, 39600}, {INT64_C(1775314800000), 37800}, {INT64_C(1791041400000), 39600}};
/* São Paulo as it was: put forward over midnight on 2018-11-04. */
static const struct baton_zone_offset sao_paulo[] = {{INT64_MIN, -10800},
                                                     {INT64_C(1541300400000), -7200}};

static struct baton_agreement in_zone(const struct baton_zone_offset *zone, uint32_t count)
{
    return (struct baton_agreement){.zone = zone, .zone_count = count};
}

static const struct baton_hours weekdays = {
    .given = true, .days = 0x1f, .from_minute = 540, .to_minute = 1080};

static void is_span(struct calendar_span span, int32_t first, int32_t end)
{
    cr_expect(span.first == first && span.end == end, "[%d, %d)", span.first, span.end);
}

Test(calendar, every_day_of_four_hundred_years_has_its_date)
{
    int64_t year = 1970;
    unsigned month = 1, day = 1;
    for (int32_t at = 0; at < 146097; at++) {
        int64_t found_year;
        unsigned found_month, found_day;
        calendar_date(at, &found_year, &found_month, &found_day);
        cr_assert(found_year == year && found_month == month && found_day == day, "day %d", at);
        cr_assert_eq(calendar_days(year, month, day), at);
        cr_assert_eq(calendar_weekday(at), (unsigned)(at + 3) % 7);
        if (++day > calendar_month_days(year, month)) {
            day = 1;
            month = month % 12 + 1;
            year += month == 1;
        }
    }
}

Test(calendar, a_minute_that_the_clock_jumps_over_is_the_moment_of_the_jump)
{
    struct baton_agreement agreement = in_zone(berlin, 3);
    int32_t day = calendar_days(2026, 3, 29);
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(1, 59)), INT64_C(1774745940000));
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(2, 30)), INT64_C(1774746000000));
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(3, 0)), INT64_C(1774746000000));
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(3, 1)), INT64_C(1774746060000));
}

Test(calendar, a_minute_that_comes_twice_is_its_first)
{
    struct baton_agreement agreement = in_zone(berlin, 3);
    int32_t day = calendar_days(2026, 10, 25);
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(2, 30)), INT64_C(1792888200000));
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(3, 0)), INT64_C(1792893600000));
}

Test(calendar, a_clock_may_go_by_half_an_hour)
{
    struct baton_agreement agreement = in_zone(howe, 3);
    int32_t day = calendar_days(2026, 10, 4);
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(1, 59)), INT64_C(1791041340000));
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(2, 10)), INT64_C(1791041400000));
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(2, 30)), INT64_C(1791041400000));
    cr_expect_eq(calendar_instant(&agreement, day, MINUTES(2, 31)), INT64_C(1791041460000));
}

Test(calendar, a_day_without_midnight_begins_at_one)
{
    struct baton_agreement agreement = in_zone(sao_paulo, 2);
    int32_t day = calendar_days(2018, 11, 4);
    cr_expect_eq(calendar_instant(&agreement, day, 0), INT64_C(1541300400000));
    cr_expect_eq(calendar_start_of_day(sao_paulo, 2, day), INT64_C(1541300400000));
    cr_expect_eq(calendar_day(&agreement, INT64_C(1541300400000)), day);
    cr_expect_eq(calendar_day(&agreement, INT64_C(1541300399999)), day - 1);
}

Test(calendar, the_end_of_a_day_is_the_beginning_of_the_next)
{
    struct baton_agreement agreement = in_zone(berlin, 3);
    for (int32_t day = calendar_days(2026, 1, 1); day < calendar_days(2027, 1, 1); day++)
        cr_assert_eq(calendar_instant(&agreement, day, MINUTES(24, 0)),
                     calendar_instant(&agreement, day + 1, 0));
}

Test(calendar, spans_hold_the_day_that_they_are_of)
{
    int32_t day = calendar_days(2028, 2, 29); /* a Tuesday */
    is_span(calendar_span_of(BATON_SPAN_DAY, day, NULL), day, day + 1);
    is_span(calendar_span_of(BATON_SPAN_WEEK, day, NULL), day - 1, day + 6);
    is_span(calendar_span_of(BATON_SPAN_MONTH, day, NULL), calendar_days(2028, 2, 1), day + 1);
    is_span(calendar_span_of(BATON_SPAN_QUARTER, day, NULL), calendar_days(2028, 1, 1),
            calendar_days(2028, 4, 1));
    is_span(calendar_span_of(BATON_SPAN_YEAR, day, NULL), calendar_days(2028, 1, 1),
            calendar_days(2029, 1, 1));
    is_span(calendar_span_of(BATON_SPAN_QUARTER, calendar_days(2026, 12, 31), NULL),
            calendar_days(2026, 10, 1), calendar_days(2027, 1, 1));
}

Test(calendar, days_off_belong_to_the_working_day_behind_them)
{
    const int32_t holidays[] = {calendar_days(2026, 12, 25), calendar_days(2026, 12, 28)};
    struct baton_hours hours = weekdays;
    hours.holidays = holidays;
    hours.holiday_count = 2;
    int32_t thursday = calendar_days(2026, 12, 24), tuesday = thursday + 5;
    for (int32_t day = thursday + 1; day <= tuesday; day++)
        is_span(calendar_span_of(BATON_SPAN_WORKING_DAY, day, &hours), thursday + 1, tuesday + 1);
    is_span(calendar_span_of(BATON_SPAN_WORKING_DAY, thursday, &hours), thursday, thursday + 1);
    is_span(calendar_span_of(BATON_SPAN_WORKING_DAY, thursday + 1, NULL), thursday + 1,
            thursday + 2);
}
