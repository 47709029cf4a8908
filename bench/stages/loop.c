/* The worker's loop as it is, from a batch of records to the leads that a checkpoint hands over,
 * with ports that cost next to nothing in place of Kafka and Redis. */
#include "codec/outgoing.h"
#include "commands/system_clock.h"
#include "common/clock.h"
#include "pipeline/worker.h"
#include "stages/stages.h"

#include <stdlib.h>
#include <string.h>

#define TRANSACTION_S 0.014 /* how long a commit takes a broker, about */

struct loop {
    struct stage_worker *worker;
    /* source */
    struct source source;
    struct kept_reader reader;
    uint32_t *units;
    bool told, fetching;
    uint64_t handed_out;
    /* sink */
    struct sink sink;
    enum sink_state state;
    double commits_at;
    /* store */
    struct store store;
    uint64_t leads_written;
    struct loaded_lead *loaded;
    size_t load_room;
    /* measured */
    uint64_t events_before, writes_before;
};

#define LOOP_OF(port, member)                                                                      \
    ((struct loop *)(void *)((char *)(port)-offsetof(struct loop, member)))

/* ---- source ---- */

static enum status fetch(struct source *port, int timeout_ms, struct record *records, size_t room,
                         size_t *count, struct source_news *news, struct error *error)
{
    (void)timeout_ms;
    (void)error;
    struct loop *loop = LOOP_OF(port, source);
    *count = 0;
    *news = (struct source_news){.kind = SOURCE_NO_NEWS};
    if (!loop->told) {
        loop->told = true;
        *news = (struct source_news){SOURCE_ASSIGNED, loop->units, loop->worker->unit_count};
    } else if (loop->fetching) {
        *count = kept_take(&loop->reader, records, room);
        loop->handed_out += *count;
    }
    return STATUS_OK;
}

/* Positions are where the reader stands: it is started once. */
static enum status start(struct source *port, const struct unit_position *positions, size_t count,
                         struct error *error)
{
    (void)positions;
    (void)error;
    struct loop *loop = LOOP_OF(port, source);
    loop->fetching = count == loop->worker->unit_count; /* not before all are live */
    return STATUS_OK;
}

static enum status release(struct source *port, struct error *error)
{
    (void)port;
    (void)error;
    return STATUS_OK;
}

static enum status committed(struct source *port, const uint32_t *units, size_t count,
                             struct arena *arena, struct committed *out, struct error *error)
{
    (void)port;
    (void)units;
    (void)arena;
    (void)error;
    for (size_t i = 0; i < count; i++)
        out[i] = (struct committed){.offset = -1, .metadata = ""};
    return STATUS_OK;
}

static enum status range(struct source *port, uint32_t unit, int64_t *first, int64_t *end,
                         struct error *error)
{
    (void)port;
    (void)unit;
    (void)error;
    *first = 0;
    *end = INT64_MAX;
    return STATUS_OK;
}

static enum status partitions(struct source *port, uint32_t *count, struct error *error)
{
    (void)error;
    *count = LOOP_OF(port, source)->worker->stages->partitions;
    return STATUS_OK;
}

/* The kept records come round and round: more lie there than can be handed out. */
static uint64_t waiting(const struct source *port)
{
    const char *loop = (const char *)port - offsetof(struct loop, source);
    return ((const struct loop *)(const void *)loop)->fetching ? INT64_MAX : 0;
}

/* ---- sink ---- */

static void begin(struct sink *port, const struct transaction *transaction)
{
    (void)transaction;
    struct loop *loop = LOOP_OF(port, sink);
    loop->state = SINK_BUSY;
    loop->commits_at = clock_seconds() + TRANSACTION_S;
}

static enum sink_state sink_poll(struct sink *port, struct error *error)
{
    (void)error;
    struct loop *loop = LOOP_OF(port, sink);
    if (loop->state == SINK_BUSY && clock_seconds() >= loop->commits_at) {
        loop->state = SINK_IDLE;
        return SINK_COMMITTED;
    }
    return loop->state;
}

static enum status sink_reset(struct sink *port, struct error *error)
{
    (void)error;
    LOOP_OF(port, sink)->state = SINK_IDLE;
    return STATUS_OK;
}

/* ---- store ---- */

static enum status claim(struct store *port, uint32_t unit, const uint8_t token[16],
                         struct arena *arena, struct fence *fence, struct field **fields,
                         size_t *field_count, struct error *error)
{
    (void)port;
    (void)unit;
    (void)arena;
    (void)error;
    memcpy(fence->token, token, sizeof fence->token);
    fence->step = 1;
    *fields = NULL;
    *field_count = 0;
    return STATUS_OK;
}

static enum status check(struct store *port, uint32_t unit, const struct fence *fence,
                         struct error *error)
{
    (void)port;
    (void)unit;
    (void)fence;
    (void)error;
    return STATUS_OK;
}

static enum status load_begin(struct store *port, uint32_t unit, const struct fence *fence,
                              const struct baton_text *ids, size_t count, struct error *error)
{
    struct loop *loop = LOOP_OF(port, store);
    (void)unit;
    (void)fence;
    (void)ids;
    (void)error;
    if (count > loop->load_room) {
        free(loop->loaded);
        loop->loaded = memory_take_zeroed(count, sizeof *loop->loaded);
        loop->load_room = count;
    }
    return STATUS_OK;
}

static enum status load_finish(struct store *port, uint32_t unit, struct loaded_lead **out,
                               struct error *error)
{
    (void)unit;
    (void)error;
    *out = LOOP_OF(port, store)->loaded; /* of no lead is anything there */
    return STATUS_OK;
}

static enum status hash(struct store *port, uint32_t unit, const struct fence *fence,
                        enum store_hash which, struct arena *arena, struct field **out,
                        size_t *count, struct error *error)
{
    (void)port;
    (void)unit;
    (void)fence;
    (void)which;
    (void)arena;
    (void)error;
    *out = NULL;
    *count = 0;
    return STATUS_OK;
}

static enum status peek(struct store *port, uint32_t unit, enum store_hash which,
                        struct arena *arena, struct field **out, size_t *count, struct error *error)
{
    return hash(port, unit, NULL, which, arena, out, count, error);
}

static enum status text(struct store *port, uint32_t unit, const struct fence *fence,
                        struct baton_text name, struct arena *arena, struct baton_text *value,
                        struct error *error)
{
    (void)port;
    (void)unit;
    (void)fence;
    (void)name;
    (void)arena;
    (void)error;
    *value = (struct baton_text){0};
    return STATUS_OK;
}

static enum status write(struct store *port, uint32_t unit, struct fence *fence,
                         const struct store_write *write, struct error *error)
{
    (void)unit;
    (void)error;
    fence->step++;
    LOOP_OF(port, store)->leads_written += write->lead_count;
    return STATUS_OK;
}

static enum status settle(struct store *port, uint32_t unit, bool wait, size_t *outstanding,
                          struct error *error)
{
    (void)port;
    (void)unit;
    (void)wait;
    (void)error;
    *outstanding = 0;
    return STATUS_OK;
}

static enum status clear(struct store *port, uint32_t unit, struct fence *fence,
                         struct error *error)
{
    (void)port;
    (void)unit;
    (void)fence;
    (void)error;
    return STATUS_OK;
}

/* ---- the worker ---- */

static void init_ports(struct loop *loop)
{
    struct stage_worker *worker = loop->worker;
    loop->source = (struct source){.fetch = fetch,
                                   .start = start,
                                   .release = release,
                                   .committed = committed,
                                   .range = range,
                                   .partitions = partitions,
                                   .waiting = waiting};
    loop->sink = (struct sink){.begin = begin, .poll = sink_poll, .reset = sink_reset};
    loop->state = SINK_FAILED;
    loop->store = (struct store){.claim = claim,
                                 .check = check,
                                 .load_begin = load_begin,
                                 .load_finish = load_finish,
                                 .hash = hash,
                                 .peek = peek,
                                 .text = text,
                                 .write = write,
                                 .settle = settle,
                                 .clear = clear};
    kept_reader_init(&loop->reader, &worker->kept, worker->first_unit, worker->unit_count);
    loop->units = memory_take(worker->unit_count * sizeof *loop->units);
    for (uint32_t i = 0; i < worker->unit_count; i++)
        loop->units[i] = worker->first_unit + i;
}

/* As baton's own defaults have it. */
static struct worker_config worker_config_of(const struct stage_worker *worker)
{
    const struct stages *stages = worker->stages;
    const struct config *config = stages->config;
    return (struct worker_config){
        .number = worker->number,
        .agreement = stages->agreement,
        .input = &stages->input,
        .events_topic = stages->options.common.topic,
        .group = stages->name,
        .config_file = "baton.yaml",
        .words_capacity = STAGES_WORDS,
        .table_bytes = (size_t)config->leads.memory_bytes / stages->workers,
        .dirty_max = (uint32_t)config->checkpoint.dirty / stages->workers + 1,
        .dead_letter_bytes = 1000000,
        .emit_linger_ms = config->emit.linger_ms,
        .emit_pace_ms = config->emit.pace_ms,
        .commit_interval_ms = config->commit.interval_ms,
        .checkpoint_interval_ms = config->checkpoint.interval_ms,
        .emit_pace_behind_ms = config->emit.pace_behind_ms,
        .checkpoint_interval_behind_ms = config->checkpoint.interval_behind_ms,
        .unknown_schema_wait_ms = 0,
        .drain_ms = 1000,
    };
}

static enum status turn(struct team_member *member, struct worker *worker, struct loop *loop,
                        struct error *error)
{
    enum status status = STATUS_OK;
    /* The first round fills the table. */
    while (status == STATUS_OK && loop->handed_out < loop->worker->kept.count)
        status = worker_step(worker, error);
    if (status != STATUS_OK || !team_start(member))
        return status;
    uint64_t events = loop->handed_out;
    loop->writes_before = loop->leads_written;
    while (status == STATUS_OK && !team_time_is_up(member))
        status = worker_step(worker, error);
    team_stop(member, &(struct team_work){.units = loop->handed_out - events});
    return status;
}

static enum status run(struct team_member *member, struct error *error)
{
    struct loop *loop = member->context;
    init_ports(loop);
    struct worker_config config = worker_config_of(loop->worker);
    struct worker_ports ports = {.source = &loop->source,
                                 .sink = &loop->sink,
                                 .store = &loop->store,
                                 .schemas = stage_schemas(loop->worker->stages),
                                 .clock = system_clock()};
    struct encoder *encoder = NULL;
    struct worker *worker = NULL;
    enum status status = encoder_create(&encoder, OUTPUT_AVRO, "/baton",
                                        loop->worker->stages->kafka.outputs, NULL, error);
    if (status == STATUS_OK)
        status = worker_create(&worker, &config, &ports, encoder, error);
    if (status == STATUS_OK) {
        status = turn(member, worker, loop, error);
        worker_destroy(worker);
    }
    if (encoder)
        encoder_destroy(encoder);
    ports.schemas->destroy(ports.schemas);
    kept_reader_fini(&loop->reader);
    free(loop->units);
    free(loop->loaded);
    return status;
}

enum status stage_loop(struct stages *stages, struct error *error)
{
    void *contexts[TEAM_MAX];
    for (unsigned i = 0; i < stages->workers; i++) {
        struct loop *loop = memory_take_zeroed(1, sizeof *loop);
        loop->worker = &stages->worker[i];
        contexts[i] = loop;
    }
    struct team_figures figures;
    enum status status = team_run(stages->workers, stages->options.seconds, stages->servers, run,
                                  contexts, &figures, error);
    uint64_t writes = 0;
    for (unsigned i = 0; i < stages->workers; i++) {
        struct loop *loop = contexts[i];
        writes += loop->leads_written - loop->writes_before;
        free(loop);
    }
    if (figures.units)
        stages->loop_writes = (double)writes / (double)figures.units;
    stage_take(stages, STAGE_LOOP, &figures);
    return status;
}
