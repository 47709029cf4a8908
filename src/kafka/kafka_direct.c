#include "kafka/kafka_direct.h"

#include "base/log.h"
#include "kafka/kafka_client.h"

#include <stdlib.h>
#include <string.h>

#define LEADERS_MS 250 /* what the question may take */
#define VALUE_BYTES 256

struct kafka_direct {
    rd_kafka_t *consumer;
    const char *topic;
    char client[VALUE_BYTES];
    struct fetcher *fetcher;
};

/* "": not set, or too long to be what we look for. */
static void property(rd_kafka_t *consumer, const char *name, char value[VALUE_BYTES])
{
    size_t size = VALUE_BYTES;
    value[0] = '\0';
    if (rd_kafka_conf_get(rd_kafka_conf(consumer), name, value, &size) != RD_KAFKA_CONF_OK)
        value[0] = '\0';
    value[VALUE_BYTES - 1] = '\0';
}

static int32_t number(rd_kafka_t *consumer, const char *name)
{
    char value[VALUE_BYTES];
    property(consumer, name, value);
    return (int32_t)strtol(value, NULL, 10);
}

static bool is(rd_kafka_t *consumer, const char *name, const char *wanted)
{
    char value[VALUE_BYTES];
    property(consumer, name, value);
    if (strcmp(value, wanted) == 0)
        return true;
    log_debug("events are read by librdkafka, as %s is \"%s\"", name, value);
    return false;
}

static bool is_possible(rd_kafka_t *consumer)
{
    return is(consumer, "security.protocol", "plaintext") && is(consumer, "client.rack", "") &&
           is(consumer, "plugin.library.paths", "") && is(consumer, "broker.address.family", "any");
}

static enum status find_leaders(void *context, struct fetcher *fetcher, struct error *error)
{
    struct kafka_direct *direct = context;
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(direct->consumer, direct->topic, NULL);
    if (!topic)
        return error_set(error, STATUS_RETRY, "%s", rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_resp_err_t code = rd_kafka_metadata(direct->consumer, 0, topic, &metadata, LEADERS_MS);
    rd_kafka_topic_destroy(topic);
    if (code)
        return error_set(error, STATUS_RETRY, "%s", rd_kafka_err2str(code));
    for (int i = 0; i < metadata->broker_cnt; i++)
        fetcher_set_broker(fetcher, metadata->brokers[i].id, metadata->brokers[i].host,
                           metadata->brokers[i].port);
    for (int i = 0; metadata->topic_cnt && i < metadata->topics[0].partition_cnt; i++)
        fetcher_set_leader(fetcher, (uint32_t)metadata->topics[0].partitions[i].id,
                           metadata->topics[0].partitions[i].leader);
    rd_kafka_metadata_destroy(metadata);
    return STATUS_OK;
}

struct kafka_direct *kafka_direct_create(rd_kafka_t *consumer, const char *topic)
{
    if (!is_possible(consumer))
        return NULL;
    struct kafka_direct *direct = memory_take_zeroed(1, sizeof *direct);
    direct->consumer = consumer;
    direct->topic = topic;
    property(consumer, "client.id", direct->client);
    struct fetcher_settings settings = {
        .topic = topic,
        .client = direct->client,
        .limits = {.wait_ms = number(consumer, "fetch.wait.max.ms"),
                   .min_bytes = number(consumer, "fetch.min.bytes"),
                   .max_bytes = number(consumer, "fetch.max.bytes"),
                   .partition_bytes = number(consumer, "fetch.message.max.bytes")},
        .leaders = find_leaders,
        .context = direct,
    };
    direct->fetcher = fetcher_create(&settings);
    return direct;
}

void kafka_direct_destroy(struct kafka_direct *direct)
{
    if (!direct)
        return;
    fetcher_destroy(direct->fetcher);
    free(direct);
}

struct fetcher *kafka_direct_fetcher(const struct kafka_direct *direct)
{
    return direct->fetcher;
}
