/* The process slot: what a transactional id is stable under, and never shared by two that live.
 *
 * A lock file per group and slot holds the slot as long as the process lives. */
#ifndef COMMANDS_INSTANCE_H
#define COMMANDS_INSTANCE_H

#include "base/status.h"

struct instance {
    char name[128];
    int lock; /* file descriptor; ends with the process */
};

/* wanted "": host name and the lowest free number. STOP: another process of this machine has it. */
enum status instance_take(struct instance *instance, const char *group, const char *wanted,
                          struct error *error);
void instance_release(struct instance *instance);

#endif
