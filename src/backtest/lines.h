/* Lines on their way to a file: what is more than some megabytes waits in a file without a name.
 * One thread at a time. */
#ifndef BACKTEST_LINES_H
#define BACKTEST_LINES_H

#include "base/text_buffer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A place in a line that is told later: what stands there by then takes the place of `size` bytes.
 */
struct lines_gap {
    uint64_t at; /* of all bytes */
    size_t size;
    int64_t key; /* ascending */
    char text[32];
    size_t text_size; /* 0: it stays as it is */
};

struct lines {
    struct text_buffer recent;
    uint64_t before; /* bytes in front of `recent` */
    struct lines_gap *gaps;
    size_t gap_count, gap_room;
    FILE *spilled; /* what came before `recent`; NULL: nothing */
    bool failed;   /* it could not be written */
};

void lines_init(struct lines *lines);
void lines_fini(struct lines *lines);
void lines_add(struct lines *lines, const void *line, size_t size); /* without its end */
/* The last line has a gap there, from its own first byte on. */
void lines_leave_gap(struct lines *lines, size_t line_size, size_t at, size_t size, int64_t key);
/* Nothing where there is no such gap. */
void lines_fill_gap(struct lines *lines, int64_t key, const char *text);
/* False: errno says why. */
bool lines_write(struct lines *lines, FILE *out);

#endif
