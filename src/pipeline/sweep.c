#include "pipeline/sweep.h"

#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <string.h>

#define IN_FLIGHT_MAX 1000     /* rechecks of a unit */
#define LOST_AFTER_US 60000000 /* none was folded for so long: they were not counted right */
#define TELL_EVERY_US 10000000
#define KEEP_EVERY_US 1000000
#define LOOK_EVERY_US 20000 /* whether a pass is due, or can go on */

void sweep_restore(struct sweep *sweep, const struct unit_sweep *kept)
{
    *sweep = (struct sweep){.at = *kept};
}

/* ---- when
 * ----------------------------------------------------------------------------------------- */

static const char *hash_of(const struct unit *unit)
{
    return agreement_hash(unit->stretches[unit->stretch].agreement);
}

static bool is_of_agreement(const struct unit *unit)
{
    return strcmp(unit->sweep.at.agreement, hash_of(unit)) == 0;
}

static int64_t wall_ms(struct worker *worker)
{
    return worker->ports.clock->wall_ms(worker->ports.clock);
}

static bool is_due(struct worker *worker, const struct unit *unit)
{
    const struct sweep *sweep = &unit->sweep;
    int64_t every_ms = worker->config.sweep_every_ms;
    return !is_of_agreement(unit) || (every_ms && wall_ms(worker) >= sweep->at.begun_ms + every_ms);
}

/* Writes where the pass stands: no position goes with it, as the log holds what it stands for. */
static void keep(struct worker *worker, struct unit *unit)
{
    struct text_buffer text;
    struct error error;
    text_buffer_init(&text);
    unit_record_print_sweep(&text, &unit->sweep.at);
    struct field field = field_of("sweep", text.data);
    struct store_write write = {.fields = &field, .field_count = 1};
    enum status status =
        worker->ports.store->write(worker->ports.store, unit->number, &unit->fence, &write, &error);
    text_buffer_fini(&text);
    unit->sweep.kept_us = worker_now_us(worker);
    if (status != STATUS_OK)
        unit_write_failed(worker, unit, status, &error);
}

static void begin(struct worker *worker, struct unit *unit)
{
    struct sweep *sweep = &unit->sweep;
    const char *why = is_of_agreement(unit) ? "it is time" : "the agreement is new";
    sweep->at = (struct unit_sweep){.begun_ms = wall_ms(worker), .running = true};
    (void)strcpy(sweep->at.agreement, hash_of(unit));
    sweep->told_us = worker_now_us(worker);
    unit_log(worker, unit, "looks at all leads again: %s", why);
    keep(worker, unit);
}

/* ---- a page
 * --------------------------------------------------------------------------------------- */

static void page_is_passed(struct worker *worker, struct unit *unit)
{
    struct sweep *sweep = &unit->sweep;
    int64_t now = worker_now_us(worker);
    (void)strcpy(sweep->at.cursor, sweep->next);
    sweep->waits = sweep->sent = false;
    sweep->at.running = sweep->at.cursor[0] != 0;
    if (!sweep->at.running) {
        unit_log(worker, unit, "looked at all leads: %" PRIu64 ", rechecks %" PRIu64,
                 sweep->at.seen, sweep->at.asked);
    } else if (now >= sweep->told_us + TELL_EVERY_US) {
        sweep->told_us = now;
        unit_log(worker, unit, "looked at %" PRIu64 " leads (%u %%), rechecks %" PRIu64,
                 sweep->at.seen, sweep->at.permille / 10, sweep->at.asked);
    }
    if (!sweep->at.running || now >= sweep->kept_us + KEEP_EVERY_US)
        keep(worker, unit);
}

static void look_at(struct worker *worker, struct unit *unit, struct baton_text id,
                    const struct baton_lead *lead, int64_t now_ms)
{
    if (!baton_recheck_wanted(lead, unit_agreement(unit), now_ms))
        return;
    outbox_add_recheck(worker, unit, id, now_ms);
    unit->sweep.at.asked++;
    unit->sweep.in_flight++;
    unit->sweep.waits = true;
}

/* A lead of the store, which no event asks for: it does not enter the table. */
static enum status look_at_stored(struct worker *worker, struct unit *unit, struct baton_text id,
                                  const struct loaded_lead *loaded, int64_t now_ms,
                                  struct error *error)
{
    struct baton_lead lead;
    baton_lead_init(&lead);
    if (!loaded->packed)
        return STATUS_OK; /* removed meanwhile */
    enum status status = unit_unpack(worker, unit, id, loaded, &lead, error);
    if (status == STATUS_OK) {
        baton_lead_attach(&lead, unit_agreement(unit));
        look_at(worker, unit, id, &lead, now_ms);
    }
    baton_lead_fini(&lead, &worker->table.allocator);
    return status;
}

static enum status look_at_page(struct worker *worker, struct unit *unit,
                                const struct store_page *page, struct error *error)
{
    struct store *store = worker->ports.store;
    struct baton_text *missing = arena_take(&worker->talk, (page->count + 1) * sizeof *missing);
    size_t count = 0;
    int64_t now_ms = wall_ms(worker);
    for (size_t i = 0; i < page->count; i++) {
        struct lead_entry *entry =
            lead_table_find(&worker->table, lead_table_hash(unit->number, page->ids[i]),
                            unit->number, page->ids[i]);
        if (entry)
            look_at(worker, unit, page->ids[i], &entry->lead, now_ms);
        else
            missing[count++] = page->ids[i];
    }
    unit->sweep.at.seen += page->count;
    if (!count)
        return STATUS_OK;
    struct loaded_lead *loaded;
    enum status status =
        store->load_begin(store, unit->number, &unit->fence, missing, count, error);
    if (status == STATUS_OK)
        status = store->load_finish(store, unit->number, &loaded, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = look_at_stored(worker, unit, missing[i], &loaded[i], now_ms, error);
    return status;
}

static void take_page(struct worker *worker, struct unit *unit)
{
    struct store *store = worker->ports.store;
    struct sweep *sweep = &unit->sweep;
    struct store_page page;
    struct error error;
    arena_reset(&worker->talk);
    enum status status = store->scan(store, unit->number, &unit->fence, sweep->at.cursor,
                                     &worker->talk, &page, &error);
    if (status == STATUS_OK)
        status = look_at_page(worker, unit, &page, &error);
    unit->last_contact_us = worker_now_us(worker);
    if (status != STATUS_OK) {
        unit_store_status(worker, unit, status, &error);
        return;
    }
    sweep->at.permille = page.permille;
    (void)strcpy(sweep->next, page.cursor);
    if (SEEDED_FAULT("sweep_ahead")) { /* the store hears of a page whose rechecks may be lost */
        (void)strcpy(sweep->at.cursor, page.cursor);
        sweep->at.running = page.cursor[0] != 0;
        keep(worker, unit);
    }
    if (!sweep->waits)
        page_is_passed(worker, unit);
}

/* ---- the turn
 * ------------------------------------------------------------------------------------- */

static bool may_go_on(struct worker *worker, struct unit *unit)
{
    struct sweep *sweep = &unit->sweep;
    if (unit->state != UNIT_LIVE || sweep->waits)
        return false;
    if (sweep->in_flight >= IN_FLIGHT_MAX &&
        worker_now_us(worker) < sweep->folded_us + LOST_AFTER_US)
        return false;
    if (sweep->in_flight >= IN_FLIGHT_MAX)
        sweep->in_flight = 0;
    if (!sweep->at.running || !is_of_agreement(unit)) {
        if (!is_due(worker, unit))
            return false;
        begin(worker, unit);
    }
    return unit->state == UNIT_LIVE;
}

/* Events go first: a worker that is behind, or waits for anybody, sweeps nothing. */
static bool has_time(struct worker *worker)
{
    return worker->config.sweep_share && worker->sink_warm && !worker->parked &&
           !worker->store_away && !worker_is_taking_over(worker) && !worker_is_behind(worker) &&
           worker_now_us(worker) >= worker->sweep_next_us;
}

void sweep_turn(struct worker *worker)
{
    if (!has_time(worker))
        return;
    int64_t from = worker_now_us(worker);
    for (size_t i = 0; i < worker->unit_count; i++) {
        size_t index = (worker->sweep_unit + i) % worker->unit_count;
        if (!may_go_on(worker, worker->units[index]))
            continue;
        take_page(worker, worker->units[index]);
        worker->sweep_unit = index + 1;
        int64_t now = worker_now_us(worker), share = worker->config.sweep_share;
        worker->sweep_next_us = now + (now - from) * (100 - share) / share;
        return;
    }
    worker->sweep_next_us = from + LOOK_EVERY_US;
}

/* ---- what becomes of rechecks
 * ---------------------------------------------------------------------- */

void sweep_sent(struct unit *unit)
{
    unit->sweep.sent = unit->sweep.waits;
}

void sweep_committed(struct worker *worker, struct unit *unit)
{
    if (!unit->sweep.sent)
        return;
    unit->sweep.folded_us = worker_now_us(worker);
    page_is_passed(worker, unit);
}

void sweep_folded(struct worker *worker, struct unit *unit)
{
    unit->sweep.in_flight -= unit->sweep.in_flight > 0;
    unit->sweep.folded_us = worker_now_us(worker);
}
