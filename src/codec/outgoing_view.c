#include "codec/outgoing_view.h"

#include "base/bytes.h"
#include "base/text_buffer.h"
#include "codec/embedded.h"
#include "codec/framing.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* The schemas are our own, the bytes are not: every step is within bounds, and a list is as long as
 * its bytes. */
#define DEPTH_MAX 16
#define ITEMS_MAX 100000

struct view {
    struct byte_reader reader;
    json_t *names[16]; /* records of the schema, by their names */
    size_t name_count;
    unsigned depth;
};

static json_t *failed(struct view *view)
{
    view->reader.failed = true;
    return json_null();
}

static json_t *view_value(struct view *view, json_t *schema, const char *name);

/* ---- Plain values ---- */

static bool counts_points(const char *name)
{
    static const char *const names[] = {"score", "fit",      "behaviour", "points", "adjusted",
                                        "deal",  "promised", "actual",    "needed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static json_t *view_text(struct view *view)
{
    int64_t size = bytes_zigzag(&view->reader);
    const uint8_t *bytes = size >= 0 ? bytes_take(&view->reader, (uint64_t)size) : NULL;
    json_t *text = bytes ? json_stringn((const char *)bytes, (size_t)size) : NULL;
    return text ? text : failed(view);
}

static json_t *view_number(struct view *view, bool is_time, const char *name)
{
    int64_t number = bytes_zigzag(&view->reader);
    if (is_time) {
        struct text_buffer text;
        text_buffer_init(&text);
        text_buffer_add_time(&text, number);
        json_t *time = json_stringn(text.data, text.size);
        text_buffer_fini(&text);
        return time;
    }
    if (!counts_points(name))
        return json_integer(number);
    return number % 100 ? json_real((double)number / 100) : json_integer(number / 100);
}

static json_t *view_double(struct view *view)
{
    uint64_t bits = bytes_u64_le(&view->reader);
    double number;
    memcpy(&number, &bits, sizeof number);
    json_t *value = json_real(number);
    return value ? value : json_null();
}

static json_t *view_plain(struct view *view, const char *type, bool is_time, const char *name)
{
    if (strcmp(type, "string") == 0)
        return view_text(view);
    if (strcmp(type, "long") == 0 || strcmp(type, "int") == 0)
        return view_number(view, is_time, name);
    if (strcmp(type, "boolean") == 0)
        return json_boolean(bytes_u8(&view->reader) == 1);
    if (strcmp(type, "double") == 0)
        return view_double(view);
    if (strcmp(type, "null") == 0)
        return json_null();
    for (size_t i = 0; i < view->name_count; i++)
        if (strcmp(json_string_value(json_object_get(view->names[i], "name")), type) == 0)
            return view_value(view, view->names[i], name);
    return failed(view);
}

/* ---- Values made of others ---- */

static json_t *view_record(struct view *view, json_t *schema)
{
    json_t *record = json_object(), *field;
    size_t index, most = sizeof view->names / sizeof *view->names;
    bool known = false;
    for (size_t i = 0; i < view->name_count; i++)
        known |= view->names[i] == schema;
    if (!known && view->name_count < most)
        view->names[view->name_count++] = schema;
    json_array_foreach(json_object_get(schema, "fields"), index, field)
    {
        const char *name = json_string_value(json_object_get(field, "name"));
        json_object_set_new(record, name, view_value(view, json_object_get(field, "type"), name));
    }
    return record;
}

/* Items of an array, or of a map where `keys`. */
static void view_items(struct view *view, json_t *items, json_t *into, bool keys)
{
    for (int64_t left = bytes_zigzag(&view->reader); left != 0 && !view->reader.failed;
         left = bytes_zigzag(&view->reader)) {
        if (left < 0) {
            left = left == INT64_MIN ? INT64_MAX : -left;
            (void)bytes_zigzag(&view->reader); /* how many bytes the block has */
        }
        for (; left > 0 && !view->reader.failed; left--) {
            json_t *key = keys ? view_text(view) : NULL, *value = view_value(view, items, "");
            if (keys && json_string_value(key))
                json_object_setn_new(into, json_string_value(key), json_string_length(key), value);
            else if (keys)
                json_decref(value);
            else
                json_array_append_new(into, value);
            json_decref(key);
            if (json_array_size(into) > ITEMS_MAX)
                view->reader.failed = true;
        }
    }
}

static json_t *view_union(struct view *view, json_t *branches, const char *name)
{
    int64_t branch = bytes_zigzag(&view->reader);
    json_t *schema = branch >= 0 ? json_array_get(branches, (size_t)branch) : NULL;
    return schema ? view_value(view, schema, name) : failed(view);
}

static json_t *view_inner(struct view *view, json_t *schema, const char *name)
{
    if (json_is_string(schema))
        return view_plain(view, json_string_value(schema), false, name);
    if (json_is_array(schema))
        return view_union(view, schema, name);
    const char *type = json_string_value(json_object_get(schema, "type"));
    json_t *into;
    if (!type)
        return view_value(view, json_object_get(schema, "type"), name);
    if (strcmp(type, "record") == 0)
        return view_record(view, schema);
    if (strcmp(type, "array") == 0 || strcmp(type, "map") == 0) {
        bool map = type[0] == 'm';
        into = map ? json_object() : json_array();
        view_items(view, json_object_get(schema, map ? "values" : "items"), into, map);
        return into;
    }
    return view_plain(view, type, json_object_get(schema, "logicalType") != NULL, name);
}

static json_t *view_value(struct view *view, json_t *schema, const char *name)
{
    if (!schema || view->reader.failed || view->depth == DEPTH_MAX)
        return failed(view);
    view->depth++;
    json_t *value = view_inner(view, schema, name);
    view->depth--;
    return value;
}

/* ---- A record ---- */

static enum status view_avro(const struct framed *framed, const char *file, json_t **out,
                             struct error *error)
{
    const struct embedded_text *schema = embedded_find(file);
    uint64_t fingerprint;
    assert(schema);
    if (schema_fingerprint(schema->text, schema->size, &fingerprint, error) != STATUS_OK)
        return STATUS_STOP;
    if (framed->framing == FRAMING_SINGLE_OBJECT && framed->schema.id != fingerprint)
        return error_set(error, STATUS_REJECT,
                         "written by another version of baton (schema %016" PRIx64 ")",
                         framed->schema.id);
    json_t *tree = json_loads(schema->text, 0, NULL);
    assert(tree);
    struct view view = {.reader = {.at = framed->body, .end = framed->body + framed->body_size}};
    *out = view_value(&view, tree, "");
    bool whole = !view.reader.failed && bytes_left(&view.reader) == 0;
    json_decref(tree);
    if (whole)
        return STATUS_OK;
    json_decref(*out);
    *out = NULL;
    return error_set(error, STATUS_REJECT, "not a record that this version of baton writes");
}

enum status outgoing_view(enum outgoing_topic topic, const void *value, size_t size, json_t **out,
                          struct error *error)
{
    static const char *const files[OUTGOING_TOPICS] = {[TOPIC_PROMOTIONS] = "Promotion.avsc",
                                                       [TOPIC_STAGES] = "StageChange.avsc",
                                                       [TOPIC_BREACHES] = "Breach.avsc"};
    assert(topic < OUTGOING_TOPICS && files[topic]);
    struct framed framed = framing_read(value, size);
    *out = NULL;
    if (framed.framing == FRAMING_JSON) {
        *out = json_loadb(value, size, 0, NULL);
        if (json_is_object(*out))
            return STATUS_OK;
        json_decref(*out);
        *out = NULL;
    }
    if (framed.framing == FRAMING_REGISTRY || framed.framing == FRAMING_SINGLE_OBJECT)
        return view_avro(&framed, files[topic], out, error);
    return error_set(error, STATUS_REJECT, "not a record of baton's");
}
