#include "backtest/reading.h"

#include "backtest/fold_run.h"

#include <stdlib.h>
#include <unistd.h>

enum { SCHEMA_TRIES = 20, SCHEMA_PAUSE_US = 500000 };

static uint32_t fields_of(const struct agreement *agreement, bool all)
{
    const struct baton_agreement *compiled = agreement_compiled(agreement);
    return all ? baton_agreement_fields(compiled) : baton_agreement_rule_fields(compiled);
}

static uint32_t fields_of_all(const struct agreement *last, const struct versions *versions,
                              bool all)
{
    uint32_t wanted = last ? fields_of(last, all) : 0;
    for (size_t i = 0; versions && i < versions_count(versions); i++)
        wanted |= fields_of(versions_get(versions, i), all);
    return wanted;
}

static uint32_t wanted_fields(const struct backtest_config *config)
{
    return fields_of_all(config->candidate, config->candidate_versions,
                         fold_run_keeps_all(config, true)) |
           fields_of_all(config->against, config->against_versions,
                         fold_run_keeps_all(config, false)) |
           1u << BATON_FORM; /* without one, a form fill would be told by its page */
}

enum status reading_init(struct reading *reading, const struct backtest_config *config,
                         struct error *error)
{
    *reading = (struct reading){.decoder = NULL};
    enum status status = decoder_create(&reading->decoder, config->input, error);
    if (status != STATUS_OK)
        return status;
    decoder_want(reading->decoder, wanted_fields(config));
    if (config->schemas)
        reading->schemas = config->schemas(config->schemas_context);
    return STATUS_OK;
}

void reading_fini(struct reading *reading)
{
    if (reading->schemas)
        reading->schemas->destroy(reading->schemas);
    if (reading->decoder)
        decoder_destroy(reading->decoder);
    free(reading->unknown);
}

static bool is_unknown(const struct reading *reading, struct schema_key key)
{
    for (size_t i = 0; i < reading->unknown_count; i++)
        if (reading->unknown[i].naming == key.naming && reading->unknown[i].id == key.id)
            return true;
    return false;
}

static enum status ask(struct reading *reading, struct schema_key key, struct arena *arena,
                       struct error *error)
{
    struct baton_text text;
    struct schema_source *schemas = reading->schemas;
    enum status status = schemas ? STATUS_RETRY : STATUS_REJECT;
    for (int i = 0; schemas && i < SCHEMA_TRIES && status == STATUS_RETRY; i++) {
        if (i > 0)
            (void)usleep(SCHEMA_PAUSE_US);
        status = schemas->get(schemas, key, arena, &text, error);
    }
    if (status == STATUS_OK)
        decoder_add_schema(reading->decoder, key, text.data, text.size);
    if (status != STATUS_REJECT)
        return status;
    reading->unknown =
        memory_resize(reading->unknown, (reading->unknown_count + 1) * sizeof *reading->unknown);
    reading->unknown[reading->unknown_count++] = key;
    return STATUS_OK;
}

static enum status decode(struct reading *reading, const struct message *message,
                          struct arena *arena, struct baton_event *event,
                          struct decode_result *result, struct error *error)
{
    decoder_decode(reading->decoder, message, arena, event, result);
    if (result->outcome != DECODE_NEEDS_SCHEMA || is_unknown(reading, result->schema))
        return STATUS_OK;
    enum status status = ask(reading, result->schema, arena, error);
    if (status == STATUS_OK)
        decoder_decode(reading->decoder, message, arena, event, result);
    return status;
}

enum status reading_take(struct reading *reading, const struct message *message,
                         struct arena *arena, struct baton_event *event,
                         enum reading_outcome *outcome, struct error *error)
{
    const struct decode_result *result = &reading->result;
    enum status status = decode(reading, message, arena, event, &reading->result, error);
    *outcome = result->outcome == DECODED               ? READ_EVENT
               : result->outcome == DECODE_NEEDS_SCHEMA ? READ_UNKNOWN_SCHEMA
                                                        : READ_DEAD;
    return status;
}

void reading_figures_init(struct reading_figures *figures)
{
    *figures = (struct reading_figures){.first_ms = INT64_MAX, .last_ms = INT64_MIN};
}

void reading_figures_count(struct reading_figures *figures, const struct baton_event *event,
                           enum reading_outcome outcome)
{
    figures->dead += outcome != READ_EVENT;
    figures->unknown_schemas += outcome == READ_UNKNOWN_SCHEMA;
    if (outcome != READ_EVENT)
        return;
    figures->events++;
    if (event->time_ms < figures->first_ms)
        figures->first_ms = event->time_ms;
    if (event->time_ms > figures->last_ms)
        figures->last_ms = event->time_ms;
}

void reading_figures_add(const struct reading_figures *figures, struct backtest_result *result)
{
    result->events += figures->events;
    result->dead += figures->dead;
    result->unknown_schemas += figures->unknown_schemas;
    if (figures->first_ms < result->first_ms)
        result->first_ms = figures->first_ms;
    if (figures->last_ms > result->last_ms)
        result->last_ms = figures->last_ms;
}
