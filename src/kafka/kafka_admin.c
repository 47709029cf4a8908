#include "kafka/kafka_admin.h"

#include "kafka/kafka_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ADMIN_MS = 10000,
    MEMBERS_MS = 1500 /* for a name beside a unit nobody is kept waiting */
};

struct kafka_admin {
    struct kafka_settings settings; /* texts are the caller's */
    const char *names[KAFKA_TOPICS];
    rd_kafka_t *client;
    rd_kafka_queue_t *queue; /* answers */
    char reason[256];        /* what librdkafka said last of a connection; "" for nothing */
};

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)client;
    struct kafka_admin *admin = opaque;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) /* says less than what came before it */
        (void)snprintf(admin->reason, sizeof admin->reason, "%s", reason);
}

/* ---- Life ---- */

enum status kafka_admin_create(const struct kafka_settings *settings, struct kafka_admin **out,
                               struct error *error)
{
    const struct kafka_option fixed[] = {
        {"group.id", settings->group},
        /* Uncommitted transactions are not to hide what is committed: this client only looks. */
        {"isolation.level", "read_uncommitted"},
        {"enable.auto.commit", "false"},
        {"allow.auto.create.topics", "false"},
    };
    *out = NULL;
    if (kafka_check_embedded(settings, error) != STATUS_OK)
        return STATUS_STOP;
    rd_kafka_conf_t *conf = kafka_client_conf(settings, KAFKA_CONSUMER, NULL, 0, fixed,
                                              sizeof fixed / sizeof *fixed, error);
    if (!conf)
        return STATUS_STOP;
    struct kafka_admin *admin = memory_take_zeroed(1, sizeof *admin);
    rd_kafka_conf_set_opaque(conf, admin);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_t *client = kafka_client_create_take(conf, KAFKA_CONSUMER, error);
    if (!client) {
        free(admin);
        return STATUS_STOP;
    }
    admin->settings = *settings;
    admin->names[0] = settings->events;
    for (size_t i = 0; i < OUTGOING_TOPICS; i++)
        admin->names[1 + i] = settings->outputs[i];
    admin->client = client;
    admin->queue = rd_kafka_queue_new(client);
    *out = admin;
    return STATUS_OK;
}

void kafka_admin_destroy(struct kafka_admin *admin)
{
    rd_kafka_queue_destroy(admin->queue);
    rd_kafka_destroy_flags(admin->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(admin);
}

/* ---- Requests that are answered by an event ---- */

static rd_kafka_AdminOptions_t *options_for(struct kafka_admin *admin,
                                            rd_kafka_admin_op_t operation, int timeout_ms)
{
    char reason[256];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(admin->client, operation);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof reason);
    return options;
}

/* NULL with the error set; otherwise the caller destroys the event. */
static rd_kafka_event_t *await(struct kafka_admin *admin, rd_kafka_event_type_t type,
                               const char *what, enum status *status, struct error *error)
{
    for (;;) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, ADMIN_MS + 1000);
        if (!event) {
            *status = error_set(error, STATUS_RETRY, "%s: no answer from Kafka", what);
            return NULL;
        }
        if (rd_kafka_event_type(event) != type) {
            rd_kafka_event_destroy(event);
            continue;
        }
        *status = STATUS_OK;
        if (!rd_kafka_event_error(event))
            return event;
        *status = kafka_client_error(error, rd_kafka_event_error(event), "%s: %s", what,
                                     rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
        return NULL;
    }
}

/* ---- Topics ---- */

static void take_setting(struct kafka_topic *topic, const char *name, const char *value)
{
    if (!value)
        return;
    if (strcmp(name, "cleanup.policy") == 0)
        (void)snprintf(topic->cleanup_policy, sizeof topic->cleanup_policy, "%s", value);
    else if (strcmp(name, "retention.ms") == 0)
        topic->retention_ms = strtoll(value, NULL, 10);
    else if (strcmp(name, "max.message.bytes") == 0)
        topic->max_message_bytes = strtoll(value, NULL, 10);
}

static enum status take_settings(const rd_kafka_ConfigResource_t *resource,
                                 struct kafka_topic *topic, struct error *error)
{
    size_t count;
    rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
    if (code)
        return kafka_client_error(error, code, "settings of topic %s", topic->name);
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++)
        take_setting(topic, rd_kafka_ConfigEntry_name(entries[i]),
                     rd_kafka_ConfigEntry_value(entries[i]));
    return STATUS_OK;
}

static struct kafka_topic *find_topic(struct kafka_topic topics[KAFKA_TOPICS], const char *name)
{
    for (size_t i = 0; i < KAFKA_TOPICS; i++)
        if (strcmp(topics[i].name, name) == 0)
            return &topics[i];
    return NULL;
}

static enum status describe(struct kafka_admin *admin, struct kafka_topic topics[KAFKA_TOPICS],
                            struct error *error)
{
    rd_kafka_ConfigResource_t *asked[KAFKA_TOPICS];
    size_t count = 0;
    for (size_t i = 0; i < KAFKA_TOPICS; i++)
        if (topics[i].exists)
            asked[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].name);
    if (count == 0)
        return STATUS_OK;
    enum status status;
    rd_kafka_AdminOptions_t *options =
        options_for(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, ADMIN_MS);
    rd_kafka_DescribeConfigs(admin->client, asked, count, options, admin->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(asked, count);
    rd_kafka_event_t *event = await(admin, RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT,
                                    "settings of the topics", &status, error);
    if (!event)
        return status;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct kafka_topic *topic = find_topic(topics, rd_kafka_ConfigResource_name(resources[i]));
        if (topic)
            status = take_settings(resources[i], topic, error);
    }
    rd_kafka_event_destroy(event);
    return status;
}

enum status kafka_admin_partitions(struct kafka_admin *admin, const char *topic, uint32_t *count,
                                   struct error *error)
{
    return kafka_client_partitions(admin->client, topic, admin->settings.config_path, count, error);
}

static enum status take_topic(struct kafka_topic *topic, const rd_kafka_metadata_topic_t *found,
                              struct error *error)
{
    if (found->err) /* being made, or without a leader just now: not missing */
        return kafka_client_error(error, found->err, "topic %s", topic->name);
    topic->exists = true;
    topic->partitions = (uint32_t)found->partition_cnt;
    return STATUS_OK;
}

/* All topics in one answer, so that a missing one is told from a broker that is away. */
static enum status look_for_topics(struct kafka_admin *admin, struct kafka_topic out[KAFKA_TOPICS],
                                   struct error *error)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(admin->client, 1, NULL, &metadata, 5 * KAFKA_CALL_MS);
    if (code) {
        (void)rd_kafka_poll(admin->client, 0); /* tells the reason, if there is one */
        return *admin->reason
                   ? error_set(error, kafka_client_family(code), "Kafka: %s", admin->reason)
                   : kafka_client_error(error, code, "Kafka at %s", admin->settings.brokers);
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < KAFKA_TOPICS; i++)
        out[i] = (struct kafka_topic){.name = admin->names[i]};
    for (int i = 0; i < metadata->topic_cnt && status == STATUS_OK; i++) {
        struct kafka_topic *topic = find_topic(out, metadata->topics[i].topic);
        if (topic && metadata->topics[i].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            status = take_topic(topic, &metadata->topics[i], error);
    }
    rd_kafka_metadata_destroy(metadata);
    return status;
}

enum status kafka_admin_topics(struct kafka_admin *admin, struct kafka_topic out[KAFKA_TOPICS],
                               struct error *error)
{
    enum status status = look_for_topics(admin, out, error);
    /* The embedded broker has no DescribeConfigs. */
    return status == STATUS_OK && !admin->settings.embedded ? describe(admin, out, error) : status;
}

enum status kafka_admin_check_topics(struct kafka_admin *admin, bool with_breaches,
                                     struct error *error)
{
    struct kafka_topic topics[KAFKA_TOPICS] = {{0}};
    enum status status = kafka_admin_topics(admin, topics, error);
    if (status != STATUS_OK)
        return status;
    char missing[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < KAFKA_TOPICS; i++)
        if (!topics[i].exists && (i != 1 + TOPIC_BREACHES || with_breaches) &&
            used < sizeof missing)
            used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s",
                                     used ? ", " : "", topics[i].name);
    if (used)
        return error_set(
            error, STATUS_STOP,
            "missing in Kafka: %s; make what is missing with: baton topics --create -c %s", missing,
            admin->settings.config_path);
    if (strstr(topics[0].cleanup_policy, "compact"))
        return error_set(error, STATUS_STOP,
                         "topic %s is compacted (cleanup.policy=%s), which removes events that a "
                         "replay needs; set "
                         "cleanup.policy=delete for it",
                         topics[0].name, topics[0].cleanup_policy);
    return STATUS_OK;
}

/* librdkafka's default and limits, where a topic does not say. */
static size_t limit_of(const struct kafka_topic *topic)
{
    int64_t stated = topic->max_message_bytes;
    return stated >= 1000 && stated <= 1000000000 ? (size_t)stated : 1000000;
}

enum status kafka_admin_limits(struct kafka_admin *admin, struct kafka_limits *limits,
                               struct error *error)
{
    struct kafka_topic topics[KAFKA_TOPICS] = {{0}};
    enum status status = kafka_admin_topics(admin, topics, error);
    *limits = (struct kafka_limits){.events = limit_of(&topics[0]),
                                    .dead = limit_of(&topics[1 + TOPIC_DEAD]),
                                    .least = SIZE_MAX};
    for (int i = 0; i < KAFKA_TOPICS; i++) {
        if (!topics[i].exists)
            continue;
        size_t limit = limit_of(&topics[i]);
        limits->most = limit > limits->most ? limit : limits->most;
        limits->least = limit < limits->least ? limit : limits->least;
    }
    return status;
}

/* ---- Making topics ---- */

static rd_kafka_NewTopic_t *new_topic(const char *name, const struct kafka_new_topic *wanted,
                                      struct error *error)
{
    char reason[256], retention[24];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(
        name, (int)wanted->partitions, (int)wanted->replication, reason, sizeof reason);
    if (!topic) {
        (void)error_set(error, STATUS_STOP, "topic %s: %s", name, reason);
        return NULL;
    }
    (void)snprintf(retention, sizeof retention, "%" PRId64, wanted->retention_ms);
    (void)rd_kafka_NewTopic_set_config(topic, "retention.ms", retention);
    (void)rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    return topic;
}

static enum status take_created(const struct kafka_admin *admin, rd_kafka_event_t *event,
                                bool created[KAFKA_TOPICS], struct error *error)
{
    size_t count;
    enum status status = STATUS_OK;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        const char *name = rd_kafka_topic_result_name(results[i]);
        for (size_t k = 0; k < KAFKA_TOPICS; k++)
            if (strcmp(admin->names[k], name) == 0)
                created[k] = code == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        const char *text = rd_kafka_topic_result_error_string(results[i]);
        enum status family = kafka_client_family(code);
        /* A broker that answers and refuses will refuse again. */
        status = error_set(error, family == STATUS_RETRY ? STATUS_STOP : family, "topic %s: %s%s",
                           name, text ? text : rd_kafka_err2str(code),
                           code == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR
                               ? " Lower topics.replication"
                               : "");
    }
    return status;
}

/* A broker confirms a topic before its metadata show it, and who starts `run` next would find it
 * missing. */
static enum status await_topics(struct kafka_admin *admin, struct error *error)
{
    int64_t until_ms = kafka_client_now_ms() + ADMIN_MS;
    for (;;) {
        struct kafka_topic topics[KAFKA_TOPICS] = {{0}};
        enum status status = look_for_topics(admin, topics, error);
        size_t found = 0;
        for (size_t i = 0; i < KAFKA_TOPICS && status == STATUS_OK; i++)
            found += topics[i].exists;
        if (status != STATUS_OK || found == KAFKA_TOPICS)
            return status;
        if (kafka_client_now_ms() >= until_ms)
            return error_set(error, STATUS_RETRY, "the new topics have not shown up within %d s",
                             ADMIN_MS / 1000);
        (void)rd_kafka_poll(admin->client, 50);
    }
}

enum status kafka_admin_create_topics(struct kafka_admin *admin,
                                      const struct kafka_new_topic wanted[KAFKA_TOPICS],
                                      bool created[KAFKA_TOPICS], struct error *error)
{
    struct kafka_topic topics[KAFKA_TOPICS] = {{0}};
    rd_kafka_NewTopic_t *list[KAFKA_TOPICS];
    size_t count = 0;
    memset(created, 0, KAFKA_TOPICS * sizeof *created);
    enum status status = look_for_topics(admin, topics, error);
    for (size_t i = 0; i < KAFKA_TOPICS && status == STATUS_OK; i++) {
        if (topics[i].exists)
            continue;
        list[count] = new_topic(admin->names[i], &wanted[i], error);
        if (!list[count])
            status = STATUS_STOP;
        else
            count++;
    }
    if (status == STATUS_OK && count > 0) {
        rd_kafka_AdminOptions_t *options =
            options_for(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS, ADMIN_MS);
        rd_kafka_CreateTopics(admin->client, list, count, options, admin->queue);
        rd_kafka_AdminOptions_destroy(options);
        rd_kafka_event_t *event =
            await(admin, RD_KAFKA_EVENT_CREATETOPICS_RESULT, "making topics", &status, error);
        if (event) {
            status = take_created(admin, event, created, error);
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_NewTopic_destroy_array(list, count);
    return status == STATUS_OK && count > 0 ? await_topics(admin, error) : status;
}

/* ---- The group ---- */

static enum status take_commit(const rd_kafka_topic_partition_t *partition, struct arena *arena,
                               struct committed *out, struct error *error)
{
    if (partition->err)
        return kafka_client_error(error, partition->err, "committed offset of unit %d",
                                  partition->partition);
    out->offset = partition->offset >= 0 ? partition->offset : -1;
    char *metadata = arena_take(arena, partition->metadata_size + 1);
    if (partition->metadata_size)
        memcpy(metadata, partition->metadata, partition->metadata_size);
    metadata[partition->metadata_size] = '\0';
    out->metadata = metadata;
    return STATUS_OK;
}

static enum status read_commits(struct kafka_admin *admin, uint32_t units, struct arena *arena,
                                struct kafka_unit *out, struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)units);
    rd_kafka_topic_partition_list_add_range(list, admin->names[0], 0, (int32_t)units - 1);
    rd_kafka_resp_err_t code = rd_kafka_committed(admin->client, list, 2 * KAFKA_CALL_MS);
    enum status status =
        code ? kafka_client_error(error, code, "offsets of group %s", admin->settings.group)
             : STATUS_OK;
    for (uint32_t i = 0; i < units && status == STATUS_OK; i++)
        status = take_commit(rd_kafka_topic_partition_list_find(list, admin->names[0], (int32_t)i),
                             arena, &out[i].commit, error);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static const char *name_of_member(const rd_kafka_MemberDescription_t *member, struct arena *arena)
{
    char text[512];
    const char *host = rd_kafka_MemberDescription_host(member);
    (void)snprintf(text, sizeof text, "%s%s%s", rd_kafka_MemberDescription_client_id(member),
                   host && *host == '/' ? "" : " ", host ? host : "");
    return arena_copy(arena, text, strlen(text) + 1);
}

static void take_members(const struct kafka_admin *admin,
                         const rd_kafka_ConsumerGroupDescription_t *group, uint32_t units,
                         struct arena *arena, struct kafka_unit *out)
{
    size_t count = rd_kafka_ConsumerGroupDescription_member_count(group);
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_MemberDescription_t *member =
            rd_kafka_ConsumerGroupDescription_member(group, i);
        const rd_kafka_topic_partition_list_t *list =
            rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(member));
        const char *name = list && list->cnt ? name_of_member(member, arena) : NULL;
        for (int k = 0; list && k < list->cnt; k++)
            if (strcmp(list->elems[k].topic, admin->names[0]) == 0 &&
                (uint32_t)list->elems[k].partition < units)
                out[list->elems[k].partition].member = name;
    }
}

/* Who holds what is a convenience: without an answer the names stay empty. */
static void read_members(struct kafka_admin *admin, uint32_t units, struct arena *arena,
                         struct kafka_unit *out)
{
    const char *groups[] = {admin->settings.group};
    struct error ignored;
    enum status status;
    size_t count;
    rd_kafka_AdminOptions_t *options =
        options_for(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, MEMBERS_MS);
    rd_kafka_DescribeConsumerGroups(admin->client, groups, 1, options, admin->queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = await(admin, RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT,
                                    "members of the group", &status, &ignored);
    if (!event)
        return;
    const rd_kafka_ConsumerGroupDescription_t **list =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    if (count == 1 && !rd_kafka_ConsumerGroupDescription_error(list[0]))
        take_members(admin, list[0], units, arena, out);
    rd_kafka_event_destroy(event);
}

enum status kafka_admin_group(struct kafka_admin *admin, uint32_t units, struct arena *arena,
                              struct kafka_unit *out, struct error *error)
{
    struct kafka_range *ranges = arena_take(arena, units * sizeof *ranges);
    enum status status = kafka_client_ranges(admin->client, admin->names[0], 0, units,
                                             2 * KAFKA_CALL_MS, ranges, error);
    for (uint32_t i = 0; i < units && status == STATUS_OK; i++)
        out[i] = (struct kafka_unit){.first = ranges[i].first, .end = ranges[i].end, .member = ""};
    if (status == STATUS_OK && units)
        status = read_commits(admin, units, arena, out, error);
    if (status == STATUS_OK && !admin->settings.embedded)
        read_members(admin, units, arena, out);
    return status;
}
