#include "agreement/building.h"

#include "base/nearest.h"
#include "domain/calendar.h"

#include <string.h>

#define SUGGESTED_MAX 12 /* more are not all told */

const char *value_suggestion(struct building *building, const struct yaml_node *node,
                             const char *const *candidates, size_t count, enum message_id otherwise)
{
    struct speech *speech = &building->findings->speech;
    const char *names[SUGGESTED_MAX];
    if (building->findings->count == FINDINGS_MAX) /* nobody will read it, and looking costs time */
        return "";
    const char *near = nearest_word(node->text.data, node->text.size, candidates, count);
    if (near)
        return phrase(speech, MESSAGE_SUGGEST_NEAR, {"near", near});
    if (otherwise != MESSAGES)
        return word(building, otherwise);
    if (count == 0 || count > SUGGESTED_MAX)
        return "";
    for (size_t i = 0; i < count; i++)
        names[i] = speech_print(speech, "`%s`", candidates[i]);
    return phrase(speech, count == 1 ? MESSAGE_SUGGEST_ONE : MESSAGE_SUGGEST_LIST,
                  {"names", speech_list(speech, names, count, SPEECH_AND)});
}

bool value_mapping(struct building *building, const struct yaml_node *node, const char *what)
{
    if (node->kind != YAML_MAPPING)
        error_at(building, node, MESSAGE_FINDING_NOT_MAPPING, {"what", what},
                 {"kind", word(building, yaml_kind_word(node))});
    return node->kind == YAML_MAPPING;
}

static void unknown_key(struct building *building, const struct yaml_node *key, const char *what,
                        const struct key *keys, size_t count)
{
    const char *names[32];
    if (yaml_is_text(key, "<<") || yaml_is_null(key)) /* told already */
        return;
    for (size_t i = 0; i < count; i++)
        names[i] = keys[i].name;
    error_at(building, key, MESSAGE_FINDING_UNKNOWN_KEY, {"key", shown(building, key->text.data)},
             {"what", what},
             {"suggestion", value_suggestion(building, key, names, count, MESSAGES)});
}

/* Of the keys that make a promise one that can be kept or broken: number, unit, period and owner.
 * Each is right under every key that wants it. */
static const char *example_of(const char *key)
{
    static const char *const examples[] = {"at_least: 20", "every: month", "measure: sqls",
                                           "one_in: 5",    "per: month",   "owner: Head of Sales",
                                           "within: 2d"};
    size_t size = strlen(key);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (strncmp(examples[i], key, size) == 0 && examples[i][size] == ':')
            return examples[i];
    return NULL;
}

void value_missing(struct building *building, const struct yaml_node *node, const char *key,
                   const char *what)
{
    const char *example = example_of(key), *how = "";
    if (example)
        how = phrase(&building->findings->speech, MESSAGE_SUGGEST_EXAMPLE, {"example", example});
    error_at(building, node, MESSAGE_FINDING_MISSING_KEY, {"key", key}, {"what", what},
             {"suggestion", how});
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
            value_missing(building, node, keys[i].name, what);
            complete = false;
        }
    }
    return complete;
}

bool value_list(struct building *building, const struct yaml_node *node, const char *what)
{
    if (node->kind != YAML_LIST)
        error_at(building, node, MESSAGE_FINDING_NOT_LIST, {"what", what},
                 {"kind", word(building, yaml_kind_word(node))});
    else if (!node->first)
        error_at(building, node, MESSAGE_FINDING_EMPTY_LIST, {"what", what});
    return node->kind == YAML_LIST && node->first;
}

bool value_few(struct building *building, const struct yaml_node *list, uint32_t most,
               enum message_id things)
{
    if (list->count > most)
        error_at(building, list, MESSAGE_FINDING_TOO_MANY, {"most", number(building, most)},
                 {"things", word(building, things)});
    return list->count <= most;
}

bool value_text(struct building *building, const struct yaml_node *node, const char *what,
                uint32_t most_bytes)
{
    if (node->kind != YAML_SCALAR || yaml_is_null(node))
        error_at(building, node, MESSAGE_FINDING_NOT_TEXT, {"what", what},
                 {"kind", word(building, yaml_kind_word(node))});
    else if (node->text.size == 0)
        error_at(building, node, MESSAGE_FINDING_EMPTY_TEXT, {"what", what});
    else if (node->text.size > most_bytes)
        error_at(building, node, MESSAGE_FINDING_TOO_LONG, {"what", what},
                 {"most", number(building, most_bytes)});
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
    error_at(building, node, MESSAGE_FINDING_NOT_WHOLE, {"what", what},
             {"least", number(building, least)}, {"most", number(building, most)},
             {"unquoted", quoted ? word(building, MESSAGE_WITHOUT_QUOTES) : ""});
    return false;
}

bool value_flag(struct building *building, const struct yaml_node *node, const char *what,
                bool *value)
{
    bool plain = node->kind == YAML_SCALAR && !node->quoted;
    *value = plain && yaml_is_text(node, "true");
    if (*value || (plain && yaml_is_text(node, "false")))
        return true;
    error_at(building, node, MESSAGE_FINDING_NOT_FLAG, {"what", what});
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
    error_at(building, node, MESSAGE_FINDING_NOT_CHOICE, {"what", what},
             {"text", shown(building, node->text.data)},
             {"suggestion", value_suggestion(building, node, choices, count, MESSAGES)});
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
                day >= 1 && day <= calendar_month_days(year, month);
    if (good)
        *days = calendar_days(year, month, day);
    else
        error_at(building, node, MESSAGE_FINDING_NOT_DATE, {"what", what});
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
    error_at(building, node, MESSAGE_FINDING_NOT_DURATION, {"what", what});
    return false;
}

void word_not_in_force(struct building *building, const struct yaml_node *key, bool changes_scores)
{
    struct agreement *agreement = building->agreement;
    struct agreement_word word = {key->text.data, key->line, key->column};
    warning_at(building, key, MESSAGE_FINDING_NOT_IN_FORCE, {"word", key->text.data});
    if (changes_scores && agreement->refused_count < WORDS_MAX)
        agreement->refused[agreement->refused_count++] = word;
    if (!changes_scores && agreement->idle_count < WORDS_MAX)
        agreement->idle[agreement->idle_count++] = word;
}
