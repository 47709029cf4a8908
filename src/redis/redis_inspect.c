#include "redis/redis_inspect.h"

#include "base/bytes.h"
#include "redis/redis_connection.h"
#include "redis/redis_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct redis_inspector {
    const struct redis_config *config;
    struct connection *connection;
    struct key prefix; /* "PREFIX:{" */
};

enum status redis_inspect_open(struct redis_inspector **out, const struct redis_config *config,
                               struct error *error)
{
    if (!config->prefix || strlen(config->prefix) > PREFIX_MAX)
        return error_set(error, STATUS_STOP, "redis.prefix must have 1 to %d bytes and no braces",
                         PREFIX_MAX);
    struct connection *connection;
    enum status status = connection_open(&connection, config, error);
    if (status != STATUS_OK)
        return status;
    struct redis_inspector *inspector = memory_take_zeroed(1, sizeof *inspector);
    inspector->config = config;
    inspector->connection = connection;
    int size =
        snprintf(inspector->prefix.text, sizeof inspector->prefix.text, "%s:{", config->prefix);
    inspector->prefix.size = (size_t)size;
    *out = inspector;
    return STATUS_OK;
}

void redis_inspect_close(struct redis_inspector *inspector)
{
    if (!inspector)
        return;
    connection_close(inspector->connection);
    free(inspector);
}

static enum status not_understood(const struct redis_inspector *inspector, struct error *error)
{
    return error_set(error, STATUS_STOP,
                     "Redis at %s gave an answer that baton does not understand",
                     connection_place(inspector->connection));
}

static enum status list_answer(struct redis_inspector *inspector, const struct reply **reply,
                               struct error *error)
{
    enum status status = connection_answer(inspector->connection, reply, error);
    return status == STATUS_OK && (*reply)->type != REPLY_LIST ? not_understood(inspector, error)
                                                               : status;
}

static struct baton_text keep_text(const struct reply *reply, struct arena *arena)
{
    if (reply->type != REPLY_TEXT)
        return (struct baton_text){0};
    return (struct baton_text){arena_copy(arena, reply->data, reply->size), (uint32_t)reply->size};
}

static struct baton_text borrow_text(const struct reply *reply)
{
    return reply->type == REPLY_TEXT ? (struct baton_text){reply->data, (uint32_t)reply->size}
                                     : (struct baton_text){0};
}

/* ---- Units
 * ---------------------------------------------------------------------------------------- */

/* PREFIX:{17}:lead:ID: the unit, and where what follows "}:" begins. NULL: not a key of ours. */
static const char *unit_of_key(const struct redis_inspector *inspector, const struct reply *key,
                               uint32_t *unit)
{
    const struct key *prefix = &inspector->prefix;
    if (key->type != REPLY_TEXT || key->size <= prefix->size ||
        memcmp(key->data, prefix->text, prefix->size) != 0)
        return NULL;
    const char *at = key->data + prefix->size;
    char *end;
    if (*at < '0' || *at > '9')
        return NULL;
    unsigned long number = strtoul(at, &end, 10); /* ends at the NUL behind the key at the latest */
    if (number > UINT32_MAX || end[0] != '}' || end[1] != ':')
        return NULL;
    *unit = (uint32_t)number;
    return end + 2;
}

static enum status ask_scan(struct redis_inspector *inspector, const char *cursor,
                            const char *pattern, const struct reply **reply, struct error *error)
{
    const char *words[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"};
    connection_words(inspector->connection, 6, words);
    enum status status = list_answer(inspector, reply, error);
    if (status == STATUS_OK && ((*reply)->count != 2 || (*reply)->items[0]->type != REPLY_TEXT))
        return not_understood(inspector, error);
    return status;
}

static int compare_units(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

struct unit_list {
    uint32_t *units;
    size_t count, room;
};

static void add_units(struct redis_inspector *inspector, struct unit_list *list,
                      const struct reply *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        uint32_t unit;
        const char *rest = unit_of_key(inspector, keys->items[i], &unit);
        if (!rest || strcmp(rest, "unit") != 0)
            continue;
        if (list->count == list->room) {
            list->room = list->room ? 2 * list->room : 64;
            list->units = memory_resize(list->units, list->room * sizeof *list->units);
        }
        list->units[list->count++] = unit;
    }
}

enum status redis_inspect_units(struct redis_inspector *inspector, struct arena *arena,
                                uint32_t **units, size_t *count, struct error *error)
{
    char cursor[32] = "0", *prefix = key_pattern(arena, &inspector->prefix);
    char *pattern = arena_take(arena, strlen(prefix) + 16);
    (void)sprintf(pattern, "%s}:unit", prefix);
    struct unit_list list = {0};
    enum status status;
    do {
        const struct reply *reply;
        status = ask_scan(inspector, cursor, pattern, &reply, error);
        if (status != STATUS_OK)
            break;
        (void)snprintf(cursor, sizeof cursor, "%s", reply->items[0]->data);
        add_units(inspector, &list, reply->items[1]);
    } while (strcmp(cursor, "0") != 0);
    if (list.count)
        qsort(list.units, list.count, sizeof *list.units, compare_units);
    *count = 0;
    for (size_t i = 0; i < list.count; i++) /* a scan may give a key twice */
        if (i == 0 || list.units[i] != list.units[i - 1])
            list.units[(*count)++] = list.units[i];
    *units = arena_copy(arena, list.units, *count * sizeof **units);
    free(list.units);
    return status;
}

enum status redis_inspect_hash(struct redis_inspector *inspector, uint32_t unit,
                               enum store_hash hash, struct arena *arena, struct field **fields,
                               size_t *count, struct error *error)
{
    struct key key;
    const struct reply *reply;
    key_of_unit(&key, inspector->config->prefix, unit, key_of_hash(hash));
    const char *words[] = {"HGETALL", key.text};
    connection_words(inspector->connection, 2, words);
    enum status status = list_answer(inspector, &reply, error);
    if (status != STATUS_OK)
        return status;
    *fields = arena_take(arena, (reply->count / 2 + 1) * sizeof **fields);
    *count = 0;
    for (size_t i = 0; i + 1 < reply->count; i += 2)
        if (hash != STORE_UNIT || !reply_is_text(reply->items[i], "token", 5))
            (*fields)[(*count)++] = (struct field){keep_text(reply->items[i], arena),
                                                   keep_text(reply->items[i + 1], arena)};
    return STATUS_OK;
}

enum status redis_inspect_hash_size(struct redis_inspector *inspector, uint32_t unit,
                                    enum store_hash hash, uint64_t *count, struct error *error)
{
    struct key key;
    const struct reply *reply;
    key_of_unit(&key, inspector->config->prefix, unit, key_of_hash(hash));
    const char *words[] = {"HLEN", key.text};
    connection_words(inspector->connection, 2, words);
    enum status status = connection_answer(inspector->connection, &reply, error);
    if (status == STATUS_OK && reply->type != REPLY_NUMBER)
        status =
            error_set(error, STATUS_STOP, "Redis does not say how many fields %s has", key.text);
    if (status == STATUS_OK)
        *count = (uint64_t)reply->number;
    return status;
}

enum status redis_inspect_unit(struct redis_inspector *inspector, uint32_t unit,
                               struct arena *arena, struct field **fields, size_t *count,
                               struct error *error)
{
    return redis_inspect_hash(inspector, unit, STORE_UNIT, arena, fields, count, error);
}

enum status redis_inspect_words(struct redis_inspector *inspector, uint32_t unit,
                                struct arena *arena, struct field **words, size_t *count,
                                struct error *error)
{
    return redis_inspect_hash(inspector, unit, STORE_WORDS, arena, words, count, error);
}

enum status redis_inspect_text(struct redis_inspector *inspector, uint32_t unit,
                               struct baton_text name, struct arena *arena,
                               struct baton_text *value, struct error *error)
{
    struct key key;
    const struct reply *reply;
    key_of_unit(&key, inspector->config->prefix, unit, "texts");
    connection_command(inspector->connection, 3);
    connection_argument_text(inspector->connection, "HGET");
    connection_argument(inspector->connection, key.text, key.size);
    connection_argument(inspector->connection, name.data, name.size);
    enum status status = connection_answer(inspector->connection, &reply, error);
    if (status == STATUS_OK)
        *value = keep_text(reply, arena);
    return status;
}

/* ---- Leads
 * ---------------------------------------------------------------------------------------- */

/* A stage that does not stand there is the first one. */
static struct baton_text stage_or_lead(struct baton_text stage)
{
    const char *name = baton_stage_name(BATON_LEAD);
    return stage.data ? stage : (struct baton_text){name, (uint32_t)strlen(name)};
}

static void keep_readable(const struct reply *hash, struct arena *arena,
                          struct inspected_lead *lead)
{
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        const struct reply *name = hash->items[i], *value = hash->items[i + 1];
        if (reply_is_text(name, "score", 5))
            lead->score = keep_text(value, arena);
        else if (reply_is_text(name, "stage", 5))
            lead->stage = keep_text(value, arena);
    }
    lead->stage = stage_or_lead(lead->stage);
}

enum status redis_inspect_lead(struct redis_inspector *inspector, uint32_t unit,
                               struct baton_text id, struct arena *arena,
                               struct inspected_lead *lead, bool *found, struct error *error)
{
    struct key prefix;
    char key[KEY_OF_LEAD_MAX];
    const struct reply *reply;
    *found = false;
    if (id.size == 0 || id.size > BATON_ID_MAX)
        return STATUS_OK;
    key_of_unit(&prefix, inspector->config->prefix, unit, "lead:");
    size_t size = key_of_lead(key, &prefix, id);
    connection_command(inspector->connection, 2);
    connection_argument_text(inspector->connection, "HGETALL");
    connection_argument(inspector->connection, key, size);
    enum status status = list_answer(inspector, &reply, error);
    if (status != STATUS_OK)
        return status;
    struct packed_lead packed;
    status = lead_from_hash(reply, unit, id, arena, &packed, error);
    *lead = (struct inspected_lead){
        .unit = unit, .id = id, .packed = packed.data, .packed_size = packed.size};
    if (packed.found) {
        (void)baton_lead_packed_newest(packed.data, packed.size, &lead->newest_ms);
        lead->flags = baton_lead_packed_flags(packed.data, packed.size);
    }
    keep_readable(reply, arena, lead);
    *found = status == STATUS_OK && packed.found;
    return status;
}

static void ask_readable(struct redis_inspector *inspector, const struct reply *key)
{
    connection_command(inspector->connection, 5);
    connection_argument_text(inspector->connection, "HMGET");
    connection_argument(inspector->connection, key->data, key->size);
    connection_argument_text(inspector->connection, "score");
    connection_argument_text(inspector->connection, "stage");
    connection_argument_text(inspector->connection, LEAD_FIRST_CHUNK);
}

/* What a list needs of the packed form, whose size stands in front of it. */
static void look_at_chunk(struct baton_text chunk, struct inspected_lead *lead)
{
    struct byte_reader reader = {.at = (const uint8_t *)chunk.data,
                                 .end = (const uint8_t *)chunk.data + chunk.size};
    if (!chunk.size)
        return;
    (void)bytes_varint(&reader);
    if (reader.failed)
        return;
    lead->flags = baton_lead_packed_flags(reader.at, bytes_left(&reader));
    (void)baton_lead_packed_newest(reader.at, bytes_left(&reader), &lead->newest_ms);
}

/* One page of the scan: the keys are kept, as each answer takes the place of the one before. */
struct lead_page {
    struct inspected_lead *leads;
    size_t count;
};

static void ask_page(struct redis_inspector *inspector, const struct reply *keys,
                     struct arena *arena, struct lead_page *page)
{
    page->leads = arena_take(arena, (keys->count + 1) * sizeof *page->leads);
    page->count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        uint32_t unit;
        const struct reply *key = keys->items[i];
        const char *rest = unit_of_key(inspector, key, &unit);
        if (!rest || strncmp(rest, "lead:", 5) != 0)
            continue;
        size_t size = key->size - (size_t)(rest + 5 - key->data);
        page->leads[page->count++] = (struct inspected_lead){
            .unit = unit, .id = {arena_copy(arena, rest + 5, size), (uint32_t)size}};
        ask_readable(inspector, key);
    }
}

static enum status visit_page(struct redis_inspector *inspector, struct lead_page *page,
                              const struct lead_visitor *visitor, struct error *error)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct reply *reply;
        struct inspected_lead *lead = &page->leads[i];
        enum status status = list_answer(inspector, &reply, error);
        if (status != STATUS_OK)
            return status;
        if (reply->count != 3)
            return not_understood(inspector, error);
        lead->score = borrow_text(reply->items[0]);
        lead->stage = stage_or_lead(borrow_text(reply->items[1]));
        look_at_chunk(borrow_text(reply->items[2]), lead);
        if (lead->score.size)
            visitor->lead(visitor->context, lead);
    }
    return STATUS_OK;
}

static enum status count_keys(struct redis_inspector *inspector, uint64_t *keys,
                              struct error *error)
{
    const char *words[] = {"DBSIZE"};
    const struct reply *reply;
    connection_words(inspector->connection, 1, words);
    enum status status = connection_answer(inspector->connection, &reply, error);
    *keys = status == STATUS_OK && reply->type == REPLY_NUMBER ? (uint64_t)reply->number : 0;
    return status;
}

enum status redis_inspect_leads(struct redis_inspector *inspector,
                                const struct lead_visitor *visitor, struct error *error)
{
    uint64_t in_all, keys = 0, leads = 0;
    enum status status = count_keys(inspector, &in_all, error);
    struct arena arena;
    arena_init(&arena, (size_t)256 * 1024);
    char cursor[32] = "0";
    while (status == STATUS_OK) {
        const struct reply *reply;
        arena_reset(&arena);
        status =
            ask_scan(inspector, cursor, key_pattern(&arena, &inspector->prefix), &reply, error);
        if (status != STATUS_OK)
            break;
        (void)snprintf(cursor, sizeof cursor, "%s", reply->items[0]->data);
        struct lead_page page;
        ask_page(inspector, reply->items[1], &arena, &page);
        status = visit_page(inspector, &page, visitor, error);
        leads += page.count;
        keys = keys + 1000 < in_all ? keys + 1000 : in_all;
        if (visitor->progress)
            visitor->progress(visitor->context, leads, keys, in_all);
        if (strcmp(cursor, "0") == 0)
            break;
    }
    arena_fini(&arena);
    return status;
}
