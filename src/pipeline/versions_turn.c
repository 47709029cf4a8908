/* Versions of the agreement: a unit goes over to the next one at the first event whose time is at
 * or behind the day from which on that is in force. The switch stands in the metadata of K, so that
 * whoever folds the log again goes over at the same event. */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <string.h>

#define TICK_AFTER_MS 60000 /* nothing came for so long since the next version's day */

static const struct agreement *present(const struct unit *unit)
{
    return unit->stretches[unit->stretch].agreement;
}

static int64_t effective_ms(const struct agreement *agreement)
{
    return agreement_compiled(agreement)->effective_ms;
}

static bool same(const struct agreement *one, const struct agreement *other)
{
    return strcmp(agreement_hash(one), agreement_hash(other)) == 0;
}

/* The event of the turn may be one that the new version ignores: then no time says that the day has
 * come, and the unit is under it all the same. */
static const struct agreement *in_force_at(const struct worker *worker, const struct unit *unit,
                                           int64_t time_ms)
{
    const struct agreement *by_time = versions_at(worker->versions, time_ms), *now = NULL;
    if (unit->stretch_count)
        now = versions_find(worker->versions, agreement_hash(present(unit)));
    return now && effective_ms(now) > effective_ms(by_time) ? now : by_time;
}

const struct agreement *worker_in_force(const struct worker *worker, const struct unit *unit)
{
    return in_force_at(worker, unit, unit->aggregates.newest_ms);
}

enum status versions_store(struct worker *worker, struct unit *unit, struct error *error)
{
    const struct agreement *first = worker_in_force(worker, unit);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < versions_count(worker->versions); i++) {
        const struct agreement *agreement = versions_get(worker->versions, i);
        if (agreement == first || effective_ms(agreement) > effective_ms(first))
            status = agreements_store(worker, unit, agreement, error);
    }
    return status;
}

/* ---- The way to the next ---- */

void versions_live(struct worker *worker, struct unit *unit)
{
    const struct agreement *in_force = worker_in_force(worker, unit);
    int64_t newest_ms = unit->aggregates.newest_ms, from_ms = effective_ms(in_force);
    unit->turn_ms = versions_next_ms(worker->versions, from_ms > newest_ms ? from_ms : newest_ms);
    unit->ticked = false;
    unit->turn_to_ms = newest_ms;
    unit->turn_wanted = !same(in_force, present(unit)); /* another set came meanwhile */
}

void versions_meet(struct unit *unit, int64_t time_ms)
{
    unit->turn_wanted = unit->cut = unit->wants_start = true;
    unit->turn_to_ms = time_ms;
}

/* Nothing of the unit is being folded: from its position on all is under the other version. */
static void go_over(struct worker *worker, struct unit *unit)
{
    const struct agreement *next = in_force_at(worker, unit, unit->turn_to_ms), *found;
    struct error error;
    arena_reset(&worker->talk);
    enum status status = agreements_store(worker, unit, next, &error);
    if (status == STATUS_OK)
        status = agreements_find(worker, unit, agreement_hash(next), &found, &error);
    if (status != STATUS_OK) {
        unit_write_failed(worker, unit, status, &error);
        return;
    }
    batch_forget(worker, unit);
    unit->wants_start = true;
    unit->stretches[0] = (struct stretch){.from = unit->position, .agreement = found};
    unit->stretch_count = 1;
    unit_enter_stretch(worker, unit, 0);
    if (!SEEDED_FAULT("forget_switch"))
        stretches_remember(unit, agreement_hash(found));
    unit_log(worker, unit, "from offset %" PRId64 " on under agreement %s version %u (%.8s)",
             unit->position, agreement_name(found), agreement_version(found),
             agreement_hash(found));
    versions_live(worker, unit);
}

/* A unit to which nothing comes: its own event carries it over. */
static void tick(struct worker *worker, struct unit *unit)
{
    int64_t now_ms = worker->ports.clock->wall_ms(worker->ports.clock);
    if (unit->ticked || unit->turn_ms == INT64_MAX || now_ms - TICK_AFTER_MS < unit->turn_ms)
        return;
    outbox_add_tick(worker, unit, now_ms);
    unit->ticked = true;
}

/* ---- Another set ---- */

static void take_in(struct worker *worker, const struct versions *versions)
{
    worker->versions = versions;
    for (size_t i = 0; i < versions_count(versions); i++)
        agreements_hold(worker, versions_get(versions, i));
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        struct error error;
        if (unit->state == UNIT_CLAIMING || unit->state == UNIT_STOPPED)
            continue; /* a take-over looks itself */
        arena_reset(&worker->talk);
        enum status status = versions_store(worker, unit, &error);
        if (status != STATUS_OK)
            unit_write_failed(worker, unit, status, &error);
        else if (unit->state == UNIT_LIVE)
            versions_live(worker, unit);
    }
}

void versions_turn(struct worker *worker)
{
    const struct versions *versions =
        worker->own_versions ? worker->own_versions
                             : atomic_load_explicit(worker->config.versions,
                                                    memory_order_acquire); /* what it holds */
    if (versions != worker->versions && !worker->store_away)
        take_in(worker, versions);
    for (size_t i = 0; i < worker->unit_count && !worker->store_away; i++) {
        struct unit *unit = worker->units[i];
        if (unit->state != UNIT_LIVE)
            continue;
        if (unit->turn_wanted)
            go_over(worker, unit);
        else
            tick(worker, unit);
    }
}
