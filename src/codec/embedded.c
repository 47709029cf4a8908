#include "codec/embedded.h"

#include <string.h>

const struct embedded_text *embedded_find(const char *name)
{
    for (const struct embedded_text *text = embedded_texts; text->name; text++)
        if (strcmp(text->name, name) == 0)
            return text;
    return NULL;
}
