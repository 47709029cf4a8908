/* Conditions and lists in words. Private to this room; only for trees of a checked agreement. */
#ifndef AGREEMENT_SENTENCE_PARTS_H
#define AGREEMENT_SENTENCE_PARTS_H

#include "base/text_buffer.h"
#include "yaml/yaml.h"

/* "the page begins with /pricing and the country is BR". */
void sentence_where(const struct yaml_node *where, struct text_buffer *out);
/* "a, b and c"; a scalar is a list of one. */
void sentence_list(const struct yaml_node *list, const char *last_word, struct text_buffer *out);
/* What stands before item `said` (from 0) of `count`: nothing, a comma, or "and". */
void sentence_and(uint32_t count, uint32_t said, struct text_buffer *out);
/* "visit", "form that is sent", …: after "every". */
const char *sentence_event(enum baton_event_kind kind);

#endif
