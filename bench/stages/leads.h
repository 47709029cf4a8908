/* The lead table of src/pipeline as a batch uses it. The one place here that knows how. */
#ifndef STAGES_LEADS_H
#define STAGES_LEADS_H

#include "pipeline/lead_table.h"

#define LEADS_AHEAD 12 /* entries on their way from memory while one is looked at */

static inline struct baton_text leads_id(const struct lead_entry *entry)
{
    return lead_table_id(entry);
}

static inline uint64_t leads_hash(struct lead_table *table, uint32_t unit, struct baton_text id)
{
    uint64_t hash = lead_table_hash(unit, id);
    lead_table_fetch_slot(table, hash);
    return hash;
}

static inline struct lead_entry *leads_find(struct lead_table *table, uint64_t hash, uint32_t unit,
                                            struct baton_text id)
{
    struct lead_entry *entry = lead_table_find(table, hash, unit, id);
    if (entry)
        lead_table_fetch_owned(entry);
    return entry;
}

static inline struct lead_entry *leads_add(struct lead_table *table, uint64_t hash, uint32_t unit,
                                           struct baton_text id)
{
    return lead_table_add(table, hash, unit, id);
}

static inline void leads_fetch(struct lead_table *table, uint64_t hash)
{
    lead_table_fetch_entry(table, hash);
}

#endif
