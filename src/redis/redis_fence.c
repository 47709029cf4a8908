#include "redis/redis_store_private.h"

#include <inttypes.h>
#include <stdio.h>

void redis_fence_token(char text[TOKEN_TEXT + 1], const uint8_t token[16])
{
    for (size_t i = 0; i < 16; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", token[i]);
}

static void ask_fence(struct redis_store *store, const struct key *unit_key)
{
    connection_command(store->connection, 4);
    connection_argument_text(store->connection, "HMGET");
    connection_argument(store->connection, unit_key->text, unit_key->size);
    connection_argument_text(store->connection, "token");
    connection_argument_text(store->connection, "step");
}

bool redis_fence_holds(const struct reply *reply, const struct fence *fence)
{
    if (fence_is_ignored())
        return true;
    char token[TOKEN_TEXT + 1], step[24];
    redis_fence_token(token, fence->token);
    int step_size = snprintf(step, sizeof step, "%" PRIu64, fence->step);
    return reply->type == REPLY_LIST && reply->count == 2 &&
           reply_is_text(reply->items[0], token, TOKEN_TEXT) &&
           reply_is_text(reply->items[1], step, (size_t)step_size);
}

/* A question behind the fence: MULTI, the fence, commands, EXEC. */
void redis_fence_multi(struct redis_store *store, const struct key *unit_key)
{
    const char *multi[] = {"MULTI"};
    connection_words(store->connection, 1, multi);
    ask_fence(store, unit_key);
}

void redis_fence_exec(struct redis_store *store)
{
    const char *exec[] = {"EXEC"};
    connection_words(store->connection, 1, exec);
}

enum status redis_fence_first_error(struct redis_store *store, const struct reply *reply,
                                    struct error *error)
{
    if (reply->type == REPLY_ERROR)
        return connection_judge(store->connection, reply, error);
    for (size_t i = 0; reply->type == REPLY_LIST && i < reply->count; i++)
        if (reply->items[i]->type == REPLY_ERROR)
            return connection_judge(store->connection, reply->items[i], error);
    return STATUS_OK;
}

/* Takes the answers of one MULTI with so many commands inside. On OK *results is EXEC's list, the
 * fence's answer first. */
enum status redis_fence_answer(struct redis_store *store, uint32_t unit, const struct fence *fence,
                               size_t commands, const struct reply **results, struct error *error)
{
    enum status verdict = STATUS_OK;
    const struct reply *reply = NULL;
    for (size_t i = 0; i < commands + 2; i++) { /* MULTI's +OK, +QUEUED for each, EXEC's list */
        struct error found;
        enum status status = redis_answers_read(store, &reply, error);
        if (status != STATUS_OK)
            return status;
        status = redis_fence_first_error(store, reply, &found);
        if (status == STATUS_OK || verdict != STATUS_OK)
            continue;
        verdict = status;
        *error = found;
    }
    if (verdict != STATUS_OK)
        return verdict;
    if (reply->type != REPLY_LIST || reply->count != commands)
        return error_set(error, STATUS_STOP,
                         "Redis at %s gave an answer that baton does not understand",
                         connection_place(store->connection));
    if (!redis_fence_holds(reply->items[0], fence))
        redis_unit_fence_off(store, unit);
    *results = reply;
    return redis_unit_verdict(store, unit, error);
}

enum status redis_fence_check(struct redis_store *store, uint32_t unit, const struct fence *fence,
                              struct error *error)
{
    enum status status = redis_answers_begin(store, unit, error);
    if (status != STATUS_OK)
        return status;
    struct key unit_key;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    ask_fence(store, &unit_key);
    const struct reply *reply;
    status = redis_answers_read(store, &reply, error);
    if (status != STATUS_OK)
        return status;
    if (reply->type == REPLY_ERROR)
        return connection_judge(store->connection, reply, error);
    if (!redis_fence_holds(reply, fence))
        redis_unit_fence_off(store, unit);
    return redis_unit_verdict(store, unit, error);
}
