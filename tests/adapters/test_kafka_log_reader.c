/* The events topic from its beginning to its end, by our own reader and by librdkafka's. */
#include "adapters/kafka_world.h"
#include "kafka/kafka_log_reader.h"

#include <stdbool.h>

enum { UNITS = 3, ROOM = 57, SEEN_MAX = 6000, TEXT = 40 };

struct seen {
    char texts[SEEN_MAX][TEXT];
    size_t count;
};

static struct kafka_log *open_log(struct world *world, bool direct)
{
    struct kafka_log *log;
    world->settings.direct_reads = direct;
    must_soon(kafka_log_create(&world->settings, &log, &error)); /* a new topic has no leader yet */
    return log;
}

static void see(struct seen *seen, const struct record *record)
{
    cr_assert_lt(seen->count, SEEN_MAX);
    cr_assert_not(record->is_end);
    int used = snprintf(seen->texts[seen->count], TEXT, "%d:%.*s=%.*s", (int)record->unit,
                        (int)record->key_size, record->key ? (const char *)record->key : "",
                        (int)record->value_size, record->value ? (const char *)record->value : "");
    for (size_t i = 0; i < record->header_count; i++)
        used += snprintf(seen->texts[seen->count] + used, TEXT - (size_t)used, ";%s:%.*s",
                         record->headers[i].name, (int)record->headers[i].value_size,
                         record->headers[i].value ? (const char *)record->headers[i].value : "");
    seen->count++;
}

/* False: the end is reached. */
static bool read_some(struct kafka_log_reader *reader, struct seen *seen)
{
    struct record records[ROOM];
    size_t count;
    struct error error;
    enum status status = kafka_log_next(reader, records, ROOM, &count, &error);
    cr_assert_eq(status, STATUS_OK, "%s", error.text);
    for (size_t i = 0; i < count; i++)
        see(seen, &records[i]);
    return count > 0;
}

static void write_transaction(rd_kafka_t *producer, struct world *world, uint32_t unit,
                              const char *value, int count, bool commits)
{
    cr_assert_null(rd_kafka_begin_transaction(producer));
    for (int i = 0; i < count; i++)
        produce(producer, world->settings.events, unit, value);
    cr_assert_eq(rd_kafka_flush(producer, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_error_t *error = commits ? rd_kafka_commit_transaction(producer, 20000)
                                      : rd_kafka_abort_transaction(producer, 20000);
    cr_assert_null(error, "%s", rd_kafka_error_string(error));
}

static size_t count_of(const struct seen *seen, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < seen->count; i++)
        count += strcmp(seen->texts[i], text) == 0;
    return count;
}

Test(kafka_log_reader, what_was_committed_is_read_to_the_end, .timeout = 240)
{
    static struct seen seen;
    struct world world;
    world_open(&world, "log", UNITS);
    rd_kafka_t *producer = plain_producer(&world, world.group);
    write_events(&world, 0, 0, 1000);
    write_transaction(producer, &world, 0, "yes", 200, true);
    write_transaction(producer, &world, 0, "no", 300, false);
    write_transaction(producer, &world, 2, "no", 10, false);
    await_marks(&world, world.settings.events, UNITS);
    for (int direct = 0; direct <= 1; direct++) {
        struct kafka_log *log = open_log(&world, direct);
        cr_expect_eq(kafka_log_partitions(log), UNITS);
        int64_t first, end;
        kafka_log_range(log, 0, &first, &end);
        cr_expect_eq(end, 1502, "the marks of transactions have offsets, too");
        kafka_log_range(log, 2, &first, &end);
        cr_expect_eq(end, 11);
        seen.count = 0;
        for (uint32_t unit = 0; unit < UNITS; unit++) {
            struct kafka_log_reader *reader = kafka_log_open(log, unit);
            while (read_some(reader, &seen)) {
            }
            cr_expect_not(read_some(reader, &seen), "the end stays the end");
            kafka_log_close(reader);
        }
        cr_expect_eq(seen.count, 1200);
        cr_expect_eq(count_of(&seen, "0:k=yes"), 200);
        cr_expect_str_eq(seen.texts[999], "0:k=999");
        kafka_log_destroy(log);
    }
    rd_kafka_destroy(producer);
    world_close(&world);
}

Test(kafka_log_reader, what_comes_later_is_no_part_of_it, .timeout = 90)
{
    static struct seen seen;
    for (int direct = 0; direct <= 1; direct++) {
        struct world world;
        world_open(&world, "later", UNITS);
        write_events(&world, 0, 0, 500);
        struct kafka_log *log = open_log(&world, direct);
        write_events(&world, 0, 500, 500);
        write_events(&world, 1, 0, 10);
        seen.count = 0;
        for (uint32_t unit = 0; unit < UNITS; unit++) {
            struct kafka_log_reader *reader = kafka_log_open(log, unit);
            while (read_some(reader, &seen)) {
            }
            kafka_log_close(reader);
        }
        cr_expect_eq(seen.count, 500);
        kafka_log_destroy(log);
        world_close(&world);
    }
}

Test(kafka_log_reader, partitions_are_read_by_turns, .timeout = 90)
{
    static struct seen seen[UNITS];
    for (int direct = 0; direct <= 1; direct++) {
        struct world world;
        world_open(&world, "turns", UNITS);
        for (uint32_t unit = 0; unit < UNITS; unit++)
            write_events(&world, unit, 0, 700);
        struct kafka_log *log = open_log(&world, direct);
        struct kafka_log_reader *readers[UNITS];
        bool more = true;
        for (uint32_t unit = 0; unit < UNITS; unit++) {
            readers[unit] = kafka_log_open(log, unit);
            seen[unit].count = 0;
        }
        while (more) {
            more = false;
            for (uint32_t unit = 0; unit < UNITS; unit++)
                more |= read_some(readers[unit], &seen[unit]);
        }
        for (uint32_t unit = 0; unit < UNITS; unit++) {
            cr_expect_eq(seen[unit].count, 700);
            for (size_t i = 0; i < seen[unit].count; i++) {
                char text[TEXT];
                snprintf(text, sizeof text, "%u:k=%zu", unit, i);
                cr_assert_str_eq(seen[unit].texts[i], text);
            }
            kafka_log_close(readers[unit]);
        }
        kafka_log_destroy(log);
        world_close(&world);
    }
}

Test(kafka_log_reader, headers_and_tombstones_come_along, .timeout = 60)
{
    static struct seen seen;
    struct world world;
    world_open(&world, "headers", UNITS);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    (void)rd_kafka_header_add(headers, "h", -1, "x", 1);
    (void)rd_kafka_header_add(headers, "none", -1, NULL, 0);
    cr_assert_eq(rd_kafka_producev(world.writer, RD_KAFKA_V_TOPIC(world.settings.events),
                                   RD_KAFKA_V_PARTITION(1), RD_KAFKA_V_HEADERS(headers),
                                   RD_KAFKA_V_END),
                 RD_KAFKA_RESP_ERR_NO_ERROR);
    cr_assert_eq(rd_kafka_flush(world.writer, 20000), RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int direct = 0; direct <= 1; direct++) {
        struct kafka_log *log = open_log(&world, direct);
        struct kafka_log_reader *reader = kafka_log_open(log, 1);
        seen.count = 0;
        while (read_some(reader, &seen)) {
        }
        cr_assert_eq(seen.count, 1);
        cr_expect_str_eq(seen.texts[0], "1:=;h:x;none:");
        kafka_log_close(reader);
        kafka_log_destroy(log);
    }
    world_close(&world);
}

Test(kafka_log_reader, a_reader_may_be_closed_before_the_end, .timeout = 60)
{
    static struct seen seen;
    struct world world;
    world_open(&world, "closed", UNITS);
    write_events(&world, 0, 0, 700);
    for (int direct = 0; direct <= 1; direct++) {
        struct kafka_log *log = open_log(&world, direct);
        struct kafka_log_reader *reader = kafka_log_open(log, 0);
        seen.count = 0;
        cr_expect(read_some(reader, &seen));
        kafka_log_close(reader);
        kafka_log_close(kafka_log_open(log, 1));
        kafka_log_destroy(log);
    }
    world_close(&world);
}

Test(kafka_log_reader, a_topic_that_is_missing_is_told_with_what_to_do, .timeout = 60)
{
    struct world world;
    struct kafka_log *log;
    struct error error;
    world_open(&world, "missing", 0);
    cr_expect_eq(kafka_log_create(&world.settings, &log, &error), STATUS_STOP);
    cr_expect(strstr(error.text, "baton topics --create"), "%s", error.text);
    world_close(&world);
}
