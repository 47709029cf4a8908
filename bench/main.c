/* baton-bench: the table of subcommands. What measures is C and runs in this process; what starts
 * and compares programs is Python in bench/runner/. */
#include "bench.h"
#include "common/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNNERS BENCH_SOURCE_DIR "/runner"

static const struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* NULL: runner/NAME.py */
    const char *servers; /* has a runner, too: without this option it starts servers of its own */
} commands[] = {
    {"load", "sends believable traffic to a Kafka topic", bench_load, NULL},
    {"count", "reads a topic and only counts: the ceiling of any consumer", bench_count, NULL},
    {"latency", "from when an event should have been sent to its promotion being visible",
     bench_latency, "brokers"},
    {"stages", "what each part can do alone on this machine, and which part is the limit",
     bench_stages, "brokers"},
    {"memory", "what a lead takes of Redis, by what is kept of it", bench_memory, "redis"},
    {"compare", "baton, the ceiling and peers on one topic, in turns", NULL, NULL},
    {"scale", "how cost grows with workers, leads, partitions, rules and sizes", NULL, NULL},
    {"takeover", "kill -9 under load: time until its units are live again", NULL, NULL},
    {"replay", "the log folded again, beside the rate of a live unit", NULL, NULL},
    {"report", "one page of all results", NULL, NULL},
};

static int usage(FILE *out, int code)
{
    (void)fputs("usage: baton-bench SUBCOMMAND [options]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fputs("\nbaton-bench SUBCOMMAND --help tells its options.\n", out);
    return code;
}

/* Whether this Python starts and has the Kafka client that the runners read with. */
static bool python_is_fit(const char *python)
{
    char *words[] = {(char *)python, "-c", "import confluent_kafka", NULL};
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        (void)dup2(nowhere, STDERR_FILENO);
        (void)execvp(python, words);
        _exit(127);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* The first in PATH may lack what deploy/install-deps installs for Debian's own. */
static const char *fit_python(void)
{
    static const char *const pythons[] = {"python3", "/usr/bin/python3"};
    for (size_t i = 0; i < sizeof pythons / sizeof *pythons; i++)
        if (python_is_fit(pythons[i]))
            return pythons[i];
    return NULL;
}

/* The runner finds this very program by BATON_BENCH. */
static int run_python(const struct command *command, int argc, char **argv)
{
    char script[4096], self[4096];
    (void)snprintf(script, sizeof script, RUNNERS "/%s.py", command->name);
    if (access(script, R_OK) != 0) {
        (void)fprintf(stderr, "baton-bench %s: cannot read %s: %s\n", command->name, script,
                      strerror(errno));
        return 1;
    }
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size > 0) {
        self[size] = '\0';
        (void)setenv("BATON_BENCH", self, 1);
    }
    char **words = calloc((size_t)argc + 2, sizeof *words);
    if (!words)
        return 1;
    /* report draws what others have measured: any Python will do */
    const char *python = strcmp(command->name, "report") == 0 ? "python3" : fit_python();
    if (!python) {
        (void)fprintf(stderr,
                      "baton-bench %s: neither python3 nor /usr/bin/python3 has the module "
                      "confluent_kafka; run deploy/install-deps --test, or pip install "
                      "confluent-kafka\n",
                      command->name);
        free(words);
        return 1;
    }
    words[0] = (char *)python;
    words[1] = script;
    memcpy(words + 2, argv + 1, (size_t)(argc - 1) * sizeof *words);
    (void)execvp(python, words);
    (void)fprintf(stderr, "baton-bench %s: %s does not start: %s\n", command->name, python,
                  strerror(errno));
    free(words);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, 2);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(stdout, 0);
    if (strcmp(argv[1], "--version") == 0)
        return puts("baton-bench " BATON_VERSION) < 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *command = &commands[i];
        if (strcmp(argv[1], command->name) != 0)
            continue;
        if (!command->run ||
            (command->servers && !options_mention(argc - 1, argv + 1, command->servers)))
            return run_python(command, argc - 1, argv + 1);
        return command->run(argc - 1, argv + 1);
    }
    (void)fprintf(stderr, "baton-bench: there is no subcommand '%s'\n", argv[1]);
    return usage(stderr, 2);
}
