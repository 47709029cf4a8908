#include "pact/judgement.h"

#include "base/bytes.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define HEAD_BYTES 5 /* version and checksum */
#define CHECKSUM_SEED 1
#define NUMBERS 9

static struct baton_text cut(struct baton_text text)
{
    if (text.size > JUDGEMENT_TEXT_MAX)
        text.size = JUDGEMENT_TEXT_MAX;
    return text;
}

static uint8_t *put_text(uint8_t *at, struct baton_text text)
{
    *at++ = (uint8_t)text.size;
    return bytes_put(at, text.data, text.size);
}

static struct baton_text read_text(struct byte_reader *reader)
{
    uint8_t size = bytes_u8(reader);
    return (struct baton_text){(const char *)bytes_take(reader, size), size};
}

static void close_bytes(uint8_t *bytes, const uint8_t *end)
{
    const uint8_t *rest = bytes + HEAD_BYTES;
    bytes[0] = VERSION;
    bytes_put_u32_le(bytes + 1, (uint32_t)hash64(rest, (size_t)(end - rest), CHECKSUM_SEED));
}

static bool open_bytes(struct byte_reader *reader, const uint8_t *bytes, size_t size)
{
    *reader = (struct byte_reader){.at = bytes, .end = size ? bytes + size : bytes};
    bool known = bytes_u8(reader) == VERSION;
    uint32_t checksum = bytes_u32_le(reader);
    return known && !reader->failed &&
           (uint32_t)hash64(reader->at, bytes_left(reader), CHECKSUM_SEED) == checksum;
}

/* ---- One judgement
 * ------------------------------------------------------------------------------- */

size_t judgement_pack(const struct judgement *judgement, uint8_t **bytes, struct arena *arena)
{
    size_t room = HEAD_BYTES + JUDGEMENT_TEXTS * (1 + (size_t)JUDGEMENT_TEXT_MAX) +
                  NUMBERS * (size_t)BYTES_VARINT_MAX;
    *bytes = arena_take(arena, room);
    uint8_t *at = *bytes + HEAD_BYTES;
    for (size_t i = 0; i < JUDGEMENT_TEXTS; i++)
        at = put_text(at, cut(judgement->texts[i]));
    *at++ = (uint8_t)judgement->side;
    *at++ = judgement->missed;
    at = bytes_put_varint(at, judgement->version);
    at = bytes_put_zigzag(at, judgement->time_ms);
    at = bytes_put_zigzag(at, judgement->promised);
    at = bytes_put_zigzag(at, judgement->actual);
    at = bytes_put_zigzag(at, judgement->needed);
    at = bytes_put_zigzag(at, judgement->seen);
    close_bytes(*bytes, at);
    return (size_t)(at - *bytes);
}

bool judgement_unpack(struct judgement *judgement, const uint8_t *bytes, size_t size)
{
    struct byte_reader reader;
    *judgement = (struct judgement){0};
    if (!open_bytes(&reader, bytes, size))
        return false;
    for (size_t i = 0; i < JUDGEMENT_TEXTS; i++)
        judgement->texts[i] = read_text(&reader);
    uint8_t side = bytes_u8(&reader), missed = bytes_u8(&reader);
    uint64_t version = bytes_varint(&reader);
    judgement->side = (enum baton_side)side;
    judgement->missed = missed == 1;
    judgement->version = (uint32_t)version;
    judgement->time_ms = bytes_zigzag(&reader);
    judgement->promised = bytes_zigzag(&reader);
    judgement->actual = bytes_zigzag(&reader);
    judgement->needed = bytes_zigzag(&reader);
    judgement->seen = bytes_zigzag(&reader);
    return !reader.failed && bytes_left(&reader) == 0 && side <= BATON_BOTH && missed <= 1 &&
           version <= UINT32_MAX && judgement->texts[JUDGEMENT_PROMISE].size &&
           judgement->texts[JUDGEMENT_PERIOD].size;
}

bool judgement_is_date(const struct judgement *judgement)
{
    return judgement->texts[JUDGEMENT_UNIT].size == 0;
}

/* ---- What stands
 * --------------------------------------------------------------------------------- */

struct entry {
    char *promise, *period; /* one piece of memory */
    uint8_t promise_size, period_size;
    int64_t time_ms;
    struct judged judged;
};

struct judged_list {
    struct entry entries[JUDGEMENTS_MAX]; /* in the order of the first judgement */
    size_t count;
    bool dirty;
};

struct judged_list *judged_create(void)
{
    return memory_take_zeroed(1, sizeof(struct judged_list));
}

void judged_clear(struct judged_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i].promise);
    list->count = 0;
    list->dirty = false;
}

void judged_destroy(struct judged_list *list)
{
    if (list)
        judged_clear(list);
    free(list);
}

static bool says(const char *text, uint8_t size, struct baton_text other)
{
    return other.size == size && (!size || memcmp(text, other.data, size) == 0);
}

static struct entry *find(const struct judged_list *list, struct baton_text promise,
                          struct baton_text period)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct entry *entry = &list->entries[i];
        if (says(entry->promise, entry->promise_size, cut(promise)) &&
            says(entry->period, entry->period_size, cut(period)))
            return (struct entry *)(uintptr_t)entry;
    }
    return NULL;
}

const struct judged *judged_find(const struct judged_list *list, struct baton_text promise,
                                 struct baton_text period)
{
    const struct entry *entry = find(list, promise, period);
    return entry ? &entry->judged : NULL;
}

/* The one whose period is over longest gives way. */
static void make_room(struct judged_list *list)
{
    size_t oldest = 0;
    if (list->count < JUDGEMENTS_MAX)
        return;
    for (size_t i = 1; i < list->count; i++)
        if (list->entries[i].time_ms < list->entries[oldest].time_ms)
            oldest = i;
    free(list->entries[oldest].promise);
    list->count--;
    memmove(&list->entries[oldest], &list->entries[oldest + 1],
            (list->count - oldest) * sizeof *list->entries);
}

static struct entry *add(struct judged_list *list, struct baton_text promise,
                         struct baton_text period)
{
    make_room(list);
    struct entry *entry = &list->entries[list->count++];
    *entry = (struct entry){.promise = memory_take((size_t)promise.size + period.size + 1),
                            .promise_size = (uint8_t)promise.size,
                            .period_size = (uint8_t)period.size};
    entry->period = entry->promise + promise.size;
    if (promise.size)
        memcpy(entry->promise, promise.data, promise.size);
    if (period.size)
        memcpy(entry->period, period.data, period.size);
    return entry;
}

bool judged_differs(const struct judged *stands, const struct judgement *judgement)
{
    if (judgement->seen < stands->seen)
        return false;
    return stands->promised != judgement->promised || stands->actual != judgement->actual ||
           stands->needed != judgement->needed || stands->missed != judgement->missed;
}

bool judged_take(struct judged_list *list, const struct judgement *judgement, int64_t written_ms,
                 int32_t *revision, bool *tell)
{
    struct baton_text promise = cut(judgement->texts[JUDGEMENT_PROMISE]),
                      period = cut(judgement->texts[JUDGEMENT_PERIOD]);
    struct entry *entry = find(list, promise, period);
    bool first = !entry, was_missed = entry && entry->judged.missed;
    *tell = false;
    if (entry && !judged_differs(&entry->judged, judgement))
        return false;
    if (first)
        entry = add(list, promise, period);
    struct judged *judged = &entry->judged;
    entry->time_ms = judgement->time_ms;
    judged->revision = first ? 0 : judged->revision + 1;
    judged->first_ms = first ? written_ms : judged->first_ms;
    judged->promised = judgement->promised;
    judged->actual = judgement->actual;
    judged->needed = judgement->needed;
    judged->missed = judgement->missed;
    judged->seen = judgement->seen;
    list->dirty = true;
    *revision = judged->revision;
    *tell = judgement->missed || was_missed || judgement_is_date(judgement);
    return true;
}

bool judged_is_empty(const struct judged_list *list)
{
    return list->count == 0;
}

bool judged_is_dirty(const struct judged_list *list)
{
    return list->dirty;
}

void judged_mark_clean(struct judged_list *list)
{
    list->dirty = false;
}

static uint8_t *put_entry(uint8_t *at, const struct entry *entry)
{
    const struct judged *judged = &entry->judged;
    at = put_text(at, (struct baton_text){entry->promise, entry->promise_size});
    at = put_text(at, (struct baton_text){entry->period, entry->period_size});
    *at++ = judged->missed;
    at = bytes_put_zigzag(at, entry->time_ms);
    at = bytes_put_zigzag(at, judged->first_ms);
    at = bytes_put_varint(at, (uint64_t)judged->revision);
    at = bytes_put_zigzag(at, judged->promised);
    at = bytes_put_zigzag(at, judged->actual);
    at = bytes_put_zigzag(at, judged->needed);
    return bytes_put_zigzag(at, judged->seen);
}

size_t judged_pack(const struct judged_list *list, uint8_t **bytes, struct arena *arena)
{
    size_t room = HEAD_BYTES + BYTES_VARINT_MAX;
    if (!list->count)
        return 0;
    for (size_t i = 0; i < list->count; i++)
        room += (size_t)list->entries[i].promise_size + list->entries[i].period_size + 2 +
                NUMBERS * (size_t)BYTES_VARINT_MAX;
    *bytes = arena_take(arena, room);
    uint8_t *at = bytes_put_varint(*bytes + HEAD_BYTES, list->count);
    for (size_t i = 0; i < list->count; i++)
        at = put_entry(at, &list->entries[i]);
    close_bytes(*bytes, at);
    return (size_t)(at - *bytes);
}

static bool read_entry(struct byte_reader *reader, struct judged_list *list)
{
    struct baton_text promise = read_text(reader), period = read_text(reader);
    uint8_t missed = bytes_u8(reader);
    int64_t time_ms = bytes_zigzag(reader), first_ms = bytes_zigzag(reader);
    uint64_t revision = bytes_varint(reader);
    struct judged judged = {.first_ms = first_ms, .missed = missed == 1};
    judged.promised = bytes_zigzag(reader);
    judged.actual = bytes_zigzag(reader);
    judged.needed = bytes_zigzag(reader);
    judged.seen = bytes_zigzag(reader);
    if (reader->failed || missed > 1 || revision > INT32_MAX || !promise.size || !period.size ||
        find(list, promise, period))
        return false;
    judged.revision = (int32_t)revision;
    struct entry *entry = add(list, promise, period);
    entry->time_ms = time_ms;
    entry->judged = judged;
    return true;
}

bool judged_unpack(struct judged_list *list, const uint8_t *bytes, size_t size)
{
    struct byte_reader reader;
    if (!open_bytes(&reader, bytes, size))
        return false;
    uint64_t count = bytes_varint(&reader);
    if (reader.failed || !count || count > JUDGEMENTS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!read_entry(&reader, list))
            return false;
    return bytes_left(&reader) == 0;
}
