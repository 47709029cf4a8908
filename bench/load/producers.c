#include "load/producers.h"

#include "common/clock.h"
#include "common/progress.h"
#include "direct/direct.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_EVERY 256     /* messages */
#define TICK_SECONDS 1e-3  /* between looks at the plan */
#define IDLE_SECONDS 0.1   /* the longest sleep */
#define WATCH_SECONDS 0.02 /* between looks at the producers */
#define HEAD_START 0.05    /* from when all is prepared until the plan begins */

struct team {
    const struct load_plan *plan;
    double began, until;
    struct lead_counts *leads; /* a lead's are touched by its producer alone */
    atomic_int preparing, running;
    atomic_bool go, stop;
    pthread_mutex_t lock; /* of `why` */
    char why[400];
};

struct producer {
    struct team *team;
    uint32_t index;
    pthread_t thread;
    struct client *client;
    struct traffic *traffic;
    /* Read by others while it runs. */
    atomic_uint_fast64_t done, lag_us;
    /* Its own until it has ended. */
    uint64_t sent, bytes, fates[TRAFFIC_UNREADABLE + 1], kinds[LOAD_KINDS];
    uint64_t looks;
    double lag_sum, lag_max, ended;
};

/* ---- Ends ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* What was sent is still waited for; a second signal ends the process. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static bool is_over(const struct team *team)
{
    return interrupted || atomic_load_explicit(&team->stop, memory_order_relaxed);
}

static void give_up(struct team *team, const char *why)
{
    (void)pthread_mutex_lock(&team->lock);
    if (!*team->why)
        (void)snprintf(team->why, sizeof team->why, "%.399s", why);
    (void)pthread_mutex_unlock(&team->lock);
    atomic_store(&team->stop, true);
}

static void poll_client(struct producer *self)
{
    struct error error;
    if (self->client->poll(self->client, &error) != STATUS_OK)
        give_up(self->team, error.text);
}

/* ---- Sending ---- */

static void count(struct producer *self, const struct traffic_event *event)
{
    self->sent++;
    self->bytes += event->value_size;
    self->fates[event->fate]++;
    if (event->fate == TRAFFIC_REPEATED || event->fate == TRAFFIC_UNREADABLE)
        return;
    uint32_t kind = event->kind - TRAFFIC_VISIT;
    self->kinds[kind]++;
    if (self->team->leads && kind <= LOAD_FORM_FILLS)
        self->team->leads[event->lead].of[kind]++;
}

static inline void send_event(struct producer *self, uint64_t sequence)
{
    struct traffic_event event;
    traffic_make(self->traffic, sequence, TRAFFIC_BY_PLAN, &event);
    count(self, &event);
    self->client->send(self->client, &event);
}

static inline bool is_mine(const struct producer *self, uint64_t sequence)
{
    uint32_t producers = self->team->plan->producers;
    return producers == 1 || traffic_lead(self->traffic, sequence) % producers == self->index;
}

/* Sends what is its own of the events up to `due`, and returns where it is then. */
static uint64_t send_until(struct producer *self, uint64_t sequence, uint64_t due)
{
    for (uint64_t since = 0; sequence < due; sequence++) {
        if (!is_mine(self, sequence))
            continue;
        send_event(self, sequence);
        if (++since % POLL_EVERY == 0) {
            poll_client(self);
            atomic_store_explicit(&self->done, self->sent, memory_order_relaxed);
            if (is_over(self->team))
                return sequence + 1;
        }
    }
    atomic_store_explicit(&self->done, self->sent, memory_order_relaxed);
    return sequence;
}

static void note_lag(struct producer *self, double lag)
{
    lag = lag > 0 ? lag : 0;
    self->lag_sum += lag;
    self->looks++;
    self->lag_max = fmax(self->lag_max, lag);
    atomic_store_explicit(&self->lag_us, (uint64_t)(lag * 1e6), memory_order_relaxed);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Seconds from the beginning until an event is due. */
static double due_of(const struct load_plan *plan, uint64_t sequence)
{
    return plan->rate > 0 ? (double)(sequence - plan->first) / plan->rate : 0;
}

/* The plan stands from the beginning: who is late sends what is due at once, and nothing is left
 * out. What is late is sent in pieces, so that the lag shows and answers are taken. */
static void send_by_plan(struct producer *self)
{
    const struct load_plan *plan = self->team->plan;
    uint64_t sequence = plan->first, piece = (uint64_t)(plan->rate * TICK_SECONDS) + 1;
    while (sequence < plan->end && !is_over(self->team)) {
        double now = clock_seconds();
        double planned = self->team->began + due_of(plan, sequence);
        if (now < planned) {
            poll_client(self);
            /* Not one by one, but what a tick brings. */
            clock_sleep_until(fmin(fmax(planned, now + TICK_SECONDS), now + IDLE_SECONDS));
            continue;
        }
        uint64_t due = plan->first + (uint64_t)((now - self->team->began) * plan->rate) + 1;
        note_lag(self, now - planned);
        sequence = send_until(self, sequence, min_u64(min_u64(due, sequence + piece), plan->end));
    }
}

static void send_fast(struct producer *self)
{
    const struct load_plan *plan = self->team->plan;
    uint64_t sequence = plan->first;
    while (sequence < plan->end && !is_over(self->team)) {
        if (self->team->until > 0 && clock_seconds() >= self->team->until)
            break;
        sequence = send_until(self, sequence, min_u64(sequence + 4096, plan->end));
    }
}

/* ---- Preparing ---- */

static void prepare(struct producer *self)
{
    const struct load_plan *plan = self->team->plan;
    struct direct *direct = client_direct_inner(self->client);
    direct_hold(direct, 0);
    for (uint64_t n = plan->first; n < plan->end && !is_over(self->team); n++) {
        if (!is_mine(self, n))
            continue;
        if (plan->rate > 0)
            direct_hold(direct, due_of(plan, n));
        send_event(self, n);
        if (self->sent % POLL_EVERY == 0)
            atomic_store_explicit(&self->done, self->sent, memory_order_relaxed);
    }
}

static void wait_for_others(struct team *team)
{
    (void)atomic_fetch_sub(&team->preparing, 1);
    while (!atomic_load(&team->go))
        clock_sleep_until(clock_seconds() + TICK_SECONDS);
}

static void send_prepared(struct producer *self)
{
    struct direct *direct = client_direct_inner(self->client);
    struct error error;
    direct_release(direct, self->team->began);
    for (;;) {
        double now = clock_seconds(), late = direct_late(direct, now);
        if (late == -INFINITY)
            return;
        if (is_over(self->team)) {
            direct_forget(direct);
            give_up(self->team, "interrupted before all were sent");
            return;
        }
        if (self->team->plan->rate > 0 && late > 0)
            note_lag(self, late);
        /* What is due goes; then until something is due or an answer comes. */
        double wait = late > 0 ? TICK_SECONDS : fmin(-late, IDLE_SECONDS);
        if (direct_poll(direct, 0, &error) != STATUS_OK ||
            direct_poll(direct, wait, &error) != STATUS_OK) {
            give_up(self->team, error.text);
            return;
        }
        struct direct_counts counts = direct_counts(direct);
        atomic_store_explicit(&self->done, counts.acked, memory_order_relaxed);
        atomic_store_explicit(&self->client->failed, counts.failed, memory_order_relaxed);
    }
}

static void *produce(void *opaque)
{
    struct producer *self = opaque;
    const struct load_plan *plan = self->team->plan;
    struct error error;
    if (plan->prepare)
        prepare(self);
    wait_for_others(self->team);
    if (plan->prepare)
        send_prepared(self);
    else if (plan->rate > 0)
        send_by_plan(self);
    else
        send_fast(self);
    atomic_store(&self->lag_us, 0);
    if (self->client->flush(self->client, plan->flush, &error) != STATUS_OK)
        give_up(self->team, error.text);
    self->ended = clock_seconds();
    (void)atomic_fetch_sub(&self->team->running, 1);
    return NULL;
}

/* ---- Watching ---- */

/* Shows how far they are until `left` is 0. */
static void watch(struct producer *producers, const char *what, atomic_int *left)
{
    const struct load_plan *plan = producers->team->plan;
    struct progress progress;
    uint64_t before = 0;
    progress_begin(&progress, what, plan->end == LOAD_NO_END ? 0 : plan->end - plan->first);
    while (atomic_load(left) > 0) {
        uint64_t done = 0, failed = 0, lag_us = 0;
        char why[400] = "", lag[48] = "";
        for (uint32_t i = 0; i < plan->producers; i++) {
            uint64_t its = atomic_load_explicit(&producers[i].lag_us, memory_order_relaxed);
            done += atomic_load_explicit(&producers[i].done, memory_order_relaxed);
            failed += atomic_load_explicit(&producers[i].client->failed, memory_order_relaxed);
            lag_us = its > lag_us ? its : lag_us;
        }
        if (plan->rate > 0)
            (void)snprintf(lag, sizeof lag, "%" PRIu64 " ms behind plan, ", lag_us / 1000);
        if (failed || done == before) /* trouble that is over is none */
            (void)bench_kafka_trouble(why, sizeof why);
        before = done;
        progress_show(&progress, done, "%s%" PRIu64 " errors%s%.60s", lag, failed, *why ? ": " : "",
                      why);
        clock_sleep_until(clock_seconds() + WATCH_SECONDS);
    }
    progress_end(&progress);
}

/* ---- Life ---- */

static void close_producers(struct producer *producers, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;) { /* the first one owns the tables */
        if (producers[i].client)
            producers[i].client->destroy(producers[i].client);
        traffic_destroy(producers[i].traffic);
    }
}

static enum status open_producer(struct producer *producers, uint32_t index, struct team *team,
                                 struct error *error)
{
    const struct load_plan *plan = team->plan;
    struct producer *self = &producers[index];
    self->team = team;
    self->index = index;
    self->traffic =
        index > 0 ? traffic_share(producers[0].traffic) : traffic_create(&plan->traffic, error);
    if (!self->traffic)
        return index > 0 ? error_set(error, STATUS_STOP, "no memory") : STATUS_STOP;
    self->client = plan->direct ? client_direct(plan->common, plan->rate > 0, error)
                                : client_librdkafka(plan->common, plan->rate > 0, error);
    return self->client ? STATUS_OK : STATUS_STOP;
}

static enum status start(struct producer *producers, struct team *team, uint32_t *started,
                         struct error *error)
{
    uint32_t count = team->plan->producers;
    atomic_store(&team->preparing, (int)count);
    atomic_store(&team->running, (int)count);
    for (*started = 0; *started < count; ++*started)
        if (pthread_create(&producers[*started].thread, NULL, produce, &producers[*started]) != 0) {
            atomic_store(&team->stop, true);
            return error_set(error, STATUS_STOP, "no thread for producer %u", *started + 1);
        }
    return STATUS_OK;
}

static void begin(struct producer *producers, struct team *team, struct load_outcome *outcome)
{
    double from = clock_seconds();
    if (team->plan->prepare) {
        watch(producers, "prepared", &team->preparing);
        for (uint32_t i = 0; i < team->plan->producers; i++)
            atomic_store(&producers[i].done, 0);
    }
    team->began = clock_seconds() + (team->plan->prepare ? HEAD_START : 0);
    outcome->prepare_seconds = team->plan->prepare ? team->began - from : 0;
    if (team->plan->seconds > 0 && team->plan->end == LOAD_NO_END)
        team->until = team->began + team->plan->seconds;
}

static void add_up(const struct producer *producers, const struct team *team,
                   struct load_outcome *outcome)
{
    uint64_t looks = 0;
    double ended = team->began;
    for (uint32_t i = 0; i < team->plan->producers; i++) {
        const struct producer *one = &producers[i];
        outcome->sent += one->sent;
        outcome->failed += atomic_load(&one->client->failed);
        outcome->bytes += one->bytes;
        for (size_t k = 0; k <= TRAFFIC_UNREADABLE; k++)
            outcome->fates[k] += one->fates[k];
        for (size_t k = 0; k < LOAD_KINDS; k++)
            outcome->kinds[k] += one->kinds[k];
        outcome->lag_max = fmax(outcome->lag_max, one->lag_max);
        outcome->lag_mean += one->lag_sum;
        looks += one->looks;
        ended = fmax(ended, one->ended);
        if (!*outcome->why)
            (void)snprintf(outcome->why, sizeof outcome->why, "%s", one->client->refusal);
    }
    outcome->seconds = ended - team->began;
    outcome->lag_mean = looks ? outcome->lag_mean / (double)looks : 0;
    if (!*outcome->why)
        (void)snprintf(outcome->why, sizeof outcome->why, "%s", team->why);
}

static enum status run_team(struct producer *producers, struct team *team,
                            struct load_outcome *outcome, struct error *error)
{
    uint32_t started;
    enum status status = start(producers, team, &started, error);
    if (status == STATUS_OK)
        begin(producers, team, outcome);
    double cpu = clock_cpu_seconds();
    atomic_store(&team->go, true);
    if (status == STATUS_OK)
        watch(producers, "sent", &team->running);
    for (uint32_t i = 0; i < started; i++)
        (void)pthread_join(producers[i].thread, NULL);
    outcome->cpu_seconds = clock_cpu_seconds() - cpu;
    if (status == STATUS_OK)
        add_up(producers, team, outcome);
    return status;
}

enum status load_run(const struct load_plan *plan, struct load_outcome *outcome,
                     struct error *error)
{
    struct producer producers[PRODUCERS_MAX] = {{0}};
    struct team team = {.plan = plan, .lock = PTHREAD_MUTEX_INITIALIZER};
    enum status status = STATUS_OK;
    uint32_t opened = 0;
    *outcome = (struct load_outcome){0};
    if (plan->truth) {
        team.leads = outcome->leads = calloc(plan->traffic.leads, sizeof *team.leads);
        if (!team.leads)
            return error_set(error, STATUS_STOP, "no memory for the counts of %u leads",
                             plan->traffic.leads);
    }
    for (; opened < plan->producers && status == STATUS_OK; opened++)
        status = open_producer(producers, opened, &team, error);
    if (status == STATUS_OK) {
        catch_signals();
        status = run_team(producers, &team, outcome, error);
    }
    close_producers(producers, opened);
    return status;
}
