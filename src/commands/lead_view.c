#include "commands/lead_view.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static void *heap_resize(void *context, void *old, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size)
        return memory_resize(old, new_size);
    free(old);
    return NULL;
}

struct baton_allocator heap_allocator(void)
{
    return (struct baton_allocator){.resize = heap_resize};
}

/* ---- Rules
 * ---------------------------------------------------------------------------------------- */

static const struct baton_tally *tally_of(const struct lead_view *view, uint32_t rule_hash)
{
    for (size_t i = 0; i < view->lead->tally_count; i++)
        if (view->lead->tallies[i].rule_hash == rule_hash)
            return view->lead->tallies[i].count ? &view->lead->tallies[i] : NULL;
    return NULL;
}

static int64_t scored_at(const struct lead_view *view)
{
    return view->at_ms > view->lead->newest_ms ? view->at_ms : view->lead->newest_ms;
}

/* Calls back for each rule that is worth telling. */
static void each_rule(const struct lead_view *view,
                      void (*each)(void *context, struct baton_text id, int64_t points, bool fit),
                      void *context)
{
    const struct baton_agreement *agreement = view->agreement;
    for (uint32_t i = 0; i < agreement->behaviour_count; i++) {
        const struct baton_tally *tally = tally_of(view, agreement->behaviour[i].hash);
        if (tally)
            each(context, agreement->behaviour[i].id,
                 baton_tally_points(tally, agreement, scored_at(view)), false);
    }
    for (uint32_t i = 0; i < agreement->fit_count; i++)
        if (baton_profile_matches(&agreement->fit[i].where, view->lead))
            each(context, agreement->fit[i].id, (int64_t)agreement->fit[i].points * 100, true);
}

static void set_text_key(json_t *object, struct baton_text name, json_t *value)
{
    char *key =
        memory_take((size_t)name.size + 1); /* names of an agreement and a profile hold no NUL */
    if (name.size)
        memcpy(key, name.data, name.size);
    key[name.size] = 0;
    json_object_set_new(object, key, value);
    free(key);
}

static void put_rule(void *context, struct baton_text id, int64_t points, bool fit)
{
    (void)fit;
    set_text_key(context, id, json_points(points));
}

json_t *lead_view_rules(const struct lead_view *view)
{
    json_t *object = json_object();
    each_rule(view, put_rule, object);
    return object;
}

struct rule_list {
    struct text_buffer *out;
    bool more;
};

static void add_rule(void *context, struct baton_text id, int64_t points, bool fit)
{
    struct rule_list *list = context;
    if (list->more)
        text_buffer_add_text(list->out, ", ");
    list->more = true;
    add_person_text(list->out, id);
    text_buffer_add_text(list->out, " ");
    text_buffer_add_points(list->out, points);
    if (fit)
        text_buffer_add_text(list->out, " (fit)");
}

void lead_view_add_rules(const struct lead_view *view, struct text_buffer *out)
{
    struct rule_list list = {.out = out};
    each_rule(view, add_rule, &list);
}

void lead_view_set_scores(const struct lead_view *view, json_t *object)
{
    struct baton_score score;
    baton_lead_score(view->lead, view->agreement, view->at_ms, &score);
    json_object_set_new(object, "score", json_points(score.score));
    json_object_set_new(object, "fit", json_points(score.fit));
    json_object_set_new(object, "behaviour", json_points(score.behaviour));
}

/* ---- Touches and profile
 * -------------------------------------------------------------------------- */

static json_t *rule_ids(struct baton_text joined)
{
    json_t *ids = json_array();
    for (uint32_t start = 0; start < joined.size;) {
        const char *comma = memchr(joined.data + start, ',', joined.size - start);
        uint32_t end = comma ? (uint32_t)(comma - joined.data) : joined.size;
        json_array_append_new(ids, json_stringn(joined.data + start, end - start));
        start = end + 1;
    }
    return ids;
}

static json_t *touch_object(const struct lead_view *view, const struct baton_touch *touch)
{
    json_t *object = json_object();
    bool form = touch->kind == BATON_FORM_FILL && !touch->by_page;
    json_t *place = json_text_or_null(baton_words_text(view->words, touch->page));
    json_object_set_new(object, "time", json_time(touch->time_ms));
    json_object_set_new(object, "kind", json_string(baton_event_kind_name(touch->kind)));
    json_object_set_new(object, "page", form ? json_null() : place);
    json_object_set_new(object, "form", form ? place : json_null());
    json_object_set_new(object, "campaign",
                        json_text_or_null(baton_words_text(view->words, touch->campaign)));
    json_object_set_new(object, "channel",
                        json_text_or_null(baton_words_text(view->words, touch->channel)));
    json_object_set_new(object, "rules", rule_ids(baton_words_text(view->words, touch->rules)));
    return object;
}

json_t *lead_view_touches(const struct lead_view *view)
{
    json_t *list = json_array();
    for (size_t i = 0; i < view->lead->touch_count; i++)
        json_array_append_new(list, touch_object(view, &view->lead->touches[i]));
    return list;
}

void add_profile_name(struct text_buffer *out, const struct baton_profile_value *value)
{
    if (value->field != BATON_PROPERTY) {
        text_buffer_add_text(out, baton_profile_field_name(value->field));
        return;
    }
    text_buffer_add_text(out, "properties.");
    add_person_text(out, value->name);
}

json_t *lead_view_profile(const struct lead_view *view)
{
    json_t *object = json_object();
    struct text_buffer name;
    text_buffer_init(&name);
    for (size_t i = 0; i < view->lead->profile_count; i++) {
        const struct baton_profile_value *value = &view->lead->profile[i];
        if (!value->value.size)
            continue; /* removed */
        text_buffer_clear(&name);
        add_profile_name(&name, value);
        json_object_set_new(object, name.data, json_text(value->value));
    }
    text_buffer_fini(&name);
    return object;
}

/* ---- Texts for people
 * ----------------------------------------------------------------------------- */

void add_person_time(struct text_buffer *out, int64_t time_ms)
{
    size_t start = out->size;
    text_buffer_add_time(out, time_ms);
    if (out->size - start < 19)
        return;
    out->data[start + 10] = ' ';
    out->size = start + 19; /* seconds will do */
    out->data[out->size] = 0;
}

void add_person_text(struct text_buffer *out, struct baton_text text)
{
    size_t start = out->size;
    text_buffer_add(out, text.data, text.size);
    for (size_t i = start; i < out->size; i++)
        if ((unsigned char)out->data[i] < ' ' || out->data[i] == 127)
            out->data[i] = '?';
}
