/* at_most and half_life, as docs/scoring.md describes them, through the fold. */
#include "domain_support.h"

static struct world world;

static void start(void)
{
    world_init(&world);
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(tally, .init = start, .fini = end);

static uint16_t capped(uint32_t times, enum baton_period period)
{
    return world_rule(
        &world, (struct baton_behaviour_rule){
                    .kind = BATON_VISIT, .points = 1, .cap_times = times, .cap_period = period});
}

static uint16_t decaying(int32_t points, int64_t half_life_ms)
{
    return world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT,
                                                            .points = points,
                                                            .half_life_ms = half_life_ms});
}

static void visits(int times, int64_t time_ms)
{
    for (int i = 0; i < times; i++)
        world_visit(&world, time_ms);
}

Test(tally, without_a_cap_every_hit_counts)
{
    uint16_t rule =
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 3});
    visits(20, MONDAY_MS);
    cr_assert_eq(world_count(&world, rule), 20);
    cr_assert_eq(world.score.behaviour, HUNDRED(60));
}

Test(tally, a_cap_lets_through_so_many_hits_per_bucket)
{
    uint16_t rule = capped(3, BATON_PER_DAY);
    visits(5, MONDAY_MS);
    cr_assert_eq(world_count(&world, rule), 3);
    visits(5, MONDAY_MS + DAY_MS);
    cr_assert_eq(world_count(&world, rule), 6);
    cr_assert_eq(world.result.too_late, 0);
}

Test(tally, a_cap_counts_from_local_midnight)
{
    world.zone[0].offset_s = -3 * 3600;
    uint16_t rule = capped(1, BATON_PER_DAY);
    world_visit(&world, MONDAY_MS + 3 * HOUR_MS - 1);
    world_visit(&world, MONDAY_MS + 3 * HOUR_MS);
    cr_assert_eq(world_count(&world, rule), 2);
    world_visit(&world, MONDAY_MS + 26 * HOUR_MS);
    cr_assert_eq(world_count(&world, rule), 2);
}

Test(tally, late_hits_still_count_in_the_bucket_before)
{
    uint16_t rule = capped(2, BATON_PER_DAY);
    world_visit(&world, MONDAY_MS);
    world_visit(&world, MONDAY_MS + DAY_MS);
    visits(3, MONDAY_MS + HOUR_MS);
    cr_assert_eq(world_count(&world, rule), 3, "one more in the day before, then it is full");
    cr_assert_eq(world.result.too_late, 0);
    visits(3, MONDAY_MS + DAY_MS);
    cr_assert_eq(world_count(&world, rule), 4);
}

Test(tally, a_hit_older_than_both_buckets_is_too_late)
{
    uint16_t rule = capped(5, BATON_PER_DAY);
    world_visit(&world, MONDAY_MS + 2 * DAY_MS);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world_count(&world, rule), 1);
    cr_assert_eq(world.result.too_late, 1);
    world_visit(&world, MONDAY_MS + DAY_MS);
    cr_assert_eq(world.result.too_late, 0);
    cr_assert_eq(world_count(&world, rule), 2);
}

Test(tally, the_bucket_before_is_the_calendars_not_the_last_one_hit)
{
    uint16_t rule = capped(1, BATON_PER_DAY);
    world_visit(&world, MONDAY_MS);
    world_visit(&world, MONDAY_MS + 3 * DAY_MS);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.result.too_late, 1);
    world_visit(&world, MONDAY_MS + 2 * DAY_MS);
    cr_assert_eq(world_count(&world, rule), 3, "the day in between is empty");
}

Test(tally, a_hit_beyond_its_cap_moves_the_buckets_on)
{
    uint16_t rule = capped(1, BATON_PER_WEEK);
    visits(2, MONDAY_MS);
    visits(2, MONDAY_MS + 7 * DAY_MS);
    cr_assert_eq(world_tally(&world, rule)->bucket_count, 1);
    cr_assert_eq(world_tally(&world, rule)->before_count, 1);
    cr_assert_eq(world_count(&world, rule), 2);
}

Test(tally, hours_weeks_and_months_are_capped_as_well)
{
    uint16_t hour = capped(1, BATON_PER_HOUR), week = capped(1, BATON_PER_WEEK),
             month = capped(1, BATON_PER_MONTH);
    for (int i = 0; i < 31 * 24; i += 12)
        visits(2, MONDAY_MS + i * HOUR_MS);
    cr_assert_eq(world_count(&world, hour), 62);
    cr_assert_eq(world_count(&world, week), 5);
    cr_assert_eq(world_count(&world, month), 2);
}

Test(tally, ever_is_so_often_and_never_too_late)
{
    uint16_t rule = capped(2, BATON_PER_EVER);
    world_visit(&world, MONDAY_MS + 400 * DAY_MS);
    world_visit(&world, 0);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world_count(&world, rule), 2);
    cr_assert_eq(world.result.too_late, 0);
}

Test(tally, too_late_hits_of_several_rules_are_all_counted)
{
    capped(1, BATON_PER_HOUR);
    capped(1, BATON_PER_DAY);
    capped(1, BATON_PER_EVER);
    world_visit(&world, MONDAY_MS + 2 * DAY_MS);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.result.too_late, 2);
}

Test(tally, a_hit_loses_half_of_its_worth_in_a_half_life)
{
    decaying(10, 14 * DAY_MS);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.behaviour, HUNDRED(10));
    struct baton_score later;
    baton_lead_score(&world.lead, &world.agreement, MONDAY_MS + 14 * DAY_MS, &later);
    cr_assert_eq(later.behaviour, HUNDRED(5));
    baton_lead_score(&world.lead, &world.agreement, MONDAY_MS + 28 * DAY_MS, &later);
    cr_assert_eq(later.behaviour, 250);
    baton_lead_score(&world.lead, &world.agreement, MONDAY_MS + 7 * DAY_MS, &later);
    cr_assert_eq(later.behaviour, 707);
}

Test(tally, a_time_before_the_newest_event_counts_as_the_newest)
{
    decaying(10, DAY_MS);
    world_visit(&world, MONDAY_MS);
    struct baton_score early;
    baton_lead_score(&world.lead, &world.agreement, 0, &early);
    cr_assert_eq(early.behaviour, HUNDRED(10));
    cr_assert_eq(baton_tally_points(world_tally(&world, 0), &world.agreement, 0), HUNDRED(10));
}

Test(tally, an_event_of_another_kind_ages_the_hits)
{
    decaying(10, DAY_MS);
    world_visit(&world, MONDAY_MS);
    world_fold(&world,
               (struct baton_event){.kind = BATON_EMAIL_SENT, .time_ms = MONDAY_MS + DAY_MS});
    cr_assert_eq(world.score.behaviour, HUNDRED(5));
}

Test(tally, a_newer_hit_decays_what_is_there_and_adds_one)
{
    decaying(8, DAY_MS);
    world_visit(&world, MONDAY_MS);
    world_visit(&world, MONDAY_MS + DAY_MS);
    cr_assert_eq(world_tally(&world, 0)->weight, BATON_WEIGHT_ONE + BATON_WEIGHT_ONE / 2);
    cr_assert_eq(world_tally(&world, 0)->weight_ms, MONDAY_MS + DAY_MS);
    cr_assert_eq(world.score.behaviour, HUNDRED(12));
}

Test(tally, a_late_hit_adds_what_is_left_of_it)
{
    decaying(8, DAY_MS);
    world_visit(&world, MONDAY_MS + 2 * DAY_MS);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world_tally(&world, 0)->weight, BATON_WEIGHT_ONE + BATON_WEIGHT_ONE / 4);
    cr_assert_eq(world_tally(&world, 0)->weight_ms, MONDAY_MS + 2 * DAY_MS);
    cr_assert_eq(world.score.behaviour, HUNDRED(10));
}

Test(tally, a_hit_beyond_its_cap_adds_no_weight)
{
    uint16_t rule = world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT,
                                                                     .points = 8,
                                                                     .cap_times = 1,
                                                                     .cap_period = BATON_PER_DAY,
                                                                     .half_life_ms = DAY_MS});
    visits(3, MONDAY_MS);
    cr_assert_eq(world_tally(&world, rule)->weight, BATON_WEIGHT_ONE);
    visits(3, MONDAY_MS + DAY_MS);
    cr_assert_eq(world.score.behaviour, HUNDRED(12));
    world_visit(&world, MONDAY_MS - 5 * DAY_MS);
    cr_assert_eq(world.result.too_late, 1);
    cr_assert_eq(world.score.behaviour, HUNDRED(12));
}

Test(tally, weights_saturate)
{
    decaying(1, 3660 * DAY_MS);
    world_visit(&world, MONDAY_MS);
    world.lead.tallies[0].weight = UINT64_MAX - 5;
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.lead.tallies[0].weight, UINT64_MAX);
    world_visit(&world, MONDAY_MS - 1);
    cr_assert_eq(world.lead.tallies[0].weight, UINT64_MAX);
}

Test(tally, counts_saturate)
{
    uint16_t rule =
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_FORM_FILL, .points = 0});
    struct baton_event event = {.kind = BATON_FORM_FILL, .time_ms = MONDAY_MS};
    world_fold(&world, event);
    world.lead.tallies[0].count = world.lead.events = world.lead.conversions = UINT32_MAX;
    world_fold(&world, event);
    cr_assert_eq(world_count(&world, rule), UINT32_MAX);
    cr_assert_eq(world.lead.events, UINT32_MAX);
    cr_assert_eq(world.lead.conversions, UINT32_MAX);
}

Test(tally, points_below_a_hundredth_are_floored)
{
    decaying(1, DAY_MS);
    world_visit(&world, MONDAY_MS);
    struct baton_score later;
    baton_lead_score(&world.lead, &world.agreement, MONDAY_MS + 6 * DAY_MS, &later);
    cr_assert_eq(later.behaviour, 1, "1/64 point");
    baton_lead_score(&world.lead, &world.agreement, MONDAY_MS + 7 * DAY_MS, &later);
    cr_assert_eq(later.behaviour, 0);
}

Test(tally, negative_points_are_floored_downwards)
{
    decaying(-1, DAY_MS);
    world_visit(&world, MONDAY_MS);
    struct baton_score later;
    baton_lead_score(&world.lead, &world.agreement, MONDAY_MS + 6 * DAY_MS, &later);
    cr_assert_eq(later.behaviour, -2, "-1/64 point");
    baton_lead_score(&world.lead, &world.agreement, MONDAY_MS + 30 * DAY_MS, &later);
    cr_assert_eq(later.behaviour, -1);
    cr_assert_eq(
        baton_tally_points(world_tally(&world, 0), &world.agreement, MONDAY_MS + 6 * DAY_MS), -2);
}

Test(tally, the_sum_is_floored_once_not_each_rule)
{
    for (int i = 0; i < 4; i++)
        decaying(1, DAY_MS);
    world_visit(&world, MONDAY_MS);
    int64_t at = MONDAY_MS + 8 * DAY_MS; /* 4 × 1/256 = 1/64 */
    struct baton_score later;
    baton_lead_score(&world.lead, &world.agreement, at, &later);
    cr_assert_eq(later.behaviour, 1);
    cr_assert_eq(baton_tally_points(world_tally(&world, 0), &world.agreement, at), 0);
}

Test(tally, the_behaviour_side_saturates_at_a_million_points)
{
    uint16_t rule = world_rule(
        &world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = BATON_POINTS_MAX});
    world_visit(&world, MONDAY_MS);
    world.lead.tallies[0].count = UINT32_MAX;
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.behaviour, HUNDRED(BATON_SCORE_MAX));
    cr_assert_eq(baton_tally_points(world_tally(&world, rule), &world.agreement, 0),
                 HUNDRED(BATON_SCORE_MAX));
    world.behaviour[rule].points = -BATON_POINTS_MAX;
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.behaviour, -HUNDRED(BATON_SCORE_MAX));
    cr_assert_eq(world.score.score, -HUNDRED(BATON_SCORE_MAX));
}

Test(tally, the_sides_saturate_before_they_are_added)
{
    world_rule(&world,
               (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = BATON_POINTS_MAX});
    world_fit(&world, -BATON_POINTS_MAX, (struct baton_condition){.match = BATON_MATCH_ALL});
    world_visit(&world, MONDAY_MS);
    world.lead.tallies[0].count = UINT32_MAX;
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.score, HUNDRED(BATON_SCORE_MAX - BATON_POINTS_MAX));
    world.fit[0].points = BATON_POINTS_MAX;
    baton_lead_attach(&world.lead, &world.agreement);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.score, HUNDRED(BATON_SCORE_MAX));
}

Test(tally, a_limit_bounds_the_exact_sum_of_its_side)
{
    world.agreement.limit_behaviour = 25;
    uint16_t up =
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 10});
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_CLICK, .points = -10});
    visits(5, MONDAY_MS);
    cr_assert_eq(world.score.behaviour, HUNDRED(25));
    world_fold(&world, (struct baton_event){.kind = BATON_CLICK, .time_ms = MONDAY_MS});
    cr_assert_eq(world.score.behaviour, HUNDRED(25), "50 - 10 is still beyond the limit");
    cr_assert_eq(baton_tally_points(world_tally(&world, up), &world.agreement, 0), HUNDRED(50));
}

Test(tally, a_negative_limit_holds_as_well)
{
    world.agreement.limit_behaviour = -5;
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 10});
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.behaviour, HUNDRED(-5));
}

Test(tally, other_points_price_old_hits_anew)
{
    uint16_t rule =
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 10});
    visits(3, MONDAY_MS);
    world.behaviour[rule].points = 7;
    baton_lead_score(&world.lead, &world.agreement, 0, &world.score);
    cr_assert_eq(world.score.behaviour, HUNDRED(21));
}

Test(tally, a_rule_that_left_the_agreement_is_kept_and_worth_nothing)
{
    uint16_t rule =
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 10});
    visits(3, MONDAY_MS);
    uint32_t hash = world.behaviour[rule].hash;
    world.behaviour[rule].hash = 5;
    world_compile(&world);
    baton_lead_attach(&world.lead, &world.agreement);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.behaviour, HUNDRED(10), "the changed rule counts from now on");
    cr_assert_eq(baton_tally_points(&world.lead.tallies[0], &world.agreement, 0), 0);
    world.behaviour[rule].hash = hash;
    world_compile(&world);
    baton_lead_attach(&world.lead, &world.agreement);
    baton_lead_score(&world.lead, &world.agreement, 0, &world.score);
    cr_assert_eq(world.score.behaviour, HUNDRED(30), "the former rule comes back with its hits");
}

Test(tally, rules_are_found_by_hash_with_and_without_an_index)
{
    for (int i = 0; i < 20; i++)
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT});
    for (int indexed = 1; indexed >= 0; indexed--) {
        world.agreement.by_hash = indexed ? world.by_hash : NULL;
        for (int i = 0; i < 20; i++)
            cr_assert_eq(baton_agreement_rule(&world.agreement, world.behaviour[i].hash), i);
        cr_assert_eq(baton_agreement_rule(&world.agreement, 7), -1);
        cr_assert_eq(baton_agreement_rule(&world.agreement, 1000 + 64 * 20), -1);
    }
}

Test(tally, a_full_index_does_not_search_for_ever)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT});
    for (size_t i = 0; i < 64; i++)
        world.by_hash[i] = 1;
    cr_assert_eq(baton_agreement_rule(&world.agreement, 7), -1);
}

Test(tally, when_there_are_too_many_the_oldest_unknown_one_goes)
{
    uint16_t rule =
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 1});
    world_visit(&world, MONDAY_MS);
    uint32_t hash = world.behaviour[rule].hash;
    for (uint32_t i = 1; i < BATON_TALLIES_MAX;
         i++) { /* as many agreements, each with another meaning */
        world.behaviour[rule].hash = 100000 + i;
        world_compile(&world);
        baton_lead_attach(&world.lead, &world.agreement);
        world_visit(&world, MONDAY_MS);
    }
    cr_assert_eq(world.lead.tally_count, BATON_TALLIES_MAX);
    cr_assert_eq(world.lead.tallies[0].rule_hash, hash);
    world.lead.tallies[0].rule_hash = hash;
    uint16_t more =
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_CLICK, .hash = hash});
    baton_lead_attach(&world.lead, &world.agreement);
    world.behaviour[rule].hash = 99;
    world_compile(&world);
    baton_lead_attach(&world.lead, &world.agreement);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.lead.tally_count, BATON_TALLIES_MAX);
    cr_assert_eq(world_count(&world, more), 1, "the oldest is in the agreement and stays");
    cr_assert_eq(world.lead.tallies[1].rule_hash, 100002, "the second oldest went");
    cr_assert_eq(world_count(&world, rule), 1);
}
