/* Texts of files that travel in the program: the schemas of schemas/. */
#ifndef CODEC_EMBEDDED_H
#define CODEC_EMBEDDED_H

#include <stddef.h>

struct embedded_text {
    const char *name; /* of the file: "Promotion.avsc" */
    const char *text; /* ends with a NUL that size does not count */
    size_t size;
};

/* Ends with an entry without a name. */
extern const struct embedded_text embedded_texts[];

/* NULL: there is no such text. */
const struct embedded_text *embedded_find(const char *name);

#endif
