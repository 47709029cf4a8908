#include "yaml/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_init(struct findings *findings, struct arena *arena)
{
    findings->arena = arena;
    findings->count = findings->errors = findings->dropped = 0;
}

static void add(struct findings *findings, uint32_t line, uint32_t column, bool warning,
                const char *format, va_list arguments)
{
    findings->errors += warning ? 0 : 1;
    if (findings->count == FINDINGS_MAX) {
        findings->dropped++;
        return;
    }
    char text[512];
    int size = vsnprintf(text, sizeof text, format, arguments);
    if (size < 0)
        size = 0;
    if ((size_t)size >= sizeof text) /* cut, and not within a character */
        for (size = (int)sizeof text - 1;
             size > 0 && ((unsigned char)text[size - 1] & 0xc0) == 0x80; size--)
            text[size - 1] = 0;
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    char *copy = arena_copy(findings->arena, text, strlen(text) + 1);
    findings->items[findings->count] =
        (struct finding){line, column, findings->count, warning, copy};
    findings->count++;
}

void findings_error(struct findings *findings, uint32_t line, uint32_t column, const char *format,
                    ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(findings, line, column, false, format, arguments);
    va_end(arguments);
}

void findings_warning(struct findings *findings, uint32_t line, uint32_t column, const char *format,
                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(findings, line, column, true, format, arguments);
    va_end(arguments);
}

static int by_place(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void findings_print(struct findings *findings, const char *file_name, struct text_buffer *out)
{
    qsort(findings->items, findings->count, sizeof *findings->items, by_place);
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        text_buffer_print(out, "%s:%u:%u: %s: %s\n", file_name, finding->line, finding->column,
                          finding->warning ? "warning" : "error", finding->text);
    }
    if (findings->dropped && findings->count)
        text_buffer_print(out, "%s:%u:%u: error: and %u more\n", file_name,
                          findings->items[findings->count - 1].line,
                          findings->items[findings->count - 1].column, findings->dropped);
}
