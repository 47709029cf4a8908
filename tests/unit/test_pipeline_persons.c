/* Merges and erasures in a worker: over units, over crashes, and what is left in the store. */
#include "pipeline_cases.h"

static struct world world;
static char anna[32], bea[32], cookie[32]; /* in units 0, 1, 2 */

static void begin_persons(void)
{
    world_init(&world, 3, 5);
    world.persons = true;
    world_lead(&world, 0, 100, anna);
    world_lead(&world, 1, 101, bea);
    world_lead(&world, 2, 102, cookie);
}

static void visit(uint32_t unit, const char *lead)
{
    char value[256];
    snprintf(value, sizeof value,
             "{\"kind\":\"visit\",\"event_id\":\"v%" PRIu64
             "\",\"lead_id\":\"%s\",\"time\":%" PRId64 ",\"page\":\"/blog\"}",
             world.events, lead, WORLD_T0 + (int64_t)world.events * 1000);
    (void)world_append_text(&world, unit, lead, value);
}

static void form(uint32_t unit, const char *lead, const char *email)
{
    char value[256];
    snprintf(value, sizeof value,
             "{\"kind\":\"form_fill\",\"event_id\":\"f%" PRIu64
             "\",\"lead_id\":\"%s\",\"time\":%" PRId64 ",\"fields\":{\"email\":\"%s\"}}",
             world.events, lead, WORLD_T0 + (int64_t)world.events * 1000, email);
    (void)world_append_text(&world, unit, lead, value);
}

static bool is_stored(uint32_t unit, const char *lead)
{
    struct stored_lead found;
    struct baton_text id = {lead, (uint32_t)strlen(lead)};
    return memory_db_lead(world.db, unit, id, &found);
}

static size_t dead_letters(void)
{
    return memory_log_output_count(world.log, TOPIC_DEAD);
}

/* Appears somewhere in what the store holds of the unit's own hash. */
static bool unit_names(uint32_t unit, const char *prefix)
{
    char name[32];
    bool found = false;
    for (int i = 0; i < 3; i++) {
        const char *leads[] = {anna, bea, cookie};
        struct baton_text id = {leads[i], (uint32_t)strlen(leads[i])};
        snprintf(name, sizeof name, "%s:%016" PRIx64, prefix, tombstones_lead(id));
        found = found || memory_db_field(world.db, unit, name).data;
    }
    return found;
}

Test(pipeline_persons, an_erased_lead_leaves_the_store_with_its_next_checkpoint)
{
    begin_persons();
    visit(0, anna);
    owner_start(&world, 0);
    settle(&world);
    cr_assert(is_stored(0, anna));
    world_append_erase(&world, 0, anna, 0);
    settle(&world);
    steps(&world, 2000);
    cr_assert_not(is_stored(0, anna));
    cr_assert(unit_names(0, "e"));
    cr_assert_not(unit_names(0, "x"), "the id of whom nothing is left stands there still");
    expect_exact(&world);
}

/* However many writes the owner had done when it died: the next one takes the lead out. */
Test(pipeline_persons, an_owner_that_dies_leaves_no_emptied_lead_behind)
{
    for (int killed_at = 1; killed_at < 30; killed_at++) {
        begin_persons();
        visit(0, anna);
        owner_start(&world, 0);
        settle(&world);
        world_append_erase(&world, 0, anna, 0);
        uint64_t trips, before, writes;
        memory_db_counts(world.db, &trips, &before);
        writes = before;
        for (int i = 0; i < 4000 && writes < before + (uint64_t)killed_at; i++) {
            steps(&world, 1);
            memory_db_counts(world.db, &trips, &writes);
        }
        owner_kill(&world, 0);
        owner_start(&world, 0);
        settle(&world);
        steps(&world, 2000);
        cr_assert_not(is_stored(0, anna), "killed after %d writes", killed_at);
        cr_assert_not(unit_names(0, "x"));
        expect_exact(&world);
    }
}

/* The checkpoint that writes a stub empty breaks off after some write. Its next owner hands over
 * before it has folded anything, and must not make the lead one that R has passed: the owner after
 * that needs to know that it was erased further on, or it folds what the stub had passed on. */
static void erase_stub_and_break_off(int arrived, int handed_over_at)
{
    begin_persons();
    visit(2, cookie);
    visit(0, anna);
    world_append_merge(&world, 2, cookie, anna);
    owner_start(&world, 0);
    settle(&world);
    world_append_erase(&world, 2, cookie, 0); /* goes to anna, and comes back from there */
    world_append_merge(&world, 2, cookie, bea);
    memory_store_hold(world.owners[0].ports.store, true);
    for (int i = 0; i < 1000 && memory_store_under_way(world.owners[0].ports.store) < 6; i++)
        steps(&world, 1);
    memory_store_deliver(world.owners[0].ports.store, (size_t)arrived);
    owner_kill(&world, 0);
    world.batch = 1;
    owner_start(&world, 0);
    steps(&world, handed_over_at);
    (void)worker_drain(world.owners[0].worker);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    settle(&world);
    steps(&world, 2000);
    cr_assert_not(is_stored(2, cookie), "%d writes had arrived", arrived);
    cr_assert_not(unit_names(2, "x"));
    expect_exact(&world);
}

Test(pipeline_persons, a_stub_that_was_erased_stays_until_the_position_has_passed_it)
{
    for (int arrived = 1; arrived < 16; arrived++)
        for (int handed_over_at = 1; handed_over_at < 4; handed_over_at++)
            erase_stub_and_break_off(arrived, handed_over_at);
}

/* Its owner died when the lead was out of the store and its name was not; or somebody came back. */
Test(pipeline_persons, nobody_is_named_who_need_not_be_removed)
{
    char name[32];
    begin_persons();
    visit(0, anna);
    visit(2, cookie);
    owner_start(&world, 0);
    settle(&world);
    owner_kill(&world, 0);
    struct baton_text gone = {bea, (uint32_t)strlen(bea)}, here = {anna, (uint32_t)strlen(anna)};
    snprintf(name, sizeof name, "x:%016" PRIx64, tombstones_lead(gone));
    operator_writes(&world, 0, name, bea);
    snprintf(name, sizeof name, "x:%016" PRIx64, tombstones_lead(here));
    operator_writes(&world, 0, name, anna);
    owner_start(&world, 0);
    visit(0, anna);
    settle(&world);
    cr_expect_not(unit_names(0, "x"));
    cr_expect(is_stored(0, anna));
    expect_exact(&world);
}

Test(pipeline_persons, a_store_that_falls_back_brings_nobody_back)
{
    begin_persons();
    visit(0, anna);
    visit(2, cookie);
    world_append_merge(&world, 2, cookie, anna);
    owner_start(&world, 0);
    settle(&world);
    memory_db_save(world.db);
    world_append_erase(&world, 2, cookie, 0);
    settle(&world);
    steps(&world, 2000);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    cr_assert(is_stored(0, anna));
    owner_start(&world, 0);
    settle(&world);
    steps(&world, 2000);
    cr_assert_not(is_stored(0, anna));
    cr_assert_not(is_stored(2, cookie));
    expect_exact(&world);
}

/* Its events are in the log still; or retention has taken all of them, and stages tell. */
Test(pipeline_persons, a_rebuild_brings_nobody_back)
{
    for (int cut = 0; cut < 2; cut++) {
        begin_persons();
        for (int i = 0; i < 30; i++)
            visit(0, anna);
        form(0, anna, "a@x");
        form(0, anna, "a@x");
        visit(2, cookie);
        world_append_merge(&world, 2, cookie, anna);
        owner_start(&world, 0);
        settle(&world);
        cr_assert_geq(outputs(&world), 2, "she entered no stage");
        world_append_erase(&world, 0, anna, 0);
        settle(&world);
        steps(&world, 2000);
        size_t before = outputs(&world);
        owner_kill(&world, 0);
        for (uint32_t unit = 0; unit < 3; unit++) {
            if (cut)
                memory_log_truncate(world.log, unit, memory_log_end(world.log, unit));
            memory_db_forget_unit(world.db, unit);
        }
        world.config.rebuild = true;
        owner_start(&world, 0);
        expect_live(&world);
        settle(&world);
        steps(&world, 3000);
        cr_assert_not(is_stored(0, anna), "cut %d", cut);
        cr_assert_not(is_stored(2, cookie), "cut %d", cut);
        cr_assert_eq(outputs(&world), before);
        world_fini(&world);
    }
}

Test(pipeline_persons, a_rebuild_keeps_who_came_back_after_an_erasure)
{
    begin_persons();
    for (int i = 0; i < 4; i++)
        form(0, anna, "a@x");
    world_append_erase(&world, 0, anna, 0);
    world.events += 100000; /* the next day, so that the caps of forms are open again */
    for (int i = 0; i < 4; i++)
        form(0, anna, "a@x");
    owner_start(&world, 0);
    settle(&world);
    steps(&world, 2000);
    size_t before = outputs(&world);
    owner_kill(&world, 0);
    memory_db_forget_unit(world.db, 0);
    world.config.rebuild = true;
    owner_start(&world, 0);
    expect_live(&world);
    visit(0, anna);
    settle(&world);
    cr_assert(is_stored(0, anna));
    cr_assert_eq(outputs(&world), before, "a stage was entered a second time");
    world_fini(&world);
}

Test(pipeline_persons, a_rebuild_keeps_stubs_whose_merge_has_left_the_log)
{
    begin_persons();
    visit(2, cookie);
    world_append_merge(&world, 2, cookie, anna);
    owner_start(&world, 0);
    settle(&world);
    owner_kill(&world, 0);
    memory_log_truncate(world.log, 2, memory_log_end(world.log, 2));
    memory_db_forget_unit(world.db, 2);
    world.config.rebuild = true;
    owner_start(&world, 0);
    expect_live(&world);
    int64_t end = memory_log_end(world.log, 0);
    visit(2, cookie);
    settle(&world);
    cr_assert_gt(memory_log_end(world.log, 0), end, "the visit was not passed on");
    world_fini(&world);
}

static struct unit_aggregates stored_aggregates(uint32_t unit)
{
    struct baton_text text = memory_db_field(world.db, unit, "aggregates");
    struct field field = {{"aggregates", 10}, text};
    struct unit_record record;
    struct error error;
    cr_assert_eq(unit_record_read(&field, 1, &record, &error), STATUS_OK, "%s", error.text);
    return record.aggregates;
}

static void contacted(uint32_t unit, const char *lead)
{
    char value[256];
    snprintf(value, sizeof value,
             "{\"kind\":\"feedback\",\"event_id\":\"c%" PRIu64
             "\",\"lead_id\":\"%s\",\"time\":%" PRId64
             ",\"report\":\"contacted\",\"seller\":\"Ana\"}",
             world.events, lead, WORLD_T0 + (int64_t)world.events * 1000);
    (void)world_append_text(&world, unit, lead, value);
}

/* By whoever counts first, and not again by whoever folds it again. */
Test(pipeline_persons, what_came_to_nothing_is_counted_once)
{
    begin_persons();
    visit(0, anna);
    contacted(0, anna);
    world_append_erase(&world, 0, anna, -200000); /* ahead of what follows */
    visit(0, anna);
    world_append_merge(&world, 0, anna, bea);
    world_append_merge(&world, 2, cookie, anna); /* its transfer comes too late */
    owner_start(&world, 0);
    settle(&world);
    cr_expect_eq(FIGURE(&world, reports_ignored), 1);
    cr_expect_eq(FIGURE(&world, dropped), 3);
    memory_db_save(world.db);
    contacted(0, anna);
    contacted(1, bea);
    settle(&world);
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    settle(&world);
    struct unit_aggregates of_anna = stored_aggregates(0), of_bea = stored_aggregates(1);
    cr_expect_eq(of_anna.reports_ignored, 1);
    cr_expect_eq(of_anna.dropped, 4);
    cr_expect_eq(of_bea.reports_ignored, 1);
    expect_exact(&world);
}

Test(pipeline_persons, an_email_makes_the_merge_and_is_asked_no_second_time)
{
    begin_persons();
    world.config.identity =
        (struct identity_config){.enabled = true, .field = BATON_EMAIL, .prefix = {"p/", 2}};
    form(2, cookie, " Anna@X.Example ");
    form(2, cookie, "anna@x.example");
    owner_start(&world, 0);
    settle(&world);
    form(2, cookie, "anna@x.example");
    settle(&world);
    const char id[] = "p/anna@x.example";
    uint32_t unit = partition_by_crc32((struct baton_text){id, sizeof id - 1}, world.units);
    cr_assert(is_stored(unit, id));
    cr_assert_eq(dead_letters(), 0);
    cr_assert_eq(FIGURE(&world, passed_on), 1);
    expect_exact(&world);
}

Test(pipeline_persons, a_circle_is_a_dead_letter)
{
    begin_persons();
    world_append_merge(&world, 0, anna, bea);
    owner_start(&world, 0);
    settle(&world);
    world_append_merge(&world, 1, bea, anna);
    world_append_merge(&world, 1, bea, bea);
    settle(&world);
    cr_assert_eq(dead_letters(), 2);
    cr_assert_eq(FIGURE(&world, dead[DEAD_MERGE_CYCLE]), 1);
    cr_assert_eq(FIGURE(&world, dead[DEAD_MERGE_INTO_ITSELF]), 1);
    expect_exact(&world);
}

/* What baton makes of an event is as far ahead of its record as the event was. */
Test(pipeline_persons, a_writer_whose_clock_is_ahead_loses_nothing_by_a_merge)
{
    begin_persons();
    world.events += 100000; /* a day */
    visit(0, anna);
    visit(2, cookie);
    world_append_merge(&world, 2, cookie, anna);
    visit(2, cookie);
    owner_start(&world, 0);
    settle(&world);
    world_append_erase(&world, 2, cookie, -200000); /* and once more within what is allowed */
    settle(&world);
    cr_assert_eq(dead_letters(), 0);
    expect_exact(&world);
}

/* Each is given up for the other before either knows of it. Their units have owners of their own,
 * who take turns as it comes. */
static void cross(uint64_t seed, const char *first_lead, const char *first_into)
{
    bool anna_first = first_lead == anna;
    world.seed += seed;
    visit(0, anna);
    visit(1, bea);
    world_append_merge(&world, anna_first ? 0 : 1, first_lead, first_into);
    world_append_merge(&world, anna_first ? 1 : 0, first_into, first_lead);
    visit(0, anna);
    visit(1, bea);
    owner_start(&world, 0);
    owner_start(&world, 1);
    for (int i = 0; i < 4000; i++)
        owner_step(&world, (int)world_random(&world, 2));
    settle(&world);
    visit(0, anna);
    visit(1, bea);
    settle(&world);
    struct stored_lead of_anna, of_bea;
    cr_assert(
        memory_db_lead(world.db, 0, (struct baton_text){anna, (uint32_t)strlen(anna)}, &of_anna));
    cr_assert(
        memory_db_lead(world.db, 1, (struct baton_text){bea, (uint32_t)strlen(bea)}, &of_bea));
    cr_assert_eq(of_bea.score.behaviour, 0);
    cr_assert_gt(of_anna.score.behaviour, 0);
    cr_assert_eq(dead_letters(), 1);
    expect_exact(&world);
}

Test(pipeline_persons, of_two_that_are_merged_into_each_other_the_smaller_id_stays)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        begin_persons();
        cr_assert_lt(strcmp(anna, bea), 0);
        if (seed % 2)
            cross(seed, anna, bea);
        else
            cross(seed, bea, anna);
    }
}

/* A visit that comes to the lead by way of as many others as may be. */
static void visit_by_way_of_all(uint32_t unit, const char *lead)
{
    char trail[256] = "", value[256];
    for (int i = 0; i < BATON_TRAIL_MAX; i++)
        snprintf(trail + strlen(trail), 8, "%sw%d", i ? "," : "", i);
    int size = snprintf(value, sizeof value,
                        "{\"kind\":\"visit\",\"event_id\":\"v%" PRIu64
                        "\",\"lead_id\":\"w0\",\"time\":%" PRId64 ",\"page\":\"/blog\"}",
                        world.events, WORLD_T0 + (int64_t)world.events * 1000);
    struct header headers[] = {{"baton-for", lead, strlen(lead)},
                               {"baton-trail", trail, strlen(trail)}};
    struct memory_input input = {.timestamp_ms = WORLD_T0 + (int64_t)world.events++ * 1000,
                                 .key = lead,
                                 .key_size = strlen(lead),
                                 .value = value,
                                 .value_size = (size_t)size,
                                 .headers = headers,
                                 .header_count = 2};
    world.ends[unit] = memory_log_append(world.log, unit, &input) + 1;
}

/* It is written again for its position alone, by an owner who has loaded it. */
Test(pipeline_persons, a_stub_that_is_loaded_and_written_again_has_no_points)
{
    begin_persons();
    visit(2, cookie);
    world_append_merge(&world, 2, cookie, anna);
    owner_start(&world, 0);
    settle(&world);
    owner_kill(&world, 0);
    owner_start(&world, 0);
    visit_by_way_of_all(2, cookie);
    settle(&world);
    struct stored_lead stub, lead;
    cr_assert(
        memory_db_lead(world.db, 2, (struct baton_text){cookie, (uint32_t)strlen(cookie)}, &stub));
    cr_assert(
        memory_db_lead(world.db, 0, (struct baton_text){anna, (uint32_t)strlen(anna)}, &lead));
    cr_assert_eq(dead_letters(), 1);
    cr_assert_eq(stub.score.score, 0);
    cr_assert_eq(lead.score.fit, 100, "the country that is not known");
    owner_kill(&world, 0);
    world_fini(&world);
}

/* While one of them is under way to the other, everybody dies. */
Test(pipeline_persons, merges_that_cross_survive_crashes)
{
    for (int killed_at = 1; killed_at < 80; killed_at += 3) {
        begin_persons();
        visit(0, anna);
        visit(1, bea);
        world_append_merge(&world, 1, bea, anna);
        world_append_merge(&world, 0, anna, bea);
        visit(1, bea);
        owner_start(&world, 0);
        steps(&world, killed_at);
        owner_kill(&world, 0);
        owner_start(&world, 0);
        settle(&world);
        cr_assert_eq(dead_letters(), 1, "killed after %d steps", killed_at);
        expect_exact(&world);
    }
}

Test(pipeline_persons, a_damaged_tombstone_stops_the_unit)
{
    begin_persons();
    visit(0, anna);
    owner_start(&world, 0);
    settle(&world);
    owner_kill(&world, 0);
    operator_writes(&world, 0, "e:0123456789abcdef", "soon");
    owner_start(&world, 0);
    expect_stopped(&world, "erasure");
    world_fini(&world);
}
