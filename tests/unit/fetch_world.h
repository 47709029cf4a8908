/* A fetcher with brokers in the test: whatever they do, every record comes once and in order. */
#ifndef TESTS_FETCH_WORLD_H
#define TESTS_FETCH_WORLD_H

#include "fake_broker.h"
#include "fetch/fetcher.h"

enum { ROOM = 500, ANSWER_MS = 1500 };

struct world {
    struct fake_log logs[FAKE_UNITS];
    struct fake brokers[2];
    size_t broker_count;
    int32_t leaders[FAKE_UNITS]; /* broker */
    unsigned asked_leaders;
    const char *host;
    struct fetcher *fetcher;
    /* what has come */
    struct record records[ROOM];
    struct fetched fetched;
    int64_t next[FAKE_UNITS]; /* -1: nothing may come */
    int64_t end[FAKE_UNITS];
    unsigned ends;
};

static inline enum status tell_leaders(void *context, struct fetcher *fetcher, struct error *error)
{
    struct world *world = context;
    world->asked_leaders++;
    if (!world->broker_count)
        return error_set(error, STATUS_RETRY, "nobody knows");
    for (size_t i = 0; i < world->broker_count; i++)
        fetcher_set_broker(fetcher, (int32_t)i, world->host, world->brokers[i].port);
    for (uint32_t unit = 0; unit < FAKE_UNITS; unit++)
        fetcher_set_leader(fetcher, unit, world->leaders[unit]);
    return STATUS_OK;
}

static inline void open_world(struct world *world, size_t brokers, int answer_ms)
{
    memset(world, 0, sizeof *world);
    world->broker_count = brokers;
    world->host = "127.0.0.1";
    for (size_t i = 0; i < brokers; i++)
        fake_open(&world->brokers[i], world->logs);
    for (uint32_t unit = 0; unit < FAKE_UNITS; unit++)
        world->next[unit] = world->end[unit] = -1;
    struct fetcher_settings settings = {
        .topic = "events",
        .client = "test",
        .limits = {.wait_ms = 10, .min_bytes = 1, .max_bytes = 1 << 22, .partition_bytes = 1 << 20},
        .answer_ms = answer_ms,
        .leaders = tell_leaders,
        .context = world};
    world->fetcher = fetcher_create(&settings);
}

static inline void close_world(struct world *world)
{
    fetcher_destroy(world->fetcher);
    for (size_t i = 0; i < world->broker_count; i++)
        fake_close(&world->brokers[i]);
    for (uint32_t unit = 0; unit < FAKE_UNITS; unit++)
        free(world->logs[unit].bytes.at);
}

static inline void expect(struct world *world, uint32_t unit, int64_t offset)
{
    fetcher_expect(world->fetcher, unit, offset);
    world->next[unit] = offset;
    world->end[unit] = -1;
}

static inline void forget_all(struct world *world)
{
    fetcher_forget(world->fetcher);
    for (uint32_t unit = 0; unit < FAKE_UNITS; unit++)
        world->next[unit] = -1;
}

/* The logs of these tests have no gaps, and a record's value is its offset. */
static inline void check(struct world *world, const struct record *record)
{
    char text[32] = "";
    cr_assert_lt(record->unit, FAKE_UNITS);
    cr_assert_geq(world->next[record->unit], 0, "unit %u is not wanted", record->unit);
    if (record->is_end) {
        cr_assert_neq(world->end[record->unit], record->offset, "told twice");
        cr_assert_geq(record->offset, world->next[record->unit]);
        world->end[record->unit] = record->offset;
        world->ends++;
        return;
    }
    cr_assert_eq(record->offset, world->next[record->unit], "unit %u: %lld instead of %lld",
                 record->unit, (long long)record->offset, (long long)world->next[record->unit]);
    cr_assert_lt(record->value_size, sizeof text);
    (void)bytes_put((uint8_t *)text, record->value, record->value_size);
    cr_assert_eq(atoll(text), record->offset);
    world->next[record->unit]++;
}

static inline size_t take_some(struct world *world, int timeout_ms, size_t room)
{
    fetcher_take(world->fetcher, timeout_ms, world->records, room, &world->fetched);
    cr_assert_leq(world->fetched.count, room);
    for (size_t i = 0; i < world->fetched.count; i++)
        check(world, &world->records[i]);
    for (uint32_t unit = 0; unit < FAKE_UNITS; unit++)
        if (world->next[unit] >= 0)
            cr_assert_geq(fetcher_next(world->fetcher, unit), world->next[unit]);
    return world->fetched.count;
}

#define TRIES 600 /* of 50 ms: the patience of a machine under load */

/* Until the unit has come so far. Errors and the like are the test's to judge. */
static inline void read_to(struct world *world, uint32_t unit, int64_t offset)
{
    for (int i = 0; i < TRIES && world->next[unit] < offset; i++) {
        (void)take_some(world, 50, ROOM);
        cr_assert_null(world->fetched.unsupported, "%s", world->fetched.unsupported);
    }
    cr_assert_eq(world->next[unit], offset);
}

static inline void read_to_end(struct world *world, uint32_t unit)
{
    int64_t stable = world->logs[unit].stable;
    for (int i = 0; i < TRIES && world->end[unit] < stable; i++)
        (void)take_some(world, 50, ROOM);
    cr_assert_eq(world->end[unit], stable);
    cr_assert_eq(fetcher_next(world->fetcher, unit), stable);
}

static inline int await_error(struct world *world)
{
    for (int i = 0; i < TRIES; i++) {
        (void)take_some(world, 50, ROOM);
        if (world->fetched.error)
            return world->fetched.error;
    }
    return 0;
}

static inline const char *await_unsupported(struct world *world)
{
    for (int i = 0; i < TRIES && !world->fetched.unsupported; i++)
        (void)take_some(world, 50, ROOM);
    return world->fetched.unsupported ? world->fetched.unsupported : "";
}

/* A broker is sure of a whole batch for the first unit that has anything. */
static inline bool only_the_first_is_whole(struct fake *fake, const struct fake_request *request,
                                           struct bytes *out)
{
    struct made_part parts[FAKE_WISHES];
    bool had = false;
    for (size_t i = 0; i < request->count; i++) {
        parts[i] = fake_part(fake, &request->wishes[i]);
        size_t first = fetch_records_first(parts[i].records, (size_t)parts[i].size);
        if (first)
            parts[i].size = (int32_t)(had ? first - 1 : first);
        had = had || first;
    }
    *out = made_answer(request->version, request->correlation, 0, 0, parts, request->count);
    return true;
}

static inline bool silence(struct fake *fake, const struct fake_request *request, struct bytes *out)
{
    (void)fake;
    (void)request;
    (void)out;
    return true;
}

#endif
