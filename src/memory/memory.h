/* The ports of the pipeline in memory: the world of the simulator and of unit tests, and of `try`.
 *
 * A memory_log stands for the broker (input topic, consumer group, transactions, output topics), a
 * memory_db for Redis; any number of sources, sinks and stores share one. Nothing waits and nothing
 * is random: what happens is a function of the calls. Faults are asked for by name. Logs and
 * databases may be shared by threads; a port is used by one thread, as ports.h says. Whoever makes
 * a log or a database destroys it last. */
#ifndef MEMORY_MEMORY_H
#define MEMORY_MEMORY_H

#include "pipeline/ports.h"

/* ---- The broker
 * ---------------------------------------------------------------------------------- */

struct memory_log;

/* Partition p of the input topic is unit p. */
struct memory_log *memory_log_create(uint32_t partitions);
void memory_log_destroy(struct memory_log *log);

struct memory_input {
    int64_t timestamp_ms;
    const void *key;
    size_t key_size;
    const void *value; /* NULL: a tombstone */
    size_t value_size;
    const struct header *headers;
    size_t header_count;
};
/* Copies; returns the offset. */
int64_t memory_log_append(struct memory_log *log, uint32_t unit, const struct memory_input *input);
/* Leaves a gap of offsets, as the markers of other people's transactions do. */
void memory_log_skip(struct memory_log *log, uint32_t unit, int64_t offsets);
/* Where the next record of the unit goes. */
int64_t memory_log_end(struct memory_log *log, uint32_t unit);
/* Retention: nothing below this offset is there any more. */
void memory_log_truncate(struct memory_log *log, uint32_t unit, int64_t first);
/* The same for the first `count` records of the stages topic. */
void memory_log_truncate_stages(struct memory_log *log, size_t count);

/* K of a unit, -1 if there is none; metadata borrowed until the next commit. */
int64_t memory_log_committed(struct memory_log *log, uint32_t unit, const char **metadata);
/* What an operator or the broker does to offsets; -1 forgets them (they expired). */
void memory_log_set_committed(struct memory_log *log, uint32_t unit, int64_t offset,
                              const char *metadata);

/* Committed messages of an output topic, in the order of the commits. Borrowed for the life of the
 * log. */
size_t memory_log_output_count(struct memory_log *log, enum outgoing_topic topic);
const struct outgoing_message *memory_log_output(struct memory_log *log, enum outgoing_topic topic,
                                                 size_t index);

/* While the broker is away every call that needs it is RETRY, and a transaction ends unknown and is
 * aborted. */
void memory_log_set_away(struct memory_log *log, bool away);
/* How many transactions are open: their offsets are hidden. */
size_t memory_log_open_transactions(struct memory_log *log);
/* The coordinator ends what nobody ends any more: transactions whose owner knows nothing of them or
 * is gone, each with the outcome that it was given. */
void memory_log_resolve(struct memory_log *log);

/* A member of the group joins at its first fetch. A change of members is an eager rebalance: every
 * member is told REVOKED, and when all have released, each is ASSIGNED a range, by the order of
 * joining. */
struct source *memory_source_create(struct memory_log *log);
/* A fetch takes at most so many records, and at most so many of one unit in a row. 0: no limit but
 * the caller's. */
void memory_source_set_batch(struct source *source, size_t records, size_t run);
/* The group waits no longer for this member: the others go on, and it is told LOST at its next
 * fetch. */
void memory_source_expire(struct source *source);
/* Every member must release and is assigned again. */
void memory_log_rebalance(struct memory_log *log);
/* Sleep (really) up to the fetch's timeout while there is nothing: for tests with threads. */
void memory_source_set_sleeping(struct source *source, bool sleeping);

/* How a transaction ends. */
enum memory_outcome {
    MEMORY_COMMIT,            /* confirmed at the first poll */
    MEMORY_ABORT,             /* aborted, and its owner learns that it failed */
    MEMORY_UNKNOWN_COMMITTED, /* its owner learns that it failed; it stands open, and is committed …
                               */
    MEMORY_UNKNOWN_ABORTED,   /* … or aborted by the owner's reset or memory_log_resolve */
    MEMORY_HOLD               /* busy until memory_sink_finish */
};
/* `source` is the member in whose name offsets are committed; it must outlive the sink. `instance`
 * is the transactional id: a sink that is reset ends the transaction of an older one of that name
 * and shuts it out. */
struct sink *memory_sink_create(struct memory_log *log, struct source *source,
                                const char *instance);
/* The outcome of the transactions from the next `begin` on, until told otherwise. */
void memory_sink_set_outcome(struct sink *sink, enum memory_outcome outcome);
/* Ends the transaction that is held; an outcome other than HOLD. */
void memory_sink_finish(struct sink *sink, enum memory_outcome outcome);
/* Is there one that is held? */
bool memory_sink_is_held(struct sink *sink);

/* A transaction that has a larger record for the events topic fails; 0: any size. */
void memory_log_set_event_bytes(struct memory_log *log, size_t bytes);

struct stage_log *memory_stage_log_create(struct memory_log *log);

/* ---- Redis
 * --------------------------------------------------------------------------------------- */

struct memory_db;
struct memory_db *memory_db_create(void);
void memory_db_destroy(struct memory_db *db);

/* Keeps a copy of all that is there, in place of the copy before … */
void memory_db_save(struct memory_db *db);
/* … and falls back to it (to nothing, if there is none). */
void memory_db_fall_back(struct memory_db *db);
/* Every call is RETRY, writes that are under way are lost, and their answers. */
void memory_db_set_away(struct memory_db *db, bool away);
/* Loses all of a unit. */
void memory_db_forget_unit(struct memory_db *db, uint32_t unit);
/* Makes a lead unreadable; false if there is no such lead. */
bool memory_db_tear_lead(struct memory_db *db, uint32_t unit, struct baton_text id);
/* Its readable fields are of a former form, until it is written without `stage_stands`. */
bool memory_db_date_lead(struct memory_db *db, uint32_t unit, struct baton_text id);
bool memory_db_lead_is_dated(struct memory_db *db, uint32_t unit, struct baton_text id);

/* What is there, for whoever audits. Borrowed until the next write. */
struct baton_text memory_db_field(struct memory_db *db, uint32_t unit,
                                  const char *name); /* data NULL: none */
struct baton_text memory_db_hash(struct memory_db *db, uint32_t unit, enum store_hash hash,
                                 const char *name); /* the same */
bool memory_db_lead(struct memory_db *db, uint32_t unit, struct baton_text id,
                    struct stored_lead *lead);
size_t memory_db_lead_count(struct memory_db *db, uint32_t unit);
/* Each lead of a unit in the order of first writing; `each` may not use the database. */
void memory_db_each_lead(struct memory_db *db, uint32_t unit,
                         void (*each)(void *context, const struct stored_lead *lead),
                         void *context);
/* Round trips so far: calls that wait for an answer, and writes that were carried out. */
void memory_db_counts(struct memory_db *db, uint64_t *round_trips, uint64_t *writes);

/* A connection. `hash` answers in descending order of writing, as no order is promised. A write
 * whose `former_size` would leave old bytes behind tears the lead. */
struct store *memory_store_create(struct memory_db *db);
/* Held writes are under way: carried out by whatever waits for an answer of this store, or by
 * deliver. */
void memory_store_hold(struct store *store, bool hold);
/* The server carries out the first `count` of the writes that are under way; their answers are on
 * the way back. */
void memory_store_deliver(struct store *store, size_t count);
size_t memory_store_under_way(struct store *store);
/* The connection breaks: writes under way are lost or carried out later, by memory_store_arrive;
 * all answers are lost. The next call that needs the server is RETRY and connects anew. */
void memory_store_break(struct store *store);
/* Writes sent before the connection broke reach the server after all: the first `count` of them;
 * the others never. */
void memory_store_arrive(struct store *store, size_t count);

/* ---- The rest
 * ------------------------------------------------------------------------------------ */

struct schema_source *memory_schemas_create(void);
void memory_schemas_add(struct schema_source *schemas, struct schema_key key, const char *text);
void memory_schemas_set_away(struct schema_source *schemas, bool away);

/* A clock that moves when it is told to, and by its own pauses. The caller owns it. */
struct memory_clock {
    struct clock port;
    int64_t wall_ms;
    int64_t monotonic_us;
    uint64_t random;
};
void memory_clock_init(struct memory_clock *clock, int64_t wall_ms, uint64_t seed);
void memory_clock_advance(struct memory_clock *clock, int64_t microseconds);

#endif
