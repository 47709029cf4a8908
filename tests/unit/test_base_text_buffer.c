#include "base/text_buffer.h"

#include <criterion/criterion.h>
#include <string.h>

static struct text_buffer buffer;

static void start(void)
{
    text_buffer_init(&buffer);
}

static void end(void)
{
    text_buffer_fini(&buffer);
}

TestSuite(text_buffer, .init = start, .fini = end);

static void points_are(int64_t hundredths, const char *expected)
{
    text_buffer_clear(&buffer);
    text_buffer_add_points(&buffer, hundredths);
    cr_assert_str_eq(buffer.data, expected);
}

static void time_is(int64_t time_ms, const char *expected)
{
    text_buffer_clear(&buffer);
    text_buffer_add_time(&buffer, time_ms);
    cr_assert_str_eq(buffer.data, expected);
}

Test(text_buffer, grows_with_what_is_added)
{
    for (int i = 0; i < 1000; i++)
        text_buffer_add_text(&buffer, "0123456789");
    cr_assert_eq(buffer.size, 10000);
    cr_assert_eq(strlen(buffer.data), 10000);
}

Test(text_buffer, ends_with_a_nul_that_does_not_count)
{
    text_buffer_add(&buffer, "a\0b", 3);
    cr_assert_eq(buffer.size, 3);
    cr_assert_eq(memcmp(buffer.data, "a\0b", 4), 0);
    text_buffer_clear(&buffer);
    cr_assert_eq(buffer.size, 0);
    cr_assert_str_eq(buffer.data, "");
}

Test(text_buffer, adding_nothing_gives_an_empty_text)
{
    text_buffer_add(&buffer, NULL, 0);
    cr_assert_str_eq(buffer.data, "");
}

Test(text_buffer, prints_behind_what_is_there)
{
    text_buffer_add_text(&buffer, "n=");
    text_buffer_print(&buffer, "%d %s", 42, "times");
    cr_assert_str_eq(buffer.data, "n=42 times");
    for (int i = 0; i < 100; i++)
        text_buffer_print(&buffer, "%0100d", i);
    cr_assert_eq(buffer.size, 10 + 100 * 100);
}

Test(text_buffer, points_have_no_needless_digits)
{
    points_are(0, "0");
    points_are(7025, "70.25");
    points_are(7000, "70");
    points_are(7050, "70.5");
    points_are(5, "0.05");
    points_are(100000000, "1000000");
}

Test(text_buffer, negative_points_keep_their_sign_below_one)
{
    points_are(-50, "-0.5");
    points_are(-1, "-0.01");
    points_are(-7025, "-70.25");
    points_are(-100000000, "-1000000");
}

Test(text_buffer, times_are_rfc_3339_in_utc_with_milliseconds)
{
    time_is(0, "1970-01-01T00:00:00.000Z");
    time_is(1793577600123, "2026-11-02T00:00:00.123Z");
    time_is(253402300799999, "9999-12-31T23:59:59.999Z");
    time_is(951782400000, "2000-02-29T00:00:00.000Z");
    time_is(-1, "1969-12-31T23:59:59.999Z");
}
