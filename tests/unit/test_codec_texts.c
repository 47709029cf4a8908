#include "codec/framing.h"
#include "codec/kinds.h"
#include "codec/number_text.h"
#include "codec/raw_event.h"
#include "codec/rfc3339.h"
#include "codec/url.h"
#include "codec_support.h"

#include <float.h>
#include <math.h>

static struct arena arena;

static void start(void)
{
    arena_init(&arena, 4096);
}

static void stop(void)
{
    arena_fini(&arena);
}

TestSuite(texts, .init = start, .fini = stop);

/* ---- framing
 * ---------------------------------------------------------------------------------------- */

Test(texts, a_frame_is_known_by_its_first_bytes_and_must_be_whole)
{
    static const uint8_t registry[] = {0, 0, 1, 2, 3};
    static const uint8_t single[] = {0xC3, 1, 8, 7, 6, 5, 4, 3, 2, 1};
    struct framed framed = framing_read(registry, 5);
    cr_expect_eq(framed.framing, FRAMING_REGISTRY);
    cr_expect_eq(framed.schema.id, 0x010203);
    cr_expect_eq(framed.body_size, 0);
    framed = framing_read(single, 10);
    cr_expect_eq(framed.framing, FRAMING_SINGLE_OBJECT);
    cr_expect_eq(framed.schema.id, UINT64_C(0x0102030405060708));
    cr_expect_eq(framing_read(registry, 4).framing, FRAMING_UNKNOWN);
    cr_expect_eq(framing_read(single, 9).framing, FRAMING_UNKNOWN);
    cr_expect_eq(framing_read((const uint8_t *)"{", 1).framing, FRAMING_JSON);
    cr_expect_eq(framing_read((const uint8_t *)" {}", 3).framing, FRAMING_UNKNOWN);
    cr_expect_eq(framing_read((const uint8_t *)"\xEF\xBB\xBF{}", 5).framing, FRAMING_UNKNOWN);
    cr_expect_eq(framing_read(NULL, 0).framing, FRAMING_UNKNOWN);
}

/* ---- times
 * ------------------------------------------------------------------------------------------ */

Test(texts, times_of_rfc_3339_are_read)
{
    static const struct {
        const char *text;
        int64_t time_ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-01T12:00:00Z", NOON},
        {"2026-11-01t12:00:00z", NOON},
        {"2026-11-01T12:00:00.5Z", NOON + 500},
        {"2026-11-01T12:00:00.123999999Z", NOON + 123},
        {"2026-11-01T13:30:00+01:30", NOON},
        {"2026-11-01T12:00:00-00:00", NOON},
        {"2026-11-01T00:01:00.001-11:59", NOON + 1},
        {"1969-12-31T23:30:00-01:00", 1800000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"9999-12-31T23:59:59.999Z", BATON_TIME_MAX_MS},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t time_ms = -1;
        cr_expect(rfc3339_read(as_text(good[i].text), &time_ms), "%s", good[i].text);
        cr_expect_eq(time_ms, good[i].time_ms, "%s: %lld", good[i].text, (long long)time_ms);
    }
}

Test(texts, what_is_no_time_is_refused)
{
    static const char *const bad[] = {
        "",
        "2026-11-01",
        "2026-11-01T12:00:00",
        "2026-11-01 12:00:00Z",
        "2026-11-01T12:00Z",
        "2026-11-01T12:00:60Z",
        "2026-11-01T24:00:00Z",
        "2026-11-01T12:60:00Z",
        "2026-11-01T12:00:00.Z",
        "2026-11-01T12:00:00.1234567890Z",
        "2026-11-01T12:00:00+24:00",
        "2026-11-01T12:00:00+00:60",
        "2026-11-01T12:00:00+0100",
        "2026-13-01T12:00:00Z",
        "2026-00-01T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2026-11-31T12:00:00Z",
        "2026-11-00T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59.999-00:01",
        "2026-11-01T12:00:00Zx",
        "+026-11-01T12:00:00Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t time_ms;
        cr_expect(!rfc3339_read(as_text(bad[i]), &time_ms), "%s", bad[i]);
    }
}

Test(texts, every_day_of_four_centuries_follows_the_one_before)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t expected = 0;
    for (int year = 1970; year < 2400; year++)
        for (int month = 1; month <= 12; month++) {
            bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for (int day = 1; day <= lengths[month - 1] + (month == 2 && leap); day++) {
                char text[32];
                int64_t time_ms = -1;
                sprintf(text, "%04d-%02d-%02dT00:00:00Z", year, month, day);
                cr_assert(rfc3339_read(as_text(text), &time_ms) && time_ms == expected, "%s", text);
                expected += 86400000;
            }
        }
}

/* ---- numbers
 * ---------------------------------------------------------------------------------------- */

static const char *of_json(const char *token)
{
    static char out[64];
    struct baton_text text;
    if (!number_text_json(&arena, as_text(token), &text))
        return "absent";
    sprintf(out, "%.*s", (int)text.size, text.data);
    return out;
}

Test(texts, numbers_become_texts_as_the_rules_say)
{
    static const char *const pairs[][2] = {
        {"0", "0"},
        {"-0", "0"},
        {"5", "5"},
        {"-17", "-17"},
        {"1000000000000", "1000000000000"},
        {"-1000000000000", "-1000000000000"},
        {"1000000000001", "absent"},
        {"123456789012345678901234567890", "absent"},
        {"1.0", "1"},
        {"1.50", "1.5"},
        {"0.1234565", "0.123456"},
        {"0.1234567", "0.123457"},
        {"1e3", "1000"},
        {"1E-7", "0"},
        {"-0.0", "0"},
        {"-0.0000001", "0"},
        {"1e12", "1000000000000"},
        {"1.0000000000001e12", "absent"},
        {"1e999", "absent"},
        {"-1e999", "absent"},
        {"2.000001", "2.000001"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        cr_expect_str_eq(of_json(pairs[i][0]), pairs[i][1], "%s", pairs[i][0]);
}

Test(texts, doubles_that_are_no_numbers_have_no_text)
{
    struct baton_text text;
    cr_expect(!number_text_double(&arena, NAN, &text));
    cr_expect(!number_text_double(&arena, INFINITY, &text));
    cr_expect(!number_text_double(&arena, -DBL_MAX, &text));
    cr_expect(!number_text_long(&arena, INT64_MIN, &text));
    cr_expect(!number_text_long(&arena, INT64_MAX, &text));
}

/* ---- URLs
 * ------------------------------------------------------------------------------------------- */

static void check_url(const char *url, const char *host, const char *page)
{
    struct url_parts parts;
    url_read(&arena, as_text(url), &parts);
    cr_expect(text_is(parts.host, host), "%s: host '%.*s'", url, (int)parts.host.size,
              parts.host.data);
    cr_expect(text_is(parts.page, page), "%s: page '%.*s'", url, (int)parts.page.size,
              parts.page.data);
}

Test(texts, host_and_page_are_read_out_of_a_url)
{
    check_url("https://Example.com/a/b?x=1#y", "example.com", "/a/b");
    check_url("https://example.com", "example.com", "/");
    check_url("https://example.com?x=/y", "example.com", "/");
    check_url("https://example.com#/y", "example.com", "/");
    check_url("https://user:p@ss@Host:8080/p", "host", "/p");
    check_url("https://[2001:DB8::1]:443/p", "[2001:db8::1]", "/p");
    check_url("https://[2001:DB8::1/p", "[2001:db8::1", "/p");
    check_url("https:///p", "", "/p");
    check_url("/p?x#y", "", "/p");
    check_url("//x/y", "", "//x/y");
    check_url("example.com/a?x", "", "/a");
    check_url("example.com", "", "/");
    check_url("?a=//b/c", "", "/");
    check_url("a/b//c", "", "/b//c");
    check_url("mailto:x@y", "", "/");
    check_url("https://h/%2Fa", "h", "/%2Fa");
}

static struct baton_text parameter(const char *url, enum url_parameter which)
{
    struct url_parts parts;
    url_read(&arena, as_text(url), &parts);
    return parts.utm[which];
}

Test(texts, query_parameters_are_decoded_and_the_first_one_counts)
{
    cr_text(parameter("/p?utm_source=a&utm_source=b", UTM_SOURCE), "a");
    cr_text(parameter("/p?utm_source=&utm_source=b", UTM_SOURCE), "");
    cr_text(parameter("/p?utm_source&utm_source=b", UTM_SOURCE), "");
    cr_text(parameter("/p?x=1&&utm_medium=a+b%2Bc%20d", UTM_MEDIUM), "a b+c d");
    cr_text(parameter("/p?utm_campaign=%zz%4", UTM_CAMPAIGN), "%zz%4");
    cr_text(parameter("/p?utm_campaign=%+1", UTM_CAMPAIGN), "% 1");
    cr_text(parameter("/p?utm_term=%C3%a9", UTM_TERM), "\xC3\xA9");
    cr_text(parameter("/p?utm_term=%C3", UTM_TERM), "");
    cr_text(parameter("/p?utm_content=a?b=c", UTM_CONTENT), "a?b=c");
    cr_text(parameter("/p#?utm_source=a", UTM_SOURCE), "");
    cr_text(parameter("/p?UTM_SOURCE=a", UTM_SOURCE), "");
    cr_text(parameter("/p?utm%5Fsource=a", UTM_SOURCE), "");
    cr_text(parameter("/p?utm_source=a%00b", UTM_TERM), "");
    cr_expect_eq(parameter("/p?utm_source=a%00b", UTM_SOURCE).size, 3);
    cr_text(parameter("https://u?x@h?utm_source=a", UTM_SOURCE), "");
}

/* ---- kinds and names
 * -------------------------------------------------------------------------------- */

Test(texts, record_names_become_kinds_in_snake_case)
{
    cr_text(kind_snake_case(&arena, as_text("FormFill")), "form_fill");
    cr_text(kind_snake_case(&arena, as_text("Visit")), "visit");
    cr_text(kind_snake_case(&arena, as_text("HTMLForm")), "html_form");
    cr_text(kind_snake_case(&arena, as_text("Page2View")), "page2_view");
    cr_text(kind_snake_case(&arena, as_text("form_fill")), "form_fill");
    cr_text(kind_snake_case(&arena, as_text("Form_Fill")), "form_fill");
}

Test(texts, repeated_names_are_found_among_few_and_many)
{
    for (unsigned count = 1; count <= 200; count += 13) {
        struct raw_entries entries = {0};
        for (unsigned i = 0; i < count; i++) {
            char *name = arena_take(&arena, 16);
            sprintf(name, "n%u", i);
            raw_entries_add(&entries, &arena, as_text(name), as_text("v"));
        }
        cr_expect(!raw_entries_repeat(&entries, &arena, false), "%u", count);
        raw_entries_add(&entries, &arena, as_text("n0"), as_text("w"));
        cr_expect(raw_entries_repeat(&entries, &arena, false), "%u", count);
        cr_expect(raw_entries_repeat(&entries, &arena, true), "%u", count);
        cr_expect_eq(entries.count, count);
        cr_text(entries.items[0].value, "v");
        cr_expect(!raw_entries_repeat(&entries, &arena, true), "%u", count);
    }
}

Test(texts, every_reason_has_a_name_of_its_own)
{
    for (int a = 1; a < DEAD_REASONS; a++)
        for (int b = 1; b < DEAD_REASONS; b++)
            cr_expect_eq(strcmp(dead_reason_name(a), dead_reason_name(b)) == 0, a == b);
    cr_expect_null(dead_reason_name(0));
    cr_expect_null(dead_reason_name(DEAD_REASONS));
}
