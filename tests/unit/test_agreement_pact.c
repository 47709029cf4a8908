/* What an agreement's promises become. */
#include "agreement/agreement.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD                                                                                       \
    "agreement: test\nversion: 1\nbehaviour: [{id: visit, event: visit, points: 1}]\n"             \
    "gates: {mql: {score: 5}, sql: {score: 10}}\n"
#define HOURS "hours: {days: [mon-wed, fri], from: 08:30, to: 24:00}"
#define HOUR_MS INT64_C(3600000)

static struct agreement *agreement;

static const struct baton_pact *pact_of(const char *text)
{
    struct text_buffer messages = {0};
    enum status status = agreement_parse("t", text, strlen(text), NULL, 0, &agreement, &messages);
    cr_assert_eq(status, STATUS_OK, "%s", messages.data ? messages.data : "");
    text_buffer_fini(&messages);
    return agreement_compiled(agreement)->pact;
}

static void fini(void)
{
    agreement_destroy(agreement);
}

TestSuite(pact, .fini = fini);

static bool text_is(struct baton_text text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

Test(pact, without_a_promise_there_is_none)
{
    cr_expect_null(pact_of(HEAD "sales: {reasons: [no budget]}\nrecycle: {after: 1d, score: 1}\n"));
}

Test(pact, hours_are_days_minutes_and_sorted_holidays)
{
    const struct baton_hours *hours =
        &pact_of(HEAD "sales: {hours: {days: [mon-wed, fri], from: 08:30, to: 24:00, holidays: "
                      "[2026-12-25, 2026-01-01, 2026-12-25]}}\n")
             ->hours;
    cr_expect(hours->given);
    cr_expect_eq(hours->days, 0x17);
    cr_expect(hours->from_minute == 510 && hours->to_minute == 1440);
    cr_expect_eq(hours->holiday_count, 2);
    cr_expect(hours->holidays[0] == 20454 && hours->holidays[1] == 20812);
}

Test(pact, hours_alone_are_no_clock)
{
    cr_expect_not(pact_of(HEAD "sales: {" HOURS "}\n")->has_clocks);
}

Test(pact, clocks_keep_their_unit_and_amount)
{
    const struct baton_pact *pact = pact_of(
        HEAD "sales: {" HOURS ", first_contact: {within: 4 working hours, remind: 1 working "
             "hour, owner: Ann, escalate_to: Bob}, verdict: {within: 3 working days}, "
             "next_update: {within: 90m, owner: Eve}}\n");
    const struct baton_clock_rule *clocks = pact->clocks;
    cr_expect(pact->has_clocks);
    cr_expect_eq(clocks[BATON_CLOCK_CONTACT].within.unit, BATON_WORKING_HOURS);
    cr_expect_eq(clocks[BATON_CLOCK_CONTACT].within.amount, 4);
    cr_expect_eq(clocks[BATON_CLOCK_CONTACT].remind.unit, BATON_WORKING_HOURS);
    cr_expect_eq(clocks[BATON_CLOCK_CONTACT].remind.amount, 1);
    cr_expect(text_is(clocks[BATON_CLOCK_CONTACT].owner, "Ann"));
    cr_expect(text_is(clocks[BATON_CLOCK_CONTACT].escalate_to, "Bob"));
    cr_expect_eq(clocks[BATON_CLOCK_VERDICT].within.unit, BATON_WORKING_DAYS);
    cr_expect_eq(clocks[BATON_CLOCK_VERDICT].within.amount, 3);
    cr_expect(text_is(clocks[BATON_CLOCK_VERDICT].owner, "Ann"));
    cr_expect_eq(clocks[BATON_CLOCK_UPDATE].within.unit, BATON_ELAPSED);
    cr_expect_eq(clocks[BATON_CLOCK_UPDATE].within.amount, 90 * 60000);
    cr_expect(text_is(clocks[BATON_CLOCK_UPDATE].owner, "Eve"));
}

Test(pact, a_clock_that_is_not_promised_has_no_amount)
{
    const struct baton_pact *pact =
        pact_of(HEAD "sales: {first_contact: {within: 4h, owner: Ann}}\n");
    cr_expect_eq(pact->clocks[BATON_CLOCK_CONTACT].within.amount, 4 * HOUR_MS);
    cr_expect_eq(pact->clocks[BATON_CLOCK_VERDICT].within.amount, 0);
    cr_expect_not(pact->hours.given);
}

Test(pact, goals_stand_in_their_order_and_delivery_follows_from_two_of_them)
{
    const struct baton_pact *pact = pact_of(
        HEAD "signed: [{side: sales, by: Sam, date: 2026-10-28}, {side: marketing, by: Max, date: "
             "2026-10-28}]\n"
             "goals:\n  others: [{id: talks, measure: meeting_rate, at_least: 30%, per: month, "
             "owner: Max}]\n"
             "  conversion: {one_in: 5, judge_after: 20d, owner: Sam}\n"
             "  customers: {at_least: 20, per: week, owner: Sam}\n");
    cr_assert_eq(pact->goal_count, 4);
    cr_expect(text_is(pact->goals[0].id, "customers") && pact->goals[0].amount == 2000);
    cr_expect(text_is(pact->goals[1].id, "conversion") && pact->goals[1].amount == 500);
    cr_expect_eq(pact->goals[1].judge_after_ms, 20 * 24 * HOUR_MS);
    cr_expect(text_is(pact->goals[2].id, "delivery") && pact->goals[2].amount == 10000);
    cr_expect(pact->goals[2].per == BATON_SPAN_WEEK && pact->goals[2].side == BATON_MARKETING);
    cr_expect(text_is(pact->goals[2].owner, "Max"));
    cr_expect(text_is(pact->goals[3].id, "talks") && pact->goals[3].amount == 3000);
    cr_expect_eq(pact->goals[3].measure, BATON_GOAL_MEETING_RATE);
    cr_expect_eq(pact->goals[3].per, BATON_SPAN_MONTH);
    cr_expect_not(pact->has_clocks);
}

Test(pact, the_dates_of_review_and_meeting_are_kept)
{
    const struct baton_pact *pact =
        pact_of(HEAD "review: {every: quarter, next: 2026-12-01, owner: Ann}\nmeeting: week\n");
    cr_expect(pact->review_every == BATON_SPAN_QUARTER && pact->meeting_every == BATON_SPAN_WEEK);
    cr_expect_eq(pact->review_next, 20788);
    cr_expect(text_is(pact->review_owner, "Ann"));
    cr_expect_eq(pact->goal_count, 0);
}
