#include "codec/outgoing.h"

#include "base/bytes.h"
#include "codec/embedded.h"
#include "codec/outgoing_avro.h"
#include "codec/outgoing_content.h"
#include "codec/outgoing_encoder.h"
#include "codec/outgoing_headers.h"
#include "codec/outgoing_registry.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many digits as ±2,000,000.00 has; more would show what is not in it. */
#define JSON_STYLE (JSON_COMPACT | JSON_REAL_PRECISION(12))

#define REGION_BYTES ((size_t)256 * 1024) /* a usual promotion takes a tenth */

static const char *const schema_files[OUTGOING_TOPICS] = {[TOPIC_PROMOTIONS] = "Promotion.avsc",
                                                          [TOPIC_STAGES] = "StageChange.avsc",
                                                          [TOPIC_BREACHES] = "Breach.avsc"};
static const char *const stage_types[STAGE_RECORD_KINDS] = {[RECORD_STAGE] = "baton.stage_change",
                                                            [RECORD_IGNORED] =
                                                                "baton.report_ignored",
                                                            [RECORD_ADJUSTED] = "baton.adjusted",
                                                            [RECORD_MERGED] = "baton.merged",
                                                            [RECORD_ERASED] = "baton.erased"};

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
    encoder->region = json_region_create(REGION_BYTES);
    enum status status =
        prepare(encoder, TOPIC_PROMOTIONS, topics[TOPIC_PROMOTIONS], registry_url, error);
    if (status == STATUS_OK)
        status = prepare(encoder, TOPIC_STAGES, topics[TOPIC_STAGES], registry_url, error);
    if (status == STATUS_OK)
        status = prepare(encoder, TOPIC_BREACHES, topics[TOPIC_BREACHES], registry_url, error);
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
    json_region_destroy(encoder->region);
    free(encoder->source);
    free(encoder);
}

void encoder_speak(struct encoder *encoder, enum language language)
{
    encoder->language = language;
}

static void write_json(const json_t *record, struct arena *arena, struct outgoing_message *out)
{
    size_t size = json_dumpb(record, NULL, 0, JSON_STYLE);
    assert(size);
    char *text = arena_take(arena, size);
    (void)json_dumpb(record, text, size, JSON_STYLE);
    out->value = text;
    out->value_size = size;
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

void encoder_write_value(struct encoder *encoder, json_t *record, struct arena *arena,
                         struct outgoing_message *out)
{
    if (encoder->format == OUTPUT_JSON)
        write_json(record, arena, out);
    else
        write_avro(encoder, record, arena, out);
    json_decref(record);
}

void encoder_add_headers(const struct encoder *encoder, struct header_list *list, const char *type,
                         int64_t time_ms, struct baton_text subject)
{
    static const char *const content_types[] = {[OUTPUT_AVRO] = "application/avro",
                                                [OUTPUT_JSON] = "application/json",
                                                [OUTPUT_REGISTRY] =
                                                    "application/vnd.schemaregistry+avro"};
    size_t source_size = strlen(encoder->source);
    header_list_add_text(list, "ce_type", type);
    header_list_add(list, "ce_source", arena_copy(list->arena, encoder->source, source_size),
                    source_size);
    header_list_add_time(list, "ce_time", time_ms);
    header_list_add(list, "ce_subject", arena_copy(list->arena, subject.data, subject.size),
                    subject.size);
    header_list_add_text(list, "content-type", content_types[encoder->format]);
}

static void write_headers(const struct encoder *encoder, struct arena *arena,
                          const struct stage_view *view, const char *type,
                          struct outgoing_message *out)
{
    struct baton_text lead_id = stage_record_subject(view);
    const char *id = percent_encoded(arena, lead_id.data, lead_id.size);
    unsigned generation = view->transition->generation;
    struct header_list list;
    header_list_init(&list, arena, 9);
    header_list_add_text(&list, "ce_specversion", "1.0");
    if (view->kind == RECORD_STAGE)
        header_list_print(&list, "ce_id", "%s/%u/%s", id, generation,
                          baton_stage_name(view->transition->to));
    else
        header_list_print(&list, "ce_id", "%s/%u/%s/%" PRIu32 "/%" PRId64, id, generation,
                          stage_record_name(view->kind), view->origin->partition,
                          view->origin->offset);
    encoder_add_headers(encoder, &list, type, view->event->time_ms, lead_id);
    header_list_forward_trace(&list, view->origin->headers, view->origin->header_count);
    out->headers = list.at;
    out->header_count = list.count;
}

static void write_message(struct encoder *encoder, struct arena *arena,
                          const struct stage_view *view, enum outgoing_topic topic, json_t *record,
                          struct outgoing_message *out)
{
    struct baton_text lead_id = stage_record_subject(view);
    *out = (struct outgoing_message){.topic = topic,
                                     .key = arena_copy(arena, lead_id.data, lead_id.size),
                                     .key_size = lead_id.size};
    encoder_write_value(encoder, record, arena, out);
    write_headers(encoder, arena, view,
                  topic == TOPIC_STAGES ? stage_types[view->kind] : "baton.promotion", out);
}

enum content_style encoder_style(const struct encoder *encoder)
{
    return encoder->format == OUTPUT_JSON ? CONTENT_FOR_PEOPLE : CONTENT_FOR_AVRO;
}

void encoder_stage_change(struct encoder *encoder, struct arena *arena,
                          const struct stage_view *view, struct outgoing_message *out)
{
    json_region_begin(encoder->region);
    json_t *record = content_stage_change(view, encoder_style(encoder));
    write_message(encoder, arena, view, TOPIC_STAGES, record, out);
    json_region_end(encoder->region);
}

void encoder_promotion(struct encoder *encoder, struct arena *arena, const struct stage_view *view,
                       struct outgoing_message *out)
{
    json_region_begin(encoder->region);
    json_t *record = content_promotion(view, encoder_style(encoder), encoder->language);
    write_message(encoder, arena, view, TOPIC_PROMOTIONS, record, out);
    json_region_end(encoder->region);
}
