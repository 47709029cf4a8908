#include "kafka/kafka_source.h"

#include "base/log.h"
#include "kafka/kafka_arrivals.h"
#include "kafka/kafka_direct.h"
#include "kafka/kafka_source_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROBE_INTERVAL_MS = 500, /* how often a broker that is away is asked, … */
    PROBE_MS = 100,          /* … and how long it has for its answer */
    LEAVE_PROBE_MS = 500
};

/* An assignment lives from the callback that brings it to `release`:
 *   NONE → ASSIGNED (callback, metadata kept) → HELD (told; assigned nothing yet, so that
 * heartbeats and the next revocation go on while units are taken over) → FETCHING (start) … →
 * LEAVING (told of its end) → NONE (release). Records are handed out only while FETCHING; `pending`
 * holds the news that fetch has not told yet. */
struct kafka_source {
    struct source port;
    rd_kafka_t *consumer;
    char *topic, *group, *config_path;
    bool assigned, fetching, revoking, closing;
    struct kafka_membership membership;
    enum source_news_kind pending;
    uint32_t *units; /* of the news and of the assignment */
    size_t unit_count, unit_room;
    struct kafka_direct *direct;  /* reads the events, in place of the arrivals; NULL: they do */
    struct kafka_direct *retired; /* did so until a moment ago */
    struct kafka_arrivals arrivals;
    enum status held; /* an error that came after records of its batch: told by the next fetch */
    struct error held_error;
    bool away;
    int64_t next_probe_ms;
    struct error away_error;
};

static struct kafka_source *self_of(struct source *source)
{
    return (struct kafka_source *)(void *)source; /* port is the first member */
}

const struct kafka_membership *kafka_source_membership(const struct source *source)
{
    return &((const struct kafka_source *)(const void *)source)->membership;
}

rd_kafka_t *kafka_source_consumer(const struct source *source)
{
    return ((const struct kafka_source *)(const void *)source)->consumer;
}

/* Ends and begins fetchers. librdkafka (2.0.2 and 2.8.0 alike) ends the process with the assertion
 * `rktp->rktp_started` when a partition is taken out again while the end of its former fetcher is
 * still on its way: rd_kafka_assign returns as soon as that stop is ordered, and a second order is
 * counted as a second fetcher. The orders, the ends that they lead to and what we ask wait in one
 * queue of one thread: when it has answered any question that was put behind the orders, the ends
 * are in the queue, before whatever we ask next, be it another assignment or the close. So every
 * assignment before the close goes through here. What remains: of itself librdkafka takes
 * partitions out after a fatal error, which only a static member or the newer group protocol meets;
 * baton refuses both. */
static rd_kafka_resp_err_t assign_and_settle(rd_kafka_t *consumer,
                                             const rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t code = rd_kafka_assign(consumer, list);
    (void)rd_kafka_rebalance_protocol(consumer); /* the question */
    return code;
}

/* ---- Who reads: our own reader, or librdkafka's ---- */

static int64_t next_of(const struct kafka_source *self, uint32_t unit)
{
    return self->direct ? fetcher_next(kafka_direct_fetcher(self->direct), unit)
                        : kafka_arrivals_next(&self->arrivals, unit);
}

static void forget_all(struct kafka_source *self)
{
    if (self->direct)
        fetcher_forget(kafka_direct_fetcher(self->direct));
    else
        kafka_arrivals_forget(&self->arrivals);
}

static void expect(struct kafka_source *self, uint32_t unit, int64_t offset)
{
    if (self->direct)
        fetcher_expect(kafka_direct_fetcher(self->direct), unit, offset);
    else
        kafka_arrivals_expect(&self->arrivals, unit, offset);
}

/* ---- What librdkafka calls, always from within a poll of ours ---- */

static void keep_units(struct kafka_source *self, const rd_kafka_topic_partition_list_t *partitions)
{
    size_t count = (size_t)partitions->cnt;
    if (count > self->unit_room) {
        self->units = memory_resize(self->units, count * sizeof *self->units);
        self->unit_room = count;
    }
    self->unit_count = count;
    for (size_t i = 0; i < count; i++)
        self->units[i] = (uint32_t)partitions->elems[i].partition;
}

static void on_rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct kafka_source *self = opaque;
    if (self->closing) {
        /* Nothing follows; and a question now could wait for ever, as the end of the close, which
         * may come of this very call, throws away what is still in the queue. */
        (void)rd_kafka_assign(consumer, NULL);
        return;
    }
    self->fetching = false;
    keep_units(self, partitions);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        struct error error;
        /* Without metadata no transaction of ours commits; the group will tell us more. */
        if (kafka_membership_take(&self->membership, consumer, &error) != STATUS_OK)
            log_debug("assignment without membership: %s", error.text);
        self->pending = SOURCE_ASSIGNED;
    } else {
        self->pending = rd_kafka_assignment_lost(consumer) ? SOURCE_LOST : SOURCE_REVOKED;
    }
    rd_kafka_yield(consumer); /* the poll returns, so that the news is told at once */
}

static void on_error(rd_kafka_t *consumer, int code, const char *reason, void *opaque)
{
    (void)consumer;
    struct kafka_source *self = opaque;
    enum status family = kafka_client_family((rd_kafka_resp_err_t)code);
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && family != STATUS_STOP)
        return; /* a single connection: librdkafka goes on with another or comes back */
    self->away = true;
    self->next_probe_ms = 0;
    (void)error_set(&self->away_error, family, "Kafka: %s", reason);
}

/* ---- Fetch ---- */

/* The unit's log may have lost the position, or only seem so for a moment after a change of leader.
 */
static enum status position_gone(struct kafka_source *self, uint32_t unit, int64_t position,
                                 struct error *error)
{
    int64_t first, end;
    struct error ignored;
    if (self->port.range(&self->port, unit, &first, &end, &ignored) != STATUS_OK)
        return error_set(error, STATUS_STOP, "unit %u: position %lld is not in %s any more", unit,
                         (long long)position, self->topic);
    if (position < first)
        return error_set(
            error, STATUS_STOP,
            "unit %u: position %lld is not in %s any more, which now begins at %lld: retention has "
            "removed "
            "events that were not counted. To count again what is left: baton run --rebuild -c %s",
            unit, (long long)position, self->topic, (long long)first, self->config_path);
    if (position > end)
        return error_set(error, STATUS_STOP,
                         "unit %u: position %lld is behind the end of %s at %lld: was the topic "
                         "made anew? Use another "
                         "kafka.group and redis.prefix, or baton run --rebuild -c %s",
                         unit, (long long)position, self->topic, (long long)end, self->config_path);
    if (self->direct)
        return STATUS_OK; /* which asks again anyway */
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, self->topic, (int32_t)unit)->offset = position;
    rd_kafka_error_t *failure = rd_kafka_seek_partitions(self->consumer, list, KAFKA_CALL_MS);
    rd_kafka_resp_err_t code = failure ? rd_kafka_error_code(failure) : list->elems[0].err;
    rd_kafka_topic_partition_list_destroy(list);
    if (failure)
        rd_kafka_error_destroy(failure);
    if (code)
        return error_set(error, STATUS_STOP, "unit %u: cannot go on at position %lld of %s: %s",
                         unit, (long long)position, self->topic, rd_kafka_err2str(code));
    return STATUS_OK;
}

static enum status unit_error(struct kafka_source *self, uint32_t unit, rd_kafka_resp_err_t code,
                              const char *text, struct error *error)
{
    int64_t next = next_of(self, unit);
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        if (!self->fetching || next < 0)
            return STATUS_OK; /* of a former start */
        return position_gone(self, unit, next, error);
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
        return STATUS_OK; /* the loss of the assignment follows */
    default: return kafka_client_error(error, code, "Kafka: %s", text);
    }
}

static enum status assign(struct kafka_source *self, const rd_kafka_topic_partition_list_t *list,
                          struct error *error)
{
    rd_kafka_resp_err_t code = assign_and_settle(self->consumer, list);
    return code ? kafka_client_error(error, code, "Kafka refuses an assignment") : STATUS_OK;
}

static enum status tell_news(struct kafka_source *self, struct source_news *news,
                             struct error *error)
{
    *news = (struct source_news){self->pending, self->units, self->unit_count};
    self->pending = SOURCE_NO_NEWS;
    forget_all(self);
    if (news->kind != SOURCE_ASSIGNED) {
        self->revoking = true;
        return STATUS_OK;
    }
    self->assigned = true;
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    enum status status = assign(self, none, error);
    rd_kafka_topic_partition_list_destroy(none);
    return status;
}

static bool answers(const struct kafka_source *self, int timeout_ms)
{
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(self->consumer, 0, NULL, &metadata, timeout_ms) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

/* Whether a broker that was away answers again; asked now and then, as nothing tells. */
static enum status probe(struct kafka_source *self, struct error *error)
{
    int64_t now = kafka_client_now_ms();
    if (now >= self->next_probe_ms) {
        self->next_probe_ms = now + PROBE_INTERVAL_MS;
        if (answers(self, PROBE_MS)) {
            self->away = false;
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_RETRY, "%s", self->away_error.text);
}

/* Fetches every unit that is expected from where it is expected. With our own reader librdkafka is
 * assigned nothing, and only keeps us in the group. */
static enum status assign_expected(struct kafka_source *self, struct error *error)
{
    if (self->direct)
        return STATUS_OK;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(0);
    for (uint32_t unit = 0; unit < self->arrivals.unit_room; unit++)
        if (self->arrivals.units[unit].next >= 0)
            rd_kafka_topic_partition_list_add(list, self->topic, (int32_t)unit)->offset =
                self->arrivals.units[unit].next;
    enum status status = assign(self, list, error);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

/* The group's news, by callbacks, and errors that are not a partition's. Messages do not come this
 * way; if one does, what came after it may lie in our queue already: all is fetched anew. */
static enum status take_news_and_errors(struct kafka_source *self, struct error *error)
{
    rd_kafka_message_t *message;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && self->pending == SOURCE_NO_NEWS &&
           (message = rd_kafka_consumer_poll(self->consumer, 0))) {
        if (!message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            kafka_arrivals_stray(&self->arrivals, message);
        else
            status = unit_error(self, (uint32_t)message->partition, message->err,
                                rd_kafka_message_errstr(message), error);
        rd_kafka_message_destroy(message);
    }
    if (self->arrivals.strayed && self->fetching && status == STATUS_OK) {
        kafka_arrivals_expect_again(&self->arrivals);
        status = assign_expected(self, error);
        self->arrivals.strayed = status != STATUS_OK;
    }
    return status;
}

/* From now on librdkafka reads, from where our reader has come to. */
static enum status turn_to_librdkafka(struct kafka_source *self, const char *why,
                                      struct error *error)
{
    const struct fetcher *fetcher = kafka_direct_fetcher(self->direct);
    log_info("%s: events are read by librdkafka from here on, at a higher cost, as our own reader "
             "has met %s",
             self->topic, why);
    kafka_arrivals_forget(&self->arrivals);
    for (uint32_t unit = 0; unit < fetcher_units(fetcher); unit++)
        if (fetcher_next(fetcher, unit) >= 0)
            kafka_arrivals_expect(&self->arrivals, unit, fetcher_next(fetcher, unit));
    self->retired = self->direct; /* what it has handed out is lent until the next call */
    self->direct = NULL;
    enum status status = self->fetching ? assign_expected(self, error) : STATUS_OK;
    if (status != STATUS_OK)
        self->arrivals.strayed = true; /* assigned anew by the next fetch: nobody else would */
    return status;
}

static enum status direct_error(struct kafka_source *self, const struct fetched *fetched,
                                struct error *error)
{
    rd_kafka_resp_err_t code =
        (rd_kafka_resp_err_t)fetched->error; /* Kafka's numbers are its own */
    if (code == RD_KAFKA_RESP_ERR_INVALID_MSG)
        return error_set(error, STATUS_RETRY,
                         "unit %u: what the broker gives at position %lld of %s is damaged; it is "
                         "asked for again. If this stays, look at it with Kafka's own consumer: "
                         "partition %u is damaged on the broker's disk",
                         fetched->unit, (long long)next_of(self, fetched->unit), self->topic,
                         fetched->unit);
    return unit_error(self, fetched->unit, code, rd_kafka_err2str(code), error);
}

static enum status take_directly(struct kafka_source *self, int timeout_ms, struct record *records,
                                 size_t room, size_t *count, struct error *error)
{
    struct fetched fetched;
    enum status status = take_news_and_errors(self, error);
    if (status != STATUS_OK || self->pending != SOURCE_NO_NEWS)
        return status;
    fetcher_take(kafka_direct_fetcher(self->direct), timeout_ms, records, room, &fetched);
    *count = fetched.count;
    if (fetched.count)
        self->away = false;
    if (fetched.unsupported)
        return turn_to_librdkafka(self, fetched.unsupported, error);
    return fetched.error ? direct_error(self, &fetched, error) : STATUS_OK;
}

/* Waits for a first message, then takes what is there. Ends early at news and at errors. */
static enum status take_batch(struct kafka_source *self, int timeout_ms, struct record *records,
                              size_t room, size_t *count, struct error *error)
{
    struct kafka_arrivals *arrivals = &self->arrivals;
    int64_t until_ms = kafka_client_now_ms() + timeout_ms;
    kafka_arrivals_begin(arrivals, records, room);
    for (int64_t wait_ms = timeout_ms;;) {
        enum status status = take_news_and_errors(self, error);
        if (status != STATUS_OK || self->pending != SOURCE_NO_NEWS)
            return status;
        kafka_arrivals_take(arrivals, (int)wait_ms);
        *count = arrivals->count;
        if (arrivals->code)
            status =
                unit_error(self, arrivals->code_unit, arrivals->code, arrivals->code_text, error);
        if (arrivals->count > 0)
            self->away = false;
        wait_ms = until_ms - kafka_client_now_ms();
        if (status != STATUS_OK || arrivals->count > 0 || self->away || wait_ms <= 0)
            return status;
    }
}

static enum status source_fetch(struct source *source, int timeout_ms, struct record *records,
                                size_t room, size_t *count, struct source_news *news,
                                struct error *error)
{
    struct kafka_source *self = self_of(source);
    *count = 0;
    *news = (struct source_news){0};
    enum status status = self->held;
    self->held = STATUS_OK;
    if (status != STATUS_OK) {
        *error = self->held_error;
        return status;
    }
    kafka_direct_destroy(self->retired);
    self->retired = NULL;
    status = self->direct ? take_directly(self, timeout_ms, records, room, count, error)
                          : take_batch(self, timeout_ms, records, room, count, error);
    /* At news, records of this batch are left out: whoever has the units next starts at a position
     * that is told anew. */
    if (self->pending != SOURCE_NO_NEWS) {
        *count = 0;
        return tell_news(self, news, error);
    }
    if (status != STATUS_OK && *count > 0) {
        /* The records would not come again. */
        self->held = status;
        self->held_error = *error;
        return STATUS_OK;
    }
    if (status != STATUS_OK || *count > 0 || !self->away)
        return status;
    return probe(self, error);
}

/* ---- Start and release ---- */

static bool is_assigned(const struct kafka_source *self, uint32_t unit)
{
    for (size_t i = 0; i < self->unit_count; i++)
        if (self->units[i] == unit)
            return true;
    return false;
}

static enum status source_start(struct source *source, const struct unit_position *positions,
                                size_t count, struct error *error)
{
    struct kafka_source *self = self_of(source);
    if (!self->assigned || self->revoking || self->pending != SOURCE_NO_NEWS)
        return STATUS_OK; /* the assignment is at its end, and fetch tells so */
    forget_all(self);
    for (size_t i = 0; i < count; i++) {
        assert(is_assigned(self, positions[i].unit) && positions[i].offset >= 0);
        expect(self, positions[i].unit, positions[i].offset);
    }
    /* Also in the steady state: librdkafka stops the former fetchers first, and drops what they
     * have queued. */
    enum status status = assign_expected(self, error);
    self->fetching = status == STATUS_OK;
    return status;
}

static enum status source_release(struct source *source, struct error *error)
{
    struct kafka_source *self = self_of(source);
    forget_all(self);
    self->assigned = self->revoking = self->fetching = false;
    text_buffer_clear(&self->membership.bytes);
    return assign(self, NULL, error);
}

/* ---- Questions to the broker ---- */

static enum status source_committed(struct source *source, const uint32_t *units, size_t count,
                                    struct arena *arena, struct committed *out, struct error *error)
{
    const struct kafka_source *self = self_of(source);
    const struct kafka_group group = {self->group, self->topic};
    return kafka_client_committed(self->consumer, &group, units, count, arena, out, error);
}

static enum status source_range(struct source *source, uint32_t unit, int64_t *first, int64_t *end,
                                struct error *error)
{
    struct kafka_source *self = self_of(source);
    struct kafka_range range;
    enum status status =
        kafka_client_ranges(self->consumer, self->topic, unit, 1, KAFKA_CALL_MS, &range, error);
    if (status == STATUS_OK) {
        *first = range.first;
        *end = range.end;
    }
    return status;
}

static enum status source_partitions(struct source *source, uint32_t *count, struct error *error)
{
    struct kafka_source *self = self_of(source);
    return kafka_client_partitions(self->consumer, self->topic, self->config_path, count, error);
}

/* ---- Life ---- */

static void source_destroy(struct source *source)
{
    struct kafka_source *self = self_of(source);
    self->closing = true;
    if (self->revoking || self->pending == SOURCE_REVOKED || self->pending == SOURCE_LOST)
        (void)assign_and_settle(self->consumer, NULL);
    /* Leaving waits 5 s for a broker that does not answer; without one the group finds out by its
     * session time-out. */
    if (!self->away && answers(self, LEAVE_PROBE_MS))
        (void)rd_kafka_consumer_close(self->consumer);
    kafka_direct_destroy(self->direct);
    kafka_direct_destroy(self->retired);
    kafka_arrivals_fini(&self->arrivals);
    rd_kafka_destroy_flags(self->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    text_buffer_fini(&self->membership.bytes);
    free(self->units);
    free(self->topic);
    free(self->group);
    free(self->config_path);
    free(self);
}

/* What serves us best; `kafka.properties` and `kafka.consumer` may say otherwise. */
static const struct kafka_option defaults[] = {
    /* Enough for some 50 ms, and not more: what waits takes memory and falls out of the cache. */
    {"queued.min.messages", "32768"},
    {"queued.max.messages.kbytes", "16384"},
    {"fetch.message.max.bytes", "1048576"},
    {"fetch.max.bytes", "4194304"},
    /* A new start waits for the fetch that is under way. */
    {"fetch.wait.max.ms", "100"},
    {"fetch.error.backoff.ms", "100"},
    /* Partitions that are added to the topic are noticed within half a minute. */
    {"topic.metadata.refresh.interval.ms", "30000"},
    {"session.timeout.ms", "10000"},
    {"heartbeat.interval.ms", "1000"},
    /* The last, as some versions do not know it: those are woken by kafka_arrivals. The queue is so
     * short that a second's rest, which is librdkafka's default, would leave it dry. */
    {"fetch.queue.backoff.ms", "5"},
};

static uint64_t source_waiting(const struct source *source)
{
    const struct kafka_source *self = (const struct kafka_source *)(const void *)source;
    if (!self->fetching)
        return 0;
    return self->direct ? fetcher_waiting(kafka_direct_fetcher(self->direct))
                        : kafka_arrivals_waiting(&self->arrivals);
}

static size_t default_count(void)
{
    return sizeof defaults / sizeof *defaults - !kafka_client_knows_queue_backoff();
}

static rd_kafka_t *create_consumer(struct kafka_source *self, const struct kafka_settings *settings,
                                   struct error *error)
{
    const struct kafka_option fixed[] = {
        {"group.id", settings->group},         {"partition.assignment.strategy", "range"},
        {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},      {"allow.auto.create.topics", "false"},
    };
    rd_kafka_conf_t *conf = kafka_client_conf(settings, KAFKA_CONSUMER, defaults, default_count(),
                                              fixed, sizeof fixed / sizeof *fixed, error);
    if (!conf)
        return NULL;
    rd_kafka_conf_set_opaque(conf, self);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return kafka_client_create_take(conf, KAFKA_CONSUMER, error);
}

static enum status join(struct kafka_source *self, struct error *error)
{
    (void)rd_kafka_poll_set_consumer(self->consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, self->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(self->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code ? error_set(error, STATUS_STOP, "cannot subscribe to %s: %s", self->topic,
                            rd_kafka_err2str(code))
                : STATUS_OK;
}

enum status kafka_source_create(const struct kafka_settings *settings, struct source **out,
                                struct error *error)
{
    *out = NULL;
    if (kafka_check_embedded(settings, error) != STATUS_OK)
        return STATUS_STOP;
    struct kafka_source *self = memory_take_zeroed(1, sizeof *self);
    self->port = (struct source){
        .fetch = source_fetch,
        .start = source_start,
        .release = source_release,
        .committed = source_committed,
        .range = source_range,
        .partitions = source_partitions,
        .waiting = source_waiting,
        .destroy = source_destroy,
    };
    self->topic = memory_copy_text(settings->events);
    self->group = memory_copy_text(settings->group);
    self->config_path = memory_copy_text(settings->config_path);
    text_buffer_init(&self->membership.bytes);
    self->consumer = create_consumer(self, settings, error);
    if (!self->consumer || join(self, error) != STATUS_OK) {
        if (self->consumer)
            rd_kafka_destroy(self->consumer);
        free(self->topic);
        free(self->group);
        free(self->config_path);
        free(self);
        return STATUS_STOP;
    }
    kafka_arrivals_init(&self->arrivals, self->consumer, self->topic);
    if (settings->direct_reads)
        self->direct = kafka_direct_create(self->consumer, self->topic);
    *out = &self->port;
    return STATUS_OK;
}
