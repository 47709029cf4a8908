/* CRC-64-AVRO, the Rabin fingerprint of the Avro specification. Pure; any thread. */
#ifndef CODEC_CRC64_H
#define CODEC_CRC64_H

#include <stddef.h>
#include <stdint.h>

uint64_t crc64_avro(const void *data, size_t size);

#endif
