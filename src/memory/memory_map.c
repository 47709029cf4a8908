#include "memory/memory_map.h"

#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

void memory_map_init(struct memory_map *map)
{
    *map = (struct memory_map){0};
}

void memory_map_fini(struct memory_map *map)
{
    for (uint32_t i = 0; i < map->count; i++) {
        free((void *)(uintptr_t)map->entries[i].key.data);
        free((void *)(uintptr_t)map->entries[i].value.data);
    }
    free(map->entries);
    free(map->slots);
    memory_map_init(map);
}

void memory_map_copy(struct memory_map *map, const struct memory_map *from)
{
    memory_map_init(map);
    for (uint32_t i = 0; i < from->count; i++)
        if (from->entries[i].value.data)
            memory_map_set(map, from->entries[i].key, from->entries[i].value);
}

static struct baton_text copy(struct baton_text text)
{
    char *bytes = memory_take(text.size);
    if (text.size)
        memcpy(bytes, text.data, text.size);
    return (struct baton_text){bytes, text.size};
}

/* The slot of a key, or the free one where it belongs. */
static uint32_t *find_slot(const struct memory_map *map, struct baton_text key)
{
    uint32_t mask = map->slot_count - 1;
    for (uint32_t at = (uint32_t)hash64(key.data, key.size, 0) & mask;; at = (at + 1) & mask) {
        uint32_t index = map->slots[at];
        if (!index)
            return &map->slots[at];
        struct baton_text found = map->entries[index - 1].key;
        if (found.size == key.size && (!key.size || memcmp(found.data, key.data, key.size) == 0))
            return &map->slots[at];
    }
}

static struct memory_entry *find(const struct memory_map *map, struct baton_text key)
{
    uint32_t index = map->slot_count ? *find_slot(map, key) : 0;
    return index ? &map->entries[index - 1] : NULL;
}

static void grow(struct memory_map *map)
{
    map->room = map->room ? map->room * 2 : 16;
    map->entries = memory_resize(map->entries, map->room * sizeof *map->entries);
    map->slot_count = map->room * 2;
    free(map->slots);
    map->slots = memory_take_zeroed(map->slot_count, sizeof *map->slots);
    for (uint32_t i = 0; i < map->count; i++)
        *find_slot(map, map->entries[i].key) = i + 1;
}

struct baton_text memory_map_get(const struct memory_map *map, struct baton_text key)
{
    const struct memory_entry *entry = find(map, key);
    return entry ? entry->value : (struct baton_text){0};
}

void memory_map_set(struct memory_map *map, struct baton_text key, struct baton_text value)
{
    struct baton_text own = copy(value);
    struct memory_entry *entry = find(map, key);
    if (!entry) {
        if (map->count == map->room)
            grow(map);
        entry = &map->entries[map->count];
        *entry = (struct memory_entry){.key = copy(key)};
        *find_slot(map, key) = ++map->count;
    }
    map->live += entry->value.data == NULL;
    free((void *)(uintptr_t)entry->value.data);
    entry->value = own;
}

void memory_map_remove(struct memory_map *map, struct baton_text key)
{
    struct memory_entry *entry = find(map, key);
    if (!entry || !entry->value.data)
        return;
    free((void *)(uintptr_t)entry->value.data);
    entry->value = (struct baton_text){0};
    map->live--;
}
