#include "commands/explain_parts.h"

#include "commands/lead_view.h"

#include <string.h>

void explain_end(const struct explanation *lead)
{
    text_buffer_add_text(lead->speech->out, "\n");
}

void explain_indent(const struct explanation *lead)
{
    text_buffer_add_text(lead->speech->out, "  ");
}

const char *explain_time(const struct explanation *lead, int64_t time_ms)
{
    return speech_time(lead->speech, agreement_local_ms(lead->source, time_ms));
}

const char *explain_text(const struct explanation *lead, struct baton_text text)
{
    struct text_buffer clean;
    text_buffer_init(&clean);
    add_person_text(&clean, text);
    const char *kept = arena_copy(&lead->speech->arena, clean.data, clean.size + 1);
    text_buffer_fini(&clean);
    return kept;
}

json_t *explain_json(const char *text)
{
    return json_text((struct baton_text){text, (uint32_t)strlen(text)});
}

/* ---- Where it stands ---- */

static const enum message_id stage_sentences[BATON_STAGES] = {
    [BATON_LEAD] = MESSAGE_EXPLAIN_LEAD,         [BATON_MQL] = MESSAGE_EXPLAIN_MQL,
    [BATON_SQL] = MESSAGE_EXPLAIN_SQL,           [BATON_ACCEPTED] = MESSAGE_EXPLAIN_ACCEPTED,
    [BATON_CUSTOMER] = MESSAGE_EXPLAIN_CUSTOMER, [BATON_REJECTED] = MESSAGE_EXPLAIN_REJECTED,
    [BATON_RECYCLED] = MESSAGE_EXPLAIN_RECYCLED,
};

static void stage_data(const struct explanation *lead, int64_t since_ms, int32_t adjusted)
{
    json_t *data = lead->data;
    json_object_set_new(data, "lead_id", json_text(lead->id));
    json_object_set_new(data, "at", json_time(lead->at_ms));
    json_object_set_new(data, "stage", json_string(baton_stage_name(lead->lead->stage)));
    json_object_set_new(data, "since", json_time_or_null(since_ms));
    json_object_set_new(data, "generation", json_integer(lead->lead->generation));
    json_object_set_new(data, "score", json_points(lead->score.score));
    json_object_set_new(data, "fit", json_points(lead->score.fit));
    json_object_set_new(data, "behaviour", json_points(lead->score.behaviour));
    json_object_set_new(data, "adjusted", json_integer(adjusted));
    uint16_t persona = lead->lead->persona;
    json_object_set_new(data, "persona",
                        persona ? json_text(lead->agreement->personas[persona - 1].id)
                                : json_null());
}

/* Why sales rejected it, and from when on it may come back. */
static void say_rejection(const struct explanation *lead, int64_t since_ms)
{
    struct speech *speech = lead->speech;
    const struct baton_history *history = lead->lead->history;
    int64_t after_ms = lead->agreement->recycle_after_ms;
    if (history && history->sales.reason) {
        struct baton_text reason = baton_words_text(lead->words, history->sales.reason);
        say(speech, MESSAGE_EXPLAIN_REASON, {"reason", explain_text(lead, reason)});
        explain_end(lead);
    }
    if (after_ms)
        say(speech, MESSAGE_EXPLAIN_COMES_BACK, {"time", explain_time(lead, since_ms + after_ms)});
    else
        say_plain(speech, MESSAGE_RECYCLE_NEVER);
    explain_end(lead);
}

void explain_stage(const struct explanation *lead)
{
    struct speech *speech = lead->speech;
    int64_t since_ms = baton_lead_stage_ms(lead->lead);
    int32_t adjusted = lead->lead->history ? lead->lead->history->adjusted : 0;
    const char *by_hand = "";
    if (adjusted)
        by_hand = phrase(speech, MESSAGE_EXPLAIN_ADJUSTED,
                         {"points", speech_points(speech, (int64_t)adjusted * 100)});
    speech_add(speech, stage_sentences[lead->lead->stage],
               (const struct message_hole[]){{"lead", explain_text(lead, lead->id)},
                                             {"time", explain_time(lead, since_ms)},
                                             {NULL, NULL}});
    explain_end(lead);
    if (lead->lead->stage == BATON_REJECTED)
        say_rejection(lead, since_ms);
    say(speech, MESSAGE_EXPLAIN_SCORE, {"score", speech_points(speech, lead->score.score)},
        {"fit", speech_points(speech, lead->score.fit)},
        {"behaviour", speech_points(speech, lead->score.behaviour)}, {"adjusted", by_hand});
    explain_end(lead);
    if (lead->lead->persona) {
        struct baton_text id = lead->agreement->personas[lead->lead->persona - 1].id;
        say(speech, MESSAGE_WHY_PERSONA, {"id", explain_text(lead, id)});
        explain_end(lead);
    }
    say(speech, MESSAGE_EXPLAIN_AS_OF, {"time", explain_time(lead, lead->at_ms)},
        {"zone", agreement_zone_name(lead->source)});
    explain_end(lead);
    stage_data(lead, since_ms, adjusted);
}

/* ---- Whose an id is ---- */

static void say_merged(const struct explanation *lead)
{
    struct baton_text into = lead->lead->history->into;
    json_object_set_new(lead->data, "merged_into", json_text(into));
    json_object_set_new(lead->data, "since", json_time(lead->lead->newest_ms));
    say(lead->speech, MESSAGE_EXPLAIN_MERGED, {"lead", explain_text(lead, lead->id)},
        {"into", explain_text(lead, into)}, {"time", explain_time(lead, lead->lead->newest_ms)});
}

static void say_erased(const struct explanation *lead)
{
    json_object_set_new(lead->data, "erased", json_time(lead->erased_ms));
    say(lead->speech, MESSAGE_EXPLAIN_ERASED, {"lead", explain_text(lead, lead->id)},
        {"time", explain_time(lead, lead->erased_ms)});
}

static void say_forgotten(const struct explanation *lead)
{
    json_object_set_new(lead->data, "forgotten", json_true());
    say(lead->speech, MESSAGE_EXPLAIN_FORGOTTEN, {"lead", explain_text(lead, lead->id)});
}

bool explain_whose(const struct explanation *lead)
{
    bool merged = lead->lead->flags & BATON_LEAD_MERGED;
    if (!merged && !lead->erased && lead->lead->events)
        return false;
    json_object_set_new(lead->data, "lead_id", json_text(lead->id));
    if (lead->erased)
        say_erased(lead);
    else if (merged)
        say_merged(lead);
    else
        say_forgotten(lead);
    explain_end(lead);
    return true;
}

/* ---- Its newest events ---- */

static const char *touch_via(const struct explanation *lead, const struct baton_touch *touch)
{
    struct baton_text channel = baton_words_text(lead->words, touch->channel),
                      campaign = baton_words_text(lead->words, touch->campaign);
    if (!channel.size && !campaign.size)
        return "";
    const char *both =
        speech_print(lead->speech, "%s%s%s", explain_text(lead, channel),
                     channel.size && campaign.size ? " / " : "", explain_text(lead, campaign));
    return phrase(lead->speech, MESSAGE_EXPLAIN_VIA, {"channel", both});
}

/* A page, or the name of a form. */
static const char *touch_place(const struct explanation *lead, const struct baton_touch *touch)
{
    struct baton_text place = baton_words_text(lead->words, touch->page);
    if (!place.size)
        return "";
    return speech_print(lead->speech, touch->kind == BATON_FORM_FILL ? " \"%s\"" : " %s",
                        explain_text(lead, place));
}

/* The ids that stand there with commas between. */
static const char *touch_rules(const struct explanation *lead, const struct baton_touch *touch)
{
    struct text_buffer list;
    text_buffer_init(&list);
    const char *text = explain_text(lead, baton_words_text(lead->words, touch->rules));
    for (; *text; text++) {
        text_buffer_add(&list, text, 1);
        text_buffer_add_text(&list, *text == ',' ? " " : "");
    }
    const char *kept = speech_print(lead->speech, "%s", list.data ? list.data : "");
    text_buffer_fini(&list);
    return kept;
}

static void say_touch(const struct explanation *lead, const struct baton_touch *touch)
{
    struct speech *speech = lead->speech;
    explain_indent(lead);
    say(speech, MESSAGE_EXPLAIN_TOUCH, {"time", explain_time(lead, touch->time_ms)},
        {"event", agreement_kind_word(speech, (enum baton_event_kind)touch->kind)},
        {"place", touch_place(lead, touch)}, {"via", touch_via(lead, touch)},
        {"rules", touch_rules(lead, touch)});
    explain_end(lead);
}

void explain_touches(const struct explanation *lead)
{
    struct lead_view view = {.lead = lead->lead, .words = lead->words};
    json_object_set_new(lead->data, "touches", lead_view_touches(&view));
    if (!lead->lead->touch_count)
        return;
    explain_end(lead);
    say_plain(lead->speech, MESSAGE_EXPLAIN_TOUCHES);
    explain_end(lead);
    for (uint16_t i = 0; i < lead->lead->touch_count; i++)
        say_touch(lead, &lead->lead->touches[i]);
}
