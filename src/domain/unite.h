/* The parts of uniting two leads: for unite.c. */
#ifndef DOMAIN_UNITE_H
#define DOMAIN_UNITE_H

#include "domain/stages.h"

/* False if there is no memory. */
bool unite_tallies(struct baton_lead *lead, struct baton_lead *from,
                   const struct baton_fold_context *context);
bool unite_history(struct baton_lead *lead, const struct baton_lead *from,
                   struct baton_allocator *allocator);
bool unite_stages(const struct folding *folding, const struct baton_lead *from);

#endif
