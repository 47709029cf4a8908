/* What the time does to a lead without an event of it. */
#include "domain_support.h"

static struct world world;

static void start(void)
{
    world_init(&world);
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 20});
    world.agreement.mql.score = 20;
    world.agreement.sql.score = 50;
    world.agreement.forget_ms = 730 * DAY_MS;
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(recheck, .init = start, .fini = end);

static void at_stage(enum baton_stage stage)
{
    struct baton_adjustment adjustment = {
        .by = TEXT("Ana"), .reason = TEXT("test"), .has_stage = true, .stage = stage};
    struct baton_event event = {
        .kind = BATON_ADJUST, .time_ms = MONDAY_MS, .adjustment = &adjustment};
    cr_assert_eq(world_fold(&world, event), BATON_FOLDED);
    cr_assert_eq(world.lead.stage, stage);
}

static bool wanted(int64_t now_ms)
{
    return baton_recheck_wanted(&world.lead, &world.agreement, now_ms);
}

/* What is wanted changes the lead, once, and what is not wanted changes no byte. */
static bool rechecks(int64_t now_ms)
{
    static uint8_t before[65536], after[65536];
    bool asked = wanted(now_ms);
    cr_assert_lt(baton_lead_pack_bound(&world.lead), sizeof before);
    size_t size = baton_lead_pack(&world.lead, 0, before);
    enum baton_fold_outcome outcome =
        world_fold(&world, (struct baton_event){.kind = BATON_RECHECK, .time_ms = now_ms});
    cr_assert_eq(outcome, asked ? BATON_FOLDED : BATON_UNCHANGED);
    if (!asked)
        cr_assert(baton_lead_pack(&world.lead, 0, after) == size &&
                  memcmp(before, after, size) == 0);
    return asked;
}

Test(recheck, who_was_not_seen_for_so_long_is_forgotten_and_leaves_nothing)
{
    world.agreement.mql.score = 1000;
    world_profile(&world, BATON_NAME, "Ana", MONDAY_MS);
    world_visit(&world, MONDAY_MS);
    cr_assert_not(rechecks(MONDAY_MS + 730 * DAY_MS - 1));
    cr_assert(rechecks(MONDAY_MS + 730 * DAY_MS));
    const struct baton_lead *lead = &world.lead;
    cr_assert(lead->flags == BATON_LEAD_EMPTIED && lead->generation == 1 && !lead->events);
    cr_assert(!lead->tally_count && !lead->profile_count && !lead->touch_count && !lead->history);
    cr_assert(!lead->recent_count && !lead->newest_ms && lead->applied == world.offset);
    cr_assert_eq(world.result.transition_count, 0);
}

Test(recheck, the_newest_event_counts_however_late_the_recheck_was_asked_for)
{
    world.agreement.mql.score = 1000;
    world_visit(&world, MONDAY_MS);
    cr_assert(wanted(MONDAY_MS + 730 * DAY_MS));
    world_visit(&world, MONDAY_MS + 729 * DAY_MS);
    cr_assert_not(rechecks(MONDAY_MS + 730 * DAY_MS));
    cr_assert_eq(world.lead.events, 2);
}

Test(recheck, without_the_word_nobody_is_forgotten)
{
    world.agreement.forget_ms = 0;
    world_visit(&world, MONDAY_MS);
    cr_assert_not(rechecks(MONDAY_MS + 36500 * DAY_MS));
    cr_assert_eq(world.lead.stage, BATON_MQL);
}

Test(recheck, who_is_with_sales_is_never_forgotten)
{
    static const bool kept[BATON_STAGES] = {[BATON_SQL] = true, [BATON_ACCEPTED] = true};
    for (int stage = BATON_MQL; stage < BATON_STAGES; stage++) {
        baton_lead_fini(&world.lead, &world.allocator);
        at_stage((enum baton_stage)stage);
        cr_expect_eq(rechecks(MONDAY_MS + 5000 * DAY_MS), !kept[stage], "%s",
                     baton_stage_name((enum baton_stage)stage));
    }
}

Test(recheck, whose_stage_was_told_keeps_the_next_generation)
{
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.lead.stage, BATON_MQL);
    cr_assert(rechecks(MONDAY_MS + 730 * DAY_MS));
    const struct baton_transition *told = &world.result.transitions[0];
    cr_assert(world.result.transition_count == 1 && told->from == BATON_MQL &&
              told->to == BATON_LEAD && told->generation == 2);
    const struct baton_lead *lead = &world.lead;
    cr_assert(lead->stage == BATON_LEAD && lead->generation == 2 && !lead->flags && !lead->events);
    cr_assert(!lead->tally_count && !lead->history && !lead->mql_ms);
    cr_assert_eq(lead->stage_offset, world.offset - 1);
    cr_assert_not(rechecks(MONDAY_MS + 5000 * DAY_MS), "there is nothing left to forget");
    world_visit(&world, MONDAY_MS + 5000 * DAY_MS);
    told = &world.result.transitions[0];
    cr_assert(world.result.transition_count == 1 && told->to == BATON_MQL && told->generation == 2);
}

/* What a rule with `not` gave for a country that is not known. */
Test(recheck, who_was_forgotten_keeps_no_points)
{
    struct baton_text texts[] = {TEXT("us")};
    world_fit(&world, 7,
              (struct baton_condition){.match = BATON_MATCH_EQUAL,
                                       .field = BATON_COUNTRY,
                                       .texts = texts,
                                       .text_count = 1,
                                       .negate = true});
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.score, HUNDRED(27));
    cr_assert(rechecks(MONDAY_MS + 730 * DAY_MS));
    cr_assert_eq(world.lead.generation, 2);
    cr_assert_eq(world.score.score, 0);
    baton_lead_attach(&world.lead, &world.agreement);
    baton_lead_score(&world.lead, &world.agreement, 0, &world.score);
    cr_assert_eq(world.score.score, 0);
    world_visit(&world, MONDAY_MS + 731 * DAY_MS);
    cr_assert_eq(world.score.score, HUNDRED(27));
}

Test(recheck, who_was_forgotten_begins_anew_with_the_next_event)
{
    world.agreement.mql.score = 1000;
    world_visit(&world, MONDAY_MS);
    cr_assert(rechecks(MONDAY_MS + 800 * DAY_MS));
    cr_assert(rechecks(MONDAY_MS + 800 * DAY_MS), "it is to be removed from the store still");
    cr_assert_eq(world.lead.flags, BATON_LEAD_EMPTIED);
    world_visit(&world, MONDAY_MS + 801 * DAY_MS);
    cr_assert(!world.lead.flags && world.lead.events == 1 &&
              world.lead.first_ms == MONDAY_MS + 801 * DAY_MS);
    cr_assert_eq(world.score.score, HUNDRED(20));
}

Test(recheck, of_whom_nothing_is_known_passes_no_gate)
{
    world.agreement.mql.score = 0;
    cr_assert_not(rechecks(MONDAY_MS));
    cr_assert_eq(world.lead.stage, BATON_LEAD);
    cr_assert_eq(world.lead.applied, 0);
}

Test(recheck, a_gate_that_was_lowered_opens_once)
{
    world.agreement.mql.score = 30;
    world_visit(&world, MONDAY_MS);
    cr_assert_not(rechecks(MONDAY_MS + DAY_MS));
    world.agreement.mql.score = 20;
    world.agreement.sql.score = 20;
    cr_assert(rechecks(MONDAY_MS + DAY_MS));
    cr_assert_eq(world.result.transition_count, 2);
    cr_assert(world.lead.stage == BATON_SQL && world.lead.mql_ms == MONDAY_MS + DAY_MS);
    cr_assert_not(rechecks(MONDAY_MS + DAY_MS));
}

Test(recheck, a_rejected_lead_is_forgotten_before_it_comes_back)
{
    world.agreement.recycle_after_ms = 30 * DAY_MS;
    world_visit(&world, MONDAY_MS);
    at_stage(BATON_REJECTED);
    cr_assert_not(rechecks(MONDAY_MS + 30 * DAY_MS - 1));
    cr_assert(wanted(MONDAY_MS + 30 * DAY_MS));
    cr_assert(rechecks(MONDAY_MS + 730 * DAY_MS));
    cr_assert_eq(world.result.transition_count, 1);
    cr_assert(world.lead.stage == BATON_LEAD && world.lead.generation == 2);
}

Test(recheck, a_lead_that_was_given_up_is_left_alone)
{
    world.lead.flags = BATON_LEAD_MERGED;
    world.lead.events = 1;
    cr_assert_not(wanted(MONDAY_MS + 5000 * DAY_MS));
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_RECHECK,
                                                         .time_ms = MONDAY_MS + 5000 * DAY_MS}),
                 BATON_UNCHANGED);
    world.lead.flags = 0;
}

Test(recheck, a_rebuild_forgets_what_was_counted_and_keeps_the_stage)
{
    at_stage(BATON_CUSTOMER);
    world_visit(&world, MONDAY_MS);
    world.context.gates_closed = true;
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_RECHECK,
                                                         .time_ms = MONDAY_MS + 800 * DAY_MS}),
                 BATON_FOLDED);
    cr_assert(world.result.transition_count == 0 && world.lead.stage == BATON_CUSTOMER);
    cr_assert(!world.lead.tally_count && world.lead.history && world.lead.generation == 1);
}

Test(recheck, it_is_told_where_there_is_no_memory)
{
    at_stage(BATON_CUSTOMER);
    world_visit(&world, MONDAY_MS);
    cr_assert(wanted(MONDAY_MS + 800 * DAY_MS));
    world.memory.left = 0; /* forgetting asks for none */
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_RECHECK,
                                                         .time_ms = MONDAY_MS + 800 * DAY_MS}),
                 BATON_FOLDED);
}
