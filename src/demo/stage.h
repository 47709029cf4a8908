/* What the demo plays on: a folder, a private Redis, a broker and `baton run`, all of which end
 * with it. One thread. */
#ifndef DEMO_STAGE_H
#define DEMO_STAGE_H

#include "base/status.h"
#include "demo/options.h"
#include "kafka/kafka_settings.h"
#include "redis/redis_config.h"

#include <limits.h>
#include <signal.h>
#include <sys/types.h>

#define STAGE_PARTITIONS 8
#define STAGE_TOPICS (1 + OUTGOING_TOPICS)

struct stage {
    const struct demo_options *options;
    const volatile sig_atomic_t *interrupted; /* set by a signal handler: no more waiting */
    char folder[PATH_MAX / 4];                /* short enough for what is put behind it */
    char config[PATH_MAX], socket[PATH_MAX], brokers[64];
    pid_t redis, broker, baton;
    int broker_input; /* closing it ends the embedded broker */
    bool real_broker;
    struct kafka_settings kafka;
    struct redis_config redis_config;
};

/* The topics' names: events, then by outgoing_topic. */
extern const char *const stage_topics[STAGE_TOPICS];

/* Starts all of it. On an error call stage_close as well. */
enum status stage_open(struct stage *stage, const struct demo_options *options,
                       const volatile sig_atomic_t *interrupted, struct error *error);
/* STOP when one of the programs has ended. */
enum status stage_check(struct stage *stage, struct error *error);
/* What `baton status` says of what both sides promised, line by line; nothing where there is no
 * pact or nobody answers. */
void stage_promises(struct stage *stage, void (*line)(void *context, const char *text),
                    void *context);
/* A clean stop of `baton run`; returns its exit code. */
int stage_stop_baton(struct stage *stage);
void stage_close(struct stage *stage);

/* The embedded broker's process: prints its address and lives until its standard input ends. */
int stage_run_broker(int partitions);

#endif
