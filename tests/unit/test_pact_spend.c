#include "pact/spend.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct spend_table *table;
static struct arena arena;

static void start(void)
{
    table = spend_create();
    arena_init(&arena, 4096);
}

static void end(void)
{
    spend_destroy(table);
    arena_fini(&arena);
}

TestSuite(spend, .init = start, .fini = end);

#define DAY 20758 /* 2026-11-01 */

static struct baton_text text_of(const char *text)
{
    return (struct baton_text){text, (uint32_t)strlen(text)};
}

static void take(const char *channel, const char *campaign, const char *currency, int32_t first,
                 int32_t end_day, int64_t time_ms, int64_t amount)
{
    struct baton_spend spend = {.channel = text_of(channel),
                                .campaign = text_of(campaign),
                                .currency = text_of(currency),
                                .first_day = first,
                                .end_day = end_day,
                                .amount = amount};
    struct baton_event event = {.kind = BATON_SPEND, .time_ms = time_ms, .spend = &spend};
    spend_take(table, &event);
}

static void note_row(void *context, const struct spend_row *row)
{
    char *told = context;
    sprintf(told + strlen(told), "%s/%s/%s=%lld ", row->channel, row->campaign, row->currency,
            (long long)row->amount);
}

static const char *on(int32_t first, int32_t end_day)
{
    static char told[1024];
    told[0] = 0;
    spend_on(table, (struct calendar_span){first, end_day}, note_row, told);
    return told;
}

static struct baton_text packed(void)
{
    uint8_t *bytes = NULL;
    size_t size = spend_pack(table, &bytes, &arena);
    return (struct baton_text){(const char *)bytes, (uint32_t)size};
}

static bool is_packed(struct baton_text bytes)
{
    struct baton_text now = packed();
    return now.size == bytes.size && (!now.size || memcmp(now.data, bytes.data, now.size) == 0);
}

static bool unpack(struct baton_text bytes)
{
    return spend_unpack(table, (const uint8_t *)bytes.data, bytes.size);
}

Test(spend, a_statement_counts_on_its_days)
{
    take("ads", "spring", "EUR", DAY, DAY + 30, 1, 30000);
    cr_assert_str_eq(on(DAY, DAY + 30), "ads/spring/EUR=30000 ");
    cr_assert_str_eq(on(DAY + 1, DAY + 3), "ads/spring/EUR=2000 ");
    cr_assert_str_eq(on(DAY - 5, DAY), "");
    cr_assert_str_eq(on(DAY + 30, DAY + 99), "");
}

Test(spend, the_first_days_take_what_is_over)
{
    struct calendar_span week = {DAY, DAY + 7};
    int64_t sum = 0;
    for (int32_t day = DAY; day < DAY + 7; day++) {
        int64_t share = spend_share(1003, week, (struct calendar_span){day, day + 1});
        cr_assert_eq(share, 143 + (day < DAY + 2));
        sum += share;
    }
    cr_assert_eq(sum, 1003);
    cr_assert_eq(spend_share(1003, week, (struct calendar_span){DAY + 1, DAY + 4}), 144 + 143 * 2);
}

Test(spend, a_period_over_a_months_end_is_split_by_days)
{
    take("ads", "", "EUR", DAY + 28, DAY + 33, 1,
         502); /* two days of November, three of December */
    cr_assert_str_eq(on(DAY, DAY + 30), "ads/(none)/EUR=202 ");
    cr_assert_str_eq(on(DAY + 30, DAY + 61), "ads/(none)/EUR=300 ");
}

Test(spend, a_repeat_changes_nothing)
{
    take("ads", "spring", "EUR", DAY, DAY + 1, 5, 100);
    struct baton_text before = packed();
    spend_mark_clean(table);
    take("ads", "spring", "EUR", DAY, DAY + 1, 5, 100);
    cr_assert(is_packed(before));
    cr_assert_not(spend_is_dirty(table));
}

Test(spend, the_newest_event_time_stands)
{
    take("ads", "spring", "EUR", DAY, DAY + 1, 5, 100);
    spend_mark_clean(table);
    take("ads", "spring", "EUR", DAY, DAY + 1, 4, 999);
    cr_assert_str_eq(on(DAY, DAY + 1), "ads/spring/EUR=100 ", "an older correction");
    cr_assert_not(spend_is_dirty(table));
    take("ads", "spring", "EUR", DAY, DAY + 1, 6, 70);
    cr_assert_str_eq(on(DAY, DAY + 1), "ads/spring/EUR=70 ");
    cr_assert(spend_is_dirty(table));
    take("ads", "spring", "EUR", DAY, DAY + 1, 6, 60);
    cr_assert_str_eq(on(DAY, DAY + 1), "ads/spring/EUR=60 ", "of two the later one");
}

Test(spend, each_of_channel_campaign_period_and_currency_is_a_statement_of_its_own)
{
    take("mail", "spring", "EUR", DAY, DAY + 1, 1, 1);
    take("ads", "spring", "EUR", DAY, DAY + 1, 1, 10);
    take("ads", "autumn", "EUR", DAY, DAY + 1, 1, 100);
    take("ads", "spring", "USD", DAY, DAY + 1, 1, 1000);
    take("ads", "spring", "EUR", DAY, DAY + 2, 1, 20000);
    take("ads", "", "EUR", DAY, DAY + 1, 1, 5);
    cr_assert_str_eq(on(DAY, DAY + 1), "ads/(none)/EUR=5 ads/autumn/EUR=100 ads/spring/EUR=10010 "
                                       "ads/spring/USD=1000 mail/spring/EUR=1 ");
}

Test(spend, what_was_packed_goes_on_as_it_was)
{
    take("mail", "spring", "EUR", DAY, DAY + 1, 9, 1);
    take("ads", "", "BRL", DAY - 40000, DAY, 3, 1000000);
    struct baton_text bytes = packed();
    spend_clear(table);
    cr_assert_eq(packed().size, 0);
    cr_assert(unpack(bytes));
    cr_assert(is_packed(bytes));
    cr_assert_not(spend_is_dirty(table));
    take("mail", "spring", "EUR", DAY, DAY + 1, 8, 7);
    cr_assert(is_packed(bytes), "older than what was packed");
}

Test(spend, the_order_of_statements_leaves_no_trace)
{
    take("mail", "a", "EUR", DAY, DAY + 1, 9, 1);
    take("ads", "b", "EUR", DAY, DAY + 1, 9, 2);
    struct baton_text bytes = packed();
    spend_clear(table);
    take("ads", "b", "EUR", DAY, DAY + 1, 9, 2);
    take("mail", "a", "EUR", DAY, DAY + 1, 9, 1);
    cr_assert(is_packed(bytes));
}

Test(spend, units_meet_in_any_order)
{
    take("ads", "b", "EUR", DAY, DAY + 1, 9, 2);
    take("mail", "b", "EUR", DAY, DAY + 1, 9, 40);
    struct baton_text first = packed();
    spend_clear(table);
    take("ads", "b", "EUR", DAY, DAY + 1, 9, 3);
    take("mail", "b", "EUR", DAY, DAY + 1, 8, 50);
    struct baton_text second = packed();
    for (int turn = 0; turn < 2; turn++) {
        spend_clear(table);
        cr_assert(unpack(turn ? first : second) && unpack(turn ? second : first));
        cr_assert_str_eq(on(DAY, DAY + 1), "ads/b/EUR=3 mail/b/EUR=40 ");
    }
}

struct wanted {
    const char *channel;
    int rows;
};

static void look_for(void *context, const struct spend_row *row)
{
    struct wanted *wanted = context;
    wanted->rows += strcmp(row->channel, wanted->channel) == 0;
}

static int rows_of(const char *channel)
{
    struct wanted wanted = {.channel = channel};
    spend_on(table, (struct calendar_span){DAY - 99, DAY + 99}, look_for, &wanted);
    return wanted.rows;
}

Test(spend, one_more_than_fit_drops_what_ended_first)
{
    char channel[16];
    for (int i = 0; i < SPEND_MAX; i++) {
        snprintf(channel, sizeof channel, "c%d", i);
        take(channel, "", "EUR", DAY, DAY + (i == 77 ? 1 : 2), 1, 100);
    }
    struct baton_text full = packed();
    take("old", "", "EUR", DAY - 9, DAY, 1, 100);
    cr_assert(is_packed(full), "it ended before all others");
    take("new", "", "EUR", DAY, DAY + 9, 1, 900);
    cr_assert_not(is_packed(full));
    cr_assert_eq(rows_of("c77"), 0);
    cr_assert_eq(rows_of("c78"), 1);
    spend_clear(table);
    cr_assert(unpack(full));
    take("c77", "", "EUR", DAY, DAY + 1, 1, 100);
    cr_assert(is_packed(full), "it was there");
}

Test(spend, damage_is_told)
{
    take("mail", "spring", "EUR", DAY, DAY + 1, 9, 1);
    take("ads", "", "BRL", DAY - 400, DAY, 3, 1000000);
    struct baton_text bytes = packed();
    uint8_t *broken = memory_take(bytes.size + 1);
    for (uint32_t at = 0; at <= bytes.size; at++) {
        memcpy(broken, bytes.data, bytes.size);
        broken[at] = (uint8_t)(broken[at] ^ 4);
        cr_assert_not(spend_unpack(table, broken, bytes.size + (at == bytes.size)));
        if (at < bytes.size)
            cr_assert_not(spend_unpack(table, (const uint8_t *)bytes.data, at));
    }
    free(broken);
}
