/* Arrays that grow by the allocator of their owner. */
#ifndef DOMAIN_MEMORY_H
#define DOMAIN_MEMORY_H

#include <baton/lead.h>

static inline void *memory_new(struct baton_allocator *allocator, size_t size)
{
    return allocator->resize(allocator->context, NULL, 0, size);
}

static inline void memory_free(struct baton_allocator *allocator, void *memory, size_t size)
{
    if (memory)
        (void)allocator->resize(allocator->context, memory, size, 0);
}

/* Room for at least one item more in an array of *room items; NULL and no change if there is no
 * memory. Long arrays grow by half: twice the tallies of thirty rules would be mostly air. */
static inline void *memory_grow(struct baton_allocator *allocator, void *items, uint16_t *room,
                                size_t item_size)
{
    uint16_t step = *room < 8 ? *room : *room / 2;
    uint16_t more = (uint16_t)(*room + (step ? step : 1));
    void *grown = allocator->resize(allocator->context, items, *room * item_size, more * item_size);
    if (grown)
        *room = more;
    return grown;
}

#endif
