/* What the parts of the worker share. Private to this folder. */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "base/log.h"
#include "pact/counters.h"
#include "pact/spend.h"
#include "pipeline/clocks.h"
#include "pipeline/hops.h"
#include "pipeline/ignore.h"
#include "pipeline/judge.h"
#include "pipeline/lead_table.h"
#include "pipeline/stage_script.h"
#include "pipeline/sweep.h"
#include "pipeline/unit_record.h"
#include "pipeline/worker.h"

#define BATCH_RECORDS 512
#define BATCHES 2 /* one that is folded, and the one behind it whose leads are on their way */
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 5000
#define TAKEOVER_RETRY_LAST_MS 250
#define FENCE_CHECK_US 1000000
#define BEHIND_US 500000
#define WAITING_FEW (8 * BATCH_RECORDS) /* events: read in some milliseconds */
#define WORDS_PER_WRITE 512
#define CHECKPOINT_WRITES_AHEAD 8         /* scripts in flight per unit … */
#define CHECKPOINT_WRITES_BETWEEN_LOADS 4 /* … and of all units, while loads queue behind them */

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
    COPY_AGGREGATES, /* what goes before the leads: tombstones, words, aggregates with the days */
    COPY_LEADS,
    COPY_POSITION,
    COPY_CONFIRM
};

/* Fields of the unit's hash on their way; texts from the copy's arena. */
struct field_list {
    struct field *items;
    size_t count, room, sent;
};

struct checkpoint_copy {
    enum copy_phase phase;
    int64_t position;
    struct unit_aggregates aggregates;
    struct arena arena;
    size_t bytes; /* that it takes */
    struct copied_lead *leads;
    size_t lead_count, lead_room, leads_sent;
    size_t under_way;         /* writes without an answer when it was last looked at */
    struct field_list before; /* written before the leads: tombstones, and who is to be removed */
    struct field_list behind; /* … behind them: who was removed */
    struct field_list clocks; /* … and of whom clocks are due when */
    struct field_list days;   /* … with the aggregates: counters that differ, spend */
    uint32_t days_kept;       /* how many fields the store has of them then */
    int32_t counted_from;
    int64_t counted_at;
    int64_t arrived_ms; /* see struct unit */
    uint32_t words_sent, words_end;
    const struct agreement *agreement; /* in force at the position */
};

/* The leads that a batch needs of a unit and that are not in the table. */
struct unit_load {
    struct lead_entry **entries;
    size_t count;
    bool asked;          /* the store is to be asked how it ended */
    enum status status;  /* how asking ended */
    struct error *error; /* … if not OK */
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
 * REPLAYING; a copy is written only at a position ≤ committed, with a clock that is confirmed. */
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
    /* Time up to which its clocks have gone off (C); while it is LIVE only the metadata of its next
     * commit moves it. What is confirmed of it may go to the store. */
    int64_t clock_ms, clock_confirmed_ms;
    struct clocks clocks;
    struct stage_script script; /* below rebuild_until */
    bool damaged;               /* what the store holds of it does not decode: `damage` says what */
    struct error damage;
    unsigned rebuilds;
    bool wants_rebuild; /* a damaged lead was met, and an operator asked for rebuilds */
    bool stopped_field; /* the store's hash carries a `stopped` text to be removed */
    struct stretch stretches[UNIT_SWITCHES + 1]; /* R's, and each switch behind it */
    size_t stretch_count, stretch;               /* the one in force at `position` */
    const struct agreement *settles_on;          /* SETTLING: the one to go live under */
    int64_t turn_ms;  /* LIVE: at an event of this time or later it goes over to the next version */
    bool turn_wanted; /* … which was met, or another set of versions is in force */
    int64_t turn_to_ms; /* the time that it is to go over at */
    bool ticked;        /* its time was told to go on, as nothing else did */
    struct baton_words words;
    uint32_t words_stored; /* ids below are in the store */
    /* What the pact is measured by; as far as the aggregates are. */
    struct counters *counters;
    struct spend_table *spend;
    struct judged_list *judged; /* of unit 0, else NULL */
    int32_t counted_from;       /* local date on which its first counted record arrived; INT32_MIN:
                                   there is none */
    int64_t counted_at;         /* … and its offset; -1: not known */
    int64_t arrived_ms;         /* under a pact: timestamp of the record that was folded last */
    int64_t ended_at;           /* the log held nothing from here on when it was last said; or -1 */
    int64_t passed_next_us;     /* when it is told next that nothing waits */
    struct tombstones tombstones;
    struct baton_text *removals; /* leads that the former owner emptied; the ids are ours */
    size_t removal_count, removal_room;
    uint32_t *dirty; /* entries of the table */
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
    struct unit_load loads[BATCHES]; /* of each batch under way */
    struct sweep sweep;
    bool skipped; /* a record of the batch that is being folded was left out */
};

struct item {
    struct unit *unit; /* NULL: nothing to do */
    const struct record *record;
    struct lead_entry *entry;
    const struct decode_result *dead; /* not NULL: a dead letter */
    const struct hop *hop;            /* not NULL: it was passed on, or is baton's own */
    bool is_event;
    bool is_ignored; /* an event that is not a person's: no lead */
    bool is_of_unit; /* an event of no lead: see unit_events.c */
    uint64_t hash;   /* of its lead */
    struct baton_event event;
};

/* Records from the fetch to the fold. */
struct batch {
    struct arena arena; /* of what was decoded; of the records themselves when they are kept */
    struct record records[BATCH_RECORDS]; /* kept: what they point to is ours */
    struct item items[BATCH_RECORDS];
    size_t count;
    size_t missed; /* leads that are loaded for it */
    bool under_way, kept;
};

struct worker {
    struct worker_config config;
    struct worker_ports ports;
    struct encoder *encoder;
    struct decoder *decoder;
    uint64_t input_hash;
    uint32_t wanted_fields; /* of events, by all agreements held */
    struct ignore *ignore;
    enum partitioner partitioner; /* of the writers; AUTO: not seen yet */
    bool strange_partitions_told;
    struct lead_table table;
    struct arena scratch; /* of a turn */
    struct arena talk;    /* of a take-over or any other rare errand */
    struct record records[BATCH_RECORDS];
    struct batch batches[BATCHES];
    struct batch *parked; /* asked the store for its leads; folded while the next one asks */
    bool looks_ahead;     /* the last batch had many leads to load: the next one may be parked */
    bool loads_lately;    /* … or any */

    uint32_t partitions;
    struct unit **units;
    size_t unit_count;
    struct unit **by_number;    /* partitions */
    _Atomic int64_t *positions; /* partitions; what worker_position tells */
    bool assigned, partitions_checked;

    const struct versions *versions; /* as they were looked at last */
    struct versions *own_versions;   /* of the configured agreement, where there are no others */
    /* agreements, held once by hash and zone */
    struct held_agreement {
        const struct agreement *agreement;
        struct agreement *owned;       /* NULL: of a set of versions */
        struct baton_matcher *matcher; /* NULL until an event is folded under it … */
        struct shadow *shadow; /* … and then beside it; NULL: there is none, or it rests */
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
    int64_t caught_up_us; /* when few events waited behind a batch that was not full */
    bool commit_wanted;

    bool store_away, source_away;
    int64_t retry_ms, retry_at_us; /* store and take-over */
    size_t claim_next;             /* the unit behind the one that had to wait */
    int64_t sink_retry_ms, sink_retry_at_us;
    bool start_due;
    bool had_stopped_units, left_behind;
    size_t copied_bytes; /* of all copies that are not stored yet */
    uint64_t dirty_total;
    int64_t counting_next_us;
    struct judge *judge;
    size_t sweep_unit;       /* whose turn it is … */
    int64_t sweep_next_us;   /* … and not before */
    int64_t schemas_next_us; /* the registry is away: nobody asks it before */
    struct error trouble;    /* the last text of a state of waiting, told once */
    struct worker_figures figures;
    uint16_t first_hits[BATON_RULES_MAX]; /* of the event that is being folded */
};

/* The worker's thread alone writes its figures: others only read, and no locked instruction per
 * event is needed. */
static inline void figure_add(atomic_uint_fast64_t *figure, uint64_t more)
{
    atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

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
/* The store was away: is it back, and does it still hold what we wrote? */
void worker_look_for_store(struct worker *worker);
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

/* assignment.c */
enum status assignment_take_over(struct worker *worker, struct error *error);
enum status assignment_take_news(struct worker *worker, const struct source_news *news,
                                 struct error *error);
/* Tells the source what to fetch, and from where. */
enum status assignment_start_source(struct worker *worker, struct error *error);
void assignment_drop_units(struct worker *worker);

/* takeover.c */
enum status takeover_turn(struct worker *worker, struct error *error);
void takeover_reached(struct worker *worker, struct unit *unit); /* position ≥ K while REPLAYING */
void takeover_settled(struct worker *worker,
                      struct unit *unit); /* SETTLING's checkpoint is written */
struct unit *unit_create(struct worker *worker, uint32_t number);
void unit_clear(struct worker *worker, struct unit *unit); /* drops what was known of its state */
void unit_destroy(struct worker *worker, struct unit *unit);

/* takeover_new.c */
/* A unit that nobody had before, or that never went live: R with `committed` 0 is written before
 * the first commit. */
enum status takeover_begin_new(struct worker *worker, struct unit *unit, int64_t from,
                               struct error *error);
/* The store has no lead of it. */
void takeover_begins_empty(struct worker *worker, struct unit *unit);
void takeover_committed(struct worker *worker,
                        struct unit *unit); /* NEW's first commit is confirmed */
void takeover_go_live(struct worker *worker, struct unit *unit);
/* Writes the fields of a unit that begins at `first`: position, start, partitions, …; waits. */
enum status write_first_position(struct worker *worker, struct unit *unit, int64_t first,
                                 const char *committed, struct error *error);

/* agreements.c */
enum status agreements_find(struct worker *worker, struct unit *unit, const char *hash,
                            const struct agreement **out, struct error *error);
/* Before a unit is folded under it, its text stands in the unit's hash. */
enum status agreements_store(struct worker *worker, struct unit *unit,
                             const struct agreement *agreement, struct error *error);
/* The matcher of the context's agreement, which is held, and the shadow that runs beside it. */
void agreements_equip(struct worker *worker, struct baton_fold_context *context);
void agreements_forget(struct worker *worker);
/* One of a set of versions is among those held. */
void agreements_hold(struct worker *worker, const struct agreement *agreement);

/* versions_turn.c: which version of the agreement a unit is under, and its way to the next */
/* By the unit's newest event; never an earlier one than it has been under. */
const struct agreement *worker_in_force(const struct worker *worker, const struct unit *unit);
/* Looks for another set of versions; takes units over to the version that they have come to. */
void versions_turn(struct worker *worker);
/* The unit is LIVE from here on. */
void versions_live(struct worker *worker, struct unit *unit);
/* An event of a time at or behind the unit's turn: it folds no further under this version. */
void versions_meet(struct unit *unit, int64_t time_ms);
/* Those that the unit may come to. */
enum status versions_store(struct worker *worker, struct unit *unit, struct error *error);

/* stretches.c */
/* From the unit's position on, events are folded under this agreement: unless they are anyway. */
void stretches_remember(struct unit *unit, const char *hash);
/* The agreements that the events from R to K were folded under, and the one in force from K on. */
enum status stretches_plan(struct worker *worker, struct unit *unit,
                           const struct unit_record *record, struct error *error);

/* erasures.c */
/* False: a field is damaged. */
bool erasures_read(struct unit *unit, const struct field *fields, size_t count);
/* Takes leads out of the store that a former owner emptied, and could not take out any more. */
void erasures_turn(struct worker *worker);
void erasures_forget(struct unit *unit);

/* rebuild.c */
enum status rebuild_unit(struct worker *worker, struct unit *unit, int64_t committed,
                         struct error *error);

/* schemas.c: what a unit is to do with messages under a schema */
enum schema_answer { SCHEMA_USE, SCHEMA_DEAD, SCHEMA_WAIT };
enum schema_answer schemas_resolve(struct worker *worker, struct unit *unit, struct schema_key key,
                                   int64_t offset);
void schemas_turn(struct worker *worker); /* looks again for what units wait for */

/* batch.c */
/* How many records a batch takes. One that is full has others waiting behind it. */
size_t batch_room(const struct worker *worker);
/* Takes so many records that were fetched; folds them, or the batch before them. */
void batch_turn(struct worker *worker, size_t count);
/* What was fetched of the unit and is not folded yet is void: it must be fetched anew. */
void batch_forget(struct worker *worker, struct unit *unit);

/* counting.c */
/* False: what happens at this offset is part of the aggregates already. */
bool counting_is_new(const struct unit *unit, int64_t offset);
/* The record's timestamp, or the event's time where it has none. */
int64_t event_arrived_ms(const struct record *record, const struct baton_event *event);
/* Gates are closed below this offset: what was entered there was published long ago, and is no
 * part of the digest that begins anew. */
bool counting_is_rebuilt(const struct unit *unit, int64_t offset);
/* `owner`: whom a promotion goes to; left alone where there is none. */
void counting_fold(struct worker *worker, const struct item *item,
                   const struct baton_fold_result *result, struct baton_text *owner);
/* A message that no lead was folded with; for whoever waits until all has arrived. */
void counting_arrived(struct unit *unit, const struct record *record);
void counting_dead(struct worker *worker, const struct item *item);
void counting_ignored(struct worker *worker, const struct item *item);
/* A transfer that does not take all along. */
void counting_trimmed(struct worker *worker, const struct item *item,
                      const struct hop_cargo *cargo);

/* counting_store.c: counters of the pact on their way to the store and back */
void counting_create(struct unit *unit);
void counting_clear(struct unit *unit);
void counting_destroy(struct unit *unit);
/* What differs goes into the copy, as of its position. */
void counting_copy(struct unit *unit);
/* What the store holds; STOP: it is damaged. */
enum status counting_restore(struct worker *worker, struct unit *unit,
                             const struct unit_record *record, struct error *error);
/* A unit that has nothing waiting says so from time to time: whoever judges a goal waits for it. */
void counting_turn(struct worker *worker);

/* unit_events.c: events of no lead */
void unit_event_fold(struct worker *worker, const struct item *item);

/* loads.c: the leads that a batch needs */
void loads_add(struct batch *batch, struct unit_load *load, struct lead_entry *entry);
/* Asks the store, and does not wait. */
void loads_ask(struct worker *worker, struct batch *batch);
/* Waits for the answers. Where they do not come, the unit is cut. */
void loads_take(struct worker *worker, struct batch *batch);
void loads_forget(struct worker *worker, struct unit *unit, struct unit_load *load);
/* Loads leads that were just added to the table, while no load of the unit is under way, and waits.
 * False: they are not there, and the unit folds no further now. */
bool loads_some(struct worker *worker, struct unit *unit, struct lead_entry *const *entries,
                size_t count);
/* Fills an initialised lead; STOP names the lead that is damaged. */
enum status unit_unpack(struct worker *worker, const struct unit *unit, struct baton_text id,
                        const struct loaded_lead *loaded, struct baton_lead *lead,
                        struct error *error);

/* emit.c */
void outbox_add_dead(struct worker *worker, struct unit *unit, const struct record *record,
                     const struct decode_result *verdict);
/* `owner`: whom the promotion goes to, if there is one. */
void outbox_add_stages(struct worker *worker, struct unit *unit, const struct record *record,
                       const struct baton_event *event, const struct lead_entry *entry,
                       const struct baton_fold_result *result, struct baton_text owner);
void outbox_add_recheck(struct worker *worker, struct unit *unit, struct baton_text lead_id,
                        int64_t time_ms);
void outbox_add_tick(struct worker *worker, struct unit *unit, int64_t time_ms);
/* Messages to other leads. `message` is the event's own. */
void outbox_add_hops(struct worker *worker, struct unit *unit, const struct record *record,
                     const struct message *message, const struct baton_event *event,
                     const struct baton_fold_result *result, const struct hop_cargo *cargo);
void outbox_add_breach(struct worker *worker, struct unit *unit, const struct breach_view *view);
/* The event names who the lead is: `into`. */
void outbox_add_identity(struct worker *worker, struct unit *unit, const struct record *record,
                         const struct baton_event *event, struct baton_text into);
/* Of a goal or a date, into unit 0. */
void outbox_add_judged(struct worker *worker, struct unit *unit, const struct judgement *judgement,
                       int64_t time_ms);
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
/* The next fields of a list, as many as a write takes. */
enum status checkpoint_push_fields(struct worker *worker, struct unit *unit,
                                   struct field_list *list, struct error *error);
void field_list_add(struct field_list *list, struct field field);
void unit_mark_dirty(struct worker *worker, struct unit *unit, struct lead_entry *entry);

#endif
