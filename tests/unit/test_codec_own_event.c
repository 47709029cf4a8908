/* What baton tells itself reads back as it was; what another says in its name is a dead letter. */
#include "codec/hop.h"
#include "codec/own_event.h"
#include "codec_support.h"

static struct bench bench;

static void start(void)
{
    bench_init(&bench, NULL);
}

static void end(void)
{
    bench_fini(&bench);
}

TestSuite(own_event, .init = start, .fini = end);

/* As the message comes back, with its headers or without. */
static void decode(const struct outgoing_message *out, bool with_headers)
{
    static struct hop hop;
    bool read = hop_read(out->headers, out->header_count, &bench.arena, &hop);
    cr_assert(read && hop.seen.own);
    struct message message = {.key = out->key,
                              .key_size = out->key_size,
                              .value = out->value,
                              .value_size = out->value_size,
                              .timestamp_ms = out->timestamp_ms,
                              .hop = with_headers ? &hop : NULL};
    decoder_decode(bench.decoder, &message, &bench.arena, &bench.event, &bench.result);
}

static void is_dead_without_its_header(const struct outgoing_message *out)
{
    decode(out, false);
    cr_assert_eq(bench.result.outcome, DECODE_DEAD);
    cr_expect_eq(bench.result.reason, DEAD_UNKNOWN_KIND, "%s", bench.result.detail);
    decode(out, true);
    cr_assert_eq(bench.result.outcome, DECODED, "%s", bench.result.detail);
}

Test(own_event, a_promotion_went_out)
{
    struct origin origin = {.topic = "t", .partition = 3, .offset = 41};
    struct outgoing_message out;
    own_event_published(&bench.arena, 3, &origin, as_text("l\"1"), 7, NOON, &out);
    cr_expect(out.topic == TOPIC_EVENTS && out.partition == 3);
    is_dead_without_its_header(&out);
    cr_expect_eq(bench.event.kind, BATON_PUBLISHED);
    cr_text(bench.event.event_id, "published/3/41");
    cr_text(bench.event.lead_id, "l\"1");
    cr_expect_eq(bench.event.time_ms, NOON);
    cr_expect_eq(bench.event.publication->generation, 7);
}

Test(own_event, a_tick_is_of_no_lead)
{
    struct outgoing_message out;
    own_event_tick(&bench.arena, 12, NOON, &out);
    cr_expect(out.partition == 12 && out.key_size == 2 && memcmp(out.key, "12", 2) == 0);
    is_dead_without_its_header(&out);
    cr_expect_eq(bench.event.kind, BATON_TICK);
    cr_expect_eq(bench.event.lead_id.size, 0);
    cr_expect_eq(bench.event.time_ms, NOON);
}

Test(own_event, a_judgement_keeps_its_bytes)
{
    struct outgoing_message out;
    struct baton_text state = {"\0\1\xff", 3};
    own_event_judged(&bench.arena, as_text("delivery"), as_text("delivery/2026-11-03/99"), state,
                     NOON, &out);
    cr_expect_eq(out.partition, 0);
    is_dead_without_its_header(&out);
    cr_expect_eq(bench.event.kind, BATON_JUDGED);
    cr_text(bench.event.event_id, "judged/delivery/2026-11-03/99");
    cr_assert_eq(bench.event.judgement->state.size, 3);
    cr_expect_eq(memcmp(bench.event.judgement->state.data, "\0\1\xff", 3), 0);
}

Test(own_event, a_recheck_needs_the_header_too)
{
    struct outgoing_message out;
    own_event_recheck(&bench.arena, 1, as_text("l1"), NOON, &out);
    is_dead_without_its_header(&out);
    cr_expect_eq(bench.event.kind, BATON_RECHECK);
}

static const char published[] = "{\"kind\":\"published\",\"event_id\":\"e\",\"lead_id\":\"l1\","
                                "\"time\":1793534400000,\"generation\":1}";

Test(own_event, a_file_of_events_may_say_what_baton_would_of_a_lead)
{
    struct input_config config = {.ignore_key = true, .max_ahead_ms = 300000};
    struct message message = {.value = (const uint8_t *)published,
                              .value_size = sizeof published - 1,
                              .timestamp_ms = NOON};
    bench_fini(&bench);
    bench_init(&bench, &config);
    decoder_decode(bench.decoder, &message, &bench.arena, &bench.event, &bench.result);
    cr_assert_eq(bench.result.outcome, DECODED, "%s", bench.result.detail);
    cr_expect_eq(bench.event.kind, BATON_PUBLISHED);
}

Test(own_event, what_went_out_names_its_generation)
{
    static const char *const values[] = {"0", "65536", "1.5", "null"};
    struct hop hop = {.seen = {.own = true}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[200];
        int size = snprintf(text, sizeof text,
                            "{\"kind\":\"published\",\"event_id\":\"e\",\"lead_id\":\"l1\","
                            "\"time\":1793534400000,\"generation\":%s}",
                            values[i]);
        struct message message = {.key = (const uint8_t *)"l1",
                                  .key_size = 2,
                                  .value = (const uint8_t *)text,
                                  .value_size = (size_t)size,
                                  .timestamp_ms = NOON,
                                  .hop = &hop};
        decoder_decode(bench.decoder, &message, &bench.arena, &bench.event, &bench.result);
        cr_expect_eq(bench.result.outcome, DECODE_DEAD, "%s", values[i]);
        cr_expect_eq(bench.result.reason, DEAD_BAD_CONTENT, "%s", values[i]);
    }
}
