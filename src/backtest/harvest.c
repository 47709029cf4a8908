#include "backtest/harvest.h"

#include <stdlib.h>

static struct fact *add(struct harvest *harvest, enum fact_kind kind, struct baton_text id)
{
    if (harvest->count == harvest->room) {
        harvest->room = harvest->room ? harvest->room * 2 : 256;
        harvest->facts = memory_resize(harvest->facts, harvest->room * sizeof *harvest->facts);
    }
    struct fact *fact = &harvest->facts[harvest->count++];
    *fact =
        (struct fact){.kind = kind, .id = {arena_copy(&harvest->arena, id.data, id.size), id.size}};
    return fact;
}

static struct baton_text id_of(struct fold_run *run, uint32_t lead)
{
    return lead_table_id(lead_table_entry(&run->leads, lead));
}

/* Merges are the same under every agreement: one run's are enough. */
static void add_merged(void *context, struct lead_entry *entry)
{
    struct harvest *harvest = context;
    if (!(entry->lead.flags & BATON_LEAD_MERGED))
        return;
    struct baton_text into = entry->lead.history->into;
    add(harvest, FACT_MERGED, lead_table_id(entry))->into =
        (struct baton_text){arena_copy(&harvest->arena, into.data, into.size), into.size};
}

void harvest_take(struct harvest *harvest, struct fold_run *run)
{
    *harvest = (struct harvest){.is_candidate = run->is_candidate, .promotions = run->promotions};
    harvest->arena = run->kept; /* of the rules that were hit */
    arena_init(&run->kept, 4096);
    harvest->lines = run->lines;
    lines_init(&run->lines);
    for (size_t i = 0; i < run->promoted_count; i++)
        add(harvest, FACT_PROMOTED, id_of(run, run->promoted[i].lead))->time_ms =
            run->promoted[i].time_ms;
    for (size_t i = 0; i < run->judged_count; i++) {
        const struct judged *judged = &run->judged[i];
        struct fact *fact = add(harvest, FACT_JUDGED, id_of(run, judged->lead));
        fact->time_ms = judged->time_ms;
        fact->outcome = judged->outcome;
        fact->weight = judged->weight;
        fact->rules = judged->rules;
    }
    if (run->is_candidate)
        lead_table_each(&run->leads, run->unit, add_merged, harvest);
}

void harvest_fini(struct harvest *harvest)
{
    arena_fini(&harvest->arena);
    lines_fini(&harvest->lines);
    free(harvest->facts);
}
