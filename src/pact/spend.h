/* What channels and campaigns cost: statements for (channel, campaign, period, currency), of which
 * the one with the newest event time stands, so that a repeat changes nothing. One thread at a
 * time. */
#ifndef PACT_SPEND_H
#define PACT_SPEND_H

#include "base/arena.h"
#include "domain/calendar.h"

#define SPEND_MAX 4096 /* statements; one more, and the one whose period ended first is dropped */

struct spend_table;
struct spend_table *spend_create(void);
void spend_destroy(struct spend_table *table);
void spend_clear(struct spend_table *table);
/* A `spend`; of two with the same time the later one stands. */
void spend_take(struct spend_table *table, const struct baton_event *event);
bool spend_is_empty(const struct spend_table *table);
bool spend_is_dirty(const struct spend_table *table); /* it differs since mark_clean */
void spend_mark_clean(struct spend_table *table);
/* The same bytes for the same statements; 0: there are none. */
size_t spend_pack(const struct spend_table *table, uint8_t **bytes, struct arena *arena);
/* Adds the statements of a unit, clean: several units make one table, in any order. False: they are
 * damaged, and some of them may have been added. */
bool spend_unpack(struct spend_table *table, const uint8_t *bytes, size_t size);

/* The part of a cost that falls on the days of a span: it is spread evenly, in hundredths, and the
 * first days take what is over. */
int64_t spend_share(int64_t amount, struct calendar_span period, struct calendar_span span);
struct spend_row {
    const char *channel;
    const char *campaign; /* "(none)": of none of the channel's campaigns */
    const char *currency;
    int64_t amount; /* hundredths on the days of the span, not 0 */
};
/* In the order of the bytes of channel, campaign, currency; once each. */
void spend_on(const struct spend_table *table, struct calendar_span span,
              void (*each)(void *context, const struct spend_row *row), void *context);

#endif
