/* An agreement that runs beside the one in force and only reports: at which event it would have
 * promoted a lead. Nothing of the live fold looks at what it leaves in a lead.
 *
 * It shares the tallies of the rules that both have. Those of its own are kept under hashes of
 * their own (shadow_hash), so that a version that goes live later finds none of them: what it
 * counts follows from the log alone, whatever shadow ran when. Beside another version other rules
 * are its own: it sees what a rule counted under either hash. A shadow looks at events, and at no
 * recheck. */
#ifndef DOMAIN_SHADOW_H
#define DOMAIN_SHADOW_H

#include "domain/stages.h"

/* The agreement as its maker has it, but for the hashes of the rules that are its own. */
struct baton_shadow {
    const struct baton_agreement *agreement;
    const uint16_t *own; /* its rules that the live one lacks, by kind of event … */
    uint32_t start[BATON_EVENT_KINDS + 1]; /* … own[start[k]] to own[start[k + 1] - 1] */
    uint32_t of;                           /* who it is: never 0 */
};

/* What a rule of its own counts under, in place of its hash. */
static inline uint32_t shadow_hash(uint32_t rule_hash)
{
    return rule_hash ^ UINT32_C(0x5ad05ad0);
}

/* Hits the rules that are its own. False if there is no memory. */
bool shadow_hit(const struct folding *folding);
/* Behind the live gates: would it be promoted now? False if there is no memory. */
bool shadow_pass_gates(const struct folding *folding);
/* Two ids of one person: the earlier times stand. */
void shadow_unite(struct baton_history *history, const struct baton_history *from);

#endif
