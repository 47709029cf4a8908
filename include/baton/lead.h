/* What is kept of one lead, and its packed form.
 *
 * A lead holds tallies, never points: a score is computed from them and an agreement. It owns the
 * three arrays, which grow through the allocator that its owner gives; a lead is used by one
 * thread at a time. Free texts (pages, campaigns, channels, names of rules) are ids of a words
 * table that belongs to the unit. */
#ifndef BATON_LEAD_H
#define BATON_LEAD_H

#include <baton/agreement.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Memory for leads and words. `resize` returns NULL only when it cannot serve (the owner then
 * stops; what `old` points to stays as it was); new_size 0 frees. old_size is what was asked for
 * before, 0 with old == NULL. */
struct baton_allocator {
    void *(*resize)(void *context, void *old, size_t old_size, size_t new_size);
    void *context;
};

/* Texts by small numbers, append-only, bounded. Id 0 is the absent text, id 1 is "(other)": what
 * found no room. The same texts in the same order give the same ids. */
#define BATON_WORD_NONE 0u
#define BATON_WORD_OTHER 1u
/* Bytes kept of a word. Longer ones are cut: texts at a character's border, ids of rules at a
 * comma, so that no half id stands in a touch. */
#define BATON_WORD_MAX 200

enum baton_word_class {
    BATON_WORD_TEXT, /* pages, campaigns, channels: stops at capacity - capacity / 16 */
    BATON_WORD_RULES /* ids of rules, joined by commas: may use the rest */
};

struct baton_words {
    struct baton_allocator allocator;
    uint32_t capacity;        /* ids, the two fixed ones included */
    uint32_t count;           /* ids in use, the two fixed ones included */
    uint64_t overflowed;      /* how often a text found no room */
    struct baton_text *texts; /* by id; bytes owned by the table */
    uint32_t *slots;          /* open addressing over ids */
    uint32_t slot_count;
    uint32_t texts_room;
    bool starved; /* the allocator gave nothing: the ids are no longer those of the log */
};

void baton_words_init(struct baton_words *words, uint32_t capacity,
                      struct baton_allocator allocator);
void baton_words_fini(struct baton_words *words);
/* The id of a text, added if it is new and finds room. */
uint32_t baton_words_id(struct baton_words *words, struct baton_text text,
                        enum baton_word_class word_class);
/* The text of an id; "(other)" for id 1, empty for 0 and for ids that are not in use. */
struct baton_text baton_words_text(const struct baton_words *words, uint32_t id);
/* Puts back a stored word: ids must come in ascending order without a gap from 2. False if not. */
bool baton_words_restore(struct baton_words *words, uint32_t id, struct baton_text text);

/* How far a stage is within a generation: lead and recycled 0, mql 1, … rejected 5. Invariant of a
 * lead: within a generation the rank only grows; a change that would lower it, or leave it, begins
 * the next generation. So lead id, generation and stage name a transition for ever. */
unsigned baton_stage_rank(enum baton_stage stage);

#define BATON_RECENT_IDS 8

/* Limits of a lead. An agreement fits into them; only agreements of former days can fill them up.
 * When a new tally finds no room, the oldest one (first hit first) that the agreement in force does
 * not know is dropped; when a new property finds none, the one with the oldest event time among
 * those that the agreement does not name. */
#define BATON_TALLIES_MAX (2 * BATON_RULES_MAX)
#define BATON_PROFILE_MAX (BATON_PROFILE_FIELDS + BATON_PROPERTIES_MAX)

/* Matching events of a `while` rule on each of the newest days that one of them was on. */
struct baton_window {
    int32_t newest_day;                    /* as baton_bucket counts days */
    uint32_t counts[BATON_WHILE_DAYS_MAX]; /* [0]: newest_day, [1]: the day before, …; each stops
                                              at the rule's `times` */
};

/* Hits of one rule; in a lead they stand in the order of their first hit. Which parts are in use is
 * told by the rule; a tally whose rule is not in the agreement is kept and worth nothing. */
struct baton_tally {
    uint32_t rule_hash;
    int32_t rule;          /* its index in the agreement in force, -1: not in it; never stored */
    uint32_t count;        /* hits that counted, ever */
    int32_t bucket;        /* at_most: newest bucket seen … */
    uint32_t bucket_count; /* … hits counted in it … */
    uint32_t before_count; /* … and in the calendar bucket before */
    union {
        uint64_t weight;             /* half_life: decayed hits, 40 fractional bits, at weight_ms */
        struct baton_window *window; /* while: owned by the lead */
    };
    int64_t weight_ms;
    uint8_t parts; /* bit 0: bucket in use, bit 1: weight in use, bit 2: window in use */
};

struct baton_touch {
    int64_t time_ms;
    uint32_t page; /* word: page, or the form of a form fill */
    uint32_t campaign, channel;
    uint32_t rules; /* word: ids of the rules hit, joined by commas */
    uint8_t kind;   /* baton_event_kind */
    bool by_page;   /* a form fill without a form: `page` is its page */
};

/* One profile field: its value, or that it was removed (value empty), and as of when. */
struct baton_profile_value {
    int64_t time_ms;
    uint8_t field;          /* baton_profile_field */
    struct baton_text name; /* of a property */
    struct baton_text value;
    struct baton_text folded; /* shares the bytes of value where they are equal */
};

/* What sales has said in this generation. Texts are words. */
struct baton_sales {
    int64_t report_ms;  /* `at` of the last report */
    int64_t contact_ms; /* `at` of the first one from `contacted` on; 0: none */
    int64_t deal;       /* hundredths */
    uint32_t seller, reason, obstacle, currency;
    uint8_t report; /* baton_report: the last one that was allowed */
    bool has_deal;
};

#define BATON_MAIL_KINDS 6 /* from BATON_EMAIL_SENT on */
struct baton_mail {
    uint32_t counts[BATON_MAIL_KINDS];
    int64_t opened_ms, clicked_ms; /* newest; 0: never */
};

#define BATON_FORMS_MAX 4
struct baton_form {
    int64_t time_ms;
    uint32_t form;   /* word: the form, or the page of a form without a name */
    uint32_t fields; /* bit per baton_profile_field that it answered, and BATON_FORM_BY_PAGE */
};
#define BATON_FORM_BY_PAGE (1u << BATON_PROFILE_FIELDS) /* `form` is a page */

/* How an earlier generation went. */
#define BATON_EARLIER_MAX 4
struct baton_earlier {
    int64_t promoted_ms, ended_ms;
    uint32_t reason; /* word */
    uint16_t generation;
    uint8_t stage; /* the last one it was in */
};

/* A promise of sales on this lead. What came of it is told by clocks.h, as of a time. */
struct baton_clock {
    int64_t start_ms;    /* 0: it did not begin, and the rest is 0 */
    int64_t due_ms;      /* under the agreement that it began under */
    int64_t remind_ms;   /* 0: nobody is reminded */
    int64_t stop_ms;     /* event time at which it was kept or given up; 0: it runs */
    bool estimated;      /* when the promotion went out is not known: start_ms stands in for it */
    uint8_t stop_report; /* baton_report that stopped it; NONE: it runs, or that is not known */
};

/* When a shadow agreement would have promoted the lead. */
struct baton_shadowed {
    int64_t mql_ms, sql_ms, live_ms; /* 0: not yet; live_ms: the agreement in force did */
    uint32_t of;                     /* low half of the shadow's hash */
};

/* What only some leads have. One piece of memory, and the texts it points to. */
#define BATON_ALIASES_MAX 255 /* newest kept */
struct baton_history {
    int64_t sql_ms;   /* event time at which it became sql in this generation; 0: it did not */
    int64_t stage_ms; /* … entered its stage, where that is neither lead nor mql */
    int32_t adjusted; /* points given by hand, saturated at ±BATON_SCORE_MAX */
    uint8_t form_count, earlier_count, alias_count;
    struct baton_sales sales;
    struct baton_mail mail;
    struct baton_form forms[BATON_FORMS_MAX];        /* newest first */
    struct baton_earlier earlier[BATON_EARLIER_MAX]; /* newest first */
    struct baton_text *aliases; /* ids that were merged into this one; room for alias_count */
    struct baton_text into;     /* LEAD_MERGED: who it is now */
    struct baton_clock clocks[BATON_CLOCKS]; /* of this generation */
    uint16_t reports_seen;                   /* bit per baton_report, of this generation */
    bool indexed; /* the store may have a timer of it; derived, never stored … */
    bool timed;   /* … and so has the memory of its unit */
    struct baton_shadowed shadow;
};

enum baton_lead_flags {
    BATON_LEAD_MERGED = 1, /* given up: `history->into` tells for whom; it holds nothing else */
    BATON_LEAD_EMPTIED =
        2,                /* erased or forgotten: to be removed from the store; it holds nothing */
    BATON_LEAD_ERASED = 4 /* a person of this id was erased: what is older than that is dropped */
};

/* The size is watched: see lead_table.h. `history` stands for every stage from sql on, recycled
 * included. */
struct baton_lead {
    int64_t applied; /* position that it is folded up to: the offset after its newest folded event,
                        or later */
    int64_t newest_ms;    /* newest event time */
    int64_t first_ms;     /* oldest event time */
    int64_t stage_offset; /* position of the event that made it enter its stage; -1: none did */
    int64_t mql_ms;       /* event time at which it became mql in this generation; 0: it did not */
    int64_t first_channel_ms, last_channel_ms;
    uint32_t first_channel, last_channel; /* words */
    uint32_t events;
    uint32_t conversions;
    uint16_t generation; /* from 1 */
    uint8_t stage;       /* baton_stage */
    uint8_t recent_count;
    int32_t fit_points; /* sum of the fit rules that hold, its persona's included; derived, never
                           stored */
    uint64_t recent[BATON_RECENT_IDS]; /* 56 bits of XXH64 of ids, newest first */
    struct baton_tally *tallies;
    struct baton_touch *touches;         /* newest first */
    struct baton_profile_value *profile; /* by field, then by the bytes of the name */
    struct baton_history *history;       /* NULL: nothing of it */
    uint16_t tally_count, tally_room;
    uint16_t touch_count, touch_room;
    uint16_t profile_count, profile_room;
    uint16_t persona; /* 1 + index of the one that fits best, 0: none; derived, never stored */
    uint8_t flags;    /* baton_lead_flags */
};

/* A lead that nothing is known of: stage lead, generation 1. Allocates nothing. */
void baton_lead_init(struct baton_lead *lead);
void baton_lead_fini(struct baton_lead *lead, struct baton_allocator *allocator);

/* Event time at which it entered its stage; 0 for stage lead. */
int64_t baton_lead_stage_ms(const struct baton_lead *lead);
/* … at which it became sql in this generation; 0: it did not. */
int64_t baton_lead_sql_ms(const struct baton_lead *lead);
/* The lead's history, made if there is none; NULL if there is no memory. */
struct baton_history *baton_lead_history(struct baton_lead *lead,
                                         struct baton_allocator *allocator);

/* Makes the derived parts (indexes of rules, fit) fit an agreement: after unpack, and when the
 * agreement changes. Touches beyond those that it keeps are dropped by the lead's next event. */
void baton_lead_attach(struct baton_lead *lead, const struct baton_agreement *agreement);

/* Packed form: version byte, checksum, then the parts in a fixed order; no pointers, no padding,
 * the same on every machine. `applied` is written in place of the lead's own. The greatest size is
 * that of a lead with all limits reached; a usual one takes 80 to 500 bytes. */
#define BATON_LEAD_PACKED_MAX (1024 * 1024)
/* An upper bound of what pack needs for this lead. */
size_t baton_lead_pack_bound(const struct baton_lead *lead);
/* Returns the size written; the room must be at least the bound. */
size_t baton_lead_pack(const struct baton_lead *lead, int64_t applied, uint8_t *room);
/* Size of the whole packed form, read from its first bytes (at least 16, or all there are); 0: not
 * one. It stands at the same place in every version. */
size_t baton_lead_packed_size(const uint8_t *bytes, size_t size);
/* newest_ms of a packed form, read from its first bytes (at least 32, or all there are) without a
 * look at the checksum; it, too, stands at the same place in every version. False: not one. */
bool baton_lead_packed_newest(const uint8_t *bytes, size_t size, int64_t *newest_ms);
/* Which baton_lead_flags it has, read from its first bytes (at least 32, or all there are) and not
 * checked: for lists. */
uint8_t baton_lead_packed_flags(const uint8_t *bytes, size_t size);
enum baton_unpack { BATON_UNPACKED, BATON_DAMAGED, BATON_UNKNOWN_VERSION, BATON_NO_MEMORY };
/* Fills an initialised lead; what does not unpack leaves it as initialised. Attach it before use.
 * Bytes beyond the packed size are an error here. Words it refers to must be < words_count. */
enum baton_unpack baton_lead_unpack(struct baton_lead *lead, const uint8_t *bytes, size_t size,
                                    uint32_t words_count, struct baton_allocator *allocator);

#ifdef __cplusplus
}
#endif
#endif
