/* Our own reader on a real broker, beside librdkafka's consumer: both tell the same. */
#include "adapters/kafka_world.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

enum { UNITS = 3, TEXT = 120, SEEN_MAX = 20000 };

/* What came, or should: records as texts, in order. */
struct lines {
    char (*texts)[TEXT];
    int64_t *offsets;
    size_t count;
    int64_t end; /* the last end that was told */
};

static void open_lines(struct lines lines[UNITS])
{
    for (int i = 0; i < UNITS; i++)
        lines[i] = (struct lines){.texts = malloc(SEEN_MAX * TEXT),
                                  .offsets = malloc(SEEN_MAX * sizeof(int64_t)),
                                  .end = -1};
}

static void close_lines(struct lines lines[UNITS])
{
    for (int i = 0; i < UNITS; i++) {
        free(lines[i].texts);
        free(lines[i].offsets);
    }
}

static void add_line(struct lines *lines, int64_t offset, const char *text)
{
    cr_assert_lt(lines->count, SEEN_MAX);
    lines->offsets[lines->count] = offset;
    (void)snprintf(lines->texts[lines->count++], TEXT, "%s", text);
}

static void see_record(struct lines lines[UNITS], const struct record *record)
{
    char text[TEXT];
    struct lines *unit = &lines[record->unit];
    if (record->is_end) {
        unit->end = record->offset;
        return;
    }
    int used = snprintf(text, TEXT, "%.*s=%.*s%s@%lld", (int)record->key_size,
                        record->key ? (const char *)record->key : "", (int)record->value_size,
                        record->value ? (const char *)record->value : "",
                        record->value ? "" : "(none)", (long long)record->timestamp_ms);
    for (size_t i = 0; i < record->header_count && used < TEXT; i++)
        used += snprintf(text + used, TEXT - (size_t)used, ";%s:%.*s", record->headers[i].name,
                         (int)record->headers[i].value_size,
                         record->headers[i].value ? (const char *)record->headers[i].value : "");
    add_line(unit, record->offset, text);
}

/* ---- writing ---- */

static rd_kafka_t *make_producer(const struct world *world, const char *name, const char *codec)
{
    char reason[256], id[160];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", world->settings.brokers, reason, sizeof reason);
    rd_kafka_conf_set(conf, "linger.ms", "30", reason, sizeof reason);
    rd_kafka_conf_set(conf, "enable.idempotence", "true", reason, sizeof reason);
    cr_assert_eq(rd_kafka_conf_set(conf, "compression.type", codec, reason, sizeof reason),
                 RD_KAFKA_CONF_OK, "%s", reason);
    (void)snprintf(id, sizeof id, "%s-%s", world->group, name ? name : "");
    if (name)
        rd_kafka_conf_set(conf, "transactional.id", id, reason, sizeof reason);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    cr_assert_not_null(producer, "%s", reason);
    if (name)
        cr_assert_null(rd_kafka_init_transactions(producer, 20000));
    return producer;
}

struct writing {
    const char *topic;
    unsigned dice, number;
    struct lines *wanted; /* by unit; NULL: this is not to be seen */
};

static unsigned roll(struct writing *writing, unsigned limit)
{
    writing->dice = writing->dice * 1103515245u + 12345u;
    return (writing->dice >> 16) % limit;
}

static void write_one(struct writing *writing, rd_kafka_t *producer, bool wanted)
{
    char key[16], value[40], text[TEXT];
    unsigned unit = roll(writing, UNITS), number = writing->number++;
    int64_t time = 1700000000000 + number;
    bool tombstone = roll(writing, 9) == 0, keyless = roll(writing, 9) == 0;
    rd_kafka_headers_t *headers = roll(writing, 5) ? NULL : rd_kafka_headers_new(2);
    (void)snprintf(key, sizeof key, "k%u", roll(writing, 50));
    (void)snprintf(value, sizeof value, "value %u of many", number);
    if (keyless)
        key[0] = '\0';
    (void)snprintf(text, TEXT, "%s=%s@%lld%s", key, tombstone ? "(none)" : value, (long long)time,
                   headers ? ";h:x;none:" : "");
    if (headers) {
        (void)rd_kafka_header_add(headers, "h", -1, "x", 1);
        (void)rd_kafka_header_add(headers, "none", -1, NULL, 0);
    }
    rd_kafka_resp_err_t code = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(writing->topic), RD_KAFKA_V_PARTITION((int32_t)unit),
        RD_KAFKA_V_KEY(keyless ? NULL : key, strlen(key)),
        RD_KAFKA_V_VALUE(tombstone ? NULL : value, tombstone ? 0 : strlen(value)),
        RD_KAFKA_V_TIMESTAMP(time), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    cr_assert_eq(code, RD_KAFKA_RESP_ERR_NO_ERROR, "%s", rd_kafka_err2str(code));
    if (wanted)
        add_line(&writing->wanted[unit], 0, text);
}

static void write_some(struct writing *writing, rd_kafka_t *producer, unsigned count, bool wanted)
{
    for (unsigned i = 0; i < count; i++)
        write_one(writing, producer, wanted);
    cr_assert_eq(rd_kafka_flush(producer, 30000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void end_transaction(rd_kafka_t *producer, bool commits)
{
    rd_kafka_error_t *error = commits ? rd_kafka_commit_transaction(producer, 20000)
                                      : rd_kafka_abort_transaction(producer, 20000);
    cr_assert_null(error, "%s", rd_kafka_error_string(error));
}

/* Three transactions at a time, of which the middle one is aborted, and plain records between. */
static void write_transactions(struct world *world, struct writing *writing, unsigned rounds)
{
    static const char *const names[] = {"a", "b", "c"};
    static const char *const codecs[] = {"lz4", "none", "lz4"};
    rd_kafka_t *producers[3],
        *plain[2] = {make_producer(world, NULL, "none"), make_producer(world, NULL, "lz4")};
    for (int i = 0; i < 3; i++)
        producers[i] = make_producer(world, names[i], codecs[i]);
    for (unsigned round = 0; round < rounds; round++) {
        for (int i = 0; i < 3; i++)
            cr_assert_null(rd_kafka_begin_transaction(producers[i]));
        for (int part = 0; part < 3; part++) {
            for (unsigned i = 0; i < 3; i++)
                write_some(writing, producers[(i + round) % 3], 1 + roll(writing, 60),
                           (i + round) % 3 != round % 3);
            write_some(writing, plain[part & 1], 1 + roll(writing, 60), true);
        }
        for (unsigned i = 0; i < 3; i++)
            end_transaction(producers[i], i != round % 3);
    }
    for (int i = 0; i < 3; i++)
        rd_kafka_destroy(producers[i]);
    rd_kafka_destroy(plain[0]);
    rd_kafka_destroy(plain[1]);
    await_marks(world, writing->topic, UNITS);
}

/* ---- reading ---- */

static void start_all(struct source *source, const int64_t positions[UNITS])
{
    struct unit_position all[UNITS];
    for (uint32_t unit = 0; unit < UNITS; unit++)
        all[unit] = (struct unit_position){unit, positions[unit]};
    must(source->start(source, all, UNITS, &error));
}

static bool are_at_end(const struct lines lines[UNITS], const int64_t ends[UNITS])
{
    for (int i = 0; i < UNITS; i++)
        if (lines[i].end != ends[i])
            return false;
    return true;
}

static void find_ends(struct source *source, int64_t ends[UNITS])
{
    for (uint32_t unit = 0; unit < UNITS; unit++) {
        int64_t first;
        must_soon(source->range(source, unit, &first, &ends[unit], &error));
    }
}

static void read_on(struct source *source, struct lines lines[UNITS], size_t room)
{
    static struct record records[FETCH_ROOM];
    size_t count;
    struct source_news news;
    struct error error;
    enum status status = source->fetch(source, 100, records, room, &count, &news, &error);
    cr_assert(status == STATUS_OK || status == STATUS_RETRY, "%s", error.text);
    if (status == STATUS_RETRY)
        return;
    cr_assert_eq(news.kind, SOURCE_NO_NEWS);
    for (size_t i = 0; i < count; i++)
        see_record(lines, &records[i]);
}

static void read_to_ends(struct source *source, struct lines lines[UNITS], size_t room)
{
    int64_t ends[UNITS], until = now_ms() + 60000;
    find_ends(source, ends);
    while (!are_at_end(lines, ends)) {
        cr_assert_lt(now_ms(), until);
        read_on(source, lines, room);
    }
}

/* A member of a group of its own. */
static struct source *join(struct world *world, const char *who, bool direct)
{
    static char groups[8][120];
    static int count;
    char *group = groups[count++ % 8];
    (void)snprintf(group, sizeof groups[0], "%s-%s-%d", world->group, who, count);
    world->settings.group = group;
    world->settings.direct_reads = direct;
    return join_alone(world);
}

static bool reads_directly(const struct source *source)
{
    rd_kafka_topic_partition_list_t *list;
    cr_assert_eq(rd_kafka_assignment(kafka_source_consumer(source), &list),
                 RD_KAFKA_RESP_ERR_NO_ERROR);
    int count = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return count == 0;
}

static void expect_same(const struct lines *got, const struct lines *wanted, bool with_offsets)
{
    for (int unit = 0; unit < UNITS; unit++) {
        size_t count = got[unit].count < wanted[unit].count ? got[unit].count : wanted[unit].count;
        for (size_t i = 0; i < count; i++) {
            cr_assert_str_eq(got[unit].texts[i], wanted[unit].texts[i], "unit %d, %zu", unit, i);
            if (with_offsets)
                cr_assert_eq(got[unit].offsets[i], wanted[unit].offsets[i]);
            if (i)
                cr_assert_gt(got[unit].offsets[i], got[unit].offsets[i - 1]);
        }
        cr_assert_eq(got[unit].count, wanted[unit].count, "unit %d", unit);
        if (with_offsets)
            cr_assert_eq(got[unit].end, wanted[unit].end);
    }
}

static const int64_t from_the_beginning[UNITS];

Test(kafka_reads, both_readers_tell_what_was_committed, .timeout = 200)
{
    struct world world;
    struct lines wanted[UNITS], ours[UNITS], theirs[UNITS];
    world_open(&world, "same", UNITS);
    open_lines(wanted);
    open_lines(ours);
    open_lines(theirs);
    struct writing writing = {.topic = world.settings.events, .dice = 7, .wanted = wanted};
    write_transactions(&world, &writing, 4);

    struct source *direct = join(&world, "ours", true), *other = join(&world, "theirs", false);
    start_all(direct, from_the_beginning);
    start_all(other, from_the_beginning);
    read_to_ends(direct, ours, 97);
    read_to_ends(other, theirs, FETCH_ROOM);
    expect_same(ours, wanted, false);
    expect_same(ours, theirs, true);
    cr_expect(reads_directly(direct));
    cr_expect_not(reads_directly(other));
    cr_expect_eq(direct->waiting(direct), 0);

    /* From anywhere, in the middle of batches as well: the same rest. */
    for (int i = 0; i < 12; i++) {
        struct lines again[UNITS];
        int64_t positions[UNITS];
        open_lines(again);
        for (int unit = 0; unit < UNITS; unit++)
            positions[unit] = ours[unit].end * (i + 1) / 13 + unit;
        start_all(direct, positions);
        read_to_ends(direct, again, 1 + (size_t)i * 50);
        for (int unit = 0; unit < UNITS; unit++) {
            size_t first = 0;
            while (first < ours[unit].count && ours[unit].offsets[first] < positions[unit])
                first++;
            cr_assert_eq(again[unit].count, ours[unit].count - first);
            for (size_t k = 0; k < again[unit].count; k++) {
                cr_assert_eq(again[unit].offsets[k], ours[unit].offsets[first + k]);
                cr_assert_str_eq(again[unit].texts[k], ours[unit].texts[first + k]);
            }
        }
        close_lines(again);
    }
    direct->destroy(direct);
    other->destroy(other);
    close_lines(wanted);
    close_lines(ours);
    close_lines(theirs);
    world_close(&world);
}

/* The end lies before it, and behind its mark once it is over, though nothing of it is seen. */
Test(kafka_reads, an_open_transaction_holds_the_end, .timeout = 90)
{
    for (int direct = 0; direct <= 1; direct++) {
        struct world world;
        struct lines wanted[UNITS], got[UNITS];
        world_open(&world, "open", UNITS);
        open_lines(wanted);
        open_lines(got);
        struct writing writing = {.topic = world.settings.events, .dice = 3, .wanted = wanted};
        rd_kafka_t *plain = make_producer(&world, NULL, "lz4");
        rd_kafka_t *producer = make_producer(&world, "t", "lz4");
        write_some(&writing, plain, 90, true);
        struct source *source = join(&world, "reader", direct);
        start_all(source, from_the_beginning);
        read_to_ends(source, got, FETCH_ROOM);
        cr_assert_null(rd_kafka_begin_transaction(producer));
        write_some(&writing, producer, 60, false);
        int64_t before = now_ms();
        while (now_ms() < before + 500) {
            read_on(source, got, FETCH_ROOM);
            cr_assert_eq(got[0].count, wanted[0].count);
        }
        end_transaction(producer, false);
        await_marks(&world, writing.topic, UNITS);
        read_to_ends(source, got, FETCH_ROOM);
        expect_same(got, wanted, false);
        source->destroy(source);
        rd_kafka_destroy(plain);
        rd_kafka_destroy(producer);
        close_lines(wanted);
        close_lines(got);
        world_close(&world);
    }
}

Test(kafka_reads, librdkafka_goes_on_where_another_codec_begins, .timeout = 200)
{
    static const char *const codecs[] = {"gzip", "zstd"};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        struct world world;
        struct lines wanted[UNITS], ours[UNITS], theirs[UNITS];
        world_open(&world, codecs[i], UNITS);
        open_lines(wanted);
        open_lines(ours);
        open_lines(theirs);
        struct writing writing = {
            .topic = world.settings.events, .dice = (unsigned)i + 5, .wanted = wanted};
        rd_kafka_t *known = make_producer(&world, NULL, "lz4");
        rd_kafka_t *unknown = make_producer(&world, NULL, codecs[i]);
        write_transactions(&world, &writing, 1);
        write_some(&writing, known, 500, true);
        struct source *source = join(&world, "ours", true);
        start_all(source, from_the_beginning);
        for (int takes = 0; takes < 5; takes++)
            read_on(source, ours, 10);
        cr_expect(reads_directly(source));
        write_some(&writing, unknown, 500, true);
        write_some(&writing, known, 500, true);
        read_to_ends(source, ours, 33);
        cr_expect_not(reads_directly(source), "%s", codecs[i]);
        write_transactions(&world, &writing, 1);
        read_to_ends(source, ours, 33);
        expect_same(ours, wanted, false);

        /* A new start stays with librdkafka. */
        close_lines(ours);
        open_lines(ours);
        start_all(source, from_the_beginning);
        read_to_ends(source, ours, FETCH_ROOM);
        struct source *other = join(&world, "theirs", false);
        start_all(other, from_the_beginning);
        read_to_ends(other, theirs, FETCH_ROOM);
        expect_same(ours, theirs, true);
        expect_same(ours, wanted, false);
        source->destroy(source);
        other->destroy(other);
        rd_kafka_destroy(known);
        rd_kafka_destroy(unknown);
        close_lines(wanted);
        close_lines(ours);
        close_lines(theirs);
        world_close(&world);
    }
}

/* ---- A broker of the test's own, which may be frozen and restarted ---- */

static char folder[256], address[64];

static void run(const char *command)
{
    char line[1200];
    (void)snprintf(line, sizeof line, "BATON_KAFKA_HEAP=512m %s/deploy/kafka/%s", BATON_SOURCE_DIR,
                   command);
    cr_assert_eq(system(line), 0, "%s", line);
}

static void read_line(const char *name, char *to, size_t size)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    cr_assert(file && fgets(to, (int)size, file), "%s", path);
    (void)fclose(file);
    to[strcspn(to, "\n")] = '\0';
}

static void start_broker(const char *port)
{
    char command[600];
    (void)snprintf(command, sizeof command, "start --quiet --dir %s --port %s >/dev/null", folder,
                   port);
    run(command);
    read_line("address", address, sizeof address);
}

static void stop_broker(const char *how)
{
    char command[600];
    (void)snprintf(command, sizeof command, "stop --dir %s %s 2>/dev/null", folder, how);
    run(command);
}

static pid_t broker_process(void)
{
    char number[32];
    read_line("pid", number, sizeof number);
    return (pid_t)atoi(number);
}

/* Whatever the group has to say meanwhile, it ends at the ends. */
static void read_through(struct source *source, struct lines lines[UNITS],
                         const struct lines wanted[UNITS])
{
    static struct record records[FETCH_ROOM];
    int64_t until = now_ms() + 90000;
    for (bool all = false; !all;) {
        size_t count;
        struct source_news news;
        struct error error;
        cr_assert_lt(now_ms(), until);
        enum status status = source->fetch(source, 100, records, 50, &count, &news, &error);
        cr_assert_neq(status, STATUS_STOP, "%s", error.text);
        for (size_t i = 0; status == STATUS_OK && i < count; i++)
            see_record(lines, &records[i]);
        if (status == STATUS_OK && news.kind == SOURCE_ASSIGNED) {
            int64_t positions[UNITS];
            for (int unit = 0; unit < UNITS; unit++)
                positions[unit] =
                    lines[unit].count ? lines[unit].offsets[lines[unit].count - 1] + 1 : 0;
            start_all(source, positions);
        } else if (status == STATUS_OK && news.kind != SOURCE_NO_NEWS) {
            must(source->release(source, &error));
        }
        all = true;
        for (int unit = 0; unit < UNITS; unit++)
            all = all && lines[unit].count >= wanted[unit].count;
    }
}

Test(kafka_reads, a_broker_may_freeze_and_be_restarted, .timeout = 280)
{
    struct world world;
    struct lines wanted[UNITS], ours[UNITS];
    (void)snprintf(folder, sizeof folder, "%s/kafka-reads-%d",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
    start_broker("free");
    cr_assert_eq(setenv("BATON_TEST_KAFKA", address, 1), 0);
    world_open(&world, "freeze", UNITS);
    world.consumer[0].value = "40000"; /* it stays a member */
    open_lines(wanted);
    open_lines(ours);
    struct writing writing = {.topic = world.settings.events, .dice = 11, .wanted = wanted};
    rd_kafka_t *producer = make_producer(&world, NULL, "lz4");
    write_some(&writing, producer, 3000, true);
    struct source *source = join(&world, "ours", true);
    start_all(source, from_the_beginning);
    for (int i = 0; i < 10; i++)
        read_on(source, ours, 50);

    pid_t process = broker_process();
    cr_assert_eq(kill(process, SIGSTOP), 0);
    int64_t frozen = now_ms();
    while (now_ms() < frozen + 12000) /* longer than an answer may take */
        read_on(source, ours, 1);
    cr_assert_eq(kill(process, SIGCONT), 0);
    write_some(&writing, producer, 1000, true);
    read_through(source, ours, wanted);
    expect_same(ours, wanted, false);

    stop_broker("");
    for (int i = 0; i < 10; i++)
        read_on(source, ours, 50);
    start_broker(strchr(address, ':') + 1);
    write_some(&writing, producer, 1000, true);
    read_through(source, ours, wanted);
    expect_same(ours, wanted, false);
    cr_expect(reads_directly(source));

    source->destroy(source);
    rd_kafka_destroy(producer);
    close_lines(wanted);
    close_lines(ours);
    world_close(&world);
    stop_broker("--wipe");
}
