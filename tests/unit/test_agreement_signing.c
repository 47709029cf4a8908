/* Signing writes one item of the text; every other byte stays. */
#include "agreement/signing.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REST                                                                                       \
    "behaviour: [{id: visit, event: visit, points: 1}]\n"                                          \
    "gates: {mql: {score: 5}, sql: {score: 10}}\n"
#define OLD_HASH "00000000000000000000000000000000"

static struct agreement *parse(const char *text)
{
    struct agreement *agreement;
    struct text_buffer messages = {0};
    enum status status = agreement_parse("t", text, strlen(text), NULL, 0, &agreement, &messages);
    cr_assert_eq(status, STATUS_OK, "%s\n%s", messages.data ? messages.data : "", text);
    text_buffer_fini(&messages);
    return agreement;
}

static char *replace(const char *text, const char *what, const char *by)
{
    const char *at = strstr(text, what);
    if (!at)
        return strdup(text);
    struct text_buffer out = {0};
    text_buffer_add(&out, text, (size_t)(at - text));
    text_buffer_add_text(&out, by);
    text_buffer_add_text(&out, at + strlen(what));
    return out.data;
}

/* `text`, signed for sales by Ana on 2026-11-02; HASH in what is expected is the text's. */
static void signs(const char *text, const char *expected)
{
    struct agreement *agreement = parse(text);
    struct text_buffer out = {0};
    struct error error;
    enum status status = signing_write(agreement, SIGNING_SALES, "Ana", "2026-11-02", &out, &error);
    cr_expect_eq(status, STATUS_OK, "%s\n%s", error.text, text);
    char *wanted = replace(expected, "HASH", agreement_hash(agreement));
    cr_expect_str_eq(out.data, wanted);
    if (status == STATUS_OK) {
        struct agreement *again = parse(out.data);
        cr_expect_str_eq(agreement_hash(again), agreement_hash(agreement));
        cr_expect(agreement_is_signed(again, agreement_signature(again, SIGNING_SALES)));
        agreement_destroy(again);
    }
    free(wanted);
    text_buffer_fini(&out);
    agreement_destroy(agreement);
}

#define HEAD "agreement: test # the name\nversion: 1\n"

Test(signing, a_text_without_signatures_gets_a_list_at_its_end)
{
    signs(HEAD REST,
          HEAD REST "signed:\n  - {side: sales, by: Ana, date: 2026-11-02, hash: HASH}\n");
    signs(HEAD "touches: 3\n" REST "# the end",
          HEAD "touches: 3\n" REST
               "# the end\nsigned:\n  - {side: sales, by: Ana, date: 2026-11-02, hash: HASH}\n");
    signs("---\n" HEAD REST "...\n# behind\n",
          "---\n" HEAD REST
          "signed:\n  - {side: sales, by: Ana, date: 2026-11-02, hash: HASH}\n...\n# behind\n");
}

Test(signing, an_item_of_the_side_is_written_anew_and_the_other_side_stays)
{
    signs(HEAD "signed:   # both\n"
               "  - { side: sales ,  by: 'Old name', date: \"2026-10-01\" }  # the first\n"
               "  # marketing\n"
               "  - {side: marketing, by: Mia, date: 2026-10-02, hash: " OLD_HASH "}\n" REST,
          HEAD "signed:   # both\n"
               "  - { side: sales ,  by: Ana, date: 2026-11-02, hash: HASH }  # the first\n"
               "  # marketing\n"
               "  - {side: marketing, by: Mia, date: 2026-10-02, hash: " OLD_HASH "}\n" REST);
    signs(HEAD "signed:\n"
               "  - {hash: " OLD_HASH ", side: sales, by: Ana,\n     date: 2026-10-01}\n" REST,
          HEAD "signed:\n"
               "  - {hash: HASH, side: sales, by: Ana,\n     date: 2026-11-02}\n" REST);
}

Test(signing, block_style_keeps_its_shape)
{
    signs(HEAD "signed:\n"
               "-   side: marketing\n"
               "    by: Mia\n"
               "    date: 2026-10-02  # a Friday\n"
               "-   date: 2026-10-01\n"
               "    by: \"Old \\\"one\\\"\"  # since May\n"
               "    side: sales  # us\n" REST,
          HEAD "signed:\n"
               "-   side: marketing\n"
               "    by: Mia\n"
               "    date: 2026-10-02  # a Friday\n"
               "-   date: 2026-11-02\n"
               "    by: Ana  # since May\n"
               "    side: sales  # us\n"
               "    hash: HASH\n" REST);
    signs(HEAD "signed:\n"
               "    -   side: marketing\n"
               "        by: Mia\n"
               "        date: 2026-10-02  # a Friday\n\n" REST,
          HEAD "signed:\n"
               "    -   side: marketing\n"
               "        by: Mia\n"
               "        date: 2026-10-02  # a Friday\n"
               "    - {side: sales, by: Ana, date: 2026-11-02, hash: HASH}\n\n" REST);
}

Test(signing, flow_style_keeps_its_shape)
{
    signs(HEAD "signed: [{side: marketing, by: Mia, date: 2026-10-02},]\n" REST,
          HEAD "signed: [{side: marketing, by: Mia, date: 2026-10-02}, {side: sales, by: Ana, "
               "date: 2026-11-02, hash: HASH},]\n" REST);
    signs(HEAD "signed: [\n  {side: marketing, by: Mia, date: 2026-10-02}  # ]\n ]\n" REST,
          HEAD "signed: [\n  {side: marketing, by: Mia, date: 2026-10-02},\n  {side: sales, by: "
               "Ana, date: 2026-11-02, hash: HASH}  # ]\n ]\n" REST);
    signs("{agreement: é, version: 1,\n behaviour: [{id: visit, event: visit, points: 1}],\n"
          " gates: {mql: {score: 5}, sql: {score: 10}}  # last\n}\n",
          "{agreement: é, version: 1,\n behaviour: [{id: visit, event: visit, points: 1}],\n"
          " gates: {mql: {score: 5}, sql: {score: 10}}, signed: [{side: sales, by: Ana, date: "
          "2026-11-02, hash: HASH}]  # last\n}\n");
}

Test(signing, lines_end_as_the_text_ends_them)
{
    signs("agreement: test\r\nversion: 1\r\nbehaviour: [{id: v, event: visit, points: 1}]\r\n"
          "gates: {mql: {score: 5}, sql: {score: 10}}",
          "agreement: test\r\nversion: 1\r\nbehaviour: [{id: v, event: visit, points: 1}]\r\n"
          "gates: {mql: {score: 5}, sql: {score: 10}}\r\n"
          "signed:\r\n  - {side: sales, by: Ana, date: 2026-11-02, hash: HASH}\r\n");
    signs("signed:\r\n- side: sales\r\n  by: B\r\n  date: 2026-10-01\r\n"
          "agreement: test\r\nversion: 1\r\nbehaviour: [{id: v, event: visit, points: 1}]\r\n"
          "gates: {mql: {score: 5}, sql: {score: 10}}",
          "signed:\r\n- side: sales\r\n  by: Ana\r\n  date: 2026-11-02\r\n  hash: HASH\r\n"
          "agreement: test\r\nversion: 1\r\nbehaviour: [{id: v, event: visit, points: 1}]\r\n"
          "gates: {mql: {score: 5}, sql: {score: 10}}");
}

Test(signing, signing_twice_changes_nothing)
{
    struct agreement *agreement = parse(HEAD REST);
    struct text_buffer first = {0}, second = {0};
    struct error error;
    cr_assert_eq(signing_write(agreement, SIGNING_SALES, "Ana", "2026-11-02", &first, &error), 0);
    struct agreement *again = parse(first.data);
    cr_assert_eq(signing_write(again, SIGNING_SALES, "Ana", "2026-11-02", &second, &error), 0);
    cr_expect_str_eq(first.data, second.data);
    text_buffer_fini(&first);
    text_buffer_fini(&second);
    agreement_destroy(agreement);
    agreement_destroy(again);
}

Test(signing, of_several_names_the_one_that_signs_is_written)
{
    signs(HEAD "signed:\n  - {side: sales, by: Bo, date: 2026-10-01}\n"
               "  - {side: sales, by: Ana, date: 2026-10-01}\n" REST,
          HEAD "signed:\n  - {side: sales, by: Bo, date: 2026-10-01}\n"
               "  - {side: sales, by: Ana, date: 2026-11-02, hash: HASH}\n" REST);
}

Test(signing, a_name_gets_quotes_where_it_needs_them)
{
    static const char *const names[] = {"João d'Ávila",
                                        "Ana: Head of Sales",
                                        "null",
                                        "-",
                                        "# 1",
                                        "a \"b\" \\ c",
                                        " x ",
                                        "{x}",
                                        "42",
                                        "Ana, Bo",
                                        "*",
                                        "true",
                                        "Head (sales) Dr. A-B",
                                        "@ana",
                                        "x #y",
                                        "%",
                                        "É",
                                        "~"};
    struct agreement *agreement = parse(HEAD REST);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text_buffer out = {0};
        struct error error;
        cr_expect_eq(
            signing_write(agreement, SIGNING_MARKETING, names[i], "2026-11-02", &out, &error),
            STATUS_OK, "%s", names[i]);
        struct agreement *again = parse(out.data);
        cr_expect_str_eq(agreement_signature(again, SIGNING_MARKETING)->by, names[i]);
        agreement_destroy(again);
        text_buffer_fini(&out);
    }
    agreement_destroy(agreement);
}

static void refuses(const char *text, const char *by, const char *date, const char *why)
{
    struct agreement *agreement = parse(text);
    struct text_buffer out = {0};
    struct error error = {0};
    cr_expect_eq(signing_write(agreement, SIGNING_SALES, by, date, &out, &error), STATUS_REJECT);
    cr_expect(strstr(error.text, why), "%s", error.text);
    text_buffer_fini(&out);
    agreement_destroy(agreement);
}

Test(signing, what_cannot_be_written_is_told_and_not_written)
{
    refuses(HEAD REST, "", "2026-11-02", "a name is");
    refuses(HEAD REST, "a\nb", "2026-11-02", "a name is");
    refuses(HEAD REST, "a\xff", "2026-11-02", "by hand");
    refuses(HEAD REST, "Ana", "2026-13-02", "by hand");
    refuses(HEAD "signed:\n  - side: sales\n    by: |\n      Ana\n    date: 2026-10-01\n" REST,
            "Bo", "2026-11-02", "by hand");
}

Test(signing, only_a_hash_of_this_text_signs_it)
{
    struct agreement *agreement =
        parse(HEAD "signed:\n  - {side: sales, by: A, date: 2026-10-01, hash: " OLD_HASH "}\n"
                   "  - {side: sales, by: B, date: 2026-10-05}\n"
                   "  - {side: marketing, by: C, date: 2026-10-05}\n" REST);
    const struct signature *sales = agreement_signature(agreement, SIGNING_SALES);
    cr_expect_str_eq(sales->by, "A"); /* a hash says more than a later name */
    cr_expect(!agreement_is_signed(agreement, sales));
    cr_expect(!agreement_is_signed(agreement, agreement_signature(agreement, SIGNING_MARKETING)));
    cr_expect(!agreement_is_agreed(agreement));
    size_t count;
    (void)agreement_signatures(agreement, &count);
    cr_expect_eq(count, 3);
    agreement_destroy(agreement);
}

Test(signing, both_sides_make_an_agreement)
{
    struct agreement *agreement = parse(HEAD REST);
    for (int side = 0; side < SIGNING_SIDES; side++) {
        struct text_buffer out = {0};
        struct error error;
        cr_expect(!agreement_is_agreed(agreement));
        cr_assert_eq(
            signing_write(agreement, (enum signing_side)side, "Ana", "2026-11-02", &out, &error),
            STATUS_OK);
        agreement_destroy(agreement);
        agreement = parse(out.data);
        text_buffer_fini(&out);
    }
    cr_expect(agreement_is_agreed(agreement));
    char *changed = replace(agreement_text(agreement).data, "score: 5", "score: 6");
    struct agreement *other = parse(changed);
    cr_expect(!agreement_is_agreed(other));
    free(changed);
    agreement_destroy(other);
    agreement_destroy(agreement);
}

Test(signing, every_good_agreement_can_be_signed)
{
    DIR *folder = opendir(BATON_SOURCE_DIR "/tests/agreements/good");
    size_t seen = 0;
    cr_assert(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[512];
        struct agreement *agreement;
        struct text_buffer messages = {0}, out = {0};
        struct error error = {{0}};
        if (!strstr(entry->d_name, ".yaml"))
            continue;
        snprintf(path, sizeof path, BATON_SOURCE_DIR "/tests/agreements/good/%s", entry->d_name);
        cr_assert_eq(agreement_load(path, &agreement, &messages), STATUS_OK);
        cr_expect_eq(signing_write(agreement, SIGNING_MARKETING, "Mia", "2026-11-02", &out, &error),
                     STATUS_OK, "%s: %s", path, error.text);
        seen++;
        agreement_destroy(agreement);
        text_buffer_fini(&messages);
        text_buffer_fini(&out);
    }
    closedir(folder);
    cr_expect_geq(seen, 16);
}
