/* Bytes as text: RFC 4648 with padding. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of text for so many bytes; no NUL is counted or written. */
static inline size_t base64_text_size(size_t size)
{
    return (size + 2) / 3 * 4;
}
void base64_write(const void *bytes, size_t size, char *text);

/* Room that reading so much text needs. */
static inline size_t base64_bytes_max(size_t text_size)
{
    return text_size / 4 * 3 + 3;
}
/* False: it is none. */
bool base64_read(const char *text, size_t text_size, uint8_t *bytes, size_t *size);

#endif
