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
        [BATON_FEEDBACK] = "feedback",
        [BATON_ADJUST] = "adjust",
        [BATON_MERGE] = "merge",
        [BATON_ERASE] = "erase",
        [BATON_RECHECK] = "recheck",
        [BATON_TRANSFER] = "transfer",
        [BATON_PUBLISHED] = "published",
        [BATON_SPEND] = "spend",
        [BATON_TICK] = "tick",
        [BATON_JUDGED] = "judged",
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
    static const char *const names[BATON_STAGES] = {
        [BATON_LEAD] = "lead",         [BATON_MQL] = "mql",           [BATON_SQL] = "sql",
        [BATON_ACCEPTED] = "accepted", [BATON_CUSTOMER] = "customer", [BATON_REJECTED] = "rejected",
        [BATON_RECYCLED] = "recycled"};
    return (unsigned)stage < BATON_STAGES ? names[stage] : NULL;
}

const char *baton_report_name(enum baton_report report)
{
    static const char *const names[BATON_REPORTS] = {
        [BATON_REPORT_ASSIGNED] = "assigned", [BATON_REPORT_CONTACTED] = "contacted",
        [BATON_REPORT_MEETING] = "meeting",   [BATON_REPORT_PROPOSAL] = "proposal",
        [BATON_REPORT_ACCEPTED] = "accepted", [BATON_REPORT_NEGOTIATING] = "negotiating",
        [BATON_REPORT_CUSTOMER] = "customer", [BATON_REPORT_REJECTED] = "rejected",
        [BATON_REPORT_CHURNED] = "churned"};
    return (unsigned)report < BATON_REPORTS ? names[report] : NULL;
}

/* ---- What was promised ----------------------------------------------------------------------- */

const char *baton_clock_name(enum baton_clock_id clock)
{
    static const char *const names[BATON_CLOCKS] = {[BATON_CLOCK_CONTACT] = "first_contact",
                                                    [BATON_CLOCK_VERDICT] = "verdict",
                                                    [BATON_CLOCK_UPDATE] = "next_update"};
    return (unsigned)clock < BATON_CLOCKS ? names[clock] : NULL;
}

const char *baton_measure_name(enum baton_measure measure)
{
    static const char *const names[BATON_GOAL_MEASURES] = {
        [BATON_GOAL_SQLS] = "sqls",
        [BATON_GOAL_MQLS] = "mqls",
        [BATON_GOAL_CUSTOMERS] = "customers",
        [BATON_GOAL_REVENUE] = "revenue",
        [BATON_GOAL_MEETING_RATE] = "meeting_rate",
        [BATON_GOAL_PROPOSALS] = "proposals",
        [BATON_GOAL_SALES_CYCLE] = "sales_cycle",
        [BATON_GOAL_CONTACT_KEPT] = "first_contact_kept",
        [BATON_GOAL_CHURN] = "churn",
        [BATON_GOAL_EMAIL_CLICKS] = "email_clicks",
        [BATON_GOAL_CONVERSION] = "conversion",
    };
    return (unsigned)measure < BATON_GOAL_MEASURES ? names[measure] : NULL;
}

const char *baton_span_name(enum baton_span span)
{
    static const char *const names[BATON_SPANS] = {"working day", "day",     "week",
                                                   "month",       "quarter", "year"};
    return (unsigned)span < BATON_SPANS ? names[span] : NULL;
}

const char *baton_side_name(enum baton_side side)
{
    static const char *const names[] = {"marketing", "sales", "both"};
    return (unsigned)side <= BATON_BOTH ? names[side] : NULL;
}
