/* A batch, all the way: decode, find leads, load what is missing in one round trip per unit, fold.
 */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <string.h>

static void add(atomic_uint_fast64_t *figure, uint64_t more)
{
    atomic_fetch_add_explicit(figure, more, memory_order_relaxed);
}

/* ---- decode
 * --------------------------------------------------------------------------------------- */

/* Copies a verdict out of the loop's own memory, for the few messages that have one. */
static const struct decode_result *keep_verdict(struct worker *worker,
                                                const struct decode_result *verdict)
{
    return arena_copy(&worker->scratch, verdict, sizeof *verdict);
}

static const struct decode_result *schema_is_dead(struct worker *worker, struct schema_key key)
{
    struct decode_result verdict = {
        .outcome = DECODE_DEAD, .reason = DEAD_UNKNOWN_SCHEMA, .schema = key};
    struct text_buffer name;
    text_buffer_init(&name);
    schema_key_print(&name, key);
    (void)snprintf(verdict.detail, sizeof verdict.detail,
                   "no schema was found for %s %s in the time that was given",
                   key.naming == SCHEMA_FINGERPRINT ? "fingerprint" : "registry id", name.data + 1);
    text_buffer_fini(&name);
    return keep_verdict(worker, &verdict);
}

static void add_miss(struct worker *worker, struct unit *unit, struct lead_entry *entry)
{
    if (!unit->misses)
        unit->misses = arena_take(&worker->scratch, BATCH_RECORDS * sizeof(struct lead_entry *));
    unit->misses[unit->missed++] = entry;
    entry->flags |= LEAD_LOADING;
}

static void decode_item(struct worker *worker, struct item *item)
{
    const struct record *record = item->record;
    struct schema_key key = decoder_schema_of(record->value, record->value_size);
    if (key.naming != SCHEMA_NONE) {
        enum schema_answer answer = schemas_resolve(worker, item->unit, key, record->offset);
        if (answer == SCHEMA_WAIT) {
            /* What came before it in this batch is folded all the same, if the unit is held for
             * it. If it is not (the store is away), nothing behind it may be folded, either. */
            item->unit->wants_start = true;
            item->unit->cut = item->unit->cut || (!item->unit->held && !SEEDED_FAULT("pass_over"));
            item->unit = NULL;
            return;
        }
        if (answer == SCHEMA_DEAD) {
            item->dead = schema_is_dead(worker, key);
            return;
        }
    }
    struct message message = {.key = record->key,
                              .key_size = record->key_size,
                              .value = record->value,
                              .value_size = record->value_size,
                              .timestamp_ms = record->timestamp_ms,
                              .offset = record->offset};
    struct decode_result result;
    decoder_decode(worker->decoder, &message, &worker->scratch, &item->event, &result);
    if (result.outcome != DECODED) {
        item->dead = keep_verdict(worker, &result);
        return;
    }
    item->is_event = true;
    item->hash = lead_table_hash(item->unit->number, item->event.lead_id);
    lead_table_fetch_slot(&worker->table, item->hash);
}

static void decode_record(struct worker *worker, const struct record *record, struct item *item)
{
    struct unit *unit = record->unit < worker->partitions ? worker->by_number[record->unit] : NULL;
    item->unit = NULL;
    item->record = record;
    item->dead = NULL;
    item->entry = NULL;
    item->is_event = false;
    if (!unit || unit->cut || !unit_is_fetched(unit) || record->offset < unit->position)
        return;
    item->unit = unit;
    if (!record->is_end)
        decode_item(worker, item);
}

/* ---- find
 * ----------------------------------------------------------------------------------------- */

static void find_lead(struct worker *worker, struct item *item)
{
    struct unit *unit = item->unit;
    if (!unit || !item->is_event)
        return;
    item->entry = lead_table_find(&worker->table, item->hash, unit->number, item->event.lead_id);
    if (item->entry) {
        lead_table_fetch_owned(item->entry);
        return;
    }
    item->entry = lead_table_add(&worker->table, item->hash, unit->number, item->event.lead_id);
    if (unit->began_empty && unit->evicted_before == worker->table.evicted)
        baton_lead_attach(&item->entry->lead, unit_agreement(unit)); /* nothing to load */
    else
        add_miss(worker, unit, item->entry);
}

#define FIND_AHEAD 12 /* entries under way from memory; more are not faster */

static void find_leads(struct worker *worker, size_t count)
{
    for (size_t i = 0; i < count + FIND_AHEAD; i++) {
        if (i < count && worker->items[i].is_event)
            lead_table_fetch_entry(&worker->table, worker->items[i].hash);
        if (i >= FIND_AHEAD)
            find_lead(worker, &worker->items[i - FIND_AHEAD]);
    }
}

/* ---- load
 * ----------------------------------------------------------------------------------------- */

static enum status unpack_loaded(struct worker *worker, struct unit *unit, struct lead_entry *entry,
                                 const struct loaded_lead *loaded, struct error *error)
{
    entry->flags &= (uint8_t)~LEAD_LOADING;
    entry->stored_size = (uint32_t)loaded->packed_size;
    if (loaded->packed) {
        enum baton_unpack unpacked =
            baton_lead_unpack(&entry->lead, loaded->packed, loaded->packed_size, unit->words.count,
                              &worker->table.allocator);
        if (unpacked != BATON_UNPACKED)
            return error_set(
                error, STATUS_STOP,
                "lead \"%.*s\" %s in Redis: restore it, or rebuild the unit (baton run --rebuild)",
                (int)entry->id_size, lead_table_id(entry).data,
                unpacked == BATON_UNKNOWN_VERSION ? "was written by a later version of this program"
                                                  : "is damaged");
    }
    entry->stored_stage = entry->lead.stage;
    baton_lead_attach(&entry->lead, unit_agreement(unit));
    if (SEEDED_FAULT("ignore_applied"))
        entry->lead.applied = 0;
    return STATUS_OK;
}

static void drop_misses(struct worker *worker, struct unit *unit)
{
    for (uint64_t i = 0; i < unit->missed; i++)
        if (unit->misses[i]->flags & LEAD_USED)
            lead_table_remove(&worker->table, unit->misses[i]);
}

static enum status load_misses(struct worker *worker, struct unit *unit, struct error *error)
{
    struct baton_text *ids = arena_take(&worker->scratch, unit->missed * sizeof *ids);
    struct loaded_lead *loaded = arena_take(&worker->scratch, unit->missed * sizeof *loaded);
    for (uint64_t i = 0; i < unit->missed; i++)
        ids[i] = lead_table_id(unit->misses[i]);
    enum status status =
        worker->ports.store->load(worker->ports.store, unit->number, &unit->fence, ids,
                                  unit->missed, &worker->scratch, loaded, error);
    unit->last_contact_us = worker_now_us(worker);
    for (uint64_t i = 0; status == STATUS_OK && i < unit->missed; i++)
        status = unpack_loaded(worker, unit, unit->misses[i], &loaded[i], error);
    return status;
}

static void load_unit(struct worker *worker, struct unit *unit)
{
    struct error error;
    enum status status = unit_folds(unit) ? load_misses(worker, unit, &error) : STATUS_OK;
    if (status != STATUS_OK || !unit_folds(unit)) {
        drop_misses(worker, unit);
        unit->cut = unit->wants_start = true;
    }
    if (status == STATUS_STOP && worker->config.rebuild && unit->rebuilds == 0) {
        unit->wants_rebuild = true;
        unit->rebuilds++; /* once: what is damaged again then stops */
        unit_recover(worker, unit, error.text);
    } else if (status != STATUS_OK) {
        unit_store_status(worker, unit, status, &error);
    }
    unit->missed = 0;
    unit->misses = NULL;
}

/* ---- fold
 * ----------------------------------------------------------------------------------------- */

/* Is what happens at this offset part of the aggregates already? */
static bool is_new(const struct unit *unit, int64_t offset)
{
    return offset >= unit->aggregates.position;
}

static void count_transitions(struct unit *unit, const struct item *item,
                              const struct baton_fold_result *result)
{
    for (uint32_t i = 0; i < result->transition_count; i++) {
        enum baton_stage to = result->transitions[i].to;
        unit->aggregates.transitions++;
        unit->aggregates.promotions += to == BATON_SQL;
        unit->aggregates.digest =
            digest_transition(unit->aggregates.digest, item->event.lead_id,
                              item->entry->lead.generation, to, item->record->offset);
    }
}

static void count_fold(struct worker *worker, const struct item *item,
                       const struct baton_fold_result *result)
{
    struct unit *unit = item->unit;
    bool live = unit->state == UNIT_LIVE;
    if (is_new(unit, item->record->offset)) {
        unit->aggregates.events += result->outcome == BATON_FOLDED;
        unit->aggregates.duplicates += result->outcome == BATON_DUPLICATE;
        unit->aggregates.too_late += result->too_late;
        count_transitions(unit, item, result);
    }
    if (!live)
        return;
    if (result->outcome == BATON_FOLDED)
        add(&worker->figures.events, 1);
    else
        add(&worker->figures.duplicates, 1);
    if (result->too_late)
        add(&worker->figures.too_late, result->too_late);
    const struct baton_agreement *agreement = unit_agreement(unit);
    if (item->event.time_ms < agreement->effective_ms ||
        item->event.time_ms >= agreement->expires_ms)
        add(&worker->figures.outside_dates, 1);
}

static void fold_event(struct worker *worker, struct item *item)
{
    struct unit *unit = item->unit;
    struct baton_fold_context context = {.agreement = unit_agreement(unit),
                                         .words = &unit->words,
                                         .allocator = &worker->table.allocator,
                                         .gates_closed =
                                             item->record->offset < unit->rebuild_until};
    struct baton_fold_result result;
    baton_fold(&item->entry->lead, &item->event, &context, &result);
    if (result.outcome == BATON_FOLDED)
        unit_mark_dirty(worker, unit, item->entry);
    if (result.outcome != BATON_ALREADY_APPLIED)
        count_fold(worker, item, &result);
    if (result.transition_count && (unit->state == UNIT_LIVE || SEEDED_FAULT("emit_replayed")))
        outbox_add_stages(worker, unit, item->record, &item->event, item->entry, &result);
}

static void fold_dead(struct worker *worker, const struct item *item)
{
    struct unit *unit = item->unit;
    enum dead_reason reason = item->dead->reason;
    if (is_new(unit, item->record->offset)) {
        unit->aggregates.dead[reason]++;
        unit->aggregates.digest =
            digest_dead(unit->aggregates.digest, item->record->offset, reason);
    }
    if (unit->state != UNIT_LIVE)
        return;
    add(&worker->figures.dead[reason], 1);
    outbox_add_dead(worker, unit, item->record, item->dead);
}

/* Steps over the borders that lie at or before this offset: other agreements, and K. False: the
 * unit takes no more now. */
static bool cross_borders(struct worker *worker, struct unit *unit, int64_t offset)
{
    while (unit->stretch + 1 < unit->stretch_count &&
           offset >= unit->stretches[unit->stretch + 1].from)
        unit_enter_stretch(worker, unit, unit->stretch + 1);
    if (unit->state == UNIT_REPLAYING && offset >= unit->committed) {
        unit->position = unit->committed;
        takeover_reached(worker, unit);
    }
    return !unit->cut && unit_folds(unit);
}

static void fold_item(struct worker *worker, struct item *item)
{
    struct unit *unit = item->unit;
    int64_t offset = item->record->offset;
    if (!unit || unit->cut || !unit_folds(unit) || !cross_borders(worker, unit, offset))
        return;
    if (item->record->is_end) {
        if (offset > unit->position)
            unit->position = offset;
    } else {
        if (item->dead)
            fold_dead(worker, item);
        else
            fold_event(worker, item);
        unit->position = offset + 1;
        add(&worker->figures.records, 1);
        if (unit->state == UNIT_REPLAYING)
            add(&worker->figures.replayed, 1);
    }
    atomic_store_explicit(&worker->positions[unit->number], unit->position, memory_order_relaxed);
}

void batch_fold(struct worker *worker, size_t count)
{
    arena_reset(&worker->scratch);
    for (size_t i = 0; i < count; i++)
        decode_record(worker, &worker->records[i], &worker->items[i]);
    find_leads(worker, count);
    for (size_t i = 0; i < worker->unit_count; i++)
        if (worker->units[i]->missed)
            load_unit(worker, worker->units[i]);
    for (size_t i = 0; i < count; i++)
        fold_item(worker, &worker->items[i]);
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        if (unit->cut) /* what came before an awaited message was not folded: it is met again */
            unit->held = false;
        unit->cut = false;
    }
    if (worker->table.bytes > worker->table.limit_bytes)
        (void)lead_table_evict(&worker->table);
}
