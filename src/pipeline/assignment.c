/* Units come and go: what the group's news mean, handing over, and what the source is to fetch. */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

static enum status other_partitions(const struct worker *worker, uint32_t count,
                                    struct error *error)
{
    return error_set(error, STATUS_STOP,
                     "topic %s has %u partitions now and had %u: leads would move to other units. "
                     "Give it its former number, or start anew under another redis.prefix and "
                     "kafka.group",
                     worker->config.events_topic, count, worker->partitions);
}

/* Once per assignment, before its first take-over: the broker may be away when the news come. */
static enum status check_partitions(struct worker *worker, struct error *error)
{
    if (worker->partitions_checked)
        return STATUS_OK;
    uint32_t count;
    enum status status = worker->ports.source->partitions(worker->ports.source, &count, error);
    if (status == STATUS_OK && count != worker->partitions)
        return other_partitions(worker, count, error);
    worker->partitions_checked = status == STATUS_OK;
    return status;
}

enum status assignment_take_over(struct worker *worker, struct error *error)
{
    if (worker->store_away || worker->sink_busy || !worker_is_taking_over(worker) ||
        worker_now_us(worker) < worker->retry_at_us)
        return STATUS_OK;
    enum status status = check_partitions(worker, error);
    if (status == STATUS_RETRY) {
        takeover_waits(worker, error);
        return STATUS_OK;
    }
    return status == STATUS_OK ? takeover_turn(worker, error) : status;
}

static enum status assigned(struct worker *worker, const struct source_news *news,
                            struct error *error)
{
    for (size_t i = 0; i < news->unit_count; i++)
        if (news->units[i] >= worker->partitions)
            return other_partitions(worker, news->units[i] + 1, error);
    worker->units = memory_resize(worker->units, (news->unit_count + 1) * sizeof(struct unit *));
    for (size_t i = 0; i < news->unit_count; i++)
        worker->units[worker->unit_count++] = unit_create(worker, news->units[i]);
    worker->assigned = true;
    worker->partitions_checked = false;
    worker->start_due = true;
    worker->retry_at_us = 0;
    worker->retry_ms = RETRY_FIRST_MS;
    worker->trouble.text[0] = 0;
    log_info("worker=%u takes over %zu units", worker->config.number, news->unit_count);
    return STATUS_OK;
}

void assignment_drop_units(struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        unit_destroy(worker, worker->units[i]);
    worker->unit_count = 0;
    worker->assigned = false;
}

static bool unit_is_handed_over(const struct unit *unit)
{
    if (unit->copy.phase != COPY_NONE)
        return false;
    if (unit->state == UNIT_LIVE)
        return unit->position <= unit->stored && unit->dirty_count == 0 && unit->outbox->count == 0;
    if (unit->state == UNIT_REPLAYING)
        return unit->position <= unit->stored && unit->dirty_count == 0;
    /* SETTLING goes on to LIVE with its checkpoint; of the others there is nothing that the store
     * or Kafka lacks */
    return unit->state != UNIT_SETTLING;
}

static bool all_handed_over(const struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        if (!unit_is_handed_over(worker->units[i]))
            return false;
    return !worker->sink_busy;
}

static bool nothing_to_replay(const struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++) {
        const struct unit *unit = worker->units[i];
        bool silent = unit->state == UNIT_REPLAYING || unit->state == UNIT_SETTLING;
        if (silent && unit->stored >= unit->committed)
            continue; /* R has reached K: only the way to live is missing */
        if (unit->state != UNIT_LIVE && unit->state != UNIT_NEW && unit->state != UNIT_STOPPED)
            return false;
    }
    return true;
}

bool worker_drain(struct worker *worker)
{
    int64_t deadline = worker_now_us(worker) + worker->config.drain_ms * 1000;
    while (!all_handed_over(worker) && worker_now_us(worker) < deadline) {
        emit_poll(worker);
        if (emit_is_due(worker, true))
            emit_begin(worker);
        checkpoint_turn(worker, true);
        if (worker->store_away)
            worker_look_for_store(worker);
        if (!all_handed_over(worker))
            worker->ports.clock->pause(worker->ports.clock, 1);
    }
    return all_handed_over(worker) && nothing_to_replay(worker);
}

enum status assignment_take_news(struct worker *worker, const struct source_news *news,
                                 struct error *error)
{
    if (news->kind == SOURCE_NO_NEWS)
        return STATUS_OK;
    if (news->kind == SOURCE_ASSIGNED)
        return assigned(worker, news, error);
    if (news->kind == SOURCE_LOST)
        log_warn("worker=%u lost its units: the group went on without it; drops them unwritten",
                 worker->config.number);
    else {
        CRASH_POINT("revoked_before_checkpoint");
        bool clean = worker_drain(worker);
        log_info("worker=%u hands over %zu units%s", worker->config.number, worker->unit_count,
                 clean ? "" : ", something is left to replay");
    }
    assignment_drop_units(worker);
    return worker->ports.source->release(worker->ports.source, error);
}

enum status assignment_start_source(struct worker *worker, struct error *error)
{
    struct unit_position *positions =
        arena_take(&worker->scratch, (worker->unit_count + 1) * sizeof *positions);
    size_t count = 0;
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        unit->wants_start = unit->cut = false;
        if (unit_folds(unit)) /* lag counts from here, also before the first event */
            atomic_store_explicit(&worker->positions[unit->number], unit->position,
                                  memory_order_relaxed);
        if (unit_is_fetched(unit) && !worker->store_away)
            positions[count++] =
                (struct unit_position){.unit = unit->number, .offset = unit->position};
    }
    worker->start_due = false;
    return worker->ports.source->start(worker->ports.source, positions, count, error);
}
