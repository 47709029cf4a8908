#include "commands/run_process.h"

#include "agreement/agreement.h"
#include "base/log.h"
#include "commands/commands.h"
#include "commands/instance.h"
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
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_CAPACITY 65536
#define DEAD_LETTER_ROOM 8192 /* of a message, for key and headers of a dead letter */
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
    struct agreement *agreement;
    struct instance instance;
    struct input_config input;
    struct kafka_settings kafka;
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
static atomic_bool stop_asked;

static void on_signal(int number)
{
    (void)number;
    atomic_store_explicit(&stop_asked, true, memory_order_release);
}

static void listen_to_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
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

static bool words_refused(const struct process *process)
{
    size_t count;
    const struct agreement_word *refused = agreement_refused(process->agreement, &count);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr,
                      "%s:%u:%u: error: `%s` is not in force in this version, and would change "
                      "scores or promotions: take it out\n",
                      process->config->agreement, refused[i].line, refused[i].column,
                      refused[i].word);
    bool bad = count > 0;
    const struct agreement_word *idle = agreement_idle(process->agreement, &count);
    for (size_t i = 0; i < count; i++)
        log_warn("%s:%u:%u: `%s` is not in force in this version", process->config->agreement,
                 idle[i].line, idle[i].column, idle[i].word);
    return bad;
}

static bool load_agreement(struct process *process)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = agreement_load(process->config->agreement, &process->agreement, &messages);
    if (status != STATUS_OK && messages.data)
        (void)fputs(messages.data, stderr);
    text_buffer_fini(&messages);
    return status == STATUS_OK && !words_refused(process);
}

static void warn_of_dates(struct process *process)
{
    struct text_buffer why;
    text_buffer_init(&why);
    int64_t now = system_clock()->wall_ms(system_clock());
    if (!agreement_in_force(process->agreement, now, &why))
        log_warn("agreement %s version %u %s; its rules count all the same",
                 agreement_name(process->agreement), agreement_version(process->agreement),
                 why.data);
    text_buffer_fini(&why);
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

static enum status check_kafka(struct process *process, struct error *error)
{
    enum status status = STATUS_OK;
    if (!process->kafka.embedded) {
        status = kafka_admin_check_topics(process->admin, error);
        if (status == STATUS_OK)
            status =
                kafka_max_message_bytes(process->admin, &process->kafka.max_message_bytes, error);
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

static struct worker_config worker_config_of(const struct process *process)
{
    const struct config *config = process->config;
    size_t bytes = process->kafka.max_message_bytes ? process->kafka.max_message_bytes : 1000000;
    int64_t stop_ms = config->shutdown.timeout_ms;
    return (struct worker_config){
        .agreement = process->agreement,
        .input = &process->input,
        .events_topic = config->topics.events,
        .group = config->kafka.group,
        .config_file = config->file_name,
        .words_capacity = WORDS_CAPACITY,
        .table_bytes = (size_t)(config->leads.memory_bytes / config->workers),
        .dirty_max = (uint32_t)(config->checkpoint.dirty / config->workers) + 1,
        .dead_letter_bytes = bytes > 2 * DEAD_LETTER_ROOM ? bytes - DEAD_LETTER_ROOM : bytes / 2,
        .emit_linger_ms = config->emit.linger_ms,
        .emit_pace_ms = config->emit.pace_ms,
        .emit_pace_behind_ms = config->emit.pace_behind_ms,
        .commit_interval_ms = config->commit.interval_ms,
        .checkpoint_interval_ms = config->checkpoint.interval_ms,
        .checkpoint_interval_behind_ms = config->checkpoint.interval_behind_ms,
        .unknown_schema_wait_ms = config->schemas.unknown_wait_ms,
        .drain_ms =
            stop_ms > 2000 ? stop_ms - 1000 : stop_ms / 2, /* leaving the group takes time, too */
        .embedded = config->kafka.embedded,
        .rebuild = process->options->rebuild,
        .rebuild_yes = process->options->yes,
    };
}

static enum status make_encoder(struct process *process, struct error *error)
{
    struct process_worker *made = &process->workers[process->worker_count];
    return encoder_create(&made->encoder, setup_output_format(process->config),
                          process->config->output.source, process->kafka.outputs,
                          process->config->schemas.registry, error);
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

struct sums {
    uint64_t records, events, duplicates, too_late, promotions, stages, replayed, leads, outside;
    uint64_t dead[DEAD_REASONS], dead_all;
    uint32_t units, live, replaying, stopped;
};

static uint64_t read_figure(const atomic_uint_fast64_t *figure)
{
    return atomic_load_explicit(figure, memory_order_relaxed);
}

static void add_worker(struct sums *sums, const struct worker_figures *figures)
{
    sums->records += read_figure(&figures->records);
    sums->events += read_figure(&figures->events);
    sums->duplicates += read_figure(&figures->duplicates);
    sums->too_late += read_figure(&figures->too_late);
    sums->promotions += read_figure(&figures->promotions);
    sums->stages += read_figure(&figures->stage_changes);
    sums->replayed += read_figure(&figures->replayed);
    sums->leads += read_figure(&figures->leads_in_table);
    sums->outside += read_figure(&figures->outside_dates);
    for (unsigned reason = 1; reason < DEAD_REASONS; reason++) {
        sums->dead[reason] += read_figure(&figures->dead[reason]);
        sums->dead_all += read_figure(&figures->dead[reason]);
    }
    sums->units += (uint32_t)atomic_load_explicit(&figures->units, memory_order_relaxed);
    sums->live += (uint32_t)atomic_load_explicit(&figures->units_live, memory_order_relaxed);
    sums->replaying +=
        (uint32_t)atomic_load_explicit(&figures->units_replaying, memory_order_relaxed);
    sums->stopped += (uint32_t)atomic_load_explicit(&figures->units_stopped, memory_order_relaxed);
}

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
    struct sums sums = {0};
    for (size_t i = 0; i < process->worker_count; i++)
        add_worker(&sums, worker_figures(process->workers[i].worker));
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
    text_buffer_print(&line,
                      " events=%" PRIu64 " replayed=%" PRIu64 " duplicates=%" PRIu64
                      " too_late=%" PRIu64 " promotions=%" PRIu64 " stage_changes=%" PRIu64
                      " leads_in_memory=%" PRIu64,
                      sums.events, sums.replayed, sums.duplicates, sums.too_late, sums.promotions,
                      sums.stages, sums.leads);
    if (sums.units) /* none after the stop */
        text_buffer_print(&line, " units=%u live=%u replaying=%u stopped=%u", sums.units, sums.live,
                          sums.replaying, sums.stopped);
    text_buffer_print(&line, " dead_letters=%" PRIu64, sums.dead_all);
    for (unsigned reason = 1; reason < DEAD_REASONS; reason++)
        if (sums.dead[reason])
            text_buffer_print(&line, " %s=%" PRIu64, dead_reason_name((enum dead_reason)reason),
                              sums.dead[reason]);
    if (sums.outside)
        text_buffer_print(&line, " outside_of_the_agreements_dates=%" PRIu64, sums.outside);
    log_info("%s", line.data);
    text_buffer_fini(&line);
    process->before.records = sums.records;
    process->before.promotions = sums.promotions;
    process->before.at_us = now;
}

static void watch(struct process *process)
{
    int64_t interval_us = process->config->stats.interval_ms * 1000;
    process->before.at_us = system_clock()->monotonic_us(system_clock());
    while (!stopping()) {
        system_clock()->pause(system_clock(), 50);
        if (system_clock()->monotonic_us(system_clock()) - process->before.at_us >= interval_us)
            print_figures(process);
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
    log_info("agreement %s version %u (%.8s), %" PRId64 " workers, instance %s, librdkafka %s",
             agreement_name(process->agreement), agreement_version(process->agreement),
             agreement_hash(process->agreement), process->config->workers, process->instance.name,
             kafka_library_version());
    warn_of_dates(process);
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
    if (process->agreement)
        agreement_destroy(process->agreement);
    instance_release(&process->instance);
    arena_fini(&process->arena);
}

int run_process(const struct config *config, const struct run_options *options)
{
    struct process process = {.config = config, .options = options, .instance = {.lock = -2}};
    arena_init(&process.arena, 16384);
    listen_to_signals();
    int code = EXIT_CODE_BAD_INPUT;
    if (load_agreement(&process)) {
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
