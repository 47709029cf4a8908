/* The wall clock of test builds can be moved, so that nobody waits for hours. */
#include "commands/system_clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void jump_to(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs(text, file);
    cr_assert_eq(fclose(file), 0);
    (void)usleep(30000); /* it is looked at every 20 ms */
}

/* Hours that the clock is ahead, without what passes meanwhile. */
static int64_t hours_ahead(void)
{
    int64_t before = real_ms();
    struct clock *clock = system_clock();
    return (clock->wall_ms(clock) - before) / 3600000;
}

Test(commands_clock, a_file_moves_the_wall_clock_and_nothing_else)
{
    char path[] = "/tmp/baton-clock-XXXXXX";
    int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    (void)close(descriptor);
    cr_expect_eq(hours_ahead(), 0);
    cr_assert_eq(setenv("BATON_CLOCK_FILE", path, 1), 0);
    jump_to(path, "7200000\n");
    cr_expect_eq(hours_ahead(), 2);
    jump_to(path, "36000000\n");
    cr_expect_eq(hours_ahead(), 10);
    jump_to(path, ""); /* caught while it was written: as before */
    cr_expect_eq(hours_ahead(), 10);
    struct timespec now;
    struct clock *clock = system_clock();
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    cr_expect_lt(clock->monotonic_us(clock) / 1000000 - now.tv_sec, 3600);
    (void)unlink(path);
}
