/* Writer schemas of many shapes, read by plans. */
#include "codec_support.h"

static struct bench bench;
static struct avro_bytes bytes;

static void start(void)
{
    bench_init(&bench, NULL);
    put_registry(&bytes, 1);
}

static void stop(void)
{
    bench_fini(&bench);
}

TestSuite(avro, .init = start, .fini = stop);

#define T(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define STRING(name) FIELD(name, "\"string\"")
#define IDS STRING("event_id") "," STRING("lead_id") "," FIELD("time", "\"long\"")
/* What clang-format makes of schemas in macros changes with each pass. */
/* clang-format off */
#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define OPTIONAL "[\"null\",\"string\"]"

static void put_ids(void)
{
    put_text(&bytes, "e1");
    put_text(&bytes, "l1");
    put_long(&bytes, NOON);
}

static void expect(const char *verdict)
{
    (void)bench_avro(&bench, &bytes);
    cr_expect_str_eq(bench_verdict(&bench), verdict, "%s: %s", bench_verdict(&bench),
                     bench.result.detail);
}

static void configure(const struct input_config *config)
{
    bench_fini(&bench);
    bench_init(&bench, config);
}

/* ---- schemas as such
 * ---------------------------------------------------------------------------------- */

Test(avro, a_schema_that_was_not_given_is_asked_for)
{
    put_ids();
    expect("needs_schema");
    cr_expect_eq(bench.result.schema.naming, SCHEMA_REGISTRY_ID);
    cr_expect_eq(bench.result.schema.id, 1);
    cr_expect(!decoder_has_schema(bench.decoder, bench.result.schema));
    bench_schema(&bench, 1, RECORD("Visit", IDS));
    cr_expect(decoder_has_schema(bench.decoder, bench.result.schema));
    expect("");
}

Test(avro, a_bad_schema_is_remembered_and_its_messages_are_dead)
{
    bench_schema(&bench, 1, "{\"type\":\"fixed\",\"name\":\"F\",\"size\":-2}");
    bench_schema(&bench, 1, RECORD("Visit", IDS));
    put_ids();
    expect("bad_schema");
    cr_expect(strstr(bench.result.detail, "fixed"), "%s", bench.result.detail);
    bench_schema(&bench, 2, "\"string\"");
    put_registry(&bytes, 2);
    expect("bad_schema");
    bench_schema(&bench, 3, "[\"null\",\"string\"]");
    put_registry(&bytes, 3);
    expect("bad_schema");
}

Test(avro, many_schemas_are_told_apart)
{
    for (uint32_t id = 0; id < 200; id++)
        bench_schema(&bench, id, id % 2 ? RECORD("Visit", IDS) : RECORD("Click", IDS));
    for (uint32_t id = 0; id < 200; id++) {
        put_registry(&bytes, id);
        put_ids();
        expect("");
        cr_expect_eq(bench.event.kind, id % 2 ? BATON_VISIT : BATON_CLICK);
    }
}

Test(avro, a_single_object_is_read_by_the_fingerprint_of_its_schema)
{
    const char *schema = RECORD("Visit", IDS);
    struct schema_key key = {SCHEMA_FINGERPRINT, 0};
    struct error error;
    cr_assert_eq(schema_fingerprint(schema, strlen(schema), &key.id, &error), STATUS_OK);
    bytes.at = bytes_put_u64_le(bytes_put(bytes.bytes, "\xC3\x01", 2), key.id);
    put_ids();
    expect("needs_schema");
    cr_expect_eq(bench.result.schema.id, key.id);
    decoder_add_schema(bench.decoder, key, schema, strlen(schema));
    expect("");
    key.id++;
    decoder_add_schema(bench.decoder, key, schema, strlen(schema));
    bytes.bytes[2]++;
    expect("bad_schema");
}

static char *own_schema(const char *name)
{
    char path[512];
    sprintf(path, BATON_SOURCE_DIR "/schemas/%s.avsc", name);
    return read_whole_file(path);
}

Test(avro, batons_own_schemas_are_read)
{
    static const struct {
        const char *name;
        enum baton_event_kind kind;
    } own[] = {{"Visit", BATON_VISIT},
               {"Click", BATON_CLICK},
               {"FormFill", BATON_FORM_FILL},
               {"Profile", BATON_PROFILE}};
    for (uint32_t i = 0; i < 4; i++) {
        char *schema = own_schema(own[i].name);
        put_registry(&bytes, i);
        bench_schema(&bench, i, schema);
        put_ids();
        for (int rest = 0; rest < 40; rest++)
            put_long(&bytes, 0);
        (void)bench_avro(&bench, &bytes);
        cr_expect(strstr(bench.result.detail, "left over"), "%s: %s", own[i].name,
                  bench.result.detail);
        size_t left = strtoul(bench.result.detail, NULL, 10);
        bytes.at -= left;
        expect("");
        cr_expect_eq(bench.event.kind, own[i].kind);
        /* Every field of the schema is a statement, so each profile field is removed. */
        cr_expect_eq(bench.event.update_count,
                     own[i].kind == BATON_PROFILE ? BATON_PROFILE_FIELDS : 0);
        free(schema);
    }
}

/* ---- names
 * ---------------------------------------------------------------------------------------------- */

Test(avro, more_fewer_and_reordered_fields_are_found_by_name)
{
    bench_schema(
        &bench, 1,
        RECORD(
            "com.acme.FormFill",
            FIELD("n", "\"null\"") "," FIELD("time", "\"long\"") "," FIELD("f", "\"float\"") "," STRING("page") "," FIELD("d", "\"double\"") "," STRING(
                "lead_id") "," FIELD("b",
                                     "\"boolean\"") "," STRING("event_id") "," FIELD("x",
                                                                                     "{\"type\":"
                                                                                     "\"array\","
                                                                                     "\"items\":"
                                                                                     "\"string\""
                                                                                     "}")));
    put_long(&bytes, NOON);
    bytes.at = bytes_put(bytes.at, "\0\0\0\0", 4);
    put_text(&bytes, "/p?q");
    put_double(&bytes, 1.5);
    put_text(&bytes, "l1");
    *bytes.at++ = 1;
    put_text(&bytes, "e1");
    put_long(&bytes, 2);
    put_text(&bytes, "a");
    put_text(&bytes, "b");
    put_long(&bytes, -1);
    put_long(&bytes, 2);
    put_text(&bytes, "c");
    put_long(&bytes, 0);
    expect("");
    cr_expect_eq(bench.event.kind, BATON_FORM_FILL);
    cr_text(bench.event.fields[BATON_PAGE], "/p");
    cr_text(bench.event.event_id, "e1");
}

Test(avro, a_writers_alias_stands_in_for_a_name_it_does_not_have)
{
    bench_schema(
        &bench, 1,
        RECORD("Visit",
               IDS ",{\"name\":\"adr\",\"aliases\":[\"x\",\"url\"],\"type\":\"string\"},"
                   "{\"name\":\"p\",\"aliases\":[\"page\"],\"type\":\"string\"}," STRING("page")));
    put_ids();
    put_text(&bytes, "https://h/u");
    put_text(&bytes, "/alias");
    put_text(&bytes, "/own");
    expect("");
    cr_text(bench.event.fields[BATON_HOST], "h");
    cr_text(bench.event.fields[BATON_PAGE], "/own");
    bench_schema(&bench, 2,
                 "{\"type\":\"record\",\"name\":\"PageView\",\"aliases\":[\"a.Other\",\"Visit\"],"
                 "\"fields\":[" IDS "]}");
    put_registry(&bytes, 2);
    put_ids();
    expect("");
    cr_expect_eq(bench.event.kind, BATON_VISIT);
}

Test(avro, one_record_type_with_a_type_works_by_mapping)
{
    static const struct name_pair fields[] = {{T("ts"), T("time")},
                                              {T("session_id"), T("session")}};
    static const struct name_pair kinds[] = {{T("form_submit"), T("form_fill")}};
    configure(&(struct input_config){.max_ahead_ms = 300000,
                                     .fields = fields,
                                     .field_count = 2,
                                     .kind_field = T("type"),
                                     .kinds = kinds,
                                     .kind_count = 1});
    bench_schema(
        &bench, 1,
        RECORD(
            "tracking.Event",
            STRING("event_id") "," STRING("lead_id") "," FIELD("type", "{\"type\":\"enum\","
                                                                       "\"name\":\"Type\","
                                                                       "\"symbols\":[\"click\","
                                                                       "\"visit\",\"form_submit\","
                                                                       "\"ping\"]}") "," FIELD("ts", "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}") "," FIELD(
                "url",
                OPTIONAL) "," FIELD("campaign",
                                    OPTIONAL) "," FIELD("session_id",
                                                        "\"string\"") "," FIELD("user_agent",
                                                                                "\"string\"") "," FIELD("referrer",
                                                                                                        OPTIONAL)));
    static const enum baton_event_kind expected[] = {BATON_CLICK, BATON_VISIT, BATON_FORM_FILL};
    for (int type = 0; type < 4; type++) {
        put_registry(&bytes, 1);
        put_text(&bytes, "e1");
        put_text(&bytes, "l1");
        put_long(&bytes, type);
        put_long(&bytes, NOON * 1000 + 999);
        put_long(&bytes, 1);
        put_text(&bytes, "https://h/p?utm_source=s");
        put_long(&bytes, 0);
        put_text(&bytes, "sess");
        put_text(&bytes, "ua");
        put_long(&bytes, 1);
        put_text(&bytes, "ref");
        expect(type < 3 ? "" : "unknown_kind");
        if (type == 3)
            continue;
        cr_expect_eq(bench.event.kind, expected[type]);
        cr_expect_eq(bench.event.time_ms, NOON);
        cr_text(bench.event.fields[BATON_SESSION], "sess");
        cr_text(bench.event.fields[BATON_CHANNEL], "s");
        cr_text(bench.event.fields[BATON_REFERRER], "ref");
        cr_text(bench.event.fields[BATON_CAMPAIGN], "");
    }
}

Test(avro, nested_records_and_maps_are_reached_by_dotted_names)
{
    static const struct name_pair fields[] = {{T("page.url"), T("url")},
                                              {T("ctx.web.ref"), T("referrer")},
                                              {T("utm.campaign"), T("campaign")}};
    configure(&(struct input_config){.max_ahead_ms = 300000, .fields = fields, .field_count = 3});
    bench_schema(
        &bench, 1,
        RECORD(
            "Visit", IDS
            "," FIELD("page", RECORD("Page", STRING("title") "," STRING("url") "," FIELD("n", "\"in"
                                                                                              "t"
                                                                                              "\""))) "," FIELD(
                "ctx",
                "[\"null\"," RECORD(
                    "Ctx",
                    FIELD(
                        "web",
                        RECORD(
                            "Web",
                            FIELD(
                                "ref",
                                OPTIONAL)))) "]") "," FIELD("utm",
                                                            "{\"type\":\"map\",\"values\":" OPTIONAL
                                                            "}") "," STRING("url") "," STRING("sess"
                                                                                              "io"
                                                                                              "n")));
    put_ids();
    put_text(&bytes, "Title");
    put_text(&bytes, "https://h/nested");
    put_long(&bytes, 9);
    put_long(&bytes, 1);
    put_long(&bytes, 1);
    put_text(&bytes, "ref");
    put_long(&bytes, 2);
    put_text(&bytes, "source");
    put_long(&bytes, 1);
    put_text(&bytes, "x");
    put_text(&bytes, "campaign");
    put_long(&bytes, 1);
    put_text(&bytes, "c");
    put_long(&bytes, 0);
    put_text(&bytes, "https://own/");
    put_text(&bytes, "s");
    expect("");
    cr_text(bench.event.fields[BATON_HOST], "h");
    cr_text(bench.event.fields[BATON_PAGE], "/nested");
    cr_text(bench.event.fields[BATON_REFERRER], "ref");
    cr_text(bench.event.fields[BATON_CAMPAIGN], "c");
    cr_text(bench.event.fields[BATON_SESSION], "s");
}

Test(avro, a_union_of_records_is_read_branch_by_branch)
{
    bench_schema(
        &bench, 1,
        "[\"null\"," RECORD("Visit", IDS) "," RECORD("Email", IDS "," STRING("action")) "]");
    put_long(&bytes, 1);
    put_ids();
    expect("");
    cr_expect_eq(bench.event.kind, BATON_VISIT);
    put_registry(&bytes, 1);
    put_long(&bytes, 2);
    put_ids();
    put_text(&bytes, "clicked");
    expect("");
    cr_expect_eq(bench.event.kind, BATON_EMAIL_CLICKED);
    put_registry(&bytes, 1);
    put_long(&bytes, 0);
    expect("unreadable");
    put_registry(&bytes, 1);
    put_long(&bytes, 3);
    expect("unreadable");
}

Test(avro, the_action_of_an_email_is_its_kind)
{
    bench_schema(&bench, 1,
                 RECORD("Email", IDS
                        "," FIELD("action", "{\"type\":\"enum\",\"name\":\"A\",\"symbols\":"
                                            "[\"sent\",\"opened\",\"email_bounced\",\"lost\"]}")));
    static const int kinds[] = {BATON_EMAIL_SENT, BATON_EMAIL_OPENED, BATON_EMAIL_BOUNCED, -1};
    for (int action = 0; action < 4; action++) {
        put_registry(&bytes, 1);
        put_ids();
        put_long(&bytes, action);
        expect(kinds[action] < 0 ? "unknown_kind" : "");
        if (kinds[action] >= 0)
            cr_expect_eq((int)bench.event.kind, kinds[action]);
    }
}

/* ---- times
 * ---------------------------------------------------------------------------------------------- */

static void time_case(const char *type, int64_t value, const char *verdict, int64_t time_ms)
{
    char schema[1024];
    static uint32_t id = 100;
    sprintf(schema,
            RECORD("Visit", STRING("event_id") "," STRING("lead_id") "," FIELD("time", "%s")),
            type);
    bench_schema(&bench, ++id, schema);
    put_registry(&bytes, id);
    put_text(&bytes, "e1");
    put_text(&bytes, "l1");
    put_long(&bytes, value);
    expect(verdict);
    if (!*verdict)
        cr_expect_eq(bench.event.time_ms, time_ms, "%s", type);
}

Test(avro, times_count_what_their_logical_type_says)
{
    time_case("\"long\"", NOON, "", NOON);
    time_case("{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", NOON, "", NOON);
    time_case("{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}", NOON, "", NOON);
    time_case("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", NOON * 1000 + 1, "",
              NOON);
    time_case("{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}", NOON * 1000, "",
              NOON);
    time_case("{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}", NOON * 1000000, "", NOON);
    time_case("{\"type\":\"long\",\"logicalType\":\"something-else\"}", NOON, "", NOON);
    time_case("{\"type\":\"long\",\"logicalType\":\"time-micros\"}", 5, "bad_time", 0);
    time_case("{\"type\":\"int\",\"logicalType\":\"date\"}", 20000, "bad_time", 0);
    time_case("\"int\"", 5, "", 5);
    time_case("\"long\"", -1, "bad_time", 0);
    time_case("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", -1, "bad_time", 0);
    time_case("\"long\"", INT64_MAX, "bad_time", 0);
    time_case("\"boolean\"", -1, "bad_time", 0);
    time_case("\"long\"", NOON + 300001, "future_time", 0);
}

Test(avro, times_may_be_texts_and_optional)
{
    bench_schema(
        &bench, 1,
        RECORD(
            "Visit",
            STRING("event_id") "," STRING("lead_id") "," FIELD(
                "time",
                "[\"null\",\"string\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}]")));
    for (int branch = 0; branch < 3; branch++) {
        put_registry(&bytes, 1);
        put_text(&bytes, "e1");
        put_text(&bytes, "l1");
        put_long(&bytes, branch);
        if (branch == 1)
            put_text(&bytes, "2026-11-01T13:00:00+01:00");
        if (branch == 2)
            put_long(&bytes, NOON * 1000);
        expect(branch ? "" : "bad_time");
        if (branch)
            cr_expect_eq(bench.event.time_ms, NOON);
    }
}

/* ---- values
 * --------------------------------------------------------------------------------------------- */

Test(avro, profile_fields_of_any_scalar_type_become_texts)
{
    bench_schema(&bench, 1,
                 RECORD(
                     "Profile",
                     IDS "," FIELD("age", "\"int\"") "," FIELD("employees", "[\"null\",\"long\","
                                                                            "\"string\"]") "," FIELD("consent", "\"boolean\"") "," FIELD("sector", "{\"type\":\"enum\",\"name\":\"S\",\"symbols\":[\"IT\",\"Retail\"]}") "," FIELD(
                         "name",
                         "\"bytes\"") "," FIELD("phone",
                                                "\"double\"") "," FIELD("company",
                                                                        OPTIONAL) "," FIELD("countr"
                                                                                            "y",
                                                                                            "[\"str"
                                                                                            "ing\","
                                                                                            "\"null"
                                                                                            "\"]") "," FIELD("job_title",
                                                                                                             "\"string\"") "," FIELD("segment",
                                                                                                                                     "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}")));
    put_ids();
    put_long(&bytes, 44);
    put_long(&bytes, 2);
    put_text(&bytes, "50-100");
    *bytes.at++ = 1;
    put_long(&bytes, 1);
    put_text(&bytes, "J\xC3\xBCrgen");
    put_double(&bytes, 2.5);
    put_long(&bytes, 0);
    put_long(&bytes, 0);
    put_text(&bytes, "");
    put_text(&bytes, "not \xFF utf8");
    bytes.at = bytes_put(bytes.at, "ab", 2);
    expect("");
    static const struct {
        enum baton_profile_field field;
        const char *value;
    } expected[] = {{BATON_NAME, "J\xC3\xBCrgen"}, {BATON_PHONE, "2.5"},
                    {BATON_COMPANY, ""},           {BATON_AGE, "44"},
                    {BATON_EMPLOYEES, "50-100"},   {BATON_SECTOR, "Retail"},
                    {BATON_COUNTRY, ""},           {BATON_CONSENT, "true"}};
    cr_assert_eq(bench.event.update_count, 8);
    for (int i = 0; i < 8; i++) {
        cr_expect_eq(bench.event.updates[i].field, expected[i].field);
        cr_text(bench.event.updates[i].value, expected[i].value);
    }
    cr_text(bench.event.updates[0].folded, "jurgen");
}

Test(avro, ids_that_are_not_utf8_have_their_own_reasons)
{
    bench_schema(&bench, 1, RECORD("Visit", IDS));
    put_text(&bytes, "\xFF");
    put_text(&bytes, "l1");
    put_long(&bytes, NOON);
    expect("event_id_not_utf8");
    put_registry(&bytes, 1);
    put_text(&bytes, "e");
    put_text(&bytes, "\xFF");
    put_long(&bytes, NOON);
    expect("lead_id_not_utf8");
    put_registry(&bytes, 1);
    put_text(&bytes, "e");
    put_text(&bytes, "l2");
    put_long(&bytes, NOON);
    expect("key_mismatch");
    put_registry(&bytes, 1);
    put_text(&bytes, "e");
    put_text(&bytes, "");
    put_long(&bytes, NOON);
    expect("no_lead_id");
}

#define SCALARS                                                                                    \
    "[\"null\",\"string\",\"long\",\"double\",\"boolean\",{\"type\":\"array\",\"items\":\"int\"}]"

static void put_scalars_of_a_map(void)
{
    put_long(&bytes, 2);
    put_text(&bytes, "email");
    put_long(&bytes, 1);
    put_text(&bytes, "A@b");
    put_text(&bytes, "age");
    put_long(&bytes, 2);
    put_long(&bytes, 33);
    put_long(&bytes, -3);
    put_long(&bytes, 1000);
    put_text(&bytes, "phone");
    put_long(&bytes, 0);
    put_text(&bytes, "list");
    put_long(&bytes, 5);
    put_long(&bytes, 1);
    put_long(&bytes, 7);
    put_long(&bytes, 0);
    put_text(&bytes, "ok");
    put_long(&bytes, 4);
    *bytes.at++ = 0;
    put_long(&bytes, 0);
}

Test(avro, form_fields_may_be_a_map)
{
    bench_schema(
        &bench, 1,
        RECORD("FormFill", IDS "," FIELD("fields", "[\"null\",{\"type\":\"map\",\"values\":" SCALARS
                                                   "}]") "," STRING("form")));
    put_ids();
    put_long(&bytes, 1);
    put_scalars_of_a_map();
    put_text(&bytes, "demo");
    expect("");
    cr_text(bench.event.fields[BATON_FORM], "demo");
    cr_assert_eq(bench.event.answer_count, 3);
    cr_text(bench.event.answers[0].value, "A@b");
    cr_text(bench.event.answers[1].value, "33");
    cr_text(bench.event.answers[2].value, "false");
    cr_assert_eq(bench.event.update_count, 3);
    cr_expect_eq(bench.event.updates[0].field, BATON_AGE);
    cr_expect_eq(bench.event.updates[1].field, BATON_EMAIL);
    cr_expect_eq(bench.event.updates[2].field, BATON_PHONE);
    cr_expect_eq(bench.event.updates[2].value.size, 0);
}

Test(avro, form_fields_may_be_a_list_of_names_and_values_or_a_record)
{
    bench_schema(
        &bench, 1,
        RECORD("FormFill",
               IDS "," FIELD("fields", "{\"type\":\"array\",\"items\":" RECORD(
                                           "F", FIELD("id", "\"int\"") "," FIELD(
                                                    "value", SCALARS) "," STRING("name")) "}")));
    put_ids();
    put_long(&bytes, 3);
    for (int i = 0; i < 3; i++) {
        put_long(&bytes, i);
        put_long(&bytes, 1);
        put_text(&bytes, i == 1 ? "second" : i ? "third" : "first");
        put_text(&bytes, i == 1 ? "topic" : "email");
    }
    put_long(&bytes, 0);
    expect("");
    cr_assert_eq(bench.event.answer_count, 2, "of a repeated name the first counts");
    cr_text(bench.event.answers[0].value, "first");
    cr_text(bench.event.answers[1].value, "second");
    bench_schema(
        &bench, 2,
        RECORD("FormFill",
               IDS "," FIELD("fields", RECORD("G", STRING("email") "," FIELD("size", "\"int\"")))));
    put_registry(&bytes, 2);
    put_ids();
    put_text(&bytes, "a@b");
    put_long(&bytes, 5);
    expect("");
    cr_assert_eq(bench.event.answer_count, 2);
    cr_text(bench.event.answers[1].name, "size");
    cr_expect_eq(bench.event.update_count, 1);
}

Test(avro, properties_may_be_a_map_and_a_key_twice_is_unreadable)
{
    bench_schema(&bench, 1,
                 RECORD("Profile",
                        IDS "," FIELD("properties", "{\"type\":\"map\",\"values\":" SCALARS "}")));
    put_ids();
    put_scalars_of_a_map();
    expect("");
    cr_expect_eq(bench.event.update_count, 4);
    cr_expect_eq(bench.event.updates[2].field, BATON_PROPERTY);
    cr_text(bench.event.updates[2].name, "phone");
    cr_expect_eq(bench.event.updates[2].value.size, 0);
    put_registry(&bytes, 1);
    put_ids();
    put_long(&bytes, 2);
    for (int i = 0; i < 2; i++) {
        put_text(&bytes, "k");
        put_long(&bytes, 0);
    }
    put_long(&bytes, 0);
    expect("unreadable");
}

Test(avro, what_has_no_text_leaves_a_field_unmentioned)
{
    bench_schema(
        &bench, 1,
        RECORD("Profile",
               IDS "," FIELD("name", RECORD("N", STRING("first"))) "," FIELD(
                   "age", "\"long\"") "," FIELD("email",
                                                "{\"type\":\"array\",\"items\":\"string\"}")));
    put_ids();
    put_text(&bytes, "x");
    put_long(&bytes, INT64_C(1000000000001));
    put_long(&bytes, 0);
    expect("");
    cr_expect_eq(bench.event.update_count, 0);
}

Test(avro, a_recursive_record_is_skipped)
{
    bench_schema(
        &bench, 1,
        RECORD(
            "Visit",
            FIELD("tree",
                  RECORD("Node", STRING("v") "," FIELD(
                                     "kids", "{\"type\":\"array\",\"items\":\"Node\"}"))) "," IDS));
    put_text(&bytes, "root");
    put_long(&bytes, 2);
    put_text(&bytes, "a");
    put_long(&bytes, 0);
    put_text(&bytes, "b");
    put_long(&bytes, 1);
    put_text(&bytes, "c");
    put_long(&bytes, 0);
    put_long(&bytes, 0);
    put_long(&bytes, 0);
    put_ids();
    expect("");
}
