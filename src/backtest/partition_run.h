/* A partition of the log, from its first record to its last: decoded once, folded by each run. Its
 * thread may change between two steps. */
#ifndef BACKTEST_PARTITION_RUN_H
#define BACKTEST_PARTITION_RUN_H

#include "backtest/fold_run.h"
#include "backtest/reading.h"
#include "backtest/transfers.h"

#define PARTITION_RECORDS 512

struct replayed {
    struct baton_event event;
    enum reading_outcome outcome;
    const struct hop *hop;
    uint64_t hash;
    struct lead_entry *entries[TRANSFER_RUNS]; /* NULL: ignored under that agreement */
};

/* What a thread has. */
struct partition_tools {
    struct fold_tools fold;
    struct reading reading;
    struct replayed items[PARTITION_RECORDS];
};

struct partition_run {
    const struct backtest_config *config;
    const struct backtest_log *log;
    struct transfers *transfers; /* of all partitions */
    struct backtest_progress *progress;
    uint32_t number;
    int64_t first, end, position;
    void *reader; /* NULL: not begun, or done */
    struct fold_run runs[TRANSFER_RUNS];
    size_t run_count;
    struct record records[PARTITION_RECORDS];
    size_t count, next;
    struct reading_figures figures;
    uint64_t transfers_from_log;
    /* waits for a transfer of another partition */
    struct arena waiting;
    struct transfer_key awaited;
    int64_t awaited_ms; /* when the transfer was written */
    bool gives_up;      /* … no longer: nothing else can go on, and what the log has is taken */
};

/* TOO_LEAN: the whole log has to be folded by runs that keep all. */
enum run_state { RUN_DONE, RUN_WAITS, RUN_FAILED, RUN_TOO_LEAN };

void partition_run_init(struct partition_run *run, const struct backtest_config *config,
                        const struct backtest_log *log, struct transfers *transfers,
                        struct backtest_progress *progress, uint32_t number);
void partition_run_fini(struct partition_run *run);
/* Goes on until it is at its end, or must wait. */
enum run_state partition_run_step(struct partition_run *run, struct partition_tools *tools,
                                  struct error *error);

#endif
