/* What is kept of a run when its leads are let go: who was promoted, judged or given up, and the
 * lines that it made. */
#ifndef BACKTEST_HARVEST_H
#define BACKTEST_HARVEST_H

#include "backtest/fold_run.h"

enum fact_kind { FACT_PROMOTED, FACT_JUDGED, FACT_MERGED };

struct fact {
    enum fact_kind kind;
    struct baton_text id;
    int64_t time_ms;               /* PROMOTED, JUDGED */
    enum backtest_outcome outcome; /* JUDGED … */
    enum verdict_weight weight;
    const uint64_t *rules;
    struct baton_text into; /* MERGED: who it is now */
};

struct harvest {
    bool is_candidate;
    struct arena arena; /* of what facts point to */
    struct fact *facts;
    size_t count, room;
    struct lines lines;
    uint64_t promotions;
};

/* Takes what the run has; only its end may follow. */
void harvest_take(struct harvest *harvest, struct fold_run *run);
void harvest_fini(struct harvest *harvest);

#endif
