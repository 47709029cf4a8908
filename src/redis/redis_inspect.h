/* Looking into the checkpoints without a claim, for tools: nothing here is fenced, nothing writes.
 * What is read may be one write older or newer than what was read a moment before. One thread. */
#ifndef REDIS_REDIS_INSPECT_H
#define REDIS_REDIS_INSPECT_H

#include "base/arena.h"
#include "base/status.h"
#include "pipeline/ports.h"
#include "redis/redis_config.h"

struct redis_inspector;

/* Connects. The configuration is borrowed. RETRY: Redis is away. */
enum status redis_inspect_open(struct redis_inspector **inspector,
                               const struct redis_config *config, struct error *error);
void redis_inspect_close(struct redis_inspector *inspector);

/* Numbers of all units that Redis knows, ascending (a scan of all keys: ask only where the number
 * of partitions is not known). */
enum status redis_inspect_units(struct redis_inspector *inspector, struct arena *arena,
                                uint32_t **units, size_t *count, struct error *error);
/* All fields of a unit's hash but the token (the step is given); count 0: there is no such unit. */
enum status redis_inspect_unit(struct redis_inspector *inspector, uint32_t unit,
                               struct arena *arena, struct field **fields, size_t *count,
                               struct error *error);

/* Of any hash of a unit; of STORE_UNIT as redis_inspect_unit. */
enum status redis_inspect_hash(struct redis_inspector *inspector, uint32_t unit,
                               enum store_hash hash, struct arena *arena, struct field **fields,
                               size_t *count, struct error *error);

/* How many fields it has. */
enum status redis_inspect_hash_size(struct redis_inspector *inspector, uint32_t unit,
                                    enum store_hash hash, uint64_t *count, struct error *error);

/* The readable fields as text, the time of the newest event, and the packed form. */
struct inspected_lead {
    uint32_t unit;
    struct baton_text id;
    struct baton_text score, stage;
    int64_t newest_ms;     /* 0: not told */
    uint8_t flags;         /* baton_lead_flags */
    const uint8_t *packed; /* not read by redis_inspect_leads */
    size_t packed_size;
};
/* found false: no such lead in this unit. STOP: it is damaged. */
enum status redis_inspect_lead(struct redis_inspector *inspector, uint32_t unit,
                               struct baton_text id, struct arena *arena,
                               struct inspected_lead *lead, bool *found, struct error *error);
enum status redis_inspect_words(struct redis_inspector *inspector, uint32_t unit,
                                struct arena *arena, struct field **words, size_t *count,
                                struct error *error);
/* value->data NULL: no such text. */
enum status redis_inspect_text(struct redis_inspector *inspector, uint32_t unit,
                               struct baton_text name, struct arena *arena,
                               struct baton_text *value, struct error *error);

struct lead_visitor {
    void (*lead)(
        void *context,
        const struct inspected_lead *lead); /* borrowed for the call; a lead may come twice */
    void (*progress)(void *context, uint64_t leads, uint64_t keys,
                     uint64_t keys_in_all); /* may be NULL */
    void *context;
};
/* All leads of all units, in no order. */
enum status redis_inspect_leads(struct redis_inspector *inspector,
                                const struct lead_visitor *visitor, struct error *error);

#endif
