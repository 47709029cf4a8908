/* The command line of the demo. */
#ifndef DEMO_OPTIONS_H
#define DEMO_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct demo_options {
    const char *root;      /* of the sources: scripts and the agreement */
    const char *baton;     /* a path; NULL: build/release/baton of the root */
    const char *agreement; /* as given: a file, or a name of deploy/agreements; may be NULL */
    char agreement_path[PATH_MAX];
    bool own_story;  /* the demo's own agreement: the site that it is about */
    uint64_t events; /* distinct readable events to send */
    double rate;     /* events per second */
    uint64_t seed;
    bool real_kafka, json, keep;
    int broker_partitions; /* > 0: this process is the embedded broker */
};

/* Finds the agreement. Returns -1 to go on, else the exit code. */
int demo_options_read(int argc, char **argv, struct demo_options *options);

#endif
