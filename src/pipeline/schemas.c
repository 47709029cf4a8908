/* Writer schemas: each unit stores the text of every schema that it relies on, and the verdict that
 * nobody knows one. */
#include "base/crash_point.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_AGAIN_US 1000000

static bool same(struct schema_key a, struct schema_key b)
{
    return a.naming == b.naming && a.id == b.id;
}

static bool unit_has_stored(const struct unit *unit, struct schema_key key)
{
    for (size_t i = unit->schema_count; i-- > 0;)
        if (same(unit->schemas[i].key, key))
            return true;
    return false;
}

static void unit_note_stored(struct unit *unit, struct schema_key key)
{
    unit->schemas = memory_resize(unit->schemas, (unit->schema_count + 1) * sizeof *unit->schemas);
    unit->schemas[unit->schema_count++].key = key;
}

static const struct schema_text *known_text(const struct worker *worker, struct schema_key key)
{
    for (size_t i = 0; i < worker->schema_text_count; i++)
        if (same(worker->schema_texts[i].key, key))
            return &worker->schema_texts[i];
    return NULL;
}

static const struct schema_text *learn(struct worker *worker, struct schema_key key,
                                       struct baton_text text)
{
    worker->schema_texts = memory_resize(worker->schema_texts, (worker->schema_text_count + 1) *
                                                                   sizeof *worker->schema_texts);
    struct schema_text *known = &worker->schema_texts[worker->schema_text_count++];
    *known = (struct schema_text){.key = key, .text = memory_take(text.size), .size = text.size};
    memcpy(known->text, text.data, text.size);
    decoder_add_schema(worker->decoder, key, known->text, known->size);
    return known;
}

static void field_name(struct text_buffer *name, struct schema_key key)
{
    text_buffer_init(name);
    text_buffer_add_text(name, "schema:");
    schema_key_print(name, key);
}

static struct baton_text text_in(const struct text_buffer *buffer)
{
    return (struct baton_text){.data = buffer->data, .size = (uint32_t)buffer->size};
}

/* Each question may take a second: while nobody answers, one is asked for all units. */
static enum status ask_registry(struct worker *worker, struct schema_key key,
                                struct baton_text *text, struct error *error)
{
    if (worker_now_us(worker) < worker->schemas_next_us)
        return error_set(error, STATUS_RETRY, "whoever knows the schemas is away");
    enum status status =
        worker->ports.schemas->get(worker->ports.schemas, key, &worker->scratch, text, error);
    if (status == STATUS_RETRY)
        worker->schemas_next_us = worker_now_us(worker) + LOOK_AGAIN_US;
    return status;
}

/* The text as this unit has stored it, or from whoever knows it. REJECT: nobody does, just now. */
static enum status find_text(struct worker *worker, struct unit *unit, struct schema_key key,
                             bool *stored, const struct schema_text **out, struct error *error)
{
    struct text_buffer name;
    field_name(&name, key);
    struct baton_text text;
    enum status status = worker->ports.store->text(worker->ports.store, unit->number, &unit->fence,
                                                   text_in(&name), &worker->scratch, &text, error);
    text_buffer_fini(&name);
    if (status != STATUS_OK) {
        unit_store_status(worker, unit, status, error);
        return STATUS_FENCED;
    }
    *stored = text.data != NULL;
    *out = known_text(worker, key);
    if (*out)
        return STATUS_OK;
    if (!text.data)
        status = ask_registry(worker, key, &text, error);
    if (status == STATUS_OK)
        *out = learn(worker, key, text);
    return status;
}

static enum status store_text(struct worker *worker, struct unit *unit,
                              const struct schema_text *known, struct error *error)
{
    struct text_buffer name;
    field_name(&name, known->key);
    struct field text = {.name = text_in(&name),
                         .value = {.data = known->text, .size = (uint32_t)known->size}};
    struct store_write write = {.texts = &text, .text_count = 1};
    enum status status = unit_write_now(worker, unit, &write, error);
    text_buffer_fini(&name);
    return status;
}

/* Where there is no room for another verdict, the oldest goes that was lifted below R. */
static void forget_oldest_lifted(struct unit *unit)
{
    struct commit_metadata *metadata = &unit->metadata;
    size_t oldest = UNIT_VERDICTS_MAX;
    if (metadata->verdict_count < UNIT_VERDICTS_MAX)
        return;
    for (size_t i = 0; i < UNIT_VERDICTS_MAX; i++)
        if (metadata->verdicts[i].until <= unit->stored &&
            (oldest == UNIT_VERDICTS_MAX ||
             metadata->verdicts[i].until < metadata->verdicts[oldest].until))
            oldest = i;
    if (oldest == UNIT_VERDICTS_MAX)
        return;
    memmove(&metadata->verdicts[oldest], &metadata->verdicts[oldest + 1],
            (UNIT_VERDICTS_MAX - 1 - oldest) * sizeof *metadata->verdicts);
    metadata->verdict_count--;
}

/* "Nobody knows this schema": written to the unit before the transaction that relies on it. */
static enum schema_answer decide_dead(struct worker *worker, struct unit *unit,
                                      struct schema_key key, int64_t offset)
{
    struct commit_metadata *metadata = &unit->metadata;
    struct schema_verdict verdict = {.schema = key, .from = offset, .until = INT64_MAX};
    forget_oldest_lifted(unit);
    if (!schema_verdicts_unite(metadata->verdicts, &metadata->verdict_count, &verdict, 1)) {
        struct error error;
        (void)error_set(&error, STATUS_STOP,
                        "%d schemas are unknown already, and no more can be remembered: stop baton "
                        "run and lift those that are not needed (`verdicts` in the unit's hash "
                        "names them): baton accept -c %s --unit %u --schema ID",
                        UNIT_VERDICTS_MAX, worker->config.config_file, unit->number);
        unit_stop(worker, unit, error.text);
        return SCHEMA_WAIT;
    }
    struct text_buffer text;
    text_buffer_init(&text);
    unit_record_print_verdicts(&text, metadata->verdicts, metadata->verdict_count);
    struct field field = field_of("verdicts", text.data);
    struct store_write write = {.fields = &field, .field_count = 1};
    struct error error;
    enum status status = unit_write_now(worker, unit, &write, &error);
    text_buffer_clear(&text);
    schema_key_print(&text, key);
    if (status == STATUS_OK)
        log_warn("worker=%u unit=%u schema %s is not known: from offset %" PRId64
                 " on its messages are dead letters. Once it is known: stop baton run, then baton "
                 "accept -c %s --unit %u --schema %s",
                 worker->config.number, unit->number, text.data, offset, worker->config.config_file,
                 unit->number, text.data);
    text_buffer_fini(&text);
    if (status != STATUS_OK) {
        unit_write_failed(worker, unit, status, &error);
        return SCHEMA_WAIT;
    }
    CRASH_POINT("verdict_written");
    return SCHEMA_DEAD;
}

/* The time that an unknown schema is given runs while somebody is there to say that it is unknown.
 */
static void hold(struct worker *worker, struct unit *unit, struct schema_key key, int64_t offset,
                 enum status status, const char *why)
{
    int64_t now = worker_now_us(worker);
    if (!unit->held) {
        log_warn("worker=%u unit=%u waits at offset %" PRId64 " for a schema: %s",
                 worker->config.number, unit->number, offset, why);
        unit->held = true;
        unit->held_key = key;
        unit->held_offset = offset;
        unit->held_since_us = 0;
    }
    if (status == STATUS_RETRY || unit->held_since_us == 0)
        unit->held_since_us = now;
    unit->held_next_us = now + LOOK_AGAIN_US;
}

enum schema_answer schemas_resolve(struct worker *worker, struct unit *unit, struct schema_key key,
                                   int64_t offset)
{
    if (unit->metadata.verdict_count &&
        schema_verdicts_cover(unit->metadata.verdicts, unit->metadata.verdict_count, key, offset))
        return SCHEMA_DEAD;
    if (unit_has_stored(unit, key))
        return SCHEMA_USE;
    struct error error;
    bool stored = false;
    const struct schema_text *known = NULL;
    enum status status = find_text(worker, unit, key, &stored, &known, &error);
    if (status == STATUS_FENCED)
        return SCHEMA_WAIT;
    if (status == STATUS_OK && !stored) {
        status = store_text(worker, unit, known, &error);
        if (status != STATUS_OK) {
            unit_write_failed(worker, unit, status, &error);
            return SCHEMA_WAIT;
        }
    }
    if (status == STATUS_OK) {
        unit_note_stored(unit, key);
        return SCHEMA_USE;
    }
    if (status == STATUS_STOP) {
        unit_stop(worker, unit, error.text);
        return SCHEMA_WAIT;
    }
    bool patient = unit->held && worker_now_us(worker) - unit->held_since_us <
                                     worker->config.unknown_schema_wait_ms * 1000;
    bool live = offset >= unit->committed &&
                unit->state == UNIT_LIVE; /* a replay makes no verdicts of its own */
    if (status == STATUS_REJECT && unit->held && !patient && live)
        return decide_dead(worker, unit, key, offset);
    hold(worker, unit, key, offset, status, error.text);
    return SCHEMA_WAIT;
}

void schemas_turn(struct worker *worker)
{
    for (size_t i = 0; i < worker->unit_count; i++) {
        struct unit *unit = worker->units[i];
        if (!unit->held || !unit_folds(unit) || worker->store_away ||
            worker_now_us(worker) < unit->held_next_us)
            continue;
        /* K is reached here when nothing but the awaited message lies behind it */
        if (unit->state == UNIT_REPLAYING && unit->held_offset >= unit->committed) {
            unit->position = unit->committed;
            takeover_reached(worker, unit);
            continue;
        }
        arena_reset(&worker->scratch);
        if (schemas_resolve(worker, unit, unit->held_key, unit->held_offset) == SCHEMA_WAIT)
            continue;
        unit->held = false;
        unit->wants_start = true;
    }
}
