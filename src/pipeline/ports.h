/* What the pipeline needs of the world: a source and a sink (Kafka), a store (Redis), schemas, a
 * clock.
 *
 * Every port is a struct of function pointers in front of the adapter's own state, used by one
 * worker's thread only, unless it says otherwise. Adapters: kafka/, redis/, memory/. The same
 * contract tests run against the adapter in memory and the real one.
 *
 * Statuses: RETRY when the other side is away or not ready (call again after a pause); STOP when
 * going on cannot help, with a line that says what to do; FENCED only from the store. */
#ifndef PIPELINE_PORTS_H
#define PIPELINE_PORTS_H

#include "base/arena.h"
#include "base/status.h"
#include "codec/outgoing.h"
#include "domain/field.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Source: the input topic, partition p being unit p
 * ------------------------------------------- */

struct record {
    uint32_t unit;
    bool is_end; /* no record: the unit has none from `offset` on just now (told once per start, and
                    after new records) */
    int64_t offset;
    int64_t timestamp_ms;
    const uint8_t *key;
    size_t key_size;
    const uint8_t *value; /* NULL for a tombstone */
    size_t value_size;
    const struct header *headers;
    size_t header_count;
};

enum source_news_kind { SOURCE_NO_NEWS, SOURCE_ASSIGNED, SOURCE_REVOKED, SOURCE_LOST };

struct source_news {
    enum source_news_kind kind;
    const uint32_t *units; /* borrowed until the next fetch */
    size_t unit_count;
};

struct unit_position {
    uint32_t unit;
    int64_t offset;
};

struct committed {
    int64_t offset;       /* K; -1: the group has none for this unit, said by a clean answer */
    const char *metadata; /* from the arena; "" if none */
};

struct source {
    /* Waits up to timeout_ms for a first record, then takes what is there, up to `room`. Records
     * are borrowed until the next fetch, start or release. News come alone (count 0): ASSIGNED
     * wants `start` at some later time (nothing is fetched until then); REVOKED and LOST want
     * `release`, before which the units are still ours (REVOKED) or no longer ours (LOST). RETRY:
     * Kafka is away; it goes on by itself. STOP: a position does not exist any more, … */
    enum status (*fetch)(struct source *source, int timeout_ms, struct record *records, size_t room,
                         size_t *count, struct source_news *news, struct error *error);
    /* Fetch exactly these units from these offsets on, in place of whatever was fetched before. */
    enum status (*start)(struct source *source, const struct unit_position *positions, size_t count,
                         struct error *error);
    enum status (*release)(struct source *source, struct error *error);
    /* K of each unit, stable: RETRY while an open transaction hides one, or Kafka is away. Waits at
     * most about a second. */
    enum status (*committed)(struct source *source, const uint32_t *units, size_t count,
                             struct arena *arena, struct committed *out, struct error *error);
    /* Offsets that the unit's log holds: [first, end). */
    enum status (*range)(struct source *source, uint32_t unit, int64_t *first, int64_t *end,
                         struct error *error);
    enum status (*partitions)(struct source *source, uint32_t *count, struct error *error);
    /* Offsets that lie in the logs of the started units behind what fetch has handed out, as far as
     * is known without asking anybody. */
    uint64_t (*waiting)(const struct source *source);
    void (*destroy)(struct source *source); /* leaves the group */
};

/* ---- Sink: transactions
 * -------------------------------------------------------------------------- */

struct unit_commit {
    uint32_t unit;
    int64_t offset;
    const char *metadata;
};

/* Borrowed until poll says how it ended. */
struct transaction {
    const struct outgoing_message *messages;
    size_t message_count;
    const struct unit_commit *commits;
    size_t commit_count;
};

enum sink_state {
    SINK_IDLE,
    SINK_BUSY,
    SINK_COMMITTED, /* said once, then idle */
    SINK_FAILED     /* aborted or unknown: said until `reset` */
};

struct sink {
    /* Never blocks: a thread of the adapter carries the transaction. Only when idle. */
    void (*begin)(struct sink *sink, const struct transaction *transaction);
    enum sink_state (*poll)(struct sink *sink, struct error *error);
    /* Destroys the producer and makes it anew (also the first one). Blocks up to some seconds.
     * STOP: another process uses our instance. */
    enum status (*reset)(struct sink *sink, struct error *error);
    void (*destroy)(struct sink *sink);
};

/* ---- Store: checkpoints
 * -------------------------------------------------------------------------- */

/* The claim that every read and write is made under. `step` is what the store holds now, or will
 * hold once all queued writes of this unit have been carried out. */
struct fence {
    uint8_t token[16];
    uint64_t step;
};

struct stored_lead {
    struct baton_text id;
    struct baton_score score; /* the readable fields … */
    enum baton_stage stage;
    bool stage_stands; /* the store says this stage already, and says it as it does today: it need
                          not be written. It says `lead` of what it does not know */
    const uint8_t *packed; /* … and the packed form */
    size_t packed_size;
    bool removed;       /* there is no such lead any more: only the id counts */
    size_t former_size; /* packed size in the store before, 0 if not known: what is left of it is
                           removed */
};

/* One fenced write; all or nothing; any part may be empty. Copied at the call. */
struct store_write {
    const struct field *fields; /* of the unit's hash; an empty value removes the field */
    size_t field_count;
    const struct field *words; /* name: decimal id */
    size_t word_count;
    const struct field *texts; /* agreements, schemas: by name */
    size_t text_count;
    const struct field *days; /* counters by day; an empty value removes the field */
    size_t day_count;
    const struct field *clocks; /* next time of a lead's clocks, by lead id; as days */
    size_t clock_count;
    const struct stored_lead *leads;
    size_t lead_count; /* at most STORE_WRITE_LEADS */
};
#define STORE_WRITE_LEADS 256

/* Answers of a load: in the order of the ids. */
struct loaded_lead {
    const uint8_t *packed; /* NULL: no such lead */
    size_t packed_size;
    bool stage_is_dated; /* its readable fields are of a former form: write it without stage_stands
                            the next time */
};

/* A part of the ids of a unit's leads. */
#define STORE_CURSOR_MAX 64 /* bytes of text */
struct store_page {
    const struct baton_text *ids;      /* from the arena */
    size_t count;                      /* 0 says nothing of what is to come */
    char cursor[STORE_CURSOR_MAX + 1]; /* of the next page; empty: there is none */
    unsigned permille;                 /* of the unit's leads that are passed, about */
};

/* Hashes of a unit that are read as a whole. */
enum store_hash { STORE_WORDS, STORE_DAYS, STORE_CLOCKS, STORE_UNIT, STORE_HASHES };

struct store {
    /* Stores a fresh token, moves the step, gives all fields of the unit's hash (before the claim).
     */
    enum status (*claim)(struct store *store, uint32_t unit, const uint8_t token[16],
                         struct arena *arena, struct fence *fence, struct field **fields,
                         size_t *field_count, struct error *error);
    /* Is the fence still what the store holds? All the unit's queued writes are answered first. */
    enum status (*check)(struct store *store, uint32_t unit, const struct fence *fence,
                         struct error *error);
    /* Asks for leads, behind all writes of the unit that are queued, and does not wait. The ids are
     * borrowed until load_finish. Anything but OK: nothing was asked. */
    enum status (*load_begin)(struct store *store, uint32_t unit, const struct fence *fence,
                              const struct baton_text *ids, size_t count, struct error *error);
    /* Waits for the answers to the oldest load of the unit that is not finished; borrowed until the
     * next load_begin. Each one that was begun is finished once, whatever has happened to the unit
     * since. FENCED: it was answered under another fence. RETRY: the connection is gone. A lead
     * whose fields are torn or missing is STATUS_STOP and names the lead. */
    enum status (*load_finish)(struct store *store, uint32_t unit, struct loaded_lead **out,
                               struct error *error);
    /* All fields of a hash, in any order; of STORE_UNIT those that the pipeline gives. */
    enum status (*hash)(struct store *store, uint32_t unit, const struct fence *fence,
                        enum store_hash hash, struct arena *arena, struct field **fields,
                        size_t *count, struct error *error);
    /* The same of any unit, whoever owns it: what is there now, without a fence. */
    enum status (*peek)(struct store *store, uint32_t unit, enum store_hash hash,
                        struct arena *arena, struct field **fields, size_t *count,
                        struct error *error);
    /* value->data == NULL: no such text. */
    enum status (*text)(struct store *store, uint32_t unit, const struct fence *fence,
                        struct baton_text name, struct arena *arena, struct baton_text *value,
                        struct error *error);
    /* Queues a write and moves fence->step on by one. Sends without waiting for the answer. RETRY:
     * the connection is gone, and with it the answers of all queued writes of all units. */
    enum status (*write)(struct store *store, uint32_t unit, struct fence *fence,
                         const struct store_write *write, struct error *error);
    /* Takes in answers: all there are (wait false) or all that are outstanding (wait true). Then
     * tells how many of this unit's writes are still unanswered, and FENCED if one of them found
     * another fence or its answer was lost; FENCED is said until the unit is claimed again. */
    enum status (*settle)(struct store *store, uint32_t unit, bool wait, size_t *outstanding,
                          struct error *error);
    /* The next ids of the leads that the store holds of a unit, behind all writes of it that are
     * queued; only while none of its loads is under way. From an empty cursor to an empty one each
     * lead that is there all the time is given at least once, in any order, by several connections
     * and owners, too. A cursor that says nothing to the store any more begins anew. */
    enum status (*scan)(struct store *store, uint32_t unit, const struct fence *fence,
                        const char *cursor, struct arena *arena, struct store_page *page,
                        struct error *error);
    /* Removes all leads, words, days and clocks of a unit under the fence, in steps (a rebuild).
     * Blocks. */
    enum status (*clear)(struct store *store, uint32_t unit, struct fence *fence,
                         struct error *error);
    void (*destroy)(struct store *store);
};

/* ---- Schemas, stage log, clock
 * -------------------------------------------------------------------- */

struct schema_source {
    /* OK with the text from the arena; RETRY: away; REJECT: nobody knows this schema (now). Blocks
     * a second at most. */
    enum status (*get)(struct schema_source *schemas, struct schema_key key, struct arena *arena,
                       struct baton_text *text, struct error *error);
    void (*destroy)(struct schema_source *schemas);
};

/* Reads the whole stages topic, read_committed, for a rebuild. May be used by several threads in
 * turn. */
struct stage_log {
    /* Calls back for every record, in log order per partition; truncated: retention has removed the
     * beginning. Stops at the first status that is not OK, and returns it. */
    enum status (*read)(struct stage_log *log,
                        enum status (*each)(void *context, const uint8_t *value, size_t size),
                        void *context, bool *truncated, struct error *error);
    void (*destroy)(struct stage_log *log);
};

struct clock {
    int64_t (*wall_ms)(struct clock *clock);
    int64_t (*monotonic_us)(struct clock *clock);
    void (*pause)(struct clock *clock, int milliseconds);
    void (*random)(struct clock *clock, uint8_t *bytes, size_t size);
};

#endif
