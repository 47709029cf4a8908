/* What is otherwise in a second text of an agreement, change by change, in sentences: rules by
 * their ids, the rest by the words of the text. */
#ifndef AGREEMENT_DIFF_H
#define AGREEMENT_DIFF_H

#include "agreement/agreement.h"

enum agreement_change_kind {
    CHANGE_RULE_NEW,    /* counts from the turn on */
    CHANGE_RULE_GONE,   /* its points go with it */
    CHANGE_RULE_PRICED, /* same meaning, other points: for what was counted, too */
    CHANGE_RULE_ANEW,   /* same id, another meaning: counts from the turn on */
    CHANGE_FIT_NEW,
    CHANGE_FIT_GONE,
    CHANGE_FIT_PRICED,
    CHANGE_FIT_ANEW,
    CHANGE_GATE,
    CHANGE_LIMIT,
    CHANGE_NEVER,
    CHANGE_GOAL,
    CHANGE_CLOCK,
    CHANGE_OTHER_WORD,
    CHANGE_KINDS
};

/* Texts are of the changes' memory. */
struct agreement_change {
    enum agreement_change_kind kind;
    const char *word;           /* where it stands: "behaviour.pricing.points" */
    const char *id;             /* of the rule; NULL: none */
    const char *before, *after; /* NULL: not there; of a rule its sentence, of a gate its needs */
    const char *text;           /* in the language, a line or more, without a last line's end */
};

struct agreement_changes {
    struct speech speech;
    struct agreement_change *items; /* in the order of the language's description */
    size_t count, room;
};

/* Whether or not the two have the same name. Both must live as long as the changes. */
void agreement_changes_init(struct agreement_changes *changes, const struct agreement *before,
                            const struct agreement *after, enum language language);
void agreement_changes_fini(struct agreement_changes *changes);
const char *agreement_change_name(enum agreement_change_kind kind); /* "rule_priced" */

/* All of them as lines, each of them behind `indent`; where there is none, a line that says so. */
void agreement_diff(const struct agreement *before, const struct agreement *after,
                    enum language language, const char *indent, struct text_buffer *out);

#endif
