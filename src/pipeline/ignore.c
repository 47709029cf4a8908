#include "pipeline/ignore.h"

#include "base/arena.h"
#include "base/hash.h"
#include "crawlers/crawlers.h"

#include <baton/scoring.h>

#include <stdlib.h>
#include <string.h>

#define SLOTS 16384u   /* a power of two */
#define SLOT_BYTES 256 /* longer agents than fit are rare, and judged each time */

/* The last agent of its slot: two that share a slot cost time, and never a wrong verdict. */
struct verdict {
    const struct baton_agreement *agreement; /* NULL: a free slot */
    uint16_t size;
    bool ignored;
    char agent[SLOT_BYTES - sizeof(void *) - sizeof(uint16_t) - sizeof(bool)];
};
_Static_assert(sizeof(struct verdict) == SLOT_BYTES, "no gaps");

struct ignore {
    struct crawlers *crawlers;
    struct verdict *verdicts;
};

struct ignore *ignore_create(void)
{
    struct ignore *ignore = memory_take_zeroed(1, sizeof *ignore);
    ignore->crawlers = crawlers_create();
    /* What is not touched takes no memory. */
    ignore->verdicts = memory_take_zeroed(SLOTS, sizeof *ignore->verdicts);
    return ignore;
}

void ignore_destroy(struct ignore *ignore)
{
    if (!ignore)
        return;
    crawlers_destroy(ignore->crawlers);
    free(ignore->verdicts);
    free(ignore);
}

static bool judge(const struct ignore *ignore, const struct baton_agreement *agreement,
                  const struct baton_event *event)
{
    struct baton_text agent = event->fields[BATON_USER_AGENT];
    if (agreement->ignore_bots && crawlers_know(ignore->crawlers, agent.data, agent.size))
        return true;
    struct baton_condition listed = {.match = BATON_MATCH_GLOB,
                                     .field = BATON_USER_AGENT,
                                     .texts = agreement->ignore_agents,
                                     .text_count = agreement->ignore_agent_count};
    return baton_event_matches(&listed, event);
}

bool ignore_event(struct ignore *ignore, const struct baton_agreement *agreement,
                  const struct baton_event *event)
{
    struct baton_text agent = event->fields[BATON_USER_AGENT];
    /* What a lead does; who it is and what is said of it are told by others. */
    if (agent.size == 0 || event->kind >= BATON_PROFILE ||
        !(agreement->ignore_bots || agreement->ignore_agent_count))
        return false;
    if (agent.size > sizeof ignore->verdicts->agent)
        return judge(ignore, agreement, event);
    uint64_t hash = hash64(agent.data, agent.size, 0);
    struct verdict *verdict = &ignore->verdicts[hash & (SLOTS - 1)];
    if (verdict->agreement == agreement && verdict->size == agent.size &&
        memcmp(verdict->agent, agent.data, agent.size) == 0)
        return verdict->ignored;
    verdict->agreement = agreement;
    verdict->size = (uint16_t)agent.size;
    verdict->ignored = judge(ignore, agreement, event);
    memcpy(verdict->agent, agent.data, agent.size);
    return verdict->ignored;
}

uint64_t ignore_version(void)
{
    return crawlers_version();
}
