/* Hits of a rule: caps by buckets, decaying weights, and what they are worth. */
#ifndef DOMAIN_TALLY_H
#define DOMAIN_TALLY_H

#include <baton/scoring.h>

#define TALLY_HAS_BUCKET 1u
#define TALLY_HAS_WEIGHT 2u
#define TALLY_HAS_WINDOW 4u
#define TALLY_PARTS 7u

enum tally_outcome {
    TALLY_COUNTED,
    TALLY_NO_HIT, /* beyond its cap; of `while`: the rule does not come to hold with it */
    TALLY_TOO_LATE,
    TALLY_NO_MEMORY
};
/* Of a rule without `while`. */
enum tally_outcome tally_hit(struct baton_tally *tally, const struct baton_behaviour_rule *rule,
                             const struct baton_agreement *agreement, int64_t time_ms);

/* Adds what the other one of the same rule has, within the rule's cap; a window may go over. */
void tally_unite(struct baton_tally *tally, struct baton_tally *from,
                 const struct baton_agreement *agreement);
/* Gives back what the tally owns. */
void tally_release(struct baton_tally *tally, struct baton_allocator *allocator);
/* Drops the oldest tally that the agreement does not know; with a full array there is one, as an
 * agreement has at most half as many rules. */
void tally_drop_oldest_unknown(struct baton_lead *lead, struct baton_allocator *allocator);
/* The lead's tally of a rule, or NULL. */
struct baton_tally *tally_find(const struct baton_lead *lead, uint32_t rule_hash);
/* The same, added if there is none; NULL if there is no memory. */
struct baton_tally *tally_of(struct baton_lead *lead, const struct baton_agreement *agreement,
                             uint16_t rule, struct baton_allocator *allocator);

/* Points with 40 fractional bits, signed, wide enough for the sum over all rules. */
__extension__ typedef __int128 tally_worth;
tally_worth tally_points(const struct baton_tally *tally, const struct baton_agreement *agreement,
                         int64_t at_ms);
/* Saturated at the greatest score and floored to hundredths. */
int32_t tally_hundredths(tally_worth worth);

#endif
