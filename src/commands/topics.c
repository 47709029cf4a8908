#include "commands/json_out.h"
#include "commands/setup.h"
#include "kafka/kafka_admin.h"

#include <inttypes.h>
#include <stdio.h>

#define OUTPUT_RETENTION_MS (INT64_C(365) * 86400000)

struct view {
    const struct invocation *invocation;
    struct kafka_admin *admin;
    struct kafka_topic topics[KAFKA_TOPICS];
    bool created[KAFKA_TOPICS];
};

static void print_retention(const struct kafka_topic *topic)
{
    if (topic->retention_ms < 0)
        (void)printf("  kept without end");
    else if (topic->retention_ms > 0)
        (void)printf("  kept %" PRId64 "d", topic->retention_ms / 86400000);
}

/* Whether it has to be there depends on the agreement: `run` looks. */
static bool is_optional(size_t topic)
{
    return topic == 1 + TOPIC_BREACHES;
}

static void print_text(const struct view *view)
{
    static const char *const roles[KAFKA_TOPICS] = {"events in", "promotions", "stage changes",
                                                    "dead letters", "breaches"};
    for (size_t i = 0; i < KAFKA_TOPICS; i++) {
        const struct kafka_topic *topic = &view->topics[i];
        (void)printf("%-14s %-24s ", roles[i], topic->name);
        if (!topic->exists) {
            (void)printf("missing%s\n",
                         is_optional(i) ? ", needed where the agreement promises something" : "");
            continue;
        }
        (void)printf("%" PRIu32 " partitions", topic->partitions);
        print_retention(topic);
        (void)printf("%s%s%s\n", topic->cleanup_policy[0] ? "  " : "", topic->cleanup_policy,
                     view->created[i] ? "  (made just now)" : "");
    }
}

static void print_json(const struct view *view)
{
    json_t *list = json_array();
    for (size_t i = 0; i < KAFKA_TOPICS; i++) {
        const struct kafka_topic *topic = &view->topics[i];
        json_t *object = json_object();
        json_object_set_new(object, "topic", json_string(topic->name));
        json_object_set_new(object, "exists", json_boolean(topic->exists));
        json_object_set_new(object, "created", json_boolean(view->created[i]));
        json_object_set_new(object, "partitions", json_integer(topic->partitions));
        json_object_set_new(object, "retention_ms", json_integer(topic->retention_ms));
        json_object_set_new(object, "cleanup_policy", json_string(topic->cleanup_policy));
        json_array_append_new(list, object);
    }
    json_print_line_take(list);
}

static enum status create_topics(struct view *view, const struct config *config,
                                 struct error *error)
{
    struct kafka_new_topic wanted[KAFKA_TOPICS];
    for (size_t i = 0; i < KAFKA_TOPICS; i++)
        wanted[i] = (struct kafka_new_topic){.partitions = (uint32_t)config->topics.partitions,
                                             .replication = (uint32_t)config->topics.replication,
                                             .retention_ms = i == 0 ? config->topics.retention_ms
                                                                    : OUTPUT_RETENTION_MS};
    return kafka_admin_create_topics(view->admin, wanted, view->created, error);
}

static int missing(const struct view *view)
{
    for (size_t i = 0; i < KAFKA_TOPICS; i++)
        if (!view->topics[i].exists && !is_optional(i))
            return command_fail(view->invocation, EXIT_CODE_FAILED,
                                "topics are missing: baton topics --create -c %s",
                                view->invocation->config_path);
    return EXIT_CODE_OK;
}

static int show_topics(struct view *view, const struct config *config)
{
    struct error error;
    enum status status = STATUS_OK;
    if (invocation_option(view->invocation, "--create"))
        status = create_topics(view, config, &error);
    if (status == STATUS_OK)
        status = kafka_admin_topics(view->admin, view->topics, &error);
    if (status != STATUS_OK)
        return command_fail_status(view->invocation, &error);
    if (view->invocation->json)
        print_json(view);
    else
        print_text(view);
    return missing(view);
}

int command_topics(const struct invocation *invocation)
{
    struct config *config;
    int code = setup_config(invocation, &config);
    if (code != EXIT_CODE_OK)
        return code;
    struct arena arena;
    arena_init(&arena, 4096);
    struct kafka_settings settings;
    setup_kafka(config, invocation->config_path, "", &arena, &settings);
    struct view view = {.invocation = invocation};
    struct error error;
    if (kafka_admin_create(&settings, &view.admin, &error) == STATUS_OK) {
        code = show_topics(&view, config);
        kafka_admin_destroy(view.admin);
    } else {
        code = command_fail_status(invocation, &error);
    }
    arena_fini(&arena);
    config_destroy(config);
    return code;
}
