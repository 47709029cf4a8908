/* The pieces that events are put together from, encoded once: no text is measured, escaped or
 * counted when an event is made. */
#ifndef BENCH_TRAFFIC_BLOCKS_H
#define BENCH_TRAFFIC_BLOCKS_H

#include "traffic/site.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BLOCK_ROOM 192
#define BLOCK_STEP                                                                                 \
    16 /* blocks are copied in such steps: what is written to has that much room                   \
          behind its end */

struct block {
    uint32_t size;
    _Alignas(BLOCK_STEP) uint8_t bytes[BLOCK_ROOM];
};

/* A field with padding of a fixed size between its two blocks. */
struct padded_block {
    struct block before, after;
};

/* What is left out of events to make them small, and put in to make them large. */
struct event_shape {
    bool no_agent, no_referrer, no_url, no_session;
    uint32_t url_padding, referrer_padding; /* bytes */
};

enum { FORM_VARIANTS = 8, BLOCK_KINDS = 5 /* kinds begin at 1 */ };

struct blocks {
    bool json;
    struct event_shape shape;
    struct block heads[BLOCK_KINDS];           /* framing, and what stands before the event id */
    struct block lead, time;                   /* before the lead id and the time */
    struct padded_block pages[SITE_PAGES];     /* url, page */
    struct padded_block sources[SITE_SOURCES]; /* referrer, channel, campaign */
    struct block targets[SITE_TARGETS];
    struct block forms[SITE_FORMS][FORM_VARIANTS]; /* form, fields */
    struct block session;             /* before sixteen hex digits, unless there is none */
    struct block agents[SITE_AGENTS]; /* and what stands before it, and the end of the event */
};

/* `form_profiles`: answers of forms name profile fields, too. */
void blocks_init(struct blocks *blocks, bool json, const struct event_shape *shape,
                 bool form_profiles);

/* Returns the place behind what it wrote; may write BLOCK_STEP bytes further. */
static inline uint8_t *block_put(uint8_t *at, const struct block *block)
{
    for (uint32_t i = 0; i < block->size; i += BLOCK_STEP)
        memcpy(at + i, block->bytes + i, BLOCK_STEP);
    return at + block->size;
}

/* ---- For what is not worth a block: a pen that writes a field in either format ---- */

struct pen {
    bool json;
    uint8_t *at;
};

void pen_raw(struct pen *pen, const char *text);
/* A field of ["null", "string"]; text NULL: null (in JSON nothing). */
void pen_text(struct pen *pen, const char *name, const char *text);
void pen_number(struct pen *pen, const char *name, int64_t number);
void pen_boolean(struct pen *pen, const char *name, bool value);
/* The branch null of a field (in JSON nothing). */
void pen_null(struct pen *pen);

#endif
