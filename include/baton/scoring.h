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
    int32_t score, fit, behaviour; /* score: fit, behaviour and what was adjusted by hand */
};

enum baton_fold_outcome {
    BATON_FOLDED,
    BATON_ALREADY_APPLIED, /* the lead's position is beyond the event: nothing changed */
    BATON_DUPLICATE,       /* its id is among the last eight, or what it says is so already:
                              nothing changed */
    BATON_UNCHANGED,       /* a recheck that found nothing to do: nothing changed */
    BATON_PASSED_ON,       /* the lead was given up: the event is for `to`; nothing changed */
    BATON_REFUSED,         /* a dead letter: `refusal` and `why` tell; nothing changed */
    BATON_TOO_OLD,         /* from before the person was erased: nothing changed */
    BATON_OUT_OF_MEMORY    /* the allocator gave nothing: the lead must be dropped */
};

struct baton_transition {
    enum baton_stage from, to;
    struct baton_score score;
    uint16_t generation; /* that `to` was entered in */
    bool adopted;        /* taken over from a lead that was merged into this one: no promotion */
};

/* What is told of an event beside its transitions. */
enum baton_notice {
    BATON_NO_NOTICE,
    BATON_IGNORED, /* a report or an adjustment that cannot be: `why` says it; nothing changed but
                      what every event changes */
    BATON_ADJUSTED,
    BATON_MERGED, /* the lead was given up for `to` */
    BATON_ERASED  /* … forgotten; `stage_offset` as it was before */
};

/* What is to be written to another lead because of the event. */
enum baton_hop_kind {
    BATON_NO_HOP,
    BATON_HOP_FORWARD,  /* the event itself, to `to` */
    BATON_HOP_TRANSFER, /* what was known of the lead before, to `to` */
    BATON_HOP_ERASE     /* an erasure of its own to each alias that the lead had before */
};

/* Why the event is a dead letter. With FOLDED, a transfer: it came round a circle of merges, which
 * is told, and its state was taken all the same. */
enum baton_refusal {
    BATON_NOT_REFUSED,
    BATON_REFUSED_CYCLE,
    BATON_REFUSED_STATE /* a transfer that cannot be read */
};

/* A stage that a lead is known to have entered. */
struct baton_entered {
    enum baton_stage stage;
    uint16_t generation;
};

/* A clock that began, stopped or got another stop, or whose lead got another seller. A clock that
 * begins anew makes two: it stopped, and it began (before: all 0). One that was running and is gone
 * has ended (after: all 0). */
struct baton_clock_move {
    enum baton_clock_id id;
    struct baton_clock before, after;
    uint32_t seller_before, seller_after; /* words */
    uint16_t generation;                  /* that the clock is of */
    bool ended;                           /* nothing had stopped it */
    bool told; /* as broken, of the lead that it comes from, and counted nowhere yet */
};

#define BATON_CLOCK_MOVES_MAX 9 /* a transfer: each ends, another one is taken over, and ends */
#define BATON_TRANSITIONS_MAX 4 /* a report, recycled, mql, sql */
struct baton_fold_result {
    enum baton_fold_outcome outcome;
    uint32_t too_late; /* hits that were too late for their buckets */
    uint32_t transition_count;
    enum baton_notice notice;
    enum baton_hop_kind hop;
    enum baton_refusal refusal;
    uint16_t reports_before; /* of an allowed report under a pact: `reports_seen` before it; else
                                not set */
    const char *why;         /* of IGNORED: static text; else NULL */
    const char *refused;     /* of a refusal: static text; else NULL */
    struct baton_text to;    /* borrowed from the lead or the event, until the next fold */
    int64_t stage_offset;    /* of an erasure */
    struct baton_transition transitions[BATON_TRANSITIONS_MAX]; /* in order */
    uint32_t first_hit_count; /* how many of the context's first_hits are set */
    uint32_t clock_move_count;
    bool shadow_mql, shadow_sql; /* the shadow agreement would have moved it there */
    bool first_report;           /* of its kind in its generation, under an agreement with a pact */
    struct baton_clock_move clock_moves[BATON_CLOCK_MOVES_MAX]; /* in order */
};

struct baton_shadow; /* domain/shadow.h */

/* Remembers which rules match which texts of events, which changes no result: texts come again, and
 * with many rules it is cheaper to look them up than to look at each rule. Of one agreement, which
 * outlives it; for one thread at a time. Its size depends on the agreement alone: for each kind of
 * event and field that rules look at 64 KiB, and 4 KiB for every 64 rules of the kind. NULL: there
 * is no memory. */
struct baton_matcher;
struct baton_matcher *baton_matcher_create(const struct baton_agreement *agreement,
                                           struct baton_allocator allocator);
void baton_matcher_destroy(struct baton_matcher *matcher);

struct baton_fold_context {
    const struct baton_agreement *agreement;
    struct baton_words *words;
    struct baton_allocator *allocator;
    /* A rebuild: nothing is decided. What the lead enters is what it is known to have entered at
     * this event, in this order; its generations are those. */
    bool gates_closed;
    const struct baton_entered *entered;
    uint32_t entered_count;
    uint16_t *first_hits; /* rules that the lead hit for the first time: room for BATON_RULES_MAX;
                             NULL: nobody asks */
    const struct baton_shadow *shadow; /* NULL: none */
    struct baton_matcher *matcher;     /* of the same agreement; NULL: every rule is looked at */
};

/* Folds one event. Sets lead->applied to the event's offset + 1 when the outcome is FOLDED. */
void baton_fold(struct baton_lead *lead, const struct baton_event *event,
                const struct baton_fold_context *context, struct baton_fold_result *result);

/* Puts a lead into a stage that it is known to have entered at an event that is not folded. What is
 * older than the stage that it is in changes nothing. False: there is no memory. */
bool baton_lead_restore(struct baton_lead *lead, struct baton_entered entered, int64_t time_ms,
                        int64_t offset, struct baton_allocator *allocator);

/* Would a recheck at this time change the lead? It must be attached. A recheck folds with its own
 * time as the present: what was rejected comes back when its time is over, who was not seen for
 * long is forgotten, gates open. It is no event of the lead's: it enters no ring and counts
 * nothing.
 *
 * Who was forgotten is as if nothing had been known. Whose stage had been told keeps the next
 * generation, in stage lead, so that no transition has the id of an earlier one; of the others
 * nothing is left (BATON_LEAD_EMPTIED). Never one in stage sql or accepted. */
bool baton_recheck_wanted(const struct baton_lead *lead, const struct baton_agreement *agreement,
                          int64_t now_ms);

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
/* Does the rule give its points? None does for a lead without an event. */
bool baton_fit_holds(const struct baton_fit_rule *rule, const struct baton_lead *lead);
bool baton_event_matches(const struct baton_condition *condition, const struct baton_event *event);
bool baton_never_promote(const struct baton_lead *lead, const struct baton_agreement *agreement);
/* The profile field's value, or an empty text. */
struct baton_text baton_profile_get(const struct baton_lead *lead, enum baton_profile_field field,
                                    struct baton_text name);

/* Which of the agreement's routes a promotion of this lead takes; -1: none. */
int32_t baton_route_find(const struct baton_lead *lead, const struct baton_agreement *agreement);
/* Whose turn it is: within a unit the names of a route one after the other; units begin at
 * different ones. `turn`: how many promotions of the unit took this route before. */
struct baton_text baton_route_name(const struct baton_route *route, uint32_t unit, uint64_t turn);

/* The table of transitions: what becomes of a report that reaches a lead in a stage. */
struct baton_ruling {
    bool allowed;
    enum baton_stage stage; /* allowed: the stage from then on */
    const char *why;        /* not allowed: "was not handed over", … */
};
struct baton_ruling baton_rule_report(enum baton_stage stage, enum baton_report report);

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
