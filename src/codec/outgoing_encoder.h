/* What an encoder is made of: for the files outgoing*.c only. */
#ifndef CODEC_OUTGOING_ENCODER_H
#define CODEC_OUTGOING_ENCODER_H

#include "codec/json_region.h"
#include "codec/outgoing.h"
#include "codec/outgoing_avro.h"
#include "codec/outgoing_content.h"
#include "codec/outgoing_headers.h"

struct encoded_kind {
    struct avro_record_writer *writer; /* NULL for JSON */
    uint64_t fingerprint;              /* OUTPUT_AVRO */
    uint32_t registry_id;              /* OUTPUT_REGISTRY */
};

struct encoder {
    enum output_format format;
    enum language language;
    char *source;
    struct json_region *region;                 /* of the record that is being made */
    struct encoded_kind kinds[OUTGOING_TOPICS]; /* that of dead letters is empty */
};

enum content_style encoder_style(const struct encoder *encoder);
/* out->topic tells of which schema it is. Takes the record. */
void encoder_write_value(struct encoder *encoder, json_t *record, struct arena *arena,
                         struct outgoing_message *out);
/* All of CloudEvents but ce_specversion and ce_id: five headers. */
void encoder_add_headers(const struct encoder *encoder, struct header_list *list, const char *type,
                         int64_t time_ms, struct baton_text subject);

#endif
