#include "backtest/threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct threads {
    void (*body)(void *context);
    void *context;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    unsigned working;
};

static void *thread_main(void *argument)
{
    struct threads *threads = argument;
    threads->body(threads->context);
    (void)pthread_mutex_lock(&threads->mutex);
    threads->working--;
    (void)pthread_cond_signal(&threads->ended);
    (void)pthread_mutex_unlock(&threads->mutex);
    return NULL;
}

static struct timespec in_ms(int milliseconds)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

static void watch(struct threads *threads, backtest_tick *tick, void *tick_context, int tick_ms)
{
    struct timespec until = in_ms(tick_ms);
    while (threads->working) {
        int woken = tick ? pthread_cond_timedwait(&threads->ended, &threads->mutex, &until)
                         : pthread_cond_wait(&threads->ended, &threads->mutex);
        if (woken != ETIMEDOUT)
            continue;
        (void)pthread_mutex_unlock(&threads->mutex);
        tick(tick_context);
        (void)pthread_mutex_lock(&threads->mutex);
        until = in_ms(tick_ms);
    }
}

bool threads_run(unsigned count, void (*body)(void *context), void *context, backtest_tick *tick,
                 void *tick_context, int tick_ms)
{
    struct threads threads = {.body = body, .context = context};
    pthread_t *items = memory_take(count * sizeof *items);
    unsigned started = 0;
    (void)pthread_mutex_init(&threads.mutex, NULL);
    (void)pthread_cond_init(&threads.ended, NULL);
    (void)pthread_mutex_lock(&threads.mutex);
    while (started < count && pthread_create(&items[started], NULL, thread_main, &threads) == 0)
        started++;
    threads.working = started;
    watch(&threads, tick, tick_context, tick_ms);
    (void)pthread_mutex_unlock(&threads.mutex);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(items[i], NULL);
    (void)pthread_cond_destroy(&threads.ended);
    (void)pthread_mutex_destroy(&threads.mutex);
    free(items);
    return started > 0;
}
