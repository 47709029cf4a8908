/* From messages to events, as a worker decodes them. One thread. */
#ifndef BACKTEST_READING_H
#define BACKTEST_READING_H

#include "backtest/backtest.h"

struct reading {
    struct decoder *decoder;
    struct schema_source *schemas;
    struct schema_key *unknown; /* that nobody knows */
    size_t unknown_count;
    struct decode_result result; /* of the last message */
};

enum reading_outcome { READ_EVENT, READ_DEAD, READ_UNKNOWN_SCHEMA };

/* Of what was folded. */
struct reading_figures {
    uint64_t events, dead, unknown_schemas;
    int64_t first_ms, last_ms; /* of events' own times */
};

enum status reading_init(struct reading *reading, const struct backtest_config *config,
                         struct error *error);
void reading_fini(struct reading *reading);
/* RETRY: whoever knows its schema does not answer. */
enum status reading_take(struct reading *reading, const struct message *message,
                         struct arena *arena, struct baton_event *event,
                         enum reading_outcome *outcome, struct error *error);

void reading_figures_init(struct reading_figures *figures);
void reading_figures_count(struct reading_figures *figures, const struct baton_event *event,
                           enum reading_outcome outcome);
void reading_figures_add(const struct reading_figures *figures, struct backtest_result *result);

#endif
