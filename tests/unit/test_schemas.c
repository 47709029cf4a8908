/* Schemas of a folder, and a registry that misbehaves in every way (a small HTTP server of this
 * test's own). */
#include "codec_support.h"
#include "schemas/registry_client.h"
#include "schemas/schemas.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct arena arena;
static struct error error;
static char folder[64];

static void start(void)
{
    arena_init(&arena, 4096);
    strcpy(folder, "/tmp/baton-schemas-XXXXXX");
    cr_assert(mkdtemp(folder));
}

static void stop(void)
{
    char command[128];
    sprintf(command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
    arena_fini(&arena);
}

TestSuite(schemas, .init = start, .fini = stop, .timeout = 60);

static void put_file(const char *name, const char *text)
{
    char path[256];
    sprintf(path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static enum status get(struct schema_source *source, enum schema_naming naming, uint64_t id,
                       struct baton_text *text)
{
    *text = (struct baton_text){0};
    error.text[0] = 0;
    return source->get(source, (struct schema_key){naming, id}, &arena, text, &error);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the folder
 * ------------------------------------------------------------------------------------------- */

Test(schemas, files_are_known_by_fingerprint_and_by_the_number_they_are_called_by)
{
    struct baton_text text;
    put_file("int.avsc", "\"int\"");
    put_file("12.avsc", "\"long\"");
    put_file("13.json", "{\"schema\":\"\\\"string\\\"\",\"id\":13}");
    put_file("14.json", "\"null\"");
    put_file("15.avsc", "no schema");
    put_file("x.json", "\"double\"");
    put_file("16.txt", "\"double\"");
    put_file("4294967296.avsc", "\"float\"");
    struct schema_source *source = schemas_create(folder, NULL);
    cr_expect_eq(get(source, SCHEMA_FINGERPRINT, UINT64_C(8247732601305521295), &text), STATUS_OK);
    cr_text(text, "\"int\"");
    cr_expect_eq(get(source, SCHEMA_FINGERPRINT, (uint64_t)INT64_C(-3434872931120570953), &text),
                 STATUS_OK);
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 12, &text), STATUS_OK);
    cr_text(text, "\"long\"");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 13, &text), STATUS_OK);
    cr_text(text, "\"string\"");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 14, &text), STATUS_OK);
    cr_text(text, "\"null\"");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 15, &text), STATUS_REJECT,
                 "it may still be on its way into the folder");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 16, &text), STATUS_REJECT);
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 0, &text), STATUS_REJECT);
    cr_expect_eq(get(source, SCHEMA_FINGERPRINT, (uint64_t)INT64_C(-8181574048448539266), &text),
                 STATUS_REJECT);
    cr_expect(strstr(error.text, "8e7535c032ab957e"), "%s", error.text);
    source->destroy(source);
}

Test(schemas, a_file_that_comes_later_is_found_within_about_a_second)
{
    struct baton_text text;
    struct schema_source *source = schemas_create(folder, "");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 7, &text), STATUS_REJECT);
    put_file("7.avsc", "\"int\"");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 7, &text), STATUS_REJECT,
                 "not looked at again at once");
    usleep(1050000);
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 7, &text), STATUS_OK);
    source->destroy(source);
}

Test(schemas, a_folder_that_is_not_there_is_waited_for)
{
    struct baton_text text;
    char path[128];
    sprintf(path, "%s/later", folder);
    struct schema_source *source = schemas_create(path, NULL);
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 7, &text), STATUS_RETRY);
    cr_expect(strstr(error.text, path), "%s", error.text);
    cr_assert_eq(mkdir(path, 0700), 0);
    put_file("later/7.avsc", "\"int\"");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 7, &text), STATUS_OK);
    source->destroy(source);
}

Test(schemas, without_folder_and_registry_nobody_knows_a_schema)
{
    struct baton_text text;
    struct schema_source *source = schemas_create(NULL, NULL);
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 7, &text), STATUS_REJECT);
    cr_expect(strstr(error.text, "7.avsc"), "%s", error.text);
    source->destroy(source);
}

/* ---- answers
 * ---------------------------------------------------------------------------------------------- */

static enum status answer(const char *json, struct baton_text *text)
{
    return registry_answer_read(json, strlen(json), &arena, text, &error);
}

Test(schemas, only_avro_schemas_in_one_piece_are_taken)
{
    struct baton_text text;
    cr_expect_eq(
        answer("{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"AVRO\",\"references\":[]}", &text),
        STATUS_OK);
    cr_text(text, "\"int\"");
    cr_expect_eq(answer("{\"schema\":\"syntax\",\"schemaType\":\"PROTOBUF\"}", &text),
                 STATUS_REJECT);
    cr_expect(strstr(error.text, "PROTOBUF"));
    cr_expect_eq(answer("{\"schema\":\"\\\"int\\\"\",\"references\":[{\"name\":\"a\"}]}", &text),
                 STATUS_REJECT);
    cr_expect(strstr(error.text, "refers"));
    cr_expect_eq(answer("{\"error_code\":1}", &text), STATUS_RETRY);
    cr_expect_eq(answer("<html>", &text), STATUS_RETRY);
    cr_expect_eq(answer("", &text), STATUS_RETRY);
}

/* ---- a registry of this test's own
 * ------------------------------------------------------------------------ */

struct server {
    int socket, port, asked;
    const char *status, *body;
    size_t padding; /* more bytes after the body */
    int delay_ms;
    char request[4096];
    pthread_t thread;
};

static void respond(struct server *server, int client)
{
    char head[256];
    ssize_t size = read(client, server->request, sizeof server->request - 1);
    server->request[size < 0 ? 0 : size] = 0;
    server->asked++;
    usleep((useconds_t)server->delay_ms * 1000);
    int length = sprintf(head, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                         server->status, strlen(server->body) + server->padding);
    (void)send(client, head, (size_t)length, MSG_NOSIGNAL);
    (void)send(client, server->body, strlen(server->body), MSG_NOSIGNAL);
    char block[4096];
    memset(block, ' ', sizeof block);
    for (size_t left = server->padding; left;) {
        ssize_t written =
            send(client, block, left < sizeof block ? left : sizeof block, MSG_NOSIGNAL);
        if (written <= 0)
            break;
        left -= (size_t)written;
    }
}

static void *serve(void *context)
{
    struct server *server = context;
    for (;;) {
        int client = accept(server->socket, NULL, NULL);
        if (client < 0)
            return NULL;
        respond(server, client);
        close(client);
    }
}

static void server_start(struct server *server, const char *status, const char *body)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    memset(server, 0, sizeof *server);
    server->status = status;
    server->body = body;
    server->socket = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(server->socket, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(server->socket, 8), 0);
    cr_assert_eq(getsockname(server->socket, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    cr_assert_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
    shutdown(server->socket, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->socket);
}

static struct schema_source *source_of(const struct server *server, const char *before,
                                       const char *path)
{
    char url[256];
    sprintf(url, "http://%s127.0.0.1:%d%s", before, server->port, path);
    return schemas_create(NULL, url);
}

Test(schemas, a_registry_is_asked_below_its_base_path_once_per_schema)
{
    struct server server;
    struct baton_text text;
    server_start(&server, "200 OK", "{\"schema\":\"\\\"int\\\"\"}");
    struct schema_source *source = source_of(&server, "me:pass%40word@", "/apis/ccompat/v7/");
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 42, &text), STATUS_OK, "%s", error.text);
        cr_text(text, "\"int\"");
    }
    cr_expect_eq(server.asked, 1);
    cr_expect(strstr(server.request, "GET /apis/ccompat/v7/schemas/ids/42 HTTP"), "%s",
              server.request);
    cr_expect(strstr(server.request, "Authorization: Basic bWU6cGFzc0B3b3Jk"), "%s",
              server.request);
    cr_expect_eq(get(source, SCHEMA_FINGERPRINT, 42, &text), STATUS_REJECT,
                 "it knows no fingerprints");
    cr_expect_eq(server.asked, 1);
    source->destroy(source);
    server_stop(&server);
}

static void expect_answer(const char *status, const char *body, size_t padding, int delay_ms,
                          enum status expected)
{
    struct server server;
    struct baton_text text;
    server_start(&server, status, body);
    server.padding = padding;
    server.delay_ms = delay_ms;
    struct schema_source *source = source_of(&server, "me:secret@", "");
    double began = seconds();
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 5, &text), expected, "%s %s: %s", status, body,
                 error.text);
    cr_expect_lt(seconds() - began, 2.0);
    cr_expect(*error.text && !strstr(error.text, "secret"), "%s", error.text);
    source->destroy(source);
    server_stop(&server);
}

Test(schemas, only_not_found_and_what_can_never_be_read_is_a_rejection)
{
    expect_answer("404 Not Found", "{\"error_code\":40403}", 0, 0, STATUS_REJECT);
    expect_answer("500 Internal Server Error", "{}", 0, 0, STATUS_RETRY);
    expect_answer("401 Unauthorized", "{}", 0, 0, STATUS_RETRY);
    expect_answer("301 Moved", "", 0, 0, STATUS_RETRY);
    expect_answer("200 OK", "welcome", 0, 0, STATUS_RETRY);
    expect_answer("200 OK", "{\"schema\":\"x\",\"schemaType\":\"JSON\"}", 0, 0, STATUS_REJECT);
    expect_answer("200 OK", "{\"schema\":\"x\"}", REGISTRY_RESPONSE_MAX, 0, STATUS_REJECT);
    expect_answer("200 OK", "{\"schema\":\"x\"}", 0, 1500, STATUS_RETRY);
}

Test(schemas, a_registry_that_is_away_is_waited_for)
{
    struct server server;
    struct baton_text text;
    server_start(&server, "200 OK", "{}");
    server_stop(&server);
    struct schema_source *source = source_of(&server, "", "");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 5, &text), STATUS_RETRY);
    cr_expect(strstr(error.text, "127.0.0.1"), "%s", error.text);
    source->destroy(source);
}

Test(schemas, the_folder_goes_before_the_registry)
{
    struct server server;
    struct baton_text text;
    char url[64];
    server_start(&server, "200 OK", "{\"schema\":\"\\\"int\\\"\"}");
    put_file("1.avsc", "\"long\"");
    sprintf(url, "http://127.0.0.1:%d", server.port);
    struct schema_source *source = schemas_create(folder, url);
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 1, &text), STATUS_OK);
    cr_text(text, "\"long\"");
    cr_expect_eq(get(source, SCHEMA_REGISTRY_ID, 2, &text), STATUS_OK);
    cr_text(text, "\"int\"");
    source->destroy(source);
    server_stop(&server);
}
