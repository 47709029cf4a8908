#include "codec/raw_event.h"

#include "base/hash.h"
#include "text/fold.h"

#define FEW_ENTRIES 12 /* up to here names are compared one by one */

/* The targets that only fill the field beside them. A URL may say the channel, a page is wanted or
 * not. */
uint32_t raw_event_unread(uint32_t wanted)
{
    static const struct {
        enum baton_event_field field;
        enum target target;
    } pairs[] = {{BATON_PAGE, TARGET_PAGE},
                 {BATON_REFERRER, TARGET_REFERRER},
                 {BATON_CAMPAIGN, TARGET_CAMPAIGN},
                 {BATON_SESSION, TARGET_SESSION},
                 {BATON_USER_AGENT, TARGET_USER_AGENT},
                 {BATON_TARGET, TARGET_TARGET},
                 {BATON_FORM, TARGET_FORM}};
    uint32_t unread = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!(wanted >> pairs[i].field & 1))
            unread |= 1u << pairs[i].target;
    return unread;
}

void raw_event_init(struct raw_event *raw, uint32_t wanted, uint32_t unread)
{
    memset(raw, 0, sizeof *raw);
    raw->kind = RAW_NO_KIND;
    raw->wanted = wanted;
    raw->unread = unread;
}

bool raw_text_is_utf8(struct baton_text text)
{
    if (!text.size)
        return true; /* also of no bytes at all */
    const char *at = text.data, *end = text.data + text.size;
    uint64_t high = 0, word;
    for (; end - at >= 8; at += 8) {
        memcpy(&word, at, 8);
        high |= word;
    }
    for (; at < end; at++)
        high |= (uint64_t)(unsigned char)*at;
    return !(high & UINT64_C(0x8080808080808080)) || text_is_utf8(text.data, text.size);
}

static void mention(struct raw_event *raw, enum target target)
{
    if (target >= TARGET_PROFILE)
        raw->mentioned |= 1u << (target - TARGET_PROFILE);
}

void raw_event_set(struct raw_event *raw, enum target target, struct baton_text text)
{
    if (raw->unread >> target & 1 || (target > TARGET_LEAD_ID && !raw_text_is_utf8(text)))
        return;
    raw->texts[target] = text;
    mention(raw, target);
}

void raw_event_set_null(struct raw_event *raw, enum target target)
{
    if (target < TARGET_TEXTS)
        mention(raw, target);
}

void raw_event_clear(struct raw_event *raw, enum target target)
{
    if (target < TARGET_TEXTS) {
        raw->texts[target].size = 0;
        if (target >= TARGET_PROFILE)
            raw->mentioned &= ~(1u << (target - TARGET_PROFILE));
    } else if (target == TARGET_TIME) {
        raw->has_time = false;
    } else if (target == TARGET_KIND) {
        raw->kind = RAW_NO_KIND;
    } else if (target == TARGET_FIELDS) {
        raw->fields.count = 0;
    } else if (target == TARGET_PROPERTIES) {
        raw->properties.count = 0;
    }
}

void raw_event_set_time(struct raw_event *raw, int64_t time_ms)
{
    raw->has_time = time_ms >= 0 && time_ms <= BATON_TIME_MAX_MS;
    raw->time_ms = time_ms;
}

void raw_entries_add(struct raw_entries *entries, struct arena *arena, struct baton_text name,
                     struct baton_text value)
{
    if (!raw_text_is_utf8(name) || !raw_text_is_utf8(value))
        return;
    if (entries->count == entries->room) {
        uint32_t room = entries->room ? entries->room * 2 : 8;
        struct raw_entry *items = arena_take(arena, room * sizeof *items);
        if (entries->count)
            memcpy(items, entries->items, entries->count * sizeof *items);
        entries->items = items;
        entries->room = room;
    }
    entries->items[entries->count++] = (struct raw_entry){name, value};
}

static bool among(const struct raw_entry *items, uint32_t count, struct baton_text name)
{
    for (uint32_t i = 0; i < count; i++)
        if (text_equal(items[i].name, name))
            return true;
    return false;
}

/* The slot of a name in an open table of indexes + 1: its own, or the free one where it would go.
 */
static uint32_t *slot_of(uint32_t *slots, uint32_t mask, const struct raw_entry *items,
                         struct baton_text name)
{
    uint32_t at = (uint32_t)hash64(name.data, name.size, 0) & mask;
    while (slots[at] && !text_equal(items[slots[at] - 1].name, name))
        at = (at + 1) & mask;
    return &slots[at];
}

bool raw_entries_repeat(struct raw_entries *entries, struct arena *arena, bool drop)
{
    uint32_t *slots = NULL, mask = 0, kept = 0, count = entries->count;
    struct raw_entry *items = entries->items;
    if (count > FEW_ENTRIES) {
        for (mask = 32; mask < count * 2; mask *= 2)
            ;
        slots = arena_take(arena, mask * sizeof *slots);
        memset(slots, 0, mask * sizeof *slots);
        mask--;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t *slot = slots ? slot_of(slots, mask, items, items[i].name) : NULL;
        if (slot ? *slot != 0 : among(items, kept, items[i].name)) {
            if (!drop)
                return true;
            continue;
        }
        items[kept++] = items[i];
        if (slot)
            *slot = kept;
    }
    entries->count = kept;
    return kept < count;
}
