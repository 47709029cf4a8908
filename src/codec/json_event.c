#include "codec/json_event.h"

#include "codec/json_scan.h"
#include "codec/kinds.h"
#include "codec/number_text.h"
#include "codec/rfc3339.h"

struct run {
    struct json_scan scan;
    const struct field_node *root;
    const struct input_config *config;
    struct raw_event *raw;
    field_rank ranks[TARGETS]; /* of what each target has been given so far */
};

static void fail(struct run *run, const char *problem)
{
    if (!run->scan.problem)
        run->scan.problem = problem;
}

/* May a field of this rank fill its target? What a lesser one gave is forgotten. */
static bool outranks(struct run *run, enum target target, field_rank rank)
{
    if (rank > run->ranks[target])
        return false;
    run->ranks[target] = rank;
    raw_event_clear(run->raw, target);
    return true;
}

enum got { GOT_NOTHING, GOT_NULL, GOT_TEXT };

static enum got read_scalar(struct run *run, struct baton_text *out)
{
    enum json_kind kind = json_peek(&run->scan);
    struct baton_text text;
    if (!json_scalar(&run->scan, &text))
        return GOT_NOTHING;
    if (kind == JSON_IS_NULL)
        return GOT_NULL;
    if (kind == JSON_IS_NUMBER)
        return number_text_json(run->scan.arena, text, out) ? GOT_TEXT : GOT_NOTHING;
    *out = text;
    return GOT_TEXT;
}

static void read_time(struct run *run, field_rank rank)
{
    enum json_kind kind = json_peek(&run->scan);
    struct baton_text text;
    int64_t time_ms;
    bool taken = outranks(run, TARGET_TIME, rank);
    if (!json_scalar(&run->scan, &text) || !taken)
        return;
    if (kind == JSON_IS_STRING ? rfc3339_read(text, &time_ms)
                               : kind == JSON_IS_NUMBER && number_whole_json(text, &time_ms))
        raw_event_set_time(run->raw, time_ms);
}

static void read_kind(struct run *run, field_rank rank)
{
    struct baton_text text = {0};
    /* A kind that is null leaves the word to a lesser field. */
    if (read_scalar(run, &text) != GOT_TEXT || !text.size || !outranks(run, TARGET_KIND, rank))
        return;
    run->raw->kind = kind_of_text(run->config, text);
    run->raw->kind_text = text;
}

static void read_text(struct run *run, enum target target, field_rank rank)
{
    struct baton_text text = {0};
    /* An instant's number is larger than those that texts hold. */
    bool number = (target == TARGET_AT || target == TARGET_ARRIVED) &&
                  json_peek(&run->scan) == JSON_IS_NUMBER;
    enum got got = number ? (json_scalar(&run->scan, &text) ? GOT_TEXT : GOT_NOTHING)
                          : read_scalar(run, &text);
    if (!outranks(run, target, rank))
        return;
    if (got == GOT_TEXT)
        raw_event_set(run->raw, target, text);
    else if (got == GOT_NULL)
        raw_event_set_null(run->raw, target);
}

static bool is_nested(enum json_kind kind)
{
    return kind == JSON_IS_OBJECT || kind == JSON_IS_ARRAY;
}

/* `fields` and `properties`: names are free there, so what is no text is as if not there. */
static void read_entries(struct run *run, const struct field_node *node, unsigned level)
{
    struct raw_entries names = {0}, dropped = {0};
    struct baton_text name, value;
    bool first = true, taken = outranks(run, node->target, node->rank);
    struct raw_entries *entries =
        node->target == TARGET_FIELDS ? &run->raw->fields : &run->raw->properties;
    if (!taken)
        entries = &dropped;
    json_enter(&run->scan, level);
    while (json_next(&run->scan, &first, &name)) {
        raw_entries_add(&names, run->scan.arena, name, (struct baton_text){0});
        value = (struct baton_text){0};
        if (is_nested(json_peek(&run->scan)))
            (void)json_skip(&run->scan, level + 1);
        else if (read_scalar(run, &value) != GOT_NOTHING)
            raw_entries_add(entries, run->scan.arena, name, value);
    }
    if (raw_entries_repeat(&names, run->scan.arena, false))
        fail(run, "a key stands twice in `fields` or `properties`");
}

static void read_value(struct run *run, const struct field_node *node, unsigned level)
{
    if (node->target == TARGET_NONE)
        (void)json_skip(&run->scan, level);
    else if (node->target == TARGET_TIME)
        read_time(run, node->rank);
    else if (node->target == TARGET_KIND)
        read_kind(run, node->rank);
    else if (target_is_text(node->target))
        read_text(run, node->target, node->rank);
    else if (json_peek(&run->scan) == JSON_IS_NULL)
        (void)json_skip(&run->scan, level);
    else
        fail(run, "`fields` or `properties` is not an object");
}

static void read_object(struct run *run, const struct field_node *node, unsigned level);

static void read_nested(struct run *run, const struct field_node *node, unsigned level)
{
    bool object = json_peek(&run->scan) == JSON_IS_OBJECT;
    bool entries = node->target == TARGET_FIELDS || node->target == TARGET_PROPERTIES;
    if (object && node->child_count) {
        read_object(run, node, level);
    } else if (object && entries) {
        read_entries(run, node, level);
    } else if (node->target == TARGET_NONE || target_is_rare(node->target)) {
        (void)json_skip(&run->scan, level); /* of an event that means something else by the name */
    } else if (node->target == TARGET_TIME) {
        (void)outranks(run, TARGET_TIME, node->rank);
        (void)json_skip(&run->scan, level);
    } else {
        fail(run, "a field that should be a text is an object or an array");
    }
}

static const struct field_node *find(const struct run *run, const struct field_node *node,
                                     struct baton_text name)
{
    static const struct field_node kind = {.target = TARGET_KIND, .rank = RANK_OWN_NAME};
    const struct field_node *found = field_map_find(node, name);
    return !found && node == run->root && text_equal(name, text_from("kind")) ? &kind : found;
}

static void read_object(struct run *run, const struct field_node *node, unsigned level)
{
    struct raw_entries names = {0};
    struct baton_text name;
    bool first = true;
    json_enter(&run->scan, level);
    while (json_next(&run->scan, &first, &name)) {
        raw_entries_add(&names, run->scan.arena, name, (struct baton_text){0});
        const struct field_node *found = find(run, node, name);
        if (!found)
            (void)json_skip(&run->scan, level + 1);
        else if (is_nested(json_peek(&run->scan)))
            read_nested(run, found, level + 1);
        else
            read_value(run, found, level + 1);
    }
    if (!run->scan.problem && raw_entries_repeat(&names, run->scan.arena, false))
        fail(run, "a key stands twice in an object");
}

bool json_event_read(const struct field_node *fields, const struct input_config *config,
                     const char *text, size_t size, struct arena *arena, struct raw_event *raw,
                     struct error *problem)
{
    struct run run = {.scan = {.at = text, .end = text + size, .arena = arena},
                      .root = fields,
                      .config = config,
                      .raw = raw};
    for (int i = 0; i < TARGETS; i++)
        run.ranks[i] = RANK_NONE;
    if (!raw_text_is_utf8((struct baton_text){text, (uint32_t)size})) {
        (void)error_set(problem, STATUS_REJECT, "the JSON text is not UTF-8");
        return false;
    }
    read_object(&run, fields, 1);
    if (!run.scan.problem && !json_at_end(&run.scan))
        run.scan.problem = "something follows the object";
    if (!run.scan.problem)
        return true;
    (void)error_set(problem, STATUS_REJECT, "%s, at byte %zu", run.scan.problem,
                    (size_t)(run.scan.at - text));
    return false;
}
