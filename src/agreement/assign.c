/* Whom a promotion goes to. */
#include "agreement/building.h"

#include <string.h>

#define NAME_MAX_BYTES 200

/* 1 + index of the persona, 0 with a finding. */
static uint16_t find_persona(struct building *building, const struct yaml_node *node)
{
    const struct baton_agreement *compiled = &building->agreement->compiled;
    const char *names[BATON_PERSONAS_MAX];
    size_t count = 0;
    if (!value_text(building, node, "`persona`", RULE_ID_MAX))
        return 0;
    for (uint32_t i = 0; i < compiled->persona_count; i++) {
        if (!compiled->personas[i].id.size)
            continue;
        if (yaml_is_text(node, compiled->personas[i].id.data))
            return (uint16_t)(i + 1);
        names[count++] = compiled->personas[i].id.data;
    }
    if (count)
        error_at(building, node, MESSAGE_FINDING_NO_PERSONA,
                 {"id", shown(building, node->text.data)},
                 {"suggestion", value_suggestion(building, node, names, count, MESSAGES)});
    else
        error_at(building, node, MESSAGE_FINDING_NO_PERSONAS,
                 {"id", shown(building, node->text.data)});
    return 0;
}

static void read_where(struct building *building, const struct yaml_node *item,
                       struct baton_route *route)
{
    const struct yaml_node *where = yaml_find(item, "where");
    if (!where) {
        if (item->next)
            error_plain_at(building, item, MESSAGE_FINDING_TAKES_ALL);
        return;
    }
    (void)where_compile_route(building, where, &route->where);
    if (where->kind == YAML_MAPPING && yaml_find(where, "persona"))
        route->persona = find_persona(building, yaml_find(where, "persona"));
}

/* One name or a list; who stands there twice has two turns. */
static void read_names(struct building *building, const struct yaml_node *to,
                       struct baton_route *route)
{
    bool list = to->kind == YAML_LIST;
    uint32_t count = list ? to->count : 1;
    if (list && !value_list(building, to, "`to`"))
        return;
    if (list && !value_few(building, to, BATON_ROUTE_NAMES_MAX, MESSAGE_THINGS_NAMES))
        return;
    struct baton_text *names = arena_take(building->arena, count * sizeof *names);
    const struct yaml_node *name = list ? to->first : to;
    for (uint32_t i = 0; i < count; i++, name = name->next)
        if (value_text(building, name, word(building, MESSAGE_WHAT_ROUTE_NAME), NAME_MAX_BYTES))
            names[route->to_count++] = name->text;
    route->to = names;
}

void assign_read(struct building *building, const struct yaml_node *list)
{
    static const struct key keys[] = {{"where", false}, {"to", true}};
    struct baton_agreement *compiled = &building->agreement->compiled;
    if (!value_list(building, list, "`assign`"))
        return;
    if (!value_few(building, list, BATON_ROUTES_MAX, MESSAGE_THINGS_ITEMS))
        return;
    struct baton_route *routes = arena_take(building->arena, list->count * sizeof *routes);
    uint32_t count = 0;
    for (const struct yaml_node *item = list->first; item; item = item->next) {
        struct baton_route *route = &routes[count++];
        *route = (struct baton_route){.where = {.match = BATON_MATCH_ALL}};
        (void)value_keys(building, item, word(building, MESSAGE_WHAT_ROUTE), keys, 2);
        if (item->kind != YAML_MAPPING)
            continue;
        read_where(building, item, route);
        if (yaml_find(item, "to"))
            read_names(building, yaml_find(item, "to"), route);
    }
    compiled->routes = routes;
    compiled->route_count = count;
}
