/* Tests of single cases of the pipeline: what lies in the store and in the log is arranged, owner 0
 * comes, and what it does is seen from outside. */
#ifndef PIPELINE_CASES_H
#define PIPELINE_CASES_H

#include "pipeline_world.h"

#define STEPS 6000

/* ---- arranging
 * ------------------------------------------------------------------------------------ */

static inline void add_events(struct world *world, int count)
{
    for (int i = 0; i < count; i++)
        world_append_random(world, (uint32_t)i % world->units);
}

static inline void steps(struct world *world, int count)
{
    for (int i = 0; i < count; i++)
        owner_step(world, 0);
}

static inline void settle(struct world *world)
{
    bool through = world_settle(world, STEPS);
    if (!through)
        world_tell(world);
    cr_assert(through, "it does not get through");
}

static inline void settle_more(struct world *world, int count)
{
    add_events(world, count);
    settle(world);
}

/* A unit that has been live, everything committed and checkpointed; its owner is gone. */
static inline void begin(struct world *world, uint32_t units)
{
    world_init(world, units, 1);
    add_events(world, 60);
    owner_start(world, 0);
    settle(world);
}

/* The same, and then more that the store has lost: R < K. */
static inline void begin_behind(struct world *world, uint32_t units)
{
    begin(world, units);
    memory_db_save(world->db);
    settle_more(world, 60);
    owner_kill(world, 0);
    memory_db_fall_back(world->db);
    cr_assert_lt(world_stored(world, 0), memory_log_committed(world->log, 0, NULL));
}

/* An operator's hand: claims the unit and writes a field. */
static inline void operator_writes(struct world *world, uint32_t unit, const char *name,
                                   const char *value)
{
    struct store *store = memory_store_create(world->db);
    struct arena arena;
    arena_init(&arena, 4096);
    struct fence fence;
    struct field *fields,
        field = {{name, (uint32_t)strlen(name)}, {value, (uint32_t)strlen(value)}};
    size_t count;
    struct error error;
    uint8_t token[16] = "operator";
    struct store_write write = {.fields = &field, .field_count = 1};
    cr_assert_eq(store->claim(store, unit, token, &arena, &fence, &fields, &count, &error),
                 STATUS_OK);
    cr_assert_eq(store->write(store, unit, &fence, &write, &error), STATUS_OK);
    arena_fini(&arena);
    store->destroy(store);
}

static inline void operator_accepts(struct world *world, uint32_t unit)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, memory_log_committed(world->log, unit, NULL));
    operator_writes(world, unit, "accepted", text);
}

/* ---- looking
 * -------------------------------------------------------------------------------------- */

static inline const char *field_text(struct world *world, uint32_t unit, const char *name)
{
    static char room[2048];
    struct baton_text text = memory_db_field(world->db, unit, name);
    (void)snprintf(room, sizeof room, "%.*s", text.data ? (int)text.size : 0,
                   text.data ? text.data : "");
    return room;
}

static inline void expect_stopped(struct world *world, const char *part)
{
    for (int i = 0; i < 400 && !*field_text(world, 0, "stopped"); i++)
        owner_step(world, 0);
    cr_assert(strstr(field_text(world, 0, "stopped"), part), "\"%s\" does not say \"%s\"",
              field_text(world, 0, "stopped"), part);
    cr_assert(worker_had_stopped_units(world->owners[0].worker));
}

/* A figure of the first owner. */
#define FIGURE(world, name) atomic_load(&worker_figures((world)->owners[0].worker)->name)

static inline bool is_live(struct world *world)
{
    return atomic_load(&worker_figures(world->owners[0].worker)->units_live) == world->units;
}

static inline void expect_live(struct world *world)
{
    for (int i = 0; i < STEPS && !is_live(world); i++)
        owner_step(world, 0);
    cr_assert(is_live(world), "not live; stopped: %s", field_text(world, 0, "stopped"));
}

static inline size_t outputs(struct world *world)
{
    return memory_log_output_count(world->log, TOPIC_STAGES) +
           memory_log_output_count(world->log, TOPIC_PROMOTIONS) +
           memory_log_output_count(world->log, TOPIC_DEAD);
}

/* Hands over clean, and everything is as if nothing had happened. */
static inline void expect_exact(struct world *world)
{
    settle(world);
    if (world->owners[0].worker)
        cr_assert(worker_drain(world->owners[0].worker), "something is left to replay");
    for (int i = 0; i < WORLD_OWNERS_MAX; i++)
        owner_kill(world, i);
    struct oracle oracle;
    oracle_make(&oracle, world);
    oracle_check(&oracle, world);
    oracle_fini(&oracle);
    world_fini(world);
}

static inline void expect_goes_on_exactly(struct world *world)
{
    expect_live(world);
    add_events(world, 40);
    expect_exact(world);
}

#endif
