/* Times as texts: `2026-11-01T12:00:00.123Z`, `…+01:00`. */
#ifndef CODEC_RFC3339_H
#define CODEC_RFC3339_H

#include <baton/event.h>

/* False: not a time, or not from 1970 to 9999. `T` and `Z` may be small; one to nine decimals, cut
 * to milliseconds; a space for `T`, hour 24 and second 60 are no times. */
bool rfc3339_read(struct baton_text text, int64_t *time_ms);

#endif
