/* What another agreement would have made of the events that there are: folded again from the first
 * one on, in memory alone. Nothing is read from a store, and nothing is written anywhere but where
 * the caller says.
 *
 * The same events and the same agreement give the same result, however many threads fold them. */
#ifndef BACKTEST_BACKTEST_H
#define BACKTEST_BACKTEST_H

#include "agreement/versions.h"
#include "codec/decoder.h"
#include "pipeline/identity.h"
#include "pipeline/ports.h"

#include <stdatomic.h>
#include <stdio.h>

#define BACKTEST_UNREAD_MAX 20

/* Borrowed; read by all threads. */
struct backtest_config {
    const struct agreement *candidate, *against; /* against NULL: compared with nothing */
    /* Where they are the last of some versions: each of these is in force from the first event of
     * its time in a unit on, as in a live one. NULL: one agreement is in force throughout. */
    const struct versions *candidate_versions, *against_versions;
    const struct input_config *input;
    const struct identity_config *identity; /* events of a file alone: a log has what came of it */
    /* A source of writer schemas for one thread, which destroys it; NULL: there are none. */
    struct schema_source *(*schemas)(void *context);
    void *schemas_context;
    const char *events_topic; /* as records name it */
    enum language language;   /* of the sentences of a promotion */
    /* Promotions whose event lies in [from, to) are counted and printed; all events are folded. */
    int64_t from_ms, to_ms;
    size_t event_bytes; /* what a message to the events topic may have; 0: any size */
    unsigned threads;   /* 0: one per core */
    bool with_records;  /* backtest_write is wanted */
    /* Leads keep all that live ones do, also what nobody is told of: slower, and the same result.
     */
    bool whole;
};

/* Partitions of a log; each reader is used by one thread at a time. */
struct backtest_log {
    void *context;
    uint32_t partitions;
    void (*range)(void *context, uint32_t partition, int64_t *first, int64_t *end);
    void *(*open)(void *context, uint32_t partition);
    /* The next records; none: the end. Borrowed until the next call. */
    enum status (*next)(void *reader, struct record *records, size_t room, size_t *count,
                        struct error *error);
    void (*close)(void *reader);
};

/* Read by any thread while events are folded. */
struct backtest_progress {
    atomic_uint_fast64_t events;      /* records that were taken */
    atomic_uint_fast64_t done, total; /* of a log: offsets; of a file: bytes, total 0 if unknown */
};

enum backtest_outcome { OUTCOME_NONE, OUTCOME_REJECTED, OUTCOME_CUSTOMER };

struct backtest_group {
    uint64_t leads, customers, rejected; /* the rest has no verdict that took effect */
};

/* A rule of the candidate: among the leads that sales has judged. */
struct backtest_rule {
    struct baton_text id;
    bool is_fit;
    uint64_t customers, rejected; /* of leads that had a hit of it, or that it held for */
};

struct backtest_run {
    uint64_t promotions;         /* in the time that is counted, repeated ones of a lead, too */
    struct backtest_group leads; /* that were promoted in it */
};

/* A line of a file that cannot be read. */
struct backtest_unread {
    int64_t line; /* from 1 */
    const char *why;
};

struct backtest_result {
    uint64_t events, dead, unknown_schemas, transfers_from_log;
    uint64_t first_offsets_cut; /* partitions whose first records retention has removed */
    int64_t first_ms, last_ms;  /* of the events' own times; first > last: there were none */
    struct backtest_run candidate, against;
    struct backtest_group both, only_candidate, only_against;
    /* All leads with a verdict: leads = customers + rejected. One counts that took effect under
     * either agreement; where there is but one, also one on a lead that it never promotes. */
    struct backtest_group judged;
    /* Of the leads that both promote: how much sooner the candidate does. Lower quartiles. */
    int64_t sooner_ms[3];
    uint64_t sooner, at_once, later; /* of the same leads; half of the first are … */
    int64_t sooner_half_ms;          /* … sooner by so much or more */
    struct backtest_rule *rules;
    size_t rule_count;
    /* Of a file, the first lines that cannot be read; `dead` counts them all. */
    struct backtest_unread unread[BACKTEST_UNREAD_MAX];
    size_t unread_count;
};

struct backtest;
struct backtest *backtest_create(const struct backtest_config *config);
void backtest_destroy(struct backtest *backtest);
const struct backtest_progress *backtest_progress(const struct backtest *backtest);

/* Either of them, once. `tick` is called from this thread, every `tick_ms`; it may be NULL. */
typedef void backtest_tick(void *context);
enum status backtest_fold_log(struct backtest *backtest, const struct backtest_log *log,
                              backtest_tick *tick, void *context, int tick_ms, struct error *error);
/* JSON Lines. */
enum status backtest_fold_file(struct backtest *backtest, FILE *file, backtest_tick *tick,
                               void *context, int tick_ms, struct error *error);

/* Borrowed from the backtest. */
const struct backtest_result *backtest_finish(struct backtest *backtest);
/* The candidate's promotions and changes of stage, as `output.format: json` has them, a line each:
 * by partition, then in the order in which they were made. False: errno says why. */
bool backtest_write(struct backtest *backtest, FILE *out);

#endif
