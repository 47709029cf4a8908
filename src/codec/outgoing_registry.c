#include "codec/outgoing_registry.h"

#include "base/text_buffer.h"

#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 5000L
#define ANSWER_MAX (1024u * 1024)
#define CONTENT_TYPE "Content-Type: application/vnd.schemaregistry.v1+json"

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_answer(char *bytes, size_t item_size, size_t count, void *context)
{
    struct text_buffer *answer = context;
    size_t size = item_size * count;
    if (size > ANSWER_MAX - answer->size)
        return 0;
    text_buffer_add(answer, bytes, size);
    return size;
}

static char *request_body(const char *schema, size_t size)
{
    json_t *body = json_object();
    (void)json_object_set_new(body, "schema", json_stringn(schema, size));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* A URL may hold a password: what is told of it begins behind it. */
static const char *without_password(const char *url)
{
    const char *host = strstr(url, "://"), *at;
    host = host ? host + 3 : url;
    at = strchr(host, '@');
    const char *path = strchr(host, '/');
    return at && (!path || at < path) ? at + 1 : host;
}

static CURLcode post(const char *url, const char *body, struct text_buffer *answer, long *code)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, CONTENT_TYPE);
    CURLcode result = CURLE_OUT_OF_MEMORY;
    if (curl && headers) {
        (void)curl_easy_setopt(curl, CURLOPT_URL, url);
        (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        result = curl_easy_perform(curl);
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, code);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return result;
}

static bool read_id(const struct text_buffer *answer, uint32_t *id)
{
    json_t *root = json_loadb(answer->data ? answer->data : "", answer->size, 0, NULL);
    const json_t *found = json_object_get(root, "id");
    json_int_t value = json_integer_value(found);
    bool good = json_is_integer(found) && value >= 0 && value <= INT32_MAX;
    if (good)
        *id = (uint32_t)value;
    json_decref(root);
    return good;
}

static enum status judge(CURLcode result, long code, const struct text_buffer *answer,
                         const char *url, uint32_t *id, struct error *error)
{
    const char *where = without_password(url);
    if (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL)
        return error_set(error, STATUS_STOP,
                         "schema registry: %s is not an address (schemas.registry)", where);
    if (result != CURLE_OK)
        return error_set(error, STATUS_RETRY, "schema registry %s: %s", where,
                         curl_easy_strerror(result));
    if (code >= 500 || code == 408 || code == 429)
        return error_set(error, STATUS_RETRY, "schema registry %s: HTTP %ld", where, code);
    if (code != 200 && code != 201)
        return error_set(error, STATUS_STOP, "schema registry %s refuses a schema: HTTP %ld %.300s",
                         where, code, answer->data ? answer->data : "");
    if (!read_id(answer, id))
        return error_set(error, STATUS_RETRY, "schema registry %s: an answer without an id", where);
    return STATUS_OK;
}

enum status registry_register(const char *base_url, const char *subject, const char *schema,
                              size_t size, uint32_t *id, struct error *error)
{
    (void)pthread_once(&curl_once, start_curl);
    struct text_buffer url, answer;
    text_buffer_init(&url);
    text_buffer_init(&answer);
    text_buffer_add_text(&url, base_url);
    while (url.size && url.data[url.size - 1] == '/')
        url.size--;
    text_buffer_print(&url, "/subjects/%s/versions", subject);
    char *body = request_body(schema, size);
    long code = 0;
    CURLcode result = body ? post(url.data, body, &answer, &code) : CURLE_OUT_OF_MEMORY;
    enum status status = judge(result, code, &answer, url.data, id, error);
    free(body);
    text_buffer_fini(&url);
    text_buffer_fini(&answer);
    return status;
}
