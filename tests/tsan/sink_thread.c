/* The sink's helper thread beside the worker's: transactions, resets in the middle, a stop in the
 * middle, while the worker goes on fetching. The broker is the embedded one: only the threads are
 * looked at here. Run with TSAN_OPTIONS=suppressions=tests/tsan/suppressions.txt. */
#include "base/log.h"
#include "kafka/kafka_embedded.h"
#include "kafka/kafka_sink.h"
#include "kafka/kafka_source.h"

#include "tsan/c11_threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 30, ROOM = 100 };

static const char *const topics[] = {"events", "promotions", "stages", "dead", "breaches"};
static int failed;

static void expect(int condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "failed: %s\n", what);
    failed = 1;
}

static void fetch_once(struct source *source, enum source_news_kind *kind)
{
    struct record records[ROOM];
    struct source_news news;
    struct error error;
    size_t count;
    (void)source->fetch(source, 5, records, ROOM, &count, &news, &error);
    *kind = news.kind;
}

static enum sink_state await_end(struct sink *sink, struct source *source)
{
    enum sink_state state;
    struct error error;
    while ((state = sink->poll(sink, &error)) == SINK_BUSY) {
        enum source_news_kind ignored;
        fetch_once(source, &ignored);
    }
    return state;
}

static void reset(struct sink *sink)
{
    struct error error;
    while (sink->reset(sink, &error) == STATUS_RETRY)
        (void)usleep(10000);
}

static void run(struct kafka_settings *settings)
{
    struct source *source;
    struct sink *sink;
    struct error error = {""};
    expect(kafka_source_create(settings, &source, &error) == STATUS_OK, error.text);
    expect(kafka_sink_create(settings, 0, source, &sink, &error) == STATUS_OK, error.text);
    enum source_news_kind kind = SOURCE_NO_NEWS;
    while (kind != SOURCE_ASSIGNED)
        fetch_once(source, &kind);
    struct unit_position start = {0, 0};
    expect(source->start(source, &start, 1, &error) == STATUS_OK, "start");
    reset(sink);
    struct outgoing_message message = {
        .topic = TOPIC_STAGES, .key = "k", .key_size = 1, .value = "v", .value_size = 1};
    struct unit_commit commit = {0, 1, "metadata"};
    struct transaction transaction = {&message, 1, &commit, 1};
    for (int round = 0; round < ROUNDS; round++) {
        sink->begin(sink, &transaction);
        if (round % 10 == 9) {
            reset(sink); /* without waiting for the outcome */
            continue;
        }
        enum sink_state state = await_end(sink, source);
        expect(state == SINK_COMMITTED, "committed");
        if (state == SINK_FAILED)
            reset(sink);
    }
    sink->begin(sink, &transaction);
    sink->destroy(sink); /* in the middle of a transaction */
    source->destroy(source);
}

int main(void)
{
    struct kafka_embedded *embedded;
    struct error error = {""};
    log_set_level(LOG_ERROR);
    if (kafka_embedded_start(topics, 5, 2, &embedded, &error) != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct kafka_settings settings = {
        .brokers = kafka_embedded_brokers(embedded),
        .group = "tsan",
        .instance = "one",
        .events = topics[0],
        .outputs = {topics[1], topics[2], topics[3], topics[4]},
        .config_path = "baton.yaml",
        .embedded = true,
    };
    run(&settings);
    kafka_embedded_stop(embedded);
    return failed;
}
