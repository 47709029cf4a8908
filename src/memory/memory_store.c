#include "base/arena.h"
#include "base/crash_point.h"
#include "memory/memory_db.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A load that was begun and is not finished yet. */
struct asked_load {
    struct asked_load *next;
    uint32_t unit;
    struct fence fence; /* as it must be for this read */
    const struct baton_text *ids;
    size_t count;
    bool done;
    enum status status;
    struct error error;
    struct loaded_lead *leads;
    struct arena arena;
};

struct sent_write {
    struct sent_write *next;
    struct asked_load *load; /* not NULL: this is no write */
    uint32_t unit;
    struct fence fence; /* as it must be for this write */
    struct arena arena;
    struct store_write write;
};

struct client_unit {
    size_t outstanding;
    bool fenced; /* until claimed again */
};

struct memory_store {
    struct store port;
    struct memory_db *db;
    struct sent_write *first, **last; /* under way, oldest first */
    struct sent_write *strays;        /* sent on a connection that broke */
    struct asked_load *loads;         /* oldest first */
    struct asked_load *finished;      /* whose answers are borrowed still */
    struct client_unit *units;
    uint32_t unit_count;
    bool hold;
    bool broken;
};

static struct memory_store *self(struct store *store)
{
    return (struct memory_store *)store;
}

static struct client_unit *client_unit(struct memory_store *store, uint32_t unit)
{
    if (unit >= store->unit_count) {
        store->units = memory_resize(store->units, (unit + 1) * sizeof *store->units);
        memset(store->units + store->unit_count, 0,
               (unit + 1 - store->unit_count) * sizeof *store->units);
        store->unit_count = unit + 1;
    }
    return &store->units[unit];
}

static void sent_free(struct sent_write *sent)
{
    arena_fini(&sent->arena);
    free(sent);
}

static void sent_free_all(struct sent_write *sent)
{
    while (sent) {
        struct sent_write *next = sent->next;
        sent_free(sent);
        sent = next;
    }
}

/* The server's side of a write. */
static bool server_write(struct memory_db *db, const struct sent_write *sent)
{
    struct memory_unit *unit = memory_db_unit(db, sent->unit);
    if (!memory_db_fence_holds(unit, sent->fence.token, sent->fence.step))
        return false;
    memory_db_carry_out(unit, &sent->write);
    unit->step++;
    db->writes++;
    return true;
}

static enum status fenced(struct error *error, uint32_t unit)
{
    return error_set(error, STATUS_FENCED, "unit %" PRIu32 " is not ours as we knew it", unit);
}

static enum status load_one(const struct memory_unit *unit, struct baton_text id,
                            struct arena *arena, struct loaded_lead *out, struct error *error)
{
    struct baton_text value = memory_map_get(&unit->leads, id);
    *out = (struct loaded_lead){0};
    if (!value.data)
        return STATUS_OK;
    if (memory_db_head(value).torn)
        return error_set(error, STATUS_STOP, "lead %.*s is damaged in the store", (int)id.size,
                         id.data);
    out->stage_is_dated = memory_db_head(value).dated;
    out->packed_size = memory_db_packed_size(value);
    out->packed = arena_copy(arena, value.data + sizeof(struct lead_head), out->packed_size);
    return STATUS_OK;
}

static bool load_may_stand(const struct memory_unit *unit, const struct fence *fence)
{
    if (SEEDED_FAULT("any_step") && memcmp(unit->token, fence->token, 16) == 0)
        return true;
    return memory_db_fence_holds(unit, fence->token, fence->step) || SEEDED_FAULT("no_read_check");
}

static void answer_load(struct memory_store *store, struct asked_load *load)
{
    struct memory_unit *unit = memory_db_unit(store->db, load->unit);
    load->done = true;
    if (!load_may_stand(unit, &load->fence)) {
        client_unit(store, load->unit)->fenced = true;
        load->status = fenced(&load->error, load->unit);
    }
    for (size_t i = 0; i < load->count && load->status == STATUS_OK; i++)
        load->status = load_one(unit, load->ids[i], &load->arena, &load->leads[i], &load->error);
}

static struct sent_write *take_sent(struct memory_store *store)
{
    struct sent_write *sent = store->first;
    store->first = sent->next;
    if (!store->first)
        store->last = &store->first;
    return sent;
}

/* So many writes, and the loads in front of each. */
static void deliver(struct memory_store *store, size_t count)
{
    while (store->first && (count || store->first->load)) {
        struct sent_write *sent = take_sent(store);
        struct client_unit *client = client_unit(store, sent->unit);
        if (sent->load) {
            answer_load(store, sent->load);
        } else {
            count--;
            client->outstanding--;
            if (!server_write(store->db, sent))
                client->fenced = true;
        }
        sent_free(sent);
    }
}

static void lose_load(struct asked_load *load)
{
    load->done = true;
    load->status =
        error_set(&load->error, STATUS_RETRY, "the connection broke before a load was answered");
}

/* All answers that are outstanding are lost. */
static void lose_answers(struct memory_store *store)
{
    for (uint32_t i = 0; i < store->unit_count; i++)
        if (store->units[i].outstanding) {
            store->units[i].fenced = true;
            store->units[i].outstanding = 0;
        }
    sent_free_all(store->strays);
    store->strays = NULL;
    struct sent_write **last = &store->strays;
    while (store->first) {
        struct sent_write *sent = take_sent(store);
        if (sent->load) {
            lose_load(sent->load);
            sent_free(sent);
            continue;
        }
        sent->next = NULL;
        *last = sent;
        last = &sent->next;
    }
}

/* In front of every call that needs the server; takes the lock when it says OK. */
static enum status enter(struct memory_store *store, struct error *error)
{
    memory_db_lock(store->db);
    if (store->db->away || store->broken) {
        const char *what =
            store->db->away ? "the store is away" : "the connection to the store broke";
        if (store->db->away) {
            lose_answers(store);
            sent_free_all(store->strays);
            store->strays = NULL;
        }
        store->broken = false;
        memory_db_unlock(store->db);
        return error_set(error, STATUS_RETRY, "%s", what);
    }
    return STATUS_OK;
}

static enum status leave(struct memory_store *store, enum status status)
{
    memory_db_unlock(store->db);
    return status;
}

/* The same, for a read under the fence: writes sent before it are carried out before it. */
static enum status enter_fenced(struct memory_store *store, uint32_t unit,
                                const struct fence *fence, struct error *error)
{
    enum status status = enter(store, error);
    if (status != STATUS_OK)
        return status;
    store->db->round_trips++;
    deliver(store, SIZE_MAX);
    if (SEEDED_FAULT("no_read_check"))
        return STATUS_OK;
    if (!client_unit(store, unit)->fenced &&
        memory_db_fence_holds(memory_db_unit(store->db, unit), fence->token, fence->step))
        return STATUS_OK;
    return leave(store, fenced(error, unit));
}

static struct baton_text arena_text(struct arena *arena, struct baton_text text)
{
    if (!text.data)
        return text;
    return (struct baton_text){arena_copy(arena, text.data, text.size), text.size};
}

/* All live entries, the newest first: readers may not lean on an order. */
static struct field *to_fields(const struct memory_map *map, struct arena *arena, size_t *count)
{
    struct field *fields = arena_take(arena, map->live * sizeof *fields);
    *count = 0;
    for (uint32_t i = map->count; i-- > 0;)
        if (map->entries[i].value.data)
            fields[(*count)++] = (struct field){.name = arena_text(arena, map->entries[i].key),
                                                .value = arena_text(arena, map->entries[i].value)};
    return fields;
}

static enum status store_claim(struct store *port, uint32_t unit, const uint8_t token[16],
                               struct arena *arena, struct fence *fence, struct field **fields,
                               size_t *field_count, struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter(store, error);
    if (status != STATUS_OK)
        return status;
    store->db->round_trips++;
    deliver(store, SIZE_MAX);
    struct memory_unit *held = memory_db_unit(store->db, unit);
    *fields = to_fields(&held->fields, arena, field_count);
    memcpy(held->token, token, 16);
    memcpy(fence->token, token, 16);
    fence->step = ++held->step;
    client_unit(store, unit)->fenced = false;
    return leave(store, STATUS_OK);
}

static enum status store_check(struct store *port, uint32_t unit, const struct fence *fence,
                               struct error *error)
{
    enum status status = enter_fenced(self(port), unit, fence, error);
    return status == STATUS_OK ? leave(self(port), STATUS_OK) : status;
}

static enum status store_hash_(struct store *port, uint32_t unit, const struct fence *fence,
                               enum store_hash hash, struct arena *arena, struct field **fields,
                               size_t *count, struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter_fenced(store, unit, fence, error);
    if (status != STATUS_OK)
        return status;
    *fields = to_fields(memory_db_map(memory_db_unit(store->db, unit), hash), arena, count);
    return leave(store, STATUS_OK);
}

static enum status store_peek(struct store *port, uint32_t unit, enum store_hash hash,
                              struct arena *arena, struct field **fields, size_t *count,
                              struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter(store, error);
    if (status != STATUS_OK)
        return status;
    store->db->round_trips++;
    deliver(store, SIZE_MAX);
    *fields = to_fields(memory_db_map(memory_db_unit(store->db, unit), hash), arena, count);
    return leave(store, STATUS_OK);
}

static enum status store_text(struct store *port, uint32_t unit, const struct fence *fence,
                              struct baton_text name, struct arena *arena, struct baton_text *value,
                              struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter_fenced(store, unit, fence, error);
    if (status != STATUS_OK)
        return status;
    *value = arena_text(arena, memory_map_get(&memory_db_unit(store->db, unit)->texts, name));
    return leave(store, STATUS_OK);
}

static const struct field *copy_fields(struct arena *arena, const struct field *fields,
                                       size_t count)
{
    struct field *copies = arena_take(arena, count * sizeof *copies);
    for (size_t i = 0; i < count; i++)
        copies[i] =
            (struct field){arena_text(arena, fields[i].name), arena_text(arena, fields[i].value)};
    return copies;
}

static const struct stored_lead *copy_leads(struct arena *arena, const struct stored_lead *leads,
                                            size_t count)
{
    struct stored_lead *copies = arena_take(arena, count * sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        copies[i] = leads[i];
        copies[i].id = arena_text(arena, leads[i].id);
        copies[i].packed = arena_copy(arena, leads[i].packed, leads[i].packed_size);
    }
    return copies;
}

static struct sent_write *sent_create(uint32_t unit, const struct fence *fence,
                                      const struct store_write *write)
{
    struct sent_write *sent = memory_take_zeroed(1, sizeof *sent);
    sent->unit = unit;
    sent->fence = *fence;
    arena_init(&sent->arena, 4096);
    sent->write = *write;
    sent->write.fields = copy_fields(&sent->arena, write->fields, write->field_count);
    sent->write.words = copy_fields(&sent->arena, write->words, write->word_count);
    sent->write.texts = copy_fields(&sent->arena, write->texts, write->text_count);
    sent->write.days = copy_fields(&sent->arena, write->days, write->day_count);
    sent->write.clocks = copy_fields(&sent->arena, write->clocks, write->clock_count);
    sent->write.leads = copy_leads(&sent->arena, write->leads, write->lead_count);
    return sent;
}

static void send_off(struct memory_store *store, struct sent_write *sent)
{
    *store->last = sent;
    store->last = &sent->next;
    if (!store->hold)
        deliver(store, SIZE_MAX);
}

static enum status store_write_(struct store *port, uint32_t unit, struct fence *fence,
                                const struct store_write *write, struct error *error)
{
    struct memory_store *store = self(port);
    assert(write->lead_count <= STORE_WRITE_LEADS);
    enum status status = enter(store, error);
    if (status != STATUS_OK)
        return status;
    struct client_unit *client = client_unit(store, unit);
    if (client->fenced)
        return leave(store, fenced(error, unit));
    client->outstanding++;
    send_off(store, sent_create(unit, fence, write));
    fence->step++;
    return leave(store, STATUS_OK);
}

static struct asked_load *load_create(uint32_t unit, const struct fence *fence,
                                      const struct baton_text *ids, size_t count)
{
    struct asked_load *load = memory_take_zeroed(1, sizeof *load);
    arena_init(&load->arena, 4096);
    load->unit = unit;
    load->fence = *fence;
    load->ids = ids;
    load->count = count;
    load->leads = arena_take(&load->arena, (count + 1) * sizeof *load->leads);
    return load;
}

static void loads_free(struct asked_load *load)
{
    while (load) {
        struct asked_load *next = load->next;
        arena_fini(&load->arena);
        free(load);
        load = next;
    }
}

static enum status store_load_begin(struct store *port, uint32_t unit, const struct fence *fence,
                                    const struct baton_text *ids, size_t count, struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter(store, error);
    if (status != STATUS_OK)
        return status;
    if (client_unit(store, unit)->fenced && !SEEDED_FAULT("no_read_check"))
        return leave(store, fenced(error, unit));
    loads_free(store->finished);
    store->finished = NULL;
    store->db->round_trips++;
    struct asked_load **at = &store->loads;
    while (*at)
        at = &(*at)->next;
    *at = load_create(unit, fence, ids, count);
    static const struct store_write none;
    struct sent_write *sent = sent_create(unit, fence, &none);
    sent->load = *at;
    send_off(store, sent);
    return leave(store, STATUS_OK);
}

/* The oldest load of the unit, off the list. */
static struct asked_load *take_load(struct memory_store *store, uint32_t unit)
{
    struct asked_load **at = &store->loads;
    while (*at && (*at)->unit != unit)
        at = &(*at)->next;
    struct asked_load *load = *at;
    assert(load);
    *at = load->next;
    load->next = store->finished;
    store->finished = load;
    return load;
}

static enum status store_load_finish(struct store *port, uint32_t unit, struct loaded_lead **out,
                                     struct error *error)
{
    struct memory_store *store = self(port);
    memory_db_lock(store->db);
    struct asked_load *load = take_load(store, unit);
    if (store->db->away)
        lose_answers(store);
    while (!load->done) {
        assert(store->first);
        deliver(store, 1);
    }
    *out = load->leads;
    *error = load->error;
    if (load->status == STATUS_OK && client_unit(store, unit)->fenced &&
        !SEEDED_FAULT("no_read_check"))
        return leave(store, fenced(error, unit));
    return leave(store, load->status);
}

static enum status store_settle(struct store *port, uint32_t unit, bool wait, size_t *outstanding,
                                struct error *error)
{
    struct memory_store *store = self(port);
    struct client_unit *client = client_unit(store, unit);
    memory_db_lock(store->db);
    if (store->db->away)
        lose_answers(store);
    else if (wait && store->first) {
        store->db->round_trips++;
        deliver(store, SIZE_MAX);
    }
    *outstanding = client->outstanding;
    return leave(store, client->fenced ? fenced(error, unit) : STATUS_OK);
}

#define SCAN_ENTRIES 20

/* The map never forgets where a key stood. After a fall-back it does: `at` is beyond, or somewhere
 * else; what was passed under the former numbers is passed again. */
static enum status store_scan(struct store *port, uint32_t unit, const struct fence *fence,
                              const char *cursor, struct arena *arena, struct store_page *page,
                              struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter_fenced(store, unit, fence, error);
    if (status != STATUS_OK)
        return status;
    const struct memory_map *leads = &memory_db_unit(store->db, unit)->leads;
    unsigned generation = 0, at = 0;
    if (sscanf(cursor, "m%u-%u", &generation, &at) != 2 || generation != store->db->fall_backs)
        at = 0;
    struct baton_text *ids = arena_take(arena, SCAN_ENTRIES * sizeof *ids);
    *page = (struct store_page){.ids = ids};
    for (unsigned end = at + SCAN_ENTRIES; at < end && at < leads->count; at++)
        if (leads->entries[at].value.data)
            ids[page->count++] = arena_text(arena, leads->entries[at].key);
    page->permille = leads->count ? at * 1000 / leads->count : 1000;
    if (at < leads->count)
        (void)snprintf(page->cursor, sizeof page->cursor, "m%u-%u", store->db->fall_backs, at);
    return leave(store, STATUS_OK);
}

static enum status store_clear(struct store *port, uint32_t unit, struct fence *fence,
                               struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter_fenced(store, unit, fence, error);
    if (status != STATUS_OK)
        return status;
    struct memory_unit *held = memory_db_unit(store->db, unit);
    memory_map_fini(&held->leads);
    memory_map_fini(&held->words);
    memory_map_fini(&held->days);
    memory_map_fini(&held->clocks);
    fence->step = ++held->step;
    return leave(store, STATUS_OK);
}

static void store_destroy(struct store *port)
{
    struct memory_store *store = self(port);
    sent_free_all(store->first);
    sent_free_all(store->strays);
    loads_free(store->loads);
    loads_free(store->finished);
    free(store->units);
    free(store);
}

struct store *memory_store_create(struct memory_db *db)
{
    struct memory_store *store = memory_take_zeroed(1, sizeof *store);
    store->port = (struct store){.claim = store_claim,
                                 .check = store_check,
                                 .load_begin = store_load_begin,
                                 .load_finish = store_load_finish,
                                 .hash = store_hash_,
                                 .peek = store_peek,
                                 .text = store_text,
                                 .write = store_write_,
                                 .settle = store_settle,
                                 .scan = store_scan,
                                 .clear = store_clear,
                                 .destroy = store_destroy};
    store->db = db;
    store->last = &store->first;
    return &store->port;
}

void memory_store_hold(struct store *port, bool hold)
{
    self(port)->hold = hold;
}

void memory_store_deliver(struct store *port, size_t count)
{
    struct memory_store *store = self(port);
    memory_db_lock(store->db);
    deliver(store, count);
    memory_db_unlock(store->db);
}

size_t memory_store_under_way(struct store *port)
{
    size_t count = 0;
    for (const struct sent_write *sent = self(port)->first; sent; sent = sent->next)
        count += sent->load == NULL;
    return count;
}

void memory_store_break(struct store *port)
{
    struct memory_store *store = self(port);
    memory_db_lock(store->db);
    lose_answers(store);
    store->broken = true;
    memory_db_unlock(store->db);
}

void memory_store_arrive(struct store *port, size_t count)
{
    struct memory_store *store = self(port);
    memory_db_lock(store->db);
    for (struct sent_write *sent = store->strays; sent && count; sent = sent->next, count--)
        (void)server_write(store->db, sent);
    sent_free_all(store->strays);
    store->strays = NULL;
    memory_db_unlock(store->db);
}
