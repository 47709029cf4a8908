/* The way of a lead through the stages: what reports do, and how a stage is entered. */
#ifndef DOMAIN_STAGES_H
#define DOMAIN_STAGES_H

#include "domain/score.h"

/* What an event is folded with. */
struct folding {
    struct baton_lead *lead;
    const struct baton_event *event;
    const struct baton_fold_context *context;
    struct baton_fold_result *result;
};

/* The present: the lead's newest event time, or the time of a recheck where that is later. */
static inline int64_t folding_now_ms(const struct folding *folding)
{
    int64_t newest_ms = folding->lead->newest_ms, time_ms = folding->event->time_ms;
    return folding->event->kind == BATON_RECHECK && time_ms > newest_ms ? time_ms : newest_ms;
}

/* Enters a stage with the score of that moment, in the next generation where the rank would not
 * grow. False if there is no memory. */
bool stage_enter(const struct folding *folding, enum baton_stage stage,
                 const struct baton_score *score);
/* A rejected lead whose time is over comes back. False if there is no memory. */
bool stage_recycle(const struct folding *folding);
/* Enters whatever the gates let it enter. False if there is no memory. */
bool stage_pass_gates(const struct folding *folding);

/* May it enter this stage now, as far as it is known what it entered? Always, but in a rebuild. */
bool stage_may_enter(const struct folding *folding, enum baton_stage stage);

/* Nothing changes, and the event's sender is told why. */
void stage_ignore(const struct folding *folding, const char *why);

/* verdict.c, adjust.c: the events of these kinds. False if there is no memory. */
bool verdict_take(const struct folding *folding);
bool adjust_take(const struct folding *folding);

/* recheck.c: FOLDED, UNCHANGED or OUT_OF_MEMORY. */
enum baton_fold_outcome recheck_take(const struct folding *folding);

#endif
