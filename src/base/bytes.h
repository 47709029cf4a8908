/* Reading and writing packed bytes. A reader never goes beyond its end: the first read that would
 * sets `failed`, and every read from then on gives zero. A writer's room must have been measured.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct byte_reader {
    const uint8_t *at, *end;
    bool failed;
};

static inline size_t bytes_left(const struct byte_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static inline const uint8_t *bytes_take(struct byte_reader *reader, uint64_t size)
{
    if (reader->failed || size > bytes_left(reader)) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *taken = reader->at;
    reader->at += size;
    return taken;
}

static inline uint8_t bytes_u8(struct byte_reader *reader)
{
    const uint8_t *p = bytes_take(reader, 1);
    return p ? *p : 0;
}

static inline uint32_t bytes_u32_le(struct byte_reader *reader)
{
    const uint8_t *p = bytes_take(reader, 4);
    return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24
             : 0;
}

static inline uint64_t bytes_u64_le(struct byte_reader *reader)
{
    uint64_t low = bytes_u32_le(reader);
    return low | (uint64_t)bytes_u32_le(reader) << 32;
}

/* Unsigned LEB128, at most ten bytes, as Avro and Protocol Buffers write it. */
static inline uint64_t bytes_varint(struct byte_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = bytes_u8(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return reader->failed ? 0 : value;
    }
    reader->failed = true;
    return 0;
}

static inline int64_t bytes_zigzag(struct byte_reader *reader)
{
    uint64_t value = bytes_varint(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Writers return the place behind what they wrote. */
static inline uint8_t *bytes_put_u32_le(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static inline uint8_t *bytes_put_u64_le(uint8_t *at, uint64_t value)
{
    return bytes_put_u32_le(bytes_put_u32_le(at, (uint32_t)value), (uint32_t)(value >> 32));
}

#define BYTES_VARINT_MAX 10
static inline uint8_t *bytes_put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *bytes_put_zigzag(uint8_t *at, int64_t value)
{
    return bytes_put_varint(at, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static inline uint8_t *bytes_put(uint8_t *at, const void *data, size_t size)
{
    if (size)
        memcpy(at, data, size);
    return at + size;
}

#endif
