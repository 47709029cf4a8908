/* What the files of a backtest share. */
#ifndef BACKTEST_BACKTEST_PRIVATE_H
#define BACKTEST_BACKTEST_PRIVATE_H

#include "backtest/harvest.h"
#include "backtest/reading.h"

struct backtest {
    struct backtest_config config;
    struct backtest_progress progress;
    struct backtest_result result;
    struct harvest *harvests; /* by partition, and within by run */
    size_t harvest_count;
    struct arena texts; /* of the result */
};

/* Room for so many harvests, all empty. */
void backtest_make_harvests(struct backtest *backtest, size_t count);
unsigned backtest_threads(const struct backtest *backtest);

#endif
