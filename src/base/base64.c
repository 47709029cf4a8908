#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(const void *bytes, size_t size, char *text)
{
    const uint8_t *from = bytes;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)from[i] << 16;
        group |= i + 1 < size ? (uint32_t)from[i + 1] << 8 : 0;
        group |= i + 2 < size ? from[i + 2] : 0;
        *text++ = digits[group >> 18];
        *text++ = digits[group >> 12 & 63];
        *text++ = i + 1 < size ? digits[group >> 6 & 63] : '=';
        *text++ = i + 2 < size ? digits[group & 63] : '=';
    }
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, of which the last ones may be padding; the number of bytes, 0: none. */
static size_t read_group(const char *text, bool last, uint8_t *bytes)
{
    int padding = last && text[3] == '=' ? (text[2] == '=' ? 2 : 1) : 0;
    uint32_t group = 0;
    for (int i = 0; i < 4; i++) {
        int value = i < 4 - padding ? value_of(text[i]) : 0;
        if (value < 0)
            return 0;
        group = group << 6 | (uint32_t)value;
    }
    for (int i = 0; i < 3 - padding; i++)
        bytes[i] = (uint8_t)(group >> (16 - 8 * i));
    return (size_t)(3 - padding);
}

bool base64_read(const char *text, size_t text_size, uint8_t *bytes, size_t *size)
{
    *size = 0;
    if (text_size % 4)
        return false;
    for (size_t i = 0; i < text_size; i += 4) {
        size_t got = read_group(text + i, i + 4 == text_size, bytes + *size);
        if (!got)
            return false;
        *size += got;
    }
    return true;
}
