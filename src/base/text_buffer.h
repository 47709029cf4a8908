/* A text that grows. The bytes end with a NUL that `size` does not count. */
#ifndef BASE_TEXT_BUFFER_H
#define BASE_TEXT_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct text_buffer {
    char *data;
    size_t size, room;
};

void text_buffer_init(struct text_buffer *buffer);
void text_buffer_fini(struct text_buffer *buffer);
void text_buffer_clear(struct text_buffer *buffer);
void text_buffer_add(struct text_buffer *buffer, const void *bytes, size_t size);
void text_buffer_add_text(struct text_buffer *buffer, const char *text);
__attribute__((format(printf, 2, 3))) void text_buffer_print(struct text_buffer *buffer,
                                                             const char *format, ...);
/* Hundredths of a point as points: 7025 → 70.25, 7000 → 70, -50 → -0.5. */
void text_buffer_add_points(struct text_buffer *buffer, int64_t hundredths);
/* RFC 3339 in UTC with milliseconds: 2026-11-01T12:00:00.123Z. */
void text_buffer_add_time(struct text_buffer *buffer, int64_t time_ms);

#endif
