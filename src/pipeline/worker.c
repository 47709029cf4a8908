#include "pipeline/worker.h"

#include "base/crash_point.h"
#include "base/hash.h"
#include "domain/shadow.h"
#include "pipeline/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COPIES_SHARE 16 /* of a table's limit is for copies of leads on their way to the store */
#define IDLE_WAIT_MS 50 /* for a record, when nothing else is under way */
#define BUSY_WAIT_MS                                                                               \
    1 /* … while a transaction or a checkpoint is in flight, or one is nearly due */

/* ---- what every part uses
 * ------------------------------------------------------------------------- */

int64_t worker_now_us(struct worker *worker)
{
    return worker->ports.clock->monotonic_us(worker->ports.clock);
}

void worker_want_fields(struct worker *worker, const struct agreement *agreement)
{
    worker->wanted_fields |= baton_agreement_fields(agreement_compiled(agreement));
    decoder_want(worker->decoder, worker->wanted_fields);
}

/* More events have been waiting for a while than can be read at once. */
bool worker_is_behind(struct worker *worker)
{
    return worker_now_us(worker) > worker->caught_up_us + BEHIND_US;
}

struct field field_of(const char *name, const char *value)
{
    return (struct field){.name = {.data = name, .size = (uint32_t)strlen(name)},
                          .value = {.data = value, .size = (uint32_t)strlen(value)}};
}

void unit_log(struct worker *worker, struct unit *unit, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_info("worker=%u unit=%u %s", worker->config.number, unit->number, text);
}

bool worker_is_taking_over(const struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        if (worker->units[i]->state == UNIT_CLAIMING)
            return true;
    return false;
}

bool unit_folds(const struct unit *unit)
{
    return unit->state == UNIT_REPLAYING || unit->state == UNIT_LIVE;
}

bool unit_is_fetched(const struct unit *unit)
{
    return unit_folds(unit) && !unit->held;
}

const struct baton_agreement *unit_agreement(const struct unit *unit)
{
    return agreement_compiled(unit->stretches[unit->stretch].agreement);
}

static void attach(void *context, struct lead_entry *entry)
{
    if (!(entry->flags & LEAD_LOADING)) /* else when it is there */
        baton_lead_attach(&entry->lead, context);
}

void unit_enter_stretch(struct worker *worker, struct unit *unit, size_t stretch)
{
    unit->stretch = stretch;
    const struct baton_agreement *agreement = unit_agreement(unit);
    lead_table_each(&worker->table, unit->number, attach, (void *)(uintptr_t)agreement);
}

enum status unit_write_now(struct worker *worker, struct unit *unit,
                           const struct store_write *write, struct error *error)
{
    struct store *store = worker->ports.store;
    size_t outstanding;
    enum status status = store->write(store, unit->number, &unit->fence, write, error);
    if (status == STATUS_OK)
        status = store->settle(store, unit->number, true, &outstanding, error);
    unit->last_contact_us = worker_now_us(worker);
    return status;
}

void unit_recover(struct worker *worker, struct unit *unit, const char *why)
{
    if (unit->state == UNIT_CLAIMING)
        return;
    unit_log(worker, unit, "recovers: %s", why);
    unit->state = UNIT_CLAIMING;
    unit->wants_start = unit->stale = true;
    checkpoint_drop(worker, unit); /* one of its writes is missing: none may follow */
}

void worker_recover_all(struct worker *worker, const char *why)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        if (worker->units[i]->state != UNIT_STOPPED)
            unit_recover(worker, worker->units[i], why);
}

void unit_stop(struct worker *worker, struct unit *unit, const char *why)
{
    log_error("worker=%u unit=%u stopped: %s", worker->config.number, unit->number, why);
    unit->state = UNIT_STOPPED;
    unit->wants_start = unit->stale = true;
    checkpoint_drop(worker, unit);
    worker->had_stopped_units = true;
    struct field field = field_of("stopped", why);
    struct store_write write = {.fields = &field, .field_count = 1};
    struct error ignored; /* the log has told it already */
    (void)unit_write_now(worker, unit, &write, &ignored);
}

static void retry_later(struct worker *worker)
{
    worker->retry_ms = worker->retry_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : worker->retry_ms * 2;
    worker->retry_at_us = worker_now_us(worker) + worker->retry_ms * 1000;
}

void takeover_waits(struct worker *worker, const struct error *error)
{
    if (strcmp(worker->trouble.text, error->text) != 0)
        log_warn("worker=%u cannot take over units yet: %s", worker->config.number, error->text);
    worker->trouble = *error;
    /* Often it is an open transaction that hides K: whoever waits for its end wants to see it. */
    if (worker->retry_ms > TAKEOVER_RETRY_LAST_MS / 2)
        worker->retry_ms = TAKEOVER_RETRY_LAST_MS / 2;
    retry_later(worker);
}

static void store_is_away(struct worker *worker, const char *why)
{
    if (worker->store_away)
        return;
    log_warn("worker=%u waits for Redis: %s", worker->config.number, why);
    worker->store_away = true;
    worker->start_due = true;
    worker->retry_ms = RETRY_FIRST_MS;
    worker->retry_at_us = worker_now_us(worker) + worker->retry_ms * 1000;
}

void unit_store_status(struct worker *worker, struct unit *unit, enum status status,
                       const struct error *error)
{
    if (status == STATUS_STOP)
        unit_stop(worker, unit, error->text);
    else if (status == STATUS_FENCED)
        unit_recover(worker, unit, "its fence in Redis has moved");
    else if (status == STATUS_RETRY && unit->state != UNIT_CLAIMING)
        store_is_away(worker, error->text);
    else if (status == STATUS_RETRY)
        takeover_waits(worker, error);
}

void unit_write_failed(struct worker *worker, struct unit *unit, enum status status,
                       const struct error *error)
{
    unit_store_status(worker, unit, status, error);
    if (status == STATUS_RETRY)
        unit_recover(worker, unit, "a write to Redis got no answer");
}

/* ---- while the store is away
 * ---------------------------------------------------------------------- */

static enum status check_unit(struct worker *worker, struct unit *unit, struct error *error)
{
    unit->last_contact_us = worker_now_us(worker);
    return worker->ports.store->check(worker->ports.store, unit->number, &unit->fence, error);
}

void worker_look_for_store(struct worker *worker)
{
    if (worker_now_us(worker) < worker->retry_at_us)
        return;
    struct error error;
    bool answered = false;
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        if (unit->state == UNIT_CLAIMING)
            continue;
        enum status status = check_unit(worker, unit, &error);
        if (status == STATUS_RETRY) {
            retry_later(worker);
            return;
        }
        answered = true;
        if (status != STATUS_OK && !(unit->state == UNIT_STOPPED && status == STATUS_STOP))
            unit_store_status(worker, unit, status, &error);
    }
    if (answered) /* else the next claim tells */
        log_info("worker=%u Redis answers again", worker->config.number);
    worker->store_away = false;
    worker->start_due = true;
    worker->retry_ms = RETRY_FIRST_MS;
}

static int64_t fence_check_us(const struct unit *unit)
{
    return unit->state == UNIT_STOPPED ? 5 * FENCE_CHECK_US : FENCE_CHECK_US;
}

/* A unit that nothing was written of for a second looks at its fence; so does a stopped one: an
 * operator's `baton accept` shows as another owner. */
static void check_fences(struct worker *worker)
{
    struct error error;
    int64_t now = worker_now_us(worker);
    for (size_t i = 0; i < worker->unit_count && !worker->store_away; i++) {
        struct unit *unit = worker->units[i];
        if (unit->state == UNIT_CLAIMING || now < unit->last_contact_us + fence_check_us(unit) ||
            unit->copy.phase >= COPY_AGGREGATES)
            continue;
        enum status status = check_unit(worker, unit, &error);
        if (unit->state == UNIT_STOPPED && status == STATUS_STOP)
            continue; /* nothing new to say */
        if (status != STATUS_OK)
            unit_store_status(worker, unit, status, &error);
    }
}

/* ---- the loop
 * ------------------------------------------------------------------------------------- */

static bool in_flight(const struct worker *worker)
{
    if (worker->sink_busy || emit_is_near(worker))
        return true;
    for (size_t i = 0; i < worker->unit_count; i++)
        if (worker->units[i]->copy.phase != COPY_NONE)
            return true;
    return false;
}

/* Memory is full of what the store does not have yet: fetching pauses until checkpoints are
 * through. */
static bool must_wait_for_store(struct worker *worker)
{
    if (worker->dirty_total >= 2 * (uint64_t)worker->config.dirty_max)
        return true;
    return worker->table.bytes > worker->table.limit_bytes && !lead_table_evict(&worker->table) &&
           (worker->dirty_total > 0 || worker->copied_bytes > 0);
}

static void source_state(struct worker *worker, bool away, const char *why)
{
    if (away == worker->source_away)
        return;
    worker->source_away = away;
    if (away)
        log_warn("worker=%u waits for Kafka: %s", worker->config.number, why);
    else
        log_info("worker=%u Kafka answers again", worker->config.number);
}

/* A batch that is not full may only mean that the next answer of the broker is on its way. */
static void note_catching_up(struct worker *worker, size_t count)
{
    if (count < batch_room(worker) &&
        worker->ports.source->waiting(worker->ports.source) < WAITING_FEW)
        worker->caught_up_us = worker_now_us(worker);
}

static enum status fetch_and_fold(struct worker *worker, struct error *error)
{
    if (must_wait_for_store(worker) && !worker->store_away) {
        worker->caught_up_us = worker_now_us(worker); /* now a commit is what is waited for */
        worker->ports.clock->pause(worker->ports.clock, BUSY_WAIT_MS);
        return STATUS_OK;
    }
    size_t count = 0;
    struct source_news news = {.kind = SOURCE_NO_NEWS};
    int wait_ms = worker->parked ? 0 : in_flight(worker) ? BUSY_WAIT_MS : IDLE_WAIT_MS;
    enum status status = worker->ports.source->fetch(worker->ports.source, wait_ms, worker->records,
                                                     batch_room(worker), &count, &news, error);
    if (news.kind != SOURCE_LOST) /* a client loses its units without any broker's word, too */
        source_state(worker, status == STATUS_RETRY, error->text);
    /* A start that is due has not come through: these may lie behind what must come first. */
    batch_turn(worker, status == STATUS_OK && !worker->start_due ? count : 0);
    if (status == STATUS_RETRY)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    note_catching_up(worker, count);
    return assignment_take_news(worker, &news, error);
}

/* Units that do not fold give their memory back, dirty leads above all: they will be loaded again.
 * Here, as nothing points into it between two turns. */
static void drop_stale(struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++)
        if (worker->units[i]->stale)
            unit_clear(worker, worker->units[i]);
}

static void show_figures(struct worker *worker)
{
    unsigned live = 0, replaying = 0, stopped = 0;
    for (size_t i = 0; i < worker->unit_count; i++) {
        enum unit_state state = worker->units[i]->state;
        live += state == UNIT_LIVE;
        replaying += state == UNIT_REPLAYING || state == UNIT_SETTLING;
        stopped += state == UNIT_STOPPED;
    }
    struct worker_figures *figures = &worker->figures;
    atomic_store_explicit(&figures->units, (uint32_t)worker->unit_count, memory_order_relaxed);
    atomic_store_explicit(&figures->units_live, live, memory_order_relaxed);
    atomic_store_explicit(&figures->units_replaying, replaying, memory_order_relaxed);
    atomic_store_explicit(&figures->units_stopped, stopped, memory_order_relaxed);
    atomic_store_explicit(&figures->leads_in_table, worker->table.used, memory_order_relaxed);
    atomic_store_explicit(&figures->table_bytes, worker->table.bytes, memory_order_relaxed);
}

/* A long replay says how far it is, every ten seconds. */
static void tell_replays(struct worker *worker)
{
    int64_t now = worker_now_us(worker);
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        if (unit->state != UNIT_REPLAYING || now < unit->replay_told_us + 10000000)
            continue;
        unit->replay_told_us = now;
        int64_t all = unit->committed - unit->replay_from,
                done = unit->position - unit->replay_from;
        unit_log(worker, unit, "replayed %" PRId64 " of %" PRId64 " offsets (%d %%)", done, all,
                 (int)(100 * done / (all ? all : 1)));
    }
}

enum status worker_step(struct worker *worker, struct error *error)
{
    enum status status = STATUS_OK;
    error->text[0] = 0;
    emit_poll(worker);
    if (worker->store_away)
        worker_look_for_store(worker);
    drop_stale(worker);
    status = assignment_take_over(worker, error);
    if (status != STATUS_OK)
        return status;
    schemas_turn(worker);
    for (size_t i = 0; i < worker->unit_count; i++)
        worker->start_due = worker->start_due || worker->units[i]->wants_start;
    if (worker->start_due && worker->assigned) {
        batch_turn(worker, 0); /* from behind it */
        arena_reset(&worker->scratch);
        status = assignment_start_source(worker, error);
        if (status == STATUS_RETRY)
            worker->start_due = true;
        else if (status != STATUS_OK)
            return status;
    }
    status = fetch_and_fold(worker, error);
    if (status != STATUS_OK)
        return status;
    versions_turn(worker);
    checkpoint_turn(worker, false);
    clocks_turn(worker);
    if (emit_is_due(worker, false))
        emit_begin(worker);
    sweep_turn(worker);
    erasures_turn(worker);
    counting_turn(worker);
    judge_turn(worker);
    check_fences(worker);
    tell_replays(worker);
    show_figures(worker);
    return STATUS_OK;
}

/* A stop that comes right after an assignment: only a unit that was taken over tells whether
 * something is left to replay. */
static void finish_take_overs(struct worker *worker)
{
    struct error ignored; /* what is left then says it: something may be there to replay */
    int64_t deadline = worker_now_us(worker) + worker->config.drain_ms * 500;
    while (!worker->store_away && worker_now_us(worker) < deadline) {
        emit_poll(worker);
        if (assignment_take_over(worker, &ignored) != STATUS_OK || !worker_is_taking_over(worker))
            return;
        worker->ports.clock->pause(worker->ports.clock, 1);
    }
}

enum status worker_run(struct worker *worker, const atomic_bool *stop, struct error *error)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !atomic_load_explicit(stop, memory_order_acquire))
        status = worker_step(worker, error);
    if (status == STATUS_OK)
        finish_take_overs(worker);
    if (!worker_drain(worker))
        worker->left_behind = true;
    assignment_drop_units(worker);
    show_figures(worker);
    return status;
}

/* ---- making one
 * ----------------------------------------------------------------------------------- */

enum status worker_create(struct worker **out, const struct worker_config *config,
                          const struct worker_ports *ports, struct encoder *encoder,
                          struct error *error)
{
    struct worker *worker = memory_take_zeroed(1, sizeof *worker);
    worker->config = *config;
    worker->ports = *ports;
    worker->encoder = encoder;
    worker->retry_ms = RETRY_FIRST_MS;
    worker->caught_up_us = worker_now_us(worker); /* nothing waits that nobody has seen */
    worker->partitioner = config->partitioner;
    lead_table_init(&worker->table, config->table_bytes - config->table_bytes / COPIES_SHARE);
    arena_init(&worker->scratch, 1 << 20);
    for (size_t i = 0; i < BATCHES; i++)
        arena_init(&worker->batches[i].arena, 1 << 20);
    arena_init(&worker->talk, 65536);
    const uint64_t verdicts[2] = {input_config_hash(config->input), ignore_version()};
    worker->input_hash = hash64(verdicts, sizeof verdicts, 0);
    worker->ignore = ignore_create();
    worker->judge = judge_create();
    enum status status = decoder_create(&worker->decoder, config->input, error);
    if (status == STATUS_OK)
        status = ports->source->partitions(ports->source, &worker->partitions, error);
    if (status != STATUS_OK) {
        worker_destroy(worker);
        return status;
    }
    if (worker->partitions == 1)
        worker->partitioner = PARTITIONER_CRC32; /* any will do */
    worker->by_number = memory_take_zeroed(worker->partitions, sizeof(struct unit *));
    worker->positions = memory_take_zeroed(worker->partitions, sizeof *worker->positions);
    for (uint32_t p = 0; p < worker->partitions; p++)
        atomic_init(&worker->positions[p], -1);
    if (config->shadow)
        worker->wanted_fields = baton_agreement_fields(agreement_compiled(config->shadow));
    if (!config->versions)
        worker->own_versions = versions_of(config->agreement);
    versions_turn(worker); /* takes the set in */
    *out = worker;
    return STATUS_OK;
}

static void destroy_outbox(struct outbox *outbox)
{
    arena_fini(&outbox->arena);
    free(outbox->messages);
    free(outbox);
}

void worker_destroy(struct worker *worker)
{
    assignment_drop_units(worker);
    transaction_forget(worker);
    for (size_t i = 0; i < worker->spare_count; i++)
        destroy_outbox(worker->spare_outboxes[i]);
    agreements_forget(worker);
    for (size_t i = 0; i < worker->schema_text_count; i++)
        free(worker->schema_texts[i].text);
    versions_destroy(worker->own_versions);
    ignore_destroy(worker->ignore);
    judge_destroy(worker->judge);
    if (worker->decoder)
        decoder_destroy(worker->decoder);
    lead_table_fini(&worker->table);
    arena_fini(&worker->scratch);
    for (size_t i = 0; i < BATCHES; i++)
        arena_fini(&worker->batches[i].arena);
    arena_fini(&worker->talk);
    free(worker->schema_texts);
    free(worker->sent);
    free(worker->spare_outboxes);
    free(worker->transaction_messages);
    free(worker->transaction_commits);
    free(worker->transaction_texts);
    free(worker->units);
    free(worker->by_number);
    free((void *)worker->positions);
    free(worker);
}

const struct worker_figures *worker_figures(const struct worker *worker)
{
    return &worker->figures;
}

int64_t worker_position(const struct worker *worker, uint32_t unit)
{
    if (unit >= worker->partitions)
        return -1;
    return atomic_load_explicit(&worker->positions[unit], memory_order_relaxed);
}

bool worker_had_stopped_units(const struct worker *worker)
{
    return worker->had_stopped_units;
}

bool worker_left_something(const struct worker *worker)
{
    return worker->left_behind;
}
