#include "bench.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

static rd_kafka_t *open_consumer(const struct bench_options *options)
{
    char text[512], group[64];
    (void)snprintf(group, sizeof group, "bench-count-%d", rand());
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *const settings[][2] = {
        {"bootstrap.servers", options->brokers}, {"group.id", group},
        {"isolation.level", "read_committed"},   {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},   {"auto.offset.reset", "earliest"},
        {"queued.min.messages", "200000"},       {"queued.max.messages.kbytes", "131072"}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        (void)rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!consumer)
        return fprintf(stderr, "baton-bench: %s\n", text), NULL;
    (void)rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, options->topic, RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_subscribe(consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return consumer;
}

int bench_count(const struct bench_options *options)
{
    rd_kafka_t *consumer = open_consumer(options);
    if (!consumer)
        return 1;
    uint64_t count = 0, bytes = 0;
    double from = 0, cpu = 0, limit = bench_seconds() + 120;
    while (count < options->events && bench_seconds() < limit) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
        if (!message)
            continue;
        if (!message->err) {
            if (count++ == 0) { /* joining the group is not what is measured */
                from = bench_seconds();
                cpu = bench_cpu_seconds();
            }
            bytes += message->len;
        }
        rd_kafka_message_destroy(message);
    }
    double seconds = bench_seconds() - from;
    cpu = bench_cpu_seconds() - cpu;
    (void)printf("{\"counted\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"seconds\": %.3f, "
                 "\"events_per_second\": %.0f, \"cpu_seconds_per_million\": %.3f}\n",
                 count, bytes, seconds, (double)count / seconds, cpu * 1e6 / (double)count);
    (void)rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return count == options->events ? 0 : 1;
}
