/* Records of the output topics read again, for tools: the same from every format, and nothing from
 * bytes that are none. */
#include "codec/outgoing_view.h"
#include "domain_support.h"

#define NOON INT64_C(1793534400000) /* 2026-11-01T12:00:00Z */

struct fixture {
    struct world world;
    struct arena arena;
    struct baton_event event;
    struct baton_transition transition;
    struct origin origin;
    struct stage_view view;
    struct outgoing_message out;
    struct error error;
};

static struct fixture *fixture_create(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 4096);
    world_init(&f->world);
    f->world.agreement.name = TEXT("demo");
    f->world.agreement.version = 3;
    f->world.agreement.hash = TEXT("abc0");
    f->world.agreement.share = 1u << BATON_NAME;
    world_rule(&f->world, (struct baton_behaviour_rule){.id = TEXT("visit"),
                                                        .kind = BATON_VISIT,
                                                        .points = 10,
                                                        .half_life_ms = 2 * DAY_MS});
    struct baton_event visit = {.kind = BATON_VISIT, .time_ms = NOON - DAY_MS};
    visit.fields[BATON_PAGE] = TEXT("/pricing");
    cr_assert_eq(world_fold(&f->world, visit), BATON_FOLDED);
    visit.time_ms = NOON;
    visit.fields[BATON_CHANNEL] = TEXT("ads");
    cr_assert_eq(world_fold(&f->world, visit), BATON_FOLDED);
    world_profile_as(&f->world, BATON_NAME, NULL, "Ana \xc3\xa9", NOON);
    f->event = (struct baton_event){.kind = BATON_VISIT,
                                    .event_id = TEXT("e-1"),
                                    .lead_id = TEXT("l 1/\xc3\xa9"),
                                    .time_ms = NOON};
    f->transition = (struct baton_transition){BATON_MQL, BATON_SQL, {7025, -2000, 5000}, 1};
    f->origin = (struct origin){.topic = "lead-events", .partition = 5, .offset = 1234567890123};
    f->view = (struct stage_view){.lead = &f->world.lead,
                                  .event = &f->event,
                                  .transition = &f->transition,
                                  .agreement = &f->world.agreement,
                                  .words = &f->world.words,
                                  .origin = &f->origin};
    return f;
}

static void fixture_destroy(struct fixture *f)
{
    world_fini(&f->world);
    arena_fini(&f->arena);
    free(f);
}

static void encode(struct fixture *f, enum outgoing_topic topic, enum output_format format)
{
    static const char *const topics[OUTGOING_TOPICS] = {"promotions", "stages", "dead", "breaches"};
    struct encoder *encoder;
    cr_assert_eq(encoder_create(&encoder, format, "/baton", topics, NULL, &f->error), STATUS_OK);
    if (topic == TOPIC_PROMOTIONS)
        encoder_promotion(encoder, &f->arena, &f->view, &f->out);
    else
        encoder_stage_change(encoder, &f->arena, &f->view, &f->out);
    f->out.value = arena_copy(&f->arena, f->out.value, f->out.value_size);
    encoder_destroy(encoder);
}

/* Reads a copy of exactly this size, so that a sanitizer sees a byte too far. */
static enum status read_copy(struct fixture *f, enum outgoing_topic topic, const void *value,
                             size_t size, json_t **tree)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, value, size);
    enum status status = outgoing_view(topic, copy, size, tree, &f->error);
    free(copy);
    cr_assert_eq(status == STATUS_OK, *tree != NULL);
    return status;
}

static void same_from_both(enum outgoing_topic topic)
{
    struct fixture *f = fixture_create();
    json_t *wanted, *found;
    encode(f, topic, OUTPUT_JSON);
    cr_assert_eq(read_copy(f, topic, f->out.value, f->out.value_size, &wanted), STATUS_OK);
    cr_assert_eq(json_number_value(json_object_get(wanted, "score")), 70.25);
    encode(f, topic, OUTPUT_AVRO);
    cr_assert_eq(read_copy(f, topic, f->out.value, f->out.value_size, &found), STATUS_OK, "%s",
                 f->error.text);
    char *left = json_dumps(wanted, JSON_SORT_KEYS), *right = json_dumps(found, JSON_SORT_KEYS);
    cr_assert_str_eq(left, right);
    free(left);
    free(right);
    json_decref(wanted);
    json_decref(found);
    fixture_destroy(f);
}

Test(views, a_promotion_is_the_same_from_json_and_from_avro)
{
    same_from_both(TOPIC_PROMOTIONS);
}

Test(views, a_change_of_stage_is_the_same_from_json_and_from_avro)
{
    same_from_both(TOPIC_STAGES);
}

Test(views, the_framing_of_a_registry_is_read)
{
    struct fixture *f = fixture_create();
    json_t *tree;
    encode(f, TOPIC_STAGES, OUTPUT_AVRO);
    size_t size = f->out.value_size - 5; /* ten bytes of frame become five */
    uint8_t *value = arena_take(&f->arena, size);
    memcpy(value, "\0\0\0\0\7", 5);
    memcpy(value + 5, (const uint8_t *)f->out.value + 10, size - 5);
    cr_assert_eq(read_copy(f, TOPIC_STAGES, value, size, &tree), STATUS_OK, "%s", f->error.text);
    cr_assert_str_eq(json_string_value(json_object_get(tree, "lead_id")), "l 1/\xc3\xa9");
    json_decref(tree);
    fixture_destroy(f);
}

Test(views, a_record_that_is_cut_is_none)
{
    for (int topic = TOPIC_PROMOTIONS; topic <= TOPIC_STAGES; topic++) {
        struct fixture *f = fixture_create();
        json_t *tree;
        encode(f, (enum outgoing_topic)topic, OUTPUT_AVRO);
        for (size_t cut = 0; cut < f->out.value_size; cut++)
            cr_assert_eq(read_copy(f, (enum outgoing_topic)topic, f->out.value, cut, &tree),
                         STATUS_REJECT, "cut at %zu", cut);
        fixture_destroy(f);
    }
}

/* Whatever stands there, it ends, and stays within the bytes. */
Test(views, any_bytes_end_in_a_tree_or_an_error)
{
    struct fixture *f = fixture_create();
    json_t *tree;
    encode(f, TOPIC_PROMOTIONS, OUTPUT_AVRO);
    for (size_t at = 10; at < f->out.value_size; at++) {
        for (int value = 0; value < 256; value += 15) {
            ((uint8_t *)f->out.value)[at] ^= (uint8_t)value;
            (void)read_copy(f, TOPIC_PROMOTIONS, f->out.value, f->out.value_size, &tree);
            json_decref(tree);
            ((uint8_t *)f->out.value)[at] ^= (uint8_t)value;
        }
    }
    fixture_destroy(f);
}

Test(views, a_record_of_another_schema_is_told)
{
    struct fixture *f = fixture_create();
    json_t *tree;
    encode(f, TOPIC_PROMOTIONS, OUTPUT_AVRO);
    cr_assert_eq(read_copy(f, TOPIC_STAGES, f->out.value, f->out.value_size, &tree), STATUS_REJECT);
    cr_assert(strstr(f->error.text, "another version of baton"));
    cr_assert_eq(read_copy(f, TOPIC_STAGES, "[1]", 3, &tree), STATUS_REJECT);
    cr_assert_eq(read_copy(f, TOPIC_STAGES, "{\"a\":", 5, &tree), STATUS_REJECT);
    fixture_destroy(f);
}
