#include "redis/redis_store_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_fence_field(const struct reply *name)
{
    return reply_is_text(name, "token", 5) || reply_is_text(name, "step", 4);
}

static struct baton_text keep_text(const struct reply *reply, struct arena *arena)
{
    if (reply->type != REPLY_TEXT)
        return (struct baton_text){0};
    return (struct baton_text){arena_copy(arena, reply->data, reply->size), (uint32_t)reply->size};
}

/* Without the fence, which stands in the unit's own hash; a lead may have its fields' names. */
static void keep_fields(const struct reply *hash, enum store_hash which, struct arena *arena,
                        struct field **fields, size_t *field_count)
{
    *fields = arena_take(arena, (hash->count / 2 + 1) * sizeof **fields);
    *field_count = 0;
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        if (which == STORE_UNIT && is_fence_field(hash->items[i]))
            continue;
        struct field *field = &(*fields)[(*field_count)++];
        field->name = keep_text(hash->items[i], arena);
        field->value = keep_text(hash->items[i + 1], arena);
    }
}

static enum status ask_claim(struct redis_store *store, uint32_t unit, const char *token,
                             const struct reply **reply, struct error *error)
{
    enum status status = redis_answers_be_ready(store, error);
    if (status != STATUS_OK)
        return status;
    struct key unit_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    connection_command(store->connection, 5);
    connection_argument_text(store->connection, "EVALSHA");
    connection_argument_text(store->connection, store->scripts.sha[SCRIPT_CLAIM]);
    connection_argument_number(store->connection, 1);
    connection_argument(store->connection, unit_key.text, unit_key.size);
    connection_argument(store->connection, token, TOKEN_TEXT);
    status = redis_answers_read(store, reply, error);
    if (status != STATUS_OK || (*reply)->type != REPLY_ERROR)
        return status;
    if (reply_has_code(*reply, "NOSCRIPT"))
        store->scripts_loaded = false;
    if (reply_has_code(*reply, "READONLY") || reply_has_code(*reply, "MASTERDOWN"))
        store->server_changed = true;
    if (reply_has_code(*reply, "NOSCRIPT"))
        return error_set(error, STATUS_RETRY, "Redis has forgotten our scripts");
    return connection_judge(store->connection, *reply, error);
}

/* The token alone tells one claim from another, so the count may begin anew. */
static enum status damaged_step(const struct redis_store *store, uint32_t unit,
                                const struct reply *step, struct error *error)
{
    struct key unit_key;
    char room[64];
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    return error_set(error, STATUS_STOP,
                     "field `step` of %s in Redis at %s is damaged: it holds `%s`, and should be a "
                     "whole number; remove it (HDEL %s step) and start baton again, nothing is "
                     "lost by that",
                     unit_key.text, connection_place(store->connection),
                     printable_id(room, (struct baton_text){step->data, (uint32_t)step->size}),
                     unit_key.text);
}

static enum status store_claim(struct store *port, uint32_t unit, const uint8_t token[16],
                               struct arena *arena, struct fence *fence, struct field **fields,
                               size_t *field_count, struct error *error)
{
    struct redis_store *store = self(port);
    char text[TOKEN_TEXT + 1];
    redis_fence_token(text, token);
    const struct reply *reply;
    enum status status = ask_claim(store, unit, text, &reply, error);
    if (status == STATUS_RETRY && store->connection && !store->scripts_loaded)
        status = ask_claim(store, unit, text, &reply, error);
    if (status != STATUS_OK)
        return status;
    if (reply->type == REPLY_LIST && reply->count == 2 && reply->items[0]->type == REPLY_TEXT)
        return damaged_step(store, unit, reply->items[0], error);
    if (reply->type != REPLY_LIST || reply->count != 2 || reply->items[0]->type != REPLY_NUMBER ||
        reply->items[1]->type != REPLY_LIST)
        return error_set(error, STATUS_STOP,
                         "Redis at %s gave an answer that baton does not understand",
                         connection_place(store->connection));
    memcpy(fence->token, token, sizeof fence->token);
    fence->step = (uint64_t)reply->items[0]->number;
    keep_fields(reply->items[1], STORE_UNIT, arena, fields, field_count);
    redis_unit_clear(store, unit);
    return STATUS_OK;
}

static enum status store_check(struct store *port, uint32_t unit, const struct fence *fence,
                               struct error *error)
{
    return redis_answers_settle(self(port), unit, redis_fence_check(self(port), unit, fence, error),
                                error);
}

/* One command about one hash of the unit, behind the fence. */
static enum status ask_hash(struct redis_store *store, uint32_t unit, const struct fence *fence,
                            const char *command, const char *what, const struct baton_text *field,
                            const struct reply **reply, struct error *error)
{
    enum status status = redis_answers_begin(store, unit, error);
    if (status != STATUS_OK)
        return status;
    struct key unit_key, hash_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    key_of_unit(&hash_key, store->config.prefix, unit, what);
    redis_fence_multi(store, &unit_key);
    connection_command(store->connection, field ? 3 : 2);
    connection_argument_text(store->connection, command);
    connection_argument(store->connection, hash_key.text, hash_key.size);
    if (field)
        connection_argument(store->connection, field->data, field->size);
    redis_fence_exec(store);
    const struct reply *results = NULL;
    status = redis_fence_answer(store, unit, fence, 2, &results, error);
    if (status == STATUS_OK)
        *reply = results->items[1];
    return redis_answers_settle(store, unit, status, error);
}

static enum status store_hash(struct store *port, uint32_t unit, const struct fence *fence,
                              enum store_hash hash, struct arena *arena, struct field **fields,
                              size_t *count, struct error *error)
{
    const struct reply *reply;
    enum status status =
        ask_hash(self(port), unit, fence, "HGETALL", key_of_hash(hash), NULL, &reply, error);
    if (status == STATUS_OK)
        keep_fields(reply, hash, arena, fields, count);
    return status;
}

static enum status store_peek(struct store *port, uint32_t unit, enum store_hash hash,
                              struct arena *arena, struct field **fields, size_t *count,
                              struct error *error)
{
    struct redis_store *store = self(port);
    enum status status = redis_answers_be_ready(store, error);
    if (status != STATUS_OK)
        return status;
    struct key key;
    const struct reply *reply;
    key_of_unit(&key, store->config.prefix, unit, key_of_hash(hash));
    const char *words[] = {"HGETALL", key.text};
    connection_words(store->connection, 2, words);
    status = redis_answers_read(store, &reply, error);
    if (status == STATUS_OK)
        status = redis_fence_first_error(store, reply, error);
    if (status != STATUS_OK)
        return status;
    if (reply->type != REPLY_LIST)
        return redis_answers_refuse(store, error);
    keep_fields(reply, hash, arena, fields, count);
    return STATUS_OK;
}

static enum status store_text(struct store *port, uint32_t unit, const struct fence *fence,
                              struct baton_text name, struct arena *arena, struct baton_text *value,
                              struct error *error)
{
    const struct reply *reply;
    enum status status = ask_hash(self(port), unit, fence, "HGET", "texts", &name, &reply, error);
    if (status == STATUS_OK)
        *value = keep_text(reply, arena);
    return status;
}

static char *copy_or_null(const char *text)
{
    return text ? memory_copy_text(text) : NULL;
}

static void store_destroy(struct store *port)
{
    struct redis_store *store = self(port);
    (void)redis_answers_lose(store, STATUS_OK);
    for (size_t i = 0; i < store->unit_count; i++)
        free(store->units[i].why);
    free(store->units);
    free(store->asked);
    redis_load_free_all(store->loads);
    redis_load_free_all(store->spare_loads);
    text_buffer_fini(&store->groups);
    free((char *)store->config.host);
    free((char *)store->config.unix_path);
    free((char *)store->config.user);
    free((char *)store->config.password);
    free((char *)store->config.prefix);
    free(store);
}

enum status redis_store_create(struct store **out, const struct redis_config *config,
                               struct error *error)
{
    if (!config->prefix || !*config->prefix || strlen(config->prefix) > PREFIX_MAX ||
        strpbrk(config->prefix, "{}"))
        return error_set(error, STATUS_STOP, "redis.prefix must have 1 to %d bytes and no braces",
                         PREFIX_MAX);
    struct redis_store *store = memory_take_zeroed(1, sizeof *store);
    store->port = (struct store){.claim = store_claim,
                                 .check = store_check,
                                 .load_begin = redis_load_begin,
                                 .load_finish = redis_load_finish,
                                 .hash = store_hash,
                                 .peek = store_peek,
                                 .text = store_text,
                                 .write = redis_write,
                                 .settle = redis_write_settle,
                                 .scan = redis_scan,
                                 .clear = redis_scan_clear,
                                 .destroy = store_destroy};
    store->config = *config;
    store->config.host = copy_or_null(config->host);
    store->config.unix_path = copy_or_null(config->unix_path);
    store->config.user = copy_or_null(config->user);
    store->config.password = copy_or_null(config->password);
    store->config.prefix = memory_copy_text(config->prefix);
    text_buffer_init(&store->groups);
    *out = &store->port;
    return STATUS_OK;
}
