#include "stages/team.h"

#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* CPU seconds of a process so far, user and system; negative: not known. */
static double process_cpu(pid_t pid)
{
    char path[32], line[512];
    if (pid <= 0)
        return -1;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    bool read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    /* The name of the program may hold anything, a bracket, too: count from the last one. */
    const char *at = read ? strrchr(line, ')') : NULL;
    unsigned long user = 0, system = 0;
    if (!at ||
        sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return -1;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double between(double before, double after)
{
    return before < 0 || after < 0 ? -1 : after - before;
}

static void look(struct team *team)
{
    team->broker_before = process_cpu(team->servers.broker);
    team->redis_before = process_cpu(team->servers.redis);
    team->process_before = clock_cpu_seconds();
    team->began = clock_seconds();
}

bool team_start(struct team_member *member)
{
    struct team *team = member->team;
    (void)pthread_mutex_lock(&team->lock);
    if (++team->started == team->count) {
        look(team);
        team->until = team->began + team->limit_s;
        (void)pthread_cond_broadcast(&team->changed);
    }
    while (team->started < team->count && !team->failed)
        (void)pthread_cond_wait(&team->changed, &team->lock);
    bool go = !team->failed;
    (void)pthread_mutex_unlock(&team->lock);
    member->began = clock_seconds();
    member->cpu_before = clock_thread_seconds();
    return go;
}

void team_begin_anew(struct team_member *member, uint64_t units)
{
    struct team *team = member->team;
    (void)pthread_mutex_lock(&team->lock);
    look(team);
    team->units_before = units;
    (void)pthread_mutex_unlock(&team->lock);
}

bool team_time_is_up(const struct team_member *member)
{
    return clock_seconds() >= member->team->until;
}

void team_stop(struct team_member *member, const struct team_work *work)
{
    double seconds = clock_seconds() - member->began;
    double cpu = clock_thread_seconds() - member->cpu_before;
    struct team *team = member->team;
    (void)pthread_mutex_lock(&team->lock);
    if (work->seconds > 0) {
        seconds = work->seconds;
        cpu = work->cpu;
    }
    team->figures.units += work->units;
    team->figures.per_second += seconds > 0 ? (double)work->units / seconds : 0;
    team->figures.members_cpu += cpu;
    if (++team->stopped == team->count) {
        team->figures.seconds = clock_seconds() - team->began;
        team->figures.units -= team->units_before;
        team->figures.process_cpu = clock_cpu_seconds() - team->process_before;
        team->figures.broker_cpu = between(team->broker_before, process_cpu(team->servers.broker));
        team->figures.redis_cpu = between(team->redis_before, process_cpu(team->servers.redis));
    }
    (void)pthread_mutex_unlock(&team->lock);
}

static void fail(struct team *team, const struct error *error)
{
    (void)pthread_mutex_lock(&team->lock);
    if (!team->failed)
        team->error = *error;
    team->failed = true;
    (void)pthread_cond_broadcast(&team->changed);
    (void)pthread_mutex_unlock(&team->lock);
}

static void *run_member(void *context)
{
    struct team_member *member = context;
    struct error error = {.text = ""};
    if (member->run(member, &error) != STATUS_OK)
        fail(member->team, &error);
    return NULL;
}

static void start_members(struct team *team, struct team_member *members, pthread_t *threads,
                          bool *running)
{
    for (unsigned i = 0; i < team->count; i++) {
        int code = pthread_create(&threads[i], NULL, run_member, &members[i]);
        running[i] = code == 0;
        if (code == 0)
            continue;
        struct error error;
        (void)error_set(&error, STATUS_STOP, "cannot start a thread: %s", strerror(code));
        fail(team, &error);
    }
}

enum status team_run(unsigned count, double limit_s, struct team_servers servers,
                     enum status (*run)(struct team_member *member, struct error *error),
                     void *const contexts[], struct team_figures *figures, struct error *error)
{
    struct team team = {.count = count, .limit_s = limit_s, .servers = servers};
    struct team_member members[TEAM_MAX];
    pthread_t threads[TEAM_MAX];
    bool running[TEAM_MAX] = {false};
    (void)pthread_mutex_init(&team.lock, NULL);
    (void)pthread_cond_init(&team.changed, NULL);
    for (unsigned i = 0; i < count; i++)
        members[i] =
            (struct team_member){.team = &team, .number = i, .context = contexts[i], .run = run};
    start_members(&team, members, threads, running);
    for (unsigned i = 0; i < count; i++)
        if (running[i])
            (void)pthread_join(threads[i], NULL);
    (void)pthread_cond_destroy(&team.changed);
    (void)pthread_mutex_destroy(&team.lock);
    *figures = team.figures;
    *error = team.error;
    return team.failed ? STATUS_STOP : STATUS_OK;
}
