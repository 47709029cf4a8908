/* Looking into the checkpoints on a real redis-server, as tools do. */
#include "adapters/redis_world.h"
#include "redis/redis_inspect.h"

#include <baton/lead.h>

TestSuite(redis_tools, .init = set_up, .fini = tear_down, .timeout = 60);

struct seen {
    size_t leads, of_unit_2;
    uint64_t last_keys, all_keys;
};

static void see_lead(void *context, const struct inspected_lead *lead)
{
    struct seen *seen = context;
    seen->leads++;
    seen->of_unit_2 += lead->unit == 2;
    cr_assert_eq(lead->score.size, 5);
    cr_assert_eq(memcmp(lead->score.data, "70.25", 5), 0);
    cr_assert_eq(memcmp(lead->id.data, "lead-", 5), 0);
}

static void see_progress(void *context, uint64_t leads, uint64_t keys, uint64_t keys_in_all)
{
    struct seen *seen = context;
    (void)leads;
    cr_assert_geq(keys, seen->last_keys);
    seen->last_keys = keys;
    seen->all_keys = keys_in_all;
}

/* A packed form as the domain makes them. */
static struct stored_lead real_lead(struct baton_text id, int64_t newest_ms)
{
    struct baton_lead lead;
    baton_lead_init(&lead);
    lead.events = 1;
    lead.newest_ms = lead.first_ms = newest_ms;
    uint8_t *packed = arena_take(&arena, baton_lead_pack_bound(&lead));
    return (struct stored_lead){.id = id,
                                .score = {.score = 500},
                                .stage = BATON_LEAD,
                                .stage_stands = true,
                                .packed = packed,
                                .packed_size = baton_lead_pack(&lead, 7, packed)};
}

static void see_readable(void *context, const struct inspected_lead *lead)
{
    struct inspected_lead *seen = context;
    *seen = *lead;
    cr_assert_eq(lead->stage.size, 4);
    cr_assert_eq(memcmp(lead->stage.data, "lead", 4), 0);
    cr_assert_eq(lead->newest_ms, 1793534400123);
    seen->unit = 99;
}

Test(redis_tools, tools_find_the_first_stage_and_the_time_where_no_field_tells_them)
{
    struct fence fence = claim(store, 1, token_a);
    struct stored_lead lead = real_lead(text("x"), 1793534400123);
    cr_assert_eq(write_leads(store, 1, &fence, &lead, 1), STATUS_OK);
    cr_assert_eq(settle(store, 1), STATUS_OK);
    struct redis_inspector *inspector;
    struct inspected_lead seen = {0};
    struct lead_visitor visitor = {.lead = see_readable, .context = &seen};
    bool found;
    cr_assert_eq(redis_inspect_open(&inspector, &config, &error), STATUS_OK, "%s", error.text);
    cr_assert_eq(redis_inspect_leads(inspector, &visitor, &error), STATUS_OK, "%s", error.text);
    cr_assert_eq(seen.unit, 99, "it was seen");
    cr_assert_eq(redis_inspect_lead(inspector, 1, lead.id, &arena, &seen, &found, &error),
                 STATUS_OK);
    cr_assert(found);
    see_readable(&seen, &seen);
    redis_inspect_close(inspector);
}

Test(redis_tools, tools_look_into_everything_without_a_claim)
{
    config.prefix = "te*t";
    struct store *made = new_store();
    struct fence one = claim(made, 1, token_a), two = claim(made, 12, token_a),
                 other = claim(store, 5, token_a);
    char names[300][16];
    struct stored_lead leads[STORE_WRITE_LEADS];
    for (int i = 0; i < STORE_WRITE_LEADS; i++) {
        (void)snprintf(names[i], sizeof names[i], "lead-%d", i);
        leads[i] = lead_of(text(names[i]), 100, (unsigned)i);
    }
    cr_assert_eq(write_leads(made, 1, &one, leads, STORE_WRITE_LEADS), STATUS_OK);
    cr_assert_eq(write_leads(made, 12, &two, leads, 10), STATUS_OK);
    cr_assert_eq(write_leads(store, 5, &other, leads, 10), STATUS_OK);
    write_field(made, 1, &one, "position", "42");
    cr_assert_eq(settle(made, 1), STATUS_OK);
    cr_assert_eq(settle(made, 12), STATUS_OK);
    cr_assert_eq(settle(store, 5), STATUS_OK);

    struct redis_inspector *inspector;
    cr_assert_eq(redis_inspect_open(&inspector, &config, &error), STATUS_OK, "%s", error.text);
    uint32_t *units;
    size_t count;
    cr_assert_eq(redis_inspect_units(inspector, &arena, &units, &count, &error), STATUS_OK, "%s",
                 error.text);
    cr_assert_eq(count, 2);
    cr_assert_eq(units[0], 1);
    cr_assert_eq(units[1], 12);
    struct field *fields;
    cr_assert_eq(redis_inspect_unit(inspector, 1, &arena, &fields, &count, &error), STATUS_OK);
    cr_assert_eq(count, 2, "step and position");
    cr_assert_eq(redis_inspect_unit(inspector, 99, &arena, &fields, &count, &error), STATUS_OK);
    cr_assert_eq(count, 0);
    struct inspected_lead lead;
    bool found;
    cr_assert_eq(redis_inspect_lead(inspector, 1, text("lead-7"), &arena, &lead, &found, &error),
                 STATUS_OK, "%s", error.text);
    cr_assert(found);
    cr_assert_eq(lead.packed_size, 100);
    cr_assert_eq(memcmp(lead.packed, leads[7].packed, 100), 0);
    cr_assert_eq(lead.stage.size, 3);
    cr_assert_eq(redis_inspect_lead(inspector, 1, text("nobody"), &arena, &lead, &found, &error),
                 STATUS_OK);
    cr_assert_not(found);
    struct seen seen = {0};
    struct lead_visitor visitor = {see_lead, see_progress, &seen};
    cr_assert_eq(redis_inspect_leads(inspector, &visitor, &error), STATUS_OK, "%s", error.text);
    cr_assert_geq(seen.leads, STORE_WRITE_LEADS + 10);
    cr_assert_eq(seen.of_unit_2, 0);
    cr_assert_eq(seen.last_keys, seen.all_keys);
    redis_inspect_close(inspector);
    made->destroy(made);
}
