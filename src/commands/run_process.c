#include "commands/run_process.h"

#include "base/log.h"
#include "commands/commands.h"
#include "commands/instance.h"
#include "commands/run_agreements.h"
#include "commands/run_figures.h"
#include "commands/run_shadow.h"
#include "commands/setup.h"
#include "commands/system_clock.h"
#include "kafka/kafka_admin.h"
#include "kafka/kafka_sink.h"
#include "kafka/kafka_source.h"
#include "pipeline/worker.h"
#include "redis/redis_inspect.h"
#include "redis/redis_store.h"
#include "schemas/schemas.h"

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_CAPACITY 65536
#define DEAD_LETTER_ROOM 8192 /* of a message, for key and headers of a dead letter */
#define EVENT_FRAME 512       /* … for what a batch of one message has beside it */
#define RETRY_FIRST_MS 200
#define RETRY_LAST_MS 5000

struct process_worker {
    struct process *process;
    struct worker *worker;
    struct worker_ports ports;
    struct encoder *encoder;
    pthread_t thread;
    bool started;
    enum status status;
    struct error error;
    bool left_behind;
};

struct process {
    const struct config *config;
    const struct run_options *options;
    struct arena arena;
    struct run_agreements agreements;
    struct agreement *shadow; /* NULL: there is none */
    struct instance instance;
    struct input_config input;
    struct kafka_settings kafka;
    struct kafka_limits limits;
    struct redis_config redis;
    struct kafka_admin *admin;
    struct stage_log *stage_log;
    uint32_t partitions;
    struct worker_config worker_config;
    struct process_worker *workers;
    size_t worker_count;
    struct baton_figures {
        uint64_t records, promotions, dead;
        int64_t at_us;
    } before;
};

/* Set by signals, read by all. */
static atomic_bool stop_asked, reload_asked;

static void on_signal(int number)
{
    (void)number;
    atomic_store_explicit(&stop_asked, true, memory_order_release);
}

static void on_reload(int number)
{
    (void)number;
    atomic_store_explicit(&reload_asked, true, memory_order_release);
}

static void listen_to_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal}, reload = {.sa_handler = on_reload};
    (void)sigemptyset(&reload.sa_mask);
    reload.sa_flags = SA_RESTART;
    (void)sigaction(SIGHUP, &reload, NULL);
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static bool stopping(void)
{
    return atomic_load_explicit(&stop_asked, memory_order_acquire);
}

/* ---- before the workers
 * -------------------------------------------------------------------------- */

/* Repeats what answers RETRY, with growing pauses and one log line; ends early when a stop is
 * asked. */
static enum status patiently(struct process *process, const char *whom,
                             enum status (*act)(struct process *, struct error *),
                             struct error *error)
{
    int pause_ms = RETRY_FIRST_MS;
    bool told = false;
    enum status status;
    while ((status = act(process, error)) == STATUS_RETRY && !stopping()) {
        if (!told)
            log_warn("waits for %s: %s", whom, error->text);
        told = true;
        system_clock()->pause(system_clock(), pause_ms);
        pause_ms = pause_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : pause_ms * 2;
    }
    if (told && status == STATUS_OK)
        log_info("%s answers", whom);
    return status;
}

static enum status check_redis(struct process *process, struct error *error)
{
    struct text_buffer warnings;
    text_buffer_init(&warnings);
    enum status status = redis_check_settings(&process->redis, &warnings, error);
    if (status == STATUS_OK && warnings.data)
        for (char *line = strtok(warnings.data, "\n"); line; line = strtok(NULL, "\n"))
            log_warn("%s", line);
    text_buffer_fini(&warnings);
    return status;
}

/* Where less than this is taken, a lead that is given up leaves behind what counts. */
#define EVENT_BYTES_LEAST 65536

static enum status ask_limits(struct process *process, struct error *error)
{
    enum status status = kafka_admin_limits(process->admin, &process->limits, error);
    process->kafka.max_message_bytes = process->limits.most;
    process->kafka.max_batch_bytes = process->limits.least;
    if (status == STATUS_OK && process->limits.events < EVENT_BYTES_LEAST)
        log_warn("topic %s takes messages of %zu bytes (max.message.bytes): a merged lead may need "
                 "more, and leaves out what finds no room; %d are enough for nearly all",
                 process->config->topics.events, process->limits.events, EVENT_BYTES_LEAST);
    return status;
}

static enum status check_kafka(struct process *process, struct error *error)
{
    enum status status = STATUS_OK;
    if (!process->kafka.embedded) {
        status = kafka_admin_check_topics(
            process->admin, run_agreements_have_pact(run_agreements_set(&process->agreements)),
            error);
        if (status == STATUS_OK)
            status = ask_limits(process, error);
    }
    if (status == STATUS_OK)
        status = kafka_admin_partitions(process->admin, process->config->topics.events,
                                        &process->partitions, error);
    return status;
}

static bool says(const struct field *field, const char *name)
{
    return field->name.size == strlen(name) &&
           memcmp(field->name.data, name, field->name.size) == 0;
}

static bool differs(const struct field *field, const char *text)
{
    return field->value.size != strlen(text) ||
           memcmp(field->value.data, text, field->value.size) != 0;
}

/* Leads belong to one group, one topic, and one number of partitions: under another they would be
 * taken for new ones, or two groups would shut each other out. Looked at before anything is
 * claimed. */
static enum status check_unit(const struct process *process, const struct field *field,
                              struct error *error)
{
    const struct config *config = process->config;
    char partitions[16];
    (void)snprintf(partitions, sizeof partitions, "%" PRIu32, process->partitions);
    if ((says(field, "topic") && differs(field, config->topics.events)) ||
        (says(field, "group") && differs(field, config->kafka.group)))
        return error_set(error, STATUS_STOP,
                         "redis.prefix %s holds the leads of %.*s %.*s; this is group %s on topic "
                         "%s: give it a redis.prefix of its own",
                         config->redis.prefix, (int)field->name.size, field->name.data,
                         (int)field->value.size, field->value.data, config->kafka.group,
                         config->topics.events);
    if (says(field, "partitions") && differs(field, partitions))
        return error_set(error, STATUS_STOP,
                         "topic %s has %s partitions, and leads were scored with %.*s: they have "
                         "moved to other units. Kafka takes no partitions away: have the writers "
                         "use a new topic with %.*s partitions, or start anew under another "
                         "redis.prefix and kafka.group (leads may then be promoted again)",
                         config->topics.events, partitions, (int)field->value.size,
                         field->value.data, (int)field->value.size, field->value.data);
    return STATUS_OK;
}

static enum status check_units(struct process *process, struct error *error)
{
    struct redis_inspector *inspector;
    enum status status = redis_inspect_open(&inspector, &process->redis, error);
    if (status != STATUS_OK)
        return status;
    struct arena arena;
    arena_init(&arena, 16384);
    for (uint32_t unit = 0; status == STATUS_OK && unit < process->partitions; unit++) {
        struct field *fields;
        size_t count = 0;
        status = redis_inspect_unit(inspector, unit, &arena, &fields, &count, error);
        for (size_t i = 0; status == STATUS_OK && i < count; i++)
            status = check_unit(process, &fields[i], error);
    }
    arena_fini(&arena);
    redis_inspect_close(inspector);
    return status;
}

/* A position older than the log's beginning cannot be replayed: warn while there is time. */
static void warn_of_retention(struct process *process)
{
    struct kafka_topic topics[KAFKA_TOPICS];
    struct error error;
    if (process->kafka.embedded || kafka_admin_topics(process->admin, topics, &error) != STATUS_OK)
        return;
    int64_t least_ms = 60 * 60 * 1000;
    if (topics[0].retention_ms >= 0 && topics[0].retention_ms < least_ms)
        log_warn("topic %s keeps events for %" PRId64
                 " s only: a checkpoint that is older than that cannot be replayed; an hour is the "
                 "least, days are better (retention.ms)",
                 topics[0].name, topics[0].retention_ms / 1000);
}

/* ---- workers
 * ------------------------------------------------------------------------------------- */

static enum partitioner partitioner_of(const struct config *config)
{
    static const enum partitioner partitioners[] = {[CONFIG_PARTITIONER_AUTO] = PARTITIONER_AUTO,
                                                    [CONFIG_PARTITIONER_MURMUR2] =
                                                        PARTITIONER_MURMUR2,
                                                    [CONFIG_PARTITIONER_CRC32] = PARTITIONER_CRC32};
    return partitioners[config->topics.partitioner];
}

static struct worker_config worker_config_of(struct process *process)
{
    struct identity_config identity;
    setup_identity(process->config, &identity);
    const struct config *config = process->config;
    size_t bytes = process->limits.dead ? process->limits.dead : 1000000,
           event_bytes = process->limits.events ? process->limits.events : 1000000;
    int64_t stop_ms = config->shutdown.timeout_ms;
    return (struct worker_config){
        .versions = &process->agreements.current,
        .shadow = process->shadow,
        .input = &process->input,
        .events_topic = config->topics.events,
        .group = config->kafka.group,
        .config_file = config->file_name,
        .words_capacity = WORDS_CAPACITY,
        .table_bytes = (size_t)(config->leads.memory_bytes / config->workers),
        .dirty_max = (uint32_t)(config->checkpoint.dirty / config->workers) + 1,
        .dead_letter_bytes = bytes > 2 * DEAD_LETTER_ROOM ? bytes - DEAD_LETTER_ROOM : bytes / 2,
        .event_bytes = event_bytes - EVENT_FRAME,
        .emit_linger_ms = config->emit.linger_ms,
        .emit_pace_ms = config->emit.pace_ms,
        .emit_pace_behind_ms = config->emit.pace_behind_ms,
        .commit_interval_ms = config->commit.interval_ms,
        .checkpoint_interval_ms = config->checkpoint.interval_ms,
        .checkpoint_interval_behind_ms = config->checkpoint.interval_behind_ms,
        .unknown_schema_wait_ms = config->schemas.unknown_wait_ms,
        .sweep_every_ms = config->sweep.every_ms,
        .sweep_share = (uint32_t)config->sweep.share,
        .drain_ms =
            stop_ms > 2000 ? stop_ms - 1000 : stop_ms / 2, /* leaving the group takes time, too */
        .identity = identity,
        .partitioner = partitioner_of(config),
        .embedded = config->kafka.embedded,
        .rebuild = process->options->rebuild,
        .rebuild_yes = process->options->yes,
    };
}

static enum status make_encoder(struct process *process, struct error *error)
{
    struct process_worker *made = &process->workers[process->worker_count];
    enum status status = encoder_create(&made->encoder, setup_output_format(process->config),
                                        process->config->output.source, process->kafka.outputs,
                                        process->config->schemas.registry, error);
    if (status == STATUS_OK)
        encoder_speak(made->encoder, setup_output_language(process->config));
    return status;
}

static enum status make_worker(struct process *process, struct error *error)
{
    struct process_worker *made = &process->workers[process->worker_count];
    return worker_create(&made->worker, &process->worker_config, &made->ports, made->encoder,
                         error);
}

static enum status make_ports(struct process *process, struct error *error)
{
    const struct config *config = process->config;
    struct worker_ports *ports = &process->workers[process->worker_count].ports;
    *ports = (struct worker_ports){.clock = system_clock(), .stage_log = process->stage_log};
    enum status status = kafka_source_create(&process->kafka, &ports->source, error);
    if (status == STATUS_OK)
        status = kafka_sink_create(&process->kafka, (unsigned)process->worker_count, ports->source,
                                   &ports->sink, error);
    if (status == STATUS_OK)
        status = redis_store_create(&ports->store, &process->redis, error);
    if (status == STATUS_OK)
        ports->schemas = schemas_create(config->schemas.directory, config->schemas.registry);
    return status;
}

static void *worker_thread(void *argument)
{
    struct process_worker *self = argument;
    self->status = worker_run(self->worker, &stop_asked, &self->error);
    if (self->status != STATUS_OK) {
        log_error("worker=%u ends: %s", (unsigned)(self - self->process->workers),
                  self->error.text);
        on_signal(0); /* a process that is half there would only hide it */
    }
    return NULL;
}

static enum status start_workers(struct process *process, struct error *error)
{
    size_t count = (size_t)process->config->workers;
    process->workers = memory_take_zeroed(count, sizeof *process->workers);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && process->worker_count < count && !stopping()) {
        struct process_worker *made = &process->workers[process->worker_count];
        made->process = process;
        process->worker_config.number = (uint32_t)process->worker_count;
        status = patiently(process, "the schema registry", make_encoder, error);
        if (status == STATUS_OK)
            status = make_ports(process, error);
        if (status == STATUS_OK)
            status = patiently(process, "Kafka", make_worker, error);
        process->worker_count++;
    }
    for (size_t i = 0; status == STATUS_OK && i < process->worker_count; i++)
        if (process->workers[i].worker)
            process->workers[i].started = pthread_create(&process->workers[i].thread, NULL,
                                                         worker_thread, &process->workers[i]) == 0;
    return status;
}

static void destroy_worker(struct process_worker *worker)
{
    if (worker->ports.sink) /* first: its transaction borrows from the worker */
        worker->ports.sink->destroy(worker->ports.sink);
    if (worker->worker)
        worker_destroy(worker->worker);
    if (worker->ports.source)
        worker->ports.source->destroy(worker->ports.source);
    if (worker->ports.store)
        worker->ports.store->destroy(worker->ports.store);
    if (worker->ports.schemas)
        worker->ports.schemas->destroy(worker->ports.schemas);
    if (worker->encoder)
        encoder_destroy(worker->encoder);
}

/* ---- figures
 * ------------------------------------------------------------------------------------- */

/* Events of our units that are in Kafka and not folded yet; -1: Kafka does not say. */
static int64_t lag_of(struct process *process)
{
    struct arena arena;
    arena_init(&arena, 16384);
    struct kafka_unit *units = arena_take(&arena, process->partitions * sizeof *units);
    struct error error;
    int64_t lag = -1;
    if (kafka_admin_group(process->admin, process->partitions, &arena, units, &error) ==
        STATUS_OK) {
        lag = 0;
        for (uint32_t unit = 0; unit < process->partitions; unit++)
            for (size_t i = 0; i < process->worker_count; i++) {
                int64_t position = worker_position(process->workers[i].worker, unit);
                if (position >= 0 && units[unit].end > position)
                    lag += units[unit].end - position;
            }
    }
    arena_fini(&arena);
    return lag;
}

static void print_figures(struct process *process)
{
    struct run_figures sums = {0};
    for (size_t i = 0; i < process->worker_count; i++)
        run_figures_add(&sums, worker_figures(process->workers[i].worker));
    int64_t now = system_clock()->monotonic_us(system_clock());
    double seconds = (double)(now - process->before.at_us) / 1e6;
    struct text_buffer line;
    text_buffer_init(&line);
    text_buffer_print(&line, "events/s=%.0f promotions/s=%.1f",
                      (double)(sums.records - process->before.records) / seconds,
                      (double)(sums.promotions - process->before.promotions) / seconds);
    /* A broker that hangs is not to hold up a stop. */
    int64_t lag = stopping() ? -1 : lag_of(process);
    if (lag >= 0)
        text_buffer_print(&line, " lag=%" PRId64, lag);
    run_figures_print(&sums, &line);
    log_info("%s", line.data);
    text_buffer_fini(&line);
    process->before.records = sums.records;
    process->before.promotions = sums.promotions;
    process->before.at_us = now;
}

/* A set that comes while the process runs. */
static bool may_be_in_force(void *context, const struct versions *versions)
{
    struct process *process = context;
    struct error error;
    if (process->kafka.embedded || !run_agreements_have_pact(versions) ||
        kafka_admin_check_topics(process->admin, true, &error) == STATUS_OK) {
        run_shadow_warn(process->shadow, versions);
        return true;
    }
    log_error("%s", error.text);
    return false;
}

static void watch(struct process *process)
{
    int64_t interval_us = process->config->stats.interval_ms * 1000;
    process->before.at_us = system_clock()->monotonic_us(system_clock());
    while (!stopping()) {
        system_clock()->pause(system_clock(), 50);
        if (system_clock()->monotonic_us(system_clock()) - process->before.at_us >= interval_us)
            print_figures(process);
        bool asked = atomic_exchange_explicit(&reload_asked, false, memory_order_acq_rel);
        if (asked)
            run_agreements_tell_moved(process->config);
        if (asked || run_agreements_changed(&process->agreements))
            run_agreements_reload(&process->agreements, may_be_in_force, process);
    }
}

/* ---- the process
 * --------------------------------------------------------------------------------- */

static enum status prepare(struct process *process, struct error *error)
{
    const struct config *config = process->config;
    const char *wanted =
        process->options->instance ? process->options->instance : config->kafka.instance;
    enum status status = instance_take(&process->instance, config->kafka.group, wanted, error);
    setup_kafka(config, config->file_name, process->instance.name, &process->arena,
                &process->kafka);
    setup_redis(config, &process->redis);
    setup_input(config, &process->arena, &process->input);
    if (status == STATUS_OK && config->kafka.embedded)
        status = kafka_check_embedded(&process->kafka, error);
    if (status == STATUS_OK)
        status = kafka_admin_create(&process->kafka, &process->admin, error);
    if (status == STATUS_OK)
        status = kafka_stage_log_create(&process->kafka, &process->stage_log, error);
    if (status == STATUS_OK)
        status = patiently(process, "Redis", check_redis, error);
    if (status == STATUS_OK)
        status = patiently(process, "Kafka", check_kafka, error);
    if (status == STATUS_OK)
        status = patiently(process, "Redis", check_units, error);
    if (status == STATUS_OK)
        warn_of_retention(process);
    return status;
}

static int result_of(const struct process *process)
{
    bool left = false;
    for (size_t i = 0; i < process->worker_count; i++) {
        const struct process_worker *worker = &process->workers[i];
        if (worker->status != STATUS_OK || worker_had_stopped_units(worker->worker))
            return EXIT_CODE_FAILED;
        left = left || worker_left_something(worker->worker);
    }
    if (left)
        log_warn("stopped; something is left to replay at the next start");
    else
        log_info("stopped clean: committed and checkpointed, nothing to replay");
    return left ? EXIT_CODE_LEFT_TO_REPLAY : EXIT_CODE_OK;
}

static int run_workers(struct process *process)
{
    struct error error;
    process->worker_config = worker_config_of(process);
    const struct agreement *now = run_agreements_now(&process->agreements);
    log_info("agreement %s version %u (%.8s), %" PRId64 " workers, instance %s, librdkafka %s",
             agreement_name(now), agreement_version(now), agreement_hash(now),
             process->config->workers, process->instance.name, kafka_library_version());
    enum status status = start_workers(process, &error);
    if (status == STATUS_OK)
        watch(process);
    else if (!stopping())
        log_error("%s", error.text);
    on_signal(0);
    for (size_t i = 0; i < process->worker_count; i++)
        if (process->workers[i].started)
            (void)pthread_join(process->workers[i].thread, NULL);
    if (status != STATUS_OK)
        return status == STATUS_RETRY ? EXIT_CODE_OK : EXIT_CODE_FAILED;
    print_figures(process);
    return result_of(process);
}

static void clean_up(struct process *process)
{
    for (size_t i = 0; i < process->worker_count; i++)
        destroy_worker(&process->workers[i]);
    free(process->workers);
    if (process->stage_log)
        process->stage_log->destroy(process->stage_log);
    if (process->admin)
        kafka_admin_destroy(process->admin);
    if (process->shadow)
        agreement_destroy(process->shadow);
    run_agreements_fini(&process->agreements);
    instance_release(&process->instance);
    arena_fini(&process->arena);
}

/* Copies for checkpoints are large, and come and go: their memory goes back to the system at once.
 * glibc would keep what is smaller than the largest piece that was freed so far. */
static void give_memory_back(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

int run_process(const struct config *config, const struct run_options *options)
{
    give_memory_back();
    struct process process = {.config = config, .options = options, .instance = {.lock = -2}};
    arena_init(&process.arena, 16384);
    listen_to_signals();
    int code = EXIT_CODE_BAD_INPUT;
    if (run_agreements_init(&process.agreements, config->agreement, config->watch,
                            options->unsigned_too) &&
        run_shadow_load(&process.shadow, config, run_agreements_set(&process.agreements))) {
        struct error error;
        enum status status = prepare(&process, &error);
        if (status == STATUS_OK)
            code = run_workers(&process);
        else if (status == STATUS_RETRY)
            code = EXIT_CODE_OK; /* asked to stop while waiting: nothing was begun */
        else {
            log_error("%s", error.text);
            code = EXIT_CODE_FAILED;
        }
    }
    clean_up(&process);
    return code;
}
