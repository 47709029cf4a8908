/* Values of an outgoing record as jansson holds them. Private to outgoing_content.c and
 * outgoing_handover.c. */
#ifndef CODEC_OUTGOING_JSON_H
#define CODEC_OUTGOING_JSON_H

#include "base/text_buffer.h"
#include "codec/outgoing_content.h"

#include <assert.h>
#include <string.h>

/* jansson gives NULL where the machine has no memory, or for a text that is not UTF-8. */
static inline json_t *made(json_t *value)
{
    assert(value);
    return value;
}

/* The name is UTF-8: ours, or out of a JSON text. */
static inline void put(json_t *object, const char *name, json_t *value)
{
    int failed = json_object_set_new_nocheck(object, name, made(value));
    assert(!failed);
    (void)failed;
}

static inline void add(json_t *array, json_t *value)
{
    int failed = json_array_append_new(array, made(value));
    assert(!failed);
    (void)failed;
}

/* Texts come in as UTF-8 only; one that is not would make the whole record unwritable. */
static inline json_t *text(struct baton_text from)
{
    json_t *value = json_stringn(from.data ? from.data : "", from.size);
    return value ? value : json_string("(not UTF-8)");
}

static inline json_t *c_text(const char *from)
{
    return text((struct baton_text){from, (uint32_t)strlen(from)});
}

static inline json_t *text_or_null(struct baton_text from)
{
    return from.size ? text(from) : json_null();
}

/* Whole points as integers; others as a real that prints with its two decimals
 * (JSON_REAL_PRECISION). */
static inline json_t *points(int64_t hundredths, enum content_style style)
{
    if (style == CONTENT_FOR_AVRO)
        return json_integer(hundredths);
    return hundredths % 100 ? json_real((double)hundredths / 100) : json_integer(hundredths / 100);
}

static inline json_t *moment(int64_t time_ms, enum content_style style)
{
    if (style == CONTENT_FOR_AVRO)
        return json_integer(time_ms);
    struct text_buffer buffer;
    text_buffer_init(&buffer);
    text_buffer_add_time(&buffer, time_ms);
    json_t *value = json_stringn(buffer.data, buffer.size);
    text_buffer_fini(&buffer);
    return value;
}

static inline json_t *c_text_or_null(const char *from)
{
    return from ? c_text(from) : json_null();
}

static inline json_t *field_name(uint8_t field, struct baton_text property)
{
    const char *name = baton_profile_field_name((enum baton_profile_field)field);
    if (name)
        return json_string(name);
    struct text_buffer buffer;
    text_buffer_init(&buffer);
    text_buffer_add_text(&buffer, "properties.");
    text_buffer_add(&buffer, property.data, property.size);
    json_t *value = text((struct baton_text){buffer.data, (uint32_t)buffer.size});
    text_buffer_fini(&buffer);
    return value;
}

static inline json_t *split_at_commas(struct baton_text ids)
{
    json_t *list = made(json_array());
    while (ids.size) {
        const char *comma = memchr(ids.data, ',', ids.size);
        uint32_t size = comma ? (uint32_t)(comma - ids.data) : ids.size;
        add(list, text((struct baton_text){ids.data, size}));
        ids.data += size + (comma ? 1 : 0);
        ids.size -= size + (comma ? 1 : 0);
    }
    return list;
}

#endif
