#include "adapters/kafka_world.h"

#include "kafka/kafka_embedded.h"

static struct kafka_admin *open_admin(struct world *world)
{
    struct kafka_admin *admin;
    struct error error;
    cr_assert_eq(kafka_admin_create(&world->settings, &admin, &error), STATUS_OK, "%s", error.text);
    return admin;
}

Test(kafka_admin, missing_topics_are_named_with_the_command_and_made_once, .timeout = 60)
{
    struct world world;
    world_open(&world, "topics", 0);
    struct kafka_admin *admin = open_admin(&world);
    struct error error;
    enum status status;
    while ((status = kafka_admin_check_topics(admin, true, &error)) == STATUS_RETRY)
        usleep(50000);
    cr_assert_eq(status, STATUS_STOP);
    cr_assert(strstr(error.text, world.names[0]) && strstr(error.text, world.names[3]) &&
                  strstr(error.text, world.names[4]),
              "%s", error.text);
    cr_assert_eq(kafka_admin_check_topics(admin, false, &error), STATUS_STOP);
    cr_assert(strstr(error.text, world.names[3]) && !strstr(error.text, world.names[4]), "%s",
              error.text);
    cr_assert(strstr(error.text, "baton topics --create -c baton.yaml"), "%s", error.text);

    struct kafka_new_topic wanted[KAFKA_TOPICS] = {{8, 1, 2592000000},
                                                   {2, 1, 31536000000},
                                                   {3, 1, 31536000000},
                                                   {1, 1, 31536000000},
                                                   {1, 1, 31536000000}};
    bool created[KAFKA_TOPICS];
    must(kafka_admin_create_topics(admin, wanted, created, &error));
    cr_assert(created[0] && created[1] && created[2] && created[3] && created[4]);
    must(kafka_admin_check_topics(admin, true, &error));
    must(kafka_admin_create_topics(admin, wanted, created, &error));
    cr_assert(!created[0] && !created[1] && !created[2] && !created[3] && !created[4]);

    struct kafka_topic topics[KAFKA_TOPICS];
    must(kafka_admin_topics(admin, topics, &error));
    cr_assert_eq(topics[0].partitions, 8);
    cr_assert_eq(topics[2].partitions, 3);
    cr_assert_eq(topics[0].retention_ms, 2592000000);
    cr_assert_eq(topics[1].retention_ms, 31536000000);
    cr_assert_str_eq(topics[0].cleanup_policy, "delete");
    uint32_t partitions;
    must(kafka_admin_partitions(admin, world.names[0], &partitions, &error));
    cr_assert_eq(partitions, 8);
    struct kafka_limits limits;
    must(kafka_admin_limits(admin, &limits, &error));
    cr_assert_eq(limits.events, 1048588, "%zu", limits.events);
    cr_assert(limits.dead == 1048588 && limits.most == 1048588 && limits.least == 1048588);
    kafka_admin_destroy(admin);
    world_close(&world);
}

Test(kafka_admin, an_order_that_the_broker_refuses_stops, .timeout = 60)
{
    struct world world;
    world_open(&world, "refused", 0);
    struct kafka_admin *admin = open_admin(&world);
    struct kafka_new_topic wanted[KAFKA_TOPICS];
    for (int i = 0; i < KAFKA_TOPICS; i++)
        wanted[i] = (struct kafka_new_topic){1, 3, 1000}; /* three copies on one broker */
    bool created[KAFKA_TOPICS];
    struct error error;
    enum status status;
    while ((status = kafka_admin_create_topics(admin, wanted, created, &error)) == STATUS_RETRY)
        usleep(50000);
    cr_assert_eq(status, STATUS_STOP);
    cr_assert(strstr(error.text, "topic "), "%s", error.text);
    kafka_admin_destroy(admin);
    world_close(&world);
}

Test(kafka_admin, a_compacted_input_topic_is_refused, .timeout = 60)
{
    struct world world;
    world_open(&world, "compact", 1);
    char reason[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(world.writer);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, world.names[0]);
    rd_kafka_ConfigResource_set_config(resource, "cleanup.policy", "compact,delete");
    rd_kafka_AlterConfigs(world.writer, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 10000);
    cr_assert_not_null(event);
    cr_assert_eq(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_queue_destroy(queue);
    (void)reason;
    struct kafka_admin *admin = open_admin(&world);
    struct error error = {""};
    enum status status = STATUS_OK;
    for (int i = 0; i < 50 && status != STATUS_STOP; i++, usleep(100000))
        status = kafka_admin_check_topics(admin, true, &error);
    cr_assert_eq(status, STATUS_STOP);
    cr_assert(strstr(error.text, "is compacted"), "%s", error.text);
    kafka_admin_destroy(admin);
    world_close(&world);
}

Test(kafka_admin, the_group_is_seen_without_joining_it, .timeout = 60)
{
    struct world world;
    world_open(&world, "look", 2);
    write_events(&world, 1, 0, 9);
    struct source *source = join_alone(&world);
    struct sink *sink = open_sink(&world, source, 0);
    struct error error;
    must_soon(sink->reset(sink, &error));
    struct unit_commit commit = {1, 4, "T=1"};
    cr_assert_eq(carry_out(sink, NULL, 0, &commit, 1, &error), SINK_COMMITTED, "%s", error.text);
    struct kafka_admin *admin = open_admin(&world);
    struct kafka_unit units[2];
    must_soon(kafka_admin_group(admin, 2, &world.arena, units, &error));
    cr_assert_eq(units[0].commit.offset, -1);
    cr_assert_eq(units[0].end, 0);
    cr_assert_eq(units[1].first, 0);
    cr_assert_eq(units[1].end, 9);
    cr_assert_eq(units[1].commit.offset, 4);
    cr_assert_str_eq(units[1].commit.metadata, "T=1");
    cr_assert(strstr(units[1].member, "baton"), "%s", units[1].member);
    /* Nobody was disturbed by the look. */
    commit.offset = 5;
    cr_assert_eq(carry_out(sink, NULL, 0, &commit, 1, &error), SINK_COMMITTED, "%s", error.text);
    sink->destroy(sink);
    source->destroy(source);
    must_soon(kafka_admin_group(admin, 2, &world.arena, units, &error));
    cr_assert_str_eq(units[1].member, "");
    kafka_admin_destroy(admin);
    world_close(&world);
}

struct stages {
    char text[512];
    size_t count, stop_at;
};

static enum status collect(void *context, const uint8_t *value, size_t size)
{
    struct stages *stages = context;
    snprintf(stages->text + strlen(stages->text), sizeof stages->text - strlen(stages->text),
             "%.*s,", (int)size, (const char *)value);
    return ++stages->count == stages->stop_at ? STATUS_REJECT : STATUS_OK;
}

Test(kafka_admin, the_stages_are_read_committed_from_the_beginning_to_the_end, .timeout = 90)
{
    struct world world;
    world_open(&world, "stages", 2);
    struct stage_log *log;
    struct error error;
    bool truncated;
    cr_assert_eq(kafka_stage_log_create(&world.settings, &log, &error), STATUS_OK);
    struct stages stages = {0};
    must_soon(log->read(log, collect, &stages, &truncated, &error));
    cr_assert_eq(stages.count, 0);
    cr_assert(!truncated);

    char id[128];
    snprintf(id, sizeof id, "%s-w", world.group);
    rd_kafka_t *writer = plain_producer(&world, id);
    for (int round = 0; round < 3; round++) {
        cr_assert_null(rd_kafka_begin_transaction(writer));
        produce(writer, world.names[2], 0, round == 1 ? "aborted" : "a");
        produce(writer, world.names[2], 0, round == 1 ? "aborted" : "b");
        cr_assert_eq(rd_kafka_flush(writer, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
        cr_assert_null(round == 1 ? rd_kafka_abort_transaction(writer, 10000)
                                  : rd_kafka_commit_transaction(writer, 10000));
    }
    await_marks(&world, world.names[2], 1);
    must_soon(log->read(log, collect, &stages, &truncated, &error));
    cr_assert_str_eq(stages.text, "a,b,a,b,");
    cr_assert(!truncated);
    stages = (struct stages){.stop_at = 3};
    cr_assert_eq(log->read(log, collect, &stages, &truncated, &error), STATUS_REJECT);
    cr_assert_eq(stages.count, 3);

    rd_kafka_queue_t *queue = rd_kafka_queue_new(writer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, world.names[2], 0)->offset = 1;
    rd_kafka_DeleteRecords_t *order = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(writer, &order, 1, NULL, queue);
    rd_kafka_event_destroy(rd_kafka_queue_poll(queue, 10000));
    rd_kafka_DeleteRecords_destroy(order);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    stages = (struct stages){0};
    must_soon(log->read(log, collect, &stages, &truncated, &error));
    cr_assert_str_eq(stages.text, "b,a,b,");
    cr_assert(truncated);
    log->destroy(log);
    rd_kafka_destroy(writer);
    world_close(&world);
}

Test(kafka_admin, an_embedded_broker_takes_the_same_way, .timeout = 60)
{
    struct world world;
    world_open(&world, "embedded", 0);
    const char *topics[KAFKA_TOPICS];
    for (int i = 0; i < KAFKA_TOPICS; i++)
        topics[i] = world.names[i];
    struct kafka_embedded *embedded;
    struct error error;
    cr_assert_eq(kafka_embedded_start(topics, KAFKA_TOPICS, 4, &embedded, &error), STATUS_OK, "%s",
                 error.text);
    rd_kafka_destroy(world.writer);
    world.settings.brokers = kafka_embedded_brokers(embedded);
    world.settings.embedded = true;
    world.writer = plain_producer(&world, NULL);
    struct kafka_admin *admin = open_admin(&world);
    must_soon(kafka_admin_check_topics(admin, true, &error));
    struct kafka_limits limits;
    must(kafka_admin_limits(admin, &limits, &error));
    cr_assert(limits.events == 1000000 && limits.dead == 1000000);
    kafka_admin_destroy(admin);

    write_events(&world, 2, 0, 10);
    struct source *source = join_alone(&world);
    struct sink *sink = open_sink(&world, source, 0);
    must_soon(sink->reset(sink, &error));
    struct outgoing_message message = {
        .topic = TOPIC_STAGES, .key = "k", .key_size = 1, .value = "v", .value_size = 1};
    struct unit_commit commit = {2, 4, "m"};
    cr_assert_eq(carry_out(sink, &message, 1, &commit, 1, &error), SINK_COMMITTED, "%s",
                 error.text);
    struct unit_position start = {2, 3};
    must(source->start(source, &start, 1, &error));
    static struct record records[FETCH_ROOM];
    size_t seen = 0, ends = 0;
    for (int64_t until = now_ms() + 10000; now_ms() < until && !ends;) {
        size_t count;
        struct source_news news;
        must(source->fetch(source, 50, records, FETCH_ROOM, &count, &news, &error));
        for (size_t i = 0; i < count; i++)
            *(records[i].is_end ? &ends : &seen) += 1;
    }
    cr_assert_eq(seen, 7);

    /* Away and back again. */
    kafka_embedded_set_up(embedded, 0);
    enum status status = STATUS_OK;
    for (int64_t until = now_ms() + 15000; now_ms() < until && status == STATUS_OK;) {
        size_t count;
        struct source_news news;
        status = source->fetch(source, 50, records, FETCH_ROOM, &count, &news, &error);
    }
    cr_assert_eq(status, STATUS_RETRY);
    kafka_embedded_set_up(embedded, 1);
    for (int64_t until = now_ms() + 15000; now_ms() < until && status == STATUS_RETRY;
         usleep(20000)) {
        size_t count;
        struct source_news news;
        status = source->fetch(source, 50, records, FETCH_ROOM, &count, &news, &error);
    }
    cr_assert_eq(status, STATUS_OK);
    sink->destroy(sink);
    source->destroy(source);
    rd_kafka_destroy(world.writer);
    kafka_embedded_stop(embedded);
    arena_fini(&world.arena);
}

#define within(limit_ms, call, wanted)                                                             \
    do {                                                                                           \
        struct error error = {""};                                                                 \
        int64_t before = now_ms();                                                                 \
        enum status within_status = (call);                                                        \
        cr_expect_eq(within_status, wanted, "%s: %d %s", #call, within_status, error.text);        \
        cr_expect_lt(now_ms() - before, limit_ms, "%s took %d ms", #call,                          \
                     (int)(now_ms() - before));                                                    \
    } while (0)

Test(kafka_admin, a_frozen_broker_holds_nobody_up, .timeout = 90)
{
    struct world world;
    world_open(&world, "frozen", 0);
    const char *topics[KAFKA_TOPICS];
    for (int i = 0; i < KAFKA_TOPICS; i++)
        topics[i] = world.names[i];
    struct kafka_embedded *embedded;
    struct error error;
    cr_assert_eq(kafka_embedded_start(topics, KAFKA_TOPICS, 2, &embedded, &error), STATUS_OK);
    rd_kafka_destroy(world.writer);
    world.settings.brokers = kafka_embedded_brokers(embedded);
    world.settings.embedded = true;
    struct kafka_admin *admin = open_admin(&world);
    struct source *source = join_alone(&world);
    struct sink *sink = open_sink(&world, source, 0);
    must_soon(sink->reset(sink, &error));
    struct kafka_unit units[2];
    must_soon(kafka_admin_group(admin, 2, &world.arena, units, &error));
    int64_t first, end;
    must_soon(source->range(source, 0, &first, &end, &error));

    kafka_embedded_set_delay(embedded, 40000);
    uint32_t unit = 0, count;
    struct committed committed;
    within(4000, source->range(source, 0, &first, &end, &error), STATUS_RETRY);
    within(4000, source->committed(source, &unit, 1, &world.arena, &committed, &error),
           STATUS_RETRY);
    within(4000, source->partitions(source, &count, &error), STATUS_RETRY);
    within(8000, kafka_admin_group(admin, 2, &world.arena, units, &error), STATUS_RETRY);
    struct outgoing_message message = {
        .topic = TOPIC_STAGES, .key = "k", .key_size = 1, .value = "v", .value_size = 1};
    struct unit_commit commit = {0, 1, ""};
    struct transaction transaction = {&message, 1, &commit, 1};
    sink->begin(sink, &transaction);
    usleep(200000);
    within(5000, (sink->destroy(sink), STATUS_OK), STATUS_OK);
    within(3000, (source->destroy(source), STATUS_OK), STATUS_OK);
    within(3000, (kafka_admin_destroy(admin), STATUS_OK), STATUS_OK);
    kafka_embedded_stop(embedded);
    arena_fini(&world.arena);
}
