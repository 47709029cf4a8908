#include "codec/json_region.h"

#include "base/arena.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct json_region {
    size_t bytes, used;
    _Alignas(16) unsigned char pieces[];
};

/* Of this thread, between begin and end. */
static _Thread_local struct json_region *current;

static void *take(size_t size)
{
    struct json_region *region = current;
    size_t rounded = (size + 15) & ~(size_t)15;
    if (!region || rounded < size || rounded > region->bytes - region->used)
        return malloc(size);
    void *piece = region->pieces + region->used;
    region->used += rounded;
    return piece;
}

static void give_back(void *piece)
{
    const struct json_region *region = current;
    uintptr_t at = (uintptr_t)piece;
    bool cut =
        region && at >= (uintptr_t)region->pieces && at < (uintptr_t)region->pieces + region->bytes;
    if (!cut)
        free(piece);
}

/* What jansson has from malloc by then goes to free, as before. */
static void tell_jansson(void)
{
    json_set_alloc_funcs(take, give_back);
}

struct json_region *json_region_create(size_t bytes)
{
    static pthread_once_t told = PTHREAD_ONCE_INIT;
    (void)pthread_once(&told, tell_jansson);
    struct json_region *region = memory_take(sizeof *region + bytes);
    region->bytes = bytes;
    region->used = 0;
    return region;
}

void json_region_destroy(struct json_region *region)
{
    free(region);
}

void json_region_begin(struct json_region *region)
{
    assert(!current);
    region->used = 0;
    current = region;
}

void json_region_end(struct json_region *region)
{
    assert(current == region);
    (void)region;
    current = NULL;
}
