/* Reads the messages that the other stages work on, once, into memory. */
#include "common/clock.h"
#include "stages/consumer.h"
#include "stages/stages.h"

#define SILENCE_S 20

static void keep(struct kept *kept, const rd_kafka_message_t *message)
{
    kept_add(kept, &(struct record){.unit = (uint32_t)message->partition,
                                    .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
                                    .key = message->key,
                                    .key_size = message->key_len,
                                    .value = message->payload,
                                    .value_size = message->len});
}

/* Of all that are wanted: as large a part as the worker's partitions are of the topic. */
static uint64_t share_of(const struct stages *stages, const struct part_consumer *consumer)
{
    if (stages->options.events >= stages->topic_messages)
        return consumer->messages;
    double part = (double)consumer->messages / (double)stages->topic_messages;
    return (uint64_t)(part * (double)stages->options.events + 0.5);
}

static enum status read_messages(struct stage_worker *worker, struct part_consumer *consumer,
                                 struct error *error)
{
    uint64_t wanted = share_of(worker->stages, consumer);
    double last = clock_seconds();
    int ends = 0;
    while (worker->kept.count < wanted && ends < consumer->partitions->cnt) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client, 100);
        if (!message && clock_seconds() - last > SILENCE_S)
            return error_set(error, STATUS_STOP, "no message came for %d seconds", SILENCE_S);
        if (!message)
            continue;
        last = clock_seconds();
        if (!message->err)
            keep(&worker->kept, message);
        else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ends++;
        rd_kafka_message_destroy(message);
    }
    return STATUS_OK;
}

static enum status run(struct team_member *member, struct error *error)
{
    struct stage_worker *worker = member->context;
    const struct stages *stages = worker->stages;
    struct part_consumer consumer;
    enum status status = part_consumer_open(&consumer, &stages->options.common, worker->first_unit,
                                            worker->unit_count, error);
    if (status != STATUS_OK)
        return status;
    status = part_consumer_start(&consumer, error);
    if (status == STATUS_OK)
        status = read_messages(worker, &consumer, error);
    part_consumer_close(&consumer);
    if (status == STATUS_OK && worker->kept.count == 0)
        return error_set(error, STATUS_STOP,
                         "partitions %u to %u of topic %s hold no messages: baton-bench load "
                         "sends some",
                         (unsigned)worker->first_unit,
                         (unsigned)(worker->first_unit + worker->unit_count - 1),
                         stages->options.common.topic);
    return status;
}

enum status stage_keep(struct stages *stages, struct error *error)
{
    void *contexts[TEAM_MAX];
    for (unsigned i = 0; i < stages->workers; i++)
        contexts[i] = &stages->worker[i];
    struct team_figures figures;
    return team_run(stages->workers, 0, stages->servers, run, contexts, &figures, error);
}
