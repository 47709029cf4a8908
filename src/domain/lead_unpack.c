#include "domain/lead_pack.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "domain/memory.h"
#include "domain/profile.h"
#include "domain/tally.h"

/* What is being read: the first thing that is not as pack writes it sets `bytes.failed`, after
 * which everything reads as zero. */
struct unpack {
    struct byte_reader bytes;
    struct baton_lead *lead;
    struct baton_allocator *allocator;
    uint32_t words_count;
    bool no_memory;
};

static bool failed(const struct unpack *in)
{
    return in->bytes.failed || in->no_memory;
}

/* A number from 0 to `most`. */
static uint64_t number(struct unpack *in, uint64_t most)
{
    uint64_t value = bytes_varint(&in->bytes);
    if (value <= most)
        return value;
    in->bytes.failed = true;
    return 0;
}

static int64_t signed_number(struct unpack *in, int64_t least, int64_t most)
{
    int64_t value = bytes_zigzag(&in->bytes);
    if (value >= least && value <= most)
        return value;
    in->bytes.failed = true;
    return 0;
}

static uint32_t word(struct unpack *in)
{
    uint32_t id = (uint32_t)number(in, UINT32_MAX);
    in->bytes.failed |= id >= in->words_count;
    return id;
}

/* A time not after `from_ms`. */
static int64_t time_before(struct unpack *in, int64_t from_ms)
{
    return from_ms - (int64_t)number(in, (uint64_t)from_ms);
}

static int64_t stage_time(struct unpack *in)
{
    int64_t newest_ms = in->lead->newest_ms;
    return newest_ms - signed_number(in, newest_ms - BATON_TIME_MAX_MS, newest_ms);
}

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

static void read_stage(struct unpack *in, uint32_t flags)
{
    struct baton_lead *lead = in->lead;
    lead->stage = flags & PACK_STAGE;
    in->bytes.failed |= lead->stage >= BATON_STAGES;
    int64_t own_stage_ms = flags & PACK_STAGE_MS ? stage_time(in) : 0;
    lead->mql_ms = flags & PACK_MQL_MS ? stage_time(in) : 0;
    lead->sql_ms = flags & PACK_SQL_MS ? stage_time(in) : 0;
    lead->stage_ms = flags & PACK_STAGE_MS ? own_stage_ms : pack_usual_stage_ms(lead);
}

static uint32_t read_head(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    uint32_t flags = (uint32_t)number(in, PACK_FLAGS_END - 1);
    lead->applied = (int64_t)number(in, INT64_MAX);
    lead->newest_ms = (int64_t)number(in, BATON_TIME_MAX_MS);
    lead->events = (uint32_t)number(in, UINT32_MAX);
    lead->generation = flags & PACK_GENERATION ? (uint16_t)number(in, UINT16_MAX) : 1;
    in->bytes.failed |= lead->generation == 0;
    lead->conversions = flags & PACK_CONVERSIONS ? (uint32_t)number(in, UINT32_MAX) : 0;
    read_stage(in, flags);
    read_recent(in, flags >> PACK_RECENT_SHIFT);
    return flags;
}

static void read_channels(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    lead->first_channel = word(in);
    lead->first_channel_ms = time_before(in, lead->newest_ms);
    lead->last_channel = word(in);
    lead->last_channel_ms = time_before(in, lead->newest_ms);
}

/* Memory for as many items as were announced, and can be there: each takes at least a few bytes. */
static void *read_array(struct unpack *in, uint32_t most, size_t least_bytes, size_t item_size,
                        uint16_t *count)
{
    uint32_t announced = (uint32_t)number(in, most);
    if (announced == 0 || announced * least_bytes > bytes_left(&in->bytes)) {
        in->bytes.failed = true;
        return NULL;
    }
    void *items = memory_new(in->allocator, announced * item_size);
    in->no_memory |= !items;
    *count = items ? (uint16_t)announced : 0;
    return items;
}

static struct baton_tally read_tally(struct unpack *in)
{
    struct baton_tally tally = {.rule = -1, .rule_hash = bytes_u32_le(&in->bytes)};
    uint64_t count_parts = number(in, (uint64_t)UINT32_MAX << 2 | 3);
    tally.count = (uint32_t)(count_parts >> 2);
    tally.parts = count_parts & 3;
    if (tally.parts & TALLY_HAS_BUCKET) {
        tally.bucket = (int32_t)signed_number(in, INT32_MIN, INT32_MAX);
        tally.bucket_count = (uint32_t)number(in, UINT32_MAX);
        tally.before_count = (uint32_t)number(in, UINT32_MAX);
    }
    if (tally.parts & TALLY_HAS_WEIGHT) {
        tally.weight = number(in, UINT64_MAX);
        tally.weight_ms = time_before(in, in->lead->newest_ms);
    }
    return tally;
}

static void read_tallies(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    uint16_t count = 0;
    lead->tallies = read_array(in, BATON_TALLIES_MAX, 5, sizeof *lead->tallies, &count);
    lead->tally_room = count;
    while (lead->tally_count < count && !failed(in)) {
        struct baton_tally tally = read_tally(in);
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
    touch.time_ms = time_before(in, before_ms);
    touch.page = word(in);
    touch.campaign = word(in);
    touch.channel = word(in);
    touch.rules = word(in);
    return touch;
}

static void read_touches(struct unpack *in)
{
    struct baton_lead *lead = in->lead;
    uint16_t count = 0;
    int64_t before_ms = lead->newest_ms;
    lead->touches = read_array(in, BATON_TOUCHES_MAX, 6, sizeof *lead->touches, &count);
    lead->touch_room = count;
    while (lead->touch_count < count && !failed(in)) {
        struct baton_touch touch = read_touch(in, before_ms);
        before_ms = touch.time_ms;
        lead->touches[lead->touch_count++] = touch;
    }
}

static struct baton_text read_text(struct unpack *in, uint32_t most)
{
    uint32_t size = (uint32_t)number(in, most);
    const uint8_t *bytes = bytes_take(&in->bytes, size);
    return (struct baton_text){(const char *)bytes, bytes ? size : 0};
}

/* Texts are borrowed from the packed bytes. */
static struct baton_profile_value read_value(struct unpack *in)
{
    struct baton_profile_value value = {0};
    uint8_t first = bytes_u8(&in->bytes);
    value.field = first & PACK_FIELD;
    in->bytes.failed |= first > (PACK_FIELD | PACK_OWN_FOLDED) || value.field > BATON_PROPERTY;
    value.time_ms = time_before(in, in->lead->newest_ms);
    if (value.field == BATON_PROPERTY)
        value.name = read_text(in, BATON_TEXT_MAX);
    value.value = read_text(in, BATON_TEXT_MAX);
    value.folded = first & PACK_OWN_FOLDED ? read_text(in, BATON_FOLDED_MAX) : value.value;
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
    while (lead->profile_count < count && !failed(in)) {
        struct baton_profile_value value = read_value(in);
        in->bytes.failed |= !belongs_behind(lead, &value);
        if (in->bytes.failed)
            return;
        in->no_memory |= !profile_value_own(&value, in->allocator);
        if (!in->no_memory)
            lead->profile[lead->profile_count++] = value;
    }
}

static void read_parts(struct unpack *in)
{
    uint32_t flags = read_head(in);
    if (flags & PACK_CHANNELS && !failed(in))
        read_channels(in);
    if (flags & PACK_TALLIES && !failed(in))
        read_tallies(in);
    if (flags & PACK_TOUCHES && !failed(in))
        read_touches(in);
    if (flags & PACK_PROFILE && !failed(in))
        read_profile(in);
    in->bytes.failed |= bytes_left(&in->bytes) > 0;
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

static bool is_whole(const uint8_t *bytes, size_t size)
{
    if (baton_lead_packed_size(bytes, size) != size || size == 0)
        return false;
    struct byte_reader reader = reader_of(bytes, size, 1);
    uint64_t sum = hash64(bytes + PACK_CHECKED_AT, size - PACK_CHECKED_AT, PACK_VERSION);
    return bytes_u32_le(&reader) == (uint32_t)sum;
}

enum baton_unpack baton_lead_unpack(struct baton_lead *lead, const uint8_t *bytes, size_t size,
                                    uint32_t words_count, struct baton_allocator *allocator)
{
    if (size > 0 && bytes[0] != PACK_VERSION)
        return BATON_UNKNOWN_VERSION;
    if (!is_whole(bytes, size))
        return BATON_DAMAGED;
    struct unpack in = {.bytes = reader_of(bytes, size, PACK_CHECKED_AT),
                        .lead = lead,
                        .allocator = allocator,
                        .words_count = words_count};
    (void)bytes_varint(&in.bytes);
    read_parts(&in);
    if (!failed(&in))
        return BATON_UNPACKED;
    baton_lead_fini(lead, allocator);
    return in.no_memory ? BATON_NO_MEMORY : BATON_DAMAGED;
}
