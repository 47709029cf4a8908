/* Rules and gates in words. */
#include "agreement/sentence_parts.h"

#include <string.h>

static const char *text_of(const struct yaml_node *mapping, const char *key)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    return node ? node->text.data : "";
}

const char *sentence_points(struct speech *speech, int64_t points)
{
    return speech_points(speech, points * 100);
}

/* ---- Rules ---- */

const char *sentence_fit_rule(struct speech *speech, const struct yaml_node *node,
                              const struct baton_fit_rule *rule)
{
    return phrase(speech, MESSAGE_FIT_RULE, {"id", text_of(node, "id")},
                  {"points", sentence_points(speech, rule->points)},
                  {"where", sentence_where(speech, yaml_find(node, "where"))});
}

static const char *cap_part(struct speech *speech, const struct yaml_node *cap)
{
    if (!cap)
        return "";
    const char *times = sentence_number(speech, yaml_find(cap, "times"));
    const char *per = text_of(cap, "per"), *period = sentence_period(speech, per);
    bool once = strcmp(times, "1") == 0, ever = strcmp(per, "ever") == 0;
    enum message_id id = ever   ? (once ? MESSAGE_CAP_ONCE_EVER : MESSAGE_CAP_EVER)
                         : once ? MESSAGE_CAP_ONCE
                                : MESSAGE_CAP;
    return phrase(speech, id, {"times", times}, {"period", period});
}

static const char *while_rule(struct speech *speech, const struct yaml_node *node,
                              const struct baton_behaviour_rule *rule, const char *where)
{
    const struct yaml_node *held = yaml_find(node, "while");
    const char *within = text_of(held, "within");
    return phrase(
        speech, MESSAGE_WHILE_RULE, {"id", text_of(node, "id")},
        {"points", sentence_points(speech, rule->points)},
        {"times", sentence_number(speech, yaml_find(held, "times"))},
        {"event", sentence_event(speech, rule->kind, "2")}, {"where", where},
        {"days", speech_print(speech, "%.*s", (int)strspn(within, "0123456789"), within)});
}

const char *sentence_behaviour_rule(struct speech *speech, const struct yaml_node *node,
                                    const struct baton_behaviour_rule *rule)
{
    const struct yaml_node *where = yaml_find(node, "where"),
                           *half_life = yaml_find(node, "half_life");
    const char *condition = "", *decay = "";
    if (where)
        condition = phrase(speech, MESSAGE_RULE_WHERE, {"where", sentence_where(speech, where)});
    if (half_life)
        decay = phrase(speech, MESSAGE_HALF_LIFE,
                       {"time", sentence_duration(speech, half_life->text.data)});
    if (yaml_find(node, "while"))
        return while_rule(speech, node, rule, condition);
    return phrase(speech, MESSAGE_BEHAVIOUR_RULE, {"id", text_of(node, "id")},
                  {"points", sentence_points(speech, rule->points)},
                  {"event", sentence_event(speech, rule->kind, "1")}, {"where", condition},
                  {"cap", cap_part(speech, yaml_find(node, "at_most"))}, {"half_life", decay});
}

/* ---- Gates ---- */

static const char *needed_rules(struct speech *speech, const struct yaml_node *list,
                                enum message_id several, enum speech_join join)
{
    const char *rules = sentence_list(speech, list, join);
    if (list->kind == YAML_LIST && list->count > 1)
        return phrase(speech, several, {"rules", rules});
    return phrase(speech, MESSAGE_NEED_HIT, {"rule", rules});
}

const char *sentence_gate(struct speech *speech, const struct yaml_node *gate)
{
    static const struct {
        const char *name;
        enum message_id id;
    } thresholds[] = {{"score", MESSAGE_NEED_SCORE},
                      {"fit", MESSAGE_NEED_FIT},
                      {"behaviour", MESSAGE_NEED_BEHAVIOUR}};
    const char *needs[5];
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct yaml_node *node = yaml_find(gate, thresholds[i].name);
        if (node)
            needs[count++] =
                phrase(speech, thresholds[i].id, {"points", sentence_number(speech, node)});
    }
    const struct yaml_node *one = yaml_find(gate, "needs_one_of"),
                           *all = yaml_find(gate, "needs_all_of");
    if (one)
        needs[count++] = needed_rules(speech, one, MESSAGE_NEED_ONE_OF, SPEECH_OR);
    if (all)
        needs[count++] = needed_rules(speech, all, MESSAGE_NEED_ALL_OF, SPEECH_AND);
    return speech_list(speech, needs, count, SPEECH_AND);
}
