/* A record of the output topics as a line for people. */
#ifndef COMMANDS_TAIL_LINES_H
#define COMMANDS_TAIL_LINES_H

#include "base/text_buffer.h"
#include "codec/outgoing.h"

#include <jansson.h>
#include <stdbool.h>

/* What a record tells of: "promotion"; "stage", "ignored", "adjusted", "merged", "erased";
 * "reminder", "breach", "correction", "announcement"; "dead".
 */
#define TAIL_CHANGES 11
const char *tail_change_name(int index);
/* `record` as outgoing_view gives it; of a dead letter an object of the texts `time`, `reason`,
 * `detail`, `topic`, `key` and the numbers `partition` and `offset`, of the message. */
const char *tail_change_of(enum outgoing_topic topic, const json_t *record);

void tail_line(enum outgoing_topic topic, const json_t *record, bool colours,
               struct text_buffer *out);

#endif
