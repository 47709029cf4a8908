/* What the rules can come to at best, compared with what the gates ask for. Bounds only: that two
 * rules exclude each other is not seen. */
#include "agreement/building.h"

#include <string.h>

/* Points, as far as they count. */
struct reach {
    int64_t fit, behaviour;
};

static int64_t up_to(int64_t points, int64_t most)
{
    return points < most ? points : most;
}

static int64_t rule_reach(const struct building *building, uint32_t index)
{
    const struct baton_behaviour_rule *rule = &building->agreement->compiled.behaviour[index];
    bool once = yaml_find(building->behaviour_nodes[index], "while");
    if (rule->points <= 0)
        return 0;
    if (once)
        return rule->points;
    if (rule->cap_period == BATON_PER_EVER)
        return (int64_t)rule->points * rule->cap_times;
    return BATON_SCORE_MAX; /* again and again */
}

static struct reach best(const struct building *building)
{
    const struct baton_agreement *compiled = &building->agreement->compiled;
    struct reach reach = {0, 0};
    for (uint32_t i = 0; i < compiled->fit_count; i++)
        reach.fit += compiled->fit[i].points > 0 ? compiled->fit[i].points : 0;
    for (uint32_t i = 0; i < compiled->behaviour_count; i++)
        reach.behaviour = up_to(reach.behaviour + rule_reach(building, i), BATON_SCORE_MAX);
    reach.fit = up_to(up_to(reach.fit, compiled->limit_fit), BATON_SCORE_MAX);
    reach.behaviour = up_to(reach.behaviour, compiled->limit_behaviour);
    return reach;
}

static bool opens(const struct baton_gate *gate, struct reach reach)
{
    return up_to(reach.fit + reach.behaviour, BATON_SCORE_MAX) >= gate->score &&
           reach.fit >= gate->fit && reach.behaviour >= gate->behaviour;
}

static void warn_gate(struct building *building, const struct yaml_node *key,
                      const struct baton_gate *gate, struct reach reach)
{
    struct reach fit_alone = {reach.fit, 0};
    if (!opens(gate, reach))
        warning_at(
            building, key,
            "no combination of rules can open the gate `%s` (at best: fit %lld, behaviour %lld)",
            key->text.data, (long long)reach.fit, (long long)reach.behaviour);
    else if (!gate->needs_one_count && !gate->needs_all_count && opens(gate, fit_alone))
        warning_at(building, key,
                   "fit alone opens the gate `%s`: it asks for nothing that a lead does",
                   key->text.data);
}

void reach_warn(struct building *building, const struct yaml_node *gates)
{
    struct reach reach = best(building);
    warn_gate(building, yaml_find(gates, "mql")->key, &building->agreement->compiled.mql, reach);
    warn_gate(building, yaml_find(gates, "sql")->key, &building->agreement->compiled.sql, reach);
}
