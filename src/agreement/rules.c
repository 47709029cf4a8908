#include "agreement/building.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

static const char *const period_names[] = {"hour", "day", "week", "month", "ever"};
static const enum baton_period periods[] = {BATON_PER_HOUR, BATON_PER_DAY, BATON_PER_WEEK,
                                            BATON_PER_MONTH, BATON_PER_EVER};

static const char *period_name(enum baton_period period)
{
    size_t i = 0;
    while (periods[i] != period)
        i++;
    return period_names[i];
}

/* ---- Ids ------------------------------------------------------------------------------------- */

/* A touch lists ids with commas between, and people say them: one word. */
static bool is_one_word(const struct baton_text *text)
{
    for (uint32_t i = 0; i < text->size; i++) {
        unsigned char c = (unsigned char)text->data[i];
        if (c <= ' ' || c == ',' || c == 0x7f)
            return false;
    }
    return true;
}

const struct yaml_node *rules_id(struct building *building, const struct yaml_node *mapping,
                                 const char *what)
{
    const struct yaml_node *node = yaml_find(mapping, "id");
    if (!node || !value_text(building, node, what, RULE_ID_MAX))
        return NULL;
    if (is_one_word(&node->text))
        return node;
    error_at(building, node, MESSAGE_FINDING_NOT_ONE_WORD, {"what", what});
    return NULL;
}

static void read_id(struct building *building, const struct yaml_node *rule, int32_t behaviour,
                    struct baton_text *id)
{
    const struct yaml_node *node = rules_id(building, rule, word(building, MESSAGE_WHAT_RULE_ID));
    if (!node)
        return;
    *id = node->text;
    for (uint32_t i = 0; i < building->name_count; i++) {
        if (yaml_is_text(building->names[i].node, node->text.data)) {
            error_at(building, node, MESSAGE_FINDING_RULE_TWICE,
                     {"id", shown(building, node->text.data)},
                     {"line", number(building, building->names[i].node->line)});
            return;
        }
    }
    building->names[building->name_count++] = (struct rule_name){node, behaviour};
}

static void read_points(struct building *building, const struct yaml_node *rule, int32_t *points)
{
    const struct yaml_node *node = yaml_find(rule, "points");
    int64_t value;
    if (node &&
        value_whole(building, node, "`points`", -BATON_POINTS_MAX, BATON_POINTS_MAX, &value))
        *points = (int32_t)value;
}

static bool too_many(struct building *building, const struct yaml_node *list, uint32_t before)
{
    if (list->count <= BATON_RULES_MAX - before)
        return false;
    error_at(building, list, MESSAGE_FINDING_TOO_MANY, {"most", number(building, BATON_RULES_MAX)},
             {"things", word(building, before ? MESSAGE_THINGS_FIT_RULES : MESSAGE_THINGS_RULES)});
    return true;
}

/* ---- Fit ------------------------------------------------------------------------------------- */

const struct baton_fit_rule *rules_fit_list(struct building *building, const struct yaml_node *list,
                                            uint32_t *count_out)
{
    static const struct key keys[] = {{"id", true}, {"where", true}, {"points", true}};
    if (!value_list(building, list, "`fit`") || too_many(building, list, building->fit_count))
        return NULL;
    struct baton_fit_rule *rules = arena_take(building->arena, list->count * sizeof *rules);
    uint32_t count = 0;
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        struct baton_fit_rule *rule = &rules[count++];
        *rule = (struct baton_fit_rule){0};
        (void)value_keys(building, node, word(building, MESSAGE_WHAT_FIT_RULE), keys,
                         sizeof keys / sizeof *keys);
        if (node->kind != YAML_MAPPING)
            continue;
        read_id(building, node, -1, &rule->id);
        read_points(building, node, &rule->points);
        const struct yaml_node *where = yaml_find(node, "where");
        if (where)
            (void)where_compile(building, where, WHERE_PROFILE, &rule->where);
    }
    building->fit_count += count;
    *count_out = count;
    return rules;
}

void rules_fit(struct building *building, const struct yaml_node *list)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    compiled->fit = rules_fit_list(building, list, &compiled->fit_count);
}

/* ---- Behaviour ------------------------------------------------------------------------------- */

static bool read_event(struct building *building, const struct yaml_node *rule,
                       enum baton_event_kind *kind)
{
    const char *names[BATON_EVENT_KINDS];
    const struct yaml_node *node = yaml_find(rule, "event");
    size_t index;
    for (int i = 0; i < BATON_PROFILE; i++)
        names[i] = baton_event_kind_name((enum baton_event_kind)i);
    if (!node)
        return false;
    if (yaml_is_text(node, "profile")) {
        error_plain_at(building, node, MESSAGE_FINDING_PROFILE_EVENT);
        return false;
    }
    if (!value_choice(building, node, "`event`", names, BATON_PROFILE, &index))
        return false;
    *kind = (enum baton_event_kind)index;
    return true;
}

static void read_cap(struct building *building, const struct yaml_node *node,
                     struct baton_behaviour_rule *rule)
{
    static const struct key keys[] = {{"times", true}, {"per", true}};
    int64_t times;
    size_t index;
    if (!value_keys(building, node, "`at_most`", keys, 2))
        return;
    if (value_whole(building, yaml_find(node, "times"), "`times`", 1, 999999999, &times))
        rule->cap_times = (uint32_t)times;
    if (value_choice(building, yaml_find(node, "per"), "`per`", period_names,
                     sizeof periods / sizeof *periods, &index))
        rule->cap_period = periods[index];
}

static void read_while(struct building *building, const struct yaml_node *node,
                       struct baton_behaviour_rule *rule)
{
    static const struct key keys[] = {{"times", true}, {"within", true}};
    int64_t times, within;
    if (!value_keys(building, node, "`while`", keys, 2))
        return;
    const struct yaml_node *within_node = yaml_find(node, "within");
    if (value_whole(building, yaml_find(node, "times"), "`times`", 1, 999999999, &times))
        rule->while_times = (uint32_t)times;
    if (!value_duration(building, within_node, "`within`", &within))
        return;
    if (within_node->text.data[within_node->text.size - 1] != 'd' ||
        within > BATON_WHILE_DAYS_MAX * DAY_MS)
        error_at(building, within_node, MESSAGE_FINDING_WHILE_DAYS,
                 {"most", number(building, BATON_WHILE_DAYS_MAX)});
    else
        rule->while_days = (uint32_t)(within / DAY_MS);
}

static void refuse_beside_while(struct building *building, const struct yaml_node *rule,
                                const char *key)
{
    const struct yaml_node *node = yaml_find(rule, key);
    if (node)
        error_at(building, node->key, MESSAGE_FINDING_BESIDE_WHILE, {"key", key});
}

static void read_counting(struct building *building, const struct yaml_node *node,
                          struct baton_behaviour_rule *rule)
{
    const struct yaml_node *cap = yaml_find(node, "at_most"),
                           *half_life = yaml_find(node, "half_life");
    const struct yaml_node *held = yaml_find(node, "while");
    if (cap)
        read_cap(building, cap, rule);
    if (half_life)
        (void)value_duration(building, half_life, "`half_life`", &rule->half_life_ms);
    if (held) {
        read_while(building, held, rule);
        refuse_beside_while(building, node, "at_most");
        refuse_beside_while(building, node, "half_life");
    }
}

static void read_behaviour_rule(struct building *building, const struct yaml_node *node,
                                uint32_t index, struct baton_behaviour_rule *rule)
{
    static const struct key keys[] = {{"id", true},     {"event", true},    {"where", false},
                                      {"points", true}, {"at_most", false}, {"half_life", false},
                                      {"while", false}};
    *rule = (struct baton_behaviour_rule){.where = {.match = BATON_MATCH_ALL}};
    building->behaviour_nodes[index] = node;
    (void)value_keys(building, node, word(building, MESSAGE_WHAT_BEHAVIOUR_RULE), keys,
                     sizeof keys / sizeof *keys);
    if (node->kind != YAML_MAPPING)
        return;

    read_id(building, node, (int32_t)index, &rule->id);
    bool known = read_event(building, node, &rule->kind);
    read_points(building, node, &rule->points);
    const struct yaml_node *where = yaml_find(node, "where");
    if (where)
        (void)where_compile(building, where, WHERE_EVENT, &rule->where);
    read_counting(building, node, rule);
    if (known && rule->kind == BATON_FORM_FILL && rule->cap_period == BATON_PER_NONE &&
        !yaml_find(node, "at_most") && !yaml_find(node, "while"))
        warning_at(building, node, MESSAGE_FINDING_FORM_UNLIMITED,
                   {"id", rule->id.data ? rule->id.data : ""});
}

void rules_behaviour(struct building *building, const struct yaml_node *list)
{
    if (!value_list(building, list, "`behaviour`") || too_many(building, list, 0))
        return;
    struct baton_behaviour_rule *rules = arena_take(building->arena, list->count * sizeof *rules);
    uint32_t count = 0;
    for (const struct yaml_node *node = list->first; node; node = node->next, count++)
        read_behaviour_rule(building, node, count, &rules[count]);
    building->behaviour = rules;
    building->behaviour_count = count;
    building->agreement->compiled.behaviour = rules;
    building->agreement->compiled.behaviour_count = count;
}

/* ---- Tables over the rules ------------------------------------------------------------------- */

/* 32 bits over id and meaning: what a lead's tallies are kept under. It must never change by
 * itself. */
static uint32_t rule_hash(const struct baton_behaviour_rule *rule)
{
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_print(&text, "rule 1 %u:%.*s %s ", rule->id.size, (int)rule->id.size, rule->id.data,
                      baton_event_kind_name(rule->kind));
    where_canonical(&rule->where, &text);
    if (rule->cap_period != BATON_PER_NONE)
        text_buffer_print(&text, " at_most %u %s", rule->cap_times, period_name(rule->cap_period));
    if (rule->half_life_ms)
        text_buffer_print(&text, " half_life %" PRId64, rule->half_life_ms);
    if (rule->while_times)
        text_buffer_print(&text, " while %u %ud", rule->while_times, rule->while_days);
    uint32_t hash = (uint32_t)hash64(text.data, text.size, 0);
    text_buffer_fini(&text);
    return hash;
}

static void set_hashes(struct building *building)
{
    for (uint32_t i = 0; i < building->behaviour_count; i++)
        building->behaviour[i].hash = rule_hash(&building->behaviour[i]);
}

static void index_by_kind(struct building *building)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    uint16_t *indexes =
        arena_take(building->arena, (compiled->behaviour_count + 1) * sizeof *indexes);
    uint32_t count = 0;
    for (uint32_t kind = 0; kind < BATON_EVENT_KINDS; kind++) {
        compiled->kind_start[kind] = count;
        for (uint32_t i = 0; i < compiled->behaviour_count; i++)
            if ((uint32_t)compiled->behaviour[i].kind == kind)
                indexes[count++] = (uint16_t)i;
    }
    compiled->kind_start[BATON_EVENT_KINDS] = count;
    compiled->by_kind = indexes;
}

static void index_by_hash(struct building *building)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    uint32_t size = 16;
    while (size < 2 * compiled->behaviour_count)
        size *= 2;
    uint16_t *slots = arena_take(building->arena, size * sizeof *slots);
    memset(slots, 0, size * sizeof *slots);
    for (uint32_t i = 0; i < compiled->behaviour_count; i++) {
        uint32_t slot = compiled->behaviour[i].hash & (size - 1);
        for (; slots[slot]; slot = (slot + 1) & (size - 1)) {
            const struct baton_behaviour_rule *other = &compiled->behaviour[slots[slot] - 1];
            if (other->hash == compiled->behaviour[i].hash)
                error_at(building, building->behaviour_nodes[i], MESSAGE_FINDING_ONE_HASH,
                         {"first", other->id.data}, {"second", compiled->behaviour[i].id.data});
        }
        slots[slot] = (uint16_t)(i + 1);
    }
    compiled->by_hash = slots;
    compiled->by_hash_mask = size - 1;
}

struct names {
    struct baton_text *items; /* malloc */
    uint32_t count, room;
};

static void add_property(struct names *names, struct baton_text name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (names->items[i].size == name.size &&
            memcmp(names->items[i].data, name.data, name.size) == 0)
            return;
    if (names->count == names->room) {
        names->room = names->room ? 2 * names->room : 16;
        names->items = memory_resize(names->items, names->room * sizeof *names->items);
    }
    names->items[names->count++] = name;
}

static void add_properties_of(struct names *names, const struct baton_condition *condition)
{
    bool tree = condition->match == BATON_MATCH_ALL || condition->match == BATON_MATCH_ANY;
    if (!tree && condition->field == BATON_PROPERTY)
        add_property(names, condition->name);
    for (uint32_t i = 0; tree && i < condition->child_count; i++)
        add_properties_of(names, &condition->children[i]);
}

static void collect_properties(struct building *building)
{
    struct baton_agreement *compiled = &building->agreement->compiled;
    struct names names = {0};
    for (uint32_t i = 0; i < compiled->fit_count; i++)
        add_properties_of(&names, &compiled->fit[i].where);
    for (uint32_t i = 0; i < compiled->persona_count; i++)
        for (uint32_t j = 0; j < compiled->personas[i].fit_count; j++)
            add_properties_of(&names, &compiled->personas[i].fit[j].where);
    for (uint32_t i = 0; i < compiled->route_count; i++)
        add_properties_of(&names, &compiled->routes[i].where);
    for (uint32_t i = 0; i < compiled->never_count; i++)
        add_properties_of(&names, &compiled->never[i]);
    for (uint32_t i = 0; i < compiled->share_property_count; i++)
        add_property(&names, compiled->share_properties[i]);
    compiled->properties =
        arena_copy(building->arena, names.items, names.count * sizeof *names.items);
    compiled->property_count = names.count;
    if (names.count > BATON_PROPERTIES_MAX)
        error_at(building, building->agreement->root, MESSAGE_FINDING_TOO_MANY_PROPERTIES,
                 {"count", number(building, names.count)},
                 {"most", number(building, BATON_PROPERTIES_MAX)});
    free(names.items);
}

void rules_index(struct building *building)
{
    set_hashes(building);
    index_by_kind(building);
    index_by_hash(building);
    collect_properties(building);
}
