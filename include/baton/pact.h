/* What marketing and sales promised each other, as far as a program can watch it: goals, and the
 * times within which sales answers. It is part of an agreement, built with it and only read.
 *
 * Days are local dates of the agreement's zone, counted from 1970-01-01. */
#ifndef BATON_PACT_H
#define BATON_PACT_H

#include <baton/event.h>

#ifdef __cplusplus
extern "C" {
#endif

enum baton_span {
    BATON_SPAN_WORKING_DAY, /* with the days off right before it */
    BATON_SPAN_DAY,
    BATON_SPAN_WEEK, /* from Monday */
    BATON_SPAN_MONTH,
    BATON_SPAN_QUARTER,
    BATON_SPAN_YEAR,
    BATON_SPANS,
    BATON_SPAN_NONE = BATON_SPANS
};

enum baton_promise_unit { BATON_ELAPSED, BATON_WORKING_HOURS, BATON_WORKING_DAYS };
struct baton_promise {
    enum baton_promise_unit unit;
    int64_t amount; /* ms, hours or days; 0: nothing is promised */
};

/* When sales works. */
struct baton_hours {
    bool given;                     /* false: the rest is not set */
    uint8_t days;                   /* bit 0: Monday; at least one */
    int32_t from_minute, to_minute; /* of the local day, from < to ≤ 24 × 60 */
    const int32_t *holidays;        /* ascending, once each */
    uint32_t holiday_count;
};

/* The numbers are stored. */
enum baton_clock_id { BATON_CLOCK_CONTACT, BATON_CLOCK_VERDICT, BATON_CLOCK_UPDATE, BATON_CLOCKS };

struct baton_clock_rule {
    struct baton_promise within; /* amount 0: this clock is not promised */
    struct baton_promise remind; /* so long before it is due */
    struct baton_text owner, escalate_to;
};

enum baton_measure {
    BATON_GOAL_SQLS,
    BATON_GOAL_MQLS,
    BATON_GOAL_CUSTOMERS,
    BATON_GOAL_REVENUE,
    BATON_GOAL_MEETING_RATE,
    BATON_GOAL_PROPOSALS,
    BATON_GOAL_SALES_CYCLE,
    BATON_GOAL_CONTACT_KEPT,
    BATON_GOAL_CHURN,
    BATON_GOAL_EMAIL_CLICKS,
    BATON_GOAL_CONVERSION,
    BATON_GOAL_MEASURES
};

enum baton_side { BATON_MARKETING, BATON_SALES, BATON_BOTH };

/* All that is judged, what follows from other goals included. */
struct baton_goal {
    struct baton_text id; /* "customers", "conversion", "delivery", or the goal's own */
    enum baton_measure measure;
    bool at_most;   /* else at least */
    int64_t amount; /* hundredths: of a count, per cent, a day, a currency unit; of CONVERSION
                       one_in × 100 */
    struct baton_text currency; /* of REVENUE */
    enum baton_span per;
    enum baton_side side;
    struct baton_text owner;
    int64_t judge_after_ms; /* of CONVERSION */
};

struct baton_pact {
    struct baton_hours hours;
    struct baton_clock_rule clocks[BATON_CLOCKS];
    bool has_clocks;                /* one of them is promised */
    const struct baton_goal *goals; /* customers, conversion, delivery, others: in this order */
    uint32_t goal_count;
    enum baton_span review_every, meeting_every; /* BATON_SPAN_NONE: no such date */
    int32_t review_next;                         /* day; INT32_MIN: none is named */
    struct baton_text review_owner;
};

/* "first_contact", "verdict", "next_update" */
const char *baton_clock_name(enum baton_clock_id clock);
/* "sqls", "mqls", "customers", "revenue", "meeting_rate", "proposals", "sales_cycle",
 * "first_contact_kept", "churn", "email_clicks", "conversion" */
const char *baton_measure_name(enum baton_measure measure);
/* "working day", "day", "week", …; NULL for NONE. */
const char *baton_span_name(enum baton_span span);
/* "marketing", "sales", "both" */
const char *baton_side_name(enum baton_side side);

#ifdef __cplusplus
}
#endif
#endif
