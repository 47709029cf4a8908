#include "yaml/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 511 /* bytes of a finding */
#define SHOWN_MAX 64 /* bytes of what it shows of the text */

void findings_init(struct findings *findings, enum language language)
{
    speech_init(&findings->speech, language, NULL);
    findings->count = findings->errors = findings->dropped = 0;
}

void findings_fini(struct findings *findings)
{
    speech_fini(&findings->speech);
}

/* The bytes of a text up to `most`, and no part of a character. */
static size_t fitting(const char *text, size_t most)
{
    size_t size = strlen(text);
    if (size > most)
        for (size = most; size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80; size--)
            continue;
    return size;
}

/* Counts one; is there room for its text? */
static bool count(struct findings *findings, bool warning)
{
    findings->errors += warning ? 0 : 1;
    findings->dropped += findings->count == FINDINGS_MAX;
    return findings->count < FINDINGS_MAX;
}

static void keep(struct findings *findings, bool warning, struct finding_place place,
                 enum message_id id, const char *text)
{
    size_t size = fitting(text, TEXT_MAX);
    char *copy = arena_take(&findings->speech.arena, size + 1);
    for (size_t i = 0; i < size; i++)
        copy[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
    copy[size] = 0;
    findings->items[findings->count] = (struct finding){place, findings->count, warning, id, copy};
    findings->count++;
}

void findings_add(struct findings *findings, bool warning, struct finding_place place,
                  enum message_id id, const struct message_hole *holes)
{
    if (count(findings, warning))
        keep(findings, warning, place, id, speech_part(&findings->speech, id, holes));
}

void findings_error(struct findings *findings, uint32_t line, uint32_t column, const char *format,
                    ...)
{
    if (!count(findings, false))
        return;
    char text[TEXT_MAX + 2]; /* one more, so that it is cut where keep cuts */
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    keep(findings, false, (struct finding_place){line, column}, MESSAGES, text);
}

const char *findings_word(const struct findings *findings, enum message_id id)
{
    return message_text(findings->speech.language, id);
}

const char *findings_number(struct findings *findings, int64_t number)
{
    return speech_print(&findings->speech, "%lld", (long long)number);
}

const char *findings_shown(struct findings *findings, const char *text)
{
    return speech_print(&findings->speech, "%.*s", (int)fitting(text, SHOWN_MAX), text);
}

static int by_place(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line ? -1 : 1;
    if (a->place.column != b->place.column)
        return a->place.column < b->place.column ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void findings_sort(struct findings *findings)
{
    qsort(findings->items, findings->count, sizeof *findings->items, by_place);
}

static void print_line(const struct findings *findings, const char *file_name,
                       struct finding_place place, bool warning, const char *text,
                       struct text_buffer *out)
{
    enum message_id severity = warning ? MESSAGE_SEVERITY_WARNING : MESSAGE_SEVERITY_ERROR;
    text_buffer_add_text(out, file_name);
    if (place.line)
        text_buffer_print(out, ":%u:%u", place.line, place.column);
    text_buffer_print(out, ": %s: %s\n", findings_word(findings, severity), text);
}

void findings_print(struct findings *findings, const char *file_name, struct text_buffer *out)
{
    findings_sort(findings);
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        print_line(findings, file_name, finding->place, finding->warning, finding->text, out);
    }
    if (findings->dropped && findings->count)
        print_line(findings, file_name, findings->items[findings->count - 1].place, false,
                   phrase(&findings->speech, MESSAGE_FINDING_AND_MORE,
                          {"count", findings_number(findings, findings->dropped)}),
                   out);
}

const char *finding_severity(const struct finding *finding)
{
    return finding->warning ? "warning" : "error";
}

const char *finding_code(struct findings *findings, const struct finding *finding)
{
    const char *name = message_name(finding->id) + strlen("FINDING_");
    char *code = arena_copy(&findings->speech.arena, name, strlen(name) + 1);
    for (char *c = code; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return code;
}
