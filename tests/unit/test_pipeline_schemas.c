/* Unknown schemas: an id is looked for again for a while, then its messages are dead letters, for
 * good, until an operator lifts the verdict. */
#include "pipeline_cases.h"

#define WAIT_US 3000000 /* unknown_schema_wait_ms of the world, and a little */

static void wait_it_out(struct world *world)
{
    for (int i = 0; i < 50; i++) {
        memory_clock_advance(&world->clock, WAIT_US / 20);
        owner_step(world, 0);
    }
}

static size_t dead(struct world *world)
{
    return memory_log_output_count(world->log, TOPIC_DEAD);
}

/* Live, with a message behind it whose schema nobody knows, and others behind that. */
static size_t begin_unknown(struct world *world, uint32_t units)
{
    begin(world, units);
    size_t before = dead(world);
    (void)world_append_schema(world, 0, "lead-x", 7);
    (void)world_append_schema(world, 0, "lead-y", 7);
    return before;
}

Test(pipeline_schemas, a_schema_that_is_registered_in_time_is_used)
{
    struct world world;
    size_t before = begin_unknown(&world, 1);
    steps(&world, 1000); /* one second of three */
    cr_assert_eq(dead(&world), before);
    world_register_schema(&world, 7);
    expect_exact(&world);
}

Test(pipeline_schemas, what_came_before_the_awaited_message_is_not_held_up)
{
    struct world world;
    begin(&world, 1);
    add_events(&world, 10);
    int64_t offset = world_append_schema(&world, 0, "lead-x", 7);
    steps(&world, 1000);
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), offset);
    cr_assert_eq(world_stored(&world, 0), offset);
    world_register_schema(&world, 7);
    expect_exact(&world);
}

Test(pipeline_schemas, other_units_go_on_while_one_waits)
{
    struct world world;
    (void)begin_unknown(&world, 3);
    add_events(&world, 30);
    steps(&world, 1000);
    for (uint32_t unit = 1; unit < 3; unit++)
        cr_assert_eq(memory_log_committed(world.log, unit, NULL), world.ends[unit]);
    cr_assert_lt(memory_log_committed(world.log, 0, NULL), world.ends[0]);
    world_register_schema(&world, 7);
    expect_exact(&world);
}

Test(pipeline_schemas, an_unknown_schema_makes_dead_letters_after_its_time)
{
    struct world world;
    size_t before = begin_unknown(&world, 1);
    wait_it_out(&world);
    settle(&world);
    cr_assert_eq(dead(&world), before + 2);
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_eq(metadata.verdict_count, 1);
    cr_assert_eq(metadata.verdicts[0].from, 60);
    cr_assert_eq(metadata.verdicts[0].until, INT64_MAX);
    cr_assert_str_eq(field_text(&world, 0, "verdicts"), "r7:60:");
    expect_exact(&world);
}

Test(pipeline_schemas, the_verdict_is_stored_before_its_transaction_and_survives_a_kill)
{
    struct world world;
    size_t before = begin_unknown(&world, 1);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_ABORT);
    for (int i = 0; i < 100 && !*field_text(&world, 0, "verdicts"); i++) {
        memory_clock_advance(&world.clock, WAIT_US / 20);
        owner_step(&world, 0);
    }
    cr_assert_str_eq(field_text(&world, 0, "verdicts"), "r7:60:");
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), 60);
    owner_kill(&world, 0);
    world_register_schema(&world, 7); /* too late */
    owner_start(&world, 0);
    settle(&world);
    cr_assert_eq(dead(&world), before + 2);
    expect_exact(&world);
}

Test(pipeline_schemas, the_verdict_survives_a_store_that_fell_back)
{
    struct world world;
    size_t before = begin_unknown(&world, 1);
    memory_db_save(world.db);
    wait_it_out(&world);
    settle_more(&world, 20);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    cr_assert_str_eq(field_text(&world, 0, "verdicts"), "");
    world_register_schema(&world, 7);
    owner_start(&world, 0);
    expect_live(&world);
    add_events(&world, 20);
    settle(&world);
    (void)world_append_schema(&world, 0, "lead-x", 7); /* it stands */
    settle(&world);
    cr_assert_geq(dead(&world), before + 3);
    cr_assert_str_eq(field_text(&world, 0, "verdicts"), "r7:60:");
    expect_exact(&world);
}

Test(pipeline_schemas, a_verdict_stands_until_an_operator_lifts_it)
{
    struct world world;
    (void)begin_unknown(&world, 1);
    wait_it_out(&world);
    settle(&world);
    world_register_schema(&world, 7);
    (void)world_append_schema(&world, 0, "lead-x", 7);
    settle(&world);
    size_t before = dead(&world);
    cr_assert_eq(world_stored(&world, 0), 63);
    operator_writes(&world, 0, "verdicts", "r7:60:63");
    steps(&world, 2500); /* until its owner has noticed */
    (void)world_append_schema(&world, 0, "lead-x", 7);
    settle(&world);
    cr_assert_eq(dead(&world), before, "it is read now");
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_eq(metadata.verdicts[0].until, 63);
    expect_exact(&world);
}

Test(pipeline_schemas, a_verdict_that_is_lifted_while_its_owner_goes_on_holds_up_to_k)
{
    struct world world;
    (void)begin_unknown(&world, 1);
    wait_it_out(&world);
    settle(&world);
    world_register_schema(&world, 7);
    operator_writes(&world, 0, "verdicts", "r7:60:62");
    memory_db_save(world.db);
    (void)world_append_schema(&world, 0, "lead-x", 7); /* the owner has not noticed yet */
    for (int i = 0; i < 50 && memory_log_committed(world.log, 0, NULL) < 63; i++) {
        memory_clock_advance(&world.clock, 5000);
        owner_step(&world, 0);
    }
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), 63);
    steps(&world, 2500);
    (void)world_append_schema(&world, 0, "lead-x", 7);
    settle(&world);
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_eq(metadata.verdicts[0].until, 63);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db); /* to where the store has it lifted at 62 */
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_schemas, a_lifted_verdict_still_holds_for_what_it_was_said_of)
{
    struct world world;
    (void)begin_unknown(&world, 1);
    memory_db_save(world.db);
    wait_it_out(&world);
    settle(&world);
    world_register_schema(&world, 7);
    operator_writes(&world, 0, "verdicts", "r7:60:62");
    steps(&world, 2500); /* until its owner has noticed */
    (void)world_append_schema(&world, 0, "lead-x", 7);
    settle(&world);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db); /* folds the dead letters and the event after them again */
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_schemas, while_the_registry_is_away_no_verdict_is_made)
{
    struct world world;
    size_t before = begin_unknown(&world, 2);
    memory_schemas_set_away(world.schemas, true);
    wait_it_out(&world);
    wait_it_out(&world);
    cr_assert_eq(dead(&world), before);
    memory_schemas_set_away(world.schemas, false);
    steps(&world, 1500);
    cr_assert_eq(dead(&world), before, "its time runs while somebody answers");
    world_register_schema(&world, 7);
    expect_exact(&world);
}

Test(pipeline_schemas, a_message_is_not_passed_over_while_the_store_is_away)
{
    struct world world;
    begin(&world, 1);
    settle_more(&world, 60); /* all leads are in memory: nothing needs the store but the schema */
    world_register_schema(&world, 7);
    (void)world_append_schema(&world, 0, "lead-0-0", 7);
    add_events(&world, 5);
    memory_db_set_away(world.db, true);
    steps(&world, 50);
    memory_db_set_away(world.db, false);
    memory_clock_advance(&world.clock, 10000000);
    expect_goes_on_exactly(&world);
}

Test(pipeline_schemas, a_replay_waits_for_a_schema_that_it_has_lost)
{
    struct world world;
    begin(&world, 1);
    memory_db_save(world.db);
    world_register_schema(&world, 7);
    (void)world_append_schema(&world, 0, "lead-x", 7);
    settle_more(&world, 20);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    memory_schemas_set_away(world.schemas, true);
    size_t before = dead(&world);
    owner_start(&world, 0);
    wait_it_out(&world);
    wait_it_out(&world);
    cr_assert_not(is_live(&world));
    cr_assert_eq(dead(&world), before);
    memory_schemas_set_away(world.schemas, false);
    expect_goes_on_exactly(&world);
}

Test(pipeline_schemas, an_awaited_message_right_behind_k_does_not_hold_up_the_take_over)
{
    struct world world;
    begin_behind(&world, 1);
    (void)world_append_schema(&world, 0, "lead-x", 7);
    owner_start(&world, 0);
    expect_live(&world);
    world_register_schema(&world, 7);
    expect_goes_on_exactly(&world);
}

Test(pipeline_schemas, an_awaited_message_right_behind_k_does_not_hold_up_a_new_agreement)
{
    struct world world;
    begin_behind(&world, 1);
    (void)world_append_schema(&world, 0, "lead-x", 7);
    world.config.agreement = world.other;
    owner_start(&world, 0);
    expect_live(&world);
    cr_assert_str_eq(field_text(&world, 0, "agreement"), agreement_hash(world.other));
    world_register_schema(&world, 7);
    expect_goes_on_exactly(&world);
}

Test(pipeline_schemas, a_unit_stops_at_more_unknown_schemas_than_can_be_remembered)
{
    struct world world;
    begin(&world, 1);
    for (uint32_t id = 1; id <= UNIT_VERDICTS_MAX + 1; id++)
        (void)world_append_schema(&world, 0, "lead-x", id);
    for (uint32_t id = 1; id <= UNIT_VERDICTS_MAX; id++)
        wait_it_out(&world);
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_eq(metadata.verdict_count, UNIT_VERDICTS_MAX);
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), 60 + UNIT_VERDICTS_MAX);
    wait_it_out(&world);
    expect_stopped(&world, "schemas are unknown already");
    world_register_schema(&world, UNIT_VERDICTS_MAX + 1); /* what the operator then does */
    owner_kill(&world, 0);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}
