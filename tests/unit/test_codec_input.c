/* What the input configuration changes. */
#include "codec_support.h"

static struct bench bench;

static void with(const struct input_config *config)
{
    bench_init(&bench, config);
}

static enum status refused(const struct input_config *config, struct error *error)
{
    struct decoder *decoder;
    enum status status = decoder_create(&decoder, config, error);
    decoder_destroy(decoder);
    return status;
}

#define T(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }

Test(input, the_key_can_be_the_lead_id)
{
    with(&(struct input_config){.lead_id_from_key = true, .max_ahead_ms = 0});
    const char *text = "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"ignored\",\"time\":0}";
    cr_json(&bench, text, "");
    cr_text(bench.event.lead_id, "l1");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":\"e\",\"time\":0}", "");
    bench.key = NULL;
    cr_json(&bench, text, "no_lead_id");
    bench.key = "";
    cr_json(&bench, text, "no_lead_id");
    bench.key = "a\xFF";
    cr_json(&bench, text, "lead_id_not_utf8");
    char key[300];
    memset(key, '\xFF', 299);
    key[299] = 0;
    bench.key = key;
    cr_json(&bench, text, "lead_id_too_long");
    bench_fini(&bench);
}

Test(input, events_of_a_file_need_no_key)
{
    with(&(struct input_config){.ignore_key = true});
    bench.key = NULL;
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l9\",\"time\":0}", "");
    cr_text(bench.event.lead_id, "l9");
    bench_fini(&bench);
    with(NULL);
    bench.key = NULL;
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l9\",\"time\":0}",
            "key_mismatch");
    bench_fini(&bench);
}

Test(input, fields_and_kinds_are_mapped_in_json_too)
{
    static const struct name_pair fields[] = {
        {T("ts"), T("time")}, {T("where.at"), T("url")}, {T("utm.c"), T("campaign")}};
    static const struct name_pair kinds[] = {{T("form_submit"), T("form_fill")}};
    with(&(struct input_config){.fields = fields,
                                .field_count = 3,
                                .kind_field = T("type"),
                                .kinds = kinds,
                                .kind_count = 1});
    cr_json(
        &bench,
        "{\"type\":\"form_submit\",\"kind\":\"nonsense\",\"event_id\":\"e\",\"lead_id\":\"l1\","
        "\"ts\":5,\"time\":6,"
        "\"url\":\"/own\",\"where\":{\"at\":\"/there\",\"page\":\"/no\"},\"utm\":{\"c\":\"x\"}}",
        "");
    cr_expect_eq(bench.event.kind, BATON_FORM_FILL);
    cr_expect_eq(bench.event.time_ms, 5);
    cr_text(bench.event.fields[BATON_PAGE], "/there");
    cr_text(bench.event.fields[BATON_CAMPAIGN], "x");
    cr_json(&bench,
            "{\"type\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":6,\"where\":{"
            "\"at\":null},\"url\":\"/own\"}",
            "");
    cr_expect_eq(bench.event.fields[BATON_PAGE].size, 0,
                 "a mapped field that is there wins, null or not");
    cr_json(&bench,
            "{\"type\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":6,\"where\":3,"
            "\"url\":\"/own\"}",
            "");
    cr_text(bench.event.fields[BATON_PAGE], "/own");
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":6}", "");
    cr_json(&bench,
            "{\"type\":\"published\",\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l1\","
            "\"time\":6}",
            "unknown_kind");
    bench_fini(&bench);
}

Test(input, form_fields_are_mapped_or_left_alone)
{
    static const struct name_pair form[] = {
        {T("work_email"), T("email")}, {T("mail"), T("email")}, {T("plan"), T("properties.plan")}};
    const char *text =
        "{\"kind\":\"form_fill\",\"event_id\":\"e\",\"lead_id\":\"l1\",\"time\":6,\"fields\":"
        "{\"work_email\":\"b\",\"mail\":\"a\",\"plan\":\"P\",\"email\":\"z\"}}";
    with(&(struct input_config){
        .form_profile = FORM_PROFILE_MAPPED, .form_fields = form, .form_field_count = 3});
    cr_json(&bench, text, "");
    cr_assert_eq(bench.event.update_count, 3);
    cr_text(bench.event.updates[0].value, "a");
    cr_expect_eq(bench.event.updates[1].field, BATON_PROPERTY);
    cr_text(bench.event.updates[1].name, "plan");
    cr_text(bench.event.updates[2].value, "b");
    bench_fini(&bench);
    with(&(struct input_config){.form_profile = FORM_PROFILE_NONE});
    cr_json(&bench, text, "");
    cr_expect_eq(bench.event.update_count, 0);
    cr_expect_eq(bench.event.answer_count, 4);
    bench_fini(&bench);
}

Test(input, a_configuration_that_cannot_be_is_refused_with_its_name)
{
    static const struct name_pair unknown[] = {{T("ts"), T("tiem")}};
    static const struct name_pair twice[] = {{T("ts"), T("time")}, {T("ts"), T("url")}};
    static const struct name_pair dots[] = {{T("a..b"), T("time")}};
    static const struct name_pair kinds[] = {{T("x"), T("vist")}};
    static const struct name_pair form[] = {{T("x"), T("mail")}};
    struct error error;
    cr_expect_eq(refused(&(struct input_config){.fields = unknown, .field_count = 1}, &error),
                 STATUS_STOP);
    cr_expect(strstr(error.text, "tiem"), "%s", error.text);
    cr_expect_eq(refused(&(struct input_config){.fields = twice, .field_count = 2}, &error),
                 STATUS_STOP);
    cr_expect_eq(refused(&(struct input_config){.fields = dots, .field_count = 1}, &error),
                 STATUS_STOP);
    cr_expect_eq(refused(&(struct input_config){.kinds = kinds, .kind_count = 1}, &error),
                 STATUS_STOP);
    cr_expect(strstr(error.text, "vist"), "%s", error.text);
    cr_expect_eq(refused(&(struct input_config){.form_profile = FORM_PROFILE_MAPPED,
                                                .form_fields = form,
                                                .form_field_count = 1},
                         &error),
                 STATUS_STOP);
}

Test(input, the_hash_sees_every_setting)
{
    static const struct name_pair a[] = {{T("ab"), T("c")}}, b[] = {{T("a"), T("bc")}};
    const struct input_config configs[] = {
        {0},
        {.lead_id_from_key = true},
        {.ignore_key = true},
        {.max_ahead_ms = 1},
        {.fields = a, .field_count = 1},
        {.fields = b, .field_count = 1},
        {.kind_field = T("x")},
        {.kinds = a, .kind_count = 1},
        {.form_profile = FORM_PROFILE_NONE},
        {.form_profile = FORM_PROFILE_MAPPED},
        {.form_profile = FORM_PROFILE_MAPPED, .form_fields = a, .form_field_count = 1},
    };
    size_t count = sizeof configs / sizeof *configs;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            cr_expect_eq(input_config_hash(&configs[i]) == input_config_hash(&configs[j]), i == j,
                         "%zu and %zu", i, j);
}

Test(input, details_are_printable)
{
    with(NULL);
    bench.key = "\xFF\n\"";
    cr_json(&bench, "{\"kind\":\"visit\",\"event_id\":\"e\",\"lead_id\":\"l\xC3\xA9\",\"time\":0}",
            "key_mismatch");
    for (const char *c = bench.result.detail; *c; c++)
        cr_expect(*c >= ' ' && *c <= '~');
    bench_fini(&bench);
}
