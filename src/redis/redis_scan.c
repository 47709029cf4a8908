#include "redis/redis_store_private.h"

#include <baton/lead.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLEAR_BLOCK ((size_t)512) /* keys per script */
#define SERVER_ID 16 /* letters of a server's run_id: enough to tell one from the one before */

#define SCAN_COUNT "500" /* keys that Redis looks at: well below a millisecond */

/* Positions of a scan mean something to the process that gave them, and to nobody else: its hash
 * function has a seed of its own. Where it does not tell which one it is, to this claim only. */
static enum status learn_server(struct redis_store *store, const struct fence *fence,
                                char server[SERVER_ID + 1], struct error *error)
{
    const char *words[] = {"INFO", "server"};
    const struct reply *reply;
    connection_words(store->connection, 2, words);
    enum status status = redis_answers_read(store, &reply, error);
    if (status != STATUS_OK)
        return status;
    const char *id = reply->type == REPLY_TEXT ? strstr(reply->data, "run_id:") : NULL;
    char token[TOKEN_TEXT + 1];
    redis_fence_token(token, fence->token);
    (void)snprintf(server, SERVER_ID + 1, "%.*s", SERVER_ID,
                   id && strlen(id + 7) >= SERVER_ID ? id + 7 : token);
    return STATUS_OK;
}

/* Redis counts its positions with the bits reversed. */
static unsigned scan_permille(uint64_t position)
{
    uint64_t reversed = 0;
    for (int i = 0; i < 64; i++)
        reversed |= (position >> i & 1) << (63 - i);
    return (unsigned)((reversed >> 32) * 1000 >> 32);
}

static void take_page(const struct reply *found, size_t prefix_size, const char *server,
                      struct arena *arena, struct store_page *page)
{
    const struct reply *keys = found->items[1];
    struct baton_text *ids = arena_take(arena, (keys->count + 1) * sizeof *ids);
    *page = (struct store_page){.ids = ids};
    for (size_t i = 0; i < keys->count; i++) {
        const struct reply *key = keys->items[i];
        if (key->type != REPLY_TEXT || key->size <= prefix_size ||
            key->size > prefix_size + BATON_ID_MAX)
            continue;
        size_t size = key->size - prefix_size;
        ids[page->count++] =
            (struct baton_text){arena_copy(arena, key->data + prefix_size, size), (uint32_t)size};
    }
    const char *position = found->items[0]->data;
    page->permille = 1000;
    if (strcmp(position, "0") == 0)
        return;
    page->permille = scan_permille(strtoull(position, NULL, 10));
    (void)snprintf(page->cursor, sizeof page->cursor, "%s-%s", server, position);
}

static enum status ask_page(struct redis_store *store, uint32_t unit, const struct fence *fence,
                            const char *cursor, struct arena *arena, struct store_page *page,
                            struct error *error)
{
    enum status status = redis_answers_begin(store, unit, error);
    char server[SERVER_ID + 1] = "";
    if (status == STATUS_OK)
        status = learn_server(store, fence, server, error);
    if (status != STATUS_OK)
        return status;
    bool known = strncmp(cursor, server, SERVER_ID) == 0 && cursor[SERVER_ID] == '-';
    struct key unit_key, lead_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    key_of_unit(&lead_key, store->config.prefix, unit, "lead:");
    const char *words[] = {"SCAN",  known ? cursor + SERVER_ID + 1 : "0",
                           "MATCH", key_pattern(arena, &lead_key),
                           "COUNT", SCAN_COUNT};
    const struct reply *results;
    redis_fence_multi(store, &unit_key);
    connection_words(store->connection, 6, words);
    redis_fence_exec(store);
    status = redis_fence_answer(store, unit, fence, 2, &results, error);
    if (status != STATUS_OK)
        return status;
    const struct reply *found = results->items[1];
    if (found->type != REPLY_LIST || found->count != 2 || found->items[0]->type != REPLY_TEXT ||
        found->items[1]->type != REPLY_LIST)
        return redis_answers_refuse(store, error);
    take_page(found, lead_key.size, server, arena, page);
    return STATUS_OK;
}

enum status redis_scan(struct store *port, uint32_t unit, const struct fence *fence,
                       const char *cursor, struct arena *arena, struct store_page *page,
                       struct error *error)
{
    struct redis_store *store = self(port);
    return redis_answers_settle(store, unit,
                                ask_page(store, unit, fence, cursor, arena, page, error), error);
}

static void queue_removal(struct redis_store *store, uint32_t unit, struct fence *fence,
                          const struct baton_text *keys, size_t count)
{
    redis_write_begin(store, unit, 1 + count, 2 * count + 2);
    for (size_t i = 0; i < count; i++)
        connection_argument(store->connection, keys[i].data, keys[i].size);
    redis_write_put_head(store, fence, count, NULL);
    for (size_t i = 0; i < count; i++) {
        connection_argument_text(store->connection, WRITE_REMOVES_KEY);
        connection_argument_number(store->connection, 0);
    }
    redis_write_put_fields(store->connection, NULL, 0);
    redis_answers_expect(store, unit, NULL, 0);
}

static enum status settle_removals(struct redis_store *store, uint32_t unit, struct error *error)
{
    enum status status = redis_answers_take(store, 0, error);
    return status == STATUS_OK ? redis_unit_verdict(store, unit, error) : status;
}

/* A page of keys, which the next answer takes the place of. */
static void queue_removals(struct redis_store *store, uint32_t unit, struct fence *fence,
                           const struct reply *keys)
{
    struct baton_text block[CLEAR_BLOCK];
    size_t count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        const struct reply *key = keys->items[i];
        block[count++] = (struct baton_text){key->data, (uint32_t)key->size};
        if (count < CLEAR_BLOCK && i + 1 < keys->count)
            continue;
        queue_removal(store, unit, fence, block, count);
        count = 0;
    }
}

static enum status ask_scan(struct redis_store *store, const char *cursor, const char *pattern,
                            const struct reply **reply, struct error *error)
{
    const char *words[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "2000"};
    connection_words(store->connection, 6, words);
    enum status status = redis_answers_read(store, reply, error);
    if (status != STATUS_OK)
        return status;
    if ((*reply)->type == REPLY_ERROR)
        return connection_judge(store->connection, *reply, error);
    if ((*reply)->type != REPLY_LIST || (*reply)->count != 2)
        return error_set(error, STATUS_STOP,
                         "Redis at %s gave an answer that baton does not understand",
                         connection_place(store->connection));
    return STATUS_OK;
}

static enum status clear_leads(struct redis_store *store, uint32_t unit, struct fence *fence,
                               const char *pattern, struct error *error)
{
    char cursor[32] = "0";
    do {
        const struct reply *reply;
        enum status status = ask_scan(store, cursor, pattern, &reply, error);
        if (status != STATUS_OK)
            return status;
        (void)snprintf(cursor, sizeof cursor, "%s", reply->items[0]->data);
        queue_removals(store, unit, fence, reply->items[1]);
        status = settle_removals(store, unit, error);
        if (status != STATUS_OK)
            return status;
    } while (strcmp(cursor, "0") != 0);
    return STATUS_OK;
}

static enum status clear_hashes(struct redis_store *store, uint32_t unit, struct fence *fence,
                                struct error *error)
{
    static const enum store_hash cleared[] = {STORE_WORDS, STORE_DAYS, STORE_CLOCKS};
    enum { COUNT = sizeof cleared / sizeof *cleared };
    struct key keys[COUNT];
    struct baton_text texts[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        key_of_unit(&keys[i], store->config.prefix, unit, key_of_hash(cleared[i]));
        texts[i] = (struct baton_text){keys[i].text, (uint32_t)keys[i].size};
    }
    queue_removal(store, unit, fence, texts, COUNT);
    return settle_removals(store, unit, error);
}

enum status redis_scan_clear(struct store *port, uint32_t unit, struct fence *fence,
                             struct error *error)
{
    struct redis_store *store = self(port);
    enum status status = redis_fence_check(store, unit, fence, error);
    struct arena arena;
    arena_init(&arena, 1024);
    struct key leads;
    key_of_unit(&leads, store->config.prefix, unit, "lead:");
    if (status == STATUS_OK)
        status = clear_leads(store, unit, fence, key_pattern(&arena, &leads), error);
    if (status == STATUS_OK)
        status = clear_hashes(store, unit, fence, error);
    arena_fini(&arena);
    return redis_answers_settle(store, unit, status, error);
}
