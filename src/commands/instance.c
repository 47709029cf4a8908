#include "commands/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS_MAX 256

static const char *lock_folder(void)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    return folder && *folder && access(folder, W_OK) == 0 ? folder : "/tmp";
}

/* Slashes and the like of a name must not lead to another folder. */
static void add_plain(char *room, size_t size, const char *text)
{
    size_t at = strlen(room);
    for (; *text && at + 1 < size; text++)
        room[at++] = strchr("/\\ ", *text) ? '_' : *text;
    room[at] = 0;
}

static int try_lock(const char *group, const char *name)
{
    char path[4096], file_name[600] = "";
    add_plain(file_name, sizeof file_name, group);
    add_plain(file_name, sizeof file_name, ".");
    add_plain(file_name, sizeof file_name, name);
    if ((size_t)snprintf(path, sizeof path, "%s/baton-%u-%s.lock", lock_folder(),
                         (unsigned)getuid(), file_name) >= sizeof path) {
        errno = ENAMETOOLONG;
        return -2;
    }
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return -2;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return file;
    (void)close(file);
    return -1;
}

static enum status take_named(struct instance *instance, const char *group, const char *wanted,
                              struct error *error)
{
    if (strlen(wanted) >= sizeof instance->name)
        return error_set(error, STATUS_STOP, "the instance is longer than %zu bytes",
                         sizeof instance->name - 1);
    (void)strcpy(instance->name, wanted);
    instance->lock = try_lock(group, wanted);
    if (instance->lock == -1)
        return error_set(error, STATUS_STOP,
                         "two processes use instance %s: another baton of group %s runs on this "
                         "machine under it; give this one another --instance",
                         wanted, group);
    return STATUS_OK; /* without a lock file (-2) Kafka's fencing still tells two apart */
}

enum status instance_take(struct instance *instance, const char *group, const char *wanted,
                          struct error *error)
{
    instance->lock = -2;
    if (*wanted)
        return take_named(instance, group, wanted, error);
    char host[64] = "baton";
    (void)gethostname(host, sizeof host - 1);
    for (int slot = 0; slot < SLOTS_MAX; slot++) {
        (void)snprintf(instance->name, sizeof instance->name, "%s-%d", host, slot);
        instance->lock = try_lock(group, instance->name);
        if (instance->lock >= 0)
            return STATUS_OK;
        if (instance->lock == -2)
            return error_set(error, STATUS_STOP,
                             "no lock file can be made in %s (%s): give each process an --instance "
                             "of its own",
                             lock_folder(), strerror(errno));
    }
    return error_set(error, STATUS_STOP, "%d processes of group %s run on this machine already",
                     SLOTS_MAX, group);
}

void instance_release(struct instance *instance)
{
    if (instance->lock >= 0)
        (void)close(instance->lock);
    instance->lock = -2;
}
