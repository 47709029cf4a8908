/* What the tests of the store on Redis share: a redis-server of their own, a store on it, and short
 * ways to drive the port. Included by one test program each. */
#ifndef TESTS_REDIS_WORLD_H
#define TESTS_REDIS_WORLD_H

#include "redis/redis_store.h"

#include "adapters/redis_server.h"

#include <criterion/criterion.h>

static struct redis_server server;
static struct redis_config config;
static struct store *store;
static struct arena arena;
static struct error error;
static const uint8_t token_a[16] = "token-a", token_b[16] = "token-b";

static inline struct store *new_store(void)
{
    struct store *made = NULL;
    cr_assert_eq(redis_store_create(&made, &config, &error), STATUS_OK, "%s", error.text);
    return made;
}

static inline void set_up(void)
{
    redis_server_start(&server, NULL);
    config = (struct redis_config){.unix_path = server.socket, .prefix = "test"};
    arena_init(&arena, 65536);
    store = new_store();
}

static inline void tear_down(void)
{
    store->destroy(store);
    arena_fini(&arena);
    redis_server_stop(&server);
}

static inline struct baton_text text(const char *string)
{
    return (struct baton_text){string, (uint32_t)strlen(string)};
}

static inline struct fence claim(struct store *of, uint32_t unit, const uint8_t token[16])
{
    struct fence fence;
    struct field *fields;
    size_t count;
    cr_assert_eq(of->claim(of, unit, token, &arena, &fence, &fields, &count, &error), STATUS_OK,
                 "%s", error.text);
    return fence;
}

static inline struct stored_lead lead_of(struct baton_text id, size_t size, unsigned seed)
{
    uint8_t *packed = arena_take(&arena, size);
    for (size_t i = 0; i < size; i++)
        packed[i] = (uint8_t)(seed + i * 7);
    return (struct stored_lead){.id = id,
                                .score = {.score = 7025},
                                .stage = BATON_MQL,
                                .packed = packed,
                                .packed_size = size};
}

static inline enum status write_leads(struct store *to, uint32_t unit, struct fence *fence,
                                      const struct stored_lead *leads, size_t count)
{
    struct store_write write = {.leads = leads, .lead_count = count};
    return to->write(to, unit, fence, &write, &error);
}

static inline enum status settle(struct store *of, uint32_t unit)
{
    size_t outstanding = 99;
    enum status status = of->settle(of, unit, true, &outstanding, &error);
    cr_assert_eq(outstanding, 0);
    return status;
}

static inline void write_field(struct store *to, uint32_t unit, struct fence *fence,
                               const char *name, const char *value)
{
    struct field field = {text(name), text(value)};
    struct store_write write = {.fields = &field, .field_count = 1};
    cr_assert_eq(to->write(to, unit, fence, &write, &error), STATUS_OK, "%s", error.text);
}

static inline enum status load_finish(struct store *of, uint32_t unit, size_t count,
                                      struct loaded_lead *out)
{
    struct loaded_lead *answers;
    enum status status = of->load_finish(of, unit, &answers, &error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        out[i] = answers[i];
    return status;
}

static inline enum status load(struct store *of, uint32_t unit, const struct fence *fence,
                               const struct baton_text *ids, size_t count, struct loaded_lead *out)
{
    enum status status = of->load_begin(of, unit, fence, ids, count, &error);
    return status == STATUS_OK ? load_finish(of, unit, count, out) : status;
}

static inline void expect_lead(struct store *of, uint32_t unit, const struct fence *fence,
                               const struct stored_lead *lead)
{
    struct loaded_lead loaded = {0};
    cr_assert_eq(load(of, unit, fence, &lead->id, 1, &loaded), STATUS_OK, "%s", error.text);
    cr_assert_eq(loaded.packed_size, lead->packed_size);
    cr_assert_eq(memcmp(loaded.packed, lead->packed, lead->packed_size), 0);
}

static inline void expect_text(const char *expected, const char *command, const char *key,
                               const char *field)
{
    redisReply *reply = redis_server_do(&server, "%s %s %s", command, key, field);
    if (expected)
        cr_assert_str_eq(reply->str, expected);
    else
        cr_assert_eq(reply->type, REDIS_REPLY_NIL);
    freeReplyObject(reply);
}

#endif
