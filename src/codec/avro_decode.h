/* Runs a plan over the bytes of a message. */
#ifndef CODEC_AVRO_DECODE_H
#define CODEC_AVRO_DECODE_H

#include "codec/avro_plan.h"

/* False: the bytes are not a record of this schema; the problem says why and where. Texts are
 * slices of the bytes, or from the arena where they had to be made (numbers). */
bool avro_decode(const struct avro_plan *plan, const struct input_config *config,
                 const uint8_t *bytes, size_t size, struct arena *arena, struct raw_event *raw,
                 struct error *problem);

#endif
