#include "demo/script.h"

#include "base/hash.h"
#include "demo/script_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const plain_pages[] = {"/",         "/about",   "/blog/our-year",
                                          "/contact",  "/imprint", "/news",
                                          "/partners", "/team",    "/blog/how-we-work"};
static const char *const countries[] = {"BR", "DE", "FR", "PT", "ES", "MX", "US", "JP"};

/* ---- The person ---- */

static uint64_t of_visitor(const struct teller *teller, uint32_t visitor)
{
    const uint64_t of[] = {teller->seed, visitor, 77};
    return hash64(of, sizeof of, 7);
}

static void satisfy_fit(struct draft *draft, const struct baton_fit_rule *rules, uint32_t count,
                        uint32_t percent)
{
    for (uint32_t i = 0; i < count; i++)
        if (rules[i].points > 0 && draft_below(draft, 100) < percent)
            draft_satisfy(draft, &rules[i].where);
}

static void satisfy_bad_fit(struct draft *draft, const struct baton_agreement *agreement)
{
    uint32_t first = agreement->fit_count ? draft_below(draft, agreement->fit_count) : 0;
    for (uint32_t i = 0; i < agreement->fit_count; i++) {
        const struct baton_fit_rule *rule = &agreement->fit[(first + i) % agreement->fit_count];
        if (rule->points < 0) {
            draft_satisfy(draft, &rule->where);
            return;
        }
    }
}

/* The buyer persona that this visitor is; NULL where the agreement has none. */
static const struct baton_persona *persona_of(const struct teller *teller, uint32_t visitor)
{
    const struct baton_agreement *agreement = teller->agreement;
    if (!agreement->persona_count)
        return NULL;
    return &agreement->personas[of_visitor(teller, visitor) / 1024 % agreement->persona_count];
}

static void satisfy_agreement(struct draft *draft, const struct teller *teller, uint32_t visitor)
{
    const struct baton_agreement *agreement = teller->agreement;
    const struct baton_persona *persona = persona_of(teller, visitor);
    enum persona kind = teller_persona(teller, visitor);
    if (agreement->route_count && draft_below(draft, 100) < 70)
        draft_satisfy(draft, &agreement->routes[draft_below(draft, agreement->route_count)].where);
    if (kind == STUDENT)
        satisfy_bad_fit(draft, agreement);
    if (kind < RESEARCHER)
        return;
    satisfy_fit(draft, agreement->fit, agreement->fit_count, kind == RESEARCHER ? 30 : 80);
    if (persona)
        satisfy_fit(draft, persona->fit, persona->fit_count, kind == RESEARCHER ? 40 : 95);
    if (kind == COMPETITOR && agreement->never_count)
        draft_satisfy(draft, &agreement->never[draft_below(draft, agreement->never_count)]);
}

/* The same person whenever it is asked for. */
static void draft_person(struct draft *draft, const struct teller *teller, uint32_t visitor)
{
    char name[96], email[64], phone[32];
    draft_init(draft, true, of_visitor(teller, visitor));
    teller_name(teller, visitor, name, sizeof name);
    (void)snprintf(email, sizeof email, "visitor%u@mail.example", visitor);
    (void)snprintf(phone, sizeof phone, "+55 11 5550 %04u", draft_below(draft, 10000));
    json_object_set_new(draft->fields, "name", json_string(name));
    json_object_set_new(draft->fields, "email", json_string(email));
    if (draft_below(draft, 100) < 70)
        json_object_set_new(draft->fields, "phone", json_string(phone));
    json_object_set_new(draft->fields, "country", json_string(countries[draft_below(draft, 8)]));
    json_object_set_new(draft->fields, "consent", json_boolean(draft_below(draft, 100) >= 3));
    satisfy_agreement(draft, teller, visitor);
}

/* ---- The event ---- */

/* The next rule from a random one on that gives points of this sign, and is needed for a gate or
 * not, as asked for; NULL: there is none. */
struct wish {
    bool gives, takes, needed, visits_only;
};

static bool is_in(const uint16_t *needs, uint32_t count, uint32_t rule)
{
    for (uint32_t i = 0; i < count; i++)
        if (needs[i] == rule)
            return true;
    return false;
}

static bool is_needed(const struct baton_gate *gate, uint32_t rule)
{
    return is_in(gate->needs_one_of, gate->needs_one_count, rule) ||
           is_in(gate->needs_all_of, gate->needs_all_count, rule);
}

static const struct baton_behaviour_rule *pick_rule(struct teller *teller,
                                                    const struct baton_gate *gate, struct wish wish)
{
    const struct baton_agreement *agreement = teller->agreement;
    uint32_t count = agreement->behaviour_count, first = count ? teller_below(teller, count) : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = (first + i) % count;
        const struct baton_behaviour_rule *rule = &agreement->behaviour[index];
        bool sign = wish.takes ? rule->points < 0 : rule->points > 0;
        if (sign && is_needed(gate, index) == wish.needed &&
            (!wish.visits_only || rule->kind == BATON_VISIT))
            return rule;
    }
    return NULL;
}

/* NULL: a page that means nothing to the agreement. */
static const struct baton_behaviour_rule *choose_rule(struct teller *teller, uint32_t visitor)
{
    const struct baton_persona *persona = persona_of(teller, visitor);
    const struct baton_gate *gate =
        persona && persona->has_sql ? &persona->sql : &teller->agreement->sql;
    switch (teller_persona(teller, visitor)) {
    case PASSER_BY:
        return teller_percent(teller, 80)
                   ? NULL
                   : pick_rule(teller, gate, (struct wish){.visits_only = true});
    case STUDENT:
        return pick_rule(teller, gate,
                         teller_percent(teller, 30) ? (struct wish){.takes = true}
                                                    : (struct wish){.visits_only = true});
    case RESEARCHER:
        return teller_percent(teller, 45) ? NULL : pick_rule(teller, gate, (struct wish){0});
    case BUYER:
    case COMPETITOR: break;
    }
    return pick_rule(teller, gate, (struct wish){.needed = teller_percent(teller, 35)});
}

static const char *text_of(const json_t *fields, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(fields, name));
    return text ? text : otherwise;
}

/* What every event of that kind says, where the rule asks for nothing. */
static void complete(struct teller *teller, enum baton_event_kind kind, json_t *fields)
{
    bool page = json_object_get(fields, "page") || json_object_get(fields, "url");
    if (kind == BATON_VISIT && !page)
        json_object_set_new(fields, "page", json_string(plain_pages[teller_below(teller, 9)]));
    if (kind == BATON_CLICK && !json_object_get(fields, "target"))
        json_object_set_new(fields, "target", json_string("learn-more"));
    if (kind == BATON_FORM_FILL && !json_object_get(fields, "form"))
        json_object_set_new(fields, "form", json_string("contact"));
    if (kind >= BATON_EMAIL_SENT && !json_object_get(fields, "channel"))
        json_object_set_new(fields, "channel", json_string("newsletter"));
}

/* What only a URL can say: host and utm_…; the page is then a part of it, too. */
static void write_url(json_t *fields)
{
    static const char *const names[] = {"utm_source", "utm_medium", "utm_campaign", "utm_term",
                                        "utm_content"};
    char url[1200];
    if (json_object_get(fields, "url"))
        return;
    int used = snprintf(url, sizeof url, "https://%.250s%.250s",
                        text_of(fields, "host", "www.site.example"), text_of(fields, "page", "/"));
    char sign = '?';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = text_of(fields, names[i], NULL);
        if (value && used < 1000)
            used += snprintf(url + used, sizeof url - (size_t)used, "%c%s=%.100s", sign, names[i],
                             value);
        sign = value ? '&' : sign;
        json_object_del(fields, names[i]);
    }
    json_object_del(fields, "host");
    json_object_del(fields, "page");
    json_object_set_new(fields, "url", json_string(url));
}

static void write_value(struct teller *teller, const struct session *session, const char *kind,
                        json_t *fields, int64_t time_ms)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%016" PRIx64, teller_chance(teller));
    json_object_set_new(fields, "kind", json_string(kind));
    json_object_set_new(fields, "event_id", json_string(text));
    (void)snprintf(text, sizeof text, "v-%06u", session->visitor);
    json_object_set_new(fields, "lead_id", json_string(text));
    json_object_set_new(fields, "time", json_integer(time_ms));
    char *value = json_dumps(fields, JSON_COMPACT);
    text_buffer_clear(&teller->value);
    text_buffer_add_text(&teller->value, value ? value : "");
    free(value);
}

/* A form tells who fills it in, beside its answers. */
static void add_answers(const struct teller *teller, uint32_t visitor, struct draft *draft)
{
    static const char *const names[] = {"name", "email", "phone"};
    struct draft person;
    draft_person(&person, teller, visitor);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_object_get(person.fields, names[i]) && !json_object_get(draft->named, names[i]))
            json_object_set(draft->named, names[i], json_object_get(person.fields, names[i]));
    draft_fini(&person);
    json_object_set(draft->fields, "fields", draft->named);
}

static void tell_event(struct teller *teller, const struct session *session,
                       const struct baton_behaviour_rule *rule, int64_t time_ms)
{
    static const char *const agents[] = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/131.0",
                                         "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6) Mobile/15E148"};
    enum baton_event_kind kind = rule ? rule->kind : BATON_VISIT;
    char name[32];
    struct draft draft;
    draft_init(&draft, false, teller_chance(teller));
    (void)snprintf(name, sizeof name, "s-%u", session->number);
    json_object_set_new(draft.fields, "session", json_string(name));
    if (rule)
        draft_satisfy(&draft, &rule->where);
    complete(teller, kind, draft.fields);
    if (kind <= BATON_FORM_FILL) {
        write_url(draft.fields);
        if (!json_object_get(draft.fields, "user_agent"))
            json_object_set_new(draft.fields, "user_agent",
                                json_string(agents[session->visitor % 2]));
    }
    if (kind == BATON_FORM_FILL)
        add_answers(teller, session->visitor, &draft);
    write_value(teller, session, baton_event_kind_name(kind), draft.fields, time_ms);
    draft_fini(&draft);
}

/* What the CRM knows. */
static void tell_profile(struct teller *teller, const struct session *session, int64_t time_ms)
{
    struct draft person;
    draft_person(&person, teller, session->visitor);
    if (json_object_size(person.named))
        json_object_set(person.fields, "properties", person.named);
    write_value(teller, session, "profile", person.fields, time_ms);
    draft_fini(&person);
}

void script_tell(struct teller *teller, const struct session *session, int64_t time_ms)
{
    enum persona kind = teller_persona(teller, session->visitor);
    bool known = kind >= BUYER
                     ? session->told == 1
                     : kind != PASSER_BY && session->told == 0 && session->number % 3 == 0;
    if (known)
        tell_profile(teller, session, time_ms);
    else
        tell_event(teller, session, choose_rule(teller, session->visitor), time_ms);
}
