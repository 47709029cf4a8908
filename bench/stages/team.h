/* Threads that do the same thing at the same time, so that all cores count, and what it took: units
 * done, seconds, CPU time of this process and of the servers beside it.
 *
 * A member makes ready, calls team_start, does its work until team_time_is_up (or its work is
 * done), and calls team_stop. Between the last start and the last stop everything is measured. */
#ifndef STAGES_TEAM_H
#define STAGES_TEAM_H

#include "base/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TEAM_MAX 64

/* Processes whose CPU time is told apart; 0: not known, or not on this machine. */
struct team_servers {
    pid_t broker, redis;
};

/* What a member did. */
struct team_work {
    uint64_t units;
    double seconds, cpu; /* 0: of the whole time between start and stop */
};

struct team_figures {
    uint64_t units;
    double per_second;            /* of all members together: the sum of each one's */
    double seconds;               /* from the start to the last stop */
    double members_cpu;           /* CPU seconds of the members' own threads */
    double process_cpu;           /* … of all threads of this process */
    double broker_cpu, redis_cpu; /* negative: not known */
};

struct team {
    unsigned count;
    double limit_s; /* how long the members may work; 0: until they are done */
    struct team_servers servers;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned started, stopped;
    bool failed;
    struct error error; /* the first one */
    uint64_t units_before;
    double began, until;
    double process_before, broker_before, redis_before;
    struct team_figures figures;
};

struct team_member {
    struct team *team;
    unsigned number;
    void *context; /* the stage's own */
    double began, cpu_before;
    enum status (*run)(struct team_member *member, struct error *error);
};

/* Waits for the others. False: one of them has failed; return STATUS_OK. */
bool team_start(struct team_member *member);
/* Looks at the clock. */
bool team_time_is_up(const struct team_member *member);
void team_stop(struct team_member *member, const struct team_work *work);
/* What came before was the beginning, and is not what is measured: from here on. `units` of all
 * members together are not counted. */
void team_begin_anew(struct team_member *member, uint64_t units);

/* Runs `count` members, each with its own context. `run` returns STATUS_OK, or another status with
 * an error, which then is the team's. */
enum status team_run(unsigned count, double limit_s, struct team_servers servers,
                     enum status (*run)(struct team_member *member, struct error *error),
                     void *const contexts[], struct team_figures *figures, struct error *error);

#endif
