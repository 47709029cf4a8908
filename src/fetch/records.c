#include "fetch/records.h"

#include "base/big_endian.h"
#include "base/crc32c.h"

#include <lz4frame.h>
#include <stdlib.h>

/* Of a batch: base offset 8, size of what follows 4, leader's epoch 4, version 1, check 4,
 * attributes 2, last offset's delta 4, base time 8, greatest time 8, producer 8, its epoch 2, first
 * sequence 4, records 4. */
enum {
    BATCH_FRAME = 12,      /* base offset and size */
    BATCH_MAGIC = 16,      /* where the version stands, in every version */
    BATCH_HEADER = 61,     /* all of the above */
    BATCH_CHECKED = 21,    /* the check is of everything from here on */
    BATCH_LAST_DELTA = 23, /* where that stands */
    BATCH_VERSION = 2,
};
enum {
    CODEC = 7,
    CODEC_NONE = 0,
    CODEC_LZ4 = 3,
    APPEND_TIME = 8,
    TRANSACTIONAL = 16,
    CONTROL = 32
};
#define CONTROL_ABORT 0
#define UNPACKED_MAX (UINT32_C(1) << 30) /* bytes of a batch; a broker takes none of that size */
#define UNPACKED_FULL                                                                              \
    (UINT32_C(1) << 23) /* bytes that are lent at once, but for the last batch                     \
                         */
#define PIECE_FIRST (UINT32_C(1) << 18)
#define PIECE_KEPT UNPACKED_FULL
#define PACKED_RATIO 4 /* a guess that saves moving what was unpacked */

/* ---- unpacking
 * --------------------------------------------------------------------------------------- */

struct piece {
    uint8_t *bytes;
    size_t room;
};

/* Batches lie one behind the other in pieces, each within one piece. */
struct fetch_unpacker {
    LZ4F_dctx *lz4;
    struct piece *pieces;
    size_t count, used;
    size_t filled;     /* of the last piece that is used */
    size_t lent;       /* bytes since the last reuse */
    bool last_is_open; /* the last batch is not read to its end */
};

struct fetch_unpacker *fetch_unpacker_create(void)
{
    struct fetch_unpacker *unpacker = memory_take_zeroed(1, sizeof *unpacker);
    if (LZ4F_isError(LZ4F_createDecompressionContext(&unpacker->lz4, LZ4F_VERSION)))
        unpacker->lz4 = NULL; /* every packed batch is unknown then */
    return unpacker;
}

void fetch_unpacker_destroy(struct fetch_unpacker *unpacker)
{
    if (!unpacker)
        return;
    (void)LZ4F_freeDecompressionContext(unpacker->lz4);
    for (size_t i = 0; i < unpacker->count; i++)
        free(unpacker->pieces[i].bytes);
    free(unpacker->pieces);
    free(unpacker);
}

/* A single monstrous batch does not cost its room for ever. */
static void give_back(struct fetch_unpacker *unpacker)
{
    for (size_t i = unpacker->used; i < unpacker->count;) {
        if (unpacker->pieces[i].room <= PIECE_KEPT) {
            i++;
            continue;
        }
        free(unpacker->pieces[i].bytes);
        unpacker->pieces[i] = unpacker->pieces[--unpacker->count];
    }
}

void fetch_unpacker_reuse(struct fetch_unpacker *unpacker)
{
    unpacker->lent = 0;
    if (unpacker->used && unpacker->last_is_open) {
        struct piece open = unpacker->pieces[unpacker->used - 1];
        unpacker->pieces[unpacker->used - 1] = unpacker->pieces[0];
        unpacker->pieces[0] = open;
        unpacker->used = 1;
    } else {
        unpacker->used = unpacker->filled = 0;
    }
    give_back(unpacker);
}

static struct piece *last_piece(const struct fetch_unpacker *unpacker)
{
    return &unpacker->pieces[unpacker->used - 1];
}

static void use_piece(struct fetch_unpacker *unpacker, size_t room)
{
    if (unpacker->used == unpacker->count) {
        unpacker->pieces =
            memory_resize(unpacker->pieces, (unpacker->count + 1) * sizeof *unpacker->pieces);
        unpacker->pieces[unpacker->count++] = (struct piece){0};
    }
    unpacker->used++;
    unpacker->filled = 0;
    struct piece *piece = last_piece(unpacker);
    if (piece->room >= room)
        return;
    free(piece->bytes);
    *piece = (struct piece){memory_take(room), room};
}

static void find_room(struct fetch_unpacker *unpacker, size_t packed)
{
    size_t room = packed < UNPACKED_MAX / PACKED_RATIO ? packed * PACKED_RATIO : UNPACKED_MAX;
    if (!unpacker->used || last_piece(unpacker)->room - unpacker->filled < room)
        use_piece(unpacker, room > PIECE_FIRST ? room : PIECE_FIRST);
}

/* The batch being unpacked has come to the end of its piece. What lies before it is lent, and stays
 * where it is. */
static bool find_more_room(struct fetch_unpacker *unpacker, size_t made)
{
    struct piece *piece = last_piece(unpacker);
    if (made >= UNPACKED_MAX)
        return false;
    if (unpacker->filled == 0) {
        piece->room *= 2;
        piece->bytes = memory_resize(piece->bytes, piece->room);
        return true;
    }
    const uint8_t *from = piece->bytes + unpacker->filled;
    use_piece(unpacker, 2 * made > PIECE_FIRST ? 2 * made : PIECE_FIRST);
    (void)bytes_put(last_piece(unpacker)->bytes, from, made);
    return true;
}

/* A whole frame. */
static bool unpack_lz4(struct fetch_unpacker *unpacker, struct byte_reader *packed)
{
    size_t made = 0, hint = 1;
    find_room(unpacker, bytes_left(packed));
    while (hint != 0) {
        struct piece *piece = last_piece(unpacker);
        size_t room = piece->room - unpacker->filled - made, size = bytes_left(packed);
        bool full = room == 0;
        if (!full)
            hint = LZ4F_decompress(unpacker->lz4, piece->bytes + unpacker->filled + made, &room,
                                   packed->at, &size, NULL);
        bool failed = !full && (LZ4F_isError(hint) || (hint != 0 && room == 0 && size == 0));
        if (failed || (full && !find_more_room(unpacker, made))) {
            LZ4F_resetDecompressionContext(unpacker->lz4);
            return false;
        }
        if (full)
            continue;
        made += room;
        packed->at += size;
    }
    *packed = (struct byte_reader){.at = last_piece(unpacker)->bytes + unpacker->filled};
    packed->end = packed->at + made;
    unpacker->filled += made;
    unpacker->lent += made;
    return true;
}

/* ---- batches
 * ----------------------------------------------------------------------------------------- */

/* Of numbers that may be anything. */
static int64_t sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t number_at(const uint8_t *at, int size)
{
    struct byte_reader reader = {.at = at, .end = at + size};
    return (int64_t)big_endian_read(&reader, size);
}

static int32_t number32_at(const uint8_t *at)
{
    return (int32_t)number_at(at, 4);
}

size_t fetch_records_first(const uint8_t *bytes, size_t size)
{
    if (size < BATCH_FRAME)
        return 0;
    int32_t rest = number32_at(bytes + 8);
    return rest >= 0 && (size_t)rest <= size - BATCH_FRAME ? BATCH_FRAME + (size_t)rest : 0;
}

int64_t fetch_records_end(int64_t position, const uint8_t *bytes, size_t size)
{
    for (size_t whole; (whole = fetch_records_first(bytes, size)) != 0;
         bytes += whole, size -= whole) {
        if (whole < BATCH_HEADER || bytes[BATCH_MAGIC] != BATCH_VERSION)
            return position; /* the reader will say so */
        int64_t end = sum(number_at(bytes, 8), number32_at(bytes + BATCH_LAST_DELTA) + INT64_C(1));
        position = end > position ? end : position;
    }
    return position;
}

void fetch_records_init(struct fetch_records *records, int64_t position, const uint8_t *bytes,
                        size_t size, struct fetch_aborted *aborted, int64_t *aborting,
                        size_t aborted_count)
{
    *records = (struct fetch_records){.position = position,
                                      .aborted = aborted,
                                      .aborted_count = aborted_count,
                                      .aborting = aborting,
                                      .outcome = FETCH_READ};
    if (size)
        records->batches = (struct byte_reader){.at = bytes, .end = bytes + size};
}

static size_t find_aborting(const struct fetch_records *records, int64_t producer)
{
    size_t i = 0;
    while (i < records->aborting_count && records->aborting[i] != producer)
        i++;
    return i;
}

static void enter_aborted(struct fetch_records *records, int64_t last_offset)
{
    while (records->aborted_next < records->aborted_count &&
           records->aborted[records->aborted_next].first <= last_offset) {
        int64_t producer = records->aborted[records->aborted_next++].producer;
        if (find_aborting(records, producer) == records->aborting_count)
            records->aborting[records->aborting_count++] = producer;
    }
}

/* The mark's key: version 2, kind 2; in a record of its own. */
static bool is_abort_mark(struct byte_reader content)
{
    (void)bytes_zigzag(&content); /* size */
    (void)bytes_u8(&content);     /* attributes */
    (void)bytes_zigzag(&content); /* time */
    (void)bytes_zigzag(&content); /* offset */
    int64_t key = bytes_zigzag(&content);
    (void)big_endian_read(&content, 2);
    return big_endian_read(&content, 2) == CONTROL_ABORT && key >= 4 && !content.failed;
}

static void leave_aborted(struct fetch_records *records, int64_t producer)
{
    size_t i = find_aborting(records, producer);
    if (i < records->aborting_count)
        records->aborting[i] = records->aborting[--records->aborting_count];
}

static bool is_left_out(struct fetch_records *records, const struct byte_reader *content,
                        unsigned attributes, int64_t producer)
{
    enter_aborted(records, records->last_offset);
    if (attributes & CONTROL) {
        if (is_abort_mark(*content))
            leave_aborted(records, producer);
        return true;
    }
    return attributes & TRANSACTIONAL && find_aborting(records, producer) < records->aborting_count;
}

/* The next batch, if its header is what it should be. */
static enum fetch_read take_batch(struct byte_reader *batches, struct byte_reader *batch)
{
    size_t left = bytes_left(batches), size = fetch_records_first(batches->at, left);
    if (left >= BATCH_FRAME && number32_at(batches->at + 8) < 0)
        return FETCH_CORRUPT;
    if (!size)
        return FETCH_END;
    const uint8_t *at = bytes_take(batches, size);
    if (size <= BATCH_MAGIC)
        return FETCH_CORRUPT;
    if (at[BATCH_MAGIC] != BATCH_VERSION)
        return FETCH_UNKNOWN;
    if (size < BATCH_HEADER ||
        crc32c(at + BATCH_CHECKED, size - BATCH_CHECKED) != (uint32_t)number32_at(at + 17))
        return FETCH_CORRUPT;
    int64_t base = number_at(at, 8), delta = number32_at(at + BATCH_LAST_DELTA);
    if (base < 0 || delta < 0 || base >= INT64_MAX - delta || number32_at(at + 57) < 0)
        return FETCH_CORRUPT;
    *batch = (struct byte_reader){.at = at, .end = at + size};
    return FETCH_READ;
}

/* READ: a batch is open, or one was read over. */
static enum fetch_read open_batch(struct fetch_records *records, struct fetch_unpacker *unpacker)
{
    struct byte_reader batch;
    if (unpacker->lent >= UNPACKED_FULL)
        return FETCH_FULL;
    enum fetch_read read = take_batch(&records->batches, &batch);
    if (read != FETCH_READ)
        return read;
    const uint8_t *at = bytes_take(&batch, BATCH_HEADER);
    unsigned attributes = (unsigned)number_at(at + 21, 2), codec = attributes & CODEC;
    records->base_offset = number_at(at, 8);
    records->last_offset = records->base_offset + number32_at(at + BATCH_LAST_DELTA);
    records->former = records->base_offset - 1;
    records->base_ms = number_at(at + 27, 8);
    records->append_ms = attributes & APPEND_TIME ? number_at(at + 35, 8) : -1;
    bool wanted = !is_left_out(records, &batch, attributes, number_at(at + 43, 8)) &&
                  records->last_offset >= records->position;
    if (wanted && codec != CODEC_NONE && (codec != CODEC_LZ4 || !unpacker->lz4))
        return FETCH_UNKNOWN;
    if (wanted && codec == CODEC_LZ4 && !unpack_lz4(unpacker, &batch))
        return FETCH_CORRUPT;
    records->left = wanted ? (uint32_t)number32_at(at + 57) : 0;
    records->open = batch;
    if (records->left && codec == CODEC_LZ4)
        unpacker->last_is_open = true;
    if (!records->left && records->last_offset >= records->position)
        records->position = records->last_offset + 1;
    return FETCH_READ;
}

/* ---- records
 * ----------------------------------------------------------------------------------------- */

static inline int64_t read_zigzag(struct byte_reader *reader)
{
    if (reader->at < reader->end && *reader->at < 0x80) {
        uint8_t byte = *reader->at++;
        return (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
    }
    return bytes_zigzag(reader);
}

/* Size -1, and what is not there: NULL, and 0 bytes. */
static const uint8_t *read_bytes(struct byte_reader *reader, size_t *size)
{
    int64_t given = read_zigzag(reader);
    *size = 0;
    if (given == -1)
        return NULL;
    const uint8_t *bytes = bytes_take(reader, (uint64_t)given);
    if (bytes)
        *size = (size_t)given;
    return bytes;
}

static void read_headers(struct byte_reader *reader, struct arena *arena, struct record *record)
{
    int64_t count = read_zigzag(reader);
    if (count == 0)
        return;
    if (count < 0 || (uint64_t)count > bytes_left(reader)) {
        reader->failed = true;
        return;
    }
    struct header *headers = arena_take(arena, (size_t)count * sizeof *headers);
    for (int64_t i = 0; i < count && !reader->failed; i++) {
        size_t size;
        const uint8_t *name = read_bytes(reader, &size);
        char *text = arena_take(arena, size + 1);
        if (name)
            memcpy(text, name, size);
        text[name ? size : 0] = '\0';
        headers[i].name = text;
        headers[i].value = (const void *)read_bytes(reader, &headers[i].value_size);
    }
    record->headers = headers;
    record->header_count = (size_t)count;
}

static bool read_record(struct fetch_records *records, struct arena *arena, struct record *record)
{
    int64_t size = read_zigzag(&records->open);
    const uint8_t *at = bytes_take(&records->open, (uint64_t)size);
    if (!at)
        return false;
    struct byte_reader reader = {.at = at, .end = at + size};
    (void)bytes_u8(&reader);
    int64_t time = read_zigzag(&reader), offset = read_zigzag(&reader);
    *record = (struct record){.offset = sum(records->base_offset, offset)};
    record->timestamp_ms = records->append_ms >= 0 ? records->append_ms
                           : records->base_ms >= 0 ? sum(records->base_ms, time)
                                                   : -1;
    record->key = read_bytes(&reader, &record->key_size);
    record->value = read_bytes(&reader, &record->value_size);
    read_headers(&reader, arena, record);
    return !reader.failed && bytes_left(&reader) == 0;
}

/* Offsets grow within a batch, and none lies beyond its end; nothing follows the last record. */
static bool fits(struct fetch_records *records, const struct record *record)
{
    bool fits = record->offset > records->former && record->offset <= records->last_offset;
    records->former = record->offset;
    return fits && (records->left > 1 || bytes_left(&records->open) == 0);
}

enum fetch_read fetch_records_next(struct fetch_records *records, struct fetch_unpacker *unpacker,
                                   struct arena *arena, struct record *record)
{
    for (;;) {
        while (records->left == 0 && records->outcome == FETCH_READ) {
            enum fetch_read read = open_batch(records, unpacker);
            if (read == FETCH_FULL)
                return read;
            records->outcome = read;
        }
        if (records->outcome != FETCH_READ)
            return records->outcome;
        if (!read_record(records, arena, record) || !fits(records, record)) {
            records->outcome = FETCH_CORRUPT;
            return FETCH_CORRUPT;
        }
        bool before = record->offset < records->position;
        if (!before)
            records->position = record->offset + 1;
        if (--records->left == 0) {
            records->position = records->last_offset + 1;
            unpacker->last_is_open = false;
        }
        if (!before)
            return FETCH_READ;
    }
}
