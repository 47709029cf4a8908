#include "domain/lead_pack.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "domain/memory.h"
#include "domain/profile.h"
#include "domain/tally.h"
#include "domain/unpack.h"

static void read_recent(struct unpack *in, uint32_t count)
{
    if (count > BATON_RECENT_IDS) {
        in->bytes.failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id = 0;
        for (unsigned byte = 0; byte < 7; byte++)
            id |= (uint64_t)bytes_u8(&in->bytes) << (8 * byte);
        in->lead->recent[i] = id;
    }
    in->lead->recent_count = (uint8_t)count;
}

static uint32_t read_head(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    uint32_t flags = (uint32_t)unpack_number(in, PACK_FLAGS_END - 1);
    lead->stage = flags & PACK_STAGE;
    in->bytes.failed |= lead->stage >= BATON_STAGES;
    lead->flags = (uint8_t)((flags & PACK_MERGED ? BATON_LEAD_MERGED : 0) |
                            (flags & PACK_EMPTIED ? BATON_LEAD_EMPTIED : 0) |
                            (flags & PACK_ERASED ? BATON_LEAD_ERASED : 0));
    lead->applied = (int64_t)unpack_number(in, INT64_MAX);
    lead->newest_ms = (int64_t)unpack_number(in, BATON_TIME_MAX_MS);
    lead->events = (uint32_t)unpack_number(in, UINT32_MAX);
    lead->first_ms = flags & PACK_FIRST_MS ? unpack_before(in, lead->newest_ms) : lead->newest_ms;
    lead->generation = flags & PACK_GENERATION ? (uint16_t)unpack_number(in, UINT16_MAX) : 1;
    in->bytes.failed |= lead->generation == 0;
    lead->conversions = flags & PACK_CONVERSIONS ? (uint32_t)unpack_number(in, UINT32_MAX) : 0;
    lead->stage_offset = flags & PACK_STAGE_OFFSET ? (int64_t)unpack_number(in, INT64_MAX) : -1;
    lead->mql_ms = flags & PACK_MQL_MS ? unpack_time(in) : 0;
    read_recent(in, flags >> PACK_RECENT_SHIFT & PACK_RECENT);
    return flags;
}

static void read_channels(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    lead->first_channel = unpack_word(in);
    lead->first_channel_ms = unpack_before(in, lead->newest_ms);
    lead->last_channel = unpack_word(in);
    lead->last_channel_ms = unpack_before(in, lead->newest_ms);
}

/* Memory for as many items as were announced, and can be there: each takes at least a few bytes. */
static void *read_array(struct unpack *in, uint32_t most, size_t least_bytes, size_t item_size,
                        uint16_t *count)
{
    uint32_t announced = (uint32_t)unpack_number(in, most);
    if (announced == 0 || announced * least_bytes > bytes_left(&in->bytes)) {
        in->bytes.failed = true;
        return NULL;
    }
    void *items = memory_new(in->allocator, announced * item_size);
    in->no_memory |= !items;
    *count = items ? (uint16_t)announced : 0;
    return items;
}

/* Counts of days from the newest on; at the last of those written is one. */
static void read_window(struct unpack *in, struct baton_tally *tally)
{
    int32_t newest_day = (int32_t)unpack_signed(in, INT32_MIN, INT32_MAX);
    uint32_t days = (uint32_t)unpack_number(in, BATON_WHILE_DAYS_MAX);
    in->bytes.failed |= days == 0;
    if (unpack_failed(in))
        return;
    tally->window = memory_new(in->allocator, sizeof *tally->window);
    in->no_memory |= !tally->window;
    if (!tally->window)
        return;
    tally->parts |= TALLY_HAS_WINDOW;
    *tally->window = (struct baton_window){.newest_day = newest_day};
    for (uint32_t i = 0; i < days; i++)
        tally->window->counts[i] = (uint32_t)unpack_number(in, UINT32_MAX);
    in->bytes.failed |= tally->window->counts[days - 1] == 0;
}

static struct baton_tally read_tally(struct unpack *in, unsigned parts_bits)
{
    const uint8_t most_parts = (uint8_t)((1u << parts_bits) - 1);
    struct baton_tally tally = {.rule = -1, .rule_hash = bytes_u32_le(&in->bytes)};
    uint64_t count_parts = unpack_number(in, (uint64_t)UINT32_MAX << parts_bits | most_parts);
    uint8_t parts = (uint8_t)(count_parts & most_parts);
    tally.count = (uint32_t)(count_parts >> parts_bits);
    in->bytes.failed |= (parts & TALLY_HAS_WINDOW) && (parts & TALLY_HAS_WEIGHT);
    tally.parts = parts & (uint8_t)~TALLY_HAS_WINDOW; /* which is its own once it is read */
    if (tally.parts & TALLY_HAS_BUCKET) {
        tally.bucket = (int32_t)unpack_signed(in, INT32_MIN, INT32_MAX);
        tally.bucket_count = (uint32_t)unpack_number(in, UINT32_MAX);
        tally.before_count = (uint32_t)unpack_number(in, UINT32_MAX);
    }
    if (tally.parts & TALLY_HAS_WEIGHT) {
        tally.weight = unpack_number(in, UINT64_MAX);
        tally.weight_ms = unpack_before(in, in->lead->newest_ms);
    }
    if (parts & TALLY_HAS_WINDOW)
        read_window(in, &tally);
    return tally;
}

static void read_tallies(struct unpack *in, unsigned parts_bits)
{
    struct baton_lead *lead = in->lead;
    uint16_t count = 0;
    lead->tallies = read_array(in, BATON_TALLIES_MAX, 5, sizeof *lead->tallies, &count);
    lead->tally_room = count;
    while (lead->tally_count < count && !unpack_failed(in)) {
        struct baton_tally tally = read_tally(in, parts_bits);
        in->bytes.failed |= tally_find(lead, tally.rule_hash) != NULL;
        lead->tallies[lead->tally_count++] = tally;
    }
}

static struct baton_touch read_touch(struct unpack *in, int64_t before_ms)
{
    uint8_t kind = bytes_u8(&in->bytes);
    struct baton_touch touch = {.kind = kind & (uint8_t)~PACK_TOUCH_BY_PAGE,
                                .by_page = (kind & PACK_TOUCH_BY_PAGE) != 0};
    in->bytes.failed |=
        touch.kind >= BATON_EVENT_KINDS || (touch.by_page && touch.kind != BATON_FORM_FILL);
    touch.time_ms = unpack_before(in, before_ms);
    touch.page = unpack_word(in);
    touch.campaign = unpack_word(in);
    touch.channel = unpack_word(in);
    touch.rules = unpack_word(in);
    return touch;
}

static void read_touches(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    uint16_t count = 0;
    int64_t before_ms = lead->newest_ms;
    lead->touches = read_array(in, BATON_TOUCHES_MAX, 6, sizeof *lead->touches, &count);
    lead->touch_room = count;
    while (lead->touch_count < count && !unpack_failed(in)) {
        struct baton_touch touch = read_touch(in, before_ms);
        before_ms = touch.time_ms;
        lead->touches[lead->touch_count++] = touch;
    }
}

/* Texts are borrowed from the packed bytes. */
static struct baton_profile_value read_value(struct unpack *in)
{
    struct baton_profile_value value = {0};
    uint8_t first = bytes_u8(&in->bytes);
    value.field = first & PACK_FIELD;
    in->bytes.failed |= first > (PACK_FIELD | PACK_OWN_FOLDED) || value.field > BATON_PROPERTY;
    value.time_ms = unpack_before(in, in->lead->newest_ms);
    if (value.field == BATON_PROPERTY)
        value.name = unpack_text(in, BATON_TEXT_MAX);
    value.value = unpack_text(in, BATON_TEXT_MAX);
    value.folded = first & PACK_OWN_FOLDED ? unpack_text(in, BATON_FOLDED_MAX) : value.value;
    in->bytes.failed |= value.folded.size > 0 && value.value.size == 0;
    return value;
}

static bool belongs_behind(const struct baton_lead *lead, const struct baton_profile_value *value)
{
    if (lead->profile_count == 0)
        return true;
    return profile_value_compare(&lead->profile[lead->profile_count - 1], value->field,
                                 value->name) < 0;
}

static void read_profile(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    uint16_t count = 0;
    lead->profile = read_array(in, BATON_PROFILE_MAX, 3, sizeof *lead->profile, &count);
    lead->profile_room = count;
    while (lead->profile_count < count && !unpack_failed(in)) {
        struct baton_profile_value value = read_value(in);
        in->bytes.failed |= !belongs_behind(lead, &value);
        if (in->bytes.failed)
            return;
        in->no_memory |= !profile_value_own(&value, in->allocator);
        if (!in->no_memory)
            lead->profile[lead->profile_count++] = value;
    }
}

static void read_parts(struct unpack *in, uint32_t flags, unsigned parts_bits)
{
    if (flags & PACK_CHANNELS && !unpack_failed(in))
        read_channels(in);
    if (flags & PACK_TALLIES && !unpack_failed(in))
        read_tallies(in, parts_bits);
    if (flags & PACK_TOUCHES && !unpack_failed(in))
        read_touches(in);
    if (flags & PACK_PROFILE && !unpack_failed(in))
        read_profile(in);
    if (flags & PACK_HISTORY && !unpack_failed(in))
        unpack_history(in);
    in->bytes.failed |= bytes_left(&in->bytes) > 0;
}

/* ---- Version 1 ------------------------------------------------------------------------------- */

/* The parts that stand as in version 2, by its flags. */
static uint32_t parts_of_1(uint32_t flags)
{
    return (flags & PACK1_CHANNELS ? PACK_CHANNELS : 0) |
           (flags & PACK1_TALLIES ? PACK_TALLIES : 0) | (flags & PACK1_TOUCHES ? PACK_TOUCHES : 0) |
           (flags & PACK1_PROFILE ? PACK_PROFILE : 0);
}

static void read_stage_1(struct unpack *in, uint32_t flags)
{
    struct baton_lead *lead = in->lead;
    lead->stage = flags & PACK1_STAGE;
    in->bytes.failed |= lead->stage > BATON_SQL;
    int64_t own_ms = flags & PACK1_STAGE_MS ? unpack_time(in) : 0;
    lead->mql_ms = flags & PACK1_MQL_MS ? unpack_time(in) : 0;
    int64_t sql_ms = flags & PACK1_SQL_MS ? unpack_time(in) : 0;
    if (unpack_failed(in) || (lead->stage != BATON_SQL && !sql_ms))
        return;
    struct baton_history *history = baton_lead_history(lead, in->allocator);
    in->no_memory |= !history;
    if (!history)
        return;
    history->sql_ms = sql_ms;
    if (lead->stage == BATON_SQL)
        history->stage_ms = flags & PACK1_STAGE_MS ? own_ms : sql_ms;
}

static uint32_t read_head_1(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    uint32_t flags = (uint32_t)unpack_number(in, PACK1_FLAGS_END - 1);
    lead->applied = (int64_t)unpack_number(in, INT64_MAX);
    lead->newest_ms = (int64_t)unpack_number(in, BATON_TIME_MAX_MS);
    lead->events = (uint32_t)unpack_number(in, UINT32_MAX);
    lead->generation = flags & PACK1_GENERATION ? (uint16_t)unpack_number(in, UINT16_MAX) : 1;
    in->bytes.failed |= lead->generation == 0;
    lead->conversions = flags & PACK1_CONVERSIONS ? (uint32_t)unpack_number(in, UINT32_MAX) : 0;
    read_stage_1(in, flags);
    read_recent(in, flags >> PACK1_RECENT_SHIFT);
    return parts_of_1(flags);
}

static int64_t older(int64_t time_ms, bool known, int64_t other_ms)
{
    return known && other_ms < time_ms ? other_ms : time_ms;
}

/* Version 1 did not keep the oldest event time: the oldest that it does tell of. */
static void guess_first_1(struct baton_lead *lead)
{
    int64_t first_ms = older(lead->newest_ms, lead->mql_ms > 0, lead->mql_ms);
    first_ms = older(first_ms, lead->first_channel != 0, lead->first_channel_ms);
    if (lead->touch_count)
        first_ms = older(first_ms, true, lead->touches[lead->touch_count - 1].time_ms);
    for (uint16_t i = 0; i < lead->profile_count; i++)
        first_ms = older(first_ms, true, lead->profile[i].time_ms);
    lead->first_ms = first_ms;
}

/* What no lead is without: sales' stages have a history, and a lead that was given up is another.
 */
static bool hangs_together(const struct baton_lead *lead)
{
    bool merged = lead->history && lead->history->into.size > 0;
    return (lead->stage < BATON_SQL || lead->history) &&
           merged == ((lead->flags & BATON_LEAD_MERGED) != 0);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static void read_lead(struct unpack *in, uint8_t version)
{
    if (version == 1) {
        read_parts(in, read_head_1(in), 2);
        guess_first_1(in->lead);
    } else {
        read_parts(in, read_head(in), 3);
    }
    in->bytes.failed |= !hangs_together(in->lead);
}

static struct byte_reader reader_of(const uint8_t *bytes, size_t size, size_t from)
{
    return (struct byte_reader){.at = bytes + from, .end = bytes + size};
}

size_t baton_lead_packed_size(const uint8_t *bytes, size_t size)
{
    if (size < PACK_CHECKED_AT)
        return 0;
    struct byte_reader reader = reader_of(bytes, size, PACK_CHECKED_AT);
    uint64_t whole = bytes_varint(&reader);
    return reader.failed || whole <= PACK_CHECKED_AT || whole > BATON_LEAD_PACKED_MAX
               ? 0
               : (size_t)whole;
}

bool baton_lead_packed_newest(const uint8_t *bytes, size_t size, int64_t *newest_ms)
{
    if (baton_lead_packed_size(bytes, size) == 0)
        return false;
    struct byte_reader reader = reader_of(bytes, size, PACK_CHECKED_AT);
    (void)bytes_varint(&reader); /* size, flags, applied */
    (void)bytes_varint(&reader);
    (void)bytes_varint(&reader);
    uint64_t newest = bytes_varint(&reader);
    if (reader.failed || newest > (uint64_t)BATON_TIME_MAX_MS)
        return false;
    *newest_ms = (int64_t)newest;
    return true;
}

uint8_t baton_lead_packed_flags(const uint8_t *bytes, size_t size)
{
    if (size < PACK_CHECKED_AT || bytes[0] != PACK_VERSION)
        return 0; /* version 1 knew of none */
    struct byte_reader reader = reader_of(bytes, size, PACK_CHECKED_AT);
    (void)bytes_varint(&reader);
    uint64_t flags = bytes_varint(&reader);
    if (reader.failed)
        return 0;
    return (uint8_t)((flags & PACK_MERGED ? BATON_LEAD_MERGED : 0) |
                     (flags & PACK_EMPTIED ? BATON_LEAD_EMPTIED : 0) |
                     (flags & PACK_ERASED ? BATON_LEAD_ERASED : 0));
}

static bool is_whole(const uint8_t *bytes, size_t size)
{
    if (baton_lead_packed_size(bytes, size) != size || size == 0)
        return false;
    struct byte_reader reader = reader_of(bytes, size, 1);
    uint64_t sum = hash64(bytes + PACK_CHECKED_AT, size - PACK_CHECKED_AT, bytes[0]);
    return bytes_u32_le(&reader) == (uint32_t)sum;
}

enum baton_unpack baton_lead_unpack(struct baton_lead *lead, const uint8_t *bytes, size_t size,
                                    uint32_t words_count, struct baton_allocator *allocator)
{
    if (size > 0 && (bytes[0] < 1 || bytes[0] > PACK_VERSION))
        return BATON_UNKNOWN_VERSION;
    if (!is_whole(bytes, size))
        return BATON_DAMAGED;
    struct unpack in = {.bytes = reader_of(bytes, size, PACK_CHECKED_AT),
                        .lead = lead,
                        .allocator = allocator,
                        .words_count = words_count};
    (void)bytes_varint(&in.bytes);
    read_lead(&in, bytes[0]);
    if (!unpack_failed(&in))
        return BATON_UNPACKED;
    baton_lead_fini(lead, allocator);
    return in.no_memory ? BATON_NO_MEMORY : BATON_DAMAGED;
}
