#include <baton/lead.h>

const char *baton_event_kind_name(enum baton_event_kind kind)
{
    static const char *const names[BATON_EVENT_KINDS] = {
        [BATON_VISIT] = "visit",
        [BATON_CLICK] = "click",
        [BATON_FORM_FILL] = "form_fill",
        [BATON_EMAIL_SENT] = "email_sent",
        [BATON_EMAIL_DELIVERED] = "email_delivered",
        [BATON_EMAIL_OPENED] = "email_opened",
        [BATON_EMAIL_CLICKED] = "email_clicked",
        [BATON_EMAIL_BOUNCED] = "email_bounced",
        [BATON_EMAIL_UNSUBSCRIBED] = "email_unsubscribed",
        [BATON_PROFILE] = "profile",
    };
    return (unsigned)kind < BATON_EVENT_KINDS ? names[kind] : NULL;
}

const char *baton_event_field_name(enum baton_event_field field)
{
    static const char *const names[BATON_EVENT_FIELDS] = {
        [BATON_PAGE] = "page",
        [BATON_URL] = "url",
        [BATON_HOST] = "host",
        [BATON_REFERRER] = "referrer",
        [BATON_CHANNEL] = "channel",
        [BATON_CAMPAIGN] = "campaign",
        [BATON_SESSION] = "session",
        [BATON_USER_AGENT] = "user_agent",
        [BATON_TARGET] = "target",
        [BATON_FORM] = "form",
        [BATON_UTM_SOURCE] = "utm_source",
        [BATON_UTM_MEDIUM] = "utm_medium",
        [BATON_UTM_CAMPAIGN] = "utm_campaign",
        [BATON_UTM_TERM] = "utm_term",
        [BATON_UTM_CONTENT] = "utm_content",
    };
    return (unsigned)field < BATON_EVENT_FIELDS ? names[field] : NULL;
}

const char *baton_profile_field_name(enum baton_profile_field field)
{
    static const char *const names[] = {
        [BATON_NAME] = "name",
        [BATON_EMAIL] = "email",
        [BATON_PHONE] = "phone",
        [BATON_COMPANY] = "company",
        [BATON_JOB_TITLE] = "job_title",
        [BATON_AGE] = "age",
        [BATON_EMPLOYEES] = "employees",
        [BATON_SECTOR] = "sector",
        [BATON_SEGMENT] = "segment",
        [BATON_COUNTRY] = "country",
        [BATON_CONSENT] = "consent",
        [BATON_PROPERTY] = NULL,
        [BATON_EMAIL_DOMAIN] = "email_domain",
    };
    return (unsigned)field < sizeof names / sizeof *names ? names[field] : NULL;
}

const char *baton_stage_name(enum baton_stage stage)
{
    static const char *const names[BATON_STAGES] = {"lead", "mql", "sql"};
    return (unsigned)stage < BATON_STAGES ? names[stage] : NULL;
}
