#include "base/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open already, by whoever started this process. */
static bool is_handed_over(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/", "/dev/stdin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

static FILE *refuse(mode_t mode, enum input_problem *problem)
{
    *problem = S_ISDIR(mode) ? INPUT_IS_FOLDER : INPUT_IS_NO_FILE;
    return NULL;
}

static FILE *open_plainly(const char *path, enum input_problem *problem)
{
    struct stat found;
    FILE *file = fopen(path, "rbe");
    *problem = INPUT_FAILED;
    if (!file || fstat(fileno(file), &found) != 0 || !S_ISDIR(found.st_mode))
        return file;
    (void)fclose(file);
    return refuse(found.st_mode, problem);
}

FILE *input_file_open(const char *path, enum input_problem *problem)
{
    struct stat found;
    *problem = INPUT_FAILED;
    if (is_handed_over(path))
        return open_plainly(path, problem);
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENXIO) /* a socket, or a device that is not there */
        return refuse(S_IFSOCK, problem);
    if (descriptor < 0)
        return NULL;
    FILE *file = NULL;
    if (fstat(descriptor, &found) == 0)
        file = S_ISREG(found.st_mode) ? fdopen(descriptor, "rb") : refuse(found.st_mode, problem);
    if (!file)
        (void)close(descriptor);
    return file;
}

FILE *input_stream_open(const char *path, enum input_problem *problem)
{
    struct stat found;
    bool pipe = stat(path, &found) == 0 && S_ISFIFO(found.st_mode);
    return pipe ? open_plainly(path, problem) : input_file_open(path, problem);
}
