/* The subcommands that are C: one file each. argv[0] is the subcommand's name; the result is the
 * exit code: 0 done, 1 failed or the figures cannot be trusted, 2 wrong usage. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

int bench_load(int argc, char **argv);
int bench_count(int argc, char **argv);
int bench_latency(int argc, char **argv);
int bench_stages(int argc, char **argv);
int bench_memory(int argc, char **argv);

#endif
