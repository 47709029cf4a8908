#include "base/arena.h"
#include "common/clock.h"
#include "load/client.h"

#include <stdio.h>
#include <stdlib.h>

enum { FULL_MS = 5, FLUSH_MS = 100 };

struct librdkafka {
    struct client port;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
};

static struct librdkafka *self_of(struct client *client)
{
    return (struct librdkafka *)(void *)client; /* port is the first member */
}

static void note_failure(struct client *client, rd_kafka_resp_err_t code)
{
    if (!*client->refusal)
        (void)snprintf(client->refusal, sizeof client->refusal, "%s", rd_kafka_err2str(code));
    (void)atomic_fetch_add_explicit(&client->failed, 1, memory_order_relaxed);
}

/* Called for failures only (delivery.report.only.error), on the producer's thread. */
static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    if (message->err)
        note_failure(opaque, message->err);
}

static void send_event(struct client *client, const struct traffic_event *event)
{
    struct librdkafka *self = self_of(client);
    while (rd_kafka_produce(self->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)(uintptr_t)event->value, event->value_size, event->key,
                            event->key_size, NULL) != 0) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            note_failure(client, code);
            return;
        }
        (void)rd_kafka_poll(self->client, FULL_MS);
    }
}

static enum status poll_answers(struct client *client, struct error *error)
{
    char why[300];
    (void)rd_kafka_poll(self_of(client)->client, 0);
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(self_of(client)->client, why, sizeof why);
    return code ? error_set(error, STATUS_STOP, "%s", why) : STATUS_OK;
}

/* What nobody answers for is given up, and counted as failed. */
static enum status flush(struct client *client, double seconds, struct error *error)
{
    struct librdkafka *self = self_of(client);
    double end = clock_seconds() + seconds;
    while (rd_kafka_outq_len(self->client) > 0 && clock_seconds() < end)
        (void)rd_kafka_flush(self->client, FLUSH_MS);
    if (rd_kafka_outq_len(self->client) == 0)
        return STATUS_OK;
    (void)rd_kafka_purge(self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    (void)rd_kafka_flush(self->client, FLUSH_MS);
    return error_set(error, STATUS_STOP, "the broker has not answered within %.0f s", seconds);
}

static void destroy(struct client *client)
{
    struct librdkafka *self = self_of(client);
    if (self->topic)
        rd_kafka_topic_destroy(self->topic);
    if (self->client)
        rd_kafka_destroy(self->client);
    free(self);
}

struct client *client_librdkafka(const struct common_options *common, bool paced,
                                 struct error *error)
{
    /* A short queue stays in the processor's caches, which is worth a third of all costs; one that
     * must not slow down a plan has room for seconds. */
    const struct bench_setting settings[] = {
        {"compression.type", "lz4"},
        {"enable.idempotence", "true"},
        {"partitioner", "murmur2_random"},
        {"linger.ms", paced ? "5" : "20"},
        {"batch.size", "400000"},
        {"queue.buffering.max.messages", paced ? "2000000" : "50000"},
        {"queue.buffering.max.kbytes", "2097151"},
        {"delivery.report.only.error", "true"},
    };
    struct librdkafka *self = memory_take_zeroed(1, sizeof *self);
    self->port.send = send_event;
    self->port.poll = poll_answers;
    self->port.flush = flush;
    self->port.destroy = destroy;
    self->client =
        bench_kafka_create(RD_KAFKA_PRODUCER, common, settings, sizeof settings / sizeof *settings,
                           on_delivery, &self->port, error);
    self->topic = self->client ? rd_kafka_topic_new(self->client, common->topic, NULL) : NULL;
    if (self->topic)
        return &self->port;
    if (self->client)
        (void)error_set(error, STATUS_STOP, "topic %s: %s", common->topic,
                        rd_kafka_err2str(rd_kafka_last_error()));
    destroy(&self->port);
    return NULL;
}
