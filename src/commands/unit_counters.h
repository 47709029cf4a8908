/* The counters of all units as they lie in Redis, for verbs that look at them without a claim. */
#ifndef COMMANDS_UNIT_COUNTERS_H
#define COMMANDS_UNIT_COUNTERS_H

#include "pact/spend.h"
#include "pact/sums.h"
#include "pipeline/unit_record.h"
#include "redis/redis_inspect.h"

struct unit_counters {
    struct pact_sums *sums;
    struct spend_table *spend;
    uint32_t units; /* 0: Redis knows none */
    struct counted_since since;
    int32_t counted_from;  /* the day on which all had begun; INT32_MIN: nothing is counted yet */
    int32_t complete_from; /* the day behind it, or that before which a unit has let go of days */
    int64_t passed_ms;     /* what had arrived by then is counted, in every unit that says so;
                              INT64_MAX: none does */
};

void unit_counters_init(struct unit_counters *counters);
void unit_counters_fini(struct unit_counters *counters);
/* All days of all units. Each unit tells how many there are. */
enum status unit_counters_read(struct unit_counters *counters, struct redis_inspector *inspector,
                               struct error *error);

#endif
