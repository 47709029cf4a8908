#include "config/config.h"

#include "base/arena.h"
#include "base/nearest.h"
#include "config/parameters.h"
#include "config/redis_url.h"
#include "config/units.h"
#include "yaml/yaml.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 128
#define PAIRS_MAX 1000

/* What config_destroy frees; the configuration that callers see is its first member. */
struct holder {
    struct config config;
    struct arena arena;
};

struct reading {
    struct holder *holder;
    struct arena *arena; /* the holder's */
    struct findings *findings;
    const struct yaml_node *places[64]; /* value by parameter; NULL where the file says nothing */
};

static void *field_of(const struct reading *reading, size_t offset)
{
    return (char *)&reading->holder->config + offset;
}

static const char *keep(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_take(arena, size + 1);
    memcpy(copy, text, size);
    copy[size] = 0;
    return copy;
}

/* ---- One value ------------------------------------------------------------------------------- */

static const char *resolved_path(struct reading *reading, const char *path)
{
    const char *file = reading->holder->config.file_name, *slash = strrchr(file, '/');
    if (!*path || *path == '/' || !slash)
        return keep(reading->arena, path, strlen(path));
    size_t folder = (size_t)(slash + 1 - file), size = strlen(path);
    char *whole = arena_take(reading->arena, folder + size + 1);
    memcpy(whole, file, folder);
    memcpy(whole + folder, path, size + 1);
    return whole;
}

static void add_limit(struct text_buffer *out, const struct parameter *parameter, int64_t value)
{
    if (parameter->type == PARAMETER_DURATION)
        units_add_duration(out, value);
    else if (parameter->type == PARAMETER_SIZE)
        units_add_size(out, value);
    else
        text_buffer_print(out, "%" PRId64, value);
}

static const char *range_problem(struct reading *reading, const struct parameter *parameter,
                                 int64_t value)
{
    if (value >= parameter->least && value <= parameter->most)
        return NULL;
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_add_text(&text, "must be from ");
    add_limit(&text, parameter, parameter->least);
    text_buffer_add_text(&text, " to ");
    add_limit(&text, parameter, parameter->most);
    const char *kept = keep(reading->arena, text.data, text.size);
    text_buffer_fini(&text);
    return kept;
}

static const char *set_number(struct reading *reading, const struct parameter *parameter,
                              const char *value)
{
    int64_t number;
    if (parameter->type == PARAMETER_DURATION && !units_duration(value, &number))
        return "must be a time like 5ms, 10s, 5m, 4h or 30d";
    if (parameter->type == PARAMETER_SIZE && !units_size(value, &number))
        return "must be a size like 64KB, 512MB or 2GB";
    if (parameter->type == PARAMETER_WHOLE && !units_whole(value, &number))
        return "must be a whole number";
    const char *problem = range_problem(reading, parameter, number);
    if (!problem)
        *(int64_t *)field_of(reading, parameter->offset) = number;
    return problem;
}

static const char *set_text(struct reading *reading, const struct parameter *parameter,
                            const char *value)
{
    size_t size = strlen(value);
    if (size < (size_t)parameter->least)
        return "must not be empty";
    if (size > (size_t)parameter->most)
        return "is too long";
    const char *problem = parameter->problem ? parameter->problem(value) : NULL;
    if (!problem)
        *(const char **)field_of(reading, parameter->offset) =
            parameter->type == PARAMETER_PATH ? resolved_path(reading, value)
                                              : keep(reading->arena, value, size);
    return problem;
}

static const char *set_flag(struct reading *reading, const struct parameter *parameter,
                            const char *value)
{
    bool yes = strcmp(value, "true") == 0;
    if (!yes && strcmp(value, "false") != 0)
        return "must be true or false";
    *(bool *)field_of(reading, parameter->offset) = yes;
    return NULL;
}

static const char *set_choice(struct reading *reading, const struct parameter *parameter,
                              const char *value)
{
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_add_text(&text, "must be ");
    for (int i = 0; parameter->choices[i]; i++) {
        if (strcmp(value, parameter->choices[i]) == 0) {
            *(int *)field_of(reading, parameter->offset) = i;
            text_buffer_fini(&text);
            return NULL;
        }
        text_buffer_print(&text, "%s%s",
                          i == 0                      ? ""
                          : parameter->choices[i + 1] ? ", "
                                                      : " or ",
                          parameter->choices[i]);
    }
    text_buffer_add_text(&text, parameter->or_pairs ? ", or a mapping" : "");
    const char *kept = keep(reading->arena, text.data, text.size);
    text_buffer_fini(&text);
    return kept;
}

/* NULL: the field is set; otherwise the end of a sentence that begins with the parameter's name. */
static const char *set_value(struct reading *reading, const struct parameter *parameter,
                             const char *value)
{
    switch (parameter->type) {
    case PARAMETER_TEXT:
    case PARAMETER_PATH: return set_text(reading, parameter, value);
    case PARAMETER_FLAG: return set_flag(reading, parameter, value);
    case PARAMETER_WHOLE:
    case PARAMETER_DURATION:
    case PARAMETER_SIZE: return set_number(reading, parameter, value);
    case PARAMETER_CHOICE: return set_choice(reading, parameter, value);
    case PARAMETER_PAIRS: break;
    }
    return "must be a mapping";
}

static void set_defaults(struct reading *reading)
{
    for (size_t i = 0; i < parameter_count; i++)
        if (parameters[i].type != PARAMETER_PAIRS)
            (void)set_value(reading, &parameters[i], parameters[i].initial);
}

/* ---- The tree -------------------------------------------------------------------------------- */

static const char *kind_name(const struct yaml_node *node)
{
    return message_text(LANGUAGE_EN, yaml_kind_word(node));
}

/* False: a finding tells why the pair is not taken. */
static bool check_pair(struct reading *reading, const struct parameter *parameter,
                       const struct yaml_node *node)
{
    const char *name = node->key->text.data, *names[PAIR_VALUES_MAX];
    const char *problem = parameter->pair_problem ? parameter->pair_problem(name) : NULL;
    if (problem) {
        findings_error(reading->findings, node->key->line, node->key->column,
                       "`%.200s` cannot be given here: %s", name, problem);
        return false;
    }
    if (node->kind != YAML_SCALAR || yaml_is_null(node)) {
        findings_error(reading->findings, node->line, node->column,
                       "`%.200s` must be a text, not %s", name, kind_name(node));
        return false;
    }
    size_t count = parameter->pair_values ? parameter->pair_values(names) : 0;
    for (size_t i = 0; i < count; i++)
        if (yaml_is_text(node, names[i]))
            return true;
    if (!parameter->pair_values)
        return true;
    const char *near = nearest_word(node->text.data, node->text.size, names, count);
    findings_error(reading->findings, node->line, node->column, "`%s` cannot map to `%.60s`%s%s%s",
                   parameter->name, node->text.data, near ? "; did you mean `" : "",
                   near ? near : "", near ? "`?" : "");
    return false;
}

static void read_pairs(struct reading *reading, const struct parameter *parameter,
                       const struct yaml_node *mapping, size_t offset)
{
    if (mapping->count > PAIRS_MAX) {
        findings_error(reading->findings, mapping->line, mapping->column, "more than %d entries",
                       PAIRS_MAX);
        return;
    }
    struct config_pair *items = arena_take(reading->arena, (mapping->count + 1) * sizeof *items);
    size_t count = 0;
    for (const struct yaml_node *child = mapping->first; child; child = child->next)
        if (check_pair(reading, parameter, child))
            items[count++] = (struct config_pair){
                keep(reading->arena, child->key->text.data, child->key->text.size),
                keep(reading->arena, child->text.data, child->text.size)};
    *(struct config_pairs *)field_of(reading, offset) = (struct config_pairs){items, count};
}

static void wrong_kind(struct reading *reading, const struct parameter *parameter,
                       const struct yaml_node *node)
{
    bool events = strcmp(parameter->name, "topics.events") == 0 && node->kind == YAML_LIST;
    findings_error(reading->findings, node->line, node->column,
                   events ? "`%s` must be one topic, not %s: events of two topics can come in "
                            "another order when they are "
                            "folded again"
                          : "`%s` must be one value, not %s",
                   parameter->name, kind_name(node));
}

static void read_parameter(struct reading *reading, size_t index, const struct yaml_node *node)
{
    const struct parameter *parameter = &parameters[index];
    if (yaml_is_null(node)) /* the default stands */
        return;
    reading->places[index] = node;
    if (parameter->type == PARAMETER_PAIRS && node->kind == YAML_MAPPING) {
        read_pairs(reading, parameter, node, parameter->offset);
        return;
    }
    if (parameter->or_pairs && node->kind == YAML_MAPPING) {
        read_pairs(reading, parameter, node, parameter->pairs_offset);
        *(int *)field_of(reading, parameter->offset) = CONFIG_FORM_MAPPED;
        return;
    }
    if (parameter->type != PARAMETER_PAIRS && node->kind != YAML_SCALAR) {
        wrong_kind(reading, parameter, node);
        return;
    }
    const char *problem = set_value(reading, parameter, node->text.data);
    if (!problem && node->quoted &&
        (parameter->type == PARAMETER_FLAG || parameter->type == PARAMETER_WHOLE))
        problem = "must stand without quotes";
    if (problem)
        findings_error(reading->findings, node->line, node->column, "`%s` %s", parameter->name,
                       problem);
}

/* Names that may stand directly under a prefix ("kafka." → brokers, group, …). */
static size_t names_under(const char *prefix, struct arena *arena, const char **names)
{
    size_t count = 0, prefix_size = strlen(prefix);
    for (size_t i = 0; i < parameter_count; i++) {
        const char *name = parameters[i].name;
        if (strncmp(name, prefix, prefix_size) != 0)
            continue;
        const char *rest = name + prefix_size;
        names[count++] = keep(arena, rest, strcspn(rest, "."));
    }
    return count;
}

static void unknown_key(struct reading *reading, const char *prefix, const struct yaml_node *key)
{
    const char *names[64];
    size_t count = names_under(prefix, reading->arena, names);
    const char *near = nearest_word(key->text.data, key->text.size, names, count);
    int section = (int)strlen(prefix) - 1;
    findings_error(reading->findings, key->line, key->column, "unknown key `%.60s`%s%.*s%s%s%s%s",
                   key->text.data, *prefix ? " in `" : "", section > 0 ? section : 0, prefix,
                   *prefix ? "`" : "", near ? "; did you mean `" : "", near ? near : "",
                   near ? "`?" : "");
}

static void read_section(struct reading *reading, const char *prefix,
                         const struct yaml_node *mapping);

static void read_key(struct reading *reading, const char *prefix, const struct yaml_node *node)
{
    char name[NAME_MAX_BYTES + 2];
    int size = snprintf(name, sizeof name - 1, "%s%s", prefix, node->key->text.data);
    if (size < 0 || size >= NAME_MAX_BYTES || strchr(node->key->text.data, '.')) {
        unknown_key(reading, prefix, node->key);
        return;
    }
    for (size_t i = 0; i < parameter_count; i++) {
        if (strcmp(parameters[i].name, name) == 0) {
            read_parameter(reading, i, node);
            return;
        }
    }
    name[size] = '.';
    name[size + 1] = 0;
    for (size_t i = 0; i < parameter_count; i++) {
        if (strncmp(parameters[i].name, name, (size_t)size + 1) == 0) {
            read_section(reading, name, node);
            return;
        }
    }
    unknown_key(reading, prefix, node->key);
}

static void read_section(struct reading *reading, const char *prefix,
                         const struct yaml_node *mapping)
{
    if (yaml_is_null(mapping))
        return;
    if (mapping->kind != YAML_MAPPING) {
        findings_error(reading->findings, mapping->line, mapping->column,
                       "%s must be a mapping of keys to values, not %s",
                       *prefix ? "a section" : "the file", kind_name(mapping));
        return;
    }
    for (const struct yaml_node *child = mapping->first; child; child = child->next)
        read_key(reading, prefix, child);
}

/* ---- What one value cannot tell -------------------------------------------------------------- */

static const struct yaml_node *place(const struct reading *reading, const char *name)
{
    for (size_t i = 0; i < parameter_count; i++)
        if (strcmp(parameters[i].name, name) == 0)
            return reading->places[i];
    return NULL;
}

static uint32_t line_of(const struct yaml_node *node)
{
    return node ? node->line : 1;
}

static uint32_t column_of(const struct yaml_node *node)
{
    return node ? node->column : 1;
}

/* `text` is what follows the parameter's name. */
static void error_at(struct reading *reading, const char *name, const char *text)
{
    const struct yaml_node *node = place(reading, name);
    findings_error(reading->findings, line_of(node), column_of(node), "`%s` %s", name, text);
}

static void check_topics(struct reading *reading)
{
    const struct config *config = &reading->holder->config;
    static const char *const names[] = {"topics.events", "topics.promotions", "topics.stages",
                                        "topics.dead", "topics.breaches"};
    const char *const topics[] = {config->topics.events, config->topics.promotions,
                                  config->topics.stages, config->topics.dead,
                                  config->topics.breaches};
    for (size_t i = 1; i < sizeof names / sizeof *names; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(topics[i], topics[k]) == 0) {
                error_at(reading, place(reading, names[i]) ? names[i] : names[k],
                         "names a topic that is used for something else, too");
            }
        }
    }
}

static void check_together(struct reading *reading)
{
    struct config *config = &reading->holder->config;
    check_topics(reading);
    if (config->output.format == CONFIG_OUTPUT_REGISTRY && !*config->schemas.registry)
        error_at(reading, "output.format", "is `registry`, which needs `schemas.registry`");
    if (config->input.kind.values.count && !*config->input.kind.field)
        error_at(reading, "input.kind.values", "needs `input.kind.field`");
    const char *problem =
        redis_url_parse(reading->arena, config->redis.url, &config->redis.address);
    if (problem)
        error_at(reading, "redis.url", problem);
    else if (*config->redis.password && *config->redis.address.password)
        error_at(reading, "redis.password", "and a password in `redis.url`: give one of them");
    else if (*config->redis.password)
        config->redis.address.password = config->redis.password;
}

enum status config_parse(const char *file_name, const char *text, size_t size, struct config **out,
                         struct text_buffer *messages)
{
    *out = NULL;
    struct holder *holder = memory_take_zeroed(1, sizeof *holder);
    arena_init(&holder->arena, 4096);
    struct arena scratch;
    arena_init(&scratch, 16384);
    struct findings *findings = arena_take(&scratch, sizeof *findings);
    findings_init(findings, LANGUAGE_EN);
    struct reading reading = {.holder = holder, .arena = &holder->arena, .findings = findings};
    holder->config.file_name = keep(&holder->arena, file_name, strlen(file_name));
    assert(parameter_count <= sizeof reading.places / sizeof *reading.places);
    set_defaults(&reading);
    const struct yaml_node *root = yaml_parse(&scratch, text, size, findings);
    if (root)
        read_section(&reading, "", root);
    if (root || !findings->errors)
        check_together(&reading);
    bool good = findings->errors == 0;
    findings_print(findings, file_name, messages);
    findings_fini(findings);
    arena_fini(&scratch);
    if (!good) {
        config_destroy(&holder->config);
        return STATUS_STOP;
    }
    *out = &holder->config;
    return STATUS_OK;
}

enum status config_load(const char *path, struct config **out, struct text_buffer *messages)
{
    struct text_buffer text;
    text_buffer_init(&text);
    *out = NULL;
    enum status status = STATUS_STOP;
    struct findings findings;
    findings_init(&findings, LANGUAGE_EN);
    if (yaml_read_file(path, &text, &findings))
        status = config_parse(path, text.data ? text.data : "", text.size, out, messages);
    else
        findings_print(&findings, path, messages);
    findings_fini(&findings);
    text_buffer_fini(&text);
    return status;
}

void config_destroy(struct config *config)
{
    if (!config)
        return;
    struct holder *holder = (struct holder *)(void *)config;
    arena_fini(&holder->arena);
    free(holder);
}
