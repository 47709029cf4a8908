/* Scratch memory of a batch: taken piece by piece, given back all at once. Not for threads to
 * share. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *first, *current;
    size_t used;        /* of the current block */
    size_t block_bytes; /* size of an ordinary block */
    size_t total_bytes; /* of all blocks */
};

void arena_init(struct arena *arena, size_t block_bytes);
void arena_fini(struct arena *arena);
/* Aligned to 16 bytes, not cleared; ends the process when the machine has no memory. */
void *arena_take(struct arena *arena, size_t size);
/* Gives back the end of what was taken last: it keeps `size` bytes. */
void arena_trim(struct arena *arena, const void *taken, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
/* Gives everything back and keeps the blocks for the next batch. */
void arena_reset(struct arena *arena);

/* malloc, aligned_alloc, calloc and realloc that end the process with one line when the machine has
 * no memory. */
void *memory_take(size_t size);
void *memory_take_aligned(size_t alignment,
                          size_t size); /* a power of two; size a multiple of it */
void *memory_take_zeroed(size_t count, size_t size);
void *memory_resize(void *old, size_t size);
/* For the path of an event: what gcc makes of a memset of some hundred bytes (rep stos) takes
 * longer to begin than the C library's takes altogether. */
void memory_clear(void *at, size_t size);
char *memory_copy_text(const char *text);

#endif
