/* JSON as every verb prints it: compact, keys in the order of writing, points with at most two
 * decimals. */
#ifndef COMMANDS_JSON_OUT_H
#define COMMANDS_JSON_OUT_H

#include <baton/event.h>

#include <jansson.h>

/* Hundredths → points: 70, 70.25. */
json_t *json_points(int64_t hundredths);
json_t *json_text(struct baton_text text);         /* "" when absent */
json_t *json_text_or_null(struct baton_text text); /* null when absent */
json_t *json_time(int64_t time_ms);                /* RFC 3339 */
json_t *json_time_or_null(int64_t time_ms);        /* null for 0 */
/* Prints the value on one line of stdout and lets go of it. */
void json_print_line_take(json_t *value);

#endif
