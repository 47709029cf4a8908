#include "codec/event_checks.h"

#include "base/text_buffer.h"
#include "codec/url.h"
#include "text/fold.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void decode_result_dead(struct decode_result *result, enum dead_reason reason, const char *format,
                        ...)
{
    va_list arguments;
    result->outcome = DECODE_DEAD;
    result->reason = reason;
    va_start(arguments, format);
    (void)vsnprintf(result->detail, sizeof result->detail, format, arguments);
    va_end(arguments);
    for (char *c = result->detail; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

/* At most BATON_TEXT_MAX bytes, cut at the border of a character. */
static inline struct baton_text cut(struct baton_text text)
{
    if (text.size > BATON_TEXT_MAX) {
        text.size = BATON_TEXT_MAX;
        while (((unsigned char)text.data[text.size] & 0xC0) == 0x80)
            text.size--;
    }
    return text;
}

/* ---- the checks, in order
 * ----------------------------------------------------------------------------- */

static bool is_own_kind(int kind)
{
    return kind >= BATON_RECHECK && kind != BATON_SPEND;
}

/* A file of events may say what baton would write of a lead, but for the bytes of a transfer. */
static bool may_stand_in_file(int kind)
{
    return kind == BATON_RECHECK || kind == BATON_PUBLISHED;
}

static bool check_kind(const struct input_config *config, const struct message *message,
                       const struct raw_event *raw, struct decode_result *result)
{
    struct baton_text text = raw->kind_text;
    bool own = message->hop && message->hop->seen.own;
    if (!own && is_own_kind(raw->kind) && !(config->ignore_key && may_stand_in_file(raw->kind))) {
        decode_result_dead(result, DEAD_UNKNOWN_KIND, "only baton itself writes events of kind %s",
                           baton_event_kind_name((enum baton_event_kind)raw->kind));
        return false;
    }
    if (raw->kind != RAW_NO_KIND)
        return true;
    if (text.size)
        decode_result_dead(result, DEAD_UNKNOWN_KIND, "no kind of event is called '%.*s'",
                           (int)(text.size > 100 ? 100 : text.size), text.data);
    else
        decode_result_dead(result, DEAD_UNKNOWN_KIND, "the message does not say its kind");
    return false;
}

/* The three reasons of an id follow each other in the same order for both ids. */
static bool check_id(struct baton_text id, const char *what, enum dead_reason missing,
                     struct decode_result *result)
{
    if (!id.size)
        decode_result_dead(result, missing, "the %s is missing or empty", what);
    else if (id.size > BATON_ID_MAX)
        decode_result_dead(result, missing + 1, "the %s has %" PRIu32 " bytes, at most %d are kept",
                           what, id.size, BATON_ID_MAX);
    else if (!raw_text_is_utf8(id))
        decode_result_dead(result, missing + 2, "the %s is not UTF-8", what);
    else
        return true;
    return false;
}

_Static_assert(DEAD_EVENT_ID_NOT_UTF8 == DEAD_NO_EVENT_ID + 2 &&
                   DEAD_LEAD_ID_NOT_UTF8 == DEAD_NO_LEAD_ID + 2,
               "check_id counts on");

static struct baton_text key_of(const struct message *message)
{
    /* A key beyond 4 GiB does not exist; one that is too long is told as too long. */
    uint32_t size = message->key_size > UINT32_MAX ? UINT32_MAX : (uint32_t)message->key_size;
    return (struct baton_text){(const char *)message->key, message->key ? size : 0};
}

static bool check_lead(const struct input_config *config, const struct message *message,
                       const struct raw_event *raw, struct baton_event *event,
                       struct decode_result *result)
{
    struct baton_text key = key_of(message);
    if (message->hop && message->hop->to.size) { /* it was checked where it first came */
        event->lead_id = message->hop->to;
        return check_id(event->lead_id, "lead id of the header", DEAD_NO_LEAD_ID, result);
    }
    event->lead_id = config->lead_id_from_key ? key : raw->texts[TARGET_LEAD_ID];
    const char *what = config->lead_id_from_key ? "lead id (the key)" : "lead id";
    if (!check_id(event->lead_id, what, DEAD_NO_LEAD_ID, result))
        return false;
    if (config->lead_id_from_key || config->ignore_key || text_equal(key, event->lead_id))
        return true;
    if (message->key)
        decode_result_dead(
            result, DEAD_KEY_MISMATCH, "the key '%.*s' is not the lead id of the value, '%.*s'",
            (int)(key.size > 60 ? 60 : key.size), key.data,
            (int)(event->lead_id.size > 60 ? 60 : event->lead_id.size), event->lead_id.data);
    else
        decode_result_dead(result, DEAD_KEY_MISMATCH, "the message has no key");
    return false;
}

static bool check_time(const struct input_config *config, const struct message *message,
                       const struct raw_event *raw, struct decode_result *result)
{
    if (!raw->has_time) {
        decode_result_dead(result, DEAD_BAD_TIME,
                           "the time is missing, or is not one from 1970 to 9999");
        return false;
    }
    if (message->timestamp_ms < 0 || raw->time_ms - message->timestamp_ms <= config->max_ahead_ms)
        return true;
    struct text_buffer time;
    text_buffer_init(&time);
    text_buffer_add_time(&time, raw->time_ms);
    decode_result_dead(result, DEAD_FUTURE_TIME,
                       "the event's time %s is %" PRId64 " ms after the record's timestamp%s",
                       time.data, raw->time_ms - message->timestamp_ms,
                       message->hop ? ": baton writes no such message, whatever its headers say"
                                    : "");
    text_buffer_fini(&time);
    return false;
}

/* ---- fields
 * -------------------------------------------------------------------------------------------- */

/* A form without a name is told by its page. */
static bool needs_page(const struct raw_event *raw, const struct baton_event *event)
{
    return raw->wanted >> BATON_PAGE & 1 ||
           (event->kind == BATON_FORM_FILL && !event->fields[BATON_FORM].size);
}

static struct baton_text page_of(const struct raw_event *raw)
{
    return raw->unread_page.size && raw_text_is_utf8(raw->unread_page) ? raw->unread_page
                                                                       : raw->texts[TARGET_PAGE];
}

/* Does something that the URL says have to be known? */
static bool needs_url(const struct raw_event *raw, const struct baton_event *event)
{
    const struct baton_text *fields = event->fields;
    const uint32_t parts = 1u << BATON_HOST | 1u << BATON_UTM_SOURCE | 1u << BATON_UTM_MEDIUM |
                           1u << BATON_UTM_CAMPAIGN | 1u << BATON_UTM_TERM |
                           1u << BATON_UTM_CONTENT;
    return raw->wanted & parts ||
           (raw->wanted >> BATON_CHANNEL & 1 && !fields[BATON_CHANNEL].size) ||
           (!fields[BATON_PAGE].size && needs_page(raw, event)) ||
           (raw->wanted >> BATON_CAMPAIGN & 1 && !fields[BATON_CAMPAIGN].size);
}

static void derive(const struct raw_event *raw, struct arena *arena, struct baton_event *event)
{
    struct baton_text *fields = event->fields, url = raw->texts[TARGET_URL];
    struct baton_text page = needs_page(raw, event) ? page_of(raw) : (struct baton_text){0};
    struct url_parts parts;
    if (page.size)
        fields[BATON_PAGE] = cut(url_page(page));
    if (!url.size)
        return;
    fields[BATON_URL] = cut(url);
    if (!needs_url(raw, event))
        return;
    url_read(arena, url, &parts);
    fields[BATON_HOST] = cut(parts.host);
    if (!page.size)
        fields[BATON_PAGE] = cut(parts.page);
    for (int i = 0; i < URL_PARAMETERS; i++)
        fields[BATON_UTM_SOURCE + i] = cut(parts.utm[i]);
    if (!fields[BATON_CHANNEL].size)
        fields[BATON_CHANNEL] =
            fields[parts.utm[UTM_SOURCE].size ? BATON_UTM_SOURCE : BATON_UTM_MEDIUM];
    if (!fields[BATON_CAMPAIGN].size)
        fields[BATON_CAMPAIGN] = fields[BATON_UTM_CAMPAIGN];
}

_Static_assert(BATON_UTM_CONTENT == BATON_UTM_SOURCE + UTM_CONTENT &&
                   BATON_UTM_MEDIUM == BATON_UTM_SOURCE + UTM_MEDIUM,
               "the parameters of a URL stand in the same order");

static void fill_fields(const struct raw_event *raw, struct arena *arena, struct baton_event *event)
{
    struct baton_text *fields = event->fields;
    fields[BATON_REFERRER] = cut(raw->texts[TARGET_REFERRER]);
    fields[BATON_CHANNEL] = cut(raw->texts[TARGET_CHANNEL]);
    fields[BATON_CAMPAIGN] = cut(raw->texts[TARGET_CAMPAIGN]);
    fields[BATON_SESSION] = cut(raw->texts[TARGET_SESSION]);
    fields[BATON_USER_AGENT] = cut(raw->texts[TARGET_USER_AGENT]);
    fields[BATON_TARGET] = cut(raw->texts[TARGET_TARGET]);
    fields[BATON_FORM] = cut(raw->texts[TARGET_FORM]);
    derive(raw, arena, event);
}

static void fill_answers(const struct raw_event *raw, struct arena *arena,
                         struct baton_event *event)
{
    const struct raw_entries *entries = &raw->fields;
    struct baton_answer *answers = arena_take(arena, entries->count * sizeof *answers);
    uint32_t count = 0;
    for (uint32_t i = 0; i < entries->count; i++)
        if (entries->items[i].value.size)
            answers[count++] =
                (struct baton_answer){entries->items[i].name, cut(entries->items[i].value)};
    event->answers = answers;
    event->answer_count = count;
}

/* ---- profile
 * ------------------------------------------------------------------------------------------- */

static void add_update(struct arena *arena, struct baton_event *event,
                       struct baton_profile_update *updates, enum baton_profile_field field,
                       struct baton_text name, struct baton_text value)
{
    struct baton_profile_update *update = &updates[event->update_count];
    *update = (struct baton_profile_update){.field = field, .name = name, .value = cut(value)};
    /* Texts have been found to be UTF-8 where they were taken. */
    if (update->value.size && !text_fold(arena, update->value, &update->folded))
        return;
    event->update_count++;
}

static void fill_profile(const struct raw_event *raw, struct arena *arena,
                         struct baton_event *event)
{
    const struct raw_entries *properties = &raw->properties;
    size_t room = BATON_PROFILE_FIELDS + (size_t)properties->count;
    struct baton_profile_update *updates = arena_take(arena, room * sizeof *updates);
    for (int i = 0; i < BATON_PROFILE_FIELDS; i++)
        if (raw->mentioned & 1u << i)
            add_update(arena, event, updates, (enum baton_profile_field)i, (struct baton_text){0},
                       raw->texts[TARGET_PROFILE + i]);
    for (uint32_t i = 0; i < properties->count; i++)
        add_update(arena, event, updates, BATON_PROPERTY, properties->items[i].name,
                   properties->items[i].value);
    event->updates = updates;
}

static ptrdiff_t find_target(const struct form_mapping *mapping, struct baton_text name)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (text_equal(mapping->targets[i].name, name))
            return (ptrdiff_t)i;
    return -1;
}

static void fill_from_form(const struct form_mapping *mapping, const struct raw_event *raw,
                           struct arena *arena, struct baton_event *event)
{
    const struct raw_entries *entries = &raw->fields;
    if (!mapping->count || !entries->count)
        return;
    const struct raw_entry **found = arena_take(arena, mapping->count * sizeof *found);
    struct baton_profile_update *updates = arena_take(arena, mapping->count * sizeof *updates);
    memset(found, 0, mapping->count * sizeof *found);
    for (uint32_t i = 0; i < entries->count; i++) {
        ptrdiff_t at = find_target(mapping, entries->items[i].name);
        if (at >= 0)
            found[at] = &entries->items[i];
    }
    for (size_t i = 0; i < mapping->count; i++)
        if (found[i])
            add_update(arena, event, updates, mapping->targets[i].field,
                       mapping->targets[i].property, found[i]->value);
    event->updates = updates;
}

void event_check(const struct input_config *config, const struct form_mapping *mapping,
                 const struct message *message, const struct raw_event *raw, struct arena *arena,
                 struct baton_event *event, struct decode_result *result)
{
    memory_clear(event, sizeof *event);
    if (!check_kind(config, message, raw, result) ||
        !check_id(raw->texts[TARGET_EVENT_ID], "event id", DEAD_NO_EVENT_ID, result) ||
        (!baton_kind_is_of_unit((enum baton_event_kind)raw->kind) &&
         !check_lead(config, message, raw, event, result)) ||
        !check_time(config, message, raw, result))
        return;
    result->outcome = DECODED;
    event->kind = (enum baton_event_kind)raw->kind;
    event->event_id = raw->texts[TARGET_EVENT_ID];
    event->time_ms = raw->time_ms;
    event->offset = message->offset;
    event->hop = message->hop ? &message->hop->seen : NULL;
    if (!baton_kind_is_own(event->kind)) {
        if (!event_detail_read(message, raw, arena, event, result))
            result->outcome = DECODE_DEAD;
        return;
    }
    fill_fields(raw, arena, event);
    if (raw->fields.count)
        fill_answers(raw, arena, event);
    if (event->kind == BATON_PROFILE)
        fill_profile(raw, arena, event);
    else if (event->kind == BATON_FORM_FILL)
        fill_from_form(mapping, raw, arena, event);
}
