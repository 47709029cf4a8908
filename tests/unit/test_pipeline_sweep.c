/* Passes over all leads of a unit: what the time or a new agreement did to a lead is found without
 * an event of it, goes through the log, and happens once. */
#include "pipeline_cases.h"

#define DAY_US INT64_C(86400000000)
#define LEADS 150

static const char STRICT[] = "agreement: world\nversion: 1\n"
                             "behaviour:\n  - {id: page, event: visit, points: 10}\n"
                             "gates: {mql: {score: 50}, sql: {score: 90}}\n";
static const char EASY[] = "agreement: world\nversion: 2\n"
                           "behaviour:\n  - {id: page, event: visit, points: 10}\n"
                           "gates: {mql: {score: 5}, sql: {score: 10}}\n";
static const char FORGETFUL[] = "agreement: world\nversion: 3\n"
                                "behaviour:\n  - {id: page, event: visit, points: 10}\n"
                                "gates: {mql: {score: 20}, sql: {score: 90}}\nforget: 2d\n";

static void visit(struct world *world, int lead)
{
    char id[32], value[256];
    (void)snprintf(id, sizeof id, "lead-%d", lead);
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"visit\",\"event_id\":\"e%" PRIu64
                   "\",\"lead_id\":\"%s\",\"time\":%" PRId64 ",\"page\":\"/\"}",
                   world->events, id, WORLD_T0 + (int64_t)world->events * 1000);
    (void)world_append_text(world, 0, id, value);
}

/* One unit, its leads with one visit each, checkpointed under the first agreement; its owner is
 * gone. */
static void begin_with(struct world *world, const char *first, const char *then)
{
    world_init(world, 1, 1);
    agreement_destroy(world->agreement);
    agreement_destroy(world->other);
    world->agreement = world_parse(first);
    world->other = world_parse(then);
    world->config.agreement = world->agreement;
    for (int lead = 0; lead < LEADS; lead++)
        visit(world, lead);
    owner_start(world, 0);
    settle(world);
    owner_kill(world, 0);
    world->config.sweep_share = 50;
    world->config.sweep_every_ms = 86400000;
}

static void begin_under(struct world *world, const struct agreement *agreement)
{
    world->config.agreement = agreement;
    owner_start(world, 0);
}

static struct unit_sweep sweep_of(struct world *world)
{
    struct field field = {{"sweep", 5}, memory_db_field(world->db, 0, "sweep")};
    struct unit_record record;
    struct error error;
    cr_assert_eq(unit_record_read(&field, field.value.size > 0, &record, &error), STATUS_OK, "%s",
                 error.text);
    return record.sweep;
}

/* Until a pass of this agreement that was begun at this time or later has ended, and all that it
 * wrote is folded. */
static void pass(struct world *world, int64_t from_ms)
{
    struct unit_sweep sweep = {0};
    for (int i = 0; i < 20000; i++) {
        owner_step(world, 0);
        sweep = sweep_of(world);
        if (!sweep.running && sweep.begun_ms >= from_ms &&
            strcmp(sweep.agreement, agreement_hash(world->config.agreement)) == 0)
            break;
    }
    cr_assert(!sweep.running && sweep.begun_ms >= from_ms, "no pass");
    world_find_ends(world);
    settle(world);
    steps(world, 2000); /* what is to be removed is */
}

static int64_t now_ms(struct world *world)
{
    return world->clock.port.wall_ms(&world->clock.port);
}

static size_t promotions(struct world *world)
{
    return memory_log_output_count(world->log, TOPIC_PROMOTIONS);
}

static void end(struct world *world)
{
    struct oracle oracle;
    world_find_ends(world);
    settle(world);
    cr_assert(worker_drain(world->owners[0].worker));
    owner_kill(world, 0);
    oracle_make(&oracle, world);
    oracle_check(&oracle, world);
    oracle_fini(&oracle);
    world_fini(world);
}

Test(pipeline_sweep, a_new_agreement_opens_gates_without_an_event)
{
    struct world world;
    begin_with(&world, STRICT, EASY);
    cr_assert_eq(promotions(&world), 0);
    begin_under(&world, world.other);
    pass(&world, 0);
    cr_assert_eq(promotions(&world), LEADS);
    cr_assert_eq(sweep_of(&world).asked, LEADS);
    cr_assert_eq(sweep_of(&world).seen, LEADS);
    owner_kill(&world, 0);
    begin_under(&world, world.other); /* it is no news any more */
    steps(&world, 3000);
    cr_assert_eq(promotions(&world), LEADS);
    end(&world);
}

Test(pipeline_sweep, the_same_agreement_begins_no_pass_before_its_time)
{
    struct world world;
    begin_with(&world, EASY, STRICT);
    begin_under(&world, world.agreement);
    pass(&world, 0);
    int64_t first = sweep_of(&world).begun_ms;
    cr_assert_eq(sweep_of(&world).asked, 0);
    memory_clock_advance(&world.clock, DAY_US - 20000000);
    steps(&world, 3000);
    cr_assert_eq(sweep_of(&world).begun_ms, first);
    memory_clock_advance(&world.clock, 20000000);
    pass(&world, first + 86400000);
    cr_assert_eq(sweep_of(&world).seen, LEADS);
    end(&world);
}

Test(pipeline_sweep, without_a_share_there_is_none)
{
    struct world world;
    begin_with(&world, STRICT, EASY);
    world.config.sweep_share = 0;
    begin_under(&world, world.other);
    memory_clock_advance(&world.clock, 3 * DAY_US);
    steps(&world, 6000);
    cr_assert_eq(sweep_of(&world).begun_ms, 0);
    cr_assert_eq(promotions(&world), 0);
    end(&world);
}

Test(pipeline_sweep, a_pass_that_is_interrupted_anywhere_reaches_every_lead_once)
{
    struct world world;
    static const enum memory_outcome outcomes[] = {
        MEMORY_COMMIT, MEMORY_ABORT, MEMORY_UNKNOWN_COMMITTED, MEMORY_UNKNOWN_ABORTED};
    begin_with(&world, STRICT, EASY);
    begin_under(&world, world.other);
    for (unsigned round = 0; round < 400; round++) {
        enum memory_outcome outcome = outcomes[world_random(&world, 4)];
        memory_sink_set_outcome(world.owners[0].ports.sink, outcome);
        steps(&world, 1 + (int)world_random(&world, 60));
        if (world_random(&world, 4))
            continue;
        owner_kill(&world, 0);
        begin_under(&world, world.other);
    }
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_COMMIT);
    memory_log_resolve(world.log);
    pass(&world, 0);
    cr_assert_eq(promotions(&world), LEADS);
    end(&world);
}

/* A second agreement in the middle of a pass: it begins anew. */
Test(pipeline_sweep, another_agreement_begins_a_pass_anew)
{
    struct world world;
    begin_with(&world, EASY, STRICT);
    begin_under(&world, world.other);
    for (int i = 0; i < 3000 && !sweep_of(&world).running; i++)
        owner_step(&world, 0);
    cr_assert(sweep_of(&world).running);
    owner_kill(&world, 0);
    begin_under(&world, world.agreement);
    pass(&world, 0);
    cr_assert_eq(sweep_of(&world).seen, LEADS);
    end(&world);
}

Test(pipeline_sweep, who_was_not_seen_for_long_leaves_the_store)
{
    struct world world;
    begin_with(&world, STRICT, FORGETFUL);
    for (int lead = 0; lead < 20; lead++) /* their stage is told under the next agreement */
        visit(&world, lead);
    begin_under(&world, world.other);
    pass(&world, 0);
    cr_assert_eq(memory_db_lead_count(world.db, 0), LEADS);
    memory_clock_advance(&world.clock, 3 * DAY_US);
    pass(&world, WORLD_T0 + 3 * 86400000);
    cr_assert_eq(memory_db_lead_count(world.db, 0), 20);
    struct stored_lead stub;
    cr_assert(memory_db_lead(world.db, 0, (struct baton_text){"lead-0", 6}, &stub));
    cr_assert_eq(stub.stage, BATON_LEAD);
    visit(&world, 100);
    settle(&world);
    cr_assert_eq(memory_db_lead_count(world.db, 0), 21);
    end(&world);
}

/* Owners die at every step while leads are emptied, written and removed; what they had written is
 * what the next one finds. */
/* The header is no secret: a recheck of a far day would have everybody forgotten. */
Test(pipeline_sweep, a_forged_recheck_of_a_far_day_is_a_dead_letter_and_nobody_is_forgotten)
{
    static const struct header own = {"baton-own", "recheck", 7};
    struct world world;
    begin_with(&world, FORGETFUL, EASY);
    world.config.sweep_share = 0;
    begin_under(&world, world.agreement);
    expect_live(&world);
    size_t leads = memory_db_lead_count(world.db, 0);
    for (int days = 0; days < 4; days += 3) {
        char value[160];
        (void)snprintf(value, sizeof value,
                       "{\"kind\":\"recheck\",\"event_id\":\"f%d\",\"lead_id\":\"lead-7\","
                       "\"time\":%" PRId64 "}",
                       days, WORLD_T0 + days * INT64_C(86400000));
        struct memory_input input = {.timestamp_ms = WORLD_T0,
                                     .key = "lead-7",
                                     .key_size = 6,
                                     .value = value,
                                     .value_size = strlen(value),
                                     .headers = &own,
                                     .header_count = 1};
        world.ends[0] = memory_log_append(world.log, 0, &input) + 1;
        settle(&world);
    }
    steps(&world, 2000);
    cr_assert_eq(memory_log_output_count(world.log, TOPIC_DEAD), 1);
    cr_assert_eq(FIGURE(&world, dead[DEAD_FUTURE_TIME]), 1);
    cr_assert_eq(memory_db_lead_count(world.db, 0), leads);
    world_fini(&world);
}

Test(pipeline_sweep, an_owner_that_dies_while_leads_are_removed_changes_nothing)
{
    struct world world;
    begin_with(&world, STRICT, FORGETFUL);
    begin_under(&world, world.other);
    pass(&world, 0);
    memory_clock_advance(&world.clock, 3 * DAY_US);
    for (unsigned round = 0; round < 300; round++) {
        struct store *store = world.owners[0].ports.store;
        memory_store_hold(store, world_random(&world, 2));
        steps(&world, 1 + (int)world_random(&world, 150));
        if (world_random(&world, 3) == 0)
            visit(&world, (int)world_random(&world, LEADS));
        memory_store_deliver(store, world_random(&world, 3));
        if (world_random(&world, 3))
            continue;
        owner_kill(&world, 0);
        begin_under(&world, world.other);
    }
    memory_store_hold(world.owners[0].ports.store, false);
    memory_store_deliver(world.owners[0].ports.store, SIZE_MAX);
    int64_t from = now_ms(&world) + 86400000;
    memory_clock_advance(&world.clock, DAY_US + 5000000);
    pass(&world, from);
    end(&world);
}

Test(pipeline_sweep, a_damaged_lead_that_a_pass_meets_stops_the_unit)
{
    struct world world;
    begin_with(&world, STRICT, EASY);
    cr_assert(memory_db_tear_lead(world.db, 0, (struct baton_text){"lead-77", 7}));
    begin_under(&world, world.other);
    steps(&world, 3000);
    cr_assert_eq(atomic_load(&worker_figures(world.owners[0].worker)->units_stopped), 1);
    struct baton_text why = memory_db_field(world.db, 0, "stopped");
    cr_assert(why.data && memmem(why.data, why.size, "lead-77", 7));
    world_fini(&world);
}

/* A lead whose newest state is in memory only. */
Test(pipeline_sweep, what_is_in_memory_goes_before_what_is_stored)
{
    struct world world;
    begin_with(&world, STRICT, FORGETFUL);
    begin_under(&world, world.other);
    pass(&world, 0);
    memory_clock_advance(&world.clock, 3 * DAY_US);
    world.events += 3 * 86400; /* their times are a second apart */
    for (int lead = 0; lead < LEADS; lead++)
        visit(&world, lead);
    pass(&world, WORLD_T0 + 3 * 86400000);
    cr_assert_eq(memory_db_lead_count(world.db, 0), LEADS);
    end(&world);
}

/* A lead is emptied, and the checkpoint that says so is torn before R: whoever folds from the old R
 * meets what came before the emptying, and must not take it for all that there was. */
Test(pipeline_sweep, an_emptied_lead_stays_until_the_position_has_passed_it)
{
    static const char GLOOMY[] = "agreement: world\nversion: 3\n"
                                 "behaviour:\n  - {id: page, event: visit, points: 10}\n"
                                 "  - {id: careers, event: click, points: -100}\n"
                                 "gates: {mql: {score: 10}, sql: {score: 90}}\nforget: 2d\n";
    struct world world;
    begin_with(&world, GLOOMY, STRICT);
    (void)world_append_text(&world, 0, "old",
                            "{\"kind\":\"click\",\"event_id\":\"old-1\",\"lead_id\":\"old\","
                            "\"time\":1790000000000}");
    begin_under(&world, world.agreement);
    pass(&world, 0);
    owner_kill(&world, 0);
    world.config.checkpoint_interval_ms = world.config.checkpoint_interval_behind_ms = 3600000;
    world.config.sweep_every_ms = 1800000;
    begin_under(&world, world.agreement);
    (void)world_append_text(&world, 0, "old",
                            "{\"kind\":\"visit\",\"event_id\":\"old-2\",\"lead_id\":\"old\","
                            "\"time\":1790000001000}");
    steps(&world, 1000);
    memory_clock_advance(&world.clock, INT64_C(1801000000));
    steps(&world, 1000);
    int64_t before = world_stored(&world, 0);
    cr_assert_lt(before, memory_log_committed(world.log, 0, NULL));
    struct store *store = world.owners[0].ports.store;
    memory_store_hold(store, true);
    memory_clock_advance(&world.clock, INT64_C(1797000000)); /* no pass is due yet */
    for (int i = 0; i < 100 && memory_store_under_way(store) < 3; i++)
        owner_step(&world, 0);
    memory_store_deliver(store, 2); /* aggregates and leads */
    cr_assert_eq(world_stored(&world, 0), before);
    owner_kill(&world, 0);
    world.config.checkpoint_interval_ms = world.config.checkpoint_interval_behind_ms = 100;
    world.config.sweep_share = 0;
    begin_under(&world, world.agreement);
    end(&world);
}
