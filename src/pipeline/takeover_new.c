/* A unit that begins: its first position, its first commit, and the step to LIVE, which all take.
 */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdio.h>

static struct field text_field(const char *name, char *room, size_t room_size, int64_t value)
{
    (void)snprintf(room, room_size, "%" PRId64, value);
    return field_of(name, room);
}

enum status write_first_position(struct worker *worker, struct unit *unit, int64_t first,
                                 const char *committed, struct error *error)
{
    char start[24], partitions[24], fold[24], input[20], words[24], rebuild[24] = "";
    (void)snprintf(input, sizeof input, "%016" PRIx64, worker->input_hash);
    if (unit->rebuild_until >= 0)
        (void)snprintf(rebuild, sizeof rebuild, "%" PRId64, unit->rebuild_until);
    struct text_buffer aggregates;
    text_buffer_init(&aggregates);
    unit_record_print_aggregates(&aggregates, &unit->aggregates);
    struct field fields[] = {
        text_field("position", start, sizeof start, first),
        field_of("start", start),
        field_of("topic", worker->config.events_topic),
        field_of("group", worker->config.group),
        text_field("partitions", partitions, sizeof partitions, worker->partitions),
        text_field("fold", fold, sizeof fold, FOLD_VERSION),
        field_of("input", input),
        field_of("committed", committed),
        field_of("rebuild", rebuild),
        field_of("stopped", ""),
        field_of("accepted", ""),
        field_of("counted_from", ""),
        field_of("counted_at", ""),
        field_of("days", ""),
        field_of("passed", ""),
        text_field("words", words, sizeof words, unit->words.count),
        field_of("agreement", agreement_hash(unit->stretches[0].agreement)),
        field_of("aggregates", aggregates.data)};
    struct store_write write = {.fields = fields, .field_count = sizeof fields / sizeof *fields};
    enum status status = unit_write_now(worker, unit, &write, error);
    unit->stopped_field = false;
    text_buffer_fini(&aggregates);
    return status;
}

void takeover_begins_empty(struct worker *worker, struct unit *unit)
{
    unit->began_empty = true;
    unit->evicted_before = worker->table.evicted;
}

enum status takeover_begin_new(struct worker *worker, struct unit *unit, int64_t from,
                               struct error *error)
{
    int64_t first, end;
    enum status status =
        worker->ports.source->range(worker->ports.source, unit->number, &first, &end, error);
    if (status != STATUS_OK)
        return status;
    if (from > first)
        first = from;
    unit->aggregates = (struct unit_aggregates){.position = first};
    const struct agreement *in_force = worker_in_force(worker, unit), *agreement = NULL;
    status = versions_store(worker, unit, error);
    if (status == STATUS_OK)
        status = agreements_find(worker, unit, agreement_hash(in_force), &agreement, error);
    if (status != STATUS_OK)
        return status;
    unit->position = unit->stored = unit->start = first;
    unit->stretches[0] = (struct stretch){.from = first, .agreement = agreement};
    unit->stretch_count = 1;
    unit->metadata = (struct commit_metadata){0};
    if (!SEEDED_FAULT("late_r"))
        status = write_first_position(worker, unit, first, "0", error);
    if (status != STATUS_OK)
        return status;
    CRASH_POINT("new_unit_position_written");
    stretches_remember(unit, agreement_hash(agreement));
    unit->state = UNIT_NEW;
    takeover_begins_empty(worker, unit);
    return STATUS_OK;
}

void takeover_go_live(struct worker *worker, struct unit *unit)
{
    /* Here, as also a unit that was killed after its checkpoint under a new agreement comes by. */
    if (unit->metadata.switch_count == 0 || !SEEDED_FAULT("forget_switch"))
        stretches_remember(unit, agreement_hash(unit->stretches[unit->stretch].agreement));
    unit->state = UNIT_LIVE;
    unit->wants_start = true;
    unit->last_checkpoint_us = worker_now_us(worker);
    versions_live(worker, unit);
    unit_log(worker, unit, "live at offset %" PRId64, unit->position);
}

void takeover_committed(struct worker *worker, struct unit *unit)
{
    CRASH_POINT("new_unit_committed");
    struct field mark = field_of("committed", "1");
    struct store_write write = {.fields = &mark, .field_count = 1};
    struct error error;
    enum status status = unit_write_now(worker, unit, &write, &error);
    if (status != STATUS_OK) {
        unit_write_failed(worker, unit, status, &error);
        return;
    }
    CRASH_POINT("new_unit_marked");
    takeover_go_live(worker, unit);
}
