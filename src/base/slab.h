/* Memory for many small things that come and go: pieces of some sizes, cut from great blocks, that
 * are used again for what is of the same size. There is nothing between them, and the owner says
 * how large a piece was. Not for threads to share. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

#define SLAB_LARGEST 1024 /* bytes; larger pieces are the C library's */
#define SLAB_LINE 64 /* pieces of at least so many bytes are made of whole lines of the cache */
#define SLAB_STEP 16
#define SLAB_SIZES (SLAB_LINE / SLAB_STEP + SLAB_LARGEST / SLAB_LINE)

struct slab_piece;
struct slab_block;
struct slab {
    struct slab_piece *free[SLAB_SIZES];
    unsigned char *fresh; /* of the newest block */
    size_t fresh_bytes;
    struct slab_block *blocks;
};

/* All zero is an empty one, too. */
void slab_init(struct slab *slab);
/* Gives back all blocks, and with them every piece; not the larger ones. */
void slab_fini(struct slab *slab);
/* Bytes that a piece takes; 0 of 0. */
size_t slab_piece_bytes(size_t size);
/* As realloc, with the size that was asked for before; 0 gives the piece back. Aligned to 16 bytes.
 * Ends the process when the machine has no memory. */
void *slab_resize(struct slab *slab, void *old, size_t old_size, size_t new_size);

#endif
