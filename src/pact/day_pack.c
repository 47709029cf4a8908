#include "pact/day_pack.h"

#include "base/hash.h"

#define VERSION 1
#define HEAD_BYTES 5 /* version and checksum */
#define CHECKSUM_SEED 1
#define CELL_BYTES (2 + 3 * BYTES_VARINT_MAX)
#define CELL_BYTES_LEAST 5

static uint64_t head_of(const struct day_cell *cell)
{
    return (uint64_t)cell->measure << 40 | (uint64_t)cell->dimension << 32 | cell->value;
}

int day_cell_order(const struct day_cell *a, const struct day_cell *b)
{
    uint64_t first = head_of(a), second = head_of(b);
    if (first != second)
        return first < second ? -1 : 1;
    return (a->second > b->second) - (a->second < b->second);
}

size_t day_pack_bound(size_t count)
{
    return HEAD_BYTES + BYTES_VARINT_MAX + count * CELL_BYTES;
}

size_t day_pack(const struct day_cell *cells, size_t count, uint8_t *bytes)
{
    uint8_t *rest = bytes + HEAD_BYTES, *at = bytes_put_varint(rest, count);
    for (size_t i = 0; i < count; i++) {
        *at++ = cells[i].measure;
        *at++ = cells[i].dimension;
        at = bytes_put_varint(at, cells[i].value);
        at = bytes_put_varint(at, cells[i].second);
        at = bytes_put_zigzag(at, cells[i].amount);
    }
    bytes[0] = VERSION;
    bytes_put_u32_le(bytes + 1, (uint32_t)hash64(rest, (size_t)(at - rest), CHECKSUM_SEED));
    return (size_t)(at - bytes);
}

bool day_reader_begin(struct day_reader *reader, const uint8_t *bytes, size_t size)
{
    *reader = (struct day_reader){.reader = {.at = bytes, .end = size ? bytes + size : bytes}};
    struct byte_reader *from = &reader->reader;
    bool known = bytes_u8(from) == VERSION;
    uint32_t checksum = bytes_u32_le(from);
    if (!known || from->failed ||
        (uint32_t)hash64(from->at, bytes_left(from), CHECKSUM_SEED) != checksum) {
        reader->damaged = true;
        return false;
    }
    reader->left = bytes_varint(from);
    reader->damaged =
        from->failed || !reader->left || reader->left > bytes_left(from) / CELL_BYTES_LEAST;
    return !reader->damaged;
}

static bool is_sound(const struct day_reader *reader, const struct day_cell *cell, uint64_t value,
                     uint64_t second)
{
    return !reader->reader.failed && cell->measure < PACT_MEASURES &&
           cell->dimension < PACT_DIMENSIONS && value <= UINT32_MAX && second <= UINT32_MAX &&
           cell->amount && (!reader->any || day_cell_order(&reader->last, cell) < 0);
}

bool day_reader_next(struct day_reader *reader, struct day_cell *cell)
{
    struct byte_reader *from = &reader->reader;
    if (reader->damaged)
        return false;
    if (!reader->left) {
        reader->damaged = bytes_left(from) > 0;
        return false;
    }
    cell->measure = bytes_u8(from);
    cell->dimension = bytes_u8(from);
    uint64_t value = bytes_varint(from), second = bytes_varint(from);
    cell->value = (uint32_t)value;
    cell->second = (uint32_t)second;
    cell->amount = bytes_zigzag(from);
    reader->damaged = !is_sound(reader, cell, value, second);
    reader->last = *cell;
    reader->any = true;
    reader->left--;
    return !reader->damaged;
}
