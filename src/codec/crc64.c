#include "codec/crc64.h"

#define POLYNOMIAL UINT64_C(0xc15d213aa4d7a795)

/* Bit by bit: a schema is fingerprinted once, so a table would cost more to fill than it saves. */
static uint64_t shift_byte(uint64_t crc)
{
    for (int bit = 0; bit < 8; bit++)
        crc = (crc >> 1) ^ (POLYNOMIAL & (0 - (crc & 1)));
    return crc;
}

uint64_t crc64_avro(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t crc = POLYNOMIAL;
    for (size_t i = 0; i < size; i++)
        crc = (crc >> 8) ^ shift_byte((crc ^ bytes[i]) & 0xff);
    return crc;
}
