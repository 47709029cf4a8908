/* Sends believable traffic: producers, a thread and a client each, take turns by lead, so that the
 * order of a lead's events is the same however many there are. */
#include "bench.h"

#include "common/clock.h"
#include "common/kafka.h"
#include "common/options.h"
#include "common/progress.h"
#include "common/result.h"
#include "traffic/traffic.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PRODUCERS_MAX 64
#define POLL_EVERY 256    /* messages */
#define TICK_SECONDS 1e-3 /* between looks at the plan */
#define FULL_MS 5         /* to wait for room in librdkafka's queue */
#define FLUSH_MS 100
#define NO_END UINT64_MAX

struct load_options {
    struct common_options common;
    uint64_t events, first, leads, producers, partitions, seed, event_bytes;
    double rate, seconds, zipf, late, late_by, repeated, unreadable, profiles, time_rate, flush;
    const char *format, *truth, *start;
};

#define LOAD(member) offsetof(struct load_options, member)
static const struct option rows[] = {
    COMMON_OPTIONS(struct load_options, common),
    {"partitions", OPTION_COUNT, LOAD(partitions), "8", "of the topic, if it has to be made", 1,
     100000, NULL},
    {"events", OPTION_COUNT, LOAD(events), "1M", "messages to send, if --seconds does not say"},
    {"seconds", OPTION_DURATION, LOAD(seconds), NULL, "how long to send, in place of --events"},
    {"rate", OPTION_RATE, LOAD(rate), NULL,
     "messages per second, by plan and whatever the broker does; without it as fast as it goes"},
    {"producers", OPTION_COUNT, LOAD(producers), "2", "threads, each with a client of its own", 1,
     PRODUCERS_MAX, NULL},
    {"seed", OPTION_COUNT, LOAD(seed), "1", "the same seed gives the same events"},
    {"first", OPTION_COUNT, LOAD(first), "0",
     "number of the first message: go on where another load ended"},
    {"leads", OPTION_COUNT, LOAD(leads), "200k", "how many there are", 1, 5e8, NULL},
    {"zipf", OPTION_REAL, LOAD(zipf), "1.0",
     "exponent of their popularity; 0: all are equally popular", 0, 10, NULL},
    {"format", OPTION_CHOICE, LOAD(format), "avro",
     "of the values; Avro with a schema registry's framing and the ids 1 Visit, 2 Click, "
     "3 FormFill, 4 Profile",
     0, 0, "avro|json"},
    {"bytes", OPTION_BYTES, LOAD(event_bytes), NULL,
     "of a value, about (default 240; JSON: as it comes)", 0, 65536, NULL},
    {"profiles", OPTION_SHARE, LOAD(profiles), "0",
     "share of Profile events; with some, forms carry profile fields, too"},
    {"late", OPTION_SHARE, LOAD(late), "0", "share of messages whose event is of long ago"},
    {"late-by", OPTION_DURATION, LOAD(late_by), "2d", "at most", 1, 0, NULL},
    {"repeated", OPTION_SHARE, LOAD(repeated), "0", "share of messages that came before"},
    {"unreadable", OPTION_SHARE, LOAD(unreadable), "0", "share of messages that are broken"},
    {"start", OPTION_TEXT, LOAD(start), NULL,
     "time of event 0, such as 2026-11-01T12:00:00Z (default: with --rate now; without, so that "
     "the last event is now)"},
    {"time-rate", OPTION_RATE, LOAD(time_rate), "10k",
     "events in a second of event time, without --rate", 1e-3, 1e12, NULL},
    {"truth", OPTION_TEXT, LOAD(truth), NULL,
     "file for what was acknowledged: lead,visits,clicks,form_fills; repeated and unreadable "
     "messages not counted"},
    {"flush", OPTION_DURATION, LOAD(flush), "60s", "how long to wait for the last answers"},
    OUTPUT_OPTIONS(struct load_options, common, "none"),
};

static const struct options table = {
    "load",
    "Sends visits, clicks, form fills and profiles of leads to a topic, which is made if it is "
    "absent and\nnever deleted. -X takes any property of librdkafka (security, acks, linger.ms, "
    "partitioner).",
    rows, sizeof rows / sizeof *rows};

/* ---- What the producers share ---- */

enum { VISITS, CLICKS, FORM_FILLS, PROFILES, COUNTED_KINDS };

struct lead_counts {
    uint32_t of[FORM_FILLS + 1];
};

struct loading {
    const struct load_options *options;
    struct traffic_options traffic;
    uint64_t end;              /* behind the last sequence */
    double began, until;       /* when sending begins and, without a number of events, ends */
    struct lead_counts *leads; /* NULL: no --truth. A lead's are touched by its producer alone */
    atomic_int running;
};

struct producer {
    struct loading *shared;
    uint32_t index;
    pthread_t thread;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    struct traffic *traffic;
    /* Read by others while it runs. */
    atomic_uint_fast64_t sent, failed, lag_us, outstanding;
    /* Its own until it has ended. */
    uint64_t bytes, fates[TRAFFIC_UNREADABLE + 1], kinds[COUNTED_KINDS];
    uint64_t ticks;
    double lag_sum, lag_max, ended;
    rd_kafka_resp_err_t error; /* of the first message that failed */
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* A second signal ends the process. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* ---- Counting ---- */

/* What a message counts for, carried by it to its delivery report. */
static_assert(sizeof(void *) == 8, "a lead and a kind fit into a pointer");

static void *pack(const struct traffic_event *event)
{
    bool counts = event->fate == TRAFFIC_PLAIN || event->fate == TRAFFIC_LATE;
    uintptr_t packed = counts ? (uintptr_t)(event->lead + UINT64_C(1)) << 3 | event->kind : 0;
    return (void *)packed;
}

static void count(struct producer *self, void *packed, int64_t by)
{
    uintptr_t number = (uintptr_t)packed;
    if (!number)
        return;
    size_t kind = (number & 7) - TRAFFIC_VISIT, lead = (number >> 3) - 1;
    self->kinds[kind] += (uint64_t)by;
    if (kind <= FORM_FILLS && self->shared->leads)
        self->shared->leads[lead].of[kind] += (uint32_t)by;
}

/* Called for failures only (delivery.report.only.error), on the producer's thread. */
static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    struct producer *self = opaque;
    if (!message->err)
        return;
    if (!self->error)
        self->error = message->err;
    (void)atomic_fetch_add_explicit(&self->failed, 1, memory_order_relaxed);
    count(self, message->_private, -1);
}

/* ---- Sending ---- */

static void send_event(struct producer *self, uint64_t sequence)
{
    struct traffic_event event;
    traffic_make(self->traffic, sequence, TRAFFIC_BY_PLAN, &event);
    void *packed = pack(&event);
    self->fates[event.fate]++;
    self->bytes += event.value_size;
    count(self, packed, 1);
    (void)atomic_fetch_add_explicit(&self->sent, 1, memory_order_relaxed);
    while (rd_kafka_produce(self->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)(uintptr_t)event.value, event.value_size, event.key,
                            event.key_size, packed) != 0) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || stopped) {
            rd_kafka_message_t message = {.err = code, ._private = packed};
            on_delivery(self->client, &message, self);
            return;
        }
        (void)rd_kafka_poll(self->client, FULL_MS);
    }
}

static bool is_mine(const struct producer *self, uint64_t sequence)
{
    uint64_t producers = self->shared->options->producers;
    return producers == 1 || traffic_lead(self->traffic, sequence) % producers == self->index;
}

/* Sends what is its own of the events up to `due`. */
static uint64_t send_until(struct producer *self, uint64_t sequence, uint64_t due)
{
    for (uint64_t sent = 0; sequence < due; sequence++) {
        if (!is_mine(self, sequence))
            continue;
        send_event(self, sequence);
        if (++sent % POLL_EVERY == 0) {
            (void)rd_kafka_poll(self->client, 0);
            if (stopped)
                return due;
        }
    }
    return sequence;
}

static void note_lag(struct producer *self, double lag)
{
    lag = lag > 0 ? lag : 0;
    self->lag_sum += lag;
    self->ticks++;
    if (lag > self->lag_max)
        self->lag_max = lag;
    atomic_store_explicit(&self->lag_us, (uint64_t)(lag * 1e6), memory_order_relaxed);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The plan stands from the beginning: who is late sends what is due at once, and nothing is left
 * out. Looks at the plan again after a thousandth of a second of events, so that lag shows. */
static void send_by_plan(struct producer *self)
{
    const struct loading *shared = self->shared;
    double rate = shared->options->rate;
    uint64_t sequence = shared->options->first, chunk = (uint64_t)(rate * TICK_SECONDS) + 1;
    while (sequence < shared->end && !stopped) {
        double now = clock_seconds();
        double planned = (double)(sequence - shared->options->first) / rate + shared->began;
        if (now < planned) {
            (void)rd_kafka_poll(self->client, 0);
            double tick = now + TICK_SECONDS;
            clock_sleep_until(planned > tick ? fmin(planned, now + 0.1) : tick);
            continue;
        }
        uint64_t due = shared->options->first + (uint64_t)((now - shared->began) * rate) + 1;
        due = min_u64(min_u64(due, sequence + chunk), shared->end);
        sequence = send_until(self, sequence, due);
        note_lag(self, now - planned);
    }
}

static void send_fast(struct producer *self)
{
    const struct loading *shared = self->shared;
    uint64_t sequence = shared->options->first;
    while (sequence < shared->end && !stopped) {
        if (shared->until > 0 && clock_seconds() >= shared->until)
            break;
        sequence = send_until(self, sequence, min_u64(sequence + 4096, shared->end));
    }
}

/* What nobody answers for is given up, and counted as failed. */
static void flush(struct producer *self)
{
    double end = clock_seconds() + self->shared->options->flush;
    atomic_store(&self->lag_us, 0);
    while (rd_kafka_outq_len(self->client) > 0 && clock_seconds() < end)
        (void)rd_kafka_flush(self->client, FLUSH_MS);
    self->ended = clock_seconds();
    if (rd_kafka_outq_len(self->client) > 0) {
        (void)rd_kafka_purge(self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        (void)rd_kafka_flush(self->client, FLUSH_MS);
    }
}

static void *produce(void *opaque)
{
    struct producer *self = opaque;
    if (self->shared->options->rate > 0)
        send_by_plan(self);
    else
        send_fast(self);
    flush(self);
    (void)atomic_fetch_sub(&self->shared->running, 1);
    return NULL;
}

/* ---- Life of the producers ---- */

static enum status open_client(struct producer *self, const struct load_options *options,
                               struct error *error)
{
    const struct bench_setting settings[] = {
        {"compression.type", "lz4"},
        {"enable.idempotence", "true"},
        {"linger.ms", options->rate > 0 ? "5" : "20"},
        {"batch.size", "400000"},
        {"queue.buffering.max.messages", options->rate > 0 ? "2000000" : "300000"},
        {"queue.buffering.max.kbytes", "2097151"},
        {"delivery.report.only.error", "true"},
    };
    self->client = bench_kafka_create(RD_KAFKA_PRODUCER, &options->common, settings,
                                      sizeof settings / sizeof *settings, on_delivery, self, error);
    if (!self->client)
        return STATUS_STOP;
    self->topic = rd_kafka_topic_new(self->client, options->common.topic, NULL);
    return self->topic ? STATUS_OK
                       : error_set(error, STATUS_STOP, "topic %s: %s", options->common.topic,
                                   rd_kafka_err2str(rd_kafka_last_error()));
}

static void close_producers(struct producer *producers, uint64_t count)
{
    for (uint64_t i = count; i-- > 0;) { /* the first one owns the tables */
        if (producers[i].topic)
            rd_kafka_topic_destroy(producers[i].topic);
        if (producers[i].client)
            rd_kafka_destroy(producers[i].client);
        traffic_destroy(producers[i].traffic);
    }
}

static enum status open_producers(struct producer *producers, struct loading *shared,
                                  struct error *error)
{
    for (uint32_t i = 0; i < shared->options->producers; i++) {
        struct producer *self = &producers[i];
        self->shared = shared;
        self->index = i;
        if (i > 0)
            self->traffic = traffic_share(producers[0].traffic);
        else
            self->traffic = traffic_create(&shared->traffic, error);
        if (!self->traffic)
            return i > 0 ? error_set(error, STATUS_STOP, "no memory") : STATUS_STOP;
        if (open_client(self, shared->options, error) != STATUS_OK)
            return STATUS_STOP;
    }
    return STATUS_OK;
}

struct sums {
    uint64_t sent, failed, bytes, fates[TRAFFIC_UNREADABLE + 1], kinds[COUNTED_KINDS];
    double lag, lag_max, lag_mean, ended;
    rd_kafka_resp_err_t error;
};

/* Whatever is the threads' own is right once they have ended. */
static struct sums add_up(struct producer *producers, uint64_t count)
{
    struct sums sums = {0};
    uint64_t ticks = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct producer *one = &producers[i];
        sums.sent += atomic_load_explicit(&one->sent, memory_order_relaxed);
        sums.failed += atomic_load_explicit(&one->failed, memory_order_relaxed);
        sums.lag = fmax(sums.lag, (double)atomic_load(&one->lag_us) / 1e6);
        if (atomic_load(&producers->shared->running) > 0)
            continue;
        sums.bytes += one->bytes;
        for (size_t k = 0; k <= TRAFFIC_UNREADABLE; k++)
            sums.fates[k] += one->fates[k];
        for (size_t k = 0; k < COUNTED_KINDS; k++)
            sums.kinds[k] += one->kinds[k];
        sums.lag_max = fmax(sums.lag_max, one->lag_max);
        sums.lag_mean += one->lag_sum;
        ticks += one->ticks;
        sums.ended = fmax(sums.ended, one->ended);
        sums.error = sums.error ? sums.error : one->error;
    }
    sums.lag_mean = ticks ? sums.lag_mean / (double)ticks : 0;
    return sums;
}

static void watch(struct producer *producers, struct loading *shared)
{
    struct progress progress;
    uint64_t total = shared->end == NO_END ? 0 : shared->end - shared->options->first;
    progress_begin(&progress, "sent", total);
    while (atomic_load(&shared->running) > 0) {
        struct sums sums = add_up(producers, shared->options->producers);
        char why[400], lag[48] = "";
        if (shared->options->rate > 0)
            (void)snprintf(lag, sizeof lag, "%.0f ms behind plan, ", sums.lag * 1e3);
        (void)bench_kafka_trouble(why, sizeof why);
        progress_show(&progress, sums.sent, "%s%" PRIu64 " errors%s%.60s", lag, sums.failed,
                      *why ? ": " : "", why);
        clock_sleep_until(clock_seconds() + 0.02);
    }
    progress_end(&progress);
}

static enum status run_producers(struct producer *producers, struct loading *shared,
                                 struct error *error)
{
    uint64_t started = 0, count = shared->options->producers;
    enum status status = STATUS_OK;
    atomic_store(&shared->running, (int)count);
    shared->began = clock_seconds();
    if (shared->options->seconds > 0)
        shared->until = shared->began + shared->options->seconds;
    for (; started < count; started++)
        if (pthread_create(&producers[started].thread, NULL, produce, &producers[started]) != 0) {
            status = error_set(error, STATUS_STOP, "no thread for producer %" PRIu64, started + 1);
            stopped = 1;
            break;
        }
    if (status == STATUS_OK)
        watch(producers, shared);
    for (uint64_t i = 0; i < started; i++)
        (void)pthread_join(producers[i].thread, NULL);
    return status;
}

/* ---- The plan ---- */

static bool read_time(const char *text, int64_t *time_ms)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    int64_t ms = 0;
    if (rest && *rest == '.') {
        int64_t unit = 100;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            ms += (*rest - '0') * unit;
    }
    if (!rest || strcmp(rest, "Z") != 0)
        return false;
    *time_ms = (int64_t)timegm(&parts) * 1000 + ms;
    return *time_ms >= 0;
}

static void write_time(int64_t time_ms, char room[32])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    size_t used = strftime(room, 32, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &parts));
    (void)snprintf(room + used, 32 - used, ".%03dZ", (int)(time_ms % 1000));
}

static enum status make_plan(struct loading *shared, struct error *error)
{
    const struct load_options *options = shared->options;
    uint64_t events = options->events;
    if (options->seconds > 0)
        events = options->rate > 0 ? (uint64_t)ceil(options->seconds * options->rate) : NO_END;
    shared->end = events == NO_END ? NO_END : options->first + events;
    double per_second = options->rate > 0 ? options->rate : options->time_rate;
    shared->traffic = (struct traffic_options){
        .seed = options->seed,
        .leads = (uint32_t)options->leads,
        .zipf = options->zipf,
        .event_bytes = (uint32_t)options->event_bytes,
        .json = strcmp(options->format, "json") == 0,
        .late = options->late,
        .repeated = options->repeated,
        .unreadable = options->unreadable,
        .profiles = options->profiles,
        .late_by_ms = (int64_t)(options->late_by * 1000),
        .events_per_second = per_second,
    };
    int64_t now = clock_unix_ms();
    if (options->start)
        return read_time(options->start, &shared->traffic.start_ms)
                   ? STATUS_OK
                   : error_set(error, STATUS_STOP,
                               "--start: '%s' is not a time such as 2026-11-01T12:00:00Z",
                               options->start);
    /* Events of the future would be dead letters. */
    double ends = options->rate > 0  ? (double)options->first
                  : events == NO_END ? (double)options->first + per_second
                                     : (double)shared->end;
    shared->traffic.start_ms = now - (int64_t)(ends * 1000 / per_second);
    return STATUS_OK;
}

/* ---- Result ---- */

static enum status write_truth(const struct loading *shared, struct error *error)
{
    const char *path = shared->options->truth;
    FILE *file = fopen(path, "we");
    if (!file)
        return error_set(error, STATUS_STOP, "cannot write %s: %s", path, strerror(errno));
    bool written = fputs("lead,visits,clicks,form_fills\n", file) >= 0;
    for (uint32_t lead = 0; lead < shared->traffic.leads; lead++) {
        const uint32_t *of = shared->leads[lead].of;
        char id[TRAFFIC_LEAD_ID_SIZE];
        if (!of[VISITS] && !of[CLICKS] && !of[FORM_FILLS])
            continue;
        traffic_lead_id(lead, id);
        written = fprintf(file, "%.*s,%u,%u,%u\n", (int)sizeof id, id, of[VISITS], of[CLICKS],
                          of[FORM_FILLS]) > 0 &&
                  written;
    }
    written = fclose(file) == 0 && written;
    return written ? STATUS_OK
                   : error_set(error, STATUS_STOP, "cannot write %s: %s", path, strerror(errno));
}

static json_t *figures(const struct loading *shared, const struct sums *sums,
                       const struct bench_topic *topic, double cpu)
{
    char start[32];
    double seconds = sums->ended - shared->began;
    uint64_t sent = sums->sent - sums->failed;
    write_time(shared->traffic.start_ms, start);
    return json_pack(
        "{s:I, s:I, s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:s, s:f, "
        "s:i, s:b}",
        "messages", (json_int_t)sums->sent, "acknowledged", (json_int_t)sent, "failed",
        (json_int_t)sums->failed, "seconds", seconds, "events_per_second",
        seconds > 0 ? (double)sent / seconds : 0.0, "cpu_seconds_per_million",
        sums->sent ? cpu * 1e6 / (double)sums->sent : 0.0, "bytes", (json_int_t)sums->bytes,
        "visits", (json_int_t)sums->kinds[VISITS], "clicks", (json_int_t)sums->kinds[CLICKS],
        "form_fills", (json_int_t)sums->kinds[FORM_FILLS], "profiles",
        (json_int_t)sums->kinds[PROFILES], "repeated", (json_int_t)sums->fates[TRAFFIC_REPEATED],
        "unreadable", (json_int_t)sums->fates[TRAFFIC_UNREADABLE], "lag_seconds_max", sums->lag_max,
        "lag_seconds_mean", sums->lag_mean, "start", start, "event_time_per_second",
        shared->traffic.events_per_second, "partitions", (int)topic->partitions, "created",
        (int)topic->created);
}

static int say(const char *text)
{
    (void)fprintf(stderr, "baton-bench load: %s\n", text);
    return 1;
}

static void tell_topic(const struct load_options *options, const struct bench_topic *topic)
{
    FILE *out = result_text(options->common.json);
    if (topic->created)
        (void)fprintf(out, "topic %s made: %d partitions\n", options->common.topic,
                      (int)topic->partitions);
    else
        (void)fprintf(out, "topic %s: %d partitions, %" PRIu64 " messages before\n",
                      options->common.topic, (int)topic->partitions, topic->messages);
    (void)fflush(out);
}

static int tell_failures(const struct sums *sums)
{
    char text[900], why[400];
    (void)bench_kafka_trouble(why, sizeof why);
    (void)snprintf(
        text, sizeof text, "%" PRIu64 " of %" PRIu64 " messages were not acknowledged: %s%s%s",
        sums->failed, sums->sent, rd_kafka_err2str(sums->error), *why ? ". Kafka: " : "", why);
    return say(text);
}

static int finish(const struct loading *shared, const struct sums *sums,
                  const struct bench_topic *topic, double cpu, int argc, char **argv)
{
    const struct load_options *options = shared->options;
    struct error error;
    json_t *data = figures(shared, sums, topic, cpu);
    (void)fprintf(result_text(options->common.json),
                  "%" PRIu64 " messages acknowledged in %.2f s: %.0f messages/s, %.0f bytes each, "
                  "%.2f CPU seconds per million\n",
                  sums->sent - sums->failed, json_real_value(json_object_get(data, "seconds")),
                  json_real_value(json_object_get(data, "events_per_second")),
                  sums->sent ? (double)sums->bytes / (double)sums->sent : 0.0,
                  json_real_value(json_object_get(data, "cpu_seconds_per_million")));
    if (options->rate > 0)
        (void)fprintf(result_text(options->common.json),
                      "behind plan: %.1f ms on average, %.1f ms at most\n", sums->lag_mean * 1e3,
                      sums->lag_max * 1e3);
    int code = sums->failed ? tell_failures(sums) : 0;
    if (options->truth && write_truth(shared, &error) != STATUS_OK)
        code = say(error.text);
    int kept = result_finish(result_create("load", &table, options, argc, argv), data,
                             options->common.results, options->common.json);
    return code ? code : kept;
}

static enum status load(struct loading *shared, struct producer *producers,
                        const struct bench_topic *topic, struct error *error)
{
    const struct load_options *options = shared->options;
    if (options->truth) {
        shared->leads = calloc(options->leads, sizeof *shared->leads);
        if (!shared->leads)
            return error_set(error, STATUS_STOP, "no memory for the counts of %" PRIu64 " leads",
                             options->leads);
    }
    if (open_producers(producers, shared, error) != STATUS_OK)
        return STATUS_STOP;
    tell_topic(options, topic);
    catch_signals();
    return run_producers(producers, shared, error);
}

int bench_load(int argc, char **argv)
{
    struct load_options options;
    struct loading shared = {.options = &options};
    struct producer producers[PRODUCERS_MAX] = {{0}};
    struct bench_topic topic;
    struct error error;
    int code = options_read(&table, argc, argv, &options);
    if (code >= 0)
        return code;
    if (make_plan(&shared, &error) != STATUS_OK)
        return say(error.text), 2;
    if (bench_kafka_topic(&options.common, (int32_t)options.partitions, &topic, &error) !=
        STATUS_OK)
        return say(error.text);
    enum status status = load(&shared, producers, &topic, &error);
    struct sums sums = add_up(producers, options.producers);
    double cpu = clock_cpu_seconds();
    close_producers(producers, options.producers);
    code = status == STATUS_OK ? finish(&shared, &sums, &topic, cpu, argc, argv) : say(error.text);
    free(shared.leads);
    return code;
}
