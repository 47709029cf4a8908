#include "domain/touch.h"

#include "domain/memory.h"

#include <string.h>

/* Ids joined by commas, as many as a word can hold whole. */
static uint32_t rules_word(const struct touch_rules *rules,
                           const struct baton_fold_context *context)
{
    char joined[BATON_WORD_MAX];
    uint32_t size = 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        struct baton_text id = context->agreement->behaviour[rules->rules[i]].id;
        uint32_t comma = size > 0;
        if (size + comma + id.size > sizeof joined)
            break;
        if (comma)
            joined[size++] = ',';
        if (id.size)
            memcpy(joined + size, id.data, id.size);
        size += id.size;
    }
    return baton_words_id(context->words, (struct baton_text){joined, size}, BATON_WORD_RULES);
}

static struct baton_touch touch_of(const struct baton_event *event, const struct touch_rules *rules,
                                   const struct baton_fold_context *context)
{
    const struct baton_text *fields = event->fields;
    bool by_form = event->kind == BATON_FORM_FILL && fields[BATON_FORM].size;
    return (struct baton_touch){
        .time_ms = event->time_ms,
        .page = baton_words_id(context->words, fields[by_form ? BATON_FORM : BATON_PAGE],
                               BATON_WORD_TEXT),
        .campaign = baton_words_id(context->words, fields[BATON_CAMPAIGN], BATON_WORD_TEXT),
        .channel = baton_words_id(context->words, fields[BATON_CHANNEL], BATON_WORD_TEXT),
        .rules = rules_word(rules, context),
        .kind = (uint8_t)event->kind,
        .by_page = event->kind == BATON_FORM_FILL && !by_form,
    };
}

static bool make_room(struct baton_lead *lead, struct baton_allocator *allocator)
{
    if (lead->touch_count < lead->touch_room)
        return true;
    struct baton_touch *grown =
        memory_grow(allocator, lead->touches, &lead->touch_room, sizeof *lead->touches);
    if (grown)
        lead->touches = grown;
    return grown != NULL;
}

bool touch_add(struct baton_lead *lead, const struct baton_event *event,
               const struct touch_rules *rules, const struct baton_fold_context *context)
{
    uint32_t most = context->agreement->touches;
    uint16_t place = 0;
    while (place < lead->touch_count && lead->touches[place].time_ms > event->time_ms)
        place++;
    if (place >= most)
        return true;
    if (lead->touch_count >= most)
        lead->touch_count = (uint16_t)(most - 1);
    if (!make_room(lead, context->allocator))
        return false;
    memmove(&lead->touches[place + 1], &lead->touches[place],
            (lead->touch_count - place) * sizeof *lead->touches);
    lead->touches[place] = touch_of(event, rules, context);
    lead->touch_count++;
    return true;
}
