/* Versions of the agreement: a live unit goes over at the first event of the next one's day, and
 * whoever folds the log again goes over at the same event. */
#include "pipeline_cases.h"

#include <unistd.h>

#define HOUR_MS INT64_C(3600000)
#define TURN_MS (WORLD_T0 + HOUR_MS) /* midnight in the zone of the second version */
#define SECOND "zone: Etc/GMT-11\neffective: 2026-11-02\n"

struct set {
    char path[64];
    struct versions *versions[2];
    const struct versions *_Atomic current;
};
static struct set set;

static void put(const char *name, const char *text, const char *more)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s.yaml", set.path, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    (void)fprintf(file, "%s%s", text, more);
    (void)fclose(file);
}

static struct versions *load_set(void)
{
    struct versions *versions;
    struct text_buffer messages;
    text_buffer_init(&messages);
    cr_assert_eq(versions_load(set.path, &versions, &messages), STATUS_OK, "%s", messages.data);
    text_buffer_fini(&messages);
    return versions;
}

static struct agreement *parse_with(const char *text, const char *more)
{
    struct text_buffer all;
    text_buffer_init(&all);
    text_buffer_print(&all, "%s%s", text, more);
    struct agreement *agreement = world_parse(all.data);
    text_buffer_fini(&all);
    return agreement;
}

/* The world's two agreements as versions: the second one from TURN_MS on, unless `second` says
 * otherwise. */
static void world_with(struct world *world, uint32_t units, const char *second)
{
    world_init(world, units, 1);
    agreement_destroy(world->agreement);
    agreement_destroy(world->other);
    world->agreement = parse_with(WORLD_AGREEMENT, "effective: 2026-10-01\n");
    world->other = parse_with(WORLD_OTHER_AGREEMENT, second);
    world->config.agreement = world->agreement;
    world->input.max_ahead_ms = 24 * HOUR_MS;
    set = (struct set){.path = "/tmp/baton-turn-XXXXXX"};
    cr_assert(mkdtemp(set.path));
    put("first", WORLD_AGREEMENT, "effective: 2026-10-01\n");
    put("second", WORLD_OTHER_AGREEMENT, second);
    set.versions[0] = load_set();
    atomic_init(&set.current, set.versions[0]);
    world->config.versions = &set.current;
}

static void end_set(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -r %s", set.path);
    cr_assert_eq(system(command), 0);
    versions_destroy(set.versions[0]);
    versions_destroy(set.versions[1]);
}

/* Live under the first version, all committed and stored. */
static void begin_with(struct world *world, uint32_t units)
{
    world_with(world, units, SECOND);
    add_events(world, 60);
    owner_start(world, 0);
    settle(world);
}

static int64_t append_visit(struct world *world, uint32_t unit, int64_t time_ms, const char *agent)
{
    char lead[32], value[256];
    world_lead(world, unit, 1, lead);
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"visit\",\"event_id\":\"e%" PRIu64
                   "\",\"lead_id\":\"%s\",\"time\":%" PRId64
                   ",\"page\":\"/pricing\",\"user_agent\":\"%s\"}",
                   world->events, lead, time_ms, agent);
    return world_append_text(world, unit, lead, value);
}

static void expect_switch(struct world *world, uint32_t unit, size_t count, int64_t position)
{
    struct commit_metadata metadata;
    world_metadata(world, unit, &metadata);
    cr_assert_eq(metadata.switch_count, count);
    cr_assert_eq(metadata.switches[count - 1].position, position);
    cr_assert_str_eq(metadata.agreement, agreement_hash(world->other));
}

static void expect_exact_set(struct world *world)
{
    expect_exact(world);
    end_set();
}

Test(pipeline_versions, a_live_unit_goes_over_at_the_first_event_of_its_time)
{
    struct world world;
    begin_with(&world, 1);
    add_events(&world, 20);
    int64_t turn = append_visit(&world, 0, TURN_MS, "");
    add_events(&world, 200); /* in the same batch; of some the second version drops the agent */
    settle(&world);
    expect_switch(&world, 0, 2, turn);
    cr_assert_str_eq(field_text(&world, 0, "agreement"), agreement_hash(world.other));
    cr_assert_gt(FIGURE(&world, ignored), 10);
    expect_exact_set(&world);
}

Test(pipeline_versions, a_millisecond_before_its_day_it_stays)
{
    struct world world;
    begin_with(&world, 1);
    (void)append_visit(&world, 0, TURN_MS - 1, "");
    settle_more(&world, 20);
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_str_eq(metadata.agreement, agreement_hash(world.agreement));
    cr_assert_eq(metadata.switch_count, 1);
    expect_exact_set(&world);
}

Test(pipeline_versions, events_of_before_that_come_late_are_folded_under_the_new_one)
{
    struct world world;
    begin_with(&world, 1);
    int64_t turn = append_visit(&world, 0, TURN_MS + 5, "");
    (void)append_visit(&world, 0, TURN_MS - HOUR_MS, "");
    (void)append_visit(&world, 0, TURN_MS + 7, "");
    settle(&world);
    expect_switch(&world, 0, 2, turn);
    expect_exact_set(&world);
}

Test(pipeline_versions, each_unit_has_its_own_turn)
{
    struct world world;
    begin_with(&world, 3);
    int64_t turns[3];
    for (uint32_t unit = 0; unit < 2; unit++) {
        add_events(&world, 31);
        turns[unit] = append_visit(&world, unit, TURN_MS, "");
    }
    settle_more(&world, 60);
    expect_switch(&world, 0, 2, turns[0]);
    expect_switch(&world, 1, 2, turns[1]);
    struct commit_metadata metadata;
    world_metadata(&world, 2, &metadata);
    cr_assert_str_eq(metadata.agreement, agreement_hash(world.agreement));
    expect_exact_set(&world);
}

/* R before the turn, at it and behind it; K behind it. */
Test(pipeline_versions, a_replay_goes_over_at_the_same_event)
{
    for (int where = 0; where < 3; where++) {
        struct world world;
        begin_with(&world, 1);
        if (where == 0)
            memory_db_save(world.db);
        settle_more(&world, 20);
        if (where == 1)
            memory_db_save(world.db);
        int64_t turn = append_visit(&world, 0, TURN_MS, "");
        cr_assert(where != 1 || world_stored(&world, 0) == turn);
        settle_more(&world, 40);
        if (where == 2)
            memory_db_save(world.db);
        settle_more(&world, 40);
        owner_kill(&world, 0);
        memory_db_fall_back(world.db);
        owner_start(&world, 0);
        expect_live(&world);
        expect_switch(&world, 0, 2, turn);
        settle_more(&world, 40);
        expect_switch(&world, 0, 2, turn);
        expect_exact_set(&world);
    }
}

/* Killed at each moment from before the turn to behind its first commit and checkpoint. */
Test(pipeline_versions, a_kill_at_any_moment_of_the_turn)
{
    for (int moment = 0; moment < 400; moment += moment < 60 ? 1 : 17) {
        struct world world;
        begin_with(&world, 1);
        add_events(&world, 20);
        int64_t turn = append_visit(&world, 0, TURN_MS, "");
        add_events(&world, 20);
        steps(&world, moment);
        owner_kill(&world, 0);
        owner_start(&world, 0);
        settle_more(&world, 20);
        expect_switch(&world, 0, 2, turn);
        expect_exact_set(&world);
    }
}

Test(pipeline_versions, a_transaction_that_fails_at_the_turn)
{
    struct world world;
    begin_with(&world, 1);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_ABORT);
    add_events(&world, 10);
    int64_t turn = append_visit(&world, 0, TURN_MS, "");
    add_events(&world, 10);
    steps(&world, 300);
    memory_sink_set_outcome(world.owners[0].ports.sink, MEMORY_COMMIT);
    settle(&world);
    expect_switch(&world, 0, 2, turn);
    expect_exact_set(&world);
}

/* The new version drops the very event that it begins with: no time says then that its day has
 * come, and the unit does not go back. */
Test(pipeline_versions, a_unit_never_goes_back_to_an_earlier_version)
{
    struct world world;
    begin_with(&world, 1);
    memory_db_save(world.db);
    int64_t turn = append_visit(&world, 0, TURN_MS, "Googlebot/2.1");
    settle_more(&world, 20);
    expect_switch(&world, 0, 2, turn);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    settle_more(&world, 20);
    expect_switch(&world, 0, 2, turn);
    expect_exact_set(&world);
}

Test(pipeline_versions, a_new_unit_is_under_the_version_of_its_first_event)
{
    struct world world;
    world_with(&world, 1, "effective: 2026-10-02\n");
    owner_start(&world, 0);
    settle_more(&world, 60);
    expect_switch(&world, 0, 1, 0);
    expect_exact_set(&world);
}

Test(pipeline_versions, a_start_behind_the_day_goes_over_at_its_event)
{
    struct world world;
    world_with(&world, 1, SECOND);
    add_events(&world, 30);
    int64_t turn = append_visit(&world, 0, TURN_MS, "");
    add_events(&world, 30);
    owner_start(&world, 0);
    settle(&world);
    expect_switch(&world, 0, 2, turn);
    expect_exact_set(&world);
}

static uint64_t ends_of(struct world *world, uint32_t units)
{
    uint64_t sum = 0;
    for (uint32_t unit = 0; unit < units; unit++)
        sum += (uint64_t)memory_log_end(world->log, unit);
    return sum;
}

Test(pipeline_versions, a_unit_to_which_nothing_comes_is_carried_over_once)
{
    struct world world;
    begin_with(&world, 2);
    uint64_t before = ends_of(&world, 2);
    int64_t other = memory_log_end(world.log, 1);
    memory_clock_advance(&world.clock, (HOUR_MS + 50000) * 1000);
    steps(&world,
          300); /* some clock time passes with them; what is judged of the day carries 0 over */
    cr_assert_eq(memory_log_end(world.log, 1), other, "too early");
    memory_clock_advance(&world.clock, INT64_C(20000000));
    steps(&world, 600);
    cr_assert_eq(ends_of(&world, 2), before + 2);
    memory_clock_advance(&world.clock, INT64_C(200000000));
    steps(&world, 600);
    cr_assert_eq(ends_of(&world, 2), before + 2, "more than once");
    world_find_ends(&world);
    settle(&world);
    for (uint32_t unit = 0; unit < 2; unit++)
        expect_switch(&world, unit, 2, memory_log_end(world.log, unit) - 1);
    settle_more(&world, 40);
    expect_exact_set(&world);
}

/* Another set with a text that is in force already: all that is folded from here on is under it. */
Test(pipeline_versions, another_text_of_the_same_day_is_in_force_at_once)
{
    struct world world;
    world_with(&world, 2, "effective: 2026-10-02\n");
    char path[128];
    (void)snprintf(path, sizeof path, "%s/second.yaml", set.path);
    cr_assert_eq(unlink(path), 0);
    versions_destroy(set.versions[0]);
    set.versions[0] = load_set();
    atomic_store(&set.current, set.versions[0]);
    add_events(&world, 60);
    owner_start(&world, 0);
    settle(&world);
    put("second", WORLD_OTHER_AGREEMENT, "effective: 2026-10-02\n");
    set.versions[1] = load_set();
    int64_t positions[2] = {memory_log_end(world.log, 0), memory_log_end(world.log, 1)};
    atomic_store(&set.current, set.versions[1]);
    steps(&world, 2);
    settle_more(&world, 60);
    for (uint32_t unit = 0; unit < 2; unit++)
        expect_switch(&world, unit, 2, positions[unit]);
    expect_exact_set(&world);
}

Test(pipeline_versions, another_set_in_the_middle_of_events)
{
    for (int moment = 0; moment < 40; moment++) {
        struct world world;
        world_with(&world, 1, "effective: 2026-10-02\n");
        char path[128];
        (void)snprintf(path, sizeof path, "%s/second.yaml", set.path);
        cr_assert_eq(unlink(path), 0);
        set.versions[1] = load_set();
        atomic_store(&set.current, set.versions[1]);
        world.batch = 7;
        add_events(&world, 30);
        owner_start(&world, 0);
        settle(&world);
        add_events(&world, 100);
        steps(&world, moment);
        atomic_store(&set.current, set.versions[0]); /* with the second one */
        steps(&world, 3);
        if (moment % 2) {
            owner_kill(&world, 0);
            owner_start(&world, 0);
        }
        settle_more(&world, 20);
        struct commit_metadata metadata;
        world_metadata(&world, 0, &metadata);
        cr_assert_str_eq(metadata.agreement, agreement_hash(world.other));
        expect_exact_set(&world);
    }
}

Test(pipeline_versions, a_set_that_comes_while_the_store_is_away)
{
    struct world world;
    begin_with(&world, 1);
    put("second", WORLD_OTHER_AGREEMENT, SECOND "forget: 700d\n");
    set.versions[1] = load_set();
    agreement_destroy(world.other);
    world.other = parse_with(WORLD_OTHER_AGREEMENT, SECOND "forget: 700d\n");
    memory_db_set_away(world.db, true);
    steps(&world, 30);
    atomic_store(&set.current, set.versions[1]);
    int64_t turn = append_visit(&world, 0, TURN_MS, "");
    steps(&world, 30);
    memory_db_set_away(world.db, false);
    settle_more(&world, 30);
    expect_switch(&world, 0, 2, turn);
    expect_exact_set(&world);
}

/* The metadata knows the last four only. */
Test(pipeline_versions, more_turns_than_metadata_remembers)
{
    struct world world;
    world_with(&world, 1, "effective: 2026-10-02\n");
    char name[8], more[64], version[1024];
    for (int day = 2; day <= 7; day++) {
        (void)snprintf(name, sizeof name, "v%d", day);
        (void)snprintf(version, sizeof version, "agreement: world\nversion: %d\n%s", day + 1,
                       strstr(WORLD_OTHER_AGREEMENT, "behaviour"));
        (void)snprintf(more, sizeof more, "effective: 2026-11-%02d\n", day);
        put(name, version, more);
    }
    set.versions[1] = load_set();
    atomic_store(&set.current, set.versions[1]);
    world.input.max_ahead_ms = 30 * 24 * HOUR_MS;
    owner_start(&world, 0);
    settle_more(&world, 30);
    memory_db_save(world.db);
    for (int day = 2; day <= 7; day++) {
        (void)append_visit(&world, 0, WORLD_T0 + (day - 1) * 24 * HOUR_MS, "");
        settle_more(&world, 10);
    }
    struct commit_metadata metadata;
    world_metadata(&world, 0, &metadata);
    cr_assert_eq(metadata.switch_count, UNIT_SWITCHES);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    expect_stopped(&world, "the agreement has changed more than");
    world_fini(&world);
    end_set();
}

/* ---- A shadow beside them ---- */

/* `page` is the first version's, and its own beside the second one; six visits are enough. */
static const char shadow_text[] =
    "agreement: next\nversion: 3\nzone: Pacific/Auckland\n"
    "behaviour:\n"
    "  - {id: page, event: visit, points: 5, at_most: {times: 3, per: "
    "hour}}\n"
    "gates:\n  mql: {score: 10}\n  sql: {score: 30}\n";

static void appears(struct world *world, const char *lead, const char *kind, int64_t time_ms)
{
    char value[256];
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"%s\",\"event_id\":\"e%" PRIu64
                   "\",\"lead_id\":\"%s\",\"time\":%" PRId64 ",\"page\":\"/docs\"}",
                   kind, world->events, lead, time_ms);
    (void)world_append_text(world, 0, lead, value);
}

static struct baton_shadowed shadowed(struct world *world, const char *id)
{
    struct stored_lead stored;
    struct baton_lead lead;
    struct lead_table table;
    lead_table_init(&table, SIZE_MAX);
    baton_lead_init(&lead);
    cr_assert(memory_db_lead(world->db, 0, (struct baton_text){id, (uint32_t)strlen(id)}, &stored));
    cr_assert_eq(baton_lead_unpack(&lead, stored.packed, stored.packed_size,
                                   world->config.words_capacity, &table.allocator),
                 BATON_UNPACKED);
    struct baton_shadowed times = {.of = 0};
    if (lead.history)
        times = lead.history->shadow;
    baton_lead_fini(&lead, &table.allocator);
    lead_table_fini(&table);
    return times;
}

enum kill { NO_KILL, KILL_WHAT_IS_BEHIND_THE_TURN, KILL_ALL_SINCE_BEFORE_IT };

static void come_back(struct world *world)
{
    owner_kill(world, 0);
    memory_db_fall_back(world->db);
    owner_start(world, 0);
}

static void a_shadow_across_the_turn(enum kill kill)
{
    struct world world;
    world_with(&world, 1, SECOND);
    struct agreement *shadow = world_parse(shadow_text);
    world.config.shadow = shadow;
    add_events(&world, 30);
    owner_start(&world, 0);
    settle(&world);
    memory_db_save(world.db);
    for (int i = 0; i < 3; i++)
        appears(&world, "lead", "visit", TURN_MS - HOUR_MS + i);
    settle(&world);
    if (kill == KILL_WHAT_IS_BEHIND_THE_TURN)
        memory_db_save(world.db);
    appears(&world, "another", "visit", TURN_MS);
    for (int i = 0; i < 2; i++)
        appears(&world, "lead", "form_fill", TURN_MS + 8 + i);
    for (int i = 0; i < 2; i++)
        appears(&world, "lead", "visit", TURN_MS + 10 + i);
    settle(&world);
    cr_expect_eq(shadowed(&world, "lead").sql_ms, 0);
    if (kill)
        come_back(&world);
    appears(&world, "lead", "visit", TURN_MS + 12);
    settle(&world);
    struct baton_shadowed times = shadowed(&world, "lead");
    cr_expect_eq(times.mql_ms, TURN_MS - HOUR_MS + 1, "%d", kill);
    cr_expect_eq(times.sql_ms, TURN_MS + 12, "%d", kill);
    cr_expect_eq(times.live_ms, TURN_MS + 9, "under the second version alone: %d", kill);
    world_fini(&world);
    agreement_destroy(shadow);
    end_set();
}

Test(pipeline_versions, a_shadow_runs_beside_the_version_of_each_event)
{
    for (enum kill kill = NO_KILL; kill <= KILL_ALL_SINCE_BEFORE_IT; kill++)
        a_shadow_across_the_turn(kill);
}

Test(pipeline_versions, a_shadow_that_cannot_run_beside_a_version_rests)
{
    struct world world;
    world_with(&world, 1, SECOND);
    struct agreement *shadow =
        parse_with(shadow_text, "fit: [{id: plan, where: {properties.plan: gold}, points: 5}]\n");
    world.config.shadow = shadow;
    add_events(&world, 60);
    owner_start(&world, 0);
    settle(&world);
    int64_t turn = append_visit(&world, 0, TURN_MS, "");
    settle_more(&world, 60);
    expect_switch(&world, 0, 2, turn);
    expect_exact_set(&world);
    agreement_destroy(shadow);
}
