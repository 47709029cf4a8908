/* Messages that baton writes to the input topic: events that it passes on to another lead, and
 * events of its own. What they are stands in headers, so that the value of an event that is passed
 * on stays as its writer wrote it:
 *
 *   baton-own    the kind of an event that baton wrote: transfer, merge, erase, recheck (JSON, its
 *                fields named as in the schemas, whatever the configuration maps)
 *   baton-for    the lead that it is for now; the key is the same
 *   baton-trail  the leads that it was passed on from, the first one first, joined by commas
 *
 * Ids in headers are percent-encoded. */
#ifndef CODEC_HOP_H
#define CODEC_HOP_H

#include "codec/outgoing.h"

/* False: it has none of these headers. Ids from the arena. A header that is not one of baton's own
 * making reads as if it were empty. */
bool hop_read(const struct header *headers, size_t count, struct arena *arena, struct hop *hop);

/* What is written of: the event that is the cause, and where it stands. */
struct hop_cause {
    const struct baton_event *event;
    const struct origin *origin;
    int64_t clock_ms;   /* of a transfer: up to when the clocks in it were told of; 0: nothing */
    int64_t arrived_ms; /* … when the cause arrived; 0: nothing is said */
};

/* All from the arena. The partition is left to the caller. */
void hop_forward(struct arena *arena, const struct message *message, const struct hop_cause *cause,
                 struct baton_text to, struct outgoing_message *out);
void hop_transfer(struct arena *arena, const struct hop_cause *cause, struct baton_text to,
                  struct baton_text state, struct outgoing_message *out);
/* How large the state of a transfer may be in a message of so many bytes. */
size_t hop_transfer_room(const struct baton_event *merge, size_t event_bytes);
/* Leaves out what the writer of an event that is passed on has put into headers. */
void hop_keep_own_headers(struct outgoing_message *message);
#define HOP_HEADER_FRAME_BYTES 10 /* of a header, at most, beside its name and value */
/* Erases one id that was merged into the lead that the cause erases. */
void hop_erase(struct arena *arena, const struct hop_cause *cause, struct baton_text id,
               struct outgoing_message *out);
/* The lead is `into`: its own event has said who it is. */
void hop_identify(struct arena *arena, const struct hop_cause *cause, struct baton_text into,
                  struct outgoing_message *out);

#endif
