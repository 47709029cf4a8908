/* baton-bench latency: an open loop of events on one side, a consumer of the promotions on the
 * other, and the time from when an event should have been sent to when its promotion was visible.
 */
#include "bench.h"
#include "common/clock.h"
#include "common/kafka.h"
#include "common/options.h"
#include "common/progress.h"
#include "common/result.h"
#include "latency/figures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

struct latency_options {
    struct common_options common;
    const char *promotions, *redis, *prefix, *client;
    double rate, seconds, warm_up, wait, linger;
    uint64_t leads, event_bytes, seed;
    double zipf, rising, rise, samples;
};

#define AT(field) offsetof(struct latency_options, field)
static const struct option rows[] = {
    COMMON_OPTIONS(struct latency_options, common),
    {"promotions", OPTION_TEXT, AT(promotions), "lead-promotions", "topic of baton's promotions"},
    {"rate", OPTION_RATE, AT(rate), "50k", "events per second", 1, 5e6},
    {"seconds", OPTION_DURATION, AT(seconds), "60s", "how long is measured", 0.1, 86400},
    {"warm-up", OPTION_DURATION, AT(warm_up), "10s", "before that: sent and checked, not measured",
     0, 3600},
    {"wait", OPTION_DURATION, AT(wait), "20s",
     "for the last promotions; what is not there by then is missing", 0.1, 3600},
    {"client", OPTION_CHOICE, AT(client), "librdkafka",
     "what sends: librdkafka; or direct, at a fraction of its CPU time, which knows neither TLS, "
     "SASL nor retries",
     0, 0, "librdkafka|direct"},
    {"linger", OPTION_DURATION, AT(linger), "5ms",
     "how long the sender may collect events into a batch: part of the latency", 0, 10},
    {"leads", OPTION_COUNT, AT(leads), "200k", "known leads", 1, 1e8},
    {"zipf", OPTION_REAL, AT(zipf), "1.0", "exponent of their popularity; 0: uniform", 0, 3},
    {"rising", OPTION_SHARE, AT(rising), "30%",
     "share of events that are of new leads on their way to a promotion", 0, 1},
    {"rise", OPTION_DURATION, AT(rise), "5s", "from such a lead's first event to its last", 0.01,
     3600},
    {"event-bytes", OPTION_BYTES, AT(event_bytes), "0", "size of an event, about; 0: some 240", 0,
     65536},
    {"redis", OPTION_TEXT, AT(redis), NULL,
     "baton's redis.url: measures how old a score in Redis is, too"},
    {"prefix", OPTION_TEXT, AT(prefix), "baton", "baton's redis.prefix"},
    {"samples", OPTION_RATE, AT(samples), "50", "events per second to look for in Redis", 0.1,
     1000},
    {"seed", OPTION_COUNT, AT(seed), "1",
     "of the traffic; a baton that has seen a seed needs another"},
    OUTPUT_OPTIONS(struct latency_options, common, NULL)};

static const struct options options = {
    .command = "latency",
    .summary =
        "Sends events at a fixed rate, by plan, and measures the time from the moment at which an\n"
        "event should have been sent to the moment at which its promotion is visible to a "
        "consumer\n"
        "that reads committed messages only. baton must run under bench/agreements/simple.yaml "
        "and\n"
        "know schemas/ by the ids 1 Visit, 2 Click, 3 FormFill. Without --brokers it starts a\n"
        "broker, a Redis and a baton of its own.",
    .rows = rows,
    .count = sizeof rows / sizeof *rows};

struct run {
    struct latency_options options;
    struct plan plan;
    struct sender sender;
    struct receiver receiver;
    struct freshness *freshness; /* NULL: not asked for */
    double unix_at_zero;
};

#define UNTIL_START_S 0.5 /* for threads and connections to stand ready */
#define LOOK_S 0.1

static double unix_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- Starting ---- */

static enum status open_plan(struct run *run, struct error *error)
{
    const struct latency_options *given = &run->options;
    struct plan_options plan = {.seed = given->seed,
                                .leads = (uint32_t)given->leads,
                                .zipf = given->zipf,
                                .event_bytes = (uint32_t)given->event_bytes,
                                .rate = given->rate,
                                .seconds = given->warm_up + given->seconds,
                                .rising = given->rising,
                                .rise_s = given->rise};
    return plan_init(&run->plan, &plan, error);
}

static enum status open_freshness(struct run *run, struct error *error)
{
    if (!run->options.redis)
        return STATUS_OK;
    uint64_t every = (uint64_t)(run->options.rate / run->options.samples);
    run->sender.sample_every = every ? every : 1;
    enum status status =
        freshness_open(run->options.redis, run->options.prefix, &run->freshness, error);
    run->sender.freshness = run->freshness;
    return status;
}

static enum status open_all(struct run *run, struct error *error)
{
    const struct latency_options *given = &run->options;
    struct bench_topic topic;
    enum status status = bench_kafka_topic(&given->common, 0, &topic, error);
    if (status == STATUS_OK)
        status = open_plan(run, error);
    if (status == STATUS_OK)
        status = receiver_open(&run->receiver, &given->common, given->promotions, error);
    const struct sender_settings sender = {.client = given->client,
                                           .linger = given->linger,
                                           .wait = given->wait,
                                           .warm_up = given->warm_up};
    if (status == STATUS_OK)
        status = sender_init(&run->sender, &run->plan, &given->common, &sender, error);
    if (status == STATUS_OK)
        status = open_freshness(run, error);
    return status;
}

/* ---- Watching ---- */

static void watch(struct run *run)
{
    struct progress progress;
    progress_begin(&progress, "events", run->plan.events);
    while (!run->sender.done) {
        clock_sleep_until(clock_seconds() + LOOK_S);
        progress_show(&progress, run->sender.sent,
                      "%" PRIuFAST64 " of %" PRIuFAST64 " promotions seen, %.1f ms behind plan, "
                      "%" PRIuFAST64 " errors",
                      run->receiver.count, run->sender.promotions, (double)run->sender.lag_us / 1e3,
                      run->sender.failed);
    }
    progress_end(&progress);
}

/* Until as many are there as must come, and a moment longer for those that must not. */
static void await_promotions(struct run *run)
{
    double deadline = clock_seconds() + run->options.wait;
    while (run->receiver.count < run->sender.promotions && clock_seconds() < deadline)
        clock_sleep_until(clock_seconds() + LOOK_S);
    clock_sleep_until(clock_seconds() + LOOK_S);
}

static enum status measure(struct run *run, struct error *error)
{
    double start = clock_seconds() + UNTIL_START_S;
    run->unix_at_zero = unix_now() - clock_seconds();
    run->plan.start_ms = (int64_t)((run->unix_at_zero + start) * 1000);
    enum status status = receiver_start(&run->receiver, error);
    if (status != STATUS_OK)
        return status;
    status = sender_start(&run->sender, start, error);
    if (status == STATUS_OK) {
        watch(run);
        sender_join(&run->sender);
        await_promotions(run);
    }
    receiver_join(&run->receiver);
    if (status == STATUS_OK && run->receiver.error.text[0]) {
        *error = run->receiver.error;
        status = STATUS_STOP;
    }
    return status;
}

/* ---- The result ---- */

static enum status close_freshness(struct run *run, struct figures *figures, struct error *error)
{
    figures->has_freshness = run->freshness != NULL;
    if (!run->freshness)
        return STATUS_OK;
    enum status status =
        freshness_close(run->freshness, run->options.wait, &figures->freshness, error);
    run->freshness = NULL;
    run->sender.freshness = NULL;
    return status;
}

static int tell(struct run *run, int argc, char **argv)
{
    const struct common_options *common = &run->options.common;
    static struct figures figures; /* histograms are large */
    struct error error;
    figures_init(&figures, &run->plan, &run->sender, &run->receiver, run->unix_at_zero);
    bool right = close_freshness(run, &figures, &error) == STATUS_OK;
    if (!right)
        (void)fprintf(stderr, "baton-bench latency: %s\n", error.text);
    figures_print(&figures, result_text(common->json));
    right = figures_are_right(&figures) && right;
    json_t *data = figures_json(&figures);
    json_object_set_new(data, "rate", json_real(run->options.rate));
    json_object_set_new(data, "right", json_boolean(right));
    json_t *result = result_create("latency", &options, &run->options, argc, argv);
    /* figures that cannot be trusted are shown, and not kept */
    int code = result_finish(result, data, right ? common->results : "none", common->json);
    figures_fini(&figures);
    return right ? code : 1;
}

static void close_all(struct run *run)
{
    static struct freshness_figures unused;
    struct error error;
    if (run->freshness)
        (void)freshness_close(run->freshness, 0, &unused, &error);
    sender_fini(&run->sender);
    receiver_fini(&run->receiver);
    plan_fini(&run->plan);
}

int bench_latency(int argc, char **argv)
{
    static struct run run; /* a histogram is large */
    struct error error;
    int code = options_read(&options, argc, argv, &run.options);
    if (code >= 0)
        return code;
    enum status status = open_all(&run, &error);
    if (status == STATUS_OK)
        status = measure(&run, &error);
    if (status == STATUS_OK)
        code = tell(&run, argc, argv);
    else
        (void)fprintf(stderr, "baton-bench latency: %s\n", error.text);
    close_all(&run);
    return status == STATUS_OK ? code : 1;
}
