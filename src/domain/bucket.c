#include <baton/scoring.h>

#include <assert.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t zone_offset_ms(const struct baton_agreement *agreement, int64_t time_ms)
{
    uint32_t low = 0, high = agreement->zone_count; /* the entry is in [low, high) */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (agreement->zone[middle].from_ms <= time_ms)
            low = middle;
        else
            high = middle;
    }
    return agreement->zone[low].offset_s * INT64_C(1000);
}

/* Year × 12 + month - 1 of a day. Years are counted from March here, so that the day that comes and
 * goes is their last. */
static int64_t month_of_day(int64_t day)
{
    day += 719468; /* from 0000-03-01 */
    int64_t era = floor_divide(day, 146097);
    int64_t day_of_era = day - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */
    return (era * 400 + year_of_era) * 12 + month + 2;
}

int32_t baton_bucket(const struct baton_agreement *agreement, enum baton_period period,
                     int64_t time_ms)
{
    if (period == BATON_PER_NONE || period == BATON_PER_EVER)
        return 0;
    if (period == BATON_PER_HOUR)
        return (int32_t)floor_divide(time_ms, HOUR_MS);
    int64_t day = floor_divide(time_ms + zone_offset_ms(agreement, time_ms), DAY_MS);
    switch (period) {
    case BATON_PER_DAY: return (int32_t)day;
    case BATON_PER_WEEK: return (int32_t)floor_divide(day + 3, 7);
    case BATON_PER_MONTH: return (int32_t)month_of_day(day);
    default: assert(false && "a period"); return 0;
    }
}
