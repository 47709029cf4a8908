/* What the tests of the Kafka adapters share: topics of their own on the broker of
 * BATON_TEST_KAFKA, plain producers beside ours, and short ways to drive the ports. Included by one
 * test program each. */
#ifndef TESTS_KAFKA_WORLD_H
#define TESTS_KAFKA_WORLD_H

#include "base/arena.h"
#include "kafka/kafka_admin.h"
#include "kafka/kafka_sink.h"
#include "kafka/kafka_source.h"
#include "kafka/kafka_source_private.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FETCH_ROOM 2000

struct world {
    struct kafka_settings settings;
    char names[KAFKA_TOPICS][96];
    char group[96];
    struct kafka_property consumer[4];
    struct arena arena;
    rd_kafka_t *writer; /* plain producer */
};

static inline int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define must(call)                                                                                 \
    do {                                                                                           \
        struct error error = {""};                                                                 \
        enum status must_status = (call);                                                          \
        cr_assert_eq(must_status, STATUS_OK, "%s: %d %s", #call, must_status, error.text);         \
    } while (0)

/* The same, as long as Kafka says RETRY. */
#define must_soon(call)                                                                            \
    do {                                                                                           \
        struct error error = {""};                                                                 \
        enum status must_status;                                                                   \
        int64_t until = now_ms() + 30000;                                                          \
        while ((must_status = (call)) == STATUS_RETRY && now_ms() < until)                         \
            usleep(50000);                                                                         \
        cr_assert_eq(must_status, STATUS_OK, "%s: %d %s", #call, must_status, error.text);         \
    } while (0)

static inline rd_kafka_t *plain_producer(const struct world *world, const char *transactional_id)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", world->settings.brokers, reason, sizeof reason);
    rd_kafka_conf_set(conf, "linger.ms", "0", reason, sizeof reason);
    /* A topic that was just made may refuse a first batch; what is sent again stays in its place.
     */
    rd_kafka_conf_set(conf, "enable.idempotence", "true", reason, sizeof reason);
    if (transactional_id)
        rd_kafka_conf_set(conf, "transactional.id", transactional_id, reason, sizeof reason);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    cr_assert_not_null(producer, "%s", reason);
    if (transactional_id)
        cr_assert_null(rd_kafka_init_transactions(producer, 15000));
    return producer;
}

static inline const char *test_brokers(void)
{
    const char *brokers = getenv("BATON_TEST_KAFKA");
    cr_assert(brokers && *brokers, "BATON_TEST_KAFKA names no broker");
    return brokers;
}

/* The input topic with so many partitions, the others with one; 0: no topics. */
static inline void world_open(struct world *world, const char *test, uint32_t partitions)
{
    static const char *const kinds[] = {"events", "promotions", "stages", "dead", "breaches"};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    memset(world, 0, sizeof *world);
    for (int i = 0; i < KAFKA_TOPICS; i++)
        snprintf(world->names[i], sizeof world->names[i], "%s-%d-%ld-%s", test, (int)getpid(),
                 now.tv_nsec % 1000000, kinds[i]);
    snprintf(world->group, sizeof world->group, "%s-%d-%ld", test, (int)getpid(),
             now.tv_nsec % 1000000);
    world->consumer[0] = (struct kafka_property){"session.timeout.ms", "6000"};
    world->consumer[1] = (struct kafka_property){"heartbeat.interval.ms", "300"};
    world->settings = (struct kafka_settings){
        .brokers = test_brokers(),
        .group = world->group,
        .instance = "one",
        .events = world->names[0],
        .outputs = {world->names[1], world->names[2], world->names[3], world->names[4]},
        .consumer = {world->consumer, 2},
        .config_path = "baton.yaml",
#ifndef READS_BY_LIBRDKAFKA
        .direct_reads = true,
#endif
    };
    arena_init(&world->arena, 65536);
    if (partitions) {
        struct kafka_admin *admin;
        struct kafka_new_topic wanted[KAFKA_TOPICS];
        bool created[KAFKA_TOPICS];
        for (int i = 0; i < KAFKA_TOPICS; i++)
            wanted[i] = (struct kafka_new_topic){
                .partitions = i == 0 ? partitions : 1, .replication = 1, .retention_ms = 86400000};
        struct error error;
        cr_assert_eq(kafka_admin_create(&world->settings, &admin, &error), STATUS_OK, "%s",
                     error.text);
        must_soon(kafka_admin_create_topics(admin, wanted, created, &error));
        must_soon(kafka_admin_check_topics(admin, true, &error));
        kafka_admin_destroy(admin);
    }
    world->writer = plain_producer(world, NULL);
}

/* ---- Ends of transactions ----
 *
 * A broker answers a commit before it has written the marks into the partitions. */

static inline rd_kafka_t *watcher(const struct world *world, const char *isolation)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", world->settings.brokers, reason, sizeof reason);
    rd_kafka_conf_set(conf, "isolation.level", isolation, reason, sizeof reason);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    cr_assert_not_null(consumer, "%s", reason);
    return consumer;
}

static inline int64_t end_seen_by(rd_kafka_t *consumer, const char *topic, uint32_t unit)
{
    int64_t first, end = -1;
    rd_kafka_resp_err_t code;
    int64_t until = now_ms() + 30000;
    do {
        code = rd_kafka_query_watermark_offsets(consumer, topic, (int32_t)unit, &first, &end, 5000);
    } while (code != RD_KAFKA_RESP_ERR_NO_ERROR && now_ms() < until);
    cr_assert_eq(code, RD_KAFKA_RESP_ERR_NO_ERROR, "%s", rd_kafka_err2str(code));
    return end;
}

/* Until what is committed reaches to the end of every partition. */
static inline void await_marks(const struct world *world, const char *topic, uint32_t partitions)
{
    rd_kafka_t *committed = watcher(world, "read_committed");
    rd_kafka_t *all = watcher(world, "read_uncommitted");
    int64_t until = now_ms() + 30000;
    for (uint32_t unit = 0; unit < partitions; unit++)
        while (end_seen_by(committed, topic, unit) != end_seen_by(all, topic, unit)) {
            cr_assert_lt(now_ms(), until, "unit %u of %s: a transaction is open", unit, topic);
            usleep(20000);
        }
    rd_kafka_destroy(committed);
    rd_kafka_destroy(all);
}

static inline void world_close(struct world *world)
{
    rd_kafka_destroy(world->writer);
    arena_fini(&world->arena);
}

static inline void produce(rd_kafka_t *producer, const char *topic, uint32_t unit,
                           const char *value)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION((int32_t)unit),
        RD_KAFKA_V_KEY("k", 1), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(producer, 50);
        code = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic),
                                 RD_KAFKA_V_PARTITION((int32_t)unit), RD_KAFKA_V_KEY("k", 1),
                                 RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    }
    cr_assert_eq(code, RD_KAFKA_RESP_ERR_NO_ERROR, "%s", rd_kafka_err2str(code));
}

/* Values "first", "first + 1", … into a unit of the input topic. */
static inline void write_events(struct world *world, uint32_t unit, int first, int count)
{
    for (int i = 0; i < count; i++) {
        char value[32];
        snprintf(value, sizeof value, "%d", first + i);
        produce(world->writer, world->settings.events, unit, value);
    }
    cr_assert_eq(rd_kafka_flush(world->writer, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static inline struct source *open_source(struct world *world)
{
    struct source *source;
    struct error error;
    cr_assert_eq(kafka_source_create(&world->settings, &source, &error), STATUS_OK, "%s",
                 error.text);
    return source;
}

/* Fetches until news of that kind come; records that come meanwhile are dropped. */
static inline size_t await_news(struct source *source, enum source_news_kind kind, uint32_t units[],
                                int timeout_ms)
{
    static struct record records[FETCH_ROOM];
    int64_t until = now_ms() + timeout_ms;
    while (now_ms() < until) {
        size_t count;
        struct source_news news;
        struct error error;
        enum status status = source->fetch(source, 100, records, FETCH_ROOM, &count, &news, &error);
        cr_assert(status == STATUS_OK || status == STATUS_RETRY, "%s", error.text);
        if (status == STATUS_RETRY || news.kind == SOURCE_NO_NEWS)
            continue;
        cr_assert_eq(count, 0);
        cr_assert_eq(news.kind, kind, "news %d instead of %d", news.kind, kind);
        if (units)
            memcpy(units, news.units, news.unit_count * sizeof *units);
        return news.unit_count;
    }
    cr_assert_fail("no news of kind %d", kind);
    return 0;
}

static inline struct source *join_alone(struct world *world)
{
    struct source *source = open_source(world);
    (void)await_news(source, SOURCE_ASSIGNED, NULL, 30000);
    return source;
}

static inline struct sink *open_sink(struct world *world, struct source *source, unsigned worker)
{
    struct sink *sink;
    struct error error;
    cr_assert_eq(kafka_sink_create(&world->settings, worker, source, &sink, &error), STATUS_OK,
                 "%s", error.text);
    return sink;
}

static inline enum sink_state finish(struct sink *sink, struct error *error)
{
    int64_t until = now_ms() + 15000;
    enum sink_state state;
    while ((state = sink->poll(sink, error)) == SINK_BUSY && now_ms() < until)
        usleep(1000);
    return state;
}

static inline enum sink_state carry_out(struct sink *sink, const struct outgoing_message *messages,
                                        size_t message_count, const struct unit_commit *commits,
                                        size_t commit_count, struct error *error)
{
    struct transaction transaction = {messages, message_count, commits, commit_count};
    sink->begin(sink, &transaction);
    return finish(sink, error);
}

#endif
