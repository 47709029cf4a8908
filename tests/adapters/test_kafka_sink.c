#include "adapters/kafka_world.h"

#include <signal.h>
#include <sys/wait.h>

/* Reads what a topic's unit 0 holds for an isolation level; values joined by commas. */
static void read_topic(const struct world *world, const char *topic, const char *isolation,
                       char *out, size_t room)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", world->settings.brokers, reason, sizeof reason);
    rd_kafka_conf_set(conf, "group.id", "reader", reason, sizeof reason);
    rd_kafka_conf_set(conf, "isolation.level", isolation, reason, sizeof reason);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", reason, sizeof reason);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = 0;
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    *out = '\0';
    for (bool done = false; !done;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 10000);
        cr_assert_not_null(message);
        done = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (!message->err)
            snprintf(out + strlen(out), room - strlen(out), "%s%.*s", *out ? "," : "",
                     (int)message->len, (const char *)message->payload);
        rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static struct outgoing_message message_of(enum outgoing_topic topic, const char *value)
{
    return (struct outgoing_message){
        .topic = topic, .key = "lead", .key_size = 4, .value = value, .value_size = strlen(value)};
}

static int64_t committed_of(struct source *source, struct world *world, uint32_t unit,
                            const char **metadata)
{
    struct committed committed;
    must_soon(source->committed(source, &unit, 1, &world->arena, &committed, &error));
    if (metadata)
        *metadata = committed.metadata;
    return committed.offset;
}

Test(kafka_sink, a_transaction_commits_messages_offsets_and_metadata_together, .timeout = 60)
{
    struct world world;
    world_open(&world, "commit", 1);
    write_events(&world, 0, 0, 5);
    struct source *source = join_alone(&world);
    struct sink *sink = open_sink(&world, source, 0);
    struct error error;
    cr_assert_eq(sink->poll(sink, &error), SINK_FAILED, "not connected before the first reset");
    must_soon(sink->reset(sink, &error));
    cr_assert_eq(sink->poll(sink, &error), SINK_IDLE);
    cr_assert_eq(committed_of(source, &world, 0, NULL), -1);

    char metadata[4097];
    memset(metadata, 'm', 4096);
    metadata[4096] = '\0';
    struct header headers[] = {{"ce_id", "a/1/sql", 7}, {"empty", NULL, 0}};
    struct outgoing_message messages[] = {message_of(TOPIC_PROMOTIONS, "p1"),
                                          message_of(TOPIC_STAGES, "s1"),
                                          message_of(TOPIC_STAGES, "s2"),
                                          {.topic = TOPIC_DEAD}};
    messages[0].headers = headers;
    messages[0].header_count = 2;
    struct unit_commit commit = {0, 3, metadata};
    cr_assert_eq(carry_out(sink, messages, 4, &commit, 1, &error), SINK_COMMITTED, "%s",
                 error.text);
    cr_assert_eq(sink->poll(sink, &error), SINK_IDLE);
    const char *stored;
    cr_assert_eq(committed_of(source, &world, 0, &stored), 3);
    cr_assert_str_eq(stored, metadata);
    char text[256];
    read_topic(&world, world.settings.outputs[TOPIC_STAGES], "read_committed", text, sizeof text);
    cr_assert_str_eq(text, "s1,s2");
    read_topic(&world, world.settings.outputs[TOPIC_PROMOTIONS], "read_committed", text,
               sizeof text);
    cr_assert_str_eq(text, "p1");

    /* Offsets alone, and without metadata. */
    commit = (struct unit_commit){0, 5, ""};
    cr_assert_eq(carry_out(sink, NULL, 0, &commit, 1, &error), SINK_COMMITTED, "%s", error.text);
    cr_assert_eq(committed_of(source, &world, 0, &stored), 5);
    cr_assert_str_eq(stored, "");
    sink->destroy(sink);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_sink, what_was_aborted_is_not_seen_and_the_producer_comes_back, .timeout = 90)
{
    struct world world;
    world_open(&world, "abort", 1);
    world.settings.max_message_bytes = 2000000;
    struct source *source = join_alone(&world);
    struct sink *sink = open_sink(&world, source, 0);
    struct error error;
    struct unit_commit commit = {0, 1, "x"};
    /* The first is refused by the broker at the commit, the second by librdkafka at once. */
    static const size_t sizes[] = {1500000, 2500000};
    char *large = calloc(1, 2500000);
    struct outgoing_message messages[] = {message_of(TOPIC_STAGES, "lost"),
                                          message_of(TOPIC_STAGES, "lost too")};
    messages[1].value = large;
    for (int i = 0; i < 2; i++) {
        must_soon(sink->reset(sink, &error));
        messages[1].value_size = sizes[i];
        cr_assert_eq(carry_out(sink, messages, 2, &commit, 1, &error), SINK_FAILED);
        cr_assert_eq(sink->poll(sink, &error), SINK_FAILED, "said until the reset");
    }
    must_soon(sink->reset(sink, &error));
    cr_assert_eq(committed_of(source, &world, 0, NULL), -1);
    messages[0] = message_of(TOPIC_STAGES, "kept");
    cr_assert_eq(carry_out(sink, messages, 1, &commit, 1, &error), SINK_COMMITTED, "%s",
                 error.text);
    char text[256];
    read_topic(&world, world.settings.outputs[TOPIC_STAGES], "read_committed", text, sizeof text);
    cr_assert_str_eq(text, "kept");
    read_topic(&world, world.settings.outputs[TOPIC_STAGES], "read_uncommitted", text, sizeof text);
    cr_assert(strstr(text, "lost,"), "the broker had it: %s", text);
    free(large);
    sink->destroy(sink);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_sink, a_commit_for_an_assignment_that_is_over_fails, .timeout = 90)
{
    struct world world;
    world_open(&world, "over", 2);
    struct source *first = join_alone(&world);
    struct sink *sink = open_sink(&world, first, 0);
    struct error error;
    must_soon(sink->reset(sink, &error));
    /* A sleeper's membership: the bytes of this assignment, told after another member has joined.
     */
    struct kafka_membership old;
    text_buffer_init(&old.bytes);
    text_buffer_add(&old.bytes, kafka_source_membership(first)->bytes.data,
                    kafka_source_membership(first)->bytes.size);
    struct source *second = open_source(&world);
    (void)await_news(first, SOURCE_REVOKED, NULL, 20000);
    must(first->release(first, &error));
    struct unit_commit commit = {0, 0, ""};
    cr_assert_eq(carry_out(sink, NULL, 0, &commit, 1, &error), SINK_FAILED,
                 "no membership, no commit");
    must_soon(sink->reset(sink, &error));
    static struct record records[FETCH_ROOM];
    for (int mine = 0, others = 0; !mine || !others;) {
        size_t count;
        struct source_news news;
        must(first->fetch(first, 50, records, FETCH_ROOM, &count, &news, &error));
        mine |= news.kind == SOURCE_ASSIGNED;
        must(second->fetch(second, 50, records, FETCH_ROOM, &count, &news, &error));
        others |= news.kind == SOURCE_ASSIGNED;
    }
    struct kafka_membership *present =
        (struct kafka_membership *)(uintptr_t)kafka_source_membership(first);
    struct kafka_membership kept = *present;
    *present = old;
    cr_assert_eq(carry_out(sink, NULL, 0, &commit, 1, &error), SINK_FAILED,
                 "the broker refuses the former generation");
    *present = kept;
    must_soon(sink->reset(sink, &error));
    cr_assert_eq(carry_out(sink, NULL, 0, &commit, 1, &error), SINK_COMMITTED, "%s", error.text);
    text_buffer_fini(&old.bytes);
    sink->destroy(sink);
    second->destroy(second);
    first->destroy(first);
    world_close(&world);
}

Test(kafka_sink, k_is_hidden_while_another_producers_transaction_holds_it, .timeout = 90)
{
    struct world world;
    world_open(&world, "hidden", 1);
    struct source *source = join_alone(&world);
    char id[128];
    snprintf(id, sizeof id, "%s-other", world.group);
    rd_kafka_t *other = plain_producer(&world, id);
    cr_assert_null(rd_kafka_begin_transaction(other));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, world.settings.events, 0)->offset = 0;
    rd_kafka_consumer_group_metadata_t *metadata =
        kafka_membership_metadata(kafka_source_membership(source));
    cr_assert_null(rd_kafka_send_offsets_to_transaction(other, list, metadata, 10000));
    uint32_t unit = 0;
    struct committed committed;
    struct error error;
    int64_t before = now_ms();
    cr_assert_eq(source->committed(source, &unit, 1, &world.arena, &committed, &error),
                 STATUS_RETRY);
    cr_assert_lt(now_ms() - before, 3000);
    cr_assert_null(rd_kafka_commit_transaction(other, 10000));
    cr_assert_eq(committed_of(source, &world, 0, NULL), 0);
    rd_kafka_consumer_group_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(other);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_sink, records_of_an_open_transaction_come_when_it_commits, .timeout = 90)
{
    struct world world;
    world_open(&world, "atomic", 1);
    struct source *source = join_alone(&world);
    struct unit_position start = {0, 0};
    must(source->start(source, &start, 1, &error));
    char id[128];
    snprintf(id, sizeof id, "%s-writer", world.group);
    rd_kafka_t *writer = plain_producer(&world, id);
    static struct record records[FETCH_ROOM];
    for (int round = 0; round < 2; round++) {
        cr_assert_null(rd_kafka_begin_transaction(writer));
        for (int i = 0; i < 3; i++)
            produce(writer, world.settings.events, 0, round == 0 ? "aborted" : "committed");
        cr_assert_eq(rd_kafka_flush(writer, 10000), RD_KAFKA_RESP_ERR_NO_ERROR);
        int64_t until = now_ms() + 700;
        size_t count, seen = 0;
        struct source_news news;
        while (now_ms() < until) {
            must(source->fetch(source, 50, records, FETCH_ROOM, &count, &news, &error));
            for (size_t i = 0; i < count; i++)
                seen += !records[i].is_end;
        }
        cr_assert_eq(seen, 0);
        cr_assert_null(round == 0 ? rd_kafka_abort_transaction(writer, 10000)
                                  : rd_kafka_commit_transaction(writer, 10000));
        bool ended = false;
        until = now_ms() + 10000;
        while ((!ended || (round == 1 && seen < 3)) && now_ms() < until) {
            must(source->fetch(source, 50, records, FETCH_ROOM, &count, &news, &error));
            for (size_t i = 0; i < count; i++) {
                seen += !records[i].is_end;
                ended |= records[i].is_end && records[i].offset >= 4 * (round + 1);
                if (!records[i].is_end)
                    cr_assert_eq(records[i].offset, 4 + (int64_t)seen - 1,
                                 "the markers and aborted ones leave a gap");
            }
        }
        cr_assert_eq(seen, round == 0 ? 0 : 3);
        cr_assert(ended, "the end is told behind the marker");
    }
    rd_kafka_destroy(writer);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_sink, the_older_of_two_processes_with_one_instance_ends, .timeout = 60)
{
    struct world world;
    world_open(&world, "twins", 1);
    struct source *source = join_alone(&world);
    struct sink *older = open_sink(&world, source, 0), *newer = open_sink(&world, source, 0);
    struct error error;
    must_soon(older->reset(older, &error));
    must_soon(newer->reset(newer, &error));
    struct unit_commit commit = {0, 0, ""};
    cr_assert_eq(carry_out(older, NULL, 0, &commit, 1, &error), SINK_FAILED);
    cr_assert_eq(older->reset(older, &error), STATUS_STOP);
    cr_assert(strstr(error.text, "two processes use instance one"), "%s", error.text);
    cr_assert_eq(carry_out(newer, NULL, 0, &commit, 1, &error), SINK_COMMITTED, "%s", error.text);
    older->destroy(older);
    newer->destroy(newer);
    source->destroy(source);
    world_close(&world);
}

/* The broker has ended the sleeper's transaction and moved its epoch on, as a second process would
 * have done. */
Test(kafka_sink, a_process_that_slept_in_its_transaction_is_not_taken_for_two, .timeout = 90)
{
    struct world world;
    world_open(&world, "sleeper", 1);
    struct source *source = join_alone(&world);
    struct sink *sink = open_sink(&world, source, 0);
    struct error error;
    must_soon(sink->reset(sink, &error));
    struct outgoing_message message = message_of(TOPIC_STAGES, "slept");
    struct unit_commit commit = {0, 1, ""};
    struct transaction transaction = {&message, 1, &commit, 1};
    pid_t sleeper = getpid(), waker = fork();
    if (waker == 0) {
        sleep(13);
        kill(sleeper, SIGCONT);
        _exit(0);
    }
    sink->begin(sink, &transaction);
    usleep(20000); /* a producer's first transaction takes much longer */
    raise(SIGSTOP);
    waitpid(waker, NULL, 0);
    cr_assert_eq(finish(sink, &error), SINK_FAILED);
    must_soon(sink->reset(sink, &error));
    char text[64];
    read_topic(&world, world.settings.outputs[TOPIC_STAGES], "read_committed", text, sizeof text);
    cr_assert_str_eq(text, "");
    sink->destroy(sink);
    source->destroy(source);
    world_close(&world);
}

Test(kafka_sink, without_a_broker_a_reset_is_to_be_repeated, .timeout = 60)
{
    struct world world;
    world_open(&world, "sinkaway", 0);
    world.settings.brokers = "127.0.0.1:1";
    struct source *source = open_source(&world);
    struct sink *sink = open_sink(&world, source, 0);
    struct error error;
    for (int i = 0; i < 2; i++) {
        int64_t before = now_ms();
        cr_assert_eq(sink->reset(sink, &error), STATUS_RETRY);
        cr_assert_lt(now_ms() - before, 6000);
    }
    sink->destroy(sink);
    source->destroy(source);
    world_close(&world);
}

/* ---- Rebalance storm ---- */

enum { UNITS = 6, PER_UNIT = 4000, MEMBERS = 4 };

struct member {
    struct source *source;
    struct sink *sink;
    bool holds[UNITS];
    int64_t next[UNITS];
};

static void join_storm(struct world *world, struct member *member, unsigned slot)
{
    memset(member, 0, sizeof *member);
    member->source = open_source(world);
    member->sink = open_sink(world, member->source, slot);
    must_soon(member->sink->reset(member->sink, &error));
}

/* Commits what is held; false when the assignment is over. */
static bool commit_positions(struct member *member)
{
    struct unit_commit commits[UNITS];
    size_t count = 0;
    struct error error;
    for (uint32_t unit = 0; unit < UNITS; unit++)
        if (member->holds[unit])
            commits[count++] = (struct unit_commit){unit, member->next[unit], ""};
    if (count == 0 || carry_out(member->sink, NULL, 0, commits, count, &error) == SINK_COMMITTED)
        return true;
    must_soon(member->sink->reset(member->sink, &error));
    return false;
}

static void take_over(struct world *world, struct member *member, const struct source_news *news)
{
    struct unit_position positions[UNITS];
    struct committed committed[UNITS];
    uint32_t units[UNITS];
    size_t count = news->unit_count;
    memcpy(units, news->units, count * sizeof *units);
    if (count == 0)
        return;
    arena_reset(&world->arena);
    must_soon(
        member->source->committed(member->source, units, count, &world->arena, committed, &error));
    for (size_t i = 0; i < count; i++) {
        member->holds[units[i]] = true;
        member->next[units[i]] = committed[i].offset < 0 ? 0 : committed[i].offset;
        positions[i] = (struct unit_position){units[i], member->next[units[i]]};
    }
    must(member->source->start(member->source, positions, count, &error));
}

static void step(struct world *world, struct member *member)
{
    static struct record records[500];
    size_t count;
    struct source_news news;
    must_soon(member->source->fetch(member->source, 20, records, 500, &count, &news, &error));
    for (size_t i = 0; i < count; i++) {
        if (records[i].is_end)
            continue;
        uint32_t unit = records[i].unit;
        cr_assert(member->holds[unit]);
        cr_assert_eq(records[i].offset, member->next[unit], "unit %u: %lld instead of %lld", unit,
                     (long long)records[i].offset, (long long)member->next[unit]);
        member->next[unit]++;
    }
    if (news.kind == SOURCE_ASSIGNED) {
        take_over(world, member, &news);
    } else if (news.kind != SOURCE_NO_NEWS) {
        if (news.kind == SOURCE_REVOKED)
            (void)commit_positions(member);
        memset(member->holds, 0, sizeof member->holds);
        must(member->source->release(member->source, &error));
    }
}

Test(kafka_sink, a_storm_of_rebalances_loses_and_doubles_nothing, .timeout = 240)
{
    struct world world;
    world_open(&world, "storm", UNITS);
    struct member members[MEMBERS] = {0};
    unsigned random = 20261101;
    int written = 0;
    int64_t until = now_ms() + 15000;
    join_storm(&world, &members[0], 0);
    for (int round = 0; now_ms() < until; round++) {
        for (size_t i = 0; i < MEMBERS; i++)
            if (members[i].source)
                step(&world, &members[i]);
        if (written < PER_UNIT && round % 3 == 0) {
            for (uint32_t unit = 0; unit < UNITS; unit++)
                write_events(&world, unit, written, 50);
            written += 50;
        }
        random = random * 1103515245u + 12345u;
        size_t slot = (random >> 16) % MEMBERS;
        if (round % 25 != 24)
            continue;
        if (!members[slot].source) {
            join_storm(&world, &members[slot], (unsigned)slot);
        } else if (slot != 0) {
            (void)commit_positions(&members[slot]);
            members[slot].sink->destroy(members[slot].sink);
            members[slot].source->destroy(members[slot].source);
            memset(&members[slot], 0, sizeof members[slot]);
        }
    }
    /* The rest, by whoever is there; then every unit stands at its end. */
    for (int64_t last = now_ms() + 60000; now_ms() < last;) {
        int done = 0;
        for (size_t i = 0; i < MEMBERS; i++) {
            if (!members[i].source)
                continue;
            step(&world, &members[i]);
            for (uint32_t unit = 0; unit < UNITS; unit++)
                done += members[i].holds[unit] && members[i].next[unit] == written;
        }
        if (done == UNITS)
            break;
    }
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].source)
            cr_expect(commit_positions(&members[i]));
    for (uint32_t unit = 0; unit < UNITS; unit++)
        cr_expect_eq(committed_of(members[0].source, &world, unit, NULL), written);
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!members[i].source)
            continue;
        members[i].sink->destroy(members[i].sink);
        members[i].source->destroy(members[i].source);
    }
    world_close(&world);
}
