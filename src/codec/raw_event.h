/* What a message says, before any check: the meeting point of the Avro and the JSON reader. */
#ifndef CODEC_RAW_EVENT_H
#define CODEC_RAW_EVENT_H

#include "base/arena.h"

#include <baton/event.h>

#include <string.h>

/* What a field of a message can be for. The first ones are texts. */
enum target {
    TARGET_EVENT_ID,
    TARGET_LEAD_ID,
    TARGET_PAGE,
    TARGET_URL,
    TARGET_REFERRER,
    TARGET_CHANNEL,
    TARGET_CAMPAIGN,
    TARGET_SESSION,
    TARGET_USER_AGENT,
    TARGET_TARGET,
    TARGET_FORM,
    TARGET_PROFILE, /* the profile fields, in the order of baton_profile_field */
    TARGET_TEXTS = TARGET_PROFILE + BATON_PROFILE_FIELDS,
    TARGET_TIME = TARGET_TEXTS,
    TARGET_KIND,
    TARGET_FIELDS,
    TARGET_PROPERTIES,
    /* Texts again: of what is said of a lead (event_details.c), looked at for those kinds only. */
    TARGET_RARE,
    TARGET_REPORT = TARGET_RARE,
    TARGET_VERDICT,
    TARGET_GENERATION,
    TARGET_AT,
    TARGET_SELLER,
    TARGET_REASON,
    TARGET_OBSTACLE,
    TARGET_NOTE,
    TARGET_DEAL_VALUE,
    TARGET_DEAL_CURRENCY,
    TARGET_BY,
    TARGET_POINTS,
    TARGET_STAGE,
    TARGET_INTO,
    TARGET_FROM,
    TARGET_STATE, /* bytes */
    TARGET_ARRIVED,
    TARGET_PERIOD,
    TARGET_AMOUNT,
    TARGET_CURRENCY,
    TARGETS,
    TARGET_NONE = TARGETS
};

static inline bool target_is_rare(enum target target)
{
    return target >= TARGET_RARE && target < TARGETS;
}
static inline bool target_is_text(enum target target)
{
    return target < TARGET_TEXTS || target_is_rare(target);
}

/* A form's field or a free property. value.size 0: null or empty. */
struct raw_entry {
    struct baton_text name, value;
};

struct raw_entries {
    struct raw_entry *items; /* from the arena */
    uint32_t count, room;
};

#define RAW_NO_KIND (-1)

struct raw_event {
    struct baton_text texts[TARGET_TEXTS]; /* size 0: absent, null or empty. Ids may not be UTF-8 */
    uint32_t mentioned;          /* bit per profile field: given, null and empty included */
    int kind;                    /* baton_event_kind, or RAW_NO_KIND */
    struct baton_text kind_text; /* as written */
    bool has_time;               /* a time that is one */
    int64_t time_ms;
    struct raw_entries fields, properties;
    uint32_t wanted; /* fields of the event that need be filled: bit per baton_event_field */
    uint32_t unread; /* bit per target that none of them needs */
    struct baton_text unread_page;                 /* as it came: it may not be UTF-8 */
    uint32_t rare_given;                           /* bit per rare target */
    struct baton_text rare[TARGETS - TARGET_RARE]; /* of those given; the others are not set */
};

#define RAW_ALL_FIELDS UINT32_MAX

void raw_event_init(struct raw_event *raw, uint32_t wanted, uint32_t unread);
/* The targets that none of these fields needs: for raw_event_init. */
uint32_t raw_event_unread(uint32_t wanted);
/* … and none of events of this kind (RAW_NO_KIND: it is told by the message) for anything else. */
uint32_t raw_event_unread_of(uint32_t wanted, int kind);
/* Takes a text for a target, if it is UTF-8 (ids: in any case). */
void raw_event_set(struct raw_event *raw, enum target target, struct baton_text text);
/* What was given for a rare target, or an empty text. */
struct baton_text raw_event_rare(const struct raw_event *raw, enum target target);
/* The target's field is there, and null. */
void raw_event_set_null(struct raw_event *raw, enum target target);
/* Forgets what a target was given before. */
void raw_event_clear(struct raw_event *raw, enum target target);
void raw_event_set_time(struct raw_event *raw, int64_t time_ms);

/* Entries whose name or value is not UTF-8 are as if not there. */
void raw_entries_add(struct raw_entries *entries, struct arena *arena, struct baton_text name,
                     struct baton_text value);
/* Does a name stand twice? If so and `drop` is set, the later ones are taken out. */
bool raw_entries_repeat(struct raw_entries *entries, struct arena *arena, bool drop);

/* text_is_utf8 with a short way for ASCII. */
bool raw_text_is_utf8(struct baton_text text);

static inline bool text_equal(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline struct baton_text text_from(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

#endif
