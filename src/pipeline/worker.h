/* A worker: one thread that carries events all the way, for the units that it owns.
 *
 * It takes its ports, shares nothing with other workers but what is read-only, and is driven either
 * by worker_run (a thread of its own) or step by step (a simulator). docs/exactly-once.md tells the
 * protocol; takeover.c, batch.c, emit.c and checkpoint.c are its parts. */
#ifndef PIPELINE_WORKER_H
#define PIPELINE_WORKER_H

#include "agreement/versions.h"
#include "pipeline/identity.h"
#include "pipeline/partitioner.h"
#include "pipeline/ports.h"

#include <stdatomic.h>

struct worker_ports {
    struct source *source;
    struct sink *sink;
    struct store *store;
    struct schema_source *schemas;
    struct stage_log *stage_log; /* only for a rebuild */
    struct clock *clock;
};

/* Borrowed, and the same for all workers; outlives them. */
struct worker_config {
    uint32_t number;                   /* of the worker, in log lines */
    const struct agreement *agreement; /* where there are no versions: in force throughout */
    /* The set in force: another may be put in its place at any time (released by who does, acquired
     * by the worker, which looks once a turn). Every set outlives the worker. NULL: `agreement`. */
    const struct versions *_Atomic *versions;
    const struct input_config *input;
    const char *events_topic;
    const char *group;
    const char *config_file; /* for commands in error texts */
    uint32_t words_capacity;
    size_t table_bytes; /* a part of it is set aside for a checkpoint's copies of leads */
    uint32_t
        batch_records; /* at most so many are fetched at once; 0: as many as there is room for */
    uint32_t
        dirty_max; /* dirty leads at which a checkpoint is due; at twice as many fetching pauses */
    size_t dead_letter_bytes;
    size_t event_bytes; /* what a message to the events topic may have; 0: any size */
    int64_t emit_linger_ms, emit_pace_ms, emit_pace_behind_ms;
    int64_t commit_interval_ms, checkpoint_interval_ms, checkpoint_interval_behind_ms;
    int64_t unknown_schema_wait_ms;
    int64_t sweep_every_ms; /* 0: only after a new agreement */
    uint32_t sweep_share;   /* at most so many hundredths of the worker's time; 0: no sweeps */
    int64_t drain_ms;       /* for a revocation or a stop */
    /* Runs beside whichever agreement is in force, and only reports; NULL: none. */
    const struct agreement *shadow;
    struct identity_config identity;
    enum partitioner partitioner; /* of whoever writes events; AUTO: learnt from where they are */
    bool embedded;    /* librdkafka's mock cluster keeps no committed offsets: a missing K is R */
    bool rebuild;     /* units whose state is gone are rebuilt … */
    bool rebuild_yes; /* … even if leads could be promoted again because of what retention has
                         removed */
};

/* Read by any thread while the worker runs; written by the worker alone. Relaxed order: each is a
 * figure of its own. */
struct worker_figures {
    atomic_uint_fast64_t
        records; /* taken from the source and folded, dead letters included; replayed ones too */
    atomic_uint_fast64_t events; /* counted live */
    atomic_uint_fast64_t duplicates;
    atomic_uint_fast64_t too_late;
    atomic_uint_fast64_t ignored;    /* events that are not a person's */
    atomic_uint_fast64_t promotions; /* committed */
    atomic_uint_fast64_t stage_changes;
    atomic_uint_fast64_t dead[DEAD_REASONS];
    atomic_uint_fast64_t replayed;
    atomic_uint_fast64_t leads_written, checkpoints, transactions;
    atomic_uint_fast64_t leads_in_table, table_bytes;
    atomic_uint_fast64_t outside_dates;   /* events outside of the agreement's dates */
    atomic_uint_fast64_t passed_on;       /* events of leads that were given up */
    atomic_uint_fast64_t dropped;         /* events, merges and transfers from before an erasure */
    atomic_uint_fast64_t trimmed;         /* transfers that did not take all along */
    atomic_uint_fast64_t reports_ignored; /* reports and adjustments that cannot be */
    atomic_uint_fast32_t units, units_live, units_replaying, units_stopped;
};

struct worker;

enum status worker_create(struct worker **worker, const struct worker_config *config,
                          const struct worker_ports *ports, struct encoder *encoder,
                          struct error *error);
/* Does not destroy the ports. The sink must be destroyed before: a transaction may be in flight,
 * and it borrows from the worker. */
void worker_destroy(struct worker *worker);

/* One turn of the loop: waits at most about 100 ms. STOP: the process must end with the error. */
enum status worker_step(struct worker *worker, struct error *error);
/* Turns until *stop is set; then emits, commits and checkpoints what it owns. */
enum status worker_run(struct worker *worker, const atomic_bool *stop, struct error *error);
/* Hands all units over as at a clean stop. False: something is left to replay. */
bool worker_drain(struct worker *worker);
const struct worker_figures *worker_figures(const struct worker *worker);
/* Positions that units are folded up to, for lag; -1: not ours. Any thread. */
int64_t worker_position(const struct worker *worker, uint32_t unit);
bool worker_had_stopped_units(const struct worker *worker);
/* After worker_run: is something left to replay? */
bool worker_left_something(const struct worker *worker);

#endif
