/* Who has signed an agreement, and what has changed since, as verbs tell it. */
#ifndef COMMANDS_SIGNATURES_H
#define COMMANDS_SIGNATURES_H

#include "agreement/agreement.h"

#include <jansson.h>

/* A line per side, with what has changed below it where the side signed another text. `file` is
 * where the agreement stands; what was signed is kept beside it. */
void signatures_say(const struct agreement *agreement, const char *file, enum language language,
                    struct text_buffer *out);
/* The same as a list: side, state (same, another, name, none), by, date, hash, changes. */
json_t *signatures_json(const struct agreement *agreement, const char *file,
                        enum language language);
/* Changes as a list, as `baton diff --json` prints them. */
json_t *changes_json(const struct agreement *before, const struct agreement *after,
                     enum language language);
/* What to type to sign it: from the speech's memory. */
const char *signatures_command(struct speech *speech, const char *side, const char *file);
/* The side as the language calls it. */
const char *signatures_side(struct speech *speech, const char *side);

#endif
