#include "commands/system_clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t now_us(clockid_t which)
{
    struct timespec now;
    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#ifdef BATON_CRASH_POINTS
#define JUMP_LOOK_MS 20

/* Tests jump hours: the milliseconds that the file named by BATON_CLOCK_FILE holds are added to the
 * wall clock. Any thread; the file is replaced as a whole, and what cannot be read is as before. */
static int64_t jumped_ms(int64_t now_ms)
{
    static _Atomic int64_t jump_ms, looked_ms;
    const char *path = getenv("BATON_CLOCK_FILE");
    if (!path)
        return 0;
    int64_t looked = atomic_load_explicit(&looked_ms, memory_order_relaxed);
    if (now_ms < looked + JUMP_LOOK_MS && now_ms >= looked)
        return atomic_load_explicit(&jump_ms, memory_order_relaxed);
    atomic_store_explicit(&looked_ms, now_ms, memory_order_relaxed);
    FILE *file = fopen(path, "re");
    long long read;
    if (file && fscanf(file, "%lld", &read) == 1)
        atomic_store_explicit(&jump_ms, read, memory_order_relaxed);
    if (file)
        (void)fclose(file);
    return atomic_load_explicit(&jump_ms, memory_order_relaxed);
}
#else
static int64_t jumped_ms(int64_t now_ms)
{
    (void)now_ms;
    return 0;
}
#endif

static int64_t wall_ms(struct clock *clock)
{
    (void)clock;
    int64_t now_ms = now_us(CLOCK_REALTIME) / 1000;
    return now_ms + jumped_ms(now_ms);
}

static int64_t monotonic_us(struct clock *clock)
{
    (void)clock;
    return now_us(CLOCK_MONOTONIC);
}

static void pause_ms(struct clock *clock, int milliseconds)
{
    (void)clock;
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&time, NULL);
}

static void random_bytes(struct clock *clock, uint8_t *bytes, size_t size)
{
    (void)clock;
    if (getrandom(bytes, size, 0) != (ssize_t)size)
        abort(); /* below 256 bytes the kernel always gives all */
}

struct clock *system_clock(void)
{
    static struct clock clock = {.wall_ms = wall_ms,
                                 .monotonic_us = monotonic_us,
                                 .pause = pause_ms,
                                 .random = random_bytes};
    return &clock;
}
