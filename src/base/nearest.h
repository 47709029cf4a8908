/* The word that was probably meant. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* The candidate that `word` is a misspelling of, by edits (a letter put in, left out, changed, two
 * swapped; `-`, `_` and case do not matter much); NULL when none is near. Candidates may be NULL.
 */
const char *nearest_word(const char *word, size_t size, const char *const *candidates,
                         size_t count);

#endif
