#include "codec/outgoing_content.h"

#include "base/arena.h"
#include "codec/outgoing_handover.h"
#include "codec/outgoing_json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *stage_record_name(enum stage_record_kind kind)
{
    static const char *const names[STAGE_RECORD_KINDS] = {[RECORD_IGNORED] = "ignored",
                                                          [RECORD_ADJUSTED] = "adjusted",
                                                          [RECORD_MERGED] = "merged",
                                                          [RECORD_ERASED] = "erased"};
    return names[kind];
}

struct baton_text stage_record_subject(const struct stage_view *view)
{
    return view->kind == RECORD_ERASED ? view->proof : view->event->lead_id;
}

/* What a stage change and a promotion have in common. */
static json_t *transition_record(const struct stage_view *view, enum content_style style)
{
    const struct baton_transition *transition = view->transition;
    json_t *record = made(json_object());
    put(record, "lead_id", text(stage_record_subject(view)));
    put(record, "generation", json_integer(transition->generation));
    put(record, "from_stage", json_string(baton_stage_name(transition->from)));
    put(record, "stage", json_string(baton_stage_name(transition->to)));
    put(record, "time", moment(view->event->time_ms, style));
    put(record, "score", points(transition->score.score, style));
    put(record, "fit", points(transition->score.fit, style));
    put(record, "behaviour", points(transition->score.behaviour, style));
    put(record, "agreement", text(view->agreement->name));
    put(record, "agreement_version", json_integer(view->agreement->version));
    put(record, "agreement_hash", text(view->agreement->hash));
    /* The id of an erasure is the key to its proof. */
    put(record, "event_id",
        view->kind == RECORD_ERASED ? json_string("") : text(view->event->event_id));
    put(record, "topic", c_text(view->origin->topic));
    put(record, "partition", json_integer(view->origin->partition));
    put(record, "offset", json_integer(view->origin->offset));
    return record;
}

static json_t *adjusted(const struct stage_view *view, enum content_style style)
{
    const struct baton_history *history = view->lead->history;
    return history && history->adjusted ? points((int64_t)history->adjusted * 100, style)
                                        : json_null();
}

static json_t *adjustment_points(const struct stage_view *view, enum content_style style)
{
    if (view->kind != RECORD_ADJUSTED)
        return json_null();
    return points((int64_t)view->event->adjustment->points * 100, style);
}

/* Did the report or the adjustment do it, and not a gate or the time? */
static bool was_said(const struct stage_view *view)
{
    const struct baton_event *event = view->event;
    enum baton_stage to = view->transition->to;
    if (event->kind == BATON_FEEDBACK)
        return view->kind != RECORD_STAGE || (to > BATON_SQL && to != BATON_RECYCLED);
    return event->kind == BATON_ADJUST &&
           (view->kind != RECORD_STAGE ||
            (event->adjustment->has_stage && to == event->adjustment->stage));
}

static json_t *by(const struct stage_view *view)
{
    const struct baton_event *event = view->event;
    if (view->kind == RECORD_MERGED)
        return text_or_null(event->merge->by);
    if (!was_said(view))
        return json_null();
    return text_or_null(event->kind == BATON_FEEDBACK ? event->feedback->seller
                                                      : event->adjustment->by);
}

static json_t *reason(const struct stage_view *view)
{
    const struct baton_event *event = view->event;
    if (!was_said(view))
        return json_null();
    return text_or_null(event->kind == BATON_FEEDBACK ? event->feedback->reason
                                                      : event->adjustment->reason);
}

static json_t *report(const struct stage_view *view)
{
    const struct baton_event *event = view->event;
    return event->kind == BATON_FEEDBACK && was_said(view)
               ? c_text(baton_report_name(event->feedback->report))
               : json_null();
}

json_t *content_stage_change(const struct stage_view *view, enum content_style style)
{
    struct baton_text none = {0};
    json_t *record = transition_record(view, style);
    put(record, "change", c_text_or_null(stage_record_name(view->kind)));
    put(record, "by", by(view));
    put(record, "report", report(view));
    put(record, "reason", reason(view));
    put(record, "why", c_text_or_null(view->why));
    put(record, "adjusted", adjusted(view, style));
    put(record, "points", adjustment_points(view, style));
    put(record, "other", text_or_null(view->kind == RECORD_MERGED ? view->other : none));
    put(record, "stage_offset",
        view->kind == RECORD_ERASED ? json_integer(view->stage_offset) : json_null());
    put(record, "published", view->published_ms ? moment(view->published_ms, style) : json_null());
    put(record, "adopted", view->transition->adopted ? json_true() : json_null());
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

static void add_fit_rules(json_t *list, const struct stage_view *view,
                          const struct baton_fit_rule *rules, uint32_t count,
                          enum content_style style)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct baton_fit_rule *rule = &rules[i];
        if (!baton_fit_holds(rule, view->lead))
            continue;
        json_t *held = made(json_object()), *names = made(json_array());
        add_fields(names, &rule->where);
        put(held, "id", text(rule->id));
        put(held, "points", points((int64_t)rule->points * 100, style));
        put(held, "fields", names);
        add(list, held);
    }
}

static json_t *fit_rules(const struct stage_view *view, enum content_style style)
{
    const struct baton_agreement *agreement = view->agreement;
    json_t *list = made(json_array());
    add_fit_rules(list, view, agreement->fit, agreement->fit_count, style);
    if (view->lead->persona) {
        const struct baton_persona *persona = &agreement->personas[view->lead->persona - 1];
        add_fit_rules(list, view, persona->fit, persona->fit_count, style);
    }
    return list;
}

/* ---- history and profile
 * ------------------------------------------------------------------------- */

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

json_t *content_promotion(const struct stage_view *view, enum content_style style,
                          enum language language)
{
    const struct baton_lead *lead = view->lead;
    json_t *record = transition_record(view, style);
    put(record, "rules", rules(view, style));
    put(record, "fit_rules", fit_rules(view, style));
    put(record, "touches", touches(view, style));
    put(record, "conversions", json_integer(lead->conversions));
    put(record, "first_channel", text_or_null(baton_words_text(view->words, lead->first_channel)));
    put(record, "last_channel", text_or_null(baton_words_text(view->words, lead->last_channel)));
    put(record, "profile", shared_profile(view));
    put(record, "by", by(view));
    put(record, "reason", reason(view));
    put(record, "adjusted", adjusted(view, style));
    handover_put(record, view, style, language);
    return record;
}
