#include "agreement/building.h"

#include <string.h>

static const char *const threshold_names[] = {"score", "fit", "behaviour"};

static int32_t *threshold(struct baton_gate *gate, size_t index)
{
    int32_t *const fields[] = {&gate->score, &gate->fit, &gate->behaviour};
    return fields[index];
}

static int32_t threshold_of(const struct baton_gate *gate, size_t index)
{
    const int32_t values[] = {gate->score, gate->fit, gate->behaviour};
    return values[index];
}

static void unknown_rule(struct building *building, const struct yaml_node *node)
{
    const char *names[2 * BATON_RULES_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < building->name_count; i++)
        if (building->names[i].behaviour >= 0)
            names[count++] = building->names[i].node->text.data;
    error_at(building, node, MESSAGE_FINDING_NO_RULE, {"id", shown(building, node->text.data)},
             {"suggestion", value_suggestion(building, node, names, count, MESSAGES)});
}

/* Index of the behaviour rule that a gate needs, or -1 with a finding. */
static int32_t needed_rule(struct building *building, const struct yaml_node *node)
{
    if (!value_text(building, node, word(building, MESSAGE_WHAT_NEEDED_RULE), 1024))
        return -1;
    for (uint32_t i = 0; i < building->name_count; i++) {
        if (!yaml_is_text(building->names[i].node, node->text.data))
            continue;
        if (building->names[i].behaviour < 0)
            error_at(building, node, MESSAGE_FINDING_NEEDS_FIT_RULE,
                     {"id", shown(building, node->text.data)});
        return building->names[i].behaviour;
    }
    unknown_rule(building, node);
    return -1;
}

static const uint16_t *read_needs(struct building *building, const struct yaml_node *list,
                                  uint32_t *count)
{
    if (!value_list(building, list, word(building, MESSAGE_WHAT_NEEDS)))
        return NULL;
    if (!value_few(building, list, BATON_RULES_MAX, MESSAGE_THINGS_RULES))
        return NULL;
    uint16_t *needs = arena_take(building->arena, list->count * sizeof *needs);
    *count = 0;
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        int32_t rule = needed_rule(building, node);
        for (uint32_t i = 0; rule >= 0 && i < *count; i++) {
            if (needs[i] == rule) {
                error_at(building, node, MESSAGE_FINDING_NEEDED_TWICE,
                         {"id", shown(building, node->text.data)});
                rule = -1;
            }
        }
        if (rule >= 0)
            needs[(*count)++] = (uint16_t)rule;
    }
    return needs;
}

void gates_read_one(struct building *building, const struct yaml_node *node,
                    struct baton_gate *gate)
{
    static const struct key keys[] = {{"score", false},
                                      {"fit", false},
                                      {"behaviour", false},
                                      {"needs_one_of", false},
                                      {"needs_all_of", false}};
    if (!value_keys(building, node, word(building, MESSAGE_WHAT_GATE), keys,
                    sizeof keys / sizeof *keys))
        return;
    if (!node->first)
        error_plain_at(building, node, MESSAGE_FINDING_EMPTY_GATE);
    for (size_t i = 0; i < 3; i++) {
        const struct yaml_node *value = yaml_find(node, threshold_names[i]);
        int64_t points;
        if (value && value_whole(building, value, word(building, MESSAGE_WHAT_THRESHOLD),
                                 -BATON_SCORE_MAX, BATON_SCORE_MAX, &points))
            *threshold(gate, i) = (int32_t)points;
    }
    const struct yaml_node *one = yaml_find(node, "needs_one_of"),
                           *all = yaml_find(node, "needs_all_of");
    if (one)
        gate->needs_one_of = read_needs(building, one, &gate->needs_one_count);
    if (all)
        gate->needs_all_of = read_needs(building, all, &gate->needs_all_count);
}

void gates_compare(struct building *building, const struct yaml_node *node,
                   const struct baton_gate *mql, const struct baton_gate *sql)
{
    for (size_t i = 0; i < 3; i++) {
        int32_t low = threshold_of(mql, i), high = threshold_of(sql, i);
        const struct yaml_node *value = yaml_find(node, threshold_names[i]);
        if (low != BATON_NO_THRESHOLD && high != BATON_NO_THRESHOLD && high < low)
            error_at(building, value ? value : node, MESSAGE_FINDING_SQL_BELOW_MQL,
                     {"threshold", threshold_names[i]}, {"sql", number(building, high)},
                     {"mql", number(building, low)});
    }
}

void gates_read(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"mql", true}, {"sql", true}};
    struct baton_agreement *compiled = &building->agreement->compiled;
    (void)value_keys(building, node, "`gates`", keys, 2);
    if (node->kind != YAML_MAPPING)
        return;
    const struct yaml_node *mql = yaml_find(node, "mql"), *sql = yaml_find(node, "sql");
    if (mql)
        gates_read_one(building, mql, &compiled->mql);
    if (sql)
        gates_read_one(building, sql, &compiled->sql);
    if (mql && sql && sql->kind == YAML_MAPPING)
        gates_compare(building, sql, &compiled->mql, &compiled->sql);
}

void gates_limits(struct building *building, const struct yaml_node *node)
{
    static const struct key keys[] = {{"behaviour", false}, {"fit", false}};
    struct baton_agreement *compiled = &building->agreement->compiled;
    int32_t *const limits[] = {&compiled->limit_behaviour, &compiled->limit_fit};
    if (!value_keys(building, node, "`limits`", keys, 2))
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct yaml_node *value = yaml_find(node, keys[i].name);
        int64_t points;
        if (value && value_whole(building, value, word(building, MESSAGE_WHAT_LIMIT), 0,
                                 BATON_SCORE_MAX, &points))
            *limits[i] = (int32_t)points;
    }
}

void gates_never(struct building *building, const struct yaml_node *list)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    if (!value_list(building, list, "`never`"))
        return;
    if (!value_few(building, list, BATON_RULES_MAX, MESSAGE_THINGS_ITEMS))
        return;
    struct baton_condition *items = arena_take(building->arena, list->count * sizeof *items);
    uint32_t count = 0;
    for (const struct yaml_node *node = list->first; node; node = node->next)
        (void)where_compile(building, node, WHERE_PROFILE, &items[count++]);
    compiled->never = items;
    compiled->never_count = count;
}

static void unknown_share(struct building *building, const struct yaml_node *node)
{
    const char *names[BATON_PROFILE_FIELDS];
    for (int i = 0; i < BATON_PROFILE_FIELDS; i++)
        names[i] = baton_profile_field_name((enum baton_profile_field)i);
    if (yaml_is_text(node, "email_domain"))
        error_plain_at(building, node, MESSAGE_FINDING_SHARE_EMAIL_DOMAIN);
    else
        error_at(building, node, MESSAGE_FINDING_NO_PROFILE_FIELD,
                 {"field", shown(building, node->text.data)},
                 {"suggestion", value_suggestion(building, node, names, BATON_PROFILE_FIELDS,
                                                 MESSAGE_SUGGEST_PROPERTY)});
}

static void shared_twice(struct building *building, const struct yaml_node *node)
{
    error_at(building, node, MESSAGE_FINDING_SHARED_TWICE,
             {"field", shown(building, node->text.data)});
}

static void share_property(struct building *building, struct baton_text *properties,
                           struct baton_text name, const struct yaml_node *node)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    for (uint32_t i = 0; i < compiled->share_property_count; i++)
        if (properties[i].size == name.size &&
            memcmp(properties[i].data, name.data, name.size) == 0) {
            shared_twice(building, node);
            return;
        }
    properties[compiled->share_property_count++] = name;
}

void gates_share(struct building *building, const struct yaml_node *list)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    if (!value_list(building, list, "`share`"))
        return;
    if (!value_few(building, list, BATON_RULES_MAX, MESSAGE_THINGS_FIELDS))
        return;
    struct baton_text *properties = arena_take(building->arena, list->count * sizeof *properties);
    compiled->share_properties = properties;
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        struct baton_text name = {0};
        if (!value_text(building, node, word(building, MESSAGE_WHAT_SHARED_FIELD), BATON_TEXT_MAX))
            continue;
        int field = where_profile_field(node->text.data, &name);
        if (field < 0 || field == BATON_EMAIL_DOMAIN)
            unknown_share(building, node);
        else if (field == BATON_PROPERTY)
            share_property(building, properties, name, node);
        else if (compiled->share & (1u << field))
            shared_twice(building, node);
        else
            compiled->share |= 1u << field;
    }
}
