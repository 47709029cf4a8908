/* Partitions of a log over threads. Each is one thread's at a time, until it is at its end or waits
 * for what another one's merge takes along. When all that are left wait, the one whose transfer was
 * written first takes what the log has: the merge would have been written before, and so it is
 * gone. Which one that is does not depend on who was how fast: what a partition comes to before it
 * waits follows from the log alone. */
#include "backtest/backtest_private.h"
#include "backtest/partition_run.h"
#include "backtest/threads.h"

#include <pthread.h>
#include <stdlib.h>

enum place_state { PLACE_READY, PLACE_RUNNING, PLACE_WAITING, PLACE_DONE };

struct place {
    enum place_state state;
    struct partition_run *run; /* NULL: not begun, or done */
};

struct crew {
    struct backtest *backtest;
    const struct backtest_log *log;
    struct transfers *transfers;
    struct place *places;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint32_t done, running;
    _Atomic uint32_t waiting; /* written under the mutex */
    bool too_lean;
    enum status status;
    struct error error;
};

/* ---- one thread
 * ---------------------------------------------------------------------------------- */

static void fail(struct crew *crew, enum status status, const struct error *error)
{
    if (crew->status != STATUS_OK)
        return;
    crew->status = status;
    crew->error = *error;
}

/* What was put in before somebody waits is seen by that one itself, before it sleeps. */
static void on_put(void *context)
{
    struct crew *crew = context;
    if (!atomic_load(&crew->waiting))
        return;
    (void)pthread_mutex_lock(&crew->mutex);
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->mutex);
}

/* Those whose transfer is there by now. */
static void wake(struct crew *crew)
{
    for (uint32_t i = 0; crew->waiting && i < crew->log->partitions; i++) {
        struct place *place = &crew->places[i];
        if (place->state != PLACE_WAITING || !transfers_have(crew->transfers, &place->run->awaited))
            continue;
        place->state = PLACE_READY;
        crew->waiting--;
    }
}

static struct place *first_ready(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->log->partitions; i++)
        if (crew->places[i].state == PLACE_READY)
            return &crew->places[i];
    return NULL;
}

static struct place *first_written(struct crew *crew)
{
    struct place *first = NULL;
    for (uint32_t i = 0; i < crew->log->partitions; i++) {
        struct place *place = &crew->places[i];
        if (place->state == PLACE_WAITING &&
            (!first || place->run->awaited_ms < first->run->awaited_ms))
            first = place;
    }
    return first;
}

/* NULL: there is nothing to do any more. */
static struct place *next_place(struct crew *crew)
{
    while (crew->status == STATUS_OK && !crew->too_lean && crew->done < crew->log->partitions) {
        wake(crew);
        struct place *place = first_ready(crew);
        if (place)
            return place;
        if (!crew->running) {
            place = first_written(crew);
            place->run->gives_up = true;
            place->state = PLACE_READY;
            crew->waiting--;
            return place;
        }
        (void)pthread_cond_wait(&crew->changed, &crew->mutex);
    }
    return NULL;
}

static void begin(struct crew *crew, struct place *place)
{
    if (place->run)
        return;
    place->run = memory_take(sizeof *place->run);
    partition_run_init(place->run, &crew->backtest->config, crew->log, crew->transfers,
                       &crew->backtest->progress, (uint32_t)(place - crew->places));
}

static void end(struct crew *crew, struct place *place)
{
    struct partition_run *run = place->run;
    struct harvest *harvests = &crew->backtest->harvests[run->number * run->run_count];
    for (size_t i = 0; i < run->run_count; i++) {
        harvest_fini(&harvests[i]);
        harvest_take(&harvests[i], &run->runs[i]);
    }
}

static void let_go(struct place *place)
{
    partition_run_fini(place->run);
    free(place->run);
    place->run = NULL;
}

static void count(struct crew *crew, const struct partition_run *run)
{
    struct backtest_result *result = &crew->backtest->result;
    reading_figures_add(&run->figures, result);
    result->transfers_from_log += run->transfers_from_log;
    result->first_offsets_cut += run->first > 0;
}

static void work_on(struct crew *crew, struct place *place, struct partition_tools *tools)
{
    struct error error;
    place->state = PLACE_RUNNING;
    crew->running++;
    (void)pthread_mutex_unlock(&crew->mutex);
    begin(crew, place);
    enum run_state state = partition_run_step(place->run, tools, &error);
    if (state == RUN_DONE)
        end(crew, place);
    (void)pthread_mutex_lock(&crew->mutex);
    crew->running--;
    if (state == RUN_FAILED)
        fail(crew, STATUS_STOP, &error);
    crew->too_lean = crew->too_lean || state == RUN_TOO_LEAN;
    if (state == RUN_DONE) {
        count(crew, place->run);
        crew->done++;
        let_go(place);
    }
    crew->waiting += state == RUN_WAITS;
    place->state = state == RUN_DONE ? PLACE_DONE : PLACE_WAITING;
    (void)pthread_cond_broadcast(&crew->changed);
}

static void fold_partitions(void *argument)
{
    struct crew *crew = argument;
    struct partition_tools *tools = memory_take(sizeof *tools);
    struct error error;
    const struct backtest_config *config = &crew->backtest->config;
    enum status status = reading_init(&tools->reading, config, &error);
    enum status folds = fold_tools_init(&tools->fold, config, &error);
    (void)pthread_mutex_lock(&crew->mutex);
    if (status != STATUS_OK || folds != STATUS_OK)
        fail(crew, STATUS_STOP, &error);
    for (struct place *place; (place = next_place(crew));)
        work_on(crew, place, tools);
    (void)pthread_cond_broadcast(&crew->changed);
    (void)pthread_mutex_unlock(&crew->mutex);
    reading_fini(&tools->reading);
    fold_tools_fini(&tools->fold);
    free(tools);
}

/* ---- the crew
 * ------------------------------------------------------------------------------------ */

static void add_up(struct crew *crew)
{
    for (uint32_t i = 0; i < crew->log->partitions; i++) {
        int64_t first, last;
        crew->log->range(crew->log->context, i, &first, &last);
        atomic_fetch_add(&crew->backtest->progress.total, (uint64_t)(last - first));
    }
}

/* What was folded by runs that kept too little. */
static void begin_anew(struct backtest *backtest)
{
    for (size_t i = 0; i < backtest->harvest_count; i++)
        harvest_fini(&backtest->harvests[i]);
    free(backtest->harvests);
    backtest->result = (struct backtest_result){.first_ms = INT64_MAX, .last_ms = INT64_MIN};
    backtest->config.whole = true;
    atomic_store(&backtest->progress.events, 0);
    atomic_store(&backtest->progress.done, 0);
    atomic_store(&backtest->progress.total, 0);
}

static void fold_once(struct crew *crew, backtest_tick *tick, void *context, int tick_ms)
{
    struct backtest *backtest = crew->backtest;
    uint32_t partitions = crew->log->partitions;
    crew->transfers = transfers_create(on_put, crew);
    unsigned count_wanted = backtest_threads(backtest);
    if (count_wanted > partitions)
        count_wanted = partitions;
    crew->places = memory_take_zeroed(partitions + 1, sizeof *crew->places);
    (void)pthread_mutex_init(&crew->mutex, NULL);
    (void)pthread_cond_init(&crew->changed, NULL);
    backtest_make_harvests(backtest, (size_t)partitions * (backtest->config.against ? 2 : 1));
    add_up(crew);
    if (!threads_run(count_wanted, fold_partitions, crew, tick, context, tick_ms))
        crew->status = error_set(&crew->error, STATUS_STOP, "no thread can be started");
    for (uint32_t i = 0; i < partitions; i++)
        if (crew->places[i].run)
            let_go(&crew->places[i]);
    free(crew->places);
    transfers_destroy(crew->transfers);
    (void)pthread_cond_destroy(&crew->changed);
    (void)pthread_mutex_destroy(&crew->mutex);
}

enum status backtest_fold_log(struct backtest *backtest, const struct backtest_log *log,
                              backtest_tick *tick, void *context, int tick_ms, struct error *error)
{
    struct crew crew = {.backtest = backtest, .log = log};
    fold_once(&crew, tick, context, tick_ms);
    if (crew.status == STATUS_OK && crew.too_lean) {
        begin_anew(backtest);
        crew = (struct crew){.backtest = backtest, .log = log};
        fold_once(&crew, tick, context, tick_ms);
    }
    if (crew.status != STATUS_OK)
        *error = crew.error;
    return crew.status;
}
