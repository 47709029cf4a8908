/* A unit whose state is gone: stages and generations come back from the stages topic, tallies from
 * the log. */
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct restoring {
    struct worker *worker;
    struct unit *unit;
    int64_t first;
    uint64_t leads;
};

static void restore_stage(struct restoring *restoring, const struct stage_record *record)
{
    struct worker *worker = restoring->worker;
    uint32_t unit = restoring->unit->number;
    uint64_t hash = lead_table_hash(unit, record->lead_id);
    struct lead_entry *entry = lead_table_find(&worker->table, hash, unit, record->lead_id);
    if (!entry) {
        entry = lead_table_add(&worker->table, hash, unit, record->lead_id);
        baton_lead_attach(&entry->lead, unit_agreement(restoring->unit));
        unit_mark_dirty(worker, restoring->unit, entry);
        restoring->leads++;
    }
    struct baton_lead *lead = &entry->lead;
    if (record->generation < lead->generation ||
        (record->generation == lead->generation && record->stage < lead->stage))
        return;
    lead->generation = record->generation;
    lead->stage = (uint8_t)record->stage;
    lead->stage_ms = record->time_ms;
    lead->applied = restoring->first;
    if (record->stage == BATON_MQL)
        lead->mql_ms = record->time_ms;
    if (record->stage == BATON_SQL)
        lead->sql_ms = record->time_ms;
}

static enum status each_record(void *context, const uint8_t *value, size_t size)
{
    struct restoring *restoring = context;
    struct stage_record record;
    struct error ignored;
    struct arena *arena = &restoring->worker->scratch;
    arena_reset(arena);
    if (stage_record_read(value, size, arena, &record, &ignored) == STATUS_OK &&
        record.partition == restoring->unit->number && record.lead_id.size <= BATON_ID_MAX)
        restore_stage(restoring, &record);
    return STATUS_OK;
}

static enum status may_promote_again(struct worker *worker, const struct unit *unit,
                                     bool stages_cut, int64_t first, struct error *error)
{
    if (stages_cut)
        log_warn("worker=%u unit=%u retention has removed the beginning of the stages topic: "
                 "stages entered before are not known",
                 worker->config.number, unit->number);
    if (first > 0)
        log_warn("worker=%u unit=%u retention has removed the events below offset %" PRId64
                 ": they are not counted again",
                 worker->config.number, unit->number, first);
    if (!stages_cut || worker->config.rebuild_yes)
        return STATUS_OK;
    return error_set(error, STATUS_STOP,
                     "a rebuild could promote leads a second time, as retention has removed the "
                     "beginning of the stages topic: if "
                     "that is acceptable, run baton run -c %s --rebuild --yes",
                     worker->config.config_file);
}

/* Writes the restored leads before the unit gets a position: until then another start finds the
 * state gone again. */
static enum status write_restored(struct worker *worker, struct unit *unit, struct error *error)
{
    unit->copy.phase = COPY_NONE;
    unit->state = UNIT_REPLAYING; /* the copy is of a silent fold */
    checkpoint_copy_at(worker, unit, COPY_LEADS);
    unit->state = UNIT_CLAIMING;
    enum status status = STATUS_OK;
    struct checkpoint_copy *copy = &unit->copy;
    while (status == STATUS_OK && copy->leads_sent < copy->lead_count) {
        struct stored_lead leads[STORE_WRITE_LEADS];
        size_t count = 0;
        while (copy->leads_sent < copy->lead_count && count < STORE_WRITE_LEADS)
            leads[count++] = copy->leads[copy->leads_sent++].stored;
        struct store_write write = {.leads = leads, .lead_count = count};
        status = unit_write_now(worker, unit, &write, error);
    }
    for (size_t i = 0; i < copy->lead_count; i++)
        lead_table_entry(&worker->table, copy->leads[i].entry)->flags &= (uint8_t)~LEAD_IN_COPY;
    checkpoint_drop(worker, unit);
    return status;
}

/* The position goes first: a unit that has one, and none of its leads, would begin all of them
 * anew.
 */
static enum status remove_state(struct worker *worker, struct unit *unit, struct error *error)
{
    struct field position = field_of("position", "");
    struct store_write write = {.fields = &position, .field_count = 1};
    enum status status = unit_write_now(worker, unit, &write, error);
    if (status != STATUS_OK)
        return status;
    return worker->ports.store->clear(worker->ports.store, unit->number, &unit->fence, error);
}

enum status rebuild_unit(struct worker *worker, struct unit *unit, int64_t committed,
                         struct error *error)
{
    int64_t first, end;
    bool stages_cut = false;
    const struct agreement *agreement = NULL;
    struct restoring restoring = {.worker = worker, .unit = unit};
    enum status status =
        worker->ports.source->range(worker->ports.source, unit->number, &first, &end, error);
    if (status == STATUS_OK)
        status = agreements_store(worker, unit, error);
    if (status == STATUS_OK)
        status = agreements_find(worker, unit, agreement_hash(worker->config.agreement), &agreement,
                                 error);
    if (status != STATUS_OK)
        return status;
    unit->position = unit->stored = unit->start = first;
    unit->stretches[0] = (struct stretch){.from = first, .agreement = agreement};
    unit->stretch_count = 1;
    restoring.first = first;
    status = worker->ports.stage_log->read(worker->ports.stage_log, each_record, &restoring,
                                           &stages_cut, error);
    if (status == STATUS_OK)
        status = may_promote_again(worker, unit, stages_cut, first, error);
    if (status == STATUS_OK)
        status = remove_state(worker, unit, error);
    if (status == STATUS_OK)
        status = write_restored(worker, unit, error);
    if (status != STATUS_OK)
        return status;
    unit->aggregates = (struct unit_aggregates){.position = first};
    unit->rebuild_until = committed;
    unit->metadata.switch_count = 0;
    bool behind = first > committed; /* nothing is left to fold: its first commit moves K on */
    status = write_first_position(worker, unit, first, behind ? "0" : "1", error);
    if (status != STATUS_OK)
        return status;
    unit_log(worker, unit,
             "is rebuilt: %" PRIu64 " leads with a stage restored, folds %" PRId64 " to %" PRId64
             " in silence",
             restoring.leads, first, committed);
    unit->state = behind ? UNIT_NEW : UNIT_REPLAYING;
    unit->wants_start = true;
    unit->replay_from = first;
    unit->replay_told_us = worker_now_us(worker);
    if (first == committed)
        takeover_reached(worker, unit);
    return STATUS_OK;
}
