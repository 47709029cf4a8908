#include "kafka/kafka_log_reader.h"

#include "base/log.h"
#include "kafka/kafka_client.h"
#include "kafka/kafka_direct.h"

#include <stdlib.h>
#include <string.h>

enum {
    SILENCE_MS = 30000, /* so long without a record is an absence */
    TURN_MS = 250,
    COPIED_MAX = 1 << 20 /* bytes of a batch of librdkafka's messages */
};

struct kafka_log {
    struct kafka_settings settings; /* texts are the caller's */
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    uint32_t partitions;
    struct kafka_range *ranges;
};

struct kafka_log_reader {
    struct kafka_log *log;
    uint32_t partition;
    int64_t position, end;
    struct kafka_direct *direct; /* NULL: librdkafka reads */
    bool started;                /* by librdkafka */
    /* the batch that librdkafka hands out */
    struct arena bytes;
    struct record *records;
    size_t count, room, copied;
    rd_kafka_resp_err_t code;
};

/* ---- the topic
 * ----------------------------------------------------------------------------------- */

static rd_kafka_t *create_client(const struct kafka_settings *settings, struct error *error)
{
    static const struct kafka_option before[] = {
        {"fetch.message.max.bytes", "4194304"},   /* fewer answers */
        {"queued.max.messages.kbytes", "16384"}}; /* of each partition that librdkafka reads */
    static const struct kafka_option fixed[] = {
        {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
        {"auto.offset.reset", "error"},        {"enable.partition.eof", "true"},
        {"allow.auto.create.topics", "false"},
    };
    rd_kafka_conf_t *conf =
        kafka_client_conf(settings, KAFKA_CONSUMER, before, sizeof before / sizeof *before, fixed,
                          sizeof fixed / sizeof *fixed, error);
    return conf ? kafka_client_create_take(conf, KAFKA_CONSUMER, error) : NULL;
}

static enum status find_ranges(struct kafka_log *log, struct error *error)
{
    const char *topic = log->settings.events;
    enum status status = kafka_client_partitions(log->client, topic, log->settings.config_path,
                                                 &log->partitions, error);
    if (status != STATUS_OK)
        return status;
    log->ranges = memory_take_zeroed(log->partitions, sizeof *log->ranges);
    return kafka_client_ranges(log->client, topic, 0, log->partitions, 5 * KAFKA_CALL_MS,
                               log->ranges, error);
}

enum status kafka_log_create(const struct kafka_settings *settings, struct kafka_log **out,
                             struct error *error)
{
    *out = NULL;
    if (kafka_check_embedded(settings, error) != STATUS_OK)
        return STATUS_STOP;
    rd_kafka_t *client = create_client(settings, error);
    if (!client)
        return STATUS_STOP;
    struct kafka_log *log = memory_take_zeroed(1, sizeof *log);
    log->settings = *settings;
    log->client = client;
    log->topic = rd_kafka_topic_new(client, settings->events, NULL);
    enum status status =
        log->topic ? find_ranges(log, error)
                   : kafka_client_error(error, rd_kafka_last_error(), "topic %s", settings->events);
    if (status == STATUS_OK)
        *out = log;
    else
        kafka_log_destroy(log);
    return status;
}

void kafka_log_destroy(struct kafka_log *log)
{
    if (log->topic)
        rd_kafka_topic_destroy(log->topic);
    rd_kafka_destroy(log->client);
    free(log->ranges);
    free(log);
}

uint32_t kafka_log_partitions(const struct kafka_log *log)
{
    return log->partitions;
}

void kafka_log_range(const struct kafka_log *log, uint32_t partition, int64_t *first, int64_t *end)
{
    *first = log->ranges[partition].first;
    *end = log->ranges[partition].end;
}

/* ---- a partition
 * --------------------------------------------------------------------------------- */

struct kafka_log_reader *kafka_log_open(struct kafka_log *log, uint32_t partition)
{
    struct kafka_log_reader *reader = memory_take_zeroed(1, sizeof *reader);
    reader->log = log;
    reader->partition = partition;
    reader->position = log->ranges[partition].first;
    reader->end = log->ranges[partition].end;
    arena_init(&reader->bytes, 1 << 16);
    if (log->settings.direct_reads && !log->settings.embedded)
        reader->direct = kafka_direct_create(log->client, log->settings.events);
    if (reader->direct)
        fetcher_expect(kafka_direct_fetcher(reader->direct), partition, reader->position);
    return reader;
}

void kafka_log_close(struct kafka_log_reader *reader)
{
    kafka_direct_destroy(reader->direct);
    if (reader->started)
        (void)rd_kafka_consume_stop(reader->log->topic, (int32_t)reader->partition);
    arena_fini(&reader->bytes);
    free(reader);
}

static enum status judge(struct kafka_log_reader *reader, rd_kafka_resp_err_t code,
                         struct error *error)
{
    const char *topic = reader->log->settings.events;
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return STATUS_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        return error_set(error, STATUS_STOP,
                         "%s [%u]: retention removed the records from offset %lld on while they "
                         "were about to be read; begin again",
                         topic, reader->partition, (long long)reader->position);
    default: break;
    }
    enum status status =
        kafka_client_error(error, code, "reading %s [%u]", topic, reader->partition);
    return status == STATUS_RETRY ? STATUS_OK : status; /* it may pass: the silence is counted */
}

/* What was written since the log was opened is not part of it. */
static size_t cut(struct kafka_log_reader *reader, const struct record *records, size_t count)
{
    while (count && (records[count - 1].is_end || records[count - 1].offset >= reader->end))
        count--;
    return count;
}

static enum status take_directly(struct kafka_log_reader *reader, struct record *records,
                                 size_t room, size_t *count, struct error *error)
{
    struct fetched fetched;
    struct fetcher *fetcher = kafka_direct_fetcher(reader->direct);
    fetcher_take(fetcher, TURN_MS, records, room, &fetched);
    *count = cut(reader, records, fetched.count);
    reader->position = fetcher_next(fetcher, reader->partition);
    if (fetched.unsupported && !fetched.count) {
        log_info("%s [%u] is read by librdkafka from here on, as our own reader has met %s",
                 reader->log->settings.events, reader->partition, fetched.unsupported);
        kafka_direct_destroy(reader->direct);
        reader->direct = NULL;
    }
    /* Kafka's numbers are librdkafka's own. */
    return fetched.count ? STATUS_OK : judge(reader, (rd_kafka_resp_err_t)fetched.error, error);
}

/* ---- read by librdkafka
 * -------------------------------------------------------------------------- */

static void copy_headers(struct kafka_log_reader *reader, rd_kafka_message_t *message,
                         struct record *record)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    size_t count = rd_kafka_header_cnt(headers);
    struct header *copy = arena_take(&reader->bytes, count * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        const void *value;
        (void)rd_kafka_header_get_all(headers, i, &copy[i].name, &value, &copy[i].value_size);
        copy[i].name = arena_copy(&reader->bytes, copy[i].name, strlen(copy[i].name) + 1);
        copy[i].value = value ? arena_copy(&reader->bytes, value, copy[i].value_size) : NULL;
    }
    record->headers = copy;
    record->header_count = count;
}

static const void *copy_bytes(struct kafka_log_reader *reader, const void *bytes, size_t size)
{
    reader->copied += size;
    return bytes ? arena_copy(&reader->bytes, bytes, size) : NULL;
}

static void copy_message(struct kafka_log_reader *reader, rd_kafka_message_t *message)
{
    struct record *record = &reader->records[reader->count++];
    *record = (struct record){
        .unit = reader->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = copy_bytes(reader, message->key, message->key_len),
        .key_size = message->key_len,
        .value = copy_bytes(reader, message->payload, message->len),
        .value_size = message->len,
    };
    copy_headers(reader, message, record);
    reader->position = message->offset + 1;
}

/* The end of a partition may lie behind marks of transactions, which are no messages. */
static void on_message(rd_kafka_message_t *message, void *opaque)
{
    struct kafka_log_reader *reader = opaque;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        reader->position = message->offset > reader->position ? message->offset : reader->position;
    else if (message->err)
        reader->code = message->err;
    else if (message->offset >= reader->position)
        copy_message(reader, message);
    if (reader->count == reader->room || reader->copied >= COPIED_MAX || reader->code ||
        reader->position >= reader->end)
        rd_kafka_yield(reader->log->client);
}

static enum status take_by_librdkafka(struct kafka_log_reader *reader, struct record *records,
                                      size_t room, size_t *count, struct error *error)
{
    rd_kafka_topic_t *topic = reader->log->topic;
    int32_t partition = (int32_t)reader->partition;
    if (!reader->started && rd_kafka_consume_start(topic, partition, reader->position) != 0)
        return kafka_client_error(error, rd_kafka_last_error(), "reading %s [%u]",
                                  reader->log->settings.events, reader->partition);
    reader->started = true;
    arena_reset(&reader->bytes);
    reader->records = records;
    reader->room = room;
    reader->count = reader->copied = 0;
    reader->code = RD_KAFKA_RESP_ERR_NO_ERROR;
    (void)rd_kafka_poll(reader->log->client, 0);
    (void)rd_kafka_consume_callback(topic, partition, TURN_MS, on_message, reader);
    *count = cut(reader, records, reader->count);
    return judge(reader, reader->code, error);
}

static enum status take(struct kafka_log_reader *reader, struct record *records, size_t room,
                        size_t *count, struct error *error)
{
    return reader->direct ? take_directly(reader, records, room, count, error)
                          : take_by_librdkafka(reader, records, room, count, error);
}

/* Of the clock's time only what a turn may take: this process may have been the one that slept. */
static int64_t waited_since(int64_t before_ms)
{
    int64_t waited_ms = kafka_client_now_ms() - before_ms;
    return waited_ms < TURN_MS ? waited_ms : TURN_MS;
}

enum status kafka_log_next(struct kafka_log_reader *reader, struct record *records, size_t room,
                           size_t *count, struct error *error)
{
    int64_t silent_ms = 0;
    *count = 0;
    while (reader->position < reader->end) {
        int64_t position = reader->position, before_ms = kafka_client_now_ms();
        enum status status = take(reader, records, room, count, error);
        if (status != STATUS_OK || *count)
            return status;
        silent_ms = reader->position > position ? 0 : silent_ms + 1 + waited_since(before_ms);
        if (silent_ms > SILENCE_MS)
            return error_set(error, STATUS_RETRY, "reading %s [%u]: nothing from Kafka for %d s",
                             reader->log->settings.events, reader->partition, SILENCE_MS / 1000);
    }
    return STATUS_OK;
}
