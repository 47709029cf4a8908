#include "domain/tally.h"

#include "domain/memory.h"
#include "domain/window.h"

#include <string.h>

/* Moves the newest bucket on if x is beyond it. */
static void see_bucket(struct baton_tally *tally, int32_t x)
{
    if (!(tally->parts & TALLY_HAS_BUCKET)) {
        tally->parts |= TALLY_HAS_BUCKET;
        tally->bucket = x;
    } else if (x > tally->bucket) {
        tally->before_count = (int64_t)x - tally->bucket == 1 ? tally->bucket_count : 0;
        tally->bucket_count = 0;
        tally->bucket = x;
    }
}

static enum tally_outcome take_cap(struct baton_tally *tally,
                                   const struct baton_behaviour_rule *rule, int32_t x)
{
    see_bucket(tally, x);
    if ((int64_t)tally->bucket - x > 1)
        return TALLY_TOO_LATE;
    uint32_t *count = x == tally->bucket ? &tally->bucket_count : &tally->before_count;
    if (*count >= rule->cap_times)
        return TALLY_NO_HIT;
    (*count)++;
    return TALLY_COUNTED;
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void add_weight(struct baton_tally *tally, int64_t half_life_ms, int64_t time_ms)
{
    if (!(tally->parts & TALLY_HAS_WEIGHT)) {
        tally->parts |= TALLY_HAS_WEIGHT;
        tally->weight = BATON_WEIGHT_ONE;
        tally->weight_ms = time_ms;
    } else if (time_ms >= tally->weight_ms) {
        uint64_t left = baton_decay(tally->weight, time_ms - tally->weight_ms, half_life_ms);
        tally->weight = add_saturating(left, BATON_WEIGHT_ONE);
        tally->weight_ms = time_ms;
    } else {
        uint64_t late = baton_decay(BATON_WEIGHT_ONE, tally->weight_ms - time_ms, half_life_ms);
        tally->weight = add_saturating(tally->weight, late);
    }
}

enum tally_outcome tally_hit(struct baton_tally *tally, const struct baton_behaviour_rule *rule,
                             const struct baton_agreement *agreement, int64_t time_ms)
{
    if (rule->cap_period != BATON_PER_NONE) {
        enum tally_outcome outcome =
            take_cap(tally, rule, baton_bucket(agreement, rule->cap_period, time_ms));
        if (outcome != TALLY_COUNTED)
            return outcome;
    }
    if (tally->count < UINT32_MAX)
        tally->count++;
    if (rule->half_life_ms)
        add_weight(tally, rule->half_life_ms, time_ms);
    return TALLY_COUNTED;
}

struct baton_tally *tally_find(const struct baton_lead *lead, uint32_t rule_hash)
{
    for (uint16_t i = 0; i < lead->tally_count; i++)
        if (lead->tallies[i].rule_hash == rule_hash)
            return &lead->tallies[i];
    return NULL;
}

void tally_release(struct baton_tally *tally, struct baton_allocator *allocator)
{
    if (tally->parts & TALLY_HAS_WINDOW)
        memory_free(allocator, tally->window, sizeof *tally->window);
    tally->parts &= (uint8_t)~TALLY_HAS_WINDOW;
}

void tally_drop_oldest_unknown(struct baton_lead *lead, struct baton_allocator *allocator)
{
    for (uint16_t i = 0; i < lead->tally_count; i++) {
        if (lead->tallies[i].rule >= 0)
            continue;
        tally_release(&lead->tallies[i], allocator);
        lead->tally_count--;
        memmove(&lead->tallies[i], &lead->tallies[i + 1],
                (lead->tally_count - i) * sizeof *lead->tallies);
        return;
    }
}

static bool make_room(struct baton_lead *lead, struct baton_allocator *allocator)
{
    if (lead->tally_count == BATON_TALLIES_MAX)
        tally_drop_oldest_unknown(lead, allocator);
    if (lead->tally_count < lead->tally_room)
        return true;
    struct baton_tally *grown =
        memory_grow(allocator, lead->tallies, &lead->tally_room, sizeof *lead->tallies);
    if (grown)
        lead->tallies = grown;
    return grown != NULL;
}

struct baton_tally *tally_of(struct baton_lead *lead, const struct baton_agreement *agreement,
                             uint16_t rule, struct baton_allocator *allocator)
{
    uint32_t hash = agreement->behaviour[rule].hash;
    struct baton_tally *tally = tally_find(lead, hash);
    if (tally)
        return tally;
    if (!make_room(lead, allocator))
        return NULL;
    tally = &lead->tallies[lead->tally_count++];
    *tally = (struct baton_tally){.rule_hash = hash, .rule = rule};
    return tally;
}

/* A weight and points of at most 2^14 give less than 2^78, a thousand of them less than 2^88. */
tally_worth tally_points(const struct baton_tally *tally, const struct baton_agreement *agreement,
                         int64_t at_ms)
{
    if (tally->rule < 0)
        return 0;
    const struct baton_behaviour_rule *rule = &agreement->behaviour[tally->rule];
    if (tally->parts & TALLY_HAS_WINDOW)
        return window_holds(tally, agreement, at_ms) ? (tally_worth)BATON_WEIGHT_ONE * rule->points
                                                     : 0;
    if (!rule->half_life_ms)
        return (tally_worth)tally->count * rule->points * (tally_worth)BATON_WEIGHT_ONE;
    int64_t age_ms = at_ms > tally->weight_ms ? at_ms - tally->weight_ms : 0;
    return (tally_worth)baton_decay(tally->weight, age_ms, rule->half_life_ms) * rule->points;
}

int32_t tally_hundredths(tally_worth worth)
{
    const tally_worth most = BATON_SCORE_MAX * (tally_worth)BATON_WEIGHT_ONE;
    if (worth > most)
        worth = most;
    if (worth < -most)
        worth = -most;
    return (
        int32_t)((worth * 100) >>
                 40); /* of a negative number, too, the compilers of the floor shift towards -∞ */
}

int32_t baton_tally_points(const struct baton_tally *tally, const struct baton_agreement *agreement,
                           int64_t at_ms)
{
    return tally_hundredths(tally_points(tally, agreement, at_ms));
}
