#include "base/arena.h"
#include "redis/redis_connection.h"
#include "redis/redis_store.h"

#include <stdlib.h>
#include <string.h>

/* The value of a setting, copied to the arena; NULL where the server has none of this name or does
 * not tell. */
static enum status read_setting(struct connection *connection, const char *name,
                                struct arena *arena, const char **value, bool *told,
                                struct error *error)
{
    const char *words[] = {"CONFIG", "GET", name};
    const struct reply *reply;
    *value = NULL;
    connection_words(connection, 3, words);
    enum status status = connection_next(connection, true, &reply, error);
    if (status != STATUS_OK)
        return status;
    if (reply->type == REPLY_ERROR) {
        status = connection_judge(connection, reply, error);
        *told = false; /* forbidden or renamed, as providers do */
        return status == STATUS_RETRY ? status : STATUS_OK;
    }
    if (reply->type == REPLY_LIST && reply->count == 2)
        *value = arena_copy(arena, reply->items[1]->data, reply->items[1]->size + 1);
    return STATUS_OK;
}

struct settings {
    const char *policy, *memory, *packed_value;
    bool told;
};

static enum status read_settings(struct connection *connection, struct arena *arena,
                                 struct settings *settings, struct error *error)
{
    settings->told = true;
    enum status status = read_setting(connection, "maxmemory-policy", arena, &settings->policy,
                                      &settings->told, error);
    if (status == STATUS_OK)
        status =
            read_setting(connection, "maxmemory", arena, &settings->memory, &settings->told, error);
    if (status == STATUS_OK)
        status = read_setting(connection, "hash-max-listpack-value", arena, &settings->packed_value,
                              &settings->told, error);
    if (status == STATUS_OK && !settings->packed_value) /* before Redis 7 */
        status = read_setting(connection, "hash-max-ziplist-value", arena, &settings->packed_value,
                              &settings->told, error);
    return status;
}

static enum status judge_settings(const struct connection *connection,
                                  const struct settings *settings, struct text_buffer *warnings,
                                  struct error *error)
{
    const char *place = connection_place(connection);
    if (!settings->told)
        text_buffer_print(warnings,
                          "Redis at %s does not let us look at its settings: make sure of "
                          "maxmemory-policy noeviction and "
                          "hash-max-listpack-value 64 or more\n",
                          place);
    bool limited = !settings->memory || strcmp(settings->memory, "0") != 0;
    bool evicts = settings->policy && strcmp(settings->policy, "noeviction") != 0;
    if (evicts && limited)
        return error_set(error, STATUS_STOP,
                         "Redis at %s may throw leads away (maxmemory-policy %s): CONFIG SET "
                         "maxmemory-policy noeviction, and "
                         "the same line in redis.conf",
                         place, settings->policy);
    if (evicts)
        text_buffer_print(warnings,
                          "Redis at %s has maxmemory-policy %s, which would throw leads away once "
                          "maxmemory is set: CONFIG SET "
                          "maxmemory-policy noeviction\n",
                          place, settings->policy);
    if (settings->packed_value && strtoll(settings->packed_value, NULL, 10) < 64)
        text_buffer_print(warnings,
                          "Redis at %s will need more than twice the memory for leads: CONFIG SET "
                          "hash-max-listpack-value 64\n",
                          place);
    return STATUS_OK;
}

enum status redis_check_settings(const struct redis_config *config, struct text_buffer *warnings,
                                 struct error *error)
{
    struct connection *connection;
    enum status status = connection_open(&connection, config, error);
    if (status != STATUS_OK)
        return status;
    struct arena arena;
    arena_init(&arena, 1024);
    struct settings settings = {0};
    status = read_settings(connection, &arena, &settings, error);
    if (status == STATUS_OK)
        status = judge_settings(connection, &settings, warnings, error);
    connection_close(connection);
    arena_fini(&arena);
    return status;
}
