/* XXH64 (xxhash.com, revision 0.1.1), written here because domain may not link a library.
 * Compared with libxxhash in the tests. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *data, size_t size, uint64_t seed);

/* For tables in memory, and nothing that is stored: of an id it takes a third of the time. The
 * short form of wyhash (github.com/wangyi-fudan/wyhash, version 4, public domain); its values
 * differ by the machine's order of bytes. */
uint64_t hash_quick(const void *data, size_t size, uint64_t seed);

#endif
