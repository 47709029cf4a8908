#include "codec/embedded.h"
#include "codec/outgoing.h"
#include "codec/outgoing_registry.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A registry of one thread that gives the same answer to every request and keeps the last one. */
struct fake_registry {
    int listener;
    char url[64];
    const char *status, *body;
    char request[16384];
    int requests;
    pthread_t thread;
};

static size_t wanted_size(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "content-length:");
    if (!end || !length)
        return SIZE_MAX;
    return (size_t)(end + 4 - request) + strtoul(length + 15, NULL, 10);
}

static void serve(struct fake_registry *fake, int client)
{
    size_t size = 0;
    char answer[1024];
    fake->request[0] = 0;
    while (size < wanted_size(fake->request) && size < sizeof fake->request - 1) {
        ssize_t more = read(client, fake->request + size, sizeof fake->request - 1 - size);
        if (more <= 0)
            break;
        size += (size_t)more;
        fake->request[size] = 0;
    }
    fake->requests++;
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                          fake->status, strlen(fake->body), fake->body);
    cr_assert(write(client, answer, (size_t)length) == length);
    close(client);
}

static void *run(void *context)
{
    struct fake_registry *fake = context;
    for (int client; (client = accept(fake->listener, NULL, NULL)) >= 0;)
        serve(fake, client);
    return NULL;
}

static struct fake_registry *fake_start(const char *status, const char *body)
{
    struct fake_registry *fake = calloc(1, sizeof *fake);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    fake->status = status;
    fake->body = body;
    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(fake->listener, (struct sockaddr *)&address, size) == 0);
    cr_assert(listen(fake->listener, 8) == 0);
    cr_assert(getsockname(fake->listener, (struct sockaddr *)&address, &size) == 0);
    snprintf(fake->url, sizeof fake->url, "http://127.0.0.1:%d/apis/v7/", ntohs(address.sin_port));
    cr_assert(pthread_create(&fake->thread, NULL, run, fake) == 0);
    return fake;
}

static void fake_stop(struct fake_registry *fake)
{
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    free(fake);
}

static enum status answer_of(const char *status, const char *body, uint32_t *id,
                             struct error *error)
{
    struct fake_registry *fake = fake_start(status, body);
    enum status got = registry_register(fake->url, "t-value", "{}", 2, id, error);
    fake_stop(fake);
    return got;
}

Test(registry, a_schema_is_registered_under_its_topic_below_the_base_path)
{
    struct fake_registry *fake = fake_start("200 OK", "{\"id\": 41}");
    struct error error;
    uint32_t id = 0;
    cr_assert_eq(
        registry_register(fake->url, "lead-stages-value", "{\"a\":\"\n\"}", 9, &id, &error),
        STATUS_OK, "%s", error.text);
    cr_assert_eq(id, 41);
    cr_assert(
        strncmp(fake->request, "POST /apis/v7/subjects/lead-stages-value/versions HTTP", 54) == 0,
        "%s", fake->request);
    cr_assert(strstr(fake->request, "Content-Type: application/vnd.schemaregistry.v1+json"));
    cr_assert(strstr(fake->request, "{\"schema\":\"{\\\"a\\\":\\\"\\n\\\"}\"}"), "%s",
              fake->request);
    fake_stop(fake);
}

Test(registry, what_passes_is_tried_again_and_what_stays_stops)
{
    static const struct {
        const char *status, *body;
        enum status wanted;
    } cases[] = {
        {"201 Created", "{\"id\":1}", STATUS_OK},
        {"500 Oops", "", STATUS_RETRY},
        {"503 Later", "{}", STATUS_RETRY},
        {"429 Slow", "{}", STATUS_RETRY},
        {"200 OK", "<html>starting</html>", STATUS_RETRY},
        {"200 OK", "{\"id\":\"1\"}", STATUS_RETRY},
        {"200 OK", "{\"id\":-1}", STATUS_RETRY},
        {"200 OK", "{\"id\":4294967296}", STATUS_RETRY},
        {"409 Conflict", "{\"message\":\"not compatible\"}", STATUS_STOP},
        {"422 No", "{\"message\":\"bad\"}", STATUS_STOP},
        {"401 Who", "", STATUS_STOP},
        {"404 Where", "", STATUS_STOP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {""};
        uint32_t id = 0;
        enum status got = answer_of(cases[i].status, cases[i].body, &id, &error);
        cr_assert_eq(got, cases[i].wanted, "%s: %d %s", cases[i].status, got, error.text);
    }
}

Test(registry, one_that_is_away_is_waited_for_and_its_password_not_told)
{
    struct fake_registry *fake = fake_start("200 OK", "{\"id\": 41}");
    char url[128];
    struct error error;
    uint32_t id;
    snprintf(url, sizeof url, "http://me:secret@%s", fake->url + 7);
    fake_stop(fake);
    cr_assert_eq(registry_register(url, "t-value", "{}", 2, &id, &error), STATUS_RETRY);
    cr_assert(strstr(error.text, "127.0.0.1") && !strstr(error.text, "secret"), "%s", error.text);
    cr_assert_eq(registry_register("file:///etc/", "t", "{}", 2, &id, &error), STATUS_STOP);
    cr_assert_eq(registry_register("no address", "t", "{}", 2, &id, &error), STATUS_STOP);
}

Test(registry, the_encoder_registers_its_schemas_and_frames_with_the_id)
{
    static const char *const topics[OUTGOING_TOPICS] = {"p", "s", "d", "b"};
    struct fake_registry *fake = fake_start("200 OK", "{\"id\": 66051}");
    struct encoder *encoder;
    struct error error;
    cr_assert_eq(encoder_create(&encoder, OUTPUT_REGISTRY, "/baton", topics, NULL, &error),
                 STATUS_STOP);
    cr_assert_eq(encoder_create(&encoder, OUTPUT_REGISTRY, "/baton", topics, fake->url, &error),
                 STATUS_OK, "%s", error.text);
    cr_assert_eq(fake->requests, 3);

    struct arena arena;
    arena_init(&arena, 4096);
    struct baton_lead lead;
    baton_lead_init(&lead);
    struct baton_event event = {.lead_id = {"l", 1}, .event_id = {"e", 1}, .time_ms = 5};
    struct baton_transition transition = {BATON_LEAD, BATON_MQL, {1, 1, 0}, 1};
    struct baton_agreement agreement = {.name = {"a", 1}, .hash = {"00", 2}, .version = 1};
    struct origin origin = {.topic = "in"};
    struct stage_view view = {&lead, &event, &transition, &agreement, NULL, &origin};
    struct outgoing_message out;
    struct stage_record record;
    encoder_stage_change(encoder, &arena, &view, &out);
    cr_assert(memcmp(out.value, "\0\0\1\2\3", 5) == 0);
    cr_assert_eq(stage_record_read(out.value, out.value_size, &arena, &record, &error), STATUS_OK,
                 "%s", error.text);
    cr_assert(record.stage == BATON_MQL && record.time_ms == 5);
    arena_fini(&arena);
    encoder_destroy(encoder);
    fake_stop(fake);
}

Test(registry, an_encoder_waits_for_a_registry_that_is_not_ready)
{
    static const char *const topics[OUTGOING_TOPICS] = {"p", "s", "d", "b"};
    struct fake_registry *fake = fake_start("503 Later", "");
    struct encoder *encoder;
    struct error error;
    cr_assert_eq(encoder_create(&encoder, OUTPUT_REGISTRY, "/baton", topics, fake->url, &error),
                 STATUS_RETRY);
    cr_assert(!encoder);
    fake_stop(fake);
}
