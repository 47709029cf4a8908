#include "kafka/kafka_arrivals.h"

#include "kafka/kafka_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A batch of great messages ends before it is full: its bytes are copied. */
#define BATCH_BYTES (4u << 20)

#define WAKE_BELOW 16384       /* messages: what a worker reads in some 20 ms */
#define WAKE_AFTER_MS 5        /* without anything new */
#define WAKE_PAUSE_MAX_MS 1000 /* where waking does not help */

void kafka_arrivals_init(struct kafka_arrivals *arrivals, rd_kafka_t *consumer, const char *topic)
{
    *arrivals = (struct kafka_arrivals){.consumer = consumer,
                                        .topic = topic,
                                        .queue = rd_kafka_queue_new(consumer),
                                        .fetchers_sleep = !kafka_client_knows_queue_backoff(),
                                        .wake_pause_ms = WAKE_AFTER_MS};
    arena_init(&arrivals->bytes, 1 << 18);
}

void kafka_arrivals_fini(struct kafka_arrivals *arrivals)
{
    rd_kafka_queue_destroy(arrivals->queue);
    arena_fini(&arrivals->bytes);
    free(arrivals->units);
}

/* ---- what may come ---- */

static void lead_here(struct kafka_arrivals *arrivals, uint32_t unit)
{
    rd_kafka_queue_t *queue =
        rd_kafka_queue_get_partition(arrivals->consumer, arrivals->topic, (int32_t)unit);
    if (!queue)
        return; /* its messages will stray */
    rd_kafka_queue_forward(queue, arrivals->queue);
    rd_kafka_queue_destroy(queue);
}

static void make_unit_room(struct kafka_arrivals *arrivals, uint32_t unit)
{
    if (unit < arrivals->unit_room)
        return;
    size_t room = (size_t)unit + 1;
    arrivals->units = memory_resize(arrivals->units, room * sizeof *arrivals->units);
    for (size_t i = arrivals->unit_room; i < room; i++)
        arrivals->units[i] = (struct expected_unit){.next = -1};
    arrivals->unit_room = room;
}

void kafka_arrivals_expect(struct kafka_arrivals *arrivals, uint32_t unit, int64_t offset)
{
    make_unit_room(arrivals, unit);
    arrivals->units[unit] = (struct expected_unit){.next = offset};
    arrivals->unheard++;
    lead_here(arrivals, unit);
}

void kafka_arrivals_forget(struct kafka_arrivals *arrivals)
{
    for (size_t i = 0; i < arrivals->unit_room; i++)
        arrivals->units[i] = (struct expected_unit){.next = -1};
    arrivals->unheard = 0;
    arrivals->strayed = false;
}

void kafka_arrivals_expect_again(struct kafka_arrivals *arrivals)
{
    arrivals->strayed = false;
    arrivals->unheard = 0;
    for (uint32_t unit = 0; unit < arrivals->unit_room; unit++)
        if (arrivals->units[unit].next >= 0)
            kafka_arrivals_expect(arrivals, unit, arrivals->units[unit].next);
}

int64_t kafka_arrivals_next(const struct kafka_arrivals *arrivals, uint32_t unit)
{
    return unit < arrivals->unit_room ? arrivals->units[unit].next : -1;
}

/* True when the message is one that may be told: of the present start, and not before its
 * position. */
static bool is_expected(const struct kafka_arrivals *arrivals, const rd_kafka_message_t *message)
{
    return message->partition >= 0 && (size_t)message->partition < arrivals->unit_room &&
           arrivals->units[message->partition].next >= 0 &&
           message->offset >= arrivals->units[message->partition].next;
}

static void hear(struct kafka_arrivals *arrivals, int32_t unit, int64_t next)
{
    struct expected_unit *expected = &arrivals->units[unit];
    expected->next = next;
    if (!expected->heard)
        arrivals->unheard--;
    expected->heard = true;
}

/* ---- taking them ---- */

static void copy_headers(struct kafka_arrivals *arrivals, rd_kafka_message_t *message,
                         struct record *record)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    size_t count = rd_kafka_header_cnt(headers);
    struct header *copy = arena_take(&arrivals->bytes, count * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        const void *value;
        (void)rd_kafka_header_get_all(headers, i, &copy[i].name, &value, &copy[i].value_size);
        copy[i].name = arena_copy(&arrivals->bytes, copy[i].name, strlen(copy[i].name) + 1);
        copy[i].value = value ? arena_copy(&arrivals->bytes, value, copy[i].value_size) : NULL;
    }
    record->headers = copy;
    record->header_count = count;
}

static const void *copy_bytes(struct kafka_arrivals *arrivals, const void *bytes, size_t size)
{
    arrivals->taken_bytes += size;
    return bytes ? arena_copy(&arrivals->bytes, bytes, size) : NULL;
}

static void copy_message(struct kafka_arrivals *arrivals, rd_kafka_message_t *message)
{
    struct record *record = &arrivals->records[arrivals->count++];
    *record = (struct record){
        .unit = (uint32_t)message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = copy_bytes(arrivals, message->key, message->key_len),
        .key_size = message->key_len,
        .value = copy_bytes(arrivals, message->payload, message->len),
        .value_size = message->len,
    };
    copy_headers(arrivals, message, record);
    hear(arrivals, message->partition, message->offset + 1);
}

static void keep_error(struct kafka_arrivals *arrivals, const rd_kafka_message_t *message)
{
    arrivals->code = message->err;
    arrivals->code_unit = (uint32_t)message->partition;
    (void)snprintf(arrivals->code_text, sizeof arrivals->code_text, "%s",
                   rd_kafka_message_errstr(message));
}

static void on_message(rd_kafka_message_t *message, void *opaque)
{
    struct kafka_arrivals *arrivals = opaque;
    if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        keep_error(arrivals, message);
    } else if (is_expected(arrivals, message)) {
        if (!message->err) {
            copy_message(arrivals, message);
        } else {
            arrivals->records[arrivals->count++] = (struct record){
                .unit = (uint32_t)message->partition, .is_end = true, .offset = message->offset};
            hear(arrivals, message->partition, message->offset);
        }
    }
    if (arrivals->count == arrivals->room || arrivals->taken_bytes >= BATCH_BYTES || arrivals->code)
        rd_kafka_yield(arrivals->consumer);
}

/* ---- keeping them coming ---- */

/* What the broker is known to hold of a unit behind what we have taken. */
static uint64_t unit_waiting(const struct kafka_arrivals *arrivals, uint32_t unit)
{
    int64_t next = arrivals->units[unit].next, first, end;
    if (next < 0 ||
        rd_kafka_get_watermark_offsets(arrivals->consumer, arrivals->topic, (int32_t)unit, &first,
                                       &end) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        end <= next)
        return 0;
    return (uint64_t)(end - next);
}

uint64_t kafka_arrivals_waiting(const struct kafka_arrivals *arrivals)
{
    uint64_t waiting = 0;
    for (uint32_t unit = 0; unit < arrivals->unit_room; unit++)
        waiting += unit_waiting(arrivals, unit);
    return waiting;
}

static rd_kafka_topic_partition_list_t *lagging(const struct kafka_arrivals *arrivals)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(0);
    for (uint32_t unit = 0; unit < arrivals->unit_room; unit++)
        if (unit_waiting(arrivals, unit))
            rd_kafka_topic_partition_list_add(list, arrivals->topic, (int32_t)unit)->offset =
                RD_KAFKA_OFFSET_END;
    return list;
}

/* Before 2.2.0 a fetcher that has met a full queue sleeps for up to a second, however soon the
 * queue is empty, unless a request to its broker wakes it: any will do, and the answer is not
 * waited for. Thus the queue may be small and still never run dry. Since 2.2.0
 * fetch.queue.backoff.ms does that (kafka_source.c). */
static void wake_fetchers(struct kafka_arrivals *arrivals)
{
    size_t length = rd_kafka_queue_length(arrivals->queue);
    int64_t now = kafka_client_now_ms();
    if (length > arrivals->left) {
        arrivals->grown_ms = now;
        arrivals->wake_pause_ms = WAKE_AFTER_MS;
    }
    if (length >= WAKE_BELOW || now < arrivals->grown_ms + WAKE_AFTER_MS ||
        now < arrivals->woken_ms + arrivals->wake_pause_ms)
        return;
    rd_kafka_topic_partition_list_t *list = lagging(arrivals);
    if (list->cnt) {
        (void)rd_kafka_offsets_for_times(arrivals->consumer, list, 1);
        arrivals->wake_pause_ms = arrivals->wake_pause_ms * 2 < WAKE_PAUSE_MAX_MS
                                      ? arrivals->wake_pause_ms * 2
                                      : WAKE_PAUSE_MAX_MS;
    }
    arrivals->woken_ms = now;
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_arrivals_begin(struct kafka_arrivals *arrivals, struct record *records, size_t room)
{
    arena_reset(&arrivals->bytes);
    arrivals->records = records;
    arrivals->room = room;
    arrivals->count = arrivals->taken_bytes = 0;
    arrivals->code = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (uint32_t unit = 0; arrivals->unheard && unit < arrivals->unit_room; unit++)
        if (arrivals->units[unit].next >= 0 && !arrivals->units[unit].heard)
            lead_here(arrivals, unit);
    if (arrivals->fetchers_sleep)
        wake_fetchers(arrivals);
}

void kafka_arrivals_take(struct kafka_arrivals *arrivals, int timeout_ms)
{
    (void)rd_kafka_consume_callback_queue(arrivals->queue, timeout_ms, on_message, arrivals);
    if (arrivals->fetchers_sleep)
        arrivals->left = rd_kafka_queue_length(arrivals->queue);
}

void kafka_arrivals_stray(struct kafka_arrivals *arrivals, const rd_kafka_message_t *message)
{
    arrivals->strayed = arrivals->strayed || is_expected(arrivals, message);
}
