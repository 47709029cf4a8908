#include "schemas/registry_client.h"

#include "base/text_buffer.h"

#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct told {
    uint32_t id;
    struct baton_text text; /* from the client's arena */
};

struct registry_client {
    char *url;   /* without a slash at its end */
    char *shown; /* without user and password */
    CURL *curl;
    char curl_error[CURL_ERROR_SIZE];
    struct text_buffer answer;
    bool too_long;
    struct arena texts;
    struct told *told;
    size_t told_count;
};

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_bytes(char *bytes, size_t one, size_t size, void *context)
{
    struct registry_client *client = context;
    (void)one;
    if (size > REGISTRY_RESPONSE_MAX - client->answer.size) {
        client->too_long = true;
        return 0;
    }
    text_buffer_add(&client->answer, bytes, size);
    return size;
}

/* For log lines: what stands between `//` and the last `@` of the authority is left out. */
static char *without_password(const char *url)
{
    const char *host = strstr(url, "//");
    host = host ? host + 2 : url;
    const char *end = host + strcspn(host, "/?#");
    const char *at = memrchr(host, '@', (size_t)(end - host));
    struct text_buffer shown;
    text_buffer_init(&shown);
    text_buffer_add(&shown, url, (size_t)(host - url));
    text_buffer_add_text(&shown, at ? at + 1 : host);
    return shown.data;
}

struct registry_client *registry_client_create(const char *url)
{
    static pthread_once_t started = PTHREAD_ONCE_INIT;
    (void)pthread_once(&started, start_curl);
    struct registry_client *client = memory_take_zeroed(1, sizeof *client);
    client->url = memory_copy_text(url);
    for (size_t size = strlen(url); size && client->url[size - 1] == '/';)
        client->url[--size] = 0;
    client->shown = without_password(client->url);
    text_buffer_init(&client->answer);
    arena_init(&client->texts, 64 * 1024);
    return client;
}

void registry_client_destroy(struct registry_client *client)
{
    if (!client)
        return;
    if (client->curl)
        curl_easy_cleanup(client->curl);
    arena_fini(&client->texts);
    text_buffer_fini(&client->answer);
    free(client->told);
    free(client->shown);
    free(client->url);
    free(client);
}

/* ---- the answer
 * ------------------------------------------------------------------------------------------ */

static enum status read_members(const json_t *answer, struct arena *arena, struct baton_text *text,
                                struct error *error)
{
    const json_t *schema = json_object_get(answer, "schema");
    const char *type = json_string_value(json_object_get(answer, "schemaType"));
    if (!json_is_string(schema))
        return error_set(error, STATUS_RETRY, "the answer has no `schema`");
    if (type && strcmp(type, "AVRO") != 0)
        return error_set(error, STATUS_REJECT, "a schema of type %.40s; only AVRO can be read",
                         type);
    if (json_array_size(json_object_get(answer, "references")))
        return error_set(error, STATUS_REJECT,
                         "the schema refers to other subjects, which is not supported; register it "
                         "as one text, with the types that it needs inside");
    size_t size = json_string_length(schema);
    *text = (struct baton_text){arena_copy(arena, json_string_value(schema), size), (uint32_t)size};
    return STATUS_OK;
}

enum status registry_answer_read(const char *json, size_t size, struct arena *arena,
                                 struct baton_text *text, struct error *error)
{
    json_t *answer = json_loadb(json, size, 0, NULL);
    if (!json_is_object(answer)) {
        json_decref(answer);
        return error_set(error, STATUS_RETRY, "the answer is not a JSON object");
    }
    enum status status = read_members(answer, arena, text, error);
    json_decref(answer);
    return status;
}

/* ---- asking
 * -----------------------------------------------------------------------------------------------
 */

static bool prepare(struct registry_client *client)
{
    if (client->curl)
        return true;
    client->curl = curl_easy_init();
    if (!client->curl)
        return false;
    CURL *curl = client->curl;
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)REGISTRY_TIMEOUT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_error);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    return true;
}

static enum status judge(struct registry_client *client, uint32_t id, CURLcode code,
                         struct error *error)
{
    long http = 0;
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &http);
    if (client->too_long)
        return error_set(error, STATUS_REJECT,
                         "the schema registry's answer for id %u is longer than %u bytes", id,
                         REGISTRY_RESPONSE_MAX);
    if (code != CURLE_OK)
        return error_set(error, STATUS_RETRY, "the schema registry %.200s does not answer: %.250s",
                         client->shown,
                         client->curl_error[0] ? client->curl_error : curl_easy_strerror(code));
    if (http == 404)
        return error_set(error, STATUS_REJECT, "the schema registry %.200s knows no schema %u",
                         client->shown, id);
    if (http != 200)
        return error_set(error, STATUS_RETRY, "the schema registry %.200s answers with HTTP %ld",
                         client->shown, http);
    return STATUS_OK;
}

static enum status ask(struct registry_client *client, uint32_t id, struct error *error)
{
    struct text_buffer url;
    text_buffer_init(&url);
    text_buffer_print(&url, "%s/schemas/ids/%u", client->url, id);
    text_buffer_clear(&client->answer);
    client->too_long = false;
    client->curl_error[0] = 0;
    (void)curl_easy_setopt(client->curl, CURLOPT_URL, url.data);
    CURLcode code = curl_easy_perform(client->curl);
    text_buffer_fini(&url);
    return judge(client, id, code, error);
}

static void keep(struct registry_client *client, uint32_t id, struct baton_text text)
{
    client->told = memory_resize(client->told, (client->told_count + 1) * sizeof *client->told);
    client->told[client->told_count++] =
        (struct told){id, {arena_copy(&client->texts, text.data, text.size), text.size}};
}

enum status registry_client_get(struct registry_client *client, uint32_t id, struct arena *arena,
                                struct baton_text *text, struct error *error)
{
    struct error detail;
    for (size_t i = 0; i < client->told_count; i++) {
        if (client->told[i].id != id)
            continue;
        struct baton_text kept = client->told[i].text;
        *text = (struct baton_text){arena_copy(arena, kept.data, kept.size), kept.size};
        return STATUS_OK;
    }
    if (!prepare(client))
        return error_set(error, STATUS_RETRY, "libcurl cannot be used");
    enum status status = ask(client, id, error);
    if (status != STATUS_OK)
        return status;
    status = registry_answer_read(client->answer.data, client->answer.size, arena, text, &detail);
    if (status == STATUS_OK)
        keep(client, id, *text);
    else
        (void)error_set(error, status, "schema %u of the registry %.200s: %.400s", id,
                        client->shown, detail.text);
    return status;
}
