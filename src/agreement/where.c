#include "agreement/building.h"

#include "base/number.h"
#include "text/fold.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 1000 /* of one matcher */

/* ---- Names of fields ------------------------------------------------------------------------- */

static int event_field(const char *name, struct baton_text *answer)
{
    for (int i = 0; i < BATON_EVENT_FIELDS; i++)
        if (strcmp(name, baton_event_field_name((enum baton_event_field)i)) == 0)
            return i;
    if (strncmp(name, "field.", 6) != 0 || !name[6])
        return -1;
    *answer = (struct baton_text){name + 6, (uint32_t)strlen(name + 6)};
    return BATON_FORM_ANSWER;
}

int where_profile_field(const char *name, struct baton_text *property)
{
    for (int i = 0; i < BATON_PROFILE_FIELDS; i++)
        if (strcmp(name, baton_profile_field_name((enum baton_profile_field)i)) == 0)
            return i;
    if (strcmp(name, "email_domain") == 0)
        return BATON_EMAIL_DOMAIN;
    if (strncmp(name, "properties.", 11) != 0 || !name[11])
        return -1;
    *property = (struct baton_text){name + 11, (uint32_t)strlen(name + 11)};
    return BATON_PROPERTY;
}

static int field_of(enum where_side side, const char *name, struct baton_text *rest)
{
    return side == WHERE_EVENT ? event_field(name, rest) : where_profile_field(name, rest);
}

static void unknown_field(struct building *building, const struct yaml_node *key,
                          enum where_side side)
{
    const char *names[BATON_EVENT_FIELDS + BATON_PROFILE_FIELDS + 2];
    struct baton_text rest;
    size_t count = 0;
    if (side == WHERE_EVENT && where_profile_field(key->text.data, &rest) >= 0) {
        error_at(building, key, MESSAGE_FINDING_FIELD_OF_PROFILE,
                 {"field", shown(building, key->text.data)});
        return;
    }
    if (side == WHERE_PROFILE && event_field(key->text.data, &rest) >= 0) {
        error_at(building, key, MESSAGE_FINDING_FIELD_OF_EVENT,
                 {"field", shown(building, key->text.data)});
        return;
    }
    for (int i = 0; side == WHERE_EVENT && i < BATON_EVENT_FIELDS; i++)
        names[count++] = baton_event_field_name((enum baton_event_field)i);
    for (int i = 0; side == WHERE_PROFILE && i < BATON_PROFILE_FIELDS; i++)
        names[count++] = baton_profile_field_name((enum baton_profile_field)i);
    if (side == WHERE_PROFILE)
        names[count++] = "email_domain";
    names[count++] = "any_of";
    error_at(building, key, MESSAGE_FINDING_UNKNOWN_FIELD,
             {"field", shown(building, key->text.data)},
             {"suggestion", value_suggestion(building, key, names, count,
                                             side == WHERE_EVENT ? MESSAGE_SUGGEST_ANSWER
                                                                 : MESSAGE_SUGGEST_PROPERTY)});
}

/* ---- Values ---------------------------------------------------------------------------------- */

struct test {
    enum where_side side;
    uint8_t field;
    struct baton_text name; /* of an answer or a property */
};

/* As the domain will compare it: folded, in lower ASCII case, or as written. */
static bool compared_text(struct building *building, const struct yaml_node *node,
                          const struct test *test, struct baton_text *out)
{
    if (!value_text(building, node, word(building, MESSAGE_WHAT_VALUE), BATON_TEXT_MAX))
        return false;
    *out = node->text;
    if (test->side == WHERE_PROFILE) {
        if (!text_fold(building->arena, node->text, out) || out->size == 0) {
            error_plain_at(building, node, MESSAGE_FINDING_ACCENTS_ALONE);
            return false;
        }
    } else if (test->field != BATON_PAGE) {
        char *lower = arena_copy(building->arena, node->text.data, node->text.size);
        for (uint32_t i = 0; i < node->text.size; i++)
            if (lower[i] >= 'A' && lower[i] <= 'Z')
                lower[i] = (char)(lower[i] + ('a' - 'A'));
        out->data = lower;
    }
    return true;
}

/* One text or a list of them. */
static bool compared_texts(struct building *building, const struct yaml_node *node,
                           const struct test *test, struct baton_condition *out)
{
    const struct yaml_node *item = node->kind == YAML_LIST ? node->first : node;
    uint32_t room = node->kind == YAML_LIST ? node->count : 1, count = 0;
    if (node->kind == YAML_LIST &&
        !value_list(building, node, word(building, MESSAGE_WHAT_COMPARED)))
        return false;
    if (node->kind == YAML_LIST && !value_few(building, node, VALUES_MAX, MESSAGE_THINGS_VALUES))
        return false;
    struct baton_text *texts = arena_take(building->arena, room * sizeof *texts);
    bool good = true;
    for (; count < room; item = item->next)
        good = compared_text(building, item, test, &texts[count++]) && good;
    out->texts = texts;
    out->text_count = count;
    return good;
}

static void never_matches(struct building *building, const struct yaml_node *node,
                          enum message_id id, struct baton_text text)
{
    const char *copy = speech_print(&building->findings->speech, "%.*s", (int)text.size, text.data);
    warning_at(building, node, id, {"text", shown(building, copy)});
}

static void warn_of_values_that_never_match(struct building *building, const struct yaml_node *node,
                                            const struct test *test,
                                            const struct baton_condition *condition)
{
    if (test->side == WHERE_PROFILE && test->field == BATON_CONSENT &&
        condition->match == BATON_MATCH_EQUAL)
        for (uint32_t i = 0; i < condition->text_count; i++) {
            struct baton_text text = condition->texts[i];
            bool flag = (text.size == 4 && memcmp(text.data, "true", 4) == 0) ||
                        (text.size == 5 && memcmp(text.data, "false", 5) == 0);
            if (!flag)
                never_matches(building, node, MESSAGE_FINDING_CONSENT_VALUE, text);
        }
    if (test->side == WHERE_EVENT && test->field == BATON_PAGE)
        for (uint32_t i = 0; i < condition->text_count; i++) {
            struct baton_text text = condition->texts[i];
            if (memchr(text.data, '?', text.size) || memchr(text.data, '#', text.size))
                never_matches(building, node, MESSAGE_FINDING_PAGE_QUERY, text);
        }
}

static bool compile_equal(struct building *building, const struct yaml_node *node,
                          const struct test *test, struct baton_condition *out)
{
    if (!compared_texts(building, node, test, out))
        return false;
    out->match = BATON_MATCH_EQUAL;
    for (uint32_t i = 0; i < out->text_count; i++)
        if (memchr(out->texts[i].data, '*', out->texts[i].size))
            out->match = BATON_MATCH_GLOB;
    warn_of_values_that_never_match(building, node, test, out);
    return true;
}

static bool read_bound(struct building *building, const struct yaml_node *mapping, const char *key,
                       int64_t *bound)
{
    const struct yaml_node *node = yaml_find(mapping, key);
    if (!node ||
        (node->kind == YAML_SCALAR && number_parse(node->text.data, node->text.size, bound)))
        return true;
    error_at(building, node, MESSAGE_FINDING_NOT_NUMBER, {"key", key});
    return false;
}

static bool compile_range(struct building *building, const struct yaml_node *mapping,
                          struct baton_condition *out)
{
    static const struct key keys[] = {{"from", false}, {"to", false}};
    out->match = BATON_MATCH_RANGE;
    out->from = INT64_MIN;
    out->to = INT64_MAX;
    bool good = value_keys(building, mapping, word(building, MESSAGE_WHAT_RANGE), keys, 2);
    good = read_bound(building, mapping, "from", &out->from) && good;
    good = read_bound(building, mapping, "to", &out->to) && good;
    if (good && out->from > out->to) {
        error_plain_at(building, yaml_find(mapping, "to"), MESSAGE_FINDING_RANGE_EMPTY);
        good = false;
    }
    return good;
}

static bool compile_known(struct building *building, const struct yaml_node *node,
                          struct baton_condition *out)
{
    bool known;
    out->match = BATON_MATCH_KNOWN;
    if (!value_flag(building, node, "`known`", &known))
        return false;
    out->negate = !known;
    return true;
}

/* ---- Matchers -------------------------------------------------------------------------------- */

static bool compile_matcher(struct building *building, const struct yaml_node *node,
                            const struct test *test, struct baton_condition *out);

/* "Unknown, or `test` holds": what is left of two `not`, as an unknown field makes every `not`
 * true. */
static void make_unknown_or(struct building *building, const struct baton_condition *test,
                            struct baton_condition *out)
{
    struct baton_condition *children = arena_take(building->arena, 2 * sizeof *children);
    children[0] = (struct baton_condition){
        .match = BATON_MATCH_KNOWN, .negate = true, .field = test->field, .name = test->name};
    children[1] = *test;
    children[1].negate = false;
    *out =
        (struct baton_condition){.match = BATON_MATCH_ANY, .children = children, .child_count = 2};
}

static bool compile_not(struct building *building, const struct yaml_node *node,
                        const struct test *test, struct baton_condition *out)
{
    struct baton_condition inner;
    if (!compile_matcher(building, node, test, &inner))
        return false;
    if (inner.match == BATON_MATCH_ANY) { /* not (unknown or test) */
        *out = inner.children[1];
        out->negate = true;
    } else if (inner.negate) {
        make_unknown_or(building, &inner, out);
    } else {
        *out = inner;
        out->negate = true;
    }
    return true;
}

static bool compile_form(struct building *building, const struct yaml_node *node,
                         const struct test *test, struct baton_condition *out)
{
    static const struct key forms[] = {
        {"contains", false}, {"not", false}, {"known", false}, {"from", false}, {"to", false}};
    if (yaml_find(node, "from") || yaml_find(node, "to"))
        return compile_range(building, node, out);
    (void)value_keys(building, node, word(building, MESSAGE_WHAT_MATCHER), forms,
                     sizeof forms / sizeof *forms);
    const struct yaml_node *inner = node->first;
    if (node->count != 1) {
        error_plain_at(building, node, MESSAGE_FINDING_MATCHER_FORM);
        return false;
    }
    if (yaml_is_text(inner->key, "not"))
        return compile_not(building, inner, test, out);
    if (yaml_is_text(inner->key, "known"))
        return compile_known(building, inner, out);
    if (!yaml_is_text(inner->key, "contains"))
        return false;
    out->match = BATON_MATCH_CONTAINS;
    return compared_texts(building, inner, test, out);
}

static bool compile_matcher(struct building *building, const struct yaml_node *node,
                            const struct test *test, struct baton_condition *out)
{
    *out = (struct baton_condition){.field = test->field, .name = test->name};
    if (node->kind == YAML_MAPPING)
        return compile_form(building, node, test, out);
    return compile_equal(building, node, test, out);
}

static bool compile_any_of(struct building *building, const struct yaml_node *list,
                           enum where_side side, struct baton_condition *out)
{
    *out = (struct baton_condition){.match = BATON_MATCH_ANY};
    if (!value_list(building, list, "`any_of`"))
        return false;
    struct baton_condition *children = arena_take(building->arena, list->count * sizeof *children);
    bool good = true;
    for (const struct yaml_node *part = list->first; part; part = part->next)
        good = where_compile(building, part, side, &children[out->child_count++]) && good;
    out->children = children;
    return good;
}

static bool compile_field(struct building *building, const struct yaml_node *node,
                          enum where_side side, struct baton_condition *out)
{
    struct test test = {.side = side};
    if (yaml_is_text(node->key, "any_of"))
        return compile_any_of(building, node, side, out);
    int field = field_of(side, node->key->text.data, &test.name);
    if (field < 0 || test.name.size > BATON_TEXT_MAX) {
        unknown_field(building, node->key, side);
        return false;
    }
    test.field = (uint8_t)field;
    return compile_matcher(building, node, &test, out);
}

static bool compile_fields(struct building *building, const struct yaml_node *node,
                           enum where_side side, const char *but, struct baton_condition *out)
{
    *out = (struct baton_condition){.match = BATON_MATCH_ALL};
    if (!value_mapping(building, node, word(building, MESSAGE_WHAT_CONDITION)))
        return false;
    if (!node->first) {
        error_plain_at(building, node, MESSAGE_FINDING_NO_CONDITION);
        return false;
    }
    struct baton_condition *children = arena_take(building->arena, node->count * sizeof *children);
    bool good = true;
    for (const struct yaml_node *child = node->first; child; child = child->next)
        if (!but || !yaml_is_text(child->key, but))
            good = compile_field(building, child, side, &children[out->child_count++]) && good;
    out->children = children;
    if (out->child_count == 1)
        *out = children[0];
    return good;
}

bool where_compile(struct building *building, const struct yaml_node *node, enum where_side side,
                   struct baton_condition *out)
{
    return compile_fields(building, node, side, NULL, out);
}

bool where_compile_route(struct building *building, const struct yaml_node *node,
                         struct baton_condition *out)
{
    return compile_fields(building, node, WHERE_PROFILE, "persona", out);
}

/* ---- Canonical text -------------------------------------------------------------------------- */

static int by_bytes(const void *left, const void *right)
{
    const struct text_buffer *a = left, *b = right;
    size_t size = a->size < b->size ? a->size : b->size;
    int order = size ? memcmp(a->data, b->data, size) : 0;
    return order ? order : a->size < b->size ? -1 : a->size > b->size;
}

/* Adds the parts in the order of their bytes, and frees them. */
static void add_sorted(struct text_buffer *parts, uint32_t count, struct text_buffer *out)
{
    if (count)
        qsort(parts, count, sizeof *parts, by_bytes);
    for (uint32_t i = 0; i < count; i++) {
        text_buffer_add(out, parts[i].data, parts[i].size);
        text_buffer_fini(&parts[i]);
    }
    free(parts);
}

static const char *match_word(enum baton_match match)
{
    static const char *const words[] = {[BATON_MATCH_EQUAL] = "equal",
                                        [BATON_MATCH_GLOB] = "glob",
                                        [BATON_MATCH_CONTAINS] = "contains",
                                        [BATON_MATCH_RANGE] = "range",
                                        [BATON_MATCH_KNOWN] = "known",
                                        [BATON_MATCH_ALL] = "all",
                                        [BATON_MATCH_ANY] = "any"};
    return words[match];
}

/* Names, not numbers of enumerations: a rule must keep its hash when those grow. */
static void add_field(const struct baton_condition *condition, struct text_buffer *out)
{
    if (condition->field == BATON_FORM_ANSWER)
        text_buffer_print(out, " field %u:%.*s", condition->name.size, (int)condition->name.size,
                          condition->name.data);
    else
        text_buffer_print(out, " %s",
                          baton_event_field_name((enum baton_event_field)condition->field));
}

void where_canonical(const struct baton_condition *condition, struct text_buffer *out)
{
    bool tree = condition->match == BATON_MATCH_ALL || condition->match == BATON_MATCH_ANY;
    uint32_t count = tree ? condition->child_count : condition->text_count;
    struct text_buffer *parts = memory_take_zeroed(count, sizeof *parts);
    text_buffer_print(out, "(%s%s", condition->negate ? "not " : "", match_word(condition->match));
    if (!tree)
        add_field(condition, out);
    if (condition->match == BATON_MATCH_RANGE)
        text_buffer_print(out, " %" PRId64 " %" PRId64, condition->from, condition->to);
    for (uint32_t i = 0; i < count; i++) {
        if (tree) {
            where_canonical(&condition->children[i], &parts[i]);
        } else {
            text_buffer_print(&parts[i], " %u:", condition->texts[i].size);
            text_buffer_add(&parts[i], condition->texts[i].data, condition->texts[i].size);
        }
    }
    add_sorted(parts, count, out);
    text_buffer_add_text(out, ")");
}
