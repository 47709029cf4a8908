/* One thing that a lead did or that became known of it, as the fold sees it.
 *
 * An event owns nothing: every text is borrowed from the message it was read from or from the
 * scratch memory of its batch, and lives as long as they do. Times are milliseconds since
 * 1970-01-01T00:00Z. Texts are UTF-8 and not terminated by NUL; size 0 means absent. */
#ifndef BATON_EVENT_H
#define BATON_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BATON_ID_MAX 256    /* bytes of a lead id or an event id */
#define BATON_TEXT_MAX 1024 /* bytes of any other text that is kept or compared */
#define BATON_FOLDED_MAX                                                                           \
    (3 * BATON_TEXT_MAX) /* bytes of a text without case and accents: folding can lengthen it */
#define BATON_TIME_MAX_MS 253402300799999 /* the end of the year 9999 */

struct baton_text {
    const char *data;
    uint32_t size;
};

enum baton_event_kind {
    BATON_VISIT,
    BATON_CLICK,
    BATON_FORM_FILL,
    BATON_EMAIL_SENT,
    BATON_EMAIL_DELIVERED,
    BATON_EMAIL_OPENED,
    BATON_EMAIL_CLICKED,
    BATON_EMAIL_BOUNCED,
    BATON_EMAIL_UNSUBSCRIBED,
    BATON_PROFILE,
    /* What is said of a lead; rules look at none of these. */
    BATON_FEEDBACK,
    BATON_ADJUST,
    BATON_MERGE,
    BATON_ERASE,
    /* What baton writes itself. */
    BATON_RECHECK,
    BATON_TRANSFER,
    BATON_PUBLISHED, /* a promotion went out: the clocks of sales begin to run */
    /* Of a unit, and of no lead. */
    BATON_SPEND,  /* what a channel or campaign cost; the only one of these that others write */
    BATON_TICK,   /* the time goes on where nothing happens */
    BATON_JUDGED, /* how a goal, or a date, stands */
    BATON_EVENT_KINDS
};

/* Is it what a lead does or is, and not what somebody says of it? */
static inline bool baton_kind_is_own(enum baton_event_kind kind)
{
    return kind <= BATON_PROFILE;
}

/* Is it of a unit? Its lead id is empty, and no lead is loaded for it. */
static inline bool baton_kind_is_of_unit(enum baton_event_kind kind)
{
    return kind >= BATON_SPEND;
}

/* In the order of their numbers, which are stored. */
enum baton_stage {
    BATON_LEAD,
    BATON_MQL,
    BATON_SQL,
    BATON_ACCEPTED,
    BATON_CUSTOMER,
    BATON_REJECTED,
    BATON_RECYCLED,
    BATON_STAGES
};

/* What sales reports; the numbers are stored. */
enum baton_report {
    BATON_REPORT_NONE,
    BATON_REPORT_ASSIGNED,
    BATON_REPORT_CONTACTED,
    BATON_REPORT_MEETING,
    BATON_REPORT_PROPOSAL,
    BATON_REPORT_ACCEPTED,
    BATON_REPORT_NEGOTIATING,
    BATON_REPORT_CUSTOMER,
    BATON_REPORT_REJECTED,
    BATON_REPORT_CHURNED,
    BATON_REPORTS
};

/* The texts of an event that a rule's `where` may name. */
enum baton_event_field {
    BATON_PAGE,
    BATON_URL,
    BATON_HOST,
    BATON_REFERRER,
    BATON_CHANNEL,
    BATON_CAMPAIGN,
    BATON_SESSION,
    BATON_USER_AGENT,
    BATON_TARGET,
    BATON_FORM,
    BATON_UTM_SOURCE,
    BATON_UTM_MEDIUM,
    BATON_UTM_CAMPAIGN,
    BATON_UTM_TERM,
    BATON_UTM_CONTENT,
    BATON_EVENT_FIELDS,
    BATON_FORM_ANSWER = BATON_EVENT_FIELDS /* `field.NAME`: looked up by name */
};

enum baton_profile_field {
    BATON_NAME,
    BATON_EMAIL,
    BATON_PHONE,
    BATON_COMPANY,
    BATON_JOB_TITLE,
    BATON_AGE,
    BATON_EMPLOYEES,
    BATON_SECTOR,
    BATON_SEGMENT,
    BATON_COUNTRY,
    BATON_CONSENT,
    BATON_PROFILE_FIELDS,
    BATON_PROPERTY = BATON_PROFILE_FIELDS, /* `properties.NAME`: looked up by name */
    BATON_EMAIL_DOMAIN /* only in conditions: what follows the last @ of the e-mail */
};

/* A form's field: what was asked and what was answered. */
struct baton_answer {
    struct baton_text name;
    struct baton_text value;
};

/* A profile field that the event mentions. An empty `value` removes the field. */
struct baton_profile_update {
    enum baton_profile_field field;
    struct baton_text name;   /* of a property; else empty */
    struct baton_text value;  /* as written */
    struct baton_text folded; /* without case and accents; what rules compare with */
};

#define BATON_DEAL_MAX INT64_C(100000000000000) /* hundredths: a million millions */

/* Detail of a `feedback`. */
struct baton_feedback {
    enum baton_report report; /* never NONE */
    uint16_t generation;      /* that it speaks of; 0: the present one */
    int64_t at_ms;            /* when it happened; the event's time where it is not said */
    struct baton_text seller, reason, reason_folded, obstacle, note;
    bool has_deal;
    int64_t deal; /* hundredths */
    struct baton_text currency;
};

/* Detail of an `adjust`: points, a stage, or both. */
struct baton_adjustment {
    struct baton_text by, reason; /* never empty */
    int32_t points;
    bool has_stage;
    enum baton_stage stage;
};

/* Detail of a `merge`: the event's lead is given up, and is `into` from now on. */
struct baton_merge {
    struct baton_text into, by;
};

/* Detail of an `erase`: of all ids of the person, unless it came by baton's own hand. */
struct baton_erasure {
    struct baton_text by, reason;
};

/* Detail of a `transfer`: what was known of a lead that was merged into this one. */
struct baton_transfer {
    struct baton_text from;
    struct baton_text state; /* bytes; src/domain/lead_portable.h */
    int64_t clock_ms;        /* up to when the clocks in it were told of; 0: it is not said */
    int64_t arrived_ms;      /* when the merge arrived: up to then they are counted */
};

/* Detail of a `published`: the event's time is the moment at which the promotion went out. */
struct baton_publication {
    uint16_t generation; /* of the promotion */
};

/* Detail of a `spend`: what a channel, or one campaign of it, cost in a period. The newest
 * statement of the same channel, campaign, period and currency stands. */
struct baton_spend {
    struct baton_text channel;
    struct baton_text campaign; /* empty: the channel's, and of none of its campaigns */
    int32_t first_day, end_day; /* local dates, [first, end), in days since 1970-01-01 */
    struct baton_text period;   /* as written */
    int64_t amount;             /* hundredths, not negative */
    struct baton_text currency;
};

/* Detail of a `judged`. */
struct baton_judgement_event {
    struct baton_text state; /* bytes; the judgement, packed */
};

/* Of an event that did not come straight from its writer: baton passed it on, or wrote it. */
#define BATON_TRAIL_MAX 32
struct baton_hop {
    const struct baton_text *trail; /* ids that it was passed on from, the first one first */
    uint32_t trail_count;
    bool own; /* baton wrote it */
};

struct baton_event {
    enum baton_event_kind kind;
    struct baton_text event_id;
    struct baton_text lead_id;
    int64_t time_ms;
    int64_t offset; /* its position in the partition */
    struct baton_text fields[BATON_EVENT_FIELDS];
    const struct baton_answer *answers;
    uint32_t answer_count;
    const struct baton_profile_update *updates;
    uint32_t update_count;
    union { /* by kind; unset for what a lead does or is, for a `recheck` and a `tick` */
        const struct baton_feedback *feedback;
        const struct baton_adjustment *adjustment;
        const struct baton_merge *merge;
        const struct baton_erasure *erasure;
        const struct baton_transfer *transfer;
        const struct baton_publication *publication;
        const struct baton_spend *spend;
        const struct baton_judgement_event *judgement;
    };
    const struct baton_hop *hop; /* NULL for most */
};

/* "visit", "form_fill", …; never NULL for a kind below BATON_EVENT_KINDS. */
const char *baton_event_kind_name(enum baton_event_kind kind);
const char *baton_stage_name(enum baton_stage stage); /* "lead", "mql", "sql", … */
/* "assigned", …; NULL for NONE. */
const char *baton_report_name(enum baton_report report);
/* "page", "utm_source", …; NULL for BATON_FORM_ANSWER. */
const char *baton_event_field_name(enum baton_event_field field);
/* "job_title", …, "email_domain"; NULL for BATON_PROPERTY. */
const char *baton_profile_field_name(enum baton_profile_field field);

#ifdef __cplusplus
}
#endif
#endif
