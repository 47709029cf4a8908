/* The agreement that `baton init` writes. */
#ifndef COMMANDS_INIT_TEXT_H
#define COMMANDS_INIT_TEXT_H

#include "messages/messages.h"

#define INIT_LIST_MAX 50

/* In the order of asking. Lists have commas between their items. */
enum init_answer {
    INIT_NAME,
    INIT_FORM,
    INIT_PAGE,
    INIT_TITLE,
    INIT_GOAL,
    INIT_PER,
    INIT_ONE_IN,
    INIT_ZONE,
    INIT_ANSWERS
};

struct init_answers {
    const char *texts[INIT_ANSWERS]; /* "": nothing */
};

/* YAML with comments in the speech's language. */
void init_text(struct speech *speech, const struct init_answers *answers, struct text_buffer *out);

#endif
