#include "redis/redis_keys.h"

#include "base/bytes.h"

#include <baton/lead.h>

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *key_of_hash(enum store_hash hash)
{
    static const char *const names[STORE_HASHES] = {[STORE_WORDS] = "words",
                                                    [STORE_DAYS] = "days",
                                                    [STORE_CLOCKS] = "clocks",
                                                    [STORE_UNIT] = "unit"};
    assert(hash < STORE_HASHES);
    return names[hash];
}

void key_of_unit(struct key *key, const char *prefix, uint32_t unit, const char *what)
{
    int size = snprintf(key->text, sizeof key->text, "%s:{%" PRIu32 "}:%s", prefix, unit, what);
    assert(size > 0 && (size_t)size < sizeof key->text);
    key->size = (size_t)size;
}

size_t key_of_lead(char *scratch, const struct key *lead_prefix, struct baton_text id)
{
    assert(id.size <= BATON_ID_MAX);
    memcpy(scratch, lead_prefix->text, lead_prefix->size);
    memcpy(scratch + lead_prefix->size, id.data, id.size);
    return lead_prefix->size + id.size;
}

char *key_pattern(struct arena *arena, const struct key *prefix)
{
    char *pattern = arena_take(arena, 2 * prefix->size + 2), *at = pattern;
    for (size_t i = 0; i < prefix->size; i++) {
        if (strchr("*?[]\\^", prefix->text[i]))
            *at++ = '\\';
        *at++ = prefix->text[i];
    }
    *at++ = '*';
    *at = 0;
    return pattern;
}

size_t chunk_count(size_t packed_size)
{
    uint8_t room[BYTES_VARINT_MAX];
    size_t head = (size_t)(bytes_put_varint(room, packed_size) - room);
    return (head + packed_size + LEAD_CHUNK_BYTES - 1) / LEAD_CHUNK_BYTES;
}

size_t chunk_name(char name[LEAD_CHUNK_NAME_MAX], size_t index)
{
    char reversed[LEAD_CHUNK_NAME_MAX];
    size_t size = 0;
    for (size_t rest = index + 1; rest; rest = (rest - 1) / 26) {
        assert(size < LEAD_CHUNK_NAME_MAX);
        reversed[size++] = (char)('a' + (rest - 1) % 26);
    }
    for (size_t i = 0; i < size; i++)
        name[i] = reversed[size - 1 - i];
    return size;
}

int64_t newest_of_chunk(struct baton_text first_chunk)
{
    int64_t newest_ms = 0;
    struct byte_reader reader = {.at = (const uint8_t *)first_chunk.data,
                                 .end = (const uint8_t *)first_chunk.data + first_chunk.size};
    if (first_chunk.size)
        (void)bytes_varint(&reader);
    if (first_chunk.size)
        (void)baton_lead_packed_newest(reader.at, bytes_left(&reader), &newest_ms);
    return newest_ms;
}

#define CHUNKS_MAX (BATON_LEAD_PACKED_MAX / LEAD_CHUNK_BYTES + 1)
#define NO_CHUNK SIZE_MAX

static size_t chunk_index(const struct reply *name)
{
    if (name->size < 1 || name->size > 3) /* score and stage are longer */
        return NO_CHUNK;
    size_t index = 0;
    for (size_t i = 0; i < name->size; i++) {
        if (name->data[i] < 'a' || name->data[i] > 'z')
            return NO_CHUNK;
        index = index * 26 + (size_t)(name->data[i] - 'a') + 1;
    }
    return index - 1 < CHUNKS_MAX ? index - 1 : NO_CHUNK;
}

const char *printable_id(char room[64], struct baton_text id)
{
    size_t size = id.size < 60 ? id.size : 60;
    for (size_t i = 0; i < size; i++)
        room[i] = (char)((unsigned char)id.data[i] < ' ' || id.data[i] == 127 ? '?' : id.data[i]);
    (void)snprintf(room + size, 64 - size, "%s", size < id.size ? "…" : "");
    return room;
}

static enum status torn(struct error *error, uint32_t unit, struct baton_text id, size_t have,
                        size_t want)
{
    char room[64];
    return error_set(error, STATUS_STOP,
                     "lead \"%s\" of unit %" PRIu32
                     " is damaged in Redis (%zu of %zu bytes): bring back a sound copy of "
                     "Redis' data, or recount all leads from Kafka with `baton run --rebuild`",
                     printable_id(room, id), unit, have, want);
}

/* Chunks usually come in order, a hash table gives them in any; a gap ends what can be read. */
static size_t gather(const struct reply *hash, const struct reply **chunks, size_t *bytes,
                     bool *dated)
{
    size_t highest = 0;
    memset(chunks, 0, (hash->count / 2 + 1) * sizeof *chunks);
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        size_t index = chunk_index(hash->items[i]);
        if (index >= hash->count / 2) {
            *dated |= reply_is_text(hash->items[i], DATED_FIELD, strlen(DATED_FIELD));
            continue;
        }
        chunks[index] = hash->items[i + 1];
        if (index >= highest)
            highest = index + 1;
    }
    *bytes = 0;
    for (size_t i = 0; i < highest; i++) {
        if (!chunks[i] || chunks[i]->type != REPLY_TEXT)
            return i;
        *bytes += chunks[i]->size;
    }
    return highest;
}

enum status lead_from_hash(const struct reply *hash, uint32_t unit, struct baton_text id,
                           struct arena *arena, struct packed_lead *lead, struct error *error)
{
    *lead = (struct packed_lead){0};
    if (hash->type != REPLY_LIST)
        return torn(error, unit, id, 0, 1);
    if (hash->count == 0)
        return STATUS_OK;
    const struct reply **chunks = arena_take(arena, (hash->count / 2 + 1) * sizeof *chunks);
    size_t bytes;
    bool dated = false;
    size_t count = gather(hash, chunks, &bytes, &dated);
    uint8_t *packed = arena_take(arena, bytes + 1), *at = packed;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, chunks[i]->data, chunks[i]->size);
        at += chunks[i]->size;
    }
    struct byte_reader reader = {.at = packed, .end = packed + bytes};
    uint64_t size = bytes_varint(&reader);
    if (reader.failed || size > bytes_left(&reader))
        return torn(error, unit, id, bytes, (size_t)size);
    /* What is behind it is left over from a longer form. */
    *lead = (struct packed_lead){
        .data = reader.at, .size = (size_t)size, .found = true, .dated = dated};
    return STATUS_OK;
}
