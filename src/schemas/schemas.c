#include "schemas/schemas.h"

#include "schemas/registry_client.h"
#include "schemas/schema_folder.h"

#include <inttypes.h>
#include <stdlib.h>

struct schemas {
    struct schema_source port; /* first: the port is the adapter's address */
    struct schema_folder *folder;
    struct registry_client *registry;
};

static enum status nobody(struct schema_key key, struct error *error)
{
    if (key.naming == SCHEMA_FINGERPRINT)
        return error_set(error, STATUS_REJECT,
                         "no schema with the fingerprint %016" PRIx64
                         " (put its file into schemas.directory)",
                         key.id);
    return error_set(error, STATUS_REJECT,
                     "no schema with the registry id %" PRIu64
                     " (set schemas.registry, or put %" PRIu64 ".avsc into schemas.directory)",
                     key.id, key.id);
}

static enum status get(struct schema_source *port, struct schema_key key, struct arena *arena,
                       struct baton_text *text, struct error *error)
{
    struct schemas *schemas = (struct schemas *)port;
    enum status status = STATUS_REJECT;
    (void)nobody(key, error);
    if (schemas->folder)
        status = schema_folder_get(schemas->folder, key, arena, text, error);
    if (status == STATUS_OK || !schemas->registry || key.naming != SCHEMA_REGISTRY_ID)
        return status;
    enum status answer =
        registry_client_get(schemas->registry, (uint32_t)key.id, arena, text, error);
    /* A folder that cannot be read might hold what the registry does not know. */
    return answer == STATUS_REJECT && status == STATUS_RETRY ? STATUS_RETRY : answer;
}

static void destroy(struct schema_source *port)
{
    struct schemas *schemas = (struct schemas *)port;
    schema_folder_destroy(schemas->folder);
    registry_client_destroy(schemas->registry);
    free(schemas);
}

struct schema_source *schemas_create(const char *directory, const char *registry_url)
{
    struct schemas *schemas = memory_take_zeroed(1, sizeof *schemas);
    schemas->port = (struct schema_source){.get = get, .destroy = destroy};
    if (directory && *directory)
        schemas->folder = schema_folder_create(directory);
    if (registry_url && *registry_url)
        schemas->registry = registry_client_create(registry_url);
    return &schemas->port;
}
