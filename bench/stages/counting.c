/* Taking messages and doing nothing with them, in three ways: one by one, which is the ceiling that
 * all is compared with; by the client's callback, for information; and by baton's own source. */
#include "common/clock.h"
#include "stages/consumer.h"
#include "stages/own_source.h"
#include "stages/stages.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SILENCE_S 20  /* without any message: the topic does not hold what it said */
#define TELL_EVERY 64 /* messages; not each, as the counter is shared */
#define WAIT_MS 100

struct counting_all {
    enum stage stage;
    atomic_uint_fast64_t wanted, seen; /* of all members */
};

struct counting {
    struct stage_worker *worker;
    struct counting_all *all;
    struct team_member *member;
    struct part_consumer consumer; /* one of both */
    struct own_source source;
    rd_kafka_queue_t *queue; /* the consumer's, for the callback */
    struct record records[STAGES_BATCH];
    uint64_t seen, told, wanted;
    uint32_t ends; /* partitions whose end was met */
    double last;   /* message */
};

/* ---- what was seen ---- */

/* The first tenth is not measured: connections, first fetches. One thread comes to its end. */
static void saw(struct counting *counting, uint64_t more)
{
    counting->seen += more;
    uint64_t untold = counting->seen - counting->told;
    if (untold < TELL_EVERY)
        return;
    counting->told = counting->seen;
    counting->last = clock_seconds();
    uint64_t before = atomic_fetch_add(&counting->all->seen, untold);
    uint64_t tenth = atomic_load(&counting->all->wanted) / 10;
    if (before < tenth && before + untold >= tenth)
        team_begin_anew(counting->member, before + untold);
}

static void on_message(rd_kafka_message_t *message, void *opaque)
{
    struct counting *counting = opaque;
    if (!message->err)
        saw(counting, 1);
    else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        counting->ends++;
}

/* ---- the three ways ---- */

static enum status take_by_poll(struct counting *counting, struct error *error)
{
    (void)error;
    rd_kafka_message_t *message = rd_kafka_consumer_poll(counting->consumer.client, WAIT_MS);
    if (message) {
        on_message(message, counting);
        rd_kafka_message_destroy(message);
    }
    return STATUS_OK;
}

static enum status take_by_callback(struct counting *counting, struct error *error)
{
    (void)error;
    (void)rd_kafka_consume_callback_queue(counting->queue, WAIT_MS, on_message, counting);
    return STATUS_OK;
}

static enum status take_by_source(struct counting *counting, struct error *error)
{
    struct source *port = counting->source.port;
    struct source_news news;
    size_t count;
    enum status status =
        port->fetch(port, WAIT_MS, counting->records, STAGES_BATCH, &count, &news, error);
    for (size_t i = 0; i < count; i++)
        counting->ends += counting->records[i].is_end;
    saw(counting, count);
    return status == STATUS_RETRY ? STATUS_OK : status;
}

static bool by_source(const struct counting *counting)
{
    return counting->all->stage == STAGE_SOURCE;
}

/* ---- a member ---- */

static enum status open_it(struct counting *counting, struct error *error)
{
    struct stage_worker *worker = counting->worker;
    if (by_source(counting))
        return own_source_open(&counting->source, worker, "count", error);
    enum status status = part_consumer_open(&counting->consumer, &worker->stages->options.common,
                                            worker->first_unit, worker->unit_count, error);
    if (status == STATUS_OK)
        counting->queue = rd_kafka_queue_get_consumer(counting->consumer.client);
    return status;
}

static void close_it(struct counting *counting)
{
    if (counting->queue)
        rd_kafka_queue_destroy(counting->queue);
    if (counting->consumer.client)
        part_consumer_close(&counting->consumer);
    own_source_close(&counting->source);
}

static enum status start(struct counting *counting, struct error *error)
{
    uint64_t ignored;
    if (by_source(counting))
        return own_source_start(&counting->source, counting->worker, &ignored, error);
    return part_consumer_start(&counting->consumer, error);
}

static enum status count(struct counting *counting, struct error *error)
{
    enum status (*const take)(struct counting *, struct error *) =
        by_source(counting)                      ? take_by_source
        : counting->all->stage == STAGE_CALLBACK ? take_by_callback
                                                 : take_by_poll;
    enum status status = start(counting, error);
    counting->last = clock_seconds();
    while (status == STATUS_OK && counting->seen < counting->wanted &&
           counting->ends < counting->worker->unit_count) {
        uint64_t before = counting->seen;
        status = take(counting, error);
        if (counting->seen == before && clock_seconds() - counting->last > SILENCE_S)
            status = error_set(error, STATUS_STOP, "no message of %s came for %d seconds",
                               counting->worker->stages->options.common.topic, SILENCE_S);
    }
    return status;
}

static enum status run(struct team_member *member, struct error *error)
{
    struct counting *counting = member->context;
    counting->member = member;
    /* As many as there were when they were read to be kept. */
    counting->wanted = counting->worker->kept.count;
    (void)atomic_fetch_add(&counting->all->wanted, counting->wanted);
    enum status status = open_it(counting, error);
    if (status == STATUS_OK && team_start(member)) {
        status = count(counting, error);
        team_stop(member, &(struct team_work){.units = counting->seen});
    }
    close_it(counting);
    return status;
}

/* ---- all ---- */

static enum status measure(struct stages *stages, enum stage stage, struct error *error)
{
    struct counting_all all = {.stage = stage};
    void *contexts[TEAM_MAX];
    for (unsigned i = 0; i < stages->workers; i++) {
        struct counting *counting = memory_take_zeroed(1, sizeof *counting);
        counting->worker = &stages->worker[i];
        counting->all = &all;
        contexts[i] = counting;
    }
    struct team_figures figures;
    enum status status =
        team_run(stages->workers, 0, stages->servers, run, contexts, &figures, error);
    for (unsigned i = 0; i < stages->workers; i++)
        free(contexts[i]);
    /* Not the sum of what each did: at the end one reads alone, and that belongs to it. */
    if (figures.seconds > 0)
        figures.per_second = (double)figures.units / figures.seconds;
    stage_take(stages, stage, &figures);
    return status;
}

enum status stage_count(struct stages *stages, struct error *error)
{
    enum status status = measure(stages, STAGE_POLL, error);
    if (status == STATUS_OK)
        status = measure(stages, STAGE_CALLBACK, error);
    return status == STATUS_OK ? measure(stages, STAGE_SOURCE, error) : status;
}
