/* Counters of the pact, between a unit and the store: days and spend have the position of the
 * aggregates, and go out in the same write. */
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPEND_FIELD "spend"
#define JUDGED_FIELD "judged"
#define LOOK_EVERY_US 1000000
#define PASSED_EVERY_US 10000000
#define PASSED_BEFORE_MS 10000 /* what arrived in between may not have been seen yet */

void counting_create(struct unit *unit)
{
    unit->counters = counters_create();
    unit->spend = spend_create();
    unit->judged = unit->number == 0 ? judged_create() : NULL;
    unit->counted_from = INT32_MIN;
    unit->counted_at = -1;
}

void counting_clear(struct unit *unit)
{
    counters_clear(unit->counters);
    spend_clear(unit->spend);
    if (unit->judged)
        judged_clear(unit->judged);
    unit->counted_from = INT32_MIN;
    unit->counted_at = -1;
    unit->arrived_ms = 0;
    unit->ended_at = -1;
}

void counting_destroy(struct unit *unit)
{
    counters_destroy(unit->counters);
    spend_destroy(unit->spend);
    judged_destroy(unit->judged);
}

/* ---- to the store
 * --------------------------------------------------------------------------------- */

static struct field *add_field(struct field_list *list)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 16;
        list->items = memory_resize(list->items, list->room * sizeof *list->items);
    }
    return &list->items[list->count++];
}

static void add_day(struct unit *unit, int32_t day)
{
    struct arena *arena = &unit->copy.arena;
    char name[12];
    uint8_t *bytes = NULL;
    int size = snprintf(name, sizeof name, "%" PRId32, day);
    size_t packed = counters_pack(unit->counters, day, &bytes, arena);
    *add_field(&unit->copy.days) =
        (struct field){{arena_copy(arena, name, (size_t)size), (uint32_t)size},
                       {(const char *)bytes, (uint32_t)packed}};
}

static uint32_t days_kept(const struct unit *unit)
{
    int32_t days[PACT_DAYS_MAX];
    size_t count = counters_days(unit->counters, days);
    return (uint32_t)count + !spend_is_empty(unit->spend) +
           (unit->judged && !judged_is_empty(unit->judged));
}

void counting_copy(struct unit *unit)
{
    struct checkpoint_copy *copy = &unit->copy;
    copy->days.count = 0;
    copy->counted_from = unit->counted_from;
    copy->counted_at = unit->counted_at;
    copy->arrived_ms = unit->arrived_ms;
    size_t count = counters_dirty(unit->counters, NULL, 0);
    if (count) {
        int32_t *days = arena_take(&copy->arena, count * sizeof *days);
        (void)counters_dirty(unit->counters, days, count);
        for (size_t i = 0; i < count; i++)
            add_day(unit, days[i]);
        counters_mark_clean(unit->counters);
    }
    if (spend_is_dirty(unit->spend)) {
        uint8_t *bytes = NULL;
        size_t size = spend_pack(unit->spend, &bytes, &copy->arena);
        *add_field(&copy->days) = (struct field){{SPEND_FIELD, sizeof SPEND_FIELD - 1},
                                                 {(const char *)bytes, (uint32_t)size}};
        spend_mark_clean(unit->spend);
    }
    if (unit->judged && judged_is_dirty(unit->judged)) {
        uint8_t *bytes = NULL;
        size_t size = judged_pack(unit->judged, &bytes, &copy->arena);
        *add_field(&copy->days) = (struct field){{JUDGED_FIELD, sizeof JUDGED_FIELD - 1},
                                                 {(const char *)bytes, (uint32_t)size}};
        judged_mark_clean(unit->judged);
    }
    copy->days_kept = days_kept(unit);
}

/* ---- from the store
 * ------------------------------------------------------------------------------- */

static bool is_day(const struct field *field, int32_t *day)
{
    char name[12] = "";
    if (!field->name.size || field->name.size >= sizeof name)
        return false;
    memcpy(name, field->name.data, field->name.size);
    char *end;
    long number = strtol(name, &end, 10);
    *day = (int32_t)number;
    return end == name + field->name.size && number > INT32_MIN && number < INT32_MAX;
}

static bool has_name(const struct field *field, const char *name)
{
    return field->name.size == strlen(name) && memcmp(field->name.data, name, strlen(name)) == 0;
}

/* False: it is damaged. Names that are none of ours are of a later version, or of others. */
static bool restore_field(struct unit *unit, const struct field *field)
{
    const uint8_t *bytes = (const uint8_t *)field->value.data;
    int32_t day;
    if (has_name(field, SPEND_FIELD))
        return spend_unpack(unit->spend, bytes, field->value.size);
    if (unit->judged && has_name(field, JUDGED_FIELD))
        return judged_unpack(unit->judged, bytes, field->value.size);
    return !is_day(field, &day) || counters_unpack(unit->counters, day, bytes, field->value.size);
}

enum status counting_restore(struct worker *worker, struct unit *unit,
                             const struct unit_record *record, struct error *error)
{
    struct field *fields;
    size_t count;
    enum status status =
        worker->ports.store->hash(worker->ports.store, unit->number, &unit->fence, STORE_DAYS,
                                  &worker->talk, &fields, &count, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        if (!restore_field(unit, &fields[i]))
            return error_set(error, STATUS_STOP,
                             "field `%.*s` of the unit's days is damaged: restore it, or rebuild "
                             "the unit (baton run --rebuild)",
                             (int)(fields[i].name.size < 64 ? fields[i].name.size : 64),
                             fields[i].name.data);
    uint32_t kept = (uint32_t)count; /* with those of a later version */
    if (kept < record->days)
        return error_set(error, STATUS_STOP,
                         "%" PRIu32 " of the %" PRIu32 " fields of the unit's days are gone: "
                         "restore them, or rebuild the unit (baton run --rebuild)",
                         record->days - kept, record->days);
    unit->counted_from = record->counted_from < 0 ? INT32_MIN : (int32_t)record->counted_from;
    unit->counted_at = record->counted_at;
    return STATUS_OK;
}

/* ---- nothing waits
 * -------------------------------------------------------------------------------- */

/* All that the unit's log holds is folded, and stored. */
static bool is_at_rest(const struct unit *unit)
{
    const struct baton_pact *pact = unit->state == UNIT_LIVE ? unit_agreement(unit)->pact : NULL;
    return pact && pact->goal_count && unit->position == unit->ended_at &&
           unit->position == unit->stored && unit->position == unit->committed &&
           unit->copy.phase == COPY_NONE && unit->dirty_count == 0 &&
           unit->clock_ms == unit->clock_confirmed_ms;
}

static void tell_passed(struct worker *worker, struct unit *unit)
{
    char passed[24];
    int64_t now_ms = worker->ports.clock->wall_ms(worker->ports.clock);
    (void)snprintf(passed, sizeof passed, "%" PRId64, now_ms - PASSED_BEFORE_MS);
    struct field field = field_of("passed", passed);
    struct store_write write = {.fields = &field, .field_count = 1};
    struct error error;
    enum status status =
        worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write, &error);
    if (status != STATUS_OK)
        unit_write_failed(worker, unit, status, &error);
}

void counting_turn(struct worker *worker)
{
    int64_t now_us = worker_now_us(worker);
    if (now_us < worker->counting_next_us || worker->store_away)
        return;
    worker->counting_next_us = now_us + LOOK_EVERY_US;
    bool waiting = worker->source_away || worker->parked ||
                   worker->ports.source->waiting(worker->ports.source);
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        if (waiting || !is_at_rest(unit)) {
            unit->passed_next_us = now_us + PASSED_EVERY_US;
        } else if (now_us >= unit->passed_next_us) {
            tell_passed(worker, unit);
            unit->passed_next_us = now_us + PASSED_EVERY_US;
        }
    }
}
