#include "base/arena.h"
#include "memory/memory.h"
#include "memory/memory_map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct memory_schemas {
    struct schema_source port;
    struct memory_map texts; /* by naming and id */
    bool away;
};

struct map_key {
    uint64_t naming, id;
};

static struct baton_text as_text(const struct map_key *key)
{
    return (struct baton_text){(const char *)key, sizeof *key};
}

static enum status schemas_get(struct schema_source *port, struct schema_key key,
                               struct arena *arena, struct baton_text *text, struct error *error)
{
    struct memory_schemas *schemas = (struct memory_schemas *)port;
    if (schemas->away)
        return error_set(error, STATUS_RETRY, "the schemas are away");
    struct map_key name = {(uint64_t)key.naming, key.id};
    struct baton_text found = memory_map_get(&schemas->texts, as_text(&name));
    if (!found.data)
        return error_set(error, STATUS_REJECT, "nobody knows schema %" PRIu64, key.id);
    *text = (struct baton_text){arena_copy(arena, found.data, found.size), found.size};
    return STATUS_OK;
}

static void schemas_destroy(struct schema_source *port)
{
    struct memory_schemas *schemas = (struct memory_schemas *)port;
    memory_map_fini(&schemas->texts);
    free(schemas);
}

struct schema_source *memory_schemas_create(void)
{
    struct memory_schemas *schemas = memory_take_zeroed(1, sizeof *schemas);
    schemas->port = (struct schema_source){.get = schemas_get, .destroy = schemas_destroy};
    return &schemas->port;
}

void memory_schemas_add(struct schema_source *port, struct schema_key key, const char *text)
{
    struct memory_schemas *schemas = (struct memory_schemas *)port;
    struct map_key name = {(uint64_t)key.naming, key.id};
    memory_map_set(&schemas->texts, as_text(&name),
                   (struct baton_text){text, (uint32_t)strlen(text)});
}

void memory_schemas_set_away(struct schema_source *port, bool away)
{
    ((struct memory_schemas *)port)->away = away;
}
