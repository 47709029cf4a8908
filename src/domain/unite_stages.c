/* Who was further with one of two ids is as far with both. */
#include "domain/clocks.h"
#include "domain/history.h"
#include "domain/shadow.h"
#include "domain/unite.h"

#include <string.h>

static unsigned distance(uint8_t stage)
{
    static const unsigned char distances[BATON_STAGES] = {
        [BATON_LEAD] = 0, [BATON_RECYCLED] = 0, [BATON_MQL] = 1,     [BATON_REJECTED] = 2,
        [BATON_SQL] = 3,  [BATON_ACCEPTED] = 4, [BATON_CUSTOMER] = 5};
    return distances[stage];
}

static void insert_earlier(struct baton_history *history, uint8_t place,
                           const struct baton_earlier *earlier)
{
    if (place == BATON_EARLIER_MAX)
        return;
    if (history->earlier_count < BATON_EARLIER_MAX)
        history->earlier_count++;
    memmove(&history->earlier[place + 1], &history->earlier[place],
            (size_t)(history->earlier_count - 1 - place) * sizeof *history->earlier);
    history->earlier[place] = *earlier;
}

static void sort_in(struct baton_history *history, const struct baton_earlier *earlier,
                    uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        uint8_t place = 0;
        while (place < history->earlier_count &&
               history->earlier[place].promoted_ms >= earlier[i].promoted_ms)
            place++;
        insert_earlier(history, place, &earlier[i]);
    }
}

/* Newest first by their promotion, at a tie those of the lead. A lead's own stand as they ended:
 * where an event came late, that is another order. */
static void unite_earlier(struct baton_history *history, const struct baton_history *from)
{
    struct baton_earlier own[BATON_EARLIER_MAX];
    uint8_t count = history->earlier_count;
    memcpy(own, history->earlier, sizeof own);
    history->earlier_count = 0;
    sort_in(history, own, count);
    if (from)
        sort_in(history, from->earlier, from->earlier_count);
}

/* The generation that ends, if sales had it. */
static void end_generation(struct baton_lead *lead)
{
    struct baton_history *history = lead->history;
    struct baton_earlier earlier = {.promoted_ms = history->sql_ms,
                                    .ended_ms = history->stage_ms,
                                    .reason = history->sales.reason,
                                    .generation = lead->generation,
                                    .stage = lead->stage};
    if (history->sql_ms)
        insert_earlier(history, 0, &earlier);
    if (lead->generation < UINT16_MAX)
        lead->generation++;
}

/* The stage and all that is known of it comes from the other id. */
static void adopt(const struct folding *folding, const struct baton_lead *from)
{
    struct baton_lead *lead = folding->lead;
    struct baton_history *history = lead->history;
    bool falls = baton_stage_rank((enum baton_stage)from->stage) <=
                 baton_stage_rank((enum baton_stage)lead->stage);
    if (from->generation > lead->generation)
        lead->generation = from->generation;
    else if (falls)
        end_generation(lead);
    lead->stage = from->stage;
    lead->mql_ms = from->mql_ms;
    history->sql_ms = from->history ? from->history->sql_ms : 0;
    history->stage_ms = from->history ? from->history->stage_ms : 0;
    history->sales = from->history ? from->history->sales : (struct baton_sales){0};
    clocks_adopt(folding, from->history);
}

static void tell(const struct folding *folding, enum baton_stage from)
{
    const struct baton_lead *lead = folding->lead;
    struct baton_fold_result *result = folding->result;
    struct baton_transition *told = &result->transitions[result->transition_count++];
    *told = (struct baton_transition){.from = from,
                                      .to = (enum baton_stage)lead->stage,
                                      .generation = lead->generation,
                                      .adopted = true};
    baton_lead_score(lead, folding->context->agreement, lead->newest_ms, &told->score);
}

/* Is the other id further? In a rebuild that was told then, or it was not so. */
static bool is_further(const struct folding *folding, const struct baton_lead *from)
{
    return distance(from->stage) > distance(folding->lead->stage) &&
           stage_may_enter(folding, (enum baton_stage)from->stage);
}

bool unite_stages(const struct folding *folding, const struct baton_lead *from)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_fold_context *context = folding->context;
    enum baton_stage before = (enum baton_stage)lead->stage;
    if (lead->history) {
        unite_earlier(lead->history, from->history);
        if (from->history)
            shadow_unite(lead->history, from->history);
    }
    if (!is_further(folding, from)) {
        if (from->generation > lead->generation)
            lead->generation = from->generation;
        clocks_leave(folding, from);
        return true;
    }
    if (!baton_lead_history(lead, context->allocator))
        return false;
    adopt(folding, from);
    if (context->gates_closed)
        lead->generation = context->entered[folding->result->transition_count].generation;
    lead->stage_offset = folding->event->offset;
    tell(folding, before);
    return true;
}
