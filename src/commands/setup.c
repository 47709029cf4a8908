#include "commands/setup.h"

#include "commands/system_clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void tell_findings(const struct text_buffer *messages)
{
    if (messages->size)
        (void)fwrite(messages->data, 1, messages->size, stderr);
}

/* A misspelt folder would turn every message under its schemas into a wait and a dead letter. */
static bool folder_is_there(const struct config *config)
{
    struct stat found;
    const char *path = config->schemas.directory;
    if (!*path || (stat(path, &found) == 0 && S_ISDIR(found.st_mode)))
        return true;
    (void)fprintf(stderr, "%s: error: schemas.directory: %s: there is no such folder\n",
                  config->file_name, path);
    return false;
}

int setup_config(const struct invocation *invocation, struct config **config)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = config_load(invocation->config_path, config, &messages);
    tell_findings(&messages);
    text_buffer_fini(&messages);
    if (status == STATUS_OK && folder_is_there(*config))
        return EXIT_CODE_OK;
    if (status == STATUS_OK)
        config_destroy(*config);
    *config = NULL;
    return EXIT_CODE_BAD_INPUT;
}

int setup_agreement(const struct invocation *invocation, const char *path,
                    struct agreement **agreement)
{
    (void)invocation;
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = agreement_load(path, agreement, &messages);
    tell_findings(&messages);
    text_buffer_fini(&messages);
    if (status == STATUS_OK)
        return EXIT_CODE_OK;
    *agreement = NULL;
    return EXIT_CODE_BAD_INPUT;
}

void setup_tell_dates(const struct agreement *agreement)
{
    struct text_buffer why;
    struct clock *clock = system_clock();
    text_buffer_init(&why);
    if (!agreement_in_force(agreement, clock->wall_ms(clock), &why))
        (void)fprintf(stderr, "agreement %s version %u %s; its rules count all the same\n",
                      agreement_name(agreement), agreement_version(agreement), why.data);
    text_buffer_fini(&why);
}

void setup_tell_configured_dates(const struct config *config)
{
    struct text_buffer ignored;
    struct agreement *agreement;
    text_buffer_init(&ignored);
    if (agreement_load(config->agreement, &agreement, &ignored) == STATUS_OK) {
        setup_tell_dates(agreement);
        agreement_destroy(agreement);
    }
    text_buffer_fini(&ignored);
}

void setup_redis(const struct config *config, struct redis_config *redis)
{
    const struct config_redis_address *address = &config->redis.address;
    *redis = (struct redis_config){.host = address->host,
                                   .port = address->port,
                                   .unix_path = address->socket_path,
                                   .user = address->user,
                                   .password = address->password,
                                   .database = (int)address->database,
                                   .prefix = config->redis.prefix};
}

static struct kafka_properties properties(const struct config_pairs *pairs, struct arena *arena)
{
    struct kafka_property *items = arena_take(arena, (pairs->count + 1) * sizeof *items);
    for (size_t i = 0; i < pairs->count; i++)
        items[i] = (struct kafka_property){pairs->items[i].name, pairs->items[i].value};
    return (struct kafka_properties){items, pairs->count};
}

void setup_kafka(const struct config *config, const char *config_path, const char *instance,
                 struct arena *arena, struct kafka_settings *kafka)
{
    *kafka = (struct kafka_settings){
        .brokers = config->kafka.brokers,
        .group = config->kafka.group,
        .instance = instance,
        .events = config->topics.events,
        .outputs = {[TOPIC_PROMOTIONS] = config->topics.promotions,
                    [TOPIC_STAGES] = config->topics.stages,
                    [TOPIC_DEAD] = config->topics.dead},
        .common = properties(&config->kafka.properties, arena),
        .consumer = properties(&config->kafka.consumer, arena),
        .producer = properties(&config->kafka.producer, arena),
        .config_path = config_path,
        .embedded = config->kafka.embedded,
    };
}

static struct baton_text text_of(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

static const struct name_pair *name_pairs(const struct config_pairs *pairs, struct arena *arena)
{
    struct name_pair *items = arena_take(arena, (pairs->count + 1) * sizeof *items);
    for (size_t i = 0; i < pairs->count; i++)
        items[i] =
            (struct name_pair){text_of(pairs->items[i].name), text_of(pairs->items[i].value)};
    return items;
}

void setup_input(const struct config *config, struct arena *arena, struct input_config *input)
{
    *input = (struct input_config){
        .lead_id_from_key = config->input.lead_id == CONFIG_LEAD_ID_KEY,
        .max_ahead_ms = config->input.max_ahead_ms,
        .fields = name_pairs(&config->input.fields, arena),
        .field_count = config->input.fields.count,
        .kind_field = text_of(config->input.kind.field),
        .kinds = name_pairs(&config->input.kind.values, arena),
        .kind_count = config->input.kind.values.count,
        .form_fields = name_pairs(&config->input.form_fields, arena),
        .form_field_count = config->input.form_fields.count,
    };
    switch ((enum config_form_profile)config->input.form_profile) {
    case CONFIG_FORM_AUTO: input->form_profile = FORM_PROFILE_AUTO; break;
    case CONFIG_FORM_NONE: input->form_profile = FORM_PROFILE_NONE; break;
    case CONFIG_FORM_MAPPED: input->form_profile = FORM_PROFILE_MAPPED; break;
    }
}

enum output_format setup_output_format(const struct config *config)
{
    switch ((enum config_output)config->output.format) {
    case CONFIG_OUTPUT_JSON: return OUTPUT_JSON;
    case CONFIG_OUTPUT_REGISTRY: return OUTPUT_REGISTRY;
    case CONFIG_OUTPUT_AVRO: break;
    }
    return OUTPUT_AVRO;
}
