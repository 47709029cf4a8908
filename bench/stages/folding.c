/* The lead table and the fold alone: each batch is decoded first, as a worker does, and only what
 * comes behind is measured. Once with the popularity of the topic's leads, once with all leads
 * alike, so that nearly every event is of a lead that is in no cache. */
#include "common/clock.h"
#include "stages/stages.h"

#include <stdlib.h>

#define LEAD_ID_SIZE 13
#define FIND_AHEAD 12 /* as src/pipeline/batch.c has it */

struct folding {
    struct stage_worker *worker;
    bool uniform;
    struct decoder *decoder;
    struct arena scratch;
    struct kept_reader reader;
    struct lead_table table;
    struct baton_matcher *matcher;
    struct baton_words *words;
    uint64_t random;
    struct team_work work;
    /* of a batch */
    struct record records[STAGES_BATCH];
    struct baton_event events[STAGES_BATCH];
    struct lead_entry *entries[STAGES_BATCH];
    uint64_t hashes[STAGES_BATCH];
    char ids[STAGES_BATCH][LEAD_ID_SIZE + 1];
    size_t count;
};

/* ---- not measured: a batch of events ---- */

static uint32_t any_lead(struct folding *folding)
{
    uint64_t leads = folding->worker->stages->options.leads / folding->worker->stages->partitions;
    folding->random = folding->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((folding->random >> 32) * (leads ? leads : 1) >> 32);
}

/* Every unit has its own leads, as the key of a message decides its partition. */
static void change_lead(struct folding *folding, struct baton_event *event, size_t index)
{
    (void)snprintf(folding->ids[index], sizeof folding->ids[index], "lead-%08x",
                   (unsigned)(any_lead(folding) * 2654435761u));
    event->lead_id = (struct baton_text){folding->ids[index], LEAD_ID_SIZE};
}

static void make_batch(struct folding *folding)
{
    arena_reset(&folding->scratch);
    size_t taken = kept_take(&folding->reader, folding->records, STAGES_BATCH);
    folding->count = 0;
    for (size_t i = 0; i < taken; i++) {
        const struct record *record = &folding->records[i];
        struct message message = {.key = record->key,
                                  .key_size = record->key_size,
                                  .value = record->value,
                                  .value_size = record->value_size,
                                  .timestamp_ms = record->timestamp_ms,
                                  .offset = record->offset};
        struct decode_result result;
        struct baton_event *event = &folding->events[folding->count];
        decoder_decode(folding->decoder, &message, &folding->scratch, event, &result);
        if (result.outcome != DECODED)
            continue;
        if (folding->uniform)
            change_lead(folding, event, folding->count);
        folding->records[folding->count++] = *record;
    }
}

/* ---- measured ---- */

static void find_lead(struct folding *folding, size_t index)
{
    uint32_t unit = folding->records[index].unit;
    struct baton_text id = folding->events[index].lead_id;
    uint64_t hash = folding->hashes[index];
    struct lead_entry *entry = lead_table_find(&folding->table, hash, unit, id);
    if (entry) {
        lead_table_fetch_owned(entry);
    } else {
        entry = lead_table_add(&folding->table, hash, unit, id);
        baton_lead_attach(&entry->lead, agreement_compiled(folding->worker->stages->agreement));
    }
    folding->entries[index] = entry;
}

/* As a batch does it: memory is told early what will be looked at. */
static void find_leads(struct folding *folding)
{
    for (size_t i = 0; i < folding->count; i++) {
        folding->hashes[i] = lead_table_hash(folding->records[i].unit, folding->events[i].lead_id);
        lead_table_fetch_slot(&folding->table, folding->hashes[i]);
    }
    for (size_t i = 0; i < folding->count + FIND_AHEAD; i++) {
        if (i < folding->count)
            lead_table_fetch_entry(&folding->table, folding->hashes[i]);
        if (i >= FIND_AHEAD)
            find_lead(folding, i - FIND_AHEAD);
    }
}

static void fold_events(struct folding *folding)
{
    struct baton_fold_context context = {.agreement =
                                             agreement_compiled(folding->worker->stages->agreement),
                                         .allocator = &folding->table.allocator,
                                         .matcher = folding->matcher};
    struct baton_fold_result result;
    for (size_t i = 0; i < folding->count; i++) {
        context.words = &folding->words[folding->records[i].unit - folding->worker->first_unit];
        baton_fold(&folding->entries[i]->lead, &folding->events[i], &context, &result);
    }
}

static void fold_batch(struct folding *folding)
{
    double from = clock_seconds(), cpu = clock_thread_seconds();
    find_leads(folding);
    fold_events(folding);
    folding->work.cpu += clock_thread_seconds() - cpu;
    folding->work.seconds += clock_seconds() - from;
    folding->work.units += folding->count;
}

/* ---- all ---- */

static void init(struct folding *folding)
{
    struct stage_worker *worker = folding->worker;
    const struct config *config = worker->stages->config;
    arena_init(&folding->scratch, 1 << 20);
    kept_reader_init(&folding->reader, &worker->kept, worker->first_unit, worker->unit_count);
    lead_table_init(&folding->table, (size_t)config->leads.memory_bytes);
    folding->matcher = baton_matcher_create(agreement_compiled(worker->stages->agreement),
                                            folding->table.allocator);
    folding->words = memory_take_zeroed(worker->unit_count, sizeof *folding->words);
    for (uint32_t i = 0; i < worker->unit_count; i++)
        baton_words_init(&folding->words[i], STAGES_WORDS, folding->table.allocator);
}

static void fini(struct folding *folding)
{
    for (uint32_t i = 0; i < folding->worker->unit_count; i++)
        baton_words_fini(&folding->words[i]);
    free(folding->words);
    baton_matcher_destroy(folding->matcher);
    lead_table_fini(&folding->table);
    kept_reader_fini(&folding->reader);
    arena_fini(&folding->scratch);
}

/* The first round fills the table. */
static void fill(struct folding *folding)
{
    for (size_t done = 0; done < folding->worker->kept.count; done += STAGES_BATCH) {
        make_batch(folding);
        fold_batch(folding);
    }
    folding->work = (struct team_work){0};
}

static enum status run(struct team_member *member, struct error *error)
{
    struct folding *folding = member->context;
    enum status status = stage_decoder(folding->worker->stages, &folding->decoder, error);
    if (status != STATUS_OK)
        return status;
    init(folding);
    fill(folding);
    if (team_start(member)) {
        while (!team_time_is_up(member)) {
            make_batch(folding);
            fold_batch(folding);
        }
        team_stop(member, &folding->work);
    }
    fini(folding);
    decoder_destroy(folding->decoder);
    return STATUS_OK;
}

static enum status measure(struct stages *stages, enum stage stage, struct error *error)
{
    void *contexts[TEAM_MAX];
    for (unsigned i = 0; i < stages->workers; i++) {
        struct folding *folding = memory_take_zeroed(1, sizeof *folding);
        folding->worker = &stages->worker[i];
        folding->uniform = stage == STAGE_FOLD_UNIFORM;
        folding->random = i + 1;
        contexts[i] = folding;
    }
    struct team_figures figures;
    enum status status = team_run(stages->workers, 2 * stages->options.seconds, stages->servers,
                                  run, contexts, &figures, error);
    figures.process_cpu = figures.members_cpu; /* decoding goes on beside it, unmeasured */
    stage_take(stages, stage, &figures);
    for (unsigned i = 0; i < stages->workers; i++)
        free(contexts[i]);
    return status;
}

enum status stage_fold(struct stages *stages, struct error *error)
{
    enum status status = measure(stages, STAGE_FOLD, error);
    return status == STATUS_OK ? measure(stages, STAGE_FOLD_UNIFORM, error) : status;
}
