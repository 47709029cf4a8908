#include "codec/outgoing_handover.h"

#include "codec/outgoing_json.h"

#include <stdlib.h>

static json_t *word(const struct stage_view *view, uint32_t id)
{
    return text_or_null(baton_words_text(view->words, id));
}

static json_t *moment_or_null(int64_t time_ms, enum content_style style)
{
    return time_ms ? moment(time_ms, style) : json_null();
}

/* ---- Who it is ------------------------------------------------------------------------------- */

static json_t *persona(const struct stage_view *view)
{
    uint16_t number = view->lead->persona;
    return number ? text(view->agreement->personas[number - 1].id) : json_null();
}

static json_t *segment(const struct stage_view *view)
{
    if (!(view->agreement->share & 1u << BATON_SEGMENT))
        return json_null();
    return text_or_null(baton_profile_get(view->lead, BATON_SEGMENT, (struct baton_text){NULL, 0}));
}

static json_t *age(const struct stage_view *view)
{
    int64_t age_ms = view->event->time_ms - view->lead->first_ms;
    if (!view->lead->events)
        return json_null();
    return json_integer(age_ms > 0 ? age_ms : 0);
}

/* ---- What it did ----------------------------------------------------------------------------- */

static json_t *form_fields(const struct stage_view *view, const struct baton_form *form)
{
    json_t *names = made(json_array());
    for (unsigned field = 0; field < BATON_PROFILE_FIELDS; field++)
        if (form->fields & view->agreement->share & 1u << field)
            add(names, c_text(baton_profile_field_name((enum baton_profile_field)field)));
    return names;
}

static json_t *forms(const struct stage_view *view, enum content_style style)
{
    const struct baton_history *history = view->lead->history;
    json_t *list = made(json_array());
    for (uint8_t i = 0; history && i < history->form_count; i++) {
        const struct baton_form *form = &history->forms[i];
        bool by_page = form->fields & BATON_FORM_BY_PAGE;
        json_t *item = made(json_object());
        put(item, "time", moment(form->time_ms, style));
        put(item, "form", by_page ? json_null() : word(view, form->form));
        put(item, "page", by_page ? word(view, form->form) : json_null());
        put(item, "fields", form_fields(view, form));
        add(list, item);
    }
    return list;
}

static json_t *mail(const struct stage_view *view, enum content_style style)
{
    static const char *const names[BATON_MAIL_KINDS] = {"sent",    "delivered", "opened",
                                                        "clicked", "bounced",   "unsubscribed"};
    const struct baton_history *history = view->lead->history;
    uint64_t sum = 0;
    for (int i = 0; history && i < BATON_MAIL_KINDS; i++)
        sum += history->mail.counts[i];
    if (!sum)
        return json_null();
    json_t *item = made(json_object());
    for (int i = 0; i < BATON_MAIL_KINDS; i++)
        put(item, names[i], json_integer(history->mail.counts[i]));
    put(item, "last_opened", moment_or_null(history->mail.opened_ms, style));
    put(item, "last_clicked", moment_or_null(history->mail.clicked_ms, style));
    return item;
}

/* A page of the touches, how often it is there, and one of its newest touches. */
struct page {
    uint32_t word, times;
    int64_t time_ms;
};

/* Most often first, then newest first, then in the order of their words. */
static int by_times(const void *left, const void *right)
{
    const struct page *a = left, *b = right;
    if (a->times != b->times)
        return a->times > b->times ? -1 : 1;
    if (a->time_ms != b->time_ms)
        return a->time_ms > b->time_ms ? -1 : 1;
    return a->word < b->word ? -1 : a->word > b->word;
}

static bool is_of_page(const struct baton_touch *touch, uint32_t page)
{
    bool form = touch->kind == BATON_FORM_FILL && !touch->by_page;
    return !form && touch->page != BATON_WORD_NONE && (!page || touch->page == page);
}

static size_t count_pages(const struct baton_lead *lead, struct page pages[BATON_TOUCHES_MAX])
{
    size_t count = 0;
    for (uint16_t i = 0; i < lead->touch_count; i++) {
        const struct baton_touch *touch = &lead->touches[i];
        size_t at = 0;
        if (!is_of_page(touch, BATON_WORD_NONE))
            continue;
        while (at < count && pages[at].word != touch->page)
            at++;
        if (at == count) /* newest first */
            pages[count++] = (struct page){.word = touch->page, .time_ms = touch->time_ms};
        pages[at].times++;
    }
    qsort(pages, count, sizeof *pages, by_times);
    return count;
}

static void add_once(json_t *names, struct baton_text joined)
{
    json_t *name, *known, *split = split_at_commas(joined);
    size_t i, j;
    json_array_foreach(split, i, name)
    {
        bool there = false;
        json_array_foreach(names, j, known) there = there || json_equal(known, name);
        if (!there)
            add(names, json_incref(name));
    }
    json_decref(split);
}

static json_t *page_rules(const struct stage_view *view, uint32_t page)
{
    json_t *names = made(json_array());
    for (uint16_t i = 0; i < view->lead->touch_count; i++)
        if (is_of_page(&view->lead->touches[i], page))
            add_once(names, baton_words_text(view->words, view->lead->touches[i].rules));
    return names;
}

static json_t *pages(const struct stage_view *view, enum content_style style)
{
    struct page found[BATON_TOUCHES_MAX];
    json_t *list = made(json_array());
    size_t count = count_pages(view->lead, found);
    for (size_t i = 0; i < count; i++) {
        json_t *item = made(json_object());
        put(item, "page", text(baton_words_text(view->words, found[i].word)));
        put(item, "times", json_integer(found[i].times));
        put(item, "last", moment(found[i].time_ms, style));
        put(item, "rules", page_rules(view, found[i].word));
        add(list, item);
    }
    return list;
}

/* ---- What was before ------------------------------------------------------------------------- */

static json_t *earlier(const struct stage_view *view, enum content_style style)
{
    const struct baton_history *history = view->lead->history;
    json_t *list = made(json_array());
    for (uint8_t i = 0; history && i < history->earlier_count; i++) {
        const struct baton_earlier *one = &history->earlier[i];
        json_t *item = made(json_object());
        put(item, "generation", json_integer(one->generation));
        put(item, "promoted", moment(one->promoted_ms, style));
        put(item, "ended", moment(one->ended_ms, style));
        put(item, "stage", json_string(baton_stage_name((enum baton_stage)one->stage)));
        put(item, "reason", word(view, one->reason));
        add(list, item);
    }
    return list;
}

void handover_put(json_t *record, const struct stage_view *view, enum content_style style,
                  enum language language)
{
    put(record, "persona", persona(view));
    put(record, "segment", segment(view));
    put(record, "owner", text_or_null(view->owner));
    put(record, "age_ms", age(view));
    put(record, "forms", forms(view, style));
    put(record, "mail", mail(view, style));
    put(record, "pages", pages(view, style));
    put(record, "earlier", earlier(view, style));
    put(record, "why", handover_why(view, language));
}
