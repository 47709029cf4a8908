/* A batch, all the way: decode, find leads, load what is missing in one round trip per unit, fold.
 *
 * While more events wait than a batch takes, a batch that has leads to load is parked once it has
 * asked for them: the batch behind it is fetched and asks for its own before the first is folded,
 * so that neither the store nor the worker waits for the other. Batches are folded in their order,
 * and whatever leaves out a record of a unit voids all that was fetched of the unit behind it. */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- decode
 * --------------------------------------------------------------------------------------- */

/* Copies a verdict out of the loop's own memory, for the few messages that have one. */
static const struct decode_result *keep_verdict(struct batch *batch,
                                                const struct decode_result *verdict)
{
    return arena_copy(&batch->arena, verdict, sizeof *verdict);
}

static const struct decode_result *schema_is_dead(struct batch *batch, struct schema_key key)
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
    return keep_verdict(batch, &verdict);
}

static size_t slot_of(const struct worker *worker, const struct batch *batch)
{
    return (size_t)(batch - worker->batches);
}

static uint8_t pin_of(const struct worker *worker, const struct batch *batch)
{
    return (uint8_t)(LEAD_AWAITED << slot_of(worker, batch));
}

/* The source lends records until the next fetch. */
static const struct record *keep_record(struct batch *batch, const struct record *record, size_t at)
{
    struct record *kept = &batch->records[at];
    *kept = *record;
    kept->key = record->key ? arena_copy(&batch->arena, record->key, record->key_size) : NULL;
    if (record->value)
        kept->value = arena_copy(&batch->arena, record->value, record->value_size);
    struct header *headers =
        arena_take(&batch->arena, (record->header_count + 1) * sizeof *headers);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct header *header = &record->headers[i];
        headers[i].name = arena_copy(&batch->arena, header->name, strlen(header->name) + 1);
        headers[i].value =
            header->value ? arena_copy(&batch->arena, header->value, header->value_size) : NULL;
        headers[i].value_size = header->value_size;
    }
    kept->headers = record->header_count ? headers : NULL;
    return kept;
}

/* The agreement that the event will be folded under, should the unit still fold by then. */
static const struct agreement *agreement_at(const struct unit *unit, int64_t offset)
{
    size_t stretch = unit->stretch;
    while (stretch + 1 < unit->stretch_count && offset >= unit->stretches[stretch + 1].from)
        stretch++;
    return unit->stretches[stretch].agreement;
}

static bool is_ignored(struct worker *worker, const struct item *item)
{
    if (!(worker->wanted_fields & 1u << BATON_USER_AGENT)) /* no agreement ignores any */
        return false;
    const struct agreement *agreement = agreement_at(item->unit, item->record->offset);
    return ignore_event(worker->ignore, agreement_compiled(agreement), &item->event);
}

static const struct hop *read_hop(struct batch *batch, const struct record *record)
{
    struct hop hop;
    return hop_read(record->headers, record->header_count, &batch->arena, &hop)
               ? arena_copy(&batch->arena, &hop, sizeof hop)
               : NULL;
}

static struct message message_of(const struct item *item)
{
    const struct record *record = item->record;
    return (struct message){.key = record->key,
                            .key_size = record->key_size,
                            .value = record->value,
                            .value_size = record->value_size,
                            .timestamp_ms = record->timestamp_ms,
                            .offset = record->offset,
                            .hop = item->hop};
}

/* How the writers place their keys: seen at the first one that tells. */
static void learn_partitioner(struct worker *worker, const struct item *item)
{
    bool none;
    const struct record *record = item->record;
    if (item->hop || !record->key)
        return;
    struct baton_text key = {(const char *)record->key, (uint32_t)record->key_size};
    worker->partitioner = partitioner_seen(key, record->unit, worker->partitions, &none);
    if (none && !worker->strange_partitions_told)
        log_warn("worker=%u the key of %s [%u] offset %lld is in no partition where murmur2 or "
                 "crc32 would put it: leads that are merged may not find each other",
                 worker->config.number, worker->config.events_topic, record->unit,
                 (long long)record->offset);
    worker->strange_partitions_told = worker->strange_partitions_told || none;
}

static void decode_item(struct worker *worker, struct batch *batch, struct item *item)
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
            item->dead = schema_is_dead(batch, key);
            return;
        }
    }
    if (record->header_count)
        item->hop = read_hop(batch, record);
    struct message message = message_of(item);
    struct decode_result result;
    decoder_decode(worker->decoder, &message, &batch->arena, &item->event, &result);
    if (result.outcome != DECODED) {
        item->dead = keep_verdict(batch, &result);
        return;
    }
    item->is_of_unit = baton_kind_is_of_unit(item->event.kind);
    if (item->is_of_unit)
        return;
    if (worker->partitioner == PARTITIONER_AUTO)
        learn_partitioner(worker, item);
    item->is_ignored = is_ignored(worker, item);
    if (item->is_ignored)
        return;
    item->is_event = true;
    item->hash = lead_table_hash(item->unit->number, item->event.lead_id);
    lead_table_fetch_slot(&worker->table, item->hash);
}

static void decode_record(struct worker *worker, struct batch *batch, size_t at)
{
    const struct record *record = &worker->records[at];
    struct item *item = &batch->items[at];
    struct unit *unit = record->unit < worker->partitions ? worker->by_number[record->unit] : NULL;
    item->unit = NULL;
    item->record = record;
    item->dead = NULL;
    item->hop = NULL;
    item->entry = NULL;
    item->is_event = item->is_ignored = item->is_of_unit = false;
    if (!unit || unit->cut || !unit_is_fetched(unit) || record->offset < unit->position)
        return;
    item->unit = unit;
    if (batch->kept)
        item->record = keep_record(batch, record, at);
    if (!record->is_end)
        decode_item(worker, batch, item);
}

/* ---- find
 * ----------------------------------------------------------------------------------------- */

static void meet_new(const struct unit *unit, struct baton_lead *lead, struct baton_text id)
{
    baton_lead_attach(lead, unit_agreement(unit));
    hops_meet_new(lead, id, &unit->tombstones);
}

static void find_lead(struct worker *worker, struct batch *batch, struct item *item)
{
    struct unit *unit = item->unit;
    if (!unit || !item->is_event)
        return;
    item->entry = lead_table_find(&worker->table, item->hash, unit->number, item->event.lead_id);
    if (!item->entry) {
        item->entry = lead_table_add(&worker->table, item->hash, unit->number, item->event.lead_id);
        if (unit->began_empty && unit->evicted_before == worker->table.evicted)
            meet_new(unit, &item->entry->lead, item->event.lead_id); /* nothing to load */
        else
            loads_add(batch, &unit->loads[slot_of(worker, batch)], item->entry);
    }
    item->entry->flags |= pin_of(worker, batch);
}

#define MANY_MISSES 8 /* one record in so many */
#define FIND_AHEAD 12 /* entries under way from memory; more are not faster */

static void find_leads(struct worker *worker, struct batch *batch)
{
    for (size_t i = 0; i < batch->count + FIND_AHEAD; i++) {
        if (i < batch->count && batch->items[i].is_event)
            lead_table_fetch_entry(&worker->table, batch->items[i].hash);
        if (i >= FIND_AHEAD)
            find_lead(worker, batch, &batch->items[i - FIND_AHEAD]);
    }
}

/* ---- fold ---------------------------------------------------------------------------------- */

static void fold_dead(struct worker *worker, const struct item *item)
{
    counting_dead(worker, item);
    if (item->unit->state == UNIT_LIVE)
        outbox_add_dead(worker, item->unit, item->record, item->dead);
}

/* What an event came to. */
struct folded {
    struct baton_fold_result result;
    struct hop_cargo cargo;
    struct baton_text owner; /* whom a promotion goes to */
};

static void tell_fold(struct worker *worker, struct batch *batch, struct item *item,
                      const struct folded *folded)
{
    struct unit *unit = item->unit;
    const struct baton_fold_result *result = &folded->result;
    bool live = unit->state == UNIT_LIVE || SEEDED_FAULT("emit_replayed");
    struct message message = message_of(item);
    if (live && (result->transition_count || result->notice))
        outbox_add_stages(worker, unit, item->record, &item->event, item->entry, result,
                          folded->owner);
    if (result->hop == BATON_HOP_TRANSFER && folded->cargo.left_out)
        counting_trimmed(worker, item, &folded->cargo);
    if (live && result->hop)
        outbox_add_hops(worker, unit, item->record, &message, &item->event, result, &folded->cargo);
    if (result->refusal) {
        struct decode_result verdict;
        hops_verdict(result, &verdict);
        item->dead = keep_verdict(batch, &verdict);
        fold_dead(worker, item);
    }
}

/* An event that was folded here says who its lead is: the merge follows it through the log, so that
 * no fold depends on how identities are configured. */
static void identify(struct worker *worker, const struct item *item,
                     const struct baton_fold_result *result)
{
    struct baton_text id;
    if (result->outcome == BATON_FOLDED && identity_of(&worker->config.identity, &item->event,
                                                       &item->entry->lead, &worker->scratch, &id))
        outbox_add_identity(worker, item->unit, item->record, &item->event, id);
}

static void fold_event(struct worker *worker, struct batch *batch, struct item *item)
{
    struct unit *unit = item->unit;
    struct baton_fold_context context = {.agreement = unit_agreement(unit),
                                         .words = &unit->words,
                                         .allocator = &worker->table.allocator};
    agreements_equip(worker, &context);
    if (context.agreement->pact)
        context.first_hits = worker->first_hits;
    struct folded folded = {.owner = {NULL, 0}};
    struct baton_fold_result *result = &folded.result;
    struct baton_entered entered[BATON_TRANSITIONS_MAX];
    size_t scripted = unit->script.next;
    if (counting_is_rebuilt(unit, item->record->offset)) {
        context.gates_closed = true;
        context.entered = entered;
        context.entered_count = stage_script_take(&unit->script, &item->event, entered);
    }
    hops_fold(&item->entry->lead, &item->event, &context, &unit->tombstones, &batch->arena,
              worker->config.event_bytes, result, &folded.cargo);
    if (result->outcome != BATON_FOLDED) /* and yet it may have been told of: caught up with */
        unit->script.next = scripted;
    if (result->outcome == BATON_FOLDED || result->outcome == BATON_REFUSED)
        unit_mark_dirty(worker, unit, item->entry);
    if (result->outcome != BATON_ALREADY_APPLIED)
        counting_fold(worker, item, result, &folded.owner);
    if (result->transition_count || result->notice || result->hop || result->refusal)
        tell_fold(worker, batch, item, &folded);
    if (result->clock_move_count || unit->state != UNIT_LIVE)
        clocks_folded(worker, unit, item, result);
    if (item->event.kind >= BATON_MERGE && context.agreement->pact)
        clocks_given_up(unit, item, result);
    if (item->event.update_count && worker->config.identity.enabled && unit->state == UNIT_LIVE)
        identify(worker, item, result);
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

/* The next version of the agreement begins with this event: it is fetched anew, as is what follows,
 * which was read as the former version wants it. */
static bool meets_version(const struct item *item)
{
    struct unit *unit = item->unit;
    bool decoded = !item->record->is_end && !item->dead && !item->is_ignored;
    if (!decoded || item->event.time_ms < unit->turn_ms)
        return false;
    versions_meet(unit, item->event.time_ms);
    return true;
}

static void fold_decoded(struct worker *worker, struct batch *batch, struct item *item)
{
    struct unit *unit = item->unit;
    if (item->event.time_ms > unit->aggregates.newest_ms)
        unit->aggregates.newest_ms = item->event.time_ms;
    if (item->is_of_unit)
        unit_event_fold(worker, item);
    else
        fold_event(worker, batch, item);
}

static void fold_item(struct worker *worker, struct batch *batch, struct item *item)
{
    struct unit *unit = item->unit;
    int64_t offset = item->record->offset;
    if (!unit || offset < unit->position)
        return;
    if (unit->cut || !unit_folds(unit) || !cross_borders(worker, unit, offset) ||
        meets_version(item)) {
        unit->skipped = true;
        return;
    }
    bool scripted = unit->script.next < unit->script.count;
    if (scripted && !stage_script_catch_up(worker, unit, offset)) {
        unit->skipped = true;
        return;
    }
    if (item->record->is_end) {
        if (offset > unit->position)
            unit->position = offset;
        clocks_caught_up(unit);
        unit->ended_at = unit->position;
    } else {
        if (item->dead)
            fold_dead(worker, item);
        else if (item->is_ignored)
            counting_ignored(worker, item);
        else
            fold_decoded(worker, batch, item);
        if (scripted && !stage_script_catch_up(worker, unit, offset + 1))
            return;
        unit->position = offset + 1;
        figure_add(&worker->figures.records, 1);
        if (unit->state == UNIT_REPLAYING)
            figure_add(&worker->figures.replayed, 1);
    }
    atomic_store_explicit(&worker->positions[unit->number], unit->position, memory_order_relaxed);
}

/* ---- the turn
 * ------------------------------------------------------------------------------------- */

static void forget_in(struct worker *worker, struct batch *batch, struct unit *unit)
{
    if (!batch->under_way)
        return;
    loads_forget(worker, unit, &unit->loads[slot_of(worker, batch)]);
    for (size_t i = 0; i < batch->count; i++) {
        struct item *item = &batch->items[i];
        if (item->unit != unit)
            continue;
        if (item->entry)
            item->entry->flags &= (uint8_t)~pin_of(worker, batch);
        item->unit = NULL;
        item->entry = NULL;
    }
}

void batch_forget(struct worker *worker, struct unit *unit)
{
    for (size_t i = 0; i < BATCHES; i++)
        forget_in(worker, &worker->batches[i], unit);
}

size_t batch_room(const struct worker *worker)
{
    uint32_t wanted = worker->config.batch_records;
    return wanted && wanted < BATCH_RECORDS ? wanted : BATCH_RECORDS;
}

/* Parking costs a copy of the records: for a few leads it is cheaper to wait. */
static bool misses_many(const struct worker *worker, const struct batch *batch)
{
    return batch->missed && batch->missed * MANY_MISSES >= batch_room(worker);
}

/* A rebuild loads leads while it folds: no other load of its unit may be under way then. */
static bool some_unit_scripted(const struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        if (worker->units[i]->script.next < worker->units[i]->script.count)
            return true;
    return false;
}

static struct batch *take_in(struct worker *worker, size_t count)
{
    struct batch *batch = &worker->batches[worker->parked == &worker->batches[0]];
    arena_reset(&batch->arena);
    batch->count = count;
    batch->under_way = true;
    batch->kept = worker->looks_ahead && count == batch_room(worker) && !some_unit_scripted(worker);
    for (size_t i = 0; i < count; i++)
        decode_record(worker, batch, i);
    find_leads(worker, batch);
    loads_ask(worker, batch);
    worker->loads_lately = batch->missed > 0;
    worker->looks_ahead = misses_many(worker, batch);
    return batch;
}

/* After a batch: a unit that was cut, or left something out, goes on where it stands. */
static void close_gaps(struct worker *worker, struct batch *behind)
{
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        if ((unit->cut || unit->skipped) && !SEEDED_FAULT("go_past"))
            forget_in(worker, behind, unit);
        if (unit->cut) /* what came before an awaited message was not folded: it is met again */
            unit->held = false;
        unit->cut = unit->skipped = false;
    }
}

#define FOLD_AHEAD 8 /* events whose leads' arrays are under way from memory */

static void fetch_for(const struct item *item)
{
    if (!item->entry)
        return;
    lead_table_fetch_owned(item->entry);
    if (item->event.kind >= BATON_FORM_FILL)
        lead_table_fetch_history(item->entry);
}

static void fold(struct worker *worker, struct batch *batch)
{
    loads_take(worker, batch);
    for (size_t i = 0; i < batch->count; i++) {
        if (i + FOLD_AHEAD < batch->count)
            fetch_for(&batch->items[i + FOLD_AHEAD]);
        fold_item(worker, batch, &batch->items[i]);
    }
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].entry)
            batch->items[i].entry->flags &= (uint8_t)~pin_of(worker, batch);
    batch->under_way = false;
    close_gaps(worker, &worker->batches[batch == &worker->batches[0]]);
}

static bool a_start_is_wanted(const struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        if (worker->units[i]->wants_start)
            return true;
    return worker->start_due;
}

void batch_turn(struct worker *worker, size_t count)
{
    if (!count && !worker->parked)
        return;
    arena_reset(&worker->scratch);
    struct batch *next = count ? take_in(worker, count) : NULL;
    if (worker->parked)
        fold(worker, worker->parked);
    worker->parked = NULL;
    if (next && next->kept && misses_many(worker, next) && !a_start_is_wanted(worker))
        worker->parked = next;
    else if (next)
        fold(worker, next);
    if (worker->table.bytes > worker->table.limit_bytes)
        (void)lead_table_evict(&worker->table);
}
