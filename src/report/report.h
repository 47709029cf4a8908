/* What marketing and sales promised each other and what came of it: one set of figures that both
 * read. A report is built once, as tables of typed values, and printed in four ways; whoever prints
 * knows tables only.
 *
 * Figures come from the counters that `baton run` keeps (src/pact), never from single leads. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/arena.h"
#include "base/text_buffer.h"
#include "domain/calendar.h"
#include "messages/messages.h"
#include "pact/goals.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum report_value_kind {
    VALUE_TEXT,    /* as it stands in the data */
    VALUE_WORD,    /* `text` for programs, `word` for people */
    VALUE_COUNT,   /* a whole number */
    VALUE_POINTS,  /* hundredths; what is shared between several is no whole number */
    VALUE_PERCENT, /* permyriad */
    VALUE_DAYS,    /* hundredths of a day */
    VALUE_MONEY,   /* hundredths of `currency` */
    VALUE_DATE,    /* days since 1970-01-01 */
    VALUE_TIME,    /* ms since then, local */
    VALUE_NONE     /* not known; says `word` where there is one */
};
enum report_tone { TONE_PLAIN, TONE_GOOD, TONE_BAD };

struct report_value {
    enum report_value_kind kind;
    enum report_tone tone;
    bool at_most;         /* a promise not to go beyond it */
    enum message_id word; /* MESSAGES: none */
    int64_t amount;
    const char *text, *currency; /* borrowed; they live as long as the report */
};

struct report_value cell_text(const char *text);
struct report_value cell_word(enum message_id word, const char *text, enum report_tone tone);
struct report_value cell_count(int64_t count);
struct report_value cell_points(int64_t hundredths);
struct report_value cell_percent(int64_t permyriad);
struct report_value cell_days(int64_t hundredths);
struct report_value cell_money(int64_t hundredths, const char *currency);
struct report_value cell_date(int32_t day);
struct report_value cell_time(int64_t local_ms);
struct report_value cell_none(void);
struct report_value cell_because(enum message_id word); /* none, and why */
/* The part of `of` in permyriad, rounded half up; none where `of` is 0. */
struct report_value cell_ratio(int64_t part, int64_t of);

enum report_drawing {
    DRAW_NOTHING,
    DRAW_BARS,   /* `drawn` of each row */
    DRAW_FUNNEL, /* the same, centred, one below the other */
    DRAW_TIME,   /* the rows follow each other in time: each column from `drawn` on by itself */
    DRAW_AGAINST /* `drawn` is a percentage of what was promised */
};

struct report_column {
    const char *id; /* of JSON */
    enum message_id head;
};

/* What does not depend on the figures. */
struct report_shape {
    const char *id;
    enum message_id section, title;
    enum message_id note; /* under the title; MESSAGES: none */
    enum report_drawing drawing;
    unsigned drawn;  /* column */
    unsigned labels; /* so many columns from the first on say what a row is */
    unsigned judged; /* 1 + column whose tone a drawing takes; 0: none */
    const struct report_column *columns;
    size_t column_count;
};

struct report_table {
    const struct report_shape *shape;
    struct report_value *cells; /* rows of column_count */
    size_t row_count, row_room;
};

/* A sentence above the tables; `{name}` of its text is the value. */
struct report_note {
    enum message_id id;
    bool headline; /* what a reader should see first */
    enum report_tone tone;
    struct report_hole {
        const char *name; /* the first without a name ends them */
        struct report_value value;
    } holes[5];
};

enum attribution { ATTRIBUTE_FIRST, ATTRIBUTE_LAST, ATTRIBUTE_LINEAR };
const char *attribution_name(enum attribution attribution); /* "first", "last", "linear" */
bool attribution_find(const char *name, enum attribution *attribution);

#define REPORT_TABLES_MAX 24
#define REPORT_NOTES_MAX 12

struct report {
    const char *agreement, *hash; /* name; lower-case hex */
    uint32_t version;
    const char *period;          /* its name: "2026-11"; "": it has none but its days */
    int32_t first_day, last_day; /* both included */
    int32_t counted_from;        /* INT32_MIN: always */
    int64_t now_local_ms;        /* UTC plus the zone's offset */
    bool running;                /* the period is not over */
    enum attribution attribution;
    int64_t too_few; /* {count} of a table's note */
    struct report_table tables[REPORT_TABLES_MAX];
    size_t table_count;
    struct report_note notes[REPORT_NOTES_MAX];
    size_t note_count;
    struct arena arena;
};

struct pact_sums;
struct spend_table;

struct report_input {
    const struct baton_agreement *agreement; /* with a pact */
    const struct pact_sums *sums;            /* of all units, all days that are kept */
    const struct spend_table *spend;         /* of all units */
    struct calendar_span span;
    const char *period; /* its name, or "" */
    int64_t now_ms;
    int32_t counted_from; /* on which counting began in all units; INT32_MIN: not known */
    enum attribution attribution;
    struct goal_since since;
    int64_t too_few; /* outcomes, or SQLs, of which nothing is concluded; REPORT_TOO_FEW */
};
#define REPORT_TOO_FEW 30

/* The whole report; a pure function. Texts are copied: nothing of the input is borrowed. */
void report_make(struct report *report, const struct report_input *input);

void report_init(struct report *report); /* without tables */
void report_fini(struct report *report);
struct report_table *report_add_table(struct report *report, const struct report_shape *shape);
/* The cells of one more row, all of them none; valid until the next row of this table. */
struct report_value *report_add_row(struct report *report, struct report_table *table);
struct report_note *report_add_note(struct report *report, enum message_id id);
const struct report_table *report_find(const struct report *report, const char *id);

/* `width` in characters of a terminal. All four write whole lines. */
void report_print_terminal(const struct report *report, struct speech *speech, unsigned width);
void report_print_markdown(const struct report *report, struct speech *speech);
/* One file that needs no other: no script, nothing from outside. */
void report_print_html(const struct report *report, struct speech *speech);
/* Tables and columns by their ids; the caller lets go of it. */
json_t *report_json(const struct report *report);

#endif
