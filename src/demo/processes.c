#include "demo/processes.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 20, LOG_LINES = 6 };

static void pause_ms(int milliseconds)
{
    struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&time, NULL);
}

/* Between fork and exec: only what is safe there. */
static _Noreturn void become(const char *const *arguments, int log, int input, pid_t parent)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)dup2(input, STDIN_FILENO);
    (void)dup2(log, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    (void)dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

enum status process_start(const char *const *arguments, const char *log_path, int *input,
                          pid_t *pid, struct error *error)
{
    int ends[2] = {-1, -1};
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return error_set(error, STATUS_STOP, "%s: %s", log_path, strerror(errno));
    if (input ? pipe2(ends, O_CLOEXEC) < 0
              : (ends[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) {
        (void)close(log);
        return error_set(error, STATUS_STOP, "no pipe: %s", strerror(errno));
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0)
        become(arguments, log, ends[0], parent);
    (void)close(log);
    (void)close(ends[0]);
    if (child < 0) {
        if (input)
            (void)close(ends[1]);
        return error_set(error, STATUS_STOP, "cannot start %s: %s", arguments[0], strerror(errno));
    }
    if (input)
        *input = ends[1];
    *pid = child;
    return STATUS_OK;
}

static int code_of(int state)
{
    return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

bool process_ended(pid_t *pid, int *code)
{
    int state;
    if (*pid == 0 || waitpid(*pid, &state, WNOHANG) != *pid)
        return false;
    *pid = 0;
    *code = code_of(state);
    return true;
}

int process_stop(pid_t *pid, int patience_ms)
{
    int code = 0;
    if (*pid == 0)
        return 0;
    (void)kill(*pid, SIGTERM);
    for (int waited = 0; waited < patience_ms; waited += TICK_MS) {
        if (process_ended(pid, &code))
            return code;
        pause_ms(TICK_MS);
    }
    (void)kill(*pid, SIGKILL);
    int state = 0;
    (void)waitpid(*pid, &state, 0);
    *pid = 0;
    return code_of(state);
}

enum status process_run(const char *const *arguments, const char *log_path, struct error *error)
{
    pid_t pid;
    int state = 0;
    enum status status = process_start(arguments, log_path, NULL, &pid, error);
    if (status != STATUS_OK)
        return status;
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    if (code_of(state) == 0)
        return STATUS_OK;
    char end[512];
    process_log_end(log_path, end, sizeof end);
    return error_set(error, STATUS_STOP, "%s ended with %d: %s", arguments[0], code_of(state), end);
}

void process_log_end(const char *path, char *text, size_t room)
{
    char tail[2048];
    size_t size = 0;
    text[0] = '\0';
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fseek(file, -(long)(sizeof tail - 1), SEEK_END) != 0)
        rewind(file);
    size = fread(tail, 1, sizeof tail - 1, file);
    (void)fclose(file);
    while (size > 0 && tail[size - 1] == '\n')
        size--;
    tail[size] = '\0';
    size_t from = size;
    for (int lines = 0; from > 0 && lines < LOG_LINES; from--)
        lines += tail[from - 1] == '\n';
    (void)snprintf(text, room, "%s", tail + from);
}

enum status folder_make(char *path, size_t room, struct error *error)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(path, room, "%s/baton-demo-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(path)) {
        path[0] = '\0';
        return error_set(error, STATUS_STOP, "cannot make a folder for the demo: %s",
                         strerror(errno));
    }
    return STATUS_OK;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void folder_remove(const char *path)
{
    if (*path)
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
