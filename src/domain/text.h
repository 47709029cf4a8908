/* Small operations on borrowed texts, shared by the files of this room. */
#ifndef DOMAIN_TEXT_H
#define DOMAIN_TEXT_H

#include <baton/event.h>

#include <string.h>

static inline bool text_equal(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* By bytes; a text comes before the longer ones that begin with it. */
static inline int text_compare(struct baton_text a, struct baton_text b)
{
    uint32_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* At most `limit` bytes, cut at the border of a UTF-8 character. */
static inline struct baton_text text_cut(struct baton_text text, uint32_t limit)
{
    if (text.size <= limit)
        return text;
    uint32_t size = limit;
    while (size > limit - 3 && ((unsigned char)text.data[size] & 0xC0) == 0x80)
        size--;
    return (struct baton_text){text.data, size};
}

#endif
