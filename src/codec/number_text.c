#include "codec/number_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MAX INT64_C(1000000000000)
#define TEXT_ROOM 32 /* sign, 19 digits; or sign, 13 digits, point, 6 decimals, NUL */

bool number_text_long(struct arena *arena, int64_t value, struct baton_text *out)
{
    if (value > WHOLE_MAX || value < -WHOLE_MAX)
        return false;
    *out = number_digits(arena, value);
    return true;
}

struct baton_text number_digits(struct arena *arena, int64_t value)
{
    char digits[TEXT_ROOM];
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--at = '-';
    uint32_t size = (uint32_t)(digits + sizeof digits - at);
    return (struct baton_text){arena_copy(arena, at, size), size};
}

bool number_text_double(struct arena *arena, double value, struct baton_text *out)
{
    /* Written so that NaN falls out, too. */
    if (!(value <= (double)WHOLE_MAX && value >= -(double)WHOLE_MAX))
        return false;
    char *text = arena_take(arena, TEXT_ROOM);
    /* The program never leaves the C locale, so this is a point. */
    int size = snprintf(text, TEXT_ROOM, "%.6f", value);
    while (text[size - 1] == '0')
        size--;
    if (text[size - 1] == '.')
        size--;
    if (size == 2 && text[0] == '-' && text[1] == '0') {
        text[0] = '0';
        size = 1;
    }
    *out = (struct baton_text){text, (uint32_t)size};
    return true;
}

bool number_whole_json(struct baton_text token, int64_t *out)
{
    bool negative = token.size && token.data[0] == '-';
    uint64_t value = 0;
    if (token.size - negative > 18)
        return false;
    for (uint32_t i = negative; i < token.size; i++) {
        if (token.data[i] < '0' || token.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(token.data[i] - '0');
    }
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static bool is_whole(struct baton_text token)
{
    for (uint32_t i = 0; i < token.size; i++)
        if (token.data[i] == '.' || token.data[i] == 'e' || token.data[i] == 'E')
            return false;
    return true;
}

bool number_text_json(struct arena *arena, struct baton_text token, struct baton_text *out)
{
    int64_t whole;
    if (is_whole(token))
        return number_whole_json(token, &whole) && number_text_long(arena, whole, out);
    char *copy = arena_take(arena, (size_t)token.size + 1);
    memcpy(copy, token.data, token.size);
    copy[token.size] = 0;
    return number_text_double(arena, strtod(copy, NULL), out);
}
