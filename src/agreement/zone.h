/* The offsets of a time zone from the system's tz database. Private to this room. */
#ifndef AGREEMENT_ZONE_H
#define AGREEMENT_ZONE_H

#include "base/arena.h"
#include "messages/messages.h"

#include <baton/agreement.h>

#define ZONE_OFFSETS_MAX 4000
#define ZONE_LAST_YEAR 2100 /* a rule that goes on for ever is written out up to here */

/* MESSAGES: the table is made, from the arena; otherwise what is wrong, with the holes `zone` and
 * `suggestion`. */
enum message_id zone_load(struct arena *arena, const char *name, struct baton_zone_offset **zone,
                          uint32_t *count);
/* The known zone whose name looks most like it; from the arena, NULL if none does. */
const char *zone_nearest(struct arena *arena, const char *name);

/* What follows is for zone_load and its tests. */

struct zone_table {
    struct baton_zone_offset *offsets; /* malloc */
    uint32_t count, room;
};
/* From `from_s` on, an offset; those before 1970 become the table's beginning. */
void zone_table_add(struct zone_table *table, int64_t from_s, int64_t offset_s);
/* Goes on after `after_s` by a rule as TZ has it (POSIX.1, with RFC 8536's wider hours): <-03>3,
 * CET-1CEST,M3.5.0,M10.5.0/3. False: not such a rule. */
bool zone_table_extend(struct zone_table *table, const char *rule, int64_t after_s);

#endif
