/* Clocks that go off.
 *
 * The unit's time C (unit->clock_ms) is the time up to which everything that was due has been told.
 * It stands in the metadata of each commit, and while the unit is live nothing else moves it: all
 * clocks that are due in (former C, C] go out in the transaction whose metadata has C, and C never
 * passes a clock whose lead is not in memory. What came of a clock follows from the lead and C
 * alone, so that whoever takes over at K with K's C knows that all of it was told. */
#ifndef PIPELINE_CLOCKS_H
#define PIPELINE_CLOCKS_H

#include "pipeline/timers.h"

#include "base/status.h"

#include <baton/scoring.h>

struct worker;
struct unit;
struct item;
struct checkpoint_copy;
struct lead_entry;

/* A unit's clocks in memory. A lead that is ready is in the table, pinned by LEAD_TIMED. */
struct clocks {
    struct timers timers; /* of leads that are not ready */
    struct ready_lead {
        int64_t due_ms;
        struct lead_entry *entry;
    } * ready;
    size_t ready_count, ready_room;
    /* what the store's index is to say of leads that no copy takes along; ids owned */
    struct timer *changes;
    size_t change_count, change_room;
    bool fire_wanted; /* something is due, and its lead is there */
    bool caught_up;   /* the log was read to its end since the unit was taken over */
};

/* When the lead's next clock is due is known from now on. */
void clocks_met(struct unit *unit, struct lead_entry *entry);
/* An event was folded that may have moved clocks; while the unit is live, what came of them is
 * told.
 */
void clocks_folded(struct worker *worker, struct unit *unit, const struct item *item,
                   const struct baton_fold_result *result);
/* The end of the unit's partition was met. */
void clocks_caught_up(struct unit *unit);
/* A person may be gone by this event: the index of the store must not name it any more. */
void clocks_given_up(struct unit *unit, const struct item *item,
                     const struct baton_fold_result *result);
/* Gets the leads that are due soon, and asks for a transaction where something is due. */
void clocks_turn(struct worker *worker);
/* The unit is live, and its next transaction begins: tells what is due, and moves C. */
void clocks_fire(struct worker *worker, struct unit *unit);
/* At a take-over: the store's index. */
enum status clocks_restore(struct worker *worker, struct unit *unit, struct error *error);
/* K is reached: C becomes the time that K was committed with. What was due by then was told. False:
 * the store does not answer, and the unit has its reason. */
bool clocks_reach(struct worker *worker, struct unit *unit);
/* A lead was read from the store. */
void clocks_loaded(struct lead_entry *entry);
/* A lead goes to the store with this copy: so does its place in the index. */
void clocks_copy(struct unit *unit, const struct lead_entry *entry);
/* … and what the index is to say of others. */
void clocks_copy_changes(struct worker *worker, struct unit *unit);
void clocks_clear(struct unit *unit);
void clocks_fini(struct unit *unit);

#endif
