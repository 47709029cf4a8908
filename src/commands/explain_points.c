/* Which rules gave a lead its points. */
#include "commands/explain_parts.h"

#include <string.h>

struct sides {
    json_t *rules;          /* of the data */
    int64_t fit, behaviour; /* hundredths, before the limits */
    uint32_t told;
    const char **idle; /* ids of rules that gave nothing */
    size_t idle_count;
};

static void say_head_once(const struct explanation *lead, struct sides *sides)
{
    if (sides->told++)
        return;
    explain_end(lead);
    say_plain(lead->speech, MESSAGE_EXPLAIN_POINTS);
    explain_end(lead);
}

/* ---- Fit ---- */

/* What the profile says in the fields that the condition looks at. */
static size_t known_values(const struct explanation *lead, const struct baton_condition *condition,
                           const char **values, size_t count, size_t most)
{
    for (uint32_t i = 0; i < condition->child_count; i++)
        count = known_values(lead, &condition->children[i], values, count, most);
    if (condition->match == BATON_MATCH_ALL || condition->match == BATON_MATCH_ANY || count == most)
        return count;
    enum baton_profile_field field = condition->field == BATON_EMAIL_DOMAIN
                                         ? BATON_EMAIL
                                         : (enum baton_profile_field)condition->field;
    struct baton_text value = baton_profile_get(lead->lead, field, condition->name);
    if (!value.size)
        return count;
    const char *text = explain_text(lead, value);
    for (size_t i = 0; i < count; i++)
        if (strcmp(values[i], text) == 0) /* two conditions on one field */
            return count;
    values[count++] = text;
    return count;
}

static const char *known_part(const struct explanation *lead,
                              const struct baton_condition *condition)
{
    const char *values[8];
    size_t count = known_values(lead, condition, values, 0, 8);
    return count ? speech_print(lead->speech, " (%s)",
                                speech_list(lead->speech, values, count, SPEECH_AND))
                 : "";
}

static json_t *rule_data(struct baton_text id, const char *side, int64_t hundredths)
{
    json_t *rule = json_object();
    json_object_set_new(rule, "id", json_text(id));
    json_object_set_new(rule, "side", json_string(side));
    json_object_set_new(rule, "points", json_points(hundredths));
    return rule;
}

static void say_fit_rule(const struct explanation *lead, struct sides *sides,
                         const struct baton_fit_rule *rule, const char *where)
{
    struct speech *speech = lead->speech;
    int64_t points = (int64_t)rule->points * 100;
    if (!baton_fit_holds(rule, lead->lead)) {
        sides->idle[sides->idle_count++] = explain_text(lead, rule->id);
        return;
    }
    say_head_once(lead, sides);
    explain_indent(lead);
    say(speech, MESSAGE_EXPLAIN_FIT_RULE, {"id", explain_text(lead, rule->id)},
        {"points", speech_points(speech, points)}, {"where", where},
        {"known", known_part(lead, &rule->where)});
    explain_end(lead);
    sides->fit += points;
    json_t *data = rule_data(rule->id, "fit", points);
    json_object_set_new(data, "because", explain_json(where));
    json_array_append_new(sides->rules, data);
}

static void say_fit(const struct explanation *lead, struct sides *sides)
{
    const struct baton_agreement *agreement = lead->agreement;
    for (uint32_t i = 0; i < agreement->fit_count; i++)
        say_fit_rule(lead, sides, &agreement->fit[i],
                     agreement_fit_where(lead->source, lead->speech, i));
    if (!lead->lead->persona)
        return;
    uint32_t number = lead->lead->persona - 1u;
    const struct baton_persona *persona = &agreement->personas[number];
    for (uint32_t i = 0; i < persona->fit_count; i++)
        say_fit_rule(lead, sides, &persona->fit[i],
                     agreement_persona_where(lead->source, lead->speech, number, i));
}

/* Room for the ids of all rules that could have given nothing. */
static size_t most_idle(const struct explanation *lead)
{
    const struct baton_agreement *agreement = lead->agreement;
    size_t most = (size_t)agreement->behaviour_count + agreement->fit_count;
    if (lead->lead->persona)
        most += agreement->personas[lead->lead->persona - 1].fit_count;
    return most;
}

/* ---- Behaviour ---- */

static const struct baton_tally *tally_of_rule(const struct baton_lead *lead, uint32_t hash)
{
    for (uint16_t i = 0; i < lead->tally_count; i++)
        if (lead->tallies[i].rule_hash == hash)
            return lead->tallies[i].count ? &lead->tallies[i] : NULL;
    return NULL;
}

static bool names_rule(struct baton_text joined, struct baton_text id)
{
    while (joined.size) {
        const char *comma = memchr(joined.data, ',', joined.size);
        uint32_t size = comma ? (uint32_t)(comma - joined.data) : joined.size;
        if (size == id.size && memcmp(joined.data, id.data, size) == 0)
            return true;
        joined.data += size + (comma ? 1 : 0);
        joined.size -= size + (comma ? 1 : 0);
    }
    return false;
}

/* As far as the touches tell; 0: they do not. */
static int64_t last_hit_ms(const struct explanation *lead, struct baton_text id)
{
    for (uint16_t i = 0; i < lead->lead->touch_count; i++)
        if (names_rule(baton_words_text(lead->words, lead->lead->touches[i].rules), id))
            return lead->lead->touches[i].time_ms;
    return 0;
}

static const char *decay_part(const struct explanation *lead,
                              const struct baton_behaviour_rule *rule, uint32_t count,
                              int64_t points)
{
    int64_t full = (int64_t)rule->points * count * 100;
    if (!rule->half_life_ms || points == full)
        return "";
    return phrase(lead->speech, MESSAGE_EXPLAIN_DECAY, {"full", speech_points(lead->speech, full)},
                  {"time", speech_duration(lead->speech, rule->half_life_ms)});
}

static void say_hits(const struct explanation *lead, uint32_t index,
                     const struct baton_tally *tally, int64_t points, const char *last)
{
    const struct baton_behaviour_rule *rule = &lead->agreement->behaviour[index];
    struct speech *speech = lead->speech;
    const char *count = speech_count(speech, tally->count);
    bool used = rule->cap_period == BATON_PER_EVER && tally->count >= rule->cap_times;
    say(speech, MESSAGE_EXPLAIN_RULE, {"id", explain_text(lead, rule->id)},
        {"points", speech_points(speech, points)}, {"count", count},
        {"event", agreement_event_words(lead->source, speech, index, count)},
        {"where", agreement_event_where(lead->source, speech, index)},
        {"decay", decay_part(lead, rule, tally->count, points)}, {"last", last},
        {"cap", used ? phrase_plain(speech, MESSAGE_EXPLAIN_CAP_USED) : ""});
}

static void say_while(const struct explanation *lead, uint32_t index, int64_t points,
                      const char *last)
{
    const struct baton_behaviour_rule *rule = &lead->agreement->behaviour[index];
    struct speech *speech = lead->speech;
    enum message_id id =
        points || !rule->points ? MESSAGE_EXPLAIN_WHILE : MESSAGE_EXPLAIN_WHILE_NOT;
    say(speech, id, {"id", explain_text(lead, rule->id)},
        {"points", speech_points(speech, (int64_t)rule->points * 100)},
        {"times", speech_count(speech, rule->while_times)},
        {"event", agreement_event_words(lead->source, speech, index, "2")},
        {"where", agreement_event_where(lead->source, speech, index)},
        {"days", speech_count(speech, rule->while_days)}, {"last", last});
}

static void say_behaviour_rule(const struct explanation *lead, struct sides *sides, uint32_t index)
{
    const struct baton_behaviour_rule *rule = &lead->agreement->behaviour[index];
    const struct baton_tally *tally = tally_of_rule(lead->lead, rule->hash);
    if (!tally) {
        sides->idle[sides->idle_count++] = explain_text(lead, rule->id);
        return;
    }
    int64_t points = baton_tally_points(tally, lead->agreement, lead->at_ms);
    int64_t last_ms = last_hit_ms(lead, rule->id);
    const char *last = "";
    if (last_ms)
        last = phrase(lead->speech, MESSAGE_EXPLAIN_LAST, {"time", explain_time(lead, last_ms)});
    say_head_once(lead, sides);
    explain_indent(lead);
    if (rule->while_times)
        say_while(lead, index, points, last);
    else
        say_hits(lead, index, tally, points, last);
    explain_end(lead);
    sides->behaviour += points;
    json_t *data = rule_data(rule->id, "behaviour", points);
    json_object_set_new(data, "hits", json_integer(tally->count));
    json_object_set_new(data, "last", json_time_or_null(last_ms));
    json_array_append_new(sides->rules, data);
}

/* ---- Both ---- */

static void say_limit(const struct explanation *lead, enum message_id id, int64_t sum,
                      int32_t limit)
{
    if (limit == BATON_NO_LIMIT || sum <= (int64_t)limit * 100)
        return;
    explain_indent(lead);
    speech_add(
        lead->speech, id,
        (const struct message_hole[]){{"sum", speech_points(lead->speech, sum)},
                                      {"limit", speech_points(lead->speech, (int64_t)limit * 100)},
                                      {NULL, NULL}});
    explain_end(lead);
}

static void say_idle(const struct explanation *lead, const struct sides *sides)
{
    json_t *idle = json_array();
    for (size_t i = 0; i < sides->idle_count; i++)
        json_array_append_new(idle, explain_json(sides->idle[i]));
    json_object_set_new(lead->data, "not_yet", idle);
    if (!sides->idle_count)
        return;
    const char *list = speech_list(lead->speech, sides->idle, sides->idle_count, SPEECH_AND);
    explain_indent(lead);
    say(lead->speech, MESSAGE_EXPLAIN_NOT_YET, {"rules", list});
    explain_end(lead);
}

void explain_points(const struct explanation *lead)
{
    const struct baton_agreement *agreement = lead->agreement;
    struct sides sides = {.rules = json_array()};
    sides.idle = arena_take(&lead->speech->arena, (most_idle(lead) + 1) * sizeof *sides.idle);
    say_fit(lead, &sides);
    for (uint32_t i = 0; i < agreement->behaviour_count; i++)
        say_behaviour_rule(lead, &sides, i);
    if (!sides.told) {
        explain_end(lead);
        say_plain(lead->speech, MESSAGE_EXPLAIN_NO_POINTS);
        explain_end(lead);
    }
    say_limit(lead, MESSAGE_EXPLAIN_LIMIT_FIT, sides.fit, agreement->limit_fit);
    say_limit(lead, MESSAGE_EXPLAIN_LIMIT_BEHAVIOUR, sides.behaviour, agreement->limit_behaviour);
    json_object_set_new(lead->data, "rules", sides.rules);
    say_idle(lead, &sides);
}
