/* A tree of JSON values → the bytes of an Avro record. One thread at a time. */
#ifndef CODEC_OUTGOING_AVRO_H
#define CODEC_OUTGOING_AVRO_H

#include "base/arena.h"

#include <jansson.h>
#include <stdint.h>

struct avro_record_writer;

/* The text is one of ours: that it is a record's schema is asserted. */
struct avro_record_writer *avro_record_writer_create(const char *schema, size_t size);
void avro_record_writer_destroy(struct avro_record_writer *writer);

/* Writes behind `prefix_size` bytes that are left free for a frame. The tree must have the schema's
 * fields, and null only where the schema has a union with null in front. Bytes are from the arena.
 */
uint8_t *avro_record_write(struct avro_record_writer *writer, const json_t *record,
                           size_t prefix_size, struct arena *arena, size_t *size);

#endif
