/* How old a score in Redis is: the time from the moment at which an event should have been sent to
 * the moment at which its lead's hash in Redis holds it. The events to look for are a few of those
 * sent; a lead's first chunk tells the time of its newest event, and each of ours has a time of its
 * own.
 *
 * A thread with a connection of its own looks every FRESHNESS_LOOK_MS for all that have not been
 * found yet, in one pipeline of HGETs; so much is what the times may be too long. */
#ifndef LATENCY_FRESHNESS_H
#define LATENCY_FRESHNESS_H

#include "base/status.h"
#include "common/histogram.h"

#include <stddef.h>
#include <stdint.h>

#define FRESHNESS_LOOK_MS 10

struct freshness_sample {
    uint32_t lead;
    int32_t partition;
    int64_t time_ms; /* of the event */
    double due;      /* clock_seconds() */
};

struct freshness_figures {
    struct histogram ages;
    uint64_t looked_for, lost; /* lost: not found in the end */
};

struct freshness;

/* redis_url and prefix as in baton.yaml. */
enum status freshness_open(const char *redis_url, const char *prefix, struct freshness **freshness,
                           struct error *error);
/* Any thread. */
void freshness_watch(struct freshness *freshness, const struct freshness_sample *sample);
/* Ends the thread as soon as all are found, after wait_s at the latest, and closes. STOP: Redis
 * went away meanwhile. */
enum status freshness_close(struct freshness *freshness, double wait_s,
                            struct freshness_figures *figures, struct error *error);

#endif
