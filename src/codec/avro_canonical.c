/* The parsing canonical form of the Avro specification: what single-object messages are named by.
 */
#include "codec/avro_schema.h"

#include "base/text_buffer.h"
#include "codec/crc64.h"

static void write_type(struct text_buffer *out, struct avro_type *type);

static void write_name(struct text_buffer *out, const char *before, struct baton_text name)
{
    text_buffer_add_text(out, before);
    text_buffer_add_text(out, "\"");
    text_buffer_add(out, name.data, name.size);
    text_buffer_add_text(out, "\"");
}

static void write_record(struct text_buffer *out, struct avro_type *type)
{
    text_buffer_add_text(out, ",\"type\":\"record\",\"fields\":[");
    for (uint32_t i = 0; i < type->count; i++) {
        write_name(out, i ? ",{\"name\":" : "{\"name\":", type->fields[i].name);
        text_buffer_add_text(out, ",\"type\":");
        write_type(out, type->fields[i].type);
        text_buffer_add_text(out, "}");
    }
    text_buffer_add_text(out, "]}");
}

static void write_named(struct text_buffer *out, struct avro_type *type)
{
    if (type->seen) {
        write_name(out, "", type->name);
        return;
    }
    type->seen = true;
    write_name(out, "{\"name\":", type->name);
    if (type->code == AVRO_CODE_RECORD) {
        write_record(out, type);
    } else if (type->code == AVRO_CODE_ENUM) {
        text_buffer_add_text(out, ",\"type\":\"enum\",\"symbols\":[");
        for (uint32_t i = 0; i < type->count; i++)
            write_name(out, i ? "," : "", type->symbols[i]);
        text_buffer_add_text(out, "]}");
    } else {
        text_buffer_print(out, ",\"type\":\"fixed\",\"size\":%u}", type->size);
    }
}

static void write_type(struct text_buffer *out, struct avro_type *type)
{
    if (type->code < AVRO_CODE_PRIMITIVES) {
        text_buffer_print(out, "\"%s\"", avro_code_name(type->code));
    } else if (type->code == AVRO_CODE_UNION) {
        text_buffer_add_text(out, "[");
        for (uint32_t i = 0; i < type->count; i++) {
            text_buffer_add_text(out, i ? "," : "");
            write_type(out, type->branches[i]);
        }
        text_buffer_add_text(out, "]");
    } else if (type->code == AVRO_CODE_ARRAY || type->code == AVRO_CODE_MAP) {
        text_buffer_add_text(out, type->code == AVRO_CODE_ARRAY ? "{\"type\":\"array\",\"items\":"
                                                                : "{\"type\":\"map\",\"values\":");
        write_type(out, type->items);
        text_buffer_add_text(out, "}");
    } else {
        write_named(out, type);
    }
}

struct baton_text avro_schema_canonical(struct avro_schema *schema, struct arena *arena)
{
    struct text_buffer out;
    text_buffer_init(&out);
    for (uint32_t i = 0; i < schema->named_count; i++)
        schema->named[i]->seen = false;
    write_type(&out, schema->root);
    struct baton_text text = {arena_copy(arena, out.data, out.size), (uint32_t)out.size};
    text_buffer_fini(&out);
    return text;
}

uint64_t avro_schema_fingerprint(struct avro_schema *schema)
{
    struct baton_text canonical = avro_schema_canonical(schema, &schema->arena);
    return crc64_avro(canonical.data, canonical.size);
}
