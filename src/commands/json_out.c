#include "commands/json_out.h"

#include "base/text_buffer.h"

#include <stdio.h>

json_t *json_points(int64_t hundredths)
{
    /* Fifteen digits print a number of two decimals as it is meant. */
    return hundredths % 100 == 0 ? json_integer(hundredths / 100)
                                 : json_real((double)hundredths / 100.0);
}

json_t *json_text(struct baton_text text)
{
    json_t *value = json_stringn(text.size ? text.data : "", text.size);
    return value ? value : json_string("(not UTF-8)");
}

json_t *json_text_or_null(struct baton_text text)
{
    return text.size ? json_text(text) : json_null();
}

json_t *json_time(int64_t time_ms)
{
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_add_time(&text, time_ms);
    json_t *value = json_stringn(text.data, text.size);
    text_buffer_fini(&text);
    return value;
}

json_t *json_time_or_null(int64_t time_ms)
{
    return time_ms ? json_time(time_ms) : json_null();
}

void json_print_line_take(json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
    (void)putchar('\n');
    json_decref(value);
}
