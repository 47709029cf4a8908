#include "base/slab.h"

#include "base/arena.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK_BYTES ((size_t)2 * 1024 * 1024) /* a great page */
#define RUN 16 /* pieces that are smaller than a line are cut so many at a time */

/* The sanitizer sees what the C library gives, and not what is cut from it. */
#ifdef __SANITIZE_ADDRESS__
#define CUTS 0
#else
#define CUTS 1
#endif

struct slab_piece {
    struct slab_piece *next;
};

/* In front of the first piece. */
struct slab_block {
    _Alignas(SLAB_LINE) struct slab_block *next;
};

void slab_init(struct slab *slab)
{
    *slab = (struct slab){0};
}

void slab_fini(struct slab *slab)
{
    for (struct slab_block *block = slab->blocks; block;) {
        struct slab_block *next = block->next;
        free(block);
        block = next;
    }
    slab_init(slab);
}

size_t slab_piece_bytes(size_t size)
{
    if (size > SLAB_LARGEST)
        return size;
    size_t step = size < SLAB_LINE ? SLAB_STEP : SLAB_LINE;
    return (size + step - 1) & ~(step - 1);
}

static bool is_cut(size_t size)
{
    return CUTS && size <= SLAB_LARGEST;
}

static unsigned class_of(size_t bytes)
{
    return (unsigned)(bytes < SLAB_LINE ? bytes / SLAB_STEP
                                        : SLAB_LINE / SLAB_STEP - 1 + bytes / SLAB_LINE);
}

/* The pieces lie all over the place: great pages spare the walk to each, where the system has them.
 */
static void add_block(struct slab *slab)
{
    struct slab_block *block = memory_take_aligned(BLOCK_BYTES, BLOCK_BYTES);
    (void)madvise(block, BLOCK_BYTES, MADV_HUGEPAGE);
    block->next = slab->blocks;
    slab->blocks = block;
    slab->fresh = (unsigned char *)(block + 1);
    slab->fresh_bytes = BLOCK_BYTES - sizeof *block;
}

static void *cut(struct slab *slab, size_t bytes)
{
    if (slab->fresh_bytes < bytes)
        add_block(slab);
    void *piece = slab->fresh;
    slab->fresh += bytes;
    slab->fresh_bytes -= bytes;
    return piece;
}

static void put(struct slab *slab, void *memory, size_t bytes)
{
    struct slab_piece *piece = memory, **first = &slab->free[class_of(bytes)];
    piece->next = *first;
    *first = piece;
}

static void cut_run(struct slab *slab, size_t bytes)
{
    unsigned char *run = cut(slab, RUN * bytes);
    for (unsigned i = RUN; i > 0; i--)
        put(slab, run + (i - 1) * bytes, bytes);
}

static void *take(struct slab *slab, size_t bytes)
{
    struct slab_piece **first = &slab->free[class_of(bytes)];
    if (!*first && bytes >= SLAB_LINE)
        return cut(slab, bytes);
    if (!*first)
        cut_run(slab, bytes);
    struct slab_piece *piece = *first;
    *first = piece->next;
    return piece;
}

static void *new_piece(struct slab *slab, size_t size)
{
    return is_cut(size) ? take(slab, slab_piece_bytes(size)) : memory_take(size);
}

static void give_back(struct slab *slab, void *piece, size_t size)
{
    if (is_cut(size))
        put(slab, piece, slab_piece_bytes(size));
    else
        free(piece);
}

void *slab_resize(struct slab *slab, void *old, size_t old_size, size_t new_size)
{
    if (!old)
        return new_size ? new_piece(slab, new_size) : NULL;
    if (!is_cut(old_size) && !is_cut(new_size) && new_size)
        return memory_resize(old, new_size);
    if (new_size && slab_piece_bytes(old_size) == slab_piece_bytes(new_size))
        return old;
    void *piece = NULL;
    if (new_size) {
        piece = new_piece(slab, new_size);
        memcpy(piece, old, old_size < new_size ? old_size : new_size);
    }
    give_back(slab, old, old_size);
    return piece;
}
