/* Spans of days as people write them, in a `spend` and on the command line alike: 2026-11-03,
 * 2026-W45, 2026-11, 2026-Q4, 2026, and 2026-11-03..2026-11-16 with both days. */
#ifndef DOMAIN_SPAN_TEXT_H
#define DOMAIN_SPAN_TEXT_H

#include "domain/calendar.h"

#define SPAN_TEXT_DAYS_MAX 400

/* False: it is none of these, is longer than SPAN_TEXT_DAYS_MAX, or is not within the years 1970 to
 * 9999. *span is set in any case. */
bool span_text_read(struct baton_text text, struct calendar_span *span);

#endif
