/* Two ids that are one person, and persons who are forgotten. */
#ifndef DOMAIN_PERSONS_H
#define DOMAIN_PERSONS_H

#include "domain/stages.h"

/* merge.c. An event meets a lead that holds nothing (its flags say so). True: the lead takes it, as
 * a new one would; false: the result is made. */
bool person_takes(const struct folding *folding);
enum baton_fold_outcome merge_take(const struct folding *folding);
enum baton_fold_outcome transfer_take(const struct folding *folding);
/* Keeps an id among the aliases, unless it is there or is the lead's own; false if there is no
 * memory. */
bool alias_add(const struct folding *folding, struct baton_text id);

/* fold.c. The event is one of the lead's: the ring, the newest time and the counts know it. */
void event_enter(struct baton_lead *lead, const struct baton_event *event);

/* erase.c */
enum baton_fold_outcome erase_take(const struct folding *folding);

/* unite.c. All of `from` becomes the lead's; the parts that move are taken out of `from`, which is
 * to be given back all the same. Both are attached. False if there is no memory. */
bool unite(const struct folding *folding, struct baton_lead *from);

#endif
