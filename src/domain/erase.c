#include "domain/history.h"
#include "domain/persons.h"

/* What is left is that there is nothing: it goes to the store, and then out of it. */
enum baton_fold_outcome erase_take(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    struct baton_fold_result *result = folding->result;
    bool has_aliases = lead->history && lead->history->alias_count > 0;
    result->notice = BATON_ERASED;
    result->stage_offset = lead->stage_offset;
    result->hop = has_aliases ? BATON_HOP_ERASE : BATON_NO_HOP;
    baton_lead_fini(lead, folding->context->allocator);
    lead->flags = BATON_LEAD_EMPTIED | BATON_LEAD_ERASED;
    return BATON_FOLDED;
}
