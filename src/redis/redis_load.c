#include "redis/redis_store_private.h"

#include <assert.h>
#include <stdlib.h>

#define LOAD_BLOCK ((size_t)256) /* leads per MULTI: about a millisecond of Redis */

static void take_block(struct redis_store *store, struct asked_load *load, size_t leads,
                       const struct reply *results)
{
    if (results->type != REPLY_LIST || results->count != leads + 1) {
        load->status = redis_answers_refuse(store, &load->error);
        return;
    }
    if (!redis_fence_holds(results->items[0], &load->fence)) {
        redis_unit_fence_off(store, load->unit);
        (void)redis_unit_verdict(store, load->unit, &load->error);
        load->status = STATUS_FENCED;
        return;
    }
    for (size_t i = load->answered; i < load->answered + leads && load->status == STATUS_OK; i++) {
        struct packed_lead lead;
        load->status = lead_from_hash(results->items[i - load->answered + 1], load->unit,
                                      load->ids[i], &load->arena, &lead, &load->error);
        load->leads[i] = (struct loaded_lead){.packed = lead.found ? lead.data : NULL,
                                              .packed_size = lead.size,
                                              .stage_is_dated = lead.dated};
    }
}

/* MULTI's +OK, +QUEUED for each command, then EXEC's list. */
void redis_load_take_answer(struct redis_store *store, const struct reply *reply)
{
    struct question *question = redis_answers_oldest(store);
    struct asked_load *load = question->load;
    struct error error;
    enum status status = redis_fence_first_error(store, reply, &error);
    if (status != STATUS_OK)
        redis_load_fail(load, status, error.text);
    if (--question->answers)
        return;
    if (load->status == STATUS_OK)
        take_block(store, load, question->leads, reply);
    load->answered += question->leads;
    load->done = load->answered == load->count;
    (void)redis_answers_pop(store);
}

static void ask_lead(struct redis_store *store, const struct key *lead_prefix, struct baton_text id)
{
    char key[KEY_OF_LEAD_MAX];
    size_t size = key_of_lead(key, lead_prefix, id);
    connection_command(store->connection, 2);
    connection_argument_text(store->connection, "HGETALL");
    connection_argument(store->connection, key, size);
}

static void ask_block(struct redis_store *store, struct asked_load *load,
                      const struct key *unit_key, const struct key *lead_prefix, size_t start)
{
    size_t rest = load->count - start, leads = rest < LOAD_BLOCK ? rest : LOAD_BLOCK;
    redis_fence_multi(store, unit_key);
    for (size_t i = 0; i < leads; i++)
        ask_lead(store, lead_prefix, load->ids[start + i]);
    redis_fence_exec(store);
    redis_answers_expect(store, load->unit, load, leads);
}

static struct asked_load *take_load(struct redis_store *store)
{
    struct asked_load *load = store->spare_loads;
    if (load) {
        store->spare_loads = load->next;
        return load;
    }
    load = memory_take_zeroed(1, sizeof *load);
    arena_init(&load->arena, (size_t)64 * 1024);
    return load;
}

static void give_load_back(struct redis_store *store, struct asked_load *load)
{
    struct asked_load **at = &store->loads;
    while (*at != load)
        at = &(*at)->next;
    *at = load->next;
    load->next = store->spare_loads;
    store->spare_loads = load;
}

static struct asked_load *new_load(struct redis_store *store, uint32_t unit,
                                   const struct fence *fence, const struct baton_text *ids,
                                   size_t count)
{
    struct asked_load *load = take_load(store), **at = &store->loads;
    arena_reset(&load->arena);
    load->next = NULL;
    load->unit = unit;
    load->fence = *fence;
    load->ids = ids;
    load->count = count;
    load->answered = 0;
    load->done = false;
    load->status = STATUS_OK;
    load->leads = arena_take(&load->arena, (count + 1) * sizeof *load->leads);
    while (*at)
        at = &(*at)->next;
    *at = load;
    return load;
}

enum status redis_load_begin(struct store *port, uint32_t unit, const struct fence *fence,
                             const struct baton_text *ids, size_t count, struct error *error)
{
    struct redis_store *store = self(port);
    enum status status = redis_answers_begin(store, unit, error);
    if (status != STATUS_OK)
        return redis_answers_settle(store, unit, status, error);
    struct key unit_key, lead_prefix;
    key_of_unit(&unit_key, store->config.prefix, unit, "unit");
    key_of_unit(&lead_prefix, store->config.prefix, unit, "lead:");
    redis_answers_forget(store);
    struct asked_load *load = new_load(store, unit, fence, ids, count);
    size_t start = 0;
    do {
        ask_block(store, load, &unit_key, &lead_prefix, start);
        start += LOAD_BLOCK;
    } while (start < count);
    struct error gone; /* load_finish tells it */
    if (connection_pump(store->connection, &gone) != STATUS_OK)
        (void)redis_answers_lose(store, STATUS_OK);
    return STATUS_OK;
}

enum status redis_load_finish(struct store *port, uint32_t unit, struct loaded_lead **out,
                              struct error *error)
{
    struct redis_store *store = self(port);
    struct asked_load *load = store->loads;
    while (load && load->unit != unit)
        load = load->next;
    assert(load);
    struct error lost;
    bool taken;
    while (!load->done) /* a connection that breaks ends it, too */
        (void)redis_answers_take_one(store, true, &taken, &lost);
    *out = load->leads;
    enum status status = load->status;
    if (status == STATUS_OK)
        status = redis_unit_verdict(store, unit, error);
    else
        *error = load->error;
    give_load_back(store, load);
    return redis_answers_settle(store, unit, status, error);
}

void redis_load_fail(struct asked_load *load, enum status status, const char *why)
{
    if (load->status == STATUS_OK)
        load->status = error_set(&load->error, status, "%s", why);
}

void redis_load_free_all(struct asked_load *load)
{
    while (load) {
        struct asked_load *next = load->next;
        arena_fini(&load->arena);
        free(load);
        load = next;
    }
}
