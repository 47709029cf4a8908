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

enum baton_stage { BATON_LEAD, BATON_MQL, BATON_SQL, BATON_STAGES };
const char *baton_stage_name(enum baton_stage stage); /* "lead", "mql", "sql" */

#define BATON_RECENT_IDS 8

/* Limits of a lead. An agreement fits into them; only agreements of former days can fill them up.
 * When a new tally finds no room, the oldest one (first hit first) that the agreement in force does
 * not know is dropped; when a new property finds none, the one with the oldest event time among
 * those that the agreement does not name. */
#define BATON_TALLIES_MAX (2 * BATON_RULES_MAX)
#define BATON_PROFILE_MAX (BATON_PROFILE_FIELDS + BATON_PROPERTIES_MAX)

/* Hits of one rule; in a lead they stand in the order of their first hit. Which parts are in use is
 * told by the rule; a tally whose rule is not in the agreement is kept and worth nothing. */
struct baton_tally {
    uint32_t rule_hash;
    int32_t rule;          /* its index in the agreement in force, -1: not in it; never stored */
    uint32_t count;        /* hits that counted, ever */
    int32_t bucket;        /* at_most: newest bucket seen … */
    uint32_t bucket_count; /* … hits counted in it … */
    uint32_t before_count; /* … and in the calendar bucket before */
    uint64_t weight;       /* half_life: decayed hits, 40 fractional bits, at weight_ms */
    int64_t weight_ms;
    uint8_t parts; /* bit 0: bucket in use, bit 1: weight in use */
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

struct baton_lead {
    int64_t applied; /* position that it is folded up to: the offset after its newest folded event,
                        or later */
    int64_t newest_ms; /* newest event time */
    int64_t stage_ms;  /* event time at which it entered its stage; 0 for stage lead */
    int64_t mql_ms, sql_ms;
    int64_t first_channel_ms, last_channel_ms;
    uint32_t first_channel, last_channel; /* words */
    uint32_t events;
    uint32_t conversions;
    uint16_t generation; /* from 1 */
    uint8_t stage;       /* baton_stage */
    uint8_t recent_count;
    uint64_t recent[BATON_RECENT_IDS]; /* 56 bits of XXH64 of ids, newest first */
    int64_t fit_points;                /* sum of the fit rules that hold; derived, never stored */
    struct baton_tally *tallies;
    struct baton_touch *touches;         /* newest first */
    struct baton_profile_value *profile; /* by field, then by the bytes of the name */
    uint16_t tally_count, tally_room;
    uint16_t touch_count, touch_room;
    uint16_t profile_count, profile_room;
};

/* A lead that nothing is known of: stage lead, generation 1. Allocates nothing. */
void baton_lead_init(struct baton_lead *lead);
void baton_lead_fini(struct baton_lead *lead, struct baton_allocator *allocator);

/* Makes the derived parts (indexes of rules, fit) fit an agreement: after unpack, and when the
 * agreement changes. Touches beyond those that it keeps are dropped by the lead's next event. */
void baton_lead_attach(struct baton_lead *lead, const struct baton_agreement *agreement);

/* Packed form: version byte, checksum, then the parts in a fixed order; no pointers, no padding,
 * the same on every machine. `applied` is written in place of the lead's own. The greatest size is
 * that of a lead with all limits reached; a usual one takes 80 to 500 bytes. */
#define BATON_LEAD_PACKED_MAX (512 * 1024)
/* An upper bound of what pack needs for this lead. */
size_t baton_lead_pack_bound(const struct baton_lead *lead);
/* Returns the size written; the room must be at least the bound. */
size_t baton_lead_pack(const struct baton_lead *lead, int64_t applied, uint8_t *room);
/* Size of the whole packed form, read from its first bytes (at least 16, or all there are); 0: not
 * one. It stands at the same place in every version. */
size_t baton_lead_packed_size(const uint8_t *bytes, size_t size);
enum baton_unpack { BATON_UNPACKED, BATON_DAMAGED, BATON_UNKNOWN_VERSION, BATON_NO_MEMORY };
/* Fills an initialised lead; what does not unpack leaves it as initialised. Attach it before use.
 * Bytes beyond the packed size are an error here. Words it refers to must be < words_count. */
enum baton_unpack baton_lead_unpack(struct baton_lead *lead, const uint8_t *bytes, size_t size,
                                    uint32_t words_count, struct baton_allocator *allocator);

#ifdef __cplusplus
}
#endif
#endif
