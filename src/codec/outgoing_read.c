#include "base/bytes.h"
#include "codec/embedded.h"
#include "codec/framing.h"
#include "codec/json_scan.h"
#include "codec/outgoing.h"
#include "codec/outgoing_content.h"
#include "codec/rfc3339.h"
#include "text/fold.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Everything that is read here was written by an encoder; still the topic is open to others, so
 * every byte is checked. Of Avro this knows the one layout that StageChange.avsc has; a record of
 * another one shows by its fingerprint, or by bytes that do not come out even. */

static uint64_t own_fingerprint;
/* Of StageChange.avsc in version 0.1, and before there were pacts. */
#define FIRST_FINGERPRINT UINT64_C(0x410cc8dae0b60a4e)
#define FORMER_FINGERPRINT UINT64_C(0x0f2b89ba8997d1bc)
static pthread_once_t fingerprint_once = PTHREAD_ONCE_INIT;

static void take_fingerprint(void)
{
    struct error error;
    const struct embedded_text *schema = embedded_find("StageChange.avsc");
    assert(schema);
    enum status status = schema_fingerprint(schema->text, schema->size, &own_fingerprint, &error);
    assert(status == STATUS_OK);
    (void)status;
}

/* A record before its fields have been judged. */
struct raw_stage {
    struct baton_text lead_id, stage, change, other;
    int64_t generation, time_ms, partition, offset, stage_offset, published_ms;
    bool adopted;
};

static bool text_is(struct baton_text text, const char *name)
{
    return text.size == strlen(name) && memcmp(text.data, name, text.size) == 0;
}

static bool find_stage(struct baton_text name, enum baton_stage *stage)
{
    for (unsigned i = 0; i < BATON_STAGES; i++)
        if (text_is(name, baton_stage_name((enum baton_stage)i))) {
            *stage = (enum baton_stage)i;
            return true;
        }
    return false;
}

/* A kind that is not known here is none: a later version may tell of more. */
static bool find_kind(struct baton_text change, enum stage_record_kind *kind)
{
    *kind = RECORD_STAGE;
    if (!change.size)
        return true;
    for (int i = RECORD_STAGE + 1; i < STAGE_RECORD_KINDS; i++)
        if (text_is(change, stage_record_name((enum stage_record_kind)i))) {
            *kind = (enum stage_record_kind)i;
            return true;
        }
    return false;
}

static const char *judge(const struct raw_stage *raw, struct stage_record *out)
{
    if (!raw->lead_id.size || raw->lead_id.size > BATON_ID_MAX ||
        !text_is_utf8(raw->lead_id.data, raw->lead_id.size))
        return "lead_id";
    if (!find_stage(raw->stage, &out->stage))
        return "stage";
    if (raw->generation < 1 || raw->generation > UINT16_MAX)
        return "generation";
    if (raw->time_ms < 0 || raw->time_ms > BATON_TIME_MAX_MS)
        return "time";
    if (raw->partition < 0 || raw->partition > INT32_MAX)
        return "partition";
    if (raw->offset < 0)
        return "offset";
    if (!find_kind(raw->change, &out->kind))
        return "change";
    if (raw->stage_offset < -1)
        return "stage_offset";
    if (raw->other.size > BATON_ID_MAX || !text_is_utf8(raw->other.data, raw->other.size) ||
        (out->kind == RECORD_MERGED && !raw->other.size))
        return "other";
    if (raw->published_ms < 0 || raw->published_ms > BATON_TIME_MAX_MS)
        return "published";
    out->published_ms = raw->published_ms;
    out->adopted = raw->adopted;
    out->other = raw->other;
    out->stage_offset = raw->stage_offset;
    out->lead_id = raw->lead_id;
    out->generation = (uint16_t)raw->generation;
    out->time_ms = raw->time_ms;
    out->partition = (uint32_t)raw->partition;
    out->offset = raw->offset;
    return NULL;
}

/* ---- Avro
 * ---------------------------------------------------------------------------------------- */

static struct baton_text read_string(struct byte_reader *reader)
{
    int64_t size = bytes_zigzag(reader);
    if (size < 0 || size > UINT32_MAX)
        reader->failed = true;
    const uint8_t *bytes = bytes_take(reader, (uint64_t)size);
    return (struct baton_text){(const char *)bytes, bytes ? (uint32_t)size : 0};
}

/* Of a union with null: false for null. */
static bool is_there(struct byte_reader *reader)
{
    int64_t branch = bytes_zigzag(reader);
    reader->failed |= branch != 0 && branch != 1;
    return branch == 1;
}

static struct baton_text read_optional_string(struct byte_reader *reader)
{
    return is_there(reader) ? read_string(reader) : (struct baton_text){0};
}

/* What version 0.1 did not write. */
static void read_avro_rest(struct byte_reader *reader, struct raw_stage *raw)
{
    raw->change = read_optional_string(reader);
    (void)read_optional_string(reader); /* by */
    (void)read_optional_string(reader); /* report */
    (void)read_optional_string(reader); /* reason */
    (void)read_optional_string(reader); /* why */
    for (int i = 0; i < 2; i++)         /* adjusted, points */
        if (is_there(reader))
            (void)bytes_zigzag(reader);
    raw->other = read_optional_string(reader);
    if (is_there(reader))
        raw->stage_offset = bytes_zigzag(reader);
}

/* What was not written before there were pacts. */
static void read_avro_pact(struct byte_reader *reader, struct raw_stage *raw)
{
    if (is_there(reader))
        raw->published_ms = bytes_zigzag(reader);
    if (!is_there(reader))
        return;
    uint8_t adopted = bytes_u8(reader);
    reader->failed |= adopted > 1;
    raw->adopted = adopted == 1;
}

/* Of a registry's id nobody knows which it is: each layout is longer than the ones before. */
enum layout { LAYOUT_FIRST, LAYOUT_FORMER, LAYOUT_OWN, LAYOUT_ANY };

/* The fields of StageChange.avsc, in its order. */
static bool read_avro(const uint8_t *body, size_t size, enum layout layout, struct raw_stage *raw)
{
    struct byte_reader reader = {.at = body, .end = body + size};
    raw->lead_id = read_string(&reader);
    raw->generation = bytes_zigzag(&reader);
    (void)read_string(&reader); /* from_stage */
    raw->stage = read_string(&reader);
    raw->time_ms = bytes_zigzag(&reader);
    (void)bytes_zigzag(&reader); /* score */
    (void)bytes_zigzag(&reader); /* fit */
    (void)bytes_zigzag(&reader); /* behaviour */
    (void)read_string(&reader);  /* agreement */
    (void)bytes_zigzag(&reader); /* agreement_version */
    (void)read_string(&reader);  /* agreement_hash */
    (void)read_string(&reader);  /* event_id */
    (void)read_string(&reader);  /* topic */
    raw->partition = bytes_zigzag(&reader);
    raw->offset = bytes_zigzag(&reader);
    bool any = layout == LAYOUT_ANY;
    if (any ? bytes_left(&reader) > 0 : layout >= LAYOUT_FORMER)
        read_avro_rest(&reader, raw);
    if (any ? bytes_left(&reader) > 0 : layout >= LAYOUT_OWN)
        read_avro_pact(&reader, raw);
    return !reader.failed && bytes_left(&reader) == 0;
}

/* ---- JSON
 * ---------------------------------------------------------------------------------------- */

/* -1 where it is no number from 0 to 2^63 - 1. */
static int64_t whole_number(struct baton_text digits)
{
    int64_t value = 0;
    for (uint32_t i = 0; i < digits.size; i++) {
        int digit = digits.data[i] - '0';
        if (digit < 0 || digit > 9 || value > (INT64_MAX - digit) / 10)
            return -1;
        value = value * 10 + digit;
    }
    return digits.size ? value : -1;
}

static int64_t json_time(enum json_kind kind, struct baton_text value)
{
    int64_t time_ms = -1;
    if (kind == JSON_IS_NUMBER)
        return whole_number(value);
    return kind == JSON_IS_STRING && rfc3339_read(value, &time_ms) ? time_ms : -1;
}

static void take_field(struct raw_stage *raw, struct baton_text name, enum json_kind kind,
                       struct baton_text value)
{
    bool string = kind == JSON_IS_STRING, number = kind == JSON_IS_NUMBER;
    if (text_is(name, "lead_id") && string)
        raw->lead_id = value;
    else if (text_is(name, "stage") && string)
        raw->stage = value;
    else if (text_is(name, "time"))
        raw->time_ms = json_time(kind, value);
    else if (text_is(name, "generation") && number)
        raw->generation = whole_number(value);
    else if (text_is(name, "partition") && number)
        raw->partition = whole_number(value);
    else if (text_is(name, "offset") && number)
        raw->offset = whole_number(value);
    else if (text_is(name, "change") && string)
        raw->change = value;
    else if (text_is(name, "other") && string)
        raw->other = value;
    else if (text_is(name, "stage_offset") && number)
        raw->stage_offset = whole_number(value);
    else if (text_is(name, "published"))
        raw->published_ms = json_time(kind, value);
    else if (text_is(name, "adopted"))
        raw->adopted = kind == JSON_IS_TRUE;
}

static bool read_json(const uint8_t *value, size_t size, struct arena *arena, struct raw_stage *raw)
{
    const char *text = (const char *)value;
    struct json_scan scan = {.at = text, .end = text + size, .arena = arena};
    struct baton_text name, scalar;
    bool first = true;
    if (!text_is_utf8(text, size) || json_peek(&scan) != JSON_IS_OBJECT)
        return false;
    json_enter(&scan, 1);
    while (json_next(&scan, &first, &name)) {
        enum json_kind kind = json_peek(&scan);
        if (kind == JSON_IS_STRING || kind == JSON_IS_NUMBER || kind == JSON_IS_TRUE) {
            if (json_scalar(&scan, &scalar))
                take_field(raw, name, kind, scalar);
        } else
            (void)json_skip(&scan, 2);
    }
    return !scan.problem && json_at_end(&scan);
}

static bool find_layout(uint64_t fingerprint, enum layout *layout)
{
    *layout = fingerprint == own_fingerprint      ? LAYOUT_OWN
              : fingerprint == FORMER_FINGERPRINT ? LAYOUT_FORMER
                                                  : LAYOUT_FIRST;
    return *layout != LAYOUT_FIRST || fingerprint == FIRST_FINGERPRINT;
}

enum status stage_record_read(const uint8_t *value, size_t size, struct arena *arena,
                              struct stage_record *out, struct error *error)
{
    struct raw_stage raw = {
        .generation = -1, .time_ms = -1, .partition = -1, .offset = -1, .stage_offset = -1};
    struct framed framed = framing_read(value, size);
    bool read = false;
    (void)pthread_once(&fingerprint_once, take_fingerprint);
    if (framed.framing == FRAMING_JSON)
        read = read_json(value, size, arena, &raw);
    else if (framed.framing == FRAMING_REGISTRY)
        read = read_avro(framed.body, framed.body_size, LAYOUT_ANY, &raw);
    else if (framed.framing == FRAMING_SINGLE_OBJECT) {
        enum layout layout;
        if (!find_layout(framed.schema.id, &layout))
            return error_set(error, STATUS_REJECT,
                             "a stage record of another schema (fingerprint %016" PRIx64 ")",
                             framed.schema.id);
        read = read_avro(framed.body, framed.body_size, layout, &raw);
    }
    if (!read)
        return error_set(error, STATUS_REJECT, "not a stage record");
    const char *wrong = judge(&raw, out);
    if (wrong)
        return error_set(error, STATUS_REJECT, "a stage record without a usable %s", wrong);
    return STATUS_OK;
}
