/* Values with units, as texts. */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include "base/text_buffer.h"

#include <stdbool.h>
#include <stdint.h>

/* `5ms 10s 5m 4h 30d` in milliseconds; a unit is needed but for 0. */
bool units_duration(const char *text, int64_t *ms);
/* `64KB 512MB 2GB` (1 KB = 1,024 bytes) or plain bytes. */
bool units_size(const char *text, int64_t *bytes);
/* Decimal digits with an optional sign. */
bool units_whole(const char *text, int64_t *value);
/* The same in reverse, in the largest unit that leaves a whole number. */
void units_add_duration(struct text_buffer *out, int64_t ms);
void units_add_size(struct text_buffer *out, int64_t bytes);

#endif
