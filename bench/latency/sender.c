#include "latency/sender.h"

#include "base/arena.h"
#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_S 0.001 /* what is due is sent once a millisecond */
#define PIECE 512     /* events between two looks at the clock */

/* A mark says what to do when the broker has the event: an odd one is that of a promotion, an even
 * one that of a sample. */
static uint64_t mark_of_promotion(uint32_t index)
{
    return 2 * (uint64_t)index + 1;
}

static uint64_t mark_of_sample(uint64_t index)
{
    return 2 * index + 2;
}

static void acked(void *context, uint64_t mark, int32_t partition)
{
    struct sender *sender = context;
    if (mark % 2) {
        sender->plan->promotions[mark / 2].acked = clock_seconds();
        return;
    }
    struct freshness_sample *sample = &sender->samples[mark / 2 - 1];
    sample->partition = partition;
    freshness_watch(sender->freshness, sample);
}

static uint64_t add_sample(struct sender *sender, uint64_t sequence,
                           const struct traffic_event *event)
{
    if (sender->sample_count == sender->sample_room) {
        sender->sample_room = sender->sample_room ? sender->sample_room * 2 : 1024;
        sender->samples =
            memory_resize(sender->samples, sender->sample_room * sizeof *sender->samples);
    }
    sender->samples[sender->sample_count] =
        (struct freshness_sample){.lead = event->lead,
                                  .time_ms = event->time_ms,
                                  .due = sender->start + plan_due(sender->plan, sequence)};
    return mark_of_sample(sender->sample_count++);
}

/* An event that makes a promotion is not sampled: it has its mark already. */
static uint64_t mark_of(struct sender *sender, uint64_t sequence, uint32_t promotion,
                        const struct traffic_event *event)
{
    if (promotion != PLAN_NONE)
        return mark_of_promotion(promotion);
    bool sampled = sender->freshness && sequence % sender->sample_every == 0 &&
                   plan_due(sender->plan, sequence) >= sender->warm_up;
    return sampled ? add_sample(sender, sequence, event) : 0;
}

static void send_one(struct sender *sender, uint64_t sequence)
{
    struct traffic_event event;
    uint32_t promotion = plan_make(sender->plan, sequence, &event);
    sender->outlet->send(sender->outlet, &event, mark_of(sender, sequence, promotion, &event));
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
static enum status send_due(struct sender *sender, uint64_t *next, struct error *error)
{
    uint64_t due = plan_count(sender->plan, clock_seconds() - sender->start);
    enum status status = sender->outlet->poll(sender->outlet, error);
    while (*next < due && status == STATUS_OK) {
        uint64_t piece = *next + PIECE < due ? *next + PIECE : due;
        note_lag(sender, *next);
        for (; *next < piece; ++*next)
            send_one(sender, *next);
        atomic_store_explicit(&sender->sent, *next, memory_order_relaxed);
        atomic_store_explicit(&sender->promotions, sender->plan->promotion_count,
                              memory_order_relaxed);
        status = sender->outlet->poll(sender->outlet, error);
        atomic_store_explicit(&sender->failed, sender->outlet->failed, memory_order_relaxed);
    }
    return status;
}

static void *run(void *context)
{
    struct sender *sender = context;
    struct error error = {{0}};
    enum status status = STATUS_OK;
    uint64_t next = 0;
    for (double tick = sender->start; next < sender->plan->events && status == STATUS_OK;
         tick += SLICE_S) {
        clock_sleep_until(tick);
        status = send_due(sender, &next, &error);
    }
    if (status == STATUS_OK)
        sender->outlet->flush(sender->outlet, sender->wait);
    atomic_store(&sender->failed, sender->outlet->failed + sender->plan->events - next);
    (void)snprintf(sender->refusal, sizeof sender->refusal, "%.190s",
                   status == STATUS_OK ? sender->outlet->refusal : error.text);
    atomic_store(&sender->done, true);
    return NULL;
}

enum status sender_init(struct sender *sender, struct plan *plan,
                        const struct common_options *common, const struct sender_settings *settings,
                        struct error *error)
{
    const struct outlet_settings outlet = {
        .linger = settings->linger, .acked = acked, .context = sender};
    sender->plan = plan;
    sender->wait = settings->wait;
    sender->warm_up = settings->warm_up;
    histogram_init(&sender->lag);
    sender->lag_by_second =
        memory_take_zeroed((size_t)plan->options.seconds + 2, sizeof *sender->lag_by_second);
    sender->outlet = strcmp(settings->client, "direct") == 0
                         ? outlet_direct(common, &outlet, error)
                         : outlet_librdkafka(common, &outlet, error);
    return sender->outlet ? STATUS_OK : STATUS_STOP;
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
    if (sender->outlet)
        sender->outlet->destroy(sender->outlet);
    free(sender->lag_by_second);
    free(sender->samples);
}
