#include "domain/window.h"

#include "domain/memory.h"

#include <string.h>

static int32_t day_of(const struct baton_agreement *agreement, int64_t time_ms)
{
    return baton_bucket(agreement, BATON_PER_DAY, time_ms);
}

/* Events in the newest `days` days up to `today`, as far as they matter: a day's number stops at
 * the rule's `times`. In a zone that once set its clocks back over a midnight, the newest day of
 * the window can be after that of a later time; it does not count then. */
static uint64_t sum_up_to(const struct baton_window *window, int64_t today, uint32_t days)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < days; i++) {
        int64_t day = (int64_t)window->newest_day - i;
        if (day <= today && day > today - days)
            sum += window->counts[i];
    }
    return sum;
}

/* Makes `day` the newest; what is older than the rule looks back leaves. */
static void move_on(struct baton_window *window, int32_t day, uint32_t days)
{
    int64_t ahead = (int64_t)day - window->newest_day;
    size_t kept = ahead < days ? days - (size_t)ahead : 0;
    memmove(window->counts + (days - kept), window->counts, kept * sizeof *window->counts);
    memset(window->counts, 0, (days - kept) * sizeof *window->counts);
    window->newest_day = day;
}

/* The tally of the rule, with a window; NULL if there is no memory. */
static struct baton_tally *open_window(struct baton_lead *lead,
                                       const struct baton_agreement *agreement, uint16_t rule,
                                       int32_t day, struct baton_allocator *allocator)
{
    struct baton_tally *tally = tally_of(lead, agreement, rule, allocator);
    if (!tally || tally->parts & TALLY_HAS_WINDOW)
        return tally;
    tally->window = memory_new(allocator, sizeof *tally->window);
    if (!tally->window)
        return NULL;
    *tally->window = (struct baton_window){.newest_day = day};
    tally->parts |= TALLY_HAS_WINDOW;
    return tally;
}

enum tally_outcome window_take(struct baton_lead *lead, const struct baton_agreement *agreement,
                               uint16_t rule, int64_t time_ms, struct baton_allocator *allocator)
{
    uint32_t days = agreement->behaviour[rule].while_days;
    uint32_t times = agreement->behaviour[rule].while_times;
    int32_t day = day_of(agreement, time_ms);
    int32_t today = time_ms == lead->newest_ms ? day : day_of(agreement, lead->newest_ms);
    if ((int64_t)today - day >= days)
        return TALLY_TOO_LATE;
    struct baton_tally *tally = open_window(lead, agreement, rule, day, allocator);
    if (!tally)
        return TALLY_NO_MEMORY;
    struct baton_window *window = tally->window;
    if (day > window->newest_day)
        move_on(window, day, days);
    uint32_t back = (uint32_t)(window->newest_day - day);
    if (back >= days)
        return TALLY_TOO_LATE;
    bool comes_to_hold = sum_up_to(window, today, days) == times - 1;
    if (window->counts[back] < times)
        window->counts[back]++;
    if (comes_to_hold && tally->count < UINT32_MAX)
        tally->count++;
    return comes_to_hold ? TALLY_COUNTED : TALLY_NO_HIT;
}

bool window_holds(const struct baton_tally *tally, const struct baton_agreement *agreement,
                  int64_t at_ms)
{
    const struct baton_behaviour_rule *rule = &agreement->behaviour[tally->rule];
    return sum_up_to(tally->window, day_of(agreement, at_ms), rule->while_days) >=
           rule->while_times;
}
