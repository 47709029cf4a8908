/* A small world for tests of the pipeline: a log and a database in memory, workers as owners, and
 * an oracle that folds the same log in one go, with nothing of the pipeline. */
#ifndef PIPELINE_WORLD_H
#define PIPELINE_WORLD_H

#include "agreement/agreement.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"
#include "memory/memory.h"
#include "pact/count.h"
#include "pact/judgement.h"
#include "pact/spend.h"
#include "pipeline/hops.h"
#include "pipeline/lead_table.h"
#include "pipeline/unit_record.h"
#include "pipeline/worker.h"
#include "text/sha256.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_OWNERS_MAX 3
#define WORLD_UNITS_MAX 8
#define WORLD_SCHEMAS 40 /* registry ids 1 to 40 name the same schema, once it is registered */
#define WORLD_CHANGES_MAX 16
#define WORLD_T0 INT64_C(1793534400000) /* 2026-11-01T12:00:00Z */

/* Midnight in Auckland is an hour before WORLD_T0, in the middle of the events. */
static const char WORLD_AGREEMENT[] =
    "agreement: world\nversion: 1\nzone: Pacific/Auckland\n"
    "fit:\n  - {id: head, where: {job_title: {contains: head}}, points: 10}\n"
    "  - {id: abroad, where: {country: {not: us}}, points: 1}\n"
    "behaviour:\n"
    "  - {id: pricing, event: visit, where: {page: \"/pricing*\"}, points: 5, half_life: 10d}\n"
    "  - {id: page, event: visit, points: 1, at_most: {times: 3, per: hour}}\n"
    "  - {id: form, event: form_fill, points: 12, at_most: {times: 2, per: day}}\n"
    "  - {id: often, event: visit, while: {times: 3, within: 1d}, points: 4}\n"
    "limits: {behaviour: 80}\n"
    "gates:\n  mql: {score: 15}\n  sql: {score: 30, needs_one_of: [form, pricing]}\n"
    "sales: {reasons: [no budget]}\n"
    "recycle: {after: 5m, score: 3}\n"
    "goals: {customers: {at_least: 1, per: day, owner: Sales}}\n"
    "touches: 4\n";

static const char WORLD_OTHER_AGREEMENT[] =
    "agreement: world\nversion: 2\n"
    "ignore: {bots: true, user_agents: [\"*monitoring*\"]}\n"
    "behaviour:\n"
    "  - {id: pricing, event: visit, where: {page: \"/pricing*\"}, points: 9, half_life: 10d}\n"
    "  - {id: form, event: form_fill, points: 20, at_most: {times: 2, per: day}}\n"
    "gates:\n  mql: {score: 12}\n  sql: {score: 25}\n"
    "touches: 2\n";

static const char WORLD_SCHEMA[] =
    "{\"type\":\"record\",\"name\":\"Visit\",\"fields\":["
    "{\"name\":\"event_id\",\"type\":\"string\"},{\"name\":\"lead_id\",\"type\":\"string\"},"
    "{\"name\":\"time\",\"type\":\"long\"},{\"name\":\"page\",\"type\":\"string\"}]}";

struct owner {
    struct worker *worker;
    struct worker_ports ports;
    struct encoder *encoder;
};

/* From this offset on, as the metadata of committed offsets told when it was new. */
struct world_change {
    int64_t from;
    bool other;
};

struct world {
    struct memory_log *log;
    struct memory_db *db;
    struct schema_source *schemas;
    struct memory_clock clock;
    struct agreement *agreement, *other;
    struct world_change changes[WORLD_UNITS_MAX][WORLD_CHANGES_MAX];
    size_t change_count[WORLD_UNITS_MAX];
    struct input_config input;
    struct worker_config config;
    struct owner owners[WORLD_OWNERS_MAX];
    uint32_t units;
    uint64_t seed;
    uint64_t events;   /* appended so far */
    size_t batch, run; /* limits of a fetch; 0: none */
    int64_t ends[WORLD_UNITS_MAX];
    bool persons; /* leads are merged and erased, too */
    enum output_format output;
};

static inline uint64_t world_random(struct world *world, uint64_t below)
{
    world->seed ^= world->seed << 13;
    world->seed ^= world->seed >> 7;
    world->seed ^= world->seed << 17;
    return (world->seed >> 11) % below;
}

static inline struct agreement *world_parse(const char *text)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    struct agreement *agreement = NULL;
    enum status status =
        agreement_parse("world", text, strlen(text), NULL, 0, &agreement, &messages);
    cr_assert_eq(status, STATUS_OK, "%s", messages.data ? messages.data : "");
    text_buffer_fini(&messages);
    return agreement;
}

static inline void world_init(struct world *world, uint32_t units, uint64_t seed)
{
    *world = (struct world){.units = units, .seed = seed * 2654435761u + 88172645463325252u};
    log_set_level(getenv("BATON_TEST_LOG") ? LOG_DEBUG : LOG_ERROR + 1);
    world->log = memory_log_create(units);
    world->db = memory_db_create();
    world->schemas = memory_schemas_create();
    memory_clock_init(&world->clock, WORLD_T0, seed + 1);
    world->agreement = world_parse(WORLD_AGREEMENT);
    world->other = world_parse(WORLD_OTHER_AGREEMENT);
    world->input = (struct input_config){.max_ahead_ms = 300000};
    world->config = (struct worker_config){.agreement = world->agreement,
                                           .input = &world->input,
                                           .events_topic = "lead-events",
                                           .group = "baton",
                                           .config_file = "baton.yaml",
                                           .words_capacity = 4096,
                                           .table_bytes = 1 << 22,
                                           .dirty_max = 1000,
                                           .dead_letter_bytes = 100000,
                                           .emit_linger_ms = 5,
                                           .emit_pace_ms = 15,
                                           .emit_pace_behind_ms = 50,
                                           .commit_interval_ms = 100,
                                           .checkpoint_interval_ms = 100,
                                           .checkpoint_interval_behind_ms = 200,
                                           .unknown_schema_wait_ms = 3000,
                                           .drain_ms = 4000};
}

static inline void owner_start(struct world *world, int number)
{
    struct owner *owner = &world->owners[number];
    char instance[16];
    (void)snprintf(instance, sizeof instance, "owner-%d", number);
    owner->ports = (struct worker_ports){.source = memory_source_create(world->log),
                                         .store = memory_store_create(world->db),
                                         .schemas = world->schemas,
                                         .stage_log = memory_stage_log_create(world->log),
                                         .clock = &world->clock.port};
    memory_source_set_batch(owner->ports.source, world->batch, world->run);
    owner->ports.sink = memory_sink_create(world->log, owner->ports.source, instance);
    const char *topics[OUTGOING_TOPICS] = {"lead-promotions", "lead-stages", "lead-events-dead",
                                           "lead-breaches"};
    struct error error;
    cr_assert_eq(encoder_create(&owner->encoder, world->output, "/baton", topics, NULL, &error),
                 STATUS_OK, "%s", error.text);
    world->config.number = (uint32_t)number;
    cr_assert_eq(
        worker_create(&owner->worker, &world->config, &owner->ports, owner->encoder, &error),
        STATUS_OK, "%s", error.text);
}

static inline void world_metadata(struct world *world, uint32_t unit,
                                  struct commit_metadata *metadata)
{
    const char *text = "";
    struct error error;
    (void)memory_log_committed(world->log, unit, &text);
    cr_assert_eq(commit_metadata_read(text, metadata, &error), STATUS_OK, "%s", error.text);
}

/* Metadata knows the last switches: what it says replaces what was known from there on. */
static inline void world_note_unit(struct world *world, uint32_t unit,
                                   const struct commit_metadata *metadata)
{
    struct world_change *changes = world->changes[unit];
    size_t *count = &world->change_count[unit];
    while (metadata->switch_count && *count &&
           changes[*count - 1].from >= metadata->switches[0].position)
        --*count;
    for (size_t i = 0; i < metadata->switch_count; i++) {
        cr_assert_lt(*count, WORLD_CHANGES_MAX);
        changes[(*count)++] = (struct world_change){
            .from = metadata->switches[i].position,
            .other = strcmp(metadata->switches[i].hash, agreement_hash(world->other)) == 0};
    }
}

/* Keeps which agreement was in force from where on, beyond what metadata remembers. */
static inline void world_note_changes(struct world *world)
{
    for (uint32_t unit = 0; unit < world->units; unit++) {
        struct commit_metadata metadata;
        struct error somebody_elses;
        const char *text = "";
        (void)memory_log_committed(world->log, unit, &text);
        if (commit_metadata_read(text, &metadata, &somebody_elses) == STATUS_OK)
            world_note_unit(world, unit, &metadata);
    }
}

/* As a kill -9 does: nothing is written any more. */
static inline void owner_kill(struct world *world, int number)
{
    struct owner *owner = &world->owners[number];
    if (!owner->worker)
        return;
    owner->ports.sink->destroy(owner->ports.sink);
    worker_destroy(owner->worker);
    owner->ports.source->destroy(owner->ports.source);
    owner->ports.store->destroy(owner->ports.store);
    owner->ports.stage_log->destroy(owner->ports.stage_log);
    encoder_destroy(owner->encoder);
    *owner = (struct owner){0};
    memory_log_resolve(world->log);
    world_note_changes(world);
}

static inline void owner_step(struct world *world, int number)
{
    struct owner *owner = &world->owners[number];
    struct error error;
    if (owner->worker)
        cr_assert_eq(worker_step(owner->worker, &error), STATUS_OK, "%s", error.text);
    memory_clock_advance(&world->clock, 1000);
    world_note_changes(world);
}

static inline void world_fini(struct world *world)
{
    for (int i = 0; i < WORLD_OWNERS_MAX; i++)
        owner_kill(world, i);
    world->schemas->destroy(world->schemas);
    memory_log_destroy(world->log);
    memory_db_destroy(world->db);
    agreement_destroy(world->agreement);
    agreement_destroy(world->other);
}

/* Appends one JSON event of a lead of this unit. */
static inline int64_t world_append_text(struct world *world, uint32_t unit, const char *key,
                                        const char *value)
{
    struct memory_input input = {.timestamp_ms = WORLD_T0 + (int64_t)world->events * 1000,
                                 .key = key,
                                 .key_size = strlen(key),
                                 .value = value,
                                 .value_size = strlen(value)};
    int64_t offset = memory_log_append(world->log, unit, &input);
    world->ends[unit] = offset + 1;
    world->events++;
    return offset;
}

/* A visit under a writer schema of the registry. */
static inline int64_t world_append_schema(struct world *world, uint32_t unit, const char *lead,
                                          uint32_t schema)
{
    char event[24];
    uint8_t value[256], *at = value;
    (void)snprintf(event, sizeof event, "e%" PRIu64, world->events);
    const char *texts[] = {event, lead, NULL, "/pricing"};
    at = bytes_put(at, (uint8_t[]){0, 0, 0, 0, (uint8_t)schema}, 5);
    for (int i = 0; i < 4; i++) {
        if (!texts[i]) {
            at = bytes_put_zigzag(at, WORLD_T0 + (int64_t)world->events * 1000);
            continue;
        }
        at = bytes_put_zigzag(at, (int64_t)strlen(texts[i]));
        at = bytes_put(at, texts[i], strlen(texts[i]));
    }
    struct memory_input input = {.timestamp_ms = WORLD_T0 + (int64_t)world->events * 1000,
                                 .key = lead,
                                 .key_size = strlen(lead),
                                 .value = value,
                                 .value_size = (size_t)(at - value)};
    int64_t offset = memory_log_append(world->log, unit, &input);
    world->ends[unit] = offset + 1;
    world->events++;
    return offset;
}

static inline void world_register_schema(struct world *world, uint32_t schema)
{
    memory_schemas_add(world->schemas,
                       (struct schema_key){.naming = SCHEMA_REGISTRY_ID, .id = schema},
                       WORLD_SCHEMA);
}

/* Feedback and adjustments, most of them of what cannot be: the first need a lead that was handed
 * over. */
static inline void world_print_said(struct world *world, char *value, size_t size, uint64_t id,
                                    const char *lead, int64_t time)
{
    static const char *const reports[] = {
        "assigned",    "contacted", "meeting",
        "negotiating", "customer",  "rejected\",\"reason\":\"No Budget",
        "rejected",    "churned",   "rejected\",\"reason\":\"no budget"};
    static const char *const moves[] = {"\"points\":9",           "\"points\":-4",
                                        "\"stage\":\"rejected\"", "\"stage\":\"lead\"",
                                        "\"stage\":\"sql\"",      "\"points\":1,\"stage\":\"mql\""};
    bool report = world_random(world, 4) > 0;
    (void)snprintf(value, size,
                   "{\"kind\":\"%s\",\"event_id\":\"e%" PRIu64
                   "\",\"lead_id\":\"%s\",\"time\":%" PRId64 ",",
                   report ? "feedback" : "adjust", id, lead, time);
    size_t used = strlen(value);
    const char *report_text = report ? reports[world_random(world, 9)] : NULL;
    if (report)
        (void)snprintf(value + used, size - used,
                       "\"report\":\"%s\",\"seller\":\"s%" PRIu64 "\",\"obstacle\":\"o%" PRIu64
                       "\",\"deal_value\":\"%" PRIu64 "\",\"deal_currency\":\"%s\"}",
                       report_text, world_random(world, 4), id % 3, id % 100,
                       id % 2 ? "EUR" : "BRL");
    else
        (void)snprintf(value + used, size - used, "\"by\":\"Ana\",\"reason\":\"r%" PRIu64 "\",%s}",
                       world_random(world, 3), moves[world_random(world, 6)]);
}

/* A lead that lives in this unit; with persons, where its key puts it. */
static inline void world_lead(const struct world *world, uint32_t unit, uint64_t who, char lead[32])
{
    (void)snprintf(lead, 32, "lead-%" PRIu32 "-%" PRIu64, unit, who);
    for (int n = 0; world->persons; n++) {
        int size = snprintf(lead, 32, "lead-%" PRIu32 "-%" PRIu64 "-%d", unit, who, n);
        struct baton_text key = {lead, (uint32_t)size};
        if (partition_by_crc32(key, world->units) == unit)
            return;
    }
}

static inline void world_append_merge(struct world *world, uint32_t unit, const char *lead,
                                      const char *into)
{
    char value[256];
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"merge\",\"event_id\":\"m%" PRIu64
                   "\",\"lead_id\":\"%s\",\"time\":%" PRId64 ",\"into\":\"%s\"}",
                   world->events, lead, WORLD_T0 + (int64_t)world->events * 1000, into);
    (void)world_append_text(world, unit, lead, value);
}

/* The erasure is stamped `before_ms` before the present. */
static inline void world_append_erase(struct world *world, uint32_t unit, const char *lead,
                                      int64_t before_ms)
{
    char value[256];
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"erase\",\"event_id\":\"x%" PRIu64
                   "\",\"lead_id\":\"%s\",\"time\":%" PRId64 "}",
                   world->events, lead, WORLD_T0 + (int64_t)world->events * 1000 - before_ms);
    (void)world_append_text(world, unit, lead, value);
}

static inline bool world_append_person(struct world *world, uint32_t unit, const char *lead)
{
    char into[32];
    uint64_t what = world_random(world, 60);
    if (what > 4)
        return false;
    if (what == 4) {
        world_append_erase(world, unit, lead, (int64_t)world_random(world, 3600000));
        return true;
    }
    world_lead(world, (uint32_t)world_random(world, world->units), world_random(world, 12), into);
    world_append_merge(world, unit, lead, into);
    return true;
}

/* What a channel cost; said anew from time to time, and not always of later. */
static inline void world_append_spend(struct world *world, uint32_t unit)
{
    char value[256], channel[8];
    uint64_t n = world->events;
    (void)snprintf(channel, sizeof channel, "n%" PRIu64, n % 3);
    (void)snprintf(value, sizeof value,
                   "{\"kind\":\"spend\",\"event_id\":\"s%" PRIu64
                   "\",\"channel\":\"%s\",\"time\":%" PRId64 ",\"period\":\"2026-11-0%" PRIu64
                   "\",\"amount\":\"%" PRIu64 ".50\",\"currency\":\"EUR\"}",
                   n, channel, WORLD_T0 - (int64_t)(n * 7919 % 5000) * 1000, 1 + n % 2, n);
    (void)world_append_text(world, unit, channel, value);
}

static inline void world_append_random(struct world *world, uint32_t unit)
{
    static const char *const pages[] = {"/pricing", "/pricing/eu", "/blog", "/docs", "/about"};
    static const char *const agents[] = {"", "Mozilla/5.0 Firefox/132.0", "Googlebot/2.1",
                                         "our Monitoring, "};
    char lead[32], value[512];
    if (world->events % 31 == 30) {
        world_append_spend(world, unit);
        return;
    }
    /* one lead in three events: more of them in an interval than the ring of recent ids remembers
     */
    uint64_t who = world_random(world, 3) ? world_random(world, 12) : 0;
    world_lead(world, unit, who, lead);
    if (world->persons && world_append_person(world, unit, lead))
        return;
    int64_t time = WORLD_T0 + (int64_t)world->events * 1000 - (int64_t)world_random(world, 7200000);
    uint64_t id = world_random(world, 10) ? world->events
                                          : world_random(world, world->events + 1); /* repeats */
    switch (world_random(world, 12)) {
    case 0:
        (void)snprintf(value, sizeof value,
                       "{\"kind\":\"form_fill\",\"event_id\":\"e%" PRIu64
                       "\",\"lead_id\":\"%s\",\"time\":%" PRId64
                       ",\"form\":\"demo\",\"fields\":{\"job_title\":\"Head %" PRIu64
                       "\",\"segment\":\"g%" PRIu64 "\",\"email\":\" P%" PRIu64 "@X.example\"}}",
                       id, lead, time, world_random(world, 3), id % 4, world_random(world, 20));
        break;
    case 1:
        (void)snprintf(value, sizeof value, "{\"kind\":\"visit\",\"lead_id\":\"%s\"",
                       lead); /* unreadable */
        break;
    case 2:
    case 3: world_print_said(world, value, sizeof value, id, lead, time); break;
    default:
        (void)snprintf(value, sizeof value,
                       "{\"kind\":\"visit\",\"event_id\":\"e%" PRIu64
                       "\",\"lead_id\":\"%s\",\"time\":%" PRId64
                       ",\"page\":\"%s\",\"channel\":\"n%" PRIu64 "\",\"campaign\":\"c%" PRIu64
                       "\",\"user_agent\":\"%s\"}",
                       id, lead, time, pages[world_random(world, 5)], id % 3,
                       world_random(world, 6), agents[world_random(world, 4)]);
    }
    (void)world_append_text(world, unit, lead, value);
}

static inline int64_t world_stored(struct world *world, uint32_t unit)
{
    struct baton_text text = memory_db_field(world->db, unit, "position");
    char room[24] = "";
    if (!text.data || text.size >= sizeof room)
        return -1;
    memcpy(room, text.data, text.size);
    return strtoll(room, NULL, 10);
}

/* What baton wrote itself comes behind what was appended here. */
static inline int64_t world_end(struct world *world, uint32_t unit)
{
    if (world->persons)
        world->ends[unit] = memory_log_end(world->log, unit);
    return world->ends[unit];
}

static inline bool world_is_through(struct world *world)
{
    for (uint32_t unit = 0; unit < world->units; unit++)
        if (memory_log_committed(world->log, unit, NULL) < world_end(world, unit) ||
            world_stored(world, unit) < world_end(world, unit))
            return false;
    return true;
}

/* The log's own ends: what owners have written to it counts, too. */
static inline void world_find_ends(struct world *world)
{
    for (int number = 0; number < WORLD_OWNERS_MAX; number++) {
        struct source *source = world->owners[number].ports.source;
        for (uint32_t unit = 0; source && unit < world->units; unit++) {
            int64_t first;
            struct error error;
            cr_assert_eq(source->range(source, unit, &first, &world->ends[unit], &error),
                         STATUS_OK);
        }
    }
}

/* Steps all owners until everything is committed and checkpointed. */
static inline bool world_settle(struct world *world, int steps)
{
    for (int i = 0; i < steps && !world_is_through(world); i++)
        for (int number = 0; number < WORLD_OWNERS_MAX; number++)
            owner_step(world, number);
    return world_is_through(world);
}

/* For a failed test: how far each unit is. */
static inline void world_tell(struct world *world)
{
    for (uint32_t unit = 0; unit < world->units; unit++)
        (void)fprintf(stderr, "unit %u: end %" PRId64 ", K %" PRId64 ", R %" PRId64 "\n", unit,
                      world->ends[unit], memory_log_committed(world->log, unit, NULL),
                      world_stored(world, unit));
}

/* ---- the oracle
 * ----------------------------------------------------------------------------------- */

struct oracle {
    struct lead_table table;
    struct baton_words words[WORLD_UNITS_MAX];
    struct stage_record *expected; /* lead ids owned */
    size_t expected_count;
    uint64_t dead;
    struct tombstones tombstones[WORLD_UNITS_MAX];
    uint64_t *hops_made, *hops_found; /* hashes of messages to other leads */
    size_t made_count, found_count;
    uint64_t counted; /* events folded into some lead */
    struct counters *counters[WORLD_UNITS_MAX];
    struct spend_table *spend[WORLD_UNITS_MAX];
    struct judged_list *judged; /* of unit 0 */
    size_t judgements_told;
};

struct oracle_unit {
    struct oracle *oracle;
    struct world *world;
    uint32_t number;
    struct decoder *decoder;
    struct arena arena;
    size_t changes; /* passed so far */
    const struct baton_agreement *agreement;
    struct commit_metadata metadata; /* its verdicts on schemas stand */
};

static inline void oracle_attach(void *agreement, struct lead_entry *entry)
{
    baton_lead_attach(&entry->lead, agreement);
}

static inline void oracle_pass_changes(struct oracle_unit *unit, int64_t offset)
{
    struct world *world = unit->world;
    while (unit->changes < world->change_count[unit->number] &&
           world->changes[unit->number][unit->changes].from <= offset) {
        bool other = world->changes[unit->number][unit->changes++].other;
        unit->agreement = agreement_compiled(other ? world->other : world->agreement);
        lead_table_each(&unit->oracle->table, unit->number, oracle_attach,
                        (void *)(uintptr_t)unit->agreement);
    }
}

/* What is the same of a message when it was made and when it is read. */
static inline void oracle_keep_hop(uint64_t **hashes, size_t *count, uint32_t partition,
                                   const void *key, size_t key_size, const void *value,
                                   size_t value_size, const struct header *headers,
                                   size_t header_count)
{
    uint64_t hash = hash64(key, key_size, partition);
    hash = hash64(value, value_size, hash);
    for (size_t i = 0; i < header_count; i++) {
        hash = hash64(headers[i].name, strlen(headers[i].name), hash);
        hash = hash64(headers[i].value, headers[i].value_size, hash);
    }
    *hashes = realloc(*hashes, (*count + 1) * sizeof **hashes);
    (*hashes)[(*count)++] = hash;
}

static inline void oracle_expect_message(struct oracle_unit *unit, uint32_t partition,
                                         const struct outgoing_message *made)
{
    struct oracle *oracle = unit->oracle;
    oracle_keep_hop(&oracle->hops_made, &oracle->made_count, partition, made->key, made->key_size,
                    made->value, made->value_size, made->headers, made->header_count);
}

static inline struct origin oracle_origin(const struct record *record)
{
    return (struct origin){.topic = "lead-events",
                           .partition = record->unit,
                           .offset = record->offset,
                           .headers = record->headers,
                           .header_count = record->header_count};
}

static inline void oracle_expect_identity(struct oracle_unit *unit, const struct record *record,
                                          const struct baton_event *event, struct baton_text id)
{
    struct origin origin = oracle_origin(record);
    struct hop_cause cause = {.event = event, .origin = &origin};
    struct outgoing_message made;
    hop_identify(&unit->arena, &cause, id, &made);
    oracle_expect_message(unit, record->unit, &made);
}

static inline void oracle_expect_hops(struct oracle_unit *unit, const struct record *record,
                                      const struct baton_event *event,
                                      const struct baton_fold_result *result,
                                      const struct hop_cargo *cargo)
{
    struct message message = {.value = record->value, .value_size = record->value_size};
    struct origin origin = oracle_origin(record);
    struct hop_cause cause = {.event = event, .origin = &origin};
    size_t count;
    struct outgoing_message *made =
        hops_make(&unit->arena, &message, &cause, result, cargo, &count);
    for (size_t i = 0; i < count; i++) {
        struct decode_result verdict;
        if (!hops_fit(&made[i], unit->world->config.event_bytes, &verdict)) {
            unit->oracle->dead++;
            continue;
        }
        oracle_expect_message(
            unit,
            partition_by_crc32((struct baton_text){made[i].key, (uint32_t)made[i].key_size},
                               unit->world->units),
            &made[i]);
    }
}

static inline bool oracle_reads(struct oracle_unit *unit, const struct record *record,
                                const struct message *message, struct baton_event *event)
{
    struct schema_key key = decoder_schema_of(record->value, record->value_size);
    struct decode_result result;
    if (key.naming != SCHEMA_NONE &&
        schema_verdicts_cover(unit->metadata.verdicts, unit->metadata.verdict_count, key,
                              record->offset))
        return false;
    decoder_decode(unit->decoder, message, &unit->arena, event, &result);
    return result.outcome == DECODED;
}

/* What was told of it must be what the log says: see oracle_check_judged. */
static inline void oracle_judge(struct oracle_unit *unit, const struct baton_event *event)
{
    struct judgement judgement;
    int32_t revision;
    bool tell;
    struct baton_text state = event->judgement->state;
    cr_assert(judgement_unpack(&judgement, (const uint8_t *)state.data, state.size));
    cr_assert_eq(unit->number, 0);
    if (judged_take(unit->oracle->judged, &judgement, event->time_ms, &revision, &tell) && tell)
        unit->oracle->judgements_told++;
}

/* Written by baton, and not because of an event in the log. */
static inline bool oracle_has_no_cause(enum baton_event_kind kind)
{
    return kind == BATON_RECHECK || baton_kind_is_of_unit(kind);
}

static inline bool oracle_decodes(struct oracle_unit *unit, const struct record *record,
                                  struct baton_event *event)
{
    struct message message = {.key = record->key,
                              .key_size = record->key_size,
                              .value = record->value,
                              .value_size = record->value_size,
                              .timestamp_ms = record->timestamp_ms,
                              .offset = record->offset};
    struct hop hop;
    arena_reset(&unit->arena);
    if (hop_read(record->headers, record->header_count, &unit->arena, &hop))
        message.hop = arena_copy(&unit->arena, &hop, sizeof hop);
    bool reads = oracle_reads(unit, record, &message, event);
    if (message.hop && !(reads && oracle_has_no_cause(event->kind)))
        oracle_keep_hop(&unit->oracle->hops_found, &unit->oracle->found_count, record->unit,
                        record->key, record->key_size, record->value, record->value_size,
                        record->headers, record->header_count);
    return reads;
}

/* What the other agreement has dropped of what world_append_random makes. */
static inline bool oracle_ignores(const struct oracle_unit *unit, const struct baton_event *event)
{
    struct baton_text agent = event->fields[BATON_USER_AGENT];
    return unit->agreement == agreement_compiled(unit->world->other) && agent.size &&
           (agent.data[0] == 'G' || agent.data[0] == 'o');
}

static inline void oracle_expect(struct oracle_unit *unit, struct baton_text lead_id,
                                 const struct baton_transition *transition,
                                 enum stage_record_kind kind, int64_t offset)
{
    struct oracle *oracle = unit->oracle;
    oracle->expected =
        realloc(oracle->expected, (oracle->expected_count + 1) * sizeof *oracle->expected);
    oracle->expected[oracle->expected_count++] =
        (struct stage_record){.kind = kind,
                              .lead_id = lead_id,
                              .stage = transition->to,
                              .generation = transition->generation,
                              .partition = unit->number,
                              .offset = offset};
}

/* What is told beside transitions. */
static inline void oracle_expect_notice(struct oracle_unit *unit, const struct lead_entry *entry,
                                        const struct baton_event *event, enum baton_notice notice)
{
    static const enum stage_record_kind kinds[] = {[BATON_IGNORED] = RECORD_IGNORED,
                                                   [BATON_ADJUSTED] = RECORD_ADJUSTED,
                                                   [BATON_MERGED] = RECORD_MERGED,
                                                   [BATON_ERASED] = RECORD_ERASED};
    struct baton_transition stays = {.to = (enum baton_stage)entry->lead.stage,
                                     .generation = entry->lead.generation};
    struct baton_text whom = lead_table_id(entry);
    if (notice == BATON_ERASED) {
        char *proof = malloc(SHA256_HEX_SIZE + 1);
        hmac_sha256_hex(event->event_id.data, event->event_id.size, whom.data, whom.size, proof);
        whom = (struct baton_text){proof, SHA256_HEX_SIZE};
    }
    oracle_expect(unit, whom, &stays, kinds[notice], event->offset);
}

static inline void oracle_fold(struct oracle_unit *unit, const struct record *record)
{
    struct oracle *oracle = unit->oracle;
    struct baton_event event;
    oracle_pass_changes(unit, record->offset);
    if (!oracle_decodes(unit, record, &event)) {
        oracle->dead++;
        return;
    }
    if (event.kind == BATON_SPEND)
        spend_take(oracle->spend[unit->number], &event);
    if (event.kind == BATON_JUDGED)
        oracle_judge(unit, &event);
    if (baton_kind_is_of_unit(event.kind) || oracle_ignores(unit, &event))
        return;
    uint64_t hash = lead_table_hash(unit->number, event.lead_id);
    struct lead_entry *entry = lead_table_find(&oracle->table, hash, unit->number, event.lead_id);
    if (!entry) {
        entry = lead_table_add(&oracle->table, hash, unit->number, event.lead_id);
        baton_lead_attach(&entry->lead, unit->agreement);
    }
    uint16_t first_hits[BATON_RULES_MAX];
    struct baton_fold_context context = {.agreement = unit->agreement,
                                         .words = &oracle->words[unit->number],
                                         .allocator = &oracle->table.allocator,
                                         .first_hits = unit->agreement->pact ? first_hits : NULL};
    struct baton_fold_result fold;
    struct hop_cargo cargo;
    hops_fold(&entry->lead, &event, &context, &oracle->tombstones[unit->number], &unit->arena,
              unit->world->config.event_bytes, &fold, &cargo);
    struct pact_fold pact = {.agreement = unit->agreement,
                             .lead = &entry->lead,
                             .event = &event,
                             .result = &fold,
                             .first_hits = first_hits,
                             .words = &oracle->words[unit->number],
                             .arrived_ms =
                                 record->timestamp_ms < 0 ? event.time_ms : record->timestamp_ms,
                             .counted = true};
    if (unit->agreement->pact)
        count_fold(oracle->counters[unit->number], &pact);
    oracle->dead += fold.refusal != BATON_NOT_REFUSED;
    oracle->counted += fold.outcome == BATON_FOLDED && event.kind <= BATON_MERGE;
    for (uint32_t t = 0; t < fold.transition_count; t++)
        oracle_expect(unit, lead_table_id(entry), &fold.transitions[t], RECORD_STAGE,
                      record->offset);
    if (fold.notice)
        oracle_expect_notice(unit, entry, &event, fold.notice);
    struct baton_text id;
    if (fold.outcome == BATON_FOLDED && unit->world->config.identity.enabled &&
        identity_of(&unit->world->config.identity, &event, &entry->lead, &unit->arena, &id))
        oracle_expect_identity(unit, record, &event, id);
    if (fold.hop)
        oracle_expect_hops(unit, record, &event, &fold, &cargo);
}

/* Folds a unit's log from the beginning, each stretch under its own agreement. */
static inline void oracle_fold_unit(struct oracle_unit *unit, struct source *source)
{
    struct record records[64];
    for (bool ended = false; !ended;) {
        size_t count = 0;
        struct source_news news;
        struct error error;
        cr_assert_eq(source->fetch(source, 0, records, 64, &count, &news, &error), STATUS_OK);
        for (size_t i = 0; i < count; i++) {
            ended = ended ||
                    (records[i].is_end && records[i].offset >= unit->world->ends[unit->number]);
            if (!records[i].is_end)
                oracle_fold(unit, &records[i]);
        }
    }
}

static inline struct source *oracle_source(struct world *world)
{
    struct source *source = memory_source_create(world->log);
    struct record record;
    struct source_news news = {0};
    for (int i = 0; i < 100 && news.kind != SOURCE_ASSIGNED; i++) {
        size_t count;
        struct error error;
        cr_assert_eq(source->fetch(source, 0, &record, 1, &count, &news, &error), STATUS_OK);
        if (news.kind == SOURCE_REVOKED)
            (void)source->release(source, &error);
    }
    cr_assert_eq(news.kind, SOURCE_ASSIGNED);
    return source;
}

static inline void oracle_make_unit(struct oracle *oracle, struct world *world, uint32_t number,
                                    struct source *source)
{
    struct oracle_unit unit = {.oracle = oracle,
                               .world = world,
                               .number = number,
                               .agreement = agreement_compiled(world->agreement)};
    struct unit_position start = {.unit = number, .offset = 0};
    struct error error;
    cr_assert_eq(decoder_create(&unit.decoder, &world->input, &error), STATUS_OK);
    for (uint32_t id = 1; id <= WORLD_SCHEMAS; id++)
        decoder_add_schema(unit.decoder,
                           (struct schema_key){.naming = SCHEMA_REGISTRY_ID, .id = id},
                           WORLD_SCHEMA, strlen(WORLD_SCHEMA));
    arena_init(&unit.arena, 65536);
    world_metadata(world, number, &unit.metadata);
    baton_words_init(&oracle->words[number], world->config.words_capacity, oracle->table.allocator);
    oracle->counters[number] = counters_create();
    oracle->spend[number] = spend_create();
    cr_assert_eq(source->start(source, &start, 1, &error), STATUS_OK);
    oracle_fold_unit(&unit, source);
    arena_fini(&unit.arena);
    decoder_destroy(unit.decoder);
}

/* All owners must be gone: it joins the group to read the log. */
static inline void oracle_make(struct oracle *oracle, struct world *world)
{
    *oracle = (struct oracle){.judged = judged_create()};
    lead_table_init(&oracle->table, SIZE_MAX);
    struct source *source = oracle_source(world);
    for (uint32_t unit = 0; unit < world->units; unit++)
        oracle_make_unit(oracle, world, unit, source);
    source->destroy(source);
}

static inline size_t world_count_stage(struct world *world, const struct stage_record *wanted)
{
    size_t found = 0;
    struct arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < memory_log_output_count(world->log, TOPIC_STAGES); i++) {
        const struct outgoing_message *message = memory_log_output(world->log, TOPIC_STAGES, i);
        struct stage_record record;
        struct error error;
        cr_assert_eq(
            stage_record_read(message->value, message->value_size, &arena, &record, &error),
            STATUS_OK);
        found += record.kind == wanted->kind && record.generation == wanted->generation &&
                 record.stage == wanted->stage && record.offset == wanted->offset &&
                 record.partition == wanted->partition &&
                 record.lead_id.size == wanted->lead_id.size &&
                 memcmp(record.lead_id.data, wanted->lead_id.data, record.lead_id.size) == 0;
    }
    arena_fini(&arena);
    return found;
}

/* Of whom nothing is known, or known any more, the store has nothing, or not for long. */
static inline bool oracle_is_gone(struct oracle *oracle, struct world *world,
                                  struct lead_entry *entry)
{
    struct stored_lead stored;
    struct baton_lead lead;
    struct baton_text id = lead_table_id(entry);
    if (entry->lead.events || entry->lead.generation > 1 || entry->lead.flags & BATON_LEAD_MERGED)
        return false;
    if (!memory_db_lead(world->db, entry->unit, id, &stored))
        return true;
    cr_assert_not(entry->lead.flags & BATON_LEAD_ERASED && entry->lead.flags & BATON_LEAD_EMPTIED,
                  "lead %.*s was erased, and is in the store", (int)id.size, id.data);
    baton_lead_init(&lead);
    cr_assert_eq(baton_lead_unpack(&lead, stored.packed, stored.packed_size,
                                   world->config.words_capacity, &oracle->table.allocator),
                 BATON_UNPACKED);
    bool emptied = lead.flags & BATON_LEAD_EMPTIED && !lead.events;
    baton_lead_fini(&lead, &oracle->table.allocator);
    return emptied;
}

/* A stub is loaded to be told what it is of, and written again: its score stays as well. Another
 * agreement prices whom it meets. */
static inline void oracle_check_score(const struct world *world, struct lead_entry *entry,
                                      const struct stored_lead *stored)
{
    struct baton_score score;
    struct baton_text id = lead_table_id(entry);
    if (world->change_count[entry->unit])
        return;
    baton_lead_score(&entry->lead, agreement_compiled(world->agreement), entry->lead.newest_ms,
                     &score);
    cr_assert_eq(stored->score.score, score.score, "lead %.*s: %d hundredths here, %d expected",
                 (int)id.size, id.data, stored->score.score, score.score);
}

/* Every lead in the store is, but for its position, the oracle's to the last bit. */
static inline void oracle_check_leads(struct oracle *oracle, struct world *world)
{
    for (uint32_t n = 0; n < oracle->table.made; n++) {
        struct lead_entry *entry = lead_table_entry(&oracle->table, n);
        struct stored_lead stored;
        struct baton_text id = lead_table_id(entry);
        if (oracle_is_gone(oracle, world, entry))
            continue;
        cr_assert(memory_db_lead(world->db, entry->unit, id, &stored),
                  "lead %.*s is not in the store", (int)id.size, id.data);
        struct baton_lead lead;
        baton_lead_init(&lead);
        cr_assert_eq(baton_lead_unpack(&lead, stored.packed, stored.packed_size,
                                       world->config.words_capacity, &oracle->table.allocator),
                     BATON_UNPACKED);
        uint8_t *ours = malloc(baton_lead_pack_bound(&lead)),
                *theirs = malloc(baton_lead_pack_bound(&entry->lead));
        size_t size = baton_lead_pack(&lead, 0, ours),
               wanted = baton_lead_pack(&entry->lead, 0, theirs);
        cr_assert(size == wanted && memcmp(ours, theirs, size) == 0,
                  "lead %.*s differs: %u events here, %u expected", (int)id.size, id.data,
                  lead.events, entry->lead.events);
        cr_assert_eq(stored.stage, (enum baton_stage)lead.stage,
                     "lead %.*s: another stage is told than is kept", (int)id.size, id.data);
        oracle_check_score(world, entry, &stored);
        free(ours);
        free(theirs);
        baton_lead_fini(&lead, &oracle->table.allocator);
    }
}

static inline int oracle_compare_hashes(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* Every message to another lead is there once, and none else. */
static inline void oracle_check_hops(struct oracle *oracle)
{
    cr_assert_eq(oracle->made_count, oracle->found_count, "%zu hops expected, %zu found",
                 oracle->made_count, oracle->found_count);
    if (!oracle->made_count)
        return;
    qsort(oracle->hops_made, oracle->made_count, sizeof(uint64_t), oracle_compare_hashes);
    qsort(oracle->hops_found, oracle->found_count, sizeof(uint64_t), oracle_compare_hashes);
    cr_assert_eq(
        memcmp(oracle->hops_made, oracle->hops_found, oracle->made_count * sizeof(uint64_t)), 0,
        "the hops are others than expected");
}

/* However leads were merged, each event is counted once. */
static inline void oracle_check_sum(const struct oracle *oracle, const struct world *world)
{
    uint64_t sum = 0;
    if (agreement_compiled(world->config.agreement)->forget_ms)
        return; /* nor is what was forgotten */
    for (uint32_t unit = 0; unit < WORLD_UNITS_MAX; unit++)
        if (oracle->tombstones[unit].count)
            return; /* what was erased is counted no more */
    for (uint32_t n = 0; n < oracle->table.made; n++)
        sum += lead_table_entry((struct lead_table *)(uintptr_t)&oracle->table, n)->lead.events;
    cr_assert_eq(sum, oracle->counted);
}

static inline const struct field *oracle_find_field(const struct field *fields, size_t count,
                                                    const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].name.size == strlen(name) &&
            memcmp(fields[i].name.data, name, fields[i].name.size) == 0)
            return &fields[i];
    return NULL;
}

/* Every day of the unit in the store is the oracle's to the last byte, and so is what was spent. */
static inline void oracle_check_days(struct oracle *oracle, uint32_t unit, struct store *store,
                                     struct arena *arena)
{
    struct field *fields;
    struct error error;
    int32_t days[PACT_DAYS_MAX];
    size_t count, found = 0, day_count = counters_days(oracle->counters[unit], days);
    cr_assert_eq(store->peek(store, unit, STORE_DAYS, arena, &fields, &count, &error), STATUS_OK);
    if (getenv("BATON_TEST_LOG"))
        for (size_t i = 0; i < count; i++)
            (void)fprintf(stderr, "unit %u: %.*s has %u bytes\n", unit, (int)fields[i].name.size,
                          fields[i].name.data, fields[i].value.size);
    for (size_t i = 0; i <= day_count; i++) {
        char name[12] = "spend";
        uint8_t *bytes = NULL;
        if (i < day_count)
            (void)snprintf(name, sizeof name, "%" PRId32, days[i]);
        size_t size = i < day_count ? counters_pack(oracle->counters[unit], days[i], &bytes, arena)
                                    : spend_pack(oracle->spend[unit], &bytes, arena);
        const struct field *field = oracle_find_field(fields, count, name);
        cr_assert_eq(field != NULL, size > 0, "unit %u: field %s", unit, name);
        found += size > 0;
        cr_assert(!size ||
                      (field->value.size == size && memcmp(field->value.data, bytes, size) == 0),
                  "unit %u: day %s differs from what the log says", unit, name);
    }
    const struct field *judged = oracle_find_field(fields, count, "judged");
    uint8_t *bytes = NULL;
    size_t size = unit == 0 ? judged_pack(oracle->judged, &bytes, arena) : 0;
    cr_assert_eq(judged != NULL, size > 0, "unit %u: judgements", unit);
    cr_assert(!size || (judged->value.size == size && memcmp(judged->value.data, bytes, size) == 0),
              "judgements differ from what the log says");
    found += size > 0;
    cr_assert_eq(count, found, "unit %u has days that the log does not know", unit);
}

/* Goals and dates have ids that begin with the agreement's name: each was told once. */
static inline void oracle_check_judged(struct oracle *oracle, struct world *world)
{
    size_t told = 0;
    for (size_t i = 0; i < memory_log_output_count(world->log, TOPIC_BREACHES); i++) {
        const struct outgoing_message *message = memory_log_output(world->log, TOPIC_BREACHES, i);
        for (size_t h = 0; h < message->header_count; h++)
            told += strcmp(message->headers[h].name, "ce_id") == 0 &&
                    message->headers[h].value_size > 6 &&
                    memcmp(message->headers[h].value, "world/", 6) == 0;
    }
    cr_assert_eq(told, oracle->judgements_told);
}

static inline void oracle_check_counters(struct oracle *oracle, struct world *world)
{
    struct store *store = memory_store_create(world->db);
    struct arena arena;
    arena_init(&arena, 65536);
    for (uint32_t unit = 0; unit < world->units; unit++)
        oracle_check_days(oracle, unit, store, &arena);
    arena_fini(&arena);
    store->destroy(store);
}

static inline void oracle_check(struct oracle *oracle, struct world *world)
{
    for (size_t i = 0; i < oracle->expected_count; i++)
        cr_assert_eq(world_count_stage(world, &oracle->expected[i]), 1,
                     "%.*s → %s at [%u] %" PRId64 " published %zu times",
                     (int)oracle->expected[i].lead_id.size, oracle->expected[i].lead_id.data,
                     baton_stage_name(oracle->expected[i].stage), oracle->expected[i].partition,
                     oracle->expected[i].offset, world_count_stage(world, &oracle->expected[i]));
    cr_assert_eq(memory_log_output_count(world->log, TOPIC_STAGES), oracle->expected_count);
    cr_assert_eq(memory_log_output_count(world->log, TOPIC_DEAD), oracle->dead);
    oracle_check_leads(oracle, world);
    oracle_check_counters(oracle, world);
    oracle_check_judged(oracle, world);
    oracle_check_hops(oracle);
    oracle_check_sum(oracle, world);
}

static inline void oracle_fini(struct oracle *oracle)
{
    for (uint32_t unit = 0; unit < WORLD_UNITS_MAX; unit++)
        if (oracle->words[unit].capacity)
            baton_words_fini(&oracle->words[unit]);
    for (uint32_t unit = 0; unit < WORLD_UNITS_MAX; unit++)
        tombstones_fini(&oracle->tombstones[unit]);
    for (uint32_t unit = 0; unit < WORLD_UNITS_MAX; unit++) {
        counters_destroy(oracle->counters[unit]);
        spend_destroy(oracle->spend[unit]);
    }
    judged_destroy(oracle->judged);
    for (size_t i = 0; i < oracle->expected_count; i++)
        if (oracle->expected[i].kind == RECORD_ERASED)
            free((void *)(uintptr_t)oracle->expected[i].lead_id.data);
    lead_table_fini(&oracle->table);
    free(oracle->hops_made);
    free(oracle->hops_found);
    free(oracle->expected);
}

#endif
