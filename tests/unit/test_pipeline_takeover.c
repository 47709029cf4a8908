/* Taking over a unit, case by case, as docs/exactly-once.md tells it: what lies in the store and in
 * the log is arranged, an owner comes, and what it does is seen from outside. */
#include "pipeline_cases.h"

/* ---- a new unit
 * ----------------------------------------------------------------------------------- */

Test(pipeline_takeover, a_new_unit_writes_its_position_before_its_first_commit)
{
    struct world world;
    world_init(&world, 1, 1);
    add_events(&world, 20);
    owner_start(&world, 0);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_HOLD);
    for (int i = 0; i < 100 && memory_log_open_transactions(world.log) == 0; i++)
        owner_step(&world, 0);
    cr_assert_eq(memory_log_open_transactions(world.log), 1);
    cr_assert_eq(world_stored(&world, 0), 0);
    cr_assert_str_eq(field_text(&world, 0, "committed"), "0");
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), -1);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_COMMIT);
    memory_sink_finish(world.owners[0].ports.sink, MEMORY_COMMIT);
    owner_step(&world, 0);
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), 0);
    cr_assert_str_eq(field_text(&world, 0, "committed"), "1");
    cr_assert_eq(outputs(&world), 0, "no message before the mark");
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, a_new_unit_begins_where_the_log_begins)
{
    struct world world;
    world_init(&world, 1, 1);
    memory_log_skip(world.log, 0, 5);
    memory_log_truncate(world.log, 0, 3);
    add_events(&world, 1);
    owner_start(&world, 0);
    expect_live(&world);
    cr_assert_str_eq(field_text(&world, 0, "start"), "3");
    settle(&world);
    world_fini(&world);
}

/* Ends the owner while its first transaction is open; it ends as told. */
static void kill_at_first_commit(struct world *world, enum memory_outcome outcome)
{
    world_init(world, 2, 1);
    add_events(world, 30);
    owner_start(world, 0);
    memory_sink_set_outcome(world->owners[0].ports.sink, MEMORY_HOLD);
    for (int i = 0; i < 100 && memory_log_open_transactions(world->log) == 0; i++)
        owner_step(world, 0);
    memory_sink_finish(world->owners[0].ports.sink, outcome);
    owner_kill(world, 0);
    cr_assert_eq(memory_log_committed(world->log, 0, NULL), outcome == MEMORY_COMMIT ? 0 : -1);
    cr_assert_str_eq(field_text(world, 0, "committed"), "0");
    owner_start(world, 0);
}

Test(pipeline_takeover, killed_between_position_and_first_commit_it_begins_again)
{
    struct world world;
    kill_at_first_commit(&world, MEMORY_ABORT);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, killed_between_first_commit_and_mark_it_goes_on)
{
    struct world world;
    kill_at_first_commit(&world, MEMORY_COMMIT);
    expect_live(&world);
    cr_assert_str_eq(field_text(&world, 0, "committed"), "1");
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, killed_before_its_position_is_written_it_is_new_again)
{
    for (size_t delivered = 0; delivered < 3; delivered++) {
        struct world world;
        world_init(&world, 1, 1);
        add_events(&world, 20);
        owner_start(&world, 0);
        memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_HOLD);
        steps(&world, 1 + (int)delivered);
        owner_kill(&world, 0);
        owner_start(&world, 0);
        expect_goes_on_exactly(&world);
    }
}

Test(pipeline_takeover, a_mark_that_got_no_answer_is_written_by_the_next_take_over)
{
    struct world world;
    world_init(&world, 1, 1);
    add_events(&world, 20);
    owner_start(&world, 0);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_HOLD);
    for (int i = 0; i < 100 && memory_log_open_transactions(world.log) == 0; i++)
        owner_step(&world, 0);
    memory_db_set_away(world.db, true);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_COMMIT);
    memory_sink_finish(world.owners[0].ports.sink, MEMORY_COMMIT);
    steps(&world, 20);
    cr_assert_str_eq(field_text(&world, 0, "committed"), "0");
    memory_db_set_away(world.db, false);
    expect_live(&world);
    cr_assert_str_eq(field_text(&world, 0, "committed"), "1");
    expect_goes_on_exactly(&world);
}

/* ---- R and K
 * -------------------------------------------------------------------------------------- */

Test(pipeline_takeover, at_r_equal_k_it_goes_live_without_a_replay)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    expect_live(&world);
    cr_assert_eq(FIGURE(&world, replayed), 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, below_k_it_folds_in_silence_up_to_k)
{
    struct world world;
    begin_behind(&world, 1);
    int64_t behind = memory_log_committed(world.log, 0, NULL) - world_stored(&world, 0);
    size_t before = outputs(&world);
    owner_start(&world, 0);
    expect_live(&world);
    cr_assert_eq(FIGURE(&world, replayed), (uint64_t)behind);
    cr_assert_eq(outputs(&world), before);
    expect_goes_on_exactly(&world);
}

/* The metadata of K with another digest. */
static void falsify_digest(struct world *world, uint32_t unit)
{
    struct commit_metadata metadata;
    struct text_buffer text;
    world_metadata(world, unit, &metadata);
    metadata.digest ^= 1;
    text_buffer_init(&text);
    commit_metadata_print(&text, &metadata);
    memory_log_set_committed(world->log, unit, memory_log_committed(world->log, unit, NULL),
                             text.data);
    text_buffer_fini(&text);
}

Test(pipeline_takeover, a_wrong_digest_stops_with_both_until_an_operator_accepts_it)
{
    struct world world;
    char there[17];
    begin_behind(&world, 1);
    falsify_digest(&world, 0);
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    (void)snprintf(there, sizeof there, "%016" PRIx64, metadata.digest);
    owner_start(&world, 0);
    expect_stopped(&world, there);
    (void)snprintf(there, sizeof there, "%016" PRIx64, metadata.digest ^ 1);
    expect_stopped(&world, there);
    expect_stopped(&world, "baton accept -c baton.yaml --unit 0");
    operator_accepts(&world, 0);
    memory_clock_advance(&world.clock, 2000000);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, a_wrong_digest_at_r_equal_k_stops_as_well)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    falsify_digest(&world, 0);
    owner_start(&world, 0);
    expect_stopped(&world, "differs from what was published");
    world_fini(&world);
}

Test(pipeline_takeover, what_is_accepted_is_accepted_at_that_offset_only)
{
    struct world world;
    begin(&world, 1);
    operator_accepts(&world, 0);
    memory_db_save(world.db);
    settle_more(&world, 60);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    falsify_digest(&world, 0);
    owner_start(&world, 0);
    expect_stopped(&world, "differs from what was published");
    world_fini(&world);
}

Test(pipeline_takeover, a_position_beyond_k_stops_and_says_how_to_go_on)
{
    struct world world;
    char wanted[24];
    begin(&world, 1);
    owner_kill(&world, 0);
    int64_t position = world_stored(&world, 0);
    memory_log_set_committed(world.log, 0, position - 3, "");
    owner_start(&world, 0);
    (void)snprintf(wanted, sizeof wanted, "Set them to %" PRId64, position);
    expect_stopped(&world, wanted);
    memory_log_set_committed(world.log, 0, position, ""); /* what the operator then does … */
    operator_accepts(&world, 0);
    memory_clock_advance(&world.clock, 2000000);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, offsets_that_somebody_else_committed_stop)
{
    struct world world;
    begin_behind(&world, 1);
    int64_t committed = memory_log_committed(world.log, 0, NULL);
    const char *theirs = "b2 of a later version";
    memory_log_set_committed(world.log, 0, committed, theirs);
    owner_start(&world, 0);
    expect_stopped(&world, "was not committed by this program");
    const char *text;
    (void)memory_log_committed(world.log, 0, &text);
    cr_assert_str_eq(text, theirs, "it stays as it was");
    world_fini(&world);
}

Test(pipeline_takeover, without_k_a_unit_that_was_live_stops)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    memory_log_set_committed(world.log, 0, -1, NULL);
    owner_start(&world, 0);
    expect_stopped(&world, "no committed offset any more");
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), -1);
    world_fini(&world);
}

/* Called when a take-over asks for K: between its claim and what it makes of it. */
static enum status (*asked_for_k)(struct source *source, const uint32_t *units, size_t count,
                                  struct arena *arena, struct committed *out, struct error *error);
static struct world *asked_world;
static int asked_times;

static enum status claim_by_another(struct source *source, const uint32_t *units, size_t count,
                                    struct arena *arena, struct committed *out, struct error *error)
{
    if (asked_times++ == 0) {
        memory_db_fall_back(asked_world->db);
        operator_writes(asked_world, units[0], "notes", "somebody was here");
    }
    return asked_for_k(source, units, count, arena, out, error);
}

Test(pipeline_takeover, a_state_that_is_gone_stops)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    memory_db_forget_unit(world.db, 0);
    owner_start(&world, 0);
    expect_stopped(&world, "baton run -c baton.yaml --rebuild");
    world_fini(&world);
}

Test(pipeline_takeover, a_sleepers_old_view_raises_no_alarm)
{
    struct world world;
    begin(&world, 1);
    memory_db_save(world.db);
    owner_kill(&world, 0);
    memory_db_forget_unit(world.db, 0); /* what this one sees … */
    owner_start(&world, 0);
    struct source *source = world.owners[0].ports.source;
    asked_for_k = source->committed;
    asked_world = &world; /* … is an old view: the state is there, and another has claimed it */
    source->committed = claim_by_another;
    expect_live(&world);
    cr_assert_geq(asked_times, 2);
    cr_assert_not(worker_had_stopped_units(world.owners[0].worker));
    source->committed = asked_for_k;
    expect_goes_on_exactly(&world);
}

/* ---- the log
 * -------------------------------------------------------------------------------------- */

Test(pipeline_takeover, a_position_that_retention_has_eaten_stops_with_both_offsets)
{
    struct world world;
    char first[40], position[40];
    begin_behind(&world, 1);
    int64_t stored = world_stored(&world, 0);
    memory_log_truncate(world.log, 0, stored + 2);
    (void)snprintf(first, sizeof first, "from offset %" PRId64 " on", stored + 2);
    (void)snprintf(position, sizeof position, "must go on at %" PRId64, stored);
    owner_start(&world, 0);
    expect_stopped(&world, first);
    expect_stopped(&world, position);
    world_fini(&world);
}

Test(pipeline_takeover, a_log_that_ends_before_k_stops)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    const char *metadata;
    int64_t committed = memory_log_committed(world.log, 0, &metadata);
    char *copy = memory_copy_text(metadata);
    memory_log_set_committed(world.log, 0, committed + 100, copy);
    free(copy);
    owner_start(&world, 0);
    expect_stopped(&world, "was the topic made anew");
    world_fini(&world);
}

Test(pipeline_takeover, a_gap_of_offsets_at_k_is_passed_with_the_end_of_the_log)
{
    struct world world;
    begin(&world, 1);
    memory_db_save(world.db);
    add_events(&world, 20);
    memory_log_skip(world.log, 0, 4); /* the marks of somebody's transactions */
    world.ends[0] += 4;
    settle(&world);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, another_number_of_partitions_stops)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    operator_writes(&world, 0, "partitions", "7");
    owner_start(&world, 0);
    expect_stopped(&world, "has 1 partitions now and had 7");
    world_fini(&world);
}

Test(pipeline_takeover, an_assignment_while_kafka_goes_away_waits)
{
    struct world world;
    begin(&world, 2);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    struct error error;
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(worker_step(world.owners[0].worker, &error), STATUS_OK);
        memory_log_set_away(world.log, i >= 1); /* right behind the news */
        memory_clock_advance(&world.clock, 50000);
    }
    memory_log_set_away(world.log, false);
    memory_clock_advance(&world.clock, 10000000);
    expect_goes_on_exactly(&world);
}

/* ---- what a fold depends on
 * ----------------------------------------------------------------------- */

static void restart_with_input(struct world *world)
{
    world->input.max_ahead_ms++;
    owner_start(world, 0);
}

Test(pipeline_takeover, another_version_of_the_fold_is_fine_at_k)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    operator_writes(&world, 0, "fold", "77");
    owner_start(&world, 0);
    expect_live(&world);
    settle_more(&world, 10);
    cr_assert_str_eq(field_text(&world, 0, "fold"), "2");
    expect_exact(&world);
}

Test(pipeline_takeover, another_version_of_the_fold_stops_a_replay_until_accepted)
{
    struct world world;
    begin_behind(&world, 1);
    operator_writes(&world, 0, "fold", "77");
    owner_start(&world, 0);
    expect_stopped(&world, "arithmetic 77, here 2");
    operator_accepts(&world, 0);
    memory_clock_advance(&world.clock, 2000000);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, another_input_configuration_is_fine_at_k)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    restart_with_input(&world);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, another_input_configuration_stops_a_replay_until_accepted)
{
    struct world world;
    begin_behind(&world, 1);
    restart_with_input(&world);
    expect_stopped(&world, "`input` in baton.yaml has changed");
    operator_accepts(&world, 0);
    memory_clock_advance(&world.clock, 2000000);
    expect_goes_on_exactly(&world);
}

/* ---- agreements
 * ----------------------------------------------------------------------------------- */

static void restart_under(struct world *world, bool other)
{
    owner_kill(world, 0);
    world->config.agreement = other ? world->other : world->agreement;
    owner_start(world, 0);
}

Test(pipeline_takeover, under_a_new_agreement_a_unit_settles_at_k_and_then_goes_live)
{
    struct world world;
    begin_behind(&world, 1);
    int64_t committed = memory_log_committed(world.log, 0, NULL);
    restart_under(&world, true);
    for (int i = 0; i < STEPS && !is_live(&world); i++) {
        bool new = strcmp(field_text(&world, 0, "agreement"), agreement_hash(world.other)) == 0;
        cr_assert(!new || world_stored(&world, 0) == committed, "only at K");
        owner_step(&world, 0);
    }
    expect_live(&world);
    cr_assert_str_eq(field_text(&world, 0, "agreement"), agreement_hash(world.other));
    cr_assert_eq(world_stored(&world, 0), committed);
    settle_more(&world, 60);
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_eq(metadata.switch_count, 2);
    cr_assert_eq(metadata.switches[1].position, committed);
    cr_assert_str_eq(metadata.agreement, agreement_hash(world.other));
    expect_exact(&world);
}

Test(pipeline_takeover, a_checkpoint_that_was_on_its_way_does_not_settle_a_unit)
{
    struct world world;
    begin_behind(&world, 1);
    int64_t committed = memory_log_committed(world.log, 0, NULL);
    world.config.checkpoint_interval_ms = 1;
    restart_under(&world, true);
    struct owner *owner = &world.owners[0];
    memory_source_set_batch(owner->ports.source, 1, 0);
    for (int i = 0; i < STEPS && FIGURE(&world, replayed) < 57; i++)
        owner_step(&world, 0);
    memory_store_hold(owner->ports.store, true);
    for (int i = 0; i < STEPS && FIGURE(&world, replayed) < 60; i++)
        owner_step(&world, 0);
    steps(&world, 5);
    memory_store_hold(owner->ports.store, false);
    memory_store_deliver(owner->ports.store, SIZE_MAX);
    expect_live(&world);
    cr_assert_str_eq(field_text(&world, 0, "agreement"), agreement_hash(world.other));
    cr_assert_eq(world_stored(&world, 0), committed);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, killed_after_settling_the_switch_is_still_remembered)
{
    struct world world;
    begin(&world, 1);
    memory_db_save(world.db);
    restart_under(&world, true);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_ABORT);
    for (int i = 0;
         i < STEPS && strcmp(field_text(&world, 0, "agreement"), agreement_hash(world.other)) != 0;
         i++)
        owner_step(&world, 0);
    owner_kill(&world, 0); /* before any transaction carried the switch */
    owner_start(&world, 0);
    settle_more(&world, 60);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, after_four_switches_a_fall_back_folds_each_stretch_under_its_own)
{
    struct world world;
    begin(&world, 2);
    for (int i = 0; i < 2; i++) { /* so that the store knows both texts */
        restart_under(&world, i == 0);
        expect_live(&world);
    }
    memory_db_save(world.db);
    for (int i = 0; i < 4; i++) {
        settle_more(&world, 50);
        restart_under(&world, i % 2 == 0);
    }
    settle_more(&world, 50);
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_eq(metadata.switch_count, UNIT_SWITCHES);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, a_fall_back_beyond_the_remembered_switches_stops)
{
    struct world world;
    begin(&world, 1);
    memory_db_save(world.db);
    for (int i = 0; i < 5; i++) {
        settle_more(&world, 20);
        restart_under(&world, i % 2 == 0);
    }
    settle_more(&world, 20);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_stopped(&world, "more than 4 times");
    world_fini(&world);
}

Test(pipeline_takeover, a_switch_under_which_nothing_was_folded_takes_no_room)
{
    struct world world;
    begin(&world, 1);
    for (int i = 0; i < 9; i++) {
        restart_under(&world, i % 2 == 0);
        expect_live(&world);
        steps(&world, 300);
    }
    settle_more(&world, 20);
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_leq(metadata.switch_count, 2);
    expect_exact(&world);
}

/* Puts another text in place of one that a unit has stored, as no part of the program does. */
static void replace_text(struct world *world, const char *kind, const char *hash, const char *value)
{
    struct store *store = memory_store_create(world->db);
    struct arena arena;
    arena_init(&arena, 4096);
    struct fence fence;
    char name[100];
    (void)snprintf(name, sizeof name, "%s:%s", kind, hash);
    struct field *fields, text = {{name, (uint32_t)strlen(name)}, {value, (uint32_t)strlen(value)}};
    size_t count;
    struct error error;
    struct store_write write = {.texts = &text, .text_count = 1};
    cr_assert_eq(store->claim(store, 0, (const uint8_t *)"operator........", &arena, &fence,
                              &fields, &count, &error),
                 STATUS_OK);
    cr_assert_eq(store->write(store, 0, &fence, &write, &error), STATUS_OK);
    arena_fini(&arena);
    store->destroy(store);
}

Test(pipeline_takeover, an_agreement_that_cannot_be_found_again_stops_and_is_named)
{
    struct world world;
    struct commit_metadata metadata;
    struct text_buffer text;
    begin_behind(&world, 1);
    world_metadata(&world, 0, &metadata);
    (void)strcpy(metadata.switches[0].hash, "0123456789abcdef0123456789abcdef");
    text_buffer_init(&text);
    commit_metadata_print(&text, &metadata);
    memory_log_set_committed(world.log, 0, memory_log_committed(world.log, 0, NULL), text.data);
    text_buffer_fini(&text);
    owner_start(&world, 0);
    expect_stopped(&world, "0123456789abcdef0123456789abcdef");
    world_fini(&world);
}

/* A checkpoint under an agreement that then did not go live, at a position where others went on. */
Test(pipeline_takeover, what_metadata_says_of_an_agreement_wins)
{
    struct world world;
    begin(&world, 1);
    restart_under(&world, true);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_ABORT);
    for (int i = 0;
         i < STEPS && strcmp(field_text(&world, 0, "agreement"), agreement_hash(world.other)) != 0;
         i++)
        owner_step(&world, 0);
    memory_db_save(world.db);
    restart_under(&world, false);
    settle_more(&world, 60);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

/* The store fell back to before it was given the text of an agreement that has come and gone. */
Test(pipeline_takeover, an_agreement_whose_text_fell_back_with_the_store_stops_and_is_named)
{
    struct world world;
    begin(&world, 1);
    memory_db_save(world.db);
    settle_more(&world, 20);
    restart_under(&world, true);
    settle_more(&world, 20);
    restart_under(&world, false);
    settle_more(&world, 20);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_stopped(&world, agreement_hash(world.other));
    restart_under(&world, true); /* "start once with that agreement" */
    memory_clock_advance(&world.clock, 2000000);
    expect_goes_on_exactly(&world);
}

Test(pipeline_takeover, a_text_that_is_not_the_agreement_that_it_is_kept_as_stops)
{
    struct world world;
    begin_behind(&world, 1);
    replace_text(&world, "agreement", agreement_hash(world.agreement), WORLD_OTHER_AGREEMENT);
    restart_under(&world, true);
    expect_stopped(&world, "is another one");
    world_fini(&world);
}

Test(pipeline_takeover, a_damaged_time_zone_stops)
{
    struct world world;
    begin_behind(&world, 1);
    replace_text(&world, "zone", agreement_hash(world.agreement), "no line of offsets");
    owner_start(&world, 0);
    expect_stopped(&world, "time zone stored with agreement");
    world_fini(&world);
}

Test(pipeline_takeover, a_lead_in_a_former_form_is_written_anew)
{
    struct world world;
    char id[32];
    begin_behind(&world, 1);
    world_lead(&world, 0, 0, id);
    struct baton_text lead = {id, (uint32_t)strlen(id)};
    cr_assert(memory_db_date_lead(world.db, 0, lead));
    owner_start(&world, 0);
    settle_more(&world, 40);
    cr_assert_not(memory_db_lead_is_dated(world.db, 0, lead));
    expect_goes_on_exactly(&world);
}

static void fill_form(struct world *world, int number, int64_t minutes)
{
    char value[200];
    (void)snprintf(
        value, sizeof value,
        "{\"kind\":\"form_fill\",\"event_id\":\"z%d\",\"lead_id\":\"z\",\"time\":%" PRId64
        ",\"form\":\"demo\"}",
        number, WORLD_T0 + minutes * 60000);
    (void)world_append_text(world, 0, "z", value);
}

/* Two forms count a day, and midnight lies elsewhere in the zone that was stored. */
Test(pipeline_takeover, the_stored_time_zone_wins)
{
    for (int stored = 0; stored < 2; stored++) {
        struct world world;
        struct stored_lead lead;
        struct baton_text id = {"z", 1};
        struct baton_zone_offset west = {.from_ms = INT64_MIN, .offset_s = -5 * 3600};
        struct text_buffer zone;
        text_buffer_init(&zone);
        agreement_zone_write(&west, 1, &zone);
        begin(&world, 1);
        owner_kill(&world, 0);
        if (stored)
            replace_text(&world, "zone", agreement_hash(world.agreement), zone.data);
        owner_start(&world, 0);
        fill_form(&world, 1, -70);
        fill_form(&world, 2, -65);
        fill_form(&world, 3, -50); /* after midnight in Auckland */
        settle(&world);
        cr_assert(memory_db_lead(world.db, 0, id, &lead));
        cr_assert_eq(lead.score.behaviour, stored ? 2400 : 3600, "%d", lead.score.behaviour);
        text_buffer_fini(&zone);
        world_fini(&world);
    }
}
