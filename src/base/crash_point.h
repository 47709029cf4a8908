/* Places at which a test build can be made to die, and faults that it can be given, so that tests
 * see recovery work and see themselves go red. Both are compiled away without BATON_CRASH_POINTS.
 *
 * BATON_CRASH_AT=name[:n]: the process ends with _exit(99) when that point is passed for the n-th
 * time (by any thread). BATON_FAULT=name: that fault is in. Every name stands in the table of
 * crash_point.c. */
#ifndef BASE_CRASH_POINT_H
#define BASE_CRASH_POINT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef BATON_CRASH_POINTS
#define CRASH_POINT(name) crash_point_pass(name)
#define SEEDED_FAULT(name) crash_point_fault(name)
#else
#define CRASH_POINT(name) ((void)0)
#define SEEDED_FAULT(name) (false)
#endif

#define CRASH_POINT_EXIT_CODE 99

/* Any thread. The name must be of the table. */
void crash_point_pass(const char *name);
bool crash_point_fault(const char *name);
/* Names in the order in which a transaction and a checkpoint pass them; none in a build without
 * crash points. */
const char *const *crash_point_names(size_t *count);

#endif
