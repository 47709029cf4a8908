/* What the workers of a process have counted since its start, for a line of the log. */
#ifndef COMMANDS_RUN_FIGURES_H
#define COMMANDS_RUN_FIGURES_H

#include "base/text_buffer.h"
#include "pipeline/worker.h"

struct run_figures {
    uint64_t records, events, duplicates, too_late, ignored, promotions, stages, replayed, leads,
        outside, passed_on, dropped, reports_ignored, trimmed;
    uint64_t dead[DEAD_REASONS], dead_all;
    uint32_t units, live, replaying, stopped;
};

void run_figures_add(struct run_figures *sums, const struct worker_figures *figures);
/* " events=… replayed=…", and so on. */
void run_figures_print(const struct run_figures *sums, struct text_buffer *line);

#endif
