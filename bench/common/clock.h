/* Time and CPU time. Any thread. */
#ifndef BENCH_COMMON_CLOCK_H
#define BENCH_COMMON_CLOCK_H

#include <stdint.h>

double clock_seconds(void);        /* monotonic; of no particular beginning */
double clock_cpu_seconds(void);    /* of this process so far, user and system, all threads */
double clock_thread_seconds(void); /* CPU time of the calling thread */
int64_t clock_unix_ms(void);       /* since 1970, for event times */
/* Sleeps until clock_seconds() is `at`; returns at once when that is past, or early on a signal. */
void clock_sleep_until(double at);

#endif
