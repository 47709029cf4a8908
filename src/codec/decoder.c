#include "codec/decoder.h"

#include "base/hash.h"
#include "codec/avro_decode.h"
#include "codec/event_checks.h"
#include "codec/framing.h"
#include "codec/json_event.h"
#include "codec/limits.h"

#include <inttypes.h>
#include <stdlib.h>

/* A schema that was given: its plan, or why it has none. */
struct writer {
    struct schema_key key;
    bool usable;
    struct avro_plan plan;
    struct error problem;
};

#define LATEST 16u

struct decoder {
    const struct input_config *config;
    struct input_config own_config; /* of `own`: as it is written, within the same times */
    struct decoder *own; /* for what baton wrote, which no configuration changes; NULL in itself */
    struct field_node fields;
    struct form_mapping form;
    uint32_t wanted, unread; /* what decoder_want says */
    struct writer **writers; /* open addressing by key */
    uint32_t writer_count, writer_mask;
    struct writer *latest[LATEST]; /* by id: a topic's messages share a few schemas */
};

/* ---- making
 * ------------------------------------------------------------------------------------------- */

static enum status check_kinds(const struct input_config *config, struct error *error)
{
    for (size_t i = 0; i < config->kind_count; i++) {
        const struct name_pair *pair = &config->kinds[i];
        if (event_kind_of_name(pair->to) < 0)
            return error_set(
                error, STATUS_STOP,
                "input.kind.values: '%.*s' is mapped to '%.*s', which is not a kind of "
                "event (visit, click, form_fill, profile, email_opened, ...)",
                (int)pair->from.size, pair->from.data, (int)pair->to.size, pair->to.data);
    }
    return STATUS_OK;
}

static enum status create(struct decoder **out, const struct input_config *config,
                          struct error *error)
{
    struct decoder *decoder = memory_take_zeroed(1, sizeof *decoder);
    decoder->config = config;
    decoder_want(decoder, RAW_ALL_FIELDS);
    decoder->writer_mask = 15;
    decoder->writers = memory_take_zeroed(decoder->writer_mask + 1, sizeof(struct writer *));
    enum status status = check_kinds(config, error);
    if (status == STATUS_OK)
        status = field_map_build(&decoder->fields, config, error);
    if (status == STATUS_OK)
        status = form_mapping_build(&decoder->form, config, error);
    if (status != STATUS_OK) {
        decoder_destroy(decoder);
        decoder = NULL;
    }
    *out = decoder;
    return status;
}

enum status decoder_create(struct decoder **out, const struct input_config *config,
                           struct error *error)
{
    enum status status = create(out, config, error);
    if (status != STATUS_OK)
        return status;
    (*out)->own_config.max_ahead_ms = config->max_ahead_ms;
    return create(&(*out)->own, &(*out)->own_config, error);
}

void decoder_want(struct decoder *decoder, uint32_t fields)
{
    decoder->wanted = fields;
    decoder->unread = raw_event_unread(fields);
    for (uint32_t i = 0; decoder->writers && i <= decoder->writer_mask; i++)
        if (decoder->writers[i] && decoder->writers[i]->usable)
            avro_plan_want(&decoder->writers[i]->plan, fields);
}

void decoder_destroy(struct decoder *decoder)
{
    if (!decoder)
        return;
    decoder_destroy(decoder->own);
    for (uint32_t i = 0; i <= decoder->writer_mask; i++) {
        if (decoder->writers[i] && decoder->writers[i]->usable)
            avro_plan_fini(&decoder->writers[i]->plan);
        free(decoder->writers[i]);
    }
    free(decoder->writers);
    field_map_fini(&decoder->fields);
    form_mapping_fini(&decoder->form);
    free(decoder);
}

/* ---- schemas
 * ------------------------------------------------------------------------------------------ */

static bool same_key(struct schema_key a, struct schema_key b)
{
    return a.naming == b.naming && a.id == b.id;
}

static struct writer **slot_of(struct writer **slots, uint32_t mask, struct schema_key key)
{
    uint64_t words[2] = {(uint64_t)key.naming, key.id};
    uint32_t at = (uint32_t)hash64(words, sizeof words, 0) & mask;
    while (slots[at] && !same_key(slots[at]->key, key))
        at = (at + 1) & mask;
    return &slots[at];
}

static struct writer *find_writer(struct decoder *decoder, struct schema_key key)
{
    struct writer **latest = &decoder->latest[key.id % LATEST];
    if (*latest && same_key((*latest)->key, key))
        return *latest;
    struct writer *found = *slot_of(decoder->writers, decoder->writer_mask, key);
    if (found)
        *latest = found;
    return found;
}

static void grow(struct decoder *decoder)
{
    uint32_t mask = decoder->writer_mask * 2 + 1;
    struct writer **slots = memory_take_zeroed((size_t)mask + 1, sizeof(struct writer *));
    for (uint32_t i = 0; i <= decoder->writer_mask; i++)
        if (decoder->writers[i])
            *slot_of(slots, mask, decoder->writers[i]->key) = decoder->writers[i];
    free(decoder->writers);
    decoder->writers = slots;
    decoder->writer_mask = mask;
}

static enum status check_fingerprint(struct avro_schema *schema, struct schema_key key,
                                     struct error *error)
{
    uint64_t own = avro_schema_fingerprint(schema);
    if (key.naming != SCHEMA_FINGERPRINT || own == key.id)
        return STATUS_OK;
    return error_set(error, STATUS_REJECT, "the schema's fingerprint is %016" PRIx64, own);
}

static void compile_writer(const struct decoder *decoder, struct writer *writer, const char *text,
                           size_t size)
{
    struct avro_schema schema;
    enum status status = avro_schema_parse(&schema, text, size, &writer->problem);
    if (status != STATUS_OK)
        return;
    if (check_fingerprint(&schema, writer->key, &writer->problem) != STATUS_OK) {
        avro_schema_fini(&schema);
        return;
    }
    status = avro_plan_compile_take(&writer->plan, &schema, &decoder->fields, decoder->config,
                                    &writer->problem);
    writer->usable = status == STATUS_OK;
    if (writer->usable)
        avro_plan_want(&writer->plan, decoder->wanted);
}

void decoder_add_schema(struct decoder *decoder, struct schema_key key, const char *text,
                        size_t size)
{
    if (key.naming == SCHEMA_NONE || find_writer(decoder, key))
        return;
    if (decoder->writer_count * 2 > decoder->writer_mask)
        grow(decoder);
    struct writer *writer = memory_take_zeroed(1, sizeof *writer);
    writer->key = key;
    compile_writer(decoder, writer, text, size);
    *slot_of(decoder->writers, decoder->writer_mask, key) = writer;
    decoder->writer_count++;
}

bool decoder_has_schema(const struct decoder *decoder, struct schema_key key)
{
    return *slot_of(decoder->writers, decoder->writer_mask, key) != NULL;
}

enum status schema_fingerprint(const char *text, size_t size, uint64_t *fingerprint,
                               struct error *error)
{
    struct avro_schema schema;
    enum status status = avro_schema_parse(&schema, text, size, error);
    if (status != STATUS_OK)
        return status;
    *fingerprint = avro_schema_fingerprint(&schema);
    avro_schema_fini(&schema);
    return STATUS_OK;
}

/* ---- messages
 * ----------------------------------------------------------------------------------------- */

static bool read_avro(struct decoder *decoder, const struct framed *framed, struct arena *scratch,
                      struct raw_event *raw, struct decode_result *result)
{
    struct error problem;
    struct writer *writer = find_writer(decoder, framed->schema);
    if (!writer) {
        result->outcome = DECODE_NEEDS_SCHEMA;
        result->schema = framed->schema;
        return false;
    }
    if (!writer->usable) {
        decode_result_dead(result, DEAD_BAD_SCHEMA, "%s", writer->problem.text);
        return false;
    }
    if (avro_decode(&writer->plan, decoder->config, framed->body, framed->body_size, scratch, raw,
                    &problem))
        return true;
    decode_result_dead(result, DEAD_UNREADABLE, "%s", problem.text);
    return false;
}

static bool read_json(struct decoder *decoder, const struct framed *framed, struct arena *scratch,
                      struct raw_event *raw, struct decode_result *result)
{
    struct error problem;
    if (json_event_read(&decoder->fields, decoder->config, (const char *)framed->body,
                        framed->body_size, scratch, raw, &problem))
        return true;
    decode_result_dead(result, DEAD_UNREADABLE, "%s", problem.text);
    return false;
}

static bool read_value(struct decoder *decoder, const struct message *message,
                       struct arena *scratch, struct raw_event *raw, struct decode_result *result)
{
    if (!message->value || !message->value_size) {
        decode_result_dead(result, DEAD_EMPTY, "the message has no value");
        return false;
    }
    struct framed framed = framing_read(message->value, message->value_size);
    if (framed.framing == FRAMING_UNKNOWN) {
        decode_result_dead(result, DEAD_UNKNOWN_FRAMING,
                           "a value of %zu bytes that begins with %02x is neither of the registry "
                           "framing, nor an Avro single object, nor a JSON object",
                           message->value_size, message->value[0]);
        return false;
    }
    if (message->value_size > MESSAGE_BYTES_MAX) {
        decode_result_dead(result, DEAD_UNREADABLE, "longer than %u bytes", MESSAGE_BYTES_MAX);
        return false;
    }
    raw_event_init(raw, decoder->wanted, decoder->unread);
    if (framed.framing == FRAMING_JSON)
        return read_json(decoder, &framed, scratch, raw, result);
    return read_avro(decoder, &framed, scratch, raw, result);
}

void decoder_decode(struct decoder *decoder, const struct message *message, struct arena *scratch,
                    struct baton_event *event, struct decode_result *result)
{
    struct raw_event raw;
    result->reason = 0;
    if (message->hop && message->hop->seen.own && decoder->own)
        decoder = decoder->own;
    if (read_value(decoder, message, scratch, &raw, result))
        event_check(decoder->config, &decoder->form, message, &raw, scratch, event, result);
}
