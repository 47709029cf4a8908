/* The process of `baton run`: makes the ports, starts the workers, prints figures, stops clean. */
#ifndef COMMANDS_RUN_PROCESS_H
#define COMMANDS_RUN_PROCESS_H

#include "config/config.h"

#include <stdbool.h>

struct run_options {
    const char *instance; /* NULL: as configured */
    bool rebuild, yes;
    bool unsigned_too; /* agreements that are not signed by both sides */
};

/* Returns the exit code. Ends by SIGTERM or SIGINT. */
int run_process(const struct config *config, const struct run_options *options);

#endif
