/* Against a real schema registry: BATON_TEST_REGISTRY is its base URL. */
#include "codec/decoder.h"
#include "schemas/schemas.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *base;
static struct arena arena;
static struct error error;
static struct baton_text text;

static void start(void)
{
    base = getenv("BATON_TEST_REGISTRY");
    if (!base)
        cr_skip_test("BATON_TEST_REGISTRY is not set");
    arena_init(&arena, 4096);
}

static void stop(void)
{
    arena_fini(&arena);
}

TestSuite(registry, .init = start, .fini = stop, .timeout = 60);

static size_t collect(char *bytes, size_t one, size_t size, void *context)
{
    char *out = context;
    size_t used = strlen(out), room = 4095 - used, taken = size < room ? size : room;
    (void)one;
    memcpy(out + used, bytes, taken);
    out[used + taken] = 0;
    return size;
}

/* Registers a schema under a subject of its own; gives its id. */
static uint32_t register_schema(const char *subject, const char *schema, const char *type)
{
    char url[512], answer[4096] = "";
    (void)snprintf(url, sizeof url, "%s/subjects/baton-test-%s-%d/versions", base, subject,
                   (int)getpid());
    json_t *body = json_pack("{s:s, s:s}", "schema", schema, "schemaType", type);
    char *bytes = json_dumps(body, 0);
    struct curl_slist *headers =
        curl_slist_append(NULL, "Content-Type: application/vnd.schemaregistry.v1+json");
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    cr_assert_eq(curl_easy_perform(curl), CURLE_OK, "%s", url);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    json_decref(body);
    free(bytes);
    json_t *told = json_loads(answer, 0, NULL);
    json_int_t id = json_integer_value(json_object_get(told, "id"));
    json_decref(told);
    cr_assert_gt(id, 0, "%s", answer);
    return (uint32_t)id;
}

static enum status get(struct schema_source *source, uint64_t id)
{
    return source->get(source, (struct schema_key){SCHEMA_REGISTRY_ID, id}, &arena, &text, &error);
}

Test(registry, a_registered_schema_is_found_and_reads_a_message)
{
    char schema[512];
    (void)snprintf(
        schema, sizeof schema,
        "{\"type\":\"record\",\"name\":\"Visit\",\"namespace\":\"t%d\",\"fields\":["
        "{\"name\":\"event_id\",\"type\":\"string\"},{\"name\":\"time\",\"type\":\"long\"},"
        "{\"name\":\"page\",\"type\":[\"null\",\"string\"]}]}",
        (int)getpid());
    uint32_t id = register_schema("visit", schema, "AVRO");
    struct schema_source *source = schemas_create(NULL, base);
    cr_assert_eq(get(source, id), STATUS_OK, "%s", error.text);

    struct input_config config = {.lead_id_from_key = true};
    struct decoder *decoder;
    struct baton_event event;
    struct decode_result result;
    cr_assert_eq(decoder_create(&decoder, &config, &error), STATUS_OK);
    decoder_add_schema(decoder, (struct schema_key){SCHEMA_REGISTRY_ID, id}, text.data, text.size);
    uint8_t value[] = {0,
                       (uint8_t)(id >> 24),
                       (uint8_t)(id >> 16),
                       (uint8_t)(id >> 8),
                       (uint8_t)id,
                       2,
                       'e',
                       10,
                       2,
                       4,
                       '/',
                       'p'};
    struct message message = {.key = (const uint8_t *)"l",
                              .key_size = 1,
                              .value = value,
                              .value_size = sizeof value,
                              .timestamp_ms = 5};
    decoder_decode(decoder, &message, &arena, &event, &result);
    cr_expect_eq(result.outcome, DECODED, "%s", result.detail);
    cr_expect_eq(event.time_ms, 5);
    cr_expect_eq(event.fields[BATON_PAGE].size, 2);
    decoder_destroy(decoder);
    source->destroy(source);
}

Test(registry, an_unknown_id_is_rejected_and_a_later_one_found)
{
    struct schema_source *source = schemas_create(NULL, base);
    cr_expect_eq(get(source, 2000000000), STATUS_REJECT, "%s", error.text);
    cr_expect(strstr(error.text, "2000000000"), "%s", error.text);
    cr_expect_eq(get(source, register_schema("int", "\"int\"", "AVRO")), STATUS_OK, "%s",
                 error.text);
    source->destroy(source);
}

Test(registry, a_schema_of_another_type_is_rejected_with_its_name)
{
    uint32_t id =
        register_schema("proto", "syntax = \"proto3\"; message A { string b = 1; }", "PROTOBUF");
    struct schema_source *source = schemas_create(NULL, base);
    cr_expect_eq(get(source, id), STATUS_REJECT);
    cr_expect(strstr(error.text, "PROTOBUF"), "%s", error.text);
    source->destroy(source);
}

Test(registry, a_wrong_base_path_is_not_taken_for_an_unknown_schema_for_ever)
{
    char url[256];
    (void)snprintf(url, sizeof url, "%s/nonsense", base);
    struct schema_source *source = schemas_create(NULL, url);
    cr_expect_neq(get(source, 1), STATUS_OK);
    source->destroy(source);
}
