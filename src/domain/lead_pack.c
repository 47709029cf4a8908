#include "domain/lead_pack.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "domain/tally.h"

#include <assert.h>

#define HEAD_BYTES (PACK_CHECKED_AT + 3 + 10 * BYTES_VARINT_MAX + 7 * BATON_RECENT_IDS)
#define CHANNEL_BYTES (4 * BYTES_VARINT_MAX)
#define TALLY_BYTES (4 + 6 * BYTES_VARINT_MAX)
#define WINDOW_BYTES ((2 + BATON_WHILE_DAYS_MAX) * BYTES_VARINT_MAX)
#define TOUCH_BYTES (6 * BYTES_VARINT_MAX)
#define VALUE_BYTES (1 + 4 * BYTES_VARINT_MAX)
#define COUNT_BYTES 3 /* of each of the three arrays */

size_t baton_lead_pack_bound(const struct baton_lead *lead)
{
    size_t size =
        HEAD_BYTES + CHANNEL_BYTES + 3 * COUNT_BYTES + lead->tally_count * (size_t)TALLY_BYTES +
        lead->touch_count * (size_t)TOUCH_BYTES + lead->profile_count * (size_t)VALUE_BYTES;
    for (uint16_t i = 0; i < lead->profile_count; i++) {
        const struct baton_profile_value *value = &lead->profile[i];
        size += (size_t)value->name.size + value->value.size + value->folded.size;
    }
    for (uint16_t i = 0; i < lead->tally_count; i++)
        size += lead->tallies[i].parts & TALLY_HAS_WINDOW ? WINDOW_BYTES : 0;
    return size + history_pack_bound(lead->history);
}

static uint32_t flags_of(const struct baton_lead *lead)
{
    uint32_t flags = lead->stage | (uint32_t)lead->recent_count << PACK_RECENT_SHIFT;
    flags |= lead->tally_count ? PACK_TALLIES : 0;
    flags |= lead->first_channel || lead->last_channel ? PACK_CHANNELS : 0;
    flags |= lead->first_ms != lead->newest_ms ? PACK_FIRST_MS : 0;
    flags |= lead->touch_count ? PACK_TOUCHES : 0;
    flags |= lead->conversions ? PACK_CONVERSIONS : 0;
    flags |= lead->profile_count ? PACK_PROFILE : 0;
    flags |= lead->mql_ms ? PACK_MQL_MS : 0;
    flags |= lead->stage_offset >= 0 ? PACK_STAGE_OFFSET : 0;
    flags |= lead->history ? PACK_HISTORY : 0;
    flags |= lead->generation != 1 ? PACK_GENERATION : 0;
    flags |= lead->flags & BATON_LEAD_MERGED ? PACK_MERGED : 0;
    flags |= lead->flags & BATON_LEAD_EMPTIED ? PACK_EMPTIED : 0;
    flags |= lead->flags & BATON_LEAD_ERASED ? PACK_ERASED : 0;
    return flags;
}

static uint8_t *put_before(uint8_t *at, int64_t newest_ms, int64_t time_ms)
{
    assert(time_ms <= newest_ms);
    return bytes_put_varint(at, (uint64_t)(newest_ms - time_ms));
}

static uint8_t *put_head(uint8_t *at, const struct baton_lead *lead, int64_t applied,
                         uint32_t flags)
{
    at = bytes_put_varint(at, flags);
    at = bytes_put_varint(at, (uint64_t)applied);
    at = bytes_put_varint(at, (uint64_t)lead->newest_ms);
    at = bytes_put_varint(at, lead->events);
    if (flags & PACK_FIRST_MS)
        at = put_before(at, lead->newest_ms, lead->first_ms);
    if (flags & PACK_GENERATION)
        at = bytes_put_varint(at, lead->generation);
    if (flags & PACK_CONVERSIONS)
        at = bytes_put_varint(at, lead->conversions);
    if (flags & PACK_STAGE_OFFSET)
        at = bytes_put_varint(at, (uint64_t)lead->stage_offset);
    if (flags & PACK_MQL_MS)
        at = bytes_put_zigzag(at, lead->newest_ms - lead->mql_ms);
    for (unsigned i = 0; i < lead->recent_count; i++)
        for (unsigned byte = 0; byte < 7; byte++)
            *at++ = (uint8_t)(lead->recent[i] >> (8 * byte));
    return at;
}

static uint8_t *put_channels(uint8_t *at, const struct baton_lead *lead)
{
    at = bytes_put_varint(at, lead->first_channel);
    at = put_before(at, lead->newest_ms, lead->first_channel_ms);
    at = bytes_put_varint(at, lead->last_channel);
    return put_before(at, lead->newest_ms, lead->last_channel_ms);
}

static uint8_t *put_window(uint8_t *at, const struct baton_window *window)
{
    uint32_t days = BATON_WHILE_DAYS_MAX;
    while (days > 1 && !window->counts[days - 1])
        days--;
    assert(window->counts[days - 1]); /* there is no window without an event */
    at = bytes_put_zigzag(at, window->newest_day);
    at = bytes_put_varint(at, days);
    for (uint32_t i = 0; i < days; i++)
        at = bytes_put_varint(at, window->counts[i]);
    return at;
}

static uint8_t *put_tally(uint8_t *at, const struct baton_tally *tally, int64_t newest_ms)
{
    at = bytes_put_u32_le(at, tally->rule_hash);
    at = bytes_put_varint(at, (uint64_t)tally->count << 3 | tally->parts);
    if (tally->parts & TALLY_HAS_BUCKET) {
        at = bytes_put_zigzag(at, tally->bucket);
        at = bytes_put_varint(at, tally->bucket_count);
        at = bytes_put_varint(at, tally->before_count);
    }
    if (tally->parts & TALLY_HAS_WEIGHT) {
        at = bytes_put_varint(at, tally->weight);
        at = put_before(at, newest_ms, tally->weight_ms);
    }
    if (tally->parts & TALLY_HAS_WINDOW)
        at = put_window(at, tally->window);
    return at;
}

static uint8_t *put_tallies(uint8_t *at, const struct baton_lead *lead)
{
    at = bytes_put_varint(at, lead->tally_count);
    for (uint16_t i = 0; i < lead->tally_count; i++)
        at = put_tally(at, &lead->tallies[i], lead->newest_ms);
    return at;
}

static uint8_t *put_touches(uint8_t *at, const struct baton_lead *lead)
{
    int64_t before_ms = lead->newest_ms;
    at = bytes_put_varint(at, lead->touch_count);
    for (uint16_t i = 0; i < lead->touch_count; i++) {
        const struct baton_touch *touch = &lead->touches[i];
        *at++ = (uint8_t)(touch->kind | (touch->by_page ? PACK_TOUCH_BY_PAGE : 0));
        at = put_before(at, before_ms, touch->time_ms);
        at = bytes_put_varint(at, touch->page);
        at = bytes_put_varint(at, touch->campaign);
        at = bytes_put_varint(at, touch->channel);
        at = bytes_put_varint(at, touch->rules);
        before_ms = touch->time_ms;
    }
    return at;
}

static uint8_t *put_text(uint8_t *at, struct baton_text text)
{
    return bytes_put(bytes_put_varint(at, text.size), text.data, text.size);
}

static uint8_t *put_profile(uint8_t *at, const struct baton_lead *lead)
{
    at = bytes_put_varint(at, lead->profile_count);
    for (uint16_t i = 0; i < lead->profile_count; i++) {
        const struct baton_profile_value *value = &lead->profile[i];
        bool own_folded = value->folded.data != value->value.data;
        *at++ = (uint8_t)(value->field | (own_folded ? PACK_OWN_FOLDED : 0));
        at = put_before(at, lead->newest_ms, value->time_ms);
        if (value->field == BATON_PROPERTY)
            at = put_text(at, value->name);
        at = put_text(at, value->value);
        if (own_folded)
            at = put_text(at, value->folded);
    }
    return at;
}

static uint8_t *put_parts(uint8_t *at, const struct baton_lead *lead, int64_t applied)
{
    uint32_t flags = flags_of(lead);
    at = put_head(at, lead, applied, flags);
    if (flags & PACK_CHANNELS)
        at = put_channels(at, lead);
    if (flags & PACK_TALLIES)
        at = put_tallies(at, lead);
    if (flags & PACK_TOUCHES)
        at = put_touches(at, lead);
    if (flags & PACK_PROFILE)
        at = put_profile(at, lead);
    if (flags & PACK_HISTORY)
        at = history_pack(at, lead);
    return at;
}

/* Bytes that the size takes, itself counted in. */
static size_t size_bytes(size_t rest)
{
    uint8_t room[BYTES_VARINT_MAX];
    size_t bytes = 1;
    while ((size_t)(bytes_put_varint(room, PACK_CHECKED_AT + bytes + rest) - room) > bytes)
        bytes++;
    return bytes;
}

size_t baton_lead_pack(const struct baton_lead *lead, int64_t applied, uint8_t *room)
{
    assert(applied >= 0);
    /* Most leads need one byte for the size: the parts go behind it, and move where they need more.
     */
    uint8_t *parts = room + PACK_CHECKED_AT + 1;
    size_t rest = (size_t)(put_parts(parts, lead, applied) - parts);
    size_t bytes = size_bytes(rest), size = PACK_CHECKED_AT + bytes + rest;
    assert(size <= BATON_LEAD_PACKED_MAX);
    if (bytes > 1)
        memmove(parts + bytes - 1, parts, rest);
    (void)bytes_put_varint(room + PACK_CHECKED_AT, size);
    room[0] = PACK_VERSION;
    uint64_t sum = hash64(room + PACK_CHECKED_AT, size - PACK_CHECKED_AT, PACK_VERSION);
    (void)bytes_put_u32_le(room + 1, (uint32_t)sum);
    return size;
}
