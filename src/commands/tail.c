#include "codec/outgoing_view.h"
#include "commands/json_out.h"
#include "commands/lead_view.h"
#include "commands/setup.h"
#include "commands/system_clock.h"
#include "commands/tail_lines.h"
#include "commands/times.h"
#include "kafka/kafka_tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 500 };

struct tail {
    const struct invocation *invocation;
    struct kafka_tail_choice choice;
    struct kafka_tail *reader;
    const char *lead, *stages, *changes; /* NULL: any */
    long long left;                      /* lines to go; -1: without end */
    bool colours, waiting;
};

/* ---- What is asked for ---- */

static int choose_since(struct tail *tail)
{
    const char *since = invocation_option(tail->invocation, "--since");
    struct clock *clock = system_clock();
    tail->choice.to_end = invocation_option(tail->invocation, "--end") != NULL;
    tail->choice.from_ms = tail->choice.to_end ? KAFKA_TAIL_BEGINNING : KAFKA_TAIL_NOW;
    if (!since || time_since(since, clock->wall_ms(clock), &tail->choice.from_ms))
        return EXIT_CODE_OK;
    return command_fail(tail->invocation, EXIT_CODE_USAGE,
                        "--since wants a time back like 7d, 12h or 30m, or a time in UTC like "
                        "2026-11-01, not %s",
                        since);
}

/* Is each name of a list with commas among those that are known? */
static int check_names(const struct tail *tail, const char *option, const char *names,
                       const char *(*known)(int index), int count)
{
    struct text_buffer all;
    text_buffer_init(&all);
    bool good = names && *names;
    for (const char *at = names ? names : ""; *at;) {
        size_t size = strcspn(at, ",");
        bool found = false;
        for (int i = 0; i < count; i++)
            found |= strlen(known(i)) == size && memcmp(known(i), at, size) == 0;
        good &= found;
        at += size + (at[size] == ',');
    }
    for (int i = 0; i < count; i++)
        text_buffer_print(&all, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", known(i));
    int code = !names || good ? EXIT_CODE_OK
                              : command_fail(tail->invocation, EXIT_CODE_USAGE,
                                             "%s wants %s, or several with commas, not %s", option,
                                             all.data, names);
    text_buffer_fini(&all);
    return code;
}

static const char *stage_name(int index)
{
    return baton_stage_name((enum baton_stage)index);
}

static int choose(struct tail *tail)
{
    const struct invocation *invocation = tail->invocation;
    const char *number = invocation_option(invocation, "--number");
    bool promotions = invocation_option(invocation, "--promotions") != NULL;
    bool stages = invocation_option(invocation, "--stages") != NULL;
    bool breaches = invocation_option(invocation, "--breaches") != NULL;
    bool dead = invocation_option(invocation, "--dead") != NULL;
    bool some = promotions || stages || breaches || dead;
    tail->lead = invocation_option(invocation, "--lead");
    tail->stages = invocation_option(invocation, "--stage");
    tail->changes = invocation_option(invocation, "--change");
    tail->choice.topics[TOPIC_PROMOTIONS] = promotions || !some;
    tail->choice.topics[TOPIC_STAGES] = stages || !some;
    tail->choice.topics[TOPIC_BREACHES] = breaches;
    tail->choice.topics[TOPIC_DEAD] = dead;
    tail->left = -1;
    if (number && !invocation_number("-n", number, 1, INT32_MAX, &tail->left))
        return EXIT_CODE_USAGE;
    int code = check_names(tail, "--stage", tail->stages, stage_name, BATON_STAGES);
    if (code == EXIT_CODE_OK)
        code = check_names(tail, "--change", tail->changes, tail_change_name, TAIL_CHANGES);
    return code == EXIT_CODE_OK ? choose_since(tail) : code;
}

/* ---- Records ---- */

static bool among(const char *names, const char *name)
{
    size_t wanted = strlen(name);
    for (const char *at = names; *at;) {
        size_t size = strcspn(at, ",");
        if (size == wanted && memcmp(at, name, size) == 0)
            return true;
        at += size + (at[size] == ',');
    }
    return false;
}

/* A promotion is a change of stage as well: it is told once where both topics are read. */
static bool is_wanted(const struct tail *tail, const struct kafka_tail_record *record,
                      const json_t *value)
{
    const char *change = tail_change_of(record->topic, value);
    const char *stage = json_string_value(json_object_get(value, "stage"));
    if (record->topic == TOPIC_BREACHES || record->topic == TOPIC_DEAD) /* of no stage */
        stage = tail->stages ? NULL : "";
    if (!stage)
        return false;
    if (tail->lead && (record->key_size != strlen(tail->lead) ||
                       memcmp(record->key, tail->lead, record->key_size) != 0))
        return false;
    if ((tail->stages && !among(tail->stages, stage)) ||
        (tail->changes && !among(tail->changes, change)))
        return false;
    return record->topic != TOPIC_STAGES || !tail->choice.topics[TOPIC_PROMOTIONS] ||
           strcmp(stage, "sql") != 0 || strcmp(change, "stage") != 0;
}

static json_t *header_of(const struct tail *tail, const char *name)
{
    size_t size;
    const char *value = kafka_tail_header(tail->reader, name, &size);
    return value ? json_text((struct baton_text){value, (uint32_t)size}) : json_null();
}

/* A key may be of any bytes. */
static json_t *key_text(const struct kafka_tail_record *record)
{
    json_t *text = record->key ? json_stringn(record->key, record->key_size) : json_null();
    if (text)
        return text;
    struct text_buffer hex;
    text_buffer_init(&hex);
    text_buffer_add_text(&hex, "0x");
    for (size_t i = 0; i < record->key_size; i++)
        text_buffer_print(&hex, "%02x", ((const unsigned char *)record->key)[i]);
    text = json_string(hex.data);
    text_buffer_fini(&hex);
    return text;
}

static json_t *header_number(const struct tail *tail, const char *name)
{
    json_t *text = header_of(tail, name);
    const char *digits = json_string_value(text);
    json_t *number = digits ? json_integer(strtoll(digits, NULL, 10)) : json_null();
    json_decref(text);
    return number;
}

/* The message is as it came; what is known of it stands in headers. */
static json_t *dead_letter(const struct tail *tail, const struct kafka_tail_record *record)
{
    json_t *object = json_object();
    json_object_set_new(object, "time", header_of(tail, "ce_time"));
    json_object_set_new(object, "reason", header_of(tail, "baton_reason"));
    json_object_set_new(object, "detail", header_of(tail, "baton_detail"));
    json_object_set_new(object, "topic", header_of(tail, "baton_topic"));
    json_object_set_new(object, "partition", header_number(tail, "baton_partition"));
    json_object_set_new(object, "offset", header_number(tail, "baton_offset"));
    json_object_set_new(object, "key", key_text(record));
    json_object_set_new(object, "bytes", json_integer((json_int_t)record->value_size));
    return object;
}

static enum status value_of(const struct tail *tail, const struct kafka_tail_record *record,
                            json_t **out, struct error *error)
{
    if (record->topic != TOPIC_DEAD)
        return outgoing_view(record->topic, record->value, record->value_size, out, error);
    *out = dead_letter(tail, record);
    return STATUS_OK;
}

static void print_json(const struct tail *tail, const struct kafka_tail_record *record,
                       json_t *value)
{
    json_t *object = json_object();
    json_object_set_new(object, "change", json_string(tail_change_of(record->topic, value)));
    json_object_set_new(object, "id", header_of(tail, "ce_id"));
    json_object_set_new(object, "partition", json_integer(record->partition));
    json_object_set_new(object, "offset", json_integer(record->offset));
    json_object_set(object, "record", value);
    json_print_line_take(object);
}

static const char *const topic_names[OUTGOING_TOPICS] = {[TOPIC_PROMOTIONS] = "promotions",
                                                         [TOPIC_STAGES] = "stages",
                                                         [TOPIC_DEAD] = "dead letters",
                                                         [TOPIC_BREACHES] = "breaches"};

static void print_record(struct tail *tail, const struct kafka_tail_record *record)
{
    struct error error;
    json_t *value;
    struct text_buffer line;
    if (value_of(tail, record, &value, &error) != STATUS_OK) {
        (void)fprintf(stderr, "baton tail: %s, partition %u, offset %lld: %s\n",
                      topic_names[record->topic], record->partition, (long long)record->offset,
                      error.text);
        return;
    }
    if (is_wanted(tail, record, value)) {
        text_buffer_init(&line);
        if (tail->invocation->json) {
            print_json(tail, record, value);
        } else {
            tail_line(record->topic, value, tail->colours, &line);
            (void)fwrite(line.data, 1, line.size, stdout);
        }
        (void)fflush(stdout);
        text_buffer_fini(&line);
        tail->left -= tail->left > 0 ? 1 : 0;
    }
    json_decref(value);
}

/* ---- The verb ---- */

/* Who follows waits for a broker that is away; who wants an end does not. */
static int judge(struct tail *tail, enum status status, const struct error *error)
{
    if (status != STATUS_RETRY || tail->choice.to_end)
        return command_fail_status(tail->invocation, error);
    if (!tail->waiting)
        (void)fprintf(stderr, "baton tail: waits for Kafka: %s\n", error->text);
    tail->waiting = true;
    return EXIT_CODE_OK;
}

static int follow(struct tail *tail)
{
    int code = EXIT_CODE_OK;
    while (code == EXIT_CODE_OK && tail->left != 0 && !kafka_tail_ended(tail->reader) &&
           !ferror(stdout)) {
        struct kafka_tail_record record;
        struct error error;
        bool found;
        enum status status = kafka_tail_next(tail->reader, WAIT_MS, &record, &found, &error);
        if (status != STATUS_OK) {
            code = judge(tail, status, &error);
        } else if (found) {
            tail->waiting = false;
            print_record(tail, &record);
        }
    }
    return code;
}

static void tell_topics(const struct tail *tail, const struct config *config)
{
    if (tail->choice.to_end)
        return;
    const char *const names[OUTGOING_TOPICS] = {[TOPIC_PROMOTIONS] = config->topics.promotions,
                                                [TOPIC_STAGES] = config->topics.stages,
                                                [TOPIC_DEAD] = config->topics.dead,
                                                [TOPIC_BREACHES] = config->topics.breaches};
    const char *between = "";
    (void)fprintf(stderr, "baton tail: follows ");
    for (int i = 0; i < OUTGOING_TOPICS; i++) {
        if (!tail->choice.topics[i])
            continue;
        (void)fprintf(stderr, "%s%s", between, names[i]);
        between = " and ";
    }
    (void)fprintf(stderr, "; Ctrl-C ends it\n");
}

int command_tail(const struct invocation *invocation)
{
    struct config *config;
    struct error error;
    struct arena arena;
    struct kafka_settings settings;
    struct tail tail = {.invocation = invocation,
                        .colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
    int code = choose(&tail);
    if (code == EXIT_CODE_OK)
        code = setup_config(invocation, &config);
    if (code != EXIT_CODE_OK)
        return code;
    arena_init(&arena, 4096);
    setup_kafka(config, invocation->config_path, "", &arena, &settings);
    if (kafka_tail_create(&settings, &tail.choice, &tail.reader, &error) == STATUS_OK) {
        tell_topics(&tail, config);
        code = follow(&tail);
        kafka_tail_destroy(tail.reader);
    } else {
        code = command_fail_status(invocation, &error);
    }
    arena_fini(&arena);
    config_destroy(config);
    return code;
}
