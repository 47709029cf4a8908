/* How the day goes, for `baton status`: what both sides promised, and how far they are today. */
#ifndef COMMANDS_STATUS_TODAY_H
#define COMMANDS_STATUS_TODAY_H

#include "agreement/agreement.h"
#include "pact/goals.h"
#include "redis/redis_inspect.h"

#include <jansson.h>

struct status_today {
    bool known; /* false: there is no pact, or it could not be read; the rest is not set */
    struct agreement *agreement;
    int32_t day;
    int64_t sqls, customers;
    struct goal_figure *figures; /* of each goal, in the span that today lies in; from the arena */
    uint32_t figure_count;
    int64_t kept[BATON_CLOCKS], broken[BATON_CLOCKS]; /* due today */
    uint64_t open_clocks;                             /* leads with one */
};

/* Units are numbered from 0. What cannot be read leaves `known` false, and says why on stderr. */
void status_today_read(struct status_today *today, const char *agreement_path,
                       struct redis_inspector *inspector, uint32_t unit_count, int64_t now_ms,
                       struct arena *arena);
json_t *status_today_json(const struct status_today *today); /* null: not known */
/* A line each; nothing where it is not known. */
void status_today_say(const struct status_today *today, struct speech *speech);
void status_today_fini(struct status_today *today);

#endif
