/* How a value says what it is: 0x00 and a big-endian registry id; C3 01 and a little-endian
 * fingerprint (Avro single-object); `{` for a JSON object. */
#ifndef CODEC_FRAMING_H
#define CODEC_FRAMING_H

#include "codec/decoder.h"

enum framing { FRAMING_UNKNOWN, FRAMING_REGISTRY, FRAMING_SINGLE_OBJECT, FRAMING_JSON };

struct framed {
    enum framing framing;
    struct schema_key schema;
    const uint8_t *body; /* what follows the frame; of JSON the whole value */
    size_t body_size;
};

/* A frame that is cut short is FRAMING_UNKNOWN. */
struct framed framing_read(const uint8_t *value, size_t size);

#endif
