#include "agreement/versions.h"

#include "agreement/building.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VERSIONS_MAX 1000
#define COMPLAINTS_TOLD 10

struct version {
    const struct agreement *agreement;
    struct agreement *owned; /* NULL: borrowed */
    char *file;
};

struct versions {
    struct version *items;
    size_t count;
};

/* ---- Reading ---- */

static struct version *add(struct versions *versions, struct agreement *owned, const char *file)
{
    versions->items =
        memory_resize(versions->items, (versions->count + 1) * sizeof *versions->items);
    struct version *item = &versions->items[versions->count++];
    *item = (struct version){.agreement = owned, .owned = owned, .file = memory_copy_text(file)};
    return item;
}

struct versions *versions_create(void)
{
    return memory_take_zeroed(1, sizeof(struct versions));
}

void versions_add(struct versions *versions, struct agreement *owned, const char *file)
{
    (void)add(versions, owned, file);
}

static bool is_version(const char *name)
{
    size_t size = strlen(name);
    return name[0] != '.' && size > 5 && strcmp(name + size - 5, ".yaml") == 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The names of a folder in their order; the caller frees each, and the list. NULL: it cannot be
 * read. */
static char **list_folder(const char *path, size_t *count)
{
    DIR *folder = opendir(path);
    if (!folder)
        return NULL;
    char **names = memory_take(sizeof *names);
    *count = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!is_version(entry->d_name))
            continue;
        names = memory_resize(names, (*count + 1) * sizeof *names);
        names[(*count)++] = memory_copy_text(entry->d_name);
    }
    (void)closedir(folder);
    qsort(names, *count, sizeof *names, by_name);
    return names;
}

void versions_files_free(char **files, size_t count)
{
    for (size_t i = 0; files && i < count; i++)
        free(files[i]);
    free(files);
}

static char *path_of(const char *folder, const char *name)
{
    struct text_buffer path;
    text_buffer_init(&path);
    text_buffer_print(&path, "%s/%s", folder, name);
    char *copy = memory_copy_text(path.data);
    text_buffer_fini(&path);
    return copy;
}

static char **folder_files(const char *path, size_t *count, struct text_buffer *messages)
{
    char **names = list_folder(path, count);
    if (!names)
        text_buffer_print(messages, "%s: error: %s\n", path, strerror(errno));
    else if (!*count)
        text_buffer_print(
            messages, "%s: error: this folder has no agreement: it wants files NAME.yaml\n", path);
    else if (*count > VERSIONS_MAX)
        text_buffer_print(messages, "%s: error: more than %d agreements\n", path, VERSIONS_MAX);
    bool good = names && *count && *count <= VERSIONS_MAX;
    for (size_t i = 0; good && i < *count; i++) {
        char *name = names[i];
        names[i] = path_of(path, name);
        free(name);
    }
    if (good)
        return names;
    versions_files_free(names, names ? *count : 0);
    *count = 0;
    return NULL;
}

char **versions_files(const char *path, size_t *count, struct text_buffer *messages)
{
    struct stat found;
    *count = 0;
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        return folder_files(path, count, messages);
    char **files = memory_take(sizeof *files);
    files[(*count)++] = memory_copy_text(path);
    return files;
}

static bool read_one(struct versions *versions, const char *file, struct text_buffer *messages)
{
    struct agreement *agreement;
    if (agreement_load(file, &agreement, messages) != STATUS_OK)
        return false;
    versions_add(versions, agreement, file);
    return true;
}

/* ---- A set ---- */

static int64_t effective_ms(const struct version *version)
{
    return agreement_compiled(version->agreement)->effective_ms;
}

static int by_day(const void *left, const void *right)
{
    int64_t a = effective_ms(left), b = effective_ms(right);
    return a < b ? -1 : a > b;
}

/* What is wrong with a set: the first of it is told, the rest is counted. */
struct complaints {
    struct text_buffer *messages;
    size_t count;
};

static void complain(struct complaints *complaints, const struct text_buffer *message)
{
    if (complaints->count++ < COMPLAINTS_TOLD)
        text_buffer_add(complaints->messages, message->data, message->size);
}

static void end_complaints(const struct complaints *complaints, const struct version *any)
{
    const char *slash = strrchr(any->file, '/');
    size_t untold = complaints->count > COMPLAINTS_TOLD ? complaints->count - COMPLAINTS_TOLD : 0;
    if (untold)
        text_buffer_print(complaints->messages, "%.*s: error: and %zu more file%s like these\n",
                          slash ? (int)(slash - any->file) : 1, slash ? any->file : ".", untold,
                          untold == 1 ? "" : "s");
}

/* At most one line: whoever mends that is told the next. */
static void compare(const struct version *one, const struct version *other,
                    struct text_buffer *message)
{
    const struct agreement *a = one->agreement, *b = other->agreement;
    if (strcmp(agreement_name(a), agreement_name(b)) != 0)
        text_buffer_print(
            message,
            "%s: error: this is agreement %s, and %s is %s: versions of one agreement "
            "have one name\n",
            other->file, agreement_name(b), one->file, agreement_name(a));
    else if (agreement_version(a) == agreement_version(b))
        text_buffer_print(message, "%s: error: version %" PRIu32 " is %s, too\n", other->file,
                          agreement_version(b), one->file);
    else if (effective_ms(one) == effective_ms(other) && b->effective)
        text_buffer_print(message, "%s: error: in force from %s on is %s, too\n", other->file,
                          b->effective, one->file);
}

static void check_day(const struct version *version, struct text_buffer *message)
{
    if (!version->agreement->effective)
        text_buffer_print(message,
                          "%s: error: `effective` is missing: of several versions each needs the "
                          "day from which on it is in force\n",
                          version->file);
}

bool versions_fit(struct versions *versions, struct text_buffer *messages)
{
    struct complaints complaints = {.messages = messages};
    struct text_buffer message;
    text_buffer_init(&message);
    for (size_t i = 0; i < versions->count && versions->count > 1; i++) {
        text_buffer_clear(&message);
        check_day(&versions->items[i], &message);
        for (size_t k = 0; k < i && !message.size; k++)
            compare(&versions->items[k], &versions->items[i], &message);
        if (message.size)
            complain(&complaints, &message);
    }
    text_buffer_fini(&message);
    if (versions->count)
        end_complaints(&complaints, versions->items);
    qsort(versions->items, versions->count, sizeof *versions->items, by_day);
    return complaints.count == 0;
}

enum status versions_load(const char *path, struct versions **out, struct text_buffer *messages)
{
    struct versions *versions = versions_create();
    size_t count;
    char **files = versions_files(path, &count, messages);
    bool good = files != NULL;
    for (size_t i = 0; i < count; i++)
        good &= read_one(versions, files[i], messages);
    versions_files_free(files, count);
    if (versions->count)
        good = versions_fit(versions, messages) && good;
    *out = good ? versions : NULL;
    if (!good)
        versions_destroy(versions);
    return good ? STATUS_OK : STATUS_STOP;
}

struct versions *versions_of(const struct agreement *agreement)
{
    struct versions *versions = versions_create();
    add(versions, NULL, "")->agreement = agreement;
    return versions;
}

void versions_destroy(struct versions *versions)
{
    if (!versions)
        return;
    for (size_t i = 0; i < versions->count; i++) {
        agreement_destroy(versions->items[i].owned);
        free(versions->items[i].file);
    }
    free(versions->items);
    free(versions);
}

/* ---- What it is ---- */

size_t versions_count(const struct versions *versions)
{
    return versions->count;
}

const struct agreement *versions_get(const struct versions *versions, size_t index)
{
    return versions->items[index].agreement;
}

const char *versions_file(const struct versions *versions, size_t index)
{
    return versions->items[index].file;
}

static size_t index_at(const struct versions *versions, int64_t time_ms)
{
    size_t at = versions->count - 1;
    while (at > 0 && effective_ms(&versions->items[at]) > time_ms)
        at--;
    return at;
}

const struct agreement *versions_at(const struct versions *versions, int64_t time_ms)
{
    return versions->items[index_at(versions, time_ms)].agreement;
}

int64_t versions_next_ms(const struct versions *versions, int64_t time_ms)
{
    size_t next = index_at(versions, time_ms) + 1;
    return next < versions->count ? effective_ms(&versions->items[next]) : INT64_MAX;
}

const struct agreement *versions_find(const struct versions *versions, const char *hash)
{
    for (size_t i = 0; i < versions->count; i++)
        if (strcmp(agreement_hash(versions->items[i].agreement), hash) == 0)
            return versions->items[i].agreement;
    return NULL;
}

struct agreement *versions_take(struct versions *versions, int64_t time_ms)
{
    struct version *item = &versions->items[index_at(versions, time_ms)];
    struct agreement *taken = item->owned;
    item->owned = NULL;
    versions_destroy(versions);
    return taken;
}
