/* Child processes that end with us, and a folder that goes with them. One thread. */
#ifndef DEMO_PROCESSES_H
#define DEMO_PROCESSES_H

#include "base/status.h"

#include <stdbool.h>
#include <sys/types.h>

/* Starts a program of PATH or of a path, in a process group of its own (a Ctrl-C is ours to pass
 * on). Its output and errors go to a file; *input, if asked for, is a pipe to its standard input.
 * It is killed when we die. */
enum status process_start(const char *const *arguments, const char *log_path, int *input,
                          pid_t *pid, struct error *error);
/* The same, waiting for its end: OK when it ends with 0, else STOP with the last lines of its
 * output. */
enum status process_run(const char *const *arguments, const char *log_path, struct error *error);
/* True when it has ended; *code is its exit code, or 128 and its signal. */
bool process_ended(pid_t *pid, int *code);
/* SIGTERM, and SIGKILL after so long. Returns its exit code as above; pid 0 is fine. */
int process_stop(pid_t *pid, int patience_ms);
/* The last lines of a file, for an error text. */
void process_log_end(const char *path, char *text, size_t room);

/* Makes a folder under TMPDIR or /tmp. */
enum status folder_make(char *path, size_t room, struct error *error);
void folder_remove(const char *path);

#endif
