/* Numbers as Kafka's protocol has them. Writers return the place behind what they wrote; a reader
 * (base/bytes.h) that comes to its end fails and gives zero. */
#ifndef BASE_BIG_ENDIAN_H
#define BASE_BIG_ENDIAN_H

#include "base/bytes.h"

static inline uint8_t *big_endian_put(uint8_t *at, uint64_t number, int size)
{
    for (int i = 0; i < size; i++)
        at[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    return at + size;
}

static inline uint8_t *big_endian_put16(uint8_t *at, uint16_t number)
{
    return big_endian_put(at, number, 2);
}

static inline uint8_t *big_endian_put32(uint8_t *at, uint32_t number)
{
    return big_endian_put(at, number, 4);
}

static inline uint8_t *big_endian_put64(uint8_t *at, uint64_t number)
{
    return big_endian_put(at, number, 8);
}

/* size from 1 to 8 */
static inline uint64_t big_endian_read(struct byte_reader *reader, int size)
{
    const uint8_t *at = bytes_take(reader, (uint64_t)size);
    uint64_t number = 0;
    for (int i = 0; at && i < size; i++)
        number = number << 8 | at[i];
    return number;
}

#endif
