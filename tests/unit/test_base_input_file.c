/* Files that somebody names: what is none is told at once. */
#include "base/input_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/baton-input-XXXXXX";
static char path[64];

static void setup(void)
{
    cr_assert(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/file", folder);
}

static void end(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

static void refused(const char *name, enum input_problem expected)
{
    enum input_problem problem;
    cr_expect_null(input_file_open(name, &problem), "%s", name);
    cr_expect_eq(problem, expected, "%s", name);
}

static void is_read(FILE *file)
{
    char text[8] = "";
    cr_assert(file);
    cr_expect(fgets(text, sizeof text, file));
    cr_expect_str_eq(text, "text");
    (void)fclose(file);
}

static int pipe_with_text(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "text", 4), 4);
    (void)close(ends[1]);
    return ends[0];
}

Test(input_file, what_is_no_file_is_told_at_once, .init = setup, .fini = end, .timeout = 10)
{
    refused("/", INPUT_IS_FOLDER);
    refused("/dev/zero", INPUT_IS_NO_FILE);
    cr_assert_eq(mkfifo(path, 0600), 0);
    refused(path, INPUT_IS_NO_FILE);
    (void)unlink(path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    refused(path, INPUT_IS_NO_FILE);
    (void)close(listener);
    (void)unlink(path);
    refused(path, INPUT_FAILED);
    cr_expect_eq(errno, ENOENT);
}

Test(input_file, a_file_and_what_is_handed_over_are_read, .init = setup, .fini = end, .timeout = 10)
{
    enum input_problem problem;
    char handed[32];
    FILE *file = fopen(path, "w");
    cr_assert(file);
    (void)fputs("text", file);
    (void)fclose(file);
    is_read(input_file_open(path, &problem));
    int from = pipe_with_text();
    (void)snprintf(handed, sizeof handed, "/dev/fd/%d", from);
    is_read(input_file_open(handed, &problem));
    (void)close(from);
    from = open("/", O_RDONLY);
    (void)snprintf(handed, sizeof handed, "/dev/fd/%d", from);
    refused(handed, INPUT_IS_FOLDER);
    (void)close(from);
}

Test(input_file, a_stream_may_be_a_pipe_of_any_name, .init = setup, .fini = end, .timeout = 10)
{
    enum input_problem problem;
    cr_assert_eq(mkfifo(path, 0600), 0);
    pid_t writer = fork();
    if (writer == 0) {
        int to = open(path, O_WRONLY);
        _exit(write(to, "text", 4) == 4 ? 0 : 1);
    }
    is_read(input_stream_open(path, &problem));
    cr_expect_null(input_stream_open("/", &problem));
    cr_expect_eq(problem, INPUT_IS_FOLDER);
    cr_expect_null(input_stream_open("/dev/zero", &problem));
    cr_expect_eq(problem, INPUT_IS_NO_FILE);
}
