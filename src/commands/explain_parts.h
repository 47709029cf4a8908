/* What `baton explain` tells of a lead, a part each: it adds its sentences, a line each, and sets
 * its fields of the data that --json prints. A new part is a function here and a row of the table
 * in explain.c. */
#ifndef COMMANDS_EXPLAIN_PARTS_H
#define COMMANDS_EXPLAIN_PARTS_H

#include "agreement/agreement.h"
#include "commands/json_out.h"

#include <baton/scoring.h>

#include <stdbool.h>

struct explanation {
    const struct agreement *source;
    const struct baton_agreement *agreement;
    const struct baton_lead *lead; /* attached */
    const struct baton_words *words;
    struct baton_text id;
    int64_t at_ms;   /* not before the lead's newest event */
    int64_t told_ms; /* its unit has told of clocks up to then */
    bool erased;     /* … at erased_ms: the lead is empty */
    int64_t erased_ms;
    struct baton_score score;
    struct speech *speech;
    json_t *data;
};

void explain_stage(const struct explanation *lead);   /* where it stands, and its score */
void explain_clocks(const struct explanation *lead);  /* what sales owes, and what came of it */
void explain_points(const struct explanation *lead);  /* which rules gave them */
void explain_gate(const struct explanation *lead);    /* what is missing for the next gate */
void explain_touches(const struct explanation *lead); /* its newest scored events */

/* In place of all of these, where an id stands for no lead any more. False: it does. */
bool explain_whose(const struct explanation *lead);

/* ---- For the parts --------------------------------------------------------------------------- */

/* Ends a line; begins one that stands a little to the right; leaves one out. */
void explain_end(const struct explanation *lead);
void explain_indent(const struct explanation *lead);
/* A time in the agreement's zone. */
const char *explain_time(const struct explanation *lead, int64_t time_ms);
/* A text of the lead for a terminal, from the speech's memory. */
const char *explain_text(const struct explanation *lead, struct baton_text text);
/* A sentence as JSON. */
json_t *explain_json(const char *text);

#endif
