/* What is counted of a folded message: in the aggregates, where they do not have it already, and in
 * the worker's figures, while the unit is live. */
#include "base/crash_point.h"
#include "pact/count.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>

bool counting_is_new(const struct unit *unit, int64_t offset)
{
    return offset >= unit->aggregates.position;
}

int64_t event_arrived_ms(const struct record *record, const struct baton_event *event)
{
    int64_t arrived_ms = record->timestamp_ms < 0 ? event->time_ms : record->timestamp_ms;
    return arrived_ms < BATON_TIME_MAX_MS ? arrived_ms : BATON_TIME_MAX_MS;
}

/* Whom the promotion goes to. It is counted with the promotion, so that whoever folds the log again
 * comes to the same name. */
static struct baton_text assign_owner(struct unit *unit, const struct baton_lead *lead)
{
    const struct baton_agreement *agreement = unit_agreement(unit);
    int32_t route = baton_route_find(lead, agreement);
    if (route < 0)
        return (struct baton_text){NULL, 0};
    return baton_route_name(&agreement->routes[route], unit->number,
                            unit->aggregates.assigned[route]++);
}

bool counting_is_rebuilt(const struct unit *unit, int64_t offset)
{
    return offset < unit->rebuild_until;
}

/* In a rebuild only turns are counted: who is next stays who was next. */
static void count_transitions(struct unit *unit, const struct item *item,
                              const struct baton_fold_result *result, struct baton_text *owner)
{
    bool rebuilt = counting_is_rebuilt(unit, item->record->offset);
    for (uint32_t i = 0; i < result->transition_count; i++) {
        enum baton_stage to = result->transitions[i].to;
        bool promoted = to == BATON_SQL && !result->transitions[i].adopted;
        if (promoted)
            *owner = assign_owner(unit, &item->entry->lead);
        if (rebuilt)
            continue;
        unit->aggregates.transitions++;
        unit->aggregates.promotions += promoted;
        unit->aggregates.digest =
            digest_transition(unit->aggregates.digest, item->event.lead_id,
                              result->transitions[i].generation, to, item->record->offset);
    }
}

static atomic_uint_fast64_t *figure_of(struct worker *worker, enum baton_fold_outcome outcome)
{
    switch (outcome) {
    case BATON_PASSED_ON: return &worker->figures.passed_on;
    case BATON_TOO_OLD: return &worker->figures.dropped;
    default: return &worker->figures.duplicates;
    }
}

/* Counting begins when the first record under a pact arrives: what it says of may lie long ago. */
static void begin_counting(struct unit *unit, int64_t offset, int64_t arrived_ms)
{
    if (unit->counted_from != INT32_MIN || !counting_is_new(unit, offset))
        return;
    unit->counted_from = calendar_day(unit_agreement(unit), arrived_ms);
    unit->counted_at = offset;
}

/* What both sides promised is measured. In a rebuild, too: the counters begin anew with it. */
static void count_pact(struct worker *worker, const struct item *item,
                       const struct baton_agreement *agreement,
                       const struct baton_fold_result *result)
{
    struct unit *unit = item->unit;
    bool counted = counting_is_new(unit, item->record->offset);
    int64_t arrived_ms = event_arrived_ms(item->record, &item->event);
    struct pact_fold fold = {.agreement = agreement,
                             .lead = &item->entry->lead,
                             .event = &item->event,
                             .result = result,
                             .first_hits = worker->first_hits,
                             .words = &unit->words,
                             .clock_ms = unit->clock_ms,
                             .arrived_ms =
                                 SEEDED_FAULT("clock_ended_by_c") ? unit->clock_ms : arrived_ms,
                             .counted = counted};
    count_fold(unit->counters, &fold);
    begin_counting(unit, item->record->offset, arrived_ms);
    unit->arrived_ms = item->record->timestamp_ms;
}

void counting_fold(struct worker *worker, const struct item *item,
                   const struct baton_fold_result *result, struct baton_text *owner)
{
    struct unit *unit = item->unit;
    bool live = unit->state == UNIT_LIVE, recheck = item->event.kind == BATON_RECHECK;
    bool told = recheck || item->event.kind == BATON_PUBLISHED; /* by baton itself */
    /* what was known of another lead was counted there */
    bool counts = result->outcome == BATON_FOLDED && !told && item->event.kind != BATON_TRANSFER;
    const struct baton_agreement *agreement = unit_agreement(unit);
    if (agreement->pact)
        count_pact(worker, item, agreement, result);
    if (counting_is_new(unit, item->record->offset)) {
        unit->aggregates.events += counts;
        unit->aggregates.duplicates += result->outcome == BATON_DUPLICATE;
        unit->aggregates.dropped += result->outcome == BATON_TOO_OLD;
        unit->aggregates.reports_ignored += result->notice == BATON_IGNORED;
        unit->aggregates.too_late += result->too_late;
        count_transitions(unit, item, result, owner);
    }
    if (live && recheck)
        sweep_folded(worker, unit);
    if (!live || told)
        return;
    if (counts)
        figure_add(&worker->figures.events, 1);
    else if (result->outcome != BATON_FOLDED && result->outcome != BATON_REFUSED)
        figure_add(figure_of(worker, result->outcome), 1);
    if (result->too_late)
        figure_add(&worker->figures.too_late, result->too_late);
    if (result->notice == BATON_IGNORED)
        figure_add(&worker->figures.reports_ignored, 1);
    if (item->event.time_ms < agreement->effective_ms ||
        item->event.time_ms >= agreement->expires_ms)
        figure_add(&worker->figures.outside_dates, 1);
}

void counting_arrived(struct unit *unit, const struct record *record)
{
    if (!unit_agreement(unit)->pact)
        return;
    unit->arrived_ms = record->timestamp_ms;
    if (record->timestamp_ms >= 0)
        begin_counting(unit, record->offset,
                       record->timestamp_ms < BATON_TIME_MAX_MS ? record->timestamp_ms
                                                                : BATON_TIME_MAX_MS);
}

void counting_dead(struct worker *worker, const struct item *item)
{
    struct unit *unit = item->unit;
    counting_arrived(unit, item->record);
    enum dead_reason reason = item->dead->reason;
    if (counting_is_new(unit, item->record->offset)) {
        unit->aggregates.dead[reason]++;
        unit->aggregates.digest =
            digest_dead(unit->aggregates.digest, item->record->offset, reason);
    }
    if (unit->state == UNIT_LIVE)
        figure_add(&worker->figures.dead[reason], 1);
}

void counting_ignored(struct worker *worker, const struct item *item)
{
    struct unit *unit = item->unit;
    counting_arrived(unit, item->record);
    if (counting_is_new(unit, item->record->offset))
        unit->aggregates.ignored++;
    if (unit->state == UNIT_LIVE)
        figure_add(&worker->figures.ignored, 1);
}

void counting_trimmed(struct worker *worker, const struct item *item, const struct hop_cargo *cargo)
{
    struct unit *unit = item->unit;
    if (counting_is_new(unit, item->record->offset))
        unit->aggregates.trimmed++;
    if (unit->state != UNIT_LIVE)
        return;
    figure_add(&worker->figures.trimmed, 1);
    log_warn("worker=%u unit=%u the transfer of the merge at offset %" PRId64
             " leaves out %u parts of the lead, the oldest, to be no larger than "
             "max.message.bytes of topic %s",
             worker->config.number, unit->number, item->record->offset, cargo->left_out,
             worker->config.events_topic);
}
