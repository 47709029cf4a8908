/* What `baton try` knows while it goes through a file: for try.c and try_print.c. */
#ifndef COMMANDS_TRIAL_H
#define COMMANDS_TRIAL_H

#include "agreement/agreement.h"
#include "commands/commands.h"
#include "commands/setup.h"
#include "commands/try_clocks.h"
#include "pipeline/hops.h"
#include "pipeline/identity.h"
#include "pipeline/ignore.h"

#include <jansson.h>

/* What would be published of a lead; NULL: nothing. */
struct told {
    json_t *promotions, *changes, *breaches;
};

struct trial {
    const struct invocation *invocation;
    struct config *config; /* NULL without -c */
    struct agreement *source;
    const struct baton_agreement *agreement;
    struct baton_matcher *matcher;
    struct arena settings, scratch;
    struct input_config input;
    struct identity_config identity;
    struct decoder *decoder;
    struct encoder *encoder;
    struct ignore *ignore;
    struct lead_table leads;
    struct baton_words words;
    uint64_t assigned[BATON_ROUTES_MAX]; /* promotions by route, as a unit counts them */
    struct told *told;                   /* by lead's number */
    size_t told_room;
    struct tombstones tombstones;
    struct try_clocks clocks;
    int64_t until_ms;             /* the present behind the last line; 0: its own time */
    int64_t line;                 /* from 0 */
    const struct header *headers; /* of the present message: a line has none */
    size_t header_count;
    struct outgoing_message *hops; /* to other leads, of this line; in scratch */
    size_t hop_count, hop_room;
    uint64_t events, duplicates, too_late, unreadable, outside, promoted, ignored, dropped,
        reports_ignored;
};

/* try_print.c: all leads, and what would be published of them. */
void trial_print(struct trial *trial);

#endif
