/* Outgoing records: promotions, stage changes and dead letters, from views of the fold's state to
 * bytes with CloudEvents 1.0 headers (Kafka binding, binary mode). An encoder belongs to one worker
 * and is used by one thread at a time. */
#ifndef CODEC_OUTGOING_H
#define CODEC_OUTGOING_H

#include "base/arena.h"
#include "base/status.h"
#include "codec/decoder.h"

#include <baton/scoring.h>

enum outgoing_topic { TOPIC_PROMOTIONS, TOPIC_STAGES, TOPIC_DEAD, OUTGOING_TOPICS };

struct header {
    const char *name; /* ends with NUL */
    const void *value;
    size_t value_size;
};

/* Everything is borrowed from the arena that it was made in. */
struct outgoing_message {
    enum outgoing_topic topic;
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

struct stage_view {
    const struct baton_lead
        *lead; /* after the event; stage and times may have moved on by a second transition */
    const struct baton_event *event;
    const struct baton_transition *transition;
    const struct baton_agreement *agreement;
    const struct baton_words *words;
    const struct origin *origin;
};

struct encoder;

/* registry_url only for OUTPUT_REGISTRY: the schemas are registered under TOPIC-value when the
 * encoder is made (STATUS_RETRY while the registry is away). `topics` are names by outgoing_topic.
 * schemas are built in. */
enum status encoder_create(struct encoder **encoder, enum output_format format, const char *source,
                           const char *const topics[OUTGOING_TOPICS], const char *registry_url,
                           struct error *error);
void encoder_destroy(struct encoder *encoder);

/* Values too large for Kafka are not made: texts are bounded by the domain's limits. */
void encoder_stage_change(struct encoder *encoder, struct arena *arena,
                          const struct stage_view *view, struct outgoing_message *out);
void encoder_promotion(struct encoder *encoder, struct arena *arena, const struct stage_view *view,
                       struct outgoing_message *out);
/* max_bytes: the broker's message size; a longer value is cut, with its length and SHA-256 in
 * headers. */
void encoder_dead_letter(struct encoder *encoder, struct arena *arena,
                         const struct message *message, const struct origin *origin,
                         const struct decode_result *verdict, size_t max_bytes,
                         struct outgoing_message *out);

/* What a rebuild needs of a record of the stages topic, any of the three formats. STATUS_REJECT:
 * not one of ours. */
struct stage_record {
    struct baton_text lead_id; /* borrowed from the record or the arena */
    enum baton_stage stage;
    uint16_t generation;
    int64_t time_ms;
    uint32_t partition;
    int64_t offset;
};
enum status stage_record_read(const uint8_t *value, size_t size, struct arena *arena,
                              struct stage_record *out, struct error *error);

#endif
