#include "domain/history.h"

#include "domain/memory.h"

#include <string.h>

_Static_assert(BATON_EMAIL_UNSUBSCRIBED - BATON_EMAIL_SENT + 1 == BATON_MAIL_KINDS,
               "a count for each kind of mail");

struct baton_history *baton_lead_history(struct baton_lead *lead, struct baton_allocator *allocator)
{
    if (lead->history)
        return lead->history;
    lead->history = memory_new(allocator, sizeof *lead->history);
    if (lead->history)
        memset(lead->history, 0, sizeof *lead->history);
    return lead->history;
}

static void free_text(struct baton_text text, struct baton_allocator *allocator)
{
    memory_free(allocator, (void *)(uintptr_t)text.data, text.size);
}

void history_free(struct baton_history *history, struct baton_allocator *allocator)
{
    if (!history)
        return;
    for (uint8_t i = 0; i < history->alias_count; i++)
        free_text(history->aliases[i], allocator);
    memory_free(allocator, history->aliases, history->alias_count * sizeof *history->aliases);
    free_text(history->into, allocator);
    memory_free(allocator, history, sizeof *history);
}

int64_t baton_lead_sql_ms(const struct baton_lead *lead)
{
    return lead->history ? lead->history->sql_ms : 0;
}

int64_t baton_lead_stage_ms(const struct baton_lead *lead)
{
    if (lead->stage == BATON_LEAD)
        return 0;
    if (lead->stage == BATON_MQL)
        return lead->mql_ms;
    return lead->history ? lead->history->stage_ms : 0;
}

/* ---- Mails and forms ------------------------------------------------------------------------- */

static void take_mail(struct baton_mail *mail, const struct baton_event *event)
{
    uint32_t *count = &mail->counts[event->kind - BATON_EMAIL_SENT];
    if (*count < UINT32_MAX)
        (*count)++;
    if (event->kind == BATON_EMAIL_OPENED && event->time_ms > mail->opened_ms)
        mail->opened_ms = event->time_ms;
    if (event->kind == BATON_EMAIL_CLICKED && event->time_ms > mail->clicked_ms)
        mail->clicked_ms = event->time_ms;
}

static uint32_t answered(const struct baton_event *event)
{
    uint32_t fields = 0;
    for (uint32_t i = 0; i < event->update_count; i++)
        if (event->updates[i].field < BATON_PROFILE_FIELDS && event->updates[i].value.size)
            fields |= 1u << event->updates[i].field;
    return fields;
}

/* Newest first by event time; at a tie the later in the log. */
static void take_form(struct baton_history *history, const struct baton_event *event,
                      struct baton_words *words)
{
    uint8_t place = 0;
    while (place < history->form_count && history->forms[place].time_ms > event->time_ms)
        place++;
    if (place == BATON_FORMS_MAX)
        return;
    if (history->form_count < BATON_FORMS_MAX)
        history->form_count++;
    memmove(&history->forms[place + 1], &history->forms[place],
            (size_t)(history->form_count - 1 - place) * sizeof *history->forms);
    bool named = event->fields[BATON_FORM].size > 0;
    history->forms[place] = (struct baton_form){
        .time_ms = event->time_ms,
        .form =
            baton_words_id(words, event->fields[named ? BATON_FORM : BATON_PAGE], BATON_WORD_TEXT),
        .fields = answered(event) | (named ? 0 : BATON_FORM_BY_PAGE)};
}

bool history_take(struct baton_lead *lead, const struct baton_event *event,
                  const struct baton_fold_context *context)
{
    bool mail = event->kind >= BATON_EMAIL_SENT && event->kind <= BATON_EMAIL_UNSUBSCRIBED;
    if (!mail && event->kind != BATON_FORM_FILL)
        return true;
    struct baton_history *history = baton_lead_history(lead, context->allocator);
    if (!history)
        return false;
    if (mail)
        take_mail(&history->mail, event);
    else
        take_form(history, event, context->words);
    return true;
}
