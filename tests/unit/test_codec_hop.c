/* What baton passes on comes back as it was. */
#include "codec/hop.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct arena arena;

static void start(void)
{
    arena_init(&arena, 4096);
}

static void end(void)
{
    arena_fini(&arena);
}

TestSuite(hop, .init = start, .fini = end);

static struct baton_text text(const char *from)
{
    return (struct baton_text){from, (uint32_t)strlen(from)};
}

static bool is(struct baton_text got, const char *wanted)
{
    return got.size == strlen(wanted) && memcmp(got.data, wanted, got.size) == 0;
}

Test(hop, an_event_is_passed_on_byte_by_byte_with_its_headers_and_its_way)
{
    static const struct header headers[] = {{"traceparent", "00-1", 4}, {"x-none", NULL, 0}};
    struct origin origin = {.topic = "t", .headers = headers, .header_count = 2};
    struct baton_event event = {.lead_id = text("a,b%2C é")};
    struct hop_cause cause = {&event, &origin};
    struct message message = {.value = (const uint8_t *)"\0\1{}", .value_size = 4};
    struct outgoing_message out;
    struct hop hop;
    hop_forward(&arena, &message, &cause, text("to/1"), &out);
    cr_assert_eq(out.topic, TOPIC_EVENTS);
    cr_assert(out.value_size == 4 && memcmp(out.value, "\0\1{}", 4) == 0);
    cr_assert(out.key_size == 4 && memcmp(out.key, "to/1", 4) == 0);
    cr_assert_eq(out.header_count, 4);
    cr_assert_str_eq(out.headers[0].name, "traceparent");
    cr_assert(hop_read(out.headers, out.header_count, &arena, &hop));
    cr_assert(is(hop.to, "to/1"));
    cr_assert_not(hop.seen.own);
    cr_assert_eq(hop.seen.trail_count, 1);
    cr_assert(is(hop.seen.trail[0], "a,b%2C é"));

    /* and from there on */
    event = (struct baton_event){.lead_id = hop.to, .hop = &hop.seen};
    origin.headers = out.headers;
    origin.header_count = out.header_count;
    struct outgoing_message next;
    struct hop again;
    hop_forward(&arena, &message, &cause, text("z"), &next);
    cr_assert_eq(next.header_count, 4, "each header stands once");
    cr_assert(hop_read(next.headers, next.header_count, &arena, &again));
    cr_assert(is(again.to, "z"));
    cr_assert_eq(again.seen.trail_count, 2);
    cr_assert(is(again.seen.trail[1], "to/1"));
}

Test(hop, batons_own_events_read_whatever_the_configuration_maps)
{
    static const struct name_pair fields[] = {{{"when", 4}, {"time", 4}}};
    static const struct name_pair kinds[] = {{{"pageview", 8}, {"visit", 5}}};
    struct input_config config = {.fields = fields,
                                  .field_count = 1,
                                  .kind_field = {"type", 4},
                                  .kinds = kinds,
                                  .kind_count = 1,
                                  .lead_id_from_key = true};
    struct decoder *decoder;
    struct error error;
    cr_assert_eq(decoder_create(&decoder, &config, &error), STATUS_OK);
    struct origin origin = {.topic = "t", .partition = 3, .offset = 7};
    struct baton_event cause_event = {
        .lead_id = text("cookie"), .event_id = text("m1"), .time_ms = 1795165338022};
    struct hop_cause cause = {&cause_event, &origin, .clock_ms = 1795165338023, .arrived_ms = 7};
    struct outgoing_message out;
    hop_transfer(&arena, &cause, text("anna"), (struct baton_text){"\0\1\2", 3}, &out);
    struct hop hop;
    cr_assert(hop_read(out.headers, out.header_count, &arena, &hop));
    struct message message = {.key = out.key,
                              .key_size = out.key_size,
                              .value = out.value,
                              .value_size = out.value_size,
                              .timestamp_ms = -1,
                              .hop = &hop};
    struct baton_event event;
    struct decode_result result;
    decoder_decode(decoder, &message, &arena, &event, &result);
    cr_assert_eq(result.outcome, DECODED, "%s", result.detail);
    cr_assert_eq(event.kind, BATON_TRANSFER);
    cr_assert(is(event.lead_id, "anna") && is(event.event_id, "m1"));
    cr_assert(is(event.transfer->from, "cookie"));
    cr_assert(event.transfer->state.size == 3 &&
              memcmp(event.transfer->state.data, "\0\1\2", 3) == 0);
    cr_assert(event.hop->own && event.hop->trail_count == 1);
    cr_assert(event.transfer->clock_ms == 1795165338023 && event.transfer->arrived_ms == 7);

    cause.arrived_ms = 0; /* as older ones are */
    hop_transfer(&arena, &cause, text("anna"), (struct baton_text){"\0\1\2", 3}, &out);
    message.value = out.value;
    message.value_size = out.value_size;
    decoder_decode(decoder, &message, &arena, &event, &result);
    cr_assert_eq(result.outcome, DECODED, "%s", result.detail);
    cr_assert(event.transfer->clock_ms == 1795165338023 &&
              event.transfer->arrived_ms == 1795165338023);
    decoder_destroy(decoder);
}

/* Whoever may write to the topic can write these headers, too. */
Test(hop, times_of_what_says_it_is_batons_own_are_held_to_the_same_bound)
{
    static const char *const kinds[] = {"recheck", "erase", "visit"};
    struct input_config config = {.max_ahead_ms = 300000};
    struct decoder *decoder;
    struct error error;
    cr_assert_eq(decoder_create(&decoder, &config, &error), STATUS_OK);
    for (int i = 0; i < 3; i++)
        for (int64_t ahead_ms = 300000; ahead_ms < 300002; ahead_ms++) {
            char value[128];
            snprintf(value, sizeof value,
                     "{\"kind\":\"%s\",\"event_id\":\"e\",\"lead_id\":\"anna\",\"time\":%lld}",
                     kinds[i], 1795165338022 + (long long)ahead_ms);
            struct hop hop = {.to = {"anna", i == 2 ? 4 : 0}, .seen = {.own = i < 2}};
            struct message message = {.key = (const uint8_t *)"anna",
                                      .key_size = 4,
                                      .value = (const uint8_t *)value,
                                      .value_size = strlen(value),
                                      .timestamp_ms = 1795165338022,
                                      .hop = &hop};
            struct baton_event event;
            struct decode_result result;
            decoder_decode(decoder, &message, &arena, &event, &result);
            if (ahead_ms == 300000) {
                cr_expect_eq(result.outcome, DECODED, "%s: %s", kinds[i], result.detail);
                continue;
            }
            cr_expect(result.outcome == DECODE_DEAD && result.reason == DEAD_FUTURE_TIME,
                      "%s is taken", kinds[i]);
            cr_expect(strstr(result.detail, "300001 ms after the record's timestamp: baton writes "
                                            "no such message"),
                      "%s", result.detail);
        }
    decoder_destroy(decoder);
}

Test(hop, headers_of_somebody_else_are_none)
{
    static const struct header headers[] = {{"baton", "x", 1}, {"b", NULL, 0}, {"ce_id", "1", 1}};
    struct hop hop;
    cr_assert_not(hop_read(headers, 3, &arena, &hop));
}
