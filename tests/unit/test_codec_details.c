#include "codec_support.h"

#include <baton/lead.h>

static struct bench bench;

static void start(void)
{
    bench_init(&bench, NULL);
}

static void stop(void)
{
    bench_fini(&bench);
}

TestSuite(details, .init = start, .fini = stop);

#define HEAD "\"event_id\":\"e1\",\"lead_id\":\"l1\",\"time\":1793534400000"
#define FEEDBACK(rest) "{\"kind\":\"feedback\"," HEAD rest "}"
#define ADJUST(rest) "{\"kind\":\"adjust\"," HEAD rest "}"

static void expect_bad(const char *text, const char *detail)
{
    (void)bench_json(&bench, text);
    cr_expect_str_eq(bench_verdict(&bench), "bad_content", "%s: %s", text, bench_verdict(&bench));
    cr_expect(strstr(bench.result.detail, detail), "%s", bench.result.detail);
}

Test(details, a_report_says_all_that_sales_knows)
{
    cr_assert_eq(bench_json(&bench, FEEDBACK(",\"report\":\"rejected\",\"seller\":\"Ana\","
                                             "\"at\":\"2026-10-31T12:00:00Z\",\"generation\":2,"
                                             "\"reason\":\"Sem Or\xC3\xA7\x61mento\","
                                             "\"obstacle\":\"price\",\"note\":\"call in May\","
                                             "\"deal_value\":1200.509,\"deal_currency\":\"eur\"")),
                 DECODED, "%s", bench.result.detail);
    const struct baton_feedback *feedback = bench.event.feedback;
    cr_assert(bench.event.kind == BATON_FEEDBACK && feedback->report == BATON_REPORT_REJECTED);
    cr_assert(feedback->at_ms == NOON - 86400000 && feedback->generation == 2);
    cr_assert(feedback->has_deal && feedback->deal == 120050);
    cr_text(feedback->seller, "Ana");
    cr_text(feedback->reason_folded, "sem orcamento");
    cr_text(feedback->obstacle, "price");
    cr_text(feedback->note, "call in May");
    cr_text(feedback->currency, "EUR");
}

Test(details, a_verdict_may_stand_in_a_field_of_its_own)
{
    cr_assert_eq(bench_json(&bench, FEEDBACK(",\"report\":\"verdict\",\"verdict\":\"customer\"")),
                 DECODED);
    cr_assert_eq(bench.event.feedback->report, BATON_REPORT_CUSTOMER);
    cr_assert_eq(bench.event.feedback->at_ms, NOON);
    cr_assert_eq(bench_json(&bench, FEEDBACK(",\"verdict\":\"churned\",\"at\":5")), DECODED);
    cr_assert_eq(bench.event.feedback->at_ms, 5);
    cr_assert_eq(bench_json(&bench, FEEDBACK(",\"verdict\":\"churned\",\"at\":1793534399000")),
                 DECODED);
    cr_assert_eq(bench.event.feedback->at_ms, NOON - 1000);
}

Test(details, a_report_that_says_nothing_usable_is_dead)
{
    expect_bad(FEEDBACK(""), "`report`");
    expect_bad(FEEDBACK(",\"report\":\"verdict\""), "`report`");
    expect_bad(FEEDBACK(",\"report\":\"won\""), "'won'");
    expect_bad(FEEDBACK(",\"report\":\"accepted\",\"at\":\"soon\""), "`at`");
    expect_bad(FEEDBACK(",\"report\":\"accepted\",\"generation\":0"), "1 to 65535");
    expect_bad(FEEDBACK(",\"report\":\"accepted\",\"deal_value\":\"a lot\""), "`deal_value`");
    expect_bad(FEEDBACK(",\"report\":\"accepted\",\"deal_currency\":\"euro\""), "`deal_currency`");
}

Test(details, an_adjustment_names_who_and_why_and_what)
{
    cr_assert_eq(bench_json(&bench, ADJUST(",\"by\":\"Ana\",\"reason\":\"met at the fair\","
                                           "\"points\":-15,\"stage\":\"recycled\"")),
                 DECODED, "%s", bench.result.detail);
    const struct baton_adjustment *adjustment = bench.event.adjustment;
    cr_assert(adjustment->points == -15 && adjustment->has_stage &&
              adjustment->stage == BATON_RECYCLED);
    cr_text(adjustment->by, "Ana");
    expect_bad(ADJUST(",\"reason\":\"x\",\"points\":1"), "`by`");
    expect_bad(ADJUST(",\"by\":\"x\",\"points\":1"), "`reason`");
    expect_bad(ADJUST(",\"by\":\"x\",\"reason\":\"x\""), "neither");
    expect_bad(ADJUST(",\"by\":\"x\",\"reason\":\"x\",\"points\":10001"), "10000");
    expect_bad(ADJUST(",\"by\":\"x\",\"reason\":\"x\",\"points\":1.5"), "whole number");
    expect_bad(ADJUST(",\"by\":\"x\",\"reason\":\"x\",\"stage\":\"won\""), "`stage`");
}

Test(details, a_transfer_is_not_taken_from_anybody_else)
{
    (void)bench_json(&bench, "{\"kind\":\"transfer\"," HEAD ",\"from\":\"b\",\"state\":\"AA==\"}");
    cr_assert_str_eq(bench_verdict(&bench), "unknown_kind");
    cr_assert(strstr(bench.result.detail, "only baton itself"), "%s", bench.result.detail);
}

Test(details, a_click_may_mean_something_else_by_these_names)
{
    cr_assert_eq(bench_json(&bench, "{\"kind\":\"click\"," HEAD
                                    ",\"stage\":{\"x\":[1]},\"points\":[],\"at\":{},\"by\":7,"
                                    "\"state\":null,\"from\":\"\xC3\xA9\"}"),
                 DECODED, "%s", bench.result.detail);
    cr_assert_null(bench.event.feedback);
}

/* ---- In Avro, by the schemas that are published ---------------------------------------------- */

static struct avro_bytes bytes;

static void begin_record(const char *schema)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/schemas/%s.avsc", BATON_SOURCE_DIR, schema);
    char *text = read_whole_file(path);
    bench_schema(&bench, 1, text);
    free(text);
    put_registry(&bytes, 1);
    put_text(&bytes, "e1");
    put_text(&bytes, "l1");
    put_long(&bytes, NOON);
}

static void put_optional(const char *text)
{
    put_long(&bytes, text != NULL);
    if (text)
        put_text(&bytes, text);
}

static void expect_kind(enum baton_event_kind kind)
{
    cr_assert_eq(bench_avro(&bench, &bytes), DECODED, "%s", bench.result.detail);
    cr_assert_eq(bench.event.kind, kind, "%s", baton_event_kind_name(bench.event.kind));
    cr_assert_eq(bench.event.time_ms, NOON);
}

Test(details, every_action_of_an_email_is_a_kind_of_its_own)
{
    for (int action = 0; action < BATON_MAIL_KINDS; action++) {
        begin_record("Email");
        put_long(&bytes, action);
        put_optional("https://shop.example/pricing?utm_campaign=spring");
        put_optional(NULL); /* target */
        put_optional(NULL); /* channel */
        put_optional(NULL); /* campaign */
        put_optional(NULL); /* user_agent */
        expect_kind((enum baton_event_kind)(BATON_EMAIL_SENT + action));
        cr_text(bench.event.fields[BATON_CAMPAIGN], "spring");
        cr_text(bench.event.fields[BATON_PAGE], "/pricing");
    }
}

Test(details, a_report_in_avro_is_the_same)
{
    begin_record("Feedback");
    put_long(&bytes, BATON_REPORT_REJECTED - 1);
    put_long(&bytes, 1);
    put_long(&bytes, 2); /* generation */
    put_long(&bytes, 1);
    put_long(&bytes, NOON - 7); /* at */
    put_optional("Ana");
    put_optional("no budget");
    put_optional(NULL); /* obstacle */
    put_optional("call in May");
    put_optional("1200.50");
    put_optional("EUR");
    expect_kind(BATON_FEEDBACK);
    const struct baton_feedback *feedback = bench.event.feedback;
    cr_assert(feedback->report == BATON_REPORT_REJECTED && feedback->generation == 2);
    cr_assert(feedback->at_ms == NOON - 7 && feedback->deal == 120050);
    cr_text(feedback->seller, "Ana");
    cr_text(feedback->reason_folded, "no budget");
}

Test(details, an_adjustment_in_avro_is_the_same)
{
    begin_record("Adjust");
    put_text(&bytes, "Ana");
    put_text(&bytes, "met at a fair");
    put_long(&bytes, 1);
    put_long(&bytes, -25);
    put_optional("accepted");
    expect_kind(BATON_ADJUST);
    const struct baton_adjustment *adjustment = bench.event.adjustment;
    cr_assert(adjustment->points == -25 && adjustment->has_stage);
    cr_assert_eq(adjustment->stage, BATON_ACCEPTED);
    cr_text(adjustment->by, "Ana");
}
