/* `while`: days of the agreement's zone, over changes of its clocks, early and late events. */
#include "domain_support.h"

static struct world world;
static uint16_t rule;

static void start(void)
{
    world_init(&world);
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(window, .init = start, .fini = end);

static void often(uint32_t times, uint32_t days)
{
    rule = world_rule(
        &world, (struct baton_behaviour_rule){
                    .kind = BATON_VISIT, .points = 15, .while_times = times, .while_days = days});
}

/* Points after a visit at that time. */
static int32_t visit(int64_t time_ms)
{
    world_visit(&world, time_ms);
    return world.score.behaviour / 100;
}

static int32_t points_at(int64_t time_ms)
{
    struct baton_score score;
    baton_lead_score(&world.lead, &world.agreement, time_ms, &score);
    return score.behaviour / 100;
}

/* Central Europe in 2026: an hour later from March 29, an hour back on October 25, both 01:00 UTC
 */
#define SPRING_MS INT64_C(1774746000000)
#define AUTUMN_MS INT64_C(1792890000000)
static void live_in_berlin(void)
{
    world.zone[0] = (struct baton_zone_offset){INT64_MIN, 3600};
    world.zone[1] = (struct baton_zone_offset){SPRING_MS, 7200};
    world.zone[2] = (struct baton_zone_offset){AUTUMN_MS, 3600};
    world.agreement.zone_count = 3;
}

/* ---- Holding --------------------------------------------------------------------------------- */

Test(window, points_are_there_once_and_as_long_as_it_holds)
{
    often(3, 2);
    cr_assert_eq(visit(MONDAY_MS), 0);
    cr_assert_eq(visit(MONDAY_MS + HOUR_MS), 0);
    cr_assert_eq(visit(MONDAY_MS + DAY_MS), 15);
    cr_assert_eq(visit(MONDAY_MS + DAY_MS + 1), 15);
    cr_assert_eq(points_at(MONDAY_MS + 2 * DAY_MS - 1), 15);
    cr_assert_eq(points_at(MONDAY_MS + 2 * DAY_MS), 0); /* Monday is out: two are left */
    world_fold(&world,
               (struct baton_event){.kind = BATON_CLICK, .time_ms = MONDAY_MS + 9 * DAY_MS});
    cr_assert_eq(world.score.behaviour, 0);
}

Test(window, one_day_is_today)
{
    often(2, 1);
    cr_assert_eq(visit(MONDAY_MS + DAY_MS - 1), 0);
    cr_assert_eq(visit(MONDAY_MS + DAY_MS), 0);
    cr_assert_eq(visit(MONDAY_MS + DAY_MS), 15);
}

Test(window, the_greatest_window_reaches_back_a_month)
{
    often(2, BATON_WHILE_DAYS_MAX);
    (void)visit(MONDAY_MS);
    cr_assert_eq(visit(MONDAY_MS + 30 * DAY_MS), 15);
    cr_assert_eq(visit(MONDAY_MS + 61 * DAY_MS), 0);
    cr_assert_eq(visit(MONDAY_MS + 62 * DAY_MS), 15);
}

/* ---- The zone -------------------------------------------------------------------------------- */

Test(window, a_day_begins_at_midnight_of_the_zone)
{
    world.zone[0].offset_s = -3 * 3600;
    often(2, 1);
    (void)visit(MONDAY_MS + 2 * HOUR_MS); /* Sunday, 23:00 */
    cr_assert_eq(visit(MONDAY_MS + 3 * HOUR_MS), 0);
    cr_assert_eq(visit(MONDAY_MS + 26 * HOUR_MS), 15);
}

Test(window, the_day_on_which_clocks_go_forward_has_23_hours)
{
    live_in_berlin();
    often(2, 1);
    int64_t midnight = SPRING_MS - 2 * HOUR_MS;
    (void)visit(midnight);
    cr_assert_eq(visit(midnight + 23 * HOUR_MS - 1), 15);
    cr_assert_eq(visit(midnight + 23 * HOUR_MS), 0);
    cr_assert_eq(visit(midnight + 47 * HOUR_MS - 1), 15);
}

Test(window, the_day_on_which_clocks_go_back_has_25_hours)
{
    live_in_berlin();
    often(2, 1);
    int64_t midnight = AUTUMN_MS - 3 * HOUR_MS;
    (void)visit(midnight);
    cr_assert_eq(visit(midnight + 25 * HOUR_MS - 1), 15);
    cr_assert_eq(visit(midnight + 25 * HOUR_MS), 0);
}

/* As in Newfoundland up to 2011: clocks that go back from 00:01 make a day that was over come
 * again.
 */
Test(window, a_day_that_comes_again_after_the_next_has_begun_is_over)
{
    int64_t change = MONDAY_MS + 60000;
    world.zone[1] = (struct baton_zone_offset){change, -3600};
    world.agreement.zone_count = 2;
    often(2, 1);
    (void)visit(MONDAY_MS - 1);
    cr_assert_eq(visit(MONDAY_MS), 0);
    cr_assert_eq(visit(change), 0); /* Sunday again */
    cr_assert_eq(world.result.too_late, 1);
    cr_assert_eq(visit(change + HOUR_MS), 15); /* Monday again */
}

/* ---- Hits ------------------------------------------------------------------------------------ */

Test(window, the_event_that_makes_it_hold_is_the_hit)
{
    often(2, 2);
    (void)visit(MONDAY_MS);
    cr_assert_eq(world_count(&world, rule), 0);
    cr_assert_eq(world.lead.touch_count, 0);
    (void)visit(MONDAY_MS);
    cr_assert_eq(world_count(&world, rule), 1);
    cr_assert_eq(world.lead.touch_count, 1);
    (void)visit(MONDAY_MS);
    cr_assert_eq(world_count(&world, rule), 1);
    (void)visit(MONDAY_MS + 5 * DAY_MS);
    (void)visit(MONDAY_MS + 6 * DAY_MS);
    cr_assert_eq(world_count(&world, rule), 2);
    cr_assert_eq(world.lead.touch_count, 2);
}

Test(window, a_gate_that_needs_it_opens_with_the_hit)
{
    often(2, 2);
    world.agreement.mql = (struct baton_gate){
        BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, &rule, 1, NULL, 0};
    (void)visit(MONDAY_MS);
    cr_assert_eq(world.lead.stage, BATON_LEAD);
    (void)visit(MONDAY_MS);
    cr_assert_eq(world.lead.stage, BATON_MQL);
}

/* ---- Late events ----------------------------------------------------------------------------- */

Test(window, a_late_event_counts_on_its_own_day)
{
    often(2, 2);
    (void)visit(MONDAY_MS + DAY_MS);
    cr_assert_eq(visit(MONDAY_MS), 15);
    cr_assert_eq(world.result.too_late, 0);
    cr_assert_eq(points_at(MONDAY_MS + 2 * DAY_MS), 0);
}

Test(window, an_event_older_than_the_window_is_too_late_and_leaves_nothing)
{
    often(1, 2);
    world_fold(&world,
               (struct baton_event){.kind = BATON_CLICK, .time_ms = MONDAY_MS + 2 * DAY_MS});
    cr_assert_eq(visit(MONDAY_MS + DAY_MS - 1), 0);
    cr_assert_eq(world.result.too_late, 1);
    cr_assert_eq(world.lead.tally_count, 0);
    cr_assert_eq(visit(MONDAY_MS + DAY_MS), 15);
}

/* What the window says does not depend on the order in which days were seen. */
Test(window, any_order_of_arrival_gives_the_same_points)
{
    uint64_t seed = 7;
    for (int round = 0; round < 400; round++) {
        int64_t times[40];
        int count = 1 + (int)below(&seed, 40);
        uint32_t n = 1 + (uint32_t)below(&seed, 6), days = 1 + (uint32_t)below(&seed, 9);
        for (int i = 0; i < count; i++)
            times[i] = MONDAY_MS + (int64_t)below(&seed, 20 * DAY_MS);
        int32_t first = -1;
        for (int order = 0; order < 4; order++) {
            for (int i = count - 1; i > 0; i--) {
                int j = (int)below(&seed, (uint64_t)i + 1);
                int64_t swapped = times[i];
                times[i] = times[j];
                times[j] = swapped;
            }
            end();
            start();
            often(n, days);
            for (int i = 0; i < count; i++)
                (void)visit(times[i]);
            int32_t sum = 0; /* now, and on the days to come */
            for (int day = 0; day < 12; day++)
                sum = 2 * sum + points_at(world.lead.newest_ms + day * DAY_MS);
            cr_assert(first == -1 || sum == first, "round %d", round);
            first = sum;
        }
    }
}

/* Against a plain count over all events. */
Test(window, it_holds_when_a_plain_count_says_so)
{
    uint64_t seed = 11;
    for (int round = 0; round < 300; round++) {
        uint32_t n = 1 + (uint32_t)below(&seed, 5), days = 1 + (uint32_t)below(&seed, 31);
        int64_t seen[60], newest = 0;
        end();
        start();
        live_in_berlin();
        often(n, days);
        for (int i = 0; i < 60; i++) {
            seen[i] = (round % 2 ? SPRING_MS : AUTUMN_MS) - 40 * DAY_MS +
                      (int64_t)below(&seed, 80 * DAY_MS);
            newest = seen[i] > newest ? seen[i] : newest;
            int32_t today = baton_bucket(&world.agreement, BATON_PER_DAY, newest), held = 0;
            for (int k = 0; k <= i; k++) {
                int32_t day = baton_bucket(&world.agreement, BATON_PER_DAY, seen[k]);
                held += day <= today && day > today - (int32_t)days;
            }
            cr_assert_eq(visit(seen[i]), held >= (int32_t)n ? 15 : 0, "round %d, event %d", round,
                         i);
        }
    }
}

/* ---- Keeping it ------------------------------------------------------------------------------ */

Test(window, it_comes_back_from_its_packed_form)
{
    often(3, 31);
    (void)visit(MONDAY_MS);
    (void)visit(MONDAY_MS + 29 * DAY_MS);
    uint8_t bytes[1024];
    struct baton_lead back;
    size_t size = baton_lead_pack(&world.lead, world.lead.applied, bytes);
    baton_lead_init(&back);
    cr_assert_eq(baton_lead_unpack(&back, bytes, size, world.words.count, &world.allocator),
                 BATON_UNPACKED);
    baton_lead_attach(&back, &world.agreement);
    baton_lead_fini(&world.lead, &world.allocator);
    world.lead = back;
    cr_assert_eq(visit(MONDAY_MS + 30 * DAY_MS), 15);
}

Test(window, without_memory_it_says_so)
{
    often(2, 2);
    for (long left = 0;; left++) {
        world.memory.left = left;
        enum baton_fold_outcome outcome =
            world_fold(&world, (struct baton_event){.kind = BATON_VISIT, .time_ms = MONDAY_MS});
        world.memory.left = -1;
        if (outcome == BATON_FOLDED)
            break;
        cr_assert_eq(outcome, BATON_OUT_OF_MEMORY);
        baton_lead_fini(&world.lead, &world.allocator);
    }
    cr_assert(world_tally(&world, rule)->window);
}
