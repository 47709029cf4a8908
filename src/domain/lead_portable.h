/* A lead outside of its unit: packed, with the texts of its words, as they have other numbers
 * elsewhere.
 *
 *   u8 version (1); number of words, each: its number, size and bytes; the packed lead */
#ifndef DOMAIN_LEAD_PORTABLE_H
#define DOMAIN_LEAD_PORTABLE_H

#include <baton/lead.h>

/* An upper bound of what is written. */
size_t lead_portable_bound(const struct baton_lead *lead, const struct baton_words *words);
/* Returns the size written; `room` holds at least the bound. */
size_t lead_portable_write(const struct baton_lead *lead, const struct baton_words *words,
                           uint8_t *room);
/* Fills an initialised lead, in the words of another unit; what cannot be read leaves it as
 * initialised. Attach it before use. words == NULL: its words stay as they are, and stand for
 * nothing. */
enum baton_unpack lead_portable_read(struct baton_lead *lead, const uint8_t *bytes, size_t size,
                                     struct baton_words *words, struct baton_allocator *allocator);

#endif
