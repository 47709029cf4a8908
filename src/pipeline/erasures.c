/* Leads that a former owner erased or forgot, and that are in the store still: the unit's hash
 * names them. */
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

#define LEADS_PER_TURN 64

/* ---- at a take-over
 * ------------------------------------------------------------------------------- */

void erasures_forget(struct unit *unit)
{
    for (size_t i = 0; i < unit->removal_count; i++)
        free((void *)(uintptr_t)unit->removals[i].data);
    free(unit->removals);
    unit->removals = NULL;
    unit->removal_count = unit->removal_room = 0;
}

static void add_removal(struct unit *unit, struct baton_text id)
{
    if (unit->removal_count == unit->removal_room) {
        unit->removal_room = unit->removal_room ? unit->removal_room * 2 : 16;
        unit->removals = memory_resize(unit->removals, unit->removal_room * sizeof *unit->removals);
    }
    char *bytes = memory_take(id.size + 1);
    memcpy(bytes, id.data, id.size);
    unit->removals[unit->removal_count++] = (struct baton_text){bytes, id.size};
}

bool erasures_read(struct unit *unit, const struct field *fields, size_t count)
{
    bool good = true;
    tombstones_fini(&unit->tombstones);
    erasures_forget(unit);
    for (size_t i = 0; i < count; i++) {
        struct baton_text name = fields[i].name, id = fields[i].value;
        if (tombstones_is_field(name))
            good &= tombstones_read(&unit->tombstones, name, id);
        if (name.size > 2 && name.data[0] == UNIT_REMOVAL_FIELD && name.data[1] == ':' &&
            id.size > 0 && id.size <= BATON_ID_MAX)
            add_removal(unit, id);
    }
    return good;
}

/* ---- once it is live
 * ------------------------------------------------------------------------------ */

/* It stands at K, and no lead in the store is folded beyond that. */
static bool may_take_up(const struct worker *worker, const struct unit *unit)
{
    return unit->removal_count && unit->state == UNIT_LIVE && unit->copy.phase == COPY_NONE &&
           !worker->parked && !worker->store_away;
}

/* What of the ids is not to be removed: its names, in place of fields. */
struct settled {
    struct field fields[LEADS_PER_TURN];
    char names[LEADS_PER_TURN][TOMBSTONE_FIELD_SIZE + 1];
    size_t count;
};

static void settle(struct settled *settled, struct baton_text id)
{
    char *name = settled->names[settled->count];
    tombstones_print_name(tombstones_lead(id), name);
    name[0] = UNIT_REMOVAL_FIELD;
    settled->fields[settled->count++] = field_of(name, "");
}

/* False: it lives again, or the store has nothing of it. The next checkpoints do the rest. */
static bool take_out(struct worker *worker, struct unit *unit, struct lead_entry *entry)
{
    bool stored = entry->stored_size || entry->flags & LEAD_DIRTY;
    if (!(entry->lead.flags & BATON_LEAD_EMPTIED) || !stored)
        return false;
    unit_mark_dirty(worker, unit, entry);
    return true;
}

/* False: it is not to be removed. One that is damaged is met as that later. */
static bool take_stored(struct worker *worker, struct unit *unit, struct baton_text id,
                        const struct loaded_lead *loaded)
{
    if (!loaded->packed)
        return false;
    struct lead_entry *entry =
        lead_table_add(&worker->table, lead_table_hash(unit->number, id), unit->number, id);
    bool good = baton_lead_unpack(&entry->lead, loaded->packed, loaded->packed_size,
                                  unit->words.count, &worker->table.allocator) == BATON_UNPACKED;
    entry->stored_size = (uint32_t)loaded->packed_size;
    entry->stored_stage = loaded->stage_is_dated ? LEAD_STAGE_DATED : entry->lead.stage;
    if (good)
        baton_lead_attach(&entry->lead, unit_agreement(unit));
    if (good && take_out(worker, unit, entry))
        return true;
    lead_table_remove(&worker->table, entry);
    return !good;
}

/* Of the last ids: those that are not in the table, from the front. */
static size_t find_missing(struct worker *worker, struct unit *unit, size_t count,
                           struct baton_text *ids, struct settled *settled)
{
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        struct baton_text id = unit->removals[unit->removal_count - count + i];
        struct lead_entry *entry =
            lead_table_find(&worker->table, lead_table_hash(unit->number, id), unit->number, id);
        if (!entry)
            ids[missing++] = id;
        else if (!take_out(worker, unit, entry))
            settle(settled, id);
    }
    return missing;
}

static enum status load(struct worker *worker, struct unit *unit, const struct baton_text *ids,
                        size_t count, struct loaded_lead **loaded, struct error *error)
{
    struct store *store = worker->ports.store;
    enum status status = store->load_begin(store, unit->number, &unit->fence, ids, count, error);
    return status == STATUS_OK ? store->load_finish(store, unit->number, loaded, error) : status;
}

static void drop_removals(struct unit *unit, size_t count)
{
    for (; count > 0; count--)
        free((void *)(uintptr_t)unit->removals[--unit->removal_count].data);
}

static void take_up(struct worker *worker, struct unit *unit)
{
    struct baton_text ids[LEADS_PER_TURN];
    struct settled settled = {.count = 0};
    struct loaded_lead *loaded;
    struct error error;
    size_t count = unit->removal_count < LEADS_PER_TURN ? unit->removal_count : LEADS_PER_TURN;
    size_t missing = find_missing(worker, unit, count, ids, &settled);
    enum status status = missing ? load(worker, unit, ids, missing, &loaded, &error) : STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < missing; i++)
        if (!take_stored(worker, unit, ids[i], &loaded[i]))
            settle(&settled, ids[i]);
    struct store_write write = {.fields = settled.fields, .field_count = settled.count};
    if (status == STATUS_OK && settled.count)
        status = unit_write_now(worker, unit, &write, &error);
    unit->last_contact_us = worker_now_us(worker);
    if (status == STATUS_OK)
        drop_removals(unit, count);
    else
        unit_write_failed(worker, unit, status, &error);
}

void erasures_turn(struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        if (may_take_up(worker, worker->units[i]))
            take_up(worker, worker->units[i]);
}
