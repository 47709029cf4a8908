/* The working set of a worker: the leads of its units that are in memory.
 *
 * Entries do not move while they are in the table. Clean entries are evicted when the table is over
 * its limit, dirty ones and those that a checkpoint still carries never: what is not in the store
 * yet cannot be loaded again. Nor are those that are being loaded, that a batch points to, or whose
 * clocks are about to go off. One thread. */
#ifndef PIPELINE_LEAD_TABLE_H
#define PIPELINE_LEAD_TABLE_H

#include "base/slab.h"

#include <baton/lead.h>

enum lead_flags {
    LEAD_USED = 1,
    LEAD_DIRTY = 2,      /* differs from the store; stands in its unit's list of dirty leads */
    LEAD_IN_COPY = 4,    /* a checkpoint's copy of it is not confirmed yet */
    LEAD_TOUCHED = 8,    /* used since the clock's hand passed */
    LEAD_LOADING = 16,   /* asked of the store, not there yet */
    LEAD_AWAITED = 32,   /* a batch that is not folded yet points to it … */
    LEAD_AWAITED_2 = 64, /* … and so may a second one */
    LEAD_TIMED = 128     /* one of its clocks is due soon */
};

#define LEAD_STAGE_DATED UINT8_MAX
#define LEAD_SHORT_ID 40 /* bytes: a UUID in letters fits */

/* The first line of the cache tells whether it is the lead that is looked for. */
struct lead_entry {
    uint64_t hash;
    uint32_t unit;
    uint32_t
        number; /* its place in the table; LEAD_NOWHERE-terminated list of free ones while unused */
    uint32_t stored_size; /* size of its packed form in the store, 0: none known */
    uint16_t id_size;
    uint8_t flags;
    uint8_t stored_stage; /* the stage that the store says of it; LEAD_STAGE_DATED: to be written */
    union {
        char short_id[LEAD_SHORT_ID];
        char *long_id; /* of more bytes */
    };
    struct baton_lead lead;
};

#define LEAD_NOWHERE UINT32_MAX
#define LEAD_CHUNK 8192

struct lead_table {
    struct lead_entry **chunks; /* of LEAD_CHUNK entries, so that entries stay where they are */
    uint32_t chunk_count;
    uint32_t used; /* entries in use */
    uint32_t made; /* entries ever used; the rest of the last chunk is fresh */
    uint32_t free_list;
    uint32_t hand;   /* of the clock that looks for entries to evict */
    uint64_t *slots; /* high 32 bits: hash, low 32 bits: entry + 1; 0: free */
    uint32_t slot_mask;
    uint64_t evicted; /* entries, ever */
    size_t bytes;     /* in use, everything counted */
    size_t limit_bytes;
    struct baton_allocator allocator; /* for what leads own; counts into `bytes` */
    struct slab slab;                 /* … and comes from here */
};

void lead_table_init(struct lead_table *table, size_t limit_bytes);
void lead_table_fini(struct lead_table *table);
uint64_t lead_table_hash(uint32_t unit, struct baton_text id);
/* NULL: not in the table. */
struct lead_entry *lead_table_find(struct lead_table *table, uint64_t hash, uint32_t unit,
                                   struct baton_text id);
/* Adds a lead that is not in the table, initialised and clean. */
struct lead_entry *lead_table_add(struct lead_table *table, uint64_t hash, uint32_t unit,
                                  struct baton_text id);
struct baton_text lead_table_id(const struct lead_entry *entry);
/* Memory is far away: a batch names all of its leads before it touches the first. To be called in
 * this order, with other work in between: the slot, the entry that it names, what the entry owns.
 */
void lead_table_fetch_slot(const struct lead_table *table, uint64_t hash);
void lead_table_fetch_entry(struct lead_table *table, uint64_t hash);
void lead_table_fetch_owned(const struct lead_entry *entry);
/* … what only some events and every checkpoint look at. */
void lead_table_fetch_history(const struct lead_entry *entry);
/* In place of the first two, where the entry's number is known. */
void lead_table_fetch_number(struct lead_table *table, uint32_t number);
void lead_table_remove(struct lead_table *table, struct lead_entry *entry);
void lead_table_remove_unit(struct lead_table *table, uint32_t unit);
struct lead_entry *lead_table_entry(struct lead_table *table, uint32_t number);
/* Evicts clean leads that nothing points to until the table is within its limit; false if it is
 * still over. */
bool lead_table_evict(struct lead_table *table);
/* Calls back for each lead of a unit. */
void lead_table_each(struct lead_table *table, uint32_t unit,
                     void (*each)(void *context, struct lead_entry *entry), void *context);

#endif
