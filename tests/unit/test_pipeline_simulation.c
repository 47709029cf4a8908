/* Random worlds: owners come and go, transactions end in every way, the store falls back, breaks
 * and is away, in one deterministic thread per seed. Whatever happens, each transition of the
 * oracle is published once and every lead is the oracle's to the last bit.
 *
 * BATON_SIMULATIONS=N runs N seeds, BATON_SIMULATION_SEED=S just that one, BATON_TEST_LOG=1 shows
 * the log. */
#include "pipeline_world.h"

static const enum memory_outcome outcomes[] = {
    MEMORY_COMMIT,         MEMORY_COMMIT, MEMORY_COMMIT, MEMORY_ABORT, MEMORY_UNKNOWN_COMMITTED,
    MEMORY_UNKNOWN_ABORTED};

static void disturb_sink(struct world *world, struct owner *owner)
{
    if (owner->worker)
        memory_sink_set_outcome(owner->ports.sink, outcomes[world_random(world, 6)]);
}

static void disturb_store(struct world *world, struct owner *owner)
{
    if (!owner->worker)
        return;
    struct store *store = owner->ports.store;
    size_t some = world_random(world, memory_store_under_way(store) + 1);
    switch (world_random(world, 4)) {
    case 0: memory_store_hold(store, true); break;
    case 1: memory_store_deliver(store, some); break;
    case 2:
        memory_store_hold(store, false);
        memory_store_deliver(store, SIZE_MAX);
        break;
    default: /* part of a checkpoint has arrived, the rest is lost, or arrives late */
        memory_store_deliver(store, some);
        memory_store_break(store);
        if (world_random(world, 2))
            memory_store_arrive(store, world_random(world, 3));
    }
}

static void disturb(struct world *world)
{
    int number = (int)world_random(world, 2);
    struct owner *owner = &world->owners[number];
    switch (world_random(world, 14)) {
    case 0:
        owner_kill(world, number);
        memory_log_set_away(world->log, false); /* a process starts when Kafka answers */
        owner_start(world, number);
        break;
    case 1: memory_log_rebalance(world->log); break;
    case 2:
        if (owner->worker)
            memory_source_expire(owner->ports.source);
        break;
    case 3:
    case 4:
    case 5: disturb_sink(world, owner); break;
    case 6: memory_db_save(world->db); break;
    case 7:
        if (world_random(world, 3) == 0)
            memory_db_fall_back(world->db);
        break;
    case 8:
    case 9: disturb_store(world, owner); break;
    case 10: memory_db_set_away(world->db, true); break;
    case 11: memory_db_set_away(world->db, false); break;
    case 12: memory_log_set_away(world->log, world_random(world, 4) == 0); break;
    default: memory_clock_advance(&world->clock, (int64_t)world_random(world, 300000));
    }
}

static void calm(struct world *world)
{
    memory_db_set_away(world->db, false);
    memory_log_set_away(world->log, false);
    for (int i = 0; i < WORLD_OWNERS_MAX; i++) {
        if (!world->owners[i].worker)
            continue;
        memory_sink_set_outcome(world->owners[i].ports.sink, MEMORY_COMMIT);
        memory_store_hold(world->owners[i].ports.store, false);
        memory_store_deliver(world->owners[i].ports.store, SIZE_MAX);
    }
    memory_log_resolve(world->log);
}

static void simulate(uint64_t seed)
{
    struct world world;
    world_init(&world, 3, seed);
    if (seed % 3 == 0) { /* a table smaller than the leads */
        world.config.table_bytes = 12000;
        world.config.dirty_max = 4;
    }
    for (uint32_t unit = 0; unit < world.units; unit++)
        world_append_random(&world, unit);
    owner_start(&world, 0);
    owner_start(&world, 1);
    cr_assert(world_settle(&world, 3000), "seed %" PRIu64 ": the first units do not go live", seed);
    memory_db_save(world.db);
    for (int round = 0; round < 900; round++) {
        for (uint64_t n = world_random(&world, 3); n > 0; n--)
            world_append_random(&world, (uint32_t)world_random(&world, world.units));
        if (world_random(&world, 20) == 0)
            memory_log_skip(world.log, (uint32_t)world_random(&world, world.units), 2);
        owner_step(&world, (int)world_random(&world, 2));
        if (world_random(&world, 12) == 0)
            disturb(&world);
    }
    calm(&world);
    for (uint32_t unit = 0; unit < world.units;
         unit++) /* gaps at the end are passed with the next record */
        world_append_random(&world, unit);
    bool through = world_settle(&world, 60000);
    if (!through)
        world_tell(&world);
    cr_assert(through, "seed %" PRIu64 ": does not get through", seed);
    for (int i = 0; i < 10000; i++) /* an owner may still be taking over what is through */
        owner_step(&world, i % 2);
    for (int i = 0; i < 2; i++)
        cr_assert(worker_drain(world.owners[i].worker), "seed %" PRIu64, seed);
    for (int i = 0; i < 2; i++)
        owner_kill(&world, i);
    struct oracle oracle;
    oracle_make(&oracle, &world);
    cr_assert_gt(oracle.expected_count, 10);
    oracle_check(&oracle, &world);
    oracle_fini(&oracle);
    world_fini(&world);
}

Test(pipeline_simulation, every_event_counts_once_whatever_happens)
{
    const char *wanted = getenv("BATON_SIMULATION_SEED"), *many = getenv("BATON_SIMULATIONS");
    uint64_t first = wanted ? strtoull(wanted, NULL, 10) : 1;
    uint64_t count = wanted ? 1 : many ? strtoull(many, NULL, 10) : 100;
    for (uint64_t seed = first; seed < first + count; seed++)
        simulate(seed);
}
