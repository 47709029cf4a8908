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
    if (rule->points <= 0)
        return 0;
    if (rule->while_times)
        return rule->points;
    if (rule->cap_period == BATON_PER_EVER)
        return (int64_t)rule->points * rule->cap_times;
    return BATON_SCORE_MAX; /* again and again */
}

static int64_t fit_reach(const struct baton_fit_rule *rules, uint32_t count)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += rules[i].points > 0 ? rules[i].points : 0;
    return sum;
}

/* What the personas can add at best. */
static int64_t persona_reach(const struct baton_agreement *compiled)
{
    int64_t best = 0;
    for (uint32_t i = 0; i < compiled->persona_count; i++) {
        int64_t one = fit_reach(compiled->personas[i].fit, compiled->personas[i].fit_count);
        best = one > best ? one : best;
    }
    return best;
}

static struct reach best(const struct building *building, int64_t of_persona)
{
    const struct baton_agreement *compiled = &building->agreement->compiled;
    struct reach reach = {fit_reach(compiled->fit, compiled->fit_count) + of_persona, 0};
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
        warning_at(building, key, MESSAGE_FINDING_GATE_CLOSED, {"gate", key->text.data},
                   {"fit", number(building, reach.fit)},
                   {"behaviour", number(building, reach.behaviour)});
    else if (!gate->needs_one_count && !gate->needs_all_count && opens(gate, fit_alone))
        warning_at(building, key, MESSAGE_FINDING_GATE_BY_FIT, {"gate", key->text.data});
}

static void warn_persona(struct building *building, const struct yaml_node *node,
                         const struct baton_persona *persona)
{
    const struct yaml_node *gates = yaml_find(node, "gates");
    struct reach reach = best(building, fit_reach(persona->fit, persona->fit_count));
    if (persona->has_mql)
        warn_gate(building, yaml_find(gates, "mql")->key, &persona->mql, reach);
    if (persona->has_sql)
        warn_gate(building, yaml_find(gates, "sql")->key, &persona->sql, reach);
}

void reach_warn(struct building *building, const struct yaml_node *gates,
                const struct yaml_node *personas)
{
    const struct baton_agreement *compiled = &building->agreement->compiled;
    struct reach reach = best(building, persona_reach(compiled));
    warn_gate(building, yaml_find(gates, "mql")->key, &compiled->mql, reach);
    warn_gate(building, yaml_find(gates, "sql")->key, &compiled->sql, reach);
    const struct yaml_node *node = personas ? personas->first : NULL;
    for (uint32_t i = 0; node; node = node->next, i++)
        warn_persona(building, node, &compiled->personas[i]);
}
