/* Events of a unit, and of no lead: what a channel cost, that time goes on, how a goal stands. */
#include "pipeline/pipeline.h"

static void fold_spend(struct worker *worker, const struct item *item)
{
    struct unit *unit = item->unit;
    if (counting_is_new(unit, item->record->offset)) {
        spend_take(unit->spend, &item->event);
        unit->aggregates.events++;
    }
    if (unit->state == UNIT_LIVE)
        figure_add(&worker->figures.events, 1);
}

/* Baton's own are no events of anybody. */
void unit_event_fold(struct worker *worker, const struct item *item)
{
    counting_arrived(item->unit, item->record);
    if (item->event.kind == BATON_SPEND)
        fold_spend(worker, item);
    else if (item->event.kind == BATON_JUDGED)
        judge_fold(worker, item);
}
