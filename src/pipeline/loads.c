/* The leads that a batch needs and that are not in the table: asked of the store when the batch is
 * taken in, there before it is folded. A lead that is dirty, or that a checkpoint carries, is in
 * the table: what is loaded is never what a write that is under way would change. */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <stdlib.h>

void loads_add(struct batch *batch, struct unit_load *load, struct lead_entry *entry)
{
    if (!load->count)
        load->entries = arena_take(&batch->arena, BATCH_RECORDS * sizeof(struct lead_entry *));
    load->entries[load->count++] = entry;
    entry->flags |= LEAD_LOADING;
}

static struct unit_load *load_of(const struct worker *worker, const struct batch *batch,
                                 struct unit *unit)
{
    return &unit->loads[batch - worker->batches];
}

static void ask(struct worker *worker, struct batch *batch, struct unit *unit,
                struct unit_load *load)
{
    struct error error;
    struct baton_text *ids = arena_take(&batch->arena, load->count * sizeof *ids);
    for (size_t i = 0; i < load->count; i++)
        ids[i] = lead_table_id(load->entries[i]);
    load->status = worker->ports.store->load_begin(worker->ports.store, unit->number, &unit->fence,
                                                   ids, load->count, &error);
    load->asked = load->status == STATUS_OK;
    load->error = load->asked ? NULL : arena_copy(&batch->arena, &error, sizeof error);
}

void loads_ask(struct worker *worker, struct batch *batch)
{
    batch->missed = 0;
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit_load *load = load_of(worker, batch, worker->units[i]);
        if (!load->count)
            continue;
        batch->missed += load->count;
        ask(worker, batch, worker->units[i], load);
    }
}

enum status unit_unpack(struct worker *worker, const struct unit *unit, struct baton_text id,
                        const struct loaded_lead *loaded, struct baton_lead *lead,
                        struct error *error)
{
    enum baton_unpack unpacked = baton_lead_unpack(lead, loaded->packed, loaded->packed_size,
                                                   unit->words.count, &worker->table.allocator);
    if (unpacked == BATON_UNPACKED)
        return STATUS_OK;
    return error_set(
        error, STATUS_STOP,
        "lead \"%.*s\" %s in Redis: restore it, or rebuild the unit (baton run --rebuild)",
        (int)id.size, id.data,
        unpacked == BATON_UNKNOWN_VERSION ? "was written by a later version of this program"
                                          : "is damaged");
}

static enum status unpack(struct worker *worker, struct unit *unit, struct lead_entry *entry,
                          const struct loaded_lead *loaded, struct error *error)
{
    enum status status = STATUS_OK;
    entry->flags &= (uint8_t)~LEAD_LOADING;
    entry->stored_size = (uint32_t)loaded->packed_size;
    if (loaded->packed)
        status = unit_unpack(worker, unit, lead_table_id(entry), loaded, &entry->lead, error);
    else
        hops_meet_new(&entry->lead, lead_table_id(entry), &unit->tombstones);
    if (status != STATUS_OK)
        return status;
    entry->stored_stage = loaded->stage_is_dated ? LEAD_STAGE_DATED : entry->lead.stage;
    if (entry->lead.history)
        clocks_loaded(entry);
    baton_lead_attach(&entry->lead, unit_agreement(unit));
    if (SEEDED_FAULT("ignore_applied"))
        entry->lead.applied = 0;
    return STATUS_OK;
}

static enum status finish(struct worker *worker, struct unit *unit, struct unit_load *load,
                          struct error *error)
{
    if (!load->asked) {
        *error = *load->error;
        return load->status;
    }
    struct loaded_lead *loaded;
    load->asked = false;
    enum status status =
        worker->ports.store->load_finish(worker->ports.store, unit->number, &loaded, error);
    unit->last_contact_us = worker_now_us(worker);
    for (size_t i = 0; status == STATUS_OK && i < load->count; i++)
        status = unpack(worker, unit, load->entries[i], &loaded[i], error);
    return status;
}

static void drop(struct worker *worker, struct unit_load *load)
{
    for (size_t i = 0; i < load->count; i++)
        lead_table_remove(&worker->table, load->entries[i]);
    load->count = 0;
}

static void could_not_load(struct worker *worker, struct unit *unit, enum status status,
                           const struct error *error)
{
    unit->cut = unit->wants_start = true;
    if (!unit_folds(unit)) /* it has its reason already */
        return;
    if (status == STATUS_STOP && worker->config.rebuild && unit->rebuilds == 0) {
        unit->wants_rebuild = true;
        unit->rebuilds++; /* once: what is damaged again then stops */
        unit_recover(worker, unit, error->text);
    } else {
        unit_store_status(worker, unit, status, error);
    }
}

static void take(struct worker *worker, struct unit *unit, struct unit_load *load)
{
    struct error error;
    enum status status = finish(worker, unit, load, &error);
    if (status == STATUS_OK && unit_folds(unit)) {
        load->count = 0;
        return;
    }
    drop(worker, load);
    could_not_load(worker, unit, status, &error);
}

void loads_take(struct worker *worker, struct batch *batch)
{
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit_load *load = load_of(worker, batch, worker->units[i]);
        if (load->count)
            take(worker, worker->units[i], load);
    }
}

static enum status load_now(struct worker *worker, struct unit *unit,
                            struct lead_entry *const *entries, size_t count, struct error *error)
{
    struct store *store = worker->ports.store;
    struct loaded_lead *loaded;
    struct baton_text *ids = memory_take(count * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        ids[i] = lead_table_id(entries[i]);
        entries[i]->flags |= LEAD_LOADING;
    }
    enum status status = store->load_begin(store, unit->number, &unit->fence, ids, count, error);
    if (status == STATUS_OK)
        status = store->load_finish(store, unit->number, &loaded, error);
    unit->last_contact_us = worker_now_us(worker);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = unpack(worker, unit, entries[i], &loaded[i], error);
    free(ids);
    return status;
}

bool loads_some(struct worker *worker, struct unit *unit, struct lead_entry *const *entries,
                size_t count)
{
    struct error error;
    enum status status = load_now(worker, unit, entries, count, &error);
    if (status == STATUS_OK)
        return true;
    for (size_t i = 0; i < count; i++)
        lead_table_remove(&worker->table, entries[i]);
    could_not_load(worker, unit, status, &error);
    return false;
}

void loads_forget(struct worker *worker, struct unit *unit, struct unit_load *load)
{
    struct error ignored;
    struct loaded_lead *loaded;
    if (load->asked)
        (void)worker->ports.store->load_finish(worker->ports.store, unit->number, &loaded,
                                               &ignored);
    load->asked = false;
    drop(worker, load);
}
