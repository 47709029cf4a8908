/* Producers: a thread and a client each. They share out the leads, so that the order of a lead's
 * events is the same however many producers there are. */
#ifndef LOAD_PRODUCERS_H
#define LOAD_PRODUCERS_H

#include "common/options.h"
#include "load/client.h"
#include "traffic/traffic.h"

#define PRODUCERS_MAX 64
#define LOAD_NO_END UINT64_MAX

enum { LOAD_VISITS, LOAD_CLICKS, LOAD_FORM_FILLS, LOAD_PROFILES, LOAD_KINDS };

/* What of a lead was sent that counts: neither repeated nor unreadable. */
struct lead_counts {
    uint32_t of[LOAD_FORM_FILLS + 1];
};

struct load_plan {
    const struct common_options *common;
    struct traffic_options traffic;
    uint32_t producers;
    bool direct, prepare; /* prepare: make all messages first; direct only */
    uint64_t first, end;  /* sequences; end LOAD_NO_END: until `seconds` are over */
    double rate, seconds; /* 0: as fast as it goes; 0: until the end */
    double flush;         /* seconds to wait for the last answers */
    bool truth;           /* count by lead */
};

struct load_outcome {
    uint64_t sent, failed, bytes;
    uint64_t fates[TRAFFIC_UNREADABLE + 1], kinds[LOAD_KINDS];
    double seconds, prepare_seconds;
    double cpu_seconds;        /* of this process, while sending */
    double lag_max, lag_mean;  /* seconds behind plan */
    struct lead_counts *leads; /* with `truth`, by lead; to be freed */
    char why[400];             /* of the first failure, or why it ended early; "" if all is well */
};

/* STATUS_STOP: nothing was sent, *error says why. Failures while sending are in the outcome. */
enum status load_run(const struct load_plan *plan, struct load_outcome *outcome,
                     struct error *error);

#endif
