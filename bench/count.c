/* The ceiling: consumers that share a topic, take single messages and only count them. */
#include "bench.h"

#include "common/clock.h"
#include "common/kafka.h"
#include "common/options.h"
#include "common/progress.h"
#include "common/result.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TELL_EVERY 512 /* messages, between looks at the clock and at the others */
#define POLL_MS 100
#define THREADS_MAX 64
/* First fetches and warming up are not what is measured. */
#define STEADY_FROM 0.1

struct count_options {
    struct common_options common;
    uint64_t events, consumers;
    double limit;
};

static const struct option rows[] = {
    COMMON_OPTIONS(struct count_options, common),
    {"events", OPTION_COUNT, offsetof(struct count_options, events), NULL,
     "how many to count; without it all that the topic holds at the start"},
    {"consumers", OPTION_COUNT, offsetof(struct count_options, consumers), "2",
     "consumers that share the partitions, a thread each: as many as baton has workers", 1,
     THREADS_MAX, NULL},
    {"limit", OPTION_DURATION, offsetof(struct count_options, limit), "120s",
     "give up after this time", 1, 0, NULL},
    OUTPUT_OPTIONS(struct count_options, common, "none"),
};

static const struct options table = {
    "count",
    "Reads a topic from its beginning with consumers that share its partitions, read_committed, "
    "with "
    "the call\nthat takes single messages, and only counts: what no consumer on this machine "
    "outruns.\nThe steady rate is measured from a tenth of the events to the last one.",
    rows, sizeof rows / sizeof *rows};

/* ---- What the threads share ---- */

struct counting {
    uint64_t wanted;
    atomic_uint_fast64_t counted, bytes;
    atomic_int ended; /* partitions that were read to their end */
    int partitions;
    atomic_bool *is_ended; /* by partition */
    atomic_bool stop;
    pthread_mutex_t lock; /* of what follows */
    double first, steady; /* when; 0: not yet */
    double steady_cpu;
    uint64_t steady_count;
    char failure[400];
};

struct counter {
    struct counting *shared;
    rd_kafka_t *consumer;
    pthread_t thread;
    uint64_t count, bytes; /* not told yet */
    double last, last_cpu; /* when it told of its last message, and the process' CPU time then */
};

/* Keeps when the marks were passed. */
static void mark(struct counting *shared, const struct counter *teller, uint64_t before,
                 uint64_t after)
{
    uint64_t steady_from = (uint64_t)(STEADY_FROM * (double)shared->wanted);
    bool passes = before <= steady_from && after > steady_from;
    if (before > 0 && !passes)
        return;
    (void)pthread_mutex_lock(&shared->lock);
    if (before == 0)
        shared->first = teller->last;
    if (passes) {
        shared->steady = teller->last;
        shared->steady_cpu = teller->last_cpu;
        shared->steady_count = after;
    }
    (void)pthread_mutex_unlock(&shared->lock);
}

/* Adds what a thread has counted. */
static void tell(struct counter *self)
{
    struct counting *shared = self->shared;
    if (!self->count)
        return;
    self->last = clock_seconds();
    self->last_cpu = clock_cpu_seconds();
    uint64_t before = atomic_fetch_add(&shared->counted, self->count);
    (void)atomic_fetch_add(&shared->bytes, self->bytes);
    mark(shared, self, before, before + self->count);
    if (before + self->count >= shared->wanted)
        atomic_store(&shared->stop, true);
    self->count = self->bytes = 0;
}

/* Offsets that hold no message (marks of transactions, what compaction took away) make a topic end
 * before `wanted`. */
static void note_end(struct counting *shared, int32_t partition)
{
    if (partition < 0 || partition >= shared->partitions ||
        atomic_exchange(&shared->is_ended[partition], true))
        return;
    if (atomic_fetch_add(&shared->ended, 1) + 1 == shared->partitions)
        atomic_store(&shared->stop, true);
}

static void fail(struct counting *shared, const char *text)
{
    (void)pthread_mutex_lock(&shared->lock);
    if (!*shared->failure)
        (void)snprintf(shared->failure, sizeof shared->failure, "%s", text);
    (void)pthread_mutex_unlock(&shared->lock);
    atomic_store(&shared->stop, true);
}

/* Errors that pass are librdkafka's to mend. */
static bool is_final(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
}

static void *count_all(void *opaque)
{
    struct counter *self = opaque;
    struct counting *shared = self->shared;
    while (!atomic_load_explicit(&shared->stop, memory_order_relaxed)) {
        rd_kafka_message_t *message =
            rd_kafka_consumer_poll(self->consumer, self->count ? 0 : POLL_MS);
        if (!message) {
            tell(self);
            continue;
        }
        if (!message->err) {
            self->count++;
            self->bytes += message->len;
        } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            tell(self);
            note_end(shared, message->partition);
        } else if (is_final(message->err)) {
            fail(shared, rd_kafka_message_errstr(message));
        }
        rd_kafka_message_destroy(message);
        if (self->count == TELL_EVERY)
            tell(self);
    }
    tell(self);
    return NULL;
}

/* ---- Life of the consumers ---- */

/* Partitions are dealt out by hand: a group would first form, give the first member everything, and
 * have it begin anew when the second one comes. */
static enum status open_counter(struct counter *self, const struct count_options *options,
                                uint64_t number, struct error *error)
{
    /* As baton's own source sets them. */
    const struct bench_setting settings[] = {
        {"group.id", "baton-bench-count"}, /* must be there; nothing is committed */
        {"isolation.level", "read_committed"},  {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},  {"enable.partition.eof", "true"},
        {"queued.min.messages", "500000"},      {"queued.max.messages.kbytes", "131072"},
        {"fetch.message.max.bytes", "4194304"}, {"fetch.max.bytes", "67108864"},
        {"fetch.wait.max.ms", "100"},           {"fetch.error.backoff.ms", "100"},
    };
    self->consumer = bench_kafka_create(RD_KAFKA_CONSUMER, &options->common, settings,
                                        sizeof settings / sizeof *settings, NULL, NULL, error);
    if (!self->consumer)
        return STATUS_STOP;
    rd_kafka_topic_partition_list_t *its = rd_kafka_topic_partition_list_new(8);
    for (int i = 0; i < self->shared->partitions; i++)
        if ((uint64_t)i % options->consumers == number)
            rd_kafka_topic_partition_list_add(its, options->common.topic, i)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t code = rd_kafka_assign(self->consumer, its);
    rd_kafka_topic_partition_list_destroy(its);
    return code ? error_set(error, STATUS_STOP, "cannot read %s: %s", options->common.topic,
                            rd_kafka_err2str(code))
                : STATUS_OK;
}

static void close_counters(struct counter *counters, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (!counters[i].consumer)
            continue;
        rd_kafka_destroy(counters[i].consumer);
    }
}

static void watch(struct counting *shared, double limit)
{
    struct progress progress;
    progress_begin(&progress, "counted", shared->wanted);
    double end = clock_seconds() + limit;
    while (!atomic_load(&shared->stop)) {
        double now = clock_seconds();
        if (now > end)
            fail(shared, "not all events within the time limit");
        progress_show(&progress, atomic_load(&shared->counted), "%s", "");
        clock_sleep_until(now + 0.02);
    }
    progress_end(&progress);
}

static enum status count_topic(const struct count_options *options, struct counting *shared,
                               struct counter counters[THREADS_MAX], struct error *error)
{
    enum status status = STATUS_OK;
    uint64_t opened = 0, started = 0;
    for (; opened < options->consumers && status == STATUS_OK; opened++) {
        counters[opened].shared = shared;
        status = open_counter(&counters[opened], options, opened, error);
    }
    for (; started < opened && status == STATUS_OK; started++)
        if (pthread_create(&counters[started].thread, NULL, count_all, &counters[started]) != 0) {
            status = error_set(error, STATUS_STOP, "no thread for consumer %" PRIu64, started + 1);
            break;
        }
    if (status == STATUS_OK)
        watch(shared, options->limit);
    atomic_store(&shared->stop, true);
    for (uint64_t i = 0; i < started; i++)
        (void)pthread_join(counters[i].thread, NULL);
    close_counters(counters, opened);
    return status;
}

/* ---- Result ---- */

static json_t *figures(const struct count_options *options, const struct counting *shared,
                       const struct counter counters[THREADS_MAX])
{
    double last = 0, last_cpu = 0;
    for (uint64_t i = 0; i < options->consumers; i++)
        if (counters[i].last > last) {
            last = counters[i].last;
            last_cpu = counters[i].last_cpu;
        }
    uint64_t counted = atomic_load(&shared->counted), steady = counted - shared->steady_count;
    double seconds = last - shared->steady, cpu = last_cpu - shared->steady_cpu;
    bool measured = shared->steady > 0 && seconds > 0 && steady > 0;
    return json_pack("{s:I, s:I, s:I, s:i, s:f, s:I, s:f, s:f, s:f}", "events", (json_int_t)counted,
                     "bytes", (json_int_t)atomic_load(&shared->bytes), "consumers",
                     (json_int_t)options->consumers, "partitions", shared->partitions, "seconds",
                     last - shared->first, "steady_events", (json_int_t)steady, "steady_seconds",
                     seconds, "events_per_second", measured ? (double)steady / seconds : 0.0,
                     "cpu_seconds_per_million", measured ? cpu * 1e6 / (double)steady : 0.0);
}

static int say(const char *text)
{
    (void)fprintf(stderr, "baton-bench count: %s\n", text);
    return 1;
}

static int report(const struct count_options *options, const struct counting *shared, json_t *data,
                  int argc, char **argv)
{
    (void)fprintf(result_text(options->common.json),
                  "%" PRIu64 " events counted by %" PRIu64 " consumers: %.2f M events/s, %.2f CPU "
                  "seconds per million\n",
                  (uint64_t)atomic_load(&shared->counted), options->consumers,
                  json_real_value(json_object_get(data, "events_per_second")) / 1e6,
                  json_real_value(json_object_get(data, "cpu_seconds_per_million")));
    return result_finish(result_create("count", &table, options, argc, argv), data,
                         options->common.results, options->common.json);
}

static enum status find_wanted(const struct count_options *options, struct counting *shared,
                               struct error *error)
{
    struct bench_topic topic;
    enum status status = bench_kafka_topic(&options->common, 0, &topic, error);
    if (status != STATUS_OK)
        return status;
    shared->wanted = options->events ? options->events : topic.messages;
    shared->partitions = topic.partitions;
    if (shared->wanted > topic.messages || !shared->wanted)
        return error_set(error, STATUS_STOP,
                         "topic %s holds %" PRIu64 " messages; baton-bench load sends more",
                         options->common.topic, topic.messages);
    shared->is_ended = calloc((size_t)topic.partitions, sizeof *shared->is_ended);
    return shared->is_ended ? STATUS_OK : error_set(error, STATUS_STOP, "no memory");
}

static void explain(struct counting *shared, struct error *error)
{
    char why[400];
    (void)error_set(error, STATUS_STOP, "%s: %" PRIu64 " of %" PRIu64 " counted%s%s",
                    shared->failure, (uint64_t)atomic_load(&shared->counted), shared->wanted,
                    *bench_kafka_trouble(why, sizeof why) ? ". Kafka: " : "", why);
}

int bench_count(int argc, char **argv)
{
    struct count_options options;
    struct counting shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct counter counters[THREADS_MAX] = {{0}};
    struct error error;
    int code = options_read(&table, argc, argv, &options);
    if (code >= 0)
        return code;
    enum status status = find_wanted(&options, &shared, &error);
    if (status == STATUS_OK)
        status = count_topic(&options, &shared, counters, &error);
    free(shared.is_ended);
    if (status == STATUS_OK && *shared.failure) {
        explain(&shared, &error);
        status = STATUS_STOP;
    }
    return status == STATUS_OK
               ? report(&options, &shared, figures(&options, &shared, counters), argc, argv)
               : say(error.text);
}
