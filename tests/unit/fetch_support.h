/* Record batches as a broker keeps them, written by hand: whatever a test wants to be wrong is told
 * beside what is right. */
#ifndef TESTS_FETCH_SUPPORT_H
#define TESTS_FETCH_SUPPORT_H

#include "base/arena.h"
#include "base/big_endian.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "fetch/records.h"

#include <criterion/criterion.h>
#include <lz4frame.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 61 };
enum {
    GZIP = 1,
    SNAPPY = 2,
    LZ4 = 3,
    ZSTD = 4,
    APPEND = 8,
    IN_TRANSACTION = 16,
    CONTROL_MARK = 32
};

/* Bytes that grow. */
struct bytes {
    uint8_t *at;
    size_t size, room;
};

static inline uint8_t *more(struct bytes *bytes, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = 2 * (bytes->size + size);
        bytes->at = memory_resize(bytes->at, bytes->room);
    }
    bytes->size += size;
    return bytes->at + bytes->size - size;
}

static inline void add(struct bytes *bytes, const void *data, size_t size)
{
    (void)bytes_put(more(bytes, size), data, size);
}

static inline void add_zigzag(struct bytes *bytes, int64_t value)
{
    uint8_t room[BYTES_VARINT_MAX];
    add(bytes, room, (size_t)(bytes_put_zigzag(room, value) - room));
}

static inline void add_number(struct bytes *bytes, int64_t number, int size)
{
    (void)big_endian_put(more(bytes, (size_t)size), (uint64_t)number, size);
}

/* NULL: -1 and no bytes. */
static inline void add_text(struct bytes *bytes, const char *text)
{
    add_zigzag(bytes, text ? (int64_t)strlen(text) : -1);
    if (text)
        add(bytes, text, strlen(text));
}

struct pair {
    const char *name, *value;
};

/* A record; `extra` bytes stand behind it, within its size. */
struct made_record {
    int64_t delta, time;
    const char *key, *value;
    const struct pair *headers;
    int64_t header_count;
    size_t extra;
};

static inline void add_record(struct bytes *records, const struct made_record *record)
{
    struct bytes body = {0};
    add_number(&body, 0, 1);
    add_zigzag(&body, record->time);
    add_zigzag(&body, record->delta);
    add_text(&body, record->key);
    add_text(&body, record->value);
    add_zigzag(&body, record->header_count);
    for (int64_t i = 0; record->headers && i < record->header_count; i++) {
        add_text(&body, record->headers[i].name);
        add_text(&body, record->headers[i].value);
    }
    memset(more(&body, record->extra), 0, record->extra);
    add_zigzag(records, (int64_t)body.size);
    add(records, body.at, body.size);
    free(body.at);
}

/* Records with deltas from `first` on, of which each value is the record's offset as a text. */
static inline void add_values(struct bytes *records, int64_t base, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "%lld", (long long)base + i);
        add_record(records, &(struct made_record){.delta = i, .key = "k", .value = value});
    }
}

struct made_batch {
    int64_t base;
    int32_t last_delta, count;
    unsigned attributes;
    int64_t base_ms, max_ms, producer;
    int magic; /* 0: 2 */
};

static inline void stamp(uint8_t *batch, size_t size)
{
    (void)big_endian_put32(batch + 17, crc32c(batch + 21, size - 21));
}

/* The content is written as it is, packed or not. Returns where the batch begins. */
static inline size_t add_batch(struct bytes *out, const struct made_batch *batch,
                               const struct bytes *content)
{
    size_t begin = out->size;
    add_number(out, batch->base, 8);
    add_number(out, (int64_t)(HEADER - 12 + content->size), 4);
    add_number(out, 7, 4);
    add_number(out, batch->magic ? batch->magic : 2, 1);
    add_number(out, 0, 4);
    add_number(out, batch->attributes, 2);
    add_number(out, batch->last_delta, 4);
    add_number(out, batch->base_ms, 8);
    add_number(out, batch->max_ms, 8);
    add_number(out, batch->producer, 8);
    add_number(out, 0, 2);
    add_number(out, 0, 4);
    add_number(out, batch->count, 4);
    add(out, content->at, content->size);
    stamp(out->at + begin, out->size - begin);
    return begin;
}

static inline struct bytes lz4_frame(const struct bytes *plain, const LZ4F_preferences_t *how)
{
    struct bytes packed = {0};
    size_t bound = LZ4F_compressFrameBound(plain->size, how);
    (void)more(&packed, bound);
    packed.size = LZ4F_compressFrame(packed.at, bound, plain->at, plain->size, how);
    cr_assert(!LZ4F_isError(packed.size));
    return packed;
}

/* `count` records of the offsets from `base` on. */
static inline void add_simple_batch(struct bytes *out, int64_t base, int count, unsigned attributes,
                                    int64_t producer)
{
    struct bytes content = {0};
    add_values(&content, base, 0, count);
    if ((attributes & 7) == LZ4) {
        struct bytes packed = lz4_frame(&content, NULL);
        free(content.at);
        content = packed;
    }
    (void)add_batch(out,
                    &(struct made_batch){.base = base,
                                         .last_delta = count - 1,
                                         .count = count,
                                         .attributes = attributes,
                                         .producer = producer},
                    &content);
    free(content.at);
}

/* The end of a producer's transaction. */
static inline void add_mark(struct bytes *out, int64_t offset, int64_t producer, bool commits)
{
    struct bytes body = {0}, content = {0};
    add(&body, "\0\0\0", 3); /* attributes, time, offset */
    add_zigzag(&body, 4);
    add_number(&body, 0, 2);
    add_number(&body, commits, 2);
    add_zigzag(&body, 6);
    add(&body, "\0\0\0\0\0\1", 6);
    add_zigzag(&body, 0);
    add_zigzag(&content, (int64_t)body.size);
    add(&content, body.at, body.size);
    (void)add_batch(out,
                    &(struct made_batch){.base = offset,
                                         .count = 1,
                                         .attributes = IN_TRANSACTION | CONTROL_MARK,
                                         .producer = producer},
                    &content);
    free(body.at);
    free(content.at);
}

#endif
