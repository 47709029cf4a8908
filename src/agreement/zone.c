#include "agreement/zone.h"

#include "agreement/agreement.h"
#include "base/bytes.h"
#include "base/nearest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define ZONE_FILE_MAX (256 * 1024)
#define OFFSET_MAX_S 93600 /* RFC 8536: from -25 to 26 hours */

/* ---- A zone's file (RFC 8536) ---------------------------------------------------------------- */

struct zone_header {
    unsigned version;
    uint32_t is_utc, is_standard, leaps, times, types, characters;
};

static int64_t read_be(struct byte_reader *reader, unsigned size)
{
    const uint8_t *bytes = bytes_take(reader, size);
    uint64_t value = bytes && (bytes[0] & 0x80) ? UINT64_MAX : 0;
    for (unsigned i = 0; bytes && i < size; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static bool read_header(struct byte_reader *reader, struct zone_header *header)
{
    const uint8_t *magic = bytes_take(reader, 4);
    if (!magic || memcmp(magic, "TZif", 4) != 0)
        return false;
    header->version = bytes_u8(reader);
    (void)bytes_take(reader, 15);
    header->is_utc = (uint32_t)read_be(reader, 4);
    header->is_standard = (uint32_t)read_be(reader, 4);
    header->leaps = (uint32_t)read_be(reader, 4);
    header->times = (uint32_t)read_be(reader, 4);
    header->types = (uint32_t)read_be(reader, 4);
    header->characters = (uint32_t)read_be(reader, 4);
    return !reader->failed && header->types > 0 && header->types <= 256 &&
           header->times < ZONE_FILE_MAX;
}

static uint64_t rest_size(const struct zone_header *header, unsigned time_size)
{
    return (uint64_t)header->characters + (uint64_t)header->leaps * (time_size + 4) +
           header->is_standard + header->is_utc;
}

/* Reads the block of changes behind a header; the time of the last one in *last_s. */
static bool read_block(struct byte_reader *reader, const struct zone_header *header,
                       unsigned time_size, struct zone_table *table, int64_t *last_s)
{
    const uint8_t *times = bytes_take(reader, (uint64_t)header->times * time_size);
    const uint8_t *which = bytes_take(reader, header->times);
    const uint8_t *types = bytes_take(reader, (uint64_t)header->types * 6);
    (void)bytes_take(reader, rest_size(header, time_size));
    if (reader->failed)
        return false;
    int64_t offsets[256];
    for (uint32_t i = 0; i < header->types; i++) {
        struct byte_reader type = {types + (size_t)6 * i, types + (size_t)6 * i + 4, false};
        offsets[i] = read_be(&type, 4);
        if (llabs(offsets[i]) > OFFSET_MAX_S)
            return false;
    }
    zone_table_add(table, INT64_MIN, offsets[0]);
    struct byte_reader time_reader = {times, times + (size_t)header->times * time_size, false};
    *last_s = INT64_MIN;
    for (uint32_t i = 0; i < header->times; i++) {
        int64_t time_s = read_be(&time_reader, time_size);
        if (which[i] >= header->types || (i > 0 && time_s <= *last_s) || time_s > INT64_MAX / 1000)
            return false;
        zone_table_add(table, time_s, offsets[which[i]]);
        *last_s = time_s;
    }
    return table->count <= ZONE_OFFSETS_MAX;
}

static bool read_footer(struct byte_reader *reader, struct zone_table *table, int64_t last_s)
{
    char rule[128];
    size_t size = bytes_left(reader);
    const uint8_t *end =
        size > 1 && *reader->at == '\n' ? memchr(reader->at + 1, '\n', size - 1) : NULL;
    if (!end || (size_t)(end - reader->at) > sizeof rule)
        return false;
    size = (size_t)(end - reader->at) - 1;
    memcpy(rule, reader->at + 1, size);
    rule[size] = 0;
    return !size || zone_table_extend(table, rule, last_s);
}

static bool read_zone(const uint8_t *bytes, size_t size, struct zone_table *table)
{
    struct byte_reader reader = {bytes, bytes + size, false};
    struct zone_header header;
    int64_t last_s;
    if (!read_header(&reader, &header))
        return false;
    if (header.version == 0)
        return read_block(&reader, &header, 4, table, &last_s);
    (void)bytes_take(&reader, (uint64_t)header.times * 5 + (uint64_t)header.types * 6 +
                                  rest_size(&header, 4));
    return read_header(&reader, &header) && read_block(&reader, &header, 8, table, &last_s) &&
           read_footer(&reader, table, last_s) && table->count <= ZONE_OFFSETS_MAX;
}

/* ---- By name --------------------------------------------------------------------------------- */

static bool is_zone_name(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size <= 64 && *name != '/' && !strstr(name, "..") && !strstr(name, "//") &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") ==
               size;
}

/* What a machine's owner sets, or nobody has set yet; and variants that not every machine has, one
 * of which counts leap seconds: the same agreement would count other days elsewhere. */
static bool depends_on_machine(const char *name)
{
    static const char *const names[] = {"localtime", "posixrules", "Factory"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "posix/", 6) == 0 || strncmp(name, "right/", 6) == 0;
}

static size_t read_whole_file(const char *path, uint8_t *room, size_t room_size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t size = fread(room, 1, room_size, file);
    bool good = !ferror(file);
    (void)fclose(file);
    return good ? size : 0;
}

enum message_id zone_load(struct arena *arena, const char *name, struct baton_zone_offset **zone,
                          uint32_t *count)
{
    static const struct baton_zone_offset utc = {INT64_MIN, 0};
    if (strcmp(name, "UTC") == 0) { /* the default must not need the tz database */
        *zone = arena_copy(arena, &utc, sizeof utc);
        *count = 1;
        return MESSAGES;
    }
    if (!is_zone_name(name))
        return MESSAGE_FINDING_ZONE_NAME;
    if (depends_on_machine(name))
        return MESSAGE_FINDING_ZONE_OF_MACHINE;
    char path[sizeof ZONE_FOLDER + 70];
    (void)snprintf(path, sizeof path, "%s/%s", ZONE_FOLDER, name);
    uint8_t *bytes = memory_take(ZONE_FILE_MAX);
    size_t size = read_whole_file(path, bytes, ZONE_FILE_MAX);
    struct zone_table table = {0};
    bool good = size && read_zone(bytes, size, &table);
    free(bytes);
    if (good) {
        *zone = arena_copy(arena, table.offsets, table.count * sizeof *table.offsets);
        *count = table.count;
    }
    free(table.offsets);
    if (good)
        return MESSAGES;
    FILE *any = fopen(ZONE_FOLDER "/Etc/UTC", "rb");
    if (!any)
        return MESSAGE_FINDING_ZONE_NO_DATABASE;
    (void)fclose(any);
    return size ? MESSAGE_FINDING_ZONE_UNREADABLE : MESSAGE_FINDING_ZONE_UNKNOWN;
}

const char *zone_nearest(struct arena *arena, const char *name)
{
    FILE *file = fopen(ZONE_FOLDER "/tzdata.zi", "r");
    const char *names[1024];
    size_t count = 0;
    char line[256], zone[80];
    while (file && count < 1024 && fgets(line, sizeof line, file)) {
        bool found = sscanf(line, "Z %79s", zone) == 1 || sscanf(line, "L %*s %79s", zone) == 1;
        if (found && !depends_on_machine(zone))
            names[count++] = arena_copy(arena, zone, strlen(zone) + 1);
    }
    if (file)
        (void)fclose(file);
    return nearest_word(name, strlen(name), names, count);
}

/* ---- As text, for storing -------------------------------------------------------------------- */

void agreement_zone_write(const struct baton_zone_offset *zone, uint32_t count,
                          struct text_buffer *out)
{
    text_buffer_print(out, "%" PRId32, zone[0].offset_s);
    for (uint32_t i = 1; i < count; i++)
        text_buffer_print(out, " %" PRId64 ":%" PRId32, zone[i].from_ms / 1000, zone[i].offset_s);
}

/* A number of up to 12 digits that ends at one of `ends` or at `end`. */
static bool read_whole(const char **at, const char *end, const char *ends, int64_t *value)
{
    bool negative = *at < end && **at == '-';
    *at += negative ? 1 : 0;
    const char *start = *at;
    int64_t found = 0;
    for (; *at < end && **at >= '0' && **at <= '9' && *at - start < 12; (*at)++)
        found = found * 10 + (**at - '0');
    *value = negative ? -found : found;
    return *at > start && (*at == end || (**at && strchr(ends, **at)));
}

static bool read_offset(const char **at, const char *end, struct baton_zone_offset *offset)
{
    int64_t value;
    if (!read_whole(at, end, " ", &value) || llabs(value) > OFFSET_MAX_S)
        return false;
    offset->offset_s = (int32_t)value;
    return true;
}

static bool read_entry(const char **at, const char *end, struct baton_zone_offset *entry)
{
    int64_t from_s;
    if (!read_whole(at, end, ":", &from_s) || *at == end || from_s <= 0)
        return false;
    (*at)++;
    entry->from_ms = from_s * 1000;
    return read_offset(at, end, entry);
}

enum status agreement_zone_read(const char *text, size_t size, struct baton_zone_offset **zone,
                                uint32_t *count)
{
    const char *at = text, *end = text + size;
    struct baton_zone_offset *table = memory_take(ZONE_OFFSETS_MAX * sizeof *table);
    uint32_t found = 1;
    table[0].from_ms = INT64_MIN;
    bool good = read_offset(&at, end, &table[0]);
    while (good && at < end) {
        at++; /* the blank */
        good = found < ZONE_OFFSETS_MAX && read_entry(&at, end, &table[found]) &&
               table[found].from_ms > table[found - 1].from_ms;
        found++;
    }
    if (!good) {
        free(table);
        return STATUS_REJECT;
    }
    *zone = memory_resize(table, found * sizeof *table);
    *count = found;
    return STATUS_OK;
}
