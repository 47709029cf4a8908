/* What a promotion tells of the person. */
#include "codec/embedded.h"
#include "codec/outgoing.h"
#include "domain_support.h"

#include <avro.h>
#include <jansson.h>

#define NOON INT64_C(1793534400000) /* 2026-11-01T12:00:00Z */

static struct world world;
static struct arena arena;
static struct baton_event event;
static struct baton_transition transition;
static struct stage_view view;
static const struct origin origin = {.topic = "lead-events"};
static const char *const topics[OUTGOING_TOPICS] = {"p", "s", "d", "b"};

static void start(void)
{
    world_init(&world);
    arena_init(&arena, 4096);
    event = (struct baton_event){
        .kind = BATON_VISIT, .event_id = TEXT("e"), .lead_id = TEXT("ana"), .time_ms = NOON};
    transition = (struct baton_transition){BATON_MQL, BATON_SQL, {3000, 1000, 2000}, 1};
    view = (struct stage_view){.lead = &world.lead,
                               .event = &event,
                               .transition = &transition,
                               .agreement = &world.agreement,
                               .words = &world.words,
                               .origin = &origin};
    world.agreement.sql.score = 25;
}

static void end(void)
{
    arena_fini(&arena);
    world_fini(&world);
}

TestSuite(handover, .init = start, .fini = end);

static struct outgoing_message encode(enum output_format format, enum language language)
{
    struct encoder *encoder;
    struct error error;
    struct outgoing_message out;
    cr_assert_eq(encoder_create(&encoder, format, "/baton", topics, NULL, &error), STATUS_OK);
    encoder_speak(encoder, language);
    encoder_promotion(encoder, &arena, &view, &out);
    encoder_destroy(encoder);
    return out;
}

/* One field of the promotion in JSON is this. */
static void expect_in(enum language language, const char *field, const char *wanted)
{
    struct outgoing_message out = encode(OUTPUT_JSON, language);
    json_t *record = json_loadb(out.value, out.value_size, 0, NULL);
    json_t *value = json_loads(wanted, JSON_DECODE_ANY, NULL);
    cr_assert(record && value, "%s", wanted);
    char *found = json_dumps(json_object_get(record, field), JSON_ENCODE_ANY | JSON_COMPACT);
    cr_assert(json_equal(json_object_get(record, field), value), "%s is %s", field, found);
    free(found);
    json_decref(record);
    json_decref(value);
}

static void expect(const char *field, const char *wanted)
{
    expect_in(LANGUAGE_EN, field, wanted);
}

static void fold_page(enum baton_event_kind kind, const char *page, int64_t time_ms)
{
    struct baton_event visit = {.kind = kind, .time_ms = time_ms};
    visit.fields[BATON_PAGE] = text_of(page);
    cr_assert_eq(world_fold(&world, visit), BATON_FOLDED);
}

static void fold_form(const char *form, const char *page, int64_t time_ms)
{
    const struct baton_profile_update updates[] = {
        {.field = BATON_NAME, .value = TEXT("Ana"), .folded = TEXT("ana")},
        {.field = BATON_COMPANY, .value = TEXT("Acme"), .folded = TEXT("acme")},
        {.field = BATON_PHONE}};
    struct baton_event fill = {
        .kind = BATON_FORM_FILL, .time_ms = time_ms, .updates = updates, .update_count = 3};
    fill.fields[BATON_FORM] = form ? text_of(form) : (struct baton_text){NULL, 0};
    fill.fields[BATON_PAGE] = text_of(page);
    cr_assert_eq(world_fold(&world, fill), BATON_FOLDED);
}

static void fold_mail(enum baton_event_kind kind, int64_t time_ms)
{
    struct baton_event mail = {.kind = kind, .time_ms = time_ms};
    cr_assert_eq(world_fold(&world, mail), BATON_FOLDED);
}

Test(handover, of_a_lead_that_nothing_is_known_of_it_says_so)
{
    expect("persona", "null");
    expect("segment", "null");
    expect("owner", "null");
    expect("age_ms", "null");
    expect("forms", "[]");
    expect("mail", "null");
    expect("pages", "[]");
    expect("earlier", "[]");
}

Test(handover, forms_tell_the_shared_fields_that_they_answered)
{
    world.agreement.share = 1u << BATON_NAME | 1u << BATON_PHONE;
    fold_form("demo", "/demo", NOON);
    fold_form(NULL, "/contact", NOON + 1);
    expect("forms", "[{\"time\":\"2026-11-01T12:00:00.001Z\",\"form\":null,\"page\":\"/contact\","
                    "\"fields\":[\"name\"]},"
                    "{\"time\":\"2026-11-01T12:00:00.000Z\",\"form\":\"demo\",\"page\":null,"
                    "\"fields\":[\"name\"]}]");
    world.agreement.share = 0;
    fold_form("x", "/", NOON - 1);
    expect("forms",
           "[{\"time\":\"2026-11-01T12:00:00.001Z\",\"form\":null,\"page\":\"/contact\","
           "\"fields\":[]},"
           "{\"time\":\"2026-11-01T12:00:00.000Z\",\"form\":\"demo\",\"page\":null,\"fields\":[]},"
           "{\"time\":\"2026-11-01T11:59:59.999Z\",\"form\":\"x\",\"page\":null,\"fields\":[]}]");
}

Test(handover, the_newest_four_forms_are_kept_through_the_store)
{
    static const char *const forms[] = {"a", "b", "c", "d", "e", "f"};
    for (int i = 0; i < 6; i++)
        fold_form(i == 4 ? NULL : forms[i], "/p", NOON + i);
    uint8_t packed[4096];
    size_t size = baton_lead_pack(&world.lead, world.offset, packed);
    baton_lead_fini(&world.lead, &world.allocator);
    baton_lead_init(&world.lead);
    cr_assert_eq(baton_lead_unpack(&world.lead, packed, size, world.words.count, &world.allocator),
                 BATON_UNPACKED);
    expect("forms",
           "[{\"time\":\"2026-11-01T12:00:00.005Z\",\"form\":\"f\",\"page\":null,\"fields\":[]},"
           "{\"time\":\"2026-11-01T12:00:00.004Z\",\"form\":null,\"page\":\"/p\",\"fields\":[]},"
           "{\"time\":\"2026-11-01T12:00:00.003Z\",\"form\":\"d\",\"page\":null,\"fields\":[]},"
           "{\"time\":\"2026-11-01T12:00:00.002Z\",\"form\":\"c\",\"page\":null,\"fields\":[]}]");
}

Test(handover, mails_are_counted_and_the_newest_are_told)
{
    fold_mail(BATON_EMAIL_SENT, NOON);
    fold_mail(BATON_EMAIL_SENT, NOON + 1);
    fold_mail(BATON_EMAIL_DELIVERED, NOON + 1);
    fold_mail(BATON_EMAIL_OPENED, NOON + 5);
    fold_mail(BATON_EMAIL_OPENED, NOON + 3);
    fold_mail(BATON_EMAIL_BOUNCED, NOON);
    expect("mail", "{\"sent\":2,\"delivered\":1,\"opened\":2,\"clicked\":0,\"bounced\":1,"
                   "\"unsubscribed\":0,\"last_opened\":\"2026-11-01T12:00:00.005Z\","
                   "\"last_clicked\":null}");
}

Test(handover, pages_are_those_of_the_touches_most_touches_first)
{
    world_rule(&world, (struct baton_behaviour_rule){.id = TEXT("any"), .kind = BATON_VISIT});
    world_rule(&world, (struct baton_behaviour_rule){.id = TEXT("seen"), .kind = BATON_VISIT});
    world_rule(&world, (struct baton_behaviour_rule){.id = TEXT("link"), .kind = BATON_CLICK});
    world_rule(&world, (struct baton_behaviour_rule){.id = TEXT("f"), .kind = BATON_FORM_FILL});
    fold_page(BATON_VISIT, "/a", NOON);
    fold_page(BATON_VISIT, "/b", NOON + 1);
    fold_page(BATON_CLICK, "/a", NOON + 2);
    fold_page(BATON_VISIT, "/c", NOON + 3);
    fold_form("demo", "/demo", NOON + 4);
    expect("pages", "[{\"page\":\"/a\",\"times\":2,\"last\":\"2026-11-01T12:00:00.002Z\","
                    "\"rules\":[\"link\",\"any\",\"seen\"]},"
                    "{\"page\":\"/c\",\"times\":1,\"last\":\"2026-11-01T12:00:00.003Z\","
                    "\"rules\":[\"any\",\"seen\"]},"
                    "{\"page\":\"/b\",\"times\":1,\"last\":\"2026-11-01T12:00:00.001Z\","
                    "\"rules\":[\"any\",\"seen\"]}]");
}

Test(handover, its_age_is_that_of_its_oldest_event)
{
    fold_page(BATON_VISIT, "/a", NOON - 10);
    fold_page(BATON_VISIT, "/a", NOON - 70);
    expect("age_ms", "70");
    event.time_ms = NOON - 71;
    expect("age_ms", "0");
}

Test(handover, the_segment_is_told_only_where_it_is_shared)
{
    world_profile(&world, BATON_SEGMENT, "SMB", NOON);
    expect("segment", "null");
    world.agreement.share = 1u << BATON_SEGMENT;
    expect("segment", "\"SMB\"");
}

Test(handover, it_names_whom_it_goes_to)
{
    view.owner = TEXT("Ana");
    expect("owner", "\"Ana\"");
}

static void set_earlier(uint16_t generation, enum baton_stage stage, const char *reason)
{
    struct baton_history *history = baton_lead_history(&world.lead, &world.allocator);
    history->earlier[history->earlier_count++] = (struct baton_earlier){
        .promoted_ms = NOON - 2,
        .ended_ms = NOON - 1,
        .reason = reason ? baton_words_id(&world.words, text_of(reason), BATON_WORD_TEXT) : 0,
        .generation = generation,
        .stage = (uint8_t)stage};
}

Test(handover, earlier_promotions_and_how_they_ended)
{
    set_earlier(2, BATON_REJECTED, "no budget");
    set_earlier(1, BATON_SQL, NULL);
    expect("earlier", "[{\"generation\":2,\"promoted\":\"2026-11-01T11:59:59.998Z\","
                      "\"ended\":\"2026-11-01T11:59:59.999Z\",\"stage\":\"rejected\","
                      "\"reason\":\"no budget\"},"
                      "{\"generation\":1,\"promoted\":\"2026-11-01T11:59:59.998Z\","
                      "\"ended\":\"2026-11-01T11:59:59.999Z\",\"stage\":\"sql\",\"reason\":null}]");
}

/* ---- Why ------------------------------------------------------------------------------------- */

static const struct baton_text director = {"director", 8};
static struct baton_fit_rule persona_fit[1];
static struct baton_persona persona;

static void make_reasons(void)
{
    struct baton_condition where = {
        .match = BATON_MATCH_EQUAL, .field = BATON_JOB_TITLE, .texts = &director, .text_count = 1};
    persona_fit[0] = (struct baton_fit_rule){TEXT("decides"), where, 10};
    persona = (struct baton_persona){.id = TEXT("boss"), .fit = persona_fit, .fit_count = 1};
    world.agreement.personas = &persona;
    world.agreement.persona_count = 1;
    world_rule(&world,
               (struct baton_behaviour_rule){.id = TEXT("seen"), .kind = BATON_VISIT, .points = 1});
    world_rule(&world, (struct baton_behaviour_rule){
                           .id = TEXT("demo"), .kind = BATON_FORM_FILL, .points = 18});
    world_rule(&world, (struct baton_behaviour_rule){
                           .id = TEXT("worse"), .kind = BATON_VISIT, .points = -1});
    world_profile(&world, BATON_JOB_TITLE, "Director", NOON);
    fold_page(BATON_VISIT, "/a", NOON);
    fold_page(BATON_VISIT, "/a", NOON);
    fold_form("demo", "/demo", NOON);
}

Test(handover, why_it_was_promoted_in_sentences)
{
    make_reasons();
    expect("persona", "\"boss\"");
    expect("fit_rules", "[{\"id\":\"decides\",\"points\":10,\"fields\":[\"job_title\"]}]");
    expect("why", "[\"The score is 30 points: 10 for who the lead is, 20 for what it did.\","
                  "\"The agreement hands a lead to sales from 25 points on.\","
                  "\"demo: 18 points for 1 form filled in.\",\"seen: 2 points for 2 visits.\","
                  "\"decides: 10 points for who the lead is.\",\"Its persona is boss.\"]");
}

Test(handover, in_the_language_of_the_configuration)
{
    make_reasons();
    expect_in(LANGUAGE_PT, "why",
              "[\"A pontuação é de 30 pontos: 10 por quem o lead é, 20 pelo que fez.\","
              "\"O acordo passa um lead para Vendas a partir de 25 pontos.\","
              "\"demo: 18 pontos por 1 formulário preenchido.\",\"seen: 2 pontos por 2 visitas.\","
              "\"decides: 10 pontos por quem o lead é.\",\"A persona é boss.\"]");
}

Test(handover, why_tells_the_gate_of_the_persona_and_of_who_comes_back)
{
    world.agreement.recycle_score = 7;
    transition.generation = 3;
    persona = (struct baton_persona){.id = TEXT("boss"), .has_sql = true, .sql = {.score = 11}};
    world.agreement.personas = &persona;
    world.agreement.persona_count = 1;
    world.lead.persona = 1;
    set_earlier(2, BATON_REJECTED, "no budget");
    expect("why", "[\"The score is 30 points: 10 for who the lead is, 20 for what it did.\","
                  "\"The agreement hands a lead to sales from 25 points on.\","
                  "\"Its persona is boss.\","
                  "\"It was with sales before, and ended as rejected: no budget.\"]");
}

Test(handover, why_names_who_did_it_by_hand)
{
    struct baton_adjustment by_hand = {.by = TEXT("Eva"),
                                       .reason = TEXT("asked for a call"),
                                       .has_stage = true,
                                       .stage = BATON_SQL};
    event.kind = BATON_ADJUST;
    event.adjustment = &by_hand;
    baton_lead_history(&world.lead, &world.allocator)->adjusted = -3;
    expect("why", "[\"The score is 30 points: 10 for who the lead is, 20 for what it did, -3 given "
                  "by hand.\",\"Eva handed it to sales by hand: asked for a call.\"]");
}

/* ---- Avro ------------------------------------------------------------------------------------ */

Test(handover, it_reads_back_with_its_schema)
{
    make_reasons();
    fold_mail(BATON_EMAIL_CLICKED, NOON);
    set_earlier(1, BATON_REJECTED, NULL);
    view.owner = TEXT("Ana");
    struct outgoing_message out = encode(OUTPUT_AVRO, LANGUAGE_EN);
    const struct embedded_text *text = embedded_find("Promotion.avsc");
    avro_schema_t schema;
    avro_value_t value;
    char *json = NULL;
    cr_assert(!avro_schema_from_json_length(text->text, text->size, &schema));
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    cr_assert(!avro_generic_value_new(class, &value));
    avro_reader_t reader =
        avro_reader_memory((const char *)out.value + 10, (int64_t)out.value_size - 10);
    cr_assert(!avro_value_read(reader, &value));
    cr_assert(!avro_value_to_json(&value, 1, &json));
    cr_assert(strstr(json, "\"owner\": {\"string\": \"Ana\"}"), "%s", json);
    cr_assert(strstr(json, "\"last_clicked\": {\"long\": 1793534400000}"), "%s", json);
    cr_assert(strstr(json, "\"earlier\": [{\"generation\": 1, \"promoted\": 1793534399998"), "%s",
              json);
    free(json);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
}
