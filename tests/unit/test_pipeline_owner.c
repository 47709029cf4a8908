/* An owner at work: what it writes when, what it does when the store, the sink or the group fail
 * it, and how it hands over. */
#include "pipeline_cases.h"

#include "pipeline/pipeline.h"

/* ---- damage
 * -------------------------------------------------------------------------------------- */

static const char HOT[] = "{\"kind\":\"visit\",\"event_id\":\"hot-%d\",\"lead_id\":\"lead-0-0\","
                          "\"time\":%" PRId64 ",\"page\":\"/pricing\"}";

static void visit_hot(struct world *world, int number)
{
    char value[256];
    (void)snprintf(value, sizeof value, HOT, number, WORLD_T0);
    (void)world_append_text(world, 0, "lead-0-0", value);
}

Test(pipeline_owner, a_damaged_lead_stops_its_unit_and_no_other)
{
    struct world world;
    struct baton_text id = {"lead-0-0", 8};
    begin(&world, 3);
    settle_more(&world, 60);
    owner_kill(&world, 0);
    cr_assert(memory_db_tear_lead(world.db, 0, id));
    owner_start(&world, 0);
    expect_live(&world);
    visit_hot(&world, 1);
    add_events(&world, 30);
    expect_stopped(&world, "lead-0-0");
    steps(&world, 2000);
    for (uint32_t unit = 1; unit < 3; unit++)
        cr_assert_eq(world_stored(&world, unit), world.ends[unit]);
    cr_assert_lt(memory_log_committed(world.log, 0, NULL), world.ends[0]);
    world_fini(&world);
}

static void write_word(struct world *world, const char *name, const char *value)
{
    struct store *store = memory_store_create(world->db);
    struct arena arena;
    arena_init(&arena, 4096);
    struct fence fence;
    struct field *fields, word = {{name, (uint32_t)strlen(name)}, {value, (uint32_t)strlen(value)}};
    size_t count;
    struct error error;
    struct store_write write = {.words = &word, .word_count = 1};
    cr_assert_eq(store->claim(store, 0, (const uint8_t *)"operator........", &arena, &fence,
                              &fields, &count, &error),
                 STATUS_OK);
    cr_assert_eq(store->write(store, 0, &fence, &write, &error), STATUS_OK);
    arena_fini(&arena);
    store->destroy(store);
}

Test(pipeline_owner, damaged_words_stop_the_unit)
{
    static const char *const names[] = {"99", "0", "x", "-3", "4294967298"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct world world;
        begin(&world, 1);
        owner_kill(&world, 0);
        write_word(&world, names[i], "a word too many");
        owner_start(&world, 0);
        expect_stopped(&world, "word");
        world_fini(&world);
    }
}

/* ---- handing over
 * -------------------------------------------------------------------------------- */

Test(pipeline_owner, revoked_it_hands_over_clean)
{
    struct world world;
    begin(&world, 4);
    add_events(&world, 40);
    steps(&world, 3);
    owner_start(&world, 1); /* joins: everything is revoked first */
    for (int i = 0; i < 200 && memory_log_committed(world.log, 3, NULL) < world.ends[3]; i++) {
        owner_step(&world, 0);
        owner_step(&world, 1);
    }
    for (int i = 0; i < STEPS; i++) {
        owner_step(&world, 0);
        owner_step(&world, 1);
    }
    for (int number = 0; number < 2; number++)
        cr_assert_eq(atomic_load(&worker_figures(world.owners[number].worker)->replayed), 0,
                     "what was handed over had to be folded again");
    expect_exact(&world);
}

Test(pipeline_owner, a_clean_stop_leaves_nothing_to_replay)
{
    struct world world;
    begin(&world, 2);
    add_events(&world, 80);
    for (int i = 0; i < 3; i++)
        owner_step(&world, 0); /* folded, and neither committed nor checkpointed */
    cr_assert(worker_drain(world.owners[0].worker));
    for (uint32_t unit = 0; unit < 2; unit++)
        cr_assert_eq(world_stored(&world, unit), memory_log_committed(world.log, unit, NULL));
    owner_kill(&world, 0);
    owner_start(&world, 0);
    expect_live(&world);
    cr_assert_eq(FIGURE(&world, replayed), 0);
    expect_exact(&world);
}

Test(pipeline_owner, a_stop_without_the_store_says_that_something_is_left)
{
    struct world world;
    begin(&world, 1);
    add_events(&world, 40);
    steps(&world, 3);
    memory_db_set_away(world.db, true);
    int64_t before = world.clock.monotonic_us;
    cr_assert_not(worker_drain(world.owners[0].worker));
    cr_assert_leq(world.clock.monotonic_us - before, 4100000, "within the stated time");
    memory_db_set_away(world.db, false);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_owner, a_stop_without_kafka_says_that_something_is_left)
{
    struct world world;
    begin(&world, 1);
    add_events(&world, 40);
    steps(&world, 3);
    memory_log_set_away(world.log, true);
    cr_assert_not(worker_drain(world.owners[0].worker));
    memory_log_set_away(world.log, false);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_owner, a_stop_while_settling_finishes_it)
{
    struct world world;
    begin_behind(&world, 1);
    world.config.agreement = world.other;
    owner_start(&world, 0);
    for (int i = 0; i < STEPS && FIGURE(&world, replayed) < 60; i++)
        owner_step(&world, 0);
    memory_store_hold(world.owners[0].ports.store, false);
    cr_assert(worker_drain(world.owners[0].worker));
    cr_assert_str_eq(field_text(&world, 0, "agreement"), agreement_hash(world.other));
    cr_assert_eq(world_stored(&world, 0), memory_log_committed(world.log, 0, NULL));
    expect_exact(&world);
}

static void snapshot(struct world *world, uint64_t counts[2], int64_t committed[2])
{
    memory_db_counts(world->db, &counts[0], &counts[1]);
    for (uint32_t unit = 0; unit < 2; unit++)
        committed[unit] = memory_log_committed(world->log, unit, NULL);
}

Test(pipeline_owner, lost_units_are_dropped_unwritten)
{
    struct world world;
    uint64_t before[2], after[2];
    int64_t was[2], is[2];
    begin(&world, 2);
    add_events(&world, 40);
    owner_step(&world, 0);
    owner_step(&world, 0); /* folded */
    snapshot(&world, before, was);
    memory_source_expire(world.owners[0].ports.source);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_ABORT);
    struct error error;
    for (int i = 0; i < 2; i++)
        cr_assert_eq(worker_step(world.owners[0].worker, &error), STATUS_OK);
    snapshot(&world, after, is);
    cr_assert_eq(after[1], before[1], "something was written");
    cr_assert(was[0] == is[0] && was[1] == is[1]);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_COMMIT);
    expect_goes_on_exactly(&world);
}

/* The sink borrows from the worker until it has told how a transaction ended. */
Test(pipeline_owner, units_may_be_lost_while_a_transaction_is_in_flight)
{
    for (int kills = 0; kills < 2; kills++) {
        struct world world;
        begin(&world, 2);
        struct sink *sink = world.owners[0].ports.sink;
        memory_sink_set_outcome(sink, MEMORY_HOLD);
        add_events(&world, 60);
        for (int i = 0; i < 500 && memory_log_open_transactions(world.log) == 0; i++)
            owner_step(&world, 0);
        cr_assert_eq(memory_log_open_transactions(world.log), 1);
        memory_source_expire(world.owners[0].ports.source);
        steps(&world, 20);
        memory_sink_set_outcome(sink, MEMORY_COMMIT);
        if (kills) {
            owner_kill(&world, 0);
            owner_start(&world, 0);
        } else
            memory_sink_finish(sink, MEMORY_COMMIT);
        expect_goes_on_exactly(&world);
    }
}

/* ---- the store is away
 * --------------------------------------------------------------------------- */

Test(pipeline_owner, a_store_that_was_away_with_nothing_outstanding_leaves_no_doubt)
{
    struct world world;
    begin(&world, 2);
    steps(&world, 200);
    memory_db_set_away(world.db, true);
    for (int i = 0; i < 20; i++) {
        memory_clock_advance(&world.clock, 1000000);
        owner_step(&world, 0);
    }
    memory_db_set_away(world.db, false);
    memory_clock_advance(&world.clock, 10000000);
    settle_more(&world, 40);
    cr_assert_eq(FIGURE(&world, replayed), 0);
    expect_exact(&world);
}

Test(pipeline_owner, promotions_do_not_wait_for_an_absent_store)
{
    struct world world;
    begin(&world, 1);
    settle_more(&world, 100);
    steps(&world, 200);
    visit_hot(&world, 1);
    struct error error;
    cr_assert_eq(worker_step(world.owners[0].worker, &error), STATUS_OK); /* folded … */
    memory_db_set_away(world.db, true);
    steps(&world, 500);
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), world.ends[0], "… and committed");
    memory_db_set_away(world.db, false);
    memory_clock_advance(&world.clock, 10000000);
    expect_goes_on_exactly(&world);
}

Test(pipeline_owner, a_store_that_fell_back_while_it_was_away_fences)
{
    struct world world;
    begin(&world, 2);
    memory_db_save(world.db);
    settle_more(&world, 60);
    steps(&world, 200);
    memory_db_set_away(world.db, true);
    for (int i = 0; i < 3; i++) {
        memory_clock_advance(&world.clock, 1000000);
        owner_step(&world, 0);
    }
    memory_db_fall_back(world.db);
    memory_db_set_away(world.db, false);
    memory_clock_advance(&world.clock, 10000000);
    expect_goes_on_exactly(&world);
}

Test(pipeline_owner, an_idle_owner_looks_at_its_fence_every_second)
{
    struct world world;
    begin(&world, 1);
    memory_db_save(world.db);
    settle_more(&world, 60);
    steps(&world, 200);
    memory_db_fall_back(world.db);
    cr_assert_lt(world_stored(&world, 0), world.ends[0]);
    steps(&world, 2500); /* nothing happens to it */
    settle(&world);
    cr_assert_gt(FIGURE(&world, replayed), 0);
    expect_exact(&world);
}

Test(pipeline_owner, a_stopped_unit_recovers_when_an_operator_claims_it)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    operator_writes(&world, 0, "partitions", "7");
    owner_start(&world, 0);
    expect_stopped(&world, "partitions");
    operator_writes(&world, 0, "partitions", "1");
    steps(&world, 3000);
    expect_live(&world);
    cr_assert_str_eq(field_text(&world, 0, "stopped"), "", "it does not say so any more");
    expect_goes_on_exactly(&world);
}

/* ---- transactions
 * -------------------------------------------------------------------------------- */

static void end_one_transaction(enum memory_outcome outcome, bool folds_on)
{
    struct world world;
    begin(&world, 2);
    struct sink *sink = world.owners[0].ports.sink;
    memory_sink_set_outcome(sink, MEMORY_HOLD);
    add_events(&world, 60);
    for (int i = 0; i < 500 && memory_log_open_transactions(world.log) == 0; i++)
        owner_step(&world, 0);
    if (folds_on)
        add_events(&world, 60);
    steps(&world, 20);
    memory_sink_set_outcome(sink, MEMORY_COMMIT);
    memory_sink_finish(sink, outcome);
    expect_goes_on_exactly(&world);
}

Test(pipeline_owner, a_transaction_may_end_in_each_way)
{
    static const enum memory_outcome outcomes[] = {
        MEMORY_COMMIT, MEMORY_ABORT, MEMORY_UNKNOWN_COMMITTED, MEMORY_UNKNOWN_ABORTED};
    for (size_t i = 0; i < 4; i++) {
        end_one_transaction(outcomes[i], false);
        end_one_transaction(outcomes[i], true);
    }
}

Test(pipeline_owner, kafka_may_go_away_in_the_middle_of_a_transaction)
{
    struct world world;
    begin(&world, 2);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_HOLD);
    add_events(&world, 60);
    for (int i = 0; i < 500 && memory_log_open_transactions(world.log) == 0; i++)
        owner_step(&world, 0);
    memory_log_set_away(world.log, true);
    steps(&world, 500);
    memory_log_set_away(world.log, false);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_COMMIT);
    memory_clock_advance(&world.clock, 10000000);
    expect_goes_on_exactly(&world);
}

/* The copy is of the position that the transaction commits, though folding has gone on. */
Test(pipeline_owner, under_load_the_checkpoint_is_a_copy_taken_when_the_transaction_began)
{
    struct world world;
    begin(&world, 1);
    steps(&world, 300);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_HOLD);
    add_events(&world, 30);
    for (int i = 0; i < 500 && memory_log_open_transactions(world.log) == 0; i++)
        owner_step(&world, 0);
    int64_t began = world.ends[0], stored = world_stored(&world, 0);
    for (int i = 0; i < 20; i++) {
        add_events(&world, 5);
        owner_step(&world, 0);
    }
    cr_assert_eq(world_stored(&world, 0), stored, "nothing is written before it is committed");
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_COMMIT);
    memory_sink_finish(world.owners[0].ports.sink, MEMORY_COMMIT);
    steps(&world, 10);
    cr_assert_eq(world_stored(&world, 0), began);
    expect_exact(&world);
}

Test(pipeline_owner, a_fenced_units_waiting_messages_are_not_published_with_the_others)
{
    struct world world;
    begin(&world, 2);
    memory_db_save(world.db);
    settle_more(&world, 40);
    world.config.emit_linger_ms = 5;
    for (int i = 0; i < 3; i++) { /* dead letters, which need nothing of the store */
        (void)world_append_text(&world, 0, "a", "no event");
        (void)world_append_text(&world, 1, "b", "no event");
    }
    struct error error;
    cr_assert_eq(worker_step(world.owners[0].worker, &error), STATUS_OK); /* folded, waiting */
    operator_writes(&world, 0, "notes", "claimed");
    memory_clock_advance(&world.clock, 1500000);
    steps(&world, 3);
    expect_goes_on_exactly(&world); /* each of them once */
}

/* Somebody's open transaction hides K of unit 0. */
struct hiding {
    struct sink *sink;
    struct unit_commit commit;
    struct transaction transaction;
    char *metadata;
};

static void hide(struct world *world, struct hiding *hiding)
{
    const char *metadata;
    struct error error;
    int64_t committed = memory_log_committed(world->log, 0, &metadata);
    hiding->metadata = memory_copy_text(metadata);
    hiding->commit =
        (struct unit_commit){.unit = 0, .offset = committed, .metadata = hiding->metadata};
    hiding->transaction = (struct transaction){.commits = &hiding->commit, .commit_count = 1};
    hiding->sink = memory_sink_create(world->log, world->owners[0].ports.source, "another");
    cr_assert_eq(hiding->sink->reset(hiding->sink, &error), STATUS_OK);
    memory_sink_set_outcome(hiding->sink, MEMORY_HOLD);
    hiding->sink->begin(hiding->sink, &hiding->transaction);
}

static void show(struct hiding *hiding)
{
    struct error error;
    memory_sink_finish(hiding->sink, MEMORY_ABORT);
    (void)hiding->sink->poll(hiding->sink, &error);
    hiding->sink->destroy(hiding->sink);
    free(hiding->metadata);
}

Test(pipeline_owner, one_that_waits_to_take_over_does_not_hold_up_the_others)
{
    struct world world;
    struct hiding hiding;
    begin(&world, 2);
    steps(&world, 200);
    hide(&world, &hiding);
    operator_writes(&world, 0, "notes", "claimed");
    steps(&world, 2500); /* noticed */
    for (int i = 0; i < 40; i++)
        world_append_random(&world, 1);
    steps(&world, 6000);
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), hiding.commit.offset);
    cr_assert_eq(memory_log_committed(world.log, 1, NULL), world.ends[1]);
    cr_assert_eq(world_stored(&world, 1), world.ends[1]);
    show(&hiding);
    memory_clock_advance(&world.clock, 10000000);
    expect_goes_on_exactly(&world);
}

Test(pipeline_owner, one_whose_offset_is_hidden_does_not_keep_others_from_being_taken_over)
{
    struct world world;
    struct hiding hiding;
    begin(&world, 3);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    steps(&world, 1); /* joins */
    hide(&world, &hiding);
    add_events(&world, 30);
    steps(&world, 12000);
    for (uint32_t unit = 1; unit < 3; unit++)
        cr_assert_eq(memory_log_committed(world.log, unit, NULL), world.ends[unit]);
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), hiding.commit.offset);
    show(&hiding);
    memory_clock_advance(&world.clock, 10000000);
    expect_goes_on_exactly(&world);
}

/* ---- limits
 * -------------------------------------------------------------------------------------- */

Test(pipeline_owner, fetching_pauses_at_the_limit_of_dirty_leads)
{
    struct world world;
    world_init(&world, 1, 1);
    world.config.dirty_max = 4;
    world.config.checkpoint_interval_ms = 1000000; /* only the limit makes one due */
    owner_start(&world, 0);
    memory_source_set_batch(world.owners[0].ports.source, 4, 0);
    add_events(&world, 200);
    steps(&world, 2000);
    cr_assert_gt(FIGURE(&world, checkpoints), 5);
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), 200);
    worker_drain(world.owners[0].worker);
    expect_exact(&world);
}

Test(pipeline_owner, a_table_smaller_than_the_leads_loses_nothing)
{
    struct world world;
    world_init(&world, 2, 1);
    world.config.table_bytes = 40000;
    owner_start(&world, 0);
    for (int i = 0; i < 30; i++)
        settle_more(&world, 20);
    cr_assert_leq(FIGURE(&world, leads_in_table), 24);
    expect_exact(&world);
}

Test(pipeline_owner, a_stopped_units_dirty_leads_hold_up_nobody)
{
    struct world world;
    begin_behind(&world, 2);
    const char *metadata;
    int64_t committed = memory_log_committed(world.log, 0, &metadata);
    char *copy = memory_copy_text(metadata), *digest = strstr(copy, " d=") + 3;
    *digest = *digest == '0' ? '1' : '0';
    memory_log_set_committed(world.log, 0, committed, copy);
    free(copy);
    world.config.dirty_max = 4; /* its replay has more of them when it finds that it is wrong */
    owner_start(&world, 0);
    expect_stopped(&world, "differs from what was published");
    for (int i = 0; i < 40; i++)
        world_append_random(&world, 1);
    steps(&world, 3000);
    cr_assert_eq(memory_log_committed(world.log, 1, NULL), world.ends[1]);
    cr_assert_eq(world_stored(&world, 1), world.ends[1]);
    world_fini(&world);
}

/* ---- what goes out
 * ------------------------------------------------------------------------------- */

/* A promotion tells the lead as of its event, though the lead moved on before it left. */
Test(pipeline_owner, a_promotion_is_of_its_event_even_if_folding_went_on)
{
    size_t sizes[2];
    uint8_t *values[2];
    for (int later = 0; later < 2; later++) {
        struct world world;
        world_init(&world, 1, 1);
        owner_start(&world, 0);
        expect_live(&world);
        for (int i = 0; i < 6; i++)
            visit_hot(&world, i);
        if (later) /* in the same batch */
            for (int i = 6; i < 30; i++)
                visit_hot(&world, i);
        settle(&world);
        cr_assert_eq(memory_log_output_count(world.log, TOPIC_PROMOTIONS), 1);
        const struct outgoing_message *message = memory_log_output(world.log, TOPIC_PROMOTIONS, 0);
        sizes[later] = message->value_size;
        values[later] = malloc(message->value_size);
        memcpy(values[later], message->value, message->value_size);
        world_fini(&world);
    }
    cr_assert_eq(sizes[0], sizes[1]);
    cr_assert_arr_eq(values[0], values[1], sizes[0]);
    free(values[0]);
    free(values[1]);
}

/* ---- behind
 * ---------------------------------------------------------------------------------- */

/* Checkpoints in a second in which batches are never full. */
static uint64_t checkpoints_of_a_second(struct world *world, bool many_wait)
{
    enum { BATCH = 8, BEFORE = 1000, SECOND = 1000 };
    uint64_t begun = 0;
    for (int step = 0; step < BEFORE + SECOND; step++) {
        if (step == BEFORE)
            begun = FIGURE(world, checkpoints);
        if (step == 0 && many_wait)
            for (int i = 0; i < (BEFORE + SECOND) * BATCH + 8192; i++)
                world_append_random(world, 0);
        for (int i = 0; i < BATCH && !many_wait; i++)
            world_append_random(world, 0);
        owner_step(world, 0);
    }
    return FIGURE(world, checkpoints) - begun;
}

Test(pipeline_owner, checkpoints_are_fewer_while_many_events_wait)
{
    uint64_t checkpoints[2];
    for (int many_wait = 0; many_wait < 2; many_wait++) {
        struct world world;
        world_init(&world, 1, 1);
        world.batch = 8; /* a source may hand out less than there is */
        world.config.checkpoint_interval_behind_ms = 400;
        owner_start(&world, 0);
        expect_live(&world);
        checkpoints[many_wait] = checkpoints_of_a_second(&world, many_wait);
        settle(&world);
        world_fini(&world);
    }
    cr_assert_geq(checkpoints[0], 8, "%" PRIu64 " while few wait", checkpoints[0]);
    cr_assert_leq(checkpoints[1], 3, "%" PRIu64 " while many wait", checkpoints[1]);
    cr_assert_geq(checkpoints[1], 2, "%" PRIu64 " while many wait", checkpoints[1]);
}

/* The clock counts from the start of the machine: a new worker has not slept through all of that.
 */
Test(pipeline_owner, a_worker_that_has_fetched_nothing_yet_is_not_behind)
{
    struct world world;
    world_init(&world, 1, 1);
    memory_clock_advance(&world.clock, 3600000000);
    owner_start(&world, 0);
    cr_assert_not(worker_is_behind(world.owners[0].worker));
    world_fini(&world);
}
