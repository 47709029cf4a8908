/* Outgoing schemas at the real registry of BATON_TEST_REGISTRY. */
#include "codec/embedded.h"
#include "codec/outgoing.h"
#include "codec/outgoing_registry.h"

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *registry_url(void)
{
    const char *url = getenv("BATON_TEST_REGISTRY");
    cr_assert(url, "BATON_TEST_REGISTRY is not set; tests/run sets it");
    return url;
}

struct answer {
    char text[65536];
    size_t size;
};

static size_t take(char *bytes, size_t item, size_t count, void *context)
{
    struct answer *answer = context;
    cr_assert(answer->size + item * count < sizeof answer->text);
    memcpy(answer->text + answer->size, bytes, item * count);
    answer->size += item * count;
    return item * count;
}

/* The schema of an id, as a consumer asks for it. */
static json_t *schema_of(uint32_t id)
{
    static struct answer answer;
    char url[512];
    snprintf(url, sizeof url, "%s/schemas/ids/%u", registry_url(), id);
    CURL *curl = curl_easy_init();
    answer.size = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    cr_assert_eq(curl_easy_perform(curl), CURLE_OK);
    curl_easy_cleanup(curl);
    json_t *root = json_loadb(answer.text, answer.size, 0, NULL);
    cr_assert(root, "%.*s", (int)answer.size, answer.text);
    json_t *schema = json_loads(json_string_value(json_object_get(root, "schema")), 0, NULL);
    cr_assert(schema);
    json_decref(root);
    return schema;
}

Test(registry_output, a_registered_schema_is_what_consumers_get, .timeout = 60)
{
    static const char *const files[] = {"Promotion.avsc", "StageChange.avsc"};
    for (int i = 0; i < 2; i++) {
        const struct embedded_text *text = embedded_find(files[i]);
        char subject[64];
        uint32_t id = 0, again = 0;
        struct error error;
        snprintf(subject, sizeof subject, "output-%d-%d-value", (int)getpid(), i);
        cr_assert_eq(
            registry_register(registry_url(), subject, text->text, text->size, &id, &error),
            STATUS_OK, "%s", error.text);
        cr_assert_eq(
            registry_register(registry_url(), subject, text->text, text->size, &again, &error),
            STATUS_OK, "%s", error.text);
        cr_assert_eq(id, again, "registering twice gives one id");
        json_t *got = schema_of(id), *wanted = json_loadb(text->text, text->size, 0, NULL);
        cr_assert(json_equal(got, wanted));
        json_decref(got);
        json_decref(wanted);
    }
}

Test(registry_output, a_text_that_is_no_schema_is_refused, .timeout = 60)
{
    struct error error;
    uint32_t id;
    char subject[64];
    snprintf(subject, sizeof subject, "output-bad-%d-value", (int)getpid());
    cr_assert_eq(
        registry_register(registry_url(), subject, "{\"type\":\"nothing\"}", 18, &id, &error),
        STATUS_STOP, "%s", error.text);
}

Test(registry_output, records_carry_the_id_of_their_schema, .timeout = 60)
{
    char names[2][64];
    snprintf(names[0], sizeof names[0], "output-p-%d", (int)getpid());
    snprintf(names[1], sizeof names[1], "output-s-%d", (int)getpid());
    const char *const topics[OUTGOING_TOPICS] = {names[0], names[1], "unused", "unused"};
    struct encoder *encoder;
    struct error error;
    cr_assert_eq(
        encoder_create(&encoder, OUTPUT_REGISTRY, "/baton", topics, registry_url(), &error),
        STATUS_OK, "%s", error.text);
    struct arena arena;
    arena_init(&arena, 4096);
    struct baton_lead lead;
    baton_lead_init(&lead);
    struct baton_event event = {.lead_id = {"l", 1}, .event_id = {"e", 1}, .time_ms = 5};
    struct baton_transition transition = {BATON_LEAD, BATON_MQL, {1, 1, 0}};
    struct baton_agreement agreement = {.name = {"a", 1}, .hash = {"00", 2}, .version = 1};
    struct origin origin = {.topic = "in"};
    struct stage_view view = {&lead, &event, &transition, &agreement, NULL, &origin};
    struct outgoing_message out;
    encoder_stage_change(encoder, &arena, &view, &out);
    const uint8_t *bytes = out.value;
    cr_assert_eq(bytes[0], 0);
    json_t *schema = schema_of((uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 |
                               (uint32_t)bytes[3] << 8 | bytes[4]);
    cr_assert_str_eq(json_string_value(json_object_get(schema, "name")), "StageChange");
    json_decref(schema);
    arena_fini(&arena);
    encoder_destroy(encoder);
}
