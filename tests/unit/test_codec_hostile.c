/* Bytes that nobody means well with: a verdict each time, quickly, without a byte too far. */
#include "codec_support.h"

#include <time.h>

static struct bench bench;
static struct avro_bytes bytes;

static void start(void)
{
    bench_init(&bench, NULL);
    put_registry(&bytes, 1);
}

static void stop(void)
{
    bench_fini(&bench);
}

TestSuite(hostile, .init = start, .fini = stop, .timeout = 60);

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"FormFill\",\"fields\":[" fields "]}"
#define RICH                                                                                       \
    RECORD(                                                                                        \
        "{\"name\":\"nulls\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},"                   \
        "{\"name\":\"event_id\",\"type\":\"string\"},{\"name\":\"lead_id\",\"type\":[\"null\","    \
        "\"string\"]},"                                                                            \
        "{\"name\":\"time\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"   \
        "{\"name\":\"list\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"L\",\"fields\":["   \
        "{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}]},"                                       \
        "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}},"  \
        "{\"name\":\"sector\",\"type\":\"E\"},{\"name\":\"session\",\"type\":\"boolean\"},"        \
        "{\"name\":\"fields\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\","         \
        "\"double\"]}},"                                                                           \
        "{\"name\":\"deep\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":"  \
        "\"long\"}}},"                                                                             \
        "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}}")

static size_t body; /* where the record begins */

static void put_rich(void)
{
    bench_schema(&bench, 1, RICH);
    put_registry(&bytes, 1);
    body = (size_t)(bytes.at - bytes.bytes);
    put_long(&bytes, 3); /* three nulls */
    put_long(&bytes, 0);
    put_text(&bytes, "e1");
    put_long(&bytes, 1);
    put_text(&bytes, "l1");
    put_long(&bytes, NOON);
    put_long(&bytes, 1); /* a list of three */
    put_long(&bytes, 1);
    put_long(&bytes, 1);
    put_long(&bytes, 0);
    put_long(&bytes, 1); /* E */
    put_long(&bytes, 0);
    *bytes.at++ = 1;
    put_long(&bytes, 2); /* fields */
    put_text(&bytes, "email");
    put_long(&bytes, 1);
    put_text(&bytes, "a@b.example");
    put_text(&bytes, "x");
    put_long(&bytes, 2);
    put_double(&bytes, 1e300);
    put_long(&bytes, 0);
    put_long(&bytes, -1); /* deep: a block with its size */
    put_long(&bytes, 5);
    put_text(&bytes, "k");
    put_long(&bytes, 1);
    put_long(&bytes, 9);
    put_long(&bytes, 0);
    put_long(&bytes, 0);
    bytes.at = bytes_put(bytes.at, "abc", 3);
}

static void expect(const char *verdict)
{
    (void)bench_avro(&bench, &bytes);
    cr_expect_str_eq(bench_verdict(&bench), verdict, "%s: %s", bench_verdict(&bench),
                     bench.result.detail);
}

Test(hostile, a_message_cut_anywhere_is_unreadable)
{
    put_rich();
    expect("");
    size_t size = (size_t)(bytes.at - bytes.bytes);
    for (size_t cut = 0; cut < size; cut++) {
        (void)bench_decode(&bench, bytes.bytes, cut);
        const char *verdict = cut == 0 ? "empty" : cut < 5 ? "unknown_framing" : "unreadable";
        cr_expect_str_eq(bench_verdict(&bench), verdict, "%zu", cut);
    }
    *bytes.at++ = 0;
    expect("unreadable");
}

static uint32_t random_state = 1;
static uint32_t roll(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(random_state >> 8) * limit >> 24);
}

Test(hostile, random_damage_gives_some_verdict)
{
    put_rich();
    struct avro_bytes good = bytes;
    size_t size = (size_t)(bytes.at - bytes.bytes), read = 0;
    for (int round = 0; round < 100000; round++) {
        uint8_t copy[sizeof bytes.bytes];
        size_t length = size;
        memcpy(copy, good.bytes, size);
        for (uint32_t i = 0, times = 1 + roll(4); i < times; i++)
            copy[body + roll((uint32_t)(size - body))] ^= (uint8_t)(1u << roll(8));
        if (roll(5) == 0)
            length = roll((uint32_t)size + 1);
        read += bench_decode(&bench, copy, length) == DECODED;
        arena_reset(&bench.arena);
    }
    cr_expect_gt(read, 100);
}

Test(hostile, random_bytes_give_some_verdict)
{
    bench_schema(&bench, 1, RICH);
    for (int round = 0; round < 100000; round++) {
        uint8_t noise[128];
        put_registry(&bytes, 1);
        memcpy(noise, bytes.bytes, 5);
        for (size_t i = 5; i < sizeof noise; i++)
            noise[i] = (uint8_t)(roll(3) ? roll(6) : roll(256));
        (void)bench_decode(&bench, noise, 5 + roll(120));
        arena_reset(&bench.arena);
    }
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#define LIST(type) RECORD("{\"name\":\"x\",\"type\":{\"type\":\"array\",\"items\":" type "}}")

Test(hostile, counts_without_bytes_cost_nothing)
{
    static const int64_t counts[] = {1000001, INT64_C(1) << 31, INT64_MAX, INT64_MIN, -1000001};
    static const char *const lists[] = {
        LIST("\"null\""),
        LIST("{\"type\":\"record\",\"name\":\"Empty\",\"fields\":[]}"),
        LIST("{\"type\":\"fixed\",\"name\":\"F\",\"size\":0}"),
        LIST("{\"type\":\"record\",\"name\":\"Nulls\",\"fields\":[{\"name\":\"a\",\"type\":"
             "\"null\"}]}"),
        LIST("\"double\""),
        LIST("\"string\""),
        RECORD("{\"name\":\"fields\",\"type\":{\"type\":\"map\",\"values\":\"null\"}}"),
        RECORD("{\"name\":\"x\",\"type\":{\"type\":\"map\",\"values\":\"null\"}}"),
        RECORD("{\"name\":\"fields\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
               "\"name\":\"P\","
               "\"fields\":[{\"name\":\"name\",\"type\":\"null\"},{\"name\":\"value\",\"type\":"
               "\"null\"}]}}}"),
    };
    double began = seconds();
    for (uint32_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        bench_schema(&bench, i, lists[i]);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            put_registry(&bytes, i);
            put_long(&bytes, counts[c]);
            if (counts[c] < 0)
                put_long(&bytes, -5);
            expect("unreadable");
        }
    }
    cr_expect_lt(seconds() - began, 1.0);
}

Test(hostile, blocks_again_and_again_end_at_the_limit_of_items)
{
    bench_schema(&bench, 1, LIST("\"null\""));
    put_registry(&bytes, 1);
    for (int i = 0; i < 11; i++)
        put_long(&bytes, 100000);
    put_long(&bytes, 0);
    expect("unreadable");
    put_registry(&bytes, 1);
    for (int i = 0; i < 10; i++)
        put_long(&bytes, 100000);
    put_long(&bytes, 0);
    expect("no_event_id");
}

Test(hostile, deep_nesting_ends_at_64_levels)
{
    bench_schema(&bench, 1,
                 RECORD("{\"name\":\"x\",\"type\":{\"type\":\"record\",\"name\":\"L\",\"fields\":["
                        "{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}}"));
    size_t size = 1000000;
    uint8_t *deep = malloc(size);
    memset(deep, 2, size); /* branch 1, for ever */
    memcpy(deep, "\0\0\0\0\1", 5);
    (void)bench_decode(&bench, deep, size);
    cr_expect_str_eq(bench_verdict(&bench), "unreadable");
    cr_expect(strstr(bench.result.detail, "64 levels"), "%s", bench.result.detail);
    free(deep);
}

Test(hostile, a_schema_of_many_empty_fields_takes_no_time)
{
    /* R19 would hold 10^20 values of no bytes if they were walked one by one. */
    char *text = calloc(1, 65536), *at = text;
    at += sprintf(at, "[{\"type\":\"record\",\"name\":\"R0\",\"fields\":[]}");
    for (int i = 1; i < 20; i++) {
        at += sprintf(at, ",{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[", i);
        for (int j = 0; j < 10; j++)
            at += sprintf(at, "%s{\"name\":\"f%d\",\"type\":\"R%d\"}", j ? "," : "", j, i - 1);
        at += sprintf(at, "]}");
    }
    sprintf(at, "]");
    bench_schema(&bench, 1, text);
    put_long(&bytes, 19);
    double began = seconds();
    expect("unknown_kind");
    cr_expect_lt(seconds() - began, 0.1);
    free(text);
}

static void expect_value(const char *type, const void *value, size_t size, const char *verdict)
{
    static uint32_t id = 100;
    char schema[1024];
    sprintf(schema, RECORD("{\"name\":\"page\",\"type\":%s}"), type);
    bench_schema(&bench, ++id, schema);
    put_registry(&bytes, id);
    bytes.at = bytes_put(bytes.at, value, size);
    (void)bench_avro(&bench, &bytes);
    cr_expect_str_eq(bench_verdict(&bench), verdict, "%s: %s", type, bench.result.detail);
}

Test(hostile, values_out_of_their_range_are_unreadable)
{
    static const char e[] = "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}";
    expect_value("\"boolean\"", "\1", 1, "no_event_id");
    expect_value("\"boolean\"", "\2", 1, "unreadable");
    expect_value(e, "\2", 1, "no_event_id");
    expect_value(e, "\4", 1, "unreadable");
    expect_value(e, "\1", 1, "unreadable");
    expect_value("[\"null\",\"string\"]", "\0", 1, "no_event_id");
    expect_value("[\"null\",\"string\"]", "\1", 1, "unreadable");
    expect_value("[\"null\",\"string\"]", "\4", 1, "unreadable");
    expect_value("[]", "\0", 1, "unreadable");
    expect_value("\"string\"", "\1x", 2, "unreadable");
    expect_value("\"string\"", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1", 10, "unreadable");
    expect_value("\"string\"", "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1", 10, "unreadable");
    expect_value("\"long\"", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1", 10, "no_event_id");
    expect_value("\"long\"", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\2", 10, "unreadable");
    expect_value("\"long\"", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1", 11, "unreadable");
    expect_value("\"double\"", "\0\0\0\0\0\0\xF0\x7F", 8, "no_event_id");
}
