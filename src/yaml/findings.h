/* What was found in a text that a person wrote: errors and warnings with their places, told all at
 * once and in the order of the text, in one language. Not for threads to share. */
#ifndef YAML_FINDINGS_H
#define YAML_FINDINGS_H

#include "base/text_buffer.h"
#include "messages/messages.h"

#include <stdbool.h>
#include <stdint.h>

#define FINDINGS_MAX 200 /* kept; more are only counted */

struct finding_place {
    uint32_t line, column; /* from 1; columns are characters. 0: the file as a whole */
};

struct finding {
    struct finding_place place;
    uint32_t order;
    bool warning;
    enum message_id id; /* FINDING_…; MESSAGES where the text was given in English */
    const char *text;
};

struct findings {
    struct speech speech; /* language and memory; parts of findings may be made of it */
    uint32_t count, errors, dropped;
    struct finding items[FINDINGS_MAX];
};

void findings_init(struct findings *findings, enum language language);
void findings_fini(struct findings *findings);

/* One of the catalogue; `holes` as speech_add has them. */
void findings_add(struct findings *findings, bool warning, struct finding_place place,
                  enum message_id id, const struct message_hole *holes);
/* In English whatever the language: for those who run the program. */
__attribute__((format(printf, 4, 5))) void findings_error(struct findings *findings, uint32_t line,
                                                          uint32_t column, const char *format, ...);

/* find(findings, place, MESSAGE_FINDING_TOO_LARGE, {"bytes", text}); */
#define find(findings, place, id, ...)                                                             \
    findings_add(findings, false, place, id,                                                       \
                 (const struct message_hole[]){__VA_ARGS__, {NULL, NULL}})
#define find_plain(findings, place, id) findings_add(findings, false, place, id, NULL)

/* ---- What holes are filled with; from the findings' memory ---- */

const char *findings_word(const struct findings *findings, enum message_id id); /* no holes */
/* As it stands in the file: not grouped. */
const char *findings_number(struct findings *findings, int64_t number);
/* The beginning of what somebody wrote, up to 64 bytes, not within a character. */
const char *findings_shown(struct findings *findings, const char *text);

/* ---- To people and programs ---- */

/* In the order of the text, from here on. */
void findings_sort(struct findings *findings);
/* `file:line:column: error: text`, a line each. Control characters of the texts become spaces. */
void findings_print(struct findings *findings, const char *file_name, struct text_buffer *out);
/* For programs, whatever the language: "error", "warning"; "unknown_key", of one of the catalogue,
 * from the findings' memory. */
const char *finding_severity(const struct finding *finding);
const char *finding_code(struct findings *findings, const struct finding *finding);

#endif
