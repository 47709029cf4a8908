#include "kafka/kafka_sink.h"

#include "base/crash_point.h"
#include "base/log.h"
#include "kafka/kafka_source_private.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    TRANSACTION_MS = 10000, /* the broker aborts an older one */
    GIVE_UP_MS = 9000,      /* from begin on; after it the outcome is taken as unknown */
    CHUNK_MS = 1000,        /* longest wait in one call, so that a stop is noticed */
    SEND_MS = 2800,         /* for offsets: below the socket time-out, which ends each try of it */
    ABORT_MS = 2000,
    INIT_MS = 3000
};

/* Everything that both threads touch is guarded by `lock`: state, error, work, membership,
 * quitting. The producer is the helper's while state is BUSY, and the worker's otherwise, except
 * for the helper's poll under the lock. */
struct kafka_sink {
    struct sink port;
    struct kafka_settings settings; /* texts are the caller's */
    char *transactional_id;
    struct source *source;
    rd_kafka_t *producer;
    bool ready; /* init_transactions has succeeded */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool quitting;
    enum sink_state state;
    struct error error;
    const struct transaction *work;
    struct kafka_membership membership; /* copied at begin: the source's may change meanwhile */
    bool fenced; /* the transaction that failed was shut out by another producer of our id */
};

static struct kafka_sink *self_of(struct sink *sink)
{
    return (struct kafka_sink *)(void *)sink; /* port is the first member */
}

/* ---- The helper's side: one transaction ---- */

struct attempt {
    struct kafka_sink *sink;
    rd_kafka_t *producer;
    const struct transaction *work;
    int64_t began_ms;
    bool fenced;
    struct error error;
};

static bool is_quitting(struct kafka_sink *self)
{
    (void)pthread_mutex_lock(&self->lock);
    bool quitting = self->quitting;
    (void)pthread_mutex_unlock(&self->lock);
    return quitting;
}

static int left_ms(const struct attempt *attempt)
{
    int64_t left = attempt->began_ms + GIVE_UP_MS - kafka_client_now_ms();
    return left > 0 ? (int)left : 0;
}

static int chunk_ms(const struct attempt *attempt)
{
    int left = left_ms(attempt);
    return left < CHUNK_MS ? left : CHUNK_MS;
}

static bool is_fence(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

static bool producer_is_fenced(rd_kafka_t *producer)
{
    char reason[256];
    return is_fence(rd_kafka_fatal_error(producer, reason, sizeof reason));
}

/* Takes the failure. A broker that has timed out our transaction shuts us out as another process
 * would; but that takes it TRANSACTION_MS, so what failed sooner was the other process. */
static bool fail_take(struct attempt *attempt, const char *step, rd_kafka_error_t *failure)
{
    bool slow = kafka_client_now_ms() - attempt->began_ms >= GIVE_UP_MS;
    attempt->fenced =
        !slow && (is_fence(rd_kafka_error_code(failure)) || producer_is_fenced(attempt->producer));
    (void)error_set(&attempt->error, STATUS_RETRY, "transaction of %s failed at %s: %s",
                    attempt->sink->transactional_id, step, rd_kafka_error_string(failure));
    bool abort_it = rd_kafka_error_txn_requires_abort(failure) && !is_quitting(attempt->sink);
    rd_kafka_error_destroy(failure);
    if (abort_it) {
        /* Only to free the offsets sooner for whoever reads them next: `reset` aborts what is left.
         */
        rd_kafka_error_t *aborted = rd_kafka_abort_transaction(attempt->producer, ABORT_MS);
        if (aborted)
            rd_kafka_error_destroy(aborted);
    }
    return false;
}

static bool fail(struct attempt *attempt, const char *step, rd_kafka_resp_err_t code)
{
    return fail_take(attempt, step, rd_kafka_error_new(code, "%s", rd_kafka_err2str(code)));
}

static rd_kafka_headers_t *copy_headers(const struct outgoing_message *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);
    for (size_t i = 0; i < message->header_count; i++) {
        const struct header *header = &message->headers[i];
        (void)rd_kafka_header_add(headers, header->name, -1, header->value,
                                  (ssize_t)header->value_size);
    }
    return headers;
}

static rd_kafka_resp_err_t produce_once(struct attempt *attempt,
                                        const struct outgoing_message *message)
{
    rd_kafka_headers_t *headers = copy_headers(message);
    /* Copied, as librdkafka may look at a message of an aborted transaction until the producer is
     * gone. */
    const struct kafka_settings *settings = &attempt->sink->settings;
    bool events = message->topic == TOPIC_EVENTS;
    rd_kafka_resp_err_t code = rd_kafka_producev(
        attempt->producer,
        RD_KAFKA_V_TOPIC(events ? settings->events : settings->outputs[message->topic]),
        RD_KAFKA_V_PARTITION(events ? (int32_t)message->partition : RD_KAFKA_PARTITION_UA),
        RD_KAFKA_V_KEY(message->key, message->key_size),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)message->value, message->value_size),
        RD_KAFKA_V_TIMESTAMP(events ? message->timestamp_ms : 0), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (code)
        rd_kafka_headers_destroy(headers);
    return code;
}

static bool produce_all(struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->work->message_count; i++) {
        rd_kafka_resp_err_t code = produce_once(attempt, &attempt->work->messages[i]);
        while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && left_ms(attempt) > 0) {
            (void)rd_kafka_poll(attempt->producer, 20);
            code = produce_once(attempt, &attempt->work->messages[i]);
        }
        if (code)
            return fail(attempt, "produce", code);
    }
    return true;
}

static rd_kafka_topic_partition_list_t *offsets_of(const struct attempt *attempt)
{
    const struct transaction *work = attempt->work;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)work->commit_count);
    for (size_t i = 0; i < work->commit_count; i++) {
        rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_add(
            list, attempt->sink->settings.events, (int32_t)work->commits[i].unit);
        partition->offset = work->commits[i].offset;
        size_t size = strlen(work->commits[i].metadata);
        partition->metadata_size = size;
        partition->metadata =
            size ? memory_copy_text(work->commits[i].metadata) : NULL; /* freed with the list */
    }
    return list;
}

static rd_kafka_consumer_group_metadata_t *metadata_of(const struct attempt *attempt)
{
    if (SEEDED_FAULT("late_group_metadata"))
        return rd_kafka_consumer_group_metadata(kafka_source_consumer(attempt->sink->source));
    return kafka_membership_metadata(&attempt->sink->membership);
}

static rd_kafka_error_t *send_until_taken(struct attempt *attempt,
                                          const rd_kafka_topic_partition_list_t *offsets,
                                          const rd_kafka_consumer_group_metadata_t *metadata)
{
    for (;;) {
        /* Not for all that is left: it tries again within its time, and only then lets us look up.
         */
        int wait_ms = left_ms(attempt) < SEND_MS ? left_ms(attempt) : SEND_MS;
        rd_kafka_error_t *failure =
            rd_kafka_send_offsets_to_transaction(attempt->producer, offsets, metadata, wait_ms);
        if (!failure || !rd_kafka_error_is_retriable(failure) || left_ms(attempt) == 0 ||
            is_quitting(attempt->sink))
            return failure;
        rd_kafka_error_destroy(failure);
        (void)rd_kafka_poll(attempt->producer, 50);
    }
}

static bool send_offsets(struct attempt *attempt)
{
    if (attempt->work->commit_count == 0 || SEEDED_FAULT("offsets_outside"))
        return true;
    rd_kafka_consumer_group_metadata_t *metadata = metadata_of(attempt);
    if (!metadata)
        return fail(attempt, "offsets (no membership)", RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
    rd_kafka_topic_partition_list_t *offsets = offsets_of(attempt);
    rd_kafka_error_t *failure = send_until_taken(attempt, offsets, metadata);
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    return failure ? fail_take(attempt, "offsets", failure) : true;
}

/* The seeded mistake: offsets that are committed before and apart from what they belong to. */
static void commit_offsets_outside(struct attempt *attempt)
{
    if (!SEEDED_FAULT("offsets_outside") || attempt->work->commit_count == 0)
        return;
    rd_kafka_topic_partition_list_t *offsets = offsets_of(attempt);
    (void)rd_kafka_commit(kafka_source_consumer(attempt->sink->source), offsets, 0);
    rd_kafka_topic_partition_list_destroy(offsets);
}

static void flush(struct attempt *attempt)
{
    while (rd_kafka_flush(attempt->producer, chunk_ms(attempt)) == RD_KAFKA_RESP_ERR__TIMED_OUT &&
           left_ms(attempt) > 0 && !is_quitting(attempt->sink))
        ;
}

static bool commit(struct attempt *attempt)
{
    for (;;) {
        /* A commit that timed out goes on in the background; calling again waits for its end. */
        rd_kafka_error_t *failure =
            rd_kafka_commit_transaction(attempt->producer, chunk_ms(attempt));
        if (!failure)
            return true;
        if (!rd_kafka_error_is_retriable(failure) || left_ms(attempt) == 0 ||
            is_quitting(attempt->sink))
            return fail_take(attempt, "commit", failure);
        rd_kafka_error_destroy(failure);
    }
}

static bool carry(struct attempt *attempt)
{
    commit_offsets_outside(attempt);
    rd_kafka_error_t *failure = rd_kafka_begin_transaction(attempt->producer);
    if (failure)
        return fail_take(attempt, "begin", failure);
    CRASH_POINT("sink_begun");
    if (!produce_all(attempt))
        return false;
    CRASH_POINT("sink_produced");
    if (!send_offsets(attempt))
        return false;
    CRASH_POINT("sink_offsets_sent");
    flush(attempt);
    CRASH_POINT("sink_before_commit");
    if (!commit(attempt))
        return false;
    CRASH_POINT("sink_committed");
    return true;
}

static void carry_and_tell(struct kafka_sink *self)
{
    struct attempt attempt = {.sink = self,
                              .producer = self->producer,
                              .work = self->work,
                              .began_ms = kafka_client_now_ms()};
    (void)pthread_mutex_unlock(&self->lock);
    bool committed = carry(&attempt);
    (void)pthread_mutex_lock(&self->lock);
    self->work = NULL;
    self->error = attempt.error;
    self->fenced = attempt.fenced;
    self->state = committed ? SINK_COMMITTED : SINK_FAILED;
    (void)pthread_cond_broadcast(&self->changed);
}

static void wait_a_second(struct kafka_sink *self)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    (void)pthread_cond_timedwait(&self->changed, &self->lock, &until);
}

static void *helper(void *context)
{
    struct kafka_sink *self = context;
    (void)pthread_mutex_lock(&self->lock);
    while (!self->quitting) {
        if (self->state == SINK_BUSY && self->work) {
            carry_and_tell(self);
        } else {
            wait_a_second(self);
            /* Errors that librdkafka queues for an idle producer would pile up. */
            if (self->producer && !self->work)
                (void)rd_kafka_poll(self->producer, 0);
        }
    }
    (void)pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* ---- The worker's side ---- */

static void sink_begin(struct sink *sink, const struct transaction *transaction)
{
    struct kafka_sink *self = self_of(sink);
    const struct kafka_membership *present = kafka_source_membership(self->source);
    (void)pthread_mutex_lock(&self->lock);
    assert(self->state == SINK_IDLE && self->producer && self->ready);
    text_buffer_clear(&self->membership.bytes);
    text_buffer_add(&self->membership.bytes, present->bytes.data, present->bytes.size);
    self->work = transaction;
    self->state = SINK_BUSY;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
}

static enum sink_state sink_poll(struct sink *sink, struct error *error)
{
    struct kafka_sink *self = self_of(sink);
    (void)pthread_mutex_lock(&self->lock);
    enum sink_state state = self->state;
    if (state == SINK_COMMITTED)
        self->state = SINK_IDLE;
    else if (state == SINK_FAILED)
        *error = self->error;
    (void)pthread_mutex_unlock(&self->lock);
    return state;
}

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque)
{
    /* Nothing to do: a message that fails makes the commit fail. But without a callback flush would
     * look for the end in steps of 10 ms instead of being woken. */
    (void)producer;
    (void)message;
    (void)opaque;
}

static void on_producer_error(rd_kafka_t *producer, int code, const char *reason, void *opaque)
{
    (void)producer;
    (void)opaque;
    log_debug("librdkafka producer: %s: %s", rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

static rd_kafka_t *create_producer(struct kafka_sink *self, struct error *error)
{
    char max_bytes[24], batch_bytes[24], transaction_ms[24];
    (void)snprintf(max_bytes, sizeof max_bytes, "%zu",
                   self->settings.max_message_bytes ? self->settings.max_message_bytes
                                                    : (size_t)1000000);
    size_t batch = self->settings.max_batch_bytes;
    (void)snprintf(batch_bytes, sizeof batch_bytes, "%zu",
                   batch && batch < 1000000 ? batch : (size_t)1000000);
    (void)snprintf(transaction_ms, sizeof transaction_ms, "%d", TRANSACTION_MS);
    const struct kafka_option before[] = {
        {"message.max.bytes", max_bytes},
        {"batch.size", batch_bytes}, /* the broker measures batches, not messages */
        /* Asked while the last transaction's marks are still being written, the broker says so and
         * is asked again: not after 100 ms, when promotions wait. */
        {"retry.backoff.ms", "20"},
    };
    const struct kafka_option fixed[] = {
        {"transactional.id", self->transactional_id},
        {"transaction.timeout.ms", transaction_ms},
        {"message.timeout.ms", "8000"},
        {"socket.timeout.ms", "3000"},
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"linger.ms", "0"},
    };
    rd_kafka_conf_t *conf =
        kafka_client_conf(&self->settings, KAFKA_PRODUCER, before, sizeof before / sizeof *before,
                          fixed, sizeof fixed / sizeof *fixed, error);
    if (!conf)
        return NULL;
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_producer_error);
    return kafka_client_create_take(conf, KAFKA_PRODUCER, error);
}

static void drop_producer(struct kafka_sink *self)
{
    (void)pthread_mutex_lock(&self->lock);
    rd_kafka_t *producer = self->producer;
    self->producer = NULL;
    self->ready = false;
    (void)pthread_mutex_unlock(&self->lock);
    if (!producer)
        return;
    (void)rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(producer);
}

static enum status other_process(const struct kafka_sink *self, struct error *error)
{
    return error_set(error, STATUS_STOP,
                     "two processes use instance %s of group %s: the other one has shut us out; "
                     "give each its own "
                     "kafka.instance or --instance",
                     self->settings.instance, self->settings.group);
}

static enum status init_take(struct kafka_sink *self, rd_kafka_error_t *failure,
                             struct error *error)
{
    enum status status = kafka_client_error(error, rd_kafka_error_code(failure),
                                            "transactions of %s cannot begin: %s",
                                            self->transactional_id, rd_kafka_error_string(failure));
    bool resumable = rd_kafka_error_is_retriable(failure) && !rd_kafka_error_is_fatal(failure);
    rd_kafka_error_destroy(failure);
    if (!resumable)
        drop_producer(self);
    return status;
}

static enum status sink_reset(struct sink *sink, struct error *error)
{
    struct kafka_sink *self = self_of(sink);
    (void)pthread_mutex_lock(&self->lock);
    while (self->state == SINK_BUSY)
        (void)pthread_cond_wait(&self->changed, &self->lock);
    bool fenced = self->fenced;
    self->fenced = false;
    self->state = SINK_FAILED; /* until a new producer is there */
    (void)pthread_mutex_unlock(&self->lock);
    if (fenced)
        return other_process(self, error);
    if (self->ready)
        drop_producer(self);
    if (!self->producer) {
        rd_kafka_t *producer = create_producer(self, error);
        if (!producer)
            return STATUS_STOP;
        (void)pthread_mutex_lock(&self->lock);
        self->producer = producer;
        (void)pthread_mutex_unlock(&self->lock);
    }
    rd_kafka_error_t *failure = rd_kafka_init_transactions(self->producer, INIT_MS);
    if (failure)
        return init_take(self, failure, error);
    (void)pthread_mutex_lock(&self->lock);
    self->ready = true;
    self->state = SINK_IDLE;
    (void)pthread_mutex_unlock(&self->lock);
    return STATUS_OK;
}

static void sink_destroy(struct sink *sink)
{
    struct kafka_sink *self = self_of(sink);
    (void)pthread_mutex_lock(&self->lock);
    self->quitting = true;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
    (void)pthread_join(self->thread, NULL);
    drop_producer(self);
    (void)pthread_cond_destroy(&self->changed);
    (void)pthread_mutex_destroy(&self->lock);
    text_buffer_fini(&self->membership.bytes);
    free(self->transactional_id);
    free(self);
}

static void init_lock(struct kafka_sink *self)
{
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes,
                                    CLOCK_MONOTONIC); /* a wall clock may be set back */
    (void)pthread_cond_init(&self->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static char *transactional_id(const struct kafka_settings *settings, unsigned worker)
{
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_print(&text, "%s.%s.%u", settings->group, settings->instance, worker);
    return text.data; /* malloc'ed by the buffer, ours from here on */
}

enum status kafka_sink_create(const struct kafka_settings *settings, unsigned worker,
                              struct source *source, struct sink **out, struct error *error)
{
    *out = NULL;
    struct kafka_sink *self = memory_take_zeroed(1, sizeof *self);
    self->port = (struct sink){
        .begin = sink_begin, .poll = sink_poll, .reset = sink_reset, .destroy = sink_destroy};
    self->settings = *settings;
    self->transactional_id = transactional_id(settings, worker);
    self->source = source;
    self->state = SINK_FAILED;
    (void)error_set(&self->error, STATUS_RETRY, "the producer is not connected yet");
    text_buffer_init(&self->membership.bytes);
    init_lock(self);
    int code = pthread_create(&self->thread, NULL, helper, self);
    if (code != 0) {
        (void)pthread_cond_destroy(&self->changed);
        (void)pthread_mutex_destroy(&self->lock);
        free(self->transactional_id);
        free(self);
        return error_set(error, STATUS_STOP, "cannot start a thread: %s", strerror(code));
    }
    *out = &self->port;
    return STATUS_OK;
}
