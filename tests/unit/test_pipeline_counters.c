/* Counters of the pact in a worker: what is counted is in the store with the aggregates, and comes
 * back with them. That it is right, whatever happens, is the simulation's. */
#include "pipeline_cases.h"

static const char *day_text(struct world *world, const char *name)
{
    static char room[32768];
    struct baton_text text = memory_db_hash(world->db, 0, STORE_DAYS, name);
    (void)snprintf(room, sizeof room, "%s", text.data ? "there" : "");
    return room;
}

static void write_day(struct world *world, const char *name, const char *value)
{
    struct store *store = memory_store_create(world->db);
    struct arena arena;
    arena_init(&arena, 4096);
    struct fence fence;
    struct field *fields, day = {{name, (uint32_t)strlen(name)}, {value, (uint32_t)strlen(value)}};
    size_t count;
    struct error error;
    uint8_t token[16] = "operator";
    struct store_write write = {.days = &day, .day_count = 1};
    cr_assert_eq(store->claim(store, 0, token, &arena, &fence, &fields, &count, &error), STATUS_OK);
    cr_assert_eq(store->write(store, 0, &fence, &write, &error), STATUS_OK);
    arena_fini(&arena);
    store->destroy(store);
}

Test(pipeline_counters, days_lie_in_the_store_and_say_since_when)
{
    struct world world;
    begin(&world, 1);
    cr_assert_str_eq(field_text(&world, 0, "counted_from"), "20759");
    cr_assert(*day_text(&world, "20758") && *day_text(&world, "20759"));
    cr_assert(*day_text(&world, "spend"));
    expect_exact(&world);
}

Test(pipeline_counters, a_restart_goes_on_with_what_lies_there)
{
    struct world world;
    begin(&world, 2);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    settle_more(&world, 60);
    expect_exact(&world);
}

Test(pipeline_counters, a_store_that_fell_back_is_counted_up_once)
{
    struct world world;
    begin_behind(&world, 2);
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

/* Every cut between the writes of a checkpoint: the days may be ahead of the leads. */
Test(pipeline_counters, a_checkpoint_that_breaks_off_anywhere_counts_nothing_twice)
{
    for (size_t written = 0; written < 8; written++) {
        struct world world;
        begin(&world, 1);
        struct store *store = world.owners[0].ports.store;
        memory_store_hold(store, true);
        add_events(&world, 60);
        for (int i = 0; i < 400; i++) {
            memory_store_deliver(store, i < 200 ? 0 : written);
            owner_step(&world, 0);
        }
        owner_kill(&world, 0);
        owner_start(&world, 0);
        expect_goes_on_exactly(&world);
    }
}

Test(pipeline_counters, a_damaged_day_stops_the_unit_by_its_name)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    write_day(&world, "20758", "no day");
    owner_start(&world, 0);
    expect_stopped(&world, "field `20758` of the unit's days is damaged");
    owner_kill(&world, 0);
    world.config.rebuild = true;
    owner_start(&world, 0);
    expect_goes_on_exactly(&world);
}

Test(pipeline_counters, damaged_spend_stops_the_unit_too)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    write_day(&world, "spend", "nothing");
    owner_start(&world, 0);
    expect_stopped(&world, "field `spend` of the unit's days is damaged");
    world_fini(&world);
}

Test(pipeline_counters, days_that_somebody_deleted_stop_the_unit)
{
    static const char *const names[] = {"20758", "spend"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct world world;
        begin(&world, 1);
        owner_kill(&world, 0);
        write_day(&world, names[i], "");
        cr_assert(!*day_text(&world, names[i]));
        owner_start(&world, 0);
        expect_stopped(&world, "1 of the 3 fields of the unit's days are gone");
        owner_kill(&world, 0);
        world.config.rebuild = true;
        owner_start(&world, 0);
        expect_goes_on_exactly(&world);
    }
}

Test(pipeline_counters, fields_of_a_later_version_are_left_alone)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    write_day(&world, "later", "of a later version");
    owner_start(&world, 0);
    settle_more(&world, 20);
    cr_assert(*day_text(&world, "later"));
    world_fini(&world);
}

Test(pipeline_counters, an_agreement_without_a_pact_counts_nothing)
{
    struct world world;
    world_init(&world, 1, 1);
    world.config.agreement = world.other;
    for (int i = 0; i < 25; i++)
        world_append_random(&world, 0);
    owner_start(&world, 0);
    settle(&world);
    memory_clock_advance(&world.clock, 60000000);
    steps(&world, 200);
    cr_assert(!*day_text(&world, "20758") && !*day_text(&world, "20759"));
    cr_assert_str_eq(field_text(&world, 0, "counted_from"), "");
    cr_assert_str_eq(field_text(&world, 0, "passed"), "");
    world_fini(&world);
}

Test(pipeline_counters, a_rebuild_counts_from_its_first_event)
{
    struct world world;
    begin(&world, 1);
    owner_kill(&world, 0);
    memory_db_forget_unit(world.db, 0);
    world.config.rebuild = true;
    owner_start(&world, 0);
    expect_live(&world);
    settle_more(&world, 5);
    cr_assert_str_eq(field_text(&world, 0, "counted_from"), "20759");
    expect_exact(&world);
}

/* ---- what has arrived
 * ------------------------------------------------------------------------------ */

static int64_t passed(struct world *world)
{
    return strtoll(field_text(world, 0, "passed"), NULL, 10);
}

static int64_t now_ms(struct world *world)
{
    return world->clock.port.wall_ms(&world->clock.port);
}

Test(pipeline_counters, the_position_says_when_its_last_record_arrived)
{
    struct world world;
    begin(&world, 1);
    cr_assert_eq(passed(&world), WORLD_T0 + (int64_t)(world.events - 1) * 1000);
    world_fini(&world);
}

Test(pipeline_counters, a_unit_that_has_nothing_waiting_says_so)
{
    struct world world;
    begin(&world, 1);
    memory_clock_advance(&world.clock, 3600000000);
    int64_t before = now_ms(&world);
    steps(&world, 5);
    memory_clock_advance(&world.clock, 11000000);
    steps(&world, 5);
    cr_assert_geq(passed(&world), before - 10000);
    cr_assert_leq(passed(&world), now_ms(&world) - 10000);
    world_fini(&world);
}

Test(pipeline_counters, a_unit_that_cannot_know_says_nothing)
{
    struct world world;
    begin(&world, 1);
    int64_t before = passed(&world);
    memory_log_set_away(world.log, true);
    for (int i = 0; i < 20; i++) {
        memory_clock_advance(&world.clock, 11000000);
        steps(&world, 2);
    }
    cr_assert_eq(passed(&world), before);
    memory_log_set_away(world.log, false);
    world_fini(&world);
}

/* ---- spend
 * ------------------------------------------------------------------------------------- */

Test(pipeline_counters, spend_is_an_event_of_no_lead)
{
    struct world world;
    world_init(&world, 1, 1);
    world_append_spend(&world, 0);
    owner_start(&world, 0);
    settle(&world);
    cr_assert_eq(FIGURE(&world, events), 1);
    cr_assert_eq(memory_db_lead_count(world.db, 0), 0);
    cr_assert_eq(memory_log_output_count(world.log, TOPIC_DEAD), 0);
    cr_assert(*day_text(&world, "spend"));
    expect_exact(&world);
}
