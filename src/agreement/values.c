#include "agreement/building.h"

#include "agreement/dates.h"
#include "base/nearest.h"

#include <inttypes.h>
#include <string.h>

static const char *kept(struct building *building, struct text_buffer *text)
{
    const char *copy = arena_copy(building->arena, text->data, text->size + 1);
    text_buffer_fini(text);
    return copy;
}

const char *value_suggestion(struct building *building, const struct yaml_node *node,
                             const char *const *candidates, size_t count, const char *otherwise)
{
    if (building->findings->count == FINDINGS_MAX) /* nobody will read it, and looking costs time */
        return "";
    const char *near = nearest_word(node->text.data, node->text.size, candidates, count);
    if (!near && otherwise)
        return otherwise;
    struct text_buffer text;
    text_buffer_init(&text);
    if (near)
        text_buffer_print(&text, "; did you mean `%s`?", near);
    else if (count > 0 && count <= 12)
        for (size_t i = 0; i < count; i++)
            text_buffer_print(&text, "%s`%s`",
                              i == 0           ? " (there is "
                              : i + 1 == count ? " and "
                                               : ", ",
                              candidates[i]);
    text_buffer_add_text(&text, !near && count > 0 && count <= 12 ? ")" : "");
    return kept(building, &text);
}

bool value_mapping(struct building *building, const struct yaml_node *node, const char *what)
{
    if (node->kind != YAML_MAPPING)
        error_at(building, node, "%s must be a mapping of keys to values, not %s", what,
                 yaml_kind_name(node));
    return node->kind == YAML_MAPPING;
}

static void unknown_key(struct building *building, const struct yaml_node *key, const char *what,
                        const struct key *keys, size_t count)
{
    const char *names[32];
    if (yaml_is_text(key, "<<")) /* told already */
        return;
    for (size_t i = 0; i < count; i++)
        names[i] = keys[i].name;
    error_at(building, key, "unknown key `%.60s` in %s%s", key->text.data, what,
             value_suggestion(building, key, names, count, NULL));
}

bool value_keys(struct building *building, const struct yaml_node *node, const char *what,
                const struct key *keys, size_t count)
{
    if (!value_mapping(building, node, what))
        return false;
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        size_t i = 0;
        while (i < count && !yaml_is_text(child->key, keys[i].name))
            i++;
        if (i == count)
            unknown_key(building, child->key, what, keys, count);
    }
    bool complete = true;
    for (size_t i = 0; i < count; i++) {
        if (keys[i].required && !yaml_find(node, keys[i].name)) {
            error_at(building, node, "`%s` is missing in %s", keys[i].name, what);
            complete = false;
        }
    }
    return complete;
}

bool value_list(struct building *building, const struct yaml_node *node, const char *what)
{
    if (node->kind != YAML_LIST)
        error_at(building, node, "%s must be a list, not %s", what, yaml_kind_name(node));
    else if (!node->first)
        error_at(building, node, "%s is an empty list; leave it out", what);
    return node->kind == YAML_LIST && node->first;
}

bool value_text(struct building *building, const struct yaml_node *node, const char *what,
                uint32_t most_bytes)
{
    if (node->kind != YAML_SCALAR || yaml_is_null(node))
        error_at(building, node, "%s must be a text, not %s", what, yaml_kind_name(node));
    else if (node->text.size == 0)
        error_at(building, node, "%s must not be empty", what);
    else if (node->text.size > most_bytes)
        error_at(building, node, "%s is longer than %u bytes", what, most_bytes);
    else
        return true;
    return false;
}

bool value_whole(struct building *building, const struct yaml_node *node, const char *what,
                 int64_t least, int64_t most, int64_t *value)
{
    int64_t found;
    if (yaml_whole(node, &found) && found >= least && found <= most) {
        *value = found;
        return true;
    }
    bool quoted = node->kind == YAML_SCALAR && node->quoted;
    error_at(building, node, "%s must be a whole number from %" PRId64 " to %" PRId64 "%s", what,
             least, most, quoted ? ", without quotes" : "");
    return false;
}

bool value_flag(struct building *building, const struct yaml_node *node, const char *what,
                bool *value)
{
    bool plain = node->kind == YAML_SCALAR && !node->quoted;
    *value = plain && yaml_is_text(node, "true");
    if (*value || (plain && yaml_is_text(node, "false")))
        return true;
    error_at(building, node, "%s must be true or false", what);
    return false;
}

bool value_choice(struct building *building, const struct yaml_node *node, const char *what,
                  const char *const *choices, size_t count, size_t *index)
{
    if (!value_text(building, node, what, 1024))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (yaml_is_text(node, choices[i])) {
            *index = i;
            return true;
        }
    }
    error_at(building, node, "%s cannot be `%.60s`%s", what, node->text.data,
             value_suggestion(building, node, choices, count, NULL));
    return false;
}

static bool digits(const char *text, size_t count, unsigned *value)
{
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *value = *value * 10 + (unsigned)(text[i] - '0');
    }
    return true;
}

bool value_date(struct building *building, const struct yaml_node *node, const char *what,
                int64_t *days)
{
    unsigned year, month, day;
    const char *text = node->text.data;
    bool good = node->kind == YAML_SCALAR && node->text.size == 10 && digits(text, 4, &year) &&
                text[4] == '-' && digits(text + 5, 2, &month) && text[7] == '-' &&
                digits(text + 8, 2, &day) && year >= 1970 && month >= 1 && month <= 12 &&
                day >= 1 && day <= days_in_month(year, month);
    if (good)
        *days = days_from_date(year, month, day);
    else
        error_at(building, node, "%s must be a day of the calendar like 2026-11-01", what);
    return good;
}

bool value_duration(struct building *building, const struct yaml_node *node, const char *what,
                    int64_t *ms)
{
    static const struct {
        char name;
        int64_t size;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    size_t count = node->kind == YAML_SCALAR ? strspn(node->text.data, "0123456789") : 0;
    if (count > 0 && count <= 9 && node->text.size == count + 1) {
        int64_t number = 0;
        for (size_t i = 0; i < count; i++)
            number = number * 10 + (node->text.data[i] - '0');
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            *ms = number * units[i].size;
            if (node->text.data[count] == units[i].name && *ms > 0 && *ms <= BATON_HALF_LIFE_MAX_MS)
                return true;
        }
    }
    error_at(building, node, "%s must be a time like 30m, 4h or 14d, up to 3660d", what);
    return false;
}

void word_not_in_force(struct building *building, const struct yaml_node *key, bool changes_scores)
{
    struct agreement *agreement = building->agreement;
    struct agreement_word word = {key->text.data, key->line, key->column};
    warning_at(building, key, "`%s` is not in force in this version", key->text.data);
    if (changes_scores && agreement->refused_count < WORDS_MAX)
        agreement->refused[agreement->refused_count++] = word;
    if (!changes_scores && agreement->idle_count < WORDS_MAX)
        agreement->idle[agreement->idle_count++] = word;
}
