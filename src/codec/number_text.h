/* Numbers of a message as texts (docs/scoring.md, "Fields of a `where`"): whole numbers as digits,
 * others with up to six decimals and no trailing zeros; beyond ±10^12 there is no text. */
#ifndef CODEC_NUMBER_TEXT_H
#define CODEC_NUMBER_TEXT_H

#include "base/arena.h"

#include <baton/event.h>

/* False: the number has no text. The bytes are from the arena. */
bool number_text_long(struct arena *arena, int64_t value, struct baton_text *out);
/* However large. */
struct baton_text number_digits(struct arena *arena, int64_t value);
bool number_text_double(struct arena *arena, double value, struct baton_text *out);
/* A number as JSON writes it; the token must be well formed. */
bool number_text_json(struct arena *arena, struct baton_text token, struct baton_text *out);
/* A JSON token that is a whole number (no point, no exponent) and fits. */
bool number_whole_json(struct baton_text token, int64_t *out);

#endif
