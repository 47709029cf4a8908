/* What a lead still needs to pass the next gate. */
#include "commands/explain_parts.h"

#define NEEDS_MAX 5

struct next_gate {
    const struct baton_gate *gate;
    enum baton_stage to;
    int64_t more; /* points that a lead which came back has to show beyond the gate's score */
};

/* A lead under its persona's own gate, if it has one. */
static struct next_gate next_gate_of(const struct explanation *lead)
{
    const struct baton_agreement *agreement = lead->agreement;
    const struct baton_persona *persona =
        lead->lead->persona ? &agreement->personas[lead->lead->persona - 1] : NULL;
    if (lead->lead->stage == BATON_LEAD || lead->lead->stage == BATON_RECYCLED)
        return (struct next_gate){
            .gate = persona && persona->has_mql ? &persona->mql : &agreement->mql, .to = BATON_MQL};
    if (lead->lead->stage != BATON_MQL)
        return (struct next_gate){0};
    return (struct next_gate){.gate = persona && persona->has_sql ? &persona->sql : &agreement->sql,
                              .to = BATON_SQL,
                              .more =
                                  (int64_t)agreement->recycle_score * (lead->lead->generation - 1)};
}

/* ---- What is met ---- */

/* Hundredths that are missing; 0: none. */
static int64_t lacks(int64_t has, int32_t threshold, int64_t more)
{
    if (threshold == BATON_NO_THRESHOLD && more == 0)
        return 0;
    int64_t wants = ((threshold == BATON_NO_THRESHOLD ? 0 : (int64_t)threshold) + more) * 100;
    return wants > has ? wants - has : 0;
}

/* `also`: a rule that is taken as hit; -1: none. */
static bool is_hit(const struct explanation *lead, uint16_t rule, int32_t also)
{
    const struct baton_lead *of = lead->lead;
    for (uint16_t i = 0; i < of->tally_count; i++)
        if (of->tallies[i].rule == rule && of->tallies[i].count > 0)
            return true;
    return rule == also;
}

static bool one_is_hit(const struct explanation *lead, const struct baton_gate *gate, int32_t also)
{
    for (uint32_t i = 0; i < gate->needs_one_count; i++)
        if (is_hit(lead, gate->needs_one_of[i], also))
            return true;
    return gate->needs_one_count == 0;
}

static bool all_are_hit(const struct explanation *lead, const struct baton_gate *gate, int32_t also)
{
    for (uint32_t i = 0; i < gate->needs_all_count; i++)
        if (!is_hit(lead, gate->needs_all_of[i], also))
            return false;
    return true;
}

/* ---- A single hit that would do ---- */

static bool may_count_again(const struct explanation *lead, uint32_t index)
{
    const struct baton_behaviour_rule *rule = &lead->agreement->behaviour[index];
    if (rule->while_times)
        return false; /* it takes more than one event */
    for (uint16_t i = 0; i < lead->lead->tally_count; i++)
        if (lead->lead->tallies[i].rule == (int32_t)index)
            return rule->cap_period != BATON_PER_EVER ||
                   lead->lead->tallies[i].count < rule->cap_times;
    return true;
}

static bool would_open(const struct explanation *lead, const struct next_gate *next, uint32_t index)
{
    const struct baton_gate *gate = next->gate;
    int64_t behaviour =
        lead->score.behaviour + (int64_t)lead->agreement->behaviour[index].points * 100;
    int64_t limit = lead->agreement->limit_behaviour;
    if (limit != BATON_NO_LIMIT && behaviour > limit * 100)
        behaviour = limit * 100;
    int64_t score = lead->score.score + behaviour - lead->score.behaviour;
    return may_count_again(lead, index) && !lacks(lead->score.fit, gate->fit, 0) &&
           !lacks(behaviour, gate->behaviour, 0) && !lacks(score, gate->score, next->more) &&
           one_is_hit(lead, gate, (int32_t)index) && all_are_hit(lead, gate, (int32_t)index);
}

static void say_enough(const struct explanation *lead, const struct next_gate *next)
{
    const struct baton_agreement *agreement = lead->agreement;
    json_t *data = json_array();
    const char **rules =
        arena_take(&lead->speech->arena, (agreement->behaviour_count + 1) * sizeof *rules);
    size_t count = 0;
    for (uint32_t i = 0; i < agreement->behaviour_count; i++) {
        if (!would_open(lead, next, i))
            continue;
        rules[count++] = explain_text(lead, agreement->behaviour[i].id);
        json_array_append_new(data, json_text(agreement->behaviour[i].id));
    }
    json_object_set_new(json_object_get(lead->data, "next"), "one_hit_of", data);
    if (!count)
        return;
    say(lead->speech, MESSAGE_EXPLAIN_ENOUGH,
        {"rules", speech_list(lead->speech, rules, count, SPEECH_OR)});
    explain_end(lead);
}

/* ---- What is missing ---- */

struct missing {
    const char *needs[NEEDS_MAX];
    size_t count;
    json_t *data;
};

static void miss_points(const struct explanation *lead, struct missing *missing, const char *name,
                        enum message_id id, int64_t has, int32_t threshold, int64_t more)
{
    struct speech *speech = lead->speech;
    int64_t short_of = lacks(has, threshold, more);
    if (!short_of)
        return;
    missing->needs[missing->count++] =
        speech_part(speech, id,
                    (const struct message_hole[]){{"points", speech_points(speech, short_of)},
                                                  {"has", speech_points(speech, has)},
                                                  {"wants", speech_points(speech, has + short_of)},
                                                  {NULL, NULL}});
    json_t *item = json_object();
    json_object_set_new(item, "what", json_string(name));
    json_object_set_new(item, "has", json_points(has));
    json_object_set_new(item, "wants", json_points(has + short_of));
    json_object_set_new(item, "lacks", json_points(short_of));
    json_array_append_new(missing->data, item);
}

/* The rules of a gate's list that have no hit yet: one of them, or all. */
static void miss_hits(const struct explanation *lead, struct missing *missing, bool all,
                      const uint16_t *needed, uint32_t needed_count)
{
    struct speech *speech = lead->speech;
    const char **rules = arena_take(&speech->arena, (needed_count + 1) * sizeof *rules);
    json_t *item = json_object(), *ids = json_array();
    size_t count = 0;
    for (uint32_t i = 0; i < needed_count; i++) {
        if (is_hit(lead, needed[i], -1))
            continue;
        rules[count++] = explain_text(lead, lead->agreement->behaviour[needed[i]].id);
        json_array_append_new(ids, json_text(lead->agreement->behaviour[needed[i]].id));
    }
    json_object_set_new(item, "what", json_string(all ? "needs_all_of" : "needs_one_of"));
    json_object_set_new(item, "rules", ids);
    json_array_append_new(missing->data, item);
    const char *list = speech_list(speech, rules, count, all ? SPEECH_AND : SPEECH_OR);
    missing->needs[missing->count++] = count == 1 ? phrase(speech, MESSAGE_NEED_HIT, {"rule", list})
                                       : all ? phrase(speech, MESSAGE_NEED_ALL_OF, {"rules", list})
                                             : phrase(speech, MESSAGE_NEED_ONE_OF, {"rules", list});
}

static void find_missing(const struct explanation *lead, const struct next_gate *next,
                         struct missing *missing)
{
    const struct baton_gate *gate = next->gate;
    miss_points(lead, missing, "score", MESSAGE_EXPLAIN_MORE_SCORE, lead->score.score, gate->score,
                next->more);
    miss_points(lead, missing, "fit", MESSAGE_EXPLAIN_MORE_FIT, lead->score.fit, gate->fit, 0);
    miss_points(lead, missing, "behaviour", MESSAGE_EXPLAIN_MORE_BEHAVIOUR, lead->score.behaviour,
                gate->behaviour, 0);
    if (!one_is_hit(lead, gate, -1))
        miss_hits(lead, missing, false, gate->needs_one_of, gate->needs_one_count);
    if (!all_are_hit(lead, gate, -1))
        miss_hits(lead, missing, true, gate->needs_all_of, gate->needs_all_count);
}

/* Items of `never` that hold, which only the gate to sales looks at. */
static size_t say_never(const struct explanation *lead, const struct next_gate *next,
                        json_t *missing)
{
    size_t count = 0;
    for (uint32_t i = 0; next->to == BATON_SQL && i < lead->agreement->never_count; i++) {
        if (!baton_profile_matches(&lead->agreement->never[i], lead->lead))
            continue;
        const char *where = agreement_never_where(lead->source, lead->speech, i);
        say(lead->speech, MESSAGE_EXPLAIN_NEVER, {"where", where});
        explain_end(lead);
        json_t *item = json_object();
        json_object_set_new(item, "what", json_string("never"));
        json_object_set_new(item, "because", explain_json(where));
        json_array_append_new(missing, item);
        count++;
    }
    return count;
}

static void say_higher(const struct explanation *lead, const struct next_gate *next)
{
    if (!next->more)
        return;
    say(lead->speech, MESSAGE_EXPLAIN_HIGHER,
        {"points", speech_points(lead->speech, next->more * 100)});
    explain_end(lead);
}

static void say_missing(const struct explanation *lead, const struct next_gate *next,
                        const struct missing *missing)
{
    bool sql = next->to == BATON_SQL;
    const char *needs = speech_list(lead->speech, missing->needs, missing->count, SPEECH_AND);
    if (missing->count) {
        speech_add(lead->speech, sql ? MESSAGE_EXPLAIN_NEEDS_SQL : MESSAGE_EXPLAIN_NEEDS_MQL,
                   (const struct message_hole[]){{"needs", needs}, {NULL, NULL}});
        explain_end(lead);
        say_higher(lead, next);
        say_enough(lead, next);
    }
    size_t blocked = say_never(lead, next, missing->data);
    if (missing->count || blocked)
        return;
    speech_add(lead->speech, sql ? MESSAGE_EXPLAIN_OPEN_SQL : MESSAGE_EXPLAIN_OPEN_MQL, NULL);
    explain_end(lead);
}

void explain_gate(const struct explanation *lead)
{
    struct next_gate next = next_gate_of(lead);
    json_object_set_new(lead->data, "next", next.gate ? json_object() : json_null());
    if (!next.gate)
        return;
    struct missing missing = {.data = json_array()};
    json_t *data = json_object_get(lead->data, "next");
    json_object_set_new(data, "stage", json_string(baton_stage_name(next.to)));
    json_object_set_new(data, "missing", missing.data);
    json_object_set_new(data, "one_hit_of", json_array());
    find_missing(lead, &next, &missing);
    explain_end(lead);
    say_missing(lead, &next, &missing);
}
