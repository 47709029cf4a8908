/* load: sends believable traffic to a topic. */
#include "bench.h"

#include "common/clock.h"
#include "common/kafka.h"
#include "common/options.h"
#include "common/result.h"
#include "load/producers.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct load_options {
    struct common_options common;
    uint64_t events, first, leads, producers, partitions, seed, event_bytes;
    double rate, seconds, zipf, late, late_by, repeated, unreadable, profiles, time_rate, flush;
    const char *format, *truth, *start, *client;
    bool prepare;
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
    {"client", OPTION_CHOICE, LOAD(client), "librdkafka",
     "what sends: librdkafka; or direct, at a fraction of its CPU time, which knows neither TLS, "
     "SASL nor retries",
     0, 0, "librdkafka|direct"},
    {"prepare", OPTION_FLAG, LOAD(prepare), NULL,
     "make all messages before the first is sent (about 110 bytes of memory each), so that sending "
     "costs next to nothing; with --client direct"},
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
     "of a value, about (default as it comes: Avro 240, JSON 370)", 0, 65536, NULL},
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

static uint64_t events_of(const struct load_options *options)
{
    if (options->seconds <= 0)
        return options->events;
    return options->rate > 0 ? (uint64_t)ceil(options->seconds * options->rate) : LOAD_NO_END;
}

/* Without a word of the user's, events of a plan happen when they are sent, and others in the
 * past: events of the future would be dead letters. */
static int64_t start_of(const struct load_plan *plan)
{
    double before = (double)plan->first;
    if (plan->rate <= 0)
        before =
            plan->end == LOAD_NO_END ? before + plan->traffic.events_per_second : (double)plan->end;
    return clock_unix_ms() - (int64_t)(before * 1000 / plan->traffic.events_per_second);
}

static enum status make_plan(const struct load_options *options, struct load_plan *plan,
                             struct error *error)
{
    uint64_t events = events_of(options);
    *plan = (struct load_plan){
        .common = &options->common,
        .producers = (uint32_t)options->producers,
        .direct = strcmp(options->client, "direct") == 0,
        .prepare = options->prepare,
        .first = options->first,
        .end = events == LOAD_NO_END ? LOAD_NO_END : options->first + events,
        .rate = options->rate,
        .seconds = options->seconds,
        .flush = options->flush,
        .truth = options->truth != NULL,
        .traffic = {.seed = options->seed,
                    .leads = (uint32_t)options->leads,
                    .zipf = options->zipf,
                    .event_bytes = (uint32_t)options->event_bytes,
                    .json = strcmp(options->format, "json") == 0,
                    .late = options->late,
                    .repeated = options->repeated,
                    .unreadable = options->unreadable,
                    .profiles = options->profiles,
                    .late_by_ms = (int64_t)(options->late_by * 1000),
                    .events_per_second = options->rate > 0 ? options->rate : options->time_rate},
    };
    if (plan->prepare && (!plan->direct || plan->end == LOAD_NO_END))
        return error_set(error, STATUS_STOP,
                         "--prepare goes with --client direct and a number of events");
    plan->traffic.start_ms = start_of(plan);
    if (options->start && !read_time(options->start, &plan->traffic.start_ms))
        return error_set(error, STATUS_STOP,
                         "--start: '%s' is not a time such as 2026-11-01T12:00:00Z",
                         options->start);
    return STATUS_OK;
}

/* ---- Result ---- */

static enum status write_truth(const char *path, const struct lead_counts *leads, uint32_t count,
                               struct error *error)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return error_set(error, STATUS_STOP, "cannot write %s: %s", path, strerror(errno));
    bool written = fputs("lead,visits,clicks,form_fills\n", file) >= 0;
    for (uint32_t lead = 0; lead < count; lead++) {
        const uint32_t *of = leads[lead].of;
        char id[TRAFFIC_LEAD_ID_SIZE];
        if (!of[LOAD_VISITS] && !of[LOAD_CLICKS] && !of[LOAD_FORM_FILLS])
            continue;
        traffic_lead_id(lead, id);
        written = fprintf(file, "%.*s,%u,%u,%u\n", (int)sizeof id, id, of[LOAD_VISITS],
                          of[LOAD_CLICKS], of[LOAD_FORM_FILLS]) > 0 &&
                  written;
    }
    written = fclose(file) == 0 && written;
    return written ? STATUS_OK
                   : error_set(error, STATUS_STOP, "cannot write %s: %s", path, strerror(errno));
}

static json_t *figures(const struct load_plan *plan, const struct load_outcome *outcome,
                       const struct bench_topic *topic)
{
    char start[32];
    uint64_t acked = outcome->sent - outcome->failed;
    write_time(plan->traffic.start_ms, start);
    return json_pack(
        "{s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, "
        "s:s, s:f, s:i, s:b}",
        "messages", (json_int_t)outcome->sent, "acknowledged", (json_int_t)acked, "failed",
        (json_int_t)outcome->failed, "seconds", outcome->seconds, "prepare_seconds",
        outcome->prepare_seconds, "events_per_second",
        outcome->seconds > 0 ? (double)acked / outcome->seconds : 0.0, "cpu_seconds_per_million",
        outcome->sent ? outcome->cpu_seconds * 1e6 / (double)outcome->sent : 0.0, "bytes",
        (json_int_t)outcome->bytes, "visits", (json_int_t)outcome->kinds[LOAD_VISITS], "clicks",
        (json_int_t)outcome->kinds[LOAD_CLICKS], "form_fills",
        (json_int_t)outcome->kinds[LOAD_FORM_FILLS], "profiles",
        (json_int_t)outcome->kinds[LOAD_PROFILES], "late", (json_int_t)outcome->fates[TRAFFIC_LATE],
        "repeated", (json_int_t)outcome->fates[TRAFFIC_REPEATED], "unreadable",
        (json_int_t)outcome->fates[TRAFFIC_UNREADABLE], "lag_seconds_max", outcome->lag_max,
        "lag_seconds_mean", outcome->lag_mean, "start", start, "event_time_per_second",
        plan->traffic.events_per_second, "partitions", (int)topic->partitions, "created",
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

static void tell_figures(const struct load_plan *plan, const struct load_outcome *outcome,
                         const json_t *data)
{
    FILE *out = result_text(plan->common->json);
    (void)fprintf(out,
                  "%" PRIu64 " messages acknowledged in %.2f s: %.0f messages/s, %.0f bytes each, "
                  "%.2f CPU seconds per million\n",
                  outcome->sent - outcome->failed, outcome->seconds,
                  json_real_value(json_object_get(data, "events_per_second")),
                  outcome->sent ? (double)outcome->bytes / (double)outcome->sent : 0.0,
                  json_real_value(json_object_get(data, "cpu_seconds_per_million")));
    if (plan->rate > 0)
        (void)fprintf(out, "behind plan: %.1f ms on average, %.1f ms at most\n",
                      outcome->lag_mean * 1e3, outcome->lag_max * 1e3);
}

static int tell_failures(const struct load_outcome *outcome)
{
    char text[1200], why[400];
    const char *seen = bench_kafka_trouble(why, sizeof why);
    (void)snprintf(text, sizeof text,
                   "%" PRIu64 " of %" PRIu64 " messages were not acknowledged: %s%s%s",
                   outcome->failed, outcome->sent, outcome->why, *seen ? ". Kafka: " : "", seen);
    return say(text);
}

static int finish(const struct load_options *options, const struct load_plan *plan,
                  const struct load_outcome *outcome, const struct bench_topic *topic, int argc,
                  char **argv)
{
    struct error error;
    json_t *data = figures(plan, outcome, topic);
    tell_figures(plan, outcome, data);
    int code = 0;
    if (outcome->failed || *outcome->why)
        code = tell_failures(outcome);
    /* Nobody knows which of the others arrived. */
    if (options->truth && code)
        (void)say("no truth is written: it would not be one");
    else if (options->truth &&
             write_truth(options->truth, outcome->leads, plan->traffic.leads, &error) != STATUS_OK)
        code = say(error.text);
    int kept = result_finish(result_create("load", &table, options, argc, argv), data,
                             options->common.results, options->common.json);
    return code ? code : kept;
}

int bench_load(int argc, char **argv)
{
    struct load_options options;
    struct load_plan plan;
    struct load_outcome outcome = {0};
    struct bench_topic topic;
    struct error error;
    int code = options_read(&table, argc, argv, &options);
    if (code >= 0)
        return code;
    if (make_plan(&options, &plan, &error) != STATUS_OK)
        return say(error.text), 2;
    if (bench_kafka_topic(&options.common, (int32_t)options.partitions, &topic, &error) !=
        STATUS_OK)
        return say(error.text);
    tell_topic(&options, &topic);
    code = load_run(&plan, &outcome, &error) == STATUS_OK
               ? finish(&options, &plan, &outcome, &topic, argc, argv)
               : say(error.text);
    free(outcome.leads);
    return code;
}
