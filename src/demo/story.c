#include "demo/story.h"

#include "base/arena.h"
#include "base/hash.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN_SESSIONS = 6, /* visitors on the site at a time: their events mix */
    ENGAGED = 4096,    /* visitors who may come back */
    REPEAT_AFTER = 3,  /* messages; well within the eight event ids that a lead remembers */
    DAY_MS = 86400000
};

enum persona { PASSER_BY, STUDENT, RESEARCHER, BUYER, COMPETITOR };

struct session {
    uint32_t visitor;
    uint32_t left; /* events to come */
    uint32_t told;
    uint32_t number; /* of the session */
};

struct repeat {
    char *key, *value;
    size_t key_size, value_size;
    uint64_t due; /* message number */
};

struct story {
    struct story_plan plan;
    uint64_t random;
    uint64_t told, repeats_told, repeats_planned, unreadable_told, late_told; /* told: events */
    uint64_t messages;
    uint32_t visitors, sessions;
    uint32_t engaged[ENGAGED];
    uint8_t visits[ENGAGED]; /* sessions of each of them */
    size_t engaged_count;
    struct session open[OPEN_SESSIONS];
    struct repeat waiting[REPEAT_AFTER + 2];
    size_t waiting_count;
    char key[32];
    struct text_buffer value;
};

/* ---- Chance ---- */

static uint64_t chance(struct story *story)
{
    /* SplitMix64 */
    uint64_t z = story->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint32_t below(struct story *story, uint32_t limit)
{
    return (uint32_t)(chance(story) % limit);
}

static bool percent(struct story *story, uint32_t share)
{
    return below(story, 100) < share;
}

/* What is always the same of a visitor. */
static uint32_t trait(const struct story *story, uint32_t visitor, uint32_t which, uint32_t limit)
{
    const uint64_t of[] = {story->plan.seed, visitor, which};
    return (uint32_t)(hash64(of, sizeof of, 7) % limit);
}

#define ONE_OF(story, list) (list)[below(story, sizeof(list) / sizeof *(list))]
#define TRAIT_OF(story, visitor, which, list)                                                      \
    (list)[trait(story, visitor, which, sizeof(list) / sizeof *(list))]

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

static enum persona persona_of(const struct story *story, uint32_t visitor)
{
    uint32_t draw = trait(story, visitor, 0, 100);
    return draw < 64   ? PASSER_BY
           : draw < 69 ? STUDENT
           : draw < 91 ? RESEARCHER
           : draw < 98 ? BUYER
                       : COMPETITOR;
}

static const char *title_of(const struct story *story, uint32_t visitor)
{
    if (persona_of(story, visitor) == STUDENT)
        return "Student";
    bool leads = trait(story, visitor, 1, 100) < (persona_of(story, visitor) == BUYER ? 60u : 25u);
    return leads ? TRAIT_OF(story, visitor, 2, leading_titles)
                 : TRAIT_OF(story, visitor, 2, other_titles);
}

static uint32_t employer_of(const struct story *story, uint32_t visitor)
{
    return trait(story, visitor, 3, sizeof companies / sizeof *companies);
}

static const char *domain_of(const struct story *story, uint32_t visitor)
{
    switch (persona_of(story, visitor)) {
    case COMPETITOR: return "competitor.example";
    case STUDENT: return "university.example";
    default: return domains[employer_of(story, visitor)];
    }
}

static void add_person(struct story *story, uint32_t visitor)
{
    struct text_buffer *out = &story->value;
    text_buffer_print(out, "\"name\":\"%s %s\",\"email\":\"visitor%u@%s\",\"job_title\":\"%s\"",
                      TRAIT_OF(story, visitor, 4, first_names),
                      TRAIT_OF(story, visitor, 5, last_names), visitor, domain_of(story, visitor),
                      title_of(story, visitor));
    if (persona_of(story, visitor) != STUDENT)
        text_buffer_print(out, ",\"company\":\"%s\",\"phone\":\"+55 11 5550 %04u\"",
                          persona_of(story, visitor) == COMPETITOR
                              ? "Competitor Ltd"
                              : companies[employer_of(story, visitor)],
                          trait(story, visitor, 6, 10000));
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

static void add_head(struct story *story, const char *kind, const struct session *session,
                     int64_t time_ms)
{
    text_buffer_clear(&story->value);
    text_buffer_print(&story->value,
                      "{\"kind\":\"%s\",\"event_id\":\"%016" PRIx64
                      "\",\"lead_id\":\"v-%06u\",\"time\":%" PRId64,
                      kind, chance(story), session->visitor, time_ms);
}

static void tell_visit(struct story *story, const struct session *session, const char *page,
                       int64_t time_ms)
{
    add_head(story, "visit", session, time_ms);
    text_buffer_print(&story->value, ",\"url\":\"%s%s", site, page);
    size_t door =
        trait(story, session->visitor, 10 + session->number, sizeof doors / sizeof *doors);
    text_buffer_print(&story->value, "%s\",\"session\":\"s-%u\",\"user_agent\":\"%s\"",
                      session->told == 0 ? doors[door].query : "", session->number,
                      TRAIT_OF(story, session->visitor, 7, agents));
    if (session->told == 0 && *doors[door].referrer)
        text_buffer_print(&story->value, ",\"referrer\":\"%s\"", doors[door].referrer);
    text_buffer_add_text(&story->value, "}");
}

static void tell_click(struct story *story, const struct session *session, int64_t time_ms)
{
    static const char *const targets[] = {"start-trial", "see-prices", "watch-video",
                                          "download-guide"};
    static const char *const campaigns[] = {"spring-trial", "ops-leaders", "monthly", ""};
    const char *campaign = ONE_OF(story, campaigns);
    add_head(story, "click", session, time_ms);
    text_buffer_print(&story->value,
                      ",\"url\":\"%s/product\",\"target\":\"%s\",\"session\":\"s-%u\"", site,
                      ONE_OF(story, targets), session->number);
    if (*campaign)
        text_buffer_print(&story->value, ",\"campaign\":\"%s\"", campaign);
    text_buffer_add_text(&story->value, "}");
}

static void tell_form(struct story *story, const struct session *session, const char *form,
                      int64_t time_ms)
{
    add_head(story, "form_fill", session, time_ms);
    text_buffer_print(&story->value,
                      ",\"url\":\"%s/%s\",\"form\":\"%s\",\"session\":\"s-%u\",\"fields\":{", site,
                      form, form, session->number);
    add_person(story, session->visitor);
    text_buffer_add_text(&story->value, "}}");
}

/* What the CRM adds once it has looked the company up. */
static void tell_profile(struct story *story, const struct session *session, int64_t time_ms)
{
    uint32_t visitor = session->visitor;
    add_head(story, "profile", session, time_ms);
    text_buffer_add_text(&story->value, ",");
    add_person(story, visitor);
    if (persona_of(story, visitor) != STUDENT)
        text_buffer_print(&story->value, ",\"employees\":%u,\"sector\":\"%s\"",
                          TRAIT_OF(story, employer_of(story, visitor), 8, sizes),
                          sectors[employer_of(story, visitor)]);
    text_buffer_print(&story->value, ",\"country\":\"%s\",\"consent\":%s}",
                      TRAIT_OF(story, visitor, 9, countries),
                      trait(story, visitor, 11, 100) < 4 ? "false" : "true");
}

static void tell_mail(struct story *story, const struct session *session, const char *kind,
                      int64_t time_ms)
{
    add_head(story, kind, session, time_ms);
    text_buffer_add_text(&story->value, ",\"channel\":\"newsletter\",\"campaign\":\"monthly\"}");
}

static void tell_buyer(struct story *story, const struct session *session, int64_t time_ms)
{
    bool known = session->number % 2 == 0; /* some look around first */
    if (session->left == 2 && known && percent(story, 60))
        tell_form(story, session, percent(story, 75) ? "demo-request" : "contact-sales", time_ms);
    else if (session->left == 1 && known)
        tell_profile(story, session, time_ms);
    else if (percent(story, 15))
        tell_click(story, session, time_ms);
    else
        tell_visit(story, session, ONE_OF(story, deciding), time_ms);
}

static void tell_researcher(struct story *story, const struct session *session, int64_t time_ms)
{
    if (session->told == 0 && percent(story, 12))
        tell_mail(story, session, percent(story, 60) ? "email_opened" : "email_clicked", time_ms);
    else if (session->left == 1 && percent(story, 18))
        tell_form(story, session, percent(story, 70) ? "newsletter" : "whitepaper", time_ms);
    else if (session->left == 1 && percent(story, 10))
        tell_profile(story, session, time_ms);
    else if (percent(story, 12))
        tell_click(story, session, time_ms);
    else
        tell_visit(story, session, ONE_OF(story, comparing), time_ms);
}

static void tell_event(struct story *story, const struct session *session, int64_t time_ms)
{
    switch (persona_of(story, session->visitor)) {
    case PASSER_BY: tell_visit(story, session, ONE_OF(story, reading), time_ms); break;
    case STUDENT:
        if (session->left == 1 && percent(story, 25))
            tell_form(story, session, "newsletter", time_ms);
        else
            tell_visit(story, session, ONE_OF(story, studying), time_ms);
        break;
    case RESEARCHER: tell_researcher(story, session, time_ms); break;
    case BUYER:
    case COMPETITOR: tell_buyer(story, session, time_ms); break;
    }
}

/* ---- Who comes next ---- */

static uint32_t pick_visitor(struct story *story)
{
    if (story->engaged_count > 20 && percent(story, 35)) {
        size_t at = below(story, (uint32_t)story->engaged_count);
        uint32_t visitor = story->engaged[at];
        if (++story->visits[at] >= 4) { /* has decided, one way or the other */
            story->engaged_count--;
            story->engaged[at] = story->engaged[story->engaged_count];
            story->visits[at] = story->visits[story->engaged_count];
        }
        return visitor;
    }
    uint32_t visitor = story->visitors++;
    if (persona_of(story, visitor) >= RESEARCHER && story->engaged_count < ENGAGED) {
        story->engaged[story->engaged_count] = visitor;
        story->visits[story->engaged_count++] = 0;
    }
    return visitor;
}

static struct session *pick_session(struct story *story)
{
    struct session *session = &story->open[below(story, OPEN_SESSIONS)];
    if (session->left > 0)
        return session;
    uint32_t visitor = pick_visitor(story);
    uint32_t least = persona_of(story, visitor) == PASSER_BY ? 1 : 3;
    *session = (struct session){
        .visitor = visitor,
        .left = least + below(story, persona_of(story, visitor) >= RESEARCHER ? 6 : 3),
        .number = story->sessions++};
    return session;
}

/* ---- The messages ---- */

struct story_plan story_plan_for(uint64_t events, int64_t end_ms, uint64_t seed)
{
    double days = (double)events / 2000;
    return (struct story_plan){
        .events = events,
        .late = events * 2 / 100,
        .repeats = events * 3 / 100,
        .unreadable = events / 200,
        .days = days < 1    ? 1
                : days > 30 ? 30
                            : days,
        .end_ms = end_ms,
        .seed = seed,
    };
}

uint64_t story_plan_messages(const struct story_plan *plan)
{
    return plan->events + plan->repeats + plan->unreadable;
}

/* Spreads `share` of the events evenly: true for exactly so many of them. */
static bool is_due(uint64_t index, uint64_t share, uint64_t all)
{
    return all > 0 && (index + 1) * share / all > index * share / all;
}

static void keep_repeat(struct story *story)
{
    assert(story->waiting_count < sizeof story->waiting / sizeof *story->waiting);
    struct repeat *repeat = &story->waiting[story->waiting_count++];
    repeat->key_size = strlen(story->key);
    repeat->key = memory_copy_text(story->key);
    repeat->value_size = story->value.size;
    repeat->value = memory_copy_text(story->value.data);
    repeat->due = story->messages + 1 + below(story, REPEAT_AFTER);
    story->repeats_planned++;
}

static bool tell_repeat(struct story *story, struct story_message *message)
{
    bool rest = story->told == story->plan.events;
    if (story->waiting_count == 0 || (story->waiting[0].due > story->messages && !rest))
        return false;
    struct repeat repeat = story->waiting[0];
    memmove(story->waiting, story->waiting + 1, --story->waiting_count * sizeof *story->waiting);
    (void)snprintf(story->key, sizeof story->key, "%s", repeat.key);
    text_buffer_clear(&story->value);
    text_buffer_add(&story->value, repeat.value, repeat.value_size);
    free(repeat.key);
    free(repeat.value);
    story->repeats_told++;
    *message = (struct story_message){STORY_REPEAT, story->key, repeat.key_size, story->value.data,
                                      story->value.size};
    return true;
}

static int64_t time_now(const struct story *story)
{
    double share = (double)(story->plan.events - story->told) / (double)story->plan.events;
    return story->plan.end_ms - (int64_t)(share * story->plan.days * DAY_MS);
}

/* One of each sort in turn; each has its own reason among the dead letters. */
static void tell_unreadable(struct story *story, struct story_message *message)
{
    uint32_t visitor = below(story, story->visitors + 1);
    uint64_t id = chance(story);
    int64_t now = time_now(story);
    struct text_buffer *out = &story->value;
    (void)snprintf(story->key, sizeof story->key, "v-%06u", visitor);
    text_buffer_clear(out);
    switch (story->unreadable_told++ % 8) {
    case 0:
        text_buffer_print(out, "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64 "\",\"lead_", id);
        break;
    case 1: text_buffer_add_text(out, "<html><h1>502 Bad Gateway</h1></html>"); break;
    case 2:
        text_buffer_print(out, "{\"kind\":\"visit\",\"lead_id\":\"%s\",\"time\":%" PRId64 "}",
                          story->key, now);
        break;
    case 3:
        text_buffer_print(
            out, "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64 "\",\"time\":%" PRId64 "}", id,
            now);
        break;
    case 4:
        text_buffer_print(out,
                          "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64
                          "\",\"lead_id\":\"someone-else\",\"time\":%" PRId64 "}",
                          id, now);
        break;
    case 5:
        text_buffer_print(out,
                          "{\"kind\":\"scroll\",\"event_id\":\"%016" PRIx64
                          "\",\"lead_id\":\"%s\",\"time\":%" PRId64 "}",
                          id, story->key, now);
        break;
    case 6:
        text_buffer_print(out,
                          "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64
                          "\",\"lead_id\":\"%s\",\"time\":\"yesterday\"}",
                          id, story->key);
        break;
    default:
        text_buffer_print(out,
                          "{\"kind\":\"visit\",\"event_id\":\"%016" PRIx64
                          "\",\"lead_id\":\"%s\",\"time\":%" PRId64 "}",
                          id, story->key, story->plan.end_ms + (int64_t)30 * DAY_MS);
        break;
    }
    *message = (struct story_message){STORY_UNREADABLE, story->key, strlen(story->key), out->data,
                                      out->size};
}

static void tell_next(struct story *story, struct story_message *message)
{
    struct session *session = pick_session(story);
    bool late = is_due(story->told, story->plan.late, story->plan.events);
    int64_t time_ms = time_now(story);
    if (late)
        time_ms -= (int64_t)(1 + below(story, 36)) * 3600000;
    (void)snprintf(story->key, sizeof story->key, "v-%06u", session->visitor);
    tell_event(story, session, time_ms);
    session->told++;
    session->left--;
    if (is_due(story->told, story->plan.repeats, story->plan.events))
        keep_repeat(story);
    story->told++;
    story->late_told += late;
    *message = (struct story_message){late ? STORY_LATE : STORY_EVENT, story->key,
                                      strlen(story->key), story->value.data, story->value.size};
}

bool story_next(struct story *story, struct story_message *message)
{
    const struct story_plan *plan = &story->plan;
    if (!tell_repeat(story, message)) {
        /* Unreadable ones fall between the events at even distances. */
        bool rest = story->told == plan->events;
        if (story->unreadable_told < plan->unreadable &&
            (rest || story->unreadable_told * plan->events < story->told * plan->unreadable))
            tell_unreadable(story, message);
        else if (!rest)
            tell_next(story, message);
        else
            return false;
    }
    story->messages++;
    return true;
}

struct story *story_create(const struct story_plan *plan)
{
    struct story *story = memory_take_zeroed(1, sizeof *story);
    story->plan = *plan;
    story->random = plan->seed;
    text_buffer_init(&story->value);
    return story;
}

void story_destroy(struct story *story)
{
    for (size_t i = 0; i < story->waiting_count; i++) {
        free(story->waiting[i].key);
        free(story->waiting[i].value);
    }
    text_buffer_fini(&story->value);
    free(story);
}
