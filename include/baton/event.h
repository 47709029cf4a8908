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
    BATON_EVENT_KINDS
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
};

/* "visit", "form_fill", …; never NULL for a kind below BATON_EVENT_KINDS. */
const char *baton_event_kind_name(enum baton_event_kind kind);
/* "page", "utm_source", …; NULL for BATON_FORM_ANSWER. */
const char *baton_event_field_name(enum baton_event_field field);
/* "job_title", …, "email_domain"; NULL for BATON_PROPERTY. */
const char *baton_profile_field_name(enum baton_profile_field field);

#ifdef __cplusplus
}
#endif
#endif
