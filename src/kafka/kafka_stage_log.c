/* The whole stages topic, once: a consumer per call, which joins no group and commits nothing. */
#include "kafka/kafka_admin.h"
#include "kafka/kafka_client.h"

#include <stdlib.h>
#include <string.h>

enum { SILENCE_MS = 15000 }; /* so long without a record or an end of a partition is an absence */

struct kafka_stage_log {
    struct stage_log port;
    struct kafka_settings settings; /* texts are the caller's */
};

typedef enum status (*each_record)(void *context, const uint8_t *value, size_t size);

struct stage_read {
    rd_kafka_t *consumer;
    const char *topic;
    int64_t *ends; /* by partition: where the log ended at the call; 0 once it is reached */
    uint32_t partitions, open;
};

static rd_kafka_t *create_reader(const struct kafka_settings *settings, struct error *error)
{
    const struct kafka_option fixed[] = {
        {"group.id", settings->group}, /* librdkafka insists on one; nothing joins it */
        {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},      {"allow.auto.create.topics", "false"},
    };
    rd_kafka_conf_t *conf = kafka_client_conf(settings, KAFKA_CONSUMER, NULL, 0, fixed,
                                              sizeof fixed / sizeof *fixed, error);
    rd_kafka_t *consumer = conf ? kafka_client_create_take(conf, KAFKA_CONSUMER, error) : NULL;
    if (consumer)
        (void)rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

static enum status assign_all(struct stage_read *read, bool *truncated, struct error *error)
{
    struct kafka_range *ranges = memory_take_zeroed(read->partitions, sizeof *ranges);
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)read->partitions);
    enum status status = kafka_client_ranges(read->consumer, read->topic, 0, read->partitions,
                                             5 * KAFKA_CALL_MS, ranges, error);
    for (uint32_t i = 0; i < read->partitions && status == STATUS_OK; i++) {
        *truncated |= ranges[i].first > 0;
        if (ranges[i].end <= ranges[i].first)
            continue;
        rd_kafka_topic_partition_list_add(list, read->topic, (int32_t)i)->offset = ranges[i].first;
        read->ends[i] = ranges[i].end;
        read->open++;
    }
    rd_kafka_resp_err_t code =
        read->open ? rd_kafka_assign(read->consumer, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    free(ranges);
    return code ? kafka_client_error(error, code, "reading %s", read->topic) : status;
}

static void close_partition(struct stage_read *read, int32_t partition)
{
    if (read->ends[partition] == 0)
        return;
    read->ends[partition] = 0;
    read->open--;
}

static enum status take(struct stage_read *read, const rd_kafka_message_t *message,
                        each_record each, void *context, struct error *error)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        close_partition(read, message->partition);
        return STATUS_OK;
    }
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        return error_set(error, STATUS_RETRY, "retention removed records of %s while it was read",
                         read->topic);
    if (message->err)
        return kafka_client_error(error, message->err, "reading %s", read->topic);
    enum status status = STATUS_OK;
    int64_t end = read->ends[message->partition];
    if (message->offset < end)
        status = each(context, message->payload, message->len);
    if (message->offset + 1 >= end)
        close_partition(read, message->partition);
    return status;
}

static enum status read_all(struct stage_read *read, each_record each, void *context,
                            struct error *error)
{
    while (read->open > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(read->consumer, SILENCE_MS);
        if (!message)
            return error_set(error, STATUS_RETRY, "reading %s: nothing from Kafka for %d s",
                             read->topic, SILENCE_MS / 1000);
        enum status status = take(read, message, each, context, error);
        rd_kafka_message_destroy(message);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status stage_log_read(struct stage_log *log, each_record each, void *context,
                                  bool *truncated, struct error *error)
{
    const struct kafka_stage_log *self =
        (const struct kafka_stage_log *)(void *)log; /* port is the first member */
    struct stage_read read = {.topic = self->settings.outputs[TOPIC_STAGES]};
    *truncated = false;
    read.consumer = create_reader(&self->settings, error);
    if (!read.consumer)
        return STATUS_STOP;
    enum status status = kafka_client_partitions(
        read.consumer, read.topic, self->settings.config_path, &read.partitions, error);
    if (status == STATUS_OK) {
        read.ends = memory_take_zeroed(read.partitions, sizeof *read.ends);
        status = assign_all(&read, truncated, error);
    }
    if (status == STATUS_OK)
        status = read_all(&read, each, context, error);
    free(read.ends);
    (void)rd_kafka_assign(read.consumer, NULL);
    rd_kafka_destroy_flags(read.consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return status;
}

static void stage_log_destroy(struct stage_log *log)
{
    free(log);
}

enum status kafka_stage_log_create(const struct kafka_settings *settings, struct stage_log **out,
                                   struct error *error)
{
    *out = NULL;
    if (kafka_check_embedded(settings, error) != STATUS_OK)
        return STATUS_STOP;
    struct kafka_stage_log *self = memory_take_zeroed(1, sizeof *self);
    self->port = (struct stage_log){.read = stage_log_read, .destroy = stage_log_destroy};
    self->settings = *settings;
    *out = &self->port;
    return STATUS_OK;
}
