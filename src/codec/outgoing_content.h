/* What an outgoing record says, as a tree that either encoding is made from: the fields of its Avro
 * schema, by their names and in their order, all of them, absent ones null. Pure; any thread. */
#ifndef CODEC_OUTGOING_CONTENT_H
#define CODEC_OUTGOING_CONTENT_H

#include "codec/outgoing.h"
#include "messages/messages.h"

#include <jansson.h>

/* Amounts and times: points with up to two decimals and RFC 3339, or hundredths and milliseconds.
 */
enum content_style { CONTENT_FOR_PEOPLE, CONTENT_FOR_AVRO };

/* Whom a record tells of: the lead, or the proof that stands in place of its id. */
struct baton_text stage_record_subject(const struct stage_view *view);
/* "ignored", …; NULL for RECORD_STAGE. */
const char *stage_record_name(enum stage_record_kind kind);
/* The caller releases it. */
json_t *content_stage_change(const struct stage_view *view, enum content_style style);
/* Its sentences are in this language. */
json_t *content_promotion(const struct stage_view *view, enum content_style style,
                          enum language language);

#endif
