#include "stages/consumer.h"

#define ANSWER_MS 10000

/* Sizes as in src/kafka/kafka_source.c. */
static const struct bench_setting settings[] = {
    {"group.id", "baton-bench-stages"}, /* asked for, and never joined */
    {"isolation.level", "read_committed"},  {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},  {"enable.partition.eof", "true"},
    {"queued.min.messages", "500000"},      {"queued.max.messages.kbytes", "131072"},
    {"fetch.message.max.bytes", "4194304"}, {"fetch.max.bytes", "67108864"},
    {"fetch.wait.max.ms", "100"},
};

static enum status look_at_partitions(struct part_consumer *consumer, const char *topic,
                                      struct error *error)
{
    for (int i = 0; i < consumer->partitions->cnt; i++) {
        rd_kafka_topic_partition_t *partition = &consumer->partitions->elems[i];
        int64_t first, end;
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            consumer->client, topic, partition->partition, &first, &end, ANSWER_MS);
        if (code)
            return error_set(error, STATUS_STOP, "%s, partition %d: %s", topic,
                             (int)partition->partition, rd_kafka_err2str(code));
        partition->offset = first;
        consumer->messages += (uint64_t)(end - first);
    }
    return STATUS_OK;
}

enum status part_consumer_open(struct part_consumer *consumer, const struct common_options *common,
                               uint32_t first_partition, uint32_t count, struct error *error)
{
    *consumer = (struct part_consumer){0};
    consumer->client = bench_kafka_create(RD_KAFKA_CONSUMER, common, settings,
                                          sizeof settings / sizeof *settings, NULL, NULL, error);
    if (!consumer->client)
        return STATUS_STOP;
    consumer->partitions = rd_kafka_topic_partition_list_new((int)count);
    for (uint32_t i = 0; i < count; i++)
        (void)rd_kafka_topic_partition_list_add(consumer->partitions, common->topic,
                                                (int32_t)(first_partition + i));
    enum status status = look_at_partitions(consumer, common->topic, error);
    if (status != STATUS_OK)
        part_consumer_close(consumer);
    return status;
}

enum status part_consumer_start(struct part_consumer *consumer, struct error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_assign(consumer->client, consumer->partitions);
    return code ? error_set(error, STATUS_STOP, "Kafka: %s", rd_kafka_err2str(code)) : STATUS_OK;
}

void part_consumer_close(struct part_consumer *consumer)
{
    rd_kafka_topic_partition_list_destroy(consumer->partitions);
    (void)rd_kafka_consumer_close(consumer->client);
    rd_kafka_destroy(consumer->client);
}
