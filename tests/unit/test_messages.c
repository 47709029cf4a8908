/* The catalogue of sentences: whole in every language, and filled in as each language writes. */
#include "messages/messages.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define HOLES_MAX 16

struct holes {
    char names[HOLES_MAX][32];
    size_t count;
};

static void note_hole(struct holes *holes, const char *name, size_t size)
{
    cr_assert_lt(size, 32);
    for (size_t i = 0; i < holes->count; i++)
        if (strlen(holes->names[i]) == size && memcmp(holes->names[i], name, size) == 0)
            return;
    cr_assert_lt(holes->count, HOLES_MAX);
    memcpy(holes->names[holes->count], name, size);
    holes->names[holes->count++][size] = 0;
}

/* Bars between braces: none or two. False: the text is not well formed. */
static bool holes_of(const char *text, struct holes *holes)
{
    *holes = (struct holes){0};
    for (const char *at = text; (at = strpbrk(at, "{}"));) {
        const char *end = strchr(at, '}');
        if (*at == '}' || !end || memchr(at + 1, '{', (size_t)(end - at - 1)))
            return false;
        size_t bars = 0, name = strcspn(at + 1, "|}");
        for (const char *c = at; c < end; c++)
            bars += *c == '|';
        if (name == 0 || (bars != 0 && bars != 2))
            return false;
        note_hole(holes, at + 1, name);
        at = end + 1;
    }
    return true;
}

static bool has_hole(const struct holes *holes, const char *name)
{
    for (size_t i = 0; i < holes->count; i++)
        if (strcmp(holes->names[i], name) == 0)
            return true;
    return false;
}

static bool same_holes(const struct holes *left, const struct holes *right)
{
    for (size_t i = 0; i < left->count; i++)
        if (!has_hole(right, left->names[i]))
            return false;
    return left->count == right->count;
}

Test(messages, every_id_has_a_text_with_the_same_holes_in_every_language)
{
    for (int id = 0; id < MESSAGES; id++) {
        const char *name = message_name((enum message_id)id);
        struct holes english, other;
        for (int language = 0; language < LANGUAGES; language++) {
            const char *text = message_text((enum language)language, (enum message_id)id);
            cr_expect(text && *text, "%s has no text in %s", name,
                      language_name((enum language)language));
            if (!text || !*text)
                continue;
            cr_expect(holes_of(text, &other), "%s in %s: %s", name,
                      language_name((enum language)language), text);
            if (language == LANGUAGE_EN)
                english = other;
            cr_expect(same_holes(&english, &other), "%s in %s has other holes than in English: %s",
                      name, language_name((enum language)language), text);
        }
    }
}

/* A text that was copied and not translated; only names are the same in two languages. */
Test(messages, what_is_found_wrong_is_translated)
{
    static const char *const begins[] = {"FINDING_", "WHAT_", "KIND_",
                                         "SUGGEST_", "FILE_", "DATES_"};
    int count = 0;
    for (int id = 0; id < MESSAGES; id++) {
        const char *name = message_name((enum message_id)id);
        const char *english = message_text(LANGUAGE_EN, (enum message_id)id);
        for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
            if (strncmp(name, begins[i], strlen(begins[i])) != 0)
                continue;
            count++;
            for (int language = LANGUAGE_PT; language < LANGUAGES; language++)
                cr_expect_str_neq(message_text((enum language)language, (enum message_id)id),
                                  english, "%s in %s", name,
                                  language_name((enum language)language));
        }
    }
    cr_expect_geq(count, 140);
}

Test(messages, holes_that_differ_are_seen)
{
    struct holes one, other;
    cr_expect(holes_of("{a} and {b|x|y}", &one) && one.count == 2);
    cr_expect(holes_of("{b} e {a}", &other) && same_holes(&one, &other));
    cr_expect(holes_of("{b} e {c}", &other) && !same_holes(&one, &other));
    cr_expect(holes_of("{b}", &other) && !same_holes(&one, &other) && !same_holes(&other, &one));
    cr_expect_not(holes_of("{a", &other));
    cr_expect_not(holes_of("a}", &other));
    cr_expect_not(holes_of("{a|b}", &other));
    cr_expect_not(holes_of("{}", &other));
}

Test(messages, a_language_is_found_by_its_name)
{
    enum language language = LANGUAGES;
    cr_expect(language_find("pt", &language) && language == LANGUAGE_PT);
    cr_expect(language_find("es", &language) && language == LANGUAGE_ES);
    cr_expect(language_find("en", &language) && language == LANGUAGE_EN);
    cr_expect_not(language_find("PT", &language));
    cr_expect_not(language_find("", &language));
}

/* ---- Filling in ---- */

static struct text_buffer out;
static struct speech speech;

static void speak(enum language language)
{
    text_buffer_init(&out);
    speech_init(&speech, language, &out);
}

static void be_silent(void)
{
    speech_fini(&speech);
    text_buffer_fini(&out);
}

#define expect_said(text)                                                                          \
    do {                                                                                           \
        cr_expect_str_eq(out.data, text);                                                          \
        text_buffer_clear(&out);                                                                   \
    } while (0)

Test(messages, an_article_grows_together_with_the_preposition_before_it)
{
    speak(LANGUAGE_PT);
    say(&speech, MESSAGE_FINDING_MISSING_KEY, {"key", "per"}, {"what", "a meta `a`"},
        {"suggestion", ""});
    expect_said("falta `per` na meta `a`");
    say(&speech, MESSAGE_FINDING_MISSING_KEY, {"key", "per"}, {"what", "o `id`"},
        {"suggestion", ""});
    expect_said("falta `per` no `id`");
    say(&speech, MESSAGE_FINDING_MISSING_KEY, {"key", "per"}, {"what", "uma meta"},
        {"suggestion", ""});
    expect_said("falta `per` em uma meta");
    be_silent();
}

Test(messages, a_sentence_is_filled_in_by_the_names_of_its_holes)
{
    speak(LANGUAGE_EN);
    say(&speech, MESSAGE_SIGNED, {"date", "D"}, {"by", "B {side}"}, {"side", "S"});
    expect_said("Signed for S by B {side} on D.");
    be_silent();
    speak(LANGUAGE_PT);
    say(&speech, MESSAGE_SIGNED, {"date", "D"}, {"by", "B {side}"}, {"side", "S"});
    expect_said("Assinado por B {side}, em nome de S, em D.");
    be_silent();
}

Test(messages, one_is_told_from_many)
{
    static const char *const days[LANGUAGES][3] = {{"1 day", "2 days", "0 days"},
                                                   {"1 dia", "2 dias", "0 dias"},
                                                   {"1 día", "2 días", "0 días"}};
    for (int language = 0; language < LANGUAGES; language++) {
        speak((enum language)language);
        cr_expect_str_eq(phrase(&speech, MESSAGE_DAYS, {"count", "1"}), days[language][0]);
        cr_expect_str_eq(phrase(&speech, MESSAGE_DAYS, {"count", "2"}), days[language][1]);
        cr_expect_str_eq(phrase(&speech, MESSAGE_DAYS, {"count", "0"}), days[language][2]);
        be_silent();
    }
    speak(LANGUAGE_EN);
    cr_expect_str_eq(phrase(&speech, MESSAGE_DAYS, {"count", "-1"}), "-1 day");
    be_silent();
}

Test(messages, a_hole_without_a_value_ends_the_process, .signal = 6)
{
    speak(LANGUAGE_EN);
    say(&speech, MESSAGE_SIGNED, {"date", "D"}, {"by", "B"});
}

/* ---- Numbers, dates, lists ---- */

Test(messages, numbers_are_written_as_the_language_writes_them)
{
    speak(LANGUAGE_EN);
    cr_expect_str_eq(speech_count(&speech, 0), "0");
    cr_expect_str_eq(speech_count(&speech, 999), "999");
    cr_expect_str_eq(speech_count(&speech, 1234567), "1,234,567");
    cr_expect_str_eq(speech_count(&speech, INT64_MIN), "-9,223,372,036,854,775,808");
    cr_expect_str_eq(speech_points(&speech, 7025), "70.25");
    cr_expect_str_eq(speech_points(&speech, 7020), "70.2");
    cr_expect_str_eq(speech_points(&speech, -5), "-0.05");
    cr_expect_str_eq(speech_points(&speech, 100000000), "1,000,000");
    be_silent();
    for (int language = LANGUAGE_PT; language <= LANGUAGE_ES; language++) {
        speak((enum language)language);
        cr_expect_str_eq(speech_count(&speech, -1234567), "-1.234.567");
        cr_expect_str_eq(speech_points(&speech, 123456), "1.234,56");
        cr_expect_str_eq(speech_points(&speech, 7000), "70");
        be_silent();
    }
}

Test(messages, dates_are_written_as_the_language_writes_them)
{
    int64_t time_ms = INT64_C(1793534459000); /* 2026-11-01T12:00:59Z */
    speak(LANGUAGE_EN);
    cr_expect_str_eq(speech_date(&speech, "2026-11-30"), "2026-11-30");
    cr_expect_str_eq(speech_time(&speech, time_ms), "2026-11-01 12:00");
    be_silent();
    for (int language = LANGUAGE_PT; language <= LANGUAGE_ES; language++) {
        speak((enum language)language);
        cr_expect_str_eq(speech_date(&speech, "2026-11-30"), "30/11/2026");
        cr_expect_str_eq(speech_time(&speech, time_ms), "01/11/2026 12:00");
        be_silent();
    }
}

static void expect_list(enum language language, enum speech_join join, const char *second,
                        const char *expected)
{
    const char *const items[] = {"a", second};
    speak(language);
    cr_expect_str_eq(speech_list(&speech, items, 2, join), expected);
    be_silent();
}

Test(messages, lists_are_joined_as_the_language_joins_them)
{
    const char *const items[] = {"a", "b", "c"};
    speak(LANGUAGE_EN);
    cr_expect_str_eq(speech_list(&speech, items, 0, SPEECH_AND), "");
    cr_expect_str_eq(speech_list(&speech, items, 1, SPEECH_AND), "a");
    cr_expect_str_eq(speech_list(&speech, items, 3, SPEECH_AND), "a, b and c");
    cr_expect_str_eq(speech_list(&speech, items, 3, SPEECH_OR), "a, b or c");
    be_silent();
    expect_list(LANGUAGE_PT, SPEECH_AND, "b", "a e b");
    expect_list(LANGUAGE_PT, SPEECH_OR, "b", "a ou b");
    expect_list(LANGUAGE_ES, SPEECH_AND, "b", "a y b");
    expect_list(LANGUAGE_ES, SPEECH_OR, "b", "a o b");
}

Test(messages, spanish_avoids_two_vowels_of_the_same_sound)
{
    expect_list(LANGUAGE_ES, SPEECH_AND, "inversiones", "a e inversiones");
    expect_list(LANGUAGE_ES, SPEECH_AND, "\"hijos de Pérez\"", "a e \"hijos de Pérez\"");
    expect_list(LANGUAGE_ES, SPEECH_AND, "hierro", "a y hierro");
    expect_list(LANGUAGE_ES, SPEECH_AND, "`id`", "a e `id`");
    expect_list(LANGUAGE_ES, SPEECH_OR, "owner", "a u owner");
    expect_list(LANGUAGE_ES, SPEECH_OR, "80", "a u 80");
    expect_list(LANGUAGE_ES, SPEECH_OR, "7", "a o 7");
    expect_list(LANGUAGE_PT, SPEECH_OR, "owner", "a ou owner");
}

Test(numbers, shares_and_money_are_written_as_the_language_does)
{
    struct text_buffer out;
    struct speech speech;
    text_buffer_init(&out);
    speech_init(&speech, LANGUAGE_EN, &out);
    cr_expect_str_eq(speech_percent(&speech, 1250), "12.5%");
    cr_expect_str_eq(speech_percent(&speech, 10000), "100%");
    cr_expect_str_eq(speech_money(&speech, 120050, "EUR"), "EUR 1,200.50");
    cr_expect_str_eq(speech_money(&speech, -700, "EUR"), "EUR -7");
    cr_expect_str_eq(speech_money(&speech, 5, ""), "0.05");
    speech_fini(&speech);
    speech_init(&speech, LANGUAGE_PT, &out);
    cr_expect_str_eq(speech_percent(&speech, 1250), "12,5%");
    cr_expect_str_eq(speech_money(&speech, 120050, "EUR"), "1.200,50 EUR");
    speech_fini(&speech);
    text_buffer_fini(&out);
}
