#include "kafka/kafka_tail.h"

#include "base/arena.h"
#include "kafka/kafka_client.h"

#include <stdlib.h>
#include <string.h>

struct kafka_tail {
    struct kafka_settings settings; /* texts are the caller's */
    rd_kafka_t *consumer;
    rd_kafka_message_t *message; /* lent out */
};

static enum status assign_outputs(struct kafka_tail *tail, struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(OUTGOING_TOPICS);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < OUTGOING_TOPICS && status == STATUS_OK; i++) {
        uint32_t partitions;
        const char *topic = tail->settings.outputs[i];
        status = kafka_client_partitions(tail->consumer, topic, tail->settings.config_path,
                                         &partitions, error);
        for (uint32_t p = 0; p < partitions && status == STATUS_OK; p++)
            rd_kafka_topic_partition_list_add(list, topic, (int32_t)p)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
    }
    if (status == STATUS_OK) {
        rd_kafka_resp_err_t code = rd_kafka_assign(tail->consumer, list);
        status = code ? kafka_client_error(error, code, "reading the output topics") : STATUS_OK;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

enum status kafka_tail_create(const struct kafka_settings *settings, struct kafka_tail **out,
                              struct error *error)
{
    const struct kafka_option fixed[] = {
        {"group.id", settings->group}, /* librdkafka insists on one; nothing joins it */
        {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
        {"auto.offset.reset", "earliest"},     {"allow.auto.create.topics", "false"},
        {"fetch.wait.max.ms", "50"},
    };
    *out = NULL;
    if (kafka_check_embedded(settings, error) != STATUS_OK)
        return STATUS_STOP;
    rd_kafka_conf_t *conf = kafka_client_conf(settings, KAFKA_CONSUMER, NULL, 0, fixed,
                                              sizeof fixed / sizeof *fixed, error);
    rd_kafka_t *consumer = conf ? kafka_client_create_take(conf, KAFKA_CONSUMER, error) : NULL;
    if (!consumer)
        return STATUS_STOP;
    (void)rd_kafka_poll_set_consumer(consumer);
    struct kafka_tail *tail = memory_take_zeroed(1, sizeof *tail);
    tail->settings = *settings;
    tail->consumer = consumer;
    enum status status = assign_outputs(tail, error);
    if (status == STATUS_OK)
        *out = tail;
    else
        kafka_tail_destroy(tail);
    return status;
}

static void give_back(struct kafka_tail *tail)
{
    if (tail->message)
        rd_kafka_message_destroy(tail->message);
    tail->message = NULL;
}

void kafka_tail_destroy(struct kafka_tail *tail)
{
    give_back(tail);
    rd_kafka_destroy_flags(tail->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(tail);
}

static enum outgoing_topic topic_of(const struct kafka_tail *tail, const char *name)
{
    for (size_t i = 0; i < OUTGOING_TOPICS; i++)
        if (strcmp(tail->settings.outputs[i], name) == 0)
            return (enum outgoing_topic)i;
    return OUTGOING_TOPICS;
}

enum status kafka_tail_next(struct kafka_tail *tail, int timeout_ms,
                            struct kafka_tail_record *record, bool *found, struct error *error)
{
    *found = false;
    give_back(tail);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(tail->consumer, timeout_ms);
    if (!message)
        return STATUS_OK;
    tail->message = message;
    if (message->err)
        return kafka_client_error(error, message->err, "reading the output topics");
    *record = (struct kafka_tail_record){
        .topic = topic_of(tail, rd_kafka_topic_name(message->rkt)),
        .partition = (uint32_t)message->partition,
        .offset = message->offset,
        .key = message->key,
        .value = message->payload,
        .key_size = message->key_len,
        .value_size = message->len,
    };
    *found = true;
    return STATUS_OK;
}

const char *kafka_tail_header(const struct kafka_tail *tail, const char *name, size_t *size)
{
    rd_kafka_headers_t *headers;
    const void *value;
    if (!tail->message ||
        rd_kafka_message_headers(tail->message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, size) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return NULL;
    return value;
}
