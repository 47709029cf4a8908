/* What sales is told of a lead when it is handed over, for `show`. */
#include "commands/lead_view.h"

#include <inttypes.h>

static const char *const mail_names[BATON_MAIL_KINDS] = {"sent",    "delivered", "opened",
                                                         "clicked", "bounced",   "unsubscribed"};

static bool has_mail(const struct baton_history *history)
{
    bool any = false;
    for (int i = 0; history && i < BATON_MAIL_KINDS; i++)
        any = any || history->mail.counts[i];
    return any;
}

json_t *lead_view_mail(const struct lead_view *view)
{
    const struct baton_history *history = view->lead->history;
    if (!has_mail(history))
        return json_null();
    json_t *object = json_object();
    for (int i = 0; i < BATON_MAIL_KINDS; i++)
        json_object_set_new(object, mail_names[i], json_integer(history->mail.counts[i]));
    json_object_set_new(object, "last_opened", json_time_or_null(history->mail.opened_ms));
    json_object_set_new(object, "last_clicked", json_time_or_null(history->mail.clicked_ms));
    return object;
}

json_t *lead_view_forms(const struct lead_view *view)
{
    const struct baton_history *history = view->lead->history;
    json_t *list = json_array();
    for (uint8_t i = 0; history && i < history->form_count; i++) {
        const struct baton_form *form = &history->forms[i];
        bool by_page = form->fields & BATON_FORM_BY_PAGE;
        json_t *object = json_object(), *fields = json_array();
        json_t *place = json_text_or_null(baton_words_text(view->words, form->form));
        for (unsigned field = 0; field < BATON_PROFILE_FIELDS; field++)
            if (form->fields & 1u << field)
                json_array_append_new(
                    fields, json_string(baton_profile_field_name((enum baton_profile_field)field)));
        json_object_set_new(object, "time", json_time(form->time_ms));
        json_object_set_new(object, "form", by_page ? json_null() : json_incref(place));
        json_object_set_new(object, "page", by_page ? json_incref(place) : json_null());
        json_object_set_new(object, "fields", fields);
        json_decref(place);
        json_array_append_new(list, object);
    }
    return list;
}

static void add_mail(const struct lead_view *view, const struct baton_mail *mail,
                     struct text_buffer *out)
{
    const char *before = "mail       ";
    for (int i = 0; i < BATON_MAIL_KINDS; i++) {
        if (!mail->counts[i])
            continue;
        text_buffer_print(out, "%s%" PRIu32 " %s", before, mail->counts[i], mail_names[i]);
        before = ", ";
    }
    if (mail->opened_ms) {
        text_buffer_add_text(out, "; last opened ");
        lead_view_add_time(view, mail->opened_ms, out);
    }
    if (mail->clicked_ms) {
        text_buffer_add_text(out, "; last clicked ");
        lead_view_add_time(view, mail->clicked_ms, out);
    }
    text_buffer_add_text(out, "\n");
}

void lead_view_add_handover(const struct lead_view *view, struct text_buffer *out)
{
    const struct baton_history *history = view->lead->history;
    if (view->lead->persona) {
        text_buffer_add_text(out, "persona    ");
        add_person_text(out, view->agreement->personas[view->lead->persona - 1].id);
        text_buffer_add_text(out, "\n");
    }
    if (has_mail(history))
        add_mail(view, &history->mail, out);
    for (uint8_t i = 0; history && i < history->form_count; i++) {
        text_buffer_add_text(out, i ? "           " : "forms      ");
        lead_view_add_time(view, history->forms[i].time_ms, out);
        text_buffer_add_text(out, "  ");
        add_person_text(out, baton_words_text(view->words, history->forms[i].form));
        text_buffer_add_text(out, "\n");
    }
}
