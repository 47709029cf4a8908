#include "text/fold.h"

#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

/* One character's folded form: a case folding has at most three characters, each decomposes into
 * at most four; the room is larger than that. */
#define CHARACTERS_MAX 16
#define BYTES_MAX (4 * CHARACTERS_MAX)

bool text_is_utf8(const char *text, size_t size)
{
    if (!size)
        return true; /* also of no bytes at all */
    const char *end = text + size;
    uint32_t point;
    for (const char *at = text; at < end;) {
        size_t step = utf8_read(at, end, &point);
        if (!step)
            return false;
        at += step;
    }
    return true;
}

static bool is_mark(utf8proc_int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

static utf8proc_ssize_t map(utf8proc_int32_t point, int option,
                            utf8proc_int32_t out[CHARACTERS_MAX])
{
    int boundary = UTF8PROC_BOUNDCLASS_START;
    utf8proc_ssize_t count =
        utf8proc_decompose_char(point, out, CHARACTERS_MAX, (utf8proc_option_t)option, &boundary);
    if (count >= 0 && count <= CHARACTERS_MAX)
        return count;
    out[0] = point;
    return 1;
}

/* Case first, decomposition after it and without case: the order of docs/scoring.md. */
static size_t fold_character(utf8proc_int32_t point, utf8proc_uint8_t out[BYTES_MAX])
{
    if (is_mark(point))
        return 0;
    utf8proc_int32_t lower[CHARACTERS_MAX], parts[CHARACTERS_MAX];
    utf8proc_ssize_t lower_count = map(point, UTF8PROC_CASEFOLD, lower);
    size_t size = 0;
    for (utf8proc_ssize_t i = 0; i < lower_count; i++) {
        utf8proc_ssize_t part_count = map(lower[i], UTF8PROC_DECOMPOSE, parts);
        for (utf8proc_ssize_t k = 0; k < part_count && size + 4 <= BYTES_MAX; k++)
            if (!is_mark(parts[k]))
                size += (size_t)utf8proc_encode_char(parts[k], out + size);
    }
    return size;
}

/* Size of the folded text, written to `out` unless that is NULL; false when it is not UTF-8. */
static bool fold_all(struct baton_text in, char *out, size_t *folded_size)
{
    const char *at = in.data, *end = at + in.size;
    utf8proc_uint8_t bytes[BYTES_MAX];
    size_t total = 0;
    while (at < end) {
        uint32_t point;
        size_t step = utf8_read(at, end, &point);
        if (!step)
            return false;
        at += step;
        size_t size = fold_character((utf8proc_int32_t)point, bytes);
        if (out)
            memcpy(out + total, bytes, size);
        total += size;
    }
    *folded_size = total;
    return true;
}

/* Most texts are ASCII: 0 nothing to do, 1 has capitals, 2 is not ASCII. */
static int ascii_class(struct baton_text in)
{
    int found = 0;
    for (uint32_t i = 0; i < in.size; i++) {
        unsigned char c = (unsigned char)in.data[i];
        if (c >= 0x80)
            return 2;
        if (c >= 'A' && c <= 'Z')
            found = 1;
    }
    return found;
}

static void fold_ascii(struct arena *arena, struct baton_text in, struct baton_text *out)
{
    char *copy = arena_copy(arena, in.data, in.size);
    for (uint32_t i = 0; i < in.size; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + ('a' - 'A'));
    *out = (struct baton_text){copy, in.size};
}

bool text_fold(struct arena *arena, struct baton_text in, struct baton_text *out)
{
    switch (ascii_class(in)) {
    case 0: *out = in; return true;
    case 1: fold_ascii(arena, in, out); return true;
    default: break;
    }
    size_t size;
    if (!fold_all(in, NULL, &size) || size > UINT32_MAX)
        return false;
    char *copy = arena_take(arena, size);
    (void)fold_all(in, copy, &size);
    *out = (struct baton_text){copy, (uint32_t)size};
    return true;
}
