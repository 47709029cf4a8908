/* Single rules in words, for those who explain a lead. */
#include "agreement/building.h"
#include "agreement/sentence_parts.h"

#include <assert.h>

/* Rules are compiled in the order of the text. */
static const struct yaml_node *item_of(const struct agreement *agreement, const char *list,
                                       uint32_t index)
{
    const struct yaml_node *items = yaml_find(agreement->root, list), *item;
    assert(items && index < items->count);
    for (item = items->first; index > 0; index--)
        item = item->next;
    return item;
}

const char *agreement_fit_where(const struct agreement *agreement, struct speech *speech,
                                uint32_t index)
{
    return sentence_where(speech, yaml_find(item_of(agreement, "fit", index), "where"));
}

const char *agreement_persona_where(const struct agreement *agreement, struct speech *speech,
                                    uint32_t persona, uint32_t index)
{
    const struct yaml_node *rule = yaml_find(item_of(agreement, "personas", persona), "fit")->first;
    for (; index > 0; index--)
        rule = rule->next;
    return sentence_where(speech, yaml_find(rule, "where"));
}

const char *agreement_never_where(const struct agreement *agreement, struct speech *speech,
                                  uint32_t index)
{
    return sentence_where(speech, item_of(agreement, "never", index));
}

const char *agreement_event_words(const struct agreement *agreement, struct speech *speech,
                                  uint32_t index, const char *count)
{
    assert(index < agreement->compiled.behaviour_count);
    return sentence_event(speech, agreement->compiled.behaviour[index].kind, count);
}

const char *agreement_event_where(const struct agreement *agreement, struct speech *speech,
                                  uint32_t index)
{
    const struct yaml_node *where = yaml_find(item_of(agreement, "behaviour", index), "where");
    return where ? phrase(speech, MESSAGE_RULE_WHERE, {"where", sentence_where(speech, where)})
                 : "";
}

const char *agreement_kind_word(struct speech *speech, enum baton_event_kind kind)
{
    return sentence_event(speech, kind, "1");
}

const char *agreement_period_word(struct speech *speech, enum baton_span per)
{
    return sentence_period(speech, baton_span_name(per));
}

/* Goals are compiled as `customers`, `conversion`, delivery where both are there, and the list. */
static const struct yaml_node *goal_item(const struct yaml_node *goals, uint32_t index)
{
    const struct yaml_node *customers = yaml_find(goals, "customers"),
                           *conversion = yaml_find(goals, "conversion"), *item;
    const struct yaml_node *first[] = {customers, conversion, customers};
    for (int i = 0; i < 3; i++) {
        bool there = i == 2 ? customers && conversion : first[i] != NULL;
        if (there && index-- == 0)
            return first[i];
    }
    item = yaml_find(goals, "others")->first;
    for (; index > 0; index--)
        item = item->next;
    return item;
}

struct finding_place agreement_goal_place(const struct agreement *agreement, uint32_t index)
{
    static const char *const numbers[] = {"at_least", "at_most", "one_in"};
    assert(index < agreement->compiled.pact->goal_count);
    const struct yaml_node *goal = goal_item(yaml_find(agreement->root, "goals"), index);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct yaml_node *node = yaml_find(goal, numbers[i]);
        if (node)
            return place_of(node);
    }
    return place_of(goal);
}

int64_t agreement_local_ms(const struct agreement *agreement, int64_t time_ms)
{
    const struct baton_agreement *compiled = &agreement->compiled;
    uint32_t at = compiled->zone_count - 1;
    while (at > 0 && compiled->zone[at].from_ms > time_ms)
        at--;
    return time_ms + compiled->zone[at].offset_s * INT64_C(1000);
}

struct finding_place agreement_review_place(const struct agreement *agreement)
{
    return place_of(yaml_find(yaml_find(agreement->root, "review"), "next"));
}
