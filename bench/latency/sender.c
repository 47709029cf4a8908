#include "latency/sender.h"

#include "base/arena.h"
#include "common/clock.h"
#include "common/kafka.h"

#include <stdio.h>
#include <stdlib.h>

#define SLICE_S 0.001 /* what is due is sent once a millisecond */
#define PIECE 512     /* events between two looks at the clock */

/* The opaque of a message says what to do when the broker has it: a promotion's index, or a sample
 * of freshness, whose time of the event is all that is not in the message itself. */
#define MARK_PROMOTION (UINT64_C(1) << 62)
#define MARK_SAMPLE (UINT64_C(2) << 62)

static void *mark(uint64_t bits)
{
    return (void *)(uintptr_t)bits; /* NOLINT(performance-no-int-to-ptr) */
}

static void watch(struct sender *sender, const rd_kafka_message_t *message, uint64_t sequence)
{
    double due = plan_due(sender->plan, sequence);
    if (!sender->freshness || due < sender->warm_up)
        return;
    struct freshness_sample sample = {.partition = message->partition,
                                      .time_ms = plan_time_ms(sender->plan, sequence),
                                      .due = sender->start + due};
    if (traffic_lead_of(message->key, message->key_len, &sample.lead))
        freshness_watch(sender->freshness, &sample);
}

static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    (void)producer;
    struct sender *sender = opaque;
    uint64_t bits = (uint64_t)(uintptr_t)message->_private;
    if (message->err) {
        atomic_fetch_add_explicit(&sender->failed, 1, memory_order_relaxed);
        return;
    }
    if (bits & MARK_SAMPLE)
        watch(sender, message, bits & ~MARK_SAMPLE);
    else if (bits & MARK_PROMOTION)
        sender->plan->promotions[bits & ~MARK_PROMOTION].acked = clock_seconds();
}

/* An event that makes a promotion is not sampled: its opaque says that already. */
static void *opaque_of(const struct sender *sender, uint64_t sequence, uint32_t promotion)
{
    if (promotion != PLAN_NONE)
        return mark(MARK_PROMOTION | promotion);
    if (sender->sample_every && sequence % sender->sample_every == 0)
        return mark(MARK_SAMPLE | sequence);
    return NULL;
}

static void send_one(struct sender *sender, uint64_t sequence)
{
    struct traffic_event event;
    uint32_t promotion = plan_make(sender->plan, sequence, &event);
    void *opaque = opaque_of(sender, sequence, promotion);
    while (rd_kafka_produce(sender->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)(uintptr_t)event.value, event.value_size, event.key,
                            event.key_size, opaque) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            atomic_fetch_add_explicit(&sender->failed, 1, memory_order_relaxed);
            return;
        }
        (void)rd_kafka_poll(sender->producer, 5);
    }
    if (promotion != PLAN_NONE)
        atomic_fetch_add_explicit(&sender->promotions, 1, memory_order_relaxed);
}

/* How late is the first of those that are sent now? */
static void note_lag(struct sender *sender, uint64_t sequence)
{
    double due = plan_due(sender->plan, sequence);
    double late = clock_seconds() - sender->start - due;
    uint64_t late_us = late > 0 ? (uint64_t)(late * 1e6) : 0;
    uint64_t *most = &sender->lag_by_second[(size_t)due];
    *most = late_us > *most ? late_us : *most;
    if (due >= sender->warm_up)
        histogram_record(&sender->lag, late_us);
    atomic_store_explicit(&sender->lag_us, late_us, memory_order_relaxed);
}

/* All that are due by now, in pieces, so that answers are taken in also while much is late. */
static uint64_t send_due(struct sender *sender, uint64_t next)
{
    uint64_t due = plan_count(sender->plan, clock_seconds() - sender->start);
    while (next < due) {
        uint64_t piece = next + PIECE < due ? next + PIECE : due;
        note_lag(sender, next);
        for (; next < piece; next++)
            send_one(sender, next);
        atomic_store_explicit(&sender->sent, next, memory_order_relaxed);
        (void)rd_kafka_poll(sender->producer, 0);
    }
    return next;
}

static void *run(void *context)
{
    struct sender *sender = context;
    uint64_t next = 0;
    for (double tick = sender->start; next < sender->plan->events; tick += SLICE_S) {
        clock_sleep_until(tick);
        next = send_due(sender, next);
        (void)rd_kafka_poll(sender->producer, 0);
    }
    double left = sender->deadline + sender->start - clock_seconds();
    (void)rd_kafka_flush(sender->producer, left > 1 ? (int)(left * 1000) : 1000);
    atomic_fetch_add(&sender->failed, (uint64_t)rd_kafka_outq_len(sender->producer));
    atomic_store(&sender->done, true);
    return NULL;
}

enum status sender_init(struct sender *sender, struct plan *plan,
                        const struct common_options *common, double linger_s, double wait_s,
                        struct error *error)
{
    char linger_ms[24];
    (void)snprintf(linger_ms, sizeof linger_ms, "%g", linger_s * 1000);
    const struct bench_setting settings[] = {{"compression.type", "lz4"},
                                             {"linger.ms", linger_ms},
                                             {"batch.size", "200000"},
                                             {"enable.idempotence", "true"},
                                             {"partitioner", "murmur2_random"},
                                             {"queue.buffering.max.messages", "2000000"},
                                             {"queue.buffering.max.kbytes", "1048576"}};
    sender->plan = plan;
    sender->deadline = plan_due(plan, plan->events) + wait_s;
    histogram_init(&sender->lag);
    sender->lag_by_second =
        memory_take_zeroed((size_t)plan->options.seconds + 2, sizeof *sender->lag_by_second);
    sender->producer =
        bench_kafka_create(RD_KAFKA_PRODUCER, common, settings, sizeof settings / sizeof *settings,
                           delivered, sender, error);
    if (!sender->producer)
        return STATUS_STOP;
    sender->topic = rd_kafka_topic_new(sender->producer, common->topic, NULL);
    return sender->topic ? STATUS_OK
                         : error_set(error, STATUS_STOP, "topic %s: %s", common->topic,
                                     rd_kafka_err2str(rd_kafka_last_error()));
}

enum status sender_start(struct sender *sender, double start, struct error *error)
{
    sender->start = start;
    return pthread_create(&sender->thread, NULL, run, sender) == 0
               ? STATUS_OK
               : error_set(error, STATUS_STOP, "cannot start a thread");
}

void sender_join(struct sender *sender)
{
    (void)pthread_join(sender->thread, NULL);
}

void sender_fini(struct sender *sender)
{
    if (sender->topic)
        rd_kafka_topic_destroy(sender->topic);
    if (sender->producer)
        rd_kafka_destroy(sender->producer);
    free(sender->lag_by_second);
}
