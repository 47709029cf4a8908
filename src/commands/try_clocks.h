/* Clocks of a file of events: a line's own time is the present, and what is due between two lines
 * goes off there. */
#ifndef COMMANDS_TRY_CLOCKS_H
#define COMMANDS_TRY_CLOCKS_H

#include "pipeline/breaches.h"
#include "pipeline/lead_table.h"
#include "pipeline/timers.h"

struct try_clocks {
    struct lead_table *leads;
    const struct baton_words *words;
    const struct baton_agreement *agreement;
    void (*tell)(void *context, const struct lead_entry *entry, const struct breach_view *view);
    void *context;
    struct timers timers;
    int64_t clock_ms; /* up to when all is told */
};

/* An event of the lead was folded. */
void try_clocks_folded(struct try_clocks *clocks, const struct lead_entry *entry,
                       const struct baton_event *event, const struct baton_fold_result *result);
/* It arrives at its own time, or late. */
int64_t try_clocks_arrived_ms(const struct try_clocks *clocks, const struct baton_event *event);
/* The present is this time, or later already. */
void try_clocks_advance(struct try_clocks *clocks, int64_t to_ms);

#endif
