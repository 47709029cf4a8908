/* Redis by the port that baton uses: lead states written as a checkpoint writes them, and loaded as
 * a batch with unknown leads loads them. The states are those of all leads of the kept messages. */
#include "common/clock.h"
#include "redis/redis_store.h"
#include "stages/stages.h"

#include <stdlib.h>
#include <string.h>

#define WRITES_AHEAD 8 /* scripts of a unit on their way, as a checkpoint has them */
#define LOAD_IDS 128   /* leads of one unit that a batch misses */
#define WAIT_S 0.0005

struct storing_unit {
    struct lead_entry **entries; /* the unit's leads */
    size_t count, room, next;
    size_t written;
    struct fence fence;
};

struct storing {
    struct stage_worker *worker;
    enum stage stage;
    struct store *store;
    struct storing_unit *units;
    struct arena arena;
    struct team_work packing; /* the part of it that makes the packed forms */
    uint64_t random;
};

/* ---- making ready ---- */

static void add_lead(struct storing *storing, struct lead_entry *entry)
{
    struct storing_unit *unit = &storing->units[entry->unit - storing->worker->first_unit];
    if (unit->count == unit->room) {
        unit->room = unit->room ? unit->room * 2 : 1024;
        unit->entries = memory_resize(unit->entries, unit->room * sizeof *unit->entries);
    }
    unit->entries[unit->count++] = entry;
}

static enum status claim_unit(struct storing *storing, uint32_t unit, struct error *error)
{
    uint8_t token[16] = {(uint8_t)unit, (uint8_t)storing->stage, 1};
    struct field *fields;
    size_t count;
    return storing->store->claim(storing->store, storing->worker->first_unit + unit, token,
                                 &storing->arena, &storing->units[unit].fence, &fields, &count,
                                 error);
}

static enum status init(struct storing *storing, struct error *error)
{
    struct stage_worker *worker = storing->worker;
    arena_init(&storing->arena, 1 << 18);
    storing->units = memory_take_zeroed(worker->unit_count, sizeof *storing->units);
    for (uint32_t n = 0; n < worker->table.made; n++) {
        struct lead_entry *entry = lead_table_entry(&worker->table, n);
        if (entry->flags & LEAD_USED)
            add_lead(storing, entry);
    }
    enum status status = redis_store_create(&storing->store, &worker->stages->redis, error);
    for (uint32_t unit = 0; status == STATUS_OK && unit < worker->unit_count; unit++)
        status = claim_unit(storing, unit, error);
    return status;
}

static void fini(struct storing *storing)
{
    for (uint32_t unit = 0; unit < storing->worker->unit_count; unit++)
        free(storing->units[unit].entries);
    free(storing->units);
    if (storing->store)
        storing->store->destroy(storing->store);
    arena_fini(&storing->arena);
}

/* ---- writing ---- */

static struct stored_lead copy_lead(struct storing *storing, struct lead_entry *entry)
{
    const struct baton_agreement *agreement =
        agreement_compiled(storing->worker->stages->agreement);
    uint8_t *packed = arena_take(&storing->arena, baton_lead_pack_bound(&entry->lead));
    size_t size = baton_lead_pack(&entry->lead, entry->lead.applied, packed);
    struct baton_score score;
    baton_lead_score(&entry->lead, agreement, entry->lead.newest_ms, &score);
    struct stored_lead stored = {.id = lead_table_id(entry),
                                 .score = score,
                                 .stage = (enum baton_stage)entry->lead.stage,
                                 .stage_stands = entry->stored_stage == entry->lead.stage,
                                 .packed = packed,
                                 .packed_size = size,
                                 .former_size = entry->stored_size};
    entry->stored_size = (uint32_t)size;
    entry->stored_stage = entry->lead.stage;
    return stored;
}

static size_t copy_leads(struct storing *storing, struct storing_unit *unit,
                         struct stored_lead *leads)
{
    double from = clock_seconds(), cpu = clock_thread_seconds();
    size_t count = unit->count < STORE_WRITE_LEADS ? unit->count : STORE_WRITE_LEADS;
    arena_reset(&storing->arena);
    for (size_t i = 0; i < count; i++) {
        leads[i] = copy_lead(storing, unit->entries[unit->next]);
        unit->next = (unit->next + 1) % unit->count;
    }
    storing->packing.cpu += clock_thread_seconds() - cpu;
    storing->packing.seconds += clock_seconds() - from;
    storing->packing.units += count;
    return count;
}

static enum status write_leads(struct storing *storing, uint32_t number, size_t *written,
                               struct error *error)
{
    struct storing_unit *unit = &storing->units[number];
    uint32_t unit_number = storing->worker->first_unit + number;
    size_t outstanding;
    *written = 0;
    enum status status =
        storing->store->settle(storing->store, unit_number, false, &outstanding, error);
    if (status != STATUS_OK || outstanding >= WRITES_AHEAD || unit->count == 0)
        return status;
    struct stored_lead leads[STORE_WRITE_LEADS];
    struct store_write write = {.leads = leads, .lead_count = copy_leads(storing, unit, leads)};
    *written = write.lead_count;
    unit->written += write.lead_count;
    return storing->store->write(storing->store, unit_number, &unit->fence, &write, error);
}

/* A script of every unit; a rest while all have enough on their way. */
static enum status write_round(struct storing *storing, size_t *written, struct error *error)
{
    enum status status = STATUS_OK;
    *written = 0;
    for (uint32_t unit = 0; unit < storing->worker->unit_count && status == STATUS_OK; unit++) {
        size_t more;
        status = write_leads(storing, unit, &more, error);
        *written += more;
    }
    if (*written == 0)
        clock_sleep_until(clock_seconds() + WAIT_S);
    return status;
}

static enum status wait_for_answers(struct storing *storing, struct error *error)
{
    enum status status = STATUS_OK;
    for (uint32_t unit = 0; unit < storing->worker->unit_count && status == STATUS_OK; unit++) {
        size_t outstanding;
        status = storing->store->settle(storing->store, storing->worker->first_unit + unit, true,
                                        &outstanding, error);
    }
    return status;
}

static bool all_are_written(const struct storing *storing)
{
    for (uint32_t unit = 0; unit < storing->worker->unit_count; unit++)
        if (storing->units[unit].written < storing->units[unit].count)
            return false;
    return true;
}

/* New leads are not what a checkpoint mostly writes: all are there before it is measured. */
static enum status write_all_once(struct storing *storing, struct error *error)
{
    enum status status = STATUS_OK;
    size_t more;
    while (status == STATUS_OK && !all_are_written(storing))
        status = write_round(storing, &more, error);
    return status == STATUS_OK ? wait_for_answers(storing, error) : status;
}

static enum status checkpoint(struct team_member *member, struct storing *storing,
                              struct error *error)
{
    enum status status = write_all_once(storing, error);
    storing->packing = (struct team_work){0};
    if (status != STATUS_OK || !team_start(member))
        return status;
    uint64_t done = 0;
    while (status == STATUS_OK && !team_time_is_up(member)) {
        size_t more;
        status = write_round(storing, &more, error);
        done += more;
    }
    if (status == STATUS_OK)
        status = wait_for_answers(storing, error);
    team_stop(member, &(struct team_work){.units = done});
    return status;
}

/* ---- loading ---- */

static struct baton_text any_id(struct storing *storing, const struct storing_unit *unit,
                                char room[32])
{
    storing->random = storing->random * 6364136223846793005u + 1442695040888963407u;
    uint32_t random = (uint32_t)(storing->random >> 32);
    if (storing->stage == STAGE_LOAD_NEW) { /* no lead is called so */
        int size = snprintf(room, 32, "nobody-%08x", random);
        return (struct baton_text){room, (uint32_t)size};
    }
    return lead_table_id(unit->entries[random % unit->count]);
}

/* What the pipeline does with a loaded lead. */
static enum status take_lead(struct storing *storing, const struct baton_words *words,
                             const struct loaded_lead *loaded, struct error *error)
{
    struct baton_lead lead;
    struct baton_allocator *allocator = &storing->worker->table.allocator;
    baton_lead_init(&lead);
    if (loaded->packed && baton_lead_unpack(&lead, loaded->packed, loaded->packed_size,
                                            words->count, allocator) != BATON_UNPACKED)
        return error_set(error, STATUS_STOP, "a lead that was written does not unpack");
    if ((loaded->packed == NULL) != (storing->stage == STAGE_LOAD_NEW))
        return error_set(error, STATUS_STOP, "a lead that was written is not in Redis");
    baton_lead_attach(&lead, agreement_compiled(storing->worker->stages->agreement));
    baton_lead_fini(&lead, allocator);
    return STATUS_OK;
}

static enum status load_some(struct storing *storing, uint32_t number, struct error *error)
{
    struct storing_unit *unit = &storing->units[number];
    struct baton_text ids[LOAD_IDS];
    char rooms[LOAD_IDS][32];
    struct loaded_lead *loaded = NULL;
    arena_reset(&storing->arena);
    for (size_t i = 0; i < LOAD_IDS; i++)
        ids[i] = any_id(storing, unit, rooms[i]);
    struct store *store = storing->store;
    uint32_t asked = storing->worker->first_unit + number;
    enum status status = store->load_begin(store, asked, &unit->fence, ids, LOAD_IDS, error);
    if (status == STATUS_OK)
        status = store->load_finish(store, asked, &loaded, error);
    for (size_t i = 0; i < LOAD_IDS && status == STATUS_OK; i++)
        status = take_lead(storing, &storing->worker->words[number], &loaded[i], error);
    return status;
}

static enum status load(struct team_member *member, struct storing *storing, struct error *error)
{
    if (!team_start(member))
        return STATUS_OK;
    enum status status = STATUS_OK;
    uint64_t done = 0;
    for (uint32_t unit = 0; status == STATUS_OK && !team_time_is_up(member);
         unit = (unit + 1) % storing->worker->unit_count) {
        if (storing->units[unit].count == 0)
            continue;
        status = load_some(storing, unit, error);
        done += LOAD_IDS;
    }
    team_stop(member, &(struct team_work){.units = done});
    return status;
}

/* ---- all ---- */

static enum status run(struct team_member *member, struct error *error)
{
    struct storing *storing = member->context;
    enum status status = init(storing, error);
    if (status == STATUS_OK)
        status = storing->stage == STAGE_CHECKPOINT ? checkpoint(member, storing, error)
                                                    : load(member, storing, error);
    fini(storing);
    return status;
}

static void take_packing(struct stages *stages, const struct storing *storing)
{
    struct team_figures figures = {0};
    for (unsigned i = 0; i < stages->workers; i++) {
        const struct team_work *work = &storing[i].packing;
        figures.units += work->units;
        figures.members_cpu += work->cpu;
        figures.per_second += work->seconds > 0 ? (double)work->units / work->seconds : 0;
    }
    figures.process_cpu = figures.members_cpu;
    figures.broker_cpu = figures.redis_cpu = 0;
    stage_take(stages, STAGE_PACK, &figures);
}

static enum status measure(struct stages *stages, enum stage stage, struct error *error)
{
    struct storing storing[TEAM_MAX];
    void *contexts[TEAM_MAX];
    for (unsigned i = 0; i < stages->workers; i++) {
        storing[i] =
            (struct storing){.worker = &stages->worker[i], .stage = stage, .random = i + 1};
        contexts[i] = &storing[i];
    }
    struct team_figures figures;
    enum status status = team_run(stages->workers, stages->options.seconds, stages->servers, run,
                                  contexts, &figures, error);
    stage_take(stages, stage, &figures);
    if (stage == STAGE_CHECKPOINT)
        take_packing(stages, storing);
    return status;
}

enum status stage_redis(struct stages *stages, struct error *error)
{
    enum status status = measure(stages, STAGE_CHECKPOINT, error);
    if (status == STATUS_OK)
        status = measure(stages, STAGE_LOAD, error);
    return status == STATUS_OK ? measure(stages, STAGE_LOAD_NEW, error) : status;
}
