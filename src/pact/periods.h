/* Spans of days as people write and name them. */
#ifndef PACT_PERIODS_H
#define PACT_PERIODS_H

#include "domain/calendar.h"

#define PERIOD_NAME_MAX 24

/* What domain/span_text.h reads, and, counted from today, `today`, `yesterday`, `this-week`,
 * `last-week`, and the same with month, quarter and year. False: it is none of these. */
bool period_read(const char *text, int32_t today, struct calendar_span *span);
/* The name of a span that calendar_span_of gave: of a working day its own date. */
void period_name(enum baton_span per, struct calendar_span span, char name[PERIOD_NAME_MAX]);
/* The same of any span: "" where no such name is that span's. */
void period_find_name(struct calendar_span span, char name[PERIOD_NAME_MAX]);
/* From the last meeting day before today, to the end of today. A meeting is held on each (working)
 * day, on Monday, on the first of the month, of the quarter, of the year. Without meetings: today.
 */
struct calendar_span meeting_last(const struct baton_pact *pact, int32_t today);

#endif
