/* The LZ4 frame format as Kafka reads it: independent blocks of at most 64 KiB. The compressor
 * itself is the liblz4 that librdkafka has brought into the process. */
#ifndef BENCH_DIRECT_LZ4_FRAME_H
#define BENCH_DIRECT_LZ4_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False when no liblz4 is in the process. */
bool lz4_frame_available(void);
/* The most that a frame of `size` bytes takes. */
size_t lz4_frame_bound(size_t size);
/* Returns the size of the frame. `room` has lz4_frame_bound(size) bytes. */
size_t lz4_frame_write(const uint8_t *data, size_t size, uint8_t *room);

#endif
