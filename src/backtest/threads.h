/* Some threads that do the same, and the one that waits for them. */
#ifndef BACKTEST_THREADS_H
#define BACKTEST_THREADS_H

#include "backtest/backtest.h"

/* Returns once all have returned; calls `tick` from this thread every tick_ms until then. False: no
 * thread can be started. */
bool threads_run(unsigned count, void (*body)(void *context), void *context, backtest_tick *tick,
                 void *tick_context, int tick_ms);

#endif
