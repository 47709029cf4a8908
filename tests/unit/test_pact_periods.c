/* Spans of days as people write them. */
#include "pact/periods.h"

#include <criterion/criterion.h>
#include <string.h>

#define DAY(year, month, day) calendar_days(year, month, day)

static const int32_t sunday = 20758; /* 2026-11-01 */

static void expect(const char *text, int32_t first, int32_t last)
{
    struct calendar_span span;
    cr_expect(period_read(text, sunday, &span), "%s", text);
    cr_expect_eq(span.first, first, "%s begins with %d", text, span.first);
    cr_expect_eq(span.end, last + 1, "%s ends before %d", text, span.end);
}

Test(periods, a_day_a_week_a_month_a_quarter_a_year)
{
    cr_assert_eq(sunday, DAY(2026, 11, 1));
    expect("2026-11-03", DAY(2026, 11, 3), DAY(2026, 11, 3));
    expect("2026-W45", DAY(2026, 11, 2), DAY(2026, 11, 8));
    expect("2026-11", DAY(2026, 11, 1), DAY(2026, 11, 30));
    expect("2026-12", DAY(2026, 12, 1), DAY(2026, 12, 31));
    expect("2026-Q4", DAY(2026, 10, 1), DAY(2026, 12, 31));
    expect("2024-Q1", DAY(2024, 1, 1), DAY(2024, 3, 31));
    expect("2024", DAY(2024, 1, 1), DAY(2024, 12, 31));
    expect("2024-02-29", DAY(2024, 2, 29), DAY(2024, 2, 29));
}

Test(periods, weeks_of_the_turn_of_a_year)
{
    expect("2026-W01", DAY(2025, 12, 29), DAY(2026, 1, 4));
    expect("2026-W53", DAY(2026, 12, 28), DAY(2027, 1, 3));
    expect("2021-W01", DAY(2021, 1, 4), DAY(2021, 1, 10));
    struct calendar_span span;
    cr_expect_not(period_read("2025-W53", sunday, &span), "2025 has 52 weeks");
}

Test(periods, from_a_day_to_a_day)
{
    expect("2026-10-30..2026-11-02", DAY(2026, 10, 30), DAY(2026, 11, 2));
    expect("2026-01-01..2027-02-04", DAY(2026, 1, 1), DAY(2027, 2, 4)); /* 400 days */
    struct calendar_span span;
    cr_expect_not(period_read("2026-01-01..2027-02-05", sunday, &span));
    cr_expect_not(period_read("2026-01-02..2026-01-01", sunday, &span));
    cr_expect_not(period_read("2026-01..2026-02", sunday, &span));
}

Test(periods, counted_from_today)
{
    expect("today", sunday, sunday);
    expect("yesterday", DAY(2026, 10, 31), DAY(2026, 10, 31));
    expect("this-week", DAY(2026, 10, 26), DAY(2026, 11, 1));
    expect("last-week", DAY(2026, 10, 19), DAY(2026, 10, 25));
    expect("last-month", DAY(2026, 10, 1), DAY(2026, 10, 31));
    expect("last-quarter", DAY(2026, 7, 1), DAY(2026, 9, 30));
    expect("this-year", DAY(2026, 1, 1), DAY(2026, 12, 31));
    expect("last-year", DAY(2025, 1, 1), DAY(2025, 12, 31));
}

Test(periods, what_is_none)
{
    static const char *const texts[] = {
        "",         "2026-13",   "2026-00",     "2026-02-29", "2026-Q5", "2026-Q0",
        "2026-W00", "2026-11-3", "2026-11-03x", "26",         "last-",   "last-decade",
        "..",       "2026-1",    "2026-11-31",  "this-day"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct calendar_span span;
        cr_expect_not(period_read(texts[i], sunday, &span), "%s", texts[i]);
    }
}

Test(periods, names_are_read_back)
{
    static const char *const names[] = {"2026-11-03", "2026-W45", "2026-11",  "2026-Q4",
                                        "2026",       "2026-W53", "2021-W01", "2020-W53"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct calendar_span span;
        char name[PERIOD_NAME_MAX];
        cr_assert(period_read(names[i], sunday, &span));
        period_find_name(span, name);
        cr_expect_str_eq(name, names[i]);
    }
    char name[PERIOD_NAME_MAX];
    period_find_name((struct calendar_span){sunday, sunday + 2}, name);
    cr_expect_str_empty(name);
    period_name(BATON_SPAN_WORKING_DAY, (struct calendar_span){sunday - 1, sunday + 2}, name);
    cr_expect_str_eq(name, "2026-11-02", "a working day has its own date");
}

Test(periods, the_last_meeting)
{
    struct baton_pact pact = {.meeting_every = BATON_SPAN_WEEK};
    struct calendar_span span = meeting_last(&pact, DAY(2026, 11, 4)); /* a Wednesday */
    cr_expect_eq(span.first, DAY(2026, 11, 2));
    cr_expect_eq(span.end, DAY(2026, 11, 5));
    span = meeting_last(&pact, DAY(2026, 11, 2)); /* today's is not held yet */
    cr_expect_eq(span.first, DAY(2026, 10, 26));
    pact.meeting_every = BATON_SPAN_QUARTER;
    cr_expect_eq(meeting_last(&pact, DAY(2026, 10, 1)).first, DAY(2026, 7, 1));
    pact.hours = (struct baton_hours){.given = true, .days = 0x1f};
    pact.meeting_every = BATON_SPAN_WORKING_DAY;
    cr_expect_eq(meeting_last(&pact, DAY(2026, 11, 2)).first, DAY(2026, 10, 30));
    cr_expect_eq(meeting_last(&pact, DAY(2026, 11, 3)).first, DAY(2026, 11, 2));
    pact.meeting_every = BATON_SPAN_NONE;
    cr_expect_eq(meeting_last(&pact, DAY(2026, 11, 3)).first, DAY(2026, 11, 3));
}
