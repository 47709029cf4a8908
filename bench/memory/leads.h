/* Leads of a kind: folded from events as baton folds them, so that what is kept of them is what
 * baton keeps. Lead n of a kind is the same in every run with the same seed. */
#ifndef MEMORY_LEADS_H
#define MEMORY_LEADS_H

#include "agreement/agreement.h"
#include "base/arena.h"
#include "pipeline/ports.h"

#include <baton/scoring.h>

/* What the events say beside their page. */
#define SAYS_CHANNEL 1u  /* and campaign */
#define SAYS_PROFILE 2u  /* one more event: six fields */
#define SAYS_SALES 4u    /* two more: contacted, and accepted with a deal */
#define SAYS_ADJUSTED 8u /* one more: points by hand */
#define SAYS_FORMS 16u   /* four more */
#define LEAD_ID_BYTES 36 /* a UUID */

struct lead_kind {
    const char *name;
    const char *meaning; /* of the three rules: behind their points */
    unsigned touches;
    unsigned says;       /* SAYS_… */
    bool promoted;       /* the gates open at the last event */
    bool is_base;        /* what the others are compared with */
    unsigned most_bytes; /* the target; 0: none */
};

struct lead_maker {
    const struct lead_kind *kind;
    uint64_t seed;
    struct agreement *agreement;
    struct baton_words words;
    struct baton_allocator allocator;
    uint64_t packed_bytes; /* of all leads so far */
};

enum status lead_maker_init(struct lead_maker *maker, const struct lead_kind *kind, uint64_t seed,
                            struct error *error);
void lead_maker_fini(struct lead_maker *maker);
void lead_id(const struct lead_maker *maker, uint64_t number, char id[LEAD_ID_BYTES + 1]);
/* The lead as a checkpoint writes it; its id and packed form come from the arena. */
struct stored_lead lead_make(struct lead_maker *maker, uint64_t number, struct arena *arena);

#endif
