/* Clocks on sales: how they begin, what stops them, and what comes of them. */
#include "domain/clocks.h"
#include "domain/lead_portable.h"
#include "domain_support.h"

#include "domain/persons.h"

static struct world world;
static struct baton_pact pact;

static void start(void)
{
    world_init(&world);
    pact = (struct baton_pact){
        .clocks = {[BATON_CLOCK_CONTACT] = {.within = {BATON_ELAPSED, 4 * HOUR_MS},
                                            .remind = {BATON_ELAPSED, HOUR_MS}},
                   [BATON_CLOCK_VERDICT] = {.within = {BATON_ELAPSED, 3 * DAY_MS}},
                   [BATON_CLOCK_UPDATE] = {.within = {BATON_ELAPSED, 10 * DAY_MS}}},
        .has_clocks = true,
        .review_next = INT32_MIN};
    world.agreement.pact = &pact;
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 10});
    world.agreement.mql.score = world.agreement.sql.score = 10;
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(clocks, .init = start, .fini = end);

static void promote(void)
{
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.lead.stage, BATON_SQL);
}

static enum baton_fold_outcome publish(int64_t time_ms, uint16_t generation)
{
    struct baton_publication publication = {generation};
    return world_fold(&world, (struct baton_event){.kind = BATON_PUBLISHED,
                                                   .time_ms = time_ms,
                                                   .publication = &publication});
}

#define PUBLISHED_MS (MONDAY_MS + 100)

static void promote_and_publish(void)
{
    promote();
    cr_assert_eq(publish(PUBLISHED_MS, 1), BATON_FOLDED);
}

static void report_by(enum baton_report report, int64_t at_ms, int64_t time_ms, const char *seller)
{
    struct baton_feedback feedback = {.report = report, .at_ms = at_ms};
    if (seller)
        feedback.seller = text_of(seller);
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_FEEDBACK,
                                                         .time_ms = time_ms,
                                                         .feedback = &feedback}),
                 BATON_FOLDED);
}

static void report(enum baton_report report, int64_t time_ms)
{
    report_by(report, time_ms, time_ms, NULL);
}

static const struct baton_clock *clock_of(enum baton_clock_id id)
{
    return &world.lead.history->clocks[id];
}

static void is_move(uint32_t number, enum baton_clock_id id, enum clock_verdict before,
                    enum clock_verdict after)
{
    cr_assert_lt(number, world.result.clock_move_count);
    const struct baton_clock_move *move = &world.result.clock_moves[number];
    cr_expect_eq(move->id, id);
    cr_expect_eq(clock_verdict(&move->before, 0), before);
    cr_expect_eq(clock_verdict(&move->after, 0), after);
}

/* ---- What came of it ---- */

Test(clocks, what_came_of_one_depends_on_its_stop_and_on_the_time)
{
    struct baton_clock clock = {.start_ms = 10, .due_ms = 20};
    cr_expect_eq(clock_verdict(&clock, 19), CLOCK_OPEN);
    cr_expect_eq(clock_verdict(&clock, 20), CLOCK_BROKEN);
    clock.stop_ms = 20;
    cr_expect_eq(clock_verdict(&clock, 0), CLOCK_KEPT);
    cr_expect_eq(clock_verdict(&clock, 99), CLOCK_KEPT);
    clock.stop_ms = 21;
    cr_expect_eq(clock_verdict(&clock, 0), CLOCK_BROKEN);
    clock = (struct baton_clock){0};
    cr_expect_eq(clock_verdict(&clock, 99), CLOCK_NONE);
}

Test(clocks, a_reminder_goes_out_once_and_not_with_the_breach)
{
    struct baton_clock clock = {.start_ms = 10, .due_ms = 20, .remind_ms = 15};
    cr_expect_not(clock_reminds(&clock, 10, 14));
    cr_expect(clock_reminds(&clock, 14, 15));
    cr_expect(clock_reminds(&clock, 0, 19));
    cr_expect_not(clock_reminds(&clock, 15, 19));
    cr_expect_not(clock_reminds(&clock, 14, 20));
    clock.stop_ms = 12;
    cr_expect_not(clock_reminds(&clock, 14, 15));
}

Test(clocks, the_next_time_is_the_least_that_is_to_come)
{
    promote_and_publish();
    int64_t due_ms = PUBLISHED_MS + 4 * HOUR_MS;
    cr_expect_eq(clock_next_ms(&world.lead, 0), due_ms - HOUR_MS);
    cr_expect_eq(clock_next_ms(&world.lead, due_ms - HOUR_MS), due_ms);
    cr_expect_eq(clock_next_ms(&world.lead, due_ms), PUBLISHED_MS + 3 * DAY_MS);
    cr_expect_eq(clock_next_ms(&world.lead, PUBLISHED_MS + 3 * DAY_MS), INT64_MAX);
    struct baton_lead nobody;
    baton_lead_init(&nobody);
    cr_expect_eq(clock_next_ms(&nobody, 0), INT64_MAX);
}

/* ---- Beginning ---- */

Test(clocks, begin_when_the_promotion_goes_out)
{
    promote();
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->start_ms, 0);
    uint32_t events = world.lead.events;
    int64_t newest_ms = world.lead.newest_ms;
    cr_assert_eq(publish(PUBLISHED_MS, 1), BATON_FOLDED);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->start_ms, PUBLISHED_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->due_ms, PUBLISHED_MS + 4 * HOUR_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->remind_ms, PUBLISHED_MS + 3 * HOUR_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->due_ms, PUBLISHED_MS + 3 * DAY_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->remind_ms, 0);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->start_ms, 0);
    cr_assert_eq(world.result.clock_move_count, 2);
    is_move(0, BATON_CLOCK_CONTACT, CLOCK_NONE, CLOCK_OPEN);
    is_move(1, BATON_CLOCK_VERDICT, CLOCK_NONE, CLOCK_OPEN);
    cr_expect(world.lead.events == events && world.lead.newest_ms == newest_ms,
              "it is no event of the lead's");
    cr_expect_eq(world.lead.applied, world.offset);
}

Test(clocks, begin_once)
{
    promote_and_publish();
    cr_expect_eq(publish(PUBLISHED_MS + 5, 1), BATON_UNCHANGED);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->start_ms, PUBLISHED_MS);
    cr_expect_eq(world.result.clock_move_count, 0);
}

Test(clocks, do_not_begin_for_another_generation_or_below_sql)
{
    cr_expect_eq(publish(PUBLISHED_MS, 1), BATON_UNCHANGED);
    promote();
    cr_expect_eq(publish(PUBLISHED_MS, 2), BATON_UNCHANGED);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->start_ms, 0);
}

Test(clocks, do_not_begin_where_nothing_is_promised)
{
    promote();
    world.agreement.pact = NULL;
    cr_expect_eq(publish(PUBLISHED_MS, 1), BATON_UNCHANGED);
    world.agreement.pact = &pact;
    pact.clocks[BATON_CLOCK_CONTACT].within.amount = 0;
    cr_expect_eq(publish(PUBLISHED_MS, 1), BATON_FOLDED);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->start_ms, 0);
    cr_expect_neq(clock_of(BATON_CLOCK_VERDICT)->start_ms, 0);
}

Test(clocks, what_was_said_before_they_begin_stops_them)
{
    promote();
    report(BATON_REPORT_CONTACTED, MONDAY_MS + 50);
    report(BATON_REPORT_ACCEPTED, MONDAY_MS + 60);
    cr_assert_eq(publish(PUBLISHED_MS, 1), BATON_FOLDED);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_ms, MONDAY_MS + 50);
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->stop_ms, MONDAY_MS + 60);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_report, BATON_REPORT_NONE, "one of two");
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->stop_report, BATON_REPORT_ACCEPTED);
    is_move(0, BATON_CLOCK_CONTACT, CLOCK_NONE, CLOCK_KEPT);
}

Test(clocks, keep_which_report_stopped_them)
{
    promote_and_publish();
    report(BATON_REPORT_MEETING, PUBLISHED_MS + 60);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_report, BATON_REPORT_MEETING);
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->stop_report, BATON_REPORT_NONE);
    report_by(BATON_REPORT_CONTACTED, PUBLISHED_MS + 50, PUBLISHED_MS + 70, NULL);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_report, BATON_REPORT_CONTACTED, "the earlier");
    report(BATON_REPORT_NEGOTIATING, PUBLISHED_MS + 80);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_report, BATON_REPORT_CONTACTED);
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->stop_report, BATON_REPORT_NEGOTIATING);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->stop_report, BATON_REPORT_NONE);
    report(BATON_REPORT_CUSTOMER, PUBLISHED_MS + 90);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->stop_report, BATON_REPORT_CUSTOMER);
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->stop_report, BATON_REPORT_NEGOTIATING);
}

Test(clocks, that_stopped_by_a_stage_alone_learn_of_the_report_behind_it)
{
    promote_and_publish();
    world.lead.stage = BATON_ACCEPTED;
    clocks_recall(&world.lead, &world.agreement, PUBLISHED_MS + 60, 0);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_ms, PUBLISHED_MS + 60);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_report, BATON_REPORT_NONE);
    report(BATON_REPORT_PROPOSAL, PUBLISHED_MS + 60);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_ms, PUBLISHED_MS + 60);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_report, BATON_REPORT_PROPOSAL);
}

Test(clocks, keep_the_time_of_the_agreement_that_they_began_under)
{
    promote_and_publish();
    pact.clocks[BATON_CLOCK_CONTACT].within.amount = HOUR_MS;
    report(BATON_REPORT_ASSIGNED, PUBLISHED_MS + 2 * HOUR_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->due_ms, PUBLISHED_MS + 4 * HOUR_MS);
}

/* ---- Stopping ---- */

static void contact_at(int64_t after_ms, enum clock_verdict expected)
{
    promote_and_publish();
    report(BATON_REPORT_CONTACTED, PUBLISHED_MS + 4 * HOUR_MS + after_ms);
    cr_expect_eq(clock_verdict(clock_of(BATON_CLOCK_CONTACT), PUBLISHED_MS + 4 * HOUR_MS),
                 expected);
}

Test(clocks, an_answer_a_millisecond_before_the_end_keeps_the_promise)
{
    contact_at(-1, CLOCK_KEPT);
}

Test(clocks, an_answer_at_the_end_keeps_the_promise)
{
    contact_at(0, CLOCK_KEPT);
}

Test(clocks, an_answer_a_millisecond_behind_the_end_is_too_late)
{
    contact_at(1, CLOCK_BROKEN);
}

Test(clocks, of_when_it_was_and_when_it_is_told_the_earlier_counts)
{
    promote_and_publish();
    report_by(BATON_REPORT_CONTACTED, PUBLISHED_MS + 7, PUBLISHED_MS + 9, NULL);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_ms, PUBLISHED_MS + 7);
    report_by(BATON_REPORT_MEETING, PUBLISHED_MS + 8, PUBLISHED_MS + 5, NULL);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_ms, PUBLISHED_MS + 5);
    report_by(BATON_REPORT_PROPOSAL, PUBLISHED_MS + 6, PUBLISHED_MS + 6, NULL);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_ms, PUBLISHED_MS + 5);
    cr_expect_eq(world.result.clock_move_count, 0);
}

Test(clocks, that_somebody_has_it_is_no_contact)
{
    promote_and_publish();
    report(BATON_REPORT_ASSIGNED, PUBLISHED_MS + 7);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_ms, 0);
    cr_expect_eq(world.result.clock_move_count, 0);
}

Test(clocks, a_contact_is_no_verdict)
{
    promote_and_publish();
    report(BATON_REPORT_PROPOSAL, PUBLISHED_MS + 7);
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->stop_ms, 0);
    report(BATON_REPORT_REJECTED, PUBLISHED_MS + 8);
    cr_expect_eq(clock_of(BATON_CLOCK_VERDICT)->stop_ms, PUBLISHED_MS + 8);
    cr_assert_eq(world.result.clock_move_count, 1);
    is_move(0, BATON_CLOCK_VERDICT, CLOCK_OPEN, CLOCK_KEPT);
}

Test(clocks, what_cannot_be_reported_stops_nothing)
{
    promote_and_publish();
    report(BATON_REPORT_CHURNED, PUBLISHED_MS + 7);
    cr_expect_eq(world.result.notice, BATON_IGNORED);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->stop_ms, 0);
    cr_expect_eq(world.lead.history->reports_seen, 0);
}

Test(clocks, another_seller_moves_those_that_have_begun)
{
    promote_and_publish();
    report_by(BATON_REPORT_ASSIGNED, PUBLISHED_MS + 7, PUBLISHED_MS + 7, "ann");
    cr_assert_eq(world.result.clock_move_count, 2);
    for (int i = 0; i < 2; i++) {
        const struct baton_clock_move *move = &world.result.clock_moves[i];
        cr_expect_eq(move->seller_before, BATON_WORD_NONE);
        cr_expect(word_is(&world, move->seller_after, "ann"));
        cr_expect_eq(move->before.start_ms, move->after.start_ms);
        cr_expect_eq(move->before.stop_ms, move->after.stop_ms);
    }
}

Test(clocks, the_first_report_of_a_kind_is_told)
{
    promote_and_publish();
    report(BATON_REPORT_CONTACTED, PUBLISHED_MS + 7);
    cr_expect(world.result.first_report);
    report(BATON_REPORT_CONTACTED, PUBLISHED_MS + 8);
    cr_expect_not(world.result.first_report);
    report(BATON_REPORT_MEETING, PUBLISHED_MS + 9);
    cr_expect(world.result.first_report);
}

Test(clocks, rules_that_are_hit_for_the_first_time_are_told_to_who_asks)
{
    uint16_t hits[BATON_RULES_MAX];
    world.context.first_hits = hits;
    promote();
    cr_assert_eq(world.result.first_hit_count, 1);
    cr_expect_eq(hits[0], 0);
    world_visit(&world, MONDAY_MS + 1);
    cr_expect_eq(world.result.first_hit_count, 0);
}

/* ---- The next update ---- */

Test(clocks, negotiations_promise_an_update_and_each_report_the_next)
{
    promote_and_publish();
    report(BATON_REPORT_NEGOTIATING, PUBLISHED_MS + 10);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->start_ms, PUBLISHED_MS + 10);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->due_ms, PUBLISHED_MS + 10 + 10 * DAY_MS);
    cr_assert_eq(world.result.clock_move_count, 3);
    is_move(2, BATON_CLOCK_UPDATE, CLOCK_NONE, CLOCK_OPEN);
    report(BATON_REPORT_ASSIGNED, PUBLISHED_MS + 11);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->start_ms, PUBLISHED_MS + 10);
    report(BATON_REPORT_PROPOSAL, PUBLISHED_MS + 12);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->start_ms, PUBLISHED_MS + 12);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->stop_ms, 0);
    cr_assert_eq(world.result.clock_move_count, 2);
    is_move(0, BATON_CLOCK_UPDATE, CLOCK_OPEN, CLOCK_KEPT);
    is_move(1, BATON_CLOCK_UPDATE, CLOCK_NONE, CLOCK_OPEN);
}

Test(clocks, a_report_that_ends_the_talks_ends_the_updates)
{
    promote_and_publish();
    report(BATON_REPORT_NEGOTIATING, PUBLISHED_MS + 10);
    report(BATON_REPORT_CUSTOMER, PUBLISHED_MS + 11 * DAY_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->stop_ms, PUBLISHED_MS + 11 * DAY_MS);
    cr_expect_eq(clock_verdict(clock_of(BATON_CLOCK_UPDATE), 0), CLOCK_BROKEN);
}

Test(clocks, a_report_of_before_the_update_was_promised_is_none)
{
    promote_and_publish();
    report(BATON_REPORT_NEGOTIATING, PUBLISHED_MS + 10);
    report_by(BATON_REPORT_MEETING, PUBLISHED_MS + 5, PUBLISHED_MS + 20, NULL);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->start_ms, PUBLISHED_MS + 10);
    cr_expect_eq(clock_of(BATON_CLOCK_UPDATE)->stop_ms, 0);
}

/* ---- Generations and other leads ---- */

Test(clocks, end_with_their_generation)
{
    world.agreement.recycle_after_ms = DAY_MS;
    promote_and_publish();
    report(BATON_REPORT_REJECTED, PUBLISHED_MS + 8);
    cr_expect_neq(clock_of(BATON_CLOCK_CONTACT)->start_ms, 0);
    world_visit(&world, PUBLISHED_MS + 2 * DAY_MS);
    cr_expect_eq(world.lead.generation, 2);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->start_ms, 0);
    cr_expect_eq(world.lead.history->reports_seen, 0);
    cr_expect_eq(publish(PUBLISHED_MS + 3 * DAY_MS, 1), BATON_UNCHANGED, "of the one before");
    cr_expect_eq(publish(PUBLISHED_MS + 3 * DAY_MS, 2), BATON_FOLDED);
}

/* Another lead takes the state of this one over; its unit had told of clocks up to `told_ms` when
 * it folded the merge that had arrived at `arrived_ms`. */
static void transfer_arrived(int64_t told_ms, int64_t arrived_ms)
{
    size_t bound = lead_portable_bound(&world.lead, &world.words);
    uint8_t *bytes = malloc(bound);
    size_t size = lead_portable_write(&world.lead, &world.words, bytes);
    baton_lead_fini(&world.lead, &world.allocator);
    struct baton_transfer state = {.from = TEXT("cookie"),
                                   .state = {(const char *)bytes, (uint32_t)size},
                                   .clock_ms = told_ms,
                                   .arrived_ms = arrived_ms};
    struct baton_text trail = TEXT("cookie");
    struct baton_hop hop = {.trail = &trail, .trail_count = 1, .own = true};
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_TRANSFER,
                                                         .time_ms = MONDAY_MS + 200,
                                                         .lead_id = TEXT("anna"),
                                                         .transfer = &state,
                                                         .hop = &hop}),
                 BATON_FOLDED);
    cr_assert_eq(world.lead.stage, BATON_SQL);
    free(bytes);
}

static void transfer(int64_t told_ms)
{
    transfer_arrived(told_ms, told_ms);
}

Test(clocks, go_over_to_another_lead_and_those_that_run_begin_there)
{
    promote_and_publish();
    transfer(PUBLISHED_MS + HOUR_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->due_ms, PUBLISHED_MS + 4 * HOUR_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->remind_ms, PUBLISHED_MS + 3 * HOUR_MS);
    cr_assert_eq(world.result.clock_move_count, 2);
    is_move(0, BATON_CLOCK_CONTACT, CLOCK_NONE, CLOCK_OPEN);
    cr_expect_eq(publish(PUBLISHED_MS + DAY_MS, 1), BATON_UNCHANGED);
}

Test(clocks, what_was_told_before_the_transfer_is_not_told_behind_it)
{
    int64_t told_ms = PUBLISHED_MS + 5 * HOUR_MS;
    promote_and_publish();
    transfer(told_ms);
    cr_expect_eq(clock_verdict(clock_of(BATON_CLOCK_CONTACT), 0), CLOCK_BROKEN,
                 "whatever the time of the unit is");
    cr_assert_eq(world.result.clock_move_count, 1);
    is_move(0, BATON_CLOCK_VERDICT, CLOCK_NONE, CLOCK_OPEN);
    cr_expect_eq(clock_next_ms(&world.lead, 0), PUBLISHED_MS + 3 * DAY_MS);
    report(BATON_REPORT_CONTACTED, PUBLISHED_MS + HOUR_MS);
    cr_expect_eq(clock_verdict(clock_of(BATON_CLOCK_CONTACT), 0), CLOCK_KEPT);
    is_move(0, BATON_CLOCK_CONTACT, CLOCK_BROKEN, CLOCK_KEPT);
}

Test(clocks, a_reminder_that_was_sent_is_not_sent_behind_a_transfer)
{
    promote_and_publish();
    transfer(PUBLISHED_MS + 3 * HOUR_MS);
    cr_expect_eq(clock_of(BATON_CLOCK_CONTACT)->remind_ms, 0);
    cr_expect_eq(clock_next_ms(&world.lead, 0), PUBLISHED_MS + 4 * HOUR_MS);
}

/* ---- Those that end while they run ---- */

static void has_ended(uint32_t number, enum baton_clock_id id)
{
    cr_assert_lt(number, world.result.clock_move_count);
    const struct baton_clock_move *move = &world.result.clock_moves[number];
    cr_expect(move->ended && !move->told);
    cr_expect_eq(move->id, id);
    cr_expect_eq(move->before.start_ms, PUBLISHED_MS);
    cr_expect_eq(move->before.stop_ms, 0);
    cr_expect_eq(move->after.start_ms, 0);
    cr_expect_eq(move->generation, 1);
    cr_expect(word_is(&world, move->seller_before, "ann"));
    cr_expect_eq(move->seller_before, move->seller_after);
}

static void promote_with_seller(void)
{
    promote_and_publish();
    report_by(BATON_REPORT_ASSIGNED, PUBLISHED_MS + 7, PUBLISHED_MS + 7, "ann");
}

static void both_have_ended(void)
{
    has_ended(0, BATON_CLOCK_CONTACT);
    has_ended(1, BATON_CLOCK_VERDICT);
    cr_expect_eq(world.result.clock_move_count, 2);
}

static void adjust(enum baton_stage stage, int64_t time_ms)
{
    struct baton_adjustment adjustment = {
        .has_stage = true, .stage = stage, .by = TEXT("Ana"), .reason = TEXT("r")};
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_ADJUST,
                                                         .time_ms = time_ms,
                                                         .adjustment = &adjustment}),
                 BATON_FOLDED);
}

Test(clocks, that_end_with_their_generation_are_told_with_its_number)
{
    promote_with_seller();
    adjust(BATON_LEAD, PUBLISHED_MS + HOUR_MS);
    cr_assert_gt(world.lead.generation, 1);
    both_have_ended();
}

Test(clocks, that_end_with_a_lead_that_is_merged_away)
{
    struct baton_merge merge = {.into = TEXT("anna")};
    promote_with_seller();
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_MERGE,
                                                         .time_ms = PUBLISHED_MS + HOUR_MS,
                                                         .lead_id = TEXT("cookie"),
                                                         .merge = &merge}),
                 BATON_FOLDED);
    both_have_ended();
}

Test(clocks, that_end_with_a_lead_that_is_erased)
{
    struct baton_erasure erasure = {.by = TEXT("Ana")};
    promote_with_seller();
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_ERASE,
                                                         .time_ms = PUBLISHED_MS + HOUR_MS,
                                                         .lead_id = TEXT("cookie"),
                                                         .erasure = &erasure}),
                 BATON_FOLDED);
    both_have_ended();
}

Test(clocks, that_were_stopped_do_not_end)
{
    promote_with_seller();
    report(BATON_REPORT_CONTACTED, PUBLISHED_MS + 8);
    adjust(BATON_LEAD, PUBLISHED_MS + HOUR_MS);
    has_ended(0, BATON_CLOCK_VERDICT);
    cr_expect_eq(world.result.clock_move_count, 1);
}

/* … one stops with the report, the other one moves to another seller with it and ends then. */
Test(clocks, that_move_and_end_by_one_event_end_as_they_moved)
{
    world.agreement.recycle_after_ms = DAY_MS;
    promote_and_publish();
    report(BATON_REPORT_NEGOTIATING, PUBLISHED_MS + DAY_MS);
    world_visit(&world, PUBLISHED_MS + 3 * DAY_MS);
    report_by(BATON_REPORT_REJECTED, PUBLISHED_MS + 8, PUBLISHED_MS + 8, "ann");
    cr_assert_eq(world.lead.generation, 2);
    const struct baton_clock_move *move =
        &world.result.clock_moves[world.result.clock_move_count - 1];
    cr_expect(move->ended);
    cr_expect_eq(move->id, BATON_CLOCK_UPDATE);
    cr_expect_eq(move->before.start_ms, PUBLISHED_MS + DAY_MS);
    cr_expect(word_is(&world, move->seller_before, "ann"));
    cr_expect_eq(move->generation, 1);
}

Test(clocks, of_leads_without_a_pact_are_not_looked_at)
{
    promote_with_seller();
    world.agreement.pact = NULL;
    adjust(BATON_LEAD, PUBLISHED_MS + HOUR_MS);
    cr_expect_eq(world.result.clock_move_count, 0);
}

Test(clocks, what_was_due_when_the_merge_arrived_is_counted_where_it_comes_from)
{
    promote_and_publish();
    transfer_arrived(PUBLISHED_MS + HOUR_MS, PUBLISHED_MS + 4 * HOUR_MS);
    cr_expect_eq(clock_verdict(clock_of(BATON_CLOCK_CONTACT), 0), CLOCK_BROKEN);
    cr_assert_eq(world.result.clock_move_count, 1);
    is_move(0, BATON_CLOCK_VERDICT, CLOCK_NONE, CLOCK_OPEN);
}

Test(clocks, what_was_told_and_not_due_when_the_merge_arrived_is_counted_here)
{
    promote_and_publish();
    transfer_arrived(PUBLISHED_MS + 4 * HOUR_MS, PUBLISHED_MS + 4 * HOUR_MS - 1);
    cr_assert_eq(world.result.clock_move_count, 2);
    is_move(0, BATON_CLOCK_CONTACT, CLOCK_NONE, CLOCK_BROKEN);
    cr_expect(world.result.clock_moves[0].told);
    cr_expect_not(world.result.clock_moves[1].told);
    report(BATON_REPORT_CONTACTED, PUBLISHED_MS + HOUR_MS);
    is_move(0, BATON_CLOCK_CONTACT, CLOCK_BROKEN, CLOCK_KEPT);
}

/* The promotions of both went out in the same moment. */
Test(clocks, that_began_with_those_that_take_their_place_end_all_the_same)
{
    promote_with_seller();
    struct baton_lead own = world.lead;
    baton_lead_init(&world.lead);
    world.offset = 0;
    promote_and_publish();
    adjust(BATON_ACCEPTED, PUBLISHED_MS + 9);
    size_t bound = lead_portable_bound(&world.lead, &world.words);
    uint8_t *bytes = malloc(bound);
    size_t size = lead_portable_write(&world.lead, &world.words, bytes);
    baton_lead_fini(&world.lead, &world.allocator);
    world.lead = own;
    world.offset += 10;
    struct baton_transfer state = {.from = TEXT("cookie"),
                                   .state = {(const char *)bytes, (uint32_t)size},
                                   .clock_ms = PUBLISHED_MS + HOUR_MS,
                                   .arrived_ms = PUBLISHED_MS + HOUR_MS};
    struct baton_text trail = TEXT("cookie");
    struct baton_hop hop = {.trail = &trail, .trail_count = 1, .own = true};
    cr_assert_eq(world_fold(&world, (struct baton_event){.kind = BATON_TRANSFER,
                                                         .time_ms = MONDAY_MS + 200,
                                                         .lead_id = TEXT("anna"),
                                                         .transfer = &state,
                                                         .hop = &hop}),
                 BATON_FOLDED);
    free(bytes);
    cr_assert_eq(world.lead.stage, BATON_ACCEPTED);
    cr_assert_eq(world.result.clock_move_count, 4);
    is_move(0, BATON_CLOCK_CONTACT, CLOCK_NONE, CLOCK_OPEN);
    is_move(1, BATON_CLOCK_VERDICT, CLOCK_NONE, CLOCK_OPEN);
    has_ended(2, BATON_CLOCK_CONTACT);
    has_ended(3, BATON_CLOCK_VERDICT);
}
