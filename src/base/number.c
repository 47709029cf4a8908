#include "base/number.h"

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

bool number_parse(const char *text, size_t size, int64_t *millionths)
{
    size_t i = 0, whole = 0, fraction = 0;
    bool negative = size && text[0] == '-';
    if (size && (text[0] == '-' || text[0] == '+'))
        i++;
    int64_t value = 0;
    for (; i < size && digit(text[i]) && whole <= 12; i++, whole++)
        value = value * 10 + (text[i] - '0');
    if (whole == 0 || whole > 12)
        return false;
    bool point = i < size && text[i] == '.';
    if (point)
        for (i++; i < size && digit(text[i]) && fraction <= 6; i++, fraction++)
            value = value * 10 + (text[i] - '0');
    if (i != size || fraction > 6 || (point && fraction == 0))
        return false;
    for (; fraction < 6; fraction++)
        value *= 10;
    *millionths = negative ? -value : value;
    return true;
}
