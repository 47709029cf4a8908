/* A lead scorer as an engineer writes it in a day: a Kafka consumer group, the events read with
 * libavro, every event one HINCRBY in a pipeline to Redis, and a promotion when its answer crosses
 * 100. At least once: offsets are committed when Redis has answered and Kafka has the promotions.
 */
#include "events.h"

#include <getopt.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PROMOTED_AT = 100,
    PIPELINE_MAX = 4096,
    THREADS_MAX = 64,
    LEAD_BYTES_MAX = 256,
    PARTITIONS_MAX = 1024,
    COMMIT_INTERVAL_MS = 100,
    FLUSH_MS = 10000
};

struct settings {
    const char *brokers, *topic, *group, *redis, *promotions, *schemas;
    int threads, pipeline;
};

struct increment { /* sent to Redis, not answered yet */
    char key[8 + LEAD_BYTES_MAX], event_id[64];
    size_t key_size;
    int points;
};

struct worker {
    const struct settings *settings;
    pthread_t thread;
    rd_kafka_t *consumer, *producer; /* the producer is everybody's */
    rd_kafka_topic_t *promotions;
    redisContext *redis;
    struct events *events;
    struct increment *pipeline;
    int waiting;
    int64_t next[PARTITIONS_MAX]; /* offsets to be stored; -1: nothing new */
    int64_t next_commit_ms;
    bool promoted; /* since the last commit */
    uint64_t counted, unreadable;
};

static atomic_bool stopping, failed;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stopping, true);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "naive: %s: %s\n", what, why);
    atomic_store(&failed, true);
    atomic_store(&stopping, true);
}

/* ---- Kafka ---- */

static rd_kafka_conf_t *make_conf(const struct settings *settings, const char *const (*more)[2])
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", settings->brokers, text, sizeof text);
    for (; (*more)[0]; more++)
        if (rd_kafka_conf_set(conf, (*more)[0], (*more)[1], text, sizeof text) != RD_KAFKA_CONF_OK)
            fail("librdkafka", text);
    return conf;
}

static rd_kafka_t *open_consumer(const struct settings *settings)
{
    const char *const more[][2] = {{"group.id", settings->group},
                                   {"isolation.level", "read_committed"},
                                   {"auto.offset.reset", "earliest"},
                                   {"enable.auto.commit", "false"},
                                   {"enable.auto.offset.store", "false"},
                                   {"queued.min.messages", "500000"},
                                   {"queued.max.messages.kbytes", "131072"},
                                   {"fetch.message.max.bytes", "4194304"},
                                   {"fetch.wait.max.ms", "100"},
                                   {NULL, NULL}};
    char text[512];
    rd_kafka_t *consumer =
        rd_kafka_new(RD_KAFKA_CONSUMER, make_conf(settings, more), text, sizeof text);
    if (!consumer)
        return fail("consumer", text), NULL;
    (void)rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, settings->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (code)
        fail("subscribe", rd_kafka_err2str(code));
    return consumer;
}

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    (void)opaque;
    if (message->err)
        fail("promotion", rd_kafka_err2str(message->err));
}

static rd_kafka_t *open_producer(const struct settings *settings)
{
    const char *const more[][2] = {{"enable.idempotence", "true"},
                                   {"linger.ms", "5"},
                                   {"compression.type", "lz4"},
                                   {NULL, NULL}};
    char text[512];
    rd_kafka_conf_t *conf = make_conf(settings, more);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!producer)
        fail("producer", text);
    return producer;
}

static void promote(struct worker *self, const struct increment *increment, int64_t score)
{
    char value[160];
    int size = snprintf(value, sizeof value, "{\"score\":%" PRId64 ",\"event_id\":\"%s\"}", score,
                        increment->event_id);
    const char *lead = increment->key + strlen("lead:");
    while (rd_kafka_produce(self->promotions, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value,
                            (size_t)size, lead, increment->key_size - strlen("lead:"), NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return fail("promotion", rd_kafka_err2str(rd_kafka_last_error()));
        (void)rd_kafka_poll(self->producer, 10);
    }
    self->promoted = true;
}

/* librdkafka refuses what is not assigned to us any more, and that is what we want. */
static void store_offsets(struct worker *self)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int32_t i = 0; i < PARTITIONS_MAX; i++) {
        if (self->next[i] < 0)
            continue;
        rd_kafka_topic_partition_list_add(list, self->settings->topic, i)->offset = self->next[i];
        self->next[i] = -1;
    }
    (void)rd_kafka_offsets_store(self->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void commit(struct worker *self, bool wait)
{
    if (self->promoted && rd_kafka_flush(self->producer, FLUSH_MS) != 0)
        return fail("promotions", "not delivered in time");
    self->promoted = false;
    if (atomic_load(&failed))
        return;
    store_offsets(self);
    rd_kafka_resp_err_t code = rd_kafka_commit(self->consumer, NULL, !wait);
    if (code && code != RD_KAFKA_RESP_ERR__NO_OFFSET)
        (void)fprintf(stderr, "naive: commit: %s\n", rd_kafka_err2str(code));
    self->next_commit_ms = now_ms() + COMMIT_INTERVAL_MS;
}

/* ---- Redis ---- */

static redisContext *open_redis(const char *url)
{
    static const char unix_scheme[] = "unix://";
    if (strncmp(url, unix_scheme, strlen(unix_scheme)) != 0)
        return fail(url, "expected unix:///path/of/socket"), NULL;
    char path[108]; /* as long as that of any unix socket */
    url += strlen(unix_scheme);
    (void)snprintf(path, sizeof path, "%.*s", (int)strcspn(url, "?"), url);
    redisContext *redis = redisConnectUnix(path);
    if (redis && !redis->err)
        return redis;
    fail(url, redis ? redis->errstr : "out of memory");
    if (redis)
        redisFree(redis);
    return NULL;
}

static void send_increment(struct worker *self, const struct event *event)
{
    struct increment *increment = &self->pipeline[self->waiting++];
    char points[12];
    (void)snprintf(points, sizeof points, "%d", event->points);
    memcpy(increment->key, "lead:", 5);
    memcpy(increment->key + 5, event->lead, event->lead_size);
    increment->key_size = 5 + event->lead_size;
    (void)snprintf(increment->event_id, sizeof increment->event_id, "%s", event->id);
    increment->points = event->points;
    const char *words[] = {"HINCRBY", increment->key, "score", points};
    const size_t sizes[] = {7, increment->key_size, 5, strlen(points)};
    if (redisAppendCommandArgv(self->redis, 4, words, sizes) != REDIS_OK)
        fail("Redis", self->redis->errstr);
}

static void read_answers(struct worker *self)
{
    for (int i = 0; i < self->waiting && !atomic_load(&failed); i++) {
        redisReply *reply = NULL;
        if (redisGetReply(self->redis, (void **)&reply) != REDIS_OK)
            return fail("Redis", self->redis->errstr);
        const struct increment *increment = &self->pipeline[i];
        if (reply->type != REDIS_REPLY_INTEGER)
            fail("Redis", reply->str ? reply->str : "unexpected reply");
        else if (reply->integer >= PROMOTED_AT && reply->integer - increment->points < PROMOTED_AT)
            promote(self, increment, reply->integer);
        freeReplyObject(reply);
    }
    self->waiting = 0;
}

/* ---- The loop ---- */

static void take(struct worker *self, const rd_kafka_message_t *message)
{
    if (message->err) {
        if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            (void)fprintf(stderr, "naive: %s\n", rd_kafka_message_errstr(message));
        return;
    }
    struct event event;
    if (message->partition >= PARTITIONS_MAX)
        return fail("topic", "too many partitions");
    if (events_read(self->events, message->payload, message->len, &event) == 0 &&
        event.lead_size <= LEAD_BYTES_MAX)
        send_increment(self, &event);
    else
        self->unreadable++;
    self->counted++;
    self->next[message->partition] = message->offset + 1;
}

/* Takes what is there, up to a full pipeline; waits for the first message only. */
static void fill_pipeline(struct worker *self)
{
    int wait_ms = COMMIT_INTERVAL_MS;
    while (self->waiting < self->settings->pipeline) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(self->consumer, wait_ms);
        if (!message)
            return;
        take(self, message);
        rd_kafka_message_destroy(message);
        wait_ms = 0;
    }
}

static void *run_worker(void *argument)
{
    struct worker *self = argument;
    while (!atomic_load(&stopping)) {
        fill_pipeline(self);
        read_answers(self);
        (void)rd_kafka_poll(self->producer, 0);
        if (!atomic_load(&failed) && now_ms() >= self->next_commit_ms)
            commit(self, false);
    }
    if (!atomic_load(&failed))
        commit(self, true);
    return NULL;
}

static bool open_worker(struct worker *self, const struct settings *settings, rd_kafka_t *producer,
                        rd_kafka_topic_t *promotions)
{
    *self = (struct worker){.settings = settings, .producer = producer, .promotions = promotions};
    for (int i = 0; i < PARTITIONS_MAX; i++)
        self->next[i] = -1;
    self->pipeline = calloc((size_t)settings->pipeline, sizeof *self->pipeline);
    self->events = events_open(settings->schemas);
    self->redis = open_redis(settings->redis);
    self->consumer = open_consumer(settings);
    return self->pipeline && self->events && self->redis && self->consumer;
}

static void close_worker(struct worker *self)
{
    if (self->consumer) {
        (void)rd_kafka_consumer_close(self->consumer);
        rd_kafka_destroy(self->consumer);
    }
    if (self->redis)
        redisFree(self->redis);
    if (self->events)
        events_close(self->events);
    free(self->pipeline);
}

static void run(const struct settings *settings)
{
    rd_kafka_t *producer = open_producer(settings);
    if (!producer)
        return;
    rd_kafka_topic_t *promotions = rd_kafka_topic_new(producer, settings->promotions, NULL);
    struct worker *workers = calloc((size_t)settings->threads, sizeof *workers);
    int started = 0;
    while (started < settings->threads && !atomic_load(&failed)) {
        struct worker *worker = &workers[started++];
        if (!open_worker(worker, settings, producer, promotions) ||
            pthread_create(&worker->thread, NULL, run_worker, worker) != 0)
            fail("start", "a worker could not be started");
    }
    uint64_t counted = 0, unreadable = 0;
    for (int i = 0; i < started; i++) {
        if (workers[i].thread)
            (void)pthread_join(workers[i].thread, NULL);
        counted += workers[i].counted;
        unreadable += workers[i].unreadable;
        close_worker(&workers[i]);
    }
    (void)fprintf(stderr, "naive: %" PRIu64 " messages, %" PRIu64 " of them unreadable\n", counted,
                  unreadable);
    free(workers);
    rd_kafka_topic_destroy(promotions);
    rd_kafka_destroy(producer);
}

/* ---- Options ---- */

static int usage(void)
{
    (void)fputs(
        "usage: baton-bench-naive --brokers B --topic T --group G --redis unix:///path/of/socket\n"
        "                         --promotions TOPIC [--threads 2] [--pipeline 500] [--schemas "
        "DIR]\n"
        "Scores leads until SIGTERM: click 3, visit 1, form fill 10; a promotion at 100.\n"
        "Hash field `score` of key lead:ID in Redis.\n",
        stderr);
    return 2;
}

static int number(const char *text, int max)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *text && !*end && value > 0 && value <= max ? (int)value : 0;
}

static bool read_options(struct settings *settings, int argc, char **argv)
{
    static const struct option options[] = {{"brokers", required_argument, NULL, 'b'},
                                            {"topic", required_argument, NULL, 't'},
                                            {"group", required_argument, NULL, 'g'},
                                            {"redis", required_argument, NULL, 'r'},
                                            {"schemas", required_argument, NULL, 's'},
                                            {"promotions", required_argument, NULL, 'p'},
                                            {"threads", required_argument, NULL, 'n'},
                                            {"pipeline", required_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'b': settings->brokers = optarg; break;
        case 't': settings->topic = optarg; break;
        case 'g': settings->group = optarg; break;
        case 'r': settings->redis = optarg; break;
        case 's': settings->schemas = optarg; break;
        case 'p': settings->promotions = optarg; break;
        case 'n': settings->threads = number(optarg, THREADS_MAX); break;
        case 'l': settings->pipeline = number(optarg, PIPELINE_MAX); break;
        default: return false;
        }
    }
    return optind == argc && settings->brokers && settings->topic && settings->group &&
           settings->redis && settings->promotions && settings->threads && settings->pipeline;
}

int main(int argc, char **argv)
{
    struct settings settings = {.schemas = NAIVE_SCHEMAS, .threads = 2, .pipeline = 500};
    if (!read_options(&settings, argc, argv))
        return usage();
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    run(&settings);
    return atomic_load(&failed) ? 1 : 0;
}
