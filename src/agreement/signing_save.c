/* The files of a signature. */
#include "agreement/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIGNED_FOLDER "signed"

static size_t folder_size(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? (size_t)(slash - file) + 1 : 0;
}

void signing_kept_path(const char *file, const char *hash, struct text_buffer *path)
{
    text_buffer_clear(path);
    text_buffer_print(path, "%.*s" SIGNED_FOLDER "/%s.yaml", (int)folder_size(file), file, hash);
}

static enum status cannot(struct error *error, const char *what, const char *path)
{
    return error_set(error, STATUS_REJECT, "cannot %s %s: %s", what, path, strerror(errno));
}

static enum status write_all(int file, const struct text_buffer *text, const char *path,
                             struct error *error)
{
    for (size_t at = 0; at < text->size;) {
        ssize_t written = write(file, text->data + at, text->size - at);
        if (written < 0 && errno != EINTR)
            return cannot(error, "write", path);
        at += written > 0 ? (size_t)written : 0;
    }
    return fsync(file) == 0 ? STATUS_OK : cannot(error, "write", path);
}

/* A file beside it takes its name once it is whole. */
static enum status replace(const char *path, mode_t mode, const struct text_buffer *text,
                           struct error *error)
{
    struct text_buffer beside;
    text_buffer_init(&beside);
    text_buffer_print(&beside, "%s.XXXXXX", path);
    int file = mkstemp(beside.data);
    enum status status = file < 0 ? cannot(error, "write beside", path) : STATUS_OK;
    if (file >= 0) {
        status = write_all(file, text, beside.data, error);
        if (status == STATUS_OK && fchmod(file, mode) != 0)
            status = cannot(error, "write", beside.data);
        (void)close(file);
        if (status == STATUS_OK && rename(beside.data, path) != 0)
            status = cannot(error, "write", path);
        if (status != STATUS_OK)
            (void)unlink(beside.data);
    }
    text_buffer_fini(&beside);
    return status;
}

static bool is_there(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0;
}

static enum status keep(const char *file, const char *hash, mode_t mode,
                        const struct text_buffer *text, struct error *error)
{
    struct text_buffer path;
    text_buffer_init(&path);
    text_buffer_print(&path, "%.*s" SIGNED_FOLDER, (int)folder_size(file), file);
    enum status status = STATUS_OK;
    if (mkdir(path.data, 0777) != 0 && errno != EEXIST)
        status = cannot(error, "make the folder", path.data);
    signing_kept_path(file, hash, &path);
    if (status == STATUS_OK && !is_there(path.data))
        status = replace(path.data, mode, text, error);
    text_buffer_fini(&path);
    return status;
}

enum status signing_save(const char *file, const char *hash, const struct text_buffer *text,
                         struct error *error)
{
    struct stat found;
    char *path = realpath(file, NULL); /* where a link leads */
    if (!path || stat(path, &found) != 0) {
        free(path);
        return cannot(error, "read", file);
    }
    mode_t mode = found.st_mode & 07777;
    enum status status = keep(file, hash, mode, text, error);
    if (status == STATUS_OK)
        status = replace(path, mode, text, error);
    free(path);
    return status;
}
