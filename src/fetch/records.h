/* Reads records out of a partition's part of a Fetch answer: record batches of version 2, plain or
 * packed with LZ4, as https://kafka.apache.org/documentation/#recordbatch has them.
 *
 * What an aborted transaction wrote, and the marks that end transactions, are read over. Bytes may
 * be anything: nothing is read beyond their end. One thread. */
#ifndef FETCH_RECORDS_H
#define FETCH_RECORDS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "pipeline/ports.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A transaction that was aborted, with its first offset in this partition. */
struct fetch_aborted {
    int64_t producer, first;
};

/* Room for what was packed. A record of a packed batch points here. */
struct fetch_unpacker;
struct fetch_unpacker *fetch_unpacker_create(void);
void fetch_unpacker_destroy(struct fetch_unpacker *unpacker);
/* Nobody looks any more at the records that were read so far: their room is used again, but for
 * that of a batch that is still open. */
void fetch_unpacker_reuse(struct fetch_unpacker *unpacker);

enum fetch_read {
    FETCH_READ,    /* a record */
    FETCH_END,     /* no whole batch is left */
    FETCH_FULL,    /* reuse the unpacker first */
    FETCH_CORRUPT, /* a batch is not what its check says, or not well formed: `position` tells where
                    */
    FETCH_UNKNOWN  /* a batch of another version, or packed with another codec */
};

struct fetch_records {
    int64_t position; /* the next record's offset is this one or a greater one */
    struct byte_reader batches;
    struct fetch_aborted *aborted; /* by `first`; the caller's */
    size_t aborted_count, aborted_next;
    int64_t *aborting; /* producers within an aborted transaction; room for aborted_count */
    size_t aborting_count;
    /* the batch that is open; left 0: none */
    struct byte_reader open;
    uint32_t left;
    int64_t base_offset, last_offset;
    int64_t former;             /* offset of the record read last */
    int64_t base_ms, append_ms; /* append_ms < 0: each record has its own */
    enum fetch_read outcome; /* once it is not READ nothing more is read: no batch is passed by */
};

/* aborted and aborting are borrowed; both may be NULL where aborted_count is 0. */
void fetch_records_init(struct fetch_records *records, int64_t position, const uint8_t *bytes,
                        size_t size, struct fetch_aborted *aborted, int64_t *aborting,
                        size_t aborted_count);

/* Fills all but record->unit. What it points to lives as long as the bytes, the room of the
 * unpacker and the arena (headers). */
enum fetch_read fetch_records_next(struct fetch_records *records, struct fetch_unpacker *unpacker,
                                   struct arena *arena, struct record *record);

/* The size of the first batch; 0: not all of it is there. */
size_t fetch_records_first(const uint8_t *bytes, size_t size);
/* The offset behind the last whole batch, or `position` where there is none. Nothing is checked. */
int64_t fetch_records_end(int64_t position, const uint8_t *bytes, size_t size);

#endif
