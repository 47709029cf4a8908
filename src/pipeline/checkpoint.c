/* Copies of the state at one position, streamed to the store: words and aggregates first, leads
 * next, the position last. Nothing that Kafka has not committed is ever written. */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPIES_BYTES ((size_t)16 << 20) /* while more is under way, no more is taken */
#define OVERDUE 4                       /* … but for a unit that waits for as many intervals */
#define DIRTY_SHARE 3 /* a checkpoint is due when dirty leads are this part of the table */

void unit_mark_dirty(struct worker *worker, struct unit *unit, struct lead_entry *entry)
{
    if (entry->flags & LEAD_DIRTY)
        return;
    entry->flags |= LEAD_DIRTY;
    if (unit->dirty_count == unit->dirty_room) {
        unit->dirty_room = unit->dirty_room ? unit->dirty_room * 2 : 256;
        unit->dirty = memory_resize(unit->dirty, unit->dirty_room * sizeof *unit->dirty);
    }
    unit->dirty[unit->dirty_count++] = entry->number;
    worker->dirty_total++;
}

/* ---- the copy
 * ------------------------------------------------------------------------------------- */

void field_list_add(struct field_list *list, struct field field)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 16;
        list->items = memory_resize(list->items, list->room * sizeof *list->items);
    }
    list->items[list->count++] = field;
}

static void add_field(struct field_list *list, const char *name, struct baton_text value)
{
    field_list_add(list, (struct field){{name, (uint32_t)strlen(name)}, value});
}

/* Whoever takes over finds an emptied lead by this field, or it would stay in the store for ever.
 */
static void name_removal(struct checkpoint_copy *copy, struct field_list *list,
                         struct baton_text id, struct baton_text value)
{
    char *name = arena_take(&copy->arena, TOMBSTONE_FIELD_SIZE + 1);
    if (SEEDED_FAULT("forget_removal"))
        return;
    tombstones_print_name(tombstones_lead(id), name);
    name[0] = UNIT_REMOVAL_FIELD;
    add_field(list, name, value);
}

/* A fold that begins at R does not need to know that it was emptied: the store may lose it. */
static bool may_be_removed(const struct unit *unit, const struct lead_entry *entry)
{
    return entry->lead.flags & BATON_LEAD_EMPTIED &&
           (entry->stored_size == 0 || unit->stored >= entry->lead.applied ||
            SEEDED_FAULT("remove_early"));
}

static void copy_removal(struct checkpoint_copy *copy, struct lead_entry *entry,
                         struct copied_lead *to)
{
    name_removal(copy, &copy->behind, lead_table_id(entry), (struct baton_text){0});
    *to = (struct copied_lead){.entry = entry->number,
                               .stored = {.id = lead_table_id(entry), .removed = true}};
    entry->flags = (uint8_t)((entry->flags & ~LEAD_DIRTY) | LEAD_IN_COPY);
    entry->stored_size = 0;
    entry->stored_stage = BATON_LEAD;
}

static void copy_lead(struct worker *worker, struct unit *unit, uint32_t number)
{
    struct checkpoint_copy *copy = &unit->copy;
    struct lead_entry *entry = lead_table_entry(&worker->table, number);
    struct copied_lead *to = &copy->leads[copy->lead_count++];
    if (entry->lead.history)
        clocks_copy(unit, entry);
    if (may_be_removed(unit, entry)) {
        copy_removal(copy, entry, to);
        return;
    }
    if (entry->lead.flags & BATON_LEAD_EMPTIED)
        name_removal(copy, &copy->before, lead_table_id(entry), lead_table_id(entry));
    assert(entry->lead.applied <= copy->position); /* else it would seem older than it is */
    uint8_t *packed = arena_take(&copy->arena, baton_lead_pack_bound(&entry->lead));
    size_t size = baton_lead_pack(&entry->lead, copy->position, packed);
    arena_trim(&copy->arena, packed, size);
    struct baton_score score;
    baton_lead_score(&entry->lead, unit_agreement(unit), entry->lead.newest_ms, &score);
    *to = (struct copied_lead){.entry = number,
                               .stored = {.id = lead_table_id(entry),
                                          .score = score,
                                          .stage = (enum baton_stage)entry->lead.stage,
                                          .stage_stands = entry->stored_stage == entry->lead.stage,
                                          .packed = packed,
                                          .packed_size = size,
                                          .former_size = entry->stored_size}};
    entry->flags = (uint8_t)((entry->flags & ~LEAD_DIRTY) | LEAD_IN_COPY);
    entry->stored_size = (uint32_t)size;
    entry->stored_stage = entry->lead.stage;
}

/* As text: folding goes on. */
static void copy_erasures(struct unit *unit)
{
    struct checkpoint_copy *copy = &unit->copy;
    struct tombstones *tombstones = &unit->tombstones;
    for (size_t i = 0; i < tombstones->unsaved_count && !SEEDED_FAULT("forget_erasure"); i++) {
        char *name = arena_take(&copy->arena, TOMBSTONE_FIELD_SIZE + 1);
        struct text_buffer value;
        text_buffer_init(&value);
        tombstones_forget(tombstones, tombstones->unsaved[i], unit->stored);
        tombstones_print_name(tombstones->unsaved[i], name);
        tombstones_print(tombstones, tombstones->unsaved[i], &value);
        add_field(&copy->before, name,
                  (struct baton_text){arena_copy(&copy->arena, value.data, value.size),
                                      (uint32_t)value.size});
        text_buffer_fini(&value);
    }
    tombstones->unsaved_count = 0;
}

#define ENTRY_AHEAD 16 /* of the leads that are on their way from memory: first the entry … */
#define OWNED_AHEAD 8  /* … then what it points to */

static void copy_dirty(struct worker *worker, struct unit *unit)
{
    struct lead_table *table = &worker->table;
    for (size_t i = 0; i < unit->dirty_count + ENTRY_AHEAD; i++) {
        if (i < unit->dirty_count)
            lead_table_fetch_number(table, unit->dirty[i]);
        size_t owned = i - (ENTRY_AHEAD - OWNED_AHEAD);
        if (i >= ENTRY_AHEAD - OWNED_AHEAD && owned < unit->dirty_count) {
            struct lead_entry *entry = lead_table_entry(table, unit->dirty[owned]);
            lead_table_fetch_owned(entry);
            lead_table_fetch_history(entry);
        }
        if (i >= ENTRY_AHEAD)
            copy_lead(worker, unit, unit->dirty[i - ENTRY_AHEAD]);
    }
}

void checkpoint_copy_at(struct worker *worker, struct unit *unit, enum copy_phase phase)
{
    struct checkpoint_copy *copy = &unit->copy;
    assert(copy->phase == COPY_NONE);
    assert(phase == COPY_WAITS_FOR_COMMIT || unit->position <= unit->committed ||
           unit->state == UNIT_REPLAYING || SEEDED_FAULT("ahead"));
    copy->phase = phase;
    copy->position = unit->position;
    copy->aggregates = unit->aggregates;
    if (copy->aggregates.position < copy->position)
        copy->aggregates.position = copy->position; /* never back */
    copy->aggregates.clock_ms = unit->clock_ms;
    copy->before.count = copy->before.sent = copy->behind.count = copy->behind.sent = 0;
    copy->clocks.count = copy->clocks.sent = 0;
    copy->words_sent = unit->words_stored;
    copy->words_end = unit->words.count;
    copy->lead_count = copy->leads_sent = 0;
    /* of this position: folding may be under the next one by the time that it is written */
    copy->agreement =
        unit->state == UNIT_SETTLING ? unit->settles_on : unit->stretches[unit->stretch].agreement;
    arena_reset(&copy->arena);
    copy_erasures(unit);
    clocks_copy_changes(worker, unit);
    counting_copy(unit);
    if (unit->dirty_count > copy->lead_room) {
        copy->lead_room = unit->dirty_count;
        copy->leads = memory_resize(copy->leads, copy->lead_room * sizeof *copy->leads);
    }
    copy_dirty(worker, unit);
    copy->bytes = copy->arena.total_bytes + copy->lead_room * sizeof *copy->leads;
    worker->copied_bytes += copy->bytes;
    worker->dirty_total -= unit->dirty_count;
    unit->dirty_count = 0;
    unit->last_checkpoint_us = worker_now_us(worker);
}

/* Copies are large, and units have theirs one after another: none keeps its memory. */
static void let_go(struct worker *worker, struct checkpoint_copy *copy)
{
    copy->phase = COPY_NONE;
    copy->lead_count = 0;
    worker->copied_bytes -= copy->bytes;
    copy->bytes = 0;
    arena_fini(&copy->arena);
    free(copy->leads);
    copy->leads = NULL;
    copy->lead_room = 0;
}

void checkpoint_drop(struct worker *worker, struct unit *unit)
{
    let_go(worker, &unit->copy);
    unit->copy.under_way = 0;
    unit->copy.before.count = unit->copy.behind.count = 0;
    unit->copy.clocks.count = unit->copy.days.count = 0;
}

/* Dirty leads take a good part of the table. Those of the copy that is to be written come on top,
 * and whatever is loaded needs room, too: waiting until the table holds nothing else would end in a
 * halt. */
static bool crowds_the_table(const struct worker *worker)
{
    const struct lead_table *table = &worker->table;
    return worker->dirty_total && worker->dirty_total * DIRTY_SHARE * table->bytes >=
                                      (uint64_t)table->limit_bytes * table->used;
}

/* Since its last copy. Counters alone change where a replay ends behind what clocks had told by R.
 */
static bool has_changed(const struct unit *unit)
{
    return unit->dirty_count || unit->position > unit->stored || unit->clocks.change_count ||
           counters_dirty(unit->counters, NULL, 0);
}

/* Units are asked in their order: one that was kept waiting for long enough goes beyond the bound.
 */
bool checkpoint_is_due(struct worker *worker, const struct unit *unit)
{
    if (unit->state == UNIT_SETTLING)
        return true;
    if (!has_changed(unit))
        return false;
    int64_t interval_us =
        1000 * (worker_is_behind(worker) ? worker->config.checkpoint_interval_behind_ms
                                         : worker->config.checkpoint_interval_ms);
    int64_t since_us = worker_now_us(worker) - unit->last_checkpoint_us;
    if (worker->copied_bytes >= COPIES_BYTES && since_us < OVERDUE * interval_us)
        return false;
    return since_us >= interval_us || worker->dirty_total >= worker->config.dirty_max ||
           crowds_the_table(worker);
}

/* ---- streaming it out
 * ----------------------------------------------------------------------------- */

static enum status write_days(struct worker *worker, struct unit *unit, struct error *error)
{
    struct store_write write = {.days = unit->copy.days.items, .day_count = unit->copy.days.count};
    return worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write,
                                      error);
}

/* Digest, counts and days have one position: they go out in one piece. */
static enum status write_aggregates(struct worker *worker, struct unit *unit, struct error *error)
{
    const struct checkpoint_copy *copy = &unit->copy;
    struct text_buffer aggregates, verdicts;
    char counted_from[12], counted_at[24], days[12];
    text_buffer_init(&aggregates);
    text_buffer_init(&verdicts);
    unit_record_print_aggregates(&aggregates, &copy->aggregates);
    unit_record_print_verdicts(&verdicts, unit->metadata.verdicts, unit->metadata.verdict_count);
    (void)snprintf(counted_from, sizeof counted_from, "%" PRId32, copy->counted_from);
    (void)snprintf(counted_at, sizeof counted_at, "%" PRId64, copy->counted_at);
    (void)snprintf(days, sizeof days, "%" PRIu32, copy->days_kept);
    struct field fields[5] = {field_of("aggregates", aggregates.data),
                              field_of("verdicts", verdicts.data ? verdicts.data : ""),
                              field_of("counted_from", counted_from),
                              field_of("counted_at", copy->counted_at < 0 ? "" : counted_at),
                              field_of("days", days)};
    struct store_write write = {.fields = fields,
                                .field_count = copy->counted_from == INT32_MIN ? 2 : 5,
                                .days = copy->days.items,
                                .day_count = SEEDED_FAULT("days_last") ? 0 : copy->days.count};
    enum status status =
        worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write, error);
    text_buffer_fini(&aggregates);
    text_buffer_fini(&verdicts);
    return status;
}

enum status checkpoint_push_fields(struct worker *worker, struct unit *unit,
                                   struct field_list *list, struct error *error)
{
    size_t count = list->count - list->sent;
    if (count > WORDS_PER_WRITE)
        count = WORDS_PER_WRITE;
    struct store_write write = {.fields = list->items + list->sent, .field_count = count};
    list->sent += count;
    return worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write,
                                      error);
}

static enum status push_clocks(struct worker *worker, struct unit *unit, struct error *error)
{
    struct field_list *list = &unit->copy.clocks;
    size_t count = list->count - list->sent;
    if (count > WORDS_PER_WRITE)
        count = WORDS_PER_WRITE;
    struct store_write write = {.clocks = list->items + list->sent, .clock_count = count};
    list->sent += count;
    return worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write,
                                      error);
}

static enum status push_words(struct worker *worker, struct unit *unit, struct error *error)
{
    struct checkpoint_copy *copy = &unit->copy;
    struct field words[WORDS_PER_WRITE];
    char names[WORDS_PER_WRITE][12];
    size_t count = 0;
    for (; copy->words_sent < copy->words_end && count < WORDS_PER_WRITE;
         copy->words_sent++, count++) {
        int size = snprintf(names[count], sizeof names[count], "%" PRIu32, copy->words_sent);
        words[count].name = (struct baton_text){.data = names[count], .size = (uint32_t)size};
        words[count].value = baton_words_text(&unit->words, copy->words_sent);
    }
    struct store_write write = {.words = words, .word_count = count};
    return worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write,
                                      error);
}

/* Words go before the days that name them: whoever reads the days finds the words. */
static enum status push_aggregates(struct worker *worker, struct unit *unit, struct error *error)
{
    struct checkpoint_copy *copy = &unit->copy;
    if (copy->before.sent < copy->before.count)
        return checkpoint_push_fields(worker, unit, &copy->before, error);
    if (copy->words_sent < copy->words_end)
        return push_words(worker, unit, error);
    copy->phase = COPY_LEADS;
    if (SEEDED_FAULT("digest_last"))
        return STATUS_OK;
    enum status status = write_aggregates(worker, unit, error);
    CRASH_POINT("checkpoint_aggregates");
    return status;
}

static enum status push_leads(struct worker *worker, struct unit *unit, struct error *error)
{
    struct checkpoint_copy *copy = &unit->copy;
    struct stored_lead leads[STORE_WRITE_LEADS];
    size_t count = 0;
    while (copy->leads_sent < copy->lead_count && count < STORE_WRITE_LEADS)
        leads[count++] = copy->leads[copy->leads_sent++].stored;
    if (copy->leads_sent == copy->lead_count)
        copy->phase = COPY_POSITION;
    if (count == 0)
        return STATUS_OK;
    struct store_write write = {.leads = leads, .lead_count = count};
    enum status status =
        worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write, error);
    CRASH_POINT("checkpoint_leads_first");
    if (copy->phase == COPY_POSITION)
        CRASH_POINT("checkpoint_leads_all");
    return status;
}

static enum status push_position(struct worker *worker, struct unit *unit, struct error *error)
{
    struct checkpoint_copy *copy = &unit->copy;
    if (copy->behind.sent < copy->behind.count)
        return checkpoint_push_fields(worker, unit, &copy->behind, error);
    if (copy->clocks.sent < copy->clocks.count) {
        CRASH_POINT("checkpoint_clocks");
        return push_clocks(worker, unit, error);
    }
    char position[24], fold[12], input[20], now[24], words[12], passed[24];
    (void)snprintf(position, sizeof position, "%" PRId64, copy->position);
    (void)snprintf(fold, sizeof fold, "%d", FOLD_VERSION);
    (void)snprintf(words, sizeof words, "%" PRIu32, copy->words_end);
    (void)snprintf(input, sizeof input, "%016" PRIx64, worker->input_hash);
    (void)snprintf(now, sizeof now, "%" PRId64, worker->ports.clock->wall_ms(worker->ports.clock));
    bool rebuilt = unit->rebuild_until >= 0 && copy->position >= unit->rebuild_until &&
                   unit->committed > unit->rebuild_until;
    struct field fields[9] = {field_of("position", position),
                              field_of("fold", fold),
                              field_of("input", input),
                              field_of("updated", now),
                              field_of("agreement", agreement_hash(copy->agreement)),
                              field_of("words", words)};
    size_t count = 6;
    (void)snprintf(passed, sizeof passed, "%" PRId64, copy->arrived_ms);
    if (copy->arrived_ms)
        fields[count++] = field_of("passed", passed);
    if (rebuilt)
        fields[count++] = field_of("rebuild", "");
    if (unit->stopped_field)
        fields[count++] = field_of("stopped", "");
    struct store_write write = {.fields = fields, .field_count = count};
    enum status status =
        worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write, error);
    if (rebuilt)
        unit->rebuild_until = -1;
    unit->stopped_field = false;
    CRASH_POINT("checkpoint_position");
    copy->phase = COPY_CONFIRM;
    if (status == STATUS_OK && SEEDED_FAULT("digest_last"))
        status = write_aggregates(worker, unit, error);
    if (status == STATUS_OK && SEEDED_FAULT("days_last"))
        status = write_days(worker, unit, error);
    return status;
}

static enum status push_next(struct worker *worker, struct unit *unit, struct error *error)
{
    switch (unit->copy.phase) {
    case COPY_AGGREGATES: return push_aggregates(worker, unit, error);
    case COPY_LEADS: return push_leads(worker, unit, error);
    case COPY_POSITION: return push_position(worker, unit, error);
    default: return STATUS_OK;
    }
}

static void copy_stored(struct worker *worker, struct unit *unit)
{
    struct checkpoint_copy *copy = &unit->copy;
    unit->stored = copy->position;
    for (size_t i = 0; i < copy->lead_count; i++) {
        struct lead_entry *entry = lead_table_entry(&worker->table, copy->leads[i].entry);
        entry->flags &= (uint8_t)~LEAD_IN_COPY;
        if (may_be_removed(unit, entry) && entry->stored_size)
            unit_mark_dirty(worker, unit, entry); /* out of the store with the next one */
    }
    unit->words_stored = copy->words_end;
    atomic_fetch_add_explicit(&worker->figures.leads_written, copy->lead_count,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->figures.checkpoints, 1, memory_order_relaxed);
    let_go(worker, copy);
    /* not by a copy that was on its way when K was reached */
    if (unit->state == UNIT_SETTLING && copy->position == unit->committed &&
        copy->agreement == unit->settles_on)
        takeover_settled(worker, unit);
}

static bool is_sending(const struct checkpoint_copy *copy)
{
    return copy->phase >= COPY_AGGREGATES && copy->phase <= COPY_POSITION;
}

/* How many more writes may be sent. Each is about a millisecond of Redis: loads that come behind
 * them wait for as many. */
static size_t room_for_writes(const struct worker *worker, const struct unit *unit)
{
    size_t all = 0, own = unit->copy.under_way, room = CHECKPOINT_WRITES_AHEAD;
    if (!worker->loads_lately)
        return own < room ? room - own : 0;
    for (size_t i = 0; i < worker->unit_count; i++)
        all += worker->units[i]->copy.under_way;
    room = CHECKPOINT_WRITES_BETWEEN_LOADS;
    return all < room ? room - all : 0;
}

/* Sends what may be sent and takes in answers; never waits. */
void checkpoint_push(struct worker *worker, struct unit *unit)
{
    struct checkpoint_copy *copy = &unit->copy;
    if (copy->phase < COPY_AGGREGATES || worker->store_away)
        return;
    struct error error;
    enum status status = worker->ports.store->settle(worker->ports.store, unit->number, false,
                                                     &copy->under_way, &error);
    for (size_t room = room_for_writes(worker, unit);
         status == STATUS_OK && is_sending(copy) && room > 0; room--) {
        status = push_next(worker, unit, &error);
        copy->under_way++;
    }
    unit->last_contact_us = worker_now_us(worker);
    if (status != STATUS_OK)
        unit_write_failed(worker, unit, status, &error);
    else if (copy->phase == COPY_CONFIRM && copy->under_way == 0)
        copy_stored(worker, unit);
}

/* Takes the copies that are due and may be written, and moves all on. hurry: whatever is dirty is
 * due. */
void checkpoint_turn(struct worker *worker, bool hurry)
{
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        bool may = unit->state == UNIT_LIVE || unit->state == UNIT_REPLAYING ||
                   unit->state == UNIT_SETTLING;
        bool due = may && unit->copy.phase == COPY_NONE && !worker->store_away &&
                   (checkpoint_is_due(worker, unit) || (hurry && has_changed(unit)));
        bool confirmed =
            unit->position <= unit->committed &&
            (unit->clock_ms == unit->clock_confirmed_ms || SEEDED_FAULT("clock_unconfirmed"));
        if (due && (confirmed || unit->state == UNIT_REPLAYING || SEEDED_FAULT("ahead")))
            checkpoint_copy_at(worker, unit, COPY_AGGREGATES);
        else if (due)
            worker->commit_wanted = true; /* the copy is taken when that transaction begins */
        checkpoint_push(worker, unit);
    }
}
