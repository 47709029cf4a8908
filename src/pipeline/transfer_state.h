/* What a lead that is given up takes along, made to fit into a message. */
#ifndef PIPELINE_TRANSFER_STATE_H
#define PIPELINE_TRANSFER_STATE_H

#include "base/arena.h"

#include <baton/lead.h>

/* The lead in portable form, of at most `room` bytes where that can be had. What does not fit is
 * left out, whatever counts least first, and of each kind the oldest first: touches, ids that tell
 * repeats, forms, earlier generations, other ids, values of the profile, then hits of rules that
 * are not in the agreement, and hits of those that are. `left_out` says how many of these. The same
 * lead and room give the same bytes. */
struct baton_text transfer_state(struct arena *arena, const struct baton_lead *lead,
                                 const struct baton_words *words, size_t room, uint32_t *left_out);

#endif
