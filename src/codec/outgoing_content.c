#include "codec/outgoing_content.h"

#include "base/arena.h"
#include "base/text_buffer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jansson gives NULL where the machine has no memory, or for a text that is not UTF-8. */
static json_t *made(json_t *value)
{
    assert(value);
    return value;
}

static void put(json_t *object, const char *name, json_t *value)
{
    int failed = json_object_set_new(object, name, made(value));
    assert(!failed);
    (void)failed;
}

static void add(json_t *array, json_t *value)
{
    int failed = json_array_append_new(array, made(value));
    assert(!failed);
    (void)failed;
}

/* Texts come in as UTF-8 only; one that is not would make the whole record unwritable. */
static json_t *text(struct baton_text from)
{
    json_t *value = json_stringn(from.data ? from.data : "", from.size);
    return value ? value : json_string("(not UTF-8)");
}

static json_t *c_text(const char *from)
{
    return text((struct baton_text){from, (uint32_t)strlen(from)});
}

static json_t *text_or_null(struct baton_text from)
{
    return from.size ? text(from) : json_null();
}

/* Whole points as integers; others as a real that prints with its two decimals
 * (JSON_REAL_PRECISION). */
static json_t *points(int64_t hundredths, enum content_style style)
{
    if (style == CONTENT_FOR_AVRO)
        return json_integer(hundredths);
    return hundredths % 100 ? json_real((double)hundredths / 100) : json_integer(hundredths / 100);
}

static json_t *moment(int64_t time_ms, enum content_style style)
{
    if (style == CONTENT_FOR_AVRO)
        return json_integer(time_ms);
    struct text_buffer buffer;
    text_buffer_init(&buffer);
    text_buffer_add_time(&buffer, time_ms);
    json_t *value = json_stringn(buffer.data, buffer.size);
    text_buffer_fini(&buffer);
    return value;
}

json_t *content_stage_change(const struct stage_view *view, enum content_style style)
{
    const struct baton_transition *transition = view->transition;
    json_t *record = made(json_object());
    put(record, "lead_id", text(view->event->lead_id));
    put(record, "generation", json_integer(view->lead->generation));
    put(record, "from_stage", json_string(baton_stage_name(transition->from)));
    put(record, "stage", json_string(baton_stage_name(transition->to)));
    put(record, "time", moment(view->event->time_ms, style));
    put(record, "score", points(transition->score.score, style));
    put(record, "fit", points(transition->score.fit, style));
    put(record, "behaviour", points(transition->score.behaviour, style));
    put(record, "agreement", text(view->agreement->name));
    put(record, "agreement_version", json_integer(view->agreement->version));
    put(record, "agreement_hash", text(view->agreement->hash));
    put(record, "event_id", text(view->event->event_id));
    put(record, "topic", c_text(view->origin->topic));
    put(record, "partition", json_integer(view->origin->partition));
    put(record, "offset", json_integer(view->origin->offset));
    return record;
}

/* ---- rules
 * --------------------------------------------------------------------------------------- */

static int by_rule(const void *a, const void *b)
{
    const struct baton_tally *const *left = a, *const *right = b;
    return (*left)->rule < (*right)->rule ? -1 : (*left)->rule > (*right)->rule;
}

/* Rules of the agreement with at least one counted hit, in its order. */
static json_t *rules(const struct stage_view *view, enum content_style style)
{
    const struct baton_lead *lead = view->lead;
    const struct baton_tally **hit = memory_take(lead->tally_count * sizeof(struct baton_tally *));
    size_t count = 0;
    for (uint16_t i = 0; i < lead->tally_count; i++)
        if (lead->tallies[i].rule >= 0 && lead->tallies[i].count > 0)
            hit[count++] = &lead->tallies[i];
    qsort(hit, count, sizeof *hit, by_rule);
    json_t *list = made(json_array());
    for (size_t i = 0; i < count; i++) {
        json_t *rule = made(json_object());
        put(rule, "id", text(view->agreement->behaviour[hit[i]->rule].id));
        put(rule, "points",
            points(baton_tally_points(hit[i], view->agreement, lead->newest_ms), style));
        add(list, rule);
    }
    free(hit);
    return list;
}

static json_t *field_name(uint8_t field, struct baton_text property)
{
    const char *name = baton_profile_field_name((enum baton_profile_field)field);
    if (name)
        return json_string(name);
    struct text_buffer buffer;
    text_buffer_init(&buffer);
    text_buffer_add_text(&buffer, "properties.");
    text_buffer_add(&buffer, property.data, property.size);
    json_t *value = text((struct baton_text){buffer.data, (uint32_t)buffer.size});
    text_buffer_fini(&buffer);
    return value;
}

static void add_once(json_t *names, json_t *name)
{
    size_t index;
    json_t *known;
    made(name);
    json_array_foreach(names, index, known) if (json_equal(known, name))
    {
        json_decref(name);
        return;
    }
    add(names, name);
}

static void add_fields(json_t *names, const struct baton_condition *condition)
{
    if (condition->match != BATON_MATCH_ALL && condition->match != BATON_MATCH_ANY)
        add_once(names, field_name(condition->field, condition->name));
    for (uint32_t i = 0; i < condition->child_count; i++)
        add_fields(names, &condition->children[i]);
}

static json_t *fit_rules(const struct stage_view *view, enum content_style style)
{
    json_t *list = made(json_array());
    for (uint32_t i = 0; i < view->agreement->fit_count; i++) {
        const struct baton_fit_rule *rule = &view->agreement->fit[i];
        if (!baton_profile_matches(&rule->where, view->lead))
            continue;
        json_t *held = made(json_object()), *names = made(json_array());
        add_fields(names, &rule->where);
        put(held, "id", text(rule->id));
        put(held, "points", points((int64_t)rule->points * 100, style));
        put(held, "fields", names);
        add(list, held);
    }
    return list;
}

/* ---- history and profile
 * ------------------------------------------------------------------------- */

static json_t *split_at_commas(struct baton_text ids)
{
    json_t *list = made(json_array());
    while (ids.size) {
        const char *comma = memchr(ids.data, ',', ids.size);
        uint32_t size = comma ? (uint32_t)(comma - ids.data) : ids.size;
        add(list, text((struct baton_text){ids.data, size}));
        ids.data += size + (comma ? 1 : 0);
        ids.size -= size + (comma ? 1 : 0);
    }
    return list;
}

static json_t *touches(const struct stage_view *view, enum content_style style)
{
    json_t *list = made(json_array());
    for (uint16_t i = 0; i < view->lead->touch_count; i++) {
        const struct baton_touch *touch = &view->lead->touches[i];
        struct baton_text place = baton_words_text(view->words, touch->page);
        bool form = touch->kind == BATON_FORM_FILL && !touch->by_page;
        json_t *item = made(json_object());
        put(item, "time", moment(touch->time_ms, style));
        put(item, "kind", json_string(baton_event_kind_name((enum baton_event_kind)touch->kind)));
        put(item, "page", form ? json_null() : text_or_null(place));
        put(item, "form", form ? text_or_null(place) : json_null());
        put(item, "campaign", text_or_null(baton_words_text(view->words, touch->campaign)));
        put(item, "channel", text_or_null(baton_words_text(view->words, touch->channel)));
        put(item, "rules", split_at_commas(baton_words_text(view->words, touch->rules)));
        add(list, item);
    }
    return list;
}

static void share_one(json_t *profile, const struct baton_lead *lead,
                      enum baton_profile_field field, struct baton_text property)
{
    struct baton_text value = baton_profile_get(lead, field, property);
    if (!value.size)
        return;
    json_t *name = field_name((uint8_t)field, property);
    put(profile, json_string_value(made(name)), text(value));
    json_decref(name);
}

static json_t *shared_profile(const struct stage_view *view)
{
    const struct baton_agreement *agreement = view->agreement;
    json_t *profile = made(json_object());
    for (unsigned field = 0; field < BATON_PROFILE_FIELDS; field++)
        if (agreement->share & (1u << field))
            share_one(profile, view->lead, (enum baton_profile_field)field, (struct baton_text){0});
    for (uint32_t i = 0; i < agreement->share_property_count; i++)
        share_one(profile, view->lead, BATON_PROPERTY, agreement->share_properties[i]);
    return profile;
}

json_t *content_promotion(const struct stage_view *view, enum content_style style)
{
    const struct baton_lead *lead = view->lead;
    json_t *record = content_stage_change(view, style);
    put(record, "rules", rules(view, style));
    put(record, "fit_rules", fit_rules(view, style));
    put(record, "touches", touches(view, style));
    put(record, "conversions", json_integer(lead->conversions));
    put(record, "first_channel", text_or_null(baton_words_text(view->words, lead->first_channel)));
    put(record, "last_channel", text_or_null(baton_words_text(view->words, lead->last_channel)));
    put(record, "profile", shared_profile(view));
    return record;
}
