/* Reading UTF-8 character by character. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Size of the character that begins at `at` < `end`, its code point in *point; 0 when it is not
 * well-formed: overlong, a surrogate, beyond U+10FFFF, cut off. */
size_t utf8_read(const char *at, const char *end, uint32_t *point);

#endif
