/* Clocks go off once: whoever owns the unit then, and whatever was lost meanwhile. */
#define CLOCK_SUITE clocks
#include "clock_cases.h"

TestSuite(clocks, .init = start, .fini = end);

/* ---- Without accidents ---- */

COUNTED(a_reminder_and_a_breach_are_told_when_they_are_due)
{
    promote("a");
    pass(3 * HOUR_US - MINUTE_US);
    cr_expect_eq(told_in_all(), 0);
    pass(2 * MINUTE_US);
    cr_expect_eq(told("a/1/first_contact/reminder"), 1);
    pass(HOUR_US - 2 * MINUTE_US);
    cr_expect_eq(told("a/1/first_contact"), 0);
    pass(2 * MINUTE_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
    pass(44 * HOUR_US);
    cr_expect_eq(told("a/1/verdict"), 1);
    pass(1000 * HOUR_US);
    cr_expect_eq(told_in_all(), 3);
}

COUNTED(a_reminder_that_is_due_with_its_breach_is_not_told)
{
    promote("a");
    pass(5 * HOUR_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told_in_all(), 1);
}

COUNTED(a_promise_that_was_kept_is_not_told)
{
    promote("a");
    report("a", "contacted", now_ms());
    rest();
    pass(30 * HOUR_US);
    cr_expect_eq(told_in_all(), 0);
}

COUNTED(an_answer_before_the_end_that_arrives_behind_it_is_a_correction)
{
    promote("a");
    int64_t in_time_ms = now_ms() + HOUR_MS;
    pass(5 * HOUR_US);
    report("a", "contacted", in_time_ms);
    rest();
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told("a/1/first_contact/kept"), 1);
    cr_expect_eq(told_in_all(), 2);
}

COUNTED(an_answer_behind_the_end_tells_nothing_more)
{
    promote("a");
    pass(5 * HOUR_US);
    report("a", "contacted", now_ms());
    rest();
    pass(HOUR_US);
    cr_expect_eq(told_in_all(), 1);
}

COUNTED(an_answer_that_says_itself_that_it_was_late_tells_at_once)
{
    promote("a");
    int64_t due_ms = now_ms() + 4 * HOUR_MS;
    owner_kill(&world, 0);
    memory_clock_advance(&world.clock, 4 * HOUR_US + MINUTE_US);
    report("a", "contacted", due_ms + 30000);
    owner_start(&world, 0);
    rest();
    cr_expect_eq(told("a/1/first_contact"), 1);
    pass(HOUR_US);
    cr_expect_eq(told_in_all(), 1);
}

COUNTED(updates_are_promised_again_and_again)
{
    promote("a");
    report("a", "negotiating", now_ms());
    rest();
    pass(25 * HOUR_US);
    cr_expect_eq(told_in_all(), 1);
    report("a", "proposal", now_ms());
    rest();
    pass(25 * HOUR_US);
    cr_expect_eq(told_in_all(), 2, "each time has an id of its own");
    report("a", "customer", now_ms());
    rest();
    pass(100 * HOUR_US);
    cr_expect_eq(told_in_all(), 2);
}

COUNTED(an_update_that_comes_late_is_told_by_the_clock_that_it_stops)
{
    promote("a");
    int64_t start_ms = now_ms();
    report("a", "negotiating", start_ms);
    rest();
    owner_kill(&world, 0);
    memory_clock_advance(&world.clock, 25 * HOUR_US);
    report("a", "proposal", now_ms());
    owner_start(&world, 0);
    rest();
    char id[64];
    (void)snprintf(id, sizeof id, "a/1/next_update/%" PRId64, start_ms);
    cr_expect_eq(told(id), 1);
    pass(25 * HOUR_US);
    cr_expect_eq(told(id), 1);
}

COUNTED(without_a_pact_nothing_is_written_and_nothing_runs)
{
    agreement_destroy(world.agreement);
    world.agreement = world_parse("agreement: pact\nversion: 1\n"
                                  "behaviour:\n  - {id: page, event: visit, points: 10}\n"
                                  "gates: {mql: {score: 5}, sql: {score: 10}}\n");
    world.config.agreement = world.agreement;
    promote("a");
    cr_expect_eq(memory_log_end(world.log, 0), 1);
    pass(100 * HOUR_US);
    cr_expect_eq(told_in_all(), 0);
}

/* ---- The index ---- */

static bool is_indexed(const char *lead)
{
    return memory_db_hash(world.db, 0, STORE_CLOCKS, lead).data != NULL;
}

COUNTED(the_store_knows_of_whom_something_is_due_and_forgets_it)
{
    promote("a");
    cr_assert(is_indexed("a"));
    report("a", "contacted", now_ms());
    report("a", "accepted", now_ms());
    rest();
    cr_expect_not(is_indexed("a"));
}

/* Whoever told it died before the index was written. */
COUNTED(what_another_owner_told_is_not_in_the_index_any_more)
{
    promote("a");
    rest();
    memory_db_save(world.db);
    pass(100 * HOUR_US);
    cr_assert_eq(told("a/1/verdict"), 1);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    cr_assert(is_indexed("a"));
    owner_start(&world, 0);
    rest();
    cr_expect_eq(told_in_all(), 2);
    cr_expect_not(is_indexed("a"));
}

COUNTED(what_went_off_is_not_in_the_index_any_more)
{
    promote("a");
    pass(100 * HOUR_US);
    rest();
    cr_expect_eq(told_in_all(), 2);
    cr_expect_not(is_indexed("a"));
}

/* ---- Whoever owns the unit then ---- */

COUNTED(a_new_owner_tells_what_is_due_later)
{
    promote("a");
    pass(4 * HOUR_US - 2 * MINUTE_US);
    another_owner();
    cr_expect_eq(told("a/1/first_contact"), 0);
    pass(3 * MINUTE_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told("a/1/first_contact/reminder"), 1);
    another_owner();
    pass(HOUR_US);
    cr_expect_eq(told_in_all(), 2);
}

COUNTED(what_was_due_while_nobody_ran_is_told_once)
{
    promote("a");
    owner_kill(&world, 0);
    memory_clock_advance(&world.clock, 100 * HOUR_US);
    owner_start(&world, 0);
    steps(&world, 1000);
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told("a/1/verdict"), 1);
    another_owner();
    pass(HOUR_US);
    cr_expect_eq(told_in_all(), 2);
}

COUNTED(who_answered_while_nobody_ran_is_not_told_as_late)
{
    promote("a");
    pass(HOUR_US);
    owner_kill(&world, 0);
    for (int i = 0; i < 3000; i++) /* more than a batch in front of the answer */
        append("b", "click", now_ms(), "");
    report("a", "contacted", now_ms());
    memory_clock_advance(&world.clock, 10 * HOUR_US);
    owner_start(&world, 0);
    steps(&world, 3000);
    cr_expect_eq(told_in_all(), 0);
    pass(60 * HOUR_US);
    cr_expect_eq(told("a/1/verdict"), 1);
}

COUNTED(the_day_after_all_of_thousands_are_told_once)
{
    char lead[16];
    owner_start(&world, 0);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(lead, sizeof lead, "l%d", i);
        visit(lead);
    }
    rest();
    owner_kill(&world, 0);
    memory_clock_advance(&world.clock, 24 * HOUR_US);
    owner_start(&world, 0);
    steps(&world, 2000);
    another_owner();
    steps(&world, 2000);
    cr_expect_eq(told_in_all(), 3000);
    for (int i = 0; i < 3000; i += 97) {
        char id[48];
        (void)snprintf(id, sizeof id, "l%d/1/first_contact", i);
        cr_expect_eq(told(id), 1, "%s", id);
    }
}

COUNTED(leads_that_are_not_in_memory_any_more_go_off_all_the_same)
{
    char lead[16];
    world.config.table_bytes = 1 << 17;
    promote("a");
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(lead, sizeof lead, "l%d", i);
        append(lead, "click", now_ms(), "");
    }
    rest();
    pass(5 * HOUR_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
}

/* What becomes of the transaction that tells, and whoever recovers from it: once. */
static void told_in_a_transaction_that_ends(enum memory_outcome outcome)
{
    promote("a");
    pass(3 * HOUR_US + MINUTE_US);
    memory_sink_set_outcome(world.owners[0].ports.sink, outcome);
    pass(2 * HOUR_US);
    another_owner();
    pass(HOUR_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told_in_all(), 2);
}

COUNTED(are_told_once_where_the_transaction_was_aborted)
{
    told_in_a_transaction_that_ends(MEMORY_UNKNOWN_ABORTED);
}

COUNTED(are_told_once_where_nobody_knew_that_it_was_committed)
{
    told_in_a_transaction_that_ends(MEMORY_UNKNOWN_COMMITTED);
}

COUNTED(a_store_from_before_they_began_loses_none)
{
    owner_start(&world, 0);
    append("b", "click", now_ms(), "");
    rest();
    memory_db_save(world.db);
    visit("a");
    rest();
    memory_db_fall_back(world.db);
    another_owner();
    cr_expect_eq(told_in_all(), 0);
    pass(5 * HOUR_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
}

COUNTED(a_store_from_before_they_went_off_repeats_none)
{
    promote("a");
    memory_db_save(world.db);
    pass(5 * HOUR_US);
    rest();
    memory_db_fall_back(world.db);
    another_owner();
    pass(HOUR_US);
    another_owner();
    cr_expect_eq(told_in_all(), 1);
    pass(60 * HOUR_US);
    cr_expect_eq(told("a/1/verdict"), 1);
    cr_expect_eq(told_in_all(), 2);
}

COUNTED(who_is_met_twice_by_a_replay_is_counted_once)
{
    promote("a");
    memory_db_save(world.db);
    visit("a");
    pass(5 * HOUR_US);
    memory_db_fall_back(world.db);
    another_owner();
}

COUNTED(a_store_that_has_lost_the_index_of_a_birth_is_told_by_the_replay)
{
    promote("a");
    memory_db_save(world.db);
    append("b", "click", now_ms(), "");
    rest();
    memory_db_fall_back(world.db);
    another_owner();
    pass(5 * HOUR_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
}

/* A unit that nothing comes to: its time is in metadata first, and in the store behind it. */
COUNTED(the_store_never_knows_of_a_time_that_is_not_committed)
{
    promote("a");
    pass(3 * HOUR_US - MINUTE_US);
    append("b", "click", now_ms(), "");
    for (int i = 0; i < 2000 && world_stored(&world, 0) < world.ends[0]; i++)
        owner_step(&world, 0);
    /* a checkpoint has just been made: the next one does not ride on the transaction */
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_HOLD);
    world.clock.wall_ms += 2 * MINUTE_US / 1000;
    steps(&world, 600);
    cr_assert(memory_sink_is_held(world.owners[0].ports.sink));
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    struct baton_text field = memory_db_field(world.db, 0, "aggregates");
    char aggregates[512];
    cr_assert_lt(field.size, sizeof aggregates);
    (void)snprintf(aggregates, sizeof aggregates, "%.*s", (int)field.size, field.data);
    const char *clock = strstr(aggregates, " c:");
    cr_assert(clock);
    cr_expect_leq(strtoll(clock + 3, NULL, 10), metadata.clock_ms);
}

COUNTED(a_wall_clock_that_goes_back_repeats_none)
{
    promote("a");
    pass(5 * HOUR_US);
    world.clock.wall_ms -= 3 * HOUR_MS;
    visit("b");
    rest();
    another_owner();
    cr_expect_eq(told("a/1/first_contact"), 1);
    pass(6 * HOUR_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told("b/1/first_contact"), 1);
}

/* ---- Merges ---- */

COUNTED(one_that_runs_goes_over_to_the_lead_that_stays)
{
    promote("a");
    append("a", "merge", now_ms(), ",\"into\":\"b\"");
    rest();
    pass(5 * HOUR_US);
    cr_expect_eq(told("b/1/first_contact"), 1);
    cr_expect_eq(told_in_all(), 1);
}

COUNTED(one_that_was_told_is_not_told_again_of_the_lead_that_stays)
{
    promote("a");
    pass(5 * HOUR_US);
    append("a", "merge", now_ms(), ",\"into\":\"b\"");
    rest();
    pass(HOUR_US);
    another_owner();
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told_in_all(), 1);
    pass(60 * HOUR_US);
    cr_expect_eq(told("b/1/verdict"), 1);
}

COUNTED(who_is_given_up_before_its_promotion_went_out_is_on_time_elsewhere)
{
    owner_start(&world, 0);
    visit("a");
    append("a", "merge", now_ms(), ",\"into\":\"b\"");
    rest();
    pass(5 * HOUR_US);
    cr_expect_eq(told("b/1/first_contact"), 1);
    cr_expect_eq(told_in_all(), 1);
}

COUNTED(who_is_erased_has_none)
{
    promote("a");
    append("a", "erase", now_ms(), "");
    rest();
    cr_expect_not(is_indexed("a"));
    pass(100 * HOUR_US);
    another_owner();
    pass(HOUR_US);
    cr_expect_eq(told_in_all(), 0);
}

/* ---- Rebuilds ---- */

static void rebuild(void)
{
    owner_kill(&world, 0);
    memory_db_forget_unit(world.db, 0);
    world.config.rebuild = world.config.rebuild_yes = true;
    owner_start(&world, 0);
    rest();
}

COUNTED(a_rebuild_begins_them_as_the_log_says)
{
    promote("a");
    pass(HOUR_US);
    rebuild();
    cr_expect_eq(told_in_all(), 0);
    pass(4 * HOUR_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
}

COUNTED(a_rebuild_tells_nothing_that_was_told)
{
    promote("a");
    pass(5 * HOUR_US);
    rebuild();
    pass(HOUR_US);
    cr_expect_eq(told_in_all(), 1);
    pass(60 * HOUR_US);
    cr_expect_eq(told("a/1/verdict"), 1);
    cr_expect_eq(told_in_all(), 2);
}

COUNTED(where_the_log_is_cut_lead_stages_says_when_a_promotion_went_out)
{
    promote("a");
    append("b", "click", now_ms(), "");
    rest();
    pass(HOUR_US);
    memory_log_truncate(world.log, 0, 2);
    rebuild();
    pass(2 * HOUR_US + MINUTE_US);
    cr_expect_eq(told("a/1/first_contact/reminder"), 1);
    pass(HOUR_US);
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told_in_all(), 2);
}

COUNTED(where_the_log_is_cut_a_verdict_on_lead_stages_stops_them)
{
    promote("a");
    report("a", "accepted", now_ms());
    append("b", "click", now_ms(), "");
    rest();
    memory_log_truncate(world.log, 0, memory_log_end(world.log, 0) - 1);
    rebuild();
    pass(100 * HOUR_US);
    cr_expect_eq(told_in_all(), 0);
}
