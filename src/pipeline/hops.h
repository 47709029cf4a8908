/* Folding what concerns who a person is: what one lead's event means for other leads becomes
 * messages to them. For the worker, for `try`, and for whoever checks them. */
#ifndef PIPELINE_HOPS_H
#define PIPELINE_HOPS_H

#include "codec/hop.h"
#include "pipeline/tombstones.h"

/* What is thrown away by the fold, and is to be sent. Empty for most events. */
struct hop_cargo {
    struct baton_text state;          /* portable */
    const struct baton_text *aliases; /* to be erased */
    uint32_t alias_count;
    uint32_t left_out; /* parts of the state that found no room in a message */
    bool has_clocks;   /* what was told of them is to be said, too */
};

/* baton_fold, with what the unit knows of erased persons. Cargo from the arena; `event_bytes` is
 * what a message to another lead may have, 0: any size. */
void hops_fold(struct baton_lead *lead, const struct baton_event *event,
               const struct baton_fold_context *context, struct tombstones *tombstones,
               struct arena *arena, size_t event_bytes, struct baton_fold_result *result,
               struct hop_cargo *cargo);

/* The lead was not in the store: was it erased? */
void hops_meet_new(struct baton_lead *lead, struct baton_text id,
                   const struct tombstones *tombstones);

/* The messages that follow from a result with a hop, from the arena; partitions are left to the
 * caller. */
struct outgoing_message *hops_make(struct arena *arena, const struct message *message,
                                   const struct hop_cause *cause,
                                   const struct baton_fold_result *result,
                                   const struct hop_cargo *cargo, size_t *count);

/* A message that is larger loses the headers that its writer gave it. False: it is too large all
 * the same, and is a dead letter by this verdict. */
bool hops_fit(struct outgoing_message *message, size_t event_bytes, struct decode_result *verdict);

/* The dead letter of a result that was refused. */
void hops_verdict(const struct baton_fold_result *result, struct decode_result *verdict);

#endif
