/* How far a run is, on stderr: one line that is written over on a terminal, a line every five
 * seconds otherwise. Costs next to nothing to call too often. One thread. */
#ifndef BENCH_COMMON_PROGRESS_H
#define BENCH_COMMON_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "sent", borrowed */
    uint64_t total;   /* 0: nobody knows */
    bool tty;
    double began, shown;
    uint64_t shown_done;
    uint32_t width; /* of the line that stands on the terminal */
};

void progress_begin(struct progress *progress, const char *what, uint64_t total);
/* done of total, rate since the last line, and what else is to say: "lag 3 ms, 0 errors". */
__attribute__((format(printf, 3, 4))) void progress_show(struct progress *progress, uint64_t done,
                                                         const char *format, ...);
/* Clears the line of a terminal, so that what follows begins at its start. */
void progress_end(struct progress *progress);

#endif
