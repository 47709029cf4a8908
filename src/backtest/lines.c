#include "backtest/lines.h"

#include "base/arena.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECENT_MAX (8u << 20)

void lines_init(struct lines *lines)
{
    *lines = (struct lines){.spilled = NULL};
    text_buffer_init(&lines->recent);
}

void lines_fini(struct lines *lines)
{
    text_buffer_fini(&lines->recent);
    free(lines->gaps);
    if (lines->spilled)
        (void)fclose(lines->spilled);
}

static void spill(struct lines *lines)
{
    if (!lines->spilled)
        lines->spilled = tmpfile();
    if (!lines->spilled ||
        fwrite(lines->recent.data, 1, lines->recent.size, lines->spilled) != lines->recent.size)
        lines->failed = true;
    lines->before += lines->recent.size;
    text_buffer_clear(&lines->recent);
}

void lines_add(struct lines *lines, const void *line, size_t size)
{
    if (lines->recent.size >= RECENT_MAX)
        spill(lines);
    text_buffer_add(&lines->recent, line, size);
    text_buffer_add(&lines->recent, "\n", 1);
}

/* ---- what is told later
 * ------------------------------------------------------------------------------ */

void lines_leave_gap(struct lines *lines, size_t line_size, size_t at, size_t size, int64_t key)
{
    assert(at + size <= line_size);
    if (lines->gap_count == lines->gap_room) {
        lines->gap_room = lines->gap_room ? lines->gap_room * 2 : 64;
        lines->gaps = memory_resize(lines->gaps, lines->gap_room * sizeof *lines->gaps);
    }
    uint64_t line = lines->before + lines->recent.size - line_size - 1;
    lines->gaps[lines->gap_count++] = (struct lines_gap){.at = line + at, .size = size, .key = key};
}

void lines_fill_gap(struct lines *lines, int64_t key, const char *text)
{
    size_t low = 0, high = lines->gap_count, size = strlen(text);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lines->gaps[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < lines->gap_count && lines->gaps[low].key == key; low++) {
        struct lines_gap *gap = &lines->gaps[low];
        assert(size < sizeof gap->text);
        memcpy(gap->text, text, size);
        gap->text_size = size;
    }
}

/* ---- writing
 * ----------------------------------------------------------------------------------------- */

struct writing {
    const struct lines *lines;
    FILE *out;
    uint64_t at; /* bytes that were given */
    size_t gap;
};

static bool put(struct writing *writing, const char *bytes, size_t size)
{
    return fwrite(bytes, 1, size, writing->out) == size;
}

/* A piece of all the bytes; no gap lies on its border but one that ends there. */
static bool write_piece(struct writing *writing, const char *bytes, size_t size)
{
    const struct lines *lines = writing->lines;
    uint64_t end = writing->at + size;
    while (writing->gap < lines->gap_count && lines->gaps[writing->gap].at < end) {
        const struct lines_gap *gap = &lines->gaps[writing->gap++];
        size_t plain = (size_t)(gap->at - writing->at);
        const char *text = gap->text_size ? gap->text : bytes + plain;
        if (!put(writing, bytes, plain) ||
            !put(writing, text, gap->text_size ? gap->text_size : gap->size))
            return false;
        bytes += plain + gap->size;
        writing->at = gap->at + gap->size;
    }
    bool good = put(writing, bytes, (size_t)(end - writing->at));
    writing->at = end;
    return good;
}

/* Line by line, as no gap is on the border of one. */
static bool copy_spilled(struct writing *writing, FILE *from)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    bool good = true;
    rewind(from);
    while (good && (size = getline(&line, &room, from)) > 0)
        good = write_piece(writing, line, (size_t)size);
    free(line);
    return good && !ferror(from);
}

bool lines_write(struct lines *lines, FILE *out)
{
    struct writing writing = {.lines = lines, .out = out};
    if (lines->failed) {
        errno = ENOSPC;
        return false;
    }
    if (lines->spilled && !copy_spilled(&writing, lines->spilled))
        return false;
    return write_piece(&writing, lines->recent.data ? lines->recent.data : "", lines->recent.size);
}
