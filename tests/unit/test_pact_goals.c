/* What came of a goal: each measure on both sides of its border, spans and projections. */
#include "pact/goals.h"

#include "unit/pact_support.h"

#define NOON(day) ((int64_t)(day)*86400000 + 43200000)
#define NOVEMBER ((struct calendar_span){NOV(1), NOV(31)})

static struct baton_pact pact = {.hours = {.given = true, .days = 0x1f}};
static struct baton_agreement agreement = {.zone = &hand_utc, .zone_count = 1, .pact = &pact};
static struct hand_unit unit;
static struct pact_sums *sums;
static struct goal_since since;

static void begin(void)
{
    unit = hand_unit();
    since = (struct goal_since){INT32_MIN, INT32_MIN};
}

/* After the cells are written down. */
static struct goal_figure over(const struct baton_goal *goal, struct calendar_span span,
                               int64_t now)
{
    struct goal_figure figure;
    if (!sums) {
        sums = sums_create();
        hand_take(sums, &unit);
    }
    goal_over(&agreement, goal, sums, span, since, now, &figure);
    return figure;
}

static void end(void)
{
    sums_destroy(sums);
    sums = NULL;
}

TestSuite(goals, .init = begin, .fini = end);

static const int64_t later = NOON(NOV(40));

Test(goals, a_count_is_kept_by_exactly_as_many)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 3000, .per = BATON_SPAN_MONTH};
    hand_all(&unit, NOV(1), PACT_SQL, 10);
    hand_all(&unit, NOV(30), PACT_SQL, 20);
    hand_all(&unit, NOV(31), PACT_SQL, 5); /* December */
    struct goal_figure figure = over(&goal, NOVEMBER, later);
    cr_expect(figure.known && !figure.missed);
    cr_expect_eq(figure.actual, 3000);
    goal.amount = 3100;
    cr_expect(over(&goal, NOVEMBER, later).missed);
    goal.at_most = true;
    cr_expect_not(over(&goal, NOVEMBER, later).missed);
    goal.amount = 2900;
    cr_expect(over(&goal, NOVEMBER, later).missed);
}

Test(goals, each_count_has_its_own_cells)
{
    static const struct {
        enum baton_measure measure;
        enum pact_measure counted;
    } pairs[] = {{BATON_GOAL_SQLS, PACT_SQL},
                 {BATON_GOAL_MQLS, PACT_MQL},
                 {BATON_GOAL_CUSTOMERS, PACT_CUSTOMER},
                 {BATON_GOAL_PROPOSALS, PACT_PROPOSAL},
                 {BATON_GOAL_EMAIL_CLICKS, PACT_EMAIL_CLICKED}};
    for (size_t i = 0; i < 5; i++)
        hand_all(&unit, NOV(3), pairs[i].counted, (int64_t)i + 1);
    for (size_t i = 0; i < 5; i++) {
        struct baton_goal goal = {
            .measure = pairs[i].measure, .amount = 100, .per = BATON_SPAN_MONTH};
        cr_expect_eq(over(&goal, NOVEMBER, later).actual, 100 * ((int64_t)i + 1));
    }
}

Test(goals, revenue_is_of_its_currency)
{
    struct baton_goal goal = {.measure = BATON_GOAL_REVENUE,
                              .amount = 100000,
                              .per = BATON_SPAN_MONTH,
                              .currency = HAND_TEXT("EUR")};
    hand_add(&unit, NOV(3), PACT_REVENUE, PACT_ALL, "", "EUR", 99999);
    hand_add(&unit, NOV(3), PACT_REVENUE, PACT_ALL, "", "USD", 5000000);
    struct goal_figure figure = over(&goal, NOVEMBER, later);
    cr_expect_eq(figure.actual, 99999);
    cr_expect(figure.missed);
}

Test(goals, a_rate_is_compared_by_its_parts)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_MEETING_RATE, .amount = 3333, .per = BATON_SPAN_MONTH};
    cr_expect_not(over(&goal, NOVEMBER, later).known, "a rate of nothing");
    cr_expect_not(over(&goal, NOVEMBER, later).missed);
    end();
    begin();
    hand_all(&unit, NOV(3), PACT_SQL, 3);
    hand_all(&unit, NOV(3), PACT_MEETING, 1);
    struct goal_figure figure = over(&goal, NOVEMBER, later);
    cr_expect(figure.known && !figure.missed);
    cr_expect_eq(figure.actual, 3333);
    cr_expect_eq(figure.basis, 3);
    goal.amount = 3334;
    cr_expect(over(&goal, NOVEMBER, later).missed);
}

Test(goals, first_contacts_that_were_kept)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_CONTACT_KEPT, .amount = 9000, .per = BATON_SPAN_MONTH};
    hand_add(&unit, NOV(3), PACT_KEPT, PACT_ALL, "", "0", 9);
    hand_add(&unit, NOV(4), PACT_BROKEN, PACT_ALL, "", "0", 1);
    hand_add(&unit, NOV(4), PACT_BROKEN, PACT_ALL, "", "1", 50); /* another clock */
    cr_expect_not(over(&goal, NOVEMBER, later).missed);
    goal.amount = 9001;
    cr_expect(over(&goal, NOVEMBER, later).missed);
}

Test(goals, churn_is_of_all_customers_until_then)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_CHURN, .at_most = true, .amount = 500, .per = BATON_SPAN_MONTH};
    hand_all(&unit, NOV(-200), PACT_CUSTOMER, 30);
    hand_all(&unit, NOV(3), PACT_CUSTOMER, 10);
    hand_all(&unit, NOV(40), PACT_CUSTOMER, 100);
    hand_all(&unit, NOV(5), PACT_CHURNED, 2);
    cr_expect_not(over(&goal, NOVEMBER, later).missed, "2 of 40");
    goal.amount = 499;
    cr_expect(over(&goal, NOVEMBER, later).missed);
}

Test(goals, the_sales_cycle_is_a_lower_median)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_SALES_CYCLE, .at_most = true, .amount = 700, .per = BATON_SPAN_MONTH};
    cr_expect_not(over(&goal, NOVEMBER, later).known);
    end();
    begin();
    hand_add(&unit, NOV(3), PACT_DAYS_CUSTOMER, PACT_ALL, "", "2", 1);
    hand_add(&unit, NOV(3), PACT_DAYS_CUSTOMER, PACT_ALL, "", "7", 1);
    hand_add(&unit, NOV(3), PACT_DAYS_CUSTOMER, PACT_ALL, "", "9", 1);
    hand_add(&unit, NOV(3), PACT_DAYS_CUSTOMER, PACT_ALL, "", "40", 1);
    cr_expect_eq(over(&goal, NOVEMBER, later).actual, 700);
    cr_expect_not(over(&goal, NOVEMBER, later).missed);
    goal.amount = 699;
    cr_expect(over(&goal, NOVEMBER, later).missed);
}

static struct baton_goal both[] = {{.id = HAND_TEXT("customers"),
                                    .measure = BATON_GOAL_CUSTOMERS,
                                    .amount = 1000,
                                    .per = BATON_SPAN_MONTH},
                                   {.id = HAND_TEXT("conversion"),
                                    .measure = BATON_GOAL_CONVERSION,
                                    .amount = 500,
                                    .per = BATON_SPAN_MONTH,
                                    .judge_after_ms = 30 * INT64_C(86400000)}};

Test(goals, exactly_one_in_five_is_kept)
{
    pact.goals = both;
    pact.goal_count = 2;
    cr_expect_not(over(&both[1], NOVEMBER, later).known, "no SQLs");
    end();
    begin();
    hand_all(&unit, NOV(3), PACT_SQL, 50);
    cr_expect(over(&both[1], NOVEMBER, later).missed, "no customers");
    cr_expect_eq(over(&both[1], NOVEMBER, later).needed, -1, "no rate, no need");
    end();
    begin();
    hand_all(&unit, NOV(3), PACT_SQL, 50);
    hand_add(&unit, NOV(3), PACT_COHORT_CUSTOMER, PACT_ALL, "", "0", 4);
    hand_add(&unit, NOV(3), PACT_COHORT_CUSTOMER, PACT_ALL, "", "30", 6);
    hand_add(&unit, NOV(3), PACT_COHORT_CUSTOMER, PACT_ALL, "", "31", 5); /* too late */
    struct goal_figure figure = over(&both[1], NOVEMBER, later);
    cr_expect_not(figure.missed);
    cr_expect_eq(figure.promised, 2000);
    cr_expect_eq(figure.actual, 2000);
    cr_expect_eq(figure.needed, 5000, "10 customers at 10 of 50");
    both[1].amount = 400;
    cr_expect(over(&both[1], NOVEMBER, later).missed, "one in four is more");
}

Test(goals, what_is_needed_is_rounded_up)
{
    pact.goals = both;
    pact.goal_count = 2;
    hand_all(&unit, NOV(3), PACT_SQL, 40);
    hand_add(&unit, NOV(3), PACT_COHORT_CUSTOMER, PACT_ALL, "", "3", 3);
    cr_expect_eq(over(&both[1], NOVEMBER, later).needed, 13400, "10 × 40 ÷ 3 = 133.3");
    pact.goal_count = 0;
}

Test(goals, a_working_day_counts_once_with_the_days_off_before_it)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_SQLS, .amount = 1000, .per = BATON_SPAN_WORKING_DAY};
    struct calendar_span week = {NOV(2), NOV(9)}, weekend = {NOV(7), NOV(9)};
    cr_expect_eq(over(&goal, week, later).promised, 5000);
    cr_expect_eq(over(&goal, NOVEMBER, later).promised, 21000, "21 working days");
    cr_expect_eq(over(&goal, weekend, later).promised, 0);
    cr_expect_not(over(&goal, weekend, later).known);
    static const int32_t holidays[] = {NOV(2), NOV(30)};
    pact.hours.holidays = holidays;
    pact.hours.holiday_count = 2;
    cr_expect_eq(over(&goal, NOVEMBER, later).promised, 19000);
    pact.hours.holiday_count = 0;
}

Test(goals, a_part_of_a_month_owes_a_part)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 21000, .per = BATON_SPAN_MONTH};
    cr_expect_eq(over(&goal, (struct calendar_span){NOV(2), NOV(9)}, later).promised, 5000);
    cr_expect_eq(over(&goal, (struct calendar_span){NOV(-30), NOV(1)}, later).promised, 21000,
                 "October");
    cr_expect_eq(over(&goal, (struct calendar_span){NOV(1), NOV(62)}, later).promised, 42000);
}

Test(goals, one_span_is_judged_by_its_own_amount)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_SQLS, .amount = 1000, .per = BATON_SPAN_WORKING_DAY};
    struct goal_figure figure;
    hand_all(&unit, NOV(7), PACT_SQL, 4); /* Saturday */
    hand_all(&unit, NOV(9), PACT_SQL, 6);
    (void)over(&goal, NOVEMBER, later);
    struct calendar_span monday = calendar_span_of(BATON_SPAN_WORKING_DAY, NOV(9), &pact.hours);
    goal_judge(&agreement, &goal, sums, monday, later, &figure);
    cr_expect_eq(figure.promised, 1000);
    cr_expect_eq(figure.actual, 1000);
    cr_expect_not(figure.missed);
}

Test(goals, a_projection_counts_days_that_are_over)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 21000, .per = BATON_SPAN_MONTH};
    hand_all(&unit, NOV(2), PACT_SQL, 7);
    hand_all(&unit, NOV(3), PACT_SQL, 5);
    cr_expect_eq(over(&goal, NOVEMBER, NOON(NOV(1))).projected, 1200, "nothing came yet");
    cr_expect_eq(over(&goal, NOVEMBER, NOON(NOV(3))).projected, 14700, "7 a day, 21 days");
    cr_expect_eq(over(&goal, NOVEMBER, NOON(NOV(4))).projected, 12600, "6 a day");
    cr_expect_eq(over(&goal, NOVEMBER, NOON(NOV(8))).projected, 5040, "12 in 5 working days");
    cr_expect_eq(over(&goal, NOVEMBER, later).projected, 1200, "it is over");
}

Test(goals, conversion_is_ready_when_its_last_sql_is_old_enough)
{
    cr_expect_eq(goal_ready_ms(&agreement, &both[0], NOVEMBER), NOV(31) * INT64_C(86400000));
    cr_expect_eq(goal_ready_ms(&agreement, &both[1], NOVEMBER), NOV(61) * INT64_C(86400000));
}

Test(goals, a_day_that_runs_projects_where_none_is_over)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_CUSTOMERS, .amount = 1000, .per = BATON_SPAN_WORKING_DAY};
    hand_all(&unit, NOV(21), PACT_CUSTOMER, 1); /* Saturday */
    hand_all(&unit, NOV(23), PACT_CUSTOMER, 3);
    since.counted = NOV(21);
    struct goal_figure figure = over(&goal, NOVEMBER, NOON(NOV(23)));
    cr_expect_eq(figure.promised, 6000, "the 23rd to the 27th, and the 30th");
    cr_expect_eq(figure.actual, 400);
    cr_expect_eq(figure.projected, 2400, "4 on the first of 6");
    cr_expect_eq(over(&goal, NOVEMBER, NOON(NOV(24))).projected, 2400, "4 in one day that is over");
    cr_expect_eq(over(&goal, NOVEMBER, NOON(NOV(22))).projected, 600, "1 for Monday so far");
}

Test(goals, days_before_the_agreement_and_before_counting_owe_nothing)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_SQLS, .amount = 10000, .per = BATON_SPAN_WORKING_DAY};
    struct calendar_span october = {NOV(-30), NOV(1)};
    hand_all(&unit, NOV(-9), PACT_SQL, 7);
    hand_all(&unit, NOV(12), PACT_SQL, 5);
    hand_all(&unit, NOV(26), PACT_SQL, 3);
    since.effective = NOV(2);
    cr_expect_not(over(&goal, october, later).known);
    cr_expect_eq(over(&goal, october, later).promised, 0);
    cr_expect_eq(over(&goal, NOVEMBER, later).promised, 210000);
    since.effective = NOV(24);
    cr_expect_eq(over(&goal, NOVEMBER, later).promised, 50000);
    cr_expect_eq(over(&goal, NOVEMBER, later).actual, 300, "what came before is not for it");
    since.effective = NOV(2);
    since.counted = NOV(25);
    cr_expect_eq(over(&goal, NOVEMBER, later).promised, 40000);
    since.counted = NOV(29); /* Sunday: of Monday's days off Saturday is missing */
    cr_expect_eq(over(&goal, NOVEMBER, later).promised, 0);
    since.counted = NOV(28);
    cr_expect_eq(over(&goal, NOVEMBER, later).promised, 10000);
    since.counted = INT32_MAX;
    cr_expect_not(over(&goal, NOVEMBER, later).known, "nothing was counted");
}

Test(goals, nothing_that_is_owed_is_nothing_to_judge_for_any_measure)
{
    struct calendar_span october = {NOV(-30), NOV(1)};
    since.effective = NOV(2);
    hand_all(&unit, NOV(-9), PACT_SQL, 7);
    hand_all(&unit, NOV(-9), PACT_CUSTOMER, 7);
    hand_all(&unit, NOV(-8), PACT_CHURNED, 7);
    for (int measure = 0; measure <= BATON_GOAL_CONVERSION; measure++)
        for (int at_most = 0; at_most < 2; at_most++) {
            struct baton_goal goal = {.measure = (enum baton_measure)measure,
                                      .at_most = at_most,
                                      .amount = 100,
                                      .per = BATON_SPAN_MONTH};
            struct goal_figure figure = over(&goal, october, later);
            cr_expect(!figure.known && !figure.missed, "measure %d", measure);
        }
}

Test(goals, a_period_brings_the_days_off_before_its_working_days)
{
    struct baton_goal goal = {
        .measure = BATON_GOAL_SQLS, .amount = 1000, .per = BATON_SPAN_WORKING_DAY};
    struct calendar_span saturday = {NOV(21), NOV(22)}, monday = {NOV(23), NOV(24)};
    struct calendar_span week = {NOV(16), NOV(23)}, sunday_on = {NOV(22), NOV(25)};
    hand_all(&unit, NOV(14), PACT_SQL, 40);
    hand_all(&unit, NOV(18), PACT_SQL, 7);
    hand_all(&unit, NOV(21), PACT_SQL, 1);
    hand_all(&unit, NOV(22), PACT_SQL, 2);
    hand_all(&unit, NOV(23), PACT_SQL, 3);
    cr_expect_not(over(&goal, saturday, later).known);
    cr_expect_eq(over(&goal, monday, later).actual, 600);
    cr_expect_eq(over(&goal, monday, later).promised, 1000);
    cr_expect_eq(over(&goal, week, later).actual, 4700, "with the days off before, not behind");
    cr_expect_eq(over(&goal, sunday_on, later).actual, 600, "Saturday is Monday's, too");
    goal.per = BATON_SPAN_MONTH;
    cr_expect_eq(over(&goal, NOVEMBER, later).actual, 5300, "a whole month is a whole month");
    cr_expect_eq(over(&goal, monday, later).actual, 600, "a part of one is as its working days");
}

Test(goals, a_day_off_owes_what_is_promised_per_day)
{
    struct baton_goal goal = {.measure = BATON_GOAL_SQLS, .amount = 1000, .per = BATON_SPAN_DAY};
    cr_expect_eq(over(&goal, (struct calendar_span){NOV(21), NOV(24)}, later).promised, 3000);
}

Test(goals, a_span_is_owed_from_its_first_working_day_on)
{
    struct calendar_span monday = {NOV(7), NOV(10)};
    agreement.zone = &hand_utc;
    cr_expect(goal_is_owed(&agreement, monday, (struct goal_since){NOV(9), NOV(7)}));
    cr_expect_not(goal_is_owed(&agreement, monday, (struct goal_since){NOV(10), NOV(7)}));
    cr_expect_not(goal_is_owed(&agreement, monday, (struct goal_since){NOV(9), NOV(8)}));
    struct goal_since of = goal_since_of(&agreement, NOON(NOV(2)), NOV(20));
    cr_expect(of.effective == NOV(2) && of.counted == NOV(21),
              "the first day may be a part of one");
    of = goal_since_of(&agreement, INT64_MIN, INT32_MIN);
    cr_expect(of.effective == INT32_MIN && of.counted == INT32_MAX);
}
