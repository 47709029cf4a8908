#include "codec/hop.h"

#include "base/base64.h"
#include "codec/outgoing_headers.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_HEADER "baton-own"
#define FOR_HEADER "baton-for"
#define TRAIL_HEADER "baton-trail"

/* ---- reading --------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Up to the end or a comma; `*at` stands behind it then. */
static struct baton_text read_id(const char **at, const char *end, struct arena *arena)
{
    const char *from = *at;
    char *id = arena_take(arena, (size_t)(end - from) + 1), *to = id;
    while (from < end && *from != ',') {
        bool coded =
            *from == '%' && end - from >= 3 && digit_of(from[1]) >= 0 && digit_of(from[2]) >= 0;
        *to++ = coded ? (char)(digit_of(from[1]) * 16 + digit_of(from[2])) : *from;
        from += coded ? 3 : 1;
    }
    *at = from < end ? from + 1 : end;
    return (struct baton_text){id, (uint32_t)(to - id)};
}

static void read_trail(const struct header *header, struct arena *arena, struct baton_hop *seen)
{
    const char *at = header->value, *end = at + header->value_size;
    struct baton_text *trail = arena_take(arena, BATON_TRAIL_MAX * sizeof *trail);
    while (at < end && seen->trail_count < BATON_TRAIL_MAX)
        trail[seen->trail_count++] = read_id(&at, end, arena);
    seen->trail = trail;
}

bool hop_read(const struct header *headers, size_t count, struct arena *arena, struct hop *hop)
{
    bool found = false;
    *hop = (struct hop){0};
    for (size_t i = 0; i < count; i++) {
        const struct header *header = &headers[i];
        if (header->name[0] != 'b' || !header->value)
            continue;
        const char *at = header->value;
        bool own = strcmp(header->name, OWN_HEADER) == 0;
        bool to = strcmp(header->name, FOR_HEADER) == 0;
        bool trail = strcmp(header->name, TRAIL_HEADER) == 0;
        found = found || own || to || trail;
        hop->seen.own = hop->seen.own || own;
        if (to)
            hop->to = read_id(&at, at + header->value_size, arena);
        if (trail && !hop->seen.trail)
            read_trail(header, arena, &hop->seen);
    }
    return found;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void add_trail(struct header_list *list, const struct baton_event *event)
{
    const struct baton_hop *seen = event->hop;
    uint32_t count = seen ? seen->trail_count : 0;
    size_t room = 3 * (size_t)event->lead_id.size + 1, size = 0;
    for (uint32_t i = 0; i < count; i++)
        room += 3 * (size_t)seen->trail[i].size + 1;
    char *text = arena_take(list->arena, room);
    for (uint32_t i = 0; i <= count; i++) {
        struct baton_text id = i < count ? seen->trail[i] : event->lead_id;
        const char *coded = percent_encoded(list->arena, id.data, id.size);
        if (i)
            text[size++] = ',';
        while (*coded)
            text[size++] = *coded++;
    }
    header_list_add(list, TRAIL_HEADER, text, size);
}

static void add_for(struct header_list *list, struct baton_text to)
{
    header_list_add_text(list, FOR_HEADER, percent_encoded(list->arena, to.data, to.size));
}

/* A header of a trace may be of any size; baton's own messages must have room for their content. */
#define TRACE_BYTES_MAX 1024

static void forward_small_trace(struct header_list *list, const struct origin *origin)
{
    size_t before = list->count, size = 0;
    header_list_forward_trace(list, origin->headers, origin->header_count);
    for (size_t i = before; i < list->count; i++)
        size += list->at[i].value_size;
    if (size > TRACE_BYTES_MAX)
        list->count = before;
}

static bool is_own(const struct header *header)
{
    return strcmp(header->name, OWN_HEADER) == 0 || strcmp(header->name, FOR_HEADER) == 0 ||
           strcmp(header->name, TRAIL_HEADER) == 0;
}

void hop_keep_own_headers(struct outgoing_message *message)
{
    struct header *headers = (struct header *)(uintptr_t)message->headers; /* of our arena */
    size_t kept = 0;
    for (size_t i = 0; i < message->header_count; i++)
        if (is_own(&headers[i]))
            headers[kept++] = headers[i];
    message->header_count = kept;
}

static void set_key(struct arena *arena, struct baton_text key, struct outgoing_message *out)
{
    *out = (struct outgoing_message){
        .topic = TOPIC_EVENTS, .key = arena_copy(arena, key.data, key.size), .key_size = key.size};
}

void hop_forward(struct arena *arena, const struct message *message, const struct hop_cause *cause,
                 struct baton_text to, struct outgoing_message *out)
{
    const struct origin *origin = cause->origin;
    struct header_list list;
    set_key(arena, to, out);
    out->value = arena_copy(arena, message->value, message->value_size);
    out->value_size = message->value_size;
    header_list_init(&list, arena, origin->header_count + 2);
    for (size_t i = 0; i < origin->header_count; i++) {
        const struct header *header = &origin->headers[i];
        if (strcmp(header->name, FOR_HEADER) == 0 || strcmp(header->name, TRAIL_HEADER) == 0)
            continue;
        const char *name = arena_copy(arena, header->name, strlen(header->name) + 1);
        const void *value =
            header->value ? arena_copy(arena, header->value, header->value_size) : NULL;
        header_list_add(&list, name, value, header->value_size);
    }
    add_for(&list, to);
    add_trail(&list, cause->event);
    out->headers = list.at;
    out->header_count = list.count;
}

static json_t *text(struct baton_text from)
{
    return json_stringn(from.size ? from.data : "", from.size);
}

/* What all of baton's own events say. The id is that of the cause where the caller gives none. */
static json_t *own_event(const char *kind, struct baton_text lead_id, const char *event_id,
                         int64_t time_ms)
{
    json_t *event = json_object();
    json_object_set_new(event, "kind", json_string(kind));
    if (event_id)
        json_object_set_new(event, "event_id", json_string(event_id));
    json_object_set_new(event, "lead_id", text(lead_id));
    json_object_set_new(event, "time", json_integer(time_ms));
    return event;
}

/* Takes the event. */
static void write_own(struct arena *arena, const char *kind, struct baton_text key, json_t *event,
                      const struct hop_cause *cause, bool with_trail, struct outgoing_message *out)
{
    char *value = json_dumps(event, JSON_COMPACT);
    assert(value);
    set_key(arena, key, out);
    out->value_size = strlen(value);
    out->value = arena_copy(arena, value, out->value_size);
    free(value);
    json_decref(event);
    struct header_list list;
    header_list_init(&list, arena, 4);
    header_list_add_text(&list, OWN_HEADER, kind);
    if (with_trail)
        add_trail(&list, cause->event);
    forward_small_trace(&list, cause->origin);
    out->headers = list.at;
    out->header_count = list.count;
}

static void id_of_cause(const struct hop_cause *cause, const char *what, char id[64])
{
    (void)snprintf(id, 64, "%s/%" PRIu32 "/%" PRId64, what, cause->origin->partition,
                   cause->origin->offset);
}

void hop_transfer(struct arena *arena, const struct hop_cause *cause, struct baton_text to,
                  struct baton_text state, struct outgoing_message *out)
{
    size_t size = base64_text_size(state.size);
    char *coded = arena_take(arena, size);
    base64_write(state.data, state.size, coded);
    json_t *event = own_event("transfer", to, NULL, cause->event->time_ms);
    json_object_set_new(event, "event_id", text(cause->event->event_id));
    json_object_set_new(event, "from", text(cause->event->lead_id));
    json_object_set_new(event, "state", json_stringn(coded, size));
    if (cause->clock_ms)
        json_object_set_new(event, "at", json_integer(cause->clock_ms));
    if (cause->arrived_ms)
        json_object_set_new(event, "arrived", json_integer(cause->arrived_ms));
    write_own(arena, "transfer", to, event, cause, true, out);
}

/* Ids as JSON and percent-encoding have them at worst, names, and base64 of the state. */
size_t hop_transfer_room(const struct baton_event *merge, size_t event_bytes)
{
    const struct baton_hop *seen = merge->hop;
    size_t used = 512 + TRACE_BYTES_MAX + 6 * (size_t)merge->event_id.size +
                  9 * (size_t)merge->lead_id.size + 7 * (size_t)merge->merge->into.size;
    for (uint32_t i = 0; seen && i < seen->trail_count; i++)
        used += 3 * (size_t)seen->trail[i].size + 1;
    return used < event_bytes ? (event_bytes - used) / 4 * 3 : 0;
}

void hop_erase(struct arena *arena, const struct hop_cause *cause, struct baton_text id,
               struct outgoing_message *out)
{
    json_t *event = own_event("erase", id, NULL, cause->event->time_ms);
    json_object_set_new(event, "event_id", text(cause->event->event_id));
    write_own(arena, "erase", id, event, cause, false, out);
}

void hop_identify(struct arena *arena, const struct hop_cause *cause, struct baton_text into,
                  struct outgoing_message *out)
{
    char id[64];
    struct baton_text lead_id = cause->event->lead_id;
    id_of_cause(cause, "identity", id);
    json_t *event = own_event("merge", lead_id, id, cause->event->time_ms);
    json_object_set_new(event, "into", text(into));
    json_object_set_new(event, "by", json_string("baton: identity"));
    write_own(arena, "merge", lead_id, event, cause, false, out);
}
