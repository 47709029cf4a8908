/* The command line of the demo. */
#ifndef DEMO_OPTIONS_H
#define DEMO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct demo_options {
    const char *root;              /* of the sources: scripts and the agreement */
    const char *baton, *agreement; /* paths; NULL: build/release/baton and
                                      deploy/agreements/demo.yaml of the root */
    uint64_t events;               /* distinct readable events to send */
    double rate;                   /* events per second */
    uint64_t seed;
    bool real_kafka, json, keep;
    int broker_partitions; /* > 0: this process is the embedded broker */
};

/* Returns -1 to go on, else the exit code. */
int demo_options_read(int argc, char **argv, struct demo_options *options);

#endif
