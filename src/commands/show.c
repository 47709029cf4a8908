#include "commands/lead_clocks.h"
#include "commands/lead_lookup.h"
#include "commands/lead_view.h"
#include "commands/setup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Telling
 * -------------------------------------------------------------------------------------- */

static struct lead_view view_of(const struct lead_lookup *show)
{
    return (struct lead_view){.id = show->id,
                              .lead = &show->lead,
                              .agreement = agreement_compiled(show->source),
                              .words = &show->words,
                              .at_ms = show->at_ms,
                              .zone = show->source};
}

static void add_time(const struct lead_lookup *show, int64_t time_ms, struct text_buffer *out)
{
    struct lead_view view = view_of(show);
    lead_view_add_time(&view, time_ms, out);
}

static json_t *stored_number(struct baton_text text)
{
    char room[32] = "";
    if (text.size >= sizeof room)
        return json_null();
    memcpy(room, text.data, text.size);
    return strchr(room, '.') ? json_real(strtod(room, NULL))
                             : json_integer(strtoll(room, NULL, 10));
}

/* All times below it are of one zone, which is told here. */
static void add_unit(const struct lead_lookup *show, struct text_buffer *out)
{
    text_buffer_print(out, "   (unit %" PRIu32 "; times: %s)", show->stored.unit,
                      agreement_zone_name(show->source));
}

/* A lead that was given up holds nothing else. */
static void print_merged(const struct lead_lookup *show)
{
    struct baton_text into = show->lead.history->into;
    if (show->invocation->json) {
        json_t *object = json_object();
        json_object_set_new(object, "lead_id", json_text(show->id));
        json_object_set_new(object, "unit", json_integer(show->stored.unit));
        json_object_set_new(object, "merged_into", json_text(into));
        json_print_line_take(object);
        return;
    }
    struct text_buffer out;
    text_buffer_init(&out);
    text_buffer_add_text(&out, "lead       ");
    add_person_text(&out, show->id);
    add_unit(show, &out);
    text_buffer_add_text(&out, "\nis         ");
    add_person_text(&out, into);
    text_buffer_add_text(&out, " since ");
    add_time(show, show->lead.newest_ms, &out);
    text_buffer_add_text(&out, ": look there\n");
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
}

static void print_erased(const struct lead_lookup *show)
{
    if (show->invocation->json) {
        json_t *object = json_object();
        json_object_set_new(object, "lead_id", json_text(show->id));
        json_object_set_new(object, "erased", json_time(show->erased_ms));
        json_print_line_take(object);
        return;
    }
    struct text_buffer out;
    text_buffer_init(&out);
    text_buffer_add_text(&out, "lead       ");
    add_person_text(&out, show->id);
    text_buffer_add_text(&out, "\nerased     ");
    add_time(show, show->erased_ms, &out);
    text_buffer_print(&out, " (%s)", agreement_zone_name(show->source));
    text_buffer_add_text(&out, ": nothing is kept of this person\n");
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
}

static void print_json(const struct lead_lookup *show)
{
    struct lead_view view = view_of(show);
    const struct baton_lead *lead = &show->lead;
    struct lead_clock clocks[BATON_CLOCKS];
    size_t clock_count = lead_clocks(lead, view.agreement, show->told_ms, show->at_ms, clocks);
    json_t *object = json_object();
    json_object_set_new(object, "lead_id", json_text(show->id));
    json_object_set_new(object, "unit", json_integer(show->stored.unit));
    lead_view_set_scores(&view, object);
    json_object_set_new(object, "stored_score", stored_number(show->stored.score));
    json_object_set_new(object, "stored_at", json_time(show->stored.newest_ms));
    json_object_set_new(object, "stage", json_string(baton_stage_name(lead->stage)));
    json_object_set_new(object, "generation", json_integer(lead->generation));
    json_object_set_new(object, "stage_at", json_time_or_null(baton_lead_stage_ms(lead)));
    json_object_set_new(object, "mql_at", json_time_or_null(lead->mql_ms));
    json_object_set_new(object, "sql_at", json_time_or_null(baton_lead_sql_ms(lead)));
    json_object_set_new(object, "persona", lead_view_persona(&view));
    json_object_set_new(object, "mail", lead_view_mail(&view));
    json_object_set_new(object, "forms", lead_view_forms(&view));
    json_object_set_new(object, "sales", lead_view_sales(&view));
    json_object_set_new(object, "clocks", lead_clocks_json(clocks, clock_count, show->source));
    json_object_set_new(object, "earlier", lead_view_earlier(&view));
    json_object_set_new(object, "rules", lead_view_rules(&view));
    json_object_set_new(object, "touches", lead_view_touches(&view));
    json_object_set_new(object, "conversions", json_integer(lead->conversions));
    json_object_set_new(object, "first_channel",
                        json_text_or_null(baton_words_text(&show->words, lead->first_channel)));
    json_object_set_new(object, "last_channel",
                        json_text_or_null(baton_words_text(&show->words, lead->last_channel)));
    json_object_set_new(object, "profile", lead_view_profile(&view));
    json_object_set_new(object, "events", json_integer(lead->events));
    json_object_set_new(object, "agreement", json_string(agreement_hash(show->source)));
    json_print_line_take(object);
}

static void add_scores(const struct lead_lookup *show, struct text_buffer *out)
{
    struct baton_score score;
    baton_lead_score(&show->lead, agreement_compiled(show->source), show->at_ms, &score);
    text_buffer_add_text(out, "\nscore      ");
    text_buffer_add_points(out, score.score);
    text_buffer_add_text(out, " points = ");
    struct lead_view view = view_of(show);
    lead_view_add_sides(&view, &score, out);
    lead_view_add_adjusted(&view, out);
    text_buffer_add_text(out, "   (stored: ");
    add_person_text(out, show->stored.score);
    text_buffer_add_text(out, " as of ");
    add_time(show, show->stored.newest_ms, out);
    text_buffer_add_text(out, ")\n");
}

static void add_stage(const struct lead_lookup *show, struct text_buffer *out)
{
    const struct baton_lead *lead = &show->lead;
    text_buffer_print(out, "stage      %s", baton_stage_name(lead->stage));
    if (lead->stage > BATON_SQL) {
        text_buffer_add_text(out, " since ");
        add_time(show, baton_lead_stage_ms(lead), out);
    }
    if (lead->generation > 1)
        text_buffer_print(out, ", generation %u", lead->generation);
    if (lead->mql_ms) {
        text_buffer_add_text(out, ", mql since ");
        add_time(show, lead->mql_ms, out);
    }
    if (baton_lead_sql_ms(lead)) {
        text_buffer_add_text(out, ", sql since ");
        add_time(show, baton_lead_sql_ms(lead), out);
    }
    text_buffer_print(out, "\nevents     %" PRIu32 ", %" PRIu32 " of them forms", lead->events,
                      lead->conversions);
    if (lead->first_channel) {
        text_buffer_add_text(out, "; first channel ");
        add_person_text(out, baton_words_text(&show->words, lead->first_channel));
        text_buffer_add_text(out, ", last ");
        add_person_text(out, baton_words_text(&show->words, lead->last_channel));
    }
    text_buffer_add_text(out, "\n");
}

static void add_profile(const struct lead_lookup *show, struct text_buffer *out)
{
    const char *head = "profile  ";
    for (size_t i = 0; i < show->lead.profile_count; i++) {
        const struct baton_profile_value *value = &show->lead.profile[i];
        if (!value->value.size)
            continue;
        text_buffer_print(out, "%s  ", head);
        add_profile_name(out, value);
        text_buffer_add_text(out, ": ");
        add_person_text(out, value->value);
        text_buffer_add_text(out, "\n");
        head = "         ";
    }
}

static void add_touch(const struct lead_lookup *show, const struct baton_touch *touch,
                      struct text_buffer *out)
{
    add_time(show, touch->time_ms, out);
    text_buffer_print(out, "  %s%s", baton_event_kind_name(touch->kind), touch->page ? " " : "");
    add_person_text(out, baton_words_text(&show->words, touch->page));
    if (touch->channel || touch->campaign) {
        text_buffer_add_text(out, "  via ");
        add_person_text(out, baton_words_text(&show->words, touch->channel));
        text_buffer_add_text(out, touch->channel && touch->campaign ? " / " : "");
        add_person_text(out, baton_words_text(&show->words, touch->campaign));
    }
    text_buffer_add_text(out, "  → ");
    add_person_text(out, baton_words_text(&show->words, touch->rules));
    text_buffer_add_text(out, "\n");
}

static void print_text(const struct lead_lookup *show)
{
    struct text_buffer out;
    struct lead_view view = view_of(show);
    struct lead_clock clocks[BATON_CLOCKS];
    size_t clock_count =
        lead_clocks(&show->lead, view.agreement, show->told_ms, show->at_ms, clocks);
    text_buffer_init(&out);
    text_buffer_add_text(&out, "lead       ");
    add_person_text(&out, show->id);
    add_unit(show, &out);
    add_scores(show, &out);
    add_stage(show, &out);
    lead_view_add_handover(&view, &out);
    lead_clocks_add(clocks, clock_count, show->source, &out);
    lead_view_add_history(&view, &out);
    text_buffer_add_text(&out, "points     ");
    size_t start = out.size;
    lead_view_add_rules(&view, &out);
    text_buffer_add_text(&out, out.size == start ? "no rule counted\n" : "\n");
    add_profile(show, &out);
    for (size_t i = 0; i < show->lead.touch_count; i++) {
        text_buffer_add_text(&out, i == 0 ? "touches    " : "           ");
        add_touch(show, &show->lead.touches[i], &out);
    }
    (void)fwrite(out.data, 1, out.size, stdout);
    text_buffer_fini(&out);
}

/* ---- The verb
 * ------------------------------------------------------------------------------------- */

int command_show(const struct invocation *invocation)
{
    struct lead_lookup show;
    int code = lead_lookup(invocation, &show);
    if (code == EXIT_CODE_OK) {
        if (show.erased)
            print_erased(&show);
        else if (show.lead.flags & BATON_LEAD_MERGED)
            print_merged(&show);
        else
            invocation->json ? print_json(&show) : print_text(&show);
        setup_tell_dates(show.source, show.language);
    }
    lead_lookup_fini(&show);
    return code;
}
