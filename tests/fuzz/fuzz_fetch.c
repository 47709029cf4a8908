/* What a broker may answer, and all records in it read to their end, in two ways that must tell the
 * same. Checks are made right first, so that what lies behind them is reached. */
#include "base/big_endian.h"
#include "base/crc32c.h"
#include "fetch/protocol.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CORRELATION 7

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void make_checks_right(uint8_t *bytes, size_t size)
{
    for (size_t first; (first = fetch_records_first(bytes, size)) != 0;
         bytes += first, size -= first)
        if (first > 21)
            (void)big_endian_put32(bytes + 17, crc32c(bytes + 21, first - 21));
}

static uint64_t mix(uint64_t sum, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
    return (sum ^ size ^ (uint64_t)(bytes != NULL) << 32) * UINT64_C(0x100000001b3);
}

static uint64_t mix_record(uint64_t sum, const struct record *record)
{
    sum = mix(sum, &record->offset, sizeof record->offset);
    sum = mix(sum, &record->timestamp_ms, sizeof record->timestamp_ms);
    sum = mix(sum, record->key, record->key_size);
    sum = mix(sum, record->value, record->value_size);
    for (size_t i = 0; i < record->header_count; i++) {
        sum = mix(sum, record->headers[i].name, strlen(record->headers[i].name));
        sum = mix(sum, record->headers[i].value, record->headers[i].value_size);
    }
    return sum;
}

/* Room is used again after so many records. */
static uint64_t read_records(const struct fetch_part *part, int64_t position, unsigned lent)
{
    static struct fetch_unpacker *unpacker;
    struct fetch_records records;
    struct record record;
    struct arena arena;
    if (!unpacker)
        unpacker = fetch_unpacker_create();
    arena_init(&arena, 256);
    fetch_unpacker_reuse(unpacker);
    fetch_records_init(&records, position, part->records, part->size, part->aborted, part->aborting,
                       part->aborted_count);
    uint64_t sum = 1;
    unsigned count = 0;
    int64_t last = position - 1;
    enum fetch_read read;
    while ((read = fetch_records_next(&records, unpacker, &arena, &record)) == FETCH_READ ||
           read == FETCH_FULL) {
        if (read == FETCH_READ) {
            must(record.offset > last && records.position > record.offset);
            last = record.offset;
            sum = mix_record(sum, &record);
            count++;
        }
        if (read == FETCH_FULL || count % lent == 0) {
            fetch_unpacker_reuse(unpacker);
            arena_reset(&arena);
        }
    }
    must(records.position >= position && records.position > last);
    if (read == FETCH_END)
        must(records.position == fetch_records_end(position, part->records, part->size));
    must(fetch_records_next(&records, unpacker, &arena, &record) == read);
    arena_fini(&arena);
    sum = mix(sum, &records.position, sizeof records.position);
    return mix(sum, &read, sizeof read);
}

static void read_part(const struct fetch_part *part, int64_t position)
{
    must(read_records(part, position, 1) == read_records(part, position, 1000000));
}

/* Without room behind it, so that a step too far is seen. */
static uint8_t *copy_of(const uint8_t *data, size_t size, size_t before)
{
    uint8_t *copy = malloc(before + size ? before + size : 1);
    if (size)
        memcpy(copy + before, data, size);
    return copy;
}

static void read_answer(int version, const uint8_t *data, size_t size)
{
    uint8_t *copy = copy_of(data, size, 4);
    struct fetch_answer answer;
    struct arena arena;
    arena_init(&arena, 256);
    (void)big_endian_put32(copy, CORRELATION);
    must(!fetch_answer_read(version, copy, size + 4, CORRELATION + 1, &arena, &answer));
    if (fetch_answer_read(version, copy, size + 4, CORRELATION, &arena, &answer))
        for (size_t i = 0; i < answer.count; i++) {
            struct fetch_part *part = &answer.parts[i];
            must(part->size <= size);
            make_checks_right(copy + (part->records - copy), part->size);
            read_part(part, 0);
        }
    arena_fini(&arena);
    free(copy);
}

static void read_versions(const uint8_t *data, size_t size)
{
    int version;
    uint8_t *copy = copy_of(data, size, 4);
    (void)big_endian_put32(copy, CORRELATION);
    if (fetch_versions_read(copy, size + 4, CORRELATION, &version))
        must(version == -1 || (version >= FETCH_VERSION_MIN && version <= FETCH_VERSION_MAX));
    free(copy);
}

/* Two producers of small numbers have aborted, so that a batch's number is found by chance. */
static void read_batches(int64_t position, const uint8_t *data, size_t size)
{
    struct fetch_aborted aborted[] = {{0, 0}, {1, 2}, {0, 5}};
    int64_t aborting[3];
    uint8_t *copy = copy_of(data, size, 0);
    struct fetch_part part = {.records = copy, .size = size};
    make_checks_right(copy, size);
    read_part(&part, position);
    part.aborted = aborted;
    part.aborting = aborting;
    part.aborted_count = 3;
    read_part(&part, position);
    free(copy);
}

/* First byte: a version of Fetch, that of an answer about versions, or a position among batches. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    int kind = data[0] % 32;
    if (kind >= FETCH_VERSION_MIN && kind <= FETCH_VERSION_MAX)
        read_answer(kind, data + 1, size - 1);
    else if (kind == 0)
        read_versions(data + 1, size - 1);
    else
        read_batches(kind > FETCH_VERSION_MAX ? kind - FETCH_VERSION_MAX - 1 : 0, data + 1,
                     size - 1);
    return 0;
}
