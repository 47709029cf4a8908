/* Taking over a unit: claim, read K, compare with R, replay, go live. */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a unit's memory
 * ------------------------------------------------------------------------------ */

struct unit *unit_create(struct worker *worker, uint32_t number)
{
    struct unit *unit = memory_take_zeroed(1, sizeof *unit);
    unit->number = number;
    unit->state = UNIT_CLAIMING;
    unit->committed = unit->rebuild_until = unit->accepted = -1;
    unit->outbox = outbox_take(worker);
    arena_init(&unit->copy.arena, 1 << 18); /* goes back to the system when it is let go */
    baton_words_init(&unit->words, worker->config.words_capacity, worker->table.allocator);
    counting_create(unit);
    worker->by_number[number] = unit;
    return unit;
}

void unit_clear(struct worker *worker, struct unit *unit)
{
    batch_forget(worker, unit);
    lead_table_remove_unit(&worker->table, unit->number);
    checkpoint_drop(worker, unit);
    worker->dirty_total -= unit->dirty_count;
    unit->dirty_count = 0;
    outbox_give_back(worker, unit->outbox);
    unit->outbox = outbox_take(worker);
    baton_words_fini(&unit->words);
    baton_words_init(&unit->words, worker->config.words_capacity, worker->table.allocator);
    unit->words_stored = unit->words.count;
    counting_clear(unit);
    if (unit->number == 0)
        judge_forget(worker->judge);
    unit->schema_count = 0;
    unit->held = unit->cut = unit->stale = unit->began_empty = false;
    unit->stretch = unit->stretch_count = 0;
    unit->sweep = (struct sweep){0};
    unit->turn_ms = INT64_MAX;
    unit->turn_wanted = unit->ticked = false;
    unit->committed = unit->rebuild_until = unit->accepted = -1;
    unit->clock_ms = unit->clock_confirmed_ms = 0;
    clocks_clear(unit);
    stage_script_clear(&unit->script);
}

void unit_destroy(struct worker *worker, struct unit *unit)
{
    unit_clear(worker, unit);
    outbox_give_back(worker, unit->outbox);
    baton_words_fini(&unit->words);
    counting_destroy(unit);
    tombstones_fini(&unit->tombstones);
    arena_fini(&unit->copy.arena);
    free(unit->copy.leads);
    free(unit->copy.before.items);
    free(unit->copy.behind.items);
    free(unit->copy.clocks.items);
    clocks_fini(unit);
    free(unit->copy.days.items);
    erasures_forget(unit);
    free(unit->dirty);
    free(unit->schemas);
    free(unit->metadata_text);
    worker->by_number[unit->number] = NULL;
    atomic_store_explicit(&worker->positions[unit->number], -1, memory_order_relaxed);
    free(unit);
}

/* ---- comparing R and K
 * ---------------------------------------------------------------------------- */

static enum status same_configuration(struct worker *worker, const struct unit *unit,
                                      const struct unit_record *record, struct error *error)
{
    if (record->partitions != worker->partitions)
        return error_set(
            error, STATUS_STOP,
            "topic %s has %u partitions now and had %u when this unit began: leads have moved to "
            "other units. Have the writers use a new topic with the former number, or start anew "
            "under another redis.prefix, kafka.group and topics.stages",
            worker->config.events_topic, worker->partitions, record->partitions);
    if (record->position == unit->committed || unit->accepted == unit->committed)
        return STATUS_OK;
    if (record->fold_version != FOLD_VERSION)
        return error_set(error, STATUS_STOP,
                         "%" PRId64 " events are to be folded again, and another version of baton "
                         "folded them first (arithmetic %u, here "
                         "%d): start the former version once and stop it clean, or accept the "
                         "difference: baton accept -c %s --unit %u",
                         unit->committed - record->position, record->fold_version, FOLD_VERSION,
                         worker->config.config_file, unit->number);
    if (record->input_hash != worker->input_hash)
        return error_set(error, STATUS_STOP,
                         "%" PRId64 " events are to be folded again, and `input` in %s has changed "
                         "since they were folded first, or baton's list of crawlers: start "
                         "once with the former settings and program and stop clean, or accept the "
                         "difference: baton accept -c %s --unit %u",
                         unit->committed - record->position, worker->config.config_file,
                         worker->config.config_file, unit->number);
    return STATUS_OK;
}

static enum status log_is_there(struct worker *worker, const struct unit *unit, struct error *error)
{
    int64_t first, end;
    enum status status =
        worker->ports.source->range(worker->ports.source, unit->number, &first, &end, error);
    if (status != STATUS_OK)
        return status;
    if (unit->position < first)
        return error_set(error, STATUS_STOP,
                         "Kafka holds %s [%u] from offset %" PRId64
                         " on, and folding must go on at %" PRId64
                         ": retention has removed events that were not counted. Restore a newer "
                         "Redis, or rebuild from what is left: "
                         "remove the unit's hash and run baton run --rebuild --yes",
                         worker->config.events_topic, unit->number, first, unit->position);
    if (unit->committed > end)
        return error_set(
            error, STATUS_STOP,
            "the group has committed offset %" PRId64 " of %s [%u], and the log ends at %" PRId64
            ": was the topic made anew? Then start under another redis.prefix and kafka.group",
            unit->committed, worker->config.events_topic, unit->number, end);
    return STATUS_OK;
}

static enum status restore_words(struct worker *worker, struct unit *unit,
                                 const struct unit_record *record, struct error *error)
{
    struct field *words;
    size_t count;
    enum status status =
        worker->ports.store->hash(worker->ports.store, unit->number, &unit->fence, STORE_WORDS,
                                  &worker->talk, &words, &count, error);
    if (status != STATUS_OK)
        return status;
    /* the store gives them in any order; ids are dense from 2 */
    struct baton_text *by_id = arena_take(&worker->talk, (count + 2) * sizeof *by_id);
    memset(by_id, 0, (count + 2) * sizeof *by_id);
    for (size_t i = 0; i < count; i++) {
        char id[12] = "";
        if (words[i].name.size < sizeof id)
            memcpy(id, words[i].name.data, words[i].name.size);
        unsigned long number = strtoul(id, NULL, 10);
        if (number < 2 || number >= count + 2)
            return error_set(
                error, STATUS_STOP,
                "word %s of the unit's words is damaged: rebuild the unit (baton run --rebuild)",
                id);
        by_id[number] = words[i].value;
    }
    for (uint32_t id = 2; id < count + 2; id++)
        if (!by_id[id].size || !baton_words_restore(&unit->words, id, by_id[id]))
            return error_set(
                error, STATUS_STOP,
                "word %u of the unit's words is missing: rebuild the unit (baton run --rebuild)",
                id);
    if (unit->words.count < record->words)
        return error_set(error, STATUS_STOP,
                         "%u of the unit's %u words are gone: rebuild the unit (baton run "
                         "--rebuild)",
                         record->words - unit->words.count, record->words);
    unit->words_stored = unit->words.count;
    return STATUS_OK;
}

/* K's metadata tells what held below K. A verdict that stands there, and is lifted in the store,
 * was lifted while its owner went on for a moment: it held up to K. */
static bool unite_verdicts(struct unit *unit, const struct unit_record *record)
{
    struct commit_metadata *metadata = &unit->metadata;
    if (SEEDED_FAULT("forget_verdict"))
        metadata->verdict_count = 0;
    struct commit_metadata before = *metadata;
    if (!schema_verdicts_unite(metadata->verdicts, &metadata->verdict_count, record->verdicts,
                               record->verdict_count))
        return false;
    for (size_t i = 0; i < before.verdict_count; i++) {
        struct schema_verdict *verdict = &metadata->verdicts[i];
        if (before.verdicts[i].until != INT64_MAX)
            verdict->until = before.verdicts[i].until;
        else if (verdict->until < unit->committed)
            verdict->until = unit->committed;
    }
    return true;
}

/* It may have been killed between the first commit and its mark, and may have been stopped. */
static enum status mark_resumed(struct worker *worker, struct unit *unit,
                                const struct unit_record *record, struct error *error)
{
    struct field fields[] = {field_of("committed", "1"), field_of("stopped", "")};
    struct store_write write = {.fields = fields, .field_count = 2};
    if (record->committed && !unit->stopped_field)
        return STATUS_OK;
    unit->stopped_field = false;
    return unit_write_now(worker, unit, &write, error);
}

/* R and K are both there: everything that folding [R, K) needs. */
static enum status resume(struct worker *worker, struct unit *unit,
                          const struct unit_record *record, struct error *error)
{
    unit->position = unit->stored = record->position;
    unit->start = record->start;
    unit->aggregates = record->aggregates;
    unit->clock_ms = unit->clock_confirmed_ms = record->aggregates.clock_ms;
    sweep_restore(&unit->sweep, &record->sweep);
    /* Aggregates go to the store before the first leads, and a rebuild leaves its mark. */
    if (record->position == record->start && record->aggregates.position <= record->start &&
        record->rebuild < 0)
        takeover_begins_empty(worker, unit);
    unit->rebuild_until = record->rebuild;
    if (record->rebuild == unit->committed) /* all below K is folded under the agreement at R */
        unit->metadata.switch_count = 0;
    if (record->position > unit->committed)
        return error_set(error, STATUS_STOP,
                         "Redis is folded up to offset %" PRId64
                         ", and the group's committed offset is %" PRId64
                         ": somebody set the offsets back. Set them to %" PRId64
                         " again (kafka-consumer-groups --reset-offsets --to-offset), or start "
                         "anew under another redis.prefix",
                         record->position, unit->committed, record->position);
    enum status status = same_configuration(worker, unit, record, error);
    if (status == STATUS_OK)
        status = log_is_there(worker, unit, error);
    if (status == STATUS_OK && !unite_verdicts(unit, record))
        status = error_set(error, STATUS_STOP,
                           "more than %d schemas are unknown: register them, then baton accept "
                           "--unit %u --schema ID",
                           UNIT_VERDICTS_MAX, unit->number);
    bool as_configured = status == STATUS_OK;
    if (status == STATUS_OK)
        status = restore_words(worker, unit, record, error);
    if (status == STATUS_OK)
        status = clocks_restore(worker, unit, error);
    if (status == STATUS_OK)
        status = counting_restore(worker, unit, record, error);
    if (status == STATUS_OK)
        status = stretches_plan(worker, unit, record, error);
    unit->damaged = as_configured && status == STATUS_STOP;
    if (status == STATUS_OK)
        status = versions_store(worker, unit, error);
    bool cut; /* which was asked about when the rebuild began */
    if (status == STATUS_OK && record->position < record->rebuild)
        status = stage_script_read(worker, unit, record->position, &cut, error);
    if (status == STATUS_OK)
        status = mark_resumed(worker, unit, record, error);
    if (status != STATUS_OK)
        return status;
    unit->state = UNIT_REPLAYING;
    unit->wants_start = true;
    unit->replay_from = unit->position;
    unit->replay_told_us = worker_now_us(worker);
    if (unit->position < unit->committed)
        unit_log(worker, unit,
                 "replays %" PRId64 " offsets in silence, from %" PRId64 " to %" PRId64,
                 unit->committed - unit->position, unit->position, unit->committed);
    else
        takeover_reached(worker, unit);
    return STATUS_OK;
}

/* The state is gone: said only after one more look at the fence, so that a sleeper's old view
 * raises no alarm. */
static enum status state_is_gone(struct worker *worker, struct unit *unit, struct error *error)
{
    enum status status =
        worker->ports.store->check(worker->ports.store, unit->number, &unit->fence, error);
    if (status != STATUS_OK)
        return status;
    if (worker->config.rebuild)
        return rebuild_unit(worker, unit, unit->committed, error);
    return error_set(error, STATUS_STOP,
                     "its state is gone from Redis, and the group has committed offset %" PRId64
                     ": restore Redis, or rebuild it from the log: baton run -c %s --rebuild",
                     unit->committed, worker->config.config_file);
}

static enum status compare(struct worker *worker, struct unit *unit,
                           const struct unit_record *record, struct error *error)
{
    bool has_k = unit->committed >= 0;
    if (record->has_position && !has_k && worker->config.embedded) {
        unit->committed = record->position;
        return resume(worker, unit, record, error);
    }
    if (record->has_position && !has_k && !record->committed)
        return takeover_begin_new(worker, unit, record->position, error);
    if (record->has_position && !has_k)
        return error_set(
            error, STATUS_STOP,
            "Redis is folded up to offset %" PRId64
            ", and the group has no committed offset any more (did it expire?): set it to %" PRId64
            " (kafka-consumer-groups --reset-offsets --to-offset), then accept it: baton accept -c "
            "%s --unit %u",
            record->position, record->position, worker->config.config_file, unit->number);
    if (record->has_position)
        return resume(worker, unit, record, error);
    return has_k ? state_is_gone(worker, unit, error) : takeover_begin_new(worker, unit, 0, error);
}

/* ---- reaching K
 * ----------------------------------------------------------------------------------- */

static bool digest_is_right(struct worker *worker, struct unit *unit)
{
    if (!unit->metadata.present && worker->config.embedded)
        return true;
    if (unit->committed == unit->rebuild_until || unit->accepted == unit->committed)
        return true;
    struct error error;
    if (!unit->metadata.present)
        (void)error_set(
            &error, STATUS_STOP,
            "the committed offset %" PRId64
            " was not committed by this program (its metadata is empty or unknown), so what was "
            "published up to it is not known. To go on: "
            "baton accept -c %s --unit %u",
            unit->committed, worker->config.config_file, unit->number);
    else if (unit->metadata.digest != unit->aggregates.digest)
        (void)error_set(&error, STATUS_STOP,
                        "at offset %" PRId64
                        " the replay differs from what was published: digest %016" PRIx64
                        " with %" PRIu64 " transitions here, %016" PRIx64 " with %" PRIu64
                        " there. Was a lead changed in Redis by hand? To go on with what stands in "
                        "Redis: baton accept -c %s --unit %u",
                        unit->committed, unit->aggregates.digest, unit->aggregates.transitions,
                        unit->metadata.digest, unit->metadata.transitions,
                        worker->config.config_file, unit->number);
    else
        return true;
    unit_stop(worker, unit, error.text);
    return false;
}

void takeover_reached(struct worker *worker, struct unit *unit)
{
    assert(unit->state == UNIT_REPLAYING && unit->position == unit->committed);
    if (!stage_script_catch_up(worker, unit, unit->committed) || !digest_is_right(worker, unit))
        return;
    if (!clocks_reach(worker, unit))
        return;
    CRASH_POINT("replay_done");
    if (unit->position > unit->replay_from)
        unit_log(worker, unit, "replayed up to %" PRId64 "%s", unit->position,
                 unit->committed == unit->rebuild_until || unit->accepted == unit->committed
                     ? ""
                     : ", the digest is right");
    while (unit->stretch + 1 < unit->stretch_count)
        unit_enter_stretch(worker, unit, unit->stretch + 1);
    const struct agreement *in_force = worker_in_force(worker, unit);
    if (strcmp(agreement_hash(unit->stretches[unit->stretch].agreement),
               agreement_hash(in_force)) == 0) {
        takeover_go_live(worker, unit);
        return;
    }
    unit->state = UNIT_SETTLING;
    unit->settles_on = in_force;
    unit->cut = unit->wants_start = true;
}

void takeover_settled(struct worker *worker, struct unit *unit)
{
    CRASH_POINT("agreement_switched");
    const struct agreement *agreement;
    struct error error;
    const char *hash = agreement_hash(unit->settles_on);
    enum status status = agreements_find(worker, unit, hash, &agreement, &error);
    if (status != STATUS_OK) {
        unit_write_failed(worker, unit, status, &error);
        return;
    }
    unit->stretches[0] = (struct stretch){.from = unit->position, .agreement = agreement};
    unit->stretch_count = 1;
    unit_enter_stretch(worker, unit, 0);
    unit_log(worker, unit, "from offset %" PRId64 " on under agreement %s version %u (%.8s)",
             unit->position, agreement_name(agreement), agreement_version(agreement), hash);
    takeover_go_live(worker, unit);
}

/* ---- the turn
 * ------------------------------------------------------------------------------------- */

static enum status claim_unit(struct worker *worker, struct unit *unit, struct unit_record *record,
                              struct error *error)
{
    unit_clear(worker, unit);
    uint8_t token[16];
    worker->ports.clock->random(worker->ports.clock, token, sizeof token);
    struct field *fields;
    size_t count;
    enum status status =
        worker->ports.store->claim(worker->ports.store, unit->number, token, &worker->talk,
                                   &unit->fence, &fields, &count, error);
    if (status != STATUS_OK)
        return status;
    CRASH_POINT("after_claim");
    unit->last_contact_us = worker_now_us(worker);
    unit->stopped_field = false;
    bool erasures = erasures_read(unit, fields, count);
    for (size_t i = 0; i < count; i++)
        if (fields[i].name.size == 7 && memcmp(fields[i].name.data, "stopped", 7) == 0)
            unit->stopped_field = true;
    unit->damaged = unit_record_read(fields, count, record, &unit->damage) != STATUS_OK;
    if (!erasures && !unit->damaged) {
        unit->damaged = true;
        (void)error_set(&unit->damage, STATUS_STOP,
                        "a field `e:…` of the unit's hash, which tells of an erasure, is damaged: "
                        "restore it, or rebuild the unit (baton run --rebuild)");
    }
    unit->accepted = record->accepted;
    return STATUS_OK;
}

/* What is damaged is rebuilt when an operator asks for it, as what is gone is. */
static enum status compare_or_rebuild(struct worker *worker, struct unit *unit,
                                      const struct unit_record *record, struct error *error)
{
    bool may = worker->config.rebuild && unit->committed >= 0;
    if (unit->damaged && !may) {
        *error = unit->damage;
        return STATUS_STOP;
    }
    enum status status = STATUS_STOP;
    if (!unit->damaged && !unit->wants_rebuild)
        status = compare(worker, unit, record, error);
    if (status != STATUS_STOP || !may || !(unit->damaged || unit->wants_rebuild))
        return status;
    unit->wants_rebuild = false;
    unit->rebuilds++;
    int64_t committed = unit->committed;
    unit_clear(worker, unit); /* of what had been restored already */
    unit->committed = committed;
    return rebuild_unit(worker, unit, committed, error);
}

static enum status take_over_unit(struct worker *worker, struct unit *unit, struct error *error)
{
    struct unit_record *record = arena_take(&worker->talk, sizeof *record);
    enum status status = claim_unit(worker, unit, record, error);
    struct committed committed = {.offset = -1, .metadata = ""};
    if (status == STATUS_OK)
        status = worker->ports.source->committed(worker->ports.source, &unit->number, 1,
                                                 &worker->talk, &committed, error);
    if (status != STATUS_OK)
        return status;
    unit->committed = committed.offset;
    free(unit->metadata_text);
    unit->metadata_text = memory_copy_text(committed.metadata);
    struct error ignored; /* told by the digest check, unless an operator has accepted it */
    if (commit_metadata_read(committed.metadata, &unit->metadata, &ignored) != STATUS_OK)
        unit->metadata = (struct commit_metadata){0};
    return compare_or_rebuild(worker, unit, record, error);
}

static enum status make_producer(struct worker *worker, struct error *error)
{
    if (worker->sink_ready)
        return STATUS_OK;
    if (worker_now_us(worker) < worker->sink_retry_at_us)
        return STATUS_RETRY;
    enum status status = worker->ports.sink->reset(worker->ports.sink, error);
    if (status == STATUS_OK) {
        worker->sink_ready = true;
        worker->sink_warm = false;
        worker->sink_retry_ms = 0;
    } else if (status == STATUS_RETRY) {
        if (worker->sink_retry_ms == 0)
            log_warn("worker=%u waits for Kafka: %s", worker->config.number, error->text);
        worker->sink_retry_ms = worker->sink_retry_ms ? worker->sink_retry_ms * 2 : RETRY_FIRST_MS;
        if (worker->sink_retry_ms > RETRY_LAST_MS)
            worker->sink_retry_ms = RETRY_LAST_MS;
        worker->sink_retry_at_us = worker_now_us(worker) + worker->sink_retry_ms * 1000;
    }
    return status;
}

enum status takeover_turn(struct worker *worker, struct error *error)
{
    bool contested = false;
    enum status made = make_producer(worker, error);
    if (made != STATUS_OK)
        return made == STATUS_RETRY ? STATUS_OK : made;
    arena_reset(&worker->talk);
    size_t first = worker->claim_next;
    for (size_t i = 0; i < worker->unit_count; i++) {
        size_t index = (first + i) % worker->unit_count;
        struct unit *unit = worker->units[index];
        if (unit->state != UNIT_CLAIMING)
            continue;
        struct error why;
        enum status status = take_over_unit(worker, unit, &why);
        if (status == STATUS_OK)
            continue;
        unit_store_status(worker, unit, status, &why);
        if (status == STATUS_RETRY) { /* the others would mostly say the same: after a pause */
            worker->claim_next = index + 1;
            return STATUS_OK;
        }
        contested = contested || status == STATUS_FENCED;
    }
    worker->trouble.text[0] = 0;
    worker->retry_ms = RETRY_FIRST_MS;
    if (contested) /* somebody else claims it, too: not in a race */
        worker->retry_at_us = worker_now_us(worker) + RETRY_FIRST_MS * 1000;
    return STATUS_OK;
}
