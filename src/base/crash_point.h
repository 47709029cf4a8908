/* Named places at which a test makes the process end as if it had been killed.
 *
 * BATON_CRASH_AT=NAME or NAME:N ends it (exit code 99, nothing flushed) at the N-th pass of the place.
 * Without BATON_CRASH_POINTS at build time, the places cost nothing and do nothing. Any thread. */
#ifndef BASE_CRASH_POINT_H
#define BASE_CRASH_POINT_H

#include <stdbool.h>

/* All names, ended by NULL; a place must be in it. */
extern const char *const crash_point_names[];

#ifdef BATON_CRASH_POINTS
void crash_point_pass(const char *name);
/* Is the seeded mistake of this name asked for (BATON_FAULT)? The tests must see each of them go red. */
bool crash_point_fault(const char *name);
#define CRASH_POINT(name) crash_point_pass(name)
#define SEEDED_FAULT(name) crash_point_fault(name)
#else
#define CRASH_POINT(name) ((void)0)
#define SEEDED_FAULT(name) false
#endif

#endif
