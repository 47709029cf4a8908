/* From the text that names a kind to the kind: a configured value, or the kind's own name. */
#ifndef CODEC_KINDS_H
#define CODEC_KINDS_H

#include "codec/decoder.h"

/* RAW_NO_KIND for other texts. */
int kind_of_text(const struct input_config *config, struct baton_text text);
/* The kind of an Email record whose action this is: `opened` is email_opened. */
int kind_of_email(const struct input_config *config, struct baton_text action);
/* FormFill → form_fill; from the arena. */
struct baton_text kind_snake_case(struct arena *arena, struct baton_text name);

#endif
