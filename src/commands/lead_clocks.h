/* What sales promised on a lead, for `show` and `explain`: which clocks run, and what came of the
 * others. Everything is borrowed. */
#ifndef COMMANDS_LEAD_CLOCKS_H
#define COMMANDS_LEAD_CLOCKS_H

#include "agreement/agreement.h"
#include "base/text_buffer.h"

#include <baton/scoring.h>

#include <jansson.h>

enum lead_clock_state {
    LEAD_CLOCK_RUNNING,
    LEAD_CLOCK_REMINDED, /* it runs, and a reminder was told */
    LEAD_CLOCK_OVERDUE,  /* it is due, nothing was reported, and nobody was told so far */
    LEAD_CLOCK_BROKEN,   /* it was told to be; no report is known that met it since */
    LEAD_CLOCK_LATE,     /* the same, and a report met it too late */
    LEAD_CLOCK_KEPT,
    LEAD_CLOCK_STATES
};
/* "running", "reminded", "overdue", "broken", "late", "kept" */
const char *lead_clock_state_name(enum lead_clock_state state);

struct lead_clock {
    enum baton_clock_id id;
    enum lead_clock_state state;
    const struct baton_clock *clock;
    struct baton_text owner,
        escalate_to; /* by the agreement as it is now; empty: nobody is named */
};

/* Those that have begun in the lead's generation, in their order. The lead's unit has told of
 * clocks up to `told_ms`, and the present is `at_ms`. Returns how many there are. */
size_t lead_clocks(const struct baton_lead *lead, const struct baton_agreement *agreement,
                   int64_t told_ms, int64_t at_ms, struct lead_clock out[BATON_CLOCKS]);
/* What was told of it last on lead-breaches: "reminder", "broken", NULL. Of one that was kept in
 * time it is not known, as nothing is kept of it: NULL. */
const char *lead_clock_told(const struct lead_clock *clock);

json_t *lead_clocks_json(const struct lead_clock *clocks, size_t count,
                         const struct agreement *agreement);
/* A line each, times in the agreement's zone; nothing where there are none. */
void lead_clocks_add(const struct lead_clock *clocks, size_t count,
                     const struct agreement *agreement, struct text_buffer *out);

#endif
