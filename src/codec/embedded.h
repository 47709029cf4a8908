/* Texts of files that travel in the program: the schemas of schemas/. */
#ifndef CODEC_EMBEDDED_H
#define CODEC_EMBEDDED_H

#include "base/embedded.h"

/* Ends with an entry without a name. */
extern const struct embedded_text embedded_texts[];

/* NULL: there is no such text. */
const struct embedded_text *embedded_find(const char *name);

#endif
