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

static const struct baton_persona *persona_of(const struct lead_view *view)
{
    return view->lead->persona ? &view->agreement->personas[view->lead->persona - 1] : NULL;
}

json_t *lead_view_persona(const struct lead_view *view)
{
    const struct baton_persona *persona = persona_of(view);
    return persona ? json_text(persona->id) : json_null();
}

typedef void each_rule_fn(void *context, struct baton_text id, int64_t points, bool fit);

static void each_fit_rule(const struct lead_view *view, const struct baton_fit_rule *rules,
                          uint32_t count, each_rule_fn *each, void *context)
{
    for (uint32_t i = 0; i < count; i++)
        if (baton_fit_holds(&rules[i], view->lead))
            each(context, rules[i].id, (int64_t)rules[i].points * 100, true);
}

/* Calls back for each rule that is worth telling. */
static void each_rule(const struct lead_view *view, each_rule_fn *each, void *context)
{
    const struct baton_agreement *agreement = view->agreement;
    for (uint32_t i = 0; i < agreement->behaviour_count; i++) {
        const struct baton_tally *tally = tally_of(view, agreement->behaviour[i].hash);
        if (tally)
            each(context, agreement->behaviour[i].id,
                 baton_tally_points(tally, agreement, scored_at(view)), false);
    }
    each_fit_rule(view, agreement->fit, agreement->fit_count, each, context);
    const struct baton_persona *persona = persona_of(view);
    if (persona)
        each_fit_rule(view, persona->fit, persona->fit_count, each, context);
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

/* ---- The score of a side ---- */

struct side_sums {
    int64_t fit, behaviour;
};

static void add_to_side(void *context, struct baton_text id, int64_t points, bool fit)
{
    struct side_sums *sums = context;
    (void)id;
    *(fit ? &sums->fit : &sums->behaviour) += points;
}

static void add_side(const char *name, int64_t points, int64_t sum, int32_t limit,
                     struct text_buffer *out)
{
    text_buffer_add_text(out, name);
    text_buffer_add_points(out, points);
    if (limit == BATON_NO_LIMIT || sum <= (int64_t)limit * 100)
        return;
    text_buffer_add_text(out, " (at most ");
    text_buffer_add_points(out, (int64_t)limit * 100);
    text_buffer_add_text(out, ")");
}

void lead_view_add_sides(const struct lead_view *view, const struct baton_score *score,
                         struct text_buffer *out)
{
    struct side_sums sums = {0};
    each_rule(view, add_to_side, &sums);
    add_side("fit ", score->fit, sums.fit, view->agreement->limit_fit, out);
    add_side(" + behaviour ", score->behaviour, sums.behaviour, view->agreement->limit_behaviour,
             out);
}

void lead_view_set_scores(const struct lead_view *view, json_t *object)
{
    struct baton_score score;
    baton_lead_score(view->lead, view->agreement, view->at_ms, &score);
    json_object_set_new(object, "score", json_points(score.score));
    json_object_set_new(object, "fit", json_points(score.fit));
    json_object_set_new(object, "behaviour", json_points(score.behaviour));
    const struct baton_history *history = view->lead->history;
    json_object_set_new(object, "adjusted",
                        json_points(history ? (int64_t)history->adjusted * 100 : 0));
}

void lead_view_add_adjusted(const struct lead_view *view, struct text_buffer *out)
{
    const struct baton_history *history = view->lead->history;
    if (!history || !history->adjusted)
        return;
    text_buffer_add_text(out, " + by hand ");
    text_buffer_add_points(out, (int64_t)history->adjusted * 100);
}

/* ---- What sales said
 * ------------------------------------------------------------------------------------ */

static json_t *json_word(const struct lead_view *view, uint32_t word)
{
    return json_text_or_null(baton_words_text(view->words, word));
}

json_t *lead_view_sales(const struct lead_view *view)
{
    const struct baton_history *history = view->lead->history;
    if (!history || !history->sales.report)
        return json_null();
    const struct baton_sales *sales = &history->sales;
    json_t *object = json_object();
    json_object_set_new(object, "report",
                        json_string(baton_report_name((enum baton_report)sales->report)));
    json_object_set_new(object, "at", json_time(sales->report_ms));
    json_object_set_new(object, "first_contact", json_time_or_null(sales->contact_ms));
    json_object_set_new(object, "seller", json_word(view, sales->seller));
    json_object_set_new(object, "reason", json_word(view, sales->reason));
    json_object_set_new(object, "obstacle", json_word(view, sales->obstacle));
    json_object_set_new(object, "deal", sales->has_deal ? json_points(sales->deal) : json_null());
    json_object_set_new(object, "currency", json_word(view, sales->currency));
    return object;
}

json_t *lead_view_earlier(const struct lead_view *view)
{
    const struct baton_history *history = view->lead->history;
    json_t *list = json_array();
    for (uint8_t i = 0; history && i < history->earlier_count; i++) {
        const struct baton_earlier *earlier = &history->earlier[i];
        json_t *object = json_object();
        json_object_set_new(object, "generation", json_integer(earlier->generation));
        json_object_set_new(object, "stage",
                            json_string(baton_stage_name((enum baton_stage)earlier->stage)));
        json_object_set_new(object, "promoted_at", json_time(earlier->promoted_ms));
        json_object_set_new(object, "ended_at", json_time(earlier->ended_ms));
        json_object_set_new(object, "reason", json_word(view, earlier->reason));
        json_array_append_new(list, object);
    }
    return list;
}

static void add_word(const struct lead_view *view, const char *before, uint32_t word,
                     struct text_buffer *out)
{
    if (!word)
        return;
    text_buffer_add_text(out, before);
    add_person_text(out, baton_words_text(view->words, word));
}

static void add_sales(const struct lead_view *view, const struct baton_sales *sales,
                      struct text_buffer *out)
{
    text_buffer_print(out, "sales      %s on ",
                      baton_report_name((enum baton_report)sales->report));
    lead_view_add_time(view, sales->report_ms, out);
    add_word(view, ", by ", sales->seller, out);
    add_word(view, ", reason: ", sales->reason, out);
    add_word(view, ", obstacle: ", sales->obstacle, out);
    if (sales->contact_ms) {
        text_buffer_add_text(out, "; first contact ");
        lead_view_add_time(view, sales->contact_ms, out);
    }
    if (sales->has_deal) {
        text_buffer_add_text(out, "; deal ");
        text_buffer_add_points(out, sales->deal);
        add_word(view, " ", sales->currency, out);
    }
    text_buffer_add_text(out, "\n");
}

void lead_view_add_history(const struct lead_view *view, struct text_buffer *out)
{
    const struct baton_history *history = view->lead->history;
    if (!history)
        return;
    if (history->sales.report)
        add_sales(view, &history->sales, out);
    for (uint8_t i = 0; i < history->earlier_count; i++) {
        const struct baton_earlier *earlier = &history->earlier[i];
        text_buffer_print(out, "%s generation %u, promoted ", i ? "          " : "before    ",
                          earlier->generation);
        lead_view_add_time(view, earlier->promoted_ms, out);
        text_buffer_print(out, ", %s since ", baton_stage_name((enum baton_stage)earlier->stage));
        lead_view_add_time(view, earlier->ended_ms, out);
        add_word(view, ", reason: ", earlier->reason, out);
        text_buffer_add_text(out, "\n");
    }
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

void lead_view_add_time(const struct lead_view *view, int64_t time_ms, struct text_buffer *out)
{
    add_person_time(out, view->zone ? agreement_local_ms(view->zone, time_ms) : time_ms);
}

void add_person_text(struct text_buffer *out, struct baton_text text)
{
    size_t start = out->size;
    text_buffer_add(out, text.data, text.size);
    for (size_t i = start; i < out->size; i++)
        if ((unsigned char)out->data[i] < ' ' || out->data[i] == 127)
            out->data[i] = '?';
}
