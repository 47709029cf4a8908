/* Days of the Gregorian calendar and what a zone's table makes of them. Private to this room. */
#ifndef AGREEMENT_DATES_H
#define AGREEMENT_DATES_H

#include <baton/agreement.h>

/* Days since 1970-01-01. Month and day from 1. */
int64_t days_from_date(int64_t year, unsigned month, unsigned day);
void date_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned days_in_month(int64_t year, unsigned month);
/* The first moment whose local date is `days` or later. */
int64_t start_of_day(const struct baton_zone_offset *zone, uint32_t zone_count, int64_t days);

#endif
