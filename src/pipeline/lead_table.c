#include "pipeline/lead_table.h"

#include "base/arena.h"
#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CACHE_LINE 64

_Static_assert(sizeof(struct lead_entry) == 4 * CACHE_LINE, "an entry is four lines");

static void *counted_resize(void *context, void *old, size_t old_size, size_t new_size)
{
    struct lead_table *table = context;
    table->bytes += slab_piece_bytes(new_size);
    table->bytes -= slab_piece_bytes(old_size);
    return slab_resize(&table->slab, old, old_size, new_size);
}

void lead_table_init(struct lead_table *table, size_t limit_bytes)
{
    *table = (struct lead_table){
        .limit_bytes = limit_bytes, .free_list = LEAD_NOWHERE, .slot_mask = 4095};
    table->slots = memory_take_zeroed((size_t)table->slot_mask + 1, sizeof *table->slots);
    table->bytes = ((size_t)table->slot_mask + 1) * sizeof *table->slots;
    table->allocator = (struct baton_allocator){.resize = counted_resize, .context = table};
}

struct lead_entry *lead_table_entry(struct lead_table *table, uint32_t number)
{
    assert(number < table->made);
    return &table->chunks[number / LEAD_CHUNK][number % LEAD_CHUNK];
}

uint64_t lead_table_hash(uint32_t unit, struct baton_text id)
{
    return hash_quick(id.data, id.size, unit);
}

struct baton_text lead_table_id(const struct lead_entry *entry)
{
    return (struct baton_text){.data = entry->id_size > LEAD_SHORT_ID ? entry->long_id
                                                                      : entry->short_id,
                               .size = entry->id_size};
}

static uint64_t slot_of(const struct lead_entry *entry)
{
    return (entry->hash & 0xffffffff00000000u) | (entry->number + 1);
}

static bool same(const struct lead_entry *entry, uint32_t unit, struct baton_text id)
{
    return entry->unit == unit && entry->id_size == id.size &&
           memcmp(lead_table_id(entry).data, id.data, id.size) == 0;
}

static void fetch_lines(const void *memory, size_t size)
{
    for (size_t line = 0; line < size; line += CACHE_LINE)
        __builtin_prefetch((const char *)memory + line, 1);
}

void lead_table_fetch_slot(const struct lead_table *table, uint64_t hash)
{
    __builtin_prefetch(&table->slots[(uint32_t)hash & table->slot_mask]);
}

void lead_table_fetch_entry(struct lead_table *table, uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash & table->slot_mask; table->slots[i];
         i = (i + 1) & table->slot_mask) {
        if (table->slots[i] >> 32 != hash >> 32)
            continue;
        fetch_lines(lead_table_entry(table, (uint32_t)table->slots[i] - 1),
                    sizeof(struct lead_entry));
        return;
    }
}

void lead_table_fetch_owned(const struct lead_entry *entry)
{
    const struct baton_lead *lead = &entry->lead;
    fetch_lines(lead->tallies, lead->tally_count * sizeof *lead->tallies);
    fetch_lines(lead->touches, lead->touch_count * sizeof *lead->touches);
    if (lead->history) /* every score looks at what was adjusted */
        __builtin_prefetch(&lead->history->adjusted, 1);
}

void lead_table_fetch_history(const struct lead_entry *entry)
{
    if (entry->lead.history)
        fetch_lines(entry->lead.history, sizeof *entry->lead.history);
}

void lead_table_fetch_number(struct lead_table *table, uint32_t number)
{
    fetch_lines(lead_table_entry(table, number), sizeof(struct lead_entry));
}

struct lead_entry *lead_table_find(struct lead_table *table, uint64_t hash, uint32_t unit,
                                   struct baton_text id)
{
    for (uint32_t i = (uint32_t)hash & table->slot_mask;; i = (i + 1) & table->slot_mask) {
        uint64_t slot = table->slots[i];
        if (slot == 0)
            return NULL;
        if (slot >> 32 != hash >> 32)
            continue;
        struct lead_entry *entry = lead_table_entry(table, (uint32_t)slot - 1);
        if (same(entry, unit, id)) {
            entry->flags |= LEAD_TOUCHED;
            return entry;
        }
    }
}

static size_t entry_bytes(const struct lead_entry *entry)
{
    return sizeof *entry + (entry->id_size > LEAD_SHORT_ID ? entry->id_size : 0);
}

static void put_slot(struct lead_table *table, const struct lead_entry *entry)
{
    uint32_t i = (uint32_t)entry->hash & table->slot_mask;
    while (table->slots[i])
        i = (i + 1) & table->slot_mask;
    table->slots[i] = slot_of(entry);
}

static void double_slots(struct lead_table *table)
{
    uint32_t former = table->slot_mask + 1;
    free(table->slots);
    table->slot_mask = former * 2 - 1;
    table->slots = memory_take_zeroed((size_t)former * 2, sizeof *table->slots);
    table->bytes += former * sizeof *table->slots;
    for (uint32_t n = 0; n < table->made; n++) {
        struct lead_entry *entry = lead_table_entry(table, n);
        if (entry->flags & LEAD_USED)
            put_slot(table, entry);
    }
}

/* Leads are met all over the table: great pages spare the walk to each, where the system has them.
 */
static struct lead_entry *make_chunk(void)
{
    const size_t size = LEAD_CHUNK * sizeof(struct lead_entry);
    struct lead_entry *chunk = memory_take_aligned(size, size);
    (void)madvise(chunk, size, MADV_HUGEPAGE);
    return chunk;
}

static struct lead_entry *take_entry(struct lead_table *table)
{
    if (table->free_list != LEAD_NOWHERE) {
        struct lead_entry *entry = lead_table_entry(table, table->free_list);
        uint32_t number = table->free_list;
        table->free_list = entry->number;
        entry->number = number;
        return entry;
    }
    if (table->made == table->chunk_count * LEAD_CHUNK) {
        table->chunks =
            memory_resize(table->chunks, (table->chunk_count + 1) * sizeof(struct lead_entry *));
        table->chunks[table->chunk_count++] = make_chunk();
    }
    uint32_t number = table->made++;
    struct lead_entry *entry = lead_table_entry(table, number);
    entry->number = number;
    return entry;
}

struct lead_entry *lead_table_add(struct lead_table *table, uint64_t hash, uint32_t unit,
                                  struct baton_text id)
{
    assert(id.size <= UINT16_MAX);
    if ((uint64_t)(table->used + 1) * 3 > ((uint64_t)table->slot_mask + 1) * 2)
        double_slots(table);
    struct lead_entry *entry = take_entry(table);
    baton_lead_init(&entry->lead);
    entry->hash = hash;
    entry->unit = unit;
    entry->stored_size = 0;
    entry->stored_stage = BATON_LEAD;
    entry->flags = LEAD_USED | LEAD_TOUCHED;
    entry->id_size = (uint16_t)id.size;
    if (id.size > LEAD_SHORT_ID)
        entry->long_id = memory_take(id.size);
    memcpy((char *)(uintptr_t)lead_table_id(entry).data, id.data, id.size);
    table->bytes += entry_bytes(entry);
    table->used++;
    put_slot(table, entry);
    return entry;
}

/* Closes the gap that a removed slot leaves, so that linear probing needs no tombstones. */
static void close_gap(struct lead_table *table, uint32_t gap)
{
    uint32_t mask = table->slot_mask;
    for (uint32_t i = (gap + 1) & mask; table->slots[i]; i = (i + 1) & mask) {
        uint32_t home =
            (uint32_t)lead_table_entry(table, (uint32_t)table->slots[i] - 1)->hash & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        table->slots[gap] = table->slots[i];
        gap = i;
    }
    table->slots[gap] = 0;
}

void lead_table_remove(struct lead_table *table, struct lead_entry *entry)
{
    uint64_t wanted = slot_of(entry);
    uint32_t i = (uint32_t)entry->hash & table->slot_mask;
    while (table->slots[i] != wanted)
        i = (i + 1) & table->slot_mask;
    close_gap(table, i);
    baton_lead_fini(&entry->lead, &table->allocator);
    table->bytes -= entry_bytes(entry);
    table->used--;
    if (entry->id_size > LEAD_SHORT_ID)
        free(entry->long_id);
    uint32_t number = entry->number;
    entry->flags = 0;
    entry->number = table->free_list;
    table->free_list = number;
}

void lead_table_remove_unit(struct lead_table *table, uint32_t unit)
{
    for (uint32_t n = 0; n < table->made; n++) {
        struct lead_entry *entry = lead_table_entry(table, n);
        if (entry->flags & LEAD_USED && entry->unit == unit)
            lead_table_remove(table, entry);
    }
}

void lead_table_each(struct lead_table *table, uint32_t unit,
                     void (*each)(void *context, struct lead_entry *entry), void *context)
{
    for (uint32_t n = 0; n < table->made; n++) {
        struct lead_entry *entry = lead_table_entry(table, n);
        if (entry->flags & LEAD_USED && entry->unit == unit)
            each(context, entry);
    }
}

#define STAYS                                                                                      \
    (LEAD_DIRTY | LEAD_IN_COPY | LEAD_LOADING | LEAD_AWAITED | LEAD_AWAITED_2 | LEAD_TIMED)

bool lead_table_evict(struct lead_table *table)
{
    for (uint64_t looks = 0; table->bytes > table->limit_bytes && looks < 2 * (uint64_t)table->made;
         looks++) {
        if (table->hand >= table->made)
            table->hand = 0;
        struct lead_entry *entry = lead_table_entry(table, table->hand++);
        if (!(entry->flags & LEAD_USED) || entry->flags & STAYS)
            continue;
        if (entry->flags & LEAD_TOUCHED)
            entry->flags &= (uint8_t)~LEAD_TOUCHED;
        else {
            lead_table_remove(table, entry);
            table->evicted++;
        }
    }
    return table->bytes <= table->limit_bytes;
}

void lead_table_fini(struct lead_table *table)
{
    for (uint32_t n = 0; n < table->made; n++) {
        struct lead_entry *entry = lead_table_entry(table, n);
        if (entry->flags & LEAD_USED)
            lead_table_remove(table, entry);
    }
    for (uint32_t c = 0; c < table->chunk_count; c++)
        free(table->chunks[c]);
    free(table->chunks);
    free(table->slots);
    slab_fini(&table->slab);
    *table = (struct lead_table){0};
}
