/* Times on the command line. */
#ifndef COMMANDS_TIMES_H
#define COMMANDS_TIMES_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-11-01T12:00:00Z", "2026-11-01": UTC. */
bool time_read(const char *text, int64_t *time_ms);
/* The same, or a time back from now: 7d, 12h, 30m. */
bool time_since(const char *text, int64_t now_ms, int64_t *time_ms);

#endif
