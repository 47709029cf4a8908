/* What an encoder is made of: for the files outgoing*.c only. */
#ifndef CODEC_OUTGOING_ENCODER_H
#define CODEC_OUTGOING_ENCODER_H

#include "codec/outgoing.h"
#include "codec/outgoing_avro.h"

struct encoded_kind {
    struct avro_record_writer *writer; /* NULL for JSON */
    uint64_t fingerprint;              /* OUTPUT_AVRO */
    uint32_t registry_id;              /* OUTPUT_REGISTRY */
};

struct encoder {
    enum output_format format;
    char *source;
    struct encoded_kind kinds[OUTGOING_TOPICS]; /* that of dead letters is empty */
};

#endif
