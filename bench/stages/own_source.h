/* baton's own source, as the only member of a group of its own: nobody waits for a rebalance. */
#ifndef STAGES_OWN_SOURCE_H
#define STAGES_OWN_SOURCE_H

#include "stages/stages.h"

struct own_source {
    struct kafka_settings kafka;
    char group[96];
    struct source *port;
};

/* Joins and is assigned all partitions; fetches nothing before it is started. `what` tells the
 * group from others of this run. */
enum status own_source_open(struct own_source *source, const struct stage_worker *worker,
                            const char *what, struct error *error);
/* Fetches the worker's partitions from their beginning on. Gives the number of offsets there. */
enum status own_source_start(struct own_source *source, const struct stage_worker *worker,
                             uint64_t *messages, struct error *error);
void own_source_close(struct own_source *source);

/* Of a worker's group. */
void own_source_group(char *room, size_t size, const struct stages *stages, const char *what,
                      unsigned worker);

#endif
