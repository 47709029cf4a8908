#include "backtest/partition_run.h"

#include "codec/hop.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_CAPACITY 65536 /* that of a live unit: beyond it, pages are told as (other) */
#define FIND_AHEAD 12        /* entries under way from memory; more are not faster */

void partition_run_init(struct partition_run *run, const struct backtest_config *config,
                        const struct backtest_log *log, struct transfers *transfers,
                        struct backtest_progress *progress, uint32_t number)
{
    *run = (struct partition_run){.config = config,
                                  .log = log,
                                  .transfers = transfers,
                                  .progress = progress,
                                  .number = number};
    log->range(log->context, number, &run->first, &run->end);
    run->position = run->first;
    run->run_count = config->against ? 2 : 1;
    for (size_t i = 0; i < run->run_count; i++)
        fold_run_init(&run->runs[i], config, number, i == 0, WORDS_CAPACITY);
    arena_init(&run->waiting, 1024);
    reading_figures_init(&run->figures);
}

void partition_run_fini(struct partition_run *run)
{
    if (run->reader)
        run->log->close(run->reader);
    for (size_t i = 0; i < run->run_count; i++)
        fold_run_fini(&run->runs[i]);
    arena_fini(&run->waiting);
}

/* ---- a batch: decode, find
 * ----------------------------------------------------------------------- */

static enum status decode_item(struct partition_run *run, struct partition_tools *tools,
                               const struct record *record, struct replayed *item,
                               struct error *error)
{
    struct arena *arena = &tools->fold.arena;
    struct hop hop;
    item->hop = NULL;
    if (record->header_count && hop_read(record->headers, record->header_count, arena, &hop))
        item->hop = arena_copy(arena, &hop, sizeof hop);
    struct message message = {.key = record->key,
                              .key_size = record->key_size,
                              .value = record->value,
                              .value_size = record->value_size,
                              .timestamp_ms = record->timestamp_ms,
                              .offset = record->offset,
                              .hop = item->hop};
    enum status status =
        reading_take(&tools->reading, &message, arena, &item->event, &item->outcome, error);
    if (status != STATUS_OK || item->outcome != READ_EVENT)
        return status;
    item->hash = lead_table_hash(run->number, item->event.lead_id);
    for (size_t i = 0; i < run->run_count; i++)
        lead_table_fetch_slot(&run->runs[i].leads, item->hash);
    return STATUS_OK;
}

static void find_in(struct fold_run *run, size_t number, struct partition_tools *tools,
                    struct replayed *item)
{
    bool has_lead = item->outcome == READ_EVENT && !baton_kind_is_of_unit(item->event.kind);
    item->entries[number] =
        has_lead ? fold_run_find(run, &tools->fold, &item->event, item->hash) : NULL;
}

static void find_item(struct partition_run *run, struct partition_tools *tools,
                      struct replayed *item)
{
    for (size_t i = 0; i < run->run_count; i++)
        find_in(&run->runs[i], i, tools, item);
}

static void find_all(struct partition_run *run, struct partition_tools *tools)
{
    for (size_t i = run->next; i < run->count + FIND_AHEAD; i++) {
        const struct replayed *ahead = i < run->count ? &tools->items[i] : NULL;
        for (size_t k = 0; k < run->run_count && ahead && ahead->outcome == READ_EVENT; k++)
            lead_table_fetch_entry(&run->runs[k].leads, ahead->hash);
        if (i >= run->next + FIND_AHEAD)
            find_item(run, tools, &tools->items[i - FIND_AHEAD]);
    }
}

static enum status take_in(struct partition_run *run, struct partition_tools *tools,
                           struct error *error)
{
    arena_reset(&tools->fold.arena);
    for (size_t i = run->next; i < run->count; i++) {
        enum status status = decode_item(run, tools, &run->records[i], &tools->items[i], error);
        if (status != STATUS_OK)
            return status;
    }
    find_all(run, tools);
    return STATUS_OK;
}

/* ---- transfers
 * ----------------------------------------------------------------------------------- */

static void copy_key(struct partition_run *run, const struct transfer_key *key)
{
    const struct baton_text *from[] = {&key->event_id, &key->from, &key->to};
    struct baton_text *to[] = {&run->awaited.event_id, &run->awaited.from, &run->awaited.to};
    arena_reset(&run->waiting);
    for (size_t i = 0; i < 3; i++)
        *to[i] = (struct baton_text){arena_copy(&run->waiting, from[i]->data, from[i]->size),
                                     from[i]->size};
}

/* The state that each run's own sender took along, in place of the log's. False: not there yet. */
static bool find_states(struct partition_run *run, struct partition_tools *tools,
                        const struct baton_event *event, struct transfer_states *states)
{
    struct transfer_key key = {event->event_id, event->transfer->from, event->lead_id};
    *states = (struct transfer_states){.states = {{NULL, 0}}};
    if (transfers_take(run->transfers, &key, &tools->fold.arena, states))
        return true;
    if (!run->gives_up) {
        copy_key(run, &key);
        run->awaited_ms = run->records[run->next].timestamp_ms;
        return false;
    }
    run->gives_up = false;
    run->transfers_from_log++;
    return true;
}

/* A merge makes a transfer; one that reaches a lead that was given up is passed on as it came. */
static void put_states(struct partition_run *run, const struct baton_event *event,
                       const struct transfer_states *taken,
                       const struct folded folded[TRANSFER_RUNS])
{
    struct transfer_states states = {.states = {{NULL, 0}}};
    struct transfer_key key = {event->event_id, event->lead_id, {NULL, 0}};
    bool passes_on = event->kind == BATON_TRANSFER;
    if (passes_on)
        key.from = event->transfer->from;
    for (size_t i = 0; i < run->run_count; i++) {
        if (folded[i].result.hop != (passes_on ? BATON_HOP_FORWARD : BATON_HOP_TRANSFER))
            continue;
        states.states[i] = passes_on ? taken->states[i] : folded[i].cargo.state;
        key.to = folded[i].result.to;
    }
    if (key.to.size)
        transfers_put(run->transfers, &key, &states);
}

/* ---- fold
 * ---------------------------------------------------------------------------------------- */

static void fold_by(struct partition_run *run, struct partition_tools *tools, size_t by,
                    const struct replayed *item, const struct record *record,
                    const struct transfer_states *states, struct folded *folded)
{
    struct origin origin = {.topic = run->config->events_topic,
                            .partition = run->number,
                            .offset = record->offset,
                            .headers = record->headers,
                            .header_count = record->header_count};
    if (item->event.kind != BATON_TRANSFER || !states->states[by].data) {
        fold_run_take(&run->runs[by], &tools->fold, &item->event, item->entries[by], &origin,
                      folded);
        return;
    }
    struct baton_event event = item->event;
    struct baton_transfer transfer = *event.transfer;
    transfer.state = states->states[by];
    event.transfer = &transfer;
    fold_run_take(&run->runs[by], &tools->fold, &event, item->entries[by], &origin, folded);
}

/* Another version of the agreement: the rest of the batch was looked for as the former one wants
 * it. */
static void turn(struct partition_run *run, struct partition_tools *tools, size_t by)
{
    fold_run_turn(&run->runs[by], &tools->items[run->next].event);
    for (size_t i = run->next; i < run->count; i++)
        find_in(&run->runs[by], by, tools, &tools->items[i]);
}

static bool turns(const struct partition_run *run, size_t by, const struct replayed *item)
{
    return fold_run_turns(&run->runs[by], &item->event) &&
           (item->entries[by] || baton_kind_is_of_unit(item->event.kind));
}

/* False: the event waits for another partition. */
static bool fold_item(struct partition_run *run, struct partition_tools *tools,
                      struct replayed *item, const struct record *record)
{
    struct folded folded[TRANSFER_RUNS];
    struct transfer_states states;
    if (item->outcome == READ_EVENT && item->event.kind == BATON_TRANSFER &&
        !find_states(run, tools, &item->event, &states))
        return false;
    reading_figures_count(&run->figures, &item->event, item->outcome);
    if (item->outcome != READ_EVENT)
        return true;
    for (size_t i = 0; i < run->run_count; i++) {
        folded[i].result.hop = BATON_NO_HOP;
        if (turns(run, i, item))
            turn(run, tools, i);
        if (item->entries[i])
            fold_by(run, tools, i, item, record, &states, &folded[i]);
    }
    if (folded[0].result.hop || (run->run_count > 1 && folded[1].result.hop))
        put_states(run, &item->event, &states, folded);
    return true;
}

/* How far it has come, told once a batch. */
static void advance(struct partition_run *run, int64_t position, size_t records)
{
    atomic_fetch_add_explicit(&run->progress->events, records, memory_order_relaxed);
    atomic_fetch_add_explicit(&run->progress->done, (uint64_t)(position - run->position),
                              memory_order_relaxed);
    run->position = position;
}

/* False: it waits. */
static bool fold_batch(struct partition_run *run, struct partition_tools *tools)
{
    size_t from = run->next;
    bool goes_on = true;
    while (goes_on && run->next < run->count) {
        goes_on = fold_item(run, tools, &tools->items[run->next], &run->records[run->next]);
        run->next += goes_on;
    }
    if (run->next > from)
        advance(run, run->records[run->next - 1].offset + 1, run->next - from);
    return goes_on;
}

static bool is_too_lean(const struct partition_run *run)
{
    return run->runs[0].is_too_lean || run->runs[1].is_too_lean;
}

enum run_state partition_run_step(struct partition_run *run, struct partition_tools *tools,
                                  struct error *error)
{
    if (!run->reader)
        run->reader = run->log->open(run->log->context, run->number);
    for (;;) {
        if (run->next == run->count) {
            run->next = run->count = 0;
            enum status status =
                run->log->next(run->reader, run->records, PARTITION_RECORDS, &run->count, error);
            if (status != STATUS_OK)
                return RUN_FAILED;
            if (!run->count)
                break;
        }
        if (take_in(run, tools, error) != STATUS_OK)
            return RUN_FAILED;
        bool goes_on = fold_batch(run, tools);
        if (is_too_lean(run))
            return RUN_TOO_LEAN;
        if (!goes_on)
            return RUN_WAITS;
    }
    advance(run, run->end, 0);
    run->log->close(run->reader);
    run->reader = NULL;
    return RUN_DONE;
}
