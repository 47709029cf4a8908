/* A unit whose state is gone from the store comes back from the stages topic and the log. */
#include "pipeline_cases.h"

static void lose_state(struct world *world, uint32_t units)
{
    begin(world, units);
    settle_more(world, 200);
    owner_kill(world, 0);
    memory_db_forget_unit(world->db, 0);
}

static void start_rebuild(struct world *world, bool yes)
{
    world->config.rebuild = true;
    world->config.rebuild_yes = yes;
    owner_start(world, 0);
}

Test(pipeline_rebuild, a_rebuilt_unit_is_what_it_was_and_promotes_nobody_twice)
{
    struct world world;
    lose_state(&world, 2);
    size_t before = outputs(&world);
    start_rebuild(&world, false);
    expect_live(&world);
    cr_assert_eq(outputs(&world), before);
    settle_more(&world, 100);
    cr_assert_str_eq(field_text(&world, 0, "rebuild"), "");
    expect_exact(&world);
}

Test(pipeline_rebuild, without_being_asked_for_it_does_not_happen)
{
    struct world world;
    lose_state(&world, 1);
    owner_start(&world, 0);
    expect_stopped(&world, "--rebuild");
    cr_assert_eq(memory_db_lead_count(world.db, 0), 0);
    world_fini(&world);
}

Test(pipeline_rebuild, a_unit_that_stopped_because_its_state_is_gone_can_be_rebuilt)
{
    struct world world;
    lose_state(&world, 1);
    owner_start(&world, 0);
    expect_stopped(&world, "--rebuild");
    owner_kill(&world, 0);
    start_rebuild(&world, false);
    settle_more(&world, 40);
    cr_assert_str_eq(field_text(&world, 0, "stopped"), "");
    expect_exact(&world);
}

/* Killed after each number of writes: whatever came of it, the next start brings it to its end. */
Test(pipeline_rebuild, killed_in_the_middle_it_begins_or_goes_on)
{
    for (int killed_at = 1; killed_at < 40; killed_at += 3) {
        struct world world;
        lose_state(&world, 1);
        start_rebuild(&world, false);
        memory_source_set_batch(world.owners[0].ports.source, 16, 0);
        memory_store_hold(world.owners[0].ports.store, killed_at % 2);
        steps(&world, killed_at);
        memory_store_deliver(world.owners[0].ports.store, (size_t)killed_at % 3);
        owner_kill(&world, 0);
        start_rebuild(&world, false);
        expect_goes_on_exactly(&world);
    }
}

Test(pipeline_rebuild, it_folds_under_the_agreement_in_force_also_after_a_kill)
{
    struct world world;
    lose_state(&world, 1);
    world.config.agreement = world.other; /* the log before was folded under another one */
    start_rebuild(&world, false);
    memory_source_set_batch(world.owners[0].ports.source, 1, 0);
    for (int i = 0; i < STEPS && world_stored(&world, 0) <= 0; i++)
        owner_step(&world, 0);
    cr_assert_lt(world_stored(&world, 0), 260);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    expect_live(&world);
    settle(&world);
    struct commit_metadata metadata;
    settle_more(&world, 20);
    world_metadata(&world, 0, &metadata);
    cr_assert_eq(metadata.switch_count, 1);
    cr_assert_str_eq(metadata.switches[0].hash, agreement_hash(world.other));
    world_fini(&world);
}

Test(pipeline_rebuild, a_cut_stages_topic_asks_first_and_removes_nothing)
{
    struct world world;
    lose_state(&world, 1);
    memory_log_truncate_stages(world.log, 1);
    start_rebuild(&world, false);
    expect_stopped(&world, "--rebuild --yes");
    owner_kill(&world, 0);
    start_rebuild(&world, true);
    expect_live(&world);
    settle_more(&world, 20);
    world_fini(&world);
}

Test(pipeline_rebuild, leads_that_are_left_are_not_removed_before_the_question)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    size_t leads = memory_db_lead_count(world.db, 0);
    operator_writes(&world, 0, "position", ""); /* the hash is gone, the leads are not */
    memory_log_truncate_stages(world.log, 1);
    start_rebuild(&world, false);
    expect_stopped(&world, "--rebuild --yes");
    cr_assert_eq(memory_db_lead_count(world.db, 0), leads);
    world_fini(&world);
}

Test(pipeline_rebuild, it_counts_what_retention_has_left)
{
    struct world world;
    lose_state(&world, 1);
    memory_log_truncate(world.log, 0, 100);
    size_t before = outputs(&world);
    start_rebuild(&world, false);
    expect_live(&world);
    cr_assert_eq(outputs(&world), before);
    cr_assert_eq(FIGURE(&world, replayed), 160);
    settle_more(&world, 20);
    world_fini(&world);
}

/* Stage and generation of a lead in the store. */
static void standing(struct world *world, const char *id, unsigned *stage, unsigned *generation)
{
    struct stored_lead stored;
    struct baton_lead lead;
    struct lead_table table;
    *stage = *generation = 0;
    if (!memory_db_lead(world->db, 0, (struct baton_text){id, (uint32_t)strlen(id)}, &stored))
        return;
    lead_table_init(&table, SIZE_MAX);
    baton_lead_init(&lead);
    cr_assert_eq(baton_lead_unpack(&lead, stored.packed, stored.packed_size,
                                   world->config.words_capacity, &table.allocator),
                 BATON_UNPACKED);
    *stage = lead.stage;
    *generation = lead.generation;
    baton_lead_fini(&lead, &table.allocator);
    lead_table_fini(&table);
}

/* Rebuilds a unit of twelve leads from what the log holds from `first` on, with a kill as soon as
 * it has a position. */
static void expect_all_stand(struct world *world, int64_t first)
{
    unsigned before[12][2], after[2], later = 0;
    char id[16];
    for (int i = 0; i < 12; i++) {
        (void)snprintf(id, sizeof id, "lead-0-%d", i);
        standing(world, id, &before[i][0], &before[i][1]);
        later += before[i][1] > 1;
    }
    cr_assert_gt(later, 0);
    memory_db_forget_unit(world->db, 0);
    memory_log_truncate(world->log, 0, first);
    start_rebuild(world, false);
    for (int i = 0; i < STEPS && world_stored(world, 0) < 0; i++)
        owner_step(world, 0);
    owner_kill(world, 0); /* what it knew by heart is gone */
    start_rebuild(world, false);
    expect_live(world);
    steps(world, 300);
    cr_assert(worker_drain(world->owners[0].worker));
    for (int i = 0; i < 12; i++) {
        (void)snprintf(id, sizeof id, "lead-0-%d", i);
        standing(world, id, &after[0], &after[1]);
        cr_assert(after[0] == before[i][0] && after[1] == before[i][1], "%s: %s of %u", id,
                  baton_stage_name((enum baton_stage)after[0]), after[1]);
    }
    world_fini(world);
}

/* At events that retention has taken, too, and some lead is in a later generation by then. */
Test(pipeline_rebuild, every_lead_stands_where_it_stood)
{
    struct world world;
    begin(&world, 1);
    settle_more(&world, 900);
    owner_kill(&world, 0);
    expect_all_stand(&world, 500);
}

Test(pipeline_rebuild, every_lead_stands_where_it_stood_though_nothing_is_left_to_fold)
{
    struct world world;
    begin(&world, 1);
    settle_more(&world, 900);
    owner_kill(&world, 0);
    for (int i = 0; i < 3; i++)
        (void)world_append_text(&world, 0, "other", "not read, and not by these leads");
    expect_all_stand(&world, world.ends[0] - 1);
}

/* Promoted by an event that a later configuration does not read: it is not promoted again. */
Test(pipeline_rebuild, what_was_entered_at_an_event_that_is_read_no_more_is_entered_all_the_same)
{
    struct world world;
    unsigned stage, generation;
    char value[256];
    begin(&world, 1);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(
            value, sizeof value,
            "{\"kind\":\"adjust\",\"event_id\":\"by hand %d\",\"lead_id\":\"z\",\"time\":%" PRId64
            ",\"by\":\"Ana\",\"reason\":\"fair\",\"stage\":\"%s\"}",
            i, WORLD_T0 + (int64_t)world.events * 1000 + 200000, i ? "lead" : "sql");
        (void)world_append_text(&world, 0, "z", value);
    }
    settle(&world);
    size_t before = outputs(&world);
    owner_kill(&world, 0);
    memory_db_forget_unit(world.db, 0);
    world.input.max_ahead_ms = 1000;
    start_rebuild(&world, false);
    expect_live(&world);
    steps(&world, 300);
    cr_assert(worker_drain(world.owners[0].worker));
    standing(&world, "z", &stage, &generation);
    cr_assert(stage == BATON_LEAD && generation == 2, "%s of %u",
              baton_stage_name((enum baton_stage)stage), generation);
    cr_assert_eq(outputs(&world), before);
    world_fini(&world);
}

Test(pipeline_rebuild, it_goes_on_where_the_log_begins_if_retention_has_passed_k)
{
    struct world world;
    lose_state(&world, 1);
    add_events(&world, 20);
    memory_log_truncate(world.log, 0, 265);
    start_rebuild(&world, false);
    expect_live(&world);
    settle(&world);
    cr_assert_str_eq(field_text(&world, 0, "committed"), "1");
    owner_kill(&world, 0);
    owner_start(&world, 0);
    expect_live(&world);
    settle_more(&world, 20);
    world_fini(&world);
}

Test(pipeline_rebuild, more_leads_than_the_table_holds_come_back_all_the_same)
{
    struct world world;
    lose_state(&world, 1);
    world.config.table_bytes = 40000;
    world.config.dirty_max = 3;
    start_rebuild(&world, false);
    expect_goes_on_exactly(&world);
}

Test(pipeline_rebuild, a_rebuilt_unit_replays_with_the_right_digest_afterwards)
{
    struct world world;
    lose_state(&world, 1);
    start_rebuild(&world, false);
    expect_live(&world);
    settle_more(&world, 10);
    memory_db_save(world.db);
    settle_more(&world, 60);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

/* Rules on what is not known give points to a lead without a profile. */
static const char EMPTY_PROFILE[] = "agreement: empty\nversion: 1\n"
                                    "fit:\n  - {id: nobody, where: {job_title: {known: false}}, "
                                    "points: 7}\n"
                                    "behaviour:\n  - {id: page, event: visit, points: 1}\n"
                                    "gates:\n  mql: {score: 8}\n  sql: {score: 500}\n";

Test(pipeline_rebuild, a_restored_lead_has_the_fit_of_its_empty_profile)
{
    struct world world;
    world_init(&world, 1, 1);
    agreement_destroy(world.agreement);
    world.agreement = world_parse(EMPTY_PROFILE);
    world.config.agreement = world.agreement;
    (void)world_append_text(&world, 0, "l",
                            "{\"kind\":\"visit\",\"event_id\":\"a\",\"lead_id\":\"l\",\"time\":1}");
    owner_start(&world, 0);
    settle(&world);
    cr_assert_eq(memory_log_output_count(world.log, TOPIC_STAGES), 1);
    struct stored_lead lead;
    struct baton_text id = {"l", 1};
    cr_assert(memory_db_lead(world.db, 0, id, &lead));
    int32_t score = lead.score.score;
    owner_kill(&world, 0);
    memory_db_forget_unit(world.db, 0);
    start_rebuild(&world, false);
    settle(&world);
    cr_assert(memory_db_lead(world.db, 0, id, &lead));
    cr_assert_eq(lead.score.score, score, "%d, and was %d", lead.score.score, score);
    world_fini(&world);
}

/* The store goes away right behind the removal of a damaged unit's leads. */
static enum status (*clear_store)(struct store *store, uint32_t unit, struct fence *fence,
                                  struct error *error);
static struct memory_db *cleared_db;

static enum status clear_and_go_away(struct store *store, uint32_t unit, struct fence *fence,
                                     struct error *error)
{
    enum status status = clear_store(store, unit, fence, error);
    memory_db_set_away(cleared_db, true);
    return status;
}

Test(pipeline_rebuild, killed_after_it_removed_the_leads_the_unit_has_no_position_either)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    operator_writes(&world, 0, "aggregates", "damaged");
    start_rebuild(&world, false);
    struct store *store = world.owners[0].ports.store;
    clear_store = store->clear;
    cleared_db = world.db;
    store->clear = clear_and_go_away;
    for (int i = 0; i < 200 && memory_db_lead_count(world.db, 0); i++)
        owner_step(&world, 0);
    cr_assert_eq(memory_db_lead_count(world.db, 0), 0);
    owner_kill(&world, 0);
    memory_db_set_away(world.db, false);
    cr_assert_eq(world_stored(&world, 0), -1);
    start_rebuild(&world, false);
    expect_goes_on_exactly(&world);
}
