#include "base/text_buffer.h"

#include "base/arena.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_buffer_init(struct text_buffer *buffer)
{
    *buffer = (struct text_buffer){0};
}

void text_buffer_fini(struct text_buffer *buffer)
{
    free(buffer->data);
    text_buffer_init(buffer);
}

void text_buffer_clear(struct text_buffer *buffer)
{
    buffer->size = 0;
    if (buffer->data)
        buffer->data[0] = 0;
}

static void make_room(struct text_buffer *buffer, size_t more)
{
    size_t need = buffer->size + more + 1;
    if (need <= buffer->room)
        return;
    size_t room = buffer->room ? buffer->room : 256;
    while (room < need)
        room *= 2;
    buffer->data = memory_resize(buffer->data, room);
    buffer->room = room;
}

void text_buffer_add(struct text_buffer *buffer, const void *bytes, size_t size)
{
    make_room(buffer, size);
    if (size)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = 0;
}

void text_buffer_add_text(struct text_buffer *buffer, const char *text)
{
    text_buffer_add(buffer, text, strlen(text));
}

void text_buffer_print(struct text_buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size > 0) {
        make_room(buffer, (size_t)size);
        (void)vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

/* Every lead that is written carries one: no formatted printing. */
void text_buffer_add_points(struct text_buffer *buffer, int64_t hundredths)
{
    uint64_t size = hundredths < 0 ? 0 - (uint64_t)hundredths : (uint64_t)hundredths;
    uint64_t whole = size / 100;
    unsigned rest = (unsigned)(size % 100);
    char text[32];
    size_t end = sizeof text, at = end;
    if (rest % 10)
        text[--at] = (char)('0' + rest % 10);
    if (rest) {
        text[--at] = (char)('0' + rest / 10);
        text[--at] = '.';
    }
    do
        text[--at] = (char)('0' + whole % 10);
    while ((whole /= 10) != 0);
    if (hundredths < 0)
        text[--at] = '-';
    text_buffer_add(buffer, text + at, end - at);
}

void text_buffer_add_time(struct text_buffer *buffer, int64_t time_ms)
{
    int64_t seconds = time_ms / 1000, rest = time_ms % 1000;
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    struct tm parts;
    time_t when = (time_t)seconds;
    if (!gmtime_r(&when, &parts)) {
        text_buffer_print(buffer, "%" PRId64, time_ms);
        return;
    }
    text_buffer_print(buffer, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                      parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                      (int)rest);
}
