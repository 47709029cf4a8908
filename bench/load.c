#include "bench.h"

#include "base/bytes.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENT_ROOM 512

struct sender {
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    double *cumulative; /* of the popularity of leads */
    uint32_t leads;
    uint64_t random;
    uint64_t failed;
};

static uint64_t next_random(struct sender *sender)
{
    sender->random ^= sender->random << 13;
    sender->random ^= sender->random >> 7;
    sender->random ^= sender->random << 17;
    return sender->random >> 8;
}

/* Popularity of lead k (from 1) is 1/k. */
static void make_popularity(struct sender *sender)
{
    sender->cumulative = malloc(sender->leads * sizeof *sender->cumulative);
    double sum = 0;
    for (uint32_t k = 0; k < sender->leads; k++)
        sender->cumulative[k] = sum += 1.0 / (k + 1);
}

static uint32_t choose_lead(struct sender *sender)
{
    double at = (double)(next_random(sender) % (UINT64_C(1) << 50)) / (double)(UINT64_C(1) << 50) *
                sender->cumulative[sender->leads - 1];
    uint32_t low = 0, high = sender->leads - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sender->cumulative[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
    size_t size = strlen(text);
    at = bytes_put_zigzag(at, (int64_t)size);
    return bytes_put(at, text, size);
}

static uint8_t *put_some(uint8_t *at,
                         const char *text) /* the second branch of ["null", "string"] */
{
    *at++ = 2;
    return put_text(at, text);
}

enum kind { VISIT = 1, CLICK, FORM_FILL };

/* Fields in the order of schemas/Visit.avsc, Click.avsc and FormFill.avsc. */
static size_t encode(uint8_t *room, enum kind kind, uint64_t n, const char *lead, int64_t time_ms)
{
    static const char *const pages[] = {"/pricing", "/product/overview",
                                        "/blog/how-to-hand-over-leads", "/docs/getting-started",
                                        "/customers"};
    char id[40], url[96], session[40];
    (void)snprintf(id, sizeof id, "0192f3c4-%016" PRIx64, n);
    (void)snprintf(url, sizeof url, "https://www.example.com%s", pages[n % 5]);
    (void)snprintf(session, sizeof session, "s-%016" PRIx64, n / 7);
    uint8_t *at = room;
    *at++ = 0;
    at = bytes_put(at, (const uint8_t[]){0, 0, 0, (uint8_t)kind}, 4);
    at = put_text(at, id);
    at = put_text(at, lead);
    at = bytes_put_zigzag(at, time_ms);
    if (kind == FORM_FILL) {
        at = put_some(at, "newsletter");
        *at++ = 0; /* no fields */
    }
    at = put_some(at, url);
    at = put_some(at, pages[n % 5]);
    if (kind == CLICK)
        at = put_some(at, "cta-start-trial");
    at = put_some(at, "https://www.google.com/");
    at = put_some(at, "organic");
    at = put_some(at, "autumn-launch");
    at = put_some(at, session);
    at = put_some(at, "Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0");
    return (size_t)(at - room);
}

static void send_one(struct sender *sender, uint64_t n, int64_t time_ms)
{
    uint8_t value[EVENT_ROOM];
    char lead[24];
    (void)snprintf(lead, sizeof lead, "lead-%08" PRIx32, choose_lead(sender) * 2654435761u);
    uint64_t dice = next_random(sender) % 100;
    enum kind kind = dice < 70 ? VISIT : dice < 97 ? CLICK : FORM_FILL;
    size_t size = encode(value, kind, n, lead, time_ms);
    while (rd_kafka_produce(sender->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, size,
                            lead, strlen(lead), NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            sender->failed++;
            return;
        }
        (void)rd_kafka_poll(sender->producer, 10);
    }
}

static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    struct sender *sender = opaque;
    if (message->err)
        sender->failed++;
}

static int open_sender(struct sender *sender, const struct bench_options *options)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *const settings[][2] = {{"bootstrap.servers", options->brokers},
                                       {"compression.type", "lz4"},
                                       {"linger.ms", "20"},
                                       {"batch.size", "200000"},
                                       {"enable.idempotence", "true"},
                                       {"queue.buffering.max.messages", "500000"}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) !=
            RD_KAFKA_CONF_OK)
            return fprintf(stderr, "baton-bench: %s\n", text), -1;
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, sender);
    sender->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!sender->producer)
        return fprintf(stderr, "baton-bench: %s\n", text), -1;
    sender->topic = rd_kafka_topic_new(sender->producer, options->topic, NULL);
    return 0;
}

int bench_load(const struct bench_options *options)
{
    struct sender sender = {.leads = options->leads,
                            .random = options->seed * 88172645463325252u + 1};
    if (open_sender(&sender, options) != 0)
        return 1;
    make_popularity(&sender);
    double from = bench_seconds();
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    for (uint64_t n = 0; n < options->events; n++) {
        send_one(&sender, n + (options->seed << 40), now_ms + (int64_t)(n / 2000));
        if (n % 1024 == 0)
            (void)rd_kafka_poll(sender.producer, 0);
    }
    bool flushed = rd_kafka_flush(sender.producer, 60000) == RD_KAFKA_RESP_ERR_NO_ERROR;
    double seconds = bench_seconds() - from;
    (void)printf("{\"sent\": %" PRIu64 ", \"failed\": %" PRIu64
                 ", \"seconds\": %.3f, \"events_per_second\": %.0f}\n",
                 options->events, sender.failed, seconds, (double)options->events / seconds);
    rd_kafka_topic_destroy(sender.topic);
    rd_kafka_destroy(sender.producer);
    free(sender.cumulative);
    return flushed && sender.failed == 0 ? 0 : 1;
}
