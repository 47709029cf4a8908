/* Outgoing records: promotions, stage changes and dead letters, from views of the fold's state to
 * bytes with CloudEvents 1.0 headers (Kafka binding, binary mode). An encoder belongs to one worker
 * and is used by one thread at a time. */
#ifndef CODEC_OUTGOING_H
#define CODEC_OUTGOING_H

#include "base/arena.h"
#include "base/status.h"
#include "codec/decoder.h"
#include "messages/messages.h"

#include <baton/scoring.h>

enum outgoing_topic {
    TOPIC_PROMOTIONS,
    TOPIC_STAGES,
    TOPIC_DEAD,
    TOPIC_BREACHES,
    OUTGOING_TOPICS,
    TOPIC_EVENTS = OUTGOING_TOPICS /* the input topic: what baton has to tell itself */
};

struct header {
    const char *name; /* ends with NUL */
    const void *value;
    size_t value_size;
};

/* Everything is borrowed from the arena that it was made in. */
struct outgoing_message {
    enum outgoing_topic topic;
    uint32_t partition;   /* TOPIC_EVENTS only; of the others the key decides */
    int64_t timestamp_ms; /* TOPIC_EVENTS only: the record's; 0: the time at which it is sent */
    const void *key;
    size_t key_size;
    const void *value;
    size_t value_size;
    const struct header *headers;
    size_t header_count;
};

enum output_format { OUTPUT_AVRO, OUTPUT_JSON, OUTPUT_REGISTRY };

/* Where a record came from. */
struct origin {
    const char *topic;
    uint32_t partition;
    int64_t offset;
    const struct header *headers; /* of the incoming message */
    size_t header_count;
};

/* What a record of the stages topic tells of. */
enum stage_record_kind {
    RECORD_STAGE, /* the lead entered a stage */
    RECORD_IGNORED,
    RECORD_ADJUSTED,
    RECORD_MERGED,
    RECORD_ERASED,
    STAGE_RECORD_KINDS
};

struct stage_view {
    const struct baton_lead
        *lead; /* after the event; stage and times may have moved on by a second transition */
    const struct baton_event *event;
    const struct baton_transition *transition; /* of the other kinds: from a stage to itself */
    const struct baton_agreement *agreement;
    const struct baton_words *words;
    const struct origin *origin;
    enum stage_record_kind kind; /* of a promotion: RECORD_STAGE */
    const char *why;             /* RECORD_IGNORED */
    struct baton_text owner;     /* of a promotion: whom it goes to; empty: nobody is named */
    struct baton_text other;     /* RECORD_MERGED */
    struct baton_text proof;     /* RECORD_ERASED: in place of the lead's id */
    int64_t stage_offset;        /* RECORD_ERASED */
    int64_t published_ms; /* of stage sql under clocks: when it went out; 0: it is not said */
};

/* Of a breach: what is told of a promise. */
enum breach_state {
    BREACH_REMINDER,  /* of a clock: it will soon be due */
    BREACH_BROKEN,    /* of a clock */
    BREACH_KEPT,      /* of a clock that was told as broken: it was kept after all */
    BREACH_MISSED,    /* of a goal */
    BREACH_MET,       /* of a goal that was told as missed */
    BREACH_ANNOUNCED, /* of a date */
    BREACH_STATES
};

struct breach_view {
    const char *promise; /* "first_contact", …, "delivery", a goal's id, "review" */
    enum breach_state state;
    enum baton_side side;
    struct baton_text owner, escalate_to; /* empty: nobody is named */
    int64_t time_ms; /* a clock: when it is due; a reminder: when it was to go out; a goal: the end
                        of the period; a date: the beginning of its day */
    /* Of a clock; an empty id: it is none. */
    struct baton_text lead_id;
    uint16_t generation;
    struct baton_text seller; /* empty: nobody is known */
    int64_t started_ms, due_ms;
    bool estimated;
    /* Of a goal or a date. */
    const char *period;       /* "2026-11", …; NULL: none */
    const char *unit;         /* "leads", "percent", "days", a currency; NULL: no figures */
    int64_t promised, actual; /* hundredths of the unit */
    bool has_needed;
    int64_t needed;   /* SQLs that the actual rate would need, in hundredths */
    int32_t revision; /* 0: the first */
    const struct baton_agreement *agreement;
    const struct origin *origin; /* for its trace; NULL: none */
};

struct encoder;

/* The language of what a promotion says in sentences; English without it. Before the first record.
 */
void encoder_speak(struct encoder *encoder, enum language language);

/* registry_url only for OUTPUT_REGISTRY: the schemas are registered under TOPIC-value when the
 * encoder is made (STATUS_RETRY while the registry is away). `topics` are names by outgoing_topic.
 * schemas are built in. */
enum status encoder_create(struct encoder **encoder, enum output_format format, const char *source,
                           const char *const topics[OUTGOING_TOPICS], const char *registry_url,
                           struct error *error);
void encoder_destroy(struct encoder *encoder);

/* Values too large for Kafka are not made: texts are bounded by the domain's limits. */
/* For the stages topic, whatever it tells of. */
void encoder_stage_change(struct encoder *encoder, struct arena *arena,
                          const struct stage_view *view, struct outgoing_message *out);
void encoder_promotion(struct encoder *encoder, struct arena *arena, const struct stage_view *view,
                       struct outgoing_message *out);
/* For the topic of breaches. */
void encoder_breach(struct encoder *encoder, struct arena *arena, const struct breach_view *view,
                    struct outgoing_message *out);
/* max_bytes: the broker's message size; a longer value is cut, with its length and SHA-256 in
 * headers. */
void encoder_dead_letter(struct encoder *encoder, struct arena *arena,
                         const struct message *message, const struct origin *origin,
                         const struct decode_result *verdict, size_t max_bytes,
                         struct outgoing_message *out);

/* What a rebuild needs of a record of the stages topic, any of the three formats, also as versions
 * before wrote it. STATUS_REJECT: not one of ours. */
struct stage_record {
    enum stage_record_kind kind;
    struct baton_text lead_id; /* borrowed from the record or the arena */
    enum baton_stage stage;
    uint16_t generation;
    int64_t time_ms;
    uint32_t partition;
    int64_t offset;
    struct baton_text other; /* RECORD_MERGED; as lead_id */
    int64_t stage_offset;    /* RECORD_ERASED; -1: none */
    int64_t published_ms;    /* of stage sql: when the promotion went out; 0: it is not said */
    bool adopted;            /* the stage was taken over from another lead */
};
enum status stage_record_read(const uint8_t *value, size_t size, struct arena *arena,
                              struct stage_record *out, struct error *error);

#endif
