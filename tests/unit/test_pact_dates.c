/* Which spans can be judged, and which dates are announced. */
#include "pact/dates.h"

#include "unit/pact_support.h"

#define AT(day, hour) ((int64_t)(day)*86400000 + (int64_t)(hour)*3600000)

static struct baton_pact pact;
static struct baton_agreement agreement = {
    .zone = &hand_utc, .zone_count = 1, .pact = &pact, .expires_ms = INT64_MAX};

static void begin(void)
{
    pact = (struct baton_pact){
        .hours = {.given = true, .days = 0x1f, .from_minute = 9 * 60, .to_minute = 18 * 60},
        .review_every = BATON_SPAN_NONE,
        .meeting_every = BATON_SPAN_NONE,
        .review_next = INT32_MIN};
    agreement.expires_ms = INT64_MAX;
}

TestSuite(dates, .init = begin);

Test(dates, the_last_two_spans_that_are_over_can_be_judged)
{
    struct baton_goal goal = {.measure = BATON_GOAL_CUSTOMERS, .per = BATON_SPAN_WORKING_DAY};
    struct calendar_span spans[DATES_SPANS];
    /* Monday the 9th, noon: Friday, and Thursday */
    cr_assert_eq(dates_ready_spans(&agreement, &goal, AT(NOV(9), 12), spans), 2);
    cr_expect(spans[0].first == NOV(6) && spans[0].end == NOV(7));
    cr_expect(spans[1].first == NOV(5) && spans[1].end == NOV(6));
    /* … and the moment it is over: Monday, with the days off before it */
    cr_assert_eq(dates_ready_spans(&agreement, &goal, AT(NOV(10), 0), spans), 2);
    cr_expect(spans[0].first == NOV(7) && spans[0].end == NOV(10));
}

Test(dates, a_cohort_is_judged_when_its_last_lead_has_had_its_time)
{
    struct baton_goal goal = {.measure = BATON_GOAL_CONVERSION,
                              .per = BATON_SPAN_MONTH,
                              .judge_after_ms = INT64_C(90) * 86400000};
    struct calendar_span spans[DATES_SPANS];
    int32_t ready = NOV(31) + 90;
    cr_assert_eq(dates_ready_spans(&agreement, &goal, AT(ready, 0), spans), 2);
    cr_expect(spans[0].first == NOV(1) && spans[0].end == NOV(31));
    cr_assert_eq(dates_ready_spans(&agreement, &goal, AT(ready, 0) - 1, spans), 2);
    cr_expect_eq(spans[0].end, NOV(1));
}

static const struct announcement *find(const struct announcement *all, size_t count,
                                       enum announcement_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].kind == kind)
            return &all[i];
    return NULL;
}

Test(dates, a_review_is_announced_a_week_before_and_on_the_day)
{
    struct announcement all[ANNOUNCEMENTS_MAX];
    pact.review_next = NOV(20);
    cr_expect_eq(dates_announced(&agreement, AT(NOV(13), 9) - 1, all), 0);
    cr_assert_eq(dates_announced(&agreement, AT(NOV(13), 9), all), 1);
    cr_expect(all[0].kind == ANNOUNCE_REVIEW && all[0].day == NOV(20) && all[0].before == 7);
    cr_assert_eq(dates_announced(&agreement, AT(NOV(20), 9), all), 1);
    cr_expect_eq(all[0].before, 0);
    cr_expect_eq(dates_announced(&agreement, AT(NOV(21), 9), all), 0, "there is but one");
}

Test(dates, reviews_come_again_on_the_same_day_of_the_month)
{
    int32_t day;
    pact.review_next = NOV(1) - 1; /* the 31st of October */
    pact.review_every = BATON_SPAN_MONTH;
    cr_expect(dates_next_review(&pact, NOV(2), &day) && day == NOV(30));
    cr_expect(dates_next_review(&pact, NOV(31), &day) && day == NOV(61), "31st of December");
    pact.review_every = BATON_SPAN_WEEK;
    cr_expect(dates_next_review(&pact, NOV(2), &day) && day == NOV(7));
    pact.review_every = BATON_SPAN_NONE;
    cr_expect_not(dates_next_review(&pact, NOV(2), &day));
}

Test(dates, a_meeting_is_announced_on_its_day_when_work_begins)
{
    struct announcement all[ANNOUNCEMENTS_MAX];
    pact.meeting_every = BATON_SPAN_WEEK;
    cr_expect_eq(dates_announced(&agreement, AT(NOV(9), 8), all), 0);
    cr_assert_eq(dates_announced(&agreement, AT(NOV(9), 9), all), 1);
    cr_expect(all[0].kind == ANNOUNCE_MEETING && all[0].day == NOV(9));
    cr_expect_eq(dates_announced(&agreement, AT(NOV(10), 12), all), 0);
    pact.meeting_every = BATON_SPAN_WORKING_DAY;
    cr_expect_eq(dates_announced(&agreement, AT(NOV(10), 12), all), 1);
    cr_expect_eq(dates_announced(&agreement, AT(NOV(7), 12), all), 0, "Saturday");
    pact.meeting_every = BATON_SPAN_MONTH;
    pact.hours.given = false;
    cr_expect_eq(dates_announced(&agreement, AT(NOV(1), 0), all), 1);
    cr_expect_eq(dates_announced(&agreement, AT(NOV(2), 0), all), 0);
}

Test(dates, the_end_of_the_agreement_is_announced_a_week_before)
{
    struct announcement all[ANNOUNCEMENTS_MAX];
    agreement.expires_ms = AT(NOV(21), 0); /* to the end of the 20th */
    cr_expect_eq(dates_announced(&agreement, AT(NOV(13), 8), all), 0);
    size_t count = dates_announced(&agreement, AT(NOV(13), 9), all);
    cr_assert_not_null(find(all, count, ANNOUNCE_EXPIRY));
    cr_expect_eq(find(all, count, ANNOUNCE_EXPIRY)->day, NOV(20));
    cr_expect_eq(dates_announced(&agreement, AT(NOV(20), 23), all), 1);
    cr_expect_eq(dates_announced(&agreement, AT(NOV(21), 0), all), 0);
}
