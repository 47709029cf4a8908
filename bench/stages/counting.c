/* The ceiling: messages are taken from the client one by one and thrown away. And, for information,
 * by the client's callback, which costs less. */
#include "common/clock.h"
#include "stages/consumer.h"
#include "stages/stages.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SILENCE_S 20  /* without any message: the topic does not hold what it said */
#define TELL_EVERY 64 /* messages; not each, as the counter is shared */

struct counting_all {
    bool by_callback;
    atomic_uint_fast64_t wanted, seen; /* of all members, seen in steps of TELL_EVERY */
};

struct counting {
    struct stage_worker *worker;
    struct counting_all *all;
    struct team_member *member;
    struct part_consumer consumer;
    uint64_t seen, wanted;
    int ends;    /* partitions whose end was met */
    double last; /* message */
};

static void saw_one(struct counting *counting)
{
    if (++counting->seen % TELL_EVERY != 0)
        return;
    counting->last = clock_seconds();
    uint64_t before = atomic_fetch_add(&counting->all->seen, TELL_EVERY);
    uint64_t tenth = atomic_load(&counting->all->wanted) / 10;
    if (before < tenth && before + TELL_EVERY >= tenth) /* one thread comes here, once */
        team_begin_anew(counting->member, before + TELL_EVERY);
}

static void on_message(rd_kafka_message_t *message, void *opaque)
{
    struct counting *counting = opaque;
    if (!message->err)
        saw_one(counting);
    else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        counting->ends++;
}

static void wait_for_messages(struct counting *counting, rd_kafka_queue_t *queue)
{
    if (counting->all->by_callback) {
        (void)rd_kafka_consume_callback_queue(queue, 100, on_message, counting);
        return;
    }
    rd_kafka_message_t *message = rd_kafka_consumer_poll(counting->consumer.client, 100);
    if (!message)
        return;
    on_message(message, counting);
    rd_kafka_message_destroy(message);
}

static enum status count(struct counting *counting, struct error *error)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(counting->consumer.client);
    enum status status = part_consumer_start(&counting->consumer, error);
    counting->last = clock_seconds();
    while (status == STATUS_OK && counting->seen < counting->wanted &&
           counting->ends < counting->consumer.partitions->cnt) {
        uint64_t before = counting->seen;
        wait_for_messages(counting, queue);
        if (counting->seen == before && clock_seconds() - counting->last > SILENCE_S)
            status = error_set(error, STATUS_STOP, "no message of %s came for %d seconds",
                               counting->worker->stages->options.common.topic, SILENCE_S);
    }
    rd_kafka_queue_destroy(queue);
    return status;
}

static enum status run(struct team_member *member, struct error *error)
{
    struct counting *counting = member->context;
    struct stage_worker *worker = counting->worker;
    const struct stages *stages = worker->stages;
    enum status status = part_consumer_open(&counting->consumer, &stages->options.common,
                                            worker->first_unit, worker->unit_count, error);
    if (status != STATUS_OK)
        return status;
    uint64_t share = stages->options.events / stages->workers;
    counting->member = member;
    counting->wanted = counting->consumer.messages < share ? counting->consumer.messages : share;
    (void)atomic_fetch_add(&counting->all->wanted, counting->wanted);
    if (team_start(member)) {
        status = count(counting, error);
        team_stop(member, &(struct team_work){.units = counting->seen});
    }
    part_consumer_close(&counting->consumer);
    return status;
}

static enum status measure(struct stages *stages, enum stage stage, struct error *error)
{
    struct counting_all all = {.by_callback = stage == STAGE_CALLBACK};
    struct counting counting[TEAM_MAX];
    void *contexts[TEAM_MAX];
    for (unsigned i = 0; i < stages->workers; i++) {
        counting[i] = (struct counting){.worker = &stages->worker[i], .all = &all};
        contexts[i] = &counting[i];
    }
    struct team_figures figures;
    enum status status =
        team_run(stages->workers, 0, stages->servers, run, contexts, &figures, error);
    /* Not the sum of what each did: at the end one reads alone, and that belongs to it. */
    if (figures.seconds > 0)
        figures.per_second = (double)figures.units / figures.seconds;
    stage_take(stages, stage, &figures);
    return status;
}

enum status stage_count(struct stages *stages, struct error *error)
{
    enum status status = measure(stages, STAGE_POLL, error);
    return status == STATUS_OK ? measure(stages, STAGE_CALLBACK, error) : status;
}
