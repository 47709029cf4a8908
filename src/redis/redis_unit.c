#include "redis/redis_store_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct unit_state *redis_unit(struct redis_store *store, uint32_t unit)
{
    if (unit >= store->unit_count) {
        size_t count = (size_t)unit + 16;
        store->units = memory_resize(store->units, count * sizeof *store->units);
        memset(store->units + store->unit_count, 0,
               (count - store->unit_count) * sizeof *store->units);
        store->unit_count = count;
    }
    return &store->units[unit];
}

void redis_unit_judge(struct redis_store *store, uint32_t unit, enum status verdict,
                      const char *why)
{
    struct unit_state *state = redis_unit(store, unit);
    if (state->verdict != STATUS_OK)
        return; /* the first cause is the one to tell */
    state->verdict = verdict;
    state->why = memory_copy_text(why);
}

void redis_unit_clear(struct redis_store *store, uint32_t unit)
{
    struct unit_state *state = redis_unit(store, unit);
    state->verdict = STATUS_OK;
    free(state->why);
    state->why = NULL;
}

enum status redis_unit_verdict(struct redis_store *store, uint32_t unit, struct error *error)
{
    struct unit_state *state = redis_unit(store, unit);
    if (state->verdict != STATUS_OK)
        return error_set(error, state->verdict, "%s", state->why);
    return STATUS_OK;
}

void redis_unit_fence_off(struct redis_store *store, uint32_t unit)
{
    struct error error;
    (void)error_set(&error, STATUS_FENCED,
                    "unit %" PRIu32
                    ": another process has claimed it, or Redis has fallen back to an older state",
                    unit);
    redis_unit_judge(store, unit, STATUS_FENCED, error.text);
}
