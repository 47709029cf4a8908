/* Words by a hash that is known already. */
#ifndef DOMAIN_WORDS_H
#define DOMAIN_WORDS_H

#include <baton/lead.h>

uint64_t words_hash(struct baton_text text);
/* As baton_words_id, of a text of at most BATON_WORD_MAX bytes. */
uint32_t words_id_hashed(struct baton_words *words, struct baton_text text, uint64_t hash,
                         enum baton_word_class word_class);

#endif
