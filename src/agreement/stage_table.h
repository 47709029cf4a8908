/* The table of transitions, as people read it. */
#ifndef AGREEMENT_STAGE_TABLE_H
#define AGREEMENT_STAGE_TABLE_H

#include "messages/messages.h"

/* A line for each report, a column for each stage; stages in which the same becomes of every report
 * share one. */
void stage_table_say(struct speech *speech);

#endif
