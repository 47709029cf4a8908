#include "codec/json_scan.h"

#include "codec/limits.h"

#include <string.h>

static bool fail(struct json_scan *scan, const char *problem)
{
    if (!scan->problem)
        scan->problem = problem;
    return false;
}

static void skip_space(struct json_scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

static bool take(struct json_scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted)
        return false;
    scan->at++;
    return true;
}

enum json_kind json_peek(struct json_scan *scan)
{
    skip_space(scan);
    if (scan->problem || scan->at == scan->end)
        return JSON_IS_NOTHING;
    switch (*scan->at) {
    case 'n': return JSON_IS_NULL;
    case 'f': return JSON_IS_FALSE;
    case 't': return JSON_IS_TRUE;
    case '"': return JSON_IS_STRING;
    case '{': return JSON_IS_OBJECT;
    case '[': return JSON_IS_ARRAY;
    default:
        return *scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9') ? JSON_IS_NUMBER
                                                                          : JSON_IS_NOTHING;
    }
}

/* ---- strings
 * ---------------------------------------------------------------------------------------- */

static bool hex4(struct json_scan *scan, uint32_t *out)
{
    uint32_t value = 0;
    if (scan->end - scan->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = *scan->at++, small = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if (small >= 'a' && small <= 'f')
            value = value << 4 | (uint32_t)(small - 'a' + 10);
        else
            return false;
    }
    *out = value;
    return true;
}

/* What stands behind `\u`, a second half included. */
static bool escaped_point(struct json_scan *scan, uint32_t *point)
{
    uint32_t low;
    if (!hex4(scan, point))
        return fail(scan, "an escape of a string is not one");
    if (*point < 0xD800 || *point > 0xDFFF)
        return true;
    if (*point > 0xDBFF || !take(scan, '\\') || !take(scan, 'u') || !hex4(scan, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return fail(scan, "half of a surrogate pair in a string");
    *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static char *put_point(char *out, uint32_t point)
{
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xC0 | point >> 6);
        *out++ = (char)(0x80 | (point & 63));
    } else if (point < 0x10000) {
        *out++ = (char)(0xE0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 63));
        *out++ = (char)(0x80 | (point & 63));
    } else {
        *out++ = (char)(0xF0 | point >> 18);
        *out++ = (char)(0x80 | (point >> 12 & 63));
        *out++ = (char)(0x80 | (point >> 6 & 63));
        *out++ = (char)(0x80 | (point & 63));
    }
    return out;
}

/* After the backslash; the character goes to *out where that is wanted. */
static bool escape(struct json_scan *scan, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint32_t point;
    if (scan->at == scan->end)
        return fail(scan, "a string does not end");
    char c = *scan->at++;
    const char *found = c ? strchr(from, c) : NULL;
    if (found)
        point = (unsigned char)to[found - from];
    else if (c != 'u')
        return fail(scan, "an escape of a string is not one");
    else if (!escaped_point(scan, &point))
        return false;
    if (*out)
        *out = put_point(*out, point);
    return true;
}

/* To the next quote, backslash or end. */
static bool plain_run(struct json_scan *scan)
{
    while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\\') {
        if ((unsigned char)*scan->at < ' ')
            return fail(scan, "a control character in a string");
        scan->at++;
    }
    return scan->at < scan->end || fail(scan, "a string does not end");
}

/* From the first backslash on; `out` NULL: only checks. */
static bool escaped_rest(struct json_scan *scan, char **out)
{
    while (*scan->at == '\\') {
        scan->at++;
        if (!escape(scan, out))
            return false;
        const char *start = scan->at;
        if (!plain_run(scan))
            return false;
        if (*out) {
            memcpy(*out, start, (size_t)(scan->at - start));
            *out += scan->at - start;
        }
    }
    scan->at++;
    return true;
}

/* An escape is never shorter than what it stands for, so the distance to the closing quote is room
 * enough. */
static size_t distance_to_quote(const struct json_scan *scan)
{
    const char *at = scan->at;
    while (at < scan->end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    return (size_t)((at < scan->end ? at : scan->end) - scan->at);
}

static bool string(struct json_scan *scan, struct baton_text *out)
{
    const char *start = ++scan->at;
    char *copy = NULL, *end = NULL;
    if (!plain_run(scan))
        return false;
    size_t plain = (size_t)(scan->at - start);
    if (*scan->at == '"') {
        scan->at++;
        if (out)
            *out = (struct baton_text){start, (uint32_t)plain};
        return true;
    }
    if (out) {
        copy = arena_take(scan->arena, plain + distance_to_quote(scan));
        memcpy(copy, start, plain);
        end = copy + plain;
    }
    if (!escaped_rest(scan, &end))
        return false;
    if (out)
        *out = (struct baton_text){copy, (uint32_t)(end - copy)};
    return true;
}

/* ---- numbers and words
 * ------------------------------------------------------------------------------ */

static bool digits(struct json_scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return scan->at > start || fail(scan, "a number is not one");
}

static bool number(struct json_scan *scan, struct baton_text *out)
{
    const char *start = scan->at;
    (void)take(scan, '-');
    if (!take(scan, '0') && !digits(scan))
        return false;
    if (take(scan, '.') && !digits(scan))
        return false;
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+'))
            (void)take(scan, '-');
        if (!digits(scan))
            return false;
    }
    if (out)
        *out = (struct baton_text){start, (uint32_t)(scan->at - start)};
    return true;
}

static bool word(struct json_scan *scan, const char *wanted, struct baton_text *out)
{
    size_t size = strlen(wanted);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, wanted, size) != 0)
        return fail(scan, "a value is not one");
    if (out)
        *out = (struct baton_text){scan->at, (uint32_t)size};
    scan->at += size;
    return true;
}

static bool scalar(struct json_scan *scan, enum json_kind kind, struct baton_text *out)
{
    switch (kind) {
    case JSON_IS_NULL: return word(scan, "null", out);
    case JSON_IS_FALSE: return word(scan, "false", out);
    case JSON_IS_TRUE: return word(scan, "true", out);
    case JSON_IS_NUMBER: return number(scan, out);
    case JSON_IS_STRING: return string(scan, out);
    default:
        return fail(scan, scan->at < scan->end ? "a value is not one" : "the text ends too early");
    }
}

bool json_scalar(struct json_scan *scan, struct baton_text *out)
{
    return scalar(scan, json_peek(scan), out);
}

/* ---- objects and arrays
 * ----------------------------------------------------------------------------- */

static bool enter(struct json_scan *scan, unsigned level)
{
    scan->at++;
    return level <= DECODE_DEPTH_MAX || fail(scan, "nested deeper than 64 levels");
}

void json_enter(struct json_scan *scan, unsigned level)
{
    (void)enter(scan, level);
}

/* Between two items: the closing bracket (false), or the comma. */
static bool another(struct json_scan *scan, bool *first, char closing)
{
    bool was_first = *first;
    *first = false;
    skip_space(scan);
    if (scan->problem || take(scan, closing))
        return false;
    if (was_first)
        return true;
    if (!take(scan, ','))
        return fail(scan, "a comma or a closing bracket is missing");
    skip_space(scan);
    return true;
}

bool json_next(struct json_scan *scan, bool *first, struct baton_text *key)
{
    if (!another(scan, first, '}'))
        return false;
    if (scan->at == scan->end || *scan->at != '"')
        return fail(scan, "the name of a member is missing");
    if (!string(scan, key))
        return false;
    skip_space(scan);
    return take(scan, ':') || fail(scan, "a colon is missing");
}

static bool skip_object(struct json_scan *scan, unsigned level)
{
    bool first = true;
    if (!enter(scan, level))
        return false;
    while (json_next(scan, &first, NULL))
        if (!json_skip(scan, level + 1))
            return false;
    return !scan->problem;
}

static bool skip_array(struct json_scan *scan, unsigned level)
{
    bool first = true;
    if (!enter(scan, level))
        return false;
    while (another(scan, &first, ']'))
        if (!json_skip(scan, level + 1))
            return false;
    return !scan->problem;
}

bool json_skip(struct json_scan *scan, unsigned level)
{
    enum json_kind kind = json_peek(scan);
    if (kind == JSON_IS_OBJECT)
        return skip_object(scan, level);
    if (kind == JSON_IS_ARRAY)
        return skip_array(scan, level);
    return scalar(scan, kind, NULL);
}

bool json_at_end(struct json_scan *scan)
{
    skip_space(scan);
    return !scan->problem && scan->at == scan->end;
}
