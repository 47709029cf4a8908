/* Tallies of two ids of one person. */
#include "domain/memory.h"
#include "domain/tally.h"
#include "domain/unite.h"

#include <string.h>

static uint32_t add_saturating(uint32_t a, uint32_t b)
{
    uint32_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

/* Hits of a bucket: as of the newest one and the one before. */
static uint32_t hits_in(const struct baton_tally *tally, int64_t bucket)
{
    if (bucket == tally->bucket)
        return tally->bucket_count;
    return bucket + 1 == tally->bucket ? tally->before_count : 0;
}

/* What is beyond the cap together is no hit. Of a rule that is not in the agreement the cap is not
 * known. */
static uint32_t capped(struct baton_tally *tally, uint64_t hits, uint32_t times)
{
    if (!times || hits <= times)
        return hits > UINT32_MAX ? UINT32_MAX : (uint32_t)hits;
    uint64_t beyond = hits - times;
    tally->count = beyond < tally->count ? tally->count - (uint32_t)beyond : 0;
    return times;
}

static void unite_buckets(struct baton_tally *tally, const struct baton_tally *from, uint32_t times)
{
    if (!(from->parts & TALLY_HAS_BUCKET))
        return;
    if (!(tally->parts & TALLY_HAS_BUCKET)) {
        tally->parts |= TALLY_HAS_BUCKET;
        tally->bucket = from->bucket;
        tally->bucket_count = tally->before_count = 0;
    }
    int64_t newest = from->bucket > tally->bucket ? from->bucket : tally->bucket;
    uint64_t now = (uint64_t)hits_in(tally, newest) + hits_in(from, newest);
    uint64_t before = (uint64_t)hits_in(tally, newest - 1) + hits_in(from, newest - 1);
    tally->bucket = (int32_t)newest;
    tally->bucket_count = capped(tally, now, times);
    tally->before_count = capped(tally, before, times);
}

static uint64_t decayed(const struct baton_tally *tally, int64_t to_ms, int64_t half_life_ms)
{
    return baton_decay(tally->weight, to_ms - tally->weight_ms, half_life_ms);
}

/* The newer one stands where the half-life is not known: the rule is not in the agreement. */
static void unite_weights(struct baton_tally *tally, const struct baton_tally *from,
                          int64_t half_life_ms)
{
    if (!(from->parts & TALLY_HAS_WEIGHT))
        return;
    if (!(tally->parts & TALLY_HAS_WEIGHT) ||
        (!half_life_ms && from->weight_ms > tally->weight_ms)) {
        tally->parts |= TALLY_HAS_WEIGHT;
        tally->weight = from->weight;
        tally->weight_ms = from->weight_ms;
        return;
    }
    if (!half_life_ms)
        return;
    int64_t to_ms = from->weight_ms > tally->weight_ms ? from->weight_ms : tally->weight_ms;
    uint64_t ours = decayed(tally, to_ms, half_life_ms),
             theirs = decayed(from, to_ms, half_life_ms);
    if (__builtin_add_overflow(ours, theirs, &tally->weight))
        tally->weight = UINT64_MAX;
    tally->weight_ms = to_ms;
}

static uint64_t hits_on(const struct baton_window *window, int64_t day)
{
    int64_t back = window->newest_day - day;
    return back >= 0 && back < BATON_WHILE_DAYS_MAX ? window->counts[back] : 0;
}

static void unite_windows(struct baton_tally *tally, struct baton_tally *from, uint32_t times)
{
    if (!(from->parts & TALLY_HAS_WINDOW) || tally->parts & TALLY_HAS_WEIGHT)
        return;
    if (!(tally->parts & TALLY_HAS_WINDOW)) {
        tally->window = from->window;
        tally->parts |= TALLY_HAS_WINDOW;
        from->parts &= (uint8_t)~TALLY_HAS_WINDOW;
        return;
    }
    struct baton_window ours = *tally->window, *to = tally->window;
    const uint64_t most = times ? times : UINT32_MAX;
    if (from->window->newest_day > to->newest_day)
        to->newest_day = from->window->newest_day;
    for (uint32_t i = 0; i < BATON_WHILE_DAYS_MAX; i++) {
        int64_t day = (int64_t)to->newest_day - i;
        uint64_t hits = hits_on(&ours, day) + hits_on(from->window, day);
        to->counts[i] = (uint32_t)(hits < most ? hits : most);
    }
}

void tally_unite(struct baton_tally *tally, struct baton_tally *from,
                 const struct baton_agreement *agreement)
{
    const struct baton_behaviour_rule *rule =
        tally->rule < 0 ? NULL : &agreement->behaviour[tally->rule];
    tally->count = add_saturating(tally->count, from->count);
    unite_buckets(tally, from, rule ? rule->cap_times : 0);
    unite_weights(tally, from, rule ? rule->half_life_ms : 0);
    unite_windows(tally, from, rule ? rule->while_times : 0);
}

/* With all room taken, a tally of a former agreement is left behind. */
static bool move_tally(struct baton_lead *lead, struct baton_tally *from,
                       struct baton_allocator *allocator)
{
    if (lead->tally_count == BATON_TALLIES_MAX) {
        if (from->rule < 0)
            return true;
        tally_drop_oldest_unknown(lead, allocator);
    }
    if (lead->tally_count == lead->tally_room) {
        struct baton_tally *grown =
            memory_grow(allocator, lead->tallies, &lead->tally_room, sizeof *lead->tallies);
        if (!grown)
            return false;
        lead->tallies = grown;
    }
    lead->tallies[lead->tally_count++] = *from;
    from->parts &= (uint8_t)~TALLY_HAS_WINDOW; /* it went with it */
    return true;
}

bool unite_tallies(struct baton_lead *lead, struct baton_lead *from,
                   const struct baton_fold_context *context)
{
    for (uint16_t i = 0; i < from->tally_count; i++) {
        struct baton_tally *theirs = &from->tallies[i];
        struct baton_tally *ours = tally_find(lead, theirs->rule_hash);
        if (ours)
            tally_unite(ours, theirs, context->agreement);
        else if (!move_tally(lead, theirs, context->allocator))
            return false;
    }
    return true;
}
