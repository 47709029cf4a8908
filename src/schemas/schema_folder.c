#include "schemas/schema_folder.h"

#include "codec/limits.h"
#include "schemas/registry_client.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RESCAN_MS 1000

struct known_schema {
    bool has_id, has_fingerprint;
    uint64_t id, fingerprint;
    struct baton_text text; /* from the folder's arena */
};

struct schema_folder {
    char *path;
    int64_t scanned_ms; /* monotonic; of the last scan that went well */
    bool scanned;
    struct arena texts;
    struct known_schema *schemas;
    size_t count;
};

struct schema_folder *schema_folder_create(const char *path)
{
    struct schema_folder *folder = memory_take_zeroed(1, sizeof *folder);
    folder->path = memory_copy_text(path);
    arena_init(&folder->texts, 64 * 1024);
    return folder;
}

void schema_folder_destroy(struct schema_folder *folder)
{
    if (!folder)
        return;
    arena_fini(&folder->texts);
    free(folder->schemas);
    free(folder->path);
    free(folder);
}

/* One byte more than a schema may have, so that one that is too long is seen to be. */
static bool read_file(struct schema_folder *folder, const char *name, struct baton_text *text)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder->path, name) >= sizeof path)
        return false;
    /* Not blocking: a pipe that lies in the folder would hold the unit for good. */
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat found;
    if (descriptor < 0)
        return false;
    FILE *file =
        fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) ? fdopen(descriptor, "rb") : NULL;
    if (!file) {
        (void)close(descriptor);
        return false;
    }
    char *bytes = memory_take(SCHEMA_BYTES_MAX + 1);
    size_t size = fread(bytes, 1, SCHEMA_BYTES_MAX + 1, file);
    bool whole = !ferror(file);
    (void)fclose(file);
    *text = (struct baton_text){arena_copy(&folder->texts, bytes, size), (uint32_t)size};
    free(bytes);
    return whole;
}

/* The registry id that a file is called by: digits, then the ending. */
static bool id_of_name(const char *name, const char *ending, uint64_t *id)
{
    uint64_t value = 0;
    if (name == ending)
        return false;
    for (const char *c = name; c < ending; c++) {
        if (*c < '0' || *c > '9' || value > UINT32_MAX)
            return false;
        value = value * 10 + (uint64_t)(*c - '0');
    }
    *id = value;
    return value <= UINT32_MAX;
}

static void add_file(struct schema_folder *folder, const char *name)
{
    const char *ending = strrchr(name, '.');
    bool avsc = ending && strcmp(ending, ".avsc") == 0;
    bool json = ending && strcmp(ending, ".json") == 0;
    struct known_schema schema = {0};
    struct baton_text inner;
    struct error ignored;
    if (!avsc && !json)
        return;
    schema.has_id = id_of_name(name, ending, &schema.id);
    if ((json && !schema.has_id) || !read_file(folder, name, &schema.text))
        return;
    /* A registry's answer, saved as it came. */
    if (json && registry_answer_read(schema.text.data, schema.text.size, &folder->texts, &inner,
                                     &ignored) == STATUS_OK)
        schema.text = inner;
    schema.has_fingerprint = schema_fingerprint(schema.text.data, schema.text.size,
                                                &schema.fingerprint, &ignored) == STATUS_OK;
    if (!schema.has_fingerprint)
        return; /* no schema, or one that is still being copied: not there yet */
    folder->schemas = memory_resize(folder->schemas, (folder->count + 1) * sizeof *folder->schemas);
    folder->schemas[folder->count++] = schema;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In the order of the names, so that of two files for one id the same one counts everywhere. */
static enum status scan(struct schema_folder *folder, struct error *error)
{
    struct dirent **entries;
    int count = scandir(folder->path, &entries, visible, alphasort);
    if (count < 0)
        return error_set(error, STATUS_RETRY, "schemas.directory %s cannot be read: %s",
                         folder->path, strerror(errno));
    arena_reset(&folder->texts);
    folder->count = 0;
    for (int i = 0; i < count; i++) {
        add_file(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    folder->scanned = true;
    folder->scanned_ms = monotonic_ms();
    return STATUS_OK;
}

static const struct known_schema *find(const struct schema_folder *folder, struct schema_key key)
{
    for (size_t i = 0; i < folder->count; i++) {
        const struct known_schema *schema = &folder->schemas[i];
        if (key.naming == SCHEMA_REGISTRY_ID
                ? schema->has_id && schema->id == key.id
                : schema->has_fingerprint && schema->fingerprint == key.id)
            return schema;
    }
    return NULL;
}

enum status schema_folder_get(struct schema_folder *folder, struct schema_key key,
                              struct arena *arena, struct baton_text *text, struct error *error)
{
    const struct known_schema *found = find(folder, key);
    if (!found && (!folder->scanned || monotonic_ms() - folder->scanned_ms >= RESCAN_MS)) {
        enum status status = scan(folder, error);
        if (status != STATUS_OK)
            return status;
        found = find(folder, key);
    }
    if (!found)
        return STATUS_REJECT;
    *text = (struct baton_text){arena_copy(arena, found->text.data, found->text.size),
                                found->text.size};
    return STATUS_OK;
}
