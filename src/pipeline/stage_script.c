#include "domain/clocks.h"
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

void stage_script_clear(struct stage_script *script)
{
    free(script->items);
    if (script->has_arena)
        arena_fini(&script->ids);
    *script = (struct stage_script){0};
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Of a lead that was erased, and has no name there: its last record was of `stage_offset`. */
struct receipt {
    int64_t stage_offset, offset, time_ms;
};

struct reading {
    struct worker *worker;
    struct unit *unit;
    struct receipt *receipts;
    size_t receipt_count, receipt_room;
};

static struct scripted_stage *new_item(struct stage_script *script)
{
    if (script->count == script->room) {
        script->room = script->room ? 2 * script->room : 256;
        script->items = memory_resize(script->items, script->room * sizeof *script->items);
    }
    return &script->items[script->count++];
}

static struct baton_text keep_text(struct stage_script *script, struct baton_text text)
{
    return (struct baton_text){arena_copy(&script->ids, text.data, text.size), text.size};
}

static void add(struct stage_script *script, const struct stage_record *record)
{
    bool merged = record->kind == RECORD_MERGED;
    struct scripted_stage *item = new_item(script);
    *item = (struct scripted_stage){
        .what = merged ? SCRIPTED_MERGED : SCRIPTED_STAGE,
        .offset = record->offset,
        .time_ms = record->time_ms,
        .order = script->count,
        .lead_id = keep_text(script, record->lead_id),
        .entered = {.stage = record->stage, .generation = record->generation},
        .published_ms = record->published_ms};
    if (merged)
        item->into = keep_text(script, record->other);
}

static void keep_receipt(struct reading *reading, const struct stage_record *record)
{
    if (record->stage_offset < 0)
        return; /* nothing was ever told of it */
    if (reading->receipt_count == reading->receipt_room) {
        reading->receipt_room = reading->receipt_room ? 2 * reading->receipt_room : 64;
        reading->receipts =
            memory_resize(reading->receipts, reading->receipt_room * sizeof *reading->receipts);
    }
    reading->receipts[reading->receipt_count++] = (struct receipt){
        .stage_offset = record->stage_offset, .offset = record->offset, .time_ms = record->time_ms};
}

static enum status each_record(void *context, const uint8_t *value, size_t size)
{
    struct reading *reading = context;
    struct stage_record record;
    struct error ignored;
    struct arena *arena = &reading->worker->scratch;
    arena_reset(arena);
    if (stage_record_read(value, size, arena, &record, &ignored) != STATUS_OK ||
        record.partition != reading->unit->number)
        return STATUS_OK;
    if (record.kind == RECORD_ERASED)
        keep_receipt(reading, &record);
    else if ((record.kind == RECORD_STAGE || record.kind == RECORD_MERGED) &&
             record.lead_id.size <= BATON_ID_MAX)
        add(&reading->unit->script, &record);
    return STATUS_OK;
}

static int by_offset(const void *left, const void *right)
{
    const struct scripted_stage *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void sort(struct stage_script *script)
{
    if (script->count)
        qsort(script->items, script->count, sizeof *script->items, by_offset);
}

/* The last item of an offset; NULL: none. */
static const struct scripted_stage *item_at(const struct stage_script *script, int64_t offset)
{
    size_t low = 0, high = script->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (script->items[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low && script->items[low - 1].offset == offset ? &script->items[low - 1] : NULL;
}

/* Whom the receipts are of; the items are in order, and are so again afterwards. */
static void name_erased(struct stage_script *script, struct reading *reading)
{
    size_t known = script->count;
    for (size_t i = 0; i < reading->receipt_count; i++) {
        const struct receipt *receipt = &reading->receipts[i];
        struct stage_script told = {.items = script->items, .count = known};
        const struct scripted_stage *last = item_at(&told, receipt->stage_offset);
        if (!last)
            continue;
        struct baton_text id = last->lead_id;
        struct scripted_stage *item = new_item(script);
        *item = (struct scripted_stage){.what = SCRIPTED_ERASED,
                                        .offset = receipt->offset,
                                        .time_ms = receipt->time_ms,
                                        .order = script->count,
                                        .lead_id = id};
    }
    free(reading->receipts);
    if (script->count > known)
        sort(script);
}

enum status stage_script_read(struct worker *worker, struct unit *unit, int64_t from, bool *cut,
                              struct error *error)
{
    struct stage_script *script = &unit->script;
    struct reading reading = {.worker = worker, .unit = unit};
    stage_script_clear(script);
    arena_init(&script->ids, 65536);
    script->has_arena = true;
    enum status status =
        worker->ports.stage_log->read(worker->ports.stage_log, each_record, &reading, cut, error);
    sort(script);
    name_erased(script, &reading);
    if (status != STATUS_OK)
        return status;
    while (script->next < script->count && script->items[script->next].offset < from)
        script->next++;
    return STATUS_OK;
}

/* ---- Folding --------------------------------------------------------------------------------- */

static bool same_text(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

uint32_t stage_script_take(struct stage_script *script, const struct baton_event *event,
                           struct baton_entered *entered)
{
    uint32_t count = 0;
    for (; count < BATON_TRANSITIONS_MAX && script->next < script->count; script->next++) {
        const struct scripted_stage *item = &script->items[script->next];
        if (item->offset != event->offset || !same_text(item->lead_id, event->lead_id))
            break;
        if (item->what == SCRIPTED_STAGE)
            entered[count++] = item->entered;
    }
    return count;
}

/* As if nothing had ever been known of it; the position stays. */
static void begin_anew(struct worker *worker, struct unit *unit, struct lead_entry *entry)
{
    struct baton_lead *lead = &entry->lead;
    int64_t applied = lead->applied;
    baton_lead_fini(lead, &worker->table.allocator);
    lead->applied = applied;
    if (tombstones_know(&unit->tombstones, tombstones_lead(lead_table_id(entry))))
        lead->flags = BATON_LEAD_ERASED;
    baton_lead_attach(lead, unit_agreement(unit));
}

static void restore_stub(struct worker *worker, struct unit *unit, struct lead_entry *entry,
                         const struct scripted_stage *item)
{
    struct baton_lead *lead = &entry->lead;
    struct baton_allocator *allocator = &worker->table.allocator;
    begin_anew(worker, unit, entry);
    struct baton_history *history = baton_lead_history(lead, allocator);
    char *into = allocator->resize(allocator->context, NULL, 0, item->into.size);
    memcpy(into, item->into.data, item->into.size);
    history->into = (struct baton_text){into, item->into.size};
    lead->flags |= BATON_LEAD_MERGED;
    lead->newest_ms = lead->first_ms = item->time_ms;
    lead->stage_offset = item->offset;
}

/* The table's memory ends the process where it ends. */
void stage_script_restore(struct worker *worker, struct unit *unit, struct lead_entry *entry,
                          const struct scripted_stage *item)
{
    struct baton_lead *lead = &entry->lead;
    if (item->what == SCRIPTED_MERGED) {
        restore_stub(worker, unit, entry, item);
        return;
    }
    if (item->what == SCRIPTED_ERASED) {
        tombstones_add(&unit->tombstones, tombstones_lead(item->lead_id), item->time_ms,
                       item->offset);
        begin_anew(worker, unit, entry);
        lead->flags |= BATON_LEAD_EMPTIED;
        return;
    }
    if (lead->flags & BATON_LEAD_MERGED)
        begin_anew(worker, unit, entry);
    lead->flags &= (uint8_t)~BATON_LEAD_EMPTIED;
    (void)baton_lead_restore(lead, item->entered, item->time_ms, item->offset,
                             &worker->table.allocator);
    clocks_recall(lead, unit_agreement(unit), item->time_ms, item->published_ms);
    clocks_met(unit, entry);
}

/* The lead, loaded if it is not in memory; NULL: the unit folds no further now. */
static struct lead_entry *find_lead(struct worker *worker, struct unit *unit, struct baton_text id)
{
    uint64_t hash = lead_table_hash(unit->number, id);
    struct lead_entry *entry = lead_table_find(&worker->table, hash, unit->number, id);
    if (entry)
        return entry;
    entry = lead_table_add(&worker->table, hash, unit->number, id);
    return loads_some(worker, unit, &entry, 1) ? entry : NULL;
}

bool stage_script_catch_up(struct worker *worker, struct unit *unit, int64_t offset)
{
    struct stage_script *script = &unit->script;
    for (; script->next < script->count; script->next++) {
        const struct scripted_stage *item = &script->items[script->next];
        if (item->offset >= offset)
            return true;
        struct lead_entry *entry = find_lead(worker, unit, item->lead_id);
        if (!entry)
            return false;
        if (entry->lead.applied > item->offset)
            continue;
        stage_script_restore(worker, unit, entry, item);
        unit_mark_dirty(worker, unit, entry);
    }
    return true;
}
