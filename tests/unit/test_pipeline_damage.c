/* State that is damaged, and an operator who asks for a rebuild. */
#include "pipeline_world.h"

static void promote_and_stop(struct world *world)
{
    for (int i = 0; i < 400; i++)
        world_append_random(world, (uint32_t)world_random(world, world->units));
    owner_start(world, 0);
    cr_assert(world_settle(world, 5000));
    cr_assert(worker_drain(world->owners[0].worker));
    owner_kill(world, 0);
}

static void append_more(struct world *world)
{
    for (int i = 0; i < 200; i++)
        world_append_random(world, (uint32_t)world_random(world, world->units));
}

Test(pipeline_damage, a_damaged_lead_is_rebuilt_with_its_unit_when_asked_for)
{
    struct world world;
    world_init(&world, 2, 7);
    promote_and_stop(&world);
    const char *name = "lead-1-0";
    struct baton_text id = {.data = name, .size = (uint32_t)strlen(name)};
    cr_assert(memory_db_tear_lead(world.db, 1, id));
    append_more(&world);
    world.config.rebuild = true;
    owner_start(&world, 0);
    bool through = world_settle(&world, 20000);
    if (!through)
        world_tell(&world);
    cr_assert(through);
    cr_assert_not(worker_had_stopped_units(world.owners[0].worker));
    owner_kill(&world, 0);
    struct oracle oracle;
    oracle_make(&oracle, &world);
    for (size_t i = 0; i < oracle.expected_count; i++)
        cr_assert_eq(world_count_stage(&world, &oracle.expected[i]), 1);
    cr_assert_eq(memory_log_output_count(world.log, TOPIC_STAGES), oracle.expected_count);
    oracle_fini(&oracle);
    world_fini(&world);
}

Test(pipeline_damage, without_being_asked_a_damaged_lead_stops_its_unit)
{
    struct world world;
    world_init(&world, 2, 8);
    promote_and_stop(&world);
    const char *name = "lead-1-0";
    cr_assert(memory_db_tear_lead(world.db, 1, (struct baton_text){name, 8}));
    append_more(&world);
    owner_start(&world, 0);
    cr_assert_not(world_settle(&world, 5000));
    cr_assert(worker_had_stopped_units(world.owners[0].worker));
    cr_assert_eq(memory_log_committed(world.log, 0, NULL), world.ends[0], "the other unit goes on");
    world_fini(&world);
}
