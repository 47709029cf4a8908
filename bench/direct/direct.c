#include "direct/direct.h"

#include "base/arena.h"
#include "base/big_endian.h"
#include "common/clock.h"
#include "direct/lz4_frame.h"
#include "direct/murmur2.h"
#include "direct/record_batch.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "murmur2.h reads words");

#define PRODUCE_KEY 0
#define PRODUCE_VERSION 3 /* the first with record batches of version 2; all brokers since 1.0 */
#define ACKS_ALL UINT16_MAX
#define BROKER_MS 30000
#define CONNECT_SECONDS 10
#define METADATA_MS 10000
#define ANSWER_BYTES 65536
#define CONNECTIONS_MAX 64
#define CLIENT "baton-bench"

struct mark {
    uint32_t index; /* of the record in its batch */
    uint64_t mark;
};

struct marks {
    struct mark *items;
    size_t count, room;
};

/* A partition's open batch. */
struct lane {
    struct record_batch batch;
    struct marks marks;
    uint32_t connection;
};

/* A sealed batch within a request. */
struct part {
    int32_t partition;
    uint32_t at, size, count;
    struct marks marks;
};

/* Waits in `unsent`, then in `unanswered`. */
struct request {
    struct request *next;
    double due;
    struct part *parts;
    uint32_t part_count, size;
    uint8_t *bytes;
    bool stamped;
};

struct queue {
    struct request *first, **end;
};

struct connection {
    int32_t broker;
    int socket;
    char name[300];
    struct queue unsent, unanswered;
    uint32_t written; /* of the first unsent one */
    uint32_t open;    /* records in open batches of its partitions */
    double opened;    /* when the first of them came */
    uint32_t correlation;
    uint8_t *answer;
    size_t answer_size, answer_room;
};

struct direct {
    struct direct_settings settings;
    char *topic;
    size_t topic_size;
    struct lane *lanes; /* by partition */
    uint32_t lane_count;
    struct connection connections[CONNECTIONS_MAX];
    uint32_t connection_count;
    struct direct_counts counts;
    uint64_t unanswered_bytes;
    double now; /* as of the last poll; while holding, when records are due */
    bool holding;
    char refusal[200];
};

/* ---- Queues and marks ---- */

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static void queue_put(struct queue *queue, struct request *request)
{
    request->next = NULL;
    *queue->end = request;
    queue->end = &request->next;
}

static struct request *queue_take(struct queue *queue)
{
    struct request *request = queue->first;
    queue->first = request->next;
    if (!queue->first)
        queue->end = &queue->first;
    return request;
}

static void marks_add(struct marks *marks, uint32_t index, uint64_t mark)
{
    if (marks->count == marks->room) {
        marks->room = marks->room ? 2 * marks->room : 8;
        marks->items = memory_resize(marks->items, marks->room * sizeof *marks->items);
    }
    marks->items[marks->count++] = (struct mark){index, mark};
}

static void request_destroy(struct request *request)
{
    for (uint32_t i = 0; i < request->part_count; i++)
        free(request->parts[i].marks.items);
    free(request->parts);
    free(request->bytes);
    free(request);
}

/* ---- Rounds ---- */

static uint8_t *put_text(uint8_t *at, const char *text, size_t size)
{
    at = big_endian_put16(at, (uint16_t)size);
    return bytes_put(at, text, size);
}

static size_t bound_of(const struct direct *self, uint32_t connection, uint32_t *parts)
{
    size_t size = 128 + self->topic_size;
    *parts = 0;
    for (uint32_t i = 0; i < self->lane_count; i++) {
        const struct lane *lane = &self->lanes[i];
        if (lane->connection != connection || !lane->batch.count)
            continue;
        size += 8 + record_batch_bound(&lane->batch);
        ++*parts;
    }
    return size;
}

/* What stands before the batches; the size of all comes at the end. */
static uint8_t *put_head(const struct direct *self, uint8_t *at, uint32_t correlation,
                         uint32_t parts)
{
    at = big_endian_put32(at, 0);
    at = big_endian_put16(at, PRODUCE_KEY);
    at = big_endian_put16(at, PRODUCE_VERSION);
    at = big_endian_put32(at, correlation);
    at = put_text(at, CLIENT, strlen(CLIENT));
    at = big_endian_put16(at, UINT16_MAX); /* no transaction */
    at = big_endian_put16(at, ACKS_ALL);
    at = big_endian_put32(at, BROKER_MS);
    at = big_endian_put32(at, 1);
    at = put_text(at, self->topic, self->topic_size);
    return big_endian_put32(at, parts);
}

static uint8_t *put_lane(const struct direct *self, struct lane *lane, uint32_t partition,
                         uint8_t *at, struct request *request)
{
    struct part *part = &request->parts[request->part_count++];
    at = big_endian_put32(at, partition);
    size_t size = record_batch_seal(&lane->batch, !self->settings.uncompressed, at + 4);
    at = big_endian_put32(at, (uint32_t)size);
    *part = (struct part){.partition = (int32_t)partition,
                          .at = (uint32_t)(at - request->bytes),
                          .size = (uint32_t)size,
                          .count = lane->batch.count,
                          .marks = lane->marks};
    lane->marks = (struct marks){0};
    record_batch_clear(&lane->batch);
    return at + size;
}

/* Makes a request of all open batches of a connection. */
static void seal_round(struct direct *self, uint32_t number)
{
    struct connection *connection = &self->connections[number];
    struct request *request = memory_take_zeroed(1, sizeof *request);
    uint32_t parts;
    size_t bound = bound_of(self, number, &parts);
    assert(parts > 0 && bound < UINT32_MAX / 2);
    request->bytes = memory_take(bound);
    request->parts = memory_take(parts * sizeof *request->parts);
    request->due = self->holding ? self->now : 0;
    uint8_t *at = put_head(self, request->bytes, connection->correlation++, parts);
    for (uint32_t i = 0; i < self->lane_count; i++)
        if (self->lanes[i].connection == number && self->lanes[i].batch.count)
            at = put_lane(self, &self->lanes[i], i, at, request);
    request->size = (uint32_t)(at - request->bytes);
    (void)big_endian_put32(request->bytes, request->size - 4);
    if (self->holding) /* it may be there for long */
        request->bytes = memory_resize(request->bytes, request->size);
    queue_put(&connection->unsent, request);
    connection->open = 0;
    self->unanswered_bytes += request->size;
    self->counts.bytes += request->size;
    self->counts.rounds++;
}

static void seal_due(struct direct *self)
{
    for (uint32_t i = 0; i < self->connection_count; i++)
        if (self->connections[i].open &&
            self->now - self->connections[i].opened >= self->settings.linger)
            seal_round(self, i);
}

int32_t direct_send(struct direct *self, const char *key, size_t key_size, const uint8_t *value,
                    size_t value_size, uint64_t mark)
{
    uint32_t partition = murmur2_partition(key, key_size, self->lane_count);
    struct lane *lane = &self->lanes[partition];
    struct connection *connection = &self->connections[lane->connection];
    if (mark)
        marks_add(&lane->marks, lane->batch.count, mark);
    record_batch_add(&lane->batch, key, key_size, value, value_size);
    self->counts.records++;
    if (connection->open++ == 0)
        connection->opened = self->now;
    if (lane->batch.size >= self->settings.batch_bytes)
        seal_round(self, lane->connection);
    return (int32_t)partition;
}

bool direct_has_room(const struct direct *self)
{
    return self->unanswered_bytes < self->settings.room_bytes;
}

/* ---- Answers ---- */

static void settle(struct direct *self, const struct part *part, int64_t offset)
{
    if (offset < 0)
        self->counts.failed += part->count;
    else
        self->counts.acked += part->count;
    for (size_t i = 0; i < part->marks.count && self->settings.answered; i++) {
        const struct mark *mark = &part->marks.items[i];
        self->settings.answered(self->settings.context, mark->mark, part->partition,
                                offset < 0 ? -1 : offset + mark->index);
    }
}

static void read_part(struct direct *self, struct byte_reader *reader, struct request *request)
{
    int32_t partition = (int32_t)big_endian_read(reader, 4);
    int16_t code = (int16_t)big_endian_read(reader, 2);
    int64_t offset = (int64_t)big_endian_read(reader, 8);
    (void)big_endian_read(reader, 8); /* time of the log */
    for (uint32_t i = 0; i < request->part_count && !reader->failed; i++) {
        struct part *part = &request->parts[i];
        if (part->partition != partition || !part->count)
            continue;
        if (code && !*self->refusal)
            (void)snprintf(self->refusal, sizeof self->refusal, "partition %d: %s", (int)partition,
                           rd_kafka_err2str((rd_kafka_resp_err_t)code));
        settle(self, part, code ? -1 : offset);
        part->count = 0;
        return;
    }
}

static bool read_answer(struct direct *self, const uint8_t *bytes, size_t size,
                        struct request *request)
{
    struct byte_reader reader = {bytes, bytes + size, false};
    (void)big_endian_read(&reader, 4); /* correlation: answers come in order */
    uint64_t topics = big_endian_read(&reader, 4);
    for (uint64_t t = 0; t < topics && !reader.failed; t++) {
        (void)bytes_take(&reader, big_endian_read(&reader, 2));
        uint64_t parts = big_endian_read(&reader, 4);
        for (uint64_t i = 0; i < parts && !reader.failed; i++)
            read_part(self, &reader, request);
    }
    return !reader.failed;
}

/* For a request that no answer comes for any more. */
static void give_up(struct direct *self, struct request *request)
{
    for (uint32_t i = 0; i < request->part_count; i++)
        if (request->parts[i].count)
            settle(self, &request->parts[i], -1);
    self->unanswered_bytes -= request->size;
    request_destroy(request);
}

static enum status lost(struct connection *connection, const char *why, struct error *error)
{
    return error_set(error, STATUS_STOP, "the connection to broker %d at %s is lost: %s",
                     (int)connection->broker, connection->name, why);
}

static enum status take_answers(struct direct *self, struct connection *connection,
                                struct error *error)
{
    size_t at = 0;
    while (connection->answer_size - at >= 4) {
        struct byte_reader head = {connection->answer + at, connection->answer + at + 4, false};
        size_t size = (size_t)big_endian_read(&head, 4);
        if (size > connection->answer_room - 4)
            return lost(connection, "an answer that makes no sense", error);
        if (connection->answer_size - at < 4 + size)
            break;
        if (!connection->unanswered.first)
            return lost(connection, "an answer to nothing", error);
        struct request *request = queue_take(&connection->unanswered);
        bool read = read_answer(self, connection->answer + at + 4, size, request);
        give_up(self, request); /* what the answer did not speak of */
        if (!read)
            return lost(connection, "an answer that ends early", error);
        at += 4 + size;
    }
    connection->answer_size -= at;
    memmove(connection->answer, connection->answer + at, connection->answer_size);
    return STATUS_OK;
}

static enum status receive(struct direct *self, struct connection *connection, struct error *error)
{
    for (;;) {
        ssize_t got = recv(connection->socket, connection->answer + connection->answer_size,
                           connection->answer_room - connection->answer_size, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return STATUS_OK;
        if (got <= 0)
            return lost(connection, got < 0 ? strerror(errno) : "the broker closed it", error);
        connection->answer_size += (size_t)got;
        enum status status = take_answers(self, connection, error);
        if (status != STATUS_OK)
            return status;
    }
}

/* ---- Sending ---- */

static void stamp(struct request *request)
{
    int64_t now_ms = clock_unix_ms();
    for (uint32_t i = 0; i < request->part_count; i++)
        record_batch_stamp(request->bytes + request->parts[i].at, request->parts[i].size, now_ms);
    request->stamped = true;
}

static enum status transmit(struct direct *self, struct connection *connection, struct error *error)
{
    while (connection->unsent.first && connection->unsent.first->due <= self->now) {
        struct request *request = connection->unsent.first;
        if (!request->stamped)
            stamp(request);
        ssize_t put = send(connection->socket, request->bytes + connection->written,
                           request->size - connection->written, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && (errno == EAGAIN || errno == EINTR))
            return STATUS_OK;
        if (put < 0)
            return lost(connection, strerror(errno), error);
        connection->written += (uint32_t)put;
        if (connection->written < request->size)
            continue;
        connection->written = 0;
        free(request->bytes); /* no retries */
        request->bytes = NULL;
        queue_put(&connection->unanswered, queue_take(&connection->unsent));
    }
    return STATUS_OK;
}

static enum status serve(struct direct *self, struct error *error)
{
    for (uint32_t i = 0; i < self->connection_count; i++) {
        struct connection *connection = &self->connections[i];
        enum status status = transmit(self, connection, error);
        if (status == STATUS_OK && connection->unanswered.first)
            status = receive(self, connection, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void wait_for_sockets(const struct direct *self, double seconds)
{
    struct pollfd sockets[CONNECTIONS_MAX];
    for (uint32_t i = 0; i < self->connection_count; i++) {
        const struct connection *connection = &self->connections[i];
        bool waits = connection->unsent.first && connection->unsent.first->due <= self->now;
        sockets[i] = (struct pollfd){.fd = connection->socket,
                                     .events = (short)(POLLIN | (waits ? POLLOUT : 0))};
    }
    struct timespec time = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    (void)ppoll(sockets, self->connection_count, &time, NULL);
}

enum status direct_poll(struct direct *self, double seconds, struct error *error)
{
    assert(!self->holding);
    self->now = clock_seconds();
    seal_due(self);
    enum status status = serve(self, error);
    if (status != STATUS_OK || seconds <= 0)
        return status;
    wait_for_sockets(self, seconds);
    self->now = clock_seconds();
    return serve(self, error);
}

static void give_up_all(struct direct *self)
{
    for (uint32_t i = 0; i < self->connection_count; i++) {
        struct connection *connection = &self->connections[i];
        while (connection->unanswered.first)
            give_up(self, queue_take(&connection->unanswered));
        while (connection->unsent.first)
            give_up(self, queue_take(&connection->unsent));
        connection->written = 0;
    }
}

void direct_forget(struct direct *self)
{
    for (uint32_t i = 0; i < self->connection_count; i++) {
        struct connection *connection = &self->connections[i];
        struct request *begun = connection->written ? queue_take(&connection->unsent) : NULL;
        while (connection->unsent.first)
            give_up(self, queue_take(&connection->unsent));
        if (begun)
            queue_put(&connection->unsent, begun);
    }
}

enum status direct_flush(struct direct *self, double seconds, struct error *error)
{
    enum status status = STATUS_OK;
    double end = clock_seconds() + seconds;
    for (uint32_t i = 0; i < self->connection_count; i++)
        if (self->connections[i].open)
            seal_round(self, i);
    while (status == STATUS_OK && self->unanswered_bytes > 0 && clock_seconds() < end)
        status = direct_poll(self, 0.01, error);
    if (status == STATUS_OK && self->unanswered_bytes > 0)
        status =
            error_set(error, STATUS_STOP, "the broker has not answered within %.0f s", seconds);
    give_up_all(self);
    return status;
}

/* ---- Holding ---- */

void direct_hold(struct direct *self, double at)
{
    assert(!self->holding || at >= self->now);
    self->holding = true;
    self->now = at;
    seal_due(self);
}

void direct_release(struct direct *self, double beginning)
{
    assert(self->holding);
    for (uint32_t i = 0; i < self->connection_count; i++) {
        if (self->connections[i].open)
            seal_round(self, i);
        for (struct request *r = self->connections[i].unsent.first; r; r = r->next)
            r->due += beginning;
    }
    self->holding = false;
}

double direct_late(const struct direct *self, double now)
{
    double late = -INFINITY;
    for (uint32_t i = 0; i < self->connection_count; i++) {
        const struct request *first = self->connections[i].unsent.first;
        if (first && now - first->due > late)
            late = now - first->due;
    }
    return late;
}

struct direct_counts direct_counts(const struct direct *self)
{
    return self->counts;
}

const char *direct_refusal(const struct direct *self)
{
    return self->refusal;
}

/* ---- Connections ---- */

static int try_connect(const struct addrinfo *address)
{
    /* A connect is bounded by the time-out of sends. */
    const struct timeval limit = {.tv_sec = CONNECT_SECONDS};
    const int yes = 1;
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    int code = errno;
    (void)close(fd);
    errno = code;
    return -1;
}

static enum status connect_to(struct connection *connection, const char *host, int port,
                              struct error *error)
{
    char service[16];
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    (void)snprintf(service, sizeof service, "%d", port);
    (void)snprintf(connection->name, sizeof connection->name, "%s:%d", host, port);
    int code = getaddrinfo(host, service, &hints, &list);
    if (code)
        return error_set(error, STATUS_STOP, "broker %d at %s: %s", (int)connection->broker,
                         connection->name, gai_strerror(code));
    for (const struct addrinfo *a = list; a && connection->socket < 0; a = a->ai_next)
        connection->socket = try_connect(a);
    code = errno;
    freeaddrinfo(list);
    return connection->socket >= 0
               ? STATUS_OK
               : error_set(error, STATUS_STOP, "broker %d at %s: %s", (int)connection->broker,
                           connection->name, strerror(code));
}

/* The connection to a broker, made when it is first asked for. */
static enum status find_connection(struct direct *self, const struct rd_kafka_metadata *metadata,
                                   int32_t broker, uint32_t *number, struct error *error)
{
    for (*number = 0; *number < self->connection_count; ++*number)
        if (self->connections[*number].broker == broker)
            return STATUS_OK;
    if (self->connection_count == CONNECTIONS_MAX)
        return error_set(error, STATUS_STOP, "more than %d brokers", CONNECTIONS_MAX);
    for (int i = 0; i < metadata->broker_cnt; i++) {
        if (metadata->brokers[i].id != broker)
            continue;
        struct connection *connection = &self->connections[self->connection_count++];
        *connection = (struct connection){.broker = broker,
                                          .socket = -1,
                                          .answer = memory_take(ANSWER_BYTES),
                                          .answer_room = ANSWER_BYTES};
        queue_init(&connection->unsent);
        queue_init(&connection->unanswered);
        return connect_to(connection, metadata->brokers[i].host, metadata->brokers[i].port, error);
    }
    return error_set(error, STATUS_STOP, "nobody knows the address of broker %d", (int)broker);
}

static enum status open_lanes(struct direct *self, const struct rd_kafka_metadata *metadata,
                              struct error *error)
{
    const struct rd_kafka_metadata_topic *topic = metadata->topics;
    if (metadata->topic_cnt != 1 || topic->err || !topic->partition_cnt)
        return error_set(
            error, STATUS_STOP, "topic %s: %s", self->topic,
            rd_kafka_err2str(topic->err ? topic->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART));
    self->lanes = memory_take_zeroed((size_t)topic->partition_cnt, sizeof *self->lanes);
    for (int i = 0; i < topic->partition_cnt; i++) {
        const struct rd_kafka_metadata_partition *partition = &topic->partitions[i];
        struct lane *lane = &self->lanes[partition->id];
        if (partition->leader < 0)
            return error_set(error, STATUS_STOP, "partition %d of %s has no leader",
                             (int)partition->id, self->topic);
        enum status status =
            find_connection(self, metadata, partition->leader, &lane->connection, error);
        if (status != STATUS_OK)
            return status;
    }
    self->lane_count = (uint32_t)topic->partition_cnt;
    for (uint32_t i = 0; i < self->lane_count; i++)
        record_batch_init(&self->lanes[i].batch, self->settings.batch_bytes + 4096);
    return STATUS_OK;
}

static enum status look_around(struct direct *self, const struct common_options *common,
                               struct error *error)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_t *client = bench_kafka_create(RD_KAFKA_PRODUCER, common, NULL, 0, NULL, NULL, error);
    if (!client)
        return STATUS_STOP;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, common->topic, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, topic, &metadata, METADATA_MS);
    enum status status;
    if (code) {
        status = error_set(error, STATUS_STOP, "%s tells nothing of topic %s: %s", common->brokers,
                           common->topic, rd_kafka_err2str(code));
    } else {
        status = open_lanes(self, metadata, error);
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client);
    return status;
}

struct direct *direct_create(const struct common_options *common,
                             const struct direct_settings *settings, struct error *error)
{
    if (common->properties.count) {
        (void)error_set(error, STATUS_STOP,
                        "-X is for librdkafka, and the direct client does without it");
        return NULL;
    }
    if (!settings->uncompressed && !lz4_frame_available()) {
        (void)error_set(error, STATUS_STOP,
                        "librdkafka was built without liblz4: send with --client librdkafka");
        return NULL;
    }
    struct direct *self = memory_take_zeroed(1, sizeof *self);
    self->settings = *settings;
    if (!settings->batch_bytes)
        self->settings.batch_bytes = 63 * 1024; /* with its last record one block of LZ4 */
    if (!settings->room_bytes)
        self->settings.room_bytes = 16 * 1024 * 1024;
    self->topic = memory_copy_text(common->topic);
    self->topic_size = strlen(common->topic);
    self->now = clock_seconds();
    if (look_around(self, common, error) != STATUS_OK) {
        direct_destroy(self);
        return NULL;
    }
    return self;
}

void direct_destroy(struct direct *self)
{
    if (!self)
        return;
    self->settings.answered = NULL;
    give_up_all(self);
    for (uint32_t i = 0; i < self->connection_count; i++) {
        if (self->connections[i].socket >= 0)
            (void)close(self->connections[i].socket);
        free(self->connections[i].answer);
    }
    for (uint32_t i = 0; i < self->lane_count; i++) {
        record_batch_fini(&self->lanes[i].batch);
        free(self->lanes[i].marks.items);
    }
    free(self->lanes);
    free(self->topic);
    free(self);
}
