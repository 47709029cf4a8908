/* A report on paper: the same figures in a terminal, Markdown, HTML and JSON, in three languages.
 * With BATON_REPORT_SAMPLES=FOLDER in the environment the printed texts are left there to be looked
 * at. */
#include "report/report.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/report_fixture.h"

enum format { TERMINAL, MARKDOWN, HTML };

static void keep_sample(const char *name, const char *language, const char *text)
{
    const char *folder = getenv("BATON_REPORT_SAMPLES");
    char path[512];
    if (!folder)
        return;
    (void)snprintf(path, sizeof path, "%s/report-%s.%s", folder, language, name);
    FILE *file = fopen(path, "w");
    cr_assert(file, "%s", path);
    (void)fputs(text, file);
    (void)fclose(file);
}

/* The caller frees it. */
static char *print(const struct report *report, enum format format, enum language language,
                   unsigned width)
{
    struct text_buffer out;
    struct speech speech;
    text_buffer_init(&out);
    speech_init(&speech, language, &out);
    if (format == TERMINAL)
        report_print_terminal(report, &speech, width);
    else if (format == MARKDOWN)
        report_print_markdown(report, &speech);
    else
        report_print_html(report, &speech);
    speech_fini(&speech);
    return out.data;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

Test(report_print, every_printer_prints_in_every_language)
{
    static const char *const names[] = {"txt", "md", "html"};
    struct report report;
    report_fixture(&report);
    for (int language = 0; language < LANGUAGES; language++) {
        for (int format = TERMINAL; format <= HTML; format++) {
            char *text = print(&report, (enum format)format, (enum language)language, 100);
            const char *section =
                message_text((enum language)language, MESSAGE_REPORT_SECTION_CHANNELS);
            keep_sample(names[format], language_name((enum language)language), text);
            cr_expect(strstr(text, section), "%s in %s", names[format], section);
            free(text);
        }
    }
    report_fini(&report);
}

Test(report_print, html_needs_nothing_from_outside)
{
    struct report report;
    report_fixture(&report);
    char *html = print(&report, HTML, LANGUAGE_EN, 0);
    cr_expect_not(strstr(html, "http"));
    cr_expect_not(strstr(html, "<script"));
    cr_expect_not(strstr(html, "url("));
    cr_expect_not(strstr(html, "<b>social"), "a name of the data became mark-up");
    cr_expect(strstr(html, "&lt;b&gt;social&lt;/b&gt; &amp; &quot;co&quot; | x"));
    free(html);
    report_fini(&report);
}

Test(report_print, each_bar_says_what_it_is)
{
    struct report report;
    report_fixture(&report);
    char *html = print(&report, HTML, LANGUAGE_EN, 0);
    cr_expect(strstr(html, "<title>search: 702</title>"));
    cr_expect_eq(count_of(html, "<title>search: 702</title>"), 1, "drawn once per currency");
    cr_expect(strstr(html, "<title>2026-11-03: 78</title>"));
    cr_expect(strstr(html, "<title>marketing · SQLs delivered: 82.4% · missed</title>"));
    cr_expect_not(strstr(html, "<title>total"));
    free(html);
    report_fini(&report);
}

Test(report_print, the_longest_bar_is_that_of_the_largest_and_not_of_the_sum)
{
    struct report report;
    report_fixture(&report);
    char *html = print(&report, HTML, LANGUAGE_EN, 0);
    const char *search = strstr(html, "<title>search: 702</title>");
    cr_assert(search);
    const char *bar = strstr(search, "<rect class=\"bar\"");
    cr_expect(strncmp(strstr(bar, "width="), "width=\"100.00%\"", 15) == 0, "%.80s", bar);
    free(html);
    report_fini(&report);
}

static size_t widest_line(const char *text)
{
    size_t widest = 0, width = 0;
    for (; *text; text++) {
        width = *text == '\n' ? 0 : width + ((*text & 0xc0) != 0x80);
        widest = width > widest ? width : widest;
    }
    return widest;
}

Test(report_print, a_terminal_is_not_overrun)
{
    struct report report;
    report_fixture(&report);
    for (unsigned width = 60; width <= 160; width += 20) {
        char *text = print(&report, TERMINAL, LANGUAGE_PT, width);
        cr_expect_leq(widest_line(text), width, "%zu of %u", widest_line(text), width);
        free(text);
    }
    report_fini(&report);
}

Test(report_print, a_narrow_terminal_loses_no_column)
{
    struct report report;
    report_fixture(&report);
    char *text = print(&report, TERMINAL, LANGUAGE_EN, 60);
    cr_expect(strstr(text, "231,100"));
    cr_expect(strstr(text, "29.08"));
    free(text);
    report_fini(&report);
}

Test(report_print, what_is_not_shown_is_counted)
{
    struct report report;
    report_fixture(&report);
    for (int format = TERMINAL; format <= HTML; format++) {
        char *text = print(&report, (enum format)format, LANGUAGE_EN, 100);
        cr_expect(strstr(text, "and 5 more"));
        cr_expect(strstr(text, "rule-25") || strstr(text, "rule\\-25"));
        cr_expect_not(strstr(text, "rule-26"));
        cr_expect(strstr(text, "Nothing to show in this period: Campaigns"));
        free(text);
    }
    report_fini(&report);
}

Test(report_print, data_cannot_steer_a_terminal)
{
    struct report report;
    report_fixture(&report);
    struct report_table *table = report_add_table(&report, &table_sectors);
    report_add_row(&report, table)[0] = cell_text("a\x1b[31mb\xff\nc");
    char *text = print(&report, TERMINAL, LANGUAGE_EN, 100);
    cr_expect_not(strchr(text, 0x1b));
    cr_expect(strstr(text, "a\xef\xbf\xbd[31mb\xef\xbf\xbd\xef\xbf\xbd"
                           "c"));
    free(text);
    report_fini(&report);
}

Test(report_print, markdown_keeps_its_columns)
{
    struct report report;
    report_fixture(&report);
    char *text = print(&report, MARKDOWN, LANGUAGE_EN, 0);
    cr_expect(strstr(text, "| &lt;b>social&lt;/b> &amp; \"co\" \\| x |"));
    cr_expect(strstr(text, "| marketing | SQLs delivered | working day | 2,100 | 1,731 | 82.4% | "
                           "**missed** | 1,923 | Head of Marketing |"));
    free(text);
    report_fini(&report);
}

Test(report_print, json_has_every_table_by_its_id)
{
    struct report report;
    report_fixture(&report);
    json_t *whole = report_json(&report), *tables = json_object_get(whole, "tables");
    cr_expect_eq(json_object_size(tables), report.table_count);
    json_t *mql = json_array_get(json_object_get(tables, "funnel"), 1);
    cr_expect_str_eq(json_string_value(json_object_get(mql, "stage")), "mql");
    cr_expect_eq(json_integer_value(json_object_get(mql, "count")), 5804);
    cr_expect_eq(json_real_value(json_object_get(mql, "to_next")), 29.82);
    json_t *channels = json_object_get(tables, "channels");
    json_t *social = json_array_get(channels, 4), *total = json_array_get(channels, 6);
    cr_expect(json_is_null(json_object_get(social, "spend")));
    cr_expect(json_is_null(json_object_get(total, "channel")));
    cr_expect_eq(json_real_value(json_object_get(total, "spend")), 20400.5);
    cr_expect_eq(json_array_size(json_object_get(tables, "rules")), 30);
    cr_expect_eq(json_array_size(json_object_get(tables, "campaigns")), 0);
    json_t *period = json_object_get(whole, "period");
    cr_expect_str_eq(json_string_value(json_object_get(period, "last")), "2026-11-30");
    json_decref(whole);
    report_fini(&report);
}

Test(report_print, a_part_of_nothing_is_not_known)
{
    cr_expect_eq(cell_ratio(1, 0).kind, VALUE_NONE);
    cr_expect_eq(cell_ratio(1, 8).amount, 1250);
    cr_expect_eq(cell_ratio(2, 3).amount, 6667);
    cr_expect_eq(cell_ratio(1, 3).amount, 3333);
    cr_expect_eq(cell_ratio(-1399999999992486, 5000000).amount, INT64_C(-2799999990000));
    cr_expect_lt(cell_ratio(INT64_MIN / 2, 3).amount, 0);
    cr_expect_gt(cell_ratio(INT64_MAX / 20000 - 1, INT64_MAX / 4).amount, -1);
    cr_expect_eq(cell_ratio(1, 20000).amount, 1, "half a hundredth goes up");
    cr_expect_eq(cell_ratio(INT64_MAX, INT64_MAX).amount, 10000);
}
