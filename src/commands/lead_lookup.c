#include "commands/lead_lookup.h"

#include "commands/lead_view.h"
#include "commands/setup.h"
#include "commands/system_clock.h"
#include "commands/times.h"
#include "pipeline/partitioner.h"
#include "pipeline/tombstones.h"
#include "pipeline/unit_record.h"

#include <stdlib.h>
#include <string.h>

/* ---- Finding it
 * ----------------------------------------------------------------------------------- */

static enum status look_in(struct lead_lookup *lookup, uint32_t unit, struct error *error)
{
    if (lookup->found)
        return STATUS_OK;
    return redis_inspect_lead(lookup->inspector, unit, lookup->id, &lookup->arena, &lookup->stored,
                              &lookup->found, error);
}

/* The number of partitions stands in every unit; 0: Redis knows no unit 0. */
static enum status partitions_by_unit_0(struct lead_lookup *lookup, uint32_t *partitions,
                                        struct error *error)
{
    struct field *fields;
    size_t count;
    *partitions = 0;
    enum status status =
        redis_inspect_unit(lookup->inspector, 0, &lookup->arena, &fields, &count, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        char number[16] = "";
        if (fields[i].name.size != 10 || memcmp(fields[i].name.data, "partitions", 10) != 0 ||
            fields[i].value.size > 10)
            continue;
        memcpy(number, fields[i].value.data, fields[i].value.size);
        *partitions = (uint32_t)strtoul(number, NULL, 10);
    }
    return status;
}

/* First where common producers would have put it, then everywhere. */
static enum status find_lead(struct lead_lookup *lookup, struct error *error)
{
    uint32_t partitions, *units;
    size_t count;
    enum status status = partitions_by_unit_0(lookup, &partitions, error);
    if (status == STATUS_OK && partitions)
        status = look_in(lookup, partition_by_crc32(lookup->id, partitions), error);
    if (status == STATUS_OK && partitions)
        status = look_in(lookup, partition_by_murmur2(lookup->id, partitions), error);
    if (status != STATUS_OK || lookup->found)
        return status;
    status = redis_inspect_units(lookup->inspector, &lookup->arena, &units, &count, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = look_in(lookup, units[i], error);
    return status;
}

/* The last erasure that a unit's hash tells of. */
static void take_tombstone(struct lead_lookup *lookup, const struct field *field)
{
    struct tombstones tombstones = {0};
    if (tombstones_read(&tombstones, field->name, field->value) && tombstones.count) {
        lookup->erased = true;
        lookup->erased_ms = tombstones.items[tombstones.count - 1].erased_ms;
    }
    tombstones_fini(&tombstones);
}

static enum status find_erasure(struct lead_lookup *lookup, struct error *error)
{
    char name[TOMBSTONE_FIELD_SIZE + 1];
    uint32_t *units;
    size_t count;
    tombstones_print_name(tombstones_lead(lookup->id), name);
    enum status status =
        redis_inspect_units(lookup->inspector, &lookup->arena, &units, &count, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct field *fields;
        size_t field_count;
        status = redis_inspect_unit(lookup->inspector, units[i], &lookup->arena, &fields,
                                    &field_count, error);
        for (size_t f = 0; status == STATUS_OK && f < field_count; f++)
            if (fields[f].name.size == TOMBSTONE_FIELD_SIZE &&
                memcmp(fields[f].name.data, name, TOMBSTONE_FIELD_SIZE) == 0)
                take_tombstone(lookup, &fields[f]);
    }
    return status;
}

/* Ids come in any order and are dense from 2. */
static enum status restore_words(struct lead_lookup *lookup, struct error *error)
{
    struct field *fields;
    size_t count;
    enum status status = redis_inspect_words(lookup->inspector, lookup->stored.unit, &lookup->arena,
                                             &fields, &count, error);
    if (status != STATUS_OK)
        return status;
    struct baton_text *by_id = arena_take(&lookup->arena, (count + 2) * sizeof *by_id);
    memset(by_id, 0, (count + 2) * sizeof *by_id);
    for (size_t i = 0; i < count; i++) {
        char number[12] = "";
        if (fields[i].name.size < sizeof number)
            memcpy(number, fields[i].name.data, fields[i].name.size);
        unsigned long id = strtoul(number, NULL, 10);
        if (id >= 2 && id < count + 2)
            by_id[id] = fields[i].value;
    }
    for (uint32_t id = 2; id < count + 2 && by_id[id].size; id++)
        (void)baton_words_restore(&lookup->words, id, by_id[id]);
    return STATUS_OK;
}

static enum status unpack(struct lead_lookup *lookup, struct error *error)
{
    enum status status = restore_words(lookup, error);
    if (status != STATUS_OK)
        return status;
    enum baton_unpack outcome =
        baton_lead_unpack(&lookup->lead, lookup->stored.packed, lookup->stored.packed_size,
                          lookup->words.count, &lookup->allocator);
    if (outcome == BATON_UNKNOWN_VERSION)
        return error_set(error, STATUS_STOP,
                         "a newer version of baton has written this lead: use that one");
    if (outcome != BATON_UNPACKED)
        return error_set(error, STATUS_STOP,
                         "the lead is damaged in Redis: bring back a sound copy of Redis' data");
    baton_lead_attach(&lookup->lead, agreement_compiled(lookup->source));
    return STATUS_OK;
}

static enum status find_told(struct lead_lookup *lookup, struct error *error)
{
    struct unit_record *record = arena_take(&lookup->arena, sizeof *record);
    struct field *fields;
    size_t count;
    enum status status = redis_inspect_unit(lookup->inspector, lookup->stored.unit, &lookup->arena,
                                            &fields, &count, error);
    if (status == STATUS_OK)
        status = unit_record_read(fields, count, record, error);
    if (status == STATUS_OK)
        lookup->told_ms = record->aggregates.clock_ms;
    return status;
}

/* ---- As of when
 * ----------------------------------------------------------------------------------- */

static int64_t wall_ms(void)
{
    struct clock *clock = system_clock();
    return clock->wall_ms(clock);
}

static int choose_time(struct lead_lookup *lookup)
{
    const char *text = invocation_option(lookup->invocation, "--at");
    char *end;
    lookup->at_ms = wall_ms();
    if (!text || time_read(text, &lookup->at_ms))
        return EXIT_CODE_OK;
    lookup->at_ms = 0; /* no score is older than the newest event */
    if (strcmp(text, "newest") == 0)
        return EXIT_CODE_OK;
    lookup->at_ms = strtoll(text, &end, 10);
    if (*text && *end == 0 && lookup->at_ms >= 0 && lookup->at_ms <= BATON_TIME_MAX_MS)
        return EXIT_CODE_OK;
    return command_fail(lookup->invocation, EXIT_CODE_USAGE,
                        "--at wants a time in UTC like 2026-11-01T12:00:00Z, milliseconds since "
                        "1970, or `newest`, not %s",
                        text);
}

/* ---- All of it
 * ------------------------------------------------------------------------------------- */

static int fail_unknown(const struct lead_lookup *lookup)
{
    struct speech speech;
    speech_init(&speech, lookup->language, NULL);
    int code = command_fail(lookup->invocation, EXIT_CODE_FAILED, "%s",
                            phrase(&speech, MESSAGE_EXPLAIN_UNKNOWN,
                                   {"lead", lookup->invocation->arguments[0]},
                                   {"prefix", lookup->redis.prefix}));
    speech_fini(&speech);
    return code;
}

static int find_and_unpack(struct lead_lookup *lookup)
{
    struct error error;
    setup_redis(lookup->config, &lookup->redis);
    if (redis_inspect_open(&lookup->inspector, &lookup->redis, &error) != STATUS_OK)
        return command_fail_status(lookup->invocation, &error);
    enum status status = find_lead(lookup, &error);
    if (status == STATUS_OK && (!lookup->found || lookup->stored.flags & BATON_LEAD_EMPTIED))
        status = find_erasure(lookup, &error);
    if (status != STATUS_OK)
        return command_fail_status(lookup->invocation, &error);
    if (lookup->erased)
        return EXIT_CODE_OK;
    if (!lookup->found)
        return fail_unknown(lookup);
    if (unpack(lookup, &error) != STATUS_OK || find_told(lookup, &error) != STATUS_OK)
        return command_fail_status(lookup->invocation, &error);
    return EXIT_CODE_OK;
}

int lead_lookup(const struct invocation *invocation, struct lead_lookup *lookup)
{
    const char *id = invocation->arguments[0];
    *lookup = (struct lead_lookup){.invocation = invocation, .allocator = heap_allocator()};
    lookup->id = (struct baton_text){id, (uint32_t)strlen(id)};
    arena_init(&lookup->arena, 65536);
    baton_words_init(&lookup->words, UINT32_MAX, lookup->allocator);
    baton_lead_init(&lookup->lead);
    int code = choose_time(lookup);
    if (code == EXIT_CODE_OK)
        code = setup_config(invocation, &lookup->config);
    if (code == EXIT_CODE_OK && !setup_language(invocation, lookup->config, &lookup->language))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK)
        code = setup_agreement(lookup->config->agreement, lookup->language, false, &lookup->source);
    return code == EXIT_CODE_OK ? find_and_unpack(lookup) : code;
}

void lead_lookup_fini(struct lead_lookup *lookup)
{
    redis_inspect_close(lookup->inspector);
    baton_lead_fini(&lookup->lead, &lookup->allocator);
    baton_words_fini(&lookup->words);
    arena_fini(&lookup->arena);
    if (lookup->source)
        agreement_destroy(lookup->source);
    if (lookup->config)
        config_destroy(lookup->config);
}
