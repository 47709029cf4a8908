/* Events of a unit and of no lead, the time of its newest event, and its clock. */
#include "pipeline_cases.h"

#include "codec/own_event.h"

#define HOUR_MS INT64_C(3600000)

static struct world world;

static struct unit_aggregates aggregates_of(uint32_t unit)
{
    struct field field = {{"aggregates", 10}, memory_db_field(world.db, unit, "aggregates")};
    struct unit_record record;
    struct error error;
    cr_assert_eq(unit_record_read(&field, 1, &record, &error), STATUS_OK, "%s", error.text);
    return record.aggregates;
}

static int64_t clock_of(uint32_t unit)
{
    struct commit_metadata metadata;
    world_metadata(&world, unit, &metadata);
    return metadata.clock_ms;
}

static void append_tick(uint32_t unit, int64_t time_ms)
{
    struct arena arena;
    struct outgoing_message tick;
    arena_init(&arena, 4096);
    own_event_tick(&arena, unit, time_ms, &tick);
    cr_assert(tick.partition == unit && tick.header_count == 1);
    struct memory_input input = {.timestamp_ms = tick.timestamp_ms,
                                 .key = tick.key,
                                 .key_size = tick.key_size,
                                 .value = tick.value,
                                 .value_size = tick.value_size,
                                 .headers = tick.headers,
                                 .header_count = tick.header_count};
    world.ends[unit] = memory_log_append(world.log, unit, &input) + 1;
    world.events++;
    arena_fini(&arena);
}

Test(pipeline_unit_events, a_tick_moves_the_time_and_no_lead)
{
    begin(&world, 2);
    struct unit_aggregates before = aggregates_of(1);
    size_t leads = memory_db_lead_count(world.db, 1), told = outputs(&world);
    append_tick(1, WORLD_T0 + HOUR_MS / 20);
    settle(&world);
    struct unit_aggregates after = aggregates_of(1);
    cr_expect_eq(after.position, before.position + 1);
    cr_expect_eq(after.newest_ms, WORLD_T0 + HOUR_MS / 20);
    cr_expect_lt(before.newest_ms, after.newest_ms);
    cr_expect_eq(after.events, before.events);
    cr_expect_eq(after.digest, before.digest);
    cr_expect_eq(memory_db_lead_count(world.db, 1), leads);
    cr_expect_eq(outputs(&world), told);
    expect_goes_on_exactly(&world);
}

Test(pipeline_unit_events, a_tick_is_folded_again_in_silence)
{
    begin(&world, 1);
    memory_db_save(world.db);
    append_tick(0, WORLD_T0 + HOUR_MS / 20);
    settle_more(&world, 30);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    size_t told = outputs(&world);
    owner_start(&world, 0);
    settle(&world);
    cr_expect_eq(aggregates_of(0).newest_ms, WORLD_T0 + HOUR_MS / 20);
    cr_expect_eq(outputs(&world), told);
    expect_goes_on_exactly(&world);
}

Test(pipeline_unit_events, a_tick_that_others_write_is_a_dead_letter)
{
    begin(&world, 1);
    size_t before = memory_log_output_count(world.log, TOPIC_DEAD);
    (void)world_append_text(&world, 0, "0",
                            "{\"kind\":\"tick\",\"event_id\":\"tick/0/1\",\"time\":1793534400000}");
    settle(&world);
    cr_expect_eq(memory_log_output_count(world.log, TOPIC_DEAD), before + 1);
    expect_exact(&world);
}

static void visit_at(const char *event, int64_t time_ms)
{
    char value[160];
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"visit\",\"event_id\":\"%s\",\"lead_id\":\"anna\",\"time\":%" PRId64
                   ",\"page\":\"/\"}",
                   event, time_ms);
    (void)world_append_text(&world, 0, "anna", value);
}

Test(pipeline_unit_events, the_newest_time_is_that_of_an_event_and_outlives_its_owner)
{
    begin(&world, 1);
    int64_t newest = WORLD_T0 + 200000;
    visit_at("new", newest);
    settle(&world);
    cr_expect_eq(aggregates_of(0).newest_ms, newest);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    visit_at("late", newest - 12 * HOUR_MS);
    settle(&world);
    cr_expect_eq(aggregates_of(0).newest_ms, newest, "a late event does not move it back");
    expect_goes_on_exactly(&world);
}

/* C is the t= of the committed metadata. The store may be behind, and never before it. */
Test(pipeline_unit_events, the_clock_outlives_its_owner_and_does_not_go_back)
{
    begin(&world, 1);
    int64_t clock = clock_of(0), stored = aggregates_of(0).clock_ms;
    cr_expect(stored > WORLD_T0 && stored <= clock);
    owner_kill(&world, 0);
    world.clock.wall_ms -= HOUR_MS;
    owner_start(&world, 0);
    settle_more(&world, 10);
    cr_expect_eq(clock_of(0), clock, "a wall clock that goes back does not take it along");
    cr_expect_eq(aggregates_of(0).clock_ms, clock);
    world.clock.wall_ms += 3 * HOUR_MS;
    settle_more(&world, 10);
    cr_expect_geq(clock_of(0), clock + HOUR_MS);
    expect_exact(&world);
}

Test(pipeline_unit_events, the_clock_of_the_metadata_wins_over_a_store_that_fell_back)
{
    begin(&world, 1);
    memory_db_save(world.db);
    int64_t stored = aggregates_of(0).clock_ms;
    world.clock.wall_ms += HOUR_MS;
    settle_more(&world, 30);
    int64_t clock = clock_of(0);
    cr_assert_geq(clock, stored + HOUR_MS);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    world.clock.wall_ms -= HOUR_MS;
    owner_start(&world, 0);
    settle_more(&world, 10);
    cr_expect_geq(clock_of(0), clock);
    cr_expect_geq(aggregates_of(0).clock_ms, clock);
    expect_exact(&world);
}
