/* What the stages topic tells of a unit: which lead entered which stage at which event, who was
 * merged into whom, and who was erased. While a rebuild folds the log again, the stages stand in
 * the place of the gates; the rest is for what the log no longer holds. */
#ifndef PIPELINE_STAGE_SCRIPT_H
#define PIPELINE_STAGE_SCRIPT_H

#include "base/arena.h"

#include <baton/scoring.h>

struct scripted_stage {
    enum { SCRIPTED_STAGE, SCRIPTED_MERGED, SCRIPTED_ERASED } what;
    int64_t offset, time_ms; /* of the event */
    size_t order;            /* in the topic */
    struct baton_text lead_id;
    struct baton_entered entered; /* SCRIPTED_STAGE */
    struct baton_text into;       /* SCRIPTED_MERGED */
    int64_t published_ms;         /* of stage sql: when the promotion went out; 0: not said */
};

/* By offset; `next` is the first that is not behind us. */
struct stage_script {
    struct scripted_stage *items;
    size_t count, room, next;
    struct arena ids;
    bool has_arena;
};

void stage_script_clear(struct stage_script *script);

struct worker;
struct unit;
struct lead_entry;
struct item;
struct error;

/* Reads the stages topic anew; `cut`: retention has removed its beginning. `next` is at `from`. */
enum status stage_script_read(struct worker *worker, struct unit *unit, int64_t from, bool *cut,
                              struct error *error);
/* The lead becomes what the item tells, without its event. */
void stage_script_restore(struct worker *worker, struct unit *unit, struct lead_entry *entry,
                          const struct scripted_stage *item);
/* What the lead of an event entered at it, at most BATON_TRANSITIONS_MAX; steps over all that is
 * told of it there. */
uint32_t stage_script_take(struct stage_script *script, const struct baton_event *event,
                           struct baton_entered *entered);
/* What is known below this offset and was not met with its event (it cannot be read any more, say)
 * is entered all the same. False: the unit folds no further now. */
bool stage_script_catch_up(struct worker *worker, struct unit *unit, int64_t offset);

#endif
