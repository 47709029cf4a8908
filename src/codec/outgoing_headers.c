#include "codec/outgoing_headers.h"

#include "base/text_buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void header_list_init(struct header_list *list, struct arena *arena, size_t room)
{
    *list = (struct header_list){
        .arena = arena, .at = arena_take(arena, room * sizeof *list->at), .room = room};
}

void header_list_add(struct header_list *list, const char *name, const void *value, size_t size)
{
    assert(list->count < list->room);
    list->at[list->count++] = (struct header){.name = name, .value = value, .value_size = size};
}

void header_list_add_text(struct header_list *list, const char *name, const char *value)
{
    header_list_add(list, name, value, strlen(value));
}

void header_list_print(struct header_list *list, const char *name, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    char *value = arena_take(list->arena, (size_t)size + 1);
    (void)vsnprintf(value, (size_t)size + 1, format, again);
    va_end(again);
    header_list_add(list, name, value, (size_t)size);
}

void header_list_add_time(struct header_list *list, const char *name, int64_t time_ms)
{
    struct text_buffer buffer;
    text_buffer_init(&buffer);
    text_buffer_add_time(&buffer, time_ms);
    header_list_add(list, name, arena_copy(list->arena, buffer.data, buffer.size), buffer.size);
    text_buffer_fini(&buffer);
}

static const struct header *last_of(const struct header *headers, size_t count, const char *name)
{
    while (count-- > 0)
        if (strcmp(headers[count].name, name) == 0)
            return &headers[count];
    return NULL;
}

void header_list_forward_trace(struct header_list *list, const struct header *from, size_t count)
{
    const struct header *parent = last_of(from, count, "traceparent");
    const struct header *state = last_of(from, count, "tracestate");
    if (!parent || !parent->value)
        return;
    header_list_add(list, "traceparent", arena_copy(list->arena, parent->value, parent->value_size),
                    parent->value_size);
    if (state && state->value)
        header_list_add(list, "tracestate",
                        arena_copy(list->arena, state->value, state->value_size),
                        state->value_size);
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

const char *percent_encoded(struct arena *arena, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    const uint8_t *from = bytes;
    char *text = arena_take(arena, size * 3 + 1), *to = text;
    for (size_t i = 0; i < size; i++) {
        if (is_unreserved(from[i])) {
            *to++ = (char)from[i];
            continue;
        }
        *to++ = '%';
        *to++ = digits[from[i] >> 4];
        *to++ = digits[from[i] & 15];
    }
    *to = 0;
    return text;
}
