#include "codec/decoder.h"
#include "codec/embedded.h"
#include "codec/outgoing.h"
#include "domain_support.h"

#include <avro.h>
#include <jansson.h>

#define NOON INT64_C(1793534400000) /* 2026-11-01T12:00:00Z */

/* A lead that has just entered sql, and an encoder. */
struct fixture {
    struct world world;
    struct arena arena;
    struct encoder *encoder;
    struct baton_event event;
    struct baton_transition transition;
    struct origin origin;
    struct stage_view view;
    struct outgoing_message out;
    struct error error;
};

static const char *const topics[OUTGOING_TOPICS] = {"lead-promotions", "lead-stages",
                                                    "lead-events-dead", "lead-breaches"};

static void fold_history(struct world *world)
{
    struct baton_event visit = {.kind = BATON_VISIT, .time_ms = NOON - DAY_MS};
    visit.fields[BATON_PAGE] = TEXT("/pricing");
    visit.fields[BATON_CHANNEL] = TEXT("ads");
    cr_assert_eq(world_fold(world, visit), BATON_FOLDED);
    struct baton_event form = {.kind = BATON_FORM_FILL, .time_ms = NOON};
    form.fields[BATON_FORM] = TEXT("demo-request");
    form.fields[BATON_CAMPAIGN] = TEXT("Spring \"Sale\" \xc3\xa9");
    form.fields[BATON_CHANNEL] = TEXT("mail");
    cr_assert_eq(world_fold(world, form), BATON_FOLDED);
    world_profile_as(world, BATON_NAME, NULL, "Ana", NOON);
    world_profile_as(world, BATON_JOB_TITLE, NULL, "Director", NOON);
    world_profile_as(world, BATON_EMAIL, NULL, "ana@x.example", NOON);
}

static void set_agreement(struct world *world)
{
    static const struct baton_text director = {"director", 8}, plans[] = {{"plan", 4}, {"seat", 4}};
    static const struct baton_condition parts[] = {
        {.match = BATON_MATCH_CONTAINS,
         .field = BATON_JOB_TITLE,
         .texts = &director,
         .text_count = 1},
        {.match = BATON_MATCH_KNOWN, .field = BATON_PROPERTY, .name = {"plan", 4}, .negate = true},
        {.match = BATON_MATCH_KNOWN, .field = BATON_JOB_TITLE},
        {.match = BATON_MATCH_KNOWN, .field = BATON_EMAIL_DOMAIN}};
    struct baton_agreement *agreement = &world->agreement;
    agreement->name = TEXT("demo");
    agreement->version = 3;
    agreement->hash = TEXT("abc0");
    world_rule(world, (struct baton_behaviour_rule){.id = TEXT("never-hit"), .kind = BATON_CLICK});
    world_rule(world, (struct baton_behaviour_rule){.id = TEXT("visit"),
                                                    .kind = BATON_VISIT,
                                                    .points = 10,
                                                    .half_life_ms = 2 * DAY_MS});
    world_rule(world, (struct baton_behaviour_rule){
                          .id = TEXT("demo"), .kind = BATON_FORM_FILL, .points = 40});
    world_rule(world, (struct baton_behaviour_rule){.id = TEXT("free"), .kind = BATON_FORM_FILL});
    world_fit(
        world, 20,
        (struct baton_condition){.match = BATON_MATCH_ALL, .children = parts, .child_count = 4});
    world_fit(world, 5, (struct baton_condition){.match = BATON_MATCH_KNOWN, .field = BATON_AGE});
    agreement->share = 1u << BATON_NAME | 1u << BATON_PHONE;
    agreement->share_properties = agreement->properties = plans;
    agreement->share_property_count = agreement->property_count = 2;
}

static struct fixture *fixture_create(enum output_format format)
{
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 4096);
    world_init(&f->world);
    set_agreement(&f->world);
    fold_history(&f->world);
    f->event = (struct baton_event){.kind = BATON_FORM_FILL,
                                    .event_id = TEXT("e-1"),
                                    .lead_id = TEXT("l 1/\xc3\xa9"),
                                    .time_ms = NOON};
    f->transition = (struct baton_transition){BATON_MQL, BATON_SQL, {7025, 2000, 5025}, 1};
    f->origin = (struct origin){.topic = "lead-events", .partition = 5, .offset = 1234567890123};
    f->view = (struct stage_view){&f->world.lead,      &f->event,       &f->transition,
                                  &f->world.agreement, &f->world.words, &f->origin};
    cr_assert_eq(encoder_create(&f->encoder, format, "/baton", topics, NULL, &f->error), STATUS_OK,
                 "%s", f->error.text);
    return f;
}

static void fixture_destroy(struct fixture *f)
{
    encoder_destroy(f->encoder);
    world_fini(&f->world);
    arena_fini(&f->arena);
    free(f);
}

static const struct header *find_header(const struct outgoing_message *message, const char *name)
{
    const struct header *found = NULL;
    for (size_t i = 0; i < message->header_count; i++)
        if (strcmp(message->headers[i].name, name) == 0)
            found = &message->headers[i];
    return found;
}

static void expect_header(const struct outgoing_message *message, const char *name,
                          const char *value)
{
    const struct header *header = find_header(message, name);
    if (!value) {
        cr_assert(!header, "%s is there", name);
        return;
    }
    cr_assert(header, "%s is not there", name);
    cr_assert(header->value_size == strlen(value) &&
                  memcmp(header->value, value, header->value_size) == 0,
              "%s is %.*s", name, (int)header->value_size, (const char *)header->value);
}

static void expect_text(const struct outgoing_message *message, const char *text)
{
    cr_assert(message->value_size == strlen(text) &&
                  memcmp(message->value, text, message->value_size) == 0,
              "value is\n%.*s", (int)message->value_size, (const char *)message->value);
}

#define STAGE_JSON                                                                                 \
    "\"lead_id\":\"l 1/\xc3\xa9\",\"generation\":1,\"from_stage\":\"mql\",\"stage\":\"sql\","      \
    "\"time\":\"2026-11-01T12:00:00.000Z\",\"score\":70.25,\"fit\":20,\"behaviour\":50.25,"        \
    "\"agreement\":\"demo\",\"agreement_version\":3,\"agreement_hash\":\"abc0\","                  \
    "\"event_id\":\"e-1\",\"topic\":\"lead-events\",\"partition\":5,\"offset\":1234567890123"

#define NOTHING_ELSE                                                                               \
    ",\"change\":null,\"by\":null,\"report\":null,\"reason\":null,\"why\":null,"                   \
    "\"adjusted\":null,\"points\":null,\"other\":null,\"stage_offset\":null,"                      \
    "\"published\":null,\"adopted\":null"

Test(outgoing, a_stage_change_in_json)
{
    struct fixture *f = fixture_create(OUTPUT_JSON);
    encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
    expect_text(&f->out, "{" STAGE_JSON NOTHING_ELSE "}");
    cr_assert_eq(f->out.topic, TOPIC_STAGES);
    fixture_destroy(f);
}

Test(outgoing, a_promotion_proves_itself)
{
    struct fixture *f = fixture_create(OUTPUT_JSON);
    encoder_promotion(f->encoder, &f->arena, &f->view, &f->out);
    cr_assert_eq(f->out.topic, TOPIC_PROMOTIONS);
    expect_text(
        &f->out,
        "{" STAGE_JSON
        ",\"rules\":[{\"id\":\"visit\",\"points\":7.07},{\"id\":\"demo\",\"points\":40},"
        "{\"id\":\"free\",\"points\":0}],"
        "\"fit_rules\":[{\"id\":\"fit\",\"points\":20,\"fields\":[\"job_title\",\"properties."
        "plan\","
        "\"email_domain\"]}],"
        "\"touches\":[{\"time\":\"2026-11-01T12:00:00.000Z\",\"kind\":\"form_fill\",\"page\":null,"
        "\"form\":\"demo-request\",\"campaign\":\"Spring \\\"Sale\\\" "
        "\xc3\xa9\",\"channel\":\"mail\","
        "\"rules\":[\"demo\",\"free\"]},{\"time\":\"2026-10-31T12:00:00.000Z\",\"kind\":\"visit\","
        "\"page\":\"/pricing\",\"form\":null,\"campaign\":null,\"channel\":\"ads\","
        "\"rules\":[\"visit\"]}],"
        "\"conversions\":1,\"first_channel\":\"ads\",\"last_channel\":\"mail\","
        "\"profile\":{\"name\":\"Ana\"},\"by\":null,\"reason\":null,\"adjusted\":null,"
        "\"persona\":null,\"segment\":null,\"owner\":null,\"age_ms\":86400000,"
        "\"forms\":[{\"time\":\"2026-11-01T12:00:00.000Z\",\"form\":\"demo-request\","
        "\"page\":null,\"fields\":[]}],\"mail\":null,"
        "\"pages\":[{\"page\":\"/pricing\",\"times\":1,"
        "\"last\":\"2026-10-31T12:00:00.000Z\",\"rules\":[\"visit\"]}],\"earlier\":[],"
        "\"why\":[\"The score is 70.25 points: 20 for who the lead is, 50.25 for what it did.\","
        "\"The agreement hands a lead to sales from 1,000,000 points on.\","
        "\"demo: 40 points for 1 form filled in.\",\"visit: 7.07 points for 1 visit.\","
        "\"fit: 20 points for who the lead is.\"]}");
    fixture_destroy(f);
}

Test(outgoing, a_shared_property_goes_under_its_name)
{
    struct fixture *f = fixture_create(OUTPUT_JSON);
    world_profile_as(&f->world, BATON_PROPERTY, "plan", "Gold", NOON + 1);
    encoder_promotion(f->encoder, &f->arena, &f->view, &f->out);
    char *text = strndup(f->out.value, f->out.value_size);
    cr_assert(strstr(text, "\"profile\":{\"name\":\"Ana\",\"properties.plan\":\"Gold\"}"), "%s",
              text);
    free(text);
    fixture_destroy(f);
}

Test(outgoing, a_form_fill_without_a_form_tells_its_page)
{
    struct fixture *f = fixture_create(OUTPUT_JSON);
    struct baton_event event = {.kind = BATON_FORM_FILL, .time_ms = NOON + 1};
    event.fields[BATON_PAGE] = TEXT("no-slash");
    cr_assert_eq(world_fold(&f->world, event), BATON_FOLDED);
    encoder_promotion(f->encoder, &f->arena, &f->view, &f->out);
    char *text = strndup(f->out.value, f->out.value_size);
    cr_assert(strstr(text, "\"page\":\"no-slash\",\"form\":null"), "%s", text);
    free(text);
    fixture_destroy(f);
}

Test(outgoing, points_are_printed_exactly)
{
    static const struct {
        int32_t hundredths;
        const char *text;
    } cases[] = {{0, "0"},
                 {1, "0.01"},
                 {-1, "-0.01"},
                 {7025, "70.25"},
                 {7010, "70.1"},
                 {-50, "-0.5"},
                 {-12345, "-123.45"},
                 {29, "0.29"},
                 {99999999, "999999.99"},
                 {100000000, "1000000"},
                 {-99999999, "-999999.99"},
                 {1005, "10.05"},
                 {115, "1.15"},
                 {57, "0.57"}};
    struct fixture *f = fixture_create(OUTPUT_JSON);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wanted[64];
        f->transition.score.score = cases[i].hundredths;
        encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
        snprintf(wanted, sizeof wanted, "\"score\":%s,\"fit\"", cases[i].text);
        char *text = strndup(f->out.value, f->out.value_size);
        cr_assert(strstr(text, wanted), "wanted %s in %s", wanted, text);
        free(text);
    }
    fixture_destroy(f);
}

/* Every hundredth up to 100 points, and a sample above: the text is the decimal number itself. */
Test(outgoing, no_hundredth_prints_more_than_two_decimals)
{
    struct fixture *f = fixture_create(OUTPUT_JSON);
    for (int32_t hundredths = 0; hundredths <= 100000000;
         hundredths += hundredths < 2000 ? 1 : 99991 + hundredths % 7) {
        char wanted[64], number[32];
        snprintf(number, sizeof number, "%d.%02d", hundredths / 100, hundredths % 100);
        size_t size = strlen(number);
        while (number[size - 1] == '0')
            number[--size] = 0;
        if (number[size - 1] == '.')
            number[--size] = 0;
        f->transition.score.score = hundredths;
        encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
        snprintf(wanted, sizeof wanted, "\"score\":%s,\"fit\"", number);
        cr_assert(memmem(f->out.value, f->out.value_size, wanted, strlen(wanted)), "%s", wanted);
        arena_reset(&f->arena);
    }
    fixture_destroy(f);
}

/* ---- Avro
 * ---------------------------------------------------------------------------------------- */

/* What libavro writes of it. */
static void expect_same_by_libavro(avro_value_t *value, const uint8_t *bytes, size_t size)
{
    char *again = calloc(1, size + 1);
    avro_writer_t writer = avro_writer_memory(again, (int64_t)size + 1);
    cr_assert(!avro_value_write(writer, value));
    cr_assert_eq(avro_writer_tell(writer), (int64_t)size);
    cr_assert_arr_eq(again, bytes, size);
    avro_writer_free(writer);
    free(again);
}

/* Reads with the schema as it stands in the folder, by libavro's own reader. */
static char *read_by_libavro(const char *file, const uint8_t *bytes, size_t size)
{
    const struct embedded_text *text = embedded_find(file);
    avro_schema_t schema;
    avro_value_t value;
    cr_assert(text && !avro_schema_from_json_length(text->text, text->size, &schema));
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    cr_assert(!avro_generic_value_new(class, &value));
    avro_reader_t reader = avro_reader_memory((const char *)bytes, (int64_t)size);
    cr_assert(!avro_value_read(reader, &value));
    char rest;
    cr_assert(avro_read(reader, &rest, 1) != 0, "there are bytes behind the record");
    char *json = NULL;
    cr_assert(!avro_value_to_json(&value, 1, &json));
    expect_same_by_libavro(&value, bytes, size);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    return json;
}

static const uint8_t *expect_single_object(const struct outgoing_message *message, const char *file,
                                           size_t *size)
{
    const uint8_t *bytes = message->value;
    const struct embedded_text *text = embedded_find(file);
    uint64_t wanted = 0, found = 0;
    struct error error;
    cr_assert_eq(schema_fingerprint(text->text, text->size, &wanted, &error), STATUS_OK);
    cr_assert(message->value_size > 10 && bytes[0] == 0xc3 && bytes[1] == 0x01);
    for (int i = 0; i < 8; i++)
        found |= (uint64_t)bytes[2 + i] << (8 * i);
    cr_assert_eq(found, wanted);
    *size = message->value_size - 10;
    return bytes + 10;
}

Test(outgoing, a_promotion_in_avro_reads_back_with_its_schema)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    encoder_promotion(f->encoder, &f->arena, &f->view, &f->out);
    size_t size;
    const uint8_t *body = expect_single_object(&f->out, "Promotion.avsc", &size);
    char *text = read_by_libavro("Promotion.avsc", body, size);
    json_t *root = json_loads(text, 0, NULL),
           *wanted = json_loads(
               "{\"lead_id\":\"l "
               "1/\xc3\xa9\",\"generation\":1,\"from_stage\":\"mql\",\"stage\":\"sql\","
               "\"time\":1793534400000,\"score\":7025,\"fit\":2000,\"behaviour\":5025,"
               "\"agreement\":\"demo\","
               "\"agreement_version\":3,\"agreement_hash\":\"abc0\",\"event_id\":\"e-1\","
               "\"topic\":\"lead-events\",\"partition\":5,\"offset\":1234567890123,"
               "\"rules\":[{\"id\":\"visit\",\"points\":707},{\"id\":\"demo\",\"points\":4000},"
               "{\"id\":\"free\",\"points\":0}],\"fit_rules\":[{\"id\":\"fit\",\"points\":2000,"
               "\"fields\":[\"job_title\",\"properties.plan\",\"email_domain\"]}],"
               "\"touches\":[{\"time\":1793534400000,\"kind\":\"form_fill\",\"page\":null,"
               "\"form\":{\"string\":\"demo-request\"},"
               "\"campaign\":{\"string\":\"Spring \\\"Sale\\\" "
               "\xc3\xa9\"},\"channel\":{\"string\":\"mail\"},"
               "\"rules\":[\"demo\",\"free\"]},{\"time\":1793448000000,\"kind\":\"visit\","
               "\"page\":{\"string\":\"/pricing\"},\"form\":null,\"campaign\":null,"
               "\"channel\":{\"string\":\"ads\"},\"rules\":[\"visit\"]}],\"conversions\":1,"
               "\"first_channel\":{\"string\":\"ads\"},\"last_channel\":{\"string\":\"mail\"},"
               "\"profile\":{\"name\":\"Ana\"},\"by\":null,\"reason\":null,\"adjusted\":null,"
               "\"persona\":null,\"segment\":null,\"owner\":null,\"age_ms\":{\"long\":86400000},"
               "\"forms\":[{\"time\":1793534400000,\"form\":{\"string\":\"demo-request\"},"
               "\"page\":null,\"fields\":[]}],\"mail\":null,"
               "\"pages\":[{\"page\":\"/pricing\",\"times\":1,\"last\":1793448000000,"
               "\"rules\":[\"visit\"]}],\"earlier\":[],"
               "\"why\":[\"The score is 70.25 points: 20 for who the lead is, 50.25 for what it "
               "did.\",\"The agreement hands a lead to sales from 1,000,000 points on.\","
               "\"demo: 40 points for 1 form filled in.\",\"visit: 7.07 points for 1 visit.\","
               "\"fit: 20 points for who the lead is.\"]}",
               0, NULL);
    cr_assert(root && wanted && json_equal(root, wanted), "%s", text);
    json_decref(root);
    json_decref(wanted);
    free(text);
    fixture_destroy(f);
}

Test(outgoing, an_encoder_writes_one_record_after_another)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    struct outgoing_message first, again;
    encoder_promotion(f->encoder, &f->arena, &f->view, &first);
    f->world.agreement.fit_count = 0;
    f->world.lead.touch_count = 0;
    encoder_promotion(f->encoder, &f->arena, &f->view, &f->out);
    cr_assert_lt(f->out.value_size, first.value_size);
    f->world.agreement.fit_count = 2;
    f->world.lead.touch_count = 2;
    encoder_promotion(f->encoder, &f->arena, &f->view, &again);
    cr_assert(again.value_size == first.value_size &&
              memcmp(again.value, first.value, first.value_size) == 0);
    fixture_destroy(f);
}

/* ---- headers
 * ------------------------------------------------------------------------------------- */

Test(outgoing, cloud_events_headers_name_the_transition)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    encoder_promotion(f->encoder, &f->arena, &f->view, &f->out);
    expect_header(&f->out, "ce_specversion", "1.0");
    expect_header(&f->out, "ce_id", "l%201%2F%C3%A9/1/sql");
    expect_header(&f->out, "ce_type", "baton.promotion");
    expect_header(&f->out, "ce_source", "/baton");
    expect_header(&f->out, "ce_time", "2026-11-01T12:00:00.000Z");
    expect_header(&f->out, "ce_subject", "l 1/\xc3\xa9");
    expect_header(&f->out, "content-type", "application/avro");
    expect_header(&f->out, "traceparent", NULL);
    cr_assert(f->out.key_size == 6 && memcmp(f->out.key, "l 1/\xc3\xa9", 6) == 0);
    f->transition = (struct baton_transition){BATON_LEAD, BATON_MQL, {1, 1, 0}, 1};
    encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
    expect_header(&f->out, "ce_id", "l%201%2F%C3%A9/1/mql");
    expect_header(&f->out, "ce_type", "baton.stage_change");
    fixture_destroy(f);
}

Test(outgoing, the_trace_of_the_triggering_message_goes_on)
{
    static const struct header headers[] = {{"tracestate", "a=1", 3},
                                            {"traceparent", "00-old", 6},
                                            {"other", "x", 1},
                                            {"traceparent", "00-new", 6}};
    struct fixture *f = fixture_create(OUTPUT_JSON);
    f->origin.headers = headers;
    f->origin.header_count = 4;
    encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
    expect_header(&f->out, "traceparent", "00-new");
    expect_header(&f->out, "tracestate", "a=1");
    expect_header(&f->out, "other", NULL);
    expect_header(&f->out, "content-type", "application/json");
    f->origin.header_count = 1;
    encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
    expect_header(&f->out, "tracestate", NULL);
    fixture_destroy(f);
}

/* ---- dead letters
 * -------------------------------------------------------------------------------- */

static const struct header their_headers[] = {
    {"traceparent", "00-x", 4}, {"null", NULL, 0}, {"ce_id", "theirs", 6}};

static struct message dead_message(const char *key, const char *value)
{
    return (struct message){.key = (const uint8_t *)key,
                            .key_size = key ? strlen(key) : 0,
                            .value = (const uint8_t *)value,
                            .value_size = value ? strlen(value) : 0,
                            .timestamp_ms = NOON,
                            .offset = 17};
}

static const struct decode_result unreadable = {
    .outcome = DECODE_DEAD, .reason = DEAD_UNREADABLE, .detail = "byte 3: not JSON"};

Test(dead_letters, carry_the_message_as_it_came)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    struct message message = dead_message("k", "{broken");
    struct origin origin = {"lead events", 3, 17, their_headers, 3};
    encoder_dead_letter(f->encoder, &f->arena, &message, &origin, &unreadable, 1 << 20, &f->out);
    cr_assert_eq(f->out.topic, TOPIC_DEAD);
    expect_text(&f->out, "{broken");
    cr_assert(f->out.key_size == 1 && *(const char *)f->out.key == 'k');
    cr_assert_str_eq(f->out.headers[0].name, "traceparent");
    cr_assert(f->out.headers[1].value == NULL);
    cr_assert(memcmp(f->out.headers[2].value, "theirs", 6) == 0, "their headers stay in front");
    expect_header(&f->out, "baton_reason", "unreadable");
    expect_header(&f->out, "baton_detail", "byte 3: not JSON");
    expect_header(&f->out, "baton_topic", "lead events");
    expect_header(&f->out, "baton_partition", "3");
    expect_header(&f->out, "baton_offset", "17");
    expect_header(&f->out, "ce_specversion", "1.0");
    expect_header(&f->out, "ce_id", "lead%20events/3/17");
    expect_header(&f->out, "ce_type", "baton.dead_letter");
    expect_header(&f->out, "ce_source", "/baton");
    expect_header(&f->out, "ce_time", "2026-11-01T12:00:00.000Z");
    expect_header(&f->out, "baton_length", NULL);
    expect_header(&f->out, "baton_sha256", NULL);
    expect_header(&f->out, "content-type", NULL);
    fixture_destroy(f);
}

Test(dead_letters, a_tombstone_stays_one)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    struct message message = dead_message(NULL, NULL);
    message.timestamp_ms = -1;
    struct decode_result empty = {.outcome = DECODE_DEAD, .reason = DEAD_EMPTY};
    encoder_dead_letter(f->encoder, &f->arena, &message, &f->origin, &empty, 1 << 20, &f->out);
    cr_assert(f->out.value == NULL && f->out.key == NULL && f->out.key_size == 0);
    expect_header(&f->out, "baton_reason", "empty");
    expect_header(&f->out, "ce_time", NULL);
    fixture_destroy(f);
}

static size_t size_of(const struct outgoing_message *message)
{
    size_t size = message->key_size + message->value_size;
    for (size_t i = 0; i < message->header_count; i++)
        size += strlen(message->headers[i].name) + message->headers[i].value_size;
    return size;
}

Test(dead_letters, a_value_that_is_too_large_is_cut_and_told_by_length_and_hash)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    char *large = malloc(20001);
    memset(large, 'a', 20000);
    large[20000] = 0;
    struct message message = dead_message("k", large);
    struct origin origin = {"t", 3, 17, their_headers, 3};
    encoder_dead_letter(f->encoder, &f->arena, &message, &origin, &unreadable, 10000, &f->out);
    cr_assert(f->out.value_size > 7000 && size_of(&f->out) < 10000);
    cr_assert(memcmp(f->out.value, large, f->out.value_size) == 0);
    expect_header(&f->out, "baton_length", "20000");
    /* printf 'a%.0s' {1..20000} | sha256sum */
    expect_header(&f->out, "baton_sha256",
                  "cc17faaad36649c4603dda4d8ff97cb149722af0bcac0746305a2134ad2d0b97");
    expect_header(&f->out, "traceparent", "00-x");
    encoder_dead_letter(f->encoder, &f->arena, &message, &origin, &unreadable, 1 << 20, &f->out);
    expect_header(&f->out, "baton_length", NULL);
    cr_assert_eq(f->out.value_size, 20000);
    free(large);
    fixture_destroy(f);
}

Test(dead_letters, headers_and_keys_that_leave_no_room_are_cut_too)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    char *large = malloc(20001);
    memset(large, 'a', 20000);
    large[20000] = 0;
    const struct header headers[] = {{"large", large, 20000}};
    struct origin origin = {"t", 3, 17, headers, 1};
    struct message message = dead_message("k", "value");
    encoder_dead_letter(f->encoder, &f->arena, &message, &origin, &unreadable, 10000, &f->out);
    expect_text(&f->out, "value");
    expect_header(&f->out, "large", NULL);
    expect_header(&f->out, "baton_headers_dropped", "1");
    message = dead_message(large, "value");
    encoder_dead_letter(f->encoder, &f->arena, &message, &origin, &unreadable, 10000, &f->out);
    cr_assert(f->out.key_size > 7000 && size_of(&f->out) < 10000);
    expect_header(&f->out, "baton_key_length", "20000");
    expect_header(&f->out, "baton_length", "5");
    encoder_dead_letter(f->encoder, &f->arena, &message, &origin, &unreadable, 0, &f->out);
    cr_assert(f->out.key_size == 0 && f->out.value_size == 0);
    free(large);
    fixture_destroy(f);
}

/* ---- reading stage records back
 * ------------------------------------------------------------------ */

static void expect_record(const struct stage_record *record)
{
    cr_assert(text_is(record->lead_id, "l 1/\xc3\xa9"));
    cr_assert(record->stage == BATON_SQL && record->generation == 1 && record->time_ms == NOON);
    cr_assert(record->partition == 5 && record->offset == 1234567890123);
}

/* Reads a copy of exactly this size, so that a sanitizer sees a byte too far. */
static enum status read_copy(struct fixture *f, const void *value, size_t size,
                             struct stage_record *record)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, value, size);
    enum status status = stage_record_read(copy, size, &f->arena, record, &f->error);
    if (status == STATUS_OK)
        record->lead_id.data = arena_copy(&f->arena, record->lead_id.data, record->lead_id.size);
    free(copy);
    return status;
}

/* `first`, `second`: sizes at which it is a record all the same, 0: none. */
static void expect_cuts_rejected(struct fixture *f, const uint8_t *value, size_t size, size_t first,
                                 size_t second)
{
    struct stage_record record;
    for (size_t cut = 0; cut < size; cut++)
        cr_assert_eq(read_copy(f, value, cut, &record),
                     cut && (cut == first || cut == second) ? STATUS_OK : STATUS_REJECT,
                     "cut at %zu", cut);
}

static void expect_all_cuts_rejected(struct fixture *f, const uint8_t *value, size_t size)
{
    expect_cuts_rejected(f, value, size, 0, 0);
}

/* Fields behind `offset`, a byte each where they are null. */
#define OTHER_CHANGES 9
#define PACT_CHANGES 2

static void round_trip(enum output_format format)
{
    struct fixture *f = fixture_create(format);
    struct stage_record record;
    encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
    cr_assert_eq(read_copy(f, f->out.value, f->out.value_size, &record), STATUS_OK, "%s",
                 f->error.text);
    expect_record(&record);
    expect_all_cuts_rejected(f, f->out.value, f->out.value_size);
    fixture_destroy(f);
}

Test(stage_records, read_back_from_avro)
{
    round_trip(OUTPUT_AVRO);
}

Test(stage_records, read_back_from_json)
{
    round_trip(OUTPUT_JSON);
}

Test(stage_records, read_back_from_registry_framing)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    struct stage_record record;
    encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
    size_t size = f->out.value_size - 5;
    uint8_t *framed = malloc(size);
    memcpy(framed, "\0\0\0\1\2", 5);
    memcpy(framed + 5, (const uint8_t *)f->out.value + 10, size - 5);
    cr_assert_eq(read_copy(f, framed, size, &record), STATUS_OK, "%s", f->error.text);
    expect_record(&record);
    /* as version 0.1 wrote it, and as it was before there were pacts */
    expect_cuts_rejected(f, framed, size, size - PACT_CHANGES - OTHER_CHANGES, size - PACT_CHANGES);
    free(framed);
    fixture_destroy(f);
}

Test(stage_records, version_0_1_wrote_fewer_fields)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    struct stage_record record;
    encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
    size_t size = f->out.value_size - PACT_CHANGES - OTHER_CHANGES;
    uint8_t *former = arena_copy(&f->arena, f->out.value, size);
    memcpy(former + 2, "\x4e\x0a\xb6\xe0\xda\xc8\x0c\x41", 8);
    cr_assert_eq(read_copy(f, former, size, &record), STATUS_OK, "%s", f->error.text);
    expect_record(&record);
    cr_assert(record.kind == RECORD_STAGE && record.stage_offset == -1);
    expect_all_cuts_rejected(f, former, size);
    fixture_destroy(f);
}

Test(stage_records, before_there_were_pacts_two_fields_were_not_there)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    struct stage_record record;
    encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
    size_t size = f->out.value_size - PACT_CHANGES;
    uint8_t *former = arena_copy(&f->arena, f->out.value, size);
    memcpy(former + 2, "\xbc\xd1\x97\x89\xba\x89\x2b\x0f", 8);
    cr_assert_eq(read_copy(f, former, size, &record), STATUS_OK, "%s", f->error.text);
    expect_record(&record);
    cr_assert(record.published_ms == 0 && !record.adopted);
    expect_all_cuts_rejected(f, former, size);
    fixture_destroy(f);
}

Test(stage_records, tell_when_a_promotion_went_out_and_of_a_stage_taken_over)
{
    for (int format = OUTPUT_AVRO; format <= OUTPUT_JSON; format++) {
        struct fixture *f = fixture_create((enum output_format)format);
        struct baton_transition adopted = *f->view.transition;
        struct stage_record record;
        f->view.published_ms = 1762000000123;
        encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
        cr_assert_eq(read_copy(f, f->out.value, f->out.value_size, &record), STATUS_OK);
        cr_assert(record.published_ms == 1762000000123 && !record.adopted);
        expect_all_cuts_rejected(f, f->out.value, f->out.value_size);
        adopted.adopted = true;
        f->view.transition = &adopted;
        f->view.published_ms = 0;
        encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
        cr_assert_eq(read_copy(f, f->out.value, f->out.value_size, &record), STATUS_OK);
        cr_assert(record.published_ms == 0 && record.adopted);
        fixture_destroy(f);
    }
}

/* ---- Breaches ---- */

static struct breach_view late(struct fixture *f)
{
    return (struct breach_view){.promise = "first_contact",
                                .state = BREACH_BROKEN,
                                .side = BATON_SALES,
                                .owner = TEXT("Head of Sales"),
                                .escalate_to = TEXT("Managing Director"),
                                .time_ms = 1762002000000,
                                .lead_id = f->event.lead_id,
                                .generation = 2,
                                .seller = TEXT("Ana"),
                                .started_ms = 1762000000000,
                                .due_ms = 1762002000000,
                                .agreement = f->view.agreement,
                                .origin = f->view.origin};
}

Test(breaches, of_a_clock_in_json)
{
    struct fixture *f = fixture_create(OUTPUT_JSON);
    struct breach_view view = late(f);
    encoder_breach(f->encoder, &f->arena, &view, &f->out);
    cr_assert_eq(f->out.topic, TOPIC_BREACHES);
    cr_assert_eq(f->out.key_size, f->event.lead_id.size);
    expect_header(&f->out, "ce_id", "l%201%2F%C3%A9/2/first_contact");
    expect_header(&f->out, "ce_type", "baton.breach");
    expect_header(&f->out, "ce_time", "2025-11-01T13:00:00.000Z");
    expect_text(&f->out,
                "{\"promise\":\"first_contact\",\"state\":\"broken\",\"side\":\"sales\","
                "\"owner\":\"Head of Sales\",\"escalate_to\":\"Managing Director\","
                "\"time\":\"2025-11-01T13:00:00.000Z\",\"lead_id\":\"l 1/\xc3\xa9\","
                "\"generation\":2,\"seller\":\"Ana\",\"started\":\"2025-11-01T12:26:40.000Z\","
                "\"due\":\"2025-11-01T13:00:00.000Z\","
                "\"estimated\":false,\"period\":null,\"unit\":null,\"promised\":null,"
                "\"actual\":null,\"needed\":null,\"revision\":0,\"agreement\":\"demo\","
                "\"agreement_version\":3,\"agreement_hash\":\"abc0\"}");
    fixture_destroy(f);
}

Test(breaches, reminders_and_corrections_have_ids_of_their_own)
{
    struct fixture *f = fixture_create(OUTPUT_JSON);
    struct breach_view view = late(f);
    view.state = BREACH_REMINDER;
    encoder_breach(f->encoder, &f->arena, &view, &f->out);
    expect_header(&f->out, "ce_id", "l%201%2F%C3%A9/2/first_contact/reminder");
    expect_header(&f->out, "ce_type", "baton.reminder");
    view.promise = "next_update";
    view.state = BREACH_KEPT;
    encoder_breach(f->encoder, &f->arena, &view, &f->out);
    expect_header(&f->out, "ce_id", "l%201%2F%C3%A9/2/next_update/1762000000000/kept");
    expect_header(&f->out, "ce_type", "baton.correction");
    view.state = BREACH_BROKEN;
    encoder_breach(f->encoder, &f->arena, &view, &f->out);
    expect_header(&f->out, "ce_id", "l%201%2F%C3%A9/2/next_update/1762000000000");
    fixture_destroy(f);
}

Test(breaches, of_a_goal_in_avro)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    struct breach_view view = {.promise = "delivery",
                               .state = BREACH_MISSED,
                               .side = BATON_MARKETING,
                               .time_ms = 5,
                               .period = "2026-11-03",
                               .unit = "leads",
                               .promised = 10000,
                               .actual = 9900,
                               .has_needed = true,
                               .needed = 12345,
                               .revision = 1,
                               .agreement = f->view.agreement};
    size_t size;
    encoder_breach(f->encoder, &f->arena, &view, &f->out);
    cr_assert(f->out.key_size == 8 && memcmp(f->out.key, "delivery", 8) == 0);
    expect_header(&f->out, "ce_id", "demo/delivery/2026-11-03/1");
    const uint8_t *body = expect_single_object(&f->out, "Breach.avsc", &size);
    char *text = read_by_libavro("Breach.avsc", body, size);
    cr_expect(strstr(text, "\"promised\": {\"long\": 10000}"), "%s", text);
    cr_expect(strstr(text, "\"needed\": {\"long\": 12345}"), "%s", text);
    cr_expect(strstr(text, "\"lead_id\": null"), "%s", text);
    free(text);
    fixture_destroy(f);
}

Test(stage_records, tell_of_a_report_that_was_ignored_and_of_an_adjustment)
{
    static const struct baton_feedback feedback = {.report = BATON_REPORT_CUSTOMER,
                                                   .seller = TEXT("Ana")};
    static const struct baton_adjustment adjustment = {
        .by = TEXT("Bruno"), .reason = TEXT("fair"), .points = -7};
    struct stage_record record;
    for (int format = OUTPUT_AVRO; format <= OUTPUT_JSON; format++) {
        struct fixture *f = fixture_create((enum output_format)format);
        f->event.kind = BATON_FEEDBACK;
        f->event.feedback = &feedback;
        f->view.kind = RECORD_IGNORED;
        f->view.why = "is no customer";
        encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
        expect_header(&f->out, "ce_id", "l%201%2F%C3%A9/1/ignored/5/1234567890123");
        expect_header(&f->out, "ce_type", "baton.report_ignored");
        cr_assert_eq(read_copy(f, f->out.value, f->out.value_size, &record), STATUS_OK);
        cr_assert_eq(record.kind, RECORD_IGNORED);
        expect_all_cuts_rejected(f, f->out.value, f->out.value_size);
        f->event.kind = BATON_ADJUST;
        f->event.adjustment = &adjustment;
        f->view.kind = RECORD_ADJUSTED;
        f->view.why = NULL;
        encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
        expect_header(&f->out, "ce_type", "baton.adjusted");
        cr_assert_eq(read_copy(f, f->out.value, f->out.value_size, &record), STATUS_OK);
        cr_assert_eq(record.kind, RECORD_ADJUSTED);
        if (format == OUTPUT_JSON)
            expect_text(&f->out, "{" STAGE_JSON ",\"change\":\"adjusted\",\"by\":\"Bruno\","
                                 "\"report\":null,\"reason\":\"fair\",\"why\":null,"
                                 "\"adjusted\":null,\"points\":-7,\"other\":null,"
                                 "\"stage_offset\":null,\"published\":null,"
                                 "\"adopted\":null}");
        fixture_destroy(f);
    }
}

Test(stage_records, ids_may_hold_any_character)
{
    static const enum output_format formats[] = {OUTPUT_AVRO, OUTPUT_JSON};
    for (int i = 0; i < 2; i++) {
        struct fixture *f = fixture_create(formats[i]);
        struct stage_record record;
        f->event.lead_id = TEXT("a\0b\"\\\n\xf0\x9f\x98\x80");
        encoder_stage_change(f->encoder, &f->arena, &f->view, &f->out);
        cr_assert_eq(read_copy(f, f->out.value, f->out.value_size, &record), STATUS_OK, "%s",
                     f->error.text);
        cr_assert(record.lead_id.size == 10 &&
                  memcmp(record.lead_id.data, f->event.lead_id.data, 10) == 0);
        fixture_destroy(f);
    }
}

Test(stage_records, a_record_of_another_schema_is_none_of_ours)
{
    struct fixture *f = fixture_create(OUTPUT_AVRO);
    struct stage_record record;
    encoder_promotion(f->encoder, &f->arena, &f->view, &f->out);
    cr_assert_eq(read_copy(f, f->out.value, f->out.value_size, &record), STATUS_REJECT);
    cr_assert(strstr(f->error.text, "fingerprint"));
    fixture_destroy(f);
}

Test(stage_records, json_that_lacks_something_is_none_of_ours)
{
    static const char *const good =
        "{\"more\":[{\"x\":[]}],\"lead_id\":\"l\",\"stage\":\"mql\",\"generation\":2,"
        "\"time\":5,\"partition\":0,\"offset\":0}";
    static const char *const bad[] = {
        "{}",
        "[]",
        "",
        "null",
        "{\"lead_id\":\"l\"}",
        "{\"lead_id\":\"\",\"stage\":\"mql\",\"generation\":2,\"time\":5,\"partition\":0,"
        "\"offset\":0}",
        "{\"lead_id\":\"l\",\"stage\":\"won\",\"generation\":2,\"time\":5,\"partition\":0,"
        "\"offset\":0}",
        "{\"lead_id\":\"l\",\"stage\":\"mql\",\"generation\":0,\"time\":5,\"partition\":0,"
        "\"offset\":0}",
        "{\"lead_id\":\"l\",\"stage\":\"mql\",\"generation\":1e2,\"time\":5,\"partition\":0,"
        "\"offset\":0}",
        "{\"lead_id\":\"l\",\"stage\":\"mql\",\"generation\":65536,\"time\":5,\"partition\":0,"
        "\"offset\":0}",
        "{\"lead_id\":\"l\",\"stage\":\"mql\",\"generation\":1,\"time\":\"now\",\"partition\":0,"
        "\"offset\":0}",
        "{\"lead_id\":\"l\",\"stage\":\"mql\",\"generation\":1,\"time\":5,\"partition\":-1,"
        "\"offset\":0}",
        "{\"lead_id\":\"l\",\"stage\":\"mql\",\"generation\":1,\"time\":5,\"partition\":0,"
        "\"offset\":9223372036854775808}",
        "{\"lead_id\":\"l\",\"stage\":\"mql\",\"generation\":1,\"time\":5,\"partition\":0,"
        "\"offset\":0} x"};
    struct fixture *f = fixture_create(OUTPUT_JSON);
    struct stage_record record;
    cr_assert_eq(read_copy(f, good, strlen(good), &record), STATUS_OK, "%s", f->error.text);
    cr_assert(record.stage == BATON_MQL && record.generation == 2 && record.time_ms == 5);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(read_copy(f, bad[i], strlen(bad[i]), &record), STATUS_REJECT, "%s", bad[i]);
    fixture_destroy(f);
}
