#include "memory/memory_db.h"

#include "base/crash_point.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void unit_init(struct memory_unit *unit)
{
    memset(unit, 0, sizeof *unit);
}

static void unit_fini(struct memory_unit *unit)
{
    memory_map_fini(&unit->fields);
    memory_map_fini(&unit->words);
    memory_map_fini(&unit->texts);
    memory_map_fini(&unit->leads);
    memory_map_fini(&unit->days);
    memory_map_fini(&unit->clocks);
    unit_init(unit);
}

static void units_fini(struct memory_units *units)
{
    for (uint32_t i = 0; i < units->count; i++)
        unit_fini(&units->at[i]);
    free(units->at);
    *units = (struct memory_units){0};
}

static void units_copy(struct memory_units *units, const struct memory_units *from)
{
    units_fini(units);
    units->count = from->count;
    units->at = memory_take_zeroed(from->count, sizeof *units->at);
    for (uint32_t i = 0; i < from->count; i++) {
        struct memory_unit *to = &units->at[i];
        memcpy(to->token, from->at[i].token, sizeof to->token);
        to->step = from->at[i].step;
        memory_map_copy(&to->fields, &from->at[i].fields);
        memory_map_copy(&to->words, &from->at[i].words);
        memory_map_copy(&to->texts, &from->at[i].texts);
        memory_map_copy(&to->leads, &from->at[i].leads);
        memory_map_copy(&to->days, &from->at[i].days);
        memory_map_copy(&to->clocks, &from->at[i].clocks);
    }
}

struct memory_unit *memory_db_unit(struct memory_db *db, uint32_t unit)
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

void memory_db_lock(struct memory_db *db)
{
    (void)pthread_mutex_lock(&db->mutex);
}

void memory_db_unlock(struct memory_db *db)
{
    (void)pthread_mutex_unlock(&db->mutex);
}

void memory_db_save(struct memory_db *db)
{
    memory_db_lock(db);
    units_copy(&db->saved, &db->now);
    memory_db_unlock(db);
}

void memory_db_fall_back(struct memory_db *db)
{
    memory_db_lock(db);
    units_copy(&db->now, &db->saved);
    db->fall_backs++;
    memory_db_unlock(db);
}

void memory_db_set_away(struct memory_db *db, bool away)
{
    memory_db_lock(db);
    db->away = away;
    memory_db_unlock(db);
}

void memory_db_forget_unit(struct memory_db *db, uint32_t unit)
{
    memory_db_lock(db);
    unit_fini(memory_db_unit(db, unit));
    memory_db_unlock(db);
}

struct lead_head memory_db_head(struct baton_text value)
{
    struct lead_head head;
    assert(value.size >= sizeof head);
    memcpy(&head, value.data, sizeof head);
    return head;
}

size_t memory_db_packed_size(struct baton_text value)
{
    return value.size - sizeof(struct lead_head);
}

static bool change_head(struct memory_db *db, uint32_t unit, struct baton_text id,
                        void (*change)(struct lead_head *head))
{
    memory_db_lock(db);
    struct baton_text value = memory_map_get(&memory_db_unit(db, unit)->leads, id);
    if (value.data) {
        struct lead_head head = memory_db_head(value);
        change(&head);
        memcpy((char *)(uintptr_t)value.data, &head, sizeof head);
    }
    memory_db_unlock(db);
    return value.data != NULL;
}

static void tear(struct lead_head *head)
{
    head->torn = 1;
}

bool memory_db_tear_lead(struct memory_db *db, uint32_t unit, struct baton_text id)
{
    return change_head(db, unit, id, tear);
}

static void make_dated(struct lead_head *head)
{
    head->dated = 1;
}

bool memory_db_date_lead(struct memory_db *db, uint32_t unit, struct baton_text id)
{
    return change_head(db, unit, id, make_dated);
}

bool memory_db_lead_is_dated(struct memory_db *db, uint32_t unit, struct baton_text id)
{
    memory_db_lock(db);
    struct baton_text value = memory_map_get(&memory_db_unit(db, unit)->leads, id);
    bool dated = value.data && memory_db_head(value).dated;
    memory_db_unlock(db);
    return dated;
}

struct memory_map *memory_db_map(struct memory_unit *unit, enum store_hash hash)
{
    switch (hash) {
    case STORE_WORDS: return &unit->words;
    case STORE_DAYS: return &unit->days;
    case STORE_CLOCKS: return &unit->clocks;
    default: return &unit->fields;
    }
}

struct baton_text memory_db_hash(struct memory_db *db, uint32_t unit, enum store_hash hash,
                                 const char *name)
{
    memory_db_lock(db);
    struct baton_text value = memory_map_get(memory_db_map(memory_db_unit(db, unit), hash),
                                             (struct baton_text){name, (uint32_t)strlen(name)});
    memory_db_unlock(db);
    return value;
}

struct baton_text memory_db_field(struct memory_db *db, uint32_t unit, const char *name)
{
    return memory_db_hash(db, unit, STORE_UNIT, name);
}

static void to_lead(struct baton_text id, struct baton_text value, struct stored_lead *lead)
{
    struct lead_head head = memory_db_head(value);
    *lead = (struct stored_lead){.id = id,
                                 .score = head.score,
                                 .stage = (enum baton_stage)head.stage,
                                 .packed = (const uint8_t *)value.data + sizeof head,
                                 .packed_size = memory_db_packed_size(value)};
}

bool memory_db_lead(struct memory_db *db, uint32_t unit, struct baton_text id,
                    struct stored_lead *lead)
{
    memory_db_lock(db);
    struct baton_text value = memory_map_get(&memory_db_unit(db, unit)->leads, id);
    if (value.data)
        to_lead(id, value, lead);
    memory_db_unlock(db);
    return value.data != NULL;
}

size_t memory_db_lead_count(struct memory_db *db, uint32_t unit)
{
    memory_db_lock(db);
    size_t count = memory_db_unit(db, unit)->leads.live;
    memory_db_unlock(db);
    return count;
}

void memory_db_each_lead(struct memory_db *db, uint32_t unit,
                         void (*each)(void *context, const struct stored_lead *lead), void *context)
{
    memory_db_lock(db);
    const struct memory_map *leads = &memory_db_unit(db, unit)->leads;
    for (uint32_t i = 0; i < leads->count; i++) {
        struct stored_lead lead;
        if (!leads->entries[i].value.data)
            continue;
        to_lead(leads->entries[i].key, leads->entries[i].value, &lead);
        each(context, &lead);
    }
    memory_db_unlock(db);
}

void memory_db_counts(struct memory_db *db, uint64_t *round_trips, uint64_t *writes)
{
    memory_db_lock(db);
    *round_trips = db->round_trips;
    *writes = db->writes;
    memory_db_unlock(db);
}

bool memory_db_fence_holds(const struct memory_unit *unit, const uint8_t token[16], uint64_t step)
{
    return (unit->step == step && memcmp(unit->token, token, 16) == 0) || SEEDED_FAULT("no_fence");
}

/* A lead is kept in pieces of 64 bytes by the real store, which removes those that `former_size`
 * tells of. */
static size_t pieces(size_t size)
{
    return (size + 63) / 64;
}

static void put_lead(struct memory_unit *unit, const struct stored_lead *lead)
{
    if (lead->removed) {
        memory_map_remove(&unit->leads, lead->id);
        return;
    }
    struct baton_text old = memory_map_get(&unit->leads, lead->id);
    struct lead_head head = {.score = lead->score, .stage = (uint8_t)lead->stage};
    if (lead->stage_stands) /* as the real store: what is not written does not change */
        head.stage = old.data ? memory_db_head(old).stage : BATON_LEAD;
    head.dated = lead->stage_stands && old.data && memory_db_head(old).dated;
    if (old.data && lead->former_size &&
        pieces(memory_db_packed_size(old)) > pieces(lead->former_size) &&
        pieces(memory_db_packed_size(old)) > pieces(lead->packed_size))
        head.torn = 1;
    size_t size = sizeof head + lead->packed_size;
    char *value = memory_take_zeroed(1, size);
    memcpy(value, &head, sizeof head);
    if (lead->packed_size)
        memcpy(value + sizeof head, lead->packed, lead->packed_size);
    memory_map_set(&unit->leads, lead->id, (struct baton_text){value, (uint32_t)size});
    free(value);
}

/* An empty value removes a field. */
static void put_fields(struct memory_map *map, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value.size)
            memory_map_set(map, fields[i].name, fields[i].value);
        else
            memory_map_remove(map, fields[i].name);
    }
}

void memory_db_carry_out(struct memory_unit *unit, const struct store_write *write)
{
    put_fields(&unit->fields, write->fields, write->field_count);
    put_fields(&unit->days, write->days, write->day_count);
    put_fields(&unit->clocks, write->clocks, write->clock_count);
    for (size_t i = 0; i < write->word_count; i++)
        memory_map_set(&unit->words, write->words[i].name, write->words[i].value);
    for (size_t i = 0; i < write->text_count; i++)
        memory_map_set(&unit->texts, write->texts[i].name, write->texts[i].value);
    for (size_t i = 0; i < write->lead_count; i++)
        put_lead(unit, &write->leads[i]);
}
