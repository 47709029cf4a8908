#include <baton/lead.h>

#include "domain/history.h"
#include "domain/memory.h"
#include "domain/profile.h"
#include "domain/tally.h"

void baton_lead_init(struct baton_lead *lead)
{
    *lead = (struct baton_lead){.generation = 1, .stage = BATON_LEAD, .stage_offset = -1};
}

void baton_lead_fini(struct baton_lead *lead, struct baton_allocator *allocator)
{
    for (uint16_t i = 0; i < lead->profile_count; i++)
        profile_value_free(&lead->profile[i], allocator);
    for (uint16_t i = 0; i < lead->tally_count; i++)
        tally_release(&lead->tallies[i], allocator);
    history_free(lead->history, allocator);
    memory_free(allocator, lead->tallies, lead->tally_room * sizeof *lead->tallies);
    memory_free(allocator, lead->touches, lead->touch_room * sizeof *lead->touches);
    memory_free(allocator, lead->profile, lead->profile_room * sizeof *lead->profile);
    baton_lead_init(lead);
}

static int32_t search_all(const struct baton_agreement *agreement, uint32_t hash)
{
    for (uint32_t i = 0; i < agreement->behaviour_count; i++)
        if (agreement->behaviour[i].hash == hash)
            return (int32_t)i;
    return -1;
}

int32_t baton_agreement_rule(const struct baton_agreement *agreement, uint32_t hash)
{
    if (!agreement->by_hash)
        return search_all(agreement, hash);
    uint32_t slot = hash & agreement->by_hash_mask;
    for (uint32_t tried = 0; tried <= agreement->by_hash_mask; tried++) {
        uint16_t entry = agreement->by_hash[slot];
        if (!entry)
            return -1;
        if (agreement->behaviour[entry - 1].hash == hash)
            return entry - 1;
        slot = (slot + 1) & agreement->by_hash_mask;
    }
    return -1;
}

void baton_lead_attach(struct baton_lead *lead, const struct baton_agreement *agreement)
{
    for (uint16_t i = 0; i < lead->tally_count; i++)
        lead->tallies[i].rule = baton_agreement_rule(agreement, lead->tallies[i].rule_hash);
    profile_refit(lead, agreement);
}
