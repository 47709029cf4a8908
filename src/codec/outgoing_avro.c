/* The schema is taken apart once; writing walks the tree beside it. What libavro would make of a
 * tree are values that it then writes: eight times the work for the same bytes. */
#include "codec/outgoing_avro.h"

#include "base/bytes.h"

#include <assert.h>
#include <avro.h>
#include <stdlib.h>
#include <string.h>

struct node {
    avro_type_t type;
    struct node *parts; /* fields, branches; what an array or a map holds */
    const char **names; /* of fields; the schema's */
    size_t count;
};

struct avro_record_writer {
    avro_schema_t schema;
    struct node root;
    uint8_t *bytes; /* of the record that is being written */
    size_t size, room;
};

/* libavro fails here for want of memory only: the schema is ours. */
static void must(int failed)
{
    assert(!failed);
    (void)failed;
}

static size_t count_parts(avro_schema_t schema)
{
    switch (avro_typeof(schema)) {
    case AVRO_RECORD: return avro_schema_record_size(schema);
    case AVRO_UNION: return avro_schema_union_size(schema);
    case AVRO_ARRAY:
    case AVRO_MAP: return 1;
    default: return 0;
    }
}

static avro_schema_t part_of(avro_schema_t schema, size_t i)
{
    switch (avro_typeof(schema)) {
    case AVRO_RECORD: return avro_schema_record_field_get_by_index(schema, (int)i);
    case AVRO_UNION: return avro_schema_union_branch(schema, (int)i);
    case AVRO_ARRAY: return avro_schema_array_items(schema);
    default: return avro_schema_map_values(schema);
    }
}

static void take_apart(struct node *node, avro_schema_t schema)
{
    if (is_avro_link(schema))
        schema = avro_schema_link_target(schema);
    *node = (struct node){.type = avro_typeof(schema), .count = count_parts(schema)};
    if (!node->count)
        return;
    node->parts = memory_take(node->count * sizeof *node->parts);
    node->names = memory_take_zeroed(node->count, sizeof *node->names);
    for (size_t i = 0; i < node->count; i++) {
        take_apart(&node->parts[i], part_of(schema, i));
        if (node->type == AVRO_RECORD)
            node->names[i] = avro_schema_record_field_name(schema, (int)i);
    }
}

static void forget(struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        forget(&node->parts[i]);
    free(node->parts);
    free(node->names);
}

struct avro_record_writer *avro_record_writer_create(const char *schema, size_t size)
{
    struct avro_record_writer *writer = memory_take_zeroed(1, sizeof *writer);
    must(avro_schema_from_json_length(schema, size, &writer->schema));
    assert(is_avro_record(writer->schema));
    take_apart(&writer->root, writer->schema);
    return writer;
}

void avro_record_writer_destroy(struct avro_record_writer *writer)
{
    if (!writer)
        return;
    forget(&writer->root);
    avro_schema_decref(writer->schema);
    free(writer->bytes);
    free(writer);
}

static uint8_t *make_room(struct avro_record_writer *writer, size_t more)
{
    if (writer->room - writer->size < more) {
        writer->room = 2 * writer->room + more + 1024;
        writer->bytes = memory_resize(writer->bytes, writer->room);
    }
    return writer->bytes + writer->size;
}

static void put_long(struct avro_record_writer *writer, int64_t value)
{
    uint8_t *at = make_room(writer, BYTES_VARINT_MAX);
    writer->size += (size_t)(bytes_put_zigzag(at, value) - at);
}

static void put_text(struct avro_record_writer *writer, const char *text, size_t size)
{
    put_long(writer, (int64_t)size);
    (void)bytes_put(make_room(writer, size), text, size);
    writer->size += size;
}

static void write_node(struct avro_record_writer *writer, const struct node *node,
                       const json_t *from);

static void write_string(struct avro_record_writer *writer, const json_t *from)
{
    assert(json_is_string(from));
    put_text(writer, json_string_value(from), json_string_length(from));
}

static void write_union(struct avro_record_writer *writer, const struct node *node,
                        const json_t *from)
{
    size_t branch = json_is_null(from) ? 0 : 1;
    assert(branch < node->count);
    put_long(writer, (int64_t)branch);
    write_node(writer, &node->parts[branch], from);
}

/* Items of an array or a map come in one block; an empty one ends it. */
static void write_array(struct avro_record_writer *writer, const struct node *node,
                        const json_t *from)
{
    assert(json_is_array(from));
    size_t count = json_array_size(from);
    if (count)
        put_long(writer, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        write_node(writer, node->parts, json_array_get(from, i));
    put_long(writer, 0);
}

static void write_map(struct avro_record_writer *writer, const struct node *node,
                      const json_t *from)
{
    assert(json_is_object(from));
    json_t *map = (json_t *)(uintptr_t)from;
    if (json_object_size(map))
        put_long(writer, (int64_t)json_object_size(map));
    for (void *at = json_object_iter(map); at; at = json_object_iter_next(map, at)) {
        put_text(writer, json_object_iter_key(at), strlen(json_object_iter_key(at)));
        write_node(writer, node->parts, json_object_iter_value(at));
    }
    put_long(writer, 0);
}

/* The next item of the tree is mostly the next field. */
static void write_record(struct avro_record_writer *writer, const struct node *node,
                         const json_t *from)
{
    json_t *record = (json_t *)(uintptr_t)from;
    assert(json_object_size(record) == node->count);
    void *at = json_object_iter(record);
    for (size_t i = 0; i < node->count; i++) {
        const json_t *item;
        if (at && strcmp(json_object_iter_key(at), node->names[i]) == 0) {
            item = json_object_iter_value(at);
            at = json_object_iter_next(record, at);
        } else {
            item = json_object_get(record, node->names[i]);
        }
        assert(item);
        write_node(writer, &node->parts[i], item);
    }
}

static void write_number(struct avro_record_writer *writer, const json_t *from)
{
    assert(json_is_integer(from));
    put_long(writer, json_integer_value(from));
}

static void write_boolean(struct avro_record_writer *writer, const json_t *from)
{
    assert(json_is_boolean(from));
    *make_room(writer, 1) = json_is_true(from);
    writer->size++;
}

static void write_node(struct avro_record_writer *writer, const struct node *node,
                       const json_t *from)
{
    switch (node->type) {
    case AVRO_STRING: write_string(writer, from); break;
    case AVRO_INT32:
    case AVRO_INT64: write_number(writer, from); break;
    case AVRO_BOOLEAN: write_boolean(writer, from); break;
    case AVRO_NULL: assert(json_is_null(from)); break;
    case AVRO_UNION: write_union(writer, node, from); break;
    case AVRO_ARRAY: write_array(writer, node, from); break;
    case AVRO_MAP: write_map(writer, node, from); break;
    case AVRO_RECORD: write_record(writer, node, from); break;
    default: assert(0 && "a type that no outgoing schema has");
    }
}

uint8_t *avro_record_write(struct avro_record_writer *writer, const json_t *record,
                           size_t prefix_size, struct arena *arena, size_t *size)
{
    writer->size = 0;
    write_node(writer, &writer->root, record);
    *size = prefix_size + writer->size;
    uint8_t *bytes = arena_take(arena, *size);
    memcpy(bytes + prefix_size, writer->bytes, writer->size);
    return bytes;
}
