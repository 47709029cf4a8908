#include "redis/redis_store_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

void redis_answers_expect(struct redis_store *store, uint32_t unit, struct asked_load *load,
                          size_t leads)
{
    if (store->asked_count == store->asked_room) {
        size_t room = store->asked_room ? store->asked_room * 2 : 64;
        struct question *asked = memory_take(room * sizeof *asked);
        for (size_t i = 0; i < store->asked_count; i++)
            asked[i] = store->asked[(store->asked_first + i) % store->asked_room];
        free(store->asked);
        store->asked = asked;
        store->asked_first = 0;
        store->asked_room = room;
    }
    store->asked[(store->asked_first + store->asked_count++) % store->asked_room] =
        (struct question){.unit = unit,
                          .end = connection_queued_bytes(store->connection),
                          .load = load,
                          .leads = leads,
                          .answers = load ? leads + BLOCK_ANSWERS : 1};
    if (!load)
        redis_unit(store, unit)->outstanding++;
}

struct question *redis_answers_oldest(struct redis_store *store)
{
    assert(store->asked_count > 0);
    return &store->asked[store->asked_first];
}

struct question redis_answers_pop(struct redis_store *store)
{
    struct question question = *redis_answers_oldest(store);
    store->asked_first = (store->asked_first + 1) % store->asked_room;
    store->asked_count--;
    store->answered_bytes = question.end;
    if (!question.load)
        redis_unit(store, question.unit)->outstanding--;
    return question;
}

/* Before something is queued: reads that are waited for queue bytes, too, but leave none
 * outstanding. */
void redis_answers_forget(struct redis_store *store)
{
    if (store->asked_count == 0)
        store->answered_bytes = connection_queued_bytes(store->connection);
}

/* The connection is gone: what it had not answered may have been done or not. */
enum status redis_answers_lose(struct redis_store *store, enum status status)
{
    connection_close(store->connection);
    store->connection = NULL;
    store->scripts_loaded = false;
    store->server_changed = false;
    while (store->asked_count) {
        struct question question = redis_answers_pop(store);
        struct error error;
        if (question.load) {
            redis_load_fail(question.load, STATUS_RETRY,
                            "the connection to Redis was lost before a load was answered");
            question.load->done = true;
            continue;
        }
        (void)error_set(&error, STATUS_FENCED,
                        "unit %" PRIu32
                        ": the connection to Redis was lost before a write was answered",
                        question.unit);
        redis_unit_judge(store, question.unit, STATUS_FENCED, error.text);
    }
    store->answered_bytes = 0;
    return status;
}

static void take_write_error(struct redis_store *store, uint32_t unit, const struct reply *reply)
{
    struct error error;
    if (reply_has_code(reply, "NOSCRIPT")) {
        /* Not done; the step stands still, so that later writes of the unit are not done either. */
        store->scripts_loaded = false;
        (void)error_set(&error, STATUS_FENCED, "unit %" PRIu32 ": Redis has forgotten our scripts",
                        unit);
        redis_unit_judge(store, unit, STATUS_FENCED, error.text);
        return;
    }
    enum status status = connection_judge(store->connection, reply, &error);
    redis_unit_judge(store, unit, status == STATUS_STOP ? STATUS_STOP : STATUS_FENCED, error.text);
    if (reply_has_code(reply, "READONLY") || reply_has_code(reply, "MASTERDOWN"))
        store->server_changed = true;
}

static void take_write_answer(struct redis_store *store, const struct reply *reply)
{
    uint32_t unit = redis_answers_pop(store).unit;
    if (reply->type == REPLY_ERROR)
        take_write_error(store, unit, reply);
    else if (reply->type != REPLY_NUMBER || reply->number != 1)
        redis_unit_fence_off(store, unit);
}

/* Takes in one answer; none when there is none yet and `wait` is false. */
enum status redis_answers_take_one(struct redis_store *store, bool wait, bool *taken,
                                   struct error *error)
{
    const struct reply *reply;
    *taken = false;
    enum status status = connection_next(store->connection, wait, &reply, error);
    if (status != STATUS_OK)
        return redis_answers_lose(store, status);
    if (!reply)
        return STATUS_OK;
    *taken = true;
    if (redis_answers_oldest(store)->load)
        redis_load_take_answer(store, reply);
    else
        take_write_answer(store, reply);
    return STATUS_OK;
}

/* Takes in answers until at most `most` bytes are outstanding; those that are there in any case. */
enum status redis_answers_take(struct redis_store *store, uint64_t most, struct error *error)
{
    while (store->connection && store->asked_count) {
        uint64_t outstanding = connection_queued_bytes(store->connection) - store->answered_bytes;
        bool taken;
        enum status status = redis_answers_take_one(store, outstanding > most, &taken, error);
        if (status != STATUS_OK || !taken)
            return status;
    }
    return STATUS_OK;
}

enum status redis_answers_be_ready(struct redis_store *store, struct error *error)
{
    if (store->server_changed) {
        enum status status = redis_answers_take(store, 0, error);
        if (status != STATUS_OK)
            return status;
        (void)redis_answers_lose(store, STATUS_OK);
    }
    if (!store->connection) {
        enum status status = connection_open(&store->connection, &store->config, error);
        if (status != STATUS_OK)
            return status;
    }
    if (store->scripts_loaded)
        return STATUS_OK;
    enum status status = redis_answers_take(store, 0, error);
    if (status == STATUS_OK)
        status = scripts_load(&store->scripts, store->connection, error);
    if (status != STATUS_OK)
        return store->connection ? redis_answers_lose(store, status) : status;
    store->scripts_loaded = true;
    return STATUS_OK;
}

/* Before anything but a claim: the unit must not have been fenced, and Redis be there. */
enum status redis_answers_begin(struct redis_store *store, uint32_t unit, struct error *error)
{
    enum status status = redis_unit_verdict(store, unit, error);
    return status == STATUS_OK ? redis_answers_be_ready(store, error) : status;
}

/* One answer of a read, behind all answers of writes. */
enum status redis_answers_read(struct redis_store *store, const struct reply **reply,
                               struct error *error)
{
    enum status status = redis_answers_take(store, 0, error);
    if (status != STATUS_OK)
        return status;
    status = connection_next(store->connection, true, reply, error);
    return status == STATUS_OK ? STATUS_OK : redis_answers_lose(store, status);
}

/* What a call says when the connection broke: FENCED where the unit has lost a write by it, else
 * RETRY. */
enum status redis_answers_settle(struct redis_store *store, uint32_t unit, enum status status,
                                 struct error *error)
{
    if (status != STATUS_RETRY || redis_unit(store, unit)->verdict == STATUS_OK)
        return status;
    return redis_unit_verdict(store, unit, error);
}

enum status redis_answers_refuse(const struct redis_store *store, struct error *error)
{
    return error_set(error, STATUS_STOP,
                     "Redis at %s gave an answer that baton does not understand",
                     connection_place(store->connection));
}
