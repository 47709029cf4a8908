/* What both sides are measured by: cells per local day, of one unit. One thread at a time.
 *
 * All that is kept follows from the cells that are not 0, so that counters that were packed and
 * unpacked go on as those that were not: a value is known, and takes room, while one of its cells
 * is not 0. */
#ifndef PACT_COUNTERS_H
#define PACT_COUNTERS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is counted. The numbers are stored. */
enum pact_measure {
    PACT_LEADS,
    PACT_MQL,
    PACT_SQL,
    PACT_ACCEPTED,
    PACT_CUSTOMER,
    PACT_REJECTED,
    PACT_RECYCLED,
    PACT_CHURNED,
    PACT_ASSIGNED,
    PACT_CONTACTED,
    PACT_MEETING,
    PACT_PROPOSAL,
    PACT_NEGOTIATING,
    PACT_EMAIL_CLICKED,
    PACT_FORMS,
    PACT_KEPT, /* second: baton_clock_id */
    PACT_BROKEN,
    PACT_REVENUE,         /* hundredths; second: word of the currency */
    PACT_COHORT_CUSTOMER, /* on the day of the SQL; second: whole days until customer */
    PACT_DAYS_CONTACT,    /* since SQL; second: whole days */
    PACT_DAYS_PROPOSAL,
    PACT_DAYS_CUSTOMER,
    PACT_RULE_LEADS,
    PACT_RULE_SQL,
    PACT_RULE_WON,
    PACT_RULE_LOST,
    PACT_WON,
    PACT_LOST,
    PACT_OBSTACLE, /* second: word of the obstacle */
    PACT_SHADOW_BOTH,
    PACT_SHADOW_ONLY,
    PACT_SHADOW_LIVE_ONLY,
    PACT_SHADOW_EARLIER_H,
    PACT_SHADOW_WON, /* … of those of _BOTH and _ONLY, on the day on which the lead is counted */
    PACT_SHADOW_LOST,
    PACT_OTHER,           /* how often a limit made a value `(other)`; value: the dimension */
    PACT_SHADOW_LIVE_WON, /* of the leads of PACT_SHADOW_BOTH and _LIVE_ONLY, as … */
    PACT_SHADOW_LIVE_LOST,
    PACT_MEASURES
};

/* By what. A value is a word, but in PACT_ALL, where it is 0. The numbers are stored. */
enum pact_dimension {
    PACT_ALL,
    PACT_CHANNEL_FIRST,
    PACT_CHANNEL_LAST,
    PACT_CHANNEL_LINEAR, /* millionths; of revenue hundredths */
    PACT_CAMPAIGN_FIRST,
    PACT_CAMPAIGN_LAST,
    PACT_CAMPAIGN_LINEAR,
    PACT_SEGMENT,
    PACT_SECTOR,
    PACT_RULE,
    PACT_SELLER,
    PACT_REASON,
    PACT_BY_PAGE,
    PACT_BY_CAMPAIGN,
    PACT_DIMENSIONS
};

#define PACT_DAYS_MAX 400     /* days that are kept, and the most days between two things */
#define PACT_SHARE 1000000    /* of one in a linear dimension: shares add up to it */
#define PACT_OF_CURRENCY 255u /* value of PACT_OTHER: a currency found no room */

/* What a `second` is. */
enum pact_second { PACT_SECOND_NONE, PACT_SECOND_NUMBER, PACT_SECOND_WORD };
enum pact_second pact_second_of(enum pact_measure measure);

struct counters;
struct counters *counters_create(void);
void counters_destroy(struct counters *counters);
void counters_clear(struct counters *counters);
/* A value, a pair of page or campaign and obstacle, or a currency that finds no room is counted
 * under word 1, `(other)`, and in PACT_OTHER. A day that is older than all that are kept, when as
 * many are kept as can be, counts in PACT_OTHER of the oldest one alone. */
void counters_add(struct counters *counters, int32_t day, enum pact_measure measure,
                  enum pact_dimension dimension, uint32_t value, uint32_t second, int64_t amount);
int64_t counters_get(const struct counters *counters, int32_t day, enum pact_measure measure,
                     enum pact_dimension dimension, uint32_t value, uint32_t second);
/* How many days differ since mark_clean, and the first `room` of them: those that counters_pack
 * knows are to be written, the others to be removed. */
size_t counters_dirty(const struct counters *counters, int32_t *days, size_t room);
void counters_mark_clean(struct counters *counters);
/* The days that are kept, ascending; at most PACT_DAYS_MAX. */
size_t counters_days(const struct counters *counters, int32_t days[PACT_DAYS_MAX]);
/* Bytes of a day: the same for the same cells. 0: there is no such day. */
size_t counters_pack(const struct counters *counters, int32_t day, uint8_t **bytes,
                     struct arena *arena);
/* Puts back a day, clean. False: it is damaged, or there already. */
bool counters_unpack(struct counters *counters, int32_t day, const uint8_t *bytes, size_t size);

#endif
