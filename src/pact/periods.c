#include "pact/periods.h"

#include "domain/span_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Reading ---- */

static bool read_relative(const char *text, int32_t today, struct calendar_span *span)
{
    static const struct {
        const char *word;
        enum baton_span per;
    } words[] = {{"week", BATON_SPAN_WEEK},
                 {"month", BATON_SPAN_MONTH},
                 {"quarter", BATON_SPAN_QUARTER},
                 {"year", BATON_SPAN_YEAR}};
    bool yesterday = strcmp(text, "yesterday") == 0, last = strncmp(text, "last-", 5) == 0;
    if (yesterday || strcmp(text, "today") == 0) {
        *span = (struct calendar_span){today - yesterday, today + !yesterday};
        return true;
    }
    if (!last && strncmp(text, "this-", 5) != 0)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text + 5, words[i].word) != 0)
            continue;
        *span = calendar_span_of(words[i].per, today, NULL);
        if (last)
            *span = calendar_span_of(words[i].per, span->first - 1, NULL);
        return true;
    }
    return false;
}

bool period_read(const char *text, int32_t today, struct calendar_span *span)
{
    struct baton_text written = {text, (uint32_t)strlen(text)};
    return read_relative(text, today, span) || span_text_read(written, span);
}

/* ---- Naming ---- */

static void name_week(int32_t monday, char name[PERIOD_NAME_MAX])
{
    int64_t year;
    unsigned month, day;
    calendar_date(monday + 3, &year, &month, &day); /* its Thursday lies in the week's year */
    (void)snprintf(name, PERIOD_NAME_MAX, "%04" PRId64 "-W%02d", year,
                   (monday - calendar_first_monday(year)) / 7 + 1);
}

void period_name(enum baton_span per, struct calendar_span span, char name[PERIOD_NAME_MAX])
{
    int64_t year;
    unsigned month, day;
    bool of_day = per == BATON_SPAN_WORKING_DAY || per == BATON_SPAN_DAY;
    calendar_date(of_day ? span.end - 1 : span.first, &year, &month, &day);
    name[0] = 0;
    switch (per) {
    case BATON_SPAN_WORKING_DAY:
    case BATON_SPAN_DAY:
        (void)snprintf(name, PERIOD_NAME_MAX, "%04" PRId64 "-%02u-%02u", year, month, day);
        return;
    case BATON_SPAN_WEEK: name_week(span.first, name); return;
    case BATON_SPAN_MONTH:
        (void)snprintf(name, PERIOD_NAME_MAX, "%04" PRId64 "-%02u", year, month);
        return;
    case BATON_SPAN_QUARTER:
        (void)snprintf(name, PERIOD_NAME_MAX, "%04" PRId64 "-Q%u", year, (month + 2) / 3);
        return;
    case BATON_SPAN_YEAR: (void)snprintf(name, PERIOD_NAME_MAX, "%04" PRId64, year); return;
    case BATON_SPAN_NONE: return;
    }
}

void period_find_name(struct calendar_span span, char name[PERIOD_NAME_MAX])
{
    name[0] = 0;
    for (int per = BATON_SPAN_DAY; per < BATON_SPANS; per++) {
        struct calendar_span is = calendar_span_of((enum baton_span)per, span.first, NULL);
        if (is.first != span.first || is.end != span.end)
            continue;
        period_name((enum baton_span)per, span, name);
        return;
    }
}

struct calendar_span meeting_last(const struct baton_pact *pact, int32_t today)
{
    if (pact->meeting_every == BATON_SPAN_NONE)
        return (struct calendar_span){today, today + 1};
    struct calendar_span last = calendar_span_of(pact->meeting_every, today - 1, &pact->hours);
    if (pact->meeting_every != BATON_SPAN_WORKING_DAY)
        return (struct calendar_span){last.first, today + 1};
    int32_t day = today - 1; /* a span of a working day ends with it: it may lie before */
    while (!calendar_is_working(&pact->hours, day))
        day--;
    return (struct calendar_span){day, today + 1};
}
