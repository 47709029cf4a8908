#include "base/arena.h"
#include "base/crash_point.h"
#include "memory/memory.h"
#include "memory/memory_map.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the server holds
 * ----------------------------------------------------------------------- */

struct unit {
    uint8_t token[16];
    uint64_t step;
    struct memory_map fields, words, texts, leads;
};

struct units {
    struct unit *at;
    uint32_t count;
};

struct memory_db {
    pthread_mutex_t mutex;
    struct units now, saved;
    bool away;
    uint64_t round_trips, writes;
};

/* In front of a lead's packed form. */
struct lead_head {
    struct baton_score score;
    int64_t updated_ms;
    uint8_t stage;
    uint8_t torn;
};

static void unit_init(struct unit *unit)
{
    memset(unit, 0, sizeof *unit);
}

static void unit_fini(struct unit *unit)
{
    memory_map_fini(&unit->fields);
    memory_map_fini(&unit->words);
    memory_map_fini(&unit->texts);
    memory_map_fini(&unit->leads);
    unit_init(unit);
}

static void units_fini(struct units *units)
{
    for (uint32_t i = 0; i < units->count; i++)
        unit_fini(&units->at[i]);
    free(units->at);
    *units = (struct units){0};
}

static void units_copy(struct units *units, const struct units *from)
{
    units_fini(units);
    units->count = from->count;
    units->at = memory_take_zeroed(from->count, sizeof *units->at);
    for (uint32_t i = 0; i < from->count; i++) {
        struct unit *to = &units->at[i];
        memcpy(to->token, from->at[i].token, sizeof to->token);
        to->step = from->at[i].step;
        memory_map_copy(&to->fields, &from->at[i].fields);
        memory_map_copy(&to->words, &from->at[i].words);
        memory_map_copy(&to->texts, &from->at[i].texts);
        memory_map_copy(&to->leads, &from->at[i].leads);
    }
}

static struct unit *unit_of(struct memory_db *db, uint32_t unit)
{
    if (unit >= db->now.count) {
        db->now.at = memory_resize(db->now.at, (unit + 1) * sizeof *db->now.at);
        for (uint32_t i = db->now.count; i <= unit; i++)
            unit_init(&db->now.at[i]);
        db->now.count = unit + 1;
    }
    return &db->now.at[unit];
}

struct memory_db *memory_db_create(void)
{
    struct memory_db *db = memory_take_zeroed(1, sizeof *db);
    (void)pthread_mutex_init(&db->mutex, NULL);
    return db;
}

void memory_db_destroy(struct memory_db *db)
{
    units_fini(&db->now);
    units_fini(&db->saved);
    (void)pthread_mutex_destroy(&db->mutex);
    free(db);
}

static void lock(struct memory_db *db)
{
    (void)pthread_mutex_lock(&db->mutex);
}

static void unlock(struct memory_db *db)
{
    (void)pthread_mutex_unlock(&db->mutex);
}

void memory_db_save(struct memory_db *db)
{
    lock(db);
    units_copy(&db->saved, &db->now);
    unlock(db);
}

void memory_db_fall_back(struct memory_db *db)
{
    lock(db);
    units_copy(&db->now, &db->saved);
    unlock(db);
}

void memory_db_set_away(struct memory_db *db, bool away)
{
    lock(db);
    db->away = away;
    unlock(db);
}

void memory_db_forget_unit(struct memory_db *db, uint32_t unit)
{
    lock(db);
    unit_fini(unit_of(db, unit));
    unlock(db);
}

static struct lead_head head_of(struct baton_text value)
{
    struct lead_head head;
    assert(value.size >= sizeof head);
    memcpy(&head, value.data, sizeof head);
    return head;
}

static size_t packed_size_of(struct baton_text value)
{
    return value.size - sizeof(struct lead_head);
}

bool memory_db_tear_lead(struct memory_db *db, uint32_t unit, struct baton_text id)
{
    lock(db);
    struct memory_map *leads = &unit_of(db, unit)->leads;
    struct baton_text value = memory_map_get(leads, id);
    if (value.data) {
        struct lead_head head = head_of(value);
        head.torn = 1;
        memcpy((char *)(uintptr_t)value.data, &head, sizeof head);
    }
    unlock(db);
    return value.data != NULL;
}

struct baton_text memory_db_field(struct memory_db *db, uint32_t unit, const char *name)
{
    lock(db);
    struct baton_text value = memory_map_get(&unit_of(db, unit)->fields,
                                             (struct baton_text){name, (uint32_t)strlen(name)});
    unlock(db);
    return value;
}

static void to_lead(struct baton_text id, struct baton_text value, struct stored_lead *lead)
{
    struct lead_head head = head_of(value);
    *lead = (struct stored_lead){.id = id,
                                 .score = head.score,
                                 .stage = (enum baton_stage)head.stage,
                                 .updated_ms = head.updated_ms,
                                 .packed = (const uint8_t *)value.data + sizeof head,
                                 .packed_size = packed_size_of(value)};
}

bool memory_db_lead(struct memory_db *db, uint32_t unit, struct baton_text id,
                    struct stored_lead *lead)
{
    lock(db);
    struct baton_text value = memory_map_get(&unit_of(db, unit)->leads, id);
    if (value.data)
        to_lead(id, value, lead);
    unlock(db);
    return value.data != NULL;
}

size_t memory_db_lead_count(struct memory_db *db, uint32_t unit)
{
    lock(db);
    size_t count = unit_of(db, unit)->leads.live;
    unlock(db);
    return count;
}

void memory_db_each_lead(struct memory_db *db, uint32_t unit,
                         void (*each)(void *context, const struct stored_lead *lead), void *context)
{
    lock(db);
    const struct memory_map *leads = &unit_of(db, unit)->leads;
    for (uint32_t i = 0; i < leads->count; i++) {
        struct stored_lead lead;
        if (!leads->entries[i].value.data)
            continue;
        to_lead(leads->entries[i].key, leads->entries[i].value, &lead);
        each(context, &lead);
    }
    unlock(db);
}

void memory_db_counts(struct memory_db *db, uint64_t *round_trips, uint64_t *writes)
{
    lock(db);
    *round_trips = db->round_trips;
    *writes = db->writes;
    unlock(db);
}

static bool fence_holds(const struct unit *unit, const uint8_t token[16], uint64_t step)
{
    return (unit->step == step && memcmp(unit->token, token, 16) == 0) || SEEDED_FAULT("no_fence");
}

/* A lead is kept in pieces of 64 bytes by the real store, which removes those that `former_size`
 * tells of. */
static size_t pieces(size_t size)
{
    return (size + 63) / 64;
}

static void put_lead(struct unit *unit, const struct stored_lead *lead)
{
    struct baton_text old = memory_map_get(&unit->leads, lead->id);
    struct lead_head head = {
        .score = lead->score, .updated_ms = lead->updated_ms, .stage = (uint8_t)lead->stage};
    if (old.data && lead->former_size && pieces(packed_size_of(old)) > pieces(lead->former_size) &&
        pieces(packed_size_of(old)) > pieces(lead->packed_size))
        head.torn = 1;
    size_t size = sizeof head + lead->packed_size;
    char *value = memory_take_zeroed(1, size);
    memcpy(value, &head, sizeof head);
    if (lead->packed_size)
        memcpy(value + sizeof head, lead->packed, lead->packed_size);
    memory_map_set(&unit->leads, lead->id, (struct baton_text){value, (uint32_t)size});
    free(value);
}

static void carry_out(struct unit *unit, const struct store_write *write)
{
    for (size_t i = 0; i < write->field_count; i++) {
        if (write->fields[i].value.size)
            memory_map_set(&unit->fields, write->fields[i].name, write->fields[i].value);
        else
            memory_map_remove(&unit->fields, write->fields[i].name);
    }
    for (size_t i = 0; i < write->word_count; i++)
        memory_map_set(&unit->words, write->words[i].name, write->words[i].value);
    for (size_t i = 0; i < write->text_count; i++)
        memory_map_set(&unit->texts, write->texts[i].name, write->texts[i].value);
    for (size_t i = 0; i < write->lead_count; i++)
        put_lead(unit, &write->leads[i]);
}

/* ---- a connection
 * -------------------------------------------------------------------------------- */

struct sent_write {
    struct sent_write *next;
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
    struct unit *unit = unit_of(db, sent->unit);
    if (!fence_holds(unit, sent->fence.token, sent->fence.step))
        return false;
    carry_out(unit, &sent->write);
    unit->step++;
    db->writes++;
    return true;
}

static void deliver(struct memory_store *store, size_t count)
{
    for (; count && store->first; count--) {
        struct sent_write *sent = store->first;
        struct client_unit *client = client_unit(store, sent->unit);
        store->first = sent->next;
        if (!store->first)
            store->last = &store->first;
        client->outstanding--;
        if (!server_write(store->db, sent))
            client->fenced = true;
        sent_free(sent);
    }
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
    store->strays = store->first;
    store->first = NULL;
    store->last = &store->first;
}

/* In front of every call that needs the server; takes the lock when it says OK. */
static enum status enter(struct memory_store *store, struct error *error)
{
    lock(store->db);
    if (store->db->away || store->broken) {
        const char *what =
            store->db->away ? "the store is away" : "the connection to the store broke";
        if (store->db->away) {
            lose_answers(store);
            sent_free_all(store->strays);
            store->strays = NULL;
        }
        store->broken = false;
        unlock(store->db);
        return error_set(error, STATUS_RETRY, "%s", what);
    }
    return STATUS_OK;
}

static enum status leave(struct memory_store *store, enum status status)
{
    unlock(store->db);
    return status;
}

static enum status fenced(struct error *error, uint32_t unit)
{
    return error_set(error, STATUS_FENCED, "unit %" PRIu32 " is not ours as we knew it", unit);
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
        fence_holds(unit_of(store->db, unit), fence->token, fence->step))
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
    struct unit *held = unit_of(store->db, unit);
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

static enum status load_one(const struct unit *unit, struct baton_text id, struct arena *arena,
                            struct loaded_lead *out, struct error *error)
{
    struct baton_text value = memory_map_get(&unit->leads, id);
    *out = (struct loaded_lead){0};
    if (!value.data)
        return STATUS_OK;
    if (head_of(value).torn)
        return error_set(error, STATUS_STOP, "lead %.*s is damaged in the store", (int)id.size,
                         id.data);
    out->packed_size = packed_size_of(value);
    out->packed = arena_copy(arena, value.data + sizeof(struct lead_head), out->packed_size);
    return STATUS_OK;
}

static enum status store_load(struct store *port, uint32_t unit, const struct fence *fence,
                              const struct baton_text *ids, size_t count, struct arena *arena,
                              struct loaded_lead *out, struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter_fenced(store, unit, fence, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = load_one(unit_of(store->db, unit), ids[i], arena, &out[i], error);
    return leave(store, status);
}

static enum status store_words(struct store *port, uint32_t unit, const struct fence *fence,
                               struct arena *arena, struct field **words, size_t *count,
                               struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter_fenced(store, unit, fence, error);
    if (status != STATUS_OK)
        return status;
    *words = to_fields(&unit_of(store->db, unit)->words, arena, count);
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
    *value = arena_text(arena, memory_map_get(&unit_of(store->db, unit)->texts, name));
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
    sent->write.leads = copy_leads(&sent->arena, write->leads, write->lead_count);
    return sent;
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
    struct sent_write *sent = sent_create(unit, fence, write);
    *store->last = sent;
    store->last = &sent->next;
    client->outstanding++;
    fence->step++;
    if (!store->hold)
        deliver(store, SIZE_MAX);
    return leave(store, STATUS_OK);
}

static enum status store_settle(struct store *port, uint32_t unit, bool wait, size_t *outstanding,
                                struct error *error)
{
    struct memory_store *store = self(port);
    struct client_unit *client = client_unit(store, unit);
    lock(store->db);
    if (store->db->away)
        lose_answers(store);
    else if (wait && store->first) {
        store->db->round_trips++;
        deliver(store, SIZE_MAX);
    }
    *outstanding = client->outstanding;
    return leave(store, client->fenced ? fenced(error, unit) : STATUS_OK);
}

static enum status store_clear(struct store *port, uint32_t unit, struct fence *fence,
                               struct error *error)
{
    struct memory_store *store = self(port);
    enum status status = enter_fenced(store, unit, fence, error);
    if (status != STATUS_OK)
        return status;
    struct unit *held = unit_of(store->db, unit);
    memory_map_fini(&held->leads);
    memory_map_fini(&held->words);
    fence->step = ++held->step;
    return leave(store, STATUS_OK);
}

static void store_destroy(struct store *port)
{
    struct memory_store *store = self(port);
    sent_free_all(store->first);
    sent_free_all(store->strays);
    free(store->units);
    free(store);
}

struct store *memory_store_create(struct memory_db *db)
{
    struct memory_store *store = memory_take_zeroed(1, sizeof *store);
    store->port = (struct store){.claim = store_claim,
                                 .check = store_check,
                                 .load = store_load,
                                 .words = store_words,
                                 .text = store_text,
                                 .write = store_write_,
                                 .settle = store_settle,
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
    lock(store->db);
    deliver(store, count);
    unlock(store->db);
}

size_t memory_store_under_way(struct store *port)
{
    size_t count = 0;
    for (const struct sent_write *sent = self(port)->first; sent; sent = sent->next)
        count++;
    return count;
}

void memory_store_break(struct store *port)
{
    struct memory_store *store = self(port);
    lock(store->db);
    lose_answers(store);
    store->broken = true;
    unlock(store->db);
}

void memory_store_arrive(struct store *port, size_t count)
{
    struct memory_store *store = self(port);
    lock(store->db);
    for (struct sent_write *sent = store->strays; sent && count; sent = sent->next, count--)
        (void)server_write(store->db, sent);
    sent_free_all(store->strays);
    store->strays = NULL;
    unlock(store->db);
}
