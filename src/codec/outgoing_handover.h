/* What a salesperson asks first: the part of a promotion that tells of the person. Pure; any
 * thread. */
#ifndef CODEC_OUTGOING_HANDOVER_H
#define CODEC_OUTGOING_HANDOVER_H

#include "codec/outgoing_content.h"

/* Sets persona, segment, owner, age_ms, forms, mail, pages, earlier and why. */
void handover_put(json_t *record, const struct stage_view *view, enum content_style style,
                  enum language language);

/* outgoing_why.c: sentences, the one that says most first. */
json_t *handover_why(const struct stage_view *view, enum language language);

#endif
