#include "base/arena.h"
#include "latency/outlet.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#define FULL_MS 5 /* until it is tried again when the client's queue is full */

struct librdkafka {
    struct outlet port;
    struct outlet_settings settings;
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
};

static struct librdkafka *self_of(struct outlet *outlet)
{
    return (struct librdkafka *)(void *)outlet; /* port is the first member */
}

static void note_failure(struct librdkafka *self, rd_kafka_resp_err_t code)
{
    if (self->port.failed++ == 0)
        (void)snprintf(self->port.refusal, sizeof self->port.refusal, "%s", rd_kafka_err2str(code));
}

static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    struct librdkafka *self = opaque;
    uint64_t mark = (uint64_t)(uintptr_t)message->_private;
    if (message->err)
        note_failure(self, message->err);
    else if (mark)
        self->settings.acked(self->settings.context, mark, message->partition);
}

static void send_event(struct outlet *outlet, const struct traffic_event *event, uint64_t mark)
{
    struct librdkafka *self = self_of(outlet);
    void *opaque = (void *)(uintptr_t)mark; /* NOLINT(performance-no-int-to-ptr) */
    while (rd_kafka_produce(self->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)(uintptr_t)event->value, event->value_size, event->key,
                            event->key_size, opaque) != 0) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            note_failure(self, code);
            return;
        }
        (void)rd_kafka_poll(self->producer, FULL_MS);
    }
}

static enum status poll_answers(struct outlet *outlet, struct error *error)
{
    char why[300];
    struct librdkafka *self = self_of(outlet);
    (void)rd_kafka_poll(self->producer, 0);
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(self->producer, why, sizeof why);
    return code ? error_set(error, STATUS_STOP, "%s", why) : STATUS_OK;
}

static void flush(struct outlet *outlet, double seconds)
{
    struct librdkafka *self = self_of(outlet);
    (void)rd_kafka_flush(self->producer, (int)(seconds * 1000));
    for (int left = rd_kafka_outq_len(self->producer); left > 0; left--)
        note_failure(self, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
}

static void destroy(struct outlet *outlet)
{
    struct librdkafka *self = self_of(outlet);
    if (self->topic)
        rd_kafka_topic_destroy(self->topic);
    if (self->producer)
        rd_kafka_destroy(self->producer);
    free(self);
}

struct outlet *outlet_librdkafka(const struct common_options *common,
                                 const struct outlet_settings *settings, struct error *error)
{
    char linger_ms[24];
    (void)snprintf(linger_ms, sizeof linger_ms, "%g", settings->linger * 1000);
    const struct bench_setting its[] = {{"compression.type", "lz4"},
                                        {"linger.ms", linger_ms},
                                        {"batch.size", "200000"},
                                        {"enable.idempotence", "true"},
                                        {"partitioner", "murmur2_random"},
                                        {"queue.buffering.max.messages", "2000000"},
                                        {"queue.buffering.max.kbytes", "1048576"}};
    struct librdkafka *self = memory_take_zeroed(1, sizeof *self);
    self->port.send = send_event;
    self->port.poll = poll_answers;
    self->port.flush = flush;
    self->port.destroy = destroy;
    self->settings = *settings;
    self->producer = bench_kafka_create(RD_KAFKA_PRODUCER, common, its, sizeof its / sizeof *its,
                                        delivered, self, error);
    self->topic = self->producer ? rd_kafka_topic_new(self->producer, common->topic, NULL) : NULL;
    if (self->topic)
        return &self->port;
    if (self->producer)
        (void)error_set(error, STATUS_STOP, "topic %s: %s", common->topic,
                        rd_kafka_err2str(rd_kafka_last_error()));
    destroy(&self->port);
    return NULL;
}
