#include "domain_support.h"

Test(names, every_kind_of_event_has_its_word)
{
    static const char *const words[] = {"visit",         "click",           "form_fill",
                                        "email_sent",    "email_delivered", "email_opened",
                                        "email_clicked", "email_bounced",   "email_unsubscribed",
                                        "profile",       "feedback",        "adjust",
                                        "merge",         "erase",           "recheck",
                                        "transfer",      "published",       "spend",
                                        "tick",          "judged"};
    cr_assert_eq(sizeof words / sizeof *words, BATON_EVENT_KINDS);
    for (int kind = 0; kind < BATON_EVENT_KINDS; kind++)
        cr_assert_str_eq(baton_event_kind_name(kind), words[kind]);
}

Test(names, every_field_of_an_event_has_its_word)
{
    static const char *const words[] = {"page",         "url",      "host",       "referrer",
                                        "channel",      "campaign", "session",    "user_agent",
                                        "target",       "form",     "utm_source", "utm_medium",
                                        "utm_campaign", "utm_term", "utm_content"};
    for (int field = 0; field < BATON_EVENT_FIELDS; field++)
        cr_assert_str_eq(baton_event_field_name(field), words[field]);
    cr_assert_null(baton_event_field_name(BATON_FORM_ANSWER));
}

Test(names, every_field_of_a_profile_has_its_word)
{
    static const char *const words[] = {"name",      "email",   "phone",     "company",
                                        "job_title", "age",     "employees", "sector",
                                        "segment",   "country", "consent"};
    for (int field = 0; field < BATON_PROFILE_FIELDS; field++)
        cr_assert_str_eq(baton_profile_field_name(field), words[field]);
    cr_assert_null(baton_profile_field_name(BATON_PROPERTY));
    cr_assert_str_eq(baton_profile_field_name(BATON_EMAIL_DOMAIN), "email_domain");
}

Test(names, stages_have_their_words)
{
    cr_assert_str_eq(baton_stage_name(BATON_LEAD), "lead");
    cr_assert_str_eq(baton_stage_name(BATON_MQL), "mql");
    cr_assert_str_eq(baton_stage_name(BATON_SQL), "sql");
}

Test(names, what_is_promised_has_its_words)
{
    cr_expect_str_eq(baton_clock_name(BATON_CLOCK_CONTACT), "first_contact");
    cr_expect_str_eq(baton_clock_name(BATON_CLOCK_VERDICT), "verdict");
    cr_expect_str_eq(baton_clock_name(BATON_CLOCK_UPDATE), "next_update");
    cr_expect_str_eq(baton_measure_name(BATON_GOAL_CONTACT_KEPT), "first_contact_kept");
    for (int measure = 0; measure < BATON_GOAL_MEASURES; measure++)
        cr_expect_not_null(baton_measure_name(measure));
    cr_expect_str_eq(baton_span_name(BATON_SPAN_WORKING_DAY), "working day");
    cr_expect_str_eq(baton_span_name(BATON_SPAN_YEAR), "year");
    cr_expect_null(baton_span_name(BATON_SPAN_NONE));
    cr_expect_str_eq(baton_side_name(BATON_BOTH), "both");
}
