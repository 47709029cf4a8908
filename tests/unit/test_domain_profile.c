#include "domain_support.h"

static struct world world;
static struct baton_text texts[4];

static void start(void)
{
    world_init(&world);
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(profile, .init = start, .fini = end);

static struct baton_condition is(enum baton_match match, uint8_t field, const char *text)
{
    static unsigned at;
    struct baton_text *one = &texts[at++ % 4];
    *one = text_of(text);
    return (struct baton_condition){.match = match, .field = field, .texts = one, .text_count = 1};
}

static bool value_is(enum baton_profile_field field, const char *expected)
{
    return text_is(baton_profile_get(&world.lead, field, (struct baton_text){NULL, 0}), expected);
}

static bool property_is(const char *name, const char *expected)
{
    return text_is(baton_profile_get(&world.lead, BATON_PROPERTY, text_of(name)), expected);
}

Test(profile, a_newer_value_replaces_an_older_one)
{
    world_profile(&world, BATON_COMPANY, "Old", MONDAY_MS);
    world_profile(&world, BATON_COMPANY, "New", MONDAY_MS + 1);
    cr_assert(value_is(BATON_COMPANY, "New"));
}

Test(profile, a_late_value_does_not_replace_a_newer_one)
{
    world_profile(&world, BATON_COMPANY, "New", MONDAY_MS + 1);
    world_profile(&world, BATON_COMPANY, "Old", MONDAY_MS);
    cr_assert(value_is(BATON_COMPANY, "New"));
}

Test(profile, at_the_same_time_the_later_in_the_log_wins)
{
    world_profile(&world, BATON_COMPANY, "First", MONDAY_MS);
    world_profile(&world, BATON_COMPANY, "Second", MONDAY_MS);
    cr_assert(value_is(BATON_COMPANY, "Second"));
    world_profile(&world, BATON_COMPANY, NULL, MONDAY_MS);
    cr_assert(value_is(BATON_COMPANY, ""));
    world_profile(&world, BATON_COMPANY, "Third", MONDAY_MS);
    cr_assert(value_is(BATON_COMPANY, "Third"));
}

Test(profile, a_removal_keeps_its_time)
{
    world_profile(&world, BATON_PHONE, "1", MONDAY_MS);
    world_profile(&world, BATON_PHONE, NULL, MONDAY_MS + 10);
    world_profile(&world, BATON_PHONE, "2", MONDAY_MS + 5);
    cr_assert(value_is(BATON_PHONE, ""));
    world_profile(&world, BATON_PHONE, "3", MONDAY_MS + 10);
    cr_assert(value_is(BATON_PHONE, "3"));
}

Test(profile, a_removal_of_what_was_never_there_keeps_its_time_too)
{
    world_profile(&world, BATON_PHONE, NULL, MONDAY_MS + 10);
    world_profile(&world, BATON_PHONE, "2", MONDAY_MS + 5);
    cr_assert(value_is(BATON_PHONE, ""));
}

Test(profile, fields_that_are_not_mentioned_stay)
{
    world_profile(&world, BATON_NAME, "Ana", MONDAY_MS);
    world_profile(&world, BATON_EMAIL, "ana@example.com", MONDAY_MS + 1);
    world_profile(&world, BATON_AGE, "44", MONDAY_MS + 2);
    cr_assert(value_is(BATON_NAME, "Ana"));
    cr_assert(value_is(BATON_EMAIL, "ana@example.com"));
    cr_assert(value_is(BATON_AGE, "44"));
    cr_assert(value_is(BATON_SECTOR, ""));
}

Test(profile, updates_of_one_event_apply_in_their_order)
{
    struct baton_profile_update updates[] = {
        {.field = BATON_COMPANY, .value = TEXT("A"), .folded = TEXT("a")},
        {.field = BATON_COMPANY, .value = TEXT("B"), .folded = TEXT("b")},
    };
    world_fold(&world, (struct baton_event){.kind = BATON_FORM_FILL,
                                            .time_ms = MONDAY_MS,
                                            .updates = updates,
                                            .update_count = 2});
    cr_assert(value_is(BATON_COMPANY, "B"));
}

Test(profile, values_stay_as_written_and_rules_compare_them_folded)
{
    world_fit(&world, 20, is(BATON_MATCH_CONTAINS, BATON_JOB_TITLE, "director"));
    world_profile(&world, BATON_JOB_TITLE, "Managing DIRECTOR", MONDAY_MS);
    cr_assert(value_is(BATON_JOB_TITLE, "Managing DIRECTOR"));
    cr_assert_eq(world.score.fit, HUNDRED(20));
}

Test(profile, a_text_that_folds_to_nothing_is_unknown_to_rules)
{
    world_fit(&world, 20,
              (struct baton_condition){.match = BATON_MATCH_KNOWN, .field = BATON_NAME});
    struct baton_profile_update update = {.field = BATON_NAME, .value = TEXT("\xCC\x81")};
    world_fold(&world, (struct baton_event){.kind = BATON_PROFILE,
                                            .time_ms = MONDAY_MS,
                                            .updates = &update,
                                            .update_count = 1});
    cr_assert(value_is(BATON_NAME, "\xCC\x81"));
    cr_assert_eq(world.score.fit, 0);
}

Test(profile, fit_is_there_while_the_profile_says_so)
{
    world_fit(&world, 15, is(BATON_MATCH_EQUAL, BATON_SECTOR, "retail"));
    world_profile(&world, BATON_SECTOR, "Retail", MONDAY_MS);
    cr_assert_eq(world.score.fit, HUNDRED(15));
    cr_assert_eq(world.score.score, HUNDRED(15));
    world_profile(&world, BATON_SECTOR, "Finance", MONDAY_MS + 1);
    cr_assert_eq(world.score.fit, 0);
    world_profile(&world, BATON_SECTOR, "retail", MONDAY_MS + 2);
    world_profile(&world, BATON_SECTOR, NULL, MONDAY_MS + 3);
    cr_assert_eq(world.score.fit, 0);
}

Test(profile, a_rule_with_not_holds_for_a_lead_of_whom_nothing_is_known)
{
    struct baton_condition no_student = is(BATON_MATCH_EQUAL, BATON_JOB_TITLE, "student");
    no_student.negate = true;
    world_fit(&world, 5, no_student);
    world_visit(&world, MONDAY_MS);
    cr_assert_eq(world.score.fit, HUNDRED(5));
    world_profile(&world, BATON_JOB_TITLE, "Student", MONDAY_MS);
    cr_assert_eq(world.score.fit, 0);
}

Test(profile, every_fit_rule_that_holds_counts_up_to_the_limit)
{
    world_fit(&world, 30, is(BATON_MATCH_EQUAL, BATON_SECTOR, "retail"));
    world_fit(&world, 40, is(BATON_MATCH_EQUAL, BATON_COUNTRY, "br"));
    world_fit(&world, -10, is(BATON_MATCH_EQUAL, BATON_SEGMENT, "small"));
    world_profile(&world, BATON_SECTOR, "retail", MONDAY_MS);
    world_profile(&world, BATON_COUNTRY, "BR", MONDAY_MS);
    world_profile(&world, BATON_SEGMENT, "small", MONDAY_MS);
    cr_assert_eq(world.score.fit, HUNDRED(60));
    world.agreement.limit_fit = 50;
    baton_lead_score(&world.lead, &world.agreement, 0, &world.score);
    cr_assert_eq(world.score.fit, HUNDRED(50), "60 was the exact sum");
}

Test(profile, the_domain_of_an_email_follows_its_last_at)
{
    struct baton_condition domain = is(BATON_MATCH_EQUAL, BATON_EMAIL_DOMAIN, "example.com");
    static const struct {
        const char *email;
        bool holds;
    } cases[] = {{"Ana@Example.com", true},   {"\"a@b\"@example.com", true},
                 {"example.com", false},      {"ana@", false},
                 {"ana@example.com@", false}, {"ana@sub.example.com", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        world_profile(&world, BATON_EMAIL, cases[i].email, MONDAY_MS);
        cr_assert_eq(baton_profile_matches(&domain, &world.lead), cases[i].holds, "%s",
                     cases[i].email);
    }
}

Test(profile, numbers_are_compared_in_ranges)
{
    world_fit(&world, 15,
              (struct baton_condition){.match = BATON_MATCH_RANGE,
                                       .field = BATON_EMPLOYEES,
                                       .from = 50 * BATON_NUMBER_SCALE,
                                       .to = 500 * BATON_NUMBER_SCALE});
    world_profile(&world, BATON_EMPLOYEES, "50", MONDAY_MS);
    cr_assert_eq(world.score.fit, HUNDRED(15));
    world_profile(&world, BATON_EMPLOYEES, "49.5", MONDAY_MS);
    cr_assert_eq(world.score.fit, 0);
}

Test(profile, only_properties_that_the_agreement_names_are_kept)
{
    struct baton_text named[] = {TEXT("plan"), TEXT("seats")};
    world.agreement.properties = named;
    world.agreement.property_count = 2;
    struct baton_condition pro = is(BATON_MATCH_EQUAL, BATON_PROPERTY, "pro");
    pro.name = TEXT("plan");
    world_fit(&world, 7, pro);
    world_profile_as(&world, BATON_PROPERTY, "plan", "Pro", MONDAY_MS);
    world_profile_as(&world, BATON_PROPERTY, "colour", "red", MONDAY_MS);
    world_profile_as(&world, BATON_PROPERTY, "Plan", "basic", MONDAY_MS);
    cr_assert(property_is("plan", "Pro"));
    cr_assert(property_is("colour", ""));
    cr_assert_eq(world.lead.profile_count, 1);
    cr_assert_eq(world.score.fit, HUNDRED(7));
}

Test(profile, a_form_fill_can_change_the_profile_before_its_hits)
{
    world_fit(&world, 10, is(BATON_MATCH_EQUAL, BATON_COUNTRY, "br"));
    world.agreement.mql.score = 10;
    world.agreement.mql.fit = 10;
    struct baton_profile_update update = {
        .field = BATON_COUNTRY, .value = TEXT("BR"), .folded = TEXT("br")};
    world_fold(&world, (struct baton_event){.kind = BATON_FORM_FILL,
                                            .time_ms = MONDAY_MS,
                                            .updates = &update,
                                            .update_count = 1});
    cr_assert_eq(world.lead.stage, BATON_MQL);
}

Test(profile, values_too_long_are_cut_at_the_border_of_a_character)
{
    char value[2000], folded[4000];
    memset(value, 'a', sizeof value);
    memset(folded, 'b', sizeof folded);
    memcpy(value + 1023, "\xC3\xA9", 2);
    struct baton_profile_update update = {
        .field = BATON_NAME, .value = {value, sizeof value}, .folded = {folded, sizeof folded}};
    world_fold(&world, (struct baton_event){.kind = BATON_PROFILE,
                                            .time_ms = MONDAY_MS,
                                            .updates = &update,
                                            .update_count = 1});
    cr_assert_eq(world.lead.profile[0].value.size, 1023);
    cr_assert_eq(world.lead.profile[0].folded.size, BATON_FOLDED_MAX);
    update.folded = update.value;
    world_fold(&world, (struct baton_event){.kind = BATON_PROFILE,
                                            .time_ms = MONDAY_MS,
                                            .updates = &update,
                                            .update_count = 1});
    cr_assert_eq(world.lead.profile[0].folded.size, 2000,
                 "what differs from the value has bytes of its own");
    cr_assert_eq(world.lead.profile[0].folded.data[1999], 'a');
}

Test(profile, when_there_are_too_many_properties_the_oldest_unnamed_one_goes)
{
    char names[BATON_PROPERTIES_MAX + 2][8];
    struct baton_text named[2];
    world.agreement.properties = named;
    for (int i = 0; i < BATON_PROPERTIES_MAX + 2; i++) {
        snprintf(names[i], sizeof names[i], "p%02d", i);
        named[0] = text_of(names[i]); /* each agreement names another one */
        named[1] = text_of(names[0]);
        world.agreement.property_count = 2;
        world_profile_as(&world, BATON_PROPERTY, names[i], "v", MONDAY_MS + (i == 7 ? 1 : 100 + i));
    }
    cr_assert_eq(world.lead.profile_count, BATON_PROPERTIES_MAX);
    cr_assert(property_is("p00", "v"), "named");
    cr_assert(property_is("p07", ""), "the oldest by event time");
    cr_assert(property_is("p01", ""), "the next oldest");
    cr_assert(property_is("p02", "v"));
    cr_assert(property_is("p65", "v"));
}

Test(profile, never_holds_while_one_item_matches)
{
    struct baton_condition items[2] = {is(BATON_MATCH_EQUAL, BATON_EMAIL_DOMAIN, "rival.example"),
                                       is(BATON_MATCH_EQUAL, BATON_CONSENT, "false")};
    world.agreement.never = items;
    world.agreement.never_count = 2;
    cr_assert_not(baton_never_promote(&world.lead, &world.agreement));
    world_profile(&world, BATON_CONSENT, "false", MONDAY_MS);
    cr_assert(baton_never_promote(&world.lead, &world.agreement));
    world_profile(&world, BATON_CONSENT, "true", MONDAY_MS);
    cr_assert_not(baton_never_promote(&world.lead, &world.agreement));
    world_profile(&world, BATON_EMAIL, "x@rival.example", MONDAY_MS);
    cr_assert(baton_never_promote(&world.lead, &world.agreement));
}
