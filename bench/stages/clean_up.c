/* What the stages made is taken away: a topic and the groups in Kafka, leads in Redis. What cannot
 * be is left without a word; it is named after the run and in nobody's way. */
#include "common/kafka.h"
#include "redis/redis_connection.h"
#include "stages/own_source.h"
#include "stages/stages.h"

#include <stdio.h>

#define ANSWER_MS 10000
#define KEYS_PER_COMMAND 500
#define KEY_MAX 512

/* ---- Kafka ---- */

static void wait_for_answer(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);
    if (event)
        rd_kafka_event_destroy(event);
}

static void delete_topic(struct stages *stages, rd_kafka_t *client, rd_kafka_queue_t *queue)
{
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(stages->name);
    rd_kafka_DeleteTopics(client, &topic, 1, NULL, queue);
    wait_for_answer(queue);
    rd_kafka_DeleteTopic_destroy(topic);
}

static void delete_groups(struct stages *stages, const char *what, rd_kafka_t *client,
                          rd_kafka_queue_t *queue)
{
    for (unsigned i = 0; i < stages->workers; i++) {
        char name[96];
        own_source_group(name, sizeof name, stages, what, i);
        rd_kafka_DeleteGroup_t *group = rd_kafka_DeleteGroup_new(name);
        rd_kafka_DeleteGroups(client, &group, 1, NULL, queue);
        wait_for_answer(queue);
        rd_kafka_DeleteGroup_destroy(group);
    }
}

static void clean_kafka(struct stages *stages)
{
    struct error error;
    rd_kafka_t *client =
        bench_kafka_create(RD_KAFKA_PRODUCER, &stages->options.common, NULL, 0, NULL, NULL, &error);
    if (!client)
        return;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    if (stages->figures[STAGE_SOURCE].measured)
        delete_groups(stages, "count", client, queue);
    if (stages->figures[STAGE_TRANSACTION].measured) {
        delete_groups(stages, "commit", client, queue);
        delete_topic(stages, client, queue);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
}

/* ---- Redis: keys as redis/redis_store.h tells them ---- */

struct sweep {
    struct connection *connection;
    char keys[KEYS_PER_COMMAND][KEY_MAX];
    const char *words[KEYS_PER_COMMAND + 1];
    size_t count;
    enum status status;
};

static void unlink_keys(struct sweep *sweep)
{
    struct error error;
    const struct reply *reply;
    if (sweep->count == 0 || sweep->status != STATUS_OK)
        return;
    sweep->words[0] = "UNLINK";
    connection_words(sweep->connection, sweep->count + 1, sweep->words);
    sweep->status = connection_answer(sweep->connection, &reply, &error);
    sweep->count = 0;
}

static void add_key(struct sweep *sweep, const char *prefix, uint32_t unit, const char *what,
                    struct baton_text id)
{
    char *key = sweep->keys[sweep->count++];
    (void)snprintf(key, KEY_MAX, "%s:{%u}:%s%.*s", prefix, unit, what, (int)id.size,
                   id.size ? id.data : "");
    sweep->words[sweep->count] = key;
    if (sweep->count == KEYS_PER_COMMAND)
        unlink_keys(sweep);
}

static void sweep_worker(struct sweep *sweep, struct stage_worker *worker)
{
    const char *prefix = worker->stages->redis.prefix;
    for (uint32_t n = 0; n < worker->table.made; n++) {
        const struct lead_entry *entry = lead_table_entry(&worker->table, n);
        if (entry->flags & LEAD_USED)
            add_key(sweep, prefix, entry->unit, "lead:", lead_table_id(entry));
    }
    for (uint32_t i = 0; i < worker->unit_count; i++)
        add_key(sweep, prefix, worker->first_unit + i, "unit", (struct baton_text){0});
}

static void clean_redis(struct stages *stages)
{
    struct error error;
    struct sweep *sweep = memory_take_zeroed(1, sizeof *sweep);
    if (connection_open(&sweep->connection, &stages->redis, &error) == STATUS_OK) {
        for (unsigned i = 0; i < stages->workers; i++)
            sweep_worker(sweep, &stages->worker[i]);
        unlink_keys(sweep);
        connection_close(sweep->connection);
    }
    free(sweep);
}

void stage_clean_up(struct stages *stages)
{
    if (stages->figures[STAGE_CHECKPOINT].measured)
        clean_redis(stages);
    if (stages->figures[STAGE_SOURCE].measured || stages->figures[STAGE_TRANSACTION].measured)
        clean_kafka(stages);
}
