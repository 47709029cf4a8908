/* A day of counters as bytes: u8 version, u32 low half of XXH64 of the rest (seed 1), varint cells,
 * then the cells in the order of (measure, dimension, value, second), each u8 measure, u8
 * dimension, varint value, varint second, zigzag amount. No cell is 0. */
#ifndef PACT_DAY_PACK_H
#define PACT_DAY_PACK_H

#include "base/bytes.h"
#include "pact/counters.h"

struct day_cell {
    uint8_t measure, dimension;
    uint32_t value, second;
    int64_t amount;
};

int day_cell_order(const struct day_cell *a, const struct day_cell *b);
size_t day_pack_bound(size_t count);
/* Cells in their order; gives the size. */
size_t day_pack(const struct day_cell *cells, size_t count, uint8_t *bytes);

/* Reads cell by cell. Begin tells whether the bytes are whole, next whether there was one more; a
 * day whose `damaged` is set at the end is not as it was written. */
struct day_reader {
    struct byte_reader reader;
    uint64_t left;
    struct day_cell last;
    bool any, damaged;
};
bool day_reader_begin(struct day_reader *reader, const uint8_t *bytes, size_t size);
bool day_reader_next(struct day_reader *reader, struct day_cell *cell);

#endif
