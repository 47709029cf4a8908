/* Which behaviour rules an event matches. */
#ifndef DOMAIN_MATCHER_H
#define DOMAIN_MATCHER_H

#include <baton/scoring.h>

#define MATCHER_WORDS ((BATON_RULES_MAX + 63) / 64)

struct matched {
    /* Bit i: the i-th rule of the event's kind matches, in the order of `by_kind`. So many words
     * are set as the rules of the kind take. */
    uint64_t bits[MATCHER_WORDS];
    uint32_t hashed;                     /* bit per baton_event_field: whose hash … */
    uint64_t hashes[BATON_EVENT_FIELDS]; /* … as of a word is here */
};

void matcher_find(const struct baton_fold_context *context, const struct baton_event *event,
                  struct matched *matched);

/* Indexes of the rules with a counted hit at one event, ascending. */
struct touch_rules {
    uint32_t count;
    uint16_t rules[BATON_RULES_MAX];
};

/* The word of their ids joined by commas, as many as a word can hold whole. */
uint32_t matcher_rules_word(const struct baton_fold_context *context,
                            const struct touch_rules *rules);

#endif
