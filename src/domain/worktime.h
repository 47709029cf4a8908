/* Time that counts only while sales works. Results never go beyond BATON_TIME_MAX_MS. */
#ifndef DOMAIN_WORKTIME_H
#define DOMAIN_WORKTIME_H

#include "domain/calendar.h"

/* How many of a span's days are working days; without hours all of them. */
uint32_t worktime_days(const struct baton_hours *hours, struct calendar_span span);
/* When a promise that begins at start_ms is due: elapsed time; working hours counted within the
 * agreement's hours; the close of the n-th working day after the day of the start. The agreement
 * has a pact; without hours a working hour is one of any. */
int64_t worktime_after(const struct baton_agreement *agreement, int64_t start_ms,
                       struct baton_promise promise);
/* The time that lies a promise's length before due_ms; n working days: the close of the n-th
 * working day before the day of due_ms. */
int64_t worktime_before(const struct baton_agreement *agreement, int64_t due_ms,
                        struct baton_promise promise);

#endif
