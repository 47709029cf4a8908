/* What a producer sends with: librdkafka, or the direct client that costs a fraction. */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include "common/kafka.h"
#include "traffic/traffic.h"

#include <stdatomic.h>

struct client {
    /* Takes a copy. With librdkafka it waits while its queue is full. */
    void (*send)(struct client *client, const struct traffic_event *event);
    /* Takes answers. STATUS_STOP: nothing more can be sent, *error says why. */
    enum status (*poll)(struct client *client, struct error *error);
    /* Waits for all answers, at most so many seconds; what is then without one has failed. */
    enum status (*flush)(struct client *client, double seconds, struct error *error);
    void (*destroy)(struct client *client);
    atomic_uint_fast64_t failed; /* any thread may read it */
    char refusal[200];           /* why the first one failed; of the producer's thread */
};

/* `paced`: a rate is given, so that batches are not waited for and queues are long. */
struct client *client_librdkafka(const struct common_options *common, bool paced,
                                 struct error *error);

struct direct;
struct client *client_direct(const struct common_options *common, bool paced, struct error *error);
/* Of a direct client. */
struct direct *client_direct_inner(struct client *client);

#endif
