/* Promotions, stage changes, dead letters and offsets leave in one transaction. */
#include "base/crash_point.h"
#include "codec/own_event.h"
#include "pipeline/pipeline.h"
#include "text/sha256.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- outboxes
 * ------------------------------------------------------------------------------------- */

struct outbox *outbox_take(struct worker *worker)
{
    if (worker->spare_count)
        return worker->spare_outboxes[--worker->spare_count];
    struct outbox *outbox = memory_take_zeroed(1, sizeof *outbox);
    arena_init(&outbox->arena, 16384);
    return outbox;
}

void outbox_give_back(struct worker *worker, struct outbox *outbox)
{
    arena_reset(&outbox->arena);
    outbox->count = 0;
    outbox->promotions = outbox->stage_changes = 0;
    worker->spare_outboxes =
        memory_resize(worker->spare_outboxes, (worker->spare_count + 1) * sizeof(struct outbox *));
    worker->spare_outboxes[worker->spare_count++] = outbox;
}

static struct outgoing_message *outbox_message(struct worker *worker, struct unit *unit)
{
    struct outbox *outbox = unit->outbox;
    if (outbox->count == outbox->room) {
        outbox->room = outbox->room ? outbox->room * 2 : 16;
        outbox->messages = memory_resize(outbox->messages, outbox->room * sizeof *outbox->messages);
    }
    if (worker->first_waiting_us == 0)
        worker->first_waiting_us = worker_now_us(worker);
    return &outbox->messages[outbox->count++];
}

static struct origin origin_of(const struct worker *worker, const struct record *record)
{
    return (struct origin){.topic = worker->config.events_topic,
                           .partition = record->unit,
                           .offset = record->offset,
                           .headers = record->headers,
                           .header_count = record->header_count};
}

void outbox_add_dead(struct worker *worker, struct unit *unit, const struct record *record,
                     const struct decode_result *verdict)
{
    struct origin origin = origin_of(worker, record);
    struct message message = {.key = record->key,
                              .key_size = record->key_size,
                              .value = record->value,
                              .value_size = record->value_size,
                              .timestamp_ms = record->timestamp_ms,
                              .offset = record->offset};
    encoder_dead_letter(worker->encoder, &unit->outbox->arena, &message, &origin, verdict,
                        worker->config.dead_letter_bytes, outbox_message(worker, unit));
}

/* A report that was ignored, an adjustment: beside the transitions that there may be. */
static void add_notice(struct worker *worker, struct unit *unit, struct stage_view *view,
                       const struct baton_fold_result *result)
{
    const struct baton_lead *lead = view->lead;
    struct baton_transition stays = {.from = (enum baton_stage)lead->stage,
                                     .to = (enum baton_stage)lead->stage,
                                     .generation = lead->generation};
    baton_lead_score(lead, view->agreement, lead->newest_ms, &stays.score);
    static const enum stage_record_kind kinds[] = {[BATON_IGNORED] = RECORD_IGNORED,
                                                   [BATON_ADJUSTED] = RECORD_ADJUSTED,
                                                   [BATON_MERGED] = RECORD_MERGED,
                                                   [BATON_ERASED] = RECORD_ERASED};
    char proof[SHA256_HEX_SIZE + 1];
    const struct baton_event *event = view->event;
    view->kind = kinds[result->notice];
    view->transition = &stays;
    view->why = result->why;
    view->other = result->to;
    view->stage_offset = result->stage_offset;
    if (result->notice == BATON_ERASED) {
        hmac_sha256_hex(event->event_id.data, event->event_id.size, event->lead_id.data,
                        event->lead_id.size, proof);
        view->proof = (struct baton_text){proof, SHA256_HEX_SIZE};
    }
    encoder_stage_change(worker->encoder, &unit->outbox->arena, view, outbox_message(worker, unit));
    unit->outbox->stage_changes++;
}

/* The promotion goes out, and the log says when: sales' clocks begin with that event. */
static int64_t publish(struct worker *worker, struct unit *unit, const struct baton_event *event,
                       const struct baton_transition *transition, const struct origin *origin)
{
    int64_t now_ms = worker->ports.clock->wall_ms(worker->ports.clock);
    own_event_published(&unit->outbox->arena, unit->number, origin, event->lead_id,
                        transition->generation, now_ms, outbox_message(worker, unit));
    return now_ms;
}

void outbox_add_stages(struct worker *worker, struct unit *unit, const struct record *record,
                       const struct baton_event *event, const struct lead_entry *entry,
                       const struct baton_fold_result *result, struct baton_text owner)
{
    struct origin origin = origin_of(worker, record);
    const struct baton_pact *pact = unit_agreement(unit)->pact;
    for (uint32_t i = 0; i < result->transition_count; i++) {
        const struct baton_transition *transition = &result->transitions[i];
        bool promotes = transition->to == BATON_SQL && !transition->adopted;
        struct stage_view view = {.lead = &entry->lead,
                                  .event = event,
                                  .transition = transition,
                                  .agreement = unit_agreement(unit),
                                  .words = &unit->words,
                                  .origin = &origin};
        if (promotes && pact && pact->has_clocks)
            view.published_ms = publish(worker, unit, event, transition, &origin);
        encoder_stage_change(worker->encoder, &unit->outbox->arena, &view,
                             outbox_message(worker, unit));
        unit->outbox->stage_changes++;
        if (!promotes)
            continue;
        view.owner = owner;
        encoder_promotion(worker->encoder, &unit->outbox->arena, &view,
                          outbox_message(worker, unit));
        unit->outbox->promotions++;
    }
    if (result->notice) {
        struct stage_view view = {.lead = &entry->lead,
                                  .event = event,
                                  .agreement = unit_agreement(unit),
                                  .words = &unit->words,
                                  .origin = &origin};
        add_notice(worker, unit, &view, result);
    }
}

void outbox_add_breach(struct worker *worker, struct unit *unit, const struct breach_view *view)
{
    encoder_breach(worker->encoder, &unit->outbox->arena, view, outbox_message(worker, unit));
}

void outbox_add_recheck(struct worker *worker, struct unit *unit, struct baton_text lead_id,
                        int64_t time_ms)
{
    own_event_recheck(&unit->outbox->arena, unit->number, lead_id, time_ms,
                      outbox_message(worker, unit));
}

void outbox_add_tick(struct worker *worker, struct unit *unit, int64_t time_ms)
{
    own_event_tick(&unit->outbox->arena, unit->number, time_ms, outbox_message(worker, unit));
}

/* No part of the digest: it follows from the broker's settings, and not from the log. */
static void too_large(struct worker *worker, struct unit *unit, const struct record *record,
                      const struct decode_result *verdict)
{
    log_warn("worker=%u unit=%u offset %" PRId64 " is a dead letter: %s", worker->config.number,
             unit->number, record->offset, verdict->detail);
    atomic_fetch_add_explicit(&worker->figures.dead[verdict->reason], 1, memory_order_relaxed);
    unit->aggregates.dead[verdict->reason]++;
    outbox_add_dead(worker, unit, record, verdict);
}

/* What follows from an event has its time, and is held to input.max_ahead as it is: where its
 * writer's clock was ahead, so is this record's. Never back, where a broker may refuse it. */
static int64_t timestamp_of(struct worker *worker, const struct record *record)
{
    int64_t now_ms = worker->ports.clock->wall_ms(worker->ports.clock);
    return record->timestamp_ms > now_ms ? record->timestamp_ms : now_ms;
}

void outbox_add_hops(struct worker *worker, struct unit *unit, const struct record *record,
                     const struct message *message, const struct baton_event *event,
                     const struct baton_fold_result *result, const struct hop_cargo *cargo)
{
    struct origin origin = origin_of(worker, record);
    struct hop_cause cause = {.event = event,
                              .origin = &origin,
                              .clock_ms = unit->clock_ms,
                              .arrived_ms = event_arrived_ms(record, event)};
    size_t count;
    struct outgoing_message *made =
        hops_make(&unit->outbox->arena, message, &cause, result, cargo, &count);
    for (size_t i = 0; i < count; i++) {
        struct decode_result verdict;
        if (!hops_fit(&made[i], worker->config.event_bytes, &verdict)) {
            too_large(worker, unit, record, &verdict);
            continue;
        }
        struct baton_text key = {made[i].key, (uint32_t)made[i].key_size};
        made[i].timestamp_ms = timestamp_of(worker, record);
        made[i].partition = partition_of(worker->partitioner, key, worker->partitions);
        *outbox_message(worker, unit) = made[i];
    }
}

void outbox_add_identity(struct worker *worker, struct unit *unit, const struct record *record,
                         const struct baton_event *event, struct baton_text into)
{
    struct origin origin = origin_of(worker, record);
    struct hop_cause cause = {.event = event, .origin = &origin};
    struct outgoing_message made;
    hop_identify(&unit->outbox->arena, &cause, into, &made);
    made.partition = record->unit;
    made.timestamp_ms = timestamp_of(worker, record);
    *outbox_message(worker, unit) = made;
}

void outbox_add_judged(struct worker *worker, struct unit *unit, const struct judgement *judgement,
                       int64_t time_ms)
{
    const struct baton_text *texts = judgement->texts;
    struct arena *arena = &unit->outbox->arena;
    uint8_t *bytes;
    size_t size = judgement_pack(judgement, &bytes, arena);
    struct text_buffer name;
    text_buffer_init(&name);
    text_buffer_print(&name, "%.*s/%.*s/%" PRId64, (int)texts[JUDGEMENT_PROMISE].size,
                      texts[JUDGEMENT_PROMISE].data, (int)texts[JUDGEMENT_PERIOD].size,
                      texts[JUDGEMENT_PERIOD].data, judgement->seen);
    own_event_judged(arena, texts[JUDGEMENT_PROMISE],
                     (struct baton_text){name.data, (uint32_t)name.size},
                     (struct baton_text){(const char *)bytes, (uint32_t)size}, time_ms,
                     outbox_message(worker, unit));
    text_buffer_fini(&name);
}

/* ---- the transaction
 * ------------------------------------------------------------------------------ */

static bool stands_live(const struct unit *unit)
{
    return unit->state == UNIT_LIVE;
}

/* Is the unit's offset part of the next transaction? */
static bool takes_part(const struct worker *worker, const struct unit *unit)
{
    if (stands_live(unit))
        return unit->position > unit->committed || unit->outbox->count || !worker->sink_warm ||
               unit->clocks.fire_wanted;
    if (unit->state == UNIT_NEW)
        return true;
    return unit->state == UNIT_REPLAYING && !worker->sink_warm && unit->committed >= 0;
}

/* K may not be read while a transaction is open: a take-over that can go on now goes first. One
 * that waits for somebody does not hold up the other units. */
static bool gives_way(struct worker *worker)
{
    return worker_is_taking_over(worker) && !worker->store_away &&
           worker_now_us(worker) >= worker->retry_at_us;
}

static bool has_moved(const struct unit *unit)
{
    return stands_live(unit) &&
           (unit->position > unit->committed || unit->outbox->count || unit->clocks.fire_wanted);
}

bool emit_is_near(const struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        if (has_moved(worker->units[i]) &&
            (worker->commit_wanted || worker->units[i]->outbox->count))
            return true;
    return false;
}

/* hurry: a revocation or a stop; whatever there is to commit is due now. */
bool emit_is_due(struct worker *worker, bool hurry)
{
    if (worker->sink_busy || !worker->sink_ready || (gives_way(worker) && !hurry))
        return false;
    bool moved = false, fresh = false;
    for (size_t i = 0; i < worker->unit_count; i++) {
        const struct unit *unit = worker->units[i];
        moved = moved || has_moved(unit);
        fresh =
            fresh || (unit->state == UNIT_NEW) || (takes_part(worker, unit) && !worker->sink_warm);
    }
    if (hurry)
        return moved;
    if (fresh)
        return true;
    int64_t now = worker_now_us(worker);
    int64_t pace_ms =
        worker_is_behind(worker) ? worker->config.emit_pace_behind_ms : worker->config.emit_pace_ms;
    if (!moved || now < worker->last_commit_us + pace_ms * 1000)
        return false;
    if (worker->commit_wanted)
        return true;
    if (worker->first_waiting_us &&
        now >= worker->first_waiting_us + worker->config.emit_linger_ms * 1000)
        return true;
    return now >= worker->last_commit_us + worker->config.commit_interval_ms * 1000;
}

/* What the committed offset of the unit's position will carry; owned by the caller. */
static char *print_metadata(struct unit *unit)
{
    struct commit_metadata *metadata = &unit->metadata;
    metadata->present = true;
    metadata->clock_ms = unit->clock_ms;
    metadata->digest = unit->aggregates.digest;
    metadata->transitions = unit->aggregates.transitions;
    metadata->dead = 0;
    for (unsigned reason = 1; reason < DEAD_REASONS; reason++)
        metadata->dead += unit->aggregates.dead[reason];
    (void)strcpy(metadata->agreement, agreement_hash(unit->stretches[unit->stretch].agreement));
    struct text_buffer text;
    text_buffer_init(&text);
    commit_metadata_print(&text, metadata);
    assert(text.size <= UNIT_METADATA_MAX);
    return text.data;
}

static void add_messages(struct worker *worker, struct unit *unit)
{
    struct outbox *outbox = unit->outbox;
    size_t need = worker->transaction.message_count + outbox->count;
    if (need > worker->message_room) {
        worker->message_room = need * 2;
        worker->transaction_messages =
            memory_resize(worker->transaction_messages,
                          worker->message_room * sizeof *worker->transaction_messages);
    }
    if (outbox->count)
        memcpy(worker->transaction_messages + worker->transaction.message_count, outbox->messages,
               outbox->count * sizeof *outbox->messages);
    worker->transaction.message_count = need;
    worker->sent_promotions += outbox->promotions;
    worker->sent_stage_changes += outbox->stage_changes;
    worker->sent = memory_resize(worker->sent, (worker->sent_count + 1) * sizeof(struct outbox *));
    worker->sent[worker->sent_count++] = outbox;
    unit->outbox = outbox_take(worker);
}

static void add_unit(struct worker *worker, struct unit *unit)
{
    char *metadata;
    unit->in_transaction = true;
    unit->transaction_position = unit->position;
    if (stands_live(unit)) {
        clocks_fire(worker, unit);
        metadata = print_metadata(unit);
        add_messages(worker, unit);
        sweep_sent(unit);
        if (unit->copy.phase == COPY_NONE && checkpoint_is_due(worker, unit))
            checkpoint_copy_at(worker, unit, COPY_WAITS_FOR_COMMIT);
    } else if (unit->state == UNIT_NEW) {
        clocks_fire(worker, unit);
        metadata = print_metadata(unit);
    } else { /* a replay: K again as it stands, so that the producer's slow first transaction is
                behind it */
        unit->transaction_position = SEEDED_FAULT("regress") ? unit->position : unit->committed;
        metadata = memory_copy_text(unit->metadata_text);
    }
    size_t n = worker->transaction.commit_count++;
    if (n == worker->commit_room) {
        worker->commit_room = n ? n * 2 : 16;
        worker->transaction_commits = memory_resize(
            worker->transaction_commits, worker->commit_room * sizeof *worker->transaction_commits);
        worker->transaction_texts =
            memory_resize(worker->transaction_texts, worker->commit_room * sizeof(char *));
    }
    worker->transaction_texts[n] = metadata;
    worker->transaction_commits[n] = (struct unit_commit){
        .unit = unit->number, .offset = unit->transaction_position, .metadata = metadata};
}

void emit_begin(struct worker *worker)
{
    assert(!worker->sink_busy && worker->sent_count == 0);
    worker->transaction = (struct transaction){0};
    worker->sent_promotions = worker->sent_stage_changes = 0;
    for (size_t i = 0; i < worker->unit_count; i++)
        if (takes_part(worker, worker->units[i]))
            add_unit(worker, worker->units[i]);
    worker->transaction.messages = worker->transaction_messages;
    worker->transaction.commits = worker->transaction_commits;
    worker->first_waiting_us = 0;
    worker->commit_wanted = false;
    if (worker->transaction.commit_count == 0)
        return;
    worker->sink_busy = true;
    worker->ports.sink->begin(worker->ports.sink, &worker->transaction);
}

void transaction_forget(struct worker *worker)
{
    for (size_t i = 0; i < worker->transaction.commit_count; i++)
        free(worker->transaction_texts[i]);
    worker->transaction = (struct transaction){0};
    for (size_t i = 0; i < worker->sent_count; i++)
        outbox_give_back(worker, worker->sent[i]);
    worker->sent_count = 0;
}

/* Takes the text. */
static void unit_committed(struct worker *worker, struct unit *unit, char **metadata)
{
    unit->in_transaction = false;
    if (unit->state == UNIT_CLAIMING || unit->state == UNIT_STOPPED)
        return; /* lost meanwhile: its next owner reads K anew */
    unit->committed = unit->transaction_position;
    unit->clock_confirmed_ms = unit->clock_ms;
    free(unit->metadata_text);
    unit->metadata_text = *metadata;
    *metadata = NULL;
    if (unit->copy.phase == COPY_WAITS_FOR_COMMIT && unit->copy.position <= unit->committed)
        unit->copy.phase = COPY_AGGREGATES;
    if (unit->state == UNIT_NEW)
        takeover_committed(worker, unit);
    sweep_committed(worker, unit);
}

static void add_figure(atomic_uint_fast64_t *figure, uint64_t more)
{
    atomic_fetch_add_explicit(figure, more, memory_order_relaxed);
}

static void transaction_committed(struct worker *worker)
{
    CRASH_POINT("commit_confirmed");
    worker->sink_warm = true;
    worker->failures = 0;
    add_figure(&worker->figures.transactions, 1);
    add_figure(&worker->figures.promotions, worker->sent_promotions);
    add_figure(&worker->figures.stage_changes, worker->sent_stage_changes);
    for (size_t i = 0; i < worker->transaction.commit_count; i++) {
        struct unit *unit = worker->by_number[worker->transaction_commits[i].unit];
        if (unit && unit->in_transaction) /* not dropped, and perhaps given again, meanwhile */
            unit_committed(worker, unit, &worker->transaction_texts[i]);
    }
}

static void transaction_failed(struct worker *worker, const char *why)
{
    worker->sink_ready = worker->sink_warm = false;
    for (size_t i = 0; i < worker->unit_count; i++)
        worker->units[i]->in_transaction = false;
    if (worker->failures == 1) /* the second in a row, told once */
        log_warn("worker=%u transactions are not confirmed: %s. Are all topics there? baton topics "
                 "-c %s",
                 worker->config.number, why, worker->config.config_file);
    worker_recover_all(worker, why);
    /* a broker that refuses every transaction is asked again after growing pauses */
    int64_t pause_ms = worker->failures ? (int64_t)RETRY_FIRST_MS << worker->failures : 0;
    worker->retry_at_us =
        worker_now_us(worker) + 1000 * (pause_ms < RETRY_LAST_MS ? pause_ms : RETRY_LAST_MS);
    worker->failures += worker->failures < 10;
}

void emit_poll(struct worker *worker)
{
    if (!worker->sink_busy)
        return;
    struct error error;
    enum sink_state state = worker->ports.sink->poll(worker->ports.sink, &error);
    if (state == SINK_BUSY)
        return;
    if (state == SINK_FAILED && SEEDED_FAULT("keep") &&
        worker->ports.sink->reset(worker->ports.sink, &error) == STATUS_OK)
        state = SINK_COMMITTED;
    worker->sink_busy = false;
    worker->last_commit_us = worker_now_us(worker);
    if (state == SINK_COMMITTED)
        transaction_committed(worker);
    else
        transaction_failed(worker, error.text);
    transaction_forget(worker);
}
