#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

double bench_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
}

static const struct {
    const char *name;
    int (*run)(const struct bench_options *options);
} commands[] = {{"load", bench_load}, {"count", bench_count}};

static int usage(void)
{
    (void)fputs("usage: baton-bench load|count [--brokers HOST:PORT] [--topic NAME] [--events N] "
                "[--leads N] [--seed N]\n"
                "  load   sends events (default 1000000 of 200000 leads, seed 1)\n"
                "  count  reads --events of them and only counts: the ceiling\n",
                stderr);
    return 2;
}

static int read_options(struct bench_options *options, int argc, char **argv)
{
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--brokers") == 0)
            options->brokers = argv[i + 1];
        else if (strcmp(argv[i], "--topic") == 0)
            options->topic = argv[i + 1];
        else if (strcmp(argv[i], "--events") == 0)
            options->events = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--leads") == 0)
            options->leads = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            options->seed = strtoull(argv[i + 1], NULL, 10);
        else
            return -1;
    }
    return argc % 2 == 0 && options->events && options->leads ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct bench_options options = {.brokers = "127.0.0.1:19092",
                                    .topic = "bench-events",
                                    .events = 1000000,
                                    .leads = 200000,
                                    .seed = 1};
    if (argc < 2 || read_options(&options, argc, argv) != 0)
        return usage();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(&options);
    return usage();
}
