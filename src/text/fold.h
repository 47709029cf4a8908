/* Texts of people: is it UTF-8, and how it compares without case and accents (docs/scoring.md,
 * "Matching"). Pure functions; any thread. */
#ifndef TEXT_FOLD_H
#define TEXT_FOLD_H

#include "base/arena.h"

#include <baton/event.h>

/* Well-formed UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF. NUL is a character.
 */
bool text_is_utf8(const char *text, size_t size);
/* False: `in` is not UTF-8, and `out` is untouched. `out` is `in` itself where folding changes
 * nothing, otherwise its bytes are from the arena. It may be up to a few times longer than `in`. */
bool text_fold(struct arena *arena, struct baton_text in, struct baton_text *out);

#endif
