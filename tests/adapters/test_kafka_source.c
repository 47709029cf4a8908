#include "adapters/kafka_world.h"

#include <stdbool.h>

/* Fetches until `wanted` records have come (told by value in order per unit) or nothing more comes
 * for a while. */
struct seen {
    int64_t offsets[4096];
    uint32_t units[4096];
    int values[4096];
    size_t count;
    size_t ends;
    int64_t last_end;
};

static void see(struct source *source, struct seen *seen, size_t wanted, bool until_end,
                int timeout_ms)
{
    static struct record records[FETCH_ROOM];
    int64_t until = now_ms() + timeout_ms;
    size_t ends_before = seen->ends;
    while (now_ms() < until && (seen->count < wanted || (until_end && seen->ends == ends_before))) {
        size_t count;
        struct source_news news;
        struct error error;
        enum status status = source->fetch(source, 50, records, FETCH_ROOM, &count, &news, &error);
        cr_assert(status == STATUS_OK || status == STATUS_RETRY, "%s", error.text);
        if (status == STATUS_RETRY)
            continue;
        cr_assert_eq(news.kind, SOURCE_NO_NEWS);
        for (size_t i = 0; i < count; i++) {
            if (records[i].is_end) {
                seen->ends++;
                seen->last_end = records[i].offset;
                continue;
            }
            char text[32] = "";
            memcpy(text, records[i].value, records[i].value_size);
            seen->units[seen->count] = records[i].unit;
            seen->offsets[seen->count] = records[i].offset;
            seen->values[seen->count++] = atoi(text);
        }
    }
}

static void start_one(struct source *source, uint32_t unit, int64_t offset)
{
    struct unit_position position = {unit, offset};
    must(source->start(source, &position, 1, &error));
}

Test(kafka_source, tells_assignment_then_records_then_the_end, .timeout = 60)
{
    struct world world;
    world_open(&world, "order", 2);
    write_events(&world, 1, 100, 50);
    struct source *source = open_source(&world);
    uint32_t units[8];
    cr_assert_eq(await_news(source, SOURCE_ASSIGNED, units, 30000), 2);
    cr_assert_eq(units[0] + units[1], 1);
    start_one(source, 1, 10);
    struct seen seen = {0};
    see(source, &seen, 40, true, 10000);
    cr_assert_eq(seen.count, 40);
    for (size_t i = 0; i < seen.count; i++) {
        cr_assert_eq(seen.units[i], 1);
        cr_assert_eq(seen.offsets[i], 10 + (int64_t)i);
        cr_assert_eq(seen.values[i], 110 + (int)i);
    }
    cr_assert_eq(seen.ends, 1);
    cr_assert_eq(seen.last_end, 50);
    write_events(&world, 1, 150, 1);
    see(source, &seen, 41, true, 10000);
    cr_assert_eq(seen.count, 41);
    cr_assert_eq(seen.ends, 2, "the end is told again after new records");
    source->destroy(source);
    world_close(&world);
}

Test(kafka_source, key_timestamp_headers_and_tombstone_arrive, .timeout = 60)
{
    struct world world;
    world_open(&world, "fields", 1);
    cr_assert_eq(rd_kafka_producev(world.writer, RD_KAFKA_V_TOPIC(world.settings.events),
                                   RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("lead", 4),
                                   RD_KAFKA_V_TIMESTAMP(1700000000123),
                                   RD_KAFKA_V_HEADER("traceparent", "00-ab", 5),
                                   RD_KAFKA_V_HEADER("empty", NULL, 0), RD_KAFKA_V_END),
                 RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_flush(world.writer, 10000);
    write_events(&world, 0, 7, 1);
    struct source *source = join_alone(&world);
    start_one(source, 0, 0);
    struct record records[8];
    size_t count = 0;
    struct source_news news;
    for (int i = 0; i < 100 && count == 0; i++)
        must(source->fetch(source, 100, records, 8, &count, &news, &error));
    cr_assert_geq(count, 1);
    cr_assert_eq(records[0].key_size, 4);
    cr_assert_eq(memcmp(records[0].key, "lead", 4), 0);
    cr_assert_null(records[0].value);
    cr_assert_eq(records[0].timestamp_ms, 1700000000123);
    cr_assert_eq(records[0].header_count, 2);
    cr_assert_str_eq(records[0].headers[0].name, "traceparent");
    cr_assert_eq(records[0].headers[0].value_size, 5);
    cr_assert_eq(memcmp(records[0].headers[0].value, "00-ab", 5), 0);
    cr_assert_eq(records[0].headers[1].value_size, 0);
    if (count > 1)
        cr_assert_eq(records[1].header_count, 0);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_source, a_new_start_replaces_the_former_one_and_nothing_stale_comes, .timeout = 120)
{
    struct world world;
    world_open(&world, "restart", 2);
    write_events(&world, 0, 0, 2000);
    write_events(&world, 1, 10000, 2000);
    struct source *source = join_alone(&world);
    static const int64_t from[] = {0, 1500, 3, 1999, 700, 0, 1200};
    for (size_t round = 0; round < sizeof from / sizeof *from; round++) {
        struct unit_position both[] = {{0, from[round]}, {1, 0}};
        must(source->start(source, both, 1 + round % 2, &error));
        /* Some rounds leave a full queue behind, others have not fetched anything yet. */
        usleep(round % 3 * 100000);
        struct seen seen = {0};
        see(source, &seen, 1, false, 10000);
        cr_assert_geq(seen.count, 1);
        int64_t next[2] = {from[round], 0};
        for (size_t i = 0; i < seen.count; i++) {
            if (round % 2 == 0)
                cr_assert_eq(seen.units[i], 0, "unit 1 was not started in round %zu", round);
            cr_assert_eq(seen.offsets[i], next[seen.units[i]]++, "round %zu", round);
        }
    }
    /* Nothing started: still a member, and nothing comes. */
    must(source->start(source, NULL, 0, &error));
    struct seen seen = {0};
    see(source, &seen, 1, false, 1500);
    cr_assert_eq(seen.count, 0);
    start_one(source, 1, 1990);
    see(source, &seen, 10, true, 10000);
    cr_assert_eq(seen.count, 10);
    cr_assert_eq(seen.offsets[0], 1990);
    source->destroy(source);
    world_close(&world);
}

/* Each stops what the one before has begun; librdkafka ends the process when it is asked to stop a
 * partition again before it has done so. */
Test(kafka_source, starts_releases_and_the_end_may_follow_one_another_at_once, .timeout = 120)
{
    enum { UNITS = 8, ROUNDS = 300 };
    struct world world;
    world_open(&world, "hasty", UNITS);
    for (uint32_t unit = 0; unit < UNITS; unit++)
        write_events(&world, unit, 0, 10);
    struct source *source = join_alone(&world);
    struct unit_position all[UNITS];
    for (uint32_t unit = 0; unit < UNITS; unit++)
        all[unit] = (struct unit_position){unit, unit};
    for (size_t round = 0; round < ROUNDS; round++)
        must(source->start(source, all, round % (UNITS + 1), &error));
    must(source->start(source, all, UNITS, &error));
    struct seen seen = {0};
    see(source, &seen, 10 * UNITS - UNITS * (UNITS - 1) / 2, false, 20000);
    int64_t next[UNITS];
    for (uint32_t unit = 0; unit < UNITS; unit++)
        next[unit] = unit;
    for (size_t i = 0; i < seen.count; i++)
        cr_assert_eq(seen.offsets[i], next[seen.units[i]]++);
    for (uint32_t unit = 0; unit < UNITS; unit++)
        cr_assert_eq(next[unit], 10);

    must(source->start(source, all, UNITS, &error));
    must(source->release(source, &error));
    source->destroy(source);
    source = join_alone(&world);
    must(source->start(source, all, UNITS, &error));
    must(source->start(source, all, UNITS, &error));
    source->destroy(source);
    world_close(&world);
}

Test(kafka_source, a_second_member_revokes_and_shares, .timeout = 90)
{
    struct world world;
    world_open(&world, "share", 4);
    for (uint32_t unit = 0; unit < 4; unit++)
        write_events(&world, unit, 0, 10);
    struct source *first = join_alone(&world);
    start_one(first, 3, 0);
    struct source *second = open_source(&world);
    uint32_t units[4];
    cr_assert_eq(await_news(first, SOURCE_REVOKED, units, 20000), 4);
    /* Still ours until the release: no records come, and a start is let pass. */
    start_one(first, 3, 0);
    struct seen seen = {0};
    see(first, &seen, 1, false, 500);
    cr_assert_eq(seen.count, 0);
    must(first->release(first, &error));
    size_t mine = 0, other = 0;
    int64_t until = now_ms() + 30000;
    static struct record records[FETCH_ROOM];
    while ((!mine || !other) && now_ms() < until) {
        size_t count;
        struct source_news news;
        must(first->fetch(first, 50, records, FETCH_ROOM, &count, &news, &error));
        if (news.kind == SOURCE_ASSIGNED)
            mine = news.unit_count;
        must(second->fetch(second, 50, records, FETCH_ROOM, &count, &news, &error));
        if (news.kind == SOURCE_ASSIGNED)
            other = news.unit_count;
    }
    cr_assert_eq(mine, 2);
    cr_assert_eq(other, 2);
    second->destroy(second);
    cr_assert_eq(await_news(first, SOURCE_REVOKED, NULL, 20000), 2);
    must(first->release(first, &error));
    cr_assert_eq(await_news(first, SOURCE_ASSIGNED, NULL, 20000), 4);
    first->destroy(first);
    world_close(&world);
}

Test(kafka_source, a_member_that_does_not_poll_is_told_that_it_has_lost_its_units, .timeout = 90)
{
    struct world world;
    world_open(&world, "lost", 2);
    world.consumer[2] = (struct kafka_property){"max.poll.interval.ms", "6000"};
    world.settings.consumer.count = 3;
    struct source *source = join_alone(&world);
    start_one(source, 0, 0);
    sleep(8);
    (void)await_news(source, SOURCE_LOST, NULL, 10000);
    must(source->release(source, &error));
    (void)await_news(source, SOURCE_ASSIGNED, NULL, 20000);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_source, a_position_that_retention_has_removed_stops_with_both_offsets, .timeout = 60)
{
    struct world world;
    world_open(&world, "gone", 1);
    write_events(&world, 0, 0, 20);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(world.writer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, world.settings.events, 0)->offset = 15;
    rd_kafka_DeleteRecords_t *order = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(world.writer, &order, 1, NULL, queue);
    rd_kafka_event_destroy(rd_kafka_queue_poll(queue, 10000));
    rd_kafka_DeleteRecords_destroy(order);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);

    struct source *source = join_alone(&world);
    static const int64_t positions[] = {3, 77};
    for (int i = 0; i < 2; i++) {
        start_one(source, 0, positions[i]);
        struct error error = {""};
        enum status status = STATUS_OK;
        int64_t until = now_ms() + 20000;
        static struct record records[FETCH_ROOM];
        while (status != STATUS_STOP && now_ms() < until) {
            size_t count;
            struct source_news news;
            status = source->fetch(source, 100, records, FETCH_ROOM, &count, &news, &error);
            cr_assert_eq(count, 0);
        }
        cr_assert_eq(status, STATUS_STOP);
        cr_assert(strstr(error.text, i == 0 ? "unit 0: position 3 " : "unit 0: position 77 "), "%s",
                  error.text);
        cr_assert(strstr(error.text, i == 0 ? "at 15:" : "at 20:"), "%s", error.text);
    }
    int64_t first, end;
    must(source->range(source, 0, &first, &end, &error));
    cr_assert_eq(first, 15);
    cr_assert_eq(end, 20);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_source, partitions_are_counted_and_a_missing_topic_names_the_command, .timeout = 60)
{
    struct world world;
    world_open(&world, "count", 3);
    struct source *source = open_source(&world);
    uint32_t count;
    must_soon(source->partitions(source, &count, &error));
    cr_assert_eq(count, 3);
    source->destroy(source);
    world.settings.events = "there-is-no-such-topic";
    source = open_source(&world);
    struct error error;
    enum status status;
    while ((status = source->partitions(source, &count, &error)) == STATUS_RETRY)
        usleep(50000);
    cr_assert_eq(status, STATUS_STOP);
    cr_assert(strstr(error.text, "baton topics --create -c baton.yaml"), "%s", error.text);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_source, without_a_broker_it_says_retry_and_why, .timeout = 60)
{
    struct world world;
    world_open(&world, "away", 0);
    world.settings.brokers = "127.0.0.1:1";
    struct source *source = open_source(&world);
    struct error error = {""};
    enum status status = STATUS_OK;
    int64_t until = now_ms() + 10000;
    static struct record records[FETCH_ROOM];
    while (status == STATUS_OK && now_ms() < until) {
        size_t count;
        struct source_news news;
        status = source->fetch(source, 100, records, FETCH_ROOM, &count, &news, &error);
    }
    cr_assert_eq(status, STATUS_RETRY);
    cr_assert(strstr(error.text, "Kafka"), "%s", error.text);
    uint32_t unit = 0;
    struct committed committed;
    cr_assert_eq(source->committed(source, &unit, 1, &world.arena, &committed, &error),
                 STATUS_RETRY);
    int64_t before = now_ms();
    source->destroy(source);
    cr_assert_lt(now_ms() - before, 3000);
    world_close(&world);
}

/* Empty where this librdkafka does not know it. */
static void backoff_of(struct source *source, char value[32])
{
    size_t size = 32;
    value[0] = '\0';
    (void)rd_kafka_conf_get(rd_kafka_conf(kafka_source_consumer(source)), "fetch.queue.backoff.ms",
                            value, &size);
}

Test(kafka_source, a_full_queue_is_looked_at_again_soon_where_librdkafka_can, .timeout = 60)
{
    bool can = rd_kafka_version() >= 0x02020000;
    char value[32];
    struct world world;
    world_open(&world, "backoff", 0);
    struct source *source = open_source(&world);
    backoff_of(source, value);
    cr_assert_str_eq(value, can ? "5" : "", "librdkafka %s", rd_kafka_version_str());
    source->destroy(source);

    /* The configuration's own word counts more; what librdkafka does not know is named. */
    struct error error = {""};
    world.consumer[2] = (struct kafka_property){"fetch.queue.backoff.ms", "250"};
    world.settings.consumer.count = 3;
    enum status status = kafka_source_create(&world.settings, &source, &error);
    cr_assert_eq(status, can ? STATUS_OK : STATUS_STOP, "%s", error.text);
    if (can) {
        backoff_of(source, value);
        cr_assert_str_eq(value, "250");
        source->destroy(source);
    } else {
        cr_assert(strstr(error.text, "fetch.queue.backoff.ms"), "%s", error.text);
    }
    world_close(&world);
}

Test(kafka_source, an_embedded_broker_must_be_on_this_machine)
{
    static const struct {
        const char *brokers;
        enum status status;
    } cases[] = {
        {"127.0.0.1:9092", STATUS_OK},           {"localhost:1,[::1]:2", STATUS_OK},
        {"kafka.example:9092", STATUS_STOP},     {"127.0.0.1:1,10.0.0.1:2", STATUS_STOP},
        {"localhost.example:9092", STATUS_STOP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct kafka_settings settings = {.brokers = cases[i].brokers, .embedded = true};
        struct error error;
        cr_expect_eq(kafka_check_embedded(&settings, &error), cases[i].status, "%s",
                     cases[i].brokers);
    }
}

Test(kafka_source, metadata_without_generation_or_member_are_refused, .timeout = 60)
{
    struct error error;
    rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata_new("group");
    cr_expect_eq(kafka_membership_check(metadata, &error), STATUS_RETRY);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    metadata = rd_kafka_consumer_group_metadata_new_with_genid("group", 7, "", NULL);
    cr_expect_eq(kafka_membership_check(metadata, &error), STATUS_RETRY);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    metadata = rd_kafka_consumer_group_metadata_new_with_genid("group", -1, "member", NULL);
    cr_expect_eq(kafka_membership_check(metadata, &error), STATUS_RETRY);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    metadata = rd_kafka_consumer_group_metadata_new_with_genid("group", 7, "member", NULL);
    cr_expect_eq(kafka_membership_check(metadata, &error), STATUS_OK, "%s", error.text);
    rd_kafka_consumer_group_metadata_destroy(metadata);

    /* What a real assignment keeps is what this version of librdkafka says of itself. */
    struct world world;
    world_open(&world, "member", 1);
    struct source *source = join_alone(&world);
    metadata = kafka_membership_metadata(kafka_source_membership(source));
    cr_assert_not_null(metadata);
    cr_expect_eq(kafka_membership_check(metadata, &error), STATUS_OK);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    char *member = rd_kafka_memberid(kafka_source_consumer(source));
    const struct text_buffer *bytes = &kafka_source_membership(source)->bytes;
    cr_expect(memmem(bytes->data, bytes->size, member, strlen(member) + 1));
    rd_kafka_mem_free(NULL, member);
    must(source->release(source, &error));
    cr_expect_null(kafka_membership_metadata(kafka_source_membership(source)));
    source->destroy(source);
    world_close(&world);
}
