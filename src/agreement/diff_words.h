/* Words of two texts beside each other, down to the single value. Private to this room. */
#ifndef AGREEMENT_DIFF_WORDS_H
#define AGREEMENT_DIFF_WORDS_H

#include "agreement/diff.h"
#include "yaml/yaml.h"

/* Do they mean the same, however they are written? NULL: nothing is said. */
bool same_value(const struct yaml_node *left, const struct yaml_node *right);
/* Adds a change for each value below `word` that differs; NULL where it is not said. */
void diff_words(struct agreement_changes *changes, enum agreement_change_kind kind,
                const char *word, const struct yaml_node *before, const struct yaml_node *after);
/* The same items, but in another order. */
void diff_order(struct agreement_changes *changes, enum agreement_change_kind kind,
                const char *word);
/* A sentence, with both texts on lines of their own below it. */
const char *diff_both(struct speech *speech, const char *text, const char *before,
                      const char *after);
/* diff_pact.c: goals, clocks, review and meeting, told as they are read aloud. */
void diff_pact(struct agreement_changes *changes, enum agreement_change_kind kind, const char *word,
               const struct agreement *before, const struct yaml_node *was,
               const struct agreement *after, const struct yaml_node *now);
void diff_goals(struct agreement_changes *changes, const struct agreement *before,
                const struct agreement *after);
void changes_add(struct agreement_changes *changes, const struct agreement_change *change);

#endif
