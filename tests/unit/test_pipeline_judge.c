/* Goals and dates: judged when nothing more can come that counts, told once, revised by what came
 * late, whoever owns unit 0 and whatever happens to it. */
#include "pipeline_cases.h"

#include <unistd.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define MIDNIGHT (WORLD_T0 + 12 * HOUR_MS) /* the end of the first of November */

/* One in three customers: six SQLs are owed a day. */
static const char PROMISING[] = "agreement: world\nversion: 1\n"
                                "behaviour:\n  - {id: page, event: visit, points: 10}\n"
                                "gates: {mql: {score: 5}, sql: {score: 10}}\n"
                                "goals:\n"
                                "  customers: {at_least: 2, per: day, owner: Head of Sales}\n"
                                "  conversion: {one_in: 3, owner: Head of Sales}\n";
static const char DATED[] = "agreement: world\nversion: 1\nexpires: 2026-11-20\n"
                            "review: {every: month, next: 2026-11-09, owner: Ana}\n"
                            "meeting: week\n"
                            "behaviour:\n  - {id: page, event: visit, points: 10}\n"
                            "gates: {mql: {score: 5}, sql: {score: 10}}\n";

static struct world world;

/* Something arrives that changes no stage. */
static void arrive(uint32_t unit, int64_t arrived_ms, int64_t time_ms)
{
    char value[200];
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"email_opened\",\"event_id\":\"early-%" PRIu64
                   "\",\"lead_id\":\"early\",\"time\":%" PRId64 "}",
                   world.events, time_ms);
    struct memory_input input = {.timestamp_ms = arrived_ms,
                                 .key = "early",
                                 .key_size = 5,
                                 .value = value,
                                 .value_size = strlen(value)};
    world.ends[unit] = memory_log_append(world.log, unit, &input) + 1;
    world.events++;
}

static void begin_today(const char *agreement, uint32_t units)
{
    world_init(&world, units, 1);
    agreement_destroy(world.agreement);
    world.agreement = world_parse(agreement);
    world.config.agreement = world.agreement;
}

/* Counting began the day before. */
static void begin_promising(const char *agreement, uint32_t units)
{
    begin_today(agreement, units);
    arrive(0, WORLD_T0 - DAY_MS, WORLD_T0 - DAY_MS);
}

/* A new lead, promoted at once, by an event of that time. */
static void promote(const char *lead, int64_t time_ms)
{
    char value[200];
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"visit\",\"event_id\":\"%s\",\"lead_id\":\"%s\",\"time\":%" PRId64
                   ",\"page\":\"/\"}",
                   lead, lead, time_ms);
    (void)world_append_text(&world, 0, lead, value);
}

static void promote_some(const char *prefix, int count)
{
    for (int i = 0; i < count; i++) {
        char lead[32];
        (void)snprintf(lead, sizeof lead, "%s-%d", prefix, i);
        promote(lead, WORLD_T0 + i);
    }
}

/* So much time, in small steps for all owners that there are. */
static void pass(int64_t milliseconds)
{
    int64_t step_ms = milliseconds > 10 * MINUTE_MS ? milliseconds / 600 : 1000;
    for (int64_t passed = 0; passed < milliseconds; passed += step_ms) {
        memory_clock_advance(&world.clock, step_ms * 1000);
        for (int i = 0; i < 4; i++)
            for (int owner = 0; owner < WORLD_OWNERS_MAX; owner++)
                owner_step(&world, owner);
    }
}

/* In one leap, and then two minutes for what is to be done. */
static void leap_to(int64_t time_ms)
{
    memory_clock_advance(&world.clock, (time_ms - world.clock.wall_ms) * 1000);
    pass(2 * MINUTE_MS);
}

static size_t told(void)
{
    return memory_log_output_count(world.log, TOPIC_BREACHES);
}

static const char *header_of(const struct outgoing_message *message, const char *name)
{
    static char room[256];
    room[0] = 0;
    for (size_t i = 0; i < message->header_count; i++)
        if (strcmp(message->headers[i].name, name) == 0)
            (void)snprintf(room, sizeof room, "%.*s", (int)message->headers[i].value_size,
                           (const char *)message->headers[i].value);
    return room;
}

/* How many records have this id. */
static size_t told_as(const char *id, const char *type)
{
    size_t count = 0;
    for (size_t i = 0; i < told(); i++) {
        const struct outgoing_message *message = memory_log_output(world.log, TOPIC_BREACHES, i);
        if (strcmp(header_of(message, "ce_id"), id) != 0)
            continue;
        cr_expect_str_eq(header_of(message, "ce_type"), type, "%s", id);
        count++;
    }
    return count;
}

/* Three of six SQLs, none of two customers, all counted; the day is not over. */
static void begin_short(void)
{
    begin_promising(PROMISING, 1);
    promote_some("a", 3);
    owner_start(&world, 0);
    settle(&world);
    cr_assert_eq(memory_log_output_count(world.log, TOPIC_PROMOTIONS), 3);
}

static void expect_both_told(void)
{
    cr_expect_eq(told_as("world/customers/2026-11-01", "baton.breach"), 1);
    cr_expect_eq(told_as("world/delivery/2026-11-01", "baton.breach"), 1);
    cr_expect_eq(told(), 2);
}

Test(pipeline_judge, a_day_is_judged_once_when_all_has_arrived, .timeout = 120)
{
    begin_short();
    leap_to(MIDNIGHT + 5 * MINUTE_MS);
    cr_expect_eq(told(), 0, "what is late on its way may still come");
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    expect_both_told();
    pass(3 * HOUR_MS);
    expect_both_told();
    expect_exact(&world);
}

Test(pipeline_judge, a_promise_that_is_kept_is_not_told, .timeout = 120)
{
    begin_promising(PROMISING, 1);
    promote_some("a", 6);
    owner_start(&world, 0);
    settle(&world);
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    cr_expect_eq(told_as("world/delivery/2026-11-01", "baton.breach"), 0);
    cr_expect_eq(told_as("world/customers/2026-11-01", "baton.breach"), 1);
    expect_exact(&world);
}

Test(pipeline_judge, what_came_late_revises_and_what_changes_nothing_does_not, .timeout = 120)
{
    begin_short();
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    expect_both_told();
    promote_some("late", 3);
    pass(2 * HOUR_MS);
    cr_expect_eq(told_as("world/delivery/2026-11-01/1", "baton.correction"), 1);
    cr_expect_eq(told(), 3);
    promote("next-day", MIDNIGHT + HOUR_MS);
    pass(2 * HOUR_MS);
    cr_expect_eq(told(), 3);
    expect_exact(&world);
}

/* Of a month, so that it is still among the last two when the week is over. */
Test(pipeline_judge, after_a_week_a_judgement_stands, .timeout = 120)
{
    static const char monthly[] =
        "agreement: world\nversion: 1\n"
        "behaviour:\n  - {id: page, event: visit, points: 10}\n"
        "gates: {mql: {score: 5}, sql: {score: 10}}\n"
        "goals: {others: [{id: sqls, measure: sqls, at_least: 6, per: month, "
        "owner: Ana}]}\n";
    begin_promising(monthly, 1);
    promote_some("a", 3);
    owner_start(&world, 0);
    settle(&world);
    int64_t december = WORLD_T0 - 12 * HOUR_MS + 30 * DAY_MS;
    leap_to(december + 11 * MINUTE_MS);
    cr_expect_eq(told_as("world/sqls/2026-11", "baton.breach"), 1);
    leap_to(december + 6 * DAY_MS);
    promote_some("late", 1);
    pass(2 * HOUR_MS);
    cr_expect_eq(told_as("world/sqls/2026-11/1", "baton.breach"), 1);
    leap_to(december + 8 * DAY_MS);
    promote_some("later", 2);
    pass(2 * HOUR_MS);
    cr_expect_eq(told(), 2);
    expect_exact(&world);
}

Test(pipeline_judge, days_from_before_anything_was_counted_are_not_judged, .timeout = 120)
{
    begin_short();
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    cr_expect_eq(told_as("world/customers/2026-10-31", "baton.breach"), 0);
    expect_both_told();
    expect_exact(&world);
}

/* Of days before there are events, which arrived today. */
Test(pipeline_judge, the_day_on_which_counting_began_is_not_judged, .timeout = 120)
{
    begin_today(PROMISING, 1);
    arrive(0, WORLD_T0, WORLD_T0 - 3 * DAY_MS);
    owner_start(&world, 0);
    settle(&world);
    cr_expect_str_eq(field_text(&world, 0, "counted_from"), "20758");
    cr_expect_str_eq(field_text(&world, 0, "counted_at"), "0");
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    cr_expect_eq(told(), 0);
    leap_to(MIDNIGHT + DAY_MS + 11 * MINUTE_MS);
    cr_expect_eq(told_as("world/customers/2026-11-02", "baton.breach"), 1);
    cr_expect_eq(told_as("world/delivery/2026-11-02", "baton.breach"), 1);
    cr_expect_eq(told(), 2);
    expect_exact(&world);
}

/* Its log begins with the record: nothing of it was missed. */
Test(pipeline_judge, a_unit_that_nothing_came_to_before_has_counted_all, .timeout = 120)
{
    begin_promising(PROMISING, 2);
    arrive(1, WORLD_T0, WORLD_T0);
    owner_start(&world, 0);
    settle(&world);
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    expect_both_told();
    expect_exact(&world);
}

Test(pipeline_judge, a_unit_that_is_behind_holds_the_judgement_up, .timeout = 120)
{
    begin_promising(PROMISING, 2);
    owner_start(&world, 0);
    owner_start(&world, 1);
    promote_some("a", 3);
    settle(&world);
    pass(30000);
    cr_assert(*field_text(&world, 1, "passed"), "a unit that nothing comes to says so");
    int judging = world.owners[0].worker && worker_position(world.owners[0].worker, 0) >= 0 ? 0 : 1;
    memory_clock_advance(&world.clock, 13 * HOUR_MS * 1000);
    for (int i = 0; i < 100; i++) {
        memory_clock_advance(&world.clock, 1000000);
        owner_step(&world, judging); /* the owner of the other unit hangs */
    }
    cr_expect_eq(told(), 0);
    pass(60000);
    cr_expect_eq(told_as("world/customers/2026-11-01", "baton.breach"), 1);
    expect_exact(&world);
}

/* The own event is in the log, and its fold is not committed. */
Test(pipeline_judge, an_owner_that_dies_behind_its_judgement_tells_once, .timeout = 120)
{
    for (int more = 0; more < 6; more++) {
        begin_short();
        int64_t end = memory_log_end(world.log, 0);
        memory_clock_advance(&world.clock, (12 * HOUR_MS + 11 * MINUTE_MS) * 1000);
        for (int i = 0; i < 100000 && memory_log_end(world.log, 0) == end; i++) {
            memory_clock_advance(&world.clock, 20000);
            owner_step(&world, 0);
        }
        cr_assert_gt(memory_log_end(world.log, 0), end, "no judgement was written");
        steps(&world, more * 3);
        owner_kill(&world, 0);
        owner_start(&world, 0);
        pass(2 * MINUTE_MS);
        expect_both_told();
        expect_exact(&world);
    }
}

Test(pipeline_judge, a_store_that_fell_back_tells_nothing_anew, .timeout = 120)
{
    begin_short();
    memory_db_save(world.db);
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    expect_both_told();
    settle(&world);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    pass(2 * HOUR_MS);
    expect_both_told();
    expect_exact(&world);
}

Test(pipeline_judge, a_new_owner_knows_what_stands, .timeout = 120)
{
    begin_short();
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    settle(&world);
    cr_assert(worker_drain(world.owners[0].worker));
    owner_kill(&world, 0);
    cr_assert_not_null(memory_db_hash(world.db, 0, STORE_DAYS, "judged").data);
    int64_t end = memory_log_end(world.log, 0);
    owner_start(&world, 0);
    pass(2 * HOUR_MS);
    cr_expect_eq(memory_log_end(world.log, 0), end, "it writes no judgement that stands already");
    expect_both_told();
    expect_exact(&world);
}

/* The first version promises three SQLs a day, the one of the second day nine. */
#define OTHERS(count)                                                                              \
    "behaviour:\n  - {id: page, event: visit, points: 10}\n"                                       \
    "gates: {mql: {score: 5}, sql: {score: 10}}\n"                                                 \
    "goals: {others: [{id: sqls, measure: sqls, at_least: " count ", per: day, owner: Ana}]}\n"

static void write_version(const char *folder, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s.yaml", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

Test(pipeline_judge, a_day_is_judged_by_the_version_of_that_day, .timeout = 120)
{
    static const char first[] = "agreement: world\nversion: 1\neffective: 2026-10-01\n" OTHERS("3");
    static const char second[] =
        "agreement: world\nversion: 2\neffective: 2026-11-02\n" OTHERS("9");
    char folder[] = "/tmp/baton-judge-XXXXXX", command[64];
    struct versions *versions;
    struct text_buffer messages;
    begin_promising(first, 1);
    cr_assert_not_null(mkdtemp(folder));
    write_version(folder, "first", first);
    write_version(folder, "second", second);
    text_buffer_init(&messages);
    cr_assert_eq(versions_load(folder, &versions, &messages), STATUS_OK, "%s", messages.data);
    text_buffer_fini(&messages);
    const struct versions *_Atomic current = versions;
    world.config.versions = &current;
    promote_some("a", 3);
    owner_start(&world, 0);
    settle(&world);
    leap_to(MIDNIGHT + 11 * MINUTE_MS);
    promote("b", MIDNIGHT + MINUTE_MS); /* the first event of the second day */
    pass(2 * HOUR_MS);
    cr_expect_eq(told(), 0, "the first day was met by what was promised then");
    leap_to(MIDNIGHT + DAY_MS + 11 * MINUTE_MS);
    cr_expect_eq(told_as("world/sqls/2026-11-02", "baton.breach"), 1);
    cr_expect_eq(told(), 1);
    world_fini(&world);
    versions_destroy(versions);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    cr_expect_eq(system(command), 0);
}

Test(pipeline_judge, dates_are_announced_once_each, .timeout = 120)
{
    begin_promising(DATED, 1);
    owner_start(&world, 0);
    settle(&world);
    leap_to(MIDNIGHT + HOUR_MS); /* Monday the 2nd, a week before the review */
    cr_expect_eq(told_as("world/review/2026-11-09", "baton.announcement"), 1);
    cr_expect_eq(told_as("world/meeting/2026-11-02", "baton.announcement"), 1);
    cr_expect_eq(told(), 2);
    leap_to(MIDNIGHT + 3 * DAY_MS);
    cr_expect_eq(told(), 2);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    leap_to(MIDNIGHT + 7 * DAY_MS + HOUR_MS); /* Monday the 9th */
    cr_expect_eq(told_as("world/review/2026-11-09/1", "baton.announcement"), 1);
    cr_expect_eq(told_as("world/meeting/2026-11-09", "baton.announcement"), 1);
    cr_expect_eq(told(), 4);
    leap_to(MIDNIGHT + 12 * DAY_MS); /* Saturday the 14th */
    cr_expect_eq(told_as("world/expiry/2026-11-20", "baton.announcement"), 1);
    cr_expect_eq(told(), 5);
    expect_exact(&world);
}
