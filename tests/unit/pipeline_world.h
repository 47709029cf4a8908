/* A small world for tests of the pipeline: a log and a database in memory, workers as owners, and
 * an oracle that folds the same log in one go, with nothing of the pipeline. */
#ifndef PIPELINE_WORLD_H
#define PIPELINE_WORLD_H

#include "agreement/agreement.h"
#include "base/bytes.h"
#include "base/log.h"
#include "memory/memory.h"
#include "pipeline/lead_table.h"
#include "pipeline/unit_record.h"
#include "pipeline/worker.h"

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

static const char WORLD_AGREEMENT[] =
    "agreement: world\nversion: 1\n"
    "fit:\n  - {id: head, where: {job_title: {contains: head}}, points: 10}\n"
    "behaviour:\n"
    "  - {id: pricing, event: visit, where: {page: \"/pricing*\"}, points: 5, half_life: 10d}\n"
    "  - {id: page, event: visit, points: 1, at_most: {times: 3, per: hour}}\n"
    "  - {id: form, event: form_fill, points: 12, at_most: {times: 2, per: day}}\n"
    "limits: {behaviour: 80}\n"
    "gates:\n  mql: {score: 15}\n  sql: {score: 30, needs_one_of: [form, pricing]}\n"
    "touches: 4\n";

static const char WORLD_OTHER_AGREEMENT[] =
    "agreement: world\nversion: 2\n"
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
    const char *topics[OUTGOING_TOPICS] = {"lead-promotions", "lead-stages", "lead-events-dead"};
    struct error error;
    cr_assert_eq(encoder_create(&owner->encoder, OUTPUT_AVRO, "/baton", topics, NULL, &error),
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

static inline void world_append_random(struct world *world, uint32_t unit)
{
    static const char *const pages[] = {"/pricing", "/pricing/eu", "/blog", "/docs", "/about"};
    char lead[32], value[512];
    /* one lead in three events: more of them in an interval than the ring of recent ids remembers
     */
    uint64_t who = world_random(world, 3) ? world_random(world, 12) : 0;
    (void)snprintf(lead, sizeof lead, "lead-%" PRIu32 "-%" PRIu64, unit, who);
    int64_t time = WORLD_T0 + (int64_t)world->events * 1000 - (int64_t)world_random(world, 7200000);
    uint64_t id = world_random(world, 10) ? world->events
                                          : world_random(world, world->events + 1); /* repeats */
    switch (world_random(world, 12)) {
    case 0:
        (void)snprintf(value, sizeof value,
                       "{\"kind\":\"form_fill\",\"event_id\":\"e%" PRIu64
                       "\",\"lead_id\":\"%s\",\"time\":%" PRId64
                       ",\"form\":\"demo\",\"fields\":{\"job_title\":\"Head %" PRIu64 "\"}}",
                       id, lead, time, world_random(world, 3));
        break;
    case 1:
        (void)snprintf(value, sizeof value, "{\"kind\":\"visit\",\"lead_id\":\"%s\"",
                       lead); /* unreadable */
        break;
    default:
        (void)snprintf(value, sizeof value,
                       "{\"kind\":\"visit\",\"event_id\":\"e%" PRIu64
                       "\",\"lead_id\":\"%s\",\"time\":%" PRId64
                       ",\"page\":\"%s\",\"campaign\":\"c%" PRIu64 "\"}",
                       id, lead, time, pages[world_random(world, 5)], world_random(world, 6));
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

static inline bool world_is_through(struct world *world)
{
    for (uint32_t unit = 0; unit < world->units; unit++)
        if (memory_log_committed(world->log, unit, NULL) < world->ends[unit] ||
            world_stored(world, unit) < world->ends[unit])
            return false;
    return true;
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

static inline bool oracle_decodes(struct oracle_unit *unit, const struct record *record,
                                  struct baton_event *event)
{
    struct message message = {.key = record->key,
                              .key_size = record->key_size,
                              .value = record->value,
                              .value_size = record->value_size,
                              .timestamp_ms = record->timestamp_ms,
                              .offset = record->offset};
    struct schema_key key = decoder_schema_of(record->value, record->value_size);
    struct decode_result result;
    if (key.naming != SCHEMA_NONE &&
        schema_verdicts_cover(unit->metadata.verdicts, unit->metadata.verdict_count, key,
                              record->offset))
        return false;
    arena_reset(&unit->arena);
    decoder_decode(unit->decoder, &message, &unit->arena, event, &result);
    return result.outcome == DECODED;
}

static inline void oracle_expect(struct oracle_unit *unit, const struct lead_entry *entry,
                                 enum baton_stage stage, int64_t offset)
{
    struct oracle *oracle = unit->oracle;
    oracle->expected =
        realloc(oracle->expected, (oracle->expected_count + 1) * sizeof *oracle->expected);
    oracle->expected[oracle->expected_count++] =
        (struct stage_record){.lead_id = lead_table_id(entry),
                              .stage = stage,
                              .generation = 1,
                              .partition = unit->number,
                              .offset = offset};
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
    uint64_t hash = lead_table_hash(unit->number, event.lead_id);
    struct lead_entry *entry = lead_table_find(&oracle->table, hash, unit->number, event.lead_id);
    if (!entry) {
        entry = lead_table_add(&oracle->table, hash, unit->number, event.lead_id);
        baton_lead_attach(&entry->lead, unit->agreement);
    }
    struct baton_fold_context context = {.agreement = unit->agreement,
                                         .words = &oracle->words[unit->number],
                                         .allocator = &oracle->table.allocator};
    struct baton_fold_result fold;
    baton_fold(&entry->lead, &event, &context, &fold);
    for (uint32_t t = 0; t < fold.transition_count; t++)
        oracle_expect(unit, entry, fold.transitions[t].to, record->offset);
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
    cr_assert_eq(source->start(source, &start, 1, &error), STATUS_OK);
    oracle_fold_unit(&unit, source);
    arena_fini(&unit.arena);
    decoder_destroy(unit.decoder);
}

/* All owners must be gone: it joins the group to read the log. */
static inline void oracle_make(struct oracle *oracle, struct world *world)
{
    *oracle = (struct oracle){0};
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
        found += record.stage == wanted->stage && record.offset == wanted->offset &&
                 record.partition == wanted->partition &&
                 record.lead_id.size == wanted->lead_id.size &&
                 memcmp(record.lead_id.data, wanted->lead_id.data, record.lead_id.size) == 0;
    }
    arena_fini(&arena);
    return found;
}

/* Every lead in the store is, but for its position, the oracle's to the last bit. */
static inline void oracle_check_leads(struct oracle *oracle, struct world *world)
{
    for (uint32_t n = 0; n < oracle->table.made; n++) {
        struct lead_entry *entry = lead_table_entry(&oracle->table, n);
        struct stored_lead stored;
        struct baton_text id = lead_table_id(entry);
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
        free(ours);
        free(theirs);
        baton_lead_fini(&lead, &oracle->table.allocator);
    }
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
}

static inline void oracle_fini(struct oracle *oracle)
{
    for (uint32_t unit = 0; unit < WORLD_UNITS_MAX; unit++)
        if (oracle->words[unit].capacity)
            baton_words_fini(&oracle->words[unit]);
    lead_table_fini(&oracle->table);
    free(oracle->expected);
}

#endif
