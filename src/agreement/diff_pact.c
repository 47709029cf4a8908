/* What both sides promised, in two texts. Changes stand word by word, and what tells them to people
 * is the whole sentence, as it was and as it is. */
#include "agreement/building.h"
#include "agreement/diff_words.h"
#include "agreement/sentence_parts.h"

#include <string.h>

static const char *told(struct speech *speech, enum agreement_change_kind kind, const char *was,
                        const char *now)
{
    if (!was)
        return phrase(speech, MESSAGE_DIFF_PROMISE_NEW, {"text", now});
    if (!now)
        return phrase(speech, MESSAGE_DIFF_PROMISE_GONE, {"text", was});
    return diff_both(speech,
                     phrase_plain(speech, kind == CHANGE_GOAL    ? MESSAGE_DIFF_GOAL
                                          : kind == CHANGE_CLOCK ? MESSAGE_DIFF_CLOCK
                                                                 : MESSAGE_DIFF_DATES),
                     was, now);
}

void diff_pact(struct agreement_changes *changes, enum agreement_change_kind kind, const char *word,
               const struct agreement *before, const struct yaml_node *was,
               const struct agreement *after, const struct yaml_node *now)
{
    struct speech *speech = &changes->speech;
    size_t first = changes->count;
    diff_words(changes, kind, word, was, now);
    if (changes->count == first)
        return;
    const char *old = was ? sentence_pact_part(speech, before, word, was) : NULL;
    const char *new = now ? sentence_pact_part(speech, after, word, now) : NULL;
    if ((!old && !new) || (old && new &&strcmp(old, new) == 0))
        return;
    const char *text = told(speech, kind, old, new);
    for (size_t i = first; i < changes->count; i++)
        changes->items[i].text = text;
}

/* ---- Goals ----------------------------------------------------------------------------------- */

static const struct yaml_node *goals_part(const struct agreement *agreement, const char *key)
{
    const struct yaml_node *goals = yaml_find(agreement->root, "goals");
    return goals ? yaml_find(goals, key) : NULL;
}

static const struct yaml_node *goal_of(const struct yaml_node *list, const char *id)
{
    for (const struct yaml_node *goal = list ? list->first : NULL; goal; goal = goal->next)
        if (yaml_is_text(yaml_find(goal, "id"), id))
            return goal;
    return NULL;
}

static void compare_others(struct agreement_changes *changes, const struct agreement *before,
                           const struct agreement *after)
{
    const struct yaml_node *was = goals_part(before, "others"), *now = goals_part(after, "others");
    size_t first = changes->count;
    for (const struct yaml_node *goal = now ? now->first : NULL; goal; goal = goal->next) {
        const char *id = yaml_find(goal, "id")->text.data;
        diff_pact(changes, CHANGE_GOAL, speech_print(&changes->speech, "goals.others.%s", id),
                  before, goal_of(was, id), after, goal);
    }
    for (const struct yaml_node *goal = was ? was->first : NULL; goal; goal = goal->next) {
        const char *id = yaml_find(goal, "id")->text.data;
        if (!goal_of(now, id))
            diff_pact(changes, CHANGE_GOAL, speech_print(&changes->speech, "goals.others.%s", id),
                      before, goal, after, NULL);
    }
    if (changes->count == first && !same_value(was, now))
        diff_order(changes, CHANGE_GOAL, "goals.others");
}

/* What marketing owes follows from the two goals before it; NULL: nothing. */
static const struct baton_goal *delivery_of(const struct agreement *agreement)
{
    const struct baton_pact *pact = agreement->compiled.pact;
    for (uint32_t i = 0; pact && i < pact->goal_count; i++)
        if (strcmp(pact->goals[i].id.data, "delivery") == 0)
            return goals_part(agreement, "conversion") ? &pact->goals[i] : NULL;
    return NULL;
}

static const char *owed(struct speech *speech, const struct baton_goal *delivery)
{
    return speech_count(speech, delivery->amount / 100);
}

static const char *period_of(struct speech *speech, const struct agreement *agreement)
{
    return sentence_period(speech, yaml_find(goals_part(agreement, "customers"), "per")->text.data);
}

static void compare_delivery(struct agreement_changes *changes, const struct agreement *before,
                             const struct agreement *after)
{
    struct speech *speech = &changes->speech;
    const struct baton_goal *was = delivery_of(before), *now = delivery_of(after);
    if (!was || !now || (was->amount == now->amount && was->per == now->per))
        return;
    struct agreement_change change = {.kind = CHANGE_GOAL,
                                      .word = "goals.delivery",
                                      .before = owed(speech, was),
                                      .after = owed(speech, now)};
    change.text = phrase(speech, MESSAGE_DIFF_OWED, {"after", change.after},
                         {"period", period_of(speech, after)}, {"before", change.before},
                         {"former", period_of(speech, before)});
    changes_add(changes, &change);
}

void diff_goals(struct agreement_changes *changes, const struct agreement *before,
                const struct agreement *after)
{
    static const char *const keys[] = {"customers", "conversion"};
    for (int i = 0; i < 2; i++)
        diff_pact(changes, CHANGE_GOAL, speech_print(&changes->speech, "goals.%s", keys[i]), before,
                  goals_part(before, keys[i]), after, goals_part(after, keys[i]));
    compare_delivery(changes, before, after);
    compare_others(changes, before, after);
}
