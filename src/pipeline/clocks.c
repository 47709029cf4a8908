#include "pipeline/clocks.h"

#include "base/crash_point.h"
#include "domain/clocks.h"
#include "pact/count.h"
#include "pipeline/breaches.h"
#include "pipeline/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD_MS 500    /* leads are read so long before they are due */
#define OVERDUE_MS 1000 /* … and batches do not go before them any more */
#define LOADED_AT_ONCE 256
#define READY_ENOUGH 256

static int64_t wall_ms(struct worker *worker)
{
    return worker->ports.clock->wall_ms(worker->ports.clock);
}

/* What sales answered while nobody ran stands in the log: nobody is told to be late before that is
 * read. Until the log's end the present is when the last record arrived. */
static int64_t present_ms(struct worker *worker, const struct unit *unit)
{
    int64_t now_ms = wall_ms(worker);
    bool reads =
        unit->state == UNIT_LIVE && !unit->clocks.caught_up && !SEEDED_FAULT("clock_early");
    return reads && unit->arrived_ms < now_ms ? unit->arrived_ms : now_ms;
}

void clocks_caught_up(struct unit *unit)
{
    unit->clocks.caught_up = true;
}

/* ---- Timers ---------------------------------------------------------------------------------- */

/* With the next copy. INT64_MAX: nothing is due. */
static void change_index(struct unit *unit, struct baton_text id, int64_t next_ms)
{
    struct clocks *clocks = &unit->clocks;
    if (clocks->change_count == clocks->change_room) {
        clocks->change_room = clocks->change_room ? clocks->change_room * 2 : 16;
        clocks->changes =
            memory_resize(clocks->changes, clocks->change_room * sizeof *clocks->changes);
    }
    char *own = memory_take(id.size);
    memcpy(own, id.data, id.size);
    clocks->changes[clocks->change_count++] = (struct timer){next_ms, {own, id.size}};
}

void clocks_met(struct unit *unit, struct lead_entry *entry)
{
    int64_t next_ms = clock_next_ms(&entry->lead, unit->clock_ms);
    if (next_ms == INT64_MAX)
        return;
    timers_push(&unit->clocks.timers, next_ms, lead_table_id(entry));
    entry->lead.history->timed = true;
}

void clocks_clear(struct unit *unit)
{
    struct clocks *clocks = &unit->clocks;
    timers_clear(&clocks->timers);
    for (size_t i = 0; i < clocks->change_count; i++)
        timer_free(&clocks->changes[i]);
    clocks->change_count = clocks->ready_count = 0;
    clocks->fire_wanted = clocks->caught_up = false;
}

void clocks_fini(struct unit *unit)
{
    clocks_clear(unit);
    timers_fini(&unit->clocks.timers);
    free(unit->clocks.changes);
    free(unit->clocks.ready);
}

/* ---- Telling --------------------------------------------------------------------------------- */

static void tell(struct worker *worker, struct unit *unit, const struct lead_entry *entry,
                 const struct clock_news *news)
{
    struct breach_view view;
    breaches_view(lead_table_id(entry), news, unit_agreement(unit), &unit->words, &view);
    outbox_add_breach(worker, unit, &view);
}

/* All of the lead that falls into (from, to]. */
static void tell_due(struct worker *worker, struct unit *unit, const struct lead_entry *entry,
                     int64_t from_ms, int64_t to_ms)
{
    struct clock_news news[BATON_CLOCKS];
    size_t count = breaches_due(&entry->lead, from_ms, to_ms, wall_ms(worker), news);
    for (size_t i = 0; i < count; i++)
        tell(worker, unit, entry, &news[i]);
}

/* What came of the lead's clocks changes by the time alone. */
static void count_due(struct unit *unit, const struct lead_entry *entry, int64_t from_ms,
                      int64_t to_ms)
{
    const struct baton_history *history = entry->lead.history;
    const struct baton_agreement *agreement = unit_agreement(unit);
    for (enum baton_clock_id id = 0; agreement->pact && history && id < BATON_CLOCKS; id++) {
        const struct baton_clock *clock = &history->clocks[id];
        struct baton_clock_move move = {.id = id,
                                        .before = *clock,
                                        .after = *clock,
                                        .seller_before = history->sales.seller,
                                        .seller_after = history->sales.seller,
                                        .generation = entry->lead.generation};
        if (clock_verdict(clock, from_ms) != clock_verdict(clock, to_ms))
            count_clock(unit->counters, agreement, &move, from_ms, to_ms);
    }
}

/* A checkpoint may have been torn: the lead is further than R, and the index does not know of it. R
 * will pass the event that it was born at, and the lead is not dirty. */
static void meet_replayed(struct unit *unit, struct lead_entry *entry,
                          const struct baton_fold_result *result)
{
    const struct baton_history *history = entry->lead.history;
    if (history->timed && !result->clock_move_count)
        return;
    if (result->outcome == BATON_ALREADY_APPLIED && SEEDED_FAULT("clock_forget"))
        return;
    clocks_met(unit, entry);
    if (history->timed && result->outcome != BATON_FOLDED && !SEEDED_FAULT("clock_unindexed"))
        change_index(unit, lead_table_id(entry), clock_next_ms(&entry->lead, unit->clock_ms));
}

void clocks_folded(struct worker *worker, struct unit *unit, const struct item *item,
                   const struct baton_fold_result *result)
{
    struct lead_entry *entry = item->entry;
    struct clock_cause cause = {.kind = item->event.kind,
                                .arrived_ms = event_arrived_ms(item->record, &item->event),
                                .clock_ms = unit->clock_ms};
    struct clock_news news;
    if (unit->state != UNIT_LIVE) {
        if (entry->lead.history)
            meet_replayed(unit, entry, result);
        return;
    }
    for (uint32_t i = 0; i < result->clock_move_count; i++)
        if (breaches_of_move(&result->clock_moves[i], &cause, &news))
            tell(worker, unit, entry, &news);
    if (result->clock_move_count)
        clocks_met(unit, entry);
}

void clocks_given_up(struct unit *unit, const struct item *item,
                     const struct baton_fold_result *result)
{
    const struct lead_entry *entry = item->entry;
    enum baton_event_kind kind = item->event.kind;
    bool said = kind == BATON_MERGE || kind == BATON_ERASE;
    bool folded = result->outcome == BATON_FOLDED && (said || kind == BATON_RECHECK);
    bool torn =
        said && result->outcome == BATON_ALREADY_APPLIED; /* the lead was stored, this not */
    bool has_none = !entry->lead.history || clock_next_ms(&entry->lead, 0) == INT64_MAX;
    if ((folded || torn) && has_none)
        change_index(unit, lead_table_id(entry), INT64_MAX);
}

/* ---- Leads that are due soon ----------------------------------------------------------------- */

static struct lead_entry *look_up(struct worker *worker, const struct unit *unit,
                                  struct baton_text id)
{
    return lead_table_find(&worker->table, lead_table_hash(unit->number, id), unit->number, id);
}

static void pin(struct unit *unit, struct lead_entry *entry, int64_t due_ms)
{
    struct clocks *clocks = &unit->clocks;
    if (!(entry->flags & LEAD_TIMED)) {
        entry->flags |= LEAD_TIMED;
        if (clocks->ready_count == clocks->ready_room) {
            clocks->ready_room = clocks->ready_room ? clocks->ready_room * 2 : READY_ENOUGH;
            clocks->ready =
                memory_resize(clocks->ready, clocks->ready_room * sizeof *clocks->ready);
        }
        clocks->ready[clocks->ready_count++] = (struct ready_lead){due_ms, entry};
        return;
    }
    for (size_t i = 0; i < clocks->ready_count; i++)
        if (clocks->ready[i].entry == entry && clocks->ready[i].due_ms > due_ms)
            clocks->ready[i].due_ms = due_ms;
}

static void put_back(struct unit *unit, struct timer *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        timers_push(&unit->clocks.timers, list[i].due_ms, list[i].id);
        timer_free(&list[i]);
    }
}

/* Reads leads into the table, each of them once. False: the store has not given them. */
static bool load(struct worker *worker, struct unit *unit, struct timer *list, size_t count)
{
    struct lead_entry *entries[LOADED_AT_ONCE];
    size_t missing = 0;
    for (size_t i = 0; i < count; i++)
        if (!look_up(worker, unit, list[i].id))
            entries[missing++] =
                lead_table_add(&worker->table, lead_table_hash(unit->number, list[i].id),
                               unit->number, list[i].id);
    return !missing || loads_some(worker, unit, entries, missing);
}

/* Timers up to that time, with their leads in the table; at most `room`. What cannot be had stays
 * where it is. */
static size_t take_due(struct worker *worker, struct unit *unit, int64_t until_ms,
                       struct timer *list, size_t room)
{
    struct timers *timers = &unit->clocks.timers;
    size_t count = 0;
    while (count < room && timers_first(timers) && timers_first(timers)->due_ms <= until_ms)
        list[count++] = timers_take(timers);
    if (!count || load(worker, unit, list, count))
        return count;
    put_back(unit, list, count);
    return 0;
}

/* So many are enough, unless C could not pass one of them: all that is due no later than the first
 * of them goes off with it. A day's promises may all end at the close of the same day. */
static bool has_enough(const struct clocks *clocks, const struct timer *first)
{
    bool earlier = false;
    for (size_t i = 0; i < clocks->ready_count && !earlier; i++)
        earlier = clocks->ready[i].due_ms < first->due_ms;
    return clocks->ready_count >= READY_ENOUGH && earlier;
}

static void get_ready(struct worker *worker, struct unit *unit, int64_t now_ms)
{
    struct timer list[LOADED_AT_ONCE];
    struct clocks *clocks = &unit->clocks;
    if (has_enough(clocks, timers_first(&clocks->timers)))
        return;
    size_t count = take_due(worker, unit, now_ms + AHEAD_MS, list, LOADED_AT_ONCE);
    for (size_t i = 0; i < count; i++) {
        pin(unit, look_up(worker, unit, list[i].id), list[i].due_ms);
        timer_free(&list[i]);
    }
}

static void want_fire(struct worker *worker, struct unit *unit, int64_t now_ms)
{
    struct clocks *clocks = &unit->clocks;
    for (size_t i = 0; i < clocks->ready_count && !clocks->fire_wanted; i++)
        clocks->fire_wanted = clocks->ready[i].due_ms <= now_ms;
    worker->commit_wanted = worker->commit_wanted || clocks->fire_wanted;
}

void clocks_turn(struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        const struct timer *first = timers_first(&unit->clocks.timers);
        if (unit->state != UNIT_LIVE || (!first && !unit->clocks.ready_count))
            continue;
        int64_t now_ms = present_ms(worker, unit);
        bool due = first && first->due_ms <= now_ms + AHEAD_MS;
        if (due && !worker->parked && !worker->store_away)
            get_ready(worker, unit, now_ms);
        else if (due && first->due_ms < now_ms - OVERDUE_MS)
            worker->looks_ahead = false; /* the batch to come is not parked */
        if (unit->state == UNIT_LIVE)
            want_fire(worker, unit, now_ms);
    }
}

/* ---- Firing ---------------------------------------------------------------------------------- */

/* The index of the store is to say what is due next of it, or nothing. */
static void reindex(struct worker *worker, struct unit *unit, struct lead_entry *entry)
{
    if (!entry->lead.history) { /* the index knows a lead that was given up, or never was */
        change_index(unit, lead_table_id(entry), INT64_MAX);
        return;
    }
    entry->lead.history->indexed = true;
    unit_mark_dirty(worker, unit, entry);
    entry->lead.history->timed = false;
    clocks_met(unit, entry);
}

void clocks_fire(struct worker *worker, struct unit *unit)
{
    struct clocks *clocks = &unit->clocks;
    const struct timer *unready = timers_first(&clocks->timers);
    int64_t from_ms = unit->clock_ms, to_ms = present_ms(worker, unit);
    if (unready && unready->due_ms <= to_ms && !SEEDED_FAULT("clock_ahead"))
        to_ms = unready->due_ms - 1;
    clocks->fire_wanted = false;
    if (to_ms <= from_ms)
        return;
    unit->clock_ms = to_ms;
    size_t kept = 0, count = clocks->ready_count;
    for (size_t i = 0; i < count; i++) {
        struct ready_lead ready = clocks->ready[i];
        if (ready.due_ms > to_ms) {
            clocks->ready[kept++] = ready;
            continue;
        }
        ready.entry->flags &= (uint8_t)~LEAD_TIMED;
        tell_due(worker, unit, ready.entry, from_ms, to_ms);
        count_due(unit, ready.entry, from_ms, to_ms);
        reindex(worker, unit, ready.entry);
    }
    clocks->ready_count = kept;
}

/* ---- Taking over ----------------------------------------------------------------------------- */

/* A number that cannot be read is a time long ago: the lead is looked at, and tells. */
static int64_t read_time(struct baton_text text)
{
    int64_t time_ms = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || time_ms > BATON_TIME_MAX_MS)
            return 0;
        time_ms = time_ms * 10 + (text.data[i] - '0');
    }
    return time_ms;
}

enum status clocks_restore(struct worker *worker, struct unit *unit, struct error *error)
{
    struct store *store = worker->ports.store;
    struct field *fields;
    size_t count;
    enum status status = store->hash(store, unit->number, &unit->fence, STORE_CLOCKS, &worker->talk,
                                     &fields, &count, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        timers_push(&unit->clocks.timers, read_time(fields[i].value), fields[i].name);
    return status;
}

static void unpin(struct unit *unit)
{
    struct clocks *clocks = &unit->clocks;
    for (size_t i = 0; i < clocks->ready_count; i++)
        clocks->ready[i].entry->flags &= (uint8_t)~LEAD_TIMED;
    clocks->ready_count = 0;
}

static bool is_loading(const struct unit *unit)
{
    for (size_t i = 0; i < BATCHES; i++)
        if (unit->loads[i].asked)
            return true;
    return false;
}

/* The timer is set to what comes behind `to_ms`. */
static void reach_lead(struct worker *worker, struct unit *unit, struct lead_entry *entry,
                       int64_t to_ms)
{
    int64_t from_ms = unit->clock_ms, next_ms = clock_next_ms(&entry->lead, to_ms);
    if (entry->flags & LEAD_TIMED) /* it stood in the heap more than once */
        return;
    pin(unit, entry, to_ms);
    if (SEEDED_FAULT("clock_twice"))
        tell_due(worker, unit, entry, from_ms, to_ms);
    count_due(unit, entry, from_ms, to_ms);
    if (!SEEDED_FAULT("clock_lingers"))
        change_index(unit, lead_table_id(entry), next_ms);
    if (next_ms != INT64_MAX)
        timers_push(&unit->clocks.timers, next_ms, lead_table_id(entry));
}

bool clocks_reach(struct worker *worker, struct unit *unit)
{
    struct timer list[LOADED_AT_ONCE];
    struct timers *timers = &unit->clocks.timers;
    int64_t from_ms = unit->clock_ms, to_ms = unit->metadata.clock_ms;
    if (to_ms < from_ms)
        to_ms = from_ms;
    while (timers_first(timers) && timers_first(timers)->due_ms <= to_ms) {
        size_t count = is_loading(unit) ? 0 : take_due(worker, unit, to_ms, list, LOADED_AT_ONCE);
        if (!count) {
            unit->cut = unit->wants_start = true;
            worker->looks_ahead = false; /* else a load would be under way again */
            if (unit->clocks.ready_count && unit->state == UNIT_REPLAYING)
                unit_recover(worker, unit, "only a part of its clocks could be read");
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            reach_lead(worker, unit, look_up(worker, unit, list[i].id), to_ms);
            timer_free(&list[i]);
        }
    }
    unpin(unit);
    unit->clock_ms = unit->clock_confirmed_ms = to_ms;
    return true;
}

/* ---- The index ------------------------------------------------------------------------------- */

void clocks_loaded(struct lead_entry *entry)
{
    struct baton_history *history = entry->lead.history;
    if (history)
        history->indexed = clock_next_ms(&entry->lead, 0) != INT64_MAX;
}

static void add_to_copy(struct unit *unit, struct baton_text id, int64_t next_ms)
{
    struct checkpoint_copy *copy = &unit->copy;
    char value[24] = "";
    int size = 0;
    if (next_ms != INT64_MAX)
        size = snprintf(value, sizeof value, "%" PRId64, next_ms);
    struct field field = {
        .name = {arena_copy(&copy->arena, id.data, id.size), id.size},
        .value = {arena_copy(&copy->arena, value, (size_t)size + 1), (uint32_t)size}};
    field_list_add(&copy->clocks, field);
}

void clocks_copy(struct unit *unit, const struct lead_entry *entry)
{
    struct baton_history *history = entry->lead.history;
    int64_t next_ms = clock_next_ms(&entry->lead, unit->clock_ms);
    if (next_ms == INT64_MAX && !history->indexed)
        return;
    add_to_copy(unit, lead_table_id(entry), next_ms);
    history->indexed = next_ms != INT64_MAX;
}

void clocks_copy_changes(struct worker *worker, struct unit *unit)
{
    struct clocks *clocks = &unit->clocks;
    for (size_t i = 0; i < clocks->change_count; i++) {
        struct timer *change = &clocks->changes[i];
        const struct lead_entry *entry = look_up(worker, unit, change->id);
        if (entry && entry->lead.history) /* it may have gone on */
            change->due_ms = clock_next_ms(&entry->lead, unit->clock_ms);
        add_to_copy(unit, change->id, change->due_ms);
        timer_free(change);
    }
    clocks->change_count = 0;
}
