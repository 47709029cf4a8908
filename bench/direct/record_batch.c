#include "direct/record_batch.h"

#include "base/arena.h"
#include "base/big_endian.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "direct/lz4_frame.h"

#include <stdlib.h>

#define RECORD_OVERHEAD 40 /* at most, of lengths and deltas */
#define LZ4 3              /* in the attributes */
/* Places in the header. */
enum {
    LENGTH_AT = 8,
    EPOCH_AT = 12,
    MAGIC_AT = 16,
    CRC_AT = 17,
    ATTRIBUTES_AT = 21,
    LAST_DELTA_AT = 23,
    BASE_TIME_AT = 27,
    MAX_TIME_AT = 35,
    PRODUCER_AT = 43,
    COUNT_AT = 57
};

void record_batch_init(struct record_batch *batch, size_t room)
{
    *batch = (struct record_batch){.bytes = memory_take(room), .room = room};
}

void record_batch_fini(struct record_batch *batch)
{
    free(batch->bytes);
    *batch = (struct record_batch){0};
}

void record_batch_clear(struct record_batch *batch)
{
    batch->size = 0;
    batch->count = 0;
}

static inline size_t varint_size(uint64_t zigzag)
{
    size_t size = 1;
    for (; zigzag >= 0x80; zigzag >>= 7)
        size++;
    return size;
}

void record_batch_add(struct record_batch *batch, const char *key, size_t key_size,
                      const uint8_t *value, size_t value_size)
{
    size_t most = batch->size + key_size + value_size + RECORD_OVERHEAD;
    if (most > batch->room) {
        batch->room = 2 * most;
        batch->bytes = memory_resize(batch->bytes, batch->room);
    }
    /* Attributes, difference of times and number of headers are a zero byte each. */
    size_t body = 3 + varint_size((uint64_t)batch->count << 1) + varint_size(key_size << 1) +
                  key_size + varint_size(value_size << 1) + value_size;
    uint8_t *at = batch->bytes + batch->size;
    at = bytes_put_varint(at, body << 1);
    *at++ = 0;
    *at++ = 0;
    at = bytes_put_varint(at, (uint64_t)batch->count << 1);
    at = bytes_put_varint(at, key_size << 1);
    at = bytes_put(at, key, key_size);
    at = bytes_put_varint(at, value_size << 1);
    at = bytes_put(at, value, value_size);
    *at++ = 0;
    batch->size = (size_t)(at - batch->bytes);
    batch->count++;
}

size_t record_batch_bound(const struct record_batch *batch)
{
    return RECORD_BATCH_HEADER + lz4_frame_bound(batch->size);
}

size_t record_batch_seal(const struct record_batch *batch, bool lz4, uint8_t *out)
{
    size_t size = batch->size;
    if (lz4)
        size = lz4_frame_write(batch->bytes, batch->size, out + RECORD_BATCH_HEADER);
    else
        (void)bytes_put(out + RECORD_BATCH_HEADER, batch->bytes, batch->size);
    memset(out, 0, RECORD_BATCH_HEADER);
    big_endian_put32(out + LENGTH_AT, (uint32_t)(RECORD_BATCH_HEADER - EPOCH_AT + size));
    big_endian_put32(out + EPOCH_AT, UINT32_MAX); /* unknown to clients */
    out[MAGIC_AT] = 2;
    big_endian_put16(out + ATTRIBUTES_AT, lz4 ? LZ4 : 0);
    big_endian_put32(out + LAST_DELTA_AT, batch->count - 1);
    memset(out + PRODUCER_AT, 0xff, COUNT_AT - PRODUCER_AT); /* no producer id: not idempotent */
    big_endian_put32(out + COUNT_AT, batch->count);
    return RECORD_BATCH_HEADER + size;
}

void record_batch_stamp(uint8_t *sealed, size_t size, int64_t time_ms)
{
    big_endian_put64(sealed + BASE_TIME_AT, (uint64_t)time_ms);
    big_endian_put64(sealed + MAX_TIME_AT, (uint64_t)time_ms);
    big_endian_put32(sealed + CRC_AT, crc32c(sealed + ATTRIBUTES_AT, size - ATTRIBUTES_AT));
}
