#include "domain/touch.h"

#include "domain/memory.h"
#include "domain/text.h"
#include "domain/words.h"

#include <string.h>

static uint32_t word_of(struct baton_words *words, const struct baton_event *event,
                        enum baton_event_field field, const struct matched *matched)
{
    struct baton_text text = event->fields[field];
    if (matched->hashed & 1u << field)
        return words_id_hashed(words, text, matched->hashes[field], BATON_WORD_TEXT);
    return baton_words_id(words, text, BATON_WORD_TEXT);
}

/* What the lead said before it mostly says again. */
static uint32_t word_again(struct baton_words *words, uint32_t before, struct baton_text text)
{
    if (before > BATON_WORD_OTHER && text_equal(baton_words_text(words, before), text))
        return before;
    return baton_words_id(words, text, BATON_WORD_TEXT);
}

/* New words come in this order. */
static struct baton_touch touch_of(const struct baton_lead *lead, const struct baton_event *event,
                                   const struct matched *matched, const struct touch_rules *rules,
                                   const struct baton_fold_context *context)
{
    const struct baton_text *fields = event->fields;
    bool by_form = event->kind == BATON_FORM_FILL && fields[BATON_FORM].size;
    struct baton_words *words = context->words;
    struct baton_touch touch = {
        .time_ms = event->time_ms,
        .kind = (uint8_t)event->kind,
        .by_page = event->kind == BATON_FORM_FILL && !by_form,
    };
    touch.page = word_of(words, event, by_form ? BATON_FORM : BATON_PAGE, matched);
    touch.campaign = word_again(words, lead->touch_count ? lead->touches[0].campaign : 0,
                                fields[BATON_CAMPAIGN]);
    touch.channel = word_again(words, lead->last_channel, fields[BATON_CHANNEL]);
    touch.rules = matcher_rules_word(context, rules);
    return touch;
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
               const struct matched *matched, const struct touch_rules *rules,
               const struct baton_fold_context *context)
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
    struct baton_touch touch = touch_of(lead, event, matched, rules, context);
    memmove(&lead->touches[place + 1], &lead->touches[place],
            (lead->touch_count - place) * sizeof *lead->touches);
    lead->touches[place] = touch;
    lead->touch_count++;
    return true;
}
