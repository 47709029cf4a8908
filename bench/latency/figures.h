/* What a latency run says: what was expected is held against what was received, then told to people
 * and as JSON (times in seconds). */
#ifndef LATENCY_FIGURES_H
#define LATENCY_FIGURES_H

#include "common/histogram.h"
#include "latency/freshness.h"
#include "latency/plan.h"
#include "latency/receiver.h"
#include "latency/sender.h"

#include <jansson.h>
#include <stdio.h>

/* The way of a promotion: from the moment at which its event should have been sent until the broker
 * had the event; until the promotion was handed to a client of Kafka; until it was visible. */
enum part { PART_ACKED, PART_MADE, PART_VISIBLE, PARTS };

struct measured {
    double due; /* seconds after the start */
    uint64_t total_us, parts_us[PARTS];
};

struct figures {
    double warm_up, seconds; /* excluded; measured */
    uint64_t sent, failed;
    uint64_t expected, missing, repeated, wrong, others, unreadable;
    struct histogram total, parts[PARTS];
    struct measured *measured; /* the slowest first */
    size_t measured_count;
    struct histogram *seconds_of; /* by second of the plan, the warm-up too */
    size_t second_count;
    const struct sender *sender; /* its lag; borrowed */
    bool has_freshness;
    struct freshness_figures freshness;
};

/* unix_at_zero: seconds since 1970 when clock_seconds() was 0. Everything has ended. */
void figures_init(struct figures *figures, struct plan *plan, const struct sender *sender,
                  const struct receiver *receiver, double unix_at_zero);
void figures_fini(struct figures *figures);

/* Has every promotion come, once, of the event that had to make it? Else one line on stderr says
 * what not. */
bool figures_are_right(const struct figures *figures);
void figures_print(const struct figures *figures, FILE *out);
json_t *figures_json(const struct figures *figures);

#endif
