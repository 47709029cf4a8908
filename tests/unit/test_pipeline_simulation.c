/* Random worlds: owners come and go, transactions end in every way or hang, the store falls back,
 * breaks and is away, in one deterministic thread per seed. Whatever happens, each transition of
 * the oracle is published once and every lead is the oracle's to the last bit.
 *
 * By seed, more is going on: a table smaller than the leads; batches of few records, which are
 * parked while their leads are on the way; unknown schemas that are registered some time; restarts
 * of all owners under another agreement; units that lose their state and are rebuilt; passes over
 * all leads, for whom days go by; leads that are merged and erased; a third owner.
 *
 * BATON_SIMULATIONS=N runs N seeds, BATON_SIMULATION_SEED=S just that one, BATON_TEST_LOG=1 shows
 * the log. */
#include "pipeline_world.h"

#define ROUNDS 900

struct simulation {
    struct world world;
    uint64_t seed;
    int owners;
    bool small_table, schemas, agreements, rebuilds, sweeps;
    uint32_t next_schema; /* ids below it are in use */
    int changes;          /* of the agreement */
};

static const enum memory_outcome outcomes[] = {
    MEMORY_COMMIT,          MEMORY_COMMIT, MEMORY_COMMIT,           MEMORY_ABORT,
    MEMORY_UNKNOWN_ABORTED, MEMORY_HOLD,   MEMORY_UNKNOWN_COMMITTED};

/* One that hangs ends at the next disturbance. */
static void disturb_sink(struct world *world, struct owner *owner)
{
    if (!owner->worker)
        return;
    struct sink *sink = owner->ports.sink;
    memory_sink_set_outcome(sink, outcomes[world_random(world, 7)]);
    if (memory_sink_is_held(sink))
        memory_sink_finish(sink, outcomes[world_random(world, 5)]);
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
    default: memory_store_deliver(store, some); memory_store_break(store);
    }
}

static void restart(struct world *world, int number)
{
    owner_kill(world, number);
    memory_log_set_away(world->log, false); /* a process starts when Kafka answers */
    owner_start(world, number);
}

/* Part of a checkpoint has arrived, and the rest is lost, or arrives late; or its owner dies. */
static void tear_checkpoint(struct world *world, int number)
{
    struct store *store = world->owners[number].ports.store;
    for (uint64_t n = world_random(world, 80); n > 0; n--)
        world_append_random(world, (uint32_t)world_random(world, world->units));
    memory_store_hold(store, true);
    for (int i = 0; i < 250 && memory_store_under_way(store) < 4; i++)
        owner_step(world, number);
    memory_store_deliver(store, world_random(world, memory_store_under_way(store) + 1));
    if (world_random(world, 3) == 0) {
        restart(world, number);
        return;
    }
    memory_store_break(store);
    if (world_random(world, 2))
        memory_store_arrive(store, world_random(world, 3));
    memory_store_hold(store, false);
}

static void disturb(struct simulation *simulation)
{
    struct world *world = &simulation->world;
    int number = (int)world_random(world, (uint64_t)simulation->owners);
    struct owner *owner = &world->owners[number];
    switch (world_random(world, 14)) {
    case 0: restart(world, number); break;
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
    case 8: disturb_store(world, owner); break;
    case 9:
        if (owner->worker)
            tear_checkpoint(world, number);
        break;
    case 10: memory_db_set_away(world->db, true); break;
    case 11: memory_db_set_away(world->db, false); break;
    case 12: memory_log_set_away(world->log, world_random(world, 4) == 0); break;
    default: memory_clock_advance(&world->clock, (int64_t)world_random(world, 300000));
    }
}

static void calm(struct simulation *simulation)
{
    struct world *world = &simulation->world;
    memory_db_set_away(world->db, false);
    memory_log_set_away(world->log, false);
    for (int i = 0; i < simulation->owners; i++) {
        struct owner *owner = &world->owners[i];
        if (!owner->worker)
            continue;
        memory_sink_set_outcome(owner->ports.sink, MEMORY_COMMIT);
        if (memory_sink_is_held(owner->ports.sink))
            memory_sink_finish(owner->ports.sink, MEMORY_COMMIT);
        memory_store_hold(owner->ports.store, false);
        memory_store_deliver(owner->ports.store, SIZE_MAX);
    }
    memory_log_resolve(world->log);
}

static void settle(struct simulation *simulation, const char *what)
{
    struct world *world = &simulation->world;
    calm(simulation);
    for (uint32_t unit = 0; unit < world->units; unit++)
        world_append_random(world, unit); /* gaps at the end are passed with the next record */
    bool through = world_settle(world, 60000);
    if (!through)
        world_tell(world);
    cr_assert(through, "seed %" PRIu64 ": %s: does not get through", simulation->seed, what);
}

/* ---- what happens by seed
 * ------------------------------------------------------------------------- */

static void append_schema(struct simulation *simulation)
{
    struct world *world = &simulation->world;
    uint32_t unit = (uint32_t)world_random(world, world->units);
    if (simulation->next_schema < WORLD_SCHEMAS && world_random(world, 15) == 0)
        simulation->next_schema++;
    char lead[32];
    world_lead(world, unit, world_random(world, 12), lead);
    (void)world_append_schema(world, unit, lead,
                              1 + (uint32_t)world_random(world, simulation->next_schema));
    if (world_random(world, 6) == 0) { /* right when its text is asked for, with more behind it */
        (void)world_append_text(world, unit, lead, "no event, and no need of the store");
        memory_db_set_away(world->db, true);
    }
    memory_clock_advance(&world->clock, 300000); /* so that there are verdicts */
    if (world_random(world, 40) == 0)
        world_register_schema(world, 1 + (uint32_t)world_random(world, simulation->next_schema));
    if (world_random(world, 60) == 0)
        memory_schemas_set_away(world->schemas, world_random(world, 2));
}

/* All owners go, and come back under the other agreement. Not more often than metadata remembers,
 * and only once the store knows both texts, wherever it falls back to. */
static void change_agreement(struct simulation *simulation)
{
    struct world *world = &simulation->world;
    if (simulation->changes == UNIT_SWITCHES - 1)
        return;
    simulation->changes++;
    for (int i = 0; i < simulation->owners; i++)
        owner_kill(world, i);
    bool other = world->config.agreement == world->agreement;
    world->config.agreement = other ? world->other : world->agreement;
    for (int i = 0; i < simulation->owners; i++)
        restart(world, i);
}

static void lose_state(struct simulation *simulation)
{
    struct world *world = &simulation->world;
    settle(simulation, "before a loss of state");
    for (int i = 0; i < simulation->owners; i++)
        owner_kill(world, i);
    memory_db_forget_unit(world->db, (uint32_t)world_random(world, world->units));
    memory_db_save(world->db); /* what was before it has another digest: nothing falls back to it */
    world->config.rebuild = true;
    for (int i = 0; i < simulation->owners; i++)
        owner_start(world, i);
    for (uint64_t n = world_random(world, 40); n > 0; n--)
        owner_step(world, (int)world_random(world, (uint64_t)simulation->owners));
    for (int i = 0; i < simulation->owners; i++)
        if (world_random(world, 2))
            restart(world, i);
    settle(simulation, "a rebuild");
    memory_db_save(world->db);
}

static void happen(struct simulation *simulation, int round)
{
    struct world *world = &simulation->world;
    if (simulation->schemas && world_random(world, 8) == 0)
        append_schema(simulation);
    if (simulation->agreements && world_random(world, 150) == 0)
        change_agreement(simulation);
    if (simulation->rebuilds && round % 300 == 150)
        lose_state(simulation);
    if (simulation->sweeps && world_random(world, 60) == 0)
        memory_clock_advance(&world->clock, INT64_C(43200000000));
}

/* ---- one world
 * ------------------------------------------------------------------------------------ */

static struct agreement *forgetful(struct agreement *agreement, const char *text)
{
    char longer[2048];
    agreement_destroy(agreement);
    (void)snprintf(longer, sizeof longer, "%sforget: 1d\n", text);
    return world_parse(longer);
}

static void begin_sweeps(struct world *world)
{
    world->agreement = forgetful(world->agreement, WORLD_AGREEMENT);
    world->other = forgetful(world->other, WORLD_OTHER_AGREEMENT);
    world->config.agreement = world->agreement;
    world->config.sweep_share = 20;
    world->config.sweep_every_ms = 3600000;
}

static void begin(struct simulation *simulation, uint64_t seed)
{
    struct world *world = &simulation->world;
    *simulation = (struct simulation){.seed = seed,
                                      .owners = seed % 4 == 1 ? 3 : 2,
                                      .small_table = seed % 3 == 0,
                                      .schemas = seed % 5 == 2,
                                      .agreements = seed % 5 == 3,
                                      .rebuilds = seed % 5 == 4,
                                      .sweeps = seed % 5 != 4 && seed % 2,
                                      .next_schema = 1};
    world_init(world, 3, seed);
    if (simulation->sweeps)
        begin_sweeps(world);
    world->config.unknown_schema_wait_ms = 200;
    world->persons = seed % 4 == 1 || seed % 4 == 2;
    if (world->persons && seed % 3 == 1)
        world->config.identity = (struct identity_config){
            .enabled = true, .field = BATON_EMAIL, .hashed = seed % 4 == 1, .prefix = {"p/", 2}};
    if (seed % 7 < 2) { /* units take turns within a batch */
        world->batch = 3 + seed % 4;
        world->run = 1 + seed % 3;
    }
    if (seed % 2) /* batches are full: one is parked while the next one is fetched */
        world->config.batch_records = 1 + (uint32_t)seed % 6;
    if (simulation->small_table) { /* smaller than the leads */
        world->config.table_bytes = 12000;
        world->config.dirty_max = 4;
    }
    for (uint32_t unit = 0; unit < world->units; unit++)
        world_append_random(world, unit);
    for (int i = 0; i < simulation->owners; i++)
        owner_start(world, i);
    settle(simulation, "the first units");
    if (simulation->agreements)
        for (int i = 0; i < 2; i++) { /* the store gets both texts */
            change_agreement(simulation);
            for (int n = 0; n < 6000; n++)
                owner_step(world, n % simulation->owners);
            settle(simulation, "under another agreement");
        }
    memory_db_save(world->db);
}

/* What the last pass has asked for is folded, and nothing more is asked for. */
static void end_sweeps(struct simulation *simulation)
{
    struct world *world = &simulation->world;
    world->config.sweep_share = 0;
    for (int i = 0; i < simulation->owners; i++)
        restart(world, i);
    world_find_ends(world);
    settle(simulation, "after the last pass");
}

static void end(struct simulation *simulation)
{
    struct world *world = &simulation->world;
    for (uint32_t id = 1; simulation->schemas && id <= simulation->next_schema; id++)
        world_register_schema(world, id);
    memory_schemas_set_away(world->schemas, false);
    settle(simulation, "at the end");
    if (simulation->sweeps)
        end_sweeps(simulation);
    for (int i = 0; i < 10000; i++) /* an owner may still be taking over what is through */
        owner_step(world, i % simulation->owners);
    for (int i = 0; i < simulation->owners; i++)
        cr_assert(worker_drain(world->owners[i].worker), "seed %" PRIu64, simulation->seed);
    for (int i = 0; i < simulation->owners; i++)
        owner_kill(world, i);
    struct oracle oracle;
    oracle_make(&oracle, world);
    cr_assert_gt(oracle.expected_count, 10);
    oracle_check(&oracle, world);
    if (world->persons)
        cr_assert_gt(oracle.made_count, 10);
    if (getenv("BATON_TEST_LOG"))
        (void)fprintf(stderr, "%zu hops, %" PRIu64 " dead letters\n", oracle.made_count,
                      oracle.dead);
    oracle_fini(&oracle);
    world_fini(world);
}

static void simulate(uint64_t seed)
{
    struct simulation simulation;
    begin(&simulation, seed);
    struct world *world = &simulation.world;
    for (int round = 0; round < ROUNDS; round++) {
        for (uint64_t n = world_random(world, 3); n > 0; n--)
            world_append_random(world, (uint32_t)world_random(world, world->units));
        if (world_random(world, 20) == 0)
            memory_log_skip(world->log, (uint32_t)world_random(world, world->units), 2);
        owner_step(world, (int)world_random(world, (uint64_t)simulation.owners));
        if (world_random(world, 12) == 0)
            disturb(&simulation);
        happen(&simulation, round);
    }
    end(&simulation);
}

Test(pipeline_simulation, every_event_counts_once_whatever_happens)
{
    const char *wanted = getenv("BATON_SIMULATION_SEED"), *many = getenv("BATON_SIMULATIONS");
    uint64_t first = wanted ? strtoull(wanted, NULL, 10) : 1;
    uint64_t count = wanted ? 1 : many ? strtoull(many, NULL, 10) : 100;
    for (uint64_t seed = first; seed < first + count; seed++)
        simulate(seed);
}
