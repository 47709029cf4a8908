/* Whom promotions go to, through crashes and fall-backs. */
#include "codec/embedded.h"
#include "pipeline_cases.h"

#include <avro.h>

static const char TURNS[] = "agreement: world\nversion: 1\n"
                            "assign:\n"
                            "  - {where: {country: BR}, to: [Ana, Bruno, Carla]}\n"
                            "  - {where: {country: PT}, to: Duda}\n"
                            "behaviour: [{id: form, event: form_fill, points: 12}]\n"
                            "gates: {mql: {score: 10}, sql: {score: 10}}\n"
                            "touches: 0\n";

static void begin_turns(struct world *world, uint32_t units)
{
    world_init(world, units, 1);
    agreement_destroy(world->agreement);
    world->agreement = world_parse(TURNS);
    world->config.agreement = world->agreement;
    owner_start(world, 0);
    expect_live(world);
}

/* One lead more that is promoted at its only event. */
static void promote(struct world *world, uint32_t unit, const char *country)
{
    static int number;
    char lead[32], value[300];
    (void)snprintf(lead, sizeof lead, "t-%d", ++number);
    (void)snprintf(
        value, sizeof value,
        "{\"kind\":\"form_fill\",\"event_id\":\"%s\",\"lead_id\":\"%s\",\"time\":%" PRId64
        ",\"form\":\"f\",\"fields\":{\"country\":\"%s\"}}",
        lead, lead, WORLD_T0, country);
    (void)world_append_text(world, unit, lead, value);
}

/* The owner of a published promotion; "" for none. */
static void read_owner(struct world *world, size_t index, char *owner, size_t room)
{
    const struct outgoing_message *message = memory_log_output(world->log, TOPIC_PROMOTIONS, index);
    const struct embedded_text *text = embedded_find("Promotion.avsc");
    avro_schema_t schema;
    avro_value_t value, field, branch;
    const char *name = "";
    size_t size;
    int which = 0;
    cr_assert(!avro_schema_from_json_length(text->text, text->size, &schema));
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    cr_assert(!avro_generic_value_new(class, &value));
    avro_reader_t reader =
        avro_reader_memory((const char *)message->value + 10, (int64_t)message->value_size - 10);
    cr_assert(!avro_value_read(reader, &value));
    cr_assert(!avro_value_get_by_name(&value, "owner", &field, NULL));
    cr_assert(!avro_value_get_discriminant(&field, &which));
    cr_assert(!avro_value_get_current_branch(&field, &branch));
    if (which)
        cr_assert(!avro_value_get_string(&branch, &name, &size));
    (void)snprintf(owner, room, "%s", name);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
}

/* The owners of all promotions so far, in order. */
static void expect_owners(struct world *world, const char *const *owners, size_t count)
{
    cr_assert_eq(memory_log_output_count(world->log, TOPIC_PROMOTIONS), count);
    for (size_t i = 0; i < count; i++) {
        char owner[64];
        read_owner(world, i, owner, sizeof owner);
        cr_assert_str_eq(owner, owners[i], "promotion %zu goes to %s", i, owner);
    }
}

Test(pipeline_assign, names_take_turns_within_their_item)
{
    static const char *const owners[] = {"Ana", "Duda", "Bruno", "", "Carla", "Ana"};
    static const char *const countries[] = {"BR", "PT", "BR", "US", "BR", "BR"};
    struct world world;
    begin_turns(&world, 1);
    for (int i = 0; i < 6; i++) {
        promote(&world, 0, countries[i]);
        settle(&world);
    }
    expect_owners(&world, owners, 6);
    world_fini(&world);
}

Test(pipeline_assign, each_unit_begins_at_another_name)
{
    struct world world;
    char owner[64];
    begin_turns(&world, 2);
    promote(&world, 1, "BR");
    settle(&world);
    read_owner(&world, 0, owner, sizeof owner);
    cr_assert_str_eq(owner, "Bruno");
    world_fini(&world);
}

Test(pipeline_assign, whoever_takes_over_goes_on_with_the_next_name)
{
    static const char *const owners[] = {"Ana", "Bruno", "Carla", "Ana", "Bruno"};
    struct world world;
    begin_turns(&world, 1);
    for (int i = 0; i < 4; i++) {
        promote(&world, 0, "BR");
        settle(&world);
    }
    owner_kill(&world, 0);
    promote(&world, 0, "BR");
    owner_start(&world, 0);
    settle(&world);
    expect_owners(&world, owners, 5);
    world_fini(&world);
}

/* R < K: the turns that the store has lost are counted again, in silence. */
Test(pipeline_assign, turns_that_the_store_has_lost_are_taken_again)
{
    static const char *const owners[] = {"Ana", "Bruno", "Carla", "Ana", "Bruno", "Carla"};
    struct world world;
    begin_turns(&world, 1);
    for (int i = 0; i < 2; i++) {
        promote(&world, 0, "BR");
        settle(&world);
    }
    memory_db_save(world.db);
    for (int i = 0; i < 3; i++) {
        promote(&world, 0, "BR");
        settle(&world);
    }
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    cr_assert_lt(world_stored(&world, 0), memory_log_committed(world.log, 0, NULL));
    promote(&world, 0, "BR");
    owner_start(&world, 0);
    settle(&world);
    expect_owners(&world, owners, 6);
    world_fini(&world);
}

Test(pipeline_assign, a_rebuild_counts_the_turns_of_what_it_finds_promoted)
{
    static const char *const owners[] = {"Ana", "Bruno", "Carla"};
    struct world world;
    begin_turns(&world, 1);
    for (int i = 0; i < 2; i++) {
        promote(&world, 0, "BR");
        settle(&world);
    }
    owner_kill(&world, 0);
    memory_db_forget_unit(world.db, 0);
    world.config.rebuild = true;
    owner_start(&world, 0);
    promote(&world, 0, "BR");
    settle(&world);
    expect_owners(&world, owners, 3);
    world_fini(&world);
}
