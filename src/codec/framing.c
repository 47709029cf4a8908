#include "codec/framing.h"

#include "base/bytes.h"

static uint32_t read_u32_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static uint64_t read_u64_le(const uint8_t *p)
{
    struct byte_reader reader = {.at = p, .end = p + 8};
    return bytes_u64_le(&reader);
}

struct framed framing_read(const uint8_t *value, size_t size)
{
    if (size >= 5 && value[0] == 0)
        return (struct framed){
            FRAMING_REGISTRY, {SCHEMA_REGISTRY_ID, read_u32_be(value + 1)}, value + 5, size - 5};
    if (size >= 10 && value[0] == 0xC3 && value[1] == 0x01)
        return (struct framed){FRAMING_SINGLE_OBJECT,
                               {SCHEMA_FINGERPRINT, read_u64_le(value + 2)},
                               value + 10,
                               size - 10};
    if (size && value[0] == '{')
        return (struct framed){FRAMING_JSON, {SCHEMA_NONE, 0}, value, size};
    return (struct framed){FRAMING_UNKNOWN, {SCHEMA_NONE, 0}, value, size};
}

struct schema_key decoder_schema_of(const uint8_t *value, size_t size)
{
    return framing_read(value, size).schema;
}
