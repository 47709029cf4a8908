/* The command line of the load-test harness, read from a table. */
#include "common/options.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

struct values {
    struct common_options common;
    uint64_t events, bytes;
    double wait, rate, share, zipf;
    const char *format, *truth;
    bool fast;
};

#define PLACE(member) offsetof(struct values, member)
static const struct option rows[] = {
    COMMON_OPTIONS(struct values, common),
    {"events", OPTION_COUNT, PLACE(events), "1M", "how many", 1, 5e6, NULL},
    {"bytes", OPTION_BYTES, PLACE(bytes), "240", "how large"},
    {"wait", OPTION_DURATION, PLACE(wait), "2d", "how long"},
    {"rate", OPTION_RATE, PLACE(rate), NULL, "how fast"},
    {"share", OPTION_SHARE, PLACE(share), "2%", "how much"},
    {"zipf", OPTION_REAL, PLACE(zipf), "1.0", "how uneven", 0, 10, NULL},
    {"format", OPTION_CHOICE, PLACE(format), "avro", "of values", 0, 0, "avro|json"},
    {"truth", OPTION_TEXT, PLACE(truth), NULL, "a file"},
    {"fast", OPTION_FLAG, PLACE(fast), NULL, "hurry"},
    OUTPUT_OPTIONS(struct values, common, "none"),
};
static const struct options table = {"load", "Sends.", rows, sizeof rows / sizeof *rows};

/* The words are those behind the subcommand's name. */
#define READ(values, ...)                                                                          \
    read_words((values), (char *[]){"load", __VA_ARGS__},                                          \
               sizeof((char *[]){"load", __VA_ARGS__}) / sizeof(char *))

static int read_words(struct values *values, char **words, size_t count)
{
    memset(values, 0xaa, sizeof *values);
    return options_read(&table, (int)count, words, values);
}

Test(bench_options, defaults_stand_where_nothing_is_said)
{
    struct values v;
    cr_assert_eq(read_words(&v, (char *[]){"load"}, 1), -1);
    cr_expect_str_eq(v.common.brokers, "127.0.0.1:19092");
    cr_expect_str_eq(v.common.topic, "bench-events");
    cr_expect_str_eq(v.common.results, "none");
    cr_expect_eq(v.common.properties.count, 0);
    cr_expect_eq(v.events, 1000000);
    cr_expect_eq(v.bytes, 240);
    cr_expect_eq(v.wait, 172800);
    cr_expect_eq(v.rate, 0);
    cr_expect_eq(v.share, 0.02);
    cr_expect_str_eq(v.format, "avro");
    cr_expect_null(v.truth);
    cr_expect(!v.fast && !v.common.json);
}

Test(bench_options, numbers_have_units)
{
    struct values v;
    cr_assert_eq(READ(&v, "--events", "1.1M", "--bytes=2KiB", "--wait", "1500ms", "--rate", "1.5M",
                      "--share", "0.25", "--zipf=0"),
                 -1);
    cr_expect_eq(v.events, 1100000);
    cr_expect_eq(v.bytes, 2048);
    cr_expect_eq(v.wait, 1.5);
    cr_expect_eq(v.rate, 1.5e6);
    cr_expect_eq(v.share, 0.25);
    cr_expect_eq(v.zipf, 0);
}

Test(bench_options, the_last_word_counts_and_flags_take_none)
{
    struct values v;
    cr_assert_eq(READ(&v, "--fast", "--format", "json", "--truth", "a", "--truth=b=c", "--json"),
                 -1);
    cr_expect(v.fast && v.common.json);
    cr_expect_str_eq(v.format, "json");
    cr_expect_str_eq(v.truth, "b=c");
}

Test(bench_options, properties_of_librdkafka_come_one_by_one)
{
    struct values v;
    cr_assert_eq(READ(&v, "-X", "security.protocol=ssl", "-Xsasl.password=a=b", "-X", "x="), -1);
    cr_assert_eq(v.common.properties.count, 3);
    cr_expect_str_eq(v.common.properties.items[0].key, "security.protocol");
    cr_expect_str_eq(v.common.properties.items[0].value, "ssl");
    cr_expect_str_eq(v.common.properties.items[1].value, "a=b");
    cr_expect_str_eq(v.common.properties.items[2].value, "");
}

Test(bench_options, options_are_found_before_the_table_is_read)
{
    char *words[] = {"latency", "--topic", "x", "--brokers=h:1"};
    cr_expect(options_mention(4, words, "brokers"));
    cr_expect(options_mention(4, words, "topic"));
    cr_expect_not(options_mention(4, words, "broker"));
    cr_expect_not(options_mention(4, words, "x"));
}

/* ---- Errors: one line each, and exit code 2 ---- */

static void redirect(void)
{
    cr_redirect_stderr();
    cr_redirect_stdout();
}

#define WRONG(name, text, ...)                                                                     \
    Test(bench_options, name, .init = redirect)                                                    \
    {                                                                                              \
        struct values v;                                                                           \
        cr_assert_eq(READ(&v, __VA_ARGS__), 2);                                                    \
        (void)fflush(stderr);                                                                      \
        cr_assert_stderr_eq_str("baton-bench load: " text " (see baton-bench load --help)\n");     \
    }

WRONG(an_unknown_option_gets_a_hint, "--evnets: there is no such option; did you mean --events?",
      "--evnets", "5")
WRONG(an_unknown_option_without_a_neighbour, "--quux=1: there is no such option", "--quux=1")
WRONG(a_word_too_many, "extra: there is no such option", "extra")
WRONG(a_missing_value, "--events: a value is missing", "--events")
WRONG(no_number, "--events: 'many' is not a number such as 5000000, 200k or 5M", "--events", "many")
WRONG(no_whole_number, "--events: '1.5' is not a number such as 5000000, 200k or 5M", "--events",
      "1.5")
WRONG(an_unknown_unit, "--wait: '5 weeks' is not a time such as 500ms, 30s, 5m or 2h", "--wait",
      "5 weeks")
WRONG(below_its_range, "--events: '0' is not from 1 to 5000000", "--events=0")
WRONG(above_its_range, "--zipf: '11' is not from 0 to 10", "--zipf", "11")
WRONG(a_negative_rate, "--rate: '-1' is less than 0", "--rate", "-1")
WRONG(a_share_above_one, "--share: '110%' is not from 0 to 1", "--share", "110%")
WRONG(infinity, "--rate: 'inf' is not a number per second such as 50000, 100k or 1.5M", "--rate",
      "inf")
WRONG(no_such_choice, "--format: 'xml' is none of avro|json", "--format", "xml")
WRONG(half_a_choice, "--format: 'av' is none of avro|json", "--format", "av")
WRONG(a_flag_with_a_value, "--fast=yes: takes no value", "--fast=yes")
WRONG(no_property, "-X: 'abc' is not of the form key=value", "-X", "abc")

Test(bench_options, help_tells_every_option_and_its_default, .init = redirect)
{
    struct values v;
    cr_assert_eq(READ(&v, "--events", "nonsense", "--help"), 0);
    (void)fflush(stdout);
    cr_assert_stdout_eq_str(
        "usage: baton-bench load [options]\n\nSends.\n\n"
        "  --brokers TEXT         Kafka's addresses: HOST:PORT, several with commas (default "
        "127.0.0.1:19092)\n"
        "  --topic TEXT           the topic (default bench-events)\n"
        "  -X KEY=VALUE           a property of librdkafka, such as security.protocol=ssl; may "
        "come again\n"
        "  --events N             how many (default 1M)\n"
        "  --bytes BYTES          how large (default 240)\n"
        "  --wait TIME            how long (default 2d)\n"
        "  --rate RATE            how fast\n"
        "  --share SHARE          how much (default 2%)\n"
        "  --zipf NUMBER          how uneven (default 1.0)\n"
        "  --format avro|json     of values (default avro)\n"
        "  --truth TEXT           a file\n"
        "  --fast                 hurry\n"
        "  --results TEXT         folder that the result is kept in, as a JSON line; none: not "
        "kept (default none)\n"
        "  --json                 end with the result as one JSON object on stdout; text for "
        "people goes to stderr\n"
        "  --help                 this text\n");
}
