/* Byte strings by byte strings, in the order of first writing. Owns copies of both. */
#ifndef MEMORY_MEMORY_MAP_H
#define MEMORY_MEMORY_MAP_H

#include <baton/event.h>

struct memory_entry {
    struct baton_text key;
    struct baton_text value; /* data NULL: removed, or never set */
};

struct memory_map {
    struct memory_entry *entries;
    uint32_t *slots; /* index + 1, 0 = free */
    uint32_t count, room, slot_count;
    uint32_t live; /* entries with a value */
};

void memory_map_init(struct memory_map *map);
void memory_map_fini(struct memory_map *map);
void memory_map_copy(struct memory_map *map,
                     const struct memory_map *from); /* map is initialised anew */
/* data NULL: there is none. A value of no bytes is told from none. */
struct baton_text memory_map_get(const struct memory_map *map, struct baton_text key);
void memory_map_set(struct memory_map *map, struct baton_text key, struct baton_text value);
void memory_map_remove(struct memory_map *map, struct baton_text key);

#endif
