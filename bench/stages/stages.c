#include "stages/stages.h"

#include "base/log.h"
#include "bench.h"
#include "codec/embedded.h"
#include "commands/setup.h"
#include "common/clock.h"
#include "common/kafka.h"
#include "common/result.h"
#include "schemas/schemas.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT(field) offsetof(struct stages_options, field)

static const struct option rows[] = {
    COMMON_OPTIONS(struct stages_options, common),
    OUTPUT_OPTIONS(struct stages_options, common, NULL),
    {"redis", OPTION_TEXT, AT(redis), "redis://127.0.0.1:6379/0",
     "redis://… or unix:///path/to.sock?db=0: leads are written under a name of this run, and "
     "removed",
     0, 0, NULL},
    {"agreement", OPTION_TEXT, AT(agreement), NULL,
     "the rules to fold by (bench/agreements/simple.yaml)", 0, 0, NULL},
    {"schemas", OPTION_TEXT, AT(schemas), NULL,
     "folder of writer schemas, N.avsc; none: those that `load` sends", 0, 0, NULL},
    {"events", OPTION_COUNT, AT(events), "1M", "messages of the topic that are kept in memory",
     1000, 1e9, NULL},
    {"leads", OPTION_COUNT, AT(leads), "200k", "leads of the fold where all are equally likely", 1,
     4e9, NULL},
    {"workers", OPTION_COUNT, AT(workers), "2", "threads of each stage", 1, TEAM_MAX, NULL},
    {"seconds", OPTION_DURATION, AT(seconds), "2s", "how long each stage runs", 0.01, 600, NULL},
    {"only", OPTION_TEXT, AT(only), NULL,
     "just one of count, decode, fold, loop, redis, transactions (for a profiler)", 0, 0, NULL},
    {"broker-pid", OPTION_COUNT, AT(broker_pid), NULL, "the broker's process, to tell its CPU time",
     0, 0, NULL},
    {"redis-pid", OPTION_COUNT, AT(redis_pid), NULL, "Redis' process, to tell its CPU time", 0, 0,
     NULL},
    {"baton-rate", OPTION_RATE, AT(baton_rate), NULL,
     "events/s that baton as a whole was seen to do, to be set beside", 0, 0, NULL},
    {"baton-program", OPTION_REAL, AT(baton_program), NULL,
     "its CPU seconds per million events: the program's, …", 0, 0, NULL},
    {"baton-broker", OPTION_REAL, AT(baton_broker), NULL, "… the broker's …", 0, 0, NULL},
    {"baton-redis", OPTION_REAL, AT(baton_redis), NULL, "… and Redis'", 0, 0, NULL},
};
static const struct options options = {
    .command = "stages",
    .summary = "Tells what each part of baton can do alone on this machine, over the messages of a "
               "topic\n(baton-bench load sends some), and which part is the limit.",
    .rows = rows,
    .count = sizeof rows / sizeof *rows};

/* ---- what all stages need ---- */

void stage_take(struct stages *stages, enum stage stage, const struct team_figures *figures)
{
    double units = figures->units ? (double)figures->units : 1;
    double others = figures->process_cpu - figures->members_cpu;
    stages->figures[stage] = (struct stage_figures){
        .measured = figures->units > 0,
        .per_second = figures->per_second,
        .workers_cpu = figures->members_cpu / units,
        .others_cpu = others > 0 ? others / units : 0,
        .broker_cpu = figures->broker_cpu < 0 ? -1 : figures->broker_cpu / units,
        .redis_cpu = figures->redis_cpu < 0 ? -1 : figures->redis_cpu / units,
        .units = figures->units};
}

enum status stage_run(struct stages *stages, enum stage stage,
                      enum status (*run)(struct team_member *member, struct error *error),
                      double limit_s, struct error *error)
{
    void *contexts[TEAM_MAX];
    for (unsigned i = 0; i < stages->workers; i++)
        contexts[i] = &stages->worker[i];
    struct team_figures figures;
    enum status status =
        team_run(stages->workers, limit_s, stages->servers, run, contexts, &figures, error);
    stage_take(stages, stage, &figures);
    return status;
}

/* ---- schemas ---- */

/* Registry ids of `load`. */
static const char *const sent_schemas[] = {NULL, "Visit.avsc", "Click.avsc", "FormFill.avsc",
                                           "Profile.avsc"};
#define SENT_SCHEMAS (sizeof sent_schemas / sizeof *sent_schemas)

static enum status get_sent(struct schema_source *port, struct schema_key key, struct arena *arena,
                            struct baton_text *text, struct error *error)
{
    (void)port;
    (void)arena;
    const struct embedded_text *found = NULL;
    if (key.naming == SCHEMA_REGISTRY_ID && key.id > 0 && key.id < SENT_SCHEMAS)
        found = embedded_find(sent_schemas[key.id]);
    if (!found)
        return error_set(error, STATUS_REJECT, "none of the schemas of baton-bench load");
    *text = (struct baton_text){found->text, (uint32_t)found->size};
    return STATUS_OK;
}

static void destroy_sent(struct schema_source *port)
{
    free(port);
}

struct schema_source *stage_schemas(struct stages *stages)
{
    if (stages->options.schemas)
        return schemas_create(stages->options.schemas, NULL);
    struct schema_source *port = memory_take(sizeof *port);
    *port = (struct schema_source){.get = get_sent, .destroy = destroy_sent};
    return port;
}

/* All schemas that the kept messages of the first worker name. */
static void add_schemas(struct stages *stages, struct decoder *decoder)
{
    struct schema_source *schemas = stage_schemas(stages);
    struct arena arena;
    arena_init(&arena, 1 << 16);
    const struct kept *kept = &stages->worker[0].kept;
    for (size_t i = 0; i < kept->count; i++) {
        const struct kept_message *message = &kept->messages[i];
        struct schema_key key =
            decoder_schema_of(message->bytes + message->key_size, message->value_size);
        struct baton_text text;
        struct error ignored;
        if (key.naming != SCHEMA_NONE && !decoder_has_schema(decoder, key) &&
            schemas->get(schemas, key, &arena, &text, &ignored) == STATUS_OK)
            decoder_add_schema(decoder, key, text.data, text.size);
    }
    schemas->destroy(schemas);
    arena_fini(&arena);
}

enum status stage_decoder(struct stages *stages, struct decoder **decoder, struct error *error)
{
    enum status status = decoder_create(decoder, &stages->input, error);
    if (status == STATUS_OK)
        add_schemas(stages, *decoder);
    return status;
}

/* ---- making ready ---- */

static enum status read_config(struct stages *stages, struct error *error)
{
    char text[4096];
    struct text_buffer messages;
    text_buffer_init(&messages);
    int size = snprintf(text, sizeof text,
                        "kafka: {brokers: '%s', group: %s, instance: %s}\n"
                        "topics: {events: '%s', promotions: %s, stages: %s-s, dead: %s-d, "
                        "breaches: %s-b}\n"
                        "redis: {url: '%s', prefix: %s}\nworkers: %u\n",
                        stages->options.common.brokers, stages->name, stages->name,
                        stages->options.common.topic, stages->name, stages->name, stages->name,
                        stages->name, stages->options.redis, stages->name, stages->workers);
    enum status status =
        config_parse("the options say", text, (size_t)size, &stages->config, &messages);
    if (status != STATUS_OK)
        (void)error_set(error, status, "%s", messages.data ? messages.data : "bad options");
    text_buffer_fini(&messages);
    return status;
}

static enum status read_agreement(struct stages *stages, struct error *error)
{
    const char *path = stages->options.agreement ? stages->options.agreement
                                                 : BENCH_SOURCE_DIR "/agreements/simple.yaml";
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = agreement_load(path, &stages->agreement, &messages);
    if (status != STATUS_OK)
        (void)error_set(error, status, "%s", messages.data ? messages.data : path);
    text_buffer_fini(&messages);
    return status;
}

/* The user's own properties of librdkafka, for baton's adapters, too; all outputs are one topic. */
static void set_kafka(struct stages *stages)
{
    setup_kafka(stages->config, "baton.yaml", stages->name, &stages->arena, &stages->kafka);
    const struct option_properties *given = &stages->options.common.properties;
    struct kafka_property *items = arena_take(&stages->arena, (given->count + 1) * sizeof *items);
    for (size_t i = 0; i < given->count; i++)
        items[i] = (struct kafka_property){given->items[i].key, given->items[i].value};
    stages->kafka.common = (struct kafka_properties){items, given->count};
    for (int topic = 0; topic < OUTGOING_TOPICS; topic++)
        stages->kafka.outputs[topic] = stages->name;
}

static enum status look_at_topic(struct stages *stages, struct error *error)
{
    struct bench_topic topic;
    enum status status = bench_kafka_topic(&stages->options.common, 0, &topic, error);
    if (status != STATUS_OK)
        return status;
    stages->partitions = (uint32_t)topic.partitions;
    stages->topic_messages = topic.messages;
    if (stages->workers > stages->partitions)
        stages->workers = stages->partitions;
    return STATUS_OK;
}

/* Ranges of partitions, as the group would give them. */
static void make_workers(struct stages *stages)
{
    stages->worker = memory_take_zeroed(stages->workers, sizeof *stages->worker);
    for (unsigned i = 0; i < stages->workers; i++) {
        struct stage_worker *worker = &stages->worker[i];
        worker->stages = stages;
        worker->number = i;
        worker->first_unit = stages->partitions * i / stages->workers;
        worker->unit_count = stages->partitions * (i + 1) / stages->workers - worker->first_unit;
        kept_init(&worker->kept);
        lead_table_init(&worker->table, SIZE_MAX); /* all leads of the kept messages */
        worker->words = memory_take_zeroed(worker->unit_count, sizeof *worker->words);
        for (uint32_t unit = 0; unit < worker->unit_count; unit++)
            baton_words_init(&worker->words[unit], STAGES_WORDS, worker->table.allocator);
    }
}

static enum status prepare(struct stages *stages, struct error *error)
{
    (void)snprintf(stages->name, sizeof stages->name, "bench-stages-%d-%" PRId64, (int)getpid(),
                   clock_unix_ms() / 1000);
    stages->workers = (unsigned)stages->options.workers;
    stages->servers =
        (struct team_servers){(pid_t)stages->options.broker_pid, (pid_t)stages->options.redis_pid};
    enum status status = look_at_topic(stages, error);
    if (status == STATUS_OK)
        status = read_config(stages, error);
    if (status == STATUS_OK)
        status = read_agreement(stages, error);
    if (status != STATUS_OK)
        return status;
    set_kafka(stages);
    setup_redis(stages->config, &stages->redis);
    setup_input(stages->config, &stages->arena, &stages->input);
    /* What it does while events wait: the limit is what it does then. */
    stages->pace_s = (double)stages->config->emit.pace_behind_ms / 1000;
    stages->interval_s = (double)stages->config->checkpoint.interval_behind_ms / 1000;
    make_workers(stages);
    return STATUS_OK;
}

static void clean_up(struct stages *stages)
{
    for (unsigned i = 0; stages->worker && i < stages->workers; i++) {
        struct stage_worker *worker = &stages->worker[i];
        for (uint32_t unit = 0; unit < worker->unit_count; unit++)
            baton_words_fini(&worker->words[unit]);
        free(worker->words);
        lead_table_fini(&worker->table);
        kept_fini(&worker->kept);
    }
    free(stages->worker);
    if (stages->agreement)
        agreement_destroy(stages->agreement);
    if (stages->config)
        config_destroy(stages->config);
    arena_fini(&stages->arena);
}

/* ---- all of them ---- */

static void take_sums(struct stages *stages)
{
    uint64_t late = 0;
    for (unsigned i = 0; i < stages->workers; i++) {
        const struct stage_worker *worker = &stages->worker[i];
        stages->messages += worker->kept.count;
        stages->leads_known += worker->table.used;
        stages->dead += worker->dead;
        stages->outputs += worker->messages_out;
        late += worker->new_late;
    }
    stages->new_leads = (double)late / ((double)stages->messages * 0.9);
}

static enum status keep_and_know(struct stages *stages, struct error *error)
{
    enum status status = stage_keep(stages, error);
    if (status == STATUS_OK)
        status = stage_known(stages, error);
    if (status == STATUS_OK)
        take_sums(stages);
    return status;
}

/* In this order: what is known of the messages comes before what works on them. */
static const struct step {
    const char *name;
    enum status (*run)(struct stages *stages, struct error *error);
    enum stage first, last; /* what it measures */
} steps[] = {
    {"keep", keep_and_know, STAGE_ENCODE, STAGE_ENCODE}, /* and the broker is warm */
    {"count", stage_count, STAGE_POLL, STAGE_SOURCE},
    {"decode", stage_decode, STAGE_DECODE, STAGE_DECODE},
    {"fold", stage_fold, STAGE_FOLD, STAGE_FOLD_UNIFORM},
    {"loop", stage_loop, STAGE_LOOP, STAGE_LOOP},
    {"redis", stage_redis, STAGE_PACK, STAGE_LOAD_NEW},
    {"transactions", stage_transactions, STAGE_TRANSACTION, STAGE_TRANSACTION},
};
#define STEPS (sizeof steps / sizeof *steps)

static bool is_wanted(const struct stages *stages, const struct step *step)
{
    const char *only = stages->options.only;
    return !only || step == steps || strcmp(only, step->name) == 0;
}

static enum status check_only(const struct stages *stages, struct error *error)
{
    if (!stages->options.only)
        return STATUS_OK;
    for (size_t i = 1; i < STEPS; i++)
        if (strcmp(stages->options.only, steps[i].name) == 0)
            return STATUS_OK;
    return error_set(error, STATUS_STOP, "--only %s: there is no such stage", stages->options.only);
}

static enum status run_all(struct stages *stages, struct error *error)
{
    report_head(stages);
    for (size_t i = 0; i < STEPS; i++) {
        if (!is_wanted(stages, &steps[i]))
            continue;
        enum status status = steps[i].run(stages, error);
        if (status != STATUS_OK)
            return status;
        for (int stage = (int)steps[i].first; stage <= (int)steps[i].last; stage++)
            report_stage(stages, (enum stage)stage);
    }
    return STATUS_OK;
}

static int conclude(struct stages *stages, int argc, char **argv)
{
    if (stages->options.only) /* the whole is not known */
        return 0;
    return report_take(stages, result_create("stages", &options, &stages->options, argc, argv));
}

int bench_stages(int argc, char **argv)
{
    struct stages stages = {0};
    int code = options_read(&options, argc, argv, &stages.options);
    if (code >= 0)
        return code;
    log_set_level(LOG_WARN);
    arena_init(&stages.arena, 4096);
    struct error error = {.text = ""};
    enum status status = check_only(&stages, &error);
    if (status == STATUS_OK)
        status = prepare(&stages, &error);
    if (status == STATUS_OK)
        status = run_all(&stages, &error);
    stage_clean_up(&stages);
    if (status == STATUS_OK)
        code = conclude(&stages, argc, argv);
    else {
        (void)fprintf(stderr, "baton-bench: %s\n", error.text);
        code = 1;
    }
    clean_up(&stages);
    return code;
}
