/* Transactions as baton makes them: promotions and offsets by the sink port, with a pause behind
 * each. A group for each worker, so that nobody waits for a rebalance. */
#include "common/clock.h"
#include "common/histogram.h"
#include "common/kafka.h"
#include "kafka/kafka_sink.h"
#include "pipeline/unit_record.h"
#include "stages/own_source.h"
#include "stages/stages.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_S 0.00025 /* how often it is looked whether a transaction has ended */
#define MESSAGES_MAX 4096
#define RESET_TRIES 10
#define USUAL_S 0.015 /* that a transaction takes */

struct transactions {
    struct stage_worker *worker;
    struct own_source source;
    struct sink *sink;
    struct outgoing_message *messages;
    size_t message_count;
    struct unit_commit *commits;
    struct text_buffer metadata;
    struct histogram *took;
    uint64_t done;
};

/* ---- making ready ---- */

static enum status connect_sink(struct transactions *self, struct error *error)
{
    enum status status = STATUS_RETRY;
    for (int i = 0; i < RESET_TRIES && status == STATUS_RETRY; i++)
        status = self->sink->reset(self->sink, error);
    return status;
}

/* Offsets of all the worker's units, with metadata of the usual size. */
static void make_commits(struct transactions *self)
{
    const struct stage_worker *worker = self->worker;
    struct commit_metadata metadata = {.present = true,
                                       .clock_ms = clock_unix_ms(),
                                       .digest = UINT64_MAX,
                                       .transitions = 1000,
                                       .switch_count = 1};
    (void)strcpy(metadata.agreement, agreement_hash(worker->stages->agreement));
    (void)strcpy(metadata.switches[0].hash, metadata.agreement);
    text_buffer_init(&self->metadata);
    commit_metadata_print(&self->metadata, &metadata);
    self->commits = memory_take(worker->unit_count * sizeof *self->commits);
    for (uint32_t i = 0; i < worker->unit_count; i++)
        self->commits[i] = (struct unit_commit){
            .unit = worker->first_unit + i, .offset = 1, .metadata = self->metadata.data};
}

/* As many as the pace leaves for one, at the rate that baton does, or half of what the counting
 * consumer does. */
static void make_messages(struct transactions *self)
{
    struct stage_worker *worker = self->worker;
    const struct stages *stages = worker->stages;
    double rate = stages->options.baton_rate > 0 ? stages->options.baton_rate
                                                 : stages->figures[STAGE_POLL].per_second / 2;
    double count = rate * stage_units_per_event(stages, STAGE_ENCODE, rate) / stages->workers *
                   (stages->pace_s + USUAL_S);
    self->message_count = worker->output_count == 0 ? 0
                          : count < 1               ? 1
                          : count > MESSAGES_MAX    ? MESSAGES_MAX
                                                    : (size_t)count;
    self->messages = memory_take((self->message_count + 1) * sizeof *self->messages);
    for (size_t i = 0; i < self->message_count; i++)
        self->messages[i] = worker->outputs[i % worker->output_count];
}

static enum status init(struct transactions *self, struct error *error)
{
    self->took = memory_take(sizeof *self->took);
    make_commits(self);
    make_messages(self);
    enum status status = own_source_open(&self->source, self->worker, "commit", error);
    if (status == STATUS_OK)
        status = kafka_sink_create(&self->source.kafka, self->worker->number, self->source.port,
                                   &self->sink, error);
    return status == STATUS_OK ? connect_sink(self, error) : status;
}

static void fini(struct transactions *self)
{
    if (self->sink)
        self->sink->destroy(self->sink);
    own_source_close(&self->source);
    free(self->commits);
    free(self->messages);
    text_buffer_fini(&self->metadata);
}

/* ---- one after the other ---- */

static enum status transact(struct transactions *self, struct error *error)
{
    struct stage_worker *worker = self->worker;
    for (uint32_t i = 0; i < worker->unit_count; i++)
        self->commits[i].offset++;
    struct transaction transaction = {.messages = self->messages,
                                      .message_count = self->message_count,
                                      .commits = self->commits,
                                      .commit_count = worker->unit_count};
    self->sink->begin(self->sink, &transaction);
    enum sink_state state;
    while ((state = self->sink->poll(self->sink, error)) == SINK_BUSY)
        clock_sleep_until(clock_seconds() + LOOK_S);
    return state == SINK_COMMITTED ? STATUS_OK : STATUS_STOP;
}

static enum status transact_until(struct transactions *self, double until, struct error *error)
{
    double pace_s = self->worker->stages->pace_s;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && clock_seconds() < until) {
        double from = clock_seconds();
        status = transact(self, error);
        double to = clock_seconds();
        histogram_record(self->took, (uint64_t)((to - from) * 1e6));
        self->done++;
        clock_sleep_until(to + pace_s);
    }
    return status;
}

static enum status run(struct team_member *member, struct error *error)
{
    struct transactions *self = member->context;
    enum status status = init(self, error);
    double warm_s = self->worker->stages->options.seconds / 2;
    if (status ==
        STATUS_OK) /* a producer's first one is slow, and a young broker's first ones, too */
        status = transact_until(self, clock_seconds() + warm_s, error);
    self->done = 0;
    histogram_init(self->took);
    if (status == STATUS_OK && team_start(member)) {
        status = transact_until(self, member->team->until, error);
        team_stop(member, &(struct team_work){.units = self->done});
    }
    fini(self);
    return status;
}

static void take_times(struct stages *stages, const struct transactions *transactions)
{
    for (unsigned i = 1; i < stages->workers; i++)
        histogram_merge(transactions[0].took, transactions[i].took);
    stages->transaction_messages = transactions[0].message_count;
    static const uint32_t shares[3] = {HISTOGRAM_P(50), HISTOGRAM_P(90), HISTOGRAM_P(99)};
    for (int i = 0; i < 3; i++)
        stages->transaction_ms[i] =
            (double)histogram_percentile(transactions[0].took, shares[i]) / 1000;
}

static enum status make_topic(struct stages *stages, struct error *error)
{
    struct common_options common = stages->options.common;
    common.topic = stages->name;
    struct bench_topic topic;
    return bench_kafka_topic(&common, (int32_t)stages->partitions, &topic, error);
}

enum status stage_transactions(struct stages *stages, struct error *error)
{
    struct transactions transactions[TEAM_MAX] = {{0}};
    void *contexts[TEAM_MAX];
    for (unsigned i = 0; i < stages->workers; i++) {
        transactions[i].worker = &stages->worker[i];
        contexts[i] = &transactions[i];
    }
    struct team_figures figures;
    enum status status = make_topic(stages, error);
    if (status != STATUS_OK)
        return status;
    status = team_run(stages->workers, stages->options.seconds, stages->servers, run, contexts,
                      &figures, error);
    if (status == STATUS_OK)
        take_times(stages, transactions);
    for (unsigned i = 0; i < stages->workers; i++)
        free(transactions[i].took);
    stage_take(stages, STAGE_TRANSACTION, &figures);
    return status;
}
