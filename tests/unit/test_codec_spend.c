/* What a channel cost: its period and its amount. */
#include "codec/spend.h"
#include "codec_support.h"

#include "domain/calendar.h"

#include <baton/lead.h>

static int32_t day(int64_t year, unsigned month, unsigned of_month)
{
    return calendar_days(year, month, of_month);
}

/* ---- The event ---- */

static struct raw_event raw;
static struct arena arena;
static struct baton_event event;
static struct decode_result result;

static void start(void)
{
    arena_init(&arena, 4096);
    raw_event_init(&raw, RAW_ALL_FIELDS, 0);
    raw_event_set(&raw, TARGET_PERIOD, as_text("2026-11"));
    raw_event_set(&raw, TARGET_AMOUNT, as_text("1200.50"));
    raw_event_set(&raw, TARGET_CURRENCY, as_text("EUR"));
    event = (struct baton_event){.kind = BATON_SPEND};
}

static void end(void)
{
    arena_fini(&arena);
}

TestSuite(spend_event, .init = start, .fini = end);

static bool reads(const char *key)
{
    struct message message = {.key = (const uint8_t *)key, .key_size = key ? strlen(key) : 0};
    return event_detail_read(&message, &raw, &arena, &event, &result);
}

Test(spend_event, is_in_hundredths_of_a_currency)
{
    raw_event_set(&raw, TARGET_CHANNEL, as_text("search"));
    raw_event_set(&raw, TARGET_CAMPAIGN, as_text("autumn"));
    cr_assert(reads("ignored"));
    cr_text(event.spend->channel, "search");
    cr_text(event.spend->campaign, "autumn");
    cr_text(event.spend->period, "2026-11");
    cr_text(event.spend->currency, "EUR");
    cr_expect_eq(event.spend->amount, 120050);
    cr_expect_eq(event.spend->first_day, day(2026, 11, 1));
    cr_expect_eq(event.spend->end_day, day(2026, 12, 1));
}

Test(spend_event, a_currency_is_in_capitals)
{
    raw_event_set(&raw, TARGET_CURRENCY, as_text("eUr"));
    cr_assert(reads("social"));
    cr_text(event.spend->currency, "EUR");
}

Test(spend_event, without_a_channel_the_key_is_one)
{
    cr_assert(reads("social"));
    cr_text(event.spend->channel, "social");
    cr_expect_eq(event.spend->campaign.size, 0);
    cr_expect_not(reads(NULL));
    cr_expect_eq(result.reason, DEAD_BAD_CONTENT);
    cr_expect_not(reads("\xff"));
}

static void is_bad(enum target target, const char *value, const char *said)
{
    raw_event_set(&raw, target, as_text(value));
    cr_expect_not(reads("social"), "%s", value);
    cr_expect_eq(result.reason, DEAD_BAD_CONTENT);
    cr_expect(strstr(result.detail, said), "%s", result.detail);
    start();
}

Test(spend_event, what_is_wrong_is_told_with_what_it_must_be)
{
    static char name[BATON_WORD_MAX + 2];
    memset(name, 'x', BATON_WORD_MAX + 1);
    is_bad(TARGET_AMOUNT, "-1", "`amount` is '-1'");
    is_bad(TARGET_AMOUNT, "much", "like 1200.50");
    is_bad(TARGET_AMOUNT, "", "`amount`");
    is_bad(TARGET_PERIOD, "November", "`period` is 'November', and must be like");
    is_bad(TARGET_CURRENCY, "", "`currency` is missing");
    is_bad(TARGET_CURRENCY, "euro", "`currency` is 'euro', and must be three letters like EUR");
    is_bad(TARGET_CURRENCY, "E1R", "three letters");
    is_bad(TARGET_CURRENCY, "\xe2\x82\xac", "three letters");
    is_bad(TARGET_CHANNEL, name, "has 201 bytes");
}
