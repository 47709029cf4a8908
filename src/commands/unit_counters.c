#include "commands/unit_counters.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void unit_counters_init(struct unit_counters *counters)
{
    *counters = (struct unit_counters){.sums = sums_create(),
                                       .spend = spend_create(),
                                       .since = COUNTED_SINCE_NEVER,
                                       .counted_from = INT32_MIN,
                                       .complete_from = INT32_MIN,
                                       .passed_ms = INT64_MAX};
}

void unit_counters_fini(struct unit_counters *counters)
{
    sums_destroy(counters->sums);
    spend_destroy(counters->spend);
}

static bool name_is(const struct field *field, const char *name)
{
    return field->name.size == strlen(name) &&
           memcmp(field->name.data, name, field->name.size) == 0;
}

static enum status take_record(struct unit_counters *counters, struct redis_inspector *inspector,
                               uint32_t unit, struct arena *arena, struct error *error)
{
    struct unit_record record;
    struct field *fields;
    size_t count;
    enum status status =
        redis_inspect_hash(inspector, unit, STORE_UNIT, arena, &fields, &count, error);
    if (status != STATUS_OK || count == 0)
        return status;
    status = unit_record_read(fields, count, &record, error);
    if (status != STATUS_OK)
        return status;
    counters->units = record.partitions > counters->units ? record.partitions : counters->units;
    counted_since_add(&counters->since, &record);
    counters->counted_from = counted_since_day(&counters->since);
    if (record.passed_ms > 0 && record.passed_ms < counters->passed_ms)
        counters->passed_ms = record.passed_ms;
    return STATUS_OK;
}

static enum status damaged(struct error *error, uint32_t unit, const char *what)
{
    return error_set(error, STATUS_STOP,
                     "%s of unit %" PRIu32 " are damaged; baton run tells what to do", what, unit);
}

/* A unit that keeps as many days as it can may have kept others before. Fields that are no days
 * have names that do not begin with a digit. */
static void take_oldest(struct unit_counters *counters, const struct field *days, size_t count)
{
    int32_t oldest = INT32_MAX;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        char digits[12] = "";
        if (days[i].name.size == 0 || days[i].name.size >= sizeof digits ||
            days[i].name.data[0] < '0' || days[i].name.data[0] > '9')
            continue;
        memcpy(digits, days[i].name.data, days[i].name.size);
        long day = strtol(digits, NULL, 10);
        oldest = day < oldest ? (int32_t)day : oldest;
        kept++;
    }
    if (kept >= PACT_DAYS_MAX && oldest > counters->complete_from)
        counters->complete_from = oldest;
}

/* The days before the words: what they name is there by then. */
static enum status take_counters(struct unit_counters *counters, struct redis_inspector *inspector,
                                 uint32_t unit, struct arena *arena, struct error *error)
{
    static const struct calendar_span all = {INT32_MIN, INT32_MAX};
    struct field *days, *words;
    size_t day_count, word_count;
    enum status status =
        redis_inspect_hash(inspector, unit, STORE_DAYS, arena, &days, &day_count, error);
    if (status == STATUS_OK)
        status = redis_inspect_words(inspector, unit, arena, &words, &word_count, error);
    if (status != STATUS_OK)
        return status;
    if (!sums_add_unit(counters->sums, days, day_count, words, word_count, all))
        return damaged(error, unit, "counters");
    take_oldest(counters, days, day_count);
    for (size_t i = 0; i < day_count; i++)
        if (name_is(&days[i], "spend") &&
            !spend_unpack(counters->spend, (const uint8_t *)days[i].value.data, days[i].value.size))
            return damaged(error, unit, "statements of spend");
    return STATUS_OK;
}

enum status unit_counters_read(struct unit_counters *counters, struct redis_inspector *inspector,
                               struct error *error)
{
    enum status status = STATUS_OK;
    struct arena arena;
    arena_init(&arena, 65536);
    for (uint32_t unit = 0; unit <= counters->units && status == STATUS_OK; unit++) {
        if (unit > 0 && unit == counters->units)
            break;
        status = take_record(counters, inspector, unit, &arena, error);
        if (status == STATUS_OK)
            status = take_counters(counters, inspector, unit, &arena, error);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    if (counters->counted_from >= counters->complete_from && counters->counted_from != INT32_MIN)
        counters->complete_from = counters->counted_from + 1;
    return status;
}
