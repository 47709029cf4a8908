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

TestSuite(gates, .init = start, .fini = end);

static uint16_t worth(int32_t points, enum baton_event_kind kind)
{
    return world_rule(&world, (struct baton_behaviour_rule){.kind = kind, .points = points});
}

static void happens(enum baton_event_kind kind, int64_t time_ms)
{
    world_fold(&world, (struct baton_event){.kind = kind, .time_ms = time_ms});
}

static void stage_is(enum baton_stage stage, unsigned transitions)
{
    cr_assert_eq(world.lead.stage, stage, "stage %s", baton_stage_name(world.lead.stage));
    cr_assert_eq(world.result.transition_count, transitions);
}

Test(gates, thresholds_are_inclusive)
{
    worth(39, BATON_VISIT);
    worth(1, BATON_CLICK);
    world.agreement.mql.score = 40;
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_LEAD, 0);
    happens(BATON_CLICK, MONDAY_MS + 5);
    stage_is(BATON_MQL, 1);
    cr_assert_eq(world.lead.mql_ms, MONDAY_MS + 5);
    cr_assert_eq(baton_lead_stage_ms(&world.lead), MONDAY_MS + 5);
    cr_assert_eq(baton_lead_sql_ms(&world.lead), 0);
}

Test(gates, a_hundredth_below_the_threshold_is_below)
{
    world_rule(&world, (struct baton_behaviour_rule){
                           .kind = BATON_VISIT, .points = 40, .half_life_ms = 3660 * DAY_MS});
    world.agreement.mql.score = 40;
    struct baton_gate open = {
        BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, NULL, 0, NULL, 0};
    world.agreement.sql = open;
    world.context.gates_closed = true;
    happens(BATON_VISIT, MONDAY_MS);
    world.context.gates_closed = false;
    happens(BATON_EMAIL_SENT, MONDAY_MS + DAY_MS);
    cr_assert_eq(world.score.score, 3999);
    stage_is(BATON_LEAD, 0);
}

Test(gates, each_side_has_its_own_threshold)
{
    worth(50, BATON_VISIT);
    world_fit(&world, 50,
              (struct baton_condition){.match = BATON_MATCH_KNOWN, .field = BATON_NAME});
    world.agreement.mql =
        (struct baton_gate){.score = BATON_NO_THRESHOLD, .fit = 50, .behaviour = 100};
    happens(BATON_VISIT, MONDAY_MS);
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_LEAD, 0);
    world_profile(&world, BATON_NAME, "Ana", MONDAY_MS);
    stage_is(BATON_MQL, 1);
}

Test(gates, a_threshold_may_be_negative_or_zero)
{
    worth(-5, BATON_VISIT);
    world.agreement.mql.score = -5;
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_MQL, 1);
}

Test(gates, a_gate_without_any_key_is_open)
{
    struct baton_gate open = {
        BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, NULL, 0, NULL, 0};
    world.agreement.mql = open;
    happens(BATON_EMAIL_SENT, MONDAY_MS);
    stage_is(BATON_MQL, 1);
}

Test(gates, one_event_may_cause_both_stages_in_order)
{
    worth(100, BATON_FORM_FILL);
    world_fit(&world, 10, (struct baton_condition){.match = BATON_MATCH_ALL});
    world.agreement.mql.score = 40;
    world.agreement.sql.score = 80;
    happens(BATON_FORM_FILL, MONDAY_MS);
    stage_is(BATON_SQL, 2);
    cr_assert_eq(world.result.transitions[0].from, BATON_LEAD);
    cr_assert_eq(world.result.transitions[0].to, BATON_MQL);
    cr_assert_eq(world.result.transitions[1].from, BATON_MQL);
    cr_assert_eq(world.result.transitions[1].to, BATON_SQL);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(world.result.transitions[i].score.score, HUNDRED(110));
        cr_assert_eq(world.result.transitions[i].score.fit, HUNDRED(10));
        cr_assert_eq(world.result.transitions[i].score.behaviour, HUNDRED(100));
    }
    cr_assert_eq(world.lead.mql_ms, MONDAY_MS);
    cr_assert_eq(baton_lead_sql_ms(&world.lead), MONDAY_MS);
}

Test(gates, nobody_becomes_sql_without_meeting_mql)
{
    uint16_t form = worth(100, BATON_FORM_FILL), visit = worth(0, BATON_VISIT);
    world.agreement.mql = (struct baton_gate){.score = 10,
                                              .fit = BATON_NO_THRESHOLD,
                                              .behaviour = BATON_NO_THRESHOLD,
                                              .needs_all_of = &visit,
                                              .needs_all_count = 1};
    world.agreement.sql.score = 80;
    (void)form;
    happens(BATON_FORM_FILL, MONDAY_MS);
    stage_is(BATON_LEAD, 0);
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_SQL, 2);
}

Test(gates, mql_may_have_been_met_before)
{
    worth(50, BATON_VISIT);
    worth(-45, BATON_CLICK);
    world_fit(&world, 30,
              (struct baton_condition){.match = BATON_MATCH_KNOWN, .field = BATON_NAME});
    world.agreement.mql.score = 50;
    world.agreement.sql =
        (struct baton_gate){.score = 30, .fit = 30, .behaviour = BATON_NO_THRESHOLD};
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_MQL, 1);
    happens(BATON_CLICK, MONDAY_MS);
    world_profile(&world, BATON_NAME, "Ana", MONDAY_MS);
    stage_is(BATON_SQL, 1);
    cr_assert_eq(world.result.transitions[0].score.score, HUNDRED(35));
}

Test(gates, a_stage_is_entered_once)
{
    worth(100, BATON_VISIT);
    worth(-100, BATON_CLICK);
    world.agreement.mql.score = 50;
    world.agreement.sql.score = 50;
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_SQL, 2);
    happens(BATON_CLICK, MONDAY_MS + 1);
    happens(BATON_VISIT, MONDAY_MS + 2);
    stage_is(BATON_SQL, 0);
    cr_assert_eq(baton_lead_sql_ms(&world.lead), MONDAY_MS);
}

Test(gates, a_lower_score_takes_nothing_back)
{
    worth(50, BATON_VISIT);
    worth(-500, BATON_CLICK);
    world.agreement.mql.score = 50;
    happens(BATON_VISIT, MONDAY_MS);
    happens(BATON_CLICK, MONDAY_MS);
    stage_is(BATON_MQL, 0);
    cr_assert_eq(world.score.score, HUNDRED(-450));
}

Test(gates, needs_one_of_is_met_by_any_of_them_at_any_time)
{
    uint16_t needed[] = {worth(0, BATON_CLICK), worth(0, BATON_FORM_FILL)};
    worth(50, BATON_VISIT);
    world.agreement.mql.score = 50;
    world.agreement.mql.needs_one_of = needed;
    world.agreement.mql.needs_one_count = 2;
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_LEAD, 0);
    happens(BATON_FORM_FILL, MONDAY_MS - 300 * DAY_MS);
    stage_is(BATON_MQL, 1);
}

Test(gates, needs_all_of_wants_a_hit_of_each)
{
    uint16_t needed[] = {worth(0, BATON_CLICK), worth(0, BATON_FORM_FILL)};
    world.agreement.mql.score = 0;
    world.agreement.mql.needs_all_of = needed;
    world.agreement.mql.needs_all_count = 2;
    happens(BATON_CLICK, MONDAY_MS);
    stage_is(BATON_LEAD, 0);
    happens(BATON_FORM_FILL, MONDAY_MS);
    stage_is(BATON_MQL, 1);
}

Test(gates, a_hit_too_late_for_its_buckets_is_no_hit_for_needs)
{
    uint16_t needed =
        world_rule(&world, (struct baton_behaviour_rule){
                               .kind = BATON_CLICK, .cap_times = 1, .cap_period = BATON_PER_DAY});
    world.agreement.mql.score = 0;
    world.agreement.mql.needs_one_of = &needed;
    world.agreement.mql.needs_one_count = 1;
    world.context.gates_closed = true;
    happens(BATON_CLICK, MONDAY_MS);
    world.lead.tallies[0].count = 0; /* as if only its bucket had been seen */
    world.context.gates_closed = false;
    happens(BATON_CLICK, MONDAY_MS - 5 * DAY_MS);
    cr_assert_eq(world.result.too_late, 1);
    stage_is(BATON_LEAD, 0);
}

Test(gates, never_blocks_sql_and_only_sql)
{
    worth(100, BATON_VISIT);
    struct baton_text no = TEXT("false");
    struct baton_condition never = {
        .match = BATON_MATCH_EQUAL, .field = BATON_CONSENT, .texts = &no, .text_count = 1};
    world.agreement.never = &never;
    world.agreement.never_count = 1;
    world.agreement.mql.score = world.agreement.sql.score = 50;
    world_profile(&world, BATON_CONSENT, "false", MONDAY_MS);
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_MQL, 1);
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_MQL, 0);
    world_profile(&world, BATON_CONSENT, "true", MONDAY_MS + 7);
    stage_is(BATON_SQL, 1);
    cr_assert_eq(baton_lead_sql_ms(&world.lead), MONDAY_MS + 7);
}

Test(gates, an_item_of_never_that_comes_with_the_event_blocks_it)
{
    worth(100, BATON_FORM_FILL);
    struct baton_condition never = {.match = BATON_MATCH_KNOWN, .field = BATON_COMPANY};
    world.agreement.never = &never;
    world.agreement.never_count = 1;
    world.agreement.mql.score = world.agreement.sql.score = 50;
    struct baton_profile_update update = {
        .field = BATON_COMPANY, .value = TEXT("x"), .folded = TEXT("x")};
    world_fold(&world, (struct baton_event){.kind = BATON_FORM_FILL,
                                            .time_ms = MONDAY_MS,
                                            .updates = &update,
                                            .update_count = 1});
    stage_is(BATON_MQL, 1);
}

Test(gates, closed_gates_count_and_let_nobody_in)
{
    worth(100, BATON_VISIT);
    world.agreement.mql.score = world.agreement.sql.score = 50;
    world.context.gates_closed = true;
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_LEAD, 0);
    cr_assert_eq(world.score.score, HUNDRED(100));
    world.context.gates_closed = false;
    happens(BATON_EMAIL_SENT, MONDAY_MS);
    stage_is(BATON_SQL, 2);
}

Test(gates, a_restored_stage_is_not_entered_again)
{
    worth(100, BATON_VISIT);
    world.agreement.mql.score = world.agreement.sql.score = 50;
    world.lead.stage = BATON_MQL;
    world.lead.mql_ms = MONDAY_MS + DAY_MS;
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_SQL, 1);
    cr_assert_eq(world.lead.mql_ms, MONDAY_MS + DAY_MS);
}

Test(gates, the_score_is_that_at_the_newest_event_not_at_a_late_one)
{
    world_rule(&world, (struct baton_behaviour_rule){
                           .kind = BATON_VISIT, .points = 40, .half_life_ms = DAY_MS});
    world.agreement.mql.score = 40;
    happens(BATON_EMAIL_SENT, MONDAY_MS + DAY_MS);
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_LEAD, 0);
    cr_assert_eq(world.score.score, HUNDRED(20));
    happens(BATON_VISIT, MONDAY_MS);
    stage_is(BATON_MQL, 1);
    cr_assert_eq(world.lead.mql_ms, MONDAY_MS,
                 "the time is that of the event that opened the gate");
}
