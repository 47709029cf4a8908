#include "kafka/kafka_embedded.h"

#include "base/arena.h"
#include "kafka/kafka_client.h"

#include <librdkafka/rdkafka_mock.h>

#include <stdlib.h>

struct kafka_embedded {
    rd_kafka_t *client; /* owns the cluster */
    rd_kafka_mock_cluster_t *cluster;
};

enum status kafka_embedded_start(const char *const *topics, size_t topic_count, uint32_t partitions,
                                 struct kafka_embedded **out, struct error *error)
{
    static const struct kafka_option options[] = {{"test.mock.num.brokers", "1"},
                                                  {"log_level", "2"}};
    const struct kafka_settings settings = {.brokers =
                                                "127.0.0.1:1"}; /* replaced by the cluster's own */
    *out = NULL;
    rd_kafka_conf_t *conf = kafka_client_conf(&settings, KAFKA_PRODUCER, NULL, 0, options,
                                              sizeof options / sizeof *options, error);
    rd_kafka_t *client = conf ? kafka_client_create_take(conf, KAFKA_PRODUCER, error) : NULL;
    if (!client)
        return STATUS_STOP;
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(client);
    for (size_t i = 0; cluster && i < topic_count; i++) {
        rd_kafka_resp_err_t code =
            rd_kafka_mock_topic_create(cluster, topics[i], (int)partitions, 1);
        if (code) {
            rd_kafka_destroy(client);
            return error_set(error, STATUS_STOP, "embedded broker: topic %s: %s", topics[i],
                             rd_kafka_err2str(code));
        }
    }
    if (!cluster) {
        rd_kafka_destroy(client);
        return error_set(error, STATUS_STOP, "librdkafka %s has no mock cluster",
                         rd_kafka_version_str());
    }
    struct kafka_embedded *embedded = memory_take(sizeof *embedded);
    *embedded = (struct kafka_embedded){.client = client, .cluster = cluster};
    *out = embedded;
    return STATUS_OK;
}

const char *kafka_embedded_brokers(const struct kafka_embedded *embedded)
{
    return rd_kafka_mock_cluster_bootstraps(embedded->cluster);
}

void kafka_embedded_set_up(struct kafka_embedded *embedded, int up)
{
    if (up)
        (void)rd_kafka_mock_broker_set_up(embedded->cluster, 1);
    else
        (void)rd_kafka_mock_broker_set_down(embedded->cluster, 1);
}

void kafka_embedded_set_delay(struct kafka_embedded *embedded, int milliseconds)
{
    (void)rd_kafka_mock_broker_set_rtt(embedded->cluster, 1, milliseconds);
}

void kafka_embedded_stop(struct kafka_embedded *embedded)
{
    rd_kafka_destroy(embedded->client);
    free(embedded);
}
