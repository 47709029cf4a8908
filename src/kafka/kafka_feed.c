#include "kafka/kafka_feed.h"

#include "base/arena.h"
#include "kafka/kafka_client.h"

#include <stdlib.h>

struct kafka_feed {
    const char *topic; /* of the settings */
    rd_kafka_t *producer;
    struct kafka_feed_counts counts;
};

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    struct kafka_feed *feed = opaque;
    *(message->err ? &feed->counts.failed : &feed->counts.acknowledged) += 1;
}

enum status kafka_feed_create(const struct kafka_settings *settings, struct kafka_feed **out,
                              struct error *error)
{
    static const struct kafka_option before[] = {{"linger.ms", "5"}};
    static const struct kafka_option fixed[] = {{"enable.idempotence", "true"}};
    *out = NULL;
    if (kafka_check_embedded(settings, error) != STATUS_OK)
        return STATUS_STOP;
    rd_kafka_conf_t *conf = kafka_client_conf(settings, KAFKA_PRODUCER, before, 1, fixed, 1, error);
    if (!conf)
        return STATUS_STOP;
    struct kafka_feed *feed = memory_take_zeroed(1, sizeof *feed);
    feed->topic = settings->events;
    rd_kafka_conf_set_opaque(conf, feed);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    feed->producer = kafka_client_create_take(conf, KAFKA_PRODUCER, error);
    if (!feed->producer) {
        free(feed);
        return STATUS_STOP;
    }
    *out = feed;
    return STATUS_OK;
}

void kafka_feed_destroy(struct kafka_feed *feed)
{
    (void)rd_kafka_purge(feed->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(feed->producer);
    free(feed);
}

enum status kafka_feed_send(struct kafka_feed *feed, const void *key, size_t key_size,
                            const void *value, size_t value_size, struct error *error)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        feed->producer, RD_KAFKA_V_TOPIC(feed->topic), RD_KAFKA_V_KEY(key, key_size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value_size),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return error_set(error, STATUS_RETRY, "the queue of messages is full");
    return code ? kafka_client_error(error, code, "writing to %s", feed->topic) : STATUS_OK;
}

void kafka_feed_poll(struct kafka_feed *feed, int timeout_ms, struct kafka_feed_counts *counts)
{
    (void)rd_kafka_poll(feed->producer, timeout_ms);
    *counts = feed->counts;
}

enum status kafka_feed_flush(struct kafka_feed *feed, int timeout_ms, struct error *error)
{
    if (rd_kafka_flush(feed->producer, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return STATUS_OK;
    return error_set(error, STATUS_RETRY, "%d messages are not acknowledged",
                     rd_kafka_outq_len(feed->producer));
}
