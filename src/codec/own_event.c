#include "codec/own_event.h"

#include "base/base64.h"
#include "codec/outgoing_headers.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What all of them say. */
static json_t *own_event(const char *kind, json_t *event_id, int64_t time_ms)
{
    json_t *event = json_object();
    assert(event && event_id);
    json_object_set_new(event, "kind", json_string(kind));
    json_object_set_new(event, "event_id", event_id);
    json_object_set_new(event, "time", json_integer(time_ms));
    return event;
}

/* Takes the event. */
static void write(struct arena *arena, uint32_t unit, struct baton_text key, json_t *event,
                  int64_t time_ms, struct outgoing_message *out)
{
    char *text = json_dumps(event, JSON_COMPACT);
    assert(text); /* ids are UTF-8: others are dead letters */
    const char *kind = json_string_value(json_object_get(event, "kind"));
    struct header_list list;
    header_list_init(&list, arena, 1);
    header_list_add_text(&list, OWN_EVENT_HEADER, arena_copy(arena, kind, strlen(kind) + 1));
    *out = (struct outgoing_message){.topic = TOPIC_EVENTS,
                                     .partition = unit,
                                     .timestamp_ms = time_ms,
                                     .key = arena_copy(arena, key.data, key.size),
                                     .key_size = key.size,
                                     .value = arena_copy(arena, text, strlen(text)),
                                     .value_size = strlen(text),
                                     .headers = list.at,
                                     .header_count = list.count};
    free(text);
    json_decref(event);
}

void own_event_recheck(struct arena *arena, uint32_t unit, struct baton_text lead_id,
                       int64_t time_ms, struct outgoing_message *out)
{
    json_t *event =
        own_event("recheck", json_sprintf("recheck/%" PRIu32 "/%" PRId64, unit, time_ms), time_ms);
    json_object_set_new(event, "lead_id", json_stringn(lead_id.data, lead_id.size));
    write(arena, unit, lead_id, event, time_ms, out);
}

void own_event_published(struct arena *arena, uint32_t unit, const struct origin *origin,
                         struct baton_text lead_id, uint16_t generation, int64_t time_ms,
                         struct outgoing_message *out)
{
    json_t *event = own_event(
        "published", json_sprintf("published/%" PRIu32 "/%" PRId64, unit, origin->offset), time_ms);
    json_object_set_new(event, "lead_id", json_stringn(lead_id.data, lead_id.size));
    json_object_set_new(event, "generation", json_integer(generation));
    write(arena, unit, lead_id, event, time_ms, out);
}

void own_event_tick(struct arena *arena, uint32_t unit, int64_t time_ms,
                    struct outgoing_message *out)
{
    char key[16];
    int size = snprintf(key, sizeof key, "%" PRIu32, unit);
    json_t *event =
        own_event("tick", json_sprintf("tick/%" PRIu32 "/%" PRId64, unit, time_ms), time_ms);
    write(arena, unit, (struct baton_text){key, (uint32_t)size}, event, time_ms, out);
}

void own_event_judged(struct arena *arena, struct baton_text key, struct baton_text name,
                      struct baton_text state, int64_t time_ms, struct outgoing_message *out)
{
    size_t size = base64_text_size(state.size);
    char *coded = arena_take(arena, size);
    base64_write(state.data, state.size, coded);
    json_t *event =
        own_event("judged", json_sprintf("judged/%.*s", (int)name.size, name.data), time_ms);
    json_object_set_new(event, "state", json_stringn(coded, size));
    write(arena, 0, key, event, time_ms, out);
}
