/* Copies of the state at one position, streamed to the store: aggregates and words first, leads
 * next, the position last. Nothing that Kafka has not committed is ever written. */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void copy_lead(struct worker *worker, struct unit *unit, uint32_t number)
{
    struct checkpoint_copy *copy = &unit->copy;
    struct lead_entry *entry = lead_table_entry(&worker->table, number);
    struct copied_lead *to = &copy->leads[copy->lead_count++];
    uint8_t *packed = arena_take(&copy->arena, baton_lead_pack_bound(&entry->lead));
    size_t size = baton_lead_pack(&entry->lead, copy->position, packed);
    arena_trim(&copy->arena, packed, size);
    struct baton_score score;
    baton_lead_score(&entry->lead, unit_agreement(unit), entry->lead.newest_ms, &score);
    *to = (struct copied_lead){.entry = number,
                               .stored = {.id = lead_table_id(entry),
                                          .score = score,
                                          .stage = (enum baton_stage)entry->lead.stage,
                                          .stage_stands = entry->stored_size != 0 &&
                                                          entry->stored_stage == entry->lead.stage,
                                          .updated_ms = entry->lead.newest_ms,
                                          .packed = packed,
                                          .packed_size = size,
                                          .former_size = entry->stored_size}};
    entry->flags = (uint8_t)((entry->flags & ~LEAD_DIRTY) | LEAD_IN_COPY);
    entry->stored_size = (uint32_t)size;
    entry->stored_stage = entry->lead.stage;
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
    copy->words_sent = unit->words_stored;
    copy->words_end = unit->words.count;
    copy->lead_count = copy->leads_sent = 0;
    /* of this position: folding may be under the next one by the time that it is written */
    copy->agreement = unit->state == UNIT_SETTLING ? worker->config.agreement
                                                   : unit->stretches[unit->stretch].agreement;
    arena_reset(&copy->arena);
    if (unit->dirty_count > copy->lead_room) {
        copy->lead_room = unit->dirty_count;
        copy->leads = memory_resize(copy->leads, copy->lead_room * sizeof *copy->leads);
    }
    for (size_t i = 0; i < unit->dirty_count; i++)
        copy_lead(worker, unit, unit->dirty[i]);
    worker->dirty_total -= unit->dirty_count;
    unit->dirty_count = 0;
    unit->last_checkpoint_us = worker_now_us(worker);
}

void checkpoint_drop(struct worker *worker, struct unit *unit)
{
    (void)worker;
    unit->copy.phase = COPY_NONE;
    unit->copy.lead_count = 0;
    arena_reset(&unit->copy.arena);
}

bool checkpoint_is_due(struct worker *worker, const struct unit *unit)
{
    if (unit->dirty_count == 0 && unit->position <= unit->stored && unit->state != UNIT_SETTLING)
        return false;
    if (unit->state == UNIT_SETTLING || worker->dirty_total >= worker->config.dirty_max ||
        worker->table.bytes > worker->table.limit_bytes)
        return true;
    int64_t interval_ms = worker_is_behind(worker) ? worker->config.checkpoint_interval_behind_ms
                                                   : worker->config.checkpoint_interval_ms;
    return worker_now_us(worker) >= unit->last_checkpoint_us + interval_ms * 1000;
}

/* ---- streaming it out
 * ----------------------------------------------------------------------------- */

static enum status write_aggregates(struct worker *worker, struct unit *unit, struct error *error)
{
    struct text_buffer aggregates, verdicts;
    text_buffer_init(&aggregates);
    text_buffer_init(&verdicts);
    unit_record_print_aggregates(&aggregates, &unit->copy.aggregates);
    unit_record_print_verdicts(&verdicts, unit->metadata.verdicts, unit->metadata.verdict_count);
    struct field fields[2] = {field_of("aggregates", aggregates.data),
                              field_of("verdicts", verdicts.data ? verdicts.data : "")};
    struct store_write write = {.fields = fields, .field_count = 2};
    enum status status =
        worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write, error);
    text_buffer_fini(&aggregates);
    text_buffer_fini(&verdicts);
    return status;
}

static enum status push_aggregates(struct worker *worker, struct unit *unit, struct error *error)
{
    unit->copy.phase = COPY_WORDS;
    if (SEEDED_FAULT("digest_last"))
        return STATUS_OK;
    enum status status = write_aggregates(worker, unit, error);
    CRASH_POINT("checkpoint_aggregates");
    return status;
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
    if (copy->words_sent == copy->words_end)
        copy->phase = COPY_LEADS;
    struct store_write write = {.words = words, .word_count = count};
    return count ? worker->ports.store->write(worker->ports.store, unit->number, &unit->fence,
                                              &write, error)
                 : STATUS_OK;
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
    char position[24], fold[12], input[20], now[24], words[12];
    (void)snprintf(position, sizeof position, "%" PRId64, copy->position);
    (void)snprintf(fold, sizeof fold, "%d", FOLD_VERSION);
    (void)snprintf(words, sizeof words, "%" PRIu32, copy->words_end);
    (void)snprintf(input, sizeof input, "%016" PRIx64, worker->input_hash);
    (void)snprintf(now, sizeof now, "%" PRId64, worker->ports.clock->wall_ms(worker->ports.clock));
    bool rebuilt = unit->rebuild_until >= 0 && copy->position >= unit->rebuild_until &&
                   unit->committed > unit->rebuild_until;
    struct field fields[8] = {field_of("position", position),
                              field_of("fold", fold),
                              field_of("input", input),
                              field_of("updated", now),
                              field_of("agreement", agreement_hash(copy->agreement)),
                              field_of("words", words)};
    size_t count = 6;
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
    return status;
}

static enum status push_next(struct worker *worker, struct unit *unit, struct error *error)
{
    switch (unit->copy.phase) {
    case COPY_AGGREGATES: return push_aggregates(worker, unit, error);
    case COPY_WORDS: return push_words(worker, unit, error);
    case COPY_LEADS: return push_leads(worker, unit, error);
    case COPY_POSITION: return push_position(worker, unit, error);
    default: return STATUS_OK;
    }
}

static void copy_stored(struct worker *worker, struct unit *unit)
{
    struct checkpoint_copy *copy = &unit->copy;
    for (size_t i = 0; i < copy->lead_count; i++)
        lead_table_entry(&worker->table, copy->leads[i].entry)->flags &= (uint8_t)~LEAD_IN_COPY;
    unit->stored = copy->position;
    unit->words_stored = copy->words_end;
    atomic_fetch_add_explicit(&worker->figures.leads_written, copy->lead_count,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->figures.checkpoints, 1, memory_order_relaxed);
    copy->phase = COPY_NONE;
    copy->lead_count = 0;
    /* not by a copy that was on its way when K was reached */
    if (unit->state == UNIT_SETTLING && copy->position == unit->committed &&
        copy->agreement == worker->config.agreement)
        takeover_settled(worker, unit);
}

static bool is_sending(const struct checkpoint_copy *copy)
{
    return copy->phase >= COPY_AGGREGATES && copy->phase <= COPY_POSITION;
}

/* Sends what may be sent and takes in answers; never waits. */
void checkpoint_push(struct worker *worker, struct unit *unit)
{
    struct checkpoint_copy *copy = &unit->copy;
    if (copy->phase < COPY_AGGREGATES || worker->store_away)
        return;
    struct error error;
    size_t outstanding = 0;
    enum status status =
        worker->ports.store->settle(worker->ports.store, unit->number, false, &outstanding, &error);
    while (status == STATUS_OK && is_sending(copy) && outstanding < CHECKPOINT_WRITES_AHEAD) {
        status = push_next(worker, unit, &error);
        outstanding++;
    }
    unit->last_contact_us = worker_now_us(worker);
    if (status != STATUS_OK)
        unit_write_failed(worker, unit, status, &error);
    else if (copy->phase == COPY_CONFIRM && outstanding == 0)
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
                   (checkpoint_is_due(worker, unit) ||
                    (hurry && (unit->dirty_count || unit->position > unit->stored)));
        if (due && (unit->position <= unit->committed || unit->state == UNIT_REPLAYING ||
                    SEEDED_FAULT("ahead")))
            checkpoint_copy_at(worker, unit, COPY_AGGREGATES);
        else if (due)
            worker->commit_wanted = true; /* the copy is taken when that transaction begins */
        checkpoint_push(worker, unit);
    }
}
