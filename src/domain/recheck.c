/* What the time changes without an event of the lead. */
#include "domain/stages.h"

static bool is_with_sales(const struct baton_lead *lead)
{
    return lead->stage == BATON_SQL || lead->stage == BATON_ACCEPTED;
}

static bool is_forgotten_at(const struct baton_lead *lead, const struct baton_agreement *agreement,
                            int64_t now_ms)
{
    return agreement->forget_ms && lead->events && !is_with_sales(lead) &&
           now_ms - lead->newest_ms >= agreement->forget_ms;
}

static bool comes_back_at(const struct baton_lead *lead, const struct baton_agreement *agreement,
                          int64_t now_ms)
{
    return lead->stage == BATON_REJECTED && agreement->recycle_after_ms &&
           now_ms - baton_lead_stage_ms(lead) >= agreement->recycle_after_ms;
}

/* Of whom nothing is known passes no gate without an event, not even one that is always open. */
static bool passes_gate_at(const struct baton_lead *lead, const struct baton_agreement *agreement,
                           int64_t now_ms)
{
    struct score_now now = {.lead = lead, .agreement = agreement, .at_ms = now_ms};
    if (!lead->events || (lead->stage >= BATON_SQL && lead->stage != BATON_RECYCLED))
        return false;
    return lead->stage == BATON_MQL ? score_opens_sql(&now) : score_opens_mql(&now);
}

bool baton_recheck_wanted(const struct baton_lead *lead, const struct baton_agreement *agreement,
                          int64_t now_ms)
{
    if (lead->flags & BATON_LEAD_EMPTIED) /* its removal is overdue */
        return true;
    if (lead->flags & BATON_LEAD_MERGED)
        return false;
    return is_forgotten_at(lead, agreement, now_ms) || comes_back_at(lead, agreement, now_ms) ||
           passes_gate_at(lead, agreement, now_ms);
}

/* Was a stage of it told, so that a later one must not have its id? */
static bool was_told(const struct baton_lead *lead)
{
    return lead->stage != BATON_LEAD || lead->generation > 1;
}

static bool leave_stage(const struct folding *folding)
{
    struct baton_score score;
    if (folding->lead->stage == BATON_LEAD)
        return true;
    baton_lead_score(folding->lead, folding->context->agreement, folding_now_ms(folding), &score);
    return stage_enter(folding, BATON_LEAD, &score);
}

/* It was not told that it left its stage: that stays, and what belongs to it. */
static void keep_stage(struct baton_lead *stub, struct baton_lead *lead)
{
    stub->stage = lead->stage;
    stub->mql_ms = lead->mql_ms;
    stub->history = lead->history;
    lead->history = NULL;
}

static bool forget(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    bool closed = folding->context->gates_closed, told = was_told(lead);
    if (!(closed ? stage_pass_gates(folding) : leave_stage(folding)))
        return false;
    struct baton_lead stub = {.stage = BATON_LEAD,
                              .generation = lead->generation,
                              .stage_offset = lead->stage_offset,
                              .flags = lead->flags & BATON_LEAD_ERASED};
    if (!told)
        stub.flags |= BATON_LEAD_EMPTIED;
    if (closed && lead->stage != BATON_LEAD)
        keep_stage(&stub, lead);
    baton_lead_fini(lead, folding->context->allocator);
    *lead = stub;
    baton_lead_attach(lead, folding->context->agreement);
    return true;
}

/* False if there is no memory. */
static bool take(const struct folding *folding)
{
    const struct baton_lead *lead = folding->lead;
    const struct baton_agreement *agreement = folding->context->agreement;
    int64_t now_ms = folding_now_ms(folding);
    if (is_forgotten_at(lead, agreement, now_ms))
        return forget(folding);
    if (lead->stage == BATON_REJECTED && !stage_recycle(folding))
        return false;
    return !lead->events || stage_pass_gates(folding);
}

enum baton_fold_outcome recheck_take(const struct folding *folding)
{
    const struct baton_lead *lead = folding->lead;
    uint32_t events = lead->events;
    if (lead->flags & BATON_LEAD_EMPTIED)
        return BATON_FOLDED;
    if (lead->flags & BATON_LEAD_MERGED)
        return BATON_UNCHANGED;
    if (!take(folding))
        return BATON_OUT_OF_MEMORY;
    bool changed = folding->result->transition_count || lead->events != events;
    return changed ? BATON_FOLDED : BATON_UNCHANGED;
}
