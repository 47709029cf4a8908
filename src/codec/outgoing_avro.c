#include "codec/outgoing_avro.h"

#include <assert.h>
#include <avro.h>
#include <stdlib.h>

struct avro_record_writer {
    avro_schema_t schema;
    avro_value_iface_t *class;
    avro_value_t value;
};

/* libavro fails here for want of memory only, or because the tree is not of the schema: a bug. */
static void must(int failed)
{
    assert(!failed);
    (void)failed;
}

struct avro_record_writer *avro_record_writer_create(const char *schema, size_t size)
{
    struct avro_record_writer *writer = memory_take_zeroed(1, sizeof *writer);
    must(avro_schema_from_json_length(schema, size, &writer->schema));
    assert(is_avro_record(writer->schema));
    writer->class = avro_generic_class_from_schema(writer->schema);
    must(avro_generic_value_new(writer->class, &writer->value));
    return writer;
}

void avro_record_writer_destroy(struct avro_record_writer *writer)
{
    if (!writer)
        return;
    avro_value_decref(&writer->value);
    avro_value_iface_decref(writer->class);
    avro_schema_decref(writer->schema);
    free(writer);
}

static void fill(avro_value_t *value, const json_t *from);

static void fill_string(avro_value_t *value, const json_t *from)
{
    assert(json_is_string(from));
    /* the size counts the NUL that the writer leaves out */
    must(avro_value_set_string_len(value, (char *)(uintptr_t)json_string_value(from),
                                   json_string_length(from) + 1));
}

static void fill_union(avro_value_t *value, const json_t *from)
{
    avro_value_t branch;
    must(avro_value_set_branch(value, json_is_null(from) ? 0 : 1, &branch));
    fill(&branch, from);
}

static void fill_array(avro_value_t *value, const json_t *from)
{
    assert(json_is_array(from));
    for (size_t i = 0; i < json_array_size(from); i++) {
        avro_value_t item;
        must(avro_value_append(value, &item, NULL));
        fill(&item, json_array_get(from, i));
    }
}

static void fill_map(avro_value_t *value, const json_t *from)
{
    assert(json_is_object(from));
    for (void *at = json_object_iter((json_t *)(uintptr_t)from); at;
         at = json_object_iter_next((json_t *)(uintptr_t)from, at)) {
        avro_value_t item;
        must(avro_value_add(value, json_object_iter_key(at), &item, NULL, NULL));
        fill(&item, json_object_iter_value(at));
    }
}

static void fill_record(avro_value_t *value, const json_t *from)
{
    size_t count = 0;
    must(avro_value_get_size(value, &count));
    assert(json_object_size(from) == count);
    for (size_t i = 0; i < count; i++) {
        avro_value_t field;
        const char *name = NULL;
        must(avro_value_get_by_index(value, i, &field, &name));
        const json_t *item = json_object_get(from, name);
        assert(item);
        fill(&field, item);
    }
}

static void fill(avro_value_t *value, const json_t *from)
{
    switch (avro_value_get_type(value)) {
    case AVRO_STRING: fill_string(value, from); break;
    case AVRO_INT32: must(avro_value_set_int(value, (int32_t)json_integer_value(from))); break;
    case AVRO_INT64: must(avro_value_set_long(value, json_integer_value(from))); break;
    case AVRO_NULL: must(avro_value_set_null(value)); break;
    case AVRO_UNION: fill_union(value, from); break;
    case AVRO_ARRAY: fill_array(value, from); break;
    case AVRO_MAP: fill_map(value, from); break;
    case AVRO_RECORD: fill_record(value, from); break;
    default: assert(0 && "a type that no outgoing schema has");
    }
}

uint8_t *avro_record_write(struct avro_record_writer *writer, const json_t *record,
                           size_t prefix_size, struct arena *arena, size_t *size)
{
    size_t body = 0;
    must(avro_value_reset(&writer->value));
    fill(&writer->value, record);
    must(avro_value_sizeof(&writer->value, &body));
    uint8_t *bytes = arena_take(arena, prefix_size + body);
    avro_writer_t out = avro_writer_memory((char *)bytes + prefix_size, (int64_t)body);
    assert(out);
    must(avro_value_write(out, &writer->value));
    assert(avro_writer_tell(out) == (int64_t)body);
    avro_writer_free(out);
    *size = prefix_size + body;
    return bytes;
}
