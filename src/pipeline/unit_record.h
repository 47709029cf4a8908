/* The hash that the store keeps of a unit, and the metadata string that goes with its committed
 * offset.
 *
 * Unit hash, all values text: owner, step (the store's own), position (R), partitions, start,
 * committed, fold, agreement, input, aggregates, verdicts, rebuild, accepted, stopped, updated. */
#ifndef PIPELINE_UNIT_RECORD_H
#define PIPELINE_UNIT_RECORD_H

#include "base/text_buffer.h"
#include "codec/decoder.h"
#include "pipeline/ports.h"

#define FOLD_VERSION                                                                               \
    1 /* of the arithmetic of docs/scoring.md: another one cannot replay what this one folded */
#define UNIT_VERDICTS_MAX 32
#define UNIT_SWITCHES 5 /* the last four, and what was in force before them */
#define UNIT_METADATA_MAX 4096
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
    uint64_t dead[DEAD_REASONS];
};

/* "No message under this schema could be read from this offset on, until …": kept, so that a schema
 * that is registered later does not turn a dead letter into a score. */
struct schema_verdict {
    struct schema_key schema;
    int64_t from, until; /* until: INT64_MAX while it stands */
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
    uint32_t words; /* ids in use at R: fewer in the store are a loss */
    char agreement[AGREEMENT_HASH_MAX + 1];
    uint64_t input_hash;
    struct unit_aggregates aggregates;
    struct schema_verdict verdicts[UNIT_VERDICTS_MAX];
    size_t verdict_count;
    int64_t rebuild;  /* gates are closed below this offset; -1: none */
    int64_t accepted; /* an operator accepted what differs at this K; -1: none */
    int64_t updated_ms;
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

#endif
