/* Two workers in threads of their own on one log and one database in memory, a reader of their
 * figures beside them, as `baton run` has it; rebalances in the middle, versions that take over,
 * each with a shadow beside it, and a stop. */
#include "agreement/agreement.h"
#include "base/log.h"
#include "commands/system_clock.h"
#include "memory/memory.h"
#include "pipeline/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 2, UNITS = 4, EVENTS = 4000 };

enum { SETS = 4 };

static const char rules_text[] = "agreement: threads\nversion: %d\n"
                                 "behaviour:\n  - {id: page%d, event: visit, points: 3}\n"
                                 "gates:\n  mql: {score: 9}\n  sql: {score: 30}\n";

struct thread {
    pthread_t thread;
    struct worker *worker;
    struct worker_ports ports;
    struct encoder *encoder;
    enum status status;
    struct error error;
};

static atomic_bool stop;

static void *run(void *argument)
{
    struct thread *self = argument;
    self->status = worker_run(self->worker, &stop, &self->error);
    return NULL;
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "failed: %s\n", what);
    (void)puts("0 passed, 1 failed");
    return 1;
}

static void append(struct memory_log *log, uint32_t n)
{
    char lead[24], value[200];
    uint32_t unit = n % UNITS;
    (void)snprintf(lead, sizeof lead, "lead-%u", n % 97 * UNITS + unit);
    (void)snprintf(
        value, sizeof value,
        "{\"kind\":\"visit\",\"event_id\":\"e%u\",\"lead_id\":\"%s\",\"time\":%u,\"page\":\"/p\"}",
        n, lead, 1700000000u + n);
    struct memory_input input = {.timestamp_ms = 1700000000 + (int64_t)n,
                                 .key = lead,
                                 .key_size = strlen(lead),
                                 .value = value,
                                 .value_size = strlen(value)};
    (void)memory_log_append(log, unit, &input);
}

static uint64_t events_of(const struct thread *threads)
{
    uint64_t events = 0;
    for (int i = 0; i < WORKERS; i++)
        events +=
            atomic_load_explicit(&worker_figures(threads[i].worker)->events, memory_order_relaxed);
    return events;
}

static int start(struct thread *thread, struct worker_config *config, struct memory_log *log,
                 struct memory_db *db, struct schema_source *schemas, int number)
{
    static const char *const topics[OUTGOING_TOPICS] = {"promotions", "stages", "dead", "breaches"};
    char instance[16];
    (void)snprintf(instance, sizeof instance, "thread-%d", number);
    thread->ports = (struct worker_ports){.source = memory_source_create(log),
                                          .store = memory_store_create(db),
                                          .schemas = schemas,
                                          .stage_log = memory_stage_log_create(log),
                                          .clock = system_clock()};
    thread->ports.sink = memory_sink_create(log, thread->ports.source, instance);
    memory_source_set_sleeping(thread->ports.source, true);
    config->number = (uint32_t)number;
    struct error *error = &thread->error;
    if (encoder_create(&thread->encoder, OUTPUT_AVRO, "/baton", topics, NULL, error) != STATUS_OK ||
        worker_create(&thread->worker, config, &thread->ports, thread->encoder, error) != STATUS_OK)
        return -1;
    return pthread_create(&thread->thread, NULL, run, thread);
}

static void destroy(struct thread *thread)
{
    thread->ports.sink->destroy(thread->ports.sink);
    worker_destroy(thread->worker);
    thread->ports.source->destroy(thread->ports.source);
    thread->ports.store->destroy(thread->ports.store);
    thread->ports.stage_log->destroy(thread->ports.stage_log);
    encoder_destroy(thread->encoder);
}

/* Every second one has the rule of the shadow. */
static struct agreement *parse(int version)
{
    char text[sizeof rules_text + 16];
    struct text_buffer messages;
    struct agreement *agreement = NULL;
    int size = snprintf(text, sizeof text, rules_text, version, version % 2);
    text_buffer_init(&messages);
    if (agreement_parse("threads", text, (size_t)size, NULL, 0, &agreement, &messages) != STATUS_OK)
        (void)fputs(messages.data, stderr);
    text_buffer_fini(&messages);
    return agreement;
}

int main(void)
{
    log_set_level(LOG_WARN);
    struct agreement *shadow = parse(SETS);
    struct agreement *agreements[SETS];
    struct versions *sets[SETS];
    for (int i = 0; i < SETS; i++) {
        agreements[i] = parse(i);
        sets[i] = versions_of(agreements[i]);
    }
    const struct versions *_Atomic current;
    atomic_init(&current, sets[0]);
    struct memory_log *log = memory_log_create(UNITS);
    struct memory_db *db = memory_db_create();
    struct schema_source *schemas[WORKERS];
    struct input_config input = {.max_ahead_ms = 300000};
    struct worker_config config = {.versions = &current,
                                   .shadow = shadow,
                                   .input = &input,
                                   .events_topic = "lead-events",
                                   .group = "baton",
                                   .config_file = "baton.yaml",
                                   .words_capacity = 1024,
                                   .table_bytes = 1 << 20,
                                   .dirty_max = 200,
                                   .dead_letter_bytes = 100000,
                                   .emit_linger_ms = 1,
                                   .emit_pace_ms = 2,
                                   .emit_pace_behind_ms = 4,
                                   .commit_interval_ms = 10,
                                   .checkpoint_interval_ms = 10,
                                   .checkpoint_interval_behind_ms = 15,
                                   .unknown_schema_wait_ms = 1000,
                                   .drain_ms = 4000};
    struct thread threads[WORKERS] = {0};
    for (int i = 0; i < WORKERS; i++) {
        schemas[i] = memory_schemas_create();
        if (start(&threads[i], &config, log, db, schemas[i], i) != 0)
            return fail(threads[i].error.text);
    }
    for (uint32_t n = 0; n < EVENTS; n++) {
        append(log, n);
        if (n % 1000 == 999)
            memory_log_rebalance(log);
        if (n % 1000 == 500)
            atomic_store_explicit(&current, sets[n / 1000 % SETS], memory_order_release);
        if (n % 50 == 0)
            (void)usleep(1000);
    }
    for (int i = 0; i < 3000 && events_of(threads) < EVENTS; i++)
        (void)usleep(10000);
    uint64_t events = events_of(threads);
    atomic_store_explicit(&stop, true, memory_order_release);
    for (int i = 0; i < WORKERS; i++)
        (void)pthread_join(threads[i].thread, NULL);
    bool well = events == EVENTS;
    for (int i = 0; i < WORKERS; i++) {
        well = well && threads[i].status == STATUS_OK && !worker_left_something(threads[i].worker);
        destroy(&threads[i]);
        schemas[i]->destroy(schemas[i]);
    }
    memory_log_destroy(log);
    memory_db_destroy(db);
    agreement_destroy(shadow);
    for (int i = 0; i < SETS; i++) {
        versions_destroy(sets[i]);
        agreement_destroy(agreements[i]);
    }
    if (!well)
        return fail("not every event was counted once, or something is left to replay");
    (void)puts("1 passed, 0 failed");
    return 0;
}
