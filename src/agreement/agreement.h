/* From the text of an agreement to its compiled, checked form; the language is docs/agreement.md's.
 *
 * An agreement is made once and then only read, by any thread. What its functions return belongs to
 * it, unless they say otherwise. */
#ifndef AGREEMENT_AGREEMENT_H
#define AGREEMENT_AGREEMENT_H

#include "base/status.h"
#include "base/text_buffer.h"
#include "messages/messages.h"
#include "yaml/findings.h"

#include <baton/agreement.h>

#define AGREEMENT_SIZE_MAX (1 << 20) /* bytes of a text */

struct agreement;

/* STATUS_STOP: *out is NULL. With STATUS_OK there may be warnings among the findings.
 * `zone`: the offsets of the agreement's time zone as stored with it; NULL: from the system's tz
 * database. The offsets are copied. */
enum status agreement_read(const char *text, size_t size, const struct baton_zone_offset *zone,
                           uint32_t zone_count, struct agreement **out, struct findings *findings);
/* The same from a file, with the system's tz database. */
enum status agreement_read_file(const char *path, struct agreement **out,
                                struct findings *findings);
/* The same two for logs: `messages` gets one line per finding, in English and in the order of the
 * text: `file:line:column: error|warning: text`. */
enum status agreement_parse(const char *file_name, const char *text, size_t size,
                            const struct baton_zone_offset *zone, uint32_t zone_count,
                            struct agreement **out, struct text_buffer *messages);
enum status agreement_load(const char *path, struct agreement **out, struct text_buffer *messages);
void agreement_destroy(struct agreement *agreement);

const struct baton_agreement *agreement_compiled(const struct agreement *agreement);
/* The source, byte for byte. */
struct baton_text agreement_text(const struct agreement *agreement);
const char *agreement_name(const struct agreement *agreement);
uint32_t agreement_version(const struct agreement *agreement);
/* 32 hex digits over the meaning: everything but `signed`, comments and the way it is written. */
const char *agreement_hash(const struct agreement *agreement);
const char *agreement_zone_name(const struct agreement *agreement);

/* Words of the text whose effect is not built yet. */
struct agreement_word {
    const char *word;
    uint32_t line, column;
};
/* Those that could change a score, a stage or a promotion: `baton run` must refuse the agreement.
 */
const struct agreement_word *agreement_refused(const struct agreement *agreement, size_t *count);
/* The others: `baton run` warns of them. */
const struct agreement_word *agreement_idle(const struct agreement *agreement, size_t *count);

/* Reads the agreement aloud: plain sentences, a line each. */
void agreement_sentences(const struct agreement *agreement, enum language language,
                         struct text_buffer *out);
/* Parts of sentences on a rule, by its index in the compiled agreement; from the speech's memory.
 * Of a behaviour rule: "visits", and " where the page begins with /pricing" or nothing. */
const char *agreement_fit_where(const struct agreement *agreement, struct speech *speech,
                                uint32_t index);
const char *agreement_persona_where(const struct agreement *agreement, struct speech *speech,
                                    uint32_t persona, uint32_t index);
const char *agreement_never_where(const struct agreement *agreement, struct speech *speech,
                                  uint32_t index);
const char *agreement_event_words(const struct agreement *agreement, struct speech *speech,
                                  uint32_t index, const char *count);
const char *agreement_event_where(const struct agreement *agreement, struct speech *speech,
                                  uint32_t index);
/* "visit", "form filled in" */
const char *agreement_kind_word(struct speech *speech, enum baton_event_kind kind);
/* "working day", "month" */
const char *agreement_period_word(struct speech *speech, enum baton_span per);
/* Where the number of a goal stands, by its index in the pact; delivery follows from that of
 * `customers`. */
struct finding_place agreement_goal_place(const struct agreement *agreement, uint32_t index);
/* Of the day of its next review, which it has. */
struct finding_place agreement_review_place(const struct agreement *agreement);
/* A time in the agreement's zone, as speech_time wants it. */
int64_t agreement_local_ms(const struct agreement *agreement, int64_t time_ms);

/* Is the agreement in force at this time? If not, `speech` says so in a line; it may be NULL. */
bool agreement_in_force(const struct agreement *agreement, int64_t time_ms, struct speech *speech);

/* The offsets of a zone as one line of text, for storing beside the agreement. */
void agreement_zone_write(const struct baton_zone_offset *zone, uint32_t count,
                          struct text_buffer *out);
/* STATUS_REJECT: not such a line. The caller frees *zone. */
enum status agreement_zone_read(const char *text, size_t size, struct baton_zone_offset **zone,
                                uint32_t *count);

#endif
