/* The agreement as the fold reads it: rules compiled to tables, gates, limits, the zone.
 *
 * It is built once (by the agreement's parser, or by hand) and then only read, by any number of
 * threads. All memory belongs to its builder. Texts of conditions on the profile are folded
 * (no case, no accents), those on events are in lower ASCII case, those on `page` as written. */
#ifndef BATON_AGREEMENT_H
#define BATON_AGREEMENT_H

#include <baton/pact.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BATON_RULES_MAX 1000       /* fit rules, and behaviour rules */
#define BATON_PROPERTIES_MAX 64    /* free properties that an agreement may name */
#define BATON_POINTS_MAX 10000     /* points of a rule, either sign */
#define BATON_SCORE_MAX 1000000    /* points; a score saturates there, either sign */
#define BATON_NUMBER_SCALE 1000000 /* a number in a condition is kept in millionths */
#define BATON_TOUCHES_MAX 32
#define BATON_WHILE_DAYS_MAX 31
#define BATON_PERSONAS_MAX 16
#define BATON_ROUTES_MAX 64
#define BATON_ROUTE_NAMES_MAX 64
#define BATON_REASONS_MAX 200
#define BATON_HALF_LIFE_MAX_MS (INT64_C(3660) * 86400000)

enum baton_match {
    BATON_MATCH_EQUAL,    /* one of `texts` is the whole value */
    BATON_MATCH_GLOB,     /* one of `texts` matches, `*` being any run of characters */
    BATON_MATCH_CONTAINS, /* one of `texts` is part of the value */
    BATON_MATCH_RANGE,    /* the value is a number from `from` to `to` */
    BATON_MATCH_KNOWN,    /* present and not empty */
    BATON_MATCH_ALL,      /* all `children` hold */
    BATON_MATCH_ANY,      /* one of `children` holds */
};

/* A tree: ALL and ANY have children, every other is a test of one field.
 * A list of values that mixes plain texts and globs is one GLOB: a text without `*` is equal. */
struct baton_condition {
    enum baton_match match;
    bool negate;   /* true where the test is false or the field unknown */
    uint8_t field; /* baton_event_field in a behaviour rule, baton_profile_field elsewhere */
    struct baton_text name; /* of the answer or property that `field` calls for */
    const struct baton_text *texts;
    uint32_t text_count;
    int64_t from, to; /* millionths; INT64_MIN and INT64_MAX where left out */
    const struct baton_condition *children;
    uint32_t child_count;
};

enum baton_period {
    BATON_PER_NONE,
    BATON_PER_HOUR,
    BATON_PER_DAY,
    BATON_PER_WEEK,
    BATON_PER_MONTH,
    BATON_PER_EVER
};

struct baton_behaviour_rule {
    struct baton_text id;
    uint32_t hash; /* of id and meaning; what tallies are kept under */
    enum baton_event_kind kind;
    struct baton_condition where; /* ALL without children where the rule has none */
    int32_t points;
    uint32_t cap_times; /* at_most; 0 with BATON_PER_NONE */
    enum baton_period cap_period;
    int64_t half_life_ms; /* 0: none */
    uint32_t while_times; /* while; 0: the rule counts hits */
    uint32_t while_days;  /* 1 to BATON_WHILE_DAYS_MAX */
};

struct baton_fit_rule {
    struct baton_text id;
    struct baton_condition where;
    int32_t points;
};

#define BATON_NO_LIMIT INT32_MAX

/* Thresholds in points, inclusive; BATON_NO_THRESHOLD where the gate does not name one.
 * Needs are indexes of behaviour rules. */
#define BATON_NO_THRESHOLD INT32_MIN
struct baton_gate {
    int32_t score, fit, behaviour;
    const uint16_t *needs_one_of;
    uint32_t needs_one_count; /* 0: needs none */
    const uint16_t *needs_all_of;
    uint32_t needs_all_count;
};

/* A named kind of buyer. Of a lead it is the one whose rules give most, more than nothing, and at a
 * tie the first. */
struct baton_persona {
    struct baton_text id;
    const struct baton_fit_rule *fit;
    uint32_t fit_count;
    bool has_mql, has_sql; /* gates of its own, in place of the agreement's */
    struct baton_gate mql, sql;
};

/* Whom a promotion goes to: the first that matches; more than one name take turns. */
struct baton_route {
    struct baton_condition where; /* ALL without children where it has none */
    uint16_t persona;             /* 1 + index that the lead must be; 0: any */
    const struct baton_text *to;
    uint32_t to_count;
};

/* Local time = UTC + offset of the last entry whose `from_ms` ≤ time; the first entry's `from_ms`
 * is INT64_MIN. The table is made from the system's tz database when the agreement is loaded and
 * travels with it, so that another host with other data folds alike. */
struct baton_zone_offset {
    int64_t from_ms;
    int32_t offset_s;
};

struct baton_agreement {
    struct baton_text name;
    uint32_t version;
    struct baton_text hash; /* lower-case hex */
    int64_t effective_ms,
        expires_ms; /* in force from (included) to (excluded); the rules count outside, too */
    const struct baton_zone_offset *zone;
    uint32_t zone_count; /* at least 1 */
    const struct baton_behaviour_rule *behaviour;
    uint32_t behaviour_count;
    /* behaviour rules of kind k: indexes by_kind[kind_start[k]] … by_kind[kind_start[k + 1] - 1],
     * ascending */
    const uint16_t *by_kind;
    uint32_t kind_start[BATON_EVENT_KINDS + 1];
    /* rule of a hash: open addressing, size a power of two, entries = index + 1, 0 = free,
     * slot = hash & mask; NULL: every rule is looked at */
    const uint16_t *by_hash;
    uint32_t by_hash_mask;
    const struct baton_fit_rule *fit;
    uint32_t fit_count;
    int32_t limit_behaviour, limit_fit; /* points; BATON_NO_LIMIT */
    struct baton_gate mql, sql;
    const struct baton_condition *never; /* each item blocks the SQL stage while it holds */
    uint32_t never_count;
    uint32_t share; /* bit per baton_profile_field that a promotion may carry */
    const struct baton_text *share_properties;
    uint32_t share_property_count;
    const struct baton_text
        *properties;         /* free properties that any condition or `share` names: kept */
    uint32_t property_count; /* at most BATON_PROPERTIES_MAX */
    uint32_t touches;        /* kept per lead, 0 to BATON_TOUCHES_MAX */
    const struct baton_persona *personas;
    uint32_t persona_count;
    const struct baton_route *routes;
    uint32_t route_count;
    int64_t recycle_after_ms;         /* 0: rejected leads stay rejected */
    int32_t recycle_score;            /* added to the SQL gate's score for each generation before */
    const struct baton_text *reasons; /* of a rejection, without case and accents */
    uint32_t reason_count;            /* 0: any text, or none */
    int64_t forget_ms;                /* 0: never */
    bool ignore_bots;
    const struct baton_text *ignore_agents; /* patterns, ASCII letters lower */
    uint32_t ignore_agent_count;
    const struct baton_pact *pact; /* NULL: nothing is promised */
};

/* The texts of an event that a fold under this agreement looks at: bit per baton_event_field. What
 * an event says elsewhere changes nothing, but for the page of a form fill without a form: it
 * stands for the form under every agreement. */
uint32_t baton_agreement_fields(const struct baton_agreement *agreement);
/* Those among them that rules and `ignore` look at: the others are only kept, to be told. */
uint32_t baton_agreement_rule_fields(const struct baton_agreement *agreement);
/* Index of the behaviour rule with this hash, or -1. */
int32_t baton_agreement_rule(const struct baton_agreement *agreement, uint32_t hash);

#ifdef __cplusplus
}
#endif
#endif
