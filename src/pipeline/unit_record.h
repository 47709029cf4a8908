/* The hash that the store keeps of a unit, and the metadata string that goes with its committed
 * offset.
 *
 * Unit hash, all values text: owner, step (the store's own), position (R), partitions, start,
 * committed, fold, agreement, input, aggregates, verdicts, rebuild, accepted, stopped, updated,
 * sweep, passed, counted_from. */
#ifndef PIPELINE_UNIT_RECORD_H
#define PIPELINE_UNIT_RECORD_H

#include "base/text_buffer.h"
#include "codec/decoder.h"
#include "pipeline/ports.h"

#include <baton/agreement.h>

#define FOLD_VERSION                                                                               \
    2 /* of the arithmetic of docs/scoring.md: another one cannot replay what this one folded */
#define UNIT_VERDICTS_MAX 32
#define UNIT_SWITCHES 5 /* the last four, and what was in force before them */
#define UNIT_METADATA_MAX 4096
#define UNIT_REMOVAL_FIELD 'x' /* x:HASH: the id of a lead that is to be removed */
#define AGREEMENT_HASH_MAX 64

/* What is counted of a unit, with the position up to which it is. Never moves back. */
struct unit_aggregates {
    int64_t position;
    uint64_t digest; /* chain over transitions and dead letters, in the order of the log */
    uint64_t transitions;
    uint64_t promotions;
    uint64_t events; /* counted: folded into a lead */
    uint64_t duplicates;
    uint64_t too_late; /* hits */
    uint64_t ignored;  /* events that are not a person's */
    uint64_t dropped;  /* events, merges and transfers from before an erasure */
    uint64_t trimmed;  /* transfers that did not take all along */
    int64_t clock_ms;  /* time up to which the clocks of the unit have gone off; 0: none yet */
    int64_t newest_ms; /* time of its newest event; 0: none yet */
    uint64_t reports_ignored; /* reports and adjustments that cannot be */
    uint64_t dead[DEAD_REASONS];
    uint64_t assigned[BATON_ROUTES_MAX]; /* promotions that took each item of `assign` */
};

/* "No message under this schema could be read from this offset on, until …": kept, so that a schema
 * that is registered later does not turn a dead letter into a score. */
struct schema_verdict {
    struct schema_key schema;
    int64_t from, until; /* until: INT64_MAX while it stands */
};

/* A pass over all leads of the unit. */
struct unit_sweep {
    char agreement[AGREEMENT_HASH_MAX + 1]; /* that it was begun under; "": there was none yet */
    int64_t begun_ms;                       /* wall clock */
    bool running;
    unsigned permille;                 /* of the leads, about */
    uint64_t seen, asked;              /* leads that were looked at, rechecks */
    char cursor[STORE_CURSOR_MAX + 1]; /* of the next page; "": the first */
};

struct agreement_switch {
    int64_t position; /* from this offset on … */
    char hash[AGREEMENT_HASH_MAX + 1];
};

struct unit_record {
    bool has_position;
    int64_t position; /* R */
    uint32_t partitions;
    int64_t start;
    bool committed;
    uint32_t fold_version;
    uint32_t words; /* ids in use at R: fewer in the store are a loss … */
    uint32_t days;  /* … and so are fewer fields of days, at the position of the aggregates */
    char agreement[AGREEMENT_HASH_MAX + 1];
    uint64_t input_hash;
    struct unit_aggregates aggregates;
    struct schema_verdict verdicts[UNIT_VERDICTS_MAX];
    size_t verdict_count;
    int64_t rebuild;  /* gates are closed below this offset; -1: none */
    int64_t accepted; /* an operator accepted what differs at this K; -1: none */
    int64_t updated_ms;
    int64_t passed_ms;    /* what had arrived by then is in the counters; 0: it is not said */
    int64_t counted_from; /* local date on which counting began; -1: it has not */
    int64_t counted_at;   /* offset of the record that it began with; -1: not known */
    struct unit_sweep sweep;
};

/* STOP with the field's name when one does not decode: a damaged unit is never taken for a new one.
 */
enum status unit_record_read(const struct field *fields, size_t count, struct unit_record *record,
                             struct error *error);

/* Texts of single fields, as unit_record_read takes them. */
void unit_record_print_aggregates(struct text_buffer *text,
                                  const struct unit_aggregates *aggregates);
void unit_record_print_verdicts(struct text_buffer *text, const struct schema_verdict *verdicts,
                                size_t count);
void unit_record_print_sweep(struct text_buffer *text, const struct unit_sweep *sweep);
/* "r7" or "f0123456789abcdef": a schema in fields, metadata and messages. */
void schema_key_print(struct text_buffer *text, struct schema_key key);

/* What K's metadata says. */
struct commit_metadata {
    bool present; /* false: an empty string, not written by us */
    int64_t clock_ms;
    uint64_t digest, transitions, dead;
    char agreement[AGREEMENT_HASH_MAX + 1];
    struct agreement_switch switches[UNIT_SWITCHES]; /* oldest first */
    size_t switch_count;
    struct schema_verdict verdicts[UNIT_VERDICTS_MAX];
    size_t verdict_count;
};

void commit_metadata_print(struct text_buffer *text, const struct commit_metadata *metadata);
enum status commit_metadata_read(const char *text, struct commit_metadata *metadata,
                                 struct error *error);

/* Unites two lists of verdicts: the same schema and `from` once, with the smaller `until`. False:
 * more than the maximum. */
bool schema_verdicts_unite(struct schema_verdict *into, size_t *count,
                           const struct schema_verdict *from, size_t from_count);
bool schema_verdicts_cover(const struct schema_verdict *verdicts, size_t count,
                           struct schema_key schema, int64_t offset);

uint64_t digest_transition(uint64_t digest, struct baton_text lead_id, uint16_t generation,
                           enum baton_stage stage, int64_t offset);
uint64_t digest_dead(uint64_t digest, int64_t offset, enum dead_reason reason);

/* Since when all units count, from what each says. */
struct counted_since {
    int32_t first; /* the earliest of all; INT32_MIN: none has begun */
    int32_t last; /* the latest of those that did not begin with the first record of their log: what
                     came before it is not counted; INT32_MIN: there is none */
};
#define COUNTED_SINCE_NEVER ((struct counted_since){INT32_MIN, INT32_MIN})
void counted_since_add(struct counted_since *since, const struct unit_record *record);
/* The day on which the last of them began; INT32_MIN: none has. */
int32_t counted_since_day(const struct counted_since *since);

#endif
