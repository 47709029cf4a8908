/* The best that ever came of what a goal counts: which periods are looked at, and when a promise is
 * beyond all of them. */
#include "pact/best.h"

#include "unit/pact_support.h"

#define NOON(day) ((int64_t)(day)*86400000 + 43200000)

static struct baton_pact pact = {.hours = {.given = true, .days = 0x1f}};
static struct baton_agreement agreement = {.zone = &hand_utc, .zone_count = 1, .pact = &pact};
static struct hand_unit unit;
static struct pact_sums *sums;

static void begin(void)
{
    unit = hand_unit();
}

static void end(void)
{
    sums_destroy(sums);
    sums = NULL;
}

TestSuite(best, .init = begin, .fini = end);

/* After the cells are written down. */
static struct goal_best best_of(const struct baton_goal *goal, int32_t from, int64_t now)
{
    struct goal_best best;
    if (!sums) {
        sums = sums_create();
        hand_take(sums, &unit);
    }
    goal_find_best(&agreement, goal, sums, from, now, &best);
    return best;
}

Test(best, a_promise_is_beyond_the_best_day_and_not_at_it)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 10000, .per = BATON_SPAN_DAY};
    hand_all(&unit, NOV(3), PACT_SQL, 9);
    hand_all(&unit, NOV(20), PACT_SQL, 14);
    hand_all(&unit, NOV(21), PACT_SQL, 2);
    struct goal_best best = best_of(&goal, NOV(1), NOON(NOV(24)));
    cr_expect(best.known && best.beaten);
    cr_expect_eq(best.amount, 1400);
    cr_expect_eq(best.promised, 10000);
    cr_expect(best.span.first == NOV(20) && best.span.end == NOV(21));
    goal.amount = 1500;
    cr_expect(best_of(&goal, NOV(1), NOON(NOV(24))).beaten);
    goal.amount = 1400;
    cr_expect_not(best_of(&goal, NOV(1), NOON(NOV(24))).beaten);
}

Test(best, of_periods_that_are_alike_the_newest_is_named)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 10000, .per = BATON_SPAN_DAY};
    hand_all(&unit, NOV(3), PACT_SQL, 9);
    hand_all(&unit, NOV(5), PACT_SQL, 9);
    cr_expect_eq(best_of(&goal, NOV(1), NOON(NOV(24))).span.first, NOV(5));
}

Test(best, a_period_that_goes_on_is_not_looked_at)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 500, .per = BATON_SPAN_DAY};
    hand_all(&unit, NOV(3), PACT_SQL, 2);
    hand_all(&unit, NOV(4), PACT_SQL, 9);
    struct goal_best best = best_of(&goal, NOV(1), NOON(NOV(4)));
    cr_expect(best.beaten);
    cr_expect_eq(best.amount, 200);
    cr_expect_not(best_of(&goal, NOV(1), NOON(NOV(5))).beaten);
}

Test(best, a_period_that_was_not_counted_as_a_whole_is_not_looked_at)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 9900, .per = BATON_SPAN_WEEK};
    hand_all(&unit, NOV(4), PACT_SQL, 50); /* a Wednesday; weeks begin on the 2nd and the 9th */
    hand_all(&unit, NOV(10), PACT_SQL, 7);
    struct goal_best best = best_of(&goal, NOV(3), NOON(NOV(18)));
    cr_expect_eq(best.amount, 700);
    cr_expect_eq(best.span.first, NOV(9));
    cr_expect_eq(best_of(&goal, NOV(2), NOON(NOV(18))).amount, 5000);
}

Test(best, without_a_period_that_is_over_nothing_is_known)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 9900, .per = BATON_SPAN_MONTH};
    hand_all(&unit, NOV(4), PACT_SQL, 50);
    struct goal_best best = best_of(&goal, NOV(1), NOON(NOV(29)));
    cr_expect_not(best.known);
    cr_expect_not(best.beaten);
    cr_expect(best_of(&goal, NOV(1), NOON(NOV(31))).beaten);
}

Test(best, a_working_day_takes_the_days_off_before_it)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_SQLS, .amount = 9900, .per = BATON_SPAN_WORKING_DAY};
    for (int32_t day = NOV(6); day <= NOV(10); day++) /* Friday to Tuesday */
        hand_all(&unit, day, PACT_SQL, 4);
    struct goal_best best = best_of(&goal, NOV(2), NOON(NOV(18)));
    cr_expect_eq(best.amount, 1200);
    cr_expect(best.span.first == NOV(7) && best.span.end == NOV(10));
}

Test(best, at_most_is_beyond_the_least)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_SALES_CYCLE, .at_most = true, .amount = 1900, .per = BATON_SPAN_WEEK};
    hand_add(&unit, NOV(4), PACT_DAYS_CUSTOMER, PACT_ALL, "", "30", 1);
    hand_add(&unit, NOV(10), PACT_DAYS_CUSTOMER, PACT_ALL, "", "20", 1);
    struct goal_best best = best_of(&goal, NOV(2), NOON(NOV(30))); /* weeks without are nothing */
    cr_expect(best.beaten);
    cr_expect_eq(best.amount, 2000);
    cr_expect_eq(best.span.first, NOV(9));
    goal.amount = 2000;
    cr_expect_not(best_of(&goal, NOV(2), NOON(NOV(30))).beaten);
}

Test(best, a_rate_of_nothing_is_no_best)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_MEETING_RATE, .amount = 3334, .per = BATON_SPAN_DAY};
    hand_all(&unit, NOV(4), PACT_SQL, 3);
    hand_all(&unit, NOV(4), PACT_MEETING, 1);
    struct goal_best best = best_of(&goal, NOV(1), NOON(NOV(9)));
    cr_expect(best.beaten);
    cr_expect_eq(best.amount, 3333);
    cr_expect_eq(best.span.first, NOV(4));
    goal.amount = 3333; /* a third is more, though it is written so */
    cr_expect_not(best_of(&goal, NOV(1), NOON(NOV(9))).beaten);
}

Test(best, a_conversion_waits_until_the_last_lead_of_its_month_has_had_its_time)
{
    struct baton_goal goal = {.measure = BATON_GOAL_CONVERSION,
                              .amount = 500,
                              .per = BATON_SPAN_MONTH,
                              .judge_after_ms = INT64_C(30) * 86400000};
    hand_all(&unit, NOV(4), PACT_SQL, 10);
    hand_add(&unit, NOV(4), PACT_COHORT_CUSTOMER, PACT_ALL, "", "3", 1);
    cr_expect_not(best_of(&goal, NOV(1), NOON(NOV(59))).known);
    struct goal_best best = best_of(&goal, NOV(1), NOON(NOV(61)));
    cr_expect(best.beaten);
    cr_expect_eq(best.amount, 1000);
    cr_expect_eq(best.promised, 2000);
    goal.amount = 1000; /* one in ten */
    cr_expect_not(best_of(&goal, NOV(1), NOON(NOV(61))).beaten);
}
