/* The agreement that runs beside the one in force, where the configuration names one. */
#ifndef COMMANDS_RUN_SHADOW_H
#define COMMANDS_RUN_SHADOW_H

#include "agreement/versions.h"
#include "config/config.h"

/* Its text is read once. NULL: there is none. False with lines on stderr: it cannot be read, or
 * cannot run beside a version that is in force now or will be. */
bool run_shadow_load(struct agreement **shadow, const struct config *config,
                     const struct versions *live);
/* A version in force now, or later, beside which it cannot run; `error` says why. NULL: none. */
const struct agreement *run_shadow_rests_beside(const struct agreement *shadow,
                                                const struct versions *live, struct error *error);
/* Of a set that comes while it runs: a version beside which it cannot run is told. */
void run_shadow_warn(const struct agreement *shadow, const struct versions *live);

#endif
