#include "demo/visitors.h"

#include "base/hash.h"
#include "demo/script.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- Chance ---- */

uint64_t teller_chance(struct teller *teller)
{
    /* SplitMix64 */
    uint64_t z = teller->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t teller_below(struct teller *teller, uint32_t limit)
{
    return (uint32_t)(teller_chance(teller) % limit);
}

bool teller_percent(struct teller *teller, uint32_t share)
{
    return teller_below(teller, 100) < share;
}

/* What is always the same of a visitor. */
static uint32_t trait(const struct teller *teller, uint32_t visitor, uint32_t which, uint32_t limit)
{
    const uint64_t of[] = {teller->seed, visitor, which};
    return (uint32_t)(hash64(of, sizeof of, 7) % limit);
}

#define ONE_OF(teller, list) (list)[teller_below(teller, sizeof(list) / sizeof *(list))]
#define TRAIT_OF(teller, visitor, which, list)                                                     \
    (list)[trait(teller, visitor, which, sizeof(list) / sizeof *(list))]

/* ---- Who they are ---- */

static const char *const first_names[] = {
    "Ana",  "Bruno", "Carla",  "Daniel", "Elif",  "Farid",  "Grace",   "Hugo",
    "Inês", "Jonas", "Katya",  "Léa",    "Marta", "Nikhil", "Olivia",  "Paulo",
    "Rosa", "Sven",  "Tomoko", "Úrsula", "Vera",  "Wanda",  "Yannick", "Zoé"};
static const char *const last_names[] = {
    "Almeida", "Becker", "Costa", "Dubois", "Eriksson",  "Ferreira", "García", "Haddad",
    "Ito",     "Jensen", "Kaya",  "Lopes",  "Martins",   "Nováková", "Okafor", "Pereira",
    "Quist",   "Rossi",  "Souza", "Tanaka", "Verhoeven", "Weber",    "Yılmaz", "Zhang"};
static const char *const companies[] = {
    "Aurora Logistics",   "Brightwater Foods", "Cobalt Insurance", "Delta Textiles",
    "Elm Street Clinics", "Fjord Shipping",    "Granite Build",    "Helio Energy",
    "Indigo Travel",      "Juniper Software",  "Kite Robotics",    "Lumen Schools"};
static const char *const domains[] = {"aurora.example",  "brightwater.example", "cobalt.example",
                                      "delta.example",   "elmstreet.example",   "fjord.example",
                                      "granite.example", "helio.example",       "indigo.example",
                                      "juniper.example", "kite.example",        "lumen.example"};
static const char *const leading_titles[] = {
    "Head of Marketing",     "VP Sales", "Director of Operations",
    "Diretora de Operações", "Owner",    "Head of IT"};
static const char *const other_titles[] = {"Marketing Analyst", "Account Manager",
                                           "Project Manager",   "Developer",
                                           "Assistant",         "Team Lead"};
static const char *const sectors[] = {"logistics", "food",     "finance",       "textiles",
                                      "health",    "shipping", "construction",  "energy",
                                      "travel",    "software", "manufacturing", "education"};
static const char *const countries[] = {"BR", "DE", "FR", "PT", "SE", "TR", "US", "JP"};
static const uint32_t sizes[] = {8, 25, 60, 120, 240, 400, 900, 4000};

enum persona teller_persona(const struct teller *teller, uint32_t visitor)
{
    uint32_t draw = trait(teller, visitor, 0, 100);
    return draw < 64   ? PASSER_BY
           : draw < 69 ? STUDENT
           : draw < 91 ? RESEARCHER
           : draw < 98 ? BUYER
                       : COMPETITOR;
}

void teller_name(const struct teller *teller, uint32_t visitor, char *name, size_t room)
{
    (void)snprintf(name, room, "%s %s", TRAIT_OF(teller, visitor, 4, first_names),
                   TRAIT_OF(teller, visitor, 5, last_names));
}

static const char *title_of(const struct teller *teller, uint32_t visitor)
{
    if (teller_persona(teller, visitor) == STUDENT)
        return "Student";
    bool leads =
        trait(teller, visitor, 1, 100) < (teller_persona(teller, visitor) == BUYER ? 60u : 25u);
    return leads ? TRAIT_OF(teller, visitor, 2, leading_titles)
                 : TRAIT_OF(teller, visitor, 2, other_titles);
}

static uint32_t employer_of(const struct teller *teller, uint32_t visitor)
{
    return trait(teller, visitor, 3, sizeof companies / sizeof *companies);
}

static const char *domain_of(const struct teller *teller, uint32_t visitor)
{
    switch (teller_persona(teller, visitor)) {
    case COMPETITOR: return "competitor.example";
    case STUDENT: return "university.example";
    default: return domains[employer_of(teller, visitor)];
    }
}

static void add_person(struct teller *teller, uint32_t visitor)
{
    struct text_buffer *out = &teller->value;
    char name[96];
    teller_name(teller, visitor, name, sizeof name);
    text_buffer_print(out, "\"name\":\"%s\",\"email\":\"visitor%u@%s\",\"job_title\":\"%s\"", name,
                      visitor, domain_of(teller, visitor), title_of(teller, visitor));
    if (teller_persona(teller, visitor) != STUDENT)
        text_buffer_print(out, ",\"company\":\"%s\",\"phone\":\"+55 11 5550 %04u\"",
                          teller_persona(teller, visitor) == COMPETITOR
                              ? "Competitor Ltd"
                              : companies[employer_of(teller, visitor)],
                          trait(teller, visitor, 6, 10000));
}

/* ---- What they do ---- */

static const char site[] = "https://www.flowdesk.example";
static const char *const reading[] = {
    "/",       "/blog/shorter-quotes", "/blog/sales-and-marketing", "/blog/lead-scoring", "/about",
    "/careers"};
static const char *const studying[] = {"/docs/start", "/docs/api", "/blog/lead-scoring", "/careers",
                                       "/"};
static const char *const comparing[] = {"/product",
                                        "/product/automation",
                                        "/customers",
                                        "/customers/fjord-shipping",
                                        "/blog/shorter-quotes",
                                        "/integrations",
                                        "/pricing"};
static const char *const deciding[] = {"/pricing",   "/pricing/enterprise", "/product", "/security",
                                       "/customers", "/integrations/crm",   "/pricing"};
static const char *const agents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/131.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64) Chrome/129.0",
};
static const struct {
    const char *query, *referrer;
} doors[] = {
    {"", "https://www.google.com/"},
    {"", ""},
    {"?utm_source=google-ads&utm_medium=cpc&utm_campaign=spring-trial", "https://www.google.com/"},
    {"?utm_source=linkedin&utm_medium=social&utm_campaign=ops-leaders",
     "https://www.linkedin.com/"},
    {"?utm_source=newsletter&utm_medium=email&utm_campaign=monthly", ""},
    {"?utm_source=partner&utm_medium=referral&utm_campaign=crm-list",
     "https://partner.example/tools"},
};

static void add_head(struct teller *teller, const char *kind, const struct session *session,
                     int64_t time_ms)
{
    text_buffer_clear(&teller->value);
    text_buffer_print(&teller->value,
                      "{\"kind\":\"%s\",\"event_id\":\"%016" PRIx64
                      "\",\"lead_id\":\"v-%06u\",\"time\":%" PRId64,
                      kind, teller_chance(teller), session->visitor, time_ms);
}

static void tell_visit(struct teller *teller, const struct session *session, const char *page,
                       int64_t time_ms)
{
    add_head(teller, "visit", session, time_ms);
    text_buffer_print(&teller->value, ",\"url\":\"%s%s", site, page);
    size_t door =
        trait(teller, session->visitor, 10 + session->number, sizeof doors / sizeof *doors);
    text_buffer_print(&teller->value, "%s\",\"session\":\"s-%u\",\"user_agent\":\"%s\"",
                      session->told == 0 ? doors[door].query : "", session->number,
                      TRAIT_OF(teller, session->visitor, 7, agents));
    if (session->told == 0 && *doors[door].referrer)
        text_buffer_print(&teller->value, ",\"referrer\":\"%s\"", doors[door].referrer);
    text_buffer_add_text(&teller->value, "}");
}

static void tell_click(struct teller *teller, const struct session *session, int64_t time_ms)
{
    static const char *const targets[] = {"start-trial", "see-prices", "watch-video",
                                          "download-guide"};
    static const char *const campaigns[] = {"spring-trial", "ops-leaders", "monthly", ""};
    const char *campaign = ONE_OF(teller, campaigns);
    add_head(teller, "click", session, time_ms);
    text_buffer_print(&teller->value,
                      ",\"url\":\"%s/product\",\"target\":\"%s\",\"session\":\"s-%u\"", site,
                      ONE_OF(teller, targets), session->number);
    if (*campaign)
        text_buffer_print(&teller->value, ",\"campaign\":\"%s\"", campaign);
    text_buffer_add_text(&teller->value, "}");
}

static void tell_form(struct teller *teller, const struct session *session, const char *form,
                      int64_t time_ms)
{
    add_head(teller, "form_fill", session, time_ms);
    text_buffer_print(&teller->value,
                      ",\"url\":\"%s/%s\",\"form\":\"%s\",\"session\":\"s-%u\",\"fields\":{", site,
                      form, form, session->number);
    add_person(teller, session->visitor);
    text_buffer_add_text(&teller->value, "}}");
}

/* What the CRM adds once it has looked the company up. */
static void tell_profile(struct teller *teller, const struct session *session, int64_t time_ms)
{
    uint32_t visitor = session->visitor;
    add_head(teller, "profile", session, time_ms);
    text_buffer_add_text(&teller->value, ",");
    add_person(teller, visitor);
    if (teller_persona(teller, visitor) != STUDENT)
        text_buffer_print(&teller->value, ",\"employees\":%u,\"sector\":\"%s\"",
                          TRAIT_OF(teller, employer_of(teller, visitor), 8, sizes),
                          sectors[employer_of(teller, visitor)]);
    text_buffer_print(&teller->value, ",\"country\":\"%s\",\"consent\":%s}",
                      TRAIT_OF(teller, visitor, 9, countries),
                      trait(teller, visitor, 11, 100) < 4 ? "false" : "true");
}

static void tell_mail(struct teller *teller, const struct session *session, const char *kind,
                      int64_t time_ms)
{
    add_head(teller, kind, session, time_ms);
    text_buffer_add_text(&teller->value, ",\"channel\":\"newsletter\",\"campaign\":\"monthly\"}");
}

static void tell_buyer(struct teller *teller, const struct session *session, int64_t time_ms)
{
    bool known = session->number % 2 == 0; /* some look around first */
    if (session->left == 2 && known && teller_percent(teller, 60))
        tell_form(teller, session, teller_percent(teller, 75) ? "demo-request" : "contact-sales",
                  time_ms);
    else if (session->left == 1 && known)
        tell_profile(teller, session, time_ms);
    else if (teller_percent(teller, 15))
        tell_click(teller, session, time_ms);
    else
        tell_visit(teller, session, ONE_OF(teller, deciding), time_ms);
}

static void tell_researcher(struct teller *teller, const struct session *session, int64_t time_ms)
{
    if (session->told == 0 && teller_percent(teller, 12))
        tell_mail(teller, session, teller_percent(teller, 60) ? "email_opened" : "email_clicked",
                  time_ms);
    else if (session->left == 1 && teller_percent(teller, 18))
        tell_form(teller, session, teller_percent(teller, 70) ? "newsletter" : "whitepaper",
                  time_ms);
    else if (session->left == 1 && teller_percent(teller, 10))
        tell_profile(teller, session, time_ms);
    else if (teller_percent(teller, 12))
        tell_click(teller, session, time_ms);
    else
        tell_visit(teller, session, ONE_OF(teller, comparing), time_ms);
}

void teller_tell(struct teller *teller, const struct session *session, int64_t time_ms)
{
    if (teller->agreement) {
        script_tell(teller, session, time_ms);
        return;
    }
    switch (teller_persona(teller, session->visitor)) {
    case PASSER_BY: tell_visit(teller, session, ONE_OF(teller, reading), time_ms); break;
    case STUDENT:
        if (session->left == 1 && teller_percent(teller, 25))
            tell_form(teller, session, "newsletter", time_ms);
        else
            tell_visit(teller, session, ONE_OF(teller, studying), time_ms);
        break;
    case RESEARCHER: tell_researcher(teller, session, time_ms); break;
    case BUYER:
    case COMPETITOR: tell_buyer(teller, session, time_ms); break;
    }
}
