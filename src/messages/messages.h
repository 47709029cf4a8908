/* What the program says to people in sentences, in each language that it speaks: one catalogue, and
 * one way to fill it in.
 *
 * A text of the catalogue has holes: `{name}` stands for a value, `{name|one|many}` for `one` where
 * that value is 1 or -1, else for `many`. All languages have the same holes. `{what}` is filled
 * with a text of the catalogue: its article grows together with the preposition before it ("na
 * meta"). */
#ifndef MESSAGES_MESSAGES_H
#define MESSAGES_MESSAGES_H

#include "base/arena.h"
#include "base/text_buffer.h"

#include <stdbool.h>

enum language { LANGUAGE_EN, LANGUAGE_PT, LANGUAGE_ES, LANGUAGES };

const char *language_name(enum language language); /* "en", "pt", "es" */
bool language_find(const char *name, enum language *language);

#include "messages/message_list.h"

#define MESSAGE_ENUM(name) MESSAGE_##name,
enum message_id { MESSAGE_LIST(MESSAGE_ENUM) MESSAGES };
#undef MESSAGE_ENUM

/* The text with its holes, for tests; the name of its id. */
const char *message_text(enum language language, enum message_id id);
const char *message_name(enum message_id id);

struct message_hole {
    const char *name, *text;
};

/* Who speaks: the language, where the sentences go, and memory for the parts that they are made of.
 * One thread. */
struct speech {
    enum language language;
    struct text_buffer *out; /* borrowed */
    struct arena arena;
};

void speech_init(struct speech *speech, enum language language, struct text_buffer *out);
void speech_fini(struct speech *speech);

/* Adds the text to the speech's buffer; `holes` end with one without a name. A hole of the text
 * that is not among them is a bug and ends the process. */
void speech_add(struct speech *speech, enum message_id id, const struct message_hole *holes);
/* The same as a text of its own, from the speech's memory: a part of a sentence to come. */
const char *speech_part(struct speech *speech, enum message_id id,
                        const struct message_hole *holes);

/* say(speech, MESSAGE_NEVER, {"where", text}); */
#define say(speech, id, ...)                                                                       \
    speech_add(speech, id, (const struct message_hole[]){__VA_ARGS__, {NULL, NULL}})
#define phrase(speech, id, ...)                                                                    \
    speech_part(speech, id, (const struct message_hole[]){__VA_ARGS__, {NULL, NULL}})
/* Texts without holes. */
#define say_plain(speech, id) speech_add(speech, id, NULL)
#define phrase_plain(speech, id) speech_part(speech, id, NULL)

/* ---- Numbers, dates and lists as the language writes them; texts from the speech's memory ---- */

const char *speech_count(struct speech *speech, int64_t count);       /* 1,234 and 1.234 */
const char *speech_points(struct speech *speech, int64_t hundredths); /* 70.25 and 70,25 */
/* 12.5% and 12,5%; of ten thousand parts. */
const char *speech_percent(struct speech *speech, int64_t permyriad);
/* EUR 1,200.50 and 1.200,50 EUR, with cents where there are some; an empty currency is left out. */
const char *speech_money(struct speech *speech, int64_t hundredths, const char *currency);
/* `2026-11-01` as written in a file; 2026-11-01 and 01/11/2026. */
const char *speech_date(struct speech *speech, const char *iso_date);
/* The same with hours and minutes. `local_ms` is UTC plus the zone's offset. */
const char *speech_time(struct speech *speech, int64_t local_ms);
/* 14 days, 4 hours, 30 minutes. */
const char *speech_duration(struct speech *speech, int64_t duration_ms);
/* `a, b and c`, `a, b or c` */
enum speech_join { SPEECH_AND, SPEECH_OR };
const char *speech_list(struct speech *speech, const char *const *items, size_t count,
                        enum speech_join join);
/* Prints into the speech's memory. */
__attribute__((format(printf, 2, 3))) const char *speech_print(struct speech *speech,
                                                               const char *format, ...);

#endif
