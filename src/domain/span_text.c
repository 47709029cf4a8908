#include "domain/span_text.h"

#include <string.h>

static bool number_of(const char *digits, uint32_t count, unsigned *value)
{
    *value = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        *value = *value * 10 + (unsigned)(digits[i] - '0');
    }
    return true;
}

static bool read_date(struct baton_text text, int32_t *day)
{
    unsigned year, month, of_month;
    if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !number_of(text.data, 4, &year) || !number_of(text.data + 5, 2, &month) ||
        !number_of(text.data + 8, 2, &of_month) || year < 1970 || month < 1 || month > 12 ||
        of_month < 1 || of_month > calendar_month_days(year, month))
        return false;
    *day = calendar_days(year, month, of_month);
    return true;
}

static bool read_week(unsigned year, struct baton_text week, struct calendar_span *span)
{
    unsigned number;
    if (week.size != 2 || !number_of(week.data, 2, &number) || number < 1)
        return false;
    span->first = calendar_first_monday(year) + 7 * ((int32_t)number - 1);
    span->end = span->first + 7;
    return span->first < calendar_first_monday(year + 1);
}

/* `count` months, the n-th such piece of the year. */
static bool read_months(unsigned year, struct baton_text text, unsigned count,
                        struct calendar_span *span)
{
    unsigned number;
    if (!number_of(text.data, text.size, &number) || number < 1 || number > 12 / count)
        return false;
    *span = calendar_span_of(count == 1 ? BATON_SPAN_MONTH : BATON_SPAN_QUARTER,
                             calendar_days(year, (number - 1) * count + 1, 1), NULL);
    return true;
}

static bool read_named(struct baton_text text, struct calendar_span *span)
{
    unsigned year;
    if (text.size < 4 || !number_of(text.data, 4, &year) || year < 1970)
        return false;
    if (text.size == 4) {
        *span = calendar_span_of(BATON_SPAN_YEAR, calendar_days(year, 1, 1), NULL);
        return true;
    }
    struct baton_text rest = {text.data + 6, text.size > 6 ? text.size - 6 : 0};
    if (text.data[4] != '-')
        return false;
    if (text.size == 8 && text.data[5] == 'W')
        return read_week(year, rest, span);
    if (text.size == 7 && text.data[5] == 'Q')
        return read_months(year, rest, 3, span);
    struct baton_text month = {text.data + 5, 2};
    return text.size == 7 && read_months(year, month, 1, span);
}

bool span_text_read(struct baton_text text, struct calendar_span *span)
{
    *span = (struct calendar_span){0};
    if (text.size == 22 && memcmp(text.data + 10, "..", 2) == 0) {
        if (!read_date((struct baton_text){text.data, 10}, &span->first) ||
            !read_date((struct baton_text){text.data + 12, 10}, &span->end))
            return false;
        span->end++;
    } else if (read_date(text, &span->first)) {
        span->end = span->first + 1;
    } else if (!read_named(text, span)) {
        return false;
    }
    return span->end > span->first && span->end - span->first <= SPAN_TEXT_DAYS_MAX;
}
