#include "base/utf8.h"

#include <stdbool.h>

size_t utf8_read(const char *at, const char *end, uint32_t *point)
{
    unsigned char first = (unsigned char)*at;
    if (first < 0x80) {
        *point = first;
        return 1;
    }
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || (size_t)(end - at) < size)
        return 0;
    uint32_t value = first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | ((unsigned char)at[i] & 0x3fu);
    }
    bool overlong = value < (size == 4 ? 0x10000u : size == 3 ? 0x800u : 0x80u);
    if (overlong || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *point = value;
    return size;
}
