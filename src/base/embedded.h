/* A text of a file that travels in the program; made by cmake/embed.cmake. */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_text {
    const char *name; /* of the file, without its folder: "Promotion.avsc" */
    const char *text; /* ends with a NUL that size does not count */
    size_t size;
};

#endif
