/* A lead of the command line, found in Redis: for the verbs that tell of one. */
#ifndef COMMANDS_LEAD_LOOKUP_H
#define COMMANDS_LEAD_LOOKUP_H

#include "agreement/agreement.h"
#include "base/arena.h"
#include "commands/commands.h"
#include "config/config.h"
#include "redis/redis_inspect.h"

#include <baton/scoring.h>

struct lead_lookup {
    const struct invocation *invocation;
    struct config *config;
    enum language language; /* of --lang, or of the configuration */
    struct agreement *source;
    struct redis_config redis;
    struct redis_inspector *inspector;
    struct arena arena;
    struct baton_allocator allocator;
    struct baton_text id;
    struct inspected_lead stored;
    bool found;
    bool erased;       /* a person of this id was erased, and nothing was heard of it since … */
    int64_t erased_ms; /* … at that time */
    struct baton_words words;
    struct baton_lead lead; /* attached to the agreement */
    int64_t told_ms;        /* its unit has told of clocks up to then */
    int64_t at_ms;          /* of --at; the present without it */
};

/* Reads --at, the configuration and the agreement, and finds the verb's first argument in Redis.
 * Returns an exit code, a line on stderr said; the lookup must be ended in any case. Of who was
 * erased the lead is empty, and `erased` says so. */
int lead_lookup(const struct invocation *invocation, struct lead_lookup *lookup);
void lead_lookup_fini(struct lead_lookup *lookup);

#endif
