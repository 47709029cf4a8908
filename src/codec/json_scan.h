/* A strict reader of JSON (RFC 8259) over bytes that are known to be UTF-8: hands out slices, keeps
 * numbers as they are written, and makes new bytes only for strings with escapes. Half a surrogate
 * pair is no text and fails. jansson reads no number beyond 64 bits and no \u0000 in a key, and
 * tells a key twice only everywhere or nowhere; it serves as the oracle in tests. */
#ifndef CODEC_JSON_SCAN_H
#define CODEC_JSON_SCAN_H

#include "base/arena.h"

#include <baton/event.h>

struct json_scan {
    const char *at, *end;
    struct arena *arena;
    const char *problem; /* first one; from then on everything fails */
};

enum json_kind {
    JSON_IS_NULL,
    JSON_IS_FALSE,
    JSON_IS_TRUE,
    JSON_IS_NUMBER,
    JSON_IS_STRING,
    JSON_IS_OBJECT,
    JSON_IS_ARRAY,
    JSON_IS_NOTHING
};

/* What the next value is, by its first byte. */
enum json_kind json_peek(struct json_scan *scan);
/* A string's text, a number as written, or `true`, `false`, `null`; false for objects, arrays and
 * errors. */
bool json_scalar(struct json_scan *scan, struct baton_text *out);
/* Reads over any value; level is that of the value, the outermost object's being 1. */
bool json_skip(struct json_scan *scan, unsigned level);

/* An object: enter, then next until it says false; then look at `problem`. The value must be read
 * between. */
void json_enter(struct json_scan *scan, unsigned level);
bool json_next(struct json_scan *scan, bool *first, struct baton_text *key);
/* Nothing but space is left. */
bool json_at_end(struct json_scan *scan);

#endif
