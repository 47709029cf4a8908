/* What is to be told of a lead's clocks. Pure: of what, when and to whom is the caller's. */
#ifndef PIPELINE_BREACHES_H
#define PIPELINE_BREACHES_H

#include "codec/outgoing.h"

struct clock_news {
    enum baton_clock_id id;
    enum breach_state state;
    struct baton_clock clock; /* by now another may run in its place */
    uint32_t seller;          /* … of another seller */
    uint16_t generation;      /* … in another generation */
};

/* What made a move. */
struct clock_cause {
    enum baton_event_kind kind;
    int64_t arrived_ms;
    int64_t clock_ms; /* up to which the clocks of the unit were told */
};

/* What the time alone makes of them in (from, to], in the order of the clocks; room for
 * BATON_CLOCKS. Nobody is reminded of what is late at `now_ms`, and will be told of in a moment. */
size_t breaches_due(const struct baton_lead *lead, int64_t from_ms, int64_t to_ms, int64_t now_ms,
                    struct clock_news *out);
/* What an event made of one. Of one that ended what is counted is made true: it is broken if it was
 * due when the event arrived. Where its lead was merged away, the lead that stays counts what was
 * told; of who is erased nothing more is told. False: nothing that is told. */
bool breaches_of_move(const struct baton_clock_move *move, const struct clock_cause *cause,
                      struct clock_news *out);
/* All but origin. Texts are borrowed from what is given. */
void breaches_view(struct baton_text lead_id, const struct clock_news *news,
                   const struct baton_agreement *agreement, const struct baton_words *words,
                   struct breach_view *out);

#endif
