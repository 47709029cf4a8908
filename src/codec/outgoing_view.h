/* Records of the output topics as trees again, for tools: whichever of the three formats they were
 * written in, with points and times as the JSON format writes them. Pure; any thread. */
#ifndef CODEC_OUTGOING_VIEW_H
#define CODEC_OUTGOING_VIEW_H

#include "codec/outgoing.h"

#include <jansson.h>

/* For the topics of promotions, of stages and of breaches. The caller releases *out. STATUS_REJECT:
 * it is none that this version writes. */
enum status outgoing_view(enum outgoing_topic topic, const void *value, size_t size, json_t **out,
                          struct error *error);

#endif
