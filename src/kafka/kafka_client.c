#include "kafka/kafka_client.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *kafka_library_version(void)
{
    return rd_kafka_version_str();
}

bool kafka_client_knows_queue_backoff(void)
{
    return rd_kafka_version() >= 0x02020000;
}

int64_t kafka_client_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* librdkafka logs a line per connection attempt; the pipeline says once that Kafka is away. What is
 * fatal for a producer ends a transaction, and is told with its end. */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    bool told = client && rd_kafka_type(client) == RD_KAFKA_PRODUCER;
    log_line(level <= 2 && !told ? LOG_ERROR : LOG_DEBUG, "librdkafka %s %s: %s",
             client ? rd_kafka_name(client) : "", facility, text);
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *error)
{
    char reason[512];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return true;
    (void)error_set(error, STATUS_STOP, "Kafka property %s: %s: %s", name, value, reason);
    return false;
}

static bool set_all(rd_kafka_conf_t *conf, const struct kafka_option *options, size_t count,
                    struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!set(conf, options[i].name, options[i].value, error))
            return false;
    return true;
}

static bool set_properties(rd_kafka_conf_t *conf, const struct kafka_properties *properties,
                           struct error *error)
{
    for (size_t i = 0; i < properties->count; i++)
        if (!set(conf, properties->items[i].name, properties->items[i].value, error))
            return false;
    return true;
}

rd_kafka_conf_t *kafka_client_conf(const struct kafka_settings *settings, enum kafka_role role,
                                   const struct kafka_option *before, size_t before_count,
                                   const struct kafka_option *after, size_t after_count,
                                   struct error *error)
{
    static const struct kafka_option shared[] = {
        {"client.id", "baton"},
        /* A broker that is back should be found within a second, not within ten. */
        {"reconnect.backoff.max.ms", "1000"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    bool done =
        set_all(conf, shared, sizeof shared / sizeof *shared, error) &&
        set_all(conf, before, before_count, error) &&
        set_properties(conf, &settings->common, error) &&
        set_properties(conf, role == KAFKA_CONSUMER ? &settings->consumer : &settings->producer,
                       error) &&
        set(conf, "bootstrap.servers", settings->brokers, error) &&
        set_all(conf, after, after_count, error);
    if (!done) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

rd_kafka_t *kafka_client_create_take(rd_kafka_conf_t *conf, enum kafka_role role,
                                     struct error *error)
{
    char reason[512];
    rd_kafka_t *client =
        rd_kafka_new(role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, reason,
                     sizeof reason);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        (void)error_set(error, STATUS_STOP, "Kafka client: %s", reason);
    }
    return client;
}

enum status kafka_client_family(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return STATUS_OK;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR__INVALID_ARG: return STATUS_STOP;
    default: return STATUS_RETRY;
    }
}

enum status kafka_client_error(struct error *error, rd_kafka_resp_err_t code, const char *format,
                               ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    bool away = code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
                code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__RESOLVE;
    return error_set(error, kafka_client_family(code), "%s: %s%s", text, rd_kafka_err2str(code),
                     away ? " (does a broker answer at kafka.brokers?)" : "");
}

enum status kafka_client_partitions(rd_kafka_t *client, const char *topic, const char *config_path,
                                    uint32_t *count, struct error *error)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    if (!handle)
        return error_set(error, STATUS_STOP, "topic %s: %s", topic,
                         rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, handle, &metadata, KAFKA_CALL_MS);
    rd_kafka_topic_destroy(handle);
    if (code)
        return kafka_client_error(error, code, "topic %s", topic);
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    *count = code ? 0 : (uint32_t)metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return error_set(error, STATUS_STOP,
                         "topic %s does not exist; make it with: baton topics --create -c %s",
                         topic, config_path);
    return code ? kafka_client_error(error, code, "topic %s", topic) : STATUS_OK;
}

/* Each partition's offset in the list becomes that of the time, which may be
 * RD_KAFKA_OFFSET_BEGINNING or END. */
static enum status offsets_at(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list,
                              int64_t time, int timeout_ms, struct error *error)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = time;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client, list, timeout_ms);
    for (int i = 0; i < list->cnt && !code; i++) {
        code = list->elems[i].err;
        if (!code && list->elems[i].offset < 0) /* left out of the answer */
            code = RD_KAFKA_RESP_ERR__PARTIAL;
    }
    return code ? kafka_client_error(error, code, "offsets of %s", list->elems[0].topic)
                : STATUS_OK;
}

enum status kafka_client_ranges(rd_kafka_t *client, const char *topic, uint32_t from,
                                uint32_t count, int timeout_ms, struct kafka_range *out,
                                struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (uint32_t i = 0; i < count; i++)
        (void)rd_kafka_topic_partition_list_add(list, topic, (int32_t)(from + i));
    /* The end comes last, so that it is not before the beginning. */
    enum status status =
        count ? offsets_at(client, list, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, error) : STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        out[i].first = rd_kafka_topic_partition_list_find(list, topic, (int32_t)(from + i))->offset;
    if (count && status == STATUS_OK)
        status = offsets_at(client, list, RD_KAFKA_OFFSET_END, timeout_ms, error);
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        out[i].end = rd_kafka_topic_partition_list_find(list, topic, (int32_t)(from + i))->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

/* ---- Committed offsets ---- */

static enum status take_committed(const rd_kafka_topic_partition_t *partition,
                                  const struct kafka_group *group, struct arena *arena,
                                  struct committed *out, struct error *error)
{
    /* The call as a whole may be fine and this partition not: an ignored error would look like "no
     * offset". */
    if (partition->err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
        return error_set(error, STATUS_RETRY,
                         "unit %d: an open transaction hides the committed offset of group %s",
                         partition->partition, group->name);
    if (partition->err)
        return kafka_client_error(error, partition->err, "unit %d: committed offset of group %s",
                                  partition->partition, group->name);
    if (partition->offset < 0 && partition->offset != RD_KAFKA_OFFSET_INVALID)
        return error_set(error, STATUS_RETRY,
                         "unit %d: no clear answer for the committed offset of group %s",
                         partition->partition, group->name);
    out->offset = partition->offset >= 0 ? partition->offset : -1;
    char *metadata = arena_take(arena, partition->metadata_size + 1);
    if (partition->metadata_size)
        memcpy(metadata, partition->metadata, partition->metadata_size);
    metadata[partition->metadata_size] = '\0';
    out->metadata = metadata;
    return STATUS_OK;
}

enum status kafka_client_committed(rd_kafka_t *consumer, const struct kafka_group *group,
                                   const uint32_t *units, size_t count, struct arena *arena,
                                   struct committed *out, struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    /* A partition that the answer leaves out keeps this error. */
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, group->topic, (int32_t)units[i])->err =
            RD_KAFKA_RESP_ERR__IN_PROGRESS;
    rd_kafka_resp_err_t code = rd_kafka_committed(consumer, list, KAFKA_CALL_MS);
    enum status status = STATUS_OK;
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT)
        status = error_set(error, STATUS_RETRY,
                           "group %s: no committed offsets within %d ms: Kafka is away, or an open "
                           "transaction hides them",
                           group->name, KAFKA_CALL_MS);
    else if (code)
        status = kafka_client_error(error, code, "committed offsets of group %s", group->name);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const rd_kafka_topic_partition_t *partition =
            rd_kafka_topic_partition_list_find(list, group->topic, (int32_t)units[i]);
        status = take_committed(partition, group, arena, &out[i], error);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static bool is_loopback(const char *address, size_t size)
{
    char host[256];
    if (size >= sizeof host)
        return false;
    memcpy(host, address, size);
    host[size] = '\0';
    const char *scheme = strstr(host, "://");
    const char *name = scheme ? scheme + 3 : host;
    return strncmp(name, "127.", 4) == 0 || strncmp(name, "[::1]", 5) == 0 ||
           strcmp(name, "localhost") == 0 || strncmp(name, "localhost:", 10) == 0;
}

enum status kafka_check_embedded(const struct kafka_settings *settings, struct error *error)
{
    if (!settings->embedded)
        return STATUS_OK;
    for (const char *at = settings->brokers; *at;) {
        size_t size = strcspn(at, ",");
        if (!is_loopback(at, size))
            return error_set(
                error, STATUS_STOP,
                "kafka.embedded is for a broker inside of a demo, whose transactions are not real: "
                "%.*s is not an address of this machine; remove the setting",
                (int)size, at);
        at += size + (at[size] == ',');
    }
    return STATUS_OK;
}

/* ---- Membership ---- */

struct membership_view {
    int32_t generation;
    const char *member;
};

#if RD_KAFKA_VERSION >= 0x02050000
/* The getters came between 2.3 and 2.5. */
static bool look_at(const rd_kafka_consumer_group_metadata_t *metadata, const void *bytes,
                    size_t size, struct membership_view *view)
{
    (void)bytes;
    (void)size;
    view->generation = rd_kafka_consumer_group_metadata_generation_id(metadata);
    view->member = rd_kafka_consumer_group_metadata_member_id(metadata);
    return view->member != NULL;
}
#else
/* Before them only the serialised form tells: "CGMDv2:" generation (int32, of this machine's byte
 * order) group NUL member NUL … */
static bool look_at(const rd_kafka_consumer_group_metadata_t *metadata, const void *bytes,
                    size_t size, struct membership_view *view)
{
    (void)metadata;
    static const char magic[] = "CGMDv2:";
    const char *at = bytes, *end = at + size;
    if (size < sizeof magic - 1 + sizeof view->generation ||
        memcmp(at, magic, sizeof magic - 1) != 0)
        return false;
    at += sizeof magic - 1;
    memcpy(&view->generation, at, sizeof view->generation);
    at += sizeof view->generation;
    at += strnlen(at, (size_t)(end - at)) + 1;
    if (at >= end || strnlen(at, (size_t)(end - at)) == (size_t)(end - at))
        return false;
    view->member = at;
    return true;
}
#endif

static enum status write_metadata(const rd_kafka_consumer_group_metadata_t *metadata,
                                  struct text_buffer *out, struct error *error)
{
    void *bytes = NULL;
    size_t size = 0;
    rd_kafka_error_t *failure = rd_kafka_consumer_group_metadata_write(metadata, &bytes, &size);
    if (failure) {
        (void)error_set(error, STATUS_RETRY, "group metadata: %s", rd_kafka_error_string(failure));
        rd_kafka_error_destroy(failure);
        return STATUS_RETRY;
    }
    text_buffer_clear(out);
    text_buffer_add(out, bytes, size);
    rd_kafka_mem_free(NULL, bytes);
    return STATUS_OK;
}

static enum status write_checked(const rd_kafka_consumer_group_metadata_t *metadata,
                                 struct text_buffer *out, struct error *error)
{
    struct membership_view view;
    enum status status = write_metadata(metadata, out, error);
    if (status != STATUS_OK)
        return status;
    if (!look_at(metadata, out->data, out->size, &view))
        return error_set(error, STATUS_STOP,
                         "librdkafka %s keeps group metadata in a form that is not known",
                         rd_kafka_version_str());
    if (view.generation < 0 || !*view.member)
        return error_set(error, STATUS_RETRY,
                         "the group knows us no more (generation %d, member \"%s\")",
                         view.generation, view.member);
    return STATUS_OK;
}

enum status kafka_membership_check(const rd_kafka_consumer_group_metadata_t *metadata,
                                   struct error *error)
{
    struct text_buffer bytes;
    text_buffer_init(&bytes);
    enum status status = write_checked(metadata, &bytes, error);
    text_buffer_fini(&bytes);
    return status;
}

enum status kafka_membership_take(struct kafka_membership *membership, rd_kafka_t *consumer,
                                  struct error *error)
{
    text_buffer_clear(&membership->bytes);
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(consumer);
    if (!metadata)
        return error_set(error, STATUS_RETRY, "the consumer has no group metadata");
    enum status status = write_checked(metadata, &membership->bytes, error);
    if (status != STATUS_OK)
        text_buffer_clear(&membership->bytes);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    return status;
}

rd_kafka_consumer_group_metadata_t *
kafka_membership_metadata(const struct kafka_membership *membership)
{
    rd_kafka_consumer_group_metadata_t *metadata = NULL;
    if (membership->bytes.size == 0)
        return NULL;
    rd_kafka_error_t *failure = rd_kafka_consumer_group_metadata_read(
        &metadata, membership->bytes.data, membership->bytes.size);
    if (failure) {
        rd_kafka_error_destroy(failure);
        return NULL;
    }
    return metadata;
}
