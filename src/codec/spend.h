/* What a `spend` says; its period is one of domain/span_text.h. */
#ifndef CODEC_SPEND_H
#define CODEC_SPEND_H

#include "codec/event_checks.h"

/* The code of a currency: three letters A to Z, capitals from here on; false: it is none. */
#define CURRENCY_WANTED "three letters like EUR (ISO 4217)"
bool currency_read(struct baton_text text, struct arena *arena, struct baton_text *currency);
/* For event_details.c: fills event->spend; false with DEAD_BAD_CONTENT. */
bool spend_read(const struct message *message, const struct raw_event *raw, struct arena *arena,
                struct baton_event *event, struct decode_result *result);

#endif
