/* A lead is given up for another: a stub stays that passes on whatever comes. */
#include "domain/history.h"
#include "domain/lead_portable.h"
#include "domain/memory.h"
#include "domain/persons.h"
#include "domain/text.h"

static bool own_text(struct baton_text *out, struct baton_text text,
                     struct baton_allocator *allocator)
{
    char *bytes = memory_new(allocator, text.size);
    if (!bytes)
        return false;
    memcpy(bytes, text.data, text.size);
    *out = (struct baton_text){bytes, text.size};
    return true;
}

static void drop_oldest_alias(struct baton_history *history, struct baton_allocator *allocator)
{
    struct baton_text *aliases = history->aliases;
    memory_free(allocator, (void *)(uintptr_t)aliases[0].data, aliases[0].size);
    memmove(&aliases[0], &aliases[1], (size_t)(history->alias_count - 1) * sizeof *aliases);
    aliases[history->alias_count - 1] = (struct baton_text){0};
}

static bool is_alias(const struct baton_lead *lead, struct baton_text id)
{
    for (uint8_t i = 0; lead->history && i < lead->history->alias_count; i++)
        if (text_equal(lead->history->aliases[i], id))
            return true;
    return false;
}

bool alias_add(const struct folding *folding, struct baton_text id)
{
    struct baton_lead *lead = folding->lead;
    struct baton_allocator *allocator = folding->context->allocator;
    if (text_equal(id, folding->event->lead_id) || is_alias(lead, id))
        return true;
    struct baton_history *history = baton_lead_history(lead, allocator);
    struct baton_text owned;
    if (!history || !own_text(&owned, id, allocator))
        return false;
    if (history->alias_count == BATON_ALIASES_MAX) {
        drop_oldest_alias(history, allocator);
        history->aliases[BATON_ALIASES_MAX - 1] = owned;
        return true;
    }
    size_t size = history->alias_count * sizeof owned;
    struct baton_text *grown =
        allocator->resize(allocator->context, history->aliases, size, size + sizeof owned);
    if (!grown) {
        memory_free(allocator, (void *)(uintptr_t)owned.data, owned.size);
        return false;
    }
    grown[history->alias_count++] = owned;
    history->aliases = grown;
    return true;
}

/* ---- the stub -------------------------------------------------------------------------------- */

static enum baton_fold_outcome refuse(const struct folding *folding, enum baton_refusal refusal,
                                      const char *refused)
{
    folding->result->refusal = refusal;
    folding->result->refused = refused;
    return BATON_REFUSED;
}

/* Where on its trail an event was at this lead before; trail_count: it was not. */
static uint32_t been_here(const struct baton_event *event)
{
    uint32_t place = 0, count = event->hop ? event->hop->trail_count : 0;
    while (place < count && !text_equal(event->hop->trail[place], event->lead_id))
        place++;
    return place;
}

/* Ids that were merged into each other at the same moment go round in a circle. The smallest of
 * them is the one that stays; whoever comes round learns the circle from the trail. */
static bool stays(const struct baton_event *event)
{
    uint32_t count = event->hop ? event->hop->trail_count : 0, place = been_here(event);
    if (place == count)
        return false;
    for (uint32_t i = place + 1; i < count; i++)
        if (text_compare(event->hop->trail[i], event->lead_id) < 0)
            return false;
    return true;
}

/* What is baton's own word does not end a circle: it is no person's, and is told to nobody. */
static bool has_nowhere_to_go(const struct baton_event *event)
{
    uint32_t count = event->hop ? event->hop->trail_count : 0;
    return been_here(event) < count || count >= BATON_TRAIL_MAX;
}

static void stop_being_stub(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    uint8_t erased = lead->flags & BATON_LEAD_ERASED;
    int64_t applied = lead->applied, told = lead->stage_offset;
    baton_lead_fini(lead, folding->context->allocator);
    lead->applied = applied;
    lead->stage_offset = told;
    lead->flags = erased;
}

static bool stub_takes(const struct folding *folding)
{
    const struct baton_event *event = folding->event;
    struct baton_fold_result *result = folding->result;
    struct baton_text into = folding->lead->history->into;
    if (event->kind == BATON_MERGE && text_equal(event->merge->into, into))
        return false; /* said before: a duplicate */
    if (event->kind == BATON_ERASE && event->hop && event->hop->own)
        return true;
    if (event->kind == BATON_PUBLISHED && has_nowhere_to_go(event)) {
        result->outcome = BATON_UNCHANGED;
        return false;
    }
    if (stays(event)) {
        stop_being_stub(folding);
        (void)refuse(folding, BATON_REFUSED_CYCLE,
                     "leads were merged into each other; this one stays, and has taken this in");
        return true;
    }
    if (event->hop && event->hop->trail_count >= BATON_TRAIL_MAX) {
        result->outcome =
            refuse(folding, BATON_REFUSED_CYCLE, "it was passed on from lead to lead too often");
        return false;
    }
    result->outcome = BATON_PASSED_ON;
    result->hop = BATON_HOP_FORWARD;
    result->to = into;
    return false;
}

bool person_takes(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    if (lead->flags & BATON_LEAD_MERGED)
        return stub_takes(folding);
    lead->flags &= (uint8_t)~BATON_LEAD_EMPTIED;
    return true;
}

/* ---- the events ------------------------------------------------------------------------------ */

enum baton_fold_outcome merge_take(const struct folding *folding)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_event *event = folding->event;
    struct baton_allocator *allocator = folding->context->allocator;
    struct baton_text into = event->merge->into, owned;
    if (text_equal(into, event->lead_id)) /* it was passed on, and is so already */
        return BATON_DUPLICATE;
    if (is_alias(lead, into))
        return refuse(folding, BATON_REFUSED_CYCLE, "that lead was merged into this one before");
    if (!own_text(&owned, into, allocator))
        return BATON_OUT_OF_MEMORY;
    uint8_t erased = lead->flags & BATON_LEAD_ERASED;
    baton_lead_fini(lead, allocator);
    struct baton_history *history = baton_lead_history(lead, allocator);
    if (!history) {
        memory_free(allocator, (void *)(uintptr_t)owned.data, owned.size);
        return BATON_OUT_OF_MEMORY;
    }
    history->into = owned;
    lead->flags = BATON_LEAD_MERGED | erased;
    lead->newest_ms = lead->first_ms = event->time_ms;
    lead->stage_offset = event->offset;
    folding->result->notice = BATON_MERGED;
    folding->result->hop = BATON_HOP_TRANSFER;
    folding->result->to = history->into;
    return BATON_FOLDED;
}

static bool take_aliases(const struct folding *folding, const struct baton_lead *from)
{
    for (uint8_t i = 0; from->history && i < from->history->alias_count; i++)
        if (!alias_add(folding, from->history->aliases[i]))
            return false;
    return alias_add(folding, folding->event->transfer->from);
}

enum baton_fold_outcome transfer_take(const struct folding *folding)
{
    const struct baton_transfer *transfer = folding->event->transfer;
    const struct baton_fold_context *context = folding->context;
    struct baton_lead from;
    baton_lead_init(&from);
    enum baton_unpack unpacked =
        lead_portable_read(&from, (const uint8_t *)transfer->state.data, transfer->state.size,
                           context->words, context->allocator);
    if (unpacked == BATON_NO_MEMORY)
        return BATON_OUT_OF_MEMORY;
    if (unpacked != BATON_UNPACKED)
        return refuse(folding, BATON_REFUSED_STATE, "the state of the lead cannot be read");
    event_enter(&from, folding->event); /* the merge, whose id and time the transfer has */
    baton_lead_attach(&from, context->agreement);
    bool done = take_aliases(folding, &from) && unite(folding, &from);
    baton_lead_fini(&from, context->allocator);
    if (!done || context->words->starved)
        return BATON_OUT_OF_MEMORY;
    return BATON_FOLDED;
}
