/* Random schemas and random values: encoded by libavro, read back by its generic reader and by a
 * plan; both must say the same of every field that is for something, found by its name. */
#include "codec/avro_decode.h"
#include "codec/limits.h"
#include "codec/number_text.h"
#include "codec_support.h"

#include <avro.h>
#include <math.h>

static uint32_t random_state;
static uint32_t roll(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(random_state >> 8) * limit >> 24);
}

/* ---- random schemas
 * --------------------------------------------------------------------------------------- */

static char schema_text[65536];
static size_t schema_size;
static unsigned names_made;

static void write_text(const char *text)
{
    schema_size += (size_t)sprintf(schema_text + schema_size, "%s", text);
}

static void write_type(int depth);

static void write_members(const char *const *names, unsigned count, int depth)
{
    for (unsigned i = 0; i < count; i++) {
        schema_size += (size_t)sprintf(schema_text + schema_size,
                                       "%s{\"name\":\"%s\",\"type\":", i ? "," : "", names[i]);
        write_type(depth);
        write_text("}");
    }
}

static void write_record(int depth)
{
    static const char *const names[] = {"name", "value", "key", "url", "x", "next"};
    unsigned count = 1 + roll(4), skip = roll(3);
    schema_size +=
        (size_t)sprintf(schema_text + schema_size,
                        "{\"type\":\"record\",\"name\":\"T%u\",\"fields\":[", names_made);
    unsigned own = names_made++;
    write_members(names + skip, count > 6 - skip ? 6 - skip : count, depth - 1);
    if (roll(3) == 0)
        schema_size += (size_t)sprintf(schema_text + schema_size,
                                       ",{\"name\":\"again\",\"type\":[\"null\",\"T%u\"]}", own);
    write_text("]}");
}

static void write_simple(void)
{
    static const char *const simple[] = {
        "\"null\"",
        "\"boolean\"",
        "\"int\"",
        "\"long\"",
        "\"float\"",
        "\"double\"",
        "\"bytes\"",
        "\"string\"",
        "\"string\"",
        "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}",
        "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}"};
    write_text(simple[roll(sizeof simple / sizeof *simple)]);
}

static void write_union(int depth)
{
    /* One of each kind at most, in any order. */
    static const char *const branches[] = {"\"null\"",    "\"string\"", "\"long\"", "\"double\"",
                                           "\"boolean\"", "\"bytes\"",  "\"int\""};
    unsigned start = roll(7), count = 1 + roll(4);
    write_text("[");
    for (unsigned i = 0; i < count; i++) {
        write_text(i ? "," : "");
        write_text(branches[(start + i) % 7]);
    }
    if (depth > 0 && roll(3) == 0) {
        write_text(",");
        write_record(depth);
    }
    if (depth > 0 && roll(3) == 0) {
        write_text(",{\"type\":\"map\",\"values\":");
        write_type(depth - 1);
        write_text("}");
    }
    write_text("]");
}

static void write_type(int depth)
{
    switch (roll(depth > 0 ? 12 : 7)) {
    case 4: write_text("[\"null\",\"string\"]"); break;
    case 5: write_text("[\"string\",\"null\"]"); break;
    case 6:
        schema_size += (size_t)sprintf(
            schema_text + schema_size,
            roll(2)
                ? "{\"type\":\"enum\",\"name\":\"T%u\",\"symbols\":[\"A\",\"visit\",\"form_fill\"]}"
                : "{\"type\":\"fixed\",\"name\":\"T%u\",\"size\":3}",
            names_made);
        names_made++;
        break;
    case 7:
        write_text("{\"type\":\"array\",\"items\":");
        write_type(depth - 1);
        write_text("}");
        break;
    case 8:
        write_text("{\"type\":\"map\",\"values\":");
        write_type(depth - 1);
        write_text("}");
        break;
    case 9: write_record(depth); break;
    case 10:
    case 11: write_union(depth); break;
    default: write_simple(); break;
    }
}

static void make_schema(void)
{
    static const char *const known[] = {
        "event_id",   "lead_id",  "time",    "url",        "page",    "ts",        "referrer",
        "channel",    "campaign", "session", "user_agent", "target",  "form",      "fields",
        "properties", "name",     "email",   "phone",      "company", "job_title", "age",
        "employees",  "sector",   "segment", "country",    "consent", "kind",      "type",
        "other",      "nest",     "more"};
    enum { KNOWN = sizeof known / sizeof *known };
    const char *names[KNOWN];
    memcpy(names, known, sizeof known);
    for (unsigned i = KNOWN - 1; i > 0; i--) {
        unsigned j = roll(i + 1);
        const char *other = names[i];
        names[i] = names[j];
        names[j] = other;
    }
    names_made = schema_size = 0;
    write_text("{\"type\":\"record\",\"name\":\"Event\",\"namespace\":\"a.b\",\"fields\":[");
    write_members(names, 1 + roll(KNOWN), 3);
    write_text("]}");
}

/* ---- random values
 * ----------------------------------------------------------------------------------------- */

static const char *random_text(size_t *size)
{
    static const char *const texts[] = {"",
                                        "a",
                                        "visit",
                                        "form_submit",
                                        "https://h/p?utm_source=x",
                                        "\xC3\xA9t\xC3\xA9",
                                        "2026-11-01T12:00:00Z",
                                        "broken \xFF",
                                        "a longer text that is not short at all"};
    const char *text = texts[roll(sizeof texts / sizeof *texts)];
    *size = strlen(text);
    return text;
}

static int64_t random_long(void)
{
    static const int64_t longs[] = {0,
                                    1,
                                    -1,
                                    63,
                                    64,
                                    -65,
                                    NOON,
                                    NOON * 1000,
                                    INT64_MAX,
                                    INT64_MIN,
                                    1000000000000,
                                    1000000000001};
    return longs[roll(sizeof longs / sizeof *longs)];
}

static double random_double(void)
{
    static const double doubles[] = {0, -0.0, 1.5, 1e12, 1e13, -2.123456789, INFINITY, NAN, 1e-9};
    return doubles[roll(sizeof doubles / sizeof *doubles)];
}

static void fill(avro_value_t *value, int depth);

static void fill_array(avro_value_t *value, int depth)
{
    for (unsigned i = 0, count = roll(4); i < count; i++) {
        avro_value_t item;
        cr_assert_eq(avro_value_append(value, &item, NULL), 0);
        fill(&item, depth + 1);
    }
}

static void fill_map(avro_value_t *value, int depth)
{
    static const char *const keys[] = {"email", "x", "url", "age", "\xC3\xA9"};
    for (unsigned i = 0, count = roll(4); i < count; i++) {
        avro_value_t item;
        cr_assert_eq(avro_value_add(value, keys[roll(5)], &item, NULL, NULL), 0);
        fill(&item, depth + 1);
    }
}

static void fill_record(avro_value_t *value, int depth)
{
    size_t count;
    avro_value_get_size(value, &count);
    for (size_t i = 0; i < count; i++) {
        avro_value_t field;
        cr_assert_eq(avro_value_get_by_index(value, i, &field, NULL), 0);
        fill(&field, depth + 1);
    }
}

static void fill_union(avro_value_t *value, int depth)
{
    avro_value_t branch;
    avro_schema_t schema = avro_value_get_schema(value);
    int choice = (int)roll((uint32_t)avro_schema_union_size(schema));
    /* Recursion comes to an end: deep down the first branch, which is simple. */
    cr_assert_eq(avro_value_set_branch(value, depth > 12 ? 0 : choice, &branch), 0);
    fill(&branch, depth + 1);
}

static void fill_text(avro_value_t *value, bool is_bytes)
{
    size_t size;
    const char *text = random_text(&size);
    if (is_bytes)
        avro_value_set_bytes(value, (void *)text, size);
    else
        avro_value_set_string_len(value, text, size + 1);
}

static void fill(avro_value_t *value, int depth)
{
    switch (avro_value_get_type(value)) {
    case AVRO_NULL: avro_value_set_null(value); break;
    case AVRO_BOOLEAN: avro_value_set_boolean(value, (int)roll(2)); break;
    case AVRO_INT32: avro_value_set_int(value, (int32_t)random_long()); break;
    case AVRO_INT64: avro_value_set_long(value, random_long()); break;
    case AVRO_FLOAT: avro_value_set_float(value, (float)random_double()); break;
    case AVRO_DOUBLE: avro_value_set_double(value, random_double()); break;
    case AVRO_STRING: fill_text(value, false); break;
    case AVRO_BYTES: fill_text(value, true); break;
    case AVRO_FIXED: avro_value_set_fixed(value, "abc", 3); break;
    case AVRO_ENUM: avro_value_set_enum(value, (int)roll(3)); break;
    case AVRO_ARRAY: fill_array(value, depth); break;
    case AVRO_MAP: fill_map(value, depth); break;
    case AVRO_RECORD: fill_record(value, depth); break;
    case AVRO_UNION: fill_union(value, depth); break;
    default: cr_assert_fail("a type that is not made here");
    }
}

/* ---- what libavro says
 * ------------------------------------------------------------------------------------- */

static struct arena arena;
static const struct input_config *config;

enum said { SAID_NOTHING, SAID_NULL, SAID_TEXT };

static avro_value_t inside(const avro_value_t *value)
{
    avro_value_t branch = *value;
    while (avro_value_get_type(&branch) == AVRO_UNION)
        cr_assert_eq(avro_value_get_current_branch(&branch, &branch), 0);
    return branch;
}

static enum said number_or_nothing(bool representable)
{
    return representable ? SAID_TEXT : SAID_NOTHING;
}

static enum said text_of(const avro_value_t *outer, struct baton_text *text)
{
    avro_value_t value = inside(outer);
    const void *bytes = NULL;
    size_t size = 0;
    int number;
    int64_t whole;
    float single;
    double real;
    switch (avro_value_get_type(&value)) {
    case AVRO_NULL: return SAID_NULL;
    case AVRO_BOOLEAN:
        avro_value_get_boolean(&value, &number);
        *text = as_text(number ? "true" : "false");
        return SAID_TEXT;
    case AVRO_INT32:
        avro_value_get_int(&value, &number);
        return number_or_nothing(number_text_long(&arena, number, text));
    case AVRO_INT64:
        avro_value_get_long(&value, &whole);
        return number_or_nothing(number_text_long(&arena, whole, text));
    case AVRO_FLOAT:
        avro_value_get_float(&value, &single);
        return number_or_nothing(number_text_double(&arena, (double)single, text));
    case AVRO_DOUBLE:
        avro_value_get_double(&value, &real);
        return number_or_nothing(number_text_double(&arena, real, text));
    case AVRO_STRING:
        avro_value_get_string(&value, (const char **)&bytes, &size);
        *text = (struct baton_text){bytes, (uint32_t)size - 1};
        return SAID_TEXT;
    case AVRO_BYTES:
        avro_value_get_bytes(&value, &bytes, &size);
        *text = (struct baton_text){bytes, (uint32_t)size};
        return SAID_TEXT;
    case AVRO_ENUM:
        avro_value_get_enum(&value, &number);
        *text = as_text(avro_schema_enum_get(avro_value_get_schema(&value), number));
        return SAID_TEXT;
    default: return SAID_NOTHING;
    }
}

static bool same(struct baton_text a, struct baton_text b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

/* What libavro finds at a path of names through records and maps; false: nothing. */
static bool find(const avro_value_t *record, const char *path, avro_value_t *out)
{
    char name[64];
    const char *dot = strchr(path, '.');
    size_t size = dot ? (size_t)(dot - path) : strlen(path);
    memcpy(name, path, size);
    name[size] = 0;
    avro_value_t value = inside(record);
    avro_type_t type = avro_value_get_type(&value);
    if ((type != AVRO_RECORD && type != AVRO_MAP) ||
        avro_value_get_by_name(&value, name, out, NULL) != 0)
        return false;
    return dot ? find(out, dot + 1, out) : true;
}

static void check_text(const avro_value_t *record, const char *path, const struct raw_event *raw,
                       enum target target)
{
    avro_value_t value;
    struct baton_text text = {0};
    enum said said = find(record, path, &value) ? text_of(&value, &text) : SAID_NOTHING;
    bool is_id = target <= TARGET_LEAD_ID;
    if (said == SAID_TEXT && !is_id && !raw_text_is_utf8(text)) {
        said = SAID_NOTHING;
        text.size = 0;
    }
    cr_assert(same(text, raw->texts[target]), "%s of %s", path, schema_text);
    if (target >= TARGET_PROFILE)
        cr_assert_eq(said != SAID_NOTHING, raw->mentioned >> (target - TARGET_PROFILE) & 1,
                     "%s of %s", path, schema_text);
}

/* libavro does not keep logical types of 1.8 and later; a field's is read from the text that was
 * made here. */
static bool counts_micros(const char *name)
{
    char start[64];
    sprintf(start, "{\"name\":\"%s\",\"type\":", name);
    const char *at = strstr(schema_text, start);
    at += strlen(start);
    return strncmp(at, "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", 48) == 0;
}

static void check_time(const avro_value_t *record, const char *name, const struct raw_event *raw)
{
    avro_value_t field, value;
    int64_t time = -1;
    int32_t small = -1;
    struct baton_text text;
    if (find(record, name, &field)) {
        value = inside(&field);
        avro_type_t type = avro_value_get_type(&value);
        if (type == AVRO_INT64 && avro_value_get_long(&value, &time) == 0 && counts_micros(name) &&
            time >= 0)
            time /= 1000;
        if (type == AVRO_INT32 && avro_value_get_int(&value, &small) == 0)
            time = small;
        if (type == AVRO_STRING && text_of(&value, &text) == SAID_TEXT &&
            text_is(text, "2026-11-01T12:00:00Z"))
            time = NOON;
    }
    bool good = time >= 0 && time <= BATON_TIME_MAX_MS;
    cr_assert_eq(good, raw->has_time, "%s of %s", name, schema_text);
    if (good)
        cr_assert_eq(time, raw->time_ms, "%s of %s", name, schema_text);
}

static void check_entry(const struct raw_entries *entries, struct baton_text name,
                        const avro_value_t *value)
{
    struct baton_text text = {0};
    enum said said = text_of(value, &text);
    bool expected = said != SAID_NOTHING && raw_text_is_utf8(text) && raw_text_is_utf8(name),
         found = false;
    for (uint32_t i = 0; i < entries->count; i++)
        if (same(entries->items[i].name, name)) {
            cr_assert(!found && same(entries->items[i].value, text), "%.*s of %s", (int)name.size,
                      name.data, schema_text);
            found = true;
        }
    cr_assert_eq(found, expected, "%.*s of %s", (int)name.size, name.data, schema_text);
}

/* Maps and records; lists of pairs are held to hand-made cases in test_codec_avro.c. */
static void check_entries(const avro_value_t *record, const char *path,
                          const struct raw_entries *entries)
{
    avro_value_t field, value, item;
    size_t count = 0;
    if (!find(record, path, &field))
        return;
    value = inside(&field);
    avro_type_t type = avro_value_get_type(&value);
    if (type != AVRO_MAP && type != AVRO_RECORD)
        return;
    avro_value_get_size(&value, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        avro_value_get_by_index(&value, i, &item, &name);
        check_entry(entries, as_text(name), &item);
    }
    cr_assert_leq(entries->count, count);
}

static int kind_of(const avro_value_t *record)
{
    avro_value_t field;
    struct baton_text text = {0};
    if (!find(record, "type", &field) || text_of(&field, &text) != SAID_TEXT || !text.size)
        return RAW_NO_KIND;
    if (text_is(text, "form_submit") || text_is(text, "form_fill"))
        return BATON_FORM_FILL;
    return text_is(text, "visit") ? BATON_VISIT : RAW_NO_KIND;
}

/* A mapped field that can only be a collection leaves the word to the own name. */
static bool could_be_time(const avro_value_t *record, const char *name)
{
    avro_value_t field;
    if (!find(record, name, &field))
        return false;
    avro_type_t type = avro_value_get_type(&field);
    return type != AVRO_MAP && type != AVRO_ARRAY && type != AVRO_RECORD;
}

static void compare(const avro_value_t *record, const struct raw_event *raw)
{
    static const struct {
        const char *name;
        enum target target;
    } texts[] = {
        {"event_id", TARGET_EVENT_ID},     {"lead_id", TARGET_LEAD_ID}, {"page", TARGET_PAGE},
        {"referrer", TARGET_REFERRER},     {"channel", TARGET_CHANNEL}, {"session", TARGET_SESSION},
        {"user_agent", TARGET_USER_AGENT}, {"target", TARGET_TARGET},   {"form", TARGET_FORM}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_text(record, texts[i].name, raw, texts[i].target);
    for (int i = 0; i < BATON_PROFILE_FIELDS; i++)
        check_text(record, baton_profile_field_name(i), raw, TARGET_PROFILE + i);
    check_time(record, could_be_time(record, "ts") ? "ts" : "time", raw);
    check_entries(record, "fields", &raw->fields);
    check_entries(record, "properties", &raw->properties);
    cr_assert_eq(kind_of(record), raw->kind, "%s", schema_text);
}

/* The mapped names win where the schema can hold them; where it cannot, the own name counts. Only a
 * case without doubt is compared: both sides found something. */
static void compare_nested(const avro_value_t *record, const struct raw_event *raw)
{
    avro_value_t value;
    struct baton_text text = {0};
    if (find(record, "nest.url", &value) && text_of(&value, &text) == SAID_TEXT &&
        raw_text_is_utf8(text))
        cr_assert(same(text, raw->texts[TARGET_URL]), "nest.url of %s", schema_text);
    text.size = 0;
    if (find(record, "more.x", &value) && text_of(&value, &text) == SAID_TEXT &&
        raw_text_is_utf8(text))
        cr_assert(same(text, raw->texts[TARGET_CAMPAIGN]), "more.x of %s", schema_text);
}

/* ---- one case
 * ---------------------------------------------------------------------------------------------- */

static size_t encode(avro_value_t *value, char *bytes, size_t room)
{
    avro_writer_t writer = avro_writer_memory(bytes, (int64_t)room);
    cr_assert_eq(avro_value_write(writer, value), 0);
    size_t size = (size_t)avro_writer_tell(writer);
    avro_writer_free(writer);
    return size;
}

static unsigned compared;

static void one_value(const struct avro_plan *plan, avro_value_iface_t *class)
{
    static char bytes[1 << 20];
    avro_value_t made, read;
    struct raw_event raw;
    struct error problem;
    cr_assert_eq(avro_generic_value_new(class, &made), 0);
    cr_assert_eq(avro_generic_value_new(class, &read), 0);
    fill(&made, 0);
    size_t size = encode(&made, bytes, sizeof bytes);
    avro_reader_t reader = avro_reader_memory(bytes, (int64_t)size);
    cr_assert_eq(avro_value_read(reader, &read), 0);
    avro_reader_free(reader);
    raw_event_init(&raw, RAW_ALL_FIELDS, 0);
    uint8_t *exact = memcpy(malloc(size + 1), bytes, size);
    cr_assert(avro_decode(plan, config, exact, size, &arena, &raw, &problem), "%s: %s",
              problem.text, schema_text);
    compare(&read, &raw);
    compare_nested(&read, &raw);
    compared++;
    free(exact);
    avro_value_decref(&made);
    avro_value_decref(&read);
}

static void one_schema(const struct field_node *fields)
{
    struct avro_schema schema;
    struct avro_plan plan;
    struct error error;
    avro_schema_t oracle;
    make_schema();
    cr_assert_eq(avro_schema_parse(&schema, schema_text, schema_size, &error), STATUS_OK, "%s: %s",
                 error.text, schema_text);
    cr_assert_eq(avro_schema_from_json_length(schema_text, schema_size, &oracle), 0, "%s: %s",
                 avro_strerror(), schema_text);
    cr_assert_eq(avro_plan_compile_take(&plan, &schema, fields, config, &error), STATUS_OK, "%s",
                 error.text);
    avro_value_iface_t *class = avro_generic_class_from_schema(oracle);
    cr_assert(class);
    for (int i = 0; i < 10; i++)
        one_value(&plan, class);
    avro_value_iface_decref(class);
    avro_schema_decref(oracle);
    avro_plan_fini(&plan);
    arena_reset(&arena);
}

#define T(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }

Test(differential, plans_say_what_libavro_says, .timeout = 120)
{
    static const struct name_pair fields[] = {
        {T("ts"), T("time")}, {T("nest.url"), T("url")}, {T("more.x"), T("campaign")}};
    static const struct name_pair kinds[] = {{T("form_submit"), T("form_fill")}};
    static const struct input_config mapping = {.fields = fields,
                                                .field_count = 3,
                                                .kind_field = T("type"),
                                                .kinds = kinds,
                                                .kind_count = 1};
    struct field_node root;
    struct error error;
    config = &mapping;
    arena_init(&arena, 65536);
    cr_assert_eq(field_map_build(&root, config, &error), STATUS_OK);
    for (uint32_t seed = 1; seed <= 800; seed++) {
        random_state = seed * 2654435761u;
        one_schema(&root);
    }
    cr_expect_eq(compared, 8000);
    field_map_fini(&root);
    arena_fini(&arena);
}
