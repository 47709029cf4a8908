/* A pass over all leads of a unit, in the background: whoever the time has done something to gets a
 * recheck, an event of the log like any other. It changes nothing itself.
 *
 * A pass begins after a new agreement, and every `sweep_every_ms`. It goes page by page: the next
 * page is asked for once the rechecks of the one before are committed, so that the cursor that the
 * store keeps never passes over a lead whose recheck is not in the log. A crash repeats some pages:
 * a second recheck finds nothing to do. */
#ifndef PIPELINE_SWEEP_H
#define PIPELINE_SWEEP_H

#include "pipeline/unit_record.h"

struct worker;
struct unit;

struct sweep {
    struct unit_sweep at;            /* as the store keeps it, or will */
    bool waits;                      /* for the commit of the page's rechecks … */
    bool sent;                       /* … which are in the transaction in flight */
    char next[STORE_CURSOR_MAX + 1]; /* behind that page */
    uint64_t in_flight;              /* rechecks that were not folded yet */
    int64_t folded_us;               /* when the last one was, or was committed */
    int64_t told_us, kept_us;        /* when the log, the store heard of it */
};

/* As the unit's hash tells; a unit that was rebuilt or begins has never had one. */
void sweep_restore(struct sweep *sweep, const struct unit_sweep *kept);
/* One page at most, of one unit, within the share of time. */
void sweep_turn(struct worker *worker);
/* The unit's messages are part of the transaction that begins; that transaction is confirmed. */
void sweep_sent(struct unit *unit);
void sweep_committed(struct worker *worker, struct unit *unit);
/* A recheck was folded. */
void sweep_folded(struct worker *worker, struct unit *unit);

#endif
