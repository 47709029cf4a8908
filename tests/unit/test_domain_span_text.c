/* Periods as people write them. */
#include "domain/span_text.h"
#include "domain_support.h"

static void is_period(const char *text, int32_t first, int32_t end)
{
    struct calendar_span span;
    cr_assert(span_text_read(text_of(text), &span), "%s", text);
    cr_expect(span.first == first && span.end == end, "%s: [%d, %d)", text, span.first, span.end);
}

static int32_t day(int64_t year, unsigned month, unsigned of_month)
{
    return calendar_days(year, month, of_month);
}

Test(span_text, periods_are_days_weeks_months_quarters_and_years)
{
    is_period("2026-11-03", day(2026, 11, 3), day(2026, 11, 4));
    is_period("2026-W45", day(2026, 11, 2), day(2026, 11, 9));
    is_period("2026-11", day(2026, 11, 1), day(2026, 12, 1));
    is_period("2026-12", day(2026, 12, 1), day(2027, 1, 1));
    is_period("2026-Q4", day(2026, 10, 1), day(2027, 1, 1));
    is_period("2028", day(2028, 1, 1), day(2029, 1, 1));
    is_period("2028-02-29", day(2028, 2, 29), day(2028, 3, 1));
    is_period("2026-11-03..2026-11-16", day(2026, 11, 3), day(2026, 11, 17));
    is_period("2026-11-03..2026-11-03", day(2026, 11, 3), day(2026, 11, 4));
    is_period("2026-01-01..2027-02-04", day(2026, 1, 1), day(2027, 2, 5)); /* 400 days */
    is_period("9999", day(9999, 1, 1), day(10000, 1, 1));
}

Test(span_text, weeks_are_those_of_iso)
{
    is_period("2026-W01", day(2025, 12, 29), day(2026, 1, 5));
    is_period("2027-W01", day(2027, 1, 4), day(2027, 1, 11));
    is_period("2026-W53", day(2026, 12, 28), day(2027, 1, 4));
}

Test(span_text, what_is_no_period_is_told)
{
    static const char *const wrong[] = {"",
                                        "26",
                                        "2026-",
                                        "2026-13",
                                        "2026-00",
                                        "2026-Q5",
                                        "2026-Q0",
                                        "2026-W00",
                                        "2027-W53",
                                        "2026-11-31",
                                        "1969",
                                        "2026-1-3",
                                        "2026/11",
                                        "2026-11-3x",
                                        "2026-11-16..2026-11-03",
                                        "2026-01-01..2027-02-05",
                                        "2026-11-03..",
                                        "2026-W4",
                                        "2026-W 1",
                                        "20 6",
                                        "2026-w45",
                                        "2026-q4",
                                        "2026-Q",
                                        "today"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct calendar_span span;
        cr_expect_not(span_text_read(text_of(wrong[i]), &span), "%s", wrong[i]);
    }
}
