/* Registry-framed events read with libavro's generic value reader. One reader per thread. */
#ifndef NAIVE_EVENTS_H
#define NAIVE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

struct events;

/* `schemas` is a folder with Visit.avsc, Click.avsc and FormFill.avsc: ids 1, 2 and 3. NULL: told
 * on stderr why. */
struct events *events_open(const char *schemas);
void events_close(struct events *events);

struct event {
    const char *lead; /* lives until the next read */
    size_t lead_size;
    const char *id; /* NUL-terminated; lives as long */
    int points;     /* click 3, visit 1, form fill 10 */
};
/* 0: read; -1: not one of these events. */
int events_read(struct events *events, const uint8_t *bytes, size_t size, struct event *event);

#endif
