#include "demo/script_values.h"

#include <stdio.h>
#include <string.h>

#define VALUE_MAX 256 /* bytes that are written; longer texts of an agreement are cut */

void draft_init(struct draft *draft, bool profile, uint64_t random)
{
    *draft = (struct draft){profile, json_object(), json_object(), random};
}

void draft_fini(struct draft *draft)
{
    json_decref(draft->fields);
    json_decref(draft->named);
}

uint32_t draft_below(struct draft *draft, uint32_t limit)
{
    uint64_t z = draft->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % limit);
}

/* ---- Where a value goes ---- */

static void set_email(struct draft *draft, const char *domain)
{
    const char *old = json_string_value(json_object_get(draft->fields, "email"));
    size_t name = old ? strcspn(old, "@") : 0;
    char email[VALUE_MAX];
    (void)snprintf(email, sizeof email, "%.*s@%s", name ? (int)name : 7, name ? old : "visitor",
                   domain);
    json_object_set_new(draft->fields, "email", json_string(email));
}

static void set_named(struct draft *draft, struct baton_text name, json_t *value)
{
    char key[VALUE_MAX];
    (void)snprintf(key, sizeof key, "%.*s", (int)name.size, name.data);
    json_object_set_new(draft->named, key, value);
}

/* NULL: an answer, a property, or what follows the @. */
static const char *field_name(const struct draft *draft, uint8_t field)
{
    if (!draft->profile)
        return field < BATON_EVENT_FIELDS ? baton_event_field_name((enum baton_event_field)field)
                                          : NULL;
    return field < BATON_PROFILE_FIELDS ? baton_profile_field_name((enum baton_profile_field)field)
                                        : NULL;
}

static void set_value(struct draft *draft, const struct baton_condition *condition, json_t *value)
{
    const char *name = field_name(draft, condition->field);
    if (name) {
        json_object_set_new(draft->fields, name, value);
    } else if (condition->name.size) {
        set_named(draft, condition->name, value);
    } else {
        if (json_is_string(value))
            set_email(draft, json_string_value(value));
        json_decref(value);
    }
}

/* ---- Texts ---- */

/* A word in place of a star, where the text would look cut without one. */
static const char *star_word(struct draft *draft, char before, char after)
{
    static const char *const words[] = {"overview", "details", "compare", "guide"};
    static const char *const offices[] = {"operations", "sales", "finance", "marketing"};
    bool needed = before == '/' || before == ' ' || before == '-' || after == ' ' || after == '-';
    return needed ? (draft->profile ? offices : words)[draft_below(draft, 4)] : "";
}

static void fill_stars(struct draft *draft, struct baton_text pattern, char *out, size_t room)
{
    size_t used = 0;
    for (uint32_t i = 0; i < pattern.size && used + 16 < room; i++) {
        if (pattern.data[i] != '*') {
            out[used++] = pattern.data[i];
            continue;
        }
        const char *word = star_word(draft, i ? pattern.data[i - 1] : 0,
                                     i + 1 < pattern.size ? pattern.data[i + 1] : 0);
        used += (size_t)snprintf(out + used, room - used, "%s", word);
    }
    while (used > 0 && ((unsigned char)out[used - 1] & 0xc0) == 0x80 && used + 16 >= room)
        used--; /* a cut text does not end within a character */
    out[used] = 0;
}

static char upper(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* Texts of a profile are without capitals in the compiled agreement: CEO, Head of IT. */
static void capitalise(char *text)
{
    for (char *word = text; *word; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        bool whole = size <= 3 && strncmp(word, "of", size) != 0;
        for (size_t i = 0; i < size; i++)
            word[i] = i == 0 || whole ? upper(word[i]) : word[i];
        word += size;
    }
}

static void set_text(struct draft *draft, const struct baton_condition *condition)
{
    char text[VALUE_MAX];
    if (!condition->text_count)
        return;
    struct baton_text chosen = condition->texts[draft_below(draft, condition->text_count)];
    if (condition->match == BATON_MATCH_GLOB)
        fill_stars(draft, chosen, text, sizeof text);
    else
        (void)snprintf(text, sizeof text, "%.*s", (int)chosen.size, chosen.data);
    if (draft->profile && condition->field == BATON_CONSENT) {
        set_value(draft, condition, json_boolean(strcmp(text, "true") == 0));
        return;
    }
    if (draft->profile && (condition->field == BATON_JOB_TITLE || condition->field == BATON_NAME ||
                           condition->field == BATON_COMPANY || condition->field == BATON_COUNTRY))
        capitalise(text);
    json_t *value = json_string(text);
    if (value) /* cut within a character */
        set_value(draft, condition, value);
}

/* ---- The rest ---- */

/* A whole number within, where there is one. */
static void set_number(struct draft *draft, const struct baton_condition *condition)
{
    const int64_t one = BATON_NUMBER_SCALE;
    int64_t from = condition->from, to = condition->to;
    if (from == INT64_MIN)
        from = to >= 0 ? to / 2 : to * 2;
    if (to == INT64_MAX)
        to = from >= 0 ? from + from / 2 : from / 2;
    int64_t low = from / one + (from % one > 0), high = to / one - (to % one < 0);
    if (high < low) {
        set_value(draft, condition, json_real((double)from / (double)one));
        return;
    }
    int64_t span = high - low < 1000000 ? high - low : 1000000;
    set_value(draft, condition, json_integer(low + draft_below(draft, (uint32_t)span + 1)));
}

static void set_known(struct draft *draft, const struct baton_condition *condition)
{
    static const char *const words[] = {"spring", "summer", "autumn"};
    const char *name = field_name(draft, condition->field);
    if (name && json_object_get(draft->fields, name))
        return;
    if (draft->profile && (condition->field == BATON_AGE || condition->field == BATON_EMPLOYEES))
        set_value(draft, condition, json_integer(42));
    else if (name || condition->name.size)
        set_value(draft, condition, json_string(words[draft_below(draft, 3)]));
}

void draft_satisfy(struct draft *draft, const struct baton_condition *condition)
{
    if (condition->negate)
        return;
    switch (condition->match) {
    case BATON_MATCH_EQUAL:
    case BATON_MATCH_GLOB:
    case BATON_MATCH_CONTAINS: set_text(draft, condition); break;
    case BATON_MATCH_RANGE: set_number(draft, condition); break;
    case BATON_MATCH_KNOWN: set_known(draft, condition); break;
    case BATON_MATCH_ALL:
        for (uint32_t i = 0; i < condition->child_count; i++)
            draft_satisfy(draft, &condition->children[i]);
        break;
    case BATON_MATCH_ANY:
        if (condition->child_count)
            draft_satisfy(draft, &condition->children[draft_below(draft, condition->child_count)]);
        break;
    }
}
