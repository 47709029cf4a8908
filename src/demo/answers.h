/* What sales answers to promotions: feedback on some of them, as JSON messages. One thread. */
#ifndef DEMO_ANSWERS_H
#define DEMO_ANSWERS_H

#include <baton/agreement.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answers;

/* The agreement lists what a lead may be rejected for; borrowed. */
struct answers *answers_create(const struct baton_agreement *agreement);
void answers_destroy(struct answers *answers);
/* A promotion as it stands on the topic, in JSON; `time_ms` is when sales answers. */
void answers_promoted(struct answers *answers, const void *json, size_t size, int64_t time_ms);
/* The next message, borrowed until the call after it; false: there is nothing to say. */
bool answers_next(struct answers *answers, const char **key, const char **value);

#endif
