/* Buyer personas: named kinds of buyers, each with its own fit rules and perhaps its own gates. */
#include "agreement/building.h"

#include <string.h>

static void read_persona_id(struct building *building, const struct yaml_node *mapping,
                            const struct baton_persona *before, uint32_t count,
                            struct baton_persona *persona)
{
    const struct yaml_node *node =
        rules_id(building, mapping, word(building, MESSAGE_WHAT_PERSONA_ID));
    if (!node)
        return;
    persona->id = node->text;
    for (uint32_t i = 0; i < count; i++)
        if (before[i].id.size && yaml_is_text(node, before[i].id.data))
            error_at(building, node, MESSAGE_FINDING_PERSONA_TWICE,
                     {"id", shown(building, node->text.data)});
}

/* In place of the agreement's gates, each as a whole. */
static void read_persona_gates(struct building *building, const struct yaml_node *node,
                               struct baton_persona *persona)
{
    static const struct key keys[] = {{"mql", false}, {"sql", false}};
    const struct baton_agreement *compiled = &building->agreement->compiled;
    if (!value_keys(building, node, word(building, MESSAGE_WHAT_PERSONA_GATES), keys, 2))
        return;
    const struct yaml_node *mql = yaml_find(node, "mql"), *sql = yaml_find(node, "sql");
    if (!mql && !sql)
        error_plain_at(building, node, MESSAGE_FINDING_PERSONA_GATES);
    persona->has_mql = mql != NULL;
    persona->has_sql = sql != NULL;
    if (mql)
        gates_read_one(building, mql, &persona->mql);
    if (sql)
        gates_read_one(building, sql, &persona->sql);
    if (mql || sql)
        gates_compare(building, sql ? sql : mql, mql ? &persona->mql : &compiled->mql,
                      sql ? &persona->sql : &compiled->sql);
}

static void read_persona(struct building *building, const struct yaml_node *node,
                         const struct baton_persona *before, uint32_t count,
                         struct baton_persona *persona)
{
    static const struct key keys[] = {{"id", true}, {"fit", true}, {"gates", false}};
    static const struct baton_gate open = {
        .score = BATON_NO_THRESHOLD, .fit = BATON_NO_THRESHOLD, .behaviour = BATON_NO_THRESHOLD};
    *persona = (struct baton_persona){.mql = open, .sql = open};
    (void)value_keys(building, node, word(building, MESSAGE_WHAT_PERSONA), keys,
                     sizeof keys / sizeof *keys);
    if (node->kind != YAML_MAPPING)
        return;
    read_persona_id(building, node, before, count, persona);
    const struct yaml_node *fit = yaml_find(node, "fit"), *gates = yaml_find(node, "gates");
    if (fit)
        persona->fit = rules_fit_list(building, fit, &persona->fit_count);
    if (gates)
        read_persona_gates(building, gates, persona);
}

void personas_read(struct building *building, const struct yaml_node *list)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    if (!value_list(building, list, "`personas`"))
        return;
    if (!value_few(building, list, BATON_PERSONAS_MAX, MESSAGE_THINGS_PERSONAS))
        return;
    struct baton_persona *personas = arena_take(building->arena, list->count * sizeof *personas);
    uint32_t count = 0;
    for (const struct yaml_node *node = list->first; node; node = node->next, count++)
        read_persona(building, node, personas, count, &personas[count]);
    compiled->personas = personas;
    compiled->persona_count = count;
}
