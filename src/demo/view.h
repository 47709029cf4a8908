/* What the demo shows: lines that scroll, and on a terminal a block of figures below them that is
 * drawn anew. */
#ifndef DEMO_VIEW_H
#define DEMO_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct view_figures {
    int64_t elapsed_ms, total_ms;
    uint64_t messages_sent, events_sent, repeats_sent, late_sent, unreadable_sent;
    uint64_t events_counted, duplicates, dead_letters, too_late; /* read back from Redis */
    uint64_t leads, mql, sql;
    uint64_t promotions; /* read back from the topic */
    double rate;         /* events counted per second, lately */
};

struct view {
    FILE *out;
    bool terminal, colours;
    int drawn;                   /* lines of the block that stand on the screen */
    struct view_figures figures; /* that it shows */
    int64_t next_plain_ms;
    json_t *told; /* personas, owners and rules that promotions named so far; owned */
    uint64_t promotions_shown;
    int64_t next_promotion_ms;
};

void view_init(struct view *view, FILE *out);
/* A line of its own; the block moves down. */
__attribute__((format(printf, 2, 3))) void view_line(struct view *view, const char *format, ...);
/* A promotion, as JSON from the topic. The block stays below. Shown are those that say something
 * new, and one now and then: no more than a person reads in a minute. */
void view_promotion(struct view *view, const void *json, size_t size);
/* Without a terminal: one line now and then. */
void view_figures(struct view *view, const struct view_figures *figures, int64_t now_ms);
/* Takes the block off the screen. */
void view_end(struct view *view);

#endif
