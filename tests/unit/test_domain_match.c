#include "domain_support.h"

static struct baton_text texts[8];

/* A test of one field against texts; the list ends with NULL. */
static struct baton_condition test_of(enum baton_match match, uint8_t field,
                                      const char *const *list)
{
    uint32_t count = 0;
    for (; list && list[count]; count++)
        texts[count] = text_of(list[count]);
    return (struct baton_condition){
        .match = match, .field = field, .texts = texts, .text_count = count};
}

static bool page_matches(enum baton_match match, const char *pattern, const char *page)
{
    struct baton_condition condition =
        test_of(match, BATON_PAGE, (const char *const[]){pattern, NULL});
    struct baton_event event = {.fields[BATON_PAGE] = text_of(page)};
    return baton_event_matches(&condition, &event);
}

static bool channel_matches(enum baton_match match, const char *pattern, const char *channel)
{
    struct baton_condition condition =
        test_of(match, BATON_CHANNEL, (const char *const[]){pattern, NULL});
    struct baton_event event = {.fields[BATON_CHANNEL] = text_of(channel)};
    return baton_event_matches(&condition, &event);
}

Test(match, a_plain_value_is_the_whole_text)
{
    cr_assert(page_matches(BATON_MATCH_EQUAL, "/pricing", "/pricing"));
    cr_assert_not(page_matches(BATON_MATCH_EQUAL, "/pricing", "/pricing/"));
    cr_assert_not(page_matches(BATON_MATCH_EQUAL, "/pricing", "/pricin"));
    cr_assert_not(page_matches(BATON_MATCH_EQUAL, "/pricing*", "/pricings"),
                  "a star is a star here");
    cr_assert(page_matches(BATON_MATCH_EQUAL, "/pricing*", "/pricing*"));
}

Test(match, a_list_holds_if_one_of_it_is_equal)
{
    struct baton_condition condition =
        test_of(BATON_MATCH_EQUAL, BATON_PAGE, (const char *const[]){"/a", "/b", NULL});
    cr_assert(
        baton_event_matches(&condition, &(struct baton_event){.fields[BATON_PAGE] = TEXT("/b")}));
    cr_assert_not(
        baton_event_matches(&condition, &(struct baton_event){.fields[BATON_PAGE] = TEXT("/c")}));
    condition.text_count = 0;
    cr_assert_not(
        baton_event_matches(&condition, &(struct baton_event){.fields[BATON_PAGE] = TEXT("/b")}));
}

Test(match, pages_compare_exactly_other_texts_without_ascii_case)
{
    cr_assert_not(page_matches(BATON_MATCH_EQUAL, "/pricing", "/Pricing"));
    cr_assert_not(page_matches(BATON_MATCH_GLOB, "/pricing*", "/PRICING/1"));
    cr_assert_not(page_matches(BATON_MATCH_CONTAINS, "ric", "/PRICING"));
    cr_assert(page_matches(BATON_MATCH_EQUAL, "/Pricing", "/Pricing"));
    cr_assert(channel_matches(BATON_MATCH_EQUAL, "linkedin", "LinkedIn"));
    cr_assert(channel_matches(BATON_MATCH_GLOB, "l*in", "LINKEDIN"));
    cr_assert(channel_matches(BATON_MATCH_CONTAINS, "ked", "LinKEDin"));
    cr_assert_not(channel_matches(BATON_MATCH_EQUAL, "\xC3\xA9", "\xC3\x89"), "only ASCII letters");
    cr_assert_not(channel_matches(BATON_MATCH_EQUAL, "[", "{"));
    cr_assert_not(channel_matches(BATON_MATCH_EQUAL, "`", "@"));
}

Test(match, a_star_is_any_run_of_characters)
{
    cr_assert(page_matches(BATON_MATCH_GLOB, "/pricing*", "/pricing"));
    cr_assert(page_matches(BATON_MATCH_GLOB, "/pricing*", "/pricing/a/b"));
    cr_assert(page_matches(BATON_MATCH_GLOB, "*", "x"));
    cr_assert(page_matches(BATON_MATCH_GLOB, "*.pdf", "/a.pdf.pdf"));
    cr_assert_not(page_matches(BATON_MATCH_GLOB, "*.pdf", "/a.pdf.html"));
    cr_assert(page_matches(BATON_MATCH_GLOB, "/*/b*c", "/a/b/bc"));
    cr_assert_not(page_matches(BATON_MATCH_GLOB, "/*/b*c", "/a/xc"));
    cr_assert(page_matches(BATON_MATCH_GLOB, "**a**", "bab"));
    cr_assert(page_matches(BATON_MATCH_GLOB, "a*b*c", "abbcc"));
    cr_assert_not(page_matches(BATON_MATCH_GLOB, "a*b*c", "acb"));
    cr_assert(page_matches(BATON_MATCH_GLOB, "a*", "a*"));
}

Test(match, a_text_without_a_star_in_a_list_of_patterns_is_equal)
{
    struct baton_condition condition =
        test_of(BATON_MATCH_GLOB, BATON_PAGE, (const char *const[]){"/docs*", "/pricing", NULL});
    cr_assert(baton_event_matches(&condition,
                                  &(struct baton_event){.fields[BATON_PAGE] = TEXT("/pricing")}));
    cr_assert_not(baton_event_matches(
        &condition, &(struct baton_event){.fields[BATON_PAGE] = TEXT("/pricing2")}));
    cr_assert(baton_event_matches(&condition,
                                  &(struct baton_event){.fields[BATON_PAGE] = TEXT("/docs/1")}));
}

/* The plainest matcher there is, to compare with. */
static bool plain_glob(const char *pattern, const char *text)
{
    if (*pattern == '*')
        return plain_glob(pattern + 1, text) || (*text && plain_glob(pattern, text + 1));
    if (*pattern == 0 || *text == 0)
        return *pattern == *text;
    return *pattern == *text && plain_glob(pattern + 1, text + 1);
}

Test(match, patterns_agree_with_the_plainest_matcher)
{
    uint64_t seed = 3;
    for (int i = 0; i < 100000; i++) {
        char pattern[8] = "", text[9] = "";
        for (size_t n = below(&seed, 7), k = 0; k < n; k++)
            pattern[k] = "ab*"[below(&seed, 3)];
        for (size_t n = 1 + below(&seed, 7), k = 0; k < n; k++)
            text[k] = "ab"[below(&seed, 2)];
        cr_assert_eq(page_matches(BATON_MATCH_GLOB, pattern, text), plain_glob(pattern, text),
                     "%s on %s", pattern, text);
    }
}

Test(match, many_stars_on_a_long_text_take_no_time)
{
    char text[BATON_TEXT_MAX + 1], pattern[201];
    memset(text, 'a', BATON_TEXT_MAX);
    text[BATON_TEXT_MAX] = 0;
    for (int i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    strcpy(pattern + 198, "*b");
    cr_assert_not(page_matches(BATON_MATCH_GLOB, pattern, text));
}

Test(match, contains_looks_everywhere)
{
    cr_assert(page_matches(BATON_MATCH_CONTAINS, "ing", "/pricing"));
    cr_assert(page_matches(BATON_MATCH_CONTAINS, "/pr", "/pricing"));
    cr_assert(page_matches(BATON_MATCH_CONTAINS, "aab", "aaab"));
    cr_assert_not(page_matches(BATON_MATCH_CONTAINS, "pricing!", "pricing"));
    cr_assert_not(page_matches(BATON_MATCH_CONTAINS, "a*b", "axb"), "a star is a star here");
    struct baton_condition condition =
        test_of(BATON_MATCH_CONTAINS, BATON_PAGE, (const char *const[]){"x", "ric", NULL});
    cr_assert(baton_event_matches(&condition,
                                  &(struct baton_event){.fields[BATON_PAGE] = TEXT("/pricing")}));
}

Test(match, a_range_includes_both_ends)
{
    struct baton_condition condition = test_of(BATON_MATCH_RANGE, BATON_FORM_ANSWER, NULL);
    condition.name = TEXT("size");
    condition.from = 50 * BATON_NUMBER_SCALE;
    condition.to = 500 * BATON_NUMBER_SCALE;
    static const struct {
        const char *text;
        bool within;
    } cases[] = {{"50", true},    {"500", true},  {"49.999999", false}, {"500.000001", false},
                 {"+77.5", true}, {"-60", false}, {"about 60", false},  {"60 ", false},
                 {"6e1", false},  {"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct baton_answer answer = {TEXT("size"), text_of(cases[i].text)};
        struct baton_event event = {.answers = &answer, .answer_count = 1};
        cr_assert_eq(baton_event_matches(&condition, &event), cases[i].within, "%s", cases[i].text);
    }
}

Test(match, either_end_of_a_range_may_be_left_out)
{
    struct baton_condition condition = test_of(BATON_MATCH_RANGE, BATON_CHANNEL, NULL);
    condition.from = INT64_MIN;
    condition.to = 0;
    struct baton_event low = {.fields[BATON_CHANNEL] = TEXT("-999999999999.999999")};
    struct baton_event high = {.fields[BATON_CHANNEL] = TEXT("999999999999.999999")};
    cr_assert(baton_event_matches(&condition, &low));
    cr_assert_not(baton_event_matches(&condition, &high));
    condition.from = 0;
    condition.to = INT64_MAX;
    cr_assert_not(baton_event_matches(&condition, &low));
    cr_assert(baton_event_matches(&condition, &high));
}

Test(match, known_is_present_and_not_empty)
{
    struct baton_condition condition = test_of(BATON_MATCH_KNOWN, BATON_CAMPAIGN, NULL);
    struct baton_event with = {.fields[BATON_CAMPAIGN] = TEXT("x")},
                       without = {.kind = BATON_VISIT};
    cr_assert(baton_event_matches(&condition, &with));
    cr_assert_not(baton_event_matches(&condition, &without));
    condition.negate = true;
    cr_assert_not(baton_event_matches(&condition, &with));
    cr_assert(baton_event_matches(&condition, &without));
}

Test(match, an_unknown_field_never_matches_except_under_not)
{
    struct baton_event without = {.kind = BATON_VISIT};
    for (int match = BATON_MATCH_EQUAL; match <= BATON_MATCH_KNOWN; match++) {
        struct baton_condition condition =
            test_of((enum baton_match)match, BATON_TARGET, (const char *const[]){"*", "", NULL});
        cr_assert_not(baton_event_matches(&condition, &without));
        condition.negate = true;
        cr_assert(baton_event_matches(&condition, &without));
    }
}

Test(match, not_is_true_where_the_inner_is_false)
{
    struct baton_condition condition =
        test_of(BATON_MATCH_EQUAL, BATON_CHANNEL, (const char *const[]){"ads", NULL});
    condition.negate = true;
    cr_assert_not(baton_event_matches(&condition,
                                      &(struct baton_event){.fields[BATON_CHANNEL] = TEXT("Ads")}));
    cr_assert(baton_event_matches(&condition,
                                  &(struct baton_event){.fields[BATON_CHANNEL] = TEXT("mail")}));
    condition.match = BATON_MATCH_RANGE;
    cr_assert(baton_event_matches(&condition,
                                  &(struct baton_event){.fields[BATON_CHANNEL] = TEXT("mail")}));
}

Test(match, all_needs_every_part_and_any_needs_one)
{
    struct baton_text a[] = {TEXT("a")}, b[] = {TEXT("b")};
    struct baton_condition parts[] = {
        {.match = BATON_MATCH_EQUAL, .field = BATON_PAGE, .texts = a, .text_count = 1},
        {.match = BATON_MATCH_EQUAL, .field = BATON_CHANNEL, .texts = b, .text_count = 1}};
    struct baton_condition all = {.match = BATON_MATCH_ALL, .children = parts, .child_count = 2};
    struct baton_condition any = {.match = BATON_MATCH_ANY, .children = parts, .child_count = 2};
    struct baton_event both = {.fields[BATON_PAGE] = TEXT("a"), .fields[BATON_CHANNEL] = TEXT("b")};
    struct baton_event one = {.fields[BATON_CHANNEL] = TEXT("b")}, none = {.kind = BATON_VISIT};
    cr_assert(baton_event_matches(&all, &both));
    cr_assert_not(baton_event_matches(&all, &one));
    cr_assert(baton_event_matches(&any, &both));
    cr_assert(baton_event_matches(&any, &one));
    cr_assert_not(baton_event_matches(&any, &none));
    struct baton_condition nested = {
        .match = BATON_MATCH_ALL, .children = &any, .child_count = 1, .negate = true};
    cr_assert(baton_event_matches(&nested, &none));
    cr_assert_not(baton_event_matches(&nested, &one));
}

Test(match, all_of_nothing_holds_and_any_of_nothing_does_not)
{
    struct baton_event event = {.kind = BATON_VISIT};
    cr_assert(baton_event_matches(&(struct baton_condition){.match = BATON_MATCH_ALL}, &event));
    cr_assert_not(baton_event_matches(&(struct baton_condition){.match = BATON_MATCH_ANY}, &event));
}

Test(match, names_of_a_forms_fields_compare_exactly_their_values_without_case)
{
    struct baton_condition condition =
        test_of(BATON_MATCH_EQUAL, BATON_FORM_ANSWER, (const char *const[]){"yes", NULL});
    condition.name = TEXT("Newsletter");
    struct baton_answer answers[] = {{TEXT("newsletter"), TEXT("yes")},
                                     {TEXT("Newsletter"), TEXT("YES")}};
    struct baton_event event = {.answers = answers, .answer_count = 1};
    cr_assert_not(baton_event_matches(&condition, &event));
    event.answer_count = 2;
    cr_assert(baton_event_matches(&condition, &event));
}

Test(match, every_text_of_an_event_can_be_named)
{
    for (uint8_t field = 0; field < BATON_EVENT_FIELDS; field++) {
        struct baton_condition condition =
            test_of(BATON_MATCH_EQUAL, field, (const char *const[]){"v", NULL});
        struct baton_event event = {.kind = BATON_VISIT};
        cr_assert_not(baton_event_matches(&condition, &event));
        event.fields[field] = TEXT("v");
        cr_assert(baton_event_matches(&condition, &event));
    }
}
