/* XXH64 (xxhash.com, revision 0.1.1), written here because domain may not link a library.
 * Compared with libxxhash in the tests. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *data, size_t size, uint64_t seed);

#endif
