/* What the demo's sender tells: visitors of a B2B product's site over some days, as JSON messages.
 * A function of its parameters alone: the same seed gives the same story. */
#ifndef DEMO_STORY_H
#define DEMO_STORY_H

#include "base/text_buffer.h"

#include <baton/agreement.h>

#include <stdbool.h>
#include <stdint.h>

enum story_kind { STORY_EVENT, STORY_LATE, STORY_REPEAT, STORY_UNREADABLE, STORY_KINDS };

struct story_plan {
    uint64_t events;     /* distinct and readable, late ones among them */
    uint64_t late;       /* of these: told hours after they happened */
    uint64_t repeats;    /* copies of events, sent once more soon after */
    uint64_t unreadable; /* cut, of another framing, without id, … */
    double days;         /* the story's length; it ends at `end_ms` */
    int64_t end_ms;
    uint64_t seed;
};

/* Repeats, late and unreadable ones for so many events, and days that go with them. */
struct story_plan story_plan_for(uint64_t events, int64_t end_ms, uint64_t seed);
uint64_t story_plan_messages(const struct story_plan *plan);
/* A little more than what a message takes in the log, on average. */
#define STORY_MESSAGE_BYTES 360

struct story_message {
    enum story_kind kind;
    const char *key;
    size_t key_size;
    const char *value; /* NULL: a tombstone */
    size_t value_size;
};

struct story;

/* NULL: the visitors of the demo's own site; else people who make this agreement live, borrowed. */
struct story *story_create(const struct story_plan *plan, const struct baton_agreement *agreement);
void story_destroy(struct story *story);
/* The next message, borrowed until the call after it; false: the story is told. */
bool story_next(struct story *story, struct story_message *message);
/* How far it is told: the time at which its next event happens. */
int64_t story_time_ms(const struct story *story);

#endif
