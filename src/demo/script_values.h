/* Values that make a condition of an agreement true. Private to the script. */
#ifndef DEMO_SCRIPT_VALUES_H
#define DEMO_SCRIPT_VALUES_H

#include <baton/agreement.h>

#include <jansson.h>

/* What is being said: the fields of an event or of a profile, by name. */
struct draft {
    bool profile;
    json_t *fields; /* owned */
    json_t *named;  /* answers of a form, properties of a profile; owned */
    uint64_t random;
};

void draft_init(struct draft *draft, bool profile, uint64_t random);
void draft_fini(struct draft *draft);
/* Sets fields so that the condition holds; of a `not`, the field stays as it is. */
void draft_satisfy(struct draft *draft, const struct baton_condition *condition);
/* SplitMix64, from the draft's own source: the same draft says the same again. */
uint32_t draft_below(struct draft *draft, uint32_t limit);

#endif
