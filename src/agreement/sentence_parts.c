#include "agreement/sentence_parts.h"

#include <string.h>

const char *sentence_event(enum baton_event_kind kind)
{
    static const char *const words[BATON_EVENT_KINDS] = {
        [BATON_VISIT] = "visit",
        [BATON_CLICK] = "click",
        [BATON_FORM_FILL] = "form filled in",
        [BATON_EMAIL_SENT] = "e-mail sent",
        [BATON_EMAIL_DELIVERED] = "e-mail delivered",
        [BATON_EMAIL_OPENED] = "e-mail opened",
        [BATON_EMAIL_CLICKED] = "click in an e-mail",
        [BATON_EMAIL_BOUNCED] = "e-mail bounced",
        [BATON_EMAIL_UNSUBSCRIBED] = "unsubscription from e-mails",
        [BATON_PROFILE] = "profile",
    };
    return words[kind];
}

static void add(struct text_buffer *out, const char *text)
{
    text_buffer_add_text(out, text);
}

void sentence_and(uint32_t count, uint32_t said, struct text_buffer *out)
{
    if (said > 0)
        add(out, said + 1 == count ? " and " : ", ");
}

/* Control characters of a quoted text must not reach a terminal. */
static void add_value(const struct yaml_node *node, const char *text, size_t size,
                      struct text_buffer *out)
{
    bool quote = node->quoted || memchr(text, ' ', size) || memchr(text, ',', size);
    add(out, quote ? "\"" : "");
    for (size_t i = 0; i < size; i++)
        text_buffer_add(out, (unsigned char)text[i] < ' ' || text[i] == 0x7f ? " " : &text[i], 1);
    add(out, quote ? "\"" : "");
}

void sentence_list(const struct yaml_node *list, const char *last_word, struct text_buffer *out)
{
    uint32_t said = 0;
    if (list->kind != YAML_LIST) {
        add_value(list, list->text.data, list->text.size, out);
        return;
    }
    for (const struct yaml_node *item = list->first; item; item = item->next, said++) {
        if (said > 0 && said + 1 == list->count)
            text_buffer_print(out, " %s ", last_word);
        else if (said > 0)
            add(out, ", ");
        add_value(item, item->text.data, item->text.size, out);
    }
}

/* ---- Matchers ---- */

/* "begins with /pricing" for /pricing*, and so on. */
static void say_pattern(const struct yaml_node *node, bool negate, struct text_buffer *out)
{
    const char *text = node->text.data;
    size_t size = node->text.size, stars = 0;
    for (size_t i = 0; i < size; i++)
        stars += text[i] == '*' ? 1 : 0;
    bool first = size > 1 && text[0] == '*', last = size > 1 && text[size - 1] == '*';
    if (stars == 1 && last) {
        add(out, negate ? "does not begin with " : "begins with ");
        add_value(node, text, size - 1, out);
    } else if (stars == 1 && first) {
        add(out, negate ? "does not end with " : "ends with ");
        add_value(node, text + 1, size - 1, out);
    } else if (stars == 2 && first && last && size > 2) {
        add(out, negate ? "does not contain " : "contains ");
        add_value(node, text + 1, size - 2, out);
    } else {
        add(out, stars    ? (negate ? "does not look like " : "looks like ")
                 : negate ? "is not "
                          : "is ");
        add_value(node, text, size, out);
    }
}

static bool any_pattern(const struct yaml_node *list)
{
    for (const struct yaml_node *item = list->first; item; item = item->next)
        if (strchr(item->text.data, '*'))
            return true;
    return false;
}

static void say_range(const struct yaml_node *range, bool negate, struct text_buffer *out)
{
    const struct yaml_node *from = yaml_find(range, "from"), *to = yaml_find(range, "to");
    add(out, negate ? "is not " : "is ");
    if (from && to)
        text_buffer_print(out, "from %s to %s", from->text.data, to->text.data);
    else if (from)
        text_buffer_print(out, "%s or more", from->text.data);
    else
        text_buffer_print(out, "%s or less", to->text.data);
}

static void say_matcher(const struct yaml_node *node, bool negate, struct text_buffer *out)
{
    if (node->kind == YAML_SCALAR) {
        say_pattern(node, negate, out);
    } else if (node->kind == YAML_LIST && node->count == 1) {
        say_pattern(node->first, negate, out);
    } else if (node->kind == YAML_LIST) {
        add(out, any_pattern(node) ? (negate ? "does not look like " : "looks like ")
                 : negate          ? "is not "
                                   : "is ");
        sentence_list(node, "or", out);
    } else if (yaml_find(node, "contains")) {
        add(out, negate ? "does not contain " : "contains ");
        sentence_list(yaml_find(node, "contains"), "or", out);
    } else if (yaml_find(node, "known")) {
        bool known = yaml_is_text(yaml_find(node, "known"), "true") != negate;
        add(out, known ? "is known" : "is not known");
    } else {
        say_range(node, negate, out);
    }
}

static void say_field(const char *name, struct text_buffer *out)
{
    if (strncmp(name, "field.", 6) == 0) {
        text_buffer_print(out, "the answer to \"%s\" ", name + 6);
    } else if (strncmp(name, "properties.", 11) == 0) {
        text_buffer_print(out, "the property \"%s\" ", name + 11);
    } else {
        add(out, strcmp(name, "employees") == 0 ? "the number of " : "the ");
        for (const char *c = name; *c; c++)
            text_buffer_add(out, *c == '_' ? " " : c, 1);
        add(out, " ");
    }
}

static void say_field_matcher(const struct yaml_node *node, struct text_buffer *out)
{
    const struct yaml_node *matcher = node;
    uint32_t nots = 0;
    while (matcher->kind == YAML_MAPPING && yaml_find(matcher, "not")) {
        matcher = yaml_find(matcher, "not");
        nots++;
    }
    say_field(node->key->text.data, out);
    say_matcher(matcher, nots % 2 == 1, out);
    bool means_unknown = nots % 2 == 1 && matcher->kind == YAML_MAPPING &&
                         yaml_find(matcher, "known") &&
                         yaml_is_text(yaml_find(matcher, "known"), "true");
    if (nots > 0 && !means_unknown) /* each `not` is true where the field is unknown */
        add(out, " or is not known");
}

void sentence_where(const struct yaml_node *where, struct text_buffer *out)
{
    uint32_t said = 0;
    for (const struct yaml_node *node = where->first; node; node = node->next) {
        sentence_and(where->count, said++, out);
        if (!yaml_is_text(node->key, "any_of")) {
            say_field_matcher(node, out);
            continue;
        }
        add(out, "(");
        for (const struct yaml_node *choice = node->first; choice; choice = choice->next) {
            add(out, choice == node->first ? "" : ", or ");
            sentence_where(choice, out);
        }
        add(out, ")");
    }
}
