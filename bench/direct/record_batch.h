/* Kafka's record batch, version 2: records are written one behind the other as they come, packed
 * when the batch is sealed, and stamped with a time when it is sent. */
#ifndef BENCH_DIRECT_RECORD_BATCH_H
#define BENCH_DIRECT_RECORD_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_BATCH_HEADER 61 /* bytes */

/* The records of a batch that is still open. */
struct record_batch {
    uint8_t *bytes;
    size_t size, room;
    uint32_t count;
};

void record_batch_init(struct record_batch *batch, size_t room);
void record_batch_fini(struct record_batch *batch);
/* Grows as needed; no allocation once it has been as large as it gets. */
void record_batch_add(struct record_batch *batch, const char *key, size_t key_size,
                      const uint8_t *value, size_t value_size);
void record_batch_clear(struct record_batch *batch);

/* The most that record_batch_seal writes. */
size_t record_batch_bound(const struct record_batch *batch);
/* Writes header and records; returns their size. Time and check are record_batch_stamp's. */
size_t record_batch_seal(const struct record_batch *batch, bool lz4, uint8_t *out);
/* Gives all records of a sealed batch this time, and the batch its check. */
void record_batch_stamp(uint8_t *sealed, size_t size, int64_t time_ms);

#endif
