#include "pact/dates.h"

#include "pact/goals.h"

#define DAYS_BEFORE 7
#define SPANS_BACK 800 /* that a span can be too young for: days of a judge_after of two years */
#define REVIEWS_MAX 40000

/* ---- Spans that can be judged
 * -------------------------------------------------------------------- */

size_t dates_ready_spans(const struct baton_agreement *agreement, const struct baton_goal *goal,
                         int64_t now_ms, struct calendar_span spans[DATES_SPANS])
{
    const struct baton_hours *hours = agreement->pact ? &agreement->pact->hours : NULL;
    int32_t day = calendar_day(agreement, now_ms);
    size_t count = 0;
    struct calendar_span span = calendar_span_of(goal->per, day, hours);
    for (int back = 0; back < SPANS_BACK && count < DATES_SPANS; back++) {
        if (goal_ready_ms(agreement, goal, span) <= now_ms)
            spans[count++] = span;
        span = calendar_span_of(goal->per, span.first - 1, hours);
    }
    return count;
}

/* ---- Dates
 * --------------------------------------------------------------------------------------- */

static int32_t months_later(int32_t day, int64_t months)
{
    int64_t year;
    unsigned month, of_month;
    calendar_date(day, &year, &month, &of_month);
    int64_t index = year * 12 + (month - 1) + months;
    unsigned then = (unsigned)(index % 12) + 1, last = calendar_month_days(index / 12, then);
    return calendar_days(index / 12, then, of_month < last ? of_month : last);
}

/* The n-th one behind the first: of the first's day of the month, where the month has it. */
static int32_t review_of(const struct baton_pact *pact, int64_t n)
{
    switch (pact->review_every) {
    case BATON_SPAN_WEEK: return pact->review_next + (int32_t)(7 * n);
    case BATON_SPAN_MONTH: return months_later(pact->review_next, n);
    case BATON_SPAN_QUARTER: return months_later(pact->review_next, 3 * n);
    case BATON_SPAN_YEAR: return months_later(pact->review_next, 12 * n);
    default: return pact->review_next + (int32_t)n;
    }
}

bool dates_next_review(const struct baton_pact *pact, int32_t today, int32_t *day)
{
    if (pact->review_next == INT32_MIN)
        return false;
    *day = pact->review_next;
    if (pact->review_every == BATON_SPAN_NONE)
        return *day >= today;
    for (int64_t n = 1; *day < today && n < REVIEWS_MAX; n++)
        *day = review_of(pact, n);
    return *day >= today;
}

const char *announcement_name(enum announcement_kind kind)
{
    static const char *const names[ANNOUNCEMENTS_MAX] = {
        [ANNOUNCE_REVIEW] = "review", [ANNOUNCE_MEETING] = "meeting", [ANNOUNCE_EXPIRY] = "expiry"};
    return names[kind];
}

/* The first moment of the day at which anybody is at work. */
static bool is_told_by(const struct baton_agreement *agreement, int32_t day, int64_t now_ms)
{
    const struct baton_hours *hours = &agreement->pact->hours;
    return calendar_instant(agreement, day, hours->given ? hours->from_minute : 0) <= now_ms;
}

static void announce(struct announcement *out, size_t *count, enum announcement_kind kind,
                     int32_t day, int32_t before)
{
    out[(*count)++] = (struct announcement){kind, day, before};
}

static bool is_meeting_day(const struct baton_pact *pact, int32_t day)
{
    enum baton_span every = pact->meeting_every;
    if (every == BATON_SPAN_NONE)
        return false;
    struct calendar_span span = calendar_span_of(every, day, &pact->hours);
    return day == (every == BATON_SPAN_WORKING_DAY ? span.end - 1 : span.first);
}

size_t dates_announced(const struct baton_agreement *agreement, int64_t now_ms,
                       struct announcement out[ANNOUNCEMENTS_MAX])
{
    const struct baton_pact *pact = agreement->pact;
    int32_t today = calendar_day(agreement, now_ms), day;
    size_t count = 0;
    if (dates_next_review(pact, today, &day)) {
        if (day == today && is_told_by(agreement, today, now_ms))
            announce(out, &count, ANNOUNCE_REVIEW, day, 0);
        else if (is_told_by(agreement, day - DAYS_BEFORE, now_ms))
            announce(out, &count, ANNOUNCE_REVIEW, day, DAYS_BEFORE);
    }
    if (is_meeting_day(pact, today) && is_told_by(agreement, today, now_ms))
        announce(out, &count, ANNOUNCE_MEETING, today, 0);
    if (agreement->expires_ms < BATON_TIME_MAX_MS && now_ms < agreement->expires_ms) {
        int32_t last = calendar_day(agreement, agreement->expires_ms - 1);
        if (is_told_by(agreement, last - DAYS_BEFORE, now_ms))
            announce(out, &count, ANNOUNCE_EXPIRY, last, DAYS_BEFORE);
    }
    return count;
}
