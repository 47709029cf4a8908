#include "commands/system_clock.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t now_us(clockid_t which)
{
    struct timespec now;
    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t wall_ms(struct clock *clock)
{
    (void)clock;
    return now_us(CLOCK_REALTIME) / 1000;
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
