/* Days of the Gregorian calendar, and what an agreement's zone makes of them. Days are counted from
 * 1970-01-01. */
#ifndef DOMAIN_CALENDAR_H
#define DOMAIN_CALENDAR_H

#include <baton/agreement.h>

/* Month and day from 1. */
int32_t calendar_days(int64_t year, unsigned month, unsigned day);
void calendar_date(int32_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned calendar_month_days(int64_t year, unsigned month);
/* 0: Monday. */
unsigned calendar_weekday(int32_t day);
/* Of the year's first week: the one that 4 January lies in. */
int32_t calendar_first_monday(int64_t year);

/* The local date of a time. */
int32_t calendar_day(const struct baton_agreement *agreement, int64_t time_ms);
/* The first moment whose local time is that minute of that day, or later. Minutes up to 24 × 60. */
int64_t calendar_instant(const struct baton_agreement *agreement, int32_t day, int32_t minute);
/* The same at minute 0 with no more than a zone's table. */
int64_t calendar_start_of_day(const struct baton_zone_offset *zone, uint32_t zone_count,
                              int64_t days);

/* Does sales work on this day? Without hours (NULL, or none given) every day is one. */
bool calendar_is_working(const struct baton_hours *hours, int32_t day);

/* Days [first, end). */
struct calendar_span {
    int32_t first, end;
};
/* The span that a day lies in. Of a working day: with the days off right before it; without hours
 * every day is one. */
struct calendar_span calendar_span_of(enum baton_span per, int32_t day,
                                      const struct baton_hours *hours);

#endif
