#include "kafka/kafka_tail.h"

#include "base/arena.h"
#include "kafka/kafka_client.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct kafka_tail {
    struct kafka_settings settings; /* texts are the caller's */
    struct kafka_tail_choice choice;
    rd_kafka_t *consumer;
    rd_kafka_topic_partition_list_t *places; /* that are read; `opaque` is set once one has ended */
    int ended;
    rd_kafka_message_t *message; /* lent out */
};

/* A time that nothing was written at or after stands for the end. */
static rd_kafka_resp_err_t ask_offsets(struct kafka_tail *tail)
{
    int64_t from_ms = tail->choice.from_ms;
    bool now = from_ms == KAFKA_TAIL_NOW;
    rd_kafka_topic_partition_list_t *places = tail->places;
    for (int i = 0; i < places->cnt; i++)
        places->elems[i].offset = from_ms == KAFKA_TAIL_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING
                                  : now                           ? RD_KAFKA_OFFSET_END
                                                                  : from_ms;
    if (from_ms == KAFKA_TAIL_BEGINNING || !places->cnt)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(tail->consumer, places, 10 * KAFKA_CALL_MS);
    for (int i = 0; i < places->cnt && !code; i++)
        code = places->elems[i].err;
    return code;
}

/* The leaders of topics that were made a moment ago are not known everywhere. */
static enum status find_offsets(struct kafka_tail *tail, struct error *error)
{
    int64_t end_ms = kafka_client_now_ms() + 10 * KAFKA_CALL_MS;
    rd_kafka_resp_err_t code = ask_offsets(tail);
    while ((code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
            code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
            code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) &&
           kafka_client_now_ms() < end_ms) {
        (void)poll(NULL, 0, 100);
        code = ask_offsets(tail);
    }
    return code ? kafka_client_error(error, code, "where to begin in the output topics")
                : STATUS_OK;
}

static enum status assign_outputs(struct kafka_tail *tail, struct error *error)
{
    enum status status = STATUS_OK;
    tail->places = rd_kafka_topic_partition_list_new(OUTGOING_TOPICS);
    for (size_t i = 0; i < OUTGOING_TOPICS && status == STATUS_OK; i++) {
        uint32_t partitions = 0;
        const char *topic = tail->settings.outputs[i];
        if (tail->choice.topics[i])
            status = kafka_client_partitions(tail->consumer, topic, tail->settings.config_path,
                                             &partitions, error);
        for (uint32_t p = 0; p < partitions && status == STATUS_OK; p++)
            (void)rd_kafka_topic_partition_list_add(tail->places, topic, (int32_t)p);
    }
    if (status == STATUS_OK)
        status = find_offsets(tail, error);
    if (status == STATUS_OK) {
        rd_kafka_resp_err_t code = rd_kafka_assign(tail->consumer, tail->places);
        status = code ? kafka_client_error(error, code, "reading the output topics") : STATUS_OK;
    }
    return status;
}

enum status kafka_tail_create(const struct kafka_settings *settings,
                              const struct kafka_tail_choice *choice, struct kafka_tail **out,
                              struct error *error)
{
    const struct kafka_option fixed[] = {
        {"group.id", settings->group}, /* librdkafka insists on one; nothing joins it */
        {"isolation.level", "read_committed"},
        {"enable.auto.commit", "false"},
        {"auto.offset.reset", "earliest"},
        {"allow.auto.create.topics", "false"},
        {"fetch.wait.max.ms", "50"},
        {"enable.partition.eof", choice->to_end ? "true" : "false"},
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
    tail->choice = *choice;
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
    if (tail->places)
        rd_kafka_topic_partition_list_destroy(tail->places);
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

static void note_end(struct kafka_tail *tail, const rd_kafka_message_t *message)
{
    rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_find(
        tail->places, rd_kafka_topic_name(message->rkt), message->partition);
    if (!place || place->opaque)
        return;
    place->opaque = place;
    tail->ended++;
}

bool kafka_tail_ended(const struct kafka_tail *tail)
{
    return tail->choice.to_end && tail->ended == tail->places->cnt;
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
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        note_end(tail, message);
        return STATUS_OK;
    }
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
