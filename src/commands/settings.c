#include "commands/settings.h"

#include <string.h>

static struct baton_text text_of(const char *text)
{
    return (struct baton_text){.data = text, .size = (uint32_t)strlen(text)};
}

static const struct name_pair *pairs_of(const struct config_pairs *pairs, struct arena *arena)
{
    struct name_pair *out = arena_take(arena, (pairs->count + 1) * sizeof *out);
    for (size_t i = 0; i < pairs->count; i++)
        out[i] = (struct name_pair){.from = text_of(pairs->items[i].name),
                                    .to = text_of(pairs->items[i].value)};
    return out;
}

struct input_config settings_input(const struct config *config, struct arena *arena)
{
    struct input_config input = {
        .lead_id_from_key = config->input.lead_id == CONFIG_LEAD_ID_KEY,
        .max_ahead_ms = config->input.max_ahead_ms,
        .fields = pairs_of(&config->input.fields, arena),
        .field_count = config->input.fields.count,
        .kind_field = text_of(config->input.kind.field),
        .kinds = pairs_of(&config->input.kind.values, arena),
        .kind_count = config->input.kind.values.count,
        .form_fields = pairs_of(&config->input.form_fields, arena),
        .form_field_count = config->input.form_fields.count,
    };
    switch (config->input.form_profile) {
    case CONFIG_FORM_NONE: input.form_profile = FORM_PROFILE_NONE; break;
    case CONFIG_FORM_MAPPED: input.form_profile = FORM_PROFILE_MAPPED; break;
    default: input.form_profile = FORM_PROFILE_AUTO;
    }
    return input;
}

static struct kafka_properties properties_of(const struct config_pairs *pairs, struct arena *arena)
{
    struct kafka_property *out = arena_take(arena, (pairs->count + 1) * sizeof *out);
    for (size_t i = 0; i < pairs->count; i++)
        out[i] =
            (struct kafka_property){.name = pairs->items[i].name, .value = pairs->items[i].value};
    return (struct kafka_properties){.items = out, .count = pairs->count};
}

struct kafka_settings settings_kafka(const struct config *config, const char *instance,
                                     struct arena *arena)
{
    return (struct kafka_settings){
        .brokers = config->kafka.brokers,
        .group = config->kafka.group,
        .instance = instance,
        .events = config->topics.events,
        .outputs = {[TOPIC_PROMOTIONS] = config->topics.promotions,
                    [TOPIC_STAGES] = config->topics.stages,
                    [TOPIC_DEAD] = config->topics.dead},
        .common = properties_of(&config->kafka.properties, arena),
        .consumer = properties_of(&config->kafka.consumer, arena),
        .producer = properties_of(&config->kafka.producer, arena),
        .config_path = config->file_name,
        .embedded = config->kafka.embedded,
    };
}

struct redis_config settings_redis(const struct config *config)
{
    const struct config_redis_address *address = &config->redis.address;
    return (struct redis_config){.host = address->host,
                                 .port = address->port,
                                 .unix_path = address->socket_path,
                                 .user = address->user,
                                 .password = address->password,
                                 .database = (int)address->database,
                                 .prefix = config->redis.prefix};
}
