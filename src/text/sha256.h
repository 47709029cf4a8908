/* SHA-256 in lower-case hex. Any thread. */
#ifndef TEXT_SHA256_H
#define TEXT_SHA256_H

#include <stddef.h>

#define SHA256_HEX_SIZE 64
/* HMAC (RFC 2104) with SHA-256, the same way. */
void hmac_sha256_hex(const void *key, size_t key_size, const void *data, size_t size,
                     char hex[SHA256_HEX_SIZE + 1]);
/* `hex` ends with NUL. */
void sha256_hex(const void *data, size_t size, char hex[SHA256_HEX_SIZE + 1]);

#endif
