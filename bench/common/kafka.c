#include "common/kafka.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MS = 10000, CREATE_MS = 15000, RANGE_MS = 5000 };

/* ---- What clients complain of ---- */

static pthread_mutex_t trouble_lock = PTHREAD_MUTEX_INITIALIZER;
static char trouble[400];

static void keep_trouble(const char *text)
{
    /* "[thrd:127.0.0.1:9092/1]: 127.0.0.1:9092/1: Connect to …": who says it is in it twice */
    const char *rest = *text == '[' ? strstr(text, "]: ") : NULL;
    (void)pthread_mutex_lock(&trouble_lock);
    (void)snprintf(trouble, sizeof trouble, "%s", rest ? rest + 3 : text);
    (void)pthread_mutex_unlock(&trouble_lock);
}

const char *bench_kafka_trouble(char *room, size_t size)
{
    (void)pthread_mutex_lock(&trouble_lock);
    (void)snprintf(room, size, "%s", trouble);
    (void)pthread_mutex_unlock(&trouble_lock);
    return room;
}

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    (void)facility;
    if (level <= 4) /* warnings and worse */
        keep_trouble(text);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)client;
    (void)opaque;
    /* "4/4 brokers are down" says less than what the log said before. */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        keep_trouble(reason);
}

/* ---- Clients ---- */

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *error)
{
    char why[400];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return true;
    (void)error_set(error, STATUS_STOP, "%s=%s: %s", name, value, why);
    return false;
}

static bool set_all(rd_kafka_conf_t *conf, const struct common_options *common,
                    const struct bench_setting *settings, size_t count, struct error *error)
{
    if (!set(conf, "client.id", "baton-bench", error) ||
        !set(conf, "bootstrap.servers", common->brokers, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!set(conf, settings[i].name, settings[i].value, error))
            return false;
    for (size_t i = 0; i < common->properties.count; i++)
        if (!set(conf, common->properties.items[i].key, common->properties.items[i].value, error))
            return false;
    return true;
}

rd_kafka_t *bench_kafka_create(rd_kafka_type_t type, const struct common_options *common,
                               const struct bench_setting *settings, size_t count,
                               void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *),
                               void *opaque, struct error *error)
{
    char why[400];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!set_all(conf, common, settings, count, error)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_opaque(conf, opaque);
    if (delivered)
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
    if (!client) {
        (void)error_set(error, STATUS_STOP, "librdkafka does not start: %s", why);
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    if (type == RD_KAFKA_CONSUMER)
        (void)rd_kafka_poll_set_consumer(client);
    return client;
}

/* ---- Topics ---- */

static enum status no_answer(const struct common_options *common, rd_kafka_resp_err_t code,
                             struct error *error)
{
    char why[400];
    return error_set(error, STATUS_STOP, "no Kafka broker answers at %s: %s", common->brokers,
                     *bench_kafka_trouble(why, sizeof why) ? why : rd_kafka_err2str(code));
}

/* Asks for all topics: asking for one by name could make it, where brokers do so by themselves. */
static enum status look(rd_kafka_t *client, const struct common_options *common,
                        struct bench_topic *topic, struct error *error)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 1, NULL, &metadata, ANSWER_MS);
    if (code)
        return no_answer(common, code, error);
    topic->partitions = 0;
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strcmp(metadata->topics[i].topic, common->topic) == 0)
            topic->partitions = metadata->topics[i].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return STATUS_OK;
}

static enum status take_answer(rd_kafka_event_t *event, struct error *error)
{
    size_t count = 0;
    if (!event)
        return error_set(error, STATUS_STOP, "no answer within %d s", CREATE_MS / 1000);
    if (rd_kafka_event_error(event))
        return error_set(error, STATUS_STOP, "%s", rd_kafka_event_error_string(event));
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t code = count ? rd_kafka_topic_result_error(results[0]) : 0;
    if (!code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return STATUS_OK;
    const char *text = rd_kafka_topic_result_error_string(results[0]);
    return error_set(error, STATUS_STOP, "%s", text ? text : rd_kafka_err2str(code));
}

static enum status create(rd_kafka_t *client, const char *name, int32_t partitions,
                          struct error *error)
{
    char why[256];
    struct error reason;
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(name, partitions, -1, why, sizeof why);
    if (!wanted)
        return error_set(error, STATUS_STOP, "topic %s cannot be made: %s", name, why);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, CREATE_MS, why, sizeof why);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &wanted, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CREATE_MS + 1000);
    enum status status = take_answer(event, &reason);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(wanted);
    return status == STATUS_OK
               ? STATUS_OK
               : error_set(error, status, "topic %s cannot be made: %s", name, reason.text);
}

/* A broker confirms a topic before its metadata show all of it. */
static enum status await(rd_kafka_t *client, const struct common_options *common,
                         int32_t partitions, struct bench_topic *topic, struct error *error)
{
    for (int tries = 0; tries < CREATE_MS / 50; tries++) {
        enum status status = look(client, common, topic, error);
        if (status != STATUS_OK || topic->partitions >= partitions)
            return status;
        (void)rd_kafka_poll(client, 50);
    }
    return error_set(error, STATUS_STOP, "topic %s was made and has not shown up within %d s",
                     common->topic, CREATE_MS / 1000);
}

static enum status count_messages(rd_kafka_t *client, const struct common_options *common,
                                  struct bench_topic *topic, struct error *error)
{
    topic->messages = 0;
    for (int32_t i = 0; i < topic->partitions; i++) {
        int64_t first, end;
        rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
        /* A partition that was made just now may not have its leader yet. */
        for (int tries = 0; tries < 100; tries++) {
            code =
                rd_kafka_query_watermark_offsets(client, common->topic, i, &first, &end, RANGE_MS);
            if (!code)
                break;
            (void)rd_kafka_poll(client, 100);
        }
        if (code)
            return error_set(error, STATUS_STOP, "partition %d of %s does not tell its offsets: %s",
                             (int)i, common->topic, rd_kafka_err2str(code));
        topic->messages += (uint64_t)(end - first);
    }
    return STATUS_OK;
}

enum status bench_kafka_topic(const struct common_options *common, int32_t partitions,
                              struct bench_topic *topic, struct error *error)
{
    *topic = (struct bench_topic){0};
    rd_kafka_t *client = bench_kafka_create(RD_KAFKA_PRODUCER, common, NULL, 0, NULL, NULL, error);
    if (!client)
        return STATUS_STOP;
    enum status status = look(client, common, topic, error);
    if (status == STATUS_OK && !topic->partitions && !partitions)
        status = error_set(error, STATUS_STOP, "there is no topic %s at %s", common->topic,
                           common->brokers);
    if (status == STATUS_OK && !topic->partitions) {
        status = create(client, common->topic, partitions, error);
        if (status == STATUS_OK)
            status = await(client, common, partitions, topic, error);
        topic->created = status == STATUS_OK;
    }
    if (status == STATUS_OK)
        status = count_messages(client, common, topic, error);
    rd_kafka_destroy(client);
    return status;
}
