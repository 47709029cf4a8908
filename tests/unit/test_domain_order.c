/* For each form of rule that docs/scoring.md says it of: the order in which events arrive does not
 * matter. And for the others: that it can. */
#include "domain_support.h"

#define EVENTS_MAX 24
#define ORDERS 6

static struct world world;

struct happening {
    enum baton_event_kind kind;
    int64_t time_ms;
    int32_t points; /* by hand */
    char id[16];
};

static void shuffle(struct happening *events, int count, uint64_t *seed)
{
    for (int i = count - 1; i > 0; i--) {
        int j = (int)below(seed, (uint64_t)i + 1);
        struct happening swapped = events[i];
        events[i] = events[j];
        events[j] = swapped;
    }
}

static void draw(struct happening *events, int count, uint64_t *seed)
{
    static const enum baton_event_kind kinds[] = {BATON_VISIT, BATON_VISIT, BATON_CLICK,
                                                  BATON_ADJUST};
    for (int i = 0; i < count; i++) {
        events[i] = (struct happening){.kind = kinds[below(seed, 4)],
                                       .time_ms = MONDAY_MS + (int64_t)below(seed, 12 * DAY_MS),
                                       .points = 1 + (int32_t)below(seed, 50)};
        snprintf(events[i].id, sizeof events[i].id, "e%d", i);
    }
}

/* The score at the end, and a few days later, in one number. */
static int64_t fold_all(const struct happening *events, int count,
                        const struct baton_behaviour_rule *rules, int rule_count, int32_t limit)
{
    int64_t all = 0;
    world_init(&world);
    for (int i = 0; i < rule_count; i++)
        (void)world_rule(&world, rules[i]);
    world.agreement.limit_behaviour = limit;
    for (int i = 0; i < count; i++) {
        struct baton_adjustment adjustment = {.points = events[i].points};
        struct baton_event event = {.kind = events[i].kind,
                                    .event_id = text_of(events[i].id),
                                    .time_ms = events[i].time_ms};
        if (event.kind == BATON_ADJUST)
            event.adjustment = &adjustment;
        cr_assert_eq(world_fold(&world, event), BATON_FOLDED);
    }
    for (int day = 0; day < 4; day++) {
        struct baton_score score;
        baton_lead_score(&world.lead, &world.agreement, world.lead.newest_ms + day * DAY_MS,
                         &score);
        all = all * 31 + score.score;
    }
    world_fini(&world);
    return all;
}

/* Shuffles random events under these rules; how often another order gave another score. */
static int changes(const struct baton_behaviour_rule *rules, int rule_count, int32_t limit)
{
    struct happening events[EVENTS_MAX];
    uint64_t seed = 5;
    int changed = 0;
    for (int round = 0; round < 150; round++) {
        int count = 2 + (int)below(&seed, EVENTS_MAX - 2);
        draw(events, count, &seed);
        int64_t first = fold_all(events, count, rules, rule_count, limit);
        for (int order = 1; order < ORDERS; order++) {
            shuffle(events, count, &seed);
            changed += fold_all(events, count, rules, rule_count, limit) != first;
        }
    }
    return changed;
}

#define PLAIN                                                                                      \
    {                                                                                              \
        .kind = BATON_VISIT, .points = 7                                                           \
    }
#define NEGATIVE                                                                                   \
    {                                                                                              \
        .kind = BATON_CLICK, .points = -3                                                          \
    }
#define EVER(n)                                                                                    \
    {                                                                                              \
        .kind = BATON_VISIT, .points = 5, .cap_times = (n), .cap_period = BATON_PER_EVER           \
    }
#define DAILY(n, half)                                                                             \
    {                                                                                              \
        .kind = BATON_VISIT, .points = 5, .cap_times = (n), .cap_period = BATON_PER_DAY,           \
        .half_life_ms = (half)                                                                     \
    }

Test(order, does_not_matter_without_counting_words)
{
    static const struct baton_behaviour_rule rules[] = {PLAIN, NEGATIVE};
    cr_assert_eq(changes(rules, 2, BATON_NO_LIMIT), 0);
    cr_assert_eq(changes(rules, 2, 20), 0);
}

Test(order, does_not_matter_with_a_cap_for_ever)
{
    static const struct baton_behaviour_rule rules[] = {EVER(3), NEGATIVE};
    cr_assert_eq(changes(rules, 2, BATON_NO_LIMIT), 0);
}

Test(order, does_not_matter_for_the_points_of_while)
{
    for (uint32_t times = 1; times < 6; times++) {
        const struct baton_behaviour_rule rules[] = {{.kind = BATON_VISIT,
                                                      .points = 9,
                                                      .while_times = times,
                                                      .while_days = 1 + times * times},
                                                     NEGATIVE};
        cr_assert_eq(changes(rules, 2, BATON_NO_LIMIT), 0, "%u times", times);
    }
}

/* Within what the arithmetic rounds away: a hundredth at most. */
Test(order, moves_a_half_life_by_no_more_than_a_hundredth)
{
    static const struct baton_behaviour_rule rule = {
        .kind = BATON_VISIT, .points = 100, .half_life_ms = 5 * DAY_MS};
    struct happening events[EVENTS_MAX];
    uint64_t seed = 9;
    for (int round = 0; round < 150; round++) {
        int32_t first = 0;
        draw(events, EVENTS_MAX, &seed);
        for (int order = 0; order < ORDERS; order++) {
            world_init(&world);
            (void)world_rule(&world, rule);
            for (int i = 0; i < EVENTS_MAX; i++)
                world_visit(&world, events[i].time_ms);
            cr_assert(order == 0 || abs(world.score.score - first) <= 1);
            first = order ? first : world.score.score;
            world_fini(&world);
            shuffle(events, EVENTS_MAX, &seed);
        }
    }
}

/* ---- Where it can matter --------------------------------------------------------------------- */

Test(order, can_matter_for_caps_per_period)
{
    static const struct baton_behaviour_rule rules[] = {DAILY(1, 0)};
    cr_assert_gt(changes(rules, 1, BATON_NO_LIMIT), 0); /* what comes two days late gives nothing */
}

Test(order, does_not_matter_for_caps_while_events_are_at_most_a_period_late)
{
    static const struct baton_behaviour_rule rule = DAILY(2, 0);
    uint64_t seed = 3;
    for (int round = 0; round < 200; round++) {
        struct happening events[EVENTS_MAX];
        draw(events, EVENTS_MAX, &seed);
        for (int i = 0; i < EVENTS_MAX; i++) { /* two days only */
            events[i].kind = BATON_VISIT;
            events[i].time_ms = MONDAY_MS + (events[i].time_ms - MONDAY_MS) % (2 * DAY_MS);
        }
        int64_t first = fold_all(events, EVENTS_MAX, &rule, 1, BATON_NO_LIMIT);
        shuffle(events, EVENTS_MAX, &seed);
        cr_assert_eq(fold_all(events, EVENTS_MAX, &rule, 1, BATON_NO_LIMIT), first);
    }
}

Test(order, can_matter_for_a_cap_with_a_half_life)
{
    static const struct baton_behaviour_rule rules[] = {{.kind = BATON_VISIT,
                                                         .points = 50,
                                                         .cap_times = 2,
                                                         .cap_period = BATON_PER_EVER,
                                                         .half_life_ms = 2 * DAY_MS}};
    cr_assert_gt(changes(rules, 1, BATON_NO_LIMIT), 0); /* the first to come are those that count */
}

/* Points do not depend on it, and hits do: which event made the rule hold, and how often. */
Test(order, can_matter_for_the_hits_of_while)
{
    static const struct baton_behaviour_rule rule = {
        .kind = BATON_VISIT, .points = 9, .while_times = 2, .while_days = 1};
    static const int64_t early[] = {0, 1, 5, 6}, late[] = {5, 0, 6, 1}; /* days 0 and 5 */
    uint32_t hits[2];
    for (int order = 0; order < 2; order++) {
        world_init(&world);
        uint16_t index = world_rule(&world, rule);
        for (int i = 0; i < 4; i++) {
            int64_t at = order ? late[i] : early[i];
            world_visit(&world, MONDAY_MS + (at >= 5 ? 5 * DAY_MS : 0) + at);
        }
        hits[order] = world_count(&world, index);
        cr_assert_eq(world.score.score, HUNDRED(9));
        world_fini(&world);
    }
    cr_assert(hits[0] == 2 && hits[1] == 1);
}
