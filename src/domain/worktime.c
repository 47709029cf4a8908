#include "domain/worktime.h"

#include <assert.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MINUTES (24 * 60)

uint32_t worktime_days(const struct baton_hours *hours, struct calendar_span span)
{
    uint32_t count = 0;
    for (int32_t day = span.first; day < span.end; day++)
        count += calendar_is_working(hours, day);
    return count;
}

static int64_t capped(int64_t start_ms, int64_t more_ms)
{
    return more_ms < BATON_TIME_MAX_MS - start_ms ? start_ms + more_ms : BATON_TIME_MAX_MS;
}

/* When the work of a day begins and ends. */
struct shift {
    int64_t begin_ms, end_ms;
};

static struct shift shift_of(const struct baton_agreement *agreement,
                             const struct baton_hours *hours, int32_t day)
{
    return (struct shift){
        calendar_instant(agreement, day, hours->given ? hours->from_minute : 0),
        calendar_instant(agreement, day, hours->given ? hours->to_minute : DAY_MINUTES)};
}

static const struct baton_hours *hours_of(const struct baton_agreement *agreement)
{
    const struct baton_hours *hours = &agreement->pact->hours;
    assert(!hours->given || (hours->days & 0x7f));
    return hours;
}

/* ---- Forward --------------------------------------------------------------------------------- */

static int64_t hours_after(const struct baton_agreement *agreement, int64_t start_ms,
                           int64_t left_ms)
{
    const struct baton_hours *hours = hours_of(agreement);
    for (int32_t day = calendar_day(agreement, start_ms);; day++) {
        if (!calendar_is_working(hours, day))
            continue;
        struct shift shift = shift_of(agreement, hours, day);
        if (shift.begin_ms >= BATON_TIME_MAX_MS)
            return BATON_TIME_MAX_MS;
        int64_t from_ms = start_ms > shift.begin_ms ? start_ms : shift.begin_ms;
        if (shift.end_ms - from_ms >= left_ms)
            return capped(from_ms, left_ms);
        left_ms -= shift.end_ms > from_ms ? shift.end_ms - from_ms : 0;
    }
}

static int64_t days_after(const struct baton_agreement *agreement, int64_t start_ms, int64_t left)
{
    const struct baton_hours *hours = hours_of(agreement);
    int32_t day = calendar_day(agreement, start_ms),
            last = calendar_day(agreement, BATON_TIME_MAX_MS);
    while (left > 0 && day < last)
        left -= calendar_is_working(hours, ++day);
    int64_t close_ms = shift_of(agreement, hours, day).end_ms;
    return left || close_ms > BATON_TIME_MAX_MS ? BATON_TIME_MAX_MS : close_ms;
}

int64_t worktime_after(const struct baton_agreement *agreement, int64_t start_ms,
                       struct baton_promise promise)
{
    assert(promise.amount > 0);
    switch (promise.unit) {
    case BATON_WORKING_HOURS: return hours_after(agreement, start_ms, promise.amount * HOUR_MS);
    case BATON_WORKING_DAYS: return days_after(agreement, start_ms, promise.amount);
    default: return capped(start_ms, promise.amount);
    }
}

/* ---- Backward -------------------------------------------------------------------------------- */

static int64_t hours_before(const struct baton_agreement *agreement, int64_t due_ms,
                            int64_t left_ms)
{
    const struct baton_hours *hours = hours_of(agreement);
    for (int32_t day = calendar_day(agreement, due_ms); day >= 0; day--) {
        if (!calendar_is_working(hours, day))
            continue;
        struct shift shift = shift_of(agreement, hours, day);
        int64_t until_ms = due_ms < shift.end_ms ? due_ms : shift.end_ms;
        if (until_ms - shift.begin_ms >= left_ms)
            return until_ms - left_ms;
        left_ms -= until_ms > shift.begin_ms ? until_ms - shift.begin_ms : 0;
    }
    return 0;
}

static int64_t days_before(const struct baton_agreement *agreement, int64_t due_ms, int64_t left)
{
    const struct baton_hours *hours = hours_of(agreement);
    int32_t day = calendar_day(agreement, due_ms);
    while (left > 0 && day > 0)
        left -= calendar_is_working(hours, --day);
    return left ? 0 : shift_of(agreement, hours, day).end_ms;
}

int64_t worktime_before(const struct baton_agreement *agreement, int64_t due_ms,
                        struct baton_promise promise)
{
    assert(promise.amount > 0);
    switch (promise.unit) {
    case BATON_WORKING_HOURS: return hours_before(agreement, due_ms, promise.amount * HOUR_MS);
    case BATON_WORKING_DAYS: return days_before(agreement, due_ms, promise.amount);
    default: return due_ms > promise.amount ? due_ms - promise.amount : 0;
    }
}
