#include "demo/readback.h"

#include "kafka/kafka_tail.h"
#include "pipeline/unit_record.h"
#include "redis/redis_inspect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASONS_MAX = 24, RECORDS_AT_A_TIME = 2000 };

struct reason {
    char name[32];
    uint64_t count;
};

struct readback {
    struct redis_inspector *inspector;
    struct kafka_tail *tail;
    struct arena arena;
    struct readback_counts counts;
    struct reason reasons[REASONS_MAX];
    size_t reason_count;
};

enum status readback_open(const struct stage *stage, struct readback **out, struct error *error)
{
    static const struct kafka_tail_choice all = {.topics = {true, true, true},
                                                 .from_ms = KAFKA_TAIL_BEGINNING};
    struct readback *readback = memory_take_zeroed(1, sizeof *readback);
    arena_init(&readback->arena, 65536);
    enum status status = redis_inspect_open(&readback->inspector, &stage->redis_config, error);
    if (status == STATUS_OK)
        status = kafka_tail_create(&stage->kafka, &all, &readback->tail, error);
    if (status == STATUS_OK)
        *out = readback;
    else
        readback_close(readback);
    return status;
}

void readback_close(struct readback *readback)
{
    if (readback->tail)
        kafka_tail_destroy(readback->tail);
    redis_inspect_close(readback->inspector);
    arena_fini(&readback->arena);
    free(readback);
}

const struct readback_counts *readback_counts(const struct readback *readback)
{
    return &readback->counts;
}

/* ---- The topics ---- */

static void count_reason(struct readback *readback)
{
    size_t size = 0, i = 0;
    const char *name = kafka_tail_header(readback->tail, "baton_reason", &size);
    if (!name || size >= sizeof readback->reasons[0].name)
        return;
    while (i < readback->reason_count && (strlen(readback->reasons[i].name) != size ||
                                          memcmp(readback->reasons[i].name, name, size) != 0))
        i++;
    if (i == REASONS_MAX)
        return;
    if (i == readback->reason_count) {
        memcpy(readback->reasons[i].name, name, size);
        readback->reason_count++;
    }
    readback->reasons[i].count++;
}

/* The last part of `lead/generation/stage`. */
static void count_stage(struct readback *readback)
{
    size_t size = 0;
    const char *id = kafka_tail_header(readback->tail, "ce_id", &size);
    if (!id || size < 4)
        return;
    readback->counts.became_mql += memcmp(id + size - 4, "/mql", 4) == 0;
    readback->counts.became_sql += memcmp(id + size - 4, "/sql", 4) == 0;
}

enum status readback_topics(struct readback *readback, int timeout_ms,
                            void (*promotion)(void *context, const void *json, size_t size),
                            void *context, struct error *error)
{
    for (int i = 0; i < RECORDS_AT_A_TIME; i++) {
        struct kafka_tail_record record;
        bool found;
        enum status status =
            kafka_tail_next(readback->tail, i == 0 ? timeout_ms : 0, &record, &found, error);
        if (status != STATUS_OK || !found)
            return status;
        switch (record.topic) {
        case TOPIC_PROMOTIONS:
            readback->counts.promotions++;
            promotion(context, record.value, record.value_size);
            break;
        case TOPIC_STAGES: count_stage(readback); break;
        case TOPIC_DEAD:
            readback->counts.dead_letters++;
            count_reason(readback);
            break;
        case TOPIC_BREACHES:
        case OUTGOING_TOPICS: break;
        }
    }
    return STATUS_OK;
}

void readback_reasons(const struct readback *readback, char *text, size_t room)
{
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < readback->reason_count && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%" PRIu64 " %s", i ? ", " : "",
                                 readback->reasons[i].count, readback->reasons[i].name);
}

/* ---- Redis ---- */

static enum status add_unit(struct readback *readback, uint32_t unit, struct readback_counts *sum,
                            struct error *error)
{
    struct field *fields;
    size_t count;
    struct unit_record record;
    enum status status =
        redis_inspect_unit(readback->inspector, unit, &readback->arena, &fields, &count, error);
    if (status != STATUS_OK || count == 0)
        return status;
    status = unit_record_read(fields, count, &record, error);
    if (status != STATUS_OK)
        return status;
    sum->events += record.aggregates.events;
    sum->duplicates += record.aggregates.duplicates;
    sum->too_late += record.aggregates.too_late;
    for (size_t i = 0; i < DEAD_REASONS; i++)
        sum->dead_in_redis += record.aggregates.dead[i];
    return STATUS_OK;
}

enum status readback_units(struct readback *readback, struct error *error)
{
    struct readback_counts sum = {0};
    for (uint32_t unit = 0; unit < STAGE_PARTITIONS; unit++) {
        enum status status = add_unit(readback, unit, &sum, error);
        if (status != STATUS_OK)
            return status;
    }
    arena_reset(&readback->arena);
    readback->counts.events = sum.events;
    readback->counts.duplicates = sum.duplicates;
    readback->counts.too_late = sum.too_late;
    readback->counts.dead_in_redis = sum.dead_in_redis;
    return STATUS_OK;
}

static bool text_is(struct baton_text text, const char *wanted)
{
    return text.size == strlen(wanted) && memcmp(text.data, wanted, text.size) == 0;
}

static void count_lead(void *context, const struct inspected_lead *lead)
{
    struct readback_counts *sum = context;
    sum->leads++;
    sum->mql += text_is(lead->stage, "mql");
    sum->sql += text_is(lead->stage, "sql");
    sum->accepted += text_is(lead->stage, "accepted");
    sum->customers += text_is(lead->stage, "customer");
    sum->rejected += text_is(lead->stage, "rejected") || text_is(lead->stage, "recycled");
}

enum status readback_leads(struct readback *readback, struct error *error)
{
    struct readback_counts sum = {0};
    struct lead_visitor visitor = {.lead = count_lead, .context = &sum};
    enum status status = redis_inspect_leads(readback->inspector, &visitor, error);
    if (status != STATUS_OK)
        return status;
    readback->counts.leads = sum.leads;
    readback->counts.mql = sum.mql;
    readback->counts.sql = sum.sql;
    readback->counts.accepted = sum.accepted;
    readback->counts.customers = sum.customers;
    readback->counts.rejected = sum.rejected;
    return STATUS_OK;
}
