#include "codec/json_scan.h"
#include "codec/raw_event.h"
#include "codec_support.h"

#include <jansson.h>

static struct bench bench;

static void start(void)
{
    bench_init(&bench, NULL);
}

static void stop(void)
{
    bench_fini(&bench);
}

TestSuite(json, .init = start, .fini = stop);

#define HEAD "\"event_id\":\"e1\",\"lead_id\":\"l1\",\"time\":1793534400000"
#define VISIT(rest) "{\"kind\":\"visit\"," HEAD rest "}"
#define FORM(rest) "{\"kind\":\"form_fill\"," HEAD rest "}"
#define PROFILE(rest) "{\"kind\":\"profile\"," HEAD rest "}"

/* ---- the reader of JSON, against jansson
 * -------------------------------------------------------------- */

static bool is_json(const char *text, size_t size)
{
    struct json_scan scan = {.at = text, .end = text + size, .arena = &bench.arena};
    return raw_text_is_utf8((struct baton_text){text, (uint32_t)size}) && json_skip(&scan, 1) &&
           json_at_end(&scan);
}

/* -1: it gives up at a number beyond 64 bits, which says nothing. */
static int is_json_to_jansson(const char *text, size_t size)
{
    json_error_t error;
    json_t *json = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!json && json_error_code(&error) == json_error_numeric_overflow)
        return -1;
    json_decref(json);
    return json != NULL;
}

static uint32_t random_state;
static uint32_t roll(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(random_state >> 8) * limit >> 24);
}

Test(json, what_jansson_takes_is_taken_and_nothing_else)
{
    static const char *const pieces[] = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"\\n\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\x\"",
        "\"\t\"",
        "\"\xC3\xA9\"",
        "\"\xC3\"",
        "1",
        "-1",
        "01",
        "-",
        "1.5",
        "1.",
        ".5",
        "1e5",
        "1e+",
        "1E-3",
        "null",
        "true",
        "false",
        "nul",
        "True",
        "NaN",
        " ",
        "\n",
        "\"k\":1",
        "{\"k\":[1,2]}",
        "[]",
        "{}",
        "\"",
        "\\",
        "/*",
    };
    size_t count = sizeof pieces / sizeof *pieces, agreed = 0;
    for (int round = 0; round < 60000; round++) {
        char text[256];
        size_t size = 0;
        for (uint32_t i = 0, length = 1 + roll(7); i < length; i++)
            size += (size_t)sprintf(text + size, "%s", pieces[roll((uint32_t)count)]);
        int own = is_json(text, size), other = is_json_to_jansson(text, size);
        cr_assert(own == other || other < 0, "%s: %d, jansson %d", text, own, other);
        agreed += (size_t)own;
    }
    cr_expect_gt(agreed, 1000);
}

Test(json, a_damaged_message_is_taken_only_if_jansson_takes_it)
{
    static const char good[] =
        "{\"kind\":\"visit\",\"a\":[1,2.5e3,-0,true,null,{\"b\":\"x\\u0041\\\\\\ud83d\\ude00\"}],"
        "\"c\":{\"d\":[[],{}]},\"\xC3\xA9\":\"\xE2\x82\xAC\"} ";
    for (int round = 0; round < 60000; round++) {
        char text[sizeof good];
        size_t size = sizeof good - 1;
        memcpy(text, good, sizeof good);
        for (uint32_t i = 0, times = 1 + roll(3); i < times; i++)
            text[roll((uint32_t)size)] =
                (char)(roll(2) ? roll(256) : (uint8_t) "{}[],:\"\\u0e"[roll(11)]);
        if (roll(4) == 0)
            size = roll((uint32_t)size);
        char *exact = memcpy(malloc(size + 1), text, size);
        int own = is_json(exact, size), other = is_json_to_jansson(exact, size);
        cr_assert(own == other || other < 0, "%.*s: %d, jansson %d", (int)size, text, own, other);
        free(exact);
        arena_reset(&bench.arena);
    }
}

Test(json, strings_are_unescaped_as_jansson_does)
{
    static const char *const texts[] = {
        "\"\"",
        "\"plain\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000x\"",
        "\"a\\u00e9b\"",
        "\"\\u20ac\\ud83d\\ude00!\"",
        "\"\xC3\xA9\\u0041\"",
        "\"\\uFFFF\\u07ff\\u0800\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct json_scan scan = {texts[i], texts[i] + strlen(texts[i]), &bench.arena, NULL};
        struct baton_text out;
        json_t *json = json_loads(texts[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        cr_assert(json_scalar(&scan, &out) && json, "%s", texts[i]);
        cr_expect_eq(out.size, json_string_length(json), "%s", texts[i]);
        cr_expect_eq(memcmp(out.data, json_string_value(json), out.size), 0, "%s", texts[i]);
        json_decref(json);
    }
}

/* ---- events
 * ------------------------------------------------------------------------------------------- */

Test(json, a_visit_is_read_with_all_its_fields)
{
    cr_json(&bench,
            VISIT(",\"url\":\"https://Shop.example/p?utm_source=ads&utm_campaign=x#f\","
                  "\"referrer\":\"r\",\"session\":\"s\",\"user_agent\":\"u\",\"target\":\"t\","
                  "\"form\":\"f\",\"unknown\":[{\"a\":1}]"),
            "");
    const struct baton_text *fields = bench.event.fields;
    cr_expect_eq(bench.event.kind, BATON_VISIT);
    cr_text(bench.event.event_id, "e1");
    cr_text(bench.event.lead_id, "l1");
    cr_expect_eq(bench.event.time_ms, NOON);
    cr_expect_eq(bench.event.offset, 7);
    cr_text(fields[BATON_PAGE], "/p");
    cr_text(fields[BATON_HOST], "shop.example");
    cr_text(fields[BATON_REFERRER], "r");
    cr_text(fields[BATON_SESSION], "s");
    cr_text(fields[BATON_USER_AGENT], "u");
    cr_text(fields[BATON_TARGET], "t");
    cr_text(fields[BATON_FORM], "f");
    cr_text(fields[BATON_CHANNEL], "ads");
    cr_text(fields[BATON_CAMPAIGN], "x");
    cr_text(fields[BATON_UTM_SOURCE], "ads");
    cr_expect_eq(bench.event.answer_count, 0);
    cr_expect_eq(bench.event.update_count, 0);
}

Test(json, given_fields_win_over_the_url)
{
    cr_json(
        &bench,
        VISIT(",\"url\":\"/a?utm_medium=m&utm_campaign=c\",\"page\":\"/b?x\",\"campaign\":\"own\""),
        "");
    cr_text(bench.event.fields[BATON_PAGE], "/b");
    cr_text(bench.event.fields[BATON_CHANNEL], "m");
    cr_text(bench.event.fields[BATON_CAMPAIGN], "own");
    cr_json(&bench, VISIT(",\"url\":\"/a\",\"page\":\"?x\""), "");
    cr_expect_eq(bench.event.fields[BATON_PAGE].size, 0);
    cr_json(&bench, VISIT(",\"url\":\"/a\",\"page\":\"\""), "");
    cr_text(bench.event.fields[BATON_PAGE], "/a");
    cr_json(&bench, VISIT(",\"page\":null"), "");
    cr_expect_eq(bench.event.fields[BATON_PAGE].size, 0);
}

Test(json, reasons_come_in_the_order_of_the_checks)
{
    cr_json(&bench, "", "empty");
    cr_json(&bench, " {}", "unknown_framing");
    cr_json(&bench, "{", "unreadable");
    cr_json(&bench, "{}", "unknown_kind");
    cr_json(&bench, "{\"kind\":\"published\"}", "unknown_kind");
    cr_json(&bench, "{\"kind\":null}", "unknown_kind");
    cr_json(&bench, "{\"kind\":\"visit\"}", "no_event_id");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":\"\"}", "no_event_id");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":1e13}", "no_event_id");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":7}", "no_lead_id");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":7,\"lead_id\":\"other\"}", "key_mismatch");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":7,\"lead_id\":\"l1\"}", "bad_time");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":7,\"lead_id\":\"l1\",\"time\":1793534700001}",
            "future_time");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":7,\"lead_id\":\"l1\",\"time\":1793534700000}",
            "");
}

Test(json, ids_have_256_bytes_at_most)
{
    char text[1024], id[258];
    for (int size = 256; size <= 257; size++) {
        memset(id, 'x', (size_t)size);
        id[size] = 0;
        sprintf(text, "{\"kind\":\"visit\",\"event_id\":\"%s\",\"lead_id\":\"l1\",\"time\":0}", id);
        cr_json(&bench, text, size == 256 ? "" : "event_id_too_long");
        sprintf(text, "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"%s\",\"time\":0}", id);
        cr_json(&bench, text, size == 256 ? "key_mismatch" : "lead_id_too_long");
    }
}

Test(json, times_are_whole_milliseconds_or_rfc_3339)
{
    static const struct {
        const char *time, *verdict;
    } cases[] = {
        {"0", ""},
        {"-0", ""},
        {"-1", "bad_time"},
        {"\"2026-11-01T12:00:00Z\"", ""},
        {"1793534400000.0", "bad_time"},
        {"1e3", "bad_time"},
        {"true", "bad_time"},
        {"null", "bad_time"},
        {"{}", "bad_time"},
        {"[[1]]", "bad_time"},
        {"\"\"", "bad_time"},
        {"\"1793534400000\"", "bad_time"},
        {"253402300800000", "bad_time"},
        {"99999999999999999999999", "bad_time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        sprintf(text, "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":%s}",
                cases[i].time);
        cr_json(&bench, text, cases[i].verdict);
    }
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\"}", "bad_time");
}

Test(json, a_record_without_a_timestamp_is_never_from_the_future)
{
    bench.timestamp_ms = -1;
    cr_json(&bench,
            "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":253402300799999}",
            "");
}

Test(json, types_that_do_not_fit_are_unreadable)
{
    cr_json(&bench, VISIT(",\"page\":{}"), "unreadable");
    cr_json(&bench, VISIT(",\"page\":[]"), "unreadable");
    cr_json(&bench, VISIT(",\"email\":[]"), "unreadable");
    cr_json(&bench, VISIT(",\"fields\":[]"), "unreadable");
    cr_json(&bench, VISIT(",\"fields\":\"x\""), "unreadable");
    cr_json(&bench, VISIT(",\"properties\":3"), "unreadable");
    cr_json(&bench, VISIT(",\"properties\":null,\"fields\":null"), "");
    cr_json(&bench, "{\"kind\":{}}", "unreadable");
}

Test(json, a_key_twice_is_unreadable_where_it_counts)
{
    cr_json(&bench, VISIT(",\"x\":1,\"x\":2"), "unreadable");
    cr_json(&bench, VISIT(",\"page\":\"/\",\"pag\\u0065\":\"/\""), "unreadable");
    cr_json(&bench, VISIT(",\"fields\":{\"a\":1,\"a\":1}"), "unreadable");
    cr_json(&bench, VISIT(",\"fields\":{\"a\":{},\"a\":1}"), "unreadable");
    cr_json(&bench, VISIT(",\"properties\":{\"a\":1e13,\"a\":1}"), "unreadable");
    cr_json(&bench, VISIT(",\"x\":{\"a\":1,\"a\":2}"), "");
    cr_json(&bench, VISIT(",\"fields\":{\"a\":{\"b\":1,\"b\":2}}"), "");
}

Test(json, nesting_has_64_levels_at_most)
{
    for (int inner = 63; inner <= 64; inner++) {
        char text[512];
        int size = sprintf(text, "{\"kind\":\"visit\"," HEAD ",\"x\":");
        for (int i = 0; i < inner; i++)
            text[size++] = '[';
        for (int i = 0; i < inner; i++)
            text[size++] = ']';
        strcpy(text + size, "}");
        cr_json(&bench, text, inner == 63 ? "" : "unreadable");
    }
    char *deep = malloc(1000001);
    memset(deep, '[', 1000000);
    memcpy(deep, "{\"x\":", 5);
    deep[1000000] = 0;
    (void)bench_json(&bench, deep);
    cr_expect_str_eq(bench_verdict(&bench), "unreadable");
    free(deep);
}

Test(json, texts_that_are_no_texts_make_a_message_unreadable)
{
    cr_json(&bench, VISIT(",\"x\":\"\\ud800\""), "unreadable");
    cr_json(&bench, VISIT(",\"\\udc00\":1"), "unreadable");
    cr_json(&bench, VISIT(",\"x\":[\"\\ud800\\u0041\"]"), "unreadable");
    cr_json(&bench, VISIT(",\"x\":\"\xC3\""), "unreadable");
    cr_json(&bench, VISIT(",\"x\":\"\xED\xA0\x80\""), "unreadable");
    cr_json(&bench, VISIT(",\"x\":\"\n\""), "unreadable");
    cr_json(&bench, VISIT(",\"x\":NaN"), "unreadable");
    cr_json(&bench, VISIT("") "x", "unreadable");
    cr_json(&bench, VISIT("") " \r\n", "");
    cr_json(&bench, VISIT(",\"x\":\"\\u0000\",\"a\\u0000\":1,\"a\":2"), "");
}

Test(json, answers_of_a_form_are_kept_and_update_the_profile)
{
    cr_json(&bench,
            FORM(",\"form\":\"demo\",\"fields\":{\"size\":12.50,\"phone\":null,\"email\":\"A@B."
                 "example\","
                 "\"company\":\"\",\"name\":\"Jos\\u00e9\",\"x\":[1],\"age\":1e15,\"agree\":true,"
                 "\"\":\"e\"}"),
            "");
    cr_assert_eq(bench.event.answer_count, 5);
    const struct baton_answer *answers = bench.event.answers;
    cr_text(answers[0].name, "size");
    cr_text(answers[0].value, "12.5");
    cr_text(answers[1].name, "email");
    cr_text(answers[3].value, "true");
    cr_text(answers[4].name, "");
    /* In the order of the names' bytes: company, email, name, phone; the age is no text, so it is
     * not mentioned. */
    cr_assert_eq(bench.event.update_count, 4);
    const struct baton_profile_update *updates = bench.event.updates;
    cr_expect_eq(updates[0].field, BATON_COMPANY);
    cr_expect_eq(updates[0].value.size, 0);
    cr_expect_eq(updates[1].field, BATON_EMAIL);
    cr_text(updates[1].value, "A@B.example");
    cr_text(updates[1].folded, "a@b.example");
    cr_expect_eq(updates[2].field, BATON_NAME);
    cr_text(updates[2].folded, "jose");
    cr_expect_eq(updates[3].field, BATON_PHONE);
}

Test(json, a_profile_updates_what_it_mentions)
{
    cr_json(
        &bench,
        PROFILE(",\"age\":44,\"consent\":false,\"email\":null,\"sector\":\"\",\"employees\":1e14,"
                "\"properties\":{\"plan\":\"Pro\",\"old\":null,\"deep\":{}},\"fields\":{\"name\":"
                "\"x\"}"),
        "");
    cr_assert_eq(bench.event.update_count, 6);
    const struct baton_profile_update *updates = bench.event.updates;
    cr_expect_eq(updates[0].field, BATON_EMAIL);
    cr_expect_eq(updates[0].value.size, 0);
    cr_expect_eq(updates[1].field, BATON_AGE);
    cr_text(updates[1].value, "44");
    cr_expect_eq(updates[2].field, BATON_SECTOR);
    cr_expect_eq(updates[3].field, BATON_CONSENT);
    cr_text(updates[3].value, "false");
    cr_expect_eq(updates[4].field, BATON_PROPERTY);
    cr_text(updates[4].name, "plan");
    cr_text(updates[4].folded, "pro");
    cr_text(updates[5].name, "old");
    cr_expect_eq(updates[5].value.size, 0);
    cr_expect_eq(bench.event.answer_count, 1, "fields are read on every kind");
}

Test(json, a_visit_changes_no_profile)
{
    cr_json(&bench,
            VISIT(",\"email\":\"a@b\",\"properties\":{\"x\":1},\"fields\":{\"name\":\"n\"}"), "");
    cr_expect_eq(bench.event.update_count, 0);
    cr_expect_eq(bench.event.answer_count, 1);
}

Test(json, long_texts_are_cut_at_a_characters_border)
{
    char *text = malloc(8192);
    int size = sprintf(text, "{\"kind\":\"visit\"," HEAD ",\"session\":\"");
    memset(text + size, 'x', 1023);
    strcpy(text + size + 1023, "\xC3\xA9\"}");
    cr_json(&bench, text, "");
    cr_expect_eq(bench.event.fields[BATON_SESSION].size, 1023);
    free(text);
}

Test(json, parts_of_a_url_are_read_before_it_is_cut)
{
    char *text = malloc(8192);
    int size = sprintf(text, "{\"kind\":\"visit\"," HEAD ",\"url\":\"https://h/");
    memset(text + size, 'p', 1100);
    strcpy(text + size + 1100, "?utm_source=late\"}");
    cr_json(&bench, text, "");
    cr_expect_eq(bench.event.fields[BATON_URL].size, 1024);
    cr_expect_eq(bench.event.fields[BATON_PAGE].size, 1024);
    cr_text(bench.event.fields[BATON_CHANNEL], "late");
    free(text);
}

Test(json, many_members_take_no_quadratic_time)
{
    size_t members = 200000, size = 0;
    char *text = malloc(members * 16 + 256);
    size += (size_t)sprintf(text, "{\"kind\":\"visit\"," HEAD);
    for (size_t i = 0; i < members; i++)
        size += (size_t)sprintf(text + size, ",\"k%zu\":1", i);
    strcpy(text + size, "}");
    (void)bench_json(&bench, text);
    cr_expect_str_eq(bench_verdict(&bench), "");
    free(text);
}

/* Whatever fields are wanted: they read as with all of them, and so does the verdict. */
Test(json, fields_that_are_not_wanted_change_neither_the_others_nor_the_verdict)
{
    static const char *const messages[] = {
        "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":1793534400000,\"page\":"
        "\"/a?b\",\"url\":\"https://h.example/p?utm_source=s&utm_campaign=c\",\"referrer\":\"r\","
        "\"session\":\"s1\",\"user_agent\":\"ua\"}",
        "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":1793534400000,\"url\":"
        "\"https://h.example/p?utm_source=s&utm_campaign=c\"}",
        "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":1793534400000,"
        "\"channel\":\"mail\",\"url\":\"https://h.example/p?utm_medium=m&utm_term=t\"}",
        "{\"kind\":\"form_fill\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":1793534400000,"
        "\"form\":\"f\",\"campaign\":\"k\",\"fields\":{\"email\":\"a@b.example\"}}",
        "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l2\",\"time\":1793534400000}",
        "{\"kind\":\"visit\",\"lead_id\":\"l1\",\"user_agent\":7}"};
    struct bench all, some;
    uint32_t read = 0;
    bench_init(&all, NULL);
    bench_init(&some, NULL);
    for (size_t m = 0; m < sizeof messages / sizeof *messages; m++)
        for (uint32_t wanted = 0; wanted < 1u << BATON_EVENT_FIELDS; wanted += 7) {
            uint32_t fields = wanted | 1u << BATON_CHANNEL;
            decoder_want(some.decoder, fields);
            (void)bench_json(&all, messages[m]);
            (void)bench_json(&some, messages[m]);
            cr_assert_str_eq(bench_verdict(&some), bench_verdict(&all));
            cr_assert_eq(some.event.update_count, all.event.update_count);
            read += all.result.outcome == DECODED;
            for (uint32_t f = 0; f < BATON_EVENT_FIELDS && all.result.outcome == DECODED; f++)
                cr_assert(!(fields >> f & 1) ||
                              (some.event.fields[f].size == all.event.fields[f].size &&
                               !memcmp(some.event.fields[f].data ? some.event.fields[f].data : "",
                                       all.event.fields[f].data ? all.event.fields[f].data : "",
                                       all.event.fields[f].size)),
                          "message %zu, fields %x: field %u differs", m, fields, f);
            arena_reset(&all.arena);
            arena_reset(&some.arena);
        }
    cr_assert_gt(read, 4 * (1u << BATON_EVENT_FIELDS) / 8); /* four of the six are events */
    bench_fini(&all);
    bench_fini(&some);
}
