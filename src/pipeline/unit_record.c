#include "pipeline/unit_record.h"

#include "base/bytes.h"
#include "base/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- small texts
 * ---------------------------------------------------------------------------------- */

/* Reads one whole number and moves on behind it; false when there is none, or it does not fit. */
static bool take_i64(const char **at, int64_t *value)
{
    char *end;
    size_t sign = **at == '-';
    size_t digits = strspn(*at + sign, "0123456789");
    errno = 0;
    long long read = strtoll(*at, &end, 10);
    if (digits == 0 || errno || end != *at + sign + digits)
        return false;
    *at = end;
    *value = read;
    return true;
}

static bool take_u64(const char **at, int base, uint64_t *value)
{
    char *end;
    size_t digits = strspn(*at, base == 16 ? "0123456789abcdef" : "0123456789");
    errno = 0;
    unsigned long long read = strtoull(*at, &end, base);
    if (digits == 0 || errno || end != *at + digits)
        return false;
    *at = end;
    *value = read;
    return true;
}

static bool take_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static bool take_hash(const char **at, char hash[AGREEMENT_HASH_MAX + 1])
{
    size_t size = strspn(*at, "0123456789abcdef");
    if (size == 0 || size > AGREEMENT_HASH_MAX)
        return false;
    memcpy(hash, *at, size);
    hash[size] = 0;
    *at += size;
    return true;
}

/* ---- aggregates
 * ----------------------------------------------------------------------------------- */

void unit_record_print_aggregates(struct text_buffer *text, const struct unit_aggregates *a)
{
    text_buffer_print(
        text, "%" PRId64 " %016" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
        a->position, a->digest, a->transitions, a->promotions, a->events, a->duplicates,
        a->too_late);
    if (a->ignored)
        text_buffer_print(text, " i:%" PRIu64, a->ignored);
    if (a->dropped)
        text_buffer_print(text, " e:%" PRIu64, a->dropped);
    if (a->clock_ms)
        text_buffer_print(text, " c:%" PRId64, a->clock_ms);
    if (a->newest_ms)
        text_buffer_print(text, " n:%" PRId64, a->newest_ms);
    if (a->reports_ignored)
        text_buffer_print(text, " r:%" PRIu64, a->reports_ignored);
    if (a->trimmed)
        text_buffer_print(text, " t:%" PRIu64, a->trimmed);
    for (unsigned reason = 1; reason < DEAD_REASONS; reason++)
        if (a->dead[reason])
            text_buffer_print(text, " %u:%" PRIu64, reason, a->dead[reason]);
    for (unsigned route = 0; route < BATON_ROUTES_MAX; route++)
        if (a->assigned[route])
            text_buffer_print(text, " a%u:%" PRIu64, route, a->assigned[route]);
}

/* "7:2": two dead letters for reason 7; "a3:5": five promotions by item 3 of `assign`. */
static bool read_counts(const char *at, struct unit_aggregates *a)
{
    while (*at) {
        uint64_t index, count;
        if (!take_char(&at, ' '))
            return false;
        bool route = take_char(&at, 'a');
        if (!take_u64(&at, 10, &index) || !take_char(&at, ':') || !take_u64(&at, 10, &count))
            return false;
        if (route ? index >= BATON_ROUTES_MAX : index == 0 || index >= DEAD_REASONS)
            return false;
        *(route ? &a->assigned[index] : &a->dead[index]) = count;
    }
    return true;
}

/* A count that is written where it is not 0. */
static bool take_lettered(const char **at, const char *letter, uint64_t *count)
{
    size_t size = strlen(letter);
    if (strncmp(*at, letter, size) != 0)
        return true;
    *at += size;
    return take_u64(at, 10, count);
}

/* The same of a time. */
static bool take_time(const char **at, const char *letter, int64_t *time_ms)
{
    size_t size = strlen(letter);
    if (strncmp(*at, letter, size) != 0)
        return true;
    *at += size;
    return take_i64(at, time_ms);
}

static bool read_aggregates(const char *at, struct unit_aggregates *a)
{
    *a = (struct unit_aggregates){0};
    uint64_t *const numbers[] = {&a->transitions, &a->promotions, &a->events, &a->duplicates,
                                 &a->too_late};
    if (!take_i64(&at, &a->position) || !take_char(&at, ' ') || !take_u64(&at, 16, &a->digest))
        return false;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!take_char(&at, ' ') || !take_u64(&at, 10, numbers[i]))
            return false;
    return take_lettered(&at, " i:", &a->ignored) && take_lettered(&at, " e:", &a->dropped) &&
           take_time(&at, " c:", &a->clock_ms) && take_time(&at, " n:", &a->newest_ms) &&
           take_lettered(&at, " r:", &a->reports_ignored) &&
           take_lettered(&at, " t:", &a->trimmed) && read_counts(at, a);
}

/* ---- verdicts
 * ------------------------------------------------------------------------------------- */

void schema_key_print(struct text_buffer *text, struct schema_key key)
{
    if (key.naming == SCHEMA_FINGERPRINT)
        text_buffer_print(text, "f%016" PRIx64, key.id);
    else
        text_buffer_print(text, "r%" PRIu64, key.id);
}

void unit_record_print_verdicts(struct text_buffer *text, const struct schema_verdict *verdicts,
                                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_buffer_add_text(text, i ? "," : "");
        schema_key_print(text, verdicts[i].schema);
        text_buffer_print(text, ":%" PRId64 ":", verdicts[i].from);
        if (verdicts[i].until != INT64_MAX)
            text_buffer_print(text, "%" PRId64, verdicts[i].until);
    }
}

static bool take_verdict(const char **at, struct schema_verdict *verdict)
{
    bool fingerprint = **at == 'f';
    if (!fingerprint && **at != 'r')
        return false;
    (*at)++;
    verdict->schema.naming = fingerprint ? SCHEMA_FINGERPRINT : SCHEMA_REGISTRY_ID;
    verdict->until = INT64_MAX;
    if (!take_u64(at, fingerprint ? 16 : 10, &verdict->schema.id) || !take_char(at, ':') ||
        !take_i64(at, &verdict->from) || !take_char(at, ':'))
        return false;
    return **at == 0 || **at == ',' || **at == ' ' || take_i64(at, &verdict->until);
}

static bool take_verdicts(const char **at, struct schema_verdict *verdicts, size_t *count)
{
    *count = 0;
    if (**at == 0 || **at == ' ')
        return true;
    do {
        if (*count == UNIT_VERDICTS_MAX || !take_verdict(at, &verdicts[*count]))
            return false;
        ++*count;
    } while (take_char(at, ','));
    return true;
}

static bool same_schema(struct schema_key a, struct schema_key b)
{
    return a.naming == b.naming && a.id == b.id;
}

bool schema_verdicts_unite(struct schema_verdict *into, size_t *count,
                           const struct schema_verdict *from, size_t from_count)
{
    for (size_t i = 0; i < from_count; i++) {
        size_t j = 0;
        while (j < *count &&
               !(same_schema(into[j].schema, from[i].schema) && into[j].from == from[i].from))
            j++;
        if (j == UNIT_VERDICTS_MAX)
            return false;
        if (j == *count)
            into[(*count)++] = from[i];
        else if (from[i].until < into[j].until)
            into[j].until = from[i].until;
    }
    return true;
}

bool schema_verdicts_cover(const struct schema_verdict *verdicts, size_t count,
                           struct schema_key schema, int64_t offset)
{
    for (size_t i = 0; i < count; i++)
        if (same_schema(verdicts[i].schema, schema) && offset >= verdicts[i].from &&
            offset < verdicts[i].until)
            return true;
    return false;
}

/* ---- sweep
 * ---------------------------------------------------------------------------------------- */

void unit_record_print_sweep(struct text_buffer *text, const struct unit_sweep *s)
{
    text_buffer_print(text, "%s %" PRId64 " %d %u %" PRIu64 " %" PRIu64 " %s", s->agreement,
                      s->begun_ms, s->running, s->permille, s->seen, s->asked, s->cursor);
}

static bool read_sweep(const char *at, struct unit_sweep *s)
{
    int64_t running, permille;
    if (!take_hash(&at, s->agreement) || !take_char(&at, ' ') || !take_i64(&at, &s->begun_ms) ||
        !take_char(&at, ' ') || !take_i64(&at, &running) || !take_char(&at, ' ') ||
        !take_i64(&at, &permille) || !take_char(&at, ' ') || !take_u64(&at, 10, &s->seen) ||
        !take_char(&at, ' ') || !take_u64(&at, 10, &s->asked) || !take_char(&at, ' ') ||
        running < 0 || running > 1 || permille < 0 || permille > 1000 ||
        strlen(at) > STORE_CURSOR_MAX)
        return false;
    s->running = running == 1;
    s->permille = (unsigned)permille;
    (void)strcpy(s->cursor, at);
    return true;
}

/* ---- the unit's hash
 * ------------------------------------------------------------------------------ */

static bool read_hash_text(const char *at, char hash[AGREEMENT_HASH_MAX + 1])
{
    return take_hash(&at, hash) && *at == 0;
}

static bool read_i64(const char *at, int64_t *value)
{
    return take_i64(&at, value) && *at == 0;
}

static bool read_u32(const char *at, uint32_t *value)
{
    uint64_t number;
    if (!take_u64(&at, 10, &number) || *at || number > UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    return true;
}

/* Fields that are one number from 0 on; any other name is the store's own, or of a later version,
 * and its value is its own business. */
static bool read_number_field(struct unit_record *record, const char *name, const char *value)
{
    int64_t committed = 0;
    const struct {
        const char *name;
        int64_t *number;
    } numbers[] = {{"position", &record->position},    {"start", &record->start},
                   {"committed", &committed},          {"rebuild", &record->rebuild},
                   {"accepted", &record->accepted},    {"updated", &record->updated_ms},
                   {"passed", &record->passed_ms},     {"counted_from", &record->counted_from},
                   {"counted_at", &record->counted_at}};
    if (strcmp(name, "partitions") == 0)
        return read_u32(value, &record->partitions);
    if (strcmp(name, "fold") == 0)
        return read_u32(value, &record->fold_version);
    if (strcmp(name, "words") == 0)
        return read_u32(value, &record->words);
    if (strcmp(name, "days") == 0)
        return read_u32(value, &record->days);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(name, numbers[i].name) != 0)
            continue;
        if (!read_i64(value, numbers[i].number) || *numbers[i].number < 0)
            return false;
        record->has_position = record->has_position || strcmp(name, "position") == 0;
        record->committed = record->committed || committed != 0;
    }
    return true;
}

static bool read_field(struct unit_record *record, const char *name, const char *value)
{
    const char *at = value;
    if (strcmp(name, "aggregates") == 0)
        return read_aggregates(value, &record->aggregates);
    if (strcmp(name, "sweep") == 0)
        return read_sweep(value, &record->sweep);
    if (strcmp(name, "verdicts") == 0)
        return take_verdicts(&at, record->verdicts, &record->verdict_count) && *at == 0;
    if (strcmp(name, "agreement") == 0)
        return read_hash_text(value, record->agreement);
    if (strcmp(name, "input") == 0)
        return take_u64(&at, 16, &record->input_hash) && *at == 0;
    return read_number_field(record, name, value);
}

enum status unit_record_read(const struct field *fields, size_t count, struct unit_record *record,
                             struct error *error)
{
    *record =
        (struct unit_record){.rebuild = -1, .accepted = -1, .counted_from = -1, .counted_at = -1};
    for (size_t i = 0; i < count; i++) {
        char name[32], value[UNIT_METADATA_MAX];
        if (fields[i].name.size >= sizeof name)
            continue;
        memcpy(name, fields[i].name.data, fields[i].name.size);
        name[fields[i].name.size] = 0;
        bool fits = fields[i].value.size < sizeof value;
        if (fits) {
            memcpy(value, fields[i].value.data, fields[i].value.size);
            value[fields[i].value.size] = 0;
        }
        if (!fits || strlen(value) != fields[i].value.size)
            (void)strcpy(value, "?"); /* no field of ours; another's is its own business */
        if (!read_field(record, name, value))
            return error_set(error, STATUS_STOP,
                             "field `%s` of the unit's hash is damaged: restore it, or rebuild the "
                             "unit (baton run --rebuild)",
                             name);
    }
    return STATUS_OK;
}

/* ---- since when all count
 * ----------------------------------------------------------------------------------- */

void counted_since_add(struct counted_since *since, const struct unit_record *record)
{
    if (record->counted_from < 0 || record->counted_from > INT32_MAX)
        return;
    int32_t day = (int32_t)record->counted_from;
    if (since->first == INT32_MIN || day < since->first)
        since->first = day;
    if (record->counted_at != 0 && day > since->last)
        since->last = day;
}

int32_t counted_since_day(const struct counted_since *since)
{
    return since->last > since->first ? since->last : since->first;
}

/* ---- metadata
 * ------------------------------------------------------------------------------------- */

void commit_metadata_print(struct text_buffer *text, const struct commit_metadata *m)
{
    text_buffer_print(text, "b1 t=%" PRId64 " d=%016" PRIx64 " n=%" PRIu64 " x=%" PRIu64 " a=%s s=",
                      m->clock_ms, m->digest, m->transitions, m->dead, m->agreement);
    for (size_t i = 0; i < m->switch_count; i++)
        text_buffer_print(text, "%s%" PRId64 ":%s", i ? "," : "", m->switches[i].position,
                          m->switches[i].hash);
    text_buffer_add_text(text, " v=");
    unit_record_print_verdicts(text, m->verdicts, m->verdict_count);
}

static bool take_word(const char **at, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(*at, word, size) != 0)
        return false;
    *at += size;
    return true;
}

static bool take_switches(const char **at, struct commit_metadata *m)
{
    if (**at == ' ')
        return true;
    do {
        if (m->switch_count == UNIT_SWITCHES ||
            !take_i64(at, &m->switches[m->switch_count].position) || !take_char(at, ':') ||
            !take_hash(at, m->switches[m->switch_count].hash))
            return false;
        m->switch_count++;
    } while (take_char(at, ','));
    return true;
}

enum status commit_metadata_read(const char *text, struct commit_metadata *m, struct error *error)
{
    *m = (struct commit_metadata){0};
    const char *at = text;
    if (*at == 0)
        return STATUS_OK;
    m->present = true;
    bool read = take_word(&at, "b1 t=") && take_i64(&at, &m->clock_ms) && take_word(&at, " d=") &&
                take_u64(&at, 16, &m->digest) && take_word(&at, " n=") &&
                take_u64(&at, 10, &m->transitions) && take_word(&at, " x=") &&
                take_u64(&at, 10, &m->dead) && take_word(&at, " a=") &&
                take_hash(&at, m->agreement) && take_word(&at, " s=") && take_switches(&at, m) &&
                take_word(&at, " v=") && take_verdicts(&at, m->verdicts, &m->verdict_count) &&
                *at == 0;
    return read ? STATUS_OK
                : error_set(error, STATUS_STOP,
                            "the metadata of the committed offset was not written by this program: "
                            "\"%.80s\"; is another "
                            "consumer using this group?",
                            text);
}

/* ---- digest
 * --------------------------------------------------------------------------------------- */

uint64_t digest_transition(uint64_t digest, struct baton_text lead_id, uint16_t generation,
                           enum baton_stage stage, int64_t offset)
{
    uint8_t record[BATON_ID_MAX + 3 * BYTES_VARINT_MAX + 1], *at = record;
    *at++ = 'T';
    at = bytes_put_varint(at, generation);
    at = bytes_put_varint(at, (uint64_t)stage);
    at = bytes_put_varint(at, (uint64_t)offset);
    at = bytes_put(at, lead_id.data, lead_id.size);
    return hash64(record, (size_t)(at - record), digest);
}

uint64_t digest_dead(uint64_t digest, int64_t offset, enum dead_reason reason)
{
    uint8_t record[2 * BYTES_VARINT_MAX + 1], *at = record;
    *at++ = 'D';
    at = bytes_put_varint(at, (uint64_t)reason);
    at = bytes_put_varint(at, (uint64_t)offset);
    return hash64(record, (size_t)(at - record), digest);
}
