/* Goals are judged by who owns unit 0, from the checkpoints of all units, once nothing more can
 * come that counts. A judgement is an event of baton's own in partition 0: what stands, and what is
 * published of it, follows from folding that, so it is once what the log is. Worker's thread. */
#ifndef PIPELINE_JUDGE_H
#define PIPELINE_JUDGE_H

#include "pact/judgement.h"

struct worker;
struct unit;
struct item;
struct field_list;

struct judge;
struct judge *judge_create(void);
void judge_destroy(struct judge *judge);
/* Looks for goals and dates that are due, a few units at a time; returns at once mostly. */
void judge_turn(struct worker *worker);
/* Unit 0 begins anew: what was written of judgements and not folded may never come. */
void judge_forget(struct judge *judge);
/* A judgement in the log. */
void judge_fold(struct worker *worker, const struct item *item);

#endif
