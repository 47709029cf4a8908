/* Events that are not a person's. */
#include "agreement/building.h"

#include <string.h>

#define PATTERNS_MAX 1000

/* Event texts compare without ASCII case. */
static struct baton_text lower(struct building *building, struct baton_text text)
{
    char *copy = arena_copy(building->arena, text.data, text.size);
    for (uint32_t i = 0; i < text.size; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + ('a' - 'A'));
    return (struct baton_text){copy, text.size};
}

static void read_agents(struct building *building, const struct yaml_node *list)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    if (!value_list(building, list, "`user_agents`"))
        return;
    if (!value_few(building, list, PATTERNS_MAX, MESSAGE_THINGS_AGENTS))
        return;
    struct baton_text *agents = arena_take(building->arena, list->count * sizeof *agents);
    uint32_t count = 0;
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        if (!value_text(building, node, word(building, MESSAGE_WHAT_USER_AGENT), BATON_TEXT_MAX))
            continue;
        if (strspn(node->text.data, "*") == node->text.size)
            warning_at(building, node, MESSAGE_FINDING_IGNORES_ALL,
                       {"text", shown(building, node->text.data)});
        agents[count++] = lower(building, node->text);
    }
    compiled->ignore_agents = agents;
    compiled->ignore_agent_count = count;
}

void ignore_read(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"bots", false}, {"user_agents", false}};
    if (!value_keys(building, node, "`ignore`", keys, 2))
        return;
    const struct yaml_node *bots = yaml_find(node, "bots"),
                           *agents = yaml_find(node, "user_agents");
    if (bots)
        (void)value_flag(building, bots, "`bots`", &building->agreement->compiled.ignore_bots);
    if (agents)
        read_agents(building, agents);
}
