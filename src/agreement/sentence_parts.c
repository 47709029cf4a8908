#include "agreement/sentence_parts.h"

#include <stdlib.h>
#include <string.h>

static const enum message_id event_words[BATON_EVENT_KINDS] = {
    [BATON_VISIT] = MESSAGE_EVENT_VISIT,
    [BATON_CLICK] = MESSAGE_EVENT_CLICK,
    [BATON_FORM_FILL] = MESSAGE_EVENT_FORM_FILL,
    [BATON_EMAIL_SENT] = MESSAGE_EVENT_EMAIL_SENT,
    [BATON_EMAIL_DELIVERED] = MESSAGE_EVENT_EMAIL_DELIVERED,
    [BATON_EMAIL_OPENED] = MESSAGE_EVENT_EMAIL_OPENED,
    [BATON_EMAIL_CLICKED] = MESSAGE_EVENT_EMAIL_CLICKED,
    [BATON_EMAIL_BOUNCED] = MESSAGE_EVENT_EMAIL_BOUNCED,
    [BATON_EMAIL_UNSUBSCRIBED] = MESSAGE_EVENT_EMAIL_UNSUBSCRIBED,
    [BATON_PROFILE] = MESSAGE_EVENT_PROFILE,
};

const char *sentence_event(struct speech *speech, enum baton_event_kind kind, const char *count)
{
    return phrase(speech, event_words[kind], {"count", count});
}

/* ---- Names in the language ---- */

struct named_message {
    const char *name;
    enum message_id id;
};

static const struct named_message field_words[] = {
    {"page", MESSAGE_FIELD_PAGE},
    {"url", MESSAGE_FIELD_URL},
    {"host", MESSAGE_FIELD_HOST},
    {"referrer", MESSAGE_FIELD_REFERRER},
    {"channel", MESSAGE_FIELD_CHANNEL},
    {"campaign", MESSAGE_FIELD_CAMPAIGN},
    {"session", MESSAGE_FIELD_SESSION},
    {"user_agent", MESSAGE_FIELD_USER_AGENT},
    {"target", MESSAGE_FIELD_TARGET},
    {"form", MESSAGE_FIELD_FORM},
    {"utm_source", MESSAGE_FIELD_UTM_SOURCE},
    {"utm_medium", MESSAGE_FIELD_UTM_MEDIUM},
    {"utm_campaign", MESSAGE_FIELD_UTM_CAMPAIGN},
    {"utm_term", MESSAGE_FIELD_UTM_TERM},
    {"utm_content", MESSAGE_FIELD_UTM_CONTENT},
    {"name", MESSAGE_FIELD_NAME},
    {"email", MESSAGE_FIELD_EMAIL},
    {"phone", MESSAGE_FIELD_PHONE},
    {"company", MESSAGE_FIELD_COMPANY},
    {"job_title", MESSAGE_FIELD_JOB_TITLE},
    {"age", MESSAGE_FIELD_AGE},
    {"employees", MESSAGE_FIELD_EMPLOYEES},
    {"sector", MESSAGE_FIELD_SECTOR},
    {"segment", MESSAGE_FIELD_SEGMENT},
    {"country", MESSAGE_FIELD_COUNTRY},
    {"consent", MESSAGE_FIELD_CONSENT},
    {"email_domain", MESSAGE_FIELD_EMAIL_DOMAIN},
    {"persona", MESSAGE_FIELD_PERSONA},
};
static const struct named_message period_words[] = {
    {"hour", MESSAGE_PERIOD_HOUR},
    {"day", MESSAGE_PERIOD_DAY},
    {"working day", MESSAGE_PERIOD_WORKING_DAY},
    {"week", MESSAGE_PERIOD_WEEK},
    {"month", MESSAGE_PERIOD_MONTH},
    {"quarter", MESSAGE_PERIOD_QUARTER},
    {"year", MESSAGE_PERIOD_YEAR},
};
static const struct named_message day_words[] = {
    {"mon", MESSAGE_MONDAY},   {"tue", MESSAGE_TUESDAY}, {"wed", MESSAGE_WEDNESDAY},
    {"thu", MESSAGE_THURSDAY}, {"fri", MESSAGE_FRIDAY},  {"sat", MESSAGE_SATURDAY},
    {"sun", MESSAGE_SUNDAY},
};

#define COUNT_OF(list) (sizeof(list) / sizeof *(list))

/* The name itself where the catalogue does not know it. */
static const char *named(struct speech *speech, const struct named_message *words, size_t count,
                         const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i].name, name) == 0)
            return phrase_plain(speech, words[i].id);
    return name;
}

const char *sentence_field(struct speech *speech, const char *name)
{
    if (strncmp(name, "field.", 6) == 0)
        return phrase(speech, MESSAGE_FIELD_ANSWER, {"name", name + 6});
    if (strncmp(name, "properties.", 11) == 0)
        return phrase(speech, MESSAGE_FIELD_PROPERTY, {"name", name + 11});
    return named(speech, field_words, COUNT_OF(field_words), name);
}

const char *sentence_period(struct speech *speech, const char *name)
{
    return named(speech, period_words, COUNT_OF(period_words), name);
}

/* ---- Times ---- */

const char *sentence_duration(struct speech *speech, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    const char *unit = text + digits;
    const char *count = speech_count(speech, strtoll(text, NULL, 10));
    enum message_id id = strncmp(unit, " working h", 10) == 0   ? MESSAGE_WORKING_HOURS
                         : strncmp(unit, " working d", 10) == 0 ? MESSAGE_WORKING_DAYS
                         : *unit == 'd'                         ? MESSAGE_DAYS
                         : *unit == 'h'                         ? MESSAGE_HOURS
                                                                : MESSAGE_MINUTES;
    return phrase(speech, id, {"count", count});
}

static const char *day_range(struct speech *speech, const char *text)
{
    if (strlen(text) != 7)
        return named(speech, day_words, COUNT_OF(day_words), text);
    const char *from = speech_print(speech, "%.3s", text);
    return phrase(speech, MESSAGE_DAY_TO_DAY,
                  {"from", named(speech, day_words, COUNT_OF(day_words), from)},
                  {"to", named(speech, day_words, COUNT_OF(day_words), text + 4)});
}

/* A list of texts, each as `word` says it. */
static const char *
word_list(struct speech *speech, const struct yaml_node *list, enum speech_join join,
          const char *(*word)(struct speech *speech, const struct yaml_node *item))
{
    if (list->kind != YAML_LIST)
        return word(speech, list);
    const char **items = arena_take(&speech->arena, (list->count + 1) * sizeof *items);
    size_t count = 0;
    for (const struct yaml_node *item = list->first; item; item = item->next)
        items[count++] = word(speech, item);
    return speech_list(speech, items, count, join);
}

static const char *day_word(struct speech *speech, const struct yaml_node *item)
{
    return day_range(speech, item->text.data);
}

const char *sentence_days(struct speech *speech, const struct yaml_node *days)
{
    return word_list(speech, days, SPEECH_AND, day_word);
}

static const char *date_word(struct speech *speech, const struct yaml_node *item)
{
    return speech_date(speech, item->text.data);
}

const char *sentence_dates(struct speech *speech, const struct yaml_node *dates)
{
    return word_list(speech, dates, SPEECH_AND, date_word);
}

/* `500.5` and `30%` sound as they were written, but for the point. */
const char *sentence_number(struct speech *speech, const struct yaml_node *node)
{
    int64_t number;
    if (yaml_whole(node, &number))
        return speech_count(speech, number);
    char *text = arena_copy(&speech->arena, node->text.data, node->text.size + 1);
    char *point = speech->language == LANGUAGE_EN ? NULL : strchr(text, '.');
    if (point)
        *point = ',';
    return text;
}

/* ---- Values ---- */

/* Control characters of a quoted text must not reach a terminal. */
static const char *value_part(struct speech *speech, const struct yaml_node *node, const char *text,
                              size_t size)
{
    bool quote = node->quoted || memchr(text, ' ', size) || memchr(text, ',', size);
    char *out = arena_take(&speech->arena, size + 3), *at = out;
    if (quote)
        *at++ = '"';
    for (size_t i = 0; i < size; i++)
        *at++ = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
    if (quote)
        *at++ = '"';
    *at = 0;
    return out;
}

static const char *value_word(struct speech *speech, const struct yaml_node *item)
{
    return value_part(speech, item, item->text.data, item->text.size);
}

const char *sentence_list(struct speech *speech, const struct yaml_node *list,
                          enum speech_join join)
{
    return word_list(speech, list, join, value_word);
}

/* ---- Matchers ---- */

/* A condition and its opposite stand side by side in the catalogue. */
static enum message_id sense(enum message_id id, bool negate)
{
    return (enum message_id)(id + (negate ? 1 : 0));
}

/* "begins with /pricing" for /pricing*, and so on. */
static const char *pattern(struct speech *speech, const char *field, const struct yaml_node *node,
                           bool negate)
{
    const char *text = node->text.data;
    size_t size = node->text.size, stars = 0, skipped = 0;
    enum message_id id = MESSAGE_IS;
    for (size_t i = 0; i < size; i++)
        stars += text[i] == '*' ? 1 : 0;
    bool first = size > 1 && text[0] == '*', last = size > 1 && text[size - 1] == '*';
    if (stars == 1 && last) {
        id = MESSAGE_BEGINS;
        size -= 1;
    } else if (stars == 1 && first) {
        id = MESSAGE_ENDS;
        skipped = 1;
        size -= 1;
    } else if (stars == 2 && first && last && size > 2) {
        id = MESSAGE_CONTAINS;
        skipped = 1;
        size -= 2;
    } else if (stars) {
        id = MESSAGE_LOOKS;
    }
    const char *value = value_part(speech, node, text + skipped, size);
    return phrase(speech, sense(id, negate), {"field", field}, {"value", value});
}

static bool any_pattern(const struct yaml_node *list)
{
    for (const struct yaml_node *item = list->first; item; item = item->next)
        if (strchr(item->text.data, '*'))
            return true;
    return false;
}

static const char *range(struct speech *speech, const char *field, const struct yaml_node *node,
                         bool negate)
{
    const struct yaml_node *from = yaml_find(node, "from"), *to = yaml_find(node, "to");
    enum message_id id = from && to ? MESSAGE_RANGE : from ? MESSAGE_AT_LEAST : MESSAGE_AT_MOST;
    return phrase(speech, sense(id, negate), {"field", field},
                  {"from", from ? sentence_number(speech, from) : ""},
                  {"to", to ? sentence_number(speech, to) : ""});
}

static const char *matcher(struct speech *speech, const char *field, const struct yaml_node *node,
                           bool negate)
{
    if (node->kind == YAML_SCALAR)
        return pattern(speech, field, node, negate);
    if (node->kind == YAML_LIST && node->count == 1)
        return pattern(speech, field, node->first, negate);
    if (node->kind == YAML_LIST)
        return phrase(speech, sense(any_pattern(node) ? MESSAGE_LOOKS : MESSAGE_IS, negate),
                      {"field", field}, {"value", sentence_list(speech, node, SPEECH_OR)});
    const struct yaml_node *contains = yaml_find(node, "contains"),
                           *known = yaml_find(node, "known");
    if (contains)
        return phrase(speech, sense(MESSAGE_CONTAINS, negate), {"field", field},
                      {"value", sentence_list(speech, contains, SPEECH_OR)});
    if (known)
        return phrase(speech, sense(MESSAGE_KNOWN, yaml_is_text(known, "true") == negate),
                      {"field", field});
    return range(speech, field, node, negate);
}

static const char *field_matcher(struct speech *speech, const struct yaml_node *node)
{
    const struct yaml_node *inner = node;
    uint32_t nots = 0;
    while (inner->kind == YAML_MAPPING && yaml_find(inner, "not")) {
        inner = yaml_find(inner, "not");
        nots++;
    }
    bool negate = nots % 2 == 1;
    if (nots == 0 && inner->kind == YAML_SCALAR && yaml_is_text(node->key, "consent") &&
        (yaml_is_text(inner, "true") || yaml_is_text(inner, "false")))
        return phrase_plain(speech, yaml_is_text(inner, "true") ? MESSAGE_CONSENT_GIVEN
                                                                : MESSAGE_CONSENT_REFUSED);
    const char *field = sentence_field(speech, node->key->text.data);
    const char *condition = matcher(speech, field, inner, negate);
    bool means_unknown = negate && inner->kind == YAML_MAPPING && yaml_find(inner, "known") &&
                         yaml_is_text(yaml_find(inner, "known"), "true");
    if (nots == 0 || means_unknown) /* each `not` is true where the field is unknown */
        return condition;
    return phrase(speech, MESSAGE_OR_NOT_KNOWN, {"condition", condition});
}

static const char *any_of(struct speech *speech, const struct yaml_node *choices)
{
    const char *between = phrase_plain(speech, MESSAGE_OR_CONDITION);
    struct text_buffer text;
    text_buffer_init(&text);
    for (const struct yaml_node *choice = choices->first; choice; choice = choice->next) {
        text_buffer_add_text(&text, choice == choices->first ? "(" : between);
        text_buffer_add_text(&text, sentence_where(speech, choice));
    }
    text_buffer_add_text(&text, ")");
    const char *kept = arena_copy(&speech->arena, text.data, text.size + 1);
    text_buffer_fini(&text);
    return kept;
}

const char *sentence_where(struct speech *speech, const struct yaml_node *where)
{
    const char **items = arena_take(&speech->arena, (where->count + 1) * sizeof *items);
    size_t count = 0;
    for (const struct yaml_node *node = where->first; node; node = node->next)
        items[count++] =
            yaml_is_text(node->key, "any_of") ? any_of(speech, node) : field_matcher(speech, node);
    return speech_list(speech, items, count, SPEECH_AND);
}
