#include "base/text_buffer.h"
#include "codec/outgoing_encoder.h"
#include "codec/outgoing_headers.h"
#include "text/sha256.h"

#include <inttypes.h>
#include <string.h>

/* What Kafka's framing adds at most: 61 bytes of a batch and 36 of a record, and our 13 headers'
 * names and sizes; generous, as a dead letter that the broker refuses would stop the unit for good.
 */
#define FRAME_BYTES 1024
#define HEADER_FRAME_BYTES 10
#define OWN_HEADERS 16

/* What is left out of a message that would be too large: the end of its value first, then its own
 * headers, then the end of its key. */
struct cut {
    size_t value_size, key_size;
    bool headers_dropped;
};

static size_t headers_size(const struct header *headers, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(headers[i].name) + headers[i].value_size + HEADER_FRAME_BYTES;
    return size;
}

static struct cut measure(const struct message *message, size_t own_size, size_t theirs_size,
                          size_t max_bytes)
{
    struct cut cut = {.value_size = message->value_size, .key_size = message->key_size};
    size_t room = max_bytes > own_size + FRAME_BYTES ? max_bytes - own_size - FRAME_BYTES : 0;
    if (cut.key_size > room)
        cut.key_size = room;
    room -= cut.key_size;
    if (theirs_size > room)
        cut.headers_dropped = true;
    else
        room -= theirs_size;
    if (cut.value_size > room)
        cut.value_size = room;
    return cut;
}

static void add_own(const struct encoder *encoder, const struct message *message,
                    const struct origin *origin, const struct decode_result *verdict,
                    struct header_list *list)
{
    header_list_add_text(list, "baton_reason", dead_reason_name(verdict->reason));
    header_list_print(list, "baton_detail", "%s", verdict->detail);
    header_list_print(list, "baton_topic", "%s", origin->topic);
    header_list_print(list, "baton_partition", "%" PRIu32, origin->partition);
    header_list_print(list, "baton_offset", "%" PRId64, origin->offset);
    header_list_add_text(list, "ce_specversion", "1.0");
    header_list_print(list, "ce_id", "%s/%" PRIu32 "/%" PRId64,
                      percent_encoded(list->arena, origin->topic, strlen(origin->topic)),
                      origin->partition, origin->offset);
    header_list_add_text(list, "ce_type", "baton.dead_letter");
    header_list_print(list, "ce_source", "%s", encoder->source);
    if (message->timestamp_ms >= 0 && message->timestamp_ms <= BATON_TIME_MAX_MS)
        header_list_add_time(list, "ce_time", message->timestamp_ms);
}

static void add_cut(const struct message *message, const struct origin *origin,
                    const struct cut *cut, struct header_list *list)
{
    if (cut->value_size < message->value_size) {
        char hex[SHA256_HEX_SIZE + 1];
        sha256_hex(message->value, message->value_size, hex);
        header_list_print(list, "baton_length", "%zu", message->value_size);
        header_list_print(list, "baton_sha256", "%s", hex);
    }
    if (cut->headers_dropped)
        header_list_print(list, "baton_headers_dropped", "%zu", origin->header_count);
    if (cut->key_size < message->key_size)
        header_list_print(list, "baton_key_length", "%zu", message->key_size);
}

static void add_theirs(const struct origin *origin, struct header_list *list)
{
    for (size_t i = 0; i < origin->header_count; i++) {
        const struct header *from = &origin->headers[i];
        header_list_add(list, arena_copy(list->arena, from->name, strlen(from->name) + 1),
                        from->value ? arena_copy(list->arena, from->value, from->value_size) : NULL,
                        from->value_size);
    }
}

static void add_all(struct header_list *list, const struct header_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        header_list_add(list, from->at[i].name, from->at[i].value, from->at[i].value_size);
}

void encoder_dead_letter(struct encoder *encoder, struct arena *arena,
                         const struct message *message, const struct origin *origin,
                         const struct decode_result *verdict, size_t max_bytes,
                         struct outgoing_message *out)
{
    struct header_list own, all;
    header_list_init(&own, arena, OWN_HEADERS);
    add_own(encoder, message, origin, verdict, &own);
    struct cut cut = measure(message, headers_size(own.at, own.count),
                             headers_size(origin->headers, origin->header_count), max_bytes);
    header_list_init(&all, arena, origin->header_count + OWN_HEADERS);
    if (!cut.headers_dropped)
        add_theirs(origin, &all);
    add_all(&all, &own);
    add_cut(message, origin, &cut, &all);
    *out = (struct outgoing_message){
        .topic = TOPIC_DEAD,
        .key = message->key ? arena_copy(arena, message->key, cut.key_size) : NULL,
        .key_size = cut.key_size,
        .value = message->value ? arena_copy(arena, message->value, cut.value_size) : NULL,
        .value_size = cut.value_size,
        .headers = all.at,
        .header_count = all.count};
}
