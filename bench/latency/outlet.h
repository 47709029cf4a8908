/* What events are sent with: librdkafka, as most programs do, or the direct client, which leaves
 * more of a small machine to those that are measured. One thread. */
#ifndef LATENCY_OUTLET_H
#define LATENCY_OUTLET_H

#include "common/kafka.h"
#include "traffic/traffic.h"

struct outlet_settings {
    double linger; /* seconds that events may be collected into a batch */
    /* The broker has the event that was sent with this mark. From within the calls below. */
    void (*acked)(void *context, uint64_t mark, int32_t partition);
    void *context;
};

struct outlet {
    /* Takes a copy. mark 0: nobody needs to know. */
    void (*send)(struct outlet *outlet, const struct traffic_event *event, uint64_t mark);
    /* Sends what is due and takes answers, without waiting. STOP: nothing more can be sent. */
    enum status (*poll)(struct outlet *outlet, struct error *error);
    /* Waits for all answers, at most so many seconds; what is then without one has failed. */
    void (*flush)(struct outlet *outlet, double seconds);
    void (*destroy)(struct outlet *outlet);
    uint64_t failed;
    char refusal[200]; /* why the first one failed */
};

/* NULL: *error says why not. */
struct outlet *outlet_librdkafka(const struct common_options *common,
                                 const struct outlet_settings *settings, struct error *error);
struct outlet *outlet_direct(const struct common_options *common,
                             const struct outlet_settings *settings, struct error *error);

#endif
