/* What was found in a text that a person wrote: errors and warnings with their places, told all at
 * once and in the order of the text. Not for threads to share. */
#ifndef YAML_FINDINGS_H
#define YAML_FINDINGS_H

#include "base/arena.h"
#include "base/text_buffer.h"

#include <stdbool.h>
#include <stdint.h>

#define FINDINGS_MAX 200 /* kept; more are only counted */

struct finding {
    uint32_t line, column; /* from 1; columns are characters */
    uint32_t order;
    bool warning;
    const char *text;
};

struct findings {
    struct arena *arena; /* of the texts */
    uint32_t count, errors, dropped;
    struct finding items[FINDINGS_MAX];
};

void findings_init(struct findings *findings, struct arena *arena);
__attribute__((format(printf, 4, 5))) void findings_error(struct findings *findings, uint32_t line,
                                                          uint32_t column, const char *format, ...);
__attribute__((format(printf, 4, 5))) void findings_warning(struct findings *findings,
                                                            uint32_t line, uint32_t column,
                                                            const char *format, ...);
/* `file:line:column: error: text`, a line each. Control characters of the texts become spaces. */
void findings_print(struct findings *findings, const char *file_name, struct text_buffer *out);

#endif
