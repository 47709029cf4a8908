#include "pipeline/transfer_state.h"

#include "domain/lead_portable.h"

#include <stdlib.h>
#include <string.h>

/* A lead without some of its parts. It shares the memory of what is whole. */
struct cut {
    struct baton_lead lead;
    struct baton_history history;
    struct baton_profile_value *profile; /* room for all */
    struct baton_tally *tallies;         /* room for all */
};

/* So many of `left` go; returns how many there were to take. */
static uint32_t take(uint32_t *left, uint32_t have)
{
    uint32_t taken = *left < have ? *left : have;
    *left -= taken;
    return taken;
}

static void cut_history(struct cut *cut, const struct baton_history *whole, uint32_t *left)
{
    struct baton_history *history = &cut->history;
    *history = *whole;
    cut->lead.history = history;
    history->form_count -= (uint8_t)take(left, history->form_count);
    history->earlier_count -= (uint8_t)take(left, history->earlier_count);
    uint32_t aliases = take(left, history->alias_count);
    history->aliases = aliases ? history->aliases + aliases : history->aliases;
    history->alias_count -= (uint8_t)aliases;
}

/* Does the first go before the second? */
static bool value_is_older(const struct baton_profile_value *a, const struct baton_profile_value *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a > b;
}

static void cut_profile(struct cut *cut, const struct baton_lead *whole, uint32_t *left)
{
    uint32_t gone = take(left, whole->profile_count);
    uint16_t kept = 0;
    for (uint16_t i = 0; gone && i < whole->profile_count; i++) {
        uint32_t older = 0;
        for (uint16_t k = 0; k < whole->profile_count; k++)
            older += value_is_older(&whole->profile[k], &whole->profile[i]);
        if (older >= gone)
            cut->profile[kept++] = whole->profile[i];
    }
    if (!gone)
        return;
    cut->lead.profile = cut->profile;
    cut->lead.profile_count = kept;
}

/* They stand in the order of their first hit. */
static void cut_tallies(struct cut *cut, const struct baton_lead *whole, uint32_t *left)
{
    uint32_t unknown = 0;
    for (uint16_t i = 0; i < whole->tally_count; i++)
        unknown += whole->tallies[i].rule < 0;
    uint32_t gone = take(left, unknown), known_gone = take(left, whole->tally_count - unknown);
    if (!gone && !known_gone)
        return;
    cut->lead.tally_count = 0;
    for (uint16_t i = 0; i < whole->tally_count; i++) {
        uint32_t *going = whole->tallies[i].rule < 0 ? &gone : &known_gone;
        if (*going)
            --*going;
        else
            cut->tallies[cut->lead.tally_count++] = whole->tallies[i];
    }
    cut->lead.tallies = cut->tallies;
}

static void cut_off(struct cut *cut, const struct baton_lead *whole, uint32_t left)
{
    cut->lead = *whole;
    cut->lead.touch_count -= (uint16_t)take(&left, whole->touch_count); /* newest first */
    cut->lead.recent_count -= (uint8_t)take(&left, whole->recent_count);
    if (whole->history)
        cut_history(cut, whole->history, &left);
    cut_profile(cut, whole, &left);
    cut_tallies(cut, whole, &left);
}

static uint32_t parts_of(const struct baton_lead *lead)
{
    const struct baton_history *history = lead->history;
    uint32_t of_history =
        history ? (uint32_t)history->form_count + history->earlier_count + history->alias_count : 0;
    return (uint32_t)lead->touch_count + lead->recent_count + of_history + lead->profile_count +
           lead->tally_count;
}

/* The fewest parts whose absence is enough; all of them where nothing is. */
static uint32_t parts_to_leave_out(struct cut *cut, const struct baton_lead *lead,
                                   const struct baton_words *words, size_t room, uint8_t *bytes)
{
    uint32_t low = 1, high = parts_of(lead);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        cut_off(cut, lead, middle);
        if (lead_portable_write(&cut->lead, words, bytes) <= room)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

struct baton_text transfer_state(struct arena *arena, const struct baton_lead *lead,
                                 const struct baton_words *words, size_t room, uint32_t *left_out)
{
    uint8_t *bytes = arena_take(arena, lead_portable_bound(lead, words));
    size_t size = lead_portable_write(lead, words, bytes);
    *left_out = 0;
    if (size > room) {
        struct cut cut;
        cut.profile = arena_take(arena, (lead->profile_count + 1u) * sizeof *cut.profile);
        cut.tallies = arena_take(arena, (lead->tally_count + 1u) * sizeof *cut.tallies);
        *left_out = parts_to_leave_out(&cut, lead, words, room, bytes);
        cut_off(&cut, lead, *left_out);
        size = lead_portable_write(&cut.lead, words, bytes);
    } else {
        arena_trim(arena, bytes, size);
    }
    return (struct baton_text){(const char *)bytes, (uint32_t)size};
}
