#include "codec/field_map.h"

#include "codec/limits.h"

#include <stdlib.h>

static const char *const names[TARGETS] = {
    [TARGET_EVENT_ID] = "event_id",
    [TARGET_LEAD_ID] = "lead_id",
    [TARGET_PAGE] = "page",
    [TARGET_URL] = "url",
    [TARGET_REFERRER] = "referrer",
    [TARGET_CHANNEL] = "channel",
    [TARGET_CAMPAIGN] = "campaign",
    [TARGET_SESSION] = "session",
    [TARGET_USER_AGENT] = "user_agent",
    [TARGET_TARGET] = "target",
    [TARGET_FORM] = "form",
    [TARGET_TIME] = "time",
    [TARGET_FIELDS] = "fields",
    [TARGET_PROPERTIES] = "properties",
    [TARGET_REPORT] = "report",
    [TARGET_VERDICT] = "verdict",
    [TARGET_GENERATION] = "generation",
    [TARGET_AT] = "at",
    [TARGET_SELLER] = "seller",
    [TARGET_REASON] = "reason",
    [TARGET_OBSTACLE] = "obstacle",
    [TARGET_NOTE] = "note",
    [TARGET_DEAL_VALUE] = "deal_value",
    [TARGET_DEAL_CURRENCY] = "deal_currency",
    [TARGET_BY] = "by",
    [TARGET_POINTS] = "points",
    [TARGET_STAGE] = "stage",
    [TARGET_INTO] = "into",
    [TARGET_FROM] = "from",
    [TARGET_STATE] = "state",
    [TARGET_ARRIVED] = "arrived",
    [TARGET_PERIOD] = "period",
    [TARGET_AMOUNT] = "amount",
    [TARGET_CURRENCY] = "currency",
};

static const char *name_of(int target)
{
    if (target >= TARGET_PROFILE && target < TARGET_PROFILE + BATON_PROFILE_FIELDS)
        return baton_profile_field_name((enum baton_profile_field)(target - TARGET_PROFILE));
    return names[target]; /* NULL for the kind, which has a configuration of its own */
}

enum target target_of_name(struct baton_text name)
{
    for (int target = 0; target < TARGETS; target++) {
        const char *own = name_of(target);
        if (own && text_equal(name, text_from(own)))
            return (enum target)target;
    }
    return TARGET_NONE;
}

int profile_field_of_name(struct baton_text name)
{
    for (int field = 0; field < BATON_PROFILE_FIELDS; field++)
        if (text_equal(name, text_from(baton_profile_field_name((enum baton_profile_field)field))))
            return field;
    return -1;
}

int event_kind_of_name(struct baton_text name)
{
    for (int kind = 0; kind < BATON_EVENT_KINDS; kind++)
        if (text_equal(name, text_from(baton_event_kind_name((enum baton_event_kind)kind))))
            return kind;
    return -1;
}

const struct field_node *field_map_find(const struct field_node *node, struct baton_text name)
{
    for (size_t i = 0; i < node->child_count; i++)
        if (text_equal(node->children[i].name, name))
            return &node->children[i];
    return NULL;
}

static struct field_node *child_of(struct field_node *node, struct baton_text name)
{
    for (size_t i = 0; i < node->child_count; i++)
        if (text_equal(node->children[i].name, name))
            return &node->children[i];
    node->children =
        memory_resize(node->children, (node->child_count + 1) * sizeof *node->children);
    struct field_node *child = &node->children[node->child_count++];
    *child = (struct field_node){.name = name, .target = TARGET_NONE, .rank = RANK_NONE};
    return child;
}

static enum status add_path(struct field_node *root, struct baton_text path, enum target target,
                            field_rank rank, struct error *error)
{
    struct field_node *node = root;
    const char *at = path.data, *end = path.data + path.size;
    for (unsigned depth = 0; at <= end; depth++) {
        const char *dot = at < end ? memchr(at, '.', (size_t)(end - at)) : NULL;
        const char *stop = dot ? dot : end;
        if (stop == at || depth == FIELD_PATH_DEPTH_MAX)
            return error_set(error, STATUS_STOP,
                             "input: '%.*s' is not the name of a field; write names with "
                             "single dots between, at most %d deep",
                             (int)path.size, path.data, FIELD_PATH_DEPTH_MAX);
        node = child_of(node, (struct baton_text){at, (uint32_t)(stop - at)});
        at = stop + 1;
    }
    if (node->target != TARGET_NONE && node->rank < RANK_OWN_NAME)
        return error_set(error, STATUS_STOP, "input: the field '%.*s' is mapped twice",
                         (int)path.size, path.data);
    node->target = target;
    node->rank = rank;
    return STATUS_OK;
}

static enum status add_configured(struct field_node *root, const struct input_config *config,
                                  struct error *error)
{
    enum status status = STATUS_OK;
    if (config->kind_field.size)
        status = add_path(root, config->kind_field, TARGET_KIND, 0, error);
    for (size_t i = 0; i < config->field_count && status == STATUS_OK; i++) {
        const struct name_pair *pair = &config->fields[i];
        enum target target = target_of_name(pair->to);
        if (target == TARGET_NONE)
            return error_set(error, STATUS_STOP,
                             "input.fields: '%.*s' is mapped to '%.*s', which is not a field of "
                             "an event or profile (the kind has a setting of its own, input.kind)",
                             (int)pair->from.size, pair->from.data, (int)pair->to.size,
                             pair->to.data);
        status = add_path(root, pair->from, target, (field_rank)(i + 1), error);
    }
    return status;
}

enum status field_map_build(struct field_node *root, const struct input_config *config,
                            struct error *error)
{
    *root = (struct field_node){.target = TARGET_NONE, .rank = RANK_NONE};
    for (int target = 0; target < TARGETS; target++) {
        const char *own = name_of(target);
        if (!own)
            continue;
        struct field_node *child = child_of(root, text_from(own));
        child->target = (enum target)target;
        child->rank = RANK_OWN_NAME;
    }
    if (config->field_count >= RANK_OWN_NAME)
        return error_set(error, STATUS_STOP, "input.fields: too many fields are mapped");
    enum status status = add_configured(root, config, error);
    if (status != STATUS_OK)
        field_map_fini(root);
    return status;
}

void field_map_fini(struct field_node *root)
{
    for (size_t i = 0; i < root->child_count; i++)
        field_map_fini(&root->children[i]);
    free(root->children);
    *root = (struct field_node){.target = TARGET_NONE, .rank = RANK_NONE};
}
