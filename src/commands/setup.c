#include "commands/setup.h"

#include "agreement/versions.h"
#include "base/input_file.h"
#include "commands/system_clock.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void tell_findings(const struct text_buffer *messages)
{
    if (messages->size)
        (void)fwrite(messages->data, 1, messages->size, stderr);
}

/* A misspelt folder would turn every message under its schemas into a wait and a dead letter. */
bool setup_schemas_are_there(const struct config *config, struct text_buffer *messages)
{
    struct stat found;
    const char *path = config->schemas.directory;
    if (!*path || (stat(path, &found) == 0 && S_ISDIR(found.st_mode)))
        return true;
    text_buffer_print(messages, "%s: error: schemas.directory: %s: there is no such folder\n",
                      config->file_name, path);
    return false;
}

int setup_config(const struct invocation *invocation, struct config **config)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    enum status status = config_load(invocation->config_path, config, &messages);
    bool good = status == STATUS_OK && setup_schemas_are_there(*config, &messages);
    tell_findings(&messages);
    text_buffer_fini(&messages);
    if (good)
        return EXIT_CODE_OK;
    if (status == STATUS_OK)
        config_destroy(*config);
    *config = NULL;
    return EXIT_CODE_BAD_INPUT;
}

void setup_config_quietly(const struct invocation *invocation, struct config **config)
{
    struct text_buffer ignored;
    text_buffer_init(&ignored);
    if (config_load(invocation->config_path, config, &ignored) != STATUS_OK)
        *config = NULL;
    text_buffer_fini(&ignored);
}

/* Of a folder, the version in force now. */
static enum status read_path(const char *path, struct agreement **agreement,
                             struct findings *findings, struct text_buffer *messages)
{
    struct stat found;
    struct versions *versions;
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))
        return agreement_read_file(path, agreement, findings);
    enum status status = versions_load(path, &versions, messages);
    if (status == STATUS_OK) {
        text_buffer_clear(messages);
        *agreement = versions_take(versions, system_clock()->wall_ms(system_clock()));
    }
    return status;
}

int setup_agreement(const char *path, enum language language, bool warnings,
                    struct agreement **agreement)
{
    struct findings findings;
    struct text_buffer messages;
    findings_init(&findings, language);
    text_buffer_init(&messages);
    enum status status = read_path(path, agreement, &findings, &messages);
    if (warnings || status != STATUS_OK)
        findings_print(&findings, path, &messages);
    tell_findings(&messages);
    text_buffer_fini(&messages);
    findings_fini(&findings);
    if (status == STATUS_OK)
        return EXIT_CODE_OK;
    *agreement = NULL;
    return EXIT_CODE_BAD_INPUT;
}

enum language setup_output_language(const struct config *config)
{
    switch ((enum config_language)(config ? config->output.language : CONFIG_LANGUAGE_EN)) {
    case CONFIG_LANGUAGE_PT: return LANGUAGE_PT;
    case CONFIG_LANGUAGE_ES: return LANGUAGE_ES;
    default: return LANGUAGE_EN;
    }
}

bool setup_language(const struct invocation *invocation, const struct config *config,
                    enum language *language)
{
    const char *name = invocation_option_if(invocation, "--lang");
    *language = setup_output_language(config);
    if (!name || language_find(name, language))
        return true;
    return command_fail(invocation, EXIT_CODE_USAGE, "--lang wants en, pt or es, not %s", name) ==
           EXIT_CODE_OK;
}

void setup_tell_dates(const struct agreement *agreement, enum language language)
{
    struct text_buffer why;
    struct speech speech;
    struct clock *clock = system_clock();
    text_buffer_init(&why);
    speech_init(&speech, language, &why);
    if (!agreement_in_force(agreement, clock->wall_ms(clock), &speech))
        (void)fprintf(stderr, "%s\n", why.data);
    speech_fini(&speech);
    text_buffer_fini(&why);
}

void setup_tell_configured_dates(const struct config *config)
{
    struct text_buffer ignored;
    struct versions *versions;
    text_buffer_init(&ignored);
    if (versions_load(config->agreement, &versions, &ignored) == STATUS_OK) {
        struct agreement *agreement =
            versions_take(versions, system_clock()->wall_ms(system_clock()));
        setup_tell_dates(agreement, setup_output_language(config));
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
                    [TOPIC_DEAD] = config->topics.dead,
                    [TOPIC_BREACHES] = config->topics.breaches},
        .common = properties(&config->kafka.properties, arena),
        .consumer = properties(&config->kafka.consumer, arena),
        .producer = properties(&config->kafka.producer, arena),
        .config_path = config_path,
        .direct_reads = config->kafka.direct_reads,
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

void setup_identity(const struct config *config, struct identity_config *identity)
{
    static const char property[] = "properties.";
    const char *field = config->identity.field;
    bool is_property = strncmp(field, property, sizeof property - 1) == 0;
    *identity =
        (struct identity_config){.enabled = strcmp(field, "none") != 0,
                                 .field = is_property ? BATON_PROPERTY : BATON_EMAIL,
                                 .name = text_of(is_property ? field + sizeof property - 1 : ""),
                                 .hashed = config->identity.hash == CONFIG_HASH_SHA256,
                                 .prefix = text_of(config->identity.prefix)};
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

FILE *setup_events_open(const char *path, struct error *error)
{
    enum input_problem problem;
    if (strcmp(path, "-") == 0)
        return stdin;
    FILE *file = input_stream_open(path, &problem);
    if (file)
        return file;
    const char *why = problem == INPUT_IS_FOLDER ? "it is a folder: name a file of events"
                      : problem == INPUT_IS_NO_FILE
                          ? "it is a socket or a device: name a file of events"
                          : strerror(errno);
    (void)error_set(error, STATUS_REJECT, "cannot read %s: %s", path, why);
    return NULL;
}

static bool is_same_file(const char *path, const struct stat *out)
{
    struct stat read;
    return path && stat(path, &read) == 0 && S_ISREG(read.st_mode) && read.st_dev == out->st_dev &&
           read.st_ino == out->st_ino;
}

/* Told before the work that would be lost. */
static bool can_be_made(const struct invocation *invocation, const char *path)
{
    struct stat found;
    char *copy = memory_copy_text(path);
    const char *folder = dirname(copy);
    bool there = stat(folder, &found) == 0 && S_ISDIR(found.st_mode);
    bool writable = there && access(folder, W_OK | X_OK) == 0;
    if (!*path || path[strlen(path) - 1] == '/')
        (void)command_fail(invocation, EXIT_CODE_USAGE, "--out wants the name of a file, not '%s'",
                           path);
    else if (!there)
        (void)command_fail(invocation, EXIT_CODE_USAGE,
                           "--out names %s: there is no folder %s to write it to", path, folder);
    else if (!writable)
        (void)command_fail(invocation, EXIT_CODE_USAGE, "--out names %s: cannot write to %s: %s",
                           path, folder, strerror(errno));
    free(copy);
    return writable && *path && path[strlen(path) - 1] != '/';
}

bool setup_out_is_free(const struct invocation *invocation, const struct config *config,
                       const char *const *others, size_t count)
{
    struct stat out;
    const char *path = invocation_option(invocation, "--out");
    if (!path)
        return true;
    if (stat(path, &out) != 0)
        return can_be_made(invocation, path);
    bool taken = is_same_file(invocation->config_path, &out) ||
                 (config && is_same_file(config->agreement, &out));
    for (size_t i = 0; i < count; i++)
        taken = taken || is_same_file(others[i], &out);
    if (taken)
        (void)command_fail(invocation, EXIT_CODE_USAGE,
                           "--out names %s, which is read: give it a name of its own", path);
    else if (S_ISDIR(out.st_mode))
        (void)command_fail(invocation, EXIT_CODE_USAGE,
                           "--out names the folder %s: name a file in it", path);
    else if (access(path, W_OK) != 0)
        (void)command_fail(invocation, EXIT_CODE_USAGE, "--out: cannot write %s: %s", path,
                           strerror(errno));
    else
        return true;
    return false;
}
