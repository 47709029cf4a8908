/* Judgements: what goes through the log comes back, and of what stands the right things are told.
 */
#include "pact/judgement.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct judged_list *list;

static void begin(void)
{
    arena_init(&arena, 4096);
    list = judged_create();
}

static void end(void)
{
    judged_destroy(list);
    arena_fini(&arena);
}

TestSuite(judgement, .init = begin, .fini = end);

static struct baton_text text(const char *of)
{
    return (struct baton_text){of, (uint32_t)strlen(of)};
}

static struct judgement judgement_of(const char *promise, const char *period)
{
    struct judgement judgement = {.version = 3,
                                  .side = BATON_SALES,
                                  .time_ms = 1793800000000,
                                  .promised = 2000,
                                  .actual = 2000,
                                  .needed = -1,
                                  .seen = 100};
    judgement.texts[JUDGEMENT_PROMISE] = text(promise);
    judgement.texts[JUDGEMENT_PERIOD] = text(period);
    judgement.texts[JUDGEMENT_AGREEMENT] = text("demo");
    judgement.texts[JUDGEMENT_HASH] = text("00ff");
    judgement.texts[JUDGEMENT_OWNER] = text("Head of Sales");
    judgement.texts[JUDGEMENT_UNIT] = text("leads");
    return judgement;
}

struct told {
    bool changes, tell;
    int32_t revision;
};

static struct told take(const struct judgement *judgement, int64_t written_ms)
{
    struct told told = {.revision = -1};
    told.changes = judged_take(list, judgement, written_ms, &told.revision, &told.tell);
    return told;
}

static struct told take_figures(int64_t actual, bool missed, int64_t seen)
{
    struct judgement judgement = judgement_of("customers", "2026-11-03");
    judgement.actual = actual;
    judgement.missed = missed;
    judgement.seen = seen;
    return take(&judgement, 1793900000000 + seen);
}

Test(judgement, what_is_packed_comes_back)
{
    struct judgement one = judgement_of("conversion", "2026-11"), back;
    one.missed = true;
    one.needed = 12300;
    one.actual = -5;
    one.seen = INT64_MAX;
    uint8_t *bytes;
    size_t size = judgement_pack(&one, &bytes, &arena);
    cr_assert(judgement_unpack(&back, bytes, size));
    for (size_t i = 0; i < JUDGEMENT_TEXTS; i++)
        cr_expect(back.texts[i].size == one.texts[i].size &&
                  memcmp(back.texts[i].data, one.texts[i].data, one.texts[i].size) == 0);
    cr_expect(back.version == 3 && back.side == BATON_SALES && back.missed);
    cr_expect(back.time_ms == one.time_ms && back.promised == 2000 && back.actual == -5);
    cr_expect(back.needed == 12300 && back.seen == INT64_MAX);
    cr_expect_not(judgement_is_date(&back));
}

Test(judgement, any_changed_or_missing_byte_is_seen)
{
    struct judgement one = judgement_of("customers", "2026-11-03"), back;
    uint8_t *bytes;
    size_t size = judgement_pack(&one, &bytes, &arena);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 1;
        cr_expect_not(judgement_unpack(&back, bytes, size), "byte %zu", i);
        bytes[i] ^= 1;
        cr_expect_not(judgement_unpack(&back, bytes, i), "%zu bytes", i);
    }
    cr_expect(judgement_unpack(&back, bytes, size));
}

Test(judgement, a_text_that_is_too_long_is_cut_and_found_again)
{
    char longest[400];
    memset(longest, 'x', sizeof longest);
    struct judgement one = judgement_of("p", "2026-11"), back;
    one.texts[JUDGEMENT_PROMISE] = (struct baton_text){longest, sizeof longest};
    uint8_t *bytes;
    size_t size = judgement_pack(&one, &bytes, &arena);
    cr_assert(judgement_unpack(&back, bytes, size));
    cr_expect_eq(back.texts[JUDGEMENT_PROMISE].size, JUDGEMENT_TEXT_MAX);
    cr_expect(take(&back, 1).changes);
    cr_expect_not_null(judged_find(list, one.texts[JUDGEMENT_PROMISE], text("2026-11")));
}

Test(judgement, what_is_missed_is_told_once)
{
    struct told told = take_figures(1900, true, 100);
    cr_expect(told.changes && told.tell && told.revision == 0);
    told = take_figures(1900, true, 100);
    cr_expect(!told.changes && !told.tell, "the same again");
    told = take_figures(1900, true, 150);
    cr_expect(!told.changes && !told.tell, "the same figures of more of the log");
}

Test(judgement, what_is_met_stands_and_is_not_told)
{
    struct told told = take_figures(2000, false, 100);
    cr_expect(told.changes && !told.tell && told.revision == 0);
    told = take_figures(2100, false, 120);
    cr_expect(told.changes && !told.tell && told.revision == 1, "nor are better figures");
    told = take_figures(1900, true, 130);
    cr_expect(told.changes && told.tell && told.revision == 2, "but that it was missed after all");
}

Test(judgement, a_revision_tells_other_figures_and_that_it_was_met)
{
    (void)take_figures(1800, true, 100);
    struct told told = take_figures(1900, true, 110);
    cr_expect(told.changes && told.tell && told.revision == 1);
    told = take_figures(2000, false, 120);
    cr_expect(told.changes && told.tell && told.revision == 2);
    told = take_figures(2100, false, 130);
    cr_expect(told.changes && !told.tell && told.revision == 3);
}

Test(judgement, who_has_seen_less_of_the_log_changes_nothing)
{
    (void)take_figures(2000, false, 100);
    struct told told = take_figures(1900, true, 99);
    cr_expect(!told.changes && !told.tell);
    cr_expect_eq(judged_find(list, text("customers"), text("2026-11-03"))->actual, 2000);
}

Test(judgement, each_period_and_promise_stands_for_itself)
{
    struct judgement a = judgement_of("customers", "2026-11-03"),
                     b = judgement_of("customers", "2026-11-04"),
                     c = judgement_of("delivery", "2026-11-03");
    a.missed = b.missed = c.missed = true;
    cr_expect(take(&a, 1).tell && take(&b, 1).tell && take(&c, 1).tell);
    cr_expect_null(judged_find(list, text("delivery"), text("2026-11-04")));
}

Test(judgement, a_date_is_told_at_each_announcement)
{
    struct judgement review = judgement_of("review", "2026-12-01");
    review.texts[JUDGEMENT_UNIT] = text("");
    review.promised = 700;
    struct told told = take(&review, 1);
    cr_expect(told.tell && told.revision == 0);
    cr_expect_not(take(&review, 2).tell);
    review.promised = 0;
    told = take(&review, 3);
    cr_expect(told.tell && told.revision == 1);
}

Test(judgement, the_list_comes_back_as_it_was)
{
    (void)take_figures(1800, true, 100);
    (void)take_figures(1900, true, 110);
    struct judgement other = judgement_of("delivery", "2026-11-03");
    other.needed = 700;
    (void)take(&other, 77);
    cr_expect(judged_is_dirty(list));
    uint8_t *bytes, *again;
    size_t size = judged_pack(list, &bytes, &arena);
    struct judged_list *back = judged_create();
    cr_assert(judged_unpack(back, bytes, size));
    cr_expect_not(judged_is_dirty(back));
    cr_expect_eq(judged_pack(back, &again, &arena), size);
    cr_expect_eq(memcmp(bytes, again, size), 0);
    const struct judged *one = judged_find(back, text("customers"), text("2026-11-03"));
    cr_assert_not_null(one);
    cr_expect(one->revision == 1 && one->actual == 1900 && one->missed && one->seen == 110);
    cr_expect_eq(one->first_ms, 1793900000100);
    cr_expect_eq(judged_find(back, text("delivery"), text("2026-11-03"))->needed, 700);
    for (size_t i = 0; i < size; i++) {
        judged_clear(back);
        bytes[i] ^= 1;
        cr_expect_not(judged_unpack(back, bytes, size), "byte %zu", i);
        bytes[i] ^= 1;
    }
    judged_destroy(back);
}

Test(judgement, the_oldest_period_gives_way_when_the_list_is_full)
{
    char period[16];
    for (int i = 0; i < JUDGEMENTS_MAX + 1; i++) {
        (void)snprintf(period, sizeof period, "p%d", i);
        struct judgement one = judgement_of("customers", period);
        one.time_ms = i == 7 ? 1 : 1000 + i;
        cr_expect(take(&one, 1).changes);
    }
    cr_expect_null(judged_find(list, text("customers"), text("p7")));
    cr_expect_not_null(judged_find(list, text("customers"), text("p0")));
    cr_expect_not_null(judged_find(list, text("customers"), text("p512")));
    uint8_t *bytes;
    size_t size = judged_pack(list, &bytes, &arena);
    struct judged_list *back = judged_create();
    cr_expect(judged_unpack(back, bytes, size));
    judged_destroy(back);
}
