/* From the bytes of a message to an event, or to the one reason why not.
 *
 * A decoder belongs to one worker and is used by its thread only. It fetches nothing: a schema that
 * it has not been given is told as DECODE_NEEDS_SCHEMA, and its owner gives the text. Every verdict
 * is a function of the message, the schemas given and the input configuration alone. */
#ifndef CODEC_DECODER_H
#define CODEC_DECODER_H

#include "base/arena.h"
#include "base/status.h"
#include "codec/dead_letter.h"

#include <baton/event.h>

/* How a message names its writer schema. */
enum schema_naming { SCHEMA_NONE, SCHEMA_REGISTRY_ID, SCHEMA_FINGERPRINT };
struct schema_key {
    enum schema_naming naming;
    uint64_t id; /* registry id, or CRC-64-AVRO of the parsing canonical form */
};

struct name_pair {
    struct baton_text from, to;
};

/* The part of the configuration that decides how messages are read. Owned by its maker; outlives
 * the decoder. */
struct input_config {
    bool lead_id_from_key;
    bool ignore_key; /* the value's lead id stands as it is (events of a file have no key) */
    int64_t max_ahead_ms;
    const struct name_pair *fields; /* writer's field name → baton's */
    size_t field_count;
    struct baton_text kind_field;  /* empty: kind from the record's name, or JSON's `kind` */
    const struct name_pair *kinds; /* value → kind name */
    size_t kind_count;
    enum { FORM_PROFILE_AUTO, FORM_PROFILE_NONE, FORM_PROFILE_MAPPED } form_profile;
    const struct name_pair *form_fields; /* form field → profile field */
    size_t form_field_count;
};

struct message {
    const uint8_t *key;
    size_t key_size;
    const uint8_t *value; /* NULL for a tombstone */
    size_t value_size;
    int64_t timestamp_ms; /* Kafka's record timestamp; negative: none, and future_time is not looked
                             for */
    int64_t offset;
    const struct hop *hop; /* what its headers say of where it comes from; NULL: its writer */
};

/* See hop.h. */
struct hop {
    struct baton_text to;  /* the lead that it is for now */
    struct baton_hop seen; /* in the order of the hops */
};

enum decode_outcome { DECODED, DECODE_DEAD, DECODE_NEEDS_SCHEMA };

struct decode_result {
    enum decode_outcome outcome;
    enum dead_reason reason;  /* DECODE_DEAD */
    char detail[200];         /* DECODE_DEAD: what and where, for a person */
    struct schema_key schema; /* DECODE_NEEDS_SCHEMA */
};

struct decoder;

/* Checks the configuration (unknown kinds or fields): STATUS_STOP with a line that says what to do.
 */
enum status decoder_create(struct decoder **decoder, const struct input_config *config,
                           struct error *error);
void decoder_destroy(struct decoder *decoder);
/* From now on only these fields of events need be filled (bit per baton_event_field), and the page
 * of a form fill without a form: others may be left empty. No verdict depends on it. All of them
 * until it is called. */
void decoder_want(struct decoder *decoder, uint32_t fields);

/* Which schema a value names, without reading further; SCHEMA_NONE for JSON and for what is no
 * framing. */
struct schema_key decoder_schema_of(const uint8_t *value, size_t size);
/* Gives the text of a writer schema. One that cannot be used is remembered as bad: its messages are
 * dead. */
void decoder_add_schema(struct decoder *decoder, struct schema_key key, const char *text,
                        size_t size);
bool decoder_has_schema(const struct decoder *decoder, struct schema_key key);

/* Decodes one message. The event borrows from the message and from `scratch`. No allocation but
 * from `scratch` on the Avro path. */
void decoder_decode(struct decoder *decoder, const struct message *message, struct arena *scratch,
                    struct baton_event *event, struct decode_result *result);

/* CRC-64-AVRO of the parsing canonical form; STATUS_REJECT when the text is not a schema. */
enum status schema_fingerprint(const char *text, size_t size, uint64_t *fingerprint,
                               struct error *error);
/* A hash over all that decides a verdict: the configuration and the decoder's limits and version.
 */
uint64_t input_config_hash(const struct input_config *config);

#endif
