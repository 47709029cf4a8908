/* When a promise is due, in working time. Expected instants are written as local times; the zone's
 * own table makes instants of them, which test_domain_calendar checks. */
#include "domain_support.h"

#include "domain/worktime.h"

static const struct baton_zone_offset berlin[] = {
    {INT64_MIN, 3600}, {INT64_C(1774746000000), 7200}, {INT64_C(1792890000000), 3600}};
static const struct baton_zone_offset new_york[] = {
    {INT64_MIN, -18000}, {INT64_C(1772953200000), -14400}, {INT64_C(1793512800000), -18000}};
static const struct baton_zone_offset howe[] = {
    {INT64_MIN, 39600}, {INT64_C(1775314800000), 37800}, {INT64_C(1791041400000), 39600}};

static struct baton_pact pact;
static struct baton_agreement agreement;
static int32_t holidays[8];

static void start(void)
{
    pact = (struct baton_pact){.hours = {.given = true,
                                         .days = 0x1f,
                                         .from_minute = 9 * 60,
                                         .to_minute = 18 * 60,
                                         .holidays = holidays}};
    agreement = (struct baton_agreement){.zone = berlin, .zone_count = 3, .pact = &pact};
}

TestSuite(worktime, .init = start);

/* "2026-11-06 17:00" */
static int64_t at(const char *local)
{
    int year, month, day, hour, minute;
    cr_assert_eq(sscanf(local, "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute), 5);
    return calendar_instant(&agreement, calendar_days(year, (unsigned)month, (unsigned)day),
                            hour * 60 + minute);
}

static void holiday(const char *date)
{
    int year, month, day;
    cr_assert_eq(sscanf(date, "%d-%d-%d", &year, &month, &day), 3);
    holidays[pact.hours.holiday_count++] = calendar_days(year, (unsigned)month, (unsigned)day);
}

static void due(const char *begin, enum baton_promise_unit unit, int64_t amount, const char *end)
{
    struct baton_promise promise = {unit, amount};
    int64_t got = worktime_after(&agreement, at(begin), promise);
    cr_expect_eq(got, at(end), "%s and %lld is %s, not %+lld minutes from there", begin,
                 (long long)amount, end, (long long)(got - at(end)) / 60000);
}

static void before(const char *end, enum baton_promise_unit unit, int64_t amount, const char *begin)
{
    struct baton_promise promise = {unit, amount};
    int64_t got = worktime_before(&agreement, at(end), promise);
    cr_expect_eq(got, at(begin), "%lld before %s is %s, not %+lld minutes from there",
                 (long long)amount, end, begin, (long long)(got - at(begin)) / 60000);
}

Test(worktime, hours_count_within_a_day)
{
    due("2026-11-03 10:15", BATON_WORKING_HOURS, 4, "2026-11-03 14:15");
    due("2026-11-03 14:00", BATON_WORKING_HOURS, 4, "2026-11-03 18:00");
    before("2026-11-03 14:15", BATON_WORKING_HOURS, 4, "2026-11-03 10:15");
}

Test(worktime, hours_go_on_behind_a_night)
{
    due("2026-11-03 16:30", BATON_WORKING_HOURS, 4, "2026-11-04 11:30");
    due("2026-11-03 18:00", BATON_WORKING_HOURS, 1, "2026-11-04 10:00");
    due("2026-11-03 23:59", BATON_WORKING_HOURS, 9, "2026-11-04 18:00");
    due("2026-11-03 03:00", BATON_WORKING_HOURS, 10, "2026-11-04 10:00");
    before("2026-11-04 11:30", BATON_WORKING_HOURS, 4, "2026-11-03 16:30");
    before("2026-11-04 10:00", BATON_WORKING_HOURS, 1, "2026-11-04 09:00");
}

Test(worktime, a_weekend_does_not_count)
{
    due("2026-11-06 17:00", BATON_WORKING_HOURS, 2, "2026-11-09 10:00");
    due("2026-11-07 12:00", BATON_WORKING_HOURS, 2, "2026-11-09 11:00");
    due("2026-11-08 23:59", BATON_WORKING_DAYS, 1, "2026-11-09 18:00");
    before("2026-11-09 10:00", BATON_WORKING_HOURS, 2, "2026-11-06 17:00");
}

Test(worktime, holidays_do_not_count_alone_or_in_a_row)
{
    holiday("2026-12-24");
    holiday("2026-12-25"); /* a Friday */
    holiday("2026-12-28");
    due("2026-12-23 17:00", BATON_WORKING_HOURS, 2, "2026-12-29 10:00");
    due("2026-12-23 17:00", BATON_WORKING_DAYS, 1, "2026-12-29 18:00");
    due("2026-12-22 10:00", BATON_WORKING_DAYS, 2, "2026-12-29 18:00");
    before("2026-12-29 10:00", BATON_WORKING_HOURS, 2, "2026-12-23 17:00");
    cr_expect_eq(worktime_days(&pact.hours, (struct calendar_span){calendar_days(2026, 12, 21),
                                                                   calendar_days(2027, 1, 1)}),
                 6);
}

Test(worktime, days_end_at_the_close_of_the_last_one)
{
    due("2026-11-03 09:00", BATON_WORKING_DAYS, 3, "2026-11-06 18:00");
    due("2026-11-03 23:00", BATON_WORKING_DAYS, 3, "2026-11-06 18:00");
    due("2026-11-05 10:00", BATON_WORKING_DAYS, 3, "2026-11-10 18:00");
    before("2026-11-06 18:00", BATON_WORKING_DAYS, 1, "2026-11-05 18:00");
    before("2026-11-09 18:00", BATON_WORKING_DAYS, 1, "2026-11-06 18:00");
}

Test(worktime, the_leap_day_counts)
{
    due("2028-02-28 17:00", BATON_WORKING_HOURS, 2, "2028-02-29 10:00");
    due("2028-02-28 17:00", BATON_WORKING_DAYS, 2, "2028-03-01 18:00");
}

Test(worktime, a_day_may_end_with_the_day)
{
    pact.hours.from_minute = 20 * 60;
    pact.hours.to_minute = 24 * 60;
    due("2026-11-03 23:00", BATON_WORKING_HOURS, 1, "2026-11-04 00:00");
    due("2026-11-03 23:00", BATON_WORKING_HOURS, 2, "2026-11-04 21:00");
    due("2026-11-03 23:00", BATON_WORKING_DAYS, 1, "2026-11-05 00:00");
}

Test(worktime, the_clock_that_is_put_forward_takes_an_hour_of_the_night)
{
    pact.hours.days = 0x7f;
    due("2026-03-28 17:00", BATON_WORKING_HOURS, 2, "2026-03-29 10:00");
    pact.hours.from_minute = 0;
    pact.hours.to_minute = 24 * 60;
    cr_expect_eq(worktime_after(&agreement, at("2026-03-29 00:00"),
                                (struct baton_promise){BATON_WORKING_HOURS, 24}),
                 at("2026-03-30 01:00"));
    cr_expect_eq(worktime_after(&agreement, at("2026-10-25 00:00"),
                                (struct baton_promise){BATON_WORKING_HOURS, 25}),
                 at("2026-10-26 00:00"));
}

Test(worktime, hours_are_those_of_the_zone_on_both_sides_of_a_change)
{
    agreement.zone = new_york;
    due("2026-03-06 17:00", BATON_WORKING_HOURS, 2, "2026-03-09 10:00");
    due("2026-10-30 17:00", BATON_WORKING_HOURS, 2, "2026-11-02 10:00");
    cr_expect_eq(at("2026-03-09 09:00") - at("2026-03-06 09:00"), 71 * HOUR_MS);
    cr_expect_eq(at("2026-11-02 09:00") - at("2026-10-30 09:00"), 73 * HOUR_MS);
    agreement.zone = howe;
    pact.hours.from_minute = 0;
    pact.hours.days = 0x7f;
    cr_expect_eq(worktime_after(&agreement, at("2026-10-04 00:00"),
                                (struct baton_promise){BATON_WORKING_HOURS, 17}),
                 at("2026-10-04 17:30"), "half an hour of that night is not there");
}

Test(worktime, elapsed_time_knows_no_hours)
{
    cr_expect_eq(worktime_after(&agreement, 5, (struct baton_promise){BATON_ELAPSED, 7}), 12);
    cr_expect_eq(worktime_before(&agreement, 12, (struct baton_promise){BATON_ELAPSED, 7}), 5);
    cr_expect_eq(worktime_before(&agreement, 6, (struct baton_promise){BATON_ELAPSED, 7}), 0);
}

Test(worktime, nothing_is_due_beyond_all_times)
{
    for (int unit = BATON_ELAPSED; unit <= BATON_WORKING_DAYS; unit++) {
        struct baton_promise promise = {(enum baton_promise_unit)unit, 99999};
        cr_expect_leq(worktime_after(&agreement, BATON_TIME_MAX_MS - 5, promise),
                      BATON_TIME_MAX_MS);
        cr_expect_geq(worktime_before(&agreement, 5, promise), 0);
    }
    cr_expect_eq(worktime_after(&agreement, BATON_TIME_MAX_MS - 5,
                                (struct baton_promise){BATON_WORKING_DAYS, 2}),
                 BATON_TIME_MAX_MS);
}

/* The slow way: minute by minute. */
static int64_t counted(int64_t start_ms, int64_t hours)
{
    int64_t left = hours * 60, time_ms = start_ms;
    while (left > 0) {
        int32_t day = calendar_day(&agreement, time_ms);
        bool works = calendar_is_working(&pact.hours, day) &&
                     time_ms >= calendar_instant(&agreement, day, pact.hours.from_minute) &&
                     time_ms < calendar_instant(&agreement, day, pact.hours.to_minute);
        left -= works;
        time_ms += 60000;
    }
    return time_ms;
}

Test(worktime, agrees_with_counting_minutes_and_goes_back_the_way_it_came)
{
    static const struct baton_zone_offset *const zones[] = {berlin, new_york, howe};
    uint64_t seed = 11;
    holiday("2026-04-03");
    holiday("2026-04-06");
    holiday("2026-10-26");
    for (int i = 0; i < 300; i++) {
        agreement.zone = zones[next_random(&seed) % 3];
        pact.hours.days = (uint8_t)(1 + next_random(&seed) % 127);
        pact.hours.from_minute = (int32_t)(next_random(&seed) % 1000);
        pact.hours.to_minute =
            pact.hours.from_minute + 1 + (int32_t)(next_random(&seed) % (1440 - 1000));
        int64_t hours = 1 + (int64_t)(next_random(&seed) % 5);
        int64_t start_ms =
            at("2026-03-20 00:00") + (int64_t)(next_random(&seed) % (230 * 1440)) * 60000;
        struct baton_promise promise = {BATON_WORKING_HOURS, hours};
        int64_t end_ms = worktime_after(&agreement, start_ms, promise);
        cr_assert_eq(end_ms, counted(start_ms, hours), "try %d", i);
        int64_t back_ms = worktime_before(&agreement, end_ms, promise);
        cr_assert_eq(worktime_after(&agreement, back_ms, promise), end_ms, "try %d back", i);
        cr_assert_geq(back_ms, start_ms);
    }
}
