/* The table of leads against a naive model: whatever is added, removed and evicted, the same leads
 * are there, and what must not be lost is not. */
#include "pipeline/lead_table.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 4, NAMES = 3000 };

struct model {
    struct lead_table table;
    struct lead_entry *entries[UNITS][NAMES]; /* NULL: not there */
    char *owned[UNITS][NAMES];                /* memory that the lead counts into the table */
    uint64_t seed;
    uint32_t used;
};

static uint64_t below(struct model *model, uint64_t limit)
{
    model->seed ^= model->seed << 13;
    model->seed ^= model->seed >> 7;
    model->seed ^= model->seed << 17;
    return (model->seed >> 11) % limit;
}

static struct lead_entry *find(struct lead_table *table, uint32_t unit, struct baton_text id)
{
    return lead_table_find(table, lead_table_hash(unit, id), unit, id);
}

static struct lead_entry *add(struct lead_table *table, uint32_t unit, struct baton_text id)
{
    return lead_table_add(table, lead_table_hash(unit, id), unit, id);
}

static struct baton_text name_of(uint32_t n, char room[16])
{
    int size = snprintf(room, 16, "n%" PRIu32, n);
    return (struct baton_text){.data = room, .size = (uint32_t)size};
}

static void model_init(struct model *model, size_t limit, uint64_t seed)
{
    memset(model, 0, sizeof *model);
    lead_table_init(&model->table, limit);
    model->seed = seed * 2654435761u + 1;
}

static void expect_all(struct model *model)
{
    char room[16];
    for (uint32_t unit = 0; unit < UNITS; unit++)
        for (uint32_t n = 0; n < NAMES; n++)
            cr_assert_eq(find(&model->table, unit, name_of(n, room)), model->entries[unit][n]);
    cr_assert_eq(model->table.used, model->used);
}

static void toggle(struct model *model, uint32_t unit, uint32_t n)
{
    char room[16];
    struct lead_entry **entry = &model->entries[unit][n];
    if (*entry) {
        lead_table_remove(&model->table, *entry);
        *entry = NULL;
        model->used--;
        return;
    }
    *entry = add(&model->table, unit, name_of(n, room));
    cr_assert((*entry)->flags & LEAD_USED);
    cr_assert_eq((*entry)->lead.events, 0);
    cr_assert_eq((*entry)->lead.generation, 1);
    (*entry)->lead.events = n + 1;
    model->used++;
}

Test(pipeline_lead_table, it_holds_what_was_added_and_not_removed)
{
    struct model *model = malloc(sizeof *model);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        model_init(model, SIZE_MAX, seed);
        for (int round = 0; round < 40000; round++)
            toggle(model, (uint32_t)below(model, UNITS), (uint32_t)below(model, NAMES));
        expect_all(model);
        for (uint32_t unit = 0; unit < UNITS; unit++)
            for (uint32_t n = 0; n < NAMES; n++)
                if (model->entries[unit][n])
                    cr_assert_eq(model->entries[unit][n]->lead.events, n + 1);
        lead_table_fini(&model->table);
    }
    free(model);
}

static void count(void *context, struct lead_entry *entry)
{
    (void)entry;
    ++*(uint32_t *)context;
}

Test(pipeline_lead_table, a_unit_leaves_with_all_its_leads_and_no_other)
{
    struct model *model = malloc(sizeof *model);
    model_init(model, SIZE_MAX, 7);
    for (int round = 0; round < 20000; round++)
        toggle(model, (uint32_t)below(model, UNITS), (uint32_t)below(model, NAMES));
    uint32_t others = 0, seen = 0;
    for (uint32_t n = 0; n < NAMES; n++) {
        others += model->entries[3][n] != NULL;
        model->used -= model->entries[2][n] != NULL;
        model->entries[2][n] = NULL;
    }
    lead_table_remove_unit(&model->table, 2);
    expect_all(model);
    lead_table_each(&model->table, 2, count, &seen);
    cr_assert_eq(seen, 0);
    lead_table_each(&model->table, 3, count, &seen);
    cr_assert_eq(seen, others);
    lead_table_fini(&model->table);
    free(model);
}

Test(pipeline_lead_table, bytes_return_to_what_they_were)
{
    struct lead_table table;
    char room[16];
    lead_table_init(&table, SIZE_MAX);
    size_t empty = table.bytes;
    for (uint32_t n = 0; n < 1000; n++) {
        struct lead_entry *entry = add(&table, 1, name_of(n, room));
        entry->lead.touches = table.allocator.resize(table.allocator.context, NULL, 0,
                                                     4 * sizeof(struct baton_touch));
        entry->lead.touch_room = 4;
    }
    cr_assert_geq(table.bytes, empty + 1000 * sizeof(struct lead_entry));
    lead_table_remove_unit(&table, 1);
    cr_assert_eq(table.bytes, empty);
    cr_assert_eq(table.used, 0);
    lead_table_fini(&table);
}

#define STAYS (LEAD_DIRTY | LEAD_IN_COPY | LEAD_LOADING | LEAD_AWAITED | LEAD_AWAITED_2)

/* Random flags, and a limit that cannot be kept with what is dirty: eviction takes clean leads
 * that nothing points to, and says whether it was enough. */
Test(pipeline_lead_table, only_clean_leads_that_nobody_awaits_are_evicted)
{
    struct model *model = malloc(sizeof *model);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        model_init(model, SIZE_MAX, seed);
        for (uint32_t n = 0; n < NAMES; n++) {
            toggle(model, n % UNITS, n);
            uint8_t flags[] = {0,
                               LEAD_DIRTY,
                               LEAD_IN_COPY,
                               LEAD_DIRTY | LEAD_IN_COPY,
                               LEAD_LOADING,
                               LEAD_AWAITED,
                               LEAD_AWAITED_2};
            model->entries[n % UNITS][n]->flags |= flags[below(model, 20) ? 0 : below(model, 7)];
        }
        size_t all = model->table.bytes;
        model->table.limit_bytes = all * below(model, 100) / 100;
        bool enough = lead_table_evict(&model->table);
        cr_assert_eq(enough, model->table.bytes <= model->table.limit_bytes);
        uint32_t kept = 0;
        for (uint32_t n = 0; n < NAMES; n++) {
            char room[16];
            struct lead_entry *now = find(&model->table, n % UNITS, name_of(n, room));
            struct lead_entry *then = model->entries[n % UNITS][n];
            cr_assert(now == NULL || now == then, "leads do not move");
            cr_assert(now || !(then->flags & STAYS));
            kept += now && !(now->flags & STAYS);
        }
        cr_assert(enough || kept == 0, "still over its limit with %u clean leads", kept);
        lead_table_fini(&model->table);
    }
    free(model);
}

Test(pipeline_lead_table, what_was_used_lately_is_evicted_last)
{
    struct lead_table table;
    char room[16];
    lead_table_init(&table, SIZE_MAX);
    for (uint32_t n = 0; n < 100; n++)
        (void)add(&table, 0, name_of(n, room));
    size_t one = sizeof(struct lead_entry);
    table.limit_bytes = table.bytes - 1;
    cr_assert(lead_table_evict(&table)); /* the hand goes round once, and takes one */
    for (uint32_t n = 50; n < 100; n++)
        (void)find(&table, 0, name_of(n, room));
    table.limit_bytes = table.bytes - 40 * one;
    cr_assert(lead_table_evict(&table));
    for (uint32_t n = 50; n < 100; n++)
        cr_assert(find(&table, 0, name_of(n, room)), "n%u was used", n);
    lead_table_fini(&table);
}

Test(pipeline_lead_table, the_same_id_in_two_units_is_two_leads)
{
    struct lead_table table;
    struct baton_text id = {"lead", 4}, longer = {"leads", 5}, empty = {"", 0};
    lead_table_init(&table, SIZE_MAX);
    struct lead_entry *first = add(&table, 0, id), *second = add(&table, UINT32_MAX - 1, id);
    cr_assert(first != second);
    cr_assert_eq(find(&table, 0, id), first);
    cr_assert_eq(find(&table, UINT32_MAX - 1, id), second);
    cr_assert_null(find(&table, 0, longer));
    cr_assert_null(find(&table, 0, empty));
    lead_table_fini(&table);
}

Test(pipeline_lead_table, ids_of_every_length_are_found_and_given_back)
{
    struct lead_table table;
    char text[BATON_ID_MAX];
    memset(text, 'x', sizeof text);
    lead_table_init(&table, SIZE_MAX);
    size_t empty_bytes = table.bytes;
    for (uint32_t size = 0; size <= BATON_ID_MAX; size++)
        (void)add(&table, 1, (struct baton_text){text, size});
    for (uint32_t size = 0; size <= BATON_ID_MAX; size++) {
        struct lead_entry *entry = find(&table, 1, (struct baton_text){text, size});
        cr_assert_not_null(entry);
        cr_assert_eq(lead_table_id(entry).size, size);
        cr_assert_eq(memcmp(lead_table_id(entry).data, text, size), 0);
    }
    lead_table_remove_unit(&table, 1);
    cr_assert_eq(table.bytes, empty_bytes);
    lead_table_fini(&table);
}
