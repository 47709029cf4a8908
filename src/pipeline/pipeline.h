/* What the parts of the worker share. Private to this folder. */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "base/log.h"
#include "pipeline/lead_table.h"
#include "pipeline/unit_record.h"
#include "pipeline/worker.h"

#define BATCH_RECORDS 512
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 5000
#define TAKEOVER_RETRY_LAST_MS 250
#define FENCE_CHECK_US 1000000
#define BEHIND_US 100000
#define WORDS_PER_WRITE 512
#define CHECKPOINT_WRITES_AHEAD 8 /* scripts in flight per unit */

/* The ways between the states:
 *
 *   CLAIMING ──► NEW ──────────────► LIVE      a unit that nobody had before
 *      │  ▲      REPLAYING ─► SETTLING ─► LIVE  R < K; SETTLING only under another agreement
 *      │  └─────── any state: fenced, or a transaction that is not confirmed
 *      └──► STOPPED                             says why; left when an operator claims the unit */
enum unit_state {
    UNIT_CLAIMING,
    UNIT_NEW,       /* R is written; waits for the first commit */
    UNIT_REPLAYING, /* folds [R, K) in silence */
    UNIT_SETTLING,  /* stands at K, checkpoints under the agreement in force */
    UNIT_LIVE,
    UNIT_STOPPED
};

struct outbox {
    struct arena arena;
    struct outgoing_message *messages;
    size_t count, room;
    uint64_t promotions, stage_changes;
};

/* A copy of a unit's state at one position, on its way to the store. */
struct copied_lead {
    struct stored_lead stored;
    uint32_t entry;
};

enum copy_phase {
    COPY_NONE,
    COPY_WAITS_FOR_COMMIT,
    COPY_AGGREGATES,
    COPY_WORDS,
    COPY_LEADS,
    COPY_POSITION,
    COPY_CONFIRM
};

struct checkpoint_copy {
    enum copy_phase phase;
    int64_t position;
    struct unit_aggregates aggregates;
    struct arena arena;
    struct copied_lead *leads;
    size_t lead_count, lead_room, leads_sent;
    uint32_t words_sent, words_end;
    const struct agreement *agreement; /* in force at the position */
};

/* From `from` on, events are folded under `agreement`. */
struct stretch {
    int64_t from;
    const struct agreement *agreement;
};

struct known_schema {
    struct schema_key key;
};

/* Invariant: stored (R) ≤ committed (K) ≤ position while LIVE; position ≤ committed while
 * REPLAYING; a copy is written only at a position ≤ committed. */
struct unit {
    uint32_t number;
    enum unit_state state;
    bool cut;         /* takes no more records of this batch */
    bool wants_start; /* the source must deliver from `position` again */
    bool stale;       /* CLAIMING or STOPPED, and what was known of its state is still in memory */
    bool began_empty; /* the store had no lead of it when it was claimed … */
    uint64_t evicted_before; /* … with so many evictions behind the table: none since, and every
                                lead that the store has is in the table */
    struct fence fence;
    int64_t position, stored, committed, start;
    struct unit_aggregates aggregates;
    struct commit_metadata metadata; /* of K as it was read; switches and verdicts live on in it */
    char *metadata_text;             /* K's metadata as it stands */
    int64_t rebuild_until, accepted;
    bool damaged; /* what the store holds of it does not decode: `damage` says what */
    struct error damage;
    unsigned rebuilds;
    bool wants_rebuild; /* a damaged lead was met, and an operator asked for rebuilds */
    bool stopped_field; /* the store's hash carries a `stopped` text to be removed */
    struct stretch stretches[UNIT_SWITCHES + 1]; /* R's, and each switch behind it */
    size_t stretch_count, stretch;               /* the one in force at `position` */
    struct baton_words words;
    uint32_t words_stored; /* ids below are in the store */
    uint32_t *dirty;       /* entries of the table */
    size_t dirty_count, dirty_room;
    struct outbox *outbox;
    struct checkpoint_copy copy;
    struct known_schema *schemas; /* whose texts the store holds for this unit */
    size_t schema_count;
    /* waiting for a schema */
    bool held;
    struct schema_key held_key;
    int64_t held_offset, held_since_us, held_next_us;
    /* in flight */
    bool in_transaction;
    int64_t transaction_position;
    /* times of the monotonic clock */
    int64_t last_checkpoint_us, last_contact_us;
    int64_t replay_from, replay_told_us;
    uint64_t missed; /* leads to load in this batch */
    struct lead_entry **misses;
};

struct item {
    struct unit *unit; /* NULL: nothing to do */
    const struct record *record;
    struct lead_entry *entry;
    const struct decode_result *dead; /* not NULL: a dead letter */
    bool is_event;
    uint64_t hash; /* of its lead */
    struct baton_event event;
};

struct worker {
    struct worker_config config;
    struct worker_ports ports;
    struct encoder *encoder;
    struct decoder *decoder;
    uint64_t input_hash;
    uint32_t wanted_fields; /* of events, by all agreements held */
    struct lead_table table;
    struct arena scratch; /* of a batch */
    struct arena talk;    /* of a take-over or any other rare errand */
    struct record records[BATCH_RECORDS];
    struct item items[BATCH_RECORDS];

    uint32_t partitions;
    struct unit **units;
    size_t unit_count;
    struct unit **by_number;    /* partitions */
    _Atomic int64_t *positions; /* partitions; what worker_position tells */
    bool assigned, partitions_checked;

    /* agreements by hash, parsed once; [0] is the one in force */
    struct held_agreement {
        const struct agreement *agreement;
        struct agreement *owned; /* NULL for the one in force */
        struct text_buffer zone;
    } * agreements;
    size_t agreement_count;

    /* texts of schemas by key, for the units that have not stored them yet */
    struct schema_text {
        struct schema_key key;
        char *text;
        size_t size;
    } * schema_texts;
    size_t schema_text_count;

    bool sink_ready; /* has a producer */
    bool sink_warm;  /* … that has committed once */
    bool sink_busy;
    unsigned failures;    /* transactions in a row that were not confirmed */
    struct outbox **sent; /* of the transaction in flight */
    size_t sent_count;
    struct outbox **spare_outboxes;
    size_t spare_count;
    struct transaction transaction; /* lent to the sink: outlives the units that take part */
    struct outgoing_message *transaction_messages;
    struct unit_commit *transaction_commits;
    char **transaction_texts; /* metadata, by commit */
    size_t message_room, commit_room;
    uint64_t sent_promotions, sent_stage_changes;
    int64_t first_waiting_us; /* since when a message waits; 0: none does */
    int64_t last_commit_us;
    int64_t caught_up_us; /* when a batch was last not full */
    bool commit_wanted;

    bool store_away, source_away;
    int64_t retry_ms, retry_at_us; /* store and take-over */
    size_t claim_next;             /* the unit behind the one that had to wait */
    int64_t sink_retry_ms, sink_retry_at_us;
    bool start_due;
    bool had_stopped_units, left_behind;
    uint64_t dirty_total;
    int64_t schemas_next_us; /* the registry is away: nobody asks it before */
    struct error trouble;    /* the last text of a state of waiting, told once */
    struct worker_figures figures;
};

/* Every part uses these. */
int64_t worker_now_us(struct worker *worker);
bool worker_is_behind(struct worker *worker);
/* Events are read with what this agreement looks at, too. Before any is folded under it. */
void worker_want_fields(struct worker *worker, const struct agreement *agreement);
__attribute__((format(printf, 3, 4))) void unit_log(struct worker *worker, struct unit *unit,
                                                    const char *format, ...);
void unit_stop(struct worker *worker, struct unit *unit,
               const char *why); /* → STOPPED, told once and in the store */
void unit_recover(struct worker *worker, struct unit *unit, const char *why); /* → CLAIMING */
/* A take-over found somebody away: it is told once, and tried again after a growing pause. */
void takeover_waits(struct worker *worker, const struct error *error);
bool worker_is_taking_over(const struct worker *worker); /* has units CLAIMING */
void worker_recover_all(struct worker *worker, const char *why);
/* Acts on a status of the store for one unit: RETRY → the store is away; FENCED → recover; STOP →
 * stop. */
void unit_store_status(struct worker *worker, struct unit *unit, enum status status,
                       const struct error *error);
/* The same for a write: one that may not have been carried out, or only in part, is a doubt, too.
 */
void unit_write_failed(struct worker *worker, struct unit *unit, enum status status,
                       const struct error *error);
bool unit_folds(const struct unit *unit);      /* REPLAYING or LIVE */
bool unit_is_fetched(const struct unit *unit); /* folds, and does not wait for a schema */
const struct baton_agreement *unit_agreement(const struct unit *unit);
void unit_enter_stretch(struct worker *worker, struct unit *unit, size_t stretch);
/* Writes and waits; for rare errands. */
enum status unit_write_now(struct worker *worker, struct unit *unit,
                           const struct store_write *write, struct error *error);
struct field field_of(const char *name, const char *value);

/* takeover.c */
enum status takeover_turn(struct worker *worker, struct error *error);
void takeover_reached(struct worker *worker, struct unit *unit); /* position ≥ K while REPLAYING */
void takeover_settled(struct worker *worker,
                      struct unit *unit); /* SETTLING's checkpoint is written */
void takeover_committed(struct worker *worker,
                        struct unit *unit); /* NEW's first commit is confirmed */
struct unit *unit_create(struct worker *worker, uint32_t number);
void unit_clear(struct worker *worker, struct unit *unit); /* drops what was known of its state */
void unit_destroy(struct worker *worker, struct unit *unit);
/* Writes the fields of a unit that begins at `first`: position, start, partitions, …; waits. */
enum status write_first_position(struct worker *worker, struct unit *unit, int64_t first,
                                 const char *committed, struct error *error);

/* agreements.c */
enum status agreements_find(struct worker *worker, struct unit *unit, const char *hash,
                            const struct agreement **out, struct error *error);
enum status agreements_store(struct worker *worker, struct unit *unit, struct error *error);

/* stretches.c */
/* From the unit's position on, events are folded under this agreement: unless they are anyway. */
void stretches_remember(struct unit *unit, const char *hash);
/* The agreements that the events from R to K were folded under, and the one in force from K on. */
enum status stretches_plan(struct worker *worker, struct unit *unit,
                           const struct unit_record *record, struct error *error);

/* rebuild.c */
enum status rebuild_unit(struct worker *worker, struct unit *unit, int64_t committed,
                         struct error *error);

/* schemas.c: what a unit is to do with messages under a schema */
enum schema_answer { SCHEMA_USE, SCHEMA_DEAD, SCHEMA_WAIT };
enum schema_answer schemas_resolve(struct worker *worker, struct unit *unit, struct schema_key key,
                                   int64_t offset);
void schemas_turn(struct worker *worker); /* looks again for what units wait for */

/* batch.c */
void batch_fold(struct worker *worker, size_t count);

/* emit.c */
void outbox_add_dead(struct worker *worker, struct unit *unit, const struct record *record,
                     const struct decode_result *verdict);
void outbox_add_stages(struct worker *worker, struct unit *unit, const struct record *record,
                       const struct baton_event *event, const struct lead_entry *entry,
                       const struct baton_fold_result *result);
bool emit_is_due(struct worker *worker, bool hurry);
/* Does something wait for a transaction that will come soon? */
bool emit_is_near(const struct worker *worker);
void emit_begin(struct worker *worker);
void emit_poll(struct worker *worker);
void transaction_forget(struct worker *worker); /* what was lent is ours again */
struct outbox *outbox_take(struct worker *worker);
void outbox_give_back(struct worker *worker, struct outbox *outbox);

/* checkpoint.c */
void checkpoint_copy_at(struct worker *worker, struct unit *unit, enum copy_phase phase);
void checkpoint_drop(struct worker *worker, struct unit *unit);
bool checkpoint_is_due(struct worker *worker, const struct unit *unit);
void checkpoint_push(struct worker *worker, struct unit *unit);
void checkpoint_turn(struct worker *worker, bool hurry);
void unit_mark_dirty(struct worker *worker, struct unit *unit, struct lead_entry *entry);

#endif
