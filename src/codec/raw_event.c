#include "codec/raw_event.h"

#include "base/hash.h"
#include "text/fold.h"

#define FEW_ENTRIES 12 /* up to here names are compared one by one */

/* The targets that only fill the field beside them. */
uint32_t raw_event_unread(uint32_t wanted)
{
    static const struct {
        enum baton_event_field field;
        enum target target;
    } pairs[] = {{BATON_PAGE, TARGET_PAGE},       {BATON_REFERRER, TARGET_REFERRER},
                 {BATON_CHANNEL, TARGET_CHANNEL}, {BATON_CAMPAIGN, TARGET_CAMPAIGN},
                 {BATON_SESSION, TARGET_SESSION}, {BATON_USER_AGENT, TARGET_USER_AGENT},
                 {BATON_TARGET, TARGET_TARGET},   {BATON_FORM, TARGET_FORM}};
    uint32_t unread = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!(wanted >> pairs[i].field & 1))
            unread |= 1u << pairs[i].target;
    return unread;
}

/* A form without a name is told by its page, and a page by the URL. */
uint32_t raw_event_unread_of(uint32_t wanted, int kind)
{
    const uint32_t page = 1u << TARGET_PAGE, url = 1u << TARGET_URL;
    const uint32_t by_url = 1u << BATON_URL | 1u << BATON_HOST | 1u << BATON_PAGE |
                            1u << BATON_CHANNEL | 1u << BATON_CAMPAIGN | 1u << BATON_UTM_SOURCE |
                            1u << BATON_UTM_MEDIUM | 1u << BATON_UTM_CAMPAIGN |
                            1u << BATON_UTM_TERM | 1u << BATON_UTM_CONTENT;
    uint32_t unread = raw_event_unread(wanted);
    if (kind == RAW_NO_KIND || kind == BATON_FORM_FILL)
        return unread & ~page;
    return wanted & by_url ? unread : unread | url;
}

void raw_event_init(struct raw_event *raw, uint32_t wanted, uint32_t unread)
{
    memory_clear(raw, offsetof(struct raw_event, rare));
    raw->kind = RAW_NO_KIND;
    raw->wanted = wanted;
    raw->unread = unread;
}

static uint64_t read_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint32_t read_half(const char *at)
{
    uint32_t half;
    memcpy(&half, at, sizeof half);
    return half;
}

/* All bytes of a text in one word, as far as their high bits go. What a loop over its end would
 * read byte by byte is read twice instead. */
static uint64_t high_bits(const char *at, size_t size)
{
    const char *end = at + size;
    uint64_t high = 0;
    if (size >= 8) {
        for (; end - at > 8; at += 8)
            high |= read_word(at);
        return high | read_word(end - 8);
    }
    if (size >= 4)
        return read_half(at) | read_half(end - 4);
    for (; at < end; at++)
        high |= (unsigned char)*at;
    return high;
}

bool raw_text_is_utf8(struct baton_text text)
{
    if (!text.size)
        return true; /* also of no bytes at all */
    return !(high_bits(text.data, text.size) & UINT64_C(0x8080808080808080)) ||
           text_is_utf8(text.data, text.size);
}

static void mention(struct raw_event *raw, enum target target)
{
    if (target >= TARGET_PROFILE)
        raw->mentioned |= 1u << (target - TARGET_PROFILE);
}

static void set_rare(struct raw_event *raw, enum target target, struct baton_text text)
{
    if (target != TARGET_STATE && !raw_text_is_utf8(text))
        return;
    raw->rare[target - TARGET_RARE] = text;
    raw->rare_given |= 1u << (target - TARGET_RARE);
}

struct baton_text raw_event_rare(const struct raw_event *raw, enum target target)
{
    bool given = raw->rare_given >> (target - TARGET_RARE) & 1;
    return given ? raw->rare[target - TARGET_RARE] : (struct baton_text){0};
}

void raw_event_set(struct raw_event *raw, enum target target, struct baton_text text)
{
    if (target >= TARGET_RARE) {
        set_rare(raw, target, text);
        return;
    }
    if (raw->unread >> target & 1) {
        if (target == TARGET_PAGE && (!raw->unread_page.size || raw_text_is_utf8(text)))
            raw->unread_page = text;
        return;
    }
    if (target > TARGET_LEAD_ID && !raw_text_is_utf8(text))
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
        if (target == TARGET_PAGE)
            raw->unread_page.size = 0;
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
    } else {
        raw->rare_given &= ~(1u << (target - TARGET_RARE));
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
