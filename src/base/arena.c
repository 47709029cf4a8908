#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(16) unsigned char bytes[];
};

static void *or_end(void *memory)
{
    if (!memory) {
        (void)fputs("baton: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *memory_take(size_t size)
{
    return or_end(malloc(size ? size : 1));
}

void *memory_take_aligned(size_t alignment, size_t size)
{
    return or_end(aligned_alloc(alignment, size));
}

void memory_clear(void *at, size_t size)
{
    memset(at, 0, size);
}

void *memory_take_zeroed(size_t count, size_t size)
{
    return or_end(calloc(count ? count : 1, size ? size : 1));
}

void *memory_resize(void *old, size_t size)
{
    return or_end(realloc(old, size ? size : 1));
}

char *memory_copy_text(const char *text)
{
    return or_end(strdup(text));
}

void arena_init(struct arena *arena, size_t block_bytes)
{
    *arena = (struct arena){.block_bytes = block_bytes};
}

void arena_fini(struct arena *arena)
{
    for (struct arena_block *block = arena->first; block;) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct arena){.block_bytes = arena->block_bytes};
}

static struct arena_block *add_block(struct arena *arena, size_t size)
{
    struct arena_block *block = memory_take(sizeof *block + size);
    block->size = size;
    block->next = NULL;
    arena->total_bytes += size;
    return block;
}

/* The next block that has room: one kept from an earlier batch, or a new one. */
static void next_block(struct arena *arena, size_t size)
{
    struct arena_block *next = arena->current ? arena->current->next : arena->first;
    if (!next || next->size < size) {
        struct arena_block *block =
            add_block(arena, size > arena->block_bytes ? size : arena->block_bytes);
        block->next = next;
        if (arena->current)
            arena->current->next = block;
        else
            arena->first = block;
        next = block;
    }
    arena->current = next;
    arena->used = 0;
}

void *arena_take(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (!arena->current || size > arena->current->size - arena->used)
        next_block(arena, size);
    void *taken = arena->current->bytes + arena->used;
    arena->used += size;
    return taken;
}

void arena_trim(struct arena *arena, const void *taken, size_t size)
{
    size_t start = (size_t)((const unsigned char *)taken - arena->current->bytes);
    size = (size + 15) & ~(size_t)15;
    assert(start <= arena->used && start + size <= arena->used);
    arena->used = start + size;
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_take(arena, size);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

void arena_reset(struct arena *arena)
{
    arena->current = NULL;
    arena->used = 0;
}
