/* What leads that were given up took along in this run: the log's own transfers carry what the
 * agreement of that time had made of them. Any thread.
 *
 * A merge puts in, the transfer that follows it in the log takes out. They are told by the merge's
 * event id and both leads; of the same three the first in is the first out, as in the log. */
#ifndef BACKTEST_TRANSFERS_H
#define BACKTEST_TRANSFERS_H

#include "base/arena.h"

#include <baton/event.h>

#include <stdbool.h>

#define TRANSFER_RUNS 2

struct transfer_key {
    struct baton_text event_id, from, to;
};

/* Portable forms, by run; data NULL: the run made none. */
struct transfer_states {
    struct baton_text states[TRANSFER_RUNS];
};

struct transfers;
/* `put` is called behind each transfers_put, by its thread; NULL: nobody. */
struct transfers *transfers_create(void (*put)(void *context), void *context);
void transfers_destroy(struct transfers *transfers);
uint64_t transfer_hash(const struct transfer_key *key);
/* Copies. */
void transfers_put(struct transfers *transfers, const struct transfer_key *key,
                   const struct transfer_states *states);
bool transfers_have(struct transfers *transfers, const struct transfer_key *key);
/* False: there is none. Copied into the arena. */
bool transfers_take(struct transfers *transfers, const struct transfer_key *key,
                    struct arena *arena, struct transfer_states *out);

#endif
