#include "config/units.h"

#include <inttypes.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t size;
};

/* Largest first. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"", 1}};

bool units_whole(const char *text, int64_t *value)
{
    bool negative = *text == '-';
    const char *at = text + (*text == '-' || *text == '+' ? 1 : 0);
    size_t size = strlen(at);
    if (!size || size > 15 || strspn(at, "0123456789") != size)
        return false;
    int64_t found = 0;
    for (; *at; at++)
        found = found * 10 + (*at - '0');
    *value = negative ? -found : found;
    return true;
}

static bool with_unit(const char *text, const struct unit *units, size_t count, int64_t *value)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > 12)
        return false;
    int64_t number = 0;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (text[i] - '0');
    const char *name = text + digits;
    name += *name == ' ' ? 1 : 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, units[i].name) == 0)
            return !__builtin_mul_overflow(number, units[i].size, value);
    *value = 0;
    return number == 0 && !*name;
}

bool units_duration(const char *text, int64_t *ms)
{
    return with_unit(text, durations, sizeof durations / sizeof *durations, ms);
}

bool units_size(const char *text, int64_t *bytes)
{
    return with_unit(text, sizes, sizeof sizes / sizeof *sizes, bytes);
}

static void add(struct text_buffer *out, const struct unit *unit, int64_t value)
{
    while (unit->size > 1 && value % unit->size != 0)
        unit++;
    text_buffer_print(out, "%" PRId64 "%s", value / unit->size, unit->name);
}

void units_add_duration(struct text_buffer *out, int64_t ms)
{
    if (ms)
        add(out, durations, ms);
    else
        text_buffer_add_text(out, "0");
}

void units_add_size(struct text_buffer *out, int64_t bytes)
{
    if (bytes)
        add(out, sizes, bytes);
    else
        text_buffer_add_text(out, "0");
}
