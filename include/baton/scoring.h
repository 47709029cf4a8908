/* Folding an event into a lead, and reading a lead's score. Pure functions of their arguments; the
 * arithmetic is written down in docs/scoring.md. */
#ifndef BATON_SCORING_H
#define BATON_SCORING_H

#include <baton/lead.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Hundredths of a point. */
struct baton_score {
    int32_t score, fit, behaviour;
};

enum baton_fold_outcome {
    BATON_FOLDED,
    BATON_ALREADY_APPLIED, /* the lead's position is beyond the event: nothing changed */
    BATON_DUPLICATE,       /* its id is among the last eight: nothing changed */
    BATON_OUT_OF_MEMORY    /* the allocator gave nothing: the lead must be dropped */
};

struct baton_transition {
    enum baton_stage from, to;
    struct baton_score score;
};

struct baton_fold_result {
    enum baton_fold_outcome outcome;
    uint32_t too_late; /* hits that were too late for their buckets */
    uint32_t transition_count;
    struct baton_transition transitions[2]; /* in order */
};

struct baton_fold_context {
    const struct baton_agreement *agreement;
    struct baton_words *words;
    struct baton_allocator *allocator;
    bool gates_closed; /* count only: no stage is entered (a rebuild) */
};

/* Folds one event. Sets lead->applied to the event's offset + 1 when the outcome is FOLDED. */
void baton_fold(struct baton_lead *lead, const struct baton_event *event,
                const struct baton_fold_context *context, struct baton_fold_result *result);

/* The score at a time: at_ms ≥ lead->newest_ms is used, an earlier one counts as newest_ms. The
 * lead must be attached. */
void baton_lead_score(const struct baton_lead *lead, const struct baton_agreement *agreement,
                      int64_t at_ms, struct baton_score *score);
/* Points of one tally's rule in hundredths, for display; 0 where the rule is not in the agreement.
 */
int32_t baton_tally_points(const struct baton_tally *tally, const struct baton_agreement *agreement,
                           int64_t at_ms);
/* Does the condition hold on the lead's profile now? (fit rules, never) */
bool baton_profile_matches(const struct baton_condition *condition, const struct baton_lead *lead);
bool baton_event_matches(const struct baton_condition *condition, const struct baton_event *event);
bool baton_never_promote(const struct baton_lead *lead, const struct baton_agreement *agreement);
/* The profile field's value, or an empty text. */
struct baton_text baton_profile_get(const struct baton_lead *lead, enum baton_profile_field field,
                                    struct baton_text name);

/* docs/scoring.md, "half_life". */
uint64_t baton_decay(uint64_t weight, int64_t age_ms, int64_t half_life_ms);
#define BATON_WEIGHT_ONE (UINT64_C(1) << 40)
/* docs/scoring.md, "at_most". */
int32_t baton_bucket(const struct baton_agreement *agreement, enum baton_period period,
                     int64_t time_ms);

#ifdef __cplusplus
}
#endif
#endif
