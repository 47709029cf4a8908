/* Events that baton writes to the input topic itself. A header says so, and of which kind: they are
 * JSON with the fields named as in the schemas, whatever the configuration maps. */
#ifndef CODEC_OWN_EVENT_H
#define CODEC_OWN_EVENT_H

#include "codec/outgoing.h"

#define OWN_EVENT_HEADER "baton-own"

/* A recheck of a lead of this unit: its partition is the unit's, whoever's partitioner placed the
 * lead. All from the arena. */
void own_event_recheck(struct arena *arena, uint32_t unit, struct baton_text lead_id,
                       int64_t time_ms, struct outgoing_message *out);
/* The promotion that the event at `origin` caused goes out at this moment. */
void own_event_published(struct arena *arena, uint32_t unit, const struct origin *origin,
                         struct baton_text lead_id, uint16_t generation, int64_t time_ms,
                         struct outgoing_message *out);
/* The time of a unit to which nothing comes goes on. */
void own_event_tick(struct arena *arena, uint32_t unit, int64_t time_ms,
                    struct outgoing_message *out);
/* A goal, or a date: `name` is PROMISE/PERIOD/SEEN, `key` the promise. It stands in partition 0. */
void own_event_judged(struct arena *arena, struct baton_text key, struct baton_text name,
                      struct baton_text state, int64_t time_ms, struct outgoing_message *out);

#endif
