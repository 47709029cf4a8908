#include "memory/memory.h"

static struct memory_clock *self(struct clock *clock)
{
    return (struct memory_clock *)clock;
}

static int64_t clock_wall_ms(struct clock *clock)
{
    return self(clock)->wall_ms;
}

static int64_t clock_monotonic_us(struct clock *clock)
{
    return self(clock)->monotonic_us;
}

static void clock_pause(struct clock *clock, int milliseconds)
{
    memory_clock_advance(self(clock), (int64_t)milliseconds * 1000);
}

/* SplitMix64: any seed will do, and the same seed gives the same bytes. */
static void clock_random(struct clock *clock, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint64_t mixed = self(clock)->random += 0x9E3779B97F4A7C15u;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
        bytes[i] = (uint8_t)(mixed >> 56);
    }
}

void memory_clock_init(struct memory_clock *clock, int64_t wall_ms, uint64_t seed)
{
    *clock = (struct memory_clock){.port = {.wall_ms = clock_wall_ms,
                                            .monotonic_us = clock_monotonic_us,
                                            .pause = clock_pause,
                                            .random = clock_random},
                                   .wall_ms = wall_ms,
                                   .random = seed};
}

void memory_clock_advance(struct memory_clock *clock, int64_t microseconds)
{
    int64_t before = clock->monotonic_us;
    clock->monotonic_us += microseconds;
    clock->wall_ms += clock->monotonic_us / 1000 - before / 1000;
}
