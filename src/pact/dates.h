/* What the time brings: the spans of a goal that can be judged, and the dates that are announced.
 * Pure functions. */
#ifndef PACT_DATES_H
#define PACT_DATES_H

#include "domain/calendar.h"

/* The last spans of a goal of which, at that moment, nothing more can come that counts: newest
 * first. Returns how many there are, at most 2. */
#define DATES_SPANS 2
size_t dates_ready_spans(const struct baton_agreement *agreement, const struct baton_goal *goal,
                         int64_t now_ms, struct calendar_span spans[DATES_SPANS]);

/* A date of the agreement that both sides are to be told of now. */
enum announcement_kind { ANNOUNCE_REVIEW, ANNOUNCE_MEETING, ANNOUNCE_EXPIRY, ANNOUNCEMENTS_MAX };
struct announcement {
    enum announcement_kind kind;
    int32_t day;    /* that it is about */
    int32_t before; /* announced so many days before: 7 or 0 */
};
/* "review", "meeting", "expiry" */
const char *announcement_name(enum announcement_kind kind);
/* A review is announced 7 days before and on the day, a meeting on the day, the end of the
 * agreement 7 days before; from the beginning of the working hours of that day on. */
size_t dates_announced(const struct baton_agreement *agreement, int64_t now_ms,
                       struct announcement out[ANNOUNCEMENTS_MAX]);
/* The review that is next, today's included. False: there is none. */
bool dates_next_review(const struct baton_pact *pact, int32_t today, int32_t *day);

#endif
