/* A unit whose state is gone: what leads entered comes back from the stages topic, everything else
 * from the log. */
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What was told of events that the log no longer holds. The store is empty by now. */
static void restore_before(struct worker *worker, struct unit *unit, int64_t first)
{
    struct stage_script *script = &unit->script;
    for (; script->next < script->count && script->items[script->next].offset < first;
         script->next++) {
        const struct scripted_stage *item = &script->items[script->next];
        uint64_t hash = lead_table_hash(unit->number, item->lead_id);
        struct lead_entry *entry =
            lead_table_find(&worker->table, hash, unit->number, item->lead_id);
        if (!entry) {
            entry = lead_table_add(&worker->table, hash, unit->number, item->lead_id);
            baton_lead_attach(&entry->lead, unit_agreement(unit));
            unit_mark_dirty(worker, unit, entry);
        }
        stage_script_restore(worker, unit, entry, item);
        entry->lead.applied = first;
    }
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

/* Who was erased, as the receipts tell. */
static enum status write_erasures(struct worker *worker, struct unit *unit, struct error *error)
{
    struct field_list *list = &unit->copy.before;
    size_t outstanding;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && list->sent < list->count)
        status = checkpoint_push_fields(worker, unit, list, error);
    return status == STATUS_OK ? worker->ports.store->settle(worker->ports.store, unit->number,
                                                             true, &outstanding, error)
                               : status;
}

/* Writes the restored leads before the unit gets a position: until then another start finds the
 * state gone again. */
static enum status write_restored(struct worker *worker, struct unit *unit, struct error *error)
{
    unit->copy.phase = COPY_NONE;
    unit->state = UNIT_REPLAYING; /* the copy is of a silent fold */
    checkpoint_copy_at(worker, unit, COPY_LEADS);
    unit->state = UNIT_CLAIMING;
    enum status status = write_erasures(worker, unit, error);
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

/* All below K is folded under the version that was in force at K; where nobody knows, under that of
 * the present. */
static const struct agreement *in_force_at(struct worker *worker, const struct unit *unit)
{
    const struct agreement *agreement = NULL;
    if (unit->metadata.present)
        agreement = versions_find(worker->versions, unit->metadata.agreement);
    int64_t now_ms = worker->ports.clock->wall_ms(worker->ports.clock);
    return agreement ? agreement : versions_at(worker->versions, now_ms);
}

enum status rebuild_unit(struct worker *worker, struct unit *unit, int64_t committed,
                         struct error *error)
{
    int64_t first, end;
    bool stages_cut = false;
    const struct agreement *in_force = in_force_at(worker, unit), *agreement = NULL;
    enum status status =
        worker->ports.source->range(worker->ports.source, unit->number, &first, &end, error);
    if (status == STATUS_OK)
        status = agreements_store(worker, unit, in_force, error);
    if (status == STATUS_OK)
        status = agreements_find(worker, unit, agreement_hash(in_force), &agreement, error);
    if (status != STATUS_OK)
        return status;
    unit->position = unit->stored = unit->start = first;
    unit->stretches[0] = (struct stretch){.from = first, .agreement = agreement};
    unit->stretch_count = 1;
    status = stage_script_read(worker, unit, 0, &stages_cut, error);
    if (status == STATUS_OK)
        status = may_promote_again(worker, unit, stages_cut, first, error);
    if (status == STATUS_OK)
        status = remove_state(worker, unit, error);
    if (status == STATUS_OK) {
        restore_before(worker, unit, first);
        status = write_restored(worker, unit, error);
    }
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
             "is rebuilt: %zu stages were entered, folds %" PRId64 " to %" PRId64 " in silence",
             unit->script.count, first, committed);
    unit->state = behind ? UNIT_NEW : UNIT_REPLAYING;
    unit->wants_start = true;
    unit->replay_from = first;
    unit->replay_told_us = worker_now_us(worker);
    if (first == committed)
        takeover_reached(worker, unit);
    return STATUS_OK;
}
