/* What baton has counted so far, held against the goals of an agreement that is checked. */
#ifndef COMMANDS_CHECK_HISTORY_H
#define COMMANDS_CHECK_HISTORY_H

#include "agreement/agreement.h"
#include "config/config.h"

/* Warns of each goal that asks for more than any of its periods ever gave. `note` gets a sentence
 * where there is no history; that is no failure. */
void check_history(const struct config *config, const struct agreement *agreement,
                   struct findings *findings, struct text_buffer *note);

#endif
