/* Two ids are one person: all that is known of both becomes one lead's. Nothing here depends on
 * which of the two came first, but for ties, which the lead that stays wins, and for the stage. */
#include "domain/unite.h"

#include "domain/history.h"
#include "domain/memory.h"
#include "domain/persons.h"
#include "domain/profile.h"
#include "domain/text.h"

static uint32_t add_saturating(uint32_t a, uint32_t b)
{
    uint32_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

static void unite_counts(struct baton_lead *lead, const struct baton_lead *from)
{
    if (from->events && (!lead->events || from->first_ms < lead->first_ms))
        lead->first_ms = from->first_ms;
    if (from->newest_ms > lead->newest_ms)
        lead->newest_ms = from->newest_ms;
    lead->events = add_saturating(lead->events, from->events);
    lead->conversions = add_saturating(lead->conversions, from->conversions);
}

/* The lead's own stay in front. */
static void unite_recent(struct baton_lead *lead, const struct baton_lead *from)
{
    for (uint8_t i = 0; i < from->recent_count && lead->recent_count < BATON_RECENT_IDS; i++)
        lead->recent[lead->recent_count++] = from->recent[i];
}

static void unite_channels(struct baton_lead *lead, const struct baton_lead *from)
{
    if (from->first_channel &&
        (!lead->first_channel || from->first_channel_ms < lead->first_channel_ms)) {
        lead->first_channel = from->first_channel;
        lead->first_channel_ms = from->first_channel_ms;
    }
    if (from->last_channel &&
        (!lead->last_channel || from->last_channel_ms > lead->last_channel_ms)) {
        lead->last_channel = from->last_channel;
        lead->last_channel_ms = from->last_channel_ms;
    }
}

/* ---- Touches, forms, mails ------------------------------------------------------------------- */

static bool touch_insert(struct baton_lead *lead, const struct baton_touch *touch, uint32_t most,
                         struct baton_allocator *allocator)
{
    uint16_t place = 0;
    while (place < lead->touch_count && lead->touches[place].time_ms >= touch->time_ms)
        place++;
    if (place >= most)
        return true;
    if (lead->touch_count >= most)
        lead->touch_count = (uint16_t)(most - 1);
    if (lead->touch_count == lead->touch_room) {
        struct baton_touch *grown =
            memory_grow(allocator, lead->touches, &lead->touch_room, sizeof *lead->touches);
        if (!grown)
            return false;
        lead->touches = grown;
    }
    memmove(&lead->touches[place + 1], &lead->touches[place],
            (lead->touch_count - place) * sizeof *lead->touches);
    lead->touches[place] = *touch;
    lead->touch_count++;
    return true;
}

static bool unite_touches(struct baton_lead *lead, const struct baton_lead *from,
                          const struct baton_fold_context *context)
{
    for (uint16_t i = 0; i < from->touch_count; i++)
        if (!touch_insert(lead, &from->touches[i], context->agreement->touches, context->allocator))
            return false;
    return true;
}

static void form_insert(struct baton_history *history, const struct baton_form *form)
{
    uint8_t place = 0;
    while (place < history->form_count && history->forms[place].time_ms >= form->time_ms)
        place++;
    if (place == BATON_FORMS_MAX)
        return;
    if (history->form_count < BATON_FORMS_MAX)
        history->form_count++;
    memmove(&history->forms[place + 1], &history->forms[place],
            (size_t)(history->form_count - 1 - place) * sizeof *history->forms);
    history->forms[place] = *form;
}

static int32_t add_adjusted(int32_t a, int32_t b)
{
    int64_t sum = (int64_t)a + b;
    return (int32_t)(sum > BATON_SCORE_MAX    ? BATON_SCORE_MAX
                     : sum < -BATON_SCORE_MAX ? -BATON_SCORE_MAX
                                              : sum);
}

bool unite_history(struct baton_lead *lead, const struct baton_lead *from,
                   struct baton_allocator *allocator)
{
    const struct baton_history *theirs = from->history;
    if (!theirs)
        return true;
    struct baton_history *ours = baton_lead_history(lead, allocator);
    if (!ours)
        return false;
    for (unsigned i = 0; i < BATON_MAIL_KINDS; i++)
        ours->mail.counts[i] = add_saturating(ours->mail.counts[i], theirs->mail.counts[i]);
    if (theirs->mail.opened_ms > ours->mail.opened_ms)
        ours->mail.opened_ms = theirs->mail.opened_ms;
    if (theirs->mail.clicked_ms > ours->mail.clicked_ms)
        ours->mail.clicked_ms = theirs->mail.clicked_ms;
    for (uint8_t i = 0; i < theirs->form_count; i++)
        form_insert(ours, &theirs->forms[i]);
    ours->adjusted = add_adjusted(ours->adjusted, theirs->adjusted);
    return true;
}

/* ---- Profile --------------------------------------------------------------------------------- */

static bool is_newer(const struct baton_lead *lead, const struct baton_profile_value *value)
{
    for (uint16_t i = 0; i < lead->profile_count; i++)
        if (profile_value_compare(&lead->profile[i], value->field, value->name) == 0)
            return value->time_ms > lead->profile[i].time_ms;
    return true;
}

static bool unite_profiles(struct baton_lead *lead, const struct baton_lead *from,
                           const struct baton_fold_context *context)
{
    for (uint16_t i = 0; i < from->profile_count; i++) {
        const struct baton_profile_value *value = &from->profile[i];
        struct baton_profile_update update = {.field = (enum baton_profile_field)value->field,
                                              .name = value->name,
                                              .value = value->value,
                                              .folded = value->folded};
        if (is_newer(lead, value) && profile_take(lead, &update, value->time_ms, context->agreement,
                                                  context->allocator) == PROFILE_NO_MEMORY)
            return false;
    }
    profile_refit(lead, context->agreement);
    return true;
}

bool unite(const struct folding *folding, struct baton_lead *from)
{
    struct baton_lead *lead = folding->lead;
    const struct baton_fold_context *context = folding->context;
    unite_counts(lead, from);
    unite_recent(lead, from);
    unite_channels(lead, from);
    return unite_tallies(lead, from, context) && unite_touches(lead, from, context) &&
           unite_profiles(lead, from, context) && unite_history(lead, from, context->allocator) &&
           unite_stages(folding, from);
}
