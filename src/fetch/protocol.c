#include "fetch/protocol.h"

#include "base/big_endian.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_FETCH = 1, KEY_API_VERSIONS = 18 };
enum { NO_REPLICA = -1, READ_COMMITTED = 1, NO_SESSION = 0, NO_EPOCH = -1 };
#define HEADER_BYTES (FETCH_FRAME + 2 + 2 + 4 + 2)
#define REQUEST_BYTES 64 /* of a Fetch, without header, texts and partitions */
#define WISH_BYTES 28

/* ---- requests
 * ---------------------------------------------------------------------------------------- */

static uint8_t *put_number(uint8_t *at, int64_t number, int size)
{
    return big_endian_put(at, (uint64_t)number, size);
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
    size_t size = strlen(text);
    return bytes_put(put_number(at, (int64_t)size, 2), text, size);
}

static uint8_t *put_header(uint8_t *out, int key, int version, uint32_t correlation,
                           const char *client)
{
    uint8_t *at = put_number(out + FETCH_FRAME, key, 2);
    at = put_number(at, version, 2);
    at = put_number(at, correlation, 4);
    return put_text(at, client);
}

static size_t seal(uint8_t *out, const uint8_t *end)
{
    (void)put_number(out, end - out - FETCH_FRAME, 4);
    return (size_t)(end - out);
}

size_t fetch_request_bound(size_t client_size, size_t topic_size, size_t wishes)
{
    return HEADER_BYTES + client_size + REQUEST_BYTES + topic_size + wishes * WISH_BYTES;
}

size_t fetch_versions_request(const char *client, uint32_t correlation, uint8_t *out)
{
    return seal(out, put_header(out, KEY_API_VERSIONS, 0, correlation, client));
}

static uint8_t *put_wish(uint8_t *at, int version, const struct fetch_wish *wish,
                         const struct fetch_limits *limits)
{
    at = put_number(at, wish->unit, 4);
    if (version >= 9)
        at = put_number(at, NO_EPOCH, 4);
    at = put_number(at, wish->offset, 8);
    if (version >= 5)
        at = put_number(at, -1, 8); /* only followers tell the beginning of their log */
    return put_number(at, limits->partition_bytes, 4);
}

size_t fetch_request(int version, const char *client, uint32_t correlation, const char *topic,
                     const struct fetch_limits *limits, const struct fetch_wish *wishes,
                     size_t count, uint8_t *out)
{
    uint8_t *at = put_header(out, KEY_FETCH, version, correlation, client);
    at = put_number(at, NO_REPLICA, 4);
    at = put_number(at, limits->wait_ms, 4);
    at = put_number(at, limits->min_bytes, 4);
    at = put_number(at, limits->max_bytes, 4);
    at = put_number(at, READ_COMMITTED, 1);
    if (version >= 7)
        at = put_number(put_number(at, NO_SESSION, 4), NO_EPOCH, 4);
    at = put_text(put_number(at, 1, 4), topic);
    at = put_number(at, (int64_t)count, 4);
    for (size_t i = 0; i < count; i++)
        at = put_wish(at, version, &wishes[i], limits);
    if (version >= 7)
        at = put_number(at, 0, 4); /* no partition leaves the session that there is not */
    if (version >= 11)
        at = put_text(at, ""); /* no rack */
    return seal(out, at);
}

/* ---- answers
 * ----------------------------------------------------------------------------------------- */

static int64_t number(struct byte_reader *reader, int size)
{
    uint64_t value = big_endian_read(reader, size);
    unsigned unused = 64 - 8 * (unsigned)size;
    return (int64_t)(value << unused) >> unused;
}

/* An array's count that can be true: each of its items takes at least so many bytes. */
static size_t count_of(struct byte_reader *reader, size_t item_bytes)
{
    int64_t count = number(reader, 4);
    if (count == 0 || count == -1 || reader->failed)
        return 0;
    if (count < 0 || (uint64_t)count > bytes_left(reader) / item_bytes) {
        reader->failed = true;
        return 0;
    }
    return (size_t)count;
}

bool fetch_versions_read(const uint8_t *answer, size_t size, uint32_t correlation, int *version)
{
    struct byte_reader reader = {.at = answer, .end = answer + size};
    bool ours = (uint32_t)number(&reader, 4) == correlation;
    int64_t error = number(&reader, 2);
    size_t count = count_of(&reader, 6);
    *version = -1;
    for (size_t i = 0; i < count; i++) {
        int64_t key = number(&reader, 2), least = number(&reader, 2), most = number(&reader, 2);
        if (key != KEY_FETCH)
            continue;
        int64_t best = most < FETCH_VERSION_MAX ? most : FETCH_VERSION_MAX;
        if (best >= FETCH_VERSION_MIN && best >= least)
            *version = (int)best;
    }
    if (error)
        *version = -1;
    return ours && !reader.failed;
}

static int by_first(const void *left, const void *right)
{
    const struct fetch_aborted *a = left, *b = right;
    return (a->first > b->first) - (a->first < b->first);
}

static void read_aborted(struct byte_reader *reader, struct arena *arena, struct fetch_part *part)
{
    part->aborted_count = count_of(reader, 16);
    if (!part->aborted_count)
        return;
    part->aborted = arena_take(arena, part->aborted_count * sizeof *part->aborted);
    part->aborting = arena_take(arena, part->aborted_count * sizeof *part->aborting);
    bool sorted = true;
    for (size_t i = 0; i < part->aborted_count; i++) {
        part->aborted[i].producer = number(reader, 8);
        part->aborted[i].first = number(reader, 8);
        sorted = sorted && (i == 0 || part->aborted[i - 1].first <= part->aborted[i].first);
    }
    if (!sorted) /* a broker has them by their ends */
        qsort(part->aborted, part->aborted_count, sizeof *part->aborted, by_first);
}

static void read_part(struct byte_reader *reader, int version, struct arena *arena,
                      struct fetch_part *part)
{
    *part = (struct fetch_part){.first = -1};
    part->unit = (uint32_t)number(reader, 4);
    part->error = (int)number(reader, 2);
    (void)number(reader, 8); /* the end for read_uncommitted */
    part->stable = number(reader, 8);
    if (version >= 5)
        part->first = number(reader, 8);
    read_aborted(reader, arena, part);
    if (version >= 11)
        (void)number(reader, 4); /* the replica to prefer: none was asked for */
    int64_t size = number(reader, 4);
    part->size = size > 0 ? (size_t)size : 0;
    reader->failed = reader->failed || size < -1;
    part->records = bytes_take(reader, part->size);
}

bool fetch_answer_read(int version, const uint8_t *answer, size_t size, uint32_t correlation,
                       struct arena *arena, struct fetch_answer *out)
{
    struct byte_reader reader = {.at = answer, .end = answer + size};
    *out = (struct fetch_answer){0};
    bool ours = (uint32_t)number(&reader, 4) == correlation;
    out->throttle_ms = (int32_t)number(&reader, 4);
    if (version >= 7) {
        out->error = (int)number(&reader, 2);
        (void)number(&reader, 4); /* session */
    }
    size_t topics = count_of(&reader, 6);
    if (topics > 1 || !ours)
        return false; /* one was asked for */
    if (topics) {
        (void)bytes_take(&reader, (uint64_t)number(&reader, 2));
        out->count = count_of(&reader, 26);
        out->parts = arena_take(arena, (out->count + 1) * sizeof *out->parts);
    }
    for (size_t i = 0; i < out->count && !reader.failed; i++)
        read_part(&reader, version, arena, &out->parts[i]);
    return !reader.failed;
}
