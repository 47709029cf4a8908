/* One unit whose leads have clocks: what is told and what is counted of them, whatever happens. The
 * program names its suite: CLOCK_SUITE. */
#ifndef CLOCK_CASES_H
#define CLOCK_CASES_H

#include "pipeline_cases.h"

#include "pact/sums.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US (60 * MINUTE_US)
#define HOUR_MS (HOUR_US / 1000)

static const char PACT[] =
    "agreement: pact\nversion: 1\n"
    "behaviour:\n  - {id: page, event: visit, points: 10}\n"
    "gates: {mql: {score: 5}, sql: {score: 10}}\n"
    "sales:\n  first_contact: {within: 4h, remind: 1h, owner: Ann, escalate_to: Bob}\n"
    "  verdict: {within: 48h}\n  next_update: {within: 24h}\n";

static struct world world;

static inline void start(void)
{
    world_init(&world, 1, 1);
    agreement_destroy(world.agreement);
    world.agreement = world_parse(PACT);
    world.config.agreement = world.agreement;
    world.output = OUTPUT_JSON;
}

static inline int64_t now_ms(void)
{
    return world.clock.wall_ms;
}

static inline void append_arrived(const char *lead, const char *kind, int64_t time_ms,
                                  const char *rest, int64_t arrived_ms)
{
    char value[512];
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"%s\",\"event_id\":\"e%" PRIu64
                   "\",\"lead_id\":\"%s\",\"time\":%" PRId64 "%s}",
                   kind, world.events++, lead, time_ms, rest);
    struct memory_input input = {.timestamp_ms = arrived_ms,
                                 .key = lead,
                                 .key_size = strlen(lead),
                                 .value = value,
                                 .value_size = strlen(value)};
    world.ends[0] = memory_log_append(world.log, 0, &input) + 1;
}

static inline void append(const char *lead, const char *kind, int64_t time_ms, const char *rest)
{
    append_arrived(lead, kind, time_ms, rest, now_ms());
}

static inline void visit(const char *lead)
{
    append(lead, "visit", now_ms(), "");
}

static inline void report(const char *lead, const char *what, int64_t at_ms)
{
    char rest[128];
    (void)snprintf(rest, sizeof rest, ",\"report\":\"%s\",\"at\":%" PRId64, what, at_ms);
    append(lead, "feedback", now_ms(), rest);
}

/* Until all that is in the log is committed and stored, and nothing more comes. */
static inline void rest(void)
{
    for (int i = 0; i < 5; i++) {
        world_find_ends(&world);
        cr_assert(world_settle(&world, 20000), "it does not settle");
        steps(&world, 300);
    }
}

static inline void pass(int64_t us)
{
    memory_clock_advance(&world.clock, us);
    steps(&world, 600);
}

static inline void another_owner(void)
{
    owner_kill(&world, 0);
    owner_start(&world, 0);
    steps(&world, 400);
}

static inline const char *id_of(const struct outgoing_message *message)
{
    static char id[400];
    for (size_t i = 0; i < message->header_count; i++)
        if (strcmp(message->headers[i].name, "ce_id") == 0) {
            (void)snprintf(id, sizeof id, "%.*s", (int)message->headers[i].value_size,
                           (const char *)message->headers[i].value);
            return id;
        }
    return "";
}

static inline unsigned told(const char *id)
{
    unsigned count = 0;
    for (size_t i = 0; i < memory_log_output_count(world.log, TOPIC_BREACHES); i++)
        count += strcmp(id_of(memory_log_output(world.log, TOPIC_BREACHES, i)), id) == 0;
    return count;
}

static inline size_t told_in_all(void)
{
    return memory_log_output_count(world.log, TOPIC_BREACHES);
}

static inline int64_t counted_broken(void)
{
    static const struct calendar_span ever = {0, INT32_MAX};
    struct store *store = memory_store_create(world.db);
    struct pact_sums *sums = sums_create();
    struct field *days, *words;
    size_t day_count, word_count;
    struct error error;
    struct arena arena;
    arena_init(&arena, 65536);
    cr_assert_eq(store->peek(store, 0, STORE_DAYS, &arena, &days, &day_count, &error), STATUS_OK);
    cr_assert_eq(store->peek(store, 0, STORE_WORDS, &arena, &words, &word_count, &error),
                 STATUS_OK);
    cr_assert(sums_add_unit(sums, days, day_count, words, word_count, ever));
    int64_t broken = 0;
    for (const char *clock = "012"; *clock; clock++)
        broken += sums_get(sums, PACT_BROKEN, PACT_ALL, "", (char[]){*clock, 0}, ever);
    sums_destroy(sums);
    arena_fini(&arena);
    store->destroy(store);
    return broken;
}

/* Whatever happened: each promise that was told as broken, and not as kept after all, is counted.
 */
static inline void expect_counted(void)
{
    int64_t broken = 0;
    if (world.owners[0].worker)
        rest();
    for (size_t i = 0; i < told_in_all(); i++) {
        const char *id = id_of(memory_log_output(world.log, TOPIC_BREACHES, i));
        broken += strstr(id, "/kept") ? -1 : !strstr(id, "/reminder");
    }
    cr_expect_eq(counted_broken(), broken);
}

static inline void end(void)
{
    world_fini(&world);
}

#define COUNTED(name)                                                                              \
    static void name(void);                                                                        \
    Test(CLOCK_SUITE, name)                                                                        \
    {                                                                                              \
        name();                                                                                    \
        expect_counted();                                                                          \
    }                                                                                              \
    static void name(void)

static inline void promote(const char *lead)
{
    owner_start(&world, 0);
    visit(lead);
    rest();
    cr_assert_eq(memory_log_output_count(world.log, TOPIC_PROMOTIONS), 1);
}

#endif
