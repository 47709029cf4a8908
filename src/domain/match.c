#include "base/number.h"
#include "domain/profile.h"
#include "domain/text.h"

#include <assert.h>

/* What a condition looks at: an event, or else the profile of a lead. */
struct subject {
    const struct baton_event *event;
    const struct baton_lead *lead;
};

/* A value, and whether its bytes are compared as they stand. If not, capital ASCII letters of the
 * value count as small ones; the texts of the condition are in small letters already. */
struct value {
    struct baton_text text;
    bool exact;
};

static unsigned char lower(char c)
{
    unsigned char byte = (unsigned char)c;
    return (unsigned)byte - 'A' < 26u ? (unsigned char)(byte | 0x20) : byte;
}

static bool same_char(const struct value *value, uint32_t at, char wanted)
{
    char c = value->text.data[at];
    return c == wanted || (!value->exact && lower(c) == (unsigned char)wanted);
}

static bool same_run(const struct value *value, uint32_t at, struct baton_text wanted)
{
    for (uint32_t i = 0; i < wanted.size; i++)
        if (!same_char(value, at + i, wanted.data[i]))
            return false;
    return true;
}

static bool equals(const struct value *value, struct baton_text wanted)
{
    return value->text.size == wanted.size && same_run(value, 0, wanted);
}

static bool contains(const struct value *value, struct baton_text wanted)
{
    for (uint32_t at = 0; at + wanted.size <= value->text.size; at++)
        if (same_run(value, at, wanted))
            return true;
    return false;
}

/* Going back only to the newest star is enough: what an earlier one could give, that one can take.
 */
static bool glob(const struct value *value, struct baton_text pattern)
{
    uint32_t p = 0, v = 0, behind_star = 0, star_ends = 0;
    while (v < value->text.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            behind_star = ++p;
            star_ends = v;
            if (p == pattern.size)
                return true;
        } else if (p < pattern.size && same_char(value, v, pattern.data[p])) {
            p++;
            v++;
        } else if (behind_star) {
            p = behind_star;
            v = ++star_ends;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}

static bool any_text(const struct baton_condition *condition, const struct value *value,
                     bool (*test)(const struct value *, struct baton_text))
{
    for (uint32_t i = 0; i < condition->text_count; i++)
        if (test(value, condition->texts[i]))
            return true;
    return false;
}

static bool in_range(const struct baton_condition *condition, struct baton_text text)
{
    int64_t number;
    return number_parse(text.data, text.size, &number) && number >= condition->from &&
           number <= condition->to;
}

static bool test_value(const struct baton_condition *condition, const struct value *value)
{
    if (value->text.size == 0)
        return false;
    switch (condition->match) {
    case BATON_MATCH_EQUAL: return any_text(condition, value, equals);
    case BATON_MATCH_GLOB: return any_text(condition, value, glob);
    case BATON_MATCH_CONTAINS: return any_text(condition, value, contains);
    case BATON_MATCH_RANGE: return in_range(condition, value->text);
    case BATON_MATCH_KNOWN: return true;
    default: assert(false && "a test of a field"); return false;
    }
}

static struct baton_text answer(const struct baton_event *event, struct baton_text name)
{
    for (uint32_t i = 0; i < event->answer_count; i++)
        if (text_equal(event->answers[i].name, name))
            return event->answers[i].value;
    return (struct baton_text){NULL, 0};
}

static struct baton_text email_domain(struct baton_text email)
{
    for (uint32_t at = email.size; at > 0; at--)
        if (email.data[at - 1] == '@')
            return (struct baton_text){email.data + at, email.size - at};
    return (struct baton_text){NULL, 0};
}

static struct value event_value(const struct baton_condition *condition,
                                const struct baton_event *event)
{
    if (condition->field < BATON_EVENT_FIELDS)
        return (struct value){event->fields[condition->field], condition->field == BATON_PAGE};
    return (struct value){answer(event, condition->name), false};
}

static struct value profile_value(const struct baton_condition *condition,
                                  const struct baton_lead *lead)
{
    if (condition->field == BATON_EMAIL_DOMAIN)
        return (struct value){email_domain(profile_folded(lead, BATON_EMAIL, condition->name)),
                              true};
    return (struct value){profile_folded(lead, condition->field, condition->name), true};
}

static bool holds(const struct baton_condition *condition, const struct subject *subject);

static bool all_hold(const struct baton_condition *condition, const struct subject *subject)
{
    for (uint32_t i = 0; i < condition->child_count; i++)
        if (!holds(&condition->children[i], subject))
            return false;
    return true;
}

static bool any_holds(const struct baton_condition *condition, const struct subject *subject)
{
    for (uint32_t i = 0; i < condition->child_count; i++)
        if (holds(&condition->children[i], subject))
            return true;
    return false;
}

static bool holds(const struct baton_condition *condition, const struct subject *subject)
{
    if (condition->match == BATON_MATCH_ALL)
        return all_hold(condition, subject) != condition->negate;
    if (condition->match == BATON_MATCH_ANY)
        return any_holds(condition, subject) != condition->negate;
    struct value value = subject->event ? event_value(condition, subject->event)
                                        : profile_value(condition, subject->lead);
    return test_value(condition, &value) != condition->negate;
}

bool baton_event_matches(const struct baton_condition *condition, const struct baton_event *event)
{
    return holds(condition, &(struct subject){.event = event});
}

bool baton_profile_matches(const struct baton_condition *condition, const struct baton_lead *lead)
{
    return holds(condition, &(struct subject){.lead = lead});
}

static uint32_t fields_of(const struct baton_condition *condition)
{
    uint32_t fields = 0;
    if (condition->match < BATON_MATCH_ALL && condition->field < BATON_EVENT_FIELDS)
        fields = 1u << condition->field;
    for (uint32_t i = 0; i < condition->child_count; i++)
        fields |= fields_of(&condition->children[i]);
    return fields;
}

uint32_t baton_agreement_rule_fields(const struct baton_agreement *agreement)
{
    uint32_t fields = 0;
    if (agreement->ignore_bots || agreement->ignore_agent_count)
        fields |= 1u << BATON_USER_AGENT;
    for (uint32_t i = 0; i < agreement->behaviour_count; i++)
        fields |= fields_of(&agreement->behaviour[i].where);
    return fields;
}

uint32_t baton_agreement_fields(const struct baton_agreement *agreement)
{
    uint32_t fields = baton_agreement_rule_fields(agreement);
    fields |= 1u << BATON_CHANNEL | 1u << BATON_FORM;
    if (agreement->touches)
        fields |= 1u << BATON_PAGE | 1u << BATON_CAMPAIGN;
    if (agreement->pact)
        fields |= 1u << BATON_CAMPAIGN; /* of what was spent */
    return fields;
}
