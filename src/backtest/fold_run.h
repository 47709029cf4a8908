/* One agreement over one unit: the same fold as that of a live unit, with nothing around it. It is
 * used by one thread at a time; what a thread has for itself stands in `fold_tools`. */
#ifndef BACKTEST_FOLD_RUN_H
#define BACKTEST_FOLD_RUN_H

#include "backtest/backtest.h"
#include "backtest/lines.h"
#include "pipeline/hops.h"
#include "pipeline/ignore.h"
#include "pipeline/lead_table.h"

/* What a thread has. */
struct fold_tools {
    struct encoder *encoder; /* NULL: nobody wants records */
    struct ignore *ignore;
    struct arena arena; /* of a batch */
};

/* The caller ends it with fold_tools_fini in any case. */
enum status fold_tools_init(struct fold_tools *tools, const struct backtest_config *config,
                            struct error *error);
void fold_tools_fini(struct fold_tools *tools);

/* Leads by their number in the table. */
struct promoted {
    uint32_t lead;
    int64_t time_ms;
};

/* What a verdict of sales came to under an agreement. */
enum verdict_weight {
    VERDICT_IN_EFFECT,
    VERDICT_UNHANDED, /* nothing speaks against it but that this one had not handed the lead over */
    VERDICT_REFUSED
};

struct judged {
    uint32_t lead;
    enum backtest_outcome outcome;
    enum verdict_weight weight;
    int64_t time_ms;
    const uint64_t
        *rules; /* bit per rule: behaviour, then fit, as it stood then; NULL: of the other run */
};

struct fold_run {
    const struct backtest_config *config;
    const struct versions *versions;         /* NULL: one agreement throughout */
    const struct baton_agreement *agreement; /* in force; told: what it is … */
    struct baton_agreement folded;           /* … folded: without what nobody is told of */
    const struct baton_agreement *counted;   /* whose rules are counted: the last version */
    int64_t turn_ms; /* the first event of this time or later begins the next version */
    uint32_t unit;
    bool is_candidate; /* whose rules are counted, and whose records are kept */
    bool is_lean;      /* leads keep what decides, and nothing of what is only told … */
    bool is_too_lean;  /* … but a lead is so large that a live one might not take it all along */
    struct lead_table leads;
    struct baton_words words;
    struct baton_matcher *matcher;
    struct tombstones tombstones;
    uint64_t assigned[BATON_ROUTES_MAX]; /* promotions by route, as a unit counts them */
    struct lines lines;
    struct arena kept;
    struct promoted *promoted;
    size_t promoted_count, promoted_room;
    struct judged *judged;
    size_t judged_count, judged_room;
    uint64_t promotions, refused;
    /* Of a file, where a promotion goes out with its event: the present, so far; -1: of a log. */
    int64_t present_ms;
};

/* Does a run have to keep touches and channels? */
bool fold_run_keeps_all(const struct backtest_config *config, bool is_candidate);

/* What an event came to. Borrowed from the tools' arena. */
struct folded {
    struct baton_fold_result result;
    struct hop_cargo cargo;
};

void fold_run_init(struct fold_run *run, const struct backtest_config *config, uint32_t unit,
                   bool is_candidate, uint32_t words_capacity);
void fold_run_fini(struct fold_run *run);

/* The event's lead, made if there is none; NULL: the event is not a person's under this agreement.
 */
struct lead_entry *fold_run_find(struct fold_run *run, struct fold_tools *tools,
                                 const struct baton_event *event, uint64_t hash);
/* Is it the first one of the next version? Of an event that is not ignored. */
static inline bool fold_run_turns(const struct fold_run *run, const struct baton_event *event)
{
    return event->time_ms >= run->turn_ms;
}
/* … then that one is in force from here on: what was found must be looked for again. */
void fold_run_turn(struct fold_run *run, const struct baton_event *event);
/* Folds; keeps what is told of it. */
void fold_run_take(struct fold_run *run, struct fold_tools *tools, const struct baton_event *event,
                   struct lead_entry *entry, const struct origin *origin, struct folded *out);

/* Words of 64 bits in a bit set of the candidate's rules. */
size_t fold_run_rule_words(const struct baton_agreement *agreement);

#endif
