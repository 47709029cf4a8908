/* One agreement over the lines of a file, in their order, with what follows from them: events
 * that are passed on, merges and erasures, which a log has and a file has not. */
#ifndef BACKTEST_FILE_RUN_H
#define BACKTEST_FILE_RUN_H

#include "backtest/fold_run.h"
#include "backtest/reading.h"

/* A line, decoded by any thread. */
struct file_line {
    const uint8_t *value;
    size_t size;
    int64_t number; /* from 0 */
    enum reading_outcome outcome;
    const char *why; /* it cannot be read; else NULL */
    uint64_t hash;
    struct baton_event event;
};

struct file_run {
    struct fold_run fold;
    struct reading reading; /* of what follows from a line */
    struct fold_tools tools;
    struct outgoing_message *hops; /* of this line, in the tools' arena */
    size_t hop_count, hop_room;
    struct reading_figures figures;
};

enum status file_run_init(struct file_run *run, const struct backtest_config *config,
                          bool is_candidate, struct error *error);
void file_run_fini(struct file_run *run);
/* The message that a line stands for; positions leave room for what follows from it. */
struct message file_line_message(const struct file_line *line);
enum status file_run_take(struct file_run *run, const struct file_line *line, struct error *error);

#endif
