#include "latency/receiver.h"

#include "base/arena.h"
#include "codec/embedded.h"
#include "common/clock.h"
#include "common/kafka.h"
#include "traffic/traffic.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 50 /* how soon it notices that it shall stop */
#define ANSWER_MS 10000

/* ---- What a promotion names ---- */

static bool names_event(const char *text, size_t size, uint64_t *sequence)
{
    return text && traffic_sequence_of(text, size, sequence);
}

static bool read_json(const void *bytes, size_t size, uint64_t *sequence)
{
    json_t *object = json_loadb(bytes, size, 0, NULL);
    json_t *id = json_object_get(object, "event_id");
    bool found =
        json_is_string(id) && names_event(json_string_value(id), json_string_length(id), sequence);
    json_decref(object);
    return found;
}

static bool read_avro(struct receiver *receiver, const char *bytes, size_t size, uint64_t *sequence)
{
    avro_value_t value, id;
    if (avro_generic_value_new(receiver->reader, &value) != 0)
        return false;
    avro_reader_t reader = avro_reader_memory(bytes, (int64_t)size);
    const char *text = NULL;
    size_t text_size = 0; /* with its NUL */
    bool found = avro_value_read(reader, &value) == 0 &&
                 avro_value_get_by_name(&value, "event_id", &id, NULL) == 0 &&
                 avro_value_get_string(&id, &text, &text_size) == 0 && text_size > 0 &&
                 names_event(text, text_size - 1, sequence);
    avro_reader_free(reader);
    avro_value_decref(&value);
    return found;
}

bool receiver_sequence(struct receiver *receiver, const void *value, size_t size,
                       uint64_t *sequence)
{
    const char *bytes = value;
    if (size > 10 && memcmp(bytes, "\xC3\x01", 2) == 0)
        return read_avro(receiver, bytes + 10, size - 10, sequence);
    if (size > 5 && bytes[0] == 0)
        return read_avro(receiver, bytes + 5, size - 5, sequence);
    return size > 0 && bytes[0] == '{' && read_json(bytes, size, sequence);
}

/* ---- The thread ---- */

static void take(struct receiver *receiver, const rd_kafka_message_t *message, double at)
{
    struct received item = {.at = at, .made_ms = rd_kafka_message_timestamp(message, NULL)};
    if (!message->key || !traffic_lead_of(message->key, message->key_len, &item.lead)) {
        receiver->others++;
        return;
    }
    if (!receiver_sequence(receiver, message->payload, message->len, &item.sequence)) {
        receiver->unreadable++;
        return;
    }
    if (receiver->item_count == receiver->item_room) {
        receiver->item_room = receiver->item_room ? receiver->item_room * 2 : 4096;
        receiver->items =
            memory_resize(receiver->items, receiver->item_room * sizeof *receiver->items);
    }
    receiver->items[receiver->item_count++] = item;
}

static void *run(void *context)
{
    struct receiver *receiver = context;
    while (!atomic_load_explicit(&receiver->stop, memory_order_relaxed)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(receiver->consumer, POLL_MS);
        double at = clock_seconds();
        if (!message)
            continue;
        if (!message->err) {
            take(receiver, message, at);
            atomic_fetch_add_explicit(&receiver->count, 1, memory_order_relaxed);
        } else if (message->err != RD_KAFKA_RESP_ERR__TRANSPORT) { /* it connects again itself */
            (void)error_set(&receiver->error, STATUS_STOP, "reading the promotions: %s",
                            rd_kafka_message_errstr(message));
        }
        rd_kafka_message_destroy(message);
    }
    return NULL;
}

/* ---- Opening it ---- */

/* From the ends as they are now: what comes later is read however long the consumer takes to
 * begin. */
static enum status assign_ends(struct receiver *receiver, const char *topic, int32_t partitions,
                               struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int32_t i = 0; i < partitions && !code; i++) {
        int64_t first, end;
        code =
            rd_kafka_query_watermark_offsets(receiver->consumer, topic, i, &first, &end, ANSWER_MS);
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = end;
    }
    if (!code)
        code = rd_kafka_assign(receiver->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? error_set(error, STATUS_STOP, "cannot read topic %s: %s", topic,
                            rd_kafka_err2str(code))
                : STATUS_OK;
}

enum status receiver_schema(struct receiver *receiver, struct error *error)
{
    const struct embedded_text *text = embedded_find("Promotion.avsc");
    if (!text || avro_schema_from_json_length(text->text, text->size, &receiver->schema) != 0)
        return error_set(error, STATUS_STOP, "the schema of promotions cannot be read");
    receiver->reader = avro_generic_class_from_schema(receiver->schema);
    return receiver->reader ? STATUS_OK : error_set(error, STATUS_STOP, "out of memory");
}

enum status receiver_open(struct receiver *receiver, const struct common_options *common,
                          const char *topic, struct error *error)
{
    static const struct bench_setting settings[] = {
        {"group.id", "baton-bench-latency"}, /* librdkafka insists on one; nothing joins it */
        {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "error"},
        {"allow.auto.create.topics", "false"}};
    struct common_options its = *common;
    struct bench_topic found;
    its.topic = topic;
    enum status status = bench_kafka_topic(&its, 0, &found, error);
    if (status == STATUS_OK)
        status = receiver_schema(receiver, error);
    if (status != STATUS_OK)
        return status;
    receiver->consumer = bench_kafka_create(RD_KAFKA_CONSUMER, common, settings,
                                            sizeof settings / sizeof *settings, NULL, NULL, error);
    if (!receiver->consumer)
        return STATUS_STOP;
    return assign_ends(receiver, topic, found.partitions, error);
}

enum status receiver_start(struct receiver *receiver, struct error *error)
{
    return pthread_create(&receiver->thread, NULL, run, receiver) == 0
               ? STATUS_OK
               : error_set(error, STATUS_STOP, "cannot start a thread");
}

void receiver_join(struct receiver *receiver)
{
    atomic_store(&receiver->stop, true);
    (void)pthread_join(receiver->thread, NULL);
}

void receiver_fini(struct receiver *receiver)
{
    if (receiver->consumer)
        rd_kafka_destroy_flags(receiver->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (receiver->reader)
        avro_value_iface_decref(receiver->reader);
    if (receiver->schema)
        avro_schema_decref(receiver->schema);
    free(receiver->items);
}
