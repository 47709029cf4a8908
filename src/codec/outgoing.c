#include "codec/outgoing.h"

#include "base/bytes.h"
#include "codec/embedded.h"
#include "codec/outgoing_avro.h"
#include "codec/outgoing_content.h"
#include "codec/outgoing_encoder.h"
#include "codec/outgoing_headers.h"
#include "codec/outgoing_registry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many digits as ±2,000,000.00 has; more would show what is not in it. */
#define JSON_STYLE (JSON_COMPACT | JSON_REAL_PRECISION(12))

static const char *const schema_files[OUTGOING_TOPICS] = {
    [TOPIC_PROMOTIONS] = "Promotion.avsc", [TOPIC_STAGES] = "StageChange.avsc"};
static const char *const content_types[] = {[OUTPUT_AVRO] = "application/avro",
                                            [OUTPUT_JSON] = "application/json",
                                            [OUTPUT_REGISTRY] =
                                                "application/vnd.schemaregistry+avro"};

static enum status register_schema(struct encoded_kind *kind, const struct embedded_text *schema,
                                   const char *topic, const char *registry_url, struct error *error)
{
    char subject[300];
    (void)snprintf(subject, sizeof subject, "%s-value", topic);
    return registry_register(registry_url, subject, schema->text, schema->size, &kind->registry_id,
                             error);
}

static enum status prepare(struct encoder *encoder, enum outgoing_topic topic, const char *name,
                           const char *registry_url, struct error *error)
{
    struct encoded_kind *kind = &encoder->kinds[topic];
    const struct embedded_text *schema = embedded_find(schema_files[topic]);
    assert(schema);
    if (encoder->format == OUTPUT_JSON)
        return STATUS_OK;
    kind->writer = avro_record_writer_create(schema->text, schema->size);
    if (encoder->format == OUTPUT_REGISTRY)
        return register_schema(kind, schema, name, registry_url, error);
    return schema_fingerprint(schema->text, schema->size, &kind->fingerprint, error);
}

enum status encoder_create(struct encoder **out, enum output_format format, const char *source,
                           const char *const topics[OUTGOING_TOPICS], const char *registry_url,
                           struct error *error)
{
    *out = NULL;
    if (format == OUTPUT_REGISTRY && (!registry_url || !*registry_url))
        return error_set(error, STATUS_STOP,
                         "output.format: registry needs the address of one in schemas.registry");
    struct encoder *encoder = memory_take_zeroed(1, sizeof *encoder);
    encoder->format = format;
    encoder->source = memory_copy_text(source);
    enum status status =
        prepare(encoder, TOPIC_PROMOTIONS, topics[TOPIC_PROMOTIONS], registry_url, error);
    if (status == STATUS_OK)
        status = prepare(encoder, TOPIC_STAGES, topics[TOPIC_STAGES], registry_url, error);
    if (status != STATUS_OK) {
        encoder_destroy(encoder);
        return status;
    }
    *out = encoder;
    return STATUS_OK;
}

void encoder_destroy(struct encoder *encoder)
{
    if (!encoder)
        return;
    for (int i = 0; i < OUTGOING_TOPICS; i++)
        avro_record_writer_destroy(encoder->kinds[i].writer);
    free(encoder->source);
    free(encoder);
}

static void write_json(const json_t *record, struct arena *arena, struct outgoing_message *out)
{
    char *text = json_dumps(record, JSON_STYLE);
    assert(text);
    out->value_size = strlen(text);
    out->value = arena_copy(arena, text, out->value_size);
    free(text);
}

static void write_avro(struct encoder *encoder, const json_t *record, struct arena *arena,
                       struct outgoing_message *out)
{
    const struct encoded_kind *kind = &encoder->kinds[out->topic];
    bool registry = encoder->format == OUTPUT_REGISTRY;
    uint8_t *bytes =
        avro_record_write(kind->writer, record, registry ? 5 : 10, arena, &out->value_size);
    out->value = bytes;
    if (registry) {
        *bytes++ = 0;
        for (int shift = 24; shift >= 0; shift -= 8)
            *bytes++ = (uint8_t)(kind->registry_id >> shift);
        return;
    }
    *bytes++ = 0xc3;
    *bytes++ = 0x01;
    (void)bytes_put_u64_le(bytes, kind->fingerprint);
}

static void write_value(struct encoder *encoder, json_t *record, struct arena *arena,
                        struct outgoing_message *out)
{
    if (encoder->format == OUTPUT_JSON)
        write_json(record, arena, out);
    else
        write_avro(encoder, record, arena, out);
    json_decref(record);
}

static void write_headers(const struct encoder *encoder, struct arena *arena,
                          const struct stage_view *view, const char *type,
                          struct outgoing_message *out)
{
    struct baton_text lead_id = view->event->lead_id;
    struct header_list list;
    header_list_init(&list, arena, 9);
    header_list_add_text(&list, "ce_specversion", "1.0");
    header_list_print(&list, "ce_id", "%s/%u/%s",
                      percent_encoded(arena, lead_id.data, lead_id.size),
                      (unsigned)view->lead->generation, baton_stage_name(view->transition->to));
    header_list_add_text(&list, "ce_type", type);
    header_list_add(&list, "ce_source", arena_copy(arena, encoder->source, strlen(encoder->source)),
                    strlen(encoder->source));
    header_list_add_time(&list, "ce_time", view->event->time_ms);
    header_list_add(&list, "ce_subject", arena_copy(arena, lead_id.data, lead_id.size),
                    lead_id.size);
    header_list_add_text(&list, "content-type", content_types[encoder->format]);
    header_list_forward_trace(&list, view->origin->headers, view->origin->header_count);
    out->headers = list.at;
    out->header_count = list.count;
}

static void write_message(struct encoder *encoder, struct arena *arena,
                          const struct stage_view *view, enum outgoing_topic topic, json_t *record,
                          struct outgoing_message *out)
{
    struct baton_text lead_id = view->event->lead_id;
    *out = (struct outgoing_message){.topic = topic,
                                     .key = arena_copy(arena, lead_id.data, lead_id.size),
                                     .key_size = lead_id.size};
    write_value(encoder, record, arena, out);
    write_headers(encoder, arena, view,
                  topic == TOPIC_STAGES ? "baton.stage_change" : "baton.promotion", out);
}

static enum content_style style_of(const struct encoder *encoder)
{
    return encoder->format == OUTPUT_JSON ? CONTENT_FOR_PEOPLE : CONTENT_FOR_AVRO;
}

void encoder_stage_change(struct encoder *encoder, struct arena *arena,
                          const struct stage_view *view, struct outgoing_message *out)
{
    json_t *record = content_stage_change(view, style_of(encoder));
    write_message(encoder, arena, view, TOPIC_STAGES, record, out);
}

void encoder_promotion(struct encoder *encoder, struct arena *arena, const struct stage_view *view,
                       struct outgoing_message *out)
{
    json_t *record = content_promotion(view, style_of(encoder));
    write_message(encoder, arena, view, TOPIC_PROMOTIONS, record, out);
}
