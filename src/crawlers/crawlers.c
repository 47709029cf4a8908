#include "crawlers/crawlers.h"

#include "base/arena.h"
#include "base/embedded.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

extern const struct embedded_text crawler_texts[];

#define BUCKETS 4096u /* heads are found by their first three bytes */

struct span {
    const char *data;
    size_t size;
};

struct line {
    struct span head; /* up to the first `*` */
    struct span rest; /* behind it; data NULL: there is none */
    bool at_start, at_end;
    uint32_t next; /* of the same bucket: index + 1; 0: none */
};

struct crawlers {
    struct line *lines;
    uint32_t count;
    uint32_t buckets[BUCKETS]; /* index + 1; 0: none */
};

static uint32_t bucket_of(const char *text)
{
    uint32_t word = (uint32_t)(unsigned char)text[0] | (uint32_t)(unsigned char)text[1] << 8 |
                    (uint32_t)(unsigned char)text[2] << 16;
    return word * 2654435761u >> 20;
}
_Static_assert(BUCKETS == 1u << (32 - 20), "the hash's upper bits name a bucket");

/* ---- Reading a list ---- */

static bool read_line(struct span text, struct line *line)
{
    *line = (struct line){.at_start = text.size && text.data[0] == '^'};
    if (line->at_start)
        text = (struct span){text.data + 1, text.size - 1};
    line->at_end = text.size && text.data[text.size - 1] == '$';
    text.size -= line->at_end;
    const char *star = memchr(text.data, '*', text.size);
    line->head = (struct span){text.data, star ? (size_t)(star - text.data) : text.size};
    if (star)
        line->rest = (struct span){star + 1, text.size - line->head.size - 1};
    return line->head.size >= CRAWLER_HEAD_MIN;
}

static void add_line(struct crawlers *crawlers, const struct line *line)
{
    uint32_t bucket = bucket_of(line->head.data);
    crawlers->lines[crawlers->count] = *line;
    crawlers->lines[crawlers->count].next = crawlers->buckets[bucket];
    crawlers->buckets[bucket] = ++crawlers->count;
}

static size_t count_lines(const char *list, size_t size)
{
    size_t count = 1;
    for (size_t i = 0; i < size; i++)
        count += list[i] == '\n';
    return count;
}

struct crawlers *crawlers_create_from(const char *list, size_t size)
{
    struct crawlers *crawlers = memory_take_zeroed(1, sizeof *crawlers);
    crawlers->lines = memory_take(count_lines(list, size) * sizeof *crawlers->lines);
    const char *end = list + size;
    for (const char *at = list; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct span text = {at, (size_t)((newline ? newline : end) - at)};
        at += text.size + 1;
        struct line line;
        if (!text.size || text.data[0] == '#')
            continue;
        if (!read_line(text, &line)) {
            crawlers_destroy(crawlers);
            return NULL;
        }
        add_line(crawlers, &line);
    }
    return crawlers;
}

struct crawlers *crawlers_create(void)
{
    struct crawlers *crawlers = crawlers_create_from(crawler_texts->text, crawler_texts->size);
    if (!crawlers)
        abort(); /* the list is part of the program, and tested */
    return crawlers;
}

void crawlers_destroy(struct crawlers *crawlers)
{
    if (!crawlers)
        return;
    free(crawlers->lines);
    free(crawlers);
}

uint64_t crawlers_version(void)
{
    return hash64(crawler_texts->text, crawler_texts->size, 0);
}

/* ---- Matching ---- */

static bool begins_with(struct span text, struct span wanted)
{
    return text.size >= wanted.size && memcmp(text.data, wanted.data, wanted.size) == 0;
}

static bool ends_with(struct span text, struct span wanted)
{
    return text.size >= wanted.size &&
           memcmp(text.data + text.size - wanted.size, wanted.data, wanted.size) == 0;
}

/* The text behind the first place where `wanted` stands; data NULL: it stands nowhere. */
static struct span behind(struct span text, struct span wanted)
{
    for (; text.size >= wanted.size; text.data++, text.size--)
        if (begins_with(text, wanted))
            return (struct span){text.data + wanted.size, text.size - wanted.size};
    return (struct span){NULL, 0};
}

/* Do the pieces between the stars follow each other in the text? Taking each at its first place
 * leaves the most for the next. */
static bool rest_matches(struct span rest, bool at_end, struct span text)
{
    const char *star;
    while ((star = memchr(rest.data, '*', rest.size))) {
        size_t piece = (size_t)(star - rest.data);
        text = behind(text, (struct span){rest.data, piece});
        if (!text.data)
            return false;
        rest = (struct span){star + 1, rest.size - piece - 1};
    }
    return at_end ? ends_with(text, rest) : behind(text, rest).data != NULL;
}

static bool line_matches(const struct line *line, struct span text)
{
    if (!begins_with(text, line->head))
        return false;
    struct span left = {text.data + line->head.size, text.size - line->head.size};
    if (line->rest.data)
        return rest_matches(line->rest, line->at_end, left);
    return !line->at_end || left.size == 0;
}

bool crawlers_know(const struct crawlers *crawlers, const char *agent, size_t size)
{
    for (size_t at = 0; at + CRAWLER_HEAD_MIN <= size; at++) {
        struct span text = {agent + at, size - at};
        for (uint32_t i = crawlers->buckets[bucket_of(text.data)]; i;
             i = crawlers->lines[i - 1].next) {
            const struct line *line = &crawlers->lines[i - 1];
            if ((at == 0 || !line->at_start) && line_matches(line, text))
                return true;
        }
    }
    return false;
}
