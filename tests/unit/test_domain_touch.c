#include "domain_support.h"

static struct world world;

static void start(void)
{
    world_init(&world);
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 1});
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(touch, .init = start, .fini = end);

static void visit_page(const char *page, int64_t time_ms)
{
    world_fold(&world, (struct baton_event){.kind = BATON_VISIT,
                                            .time_ms = time_ms,
                                            .fields[BATON_PAGE] = text_of(page)});
}

/* Pages of the touches, newest first, joined by blanks. */
static const char *pages(void)
{
    static char joined[512];
    size_t size = 0;
    joined[0] = 0;
    for (uint16_t i = 0; i < world.lead.touch_count; i++) {
        struct baton_text page = baton_words_text(&world.words, world.lead.touches[i].page);
        size += (size_t)snprintf(joined + size, sizeof joined - size, "%s%.*s", i ? " " : "",
                                 (int)page.size, page.data);
    }
    return joined;
}

Test(touch, a_scored_event_is_kept_with_what_it_was)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT});
    world_fold(&world, (struct baton_event){.kind = BATON_VISIT,
                                            .time_ms = MONDAY_MS,
                                            .fields[BATON_PAGE] = TEXT("/pricing"),
                                            .fields[BATON_CAMPAIGN] = TEXT("Autumn"),
                                            .fields[BATON_CHANNEL] = TEXT("ads")});
    const struct baton_touch *touch = world.lead.touches;
    cr_assert_eq(world.lead.touch_count, 1);
    cr_assert_eq(touch->time_ms, MONDAY_MS);
    cr_assert_eq(touch->kind, BATON_VISIT);
    cr_assert(word_is(&world, touch->page, "/pricing"));
    cr_assert(word_is(&world, touch->campaign, "Autumn"));
    cr_assert(word_is(&world, touch->channel, "ads"));
    cr_assert(word_is(&world, touch->rules, "r0,r1"));
}

Test(touch, an_event_without_a_counted_hit_is_none)
{
    world.behaviour[0].cap_times = 1;
    world.behaviour[0].cap_period = BATON_PER_EVER;
    visit_page("a", MONDAY_MS);
    visit_page("b", MONDAY_MS + 1);
    world_fold(&world, (struct baton_event){.kind = BATON_CLICK, .time_ms = MONDAY_MS});
    cr_assert_str_eq(pages(), "a");
}

Test(touch, only_rules_whose_hit_counted_are_listed)
{
    world_rule(&world, (struct baton_behaviour_rule){
                           .kind = BATON_VISIT, .cap_times = 1, .cap_period = BATON_PER_EVER});
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT});
    visit_page("a", MONDAY_MS);
    visit_page("b", MONDAY_MS + 1);
    cr_assert(word_is(&world, world.lead.touches[1].rules, "r0,r1,r2"));
    cr_assert(word_is(&world, world.lead.touches[0].rules, "r0,r2"));
}

Test(touch, a_form_fill_shows_its_form_and_without_one_its_page)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_FORM_FILL});
    struct baton_event event = {
        .kind = BATON_FORM_FILL, .time_ms = MONDAY_MS, .fields[BATON_PAGE] = TEXT("/contact")};
    world_fold(&world, event);
    event.fields[BATON_FORM] = TEXT("demo");
    world_fold(&world, event);
    event.kind = BATON_VISIT;
    world_fold(&world, event);
    cr_assert_str_eq(pages(), "/contact demo /contact");
}

Test(touch, touches_stand_newest_first_by_event_time)
{
    visit_page("b", MONDAY_MS + 20);
    visit_page("d", MONDAY_MS + 40);
    visit_page("a", MONDAY_MS + 10);
    visit_page("c", MONDAY_MS + 30);
    cr_assert_str_eq(pages(), "d c b a");
}

Test(touch, at_the_same_time_the_later_in_the_log_is_newer)
{
    visit_page("first", MONDAY_MS);
    visit_page("newest", MONDAY_MS + 1);
    visit_page("second", MONDAY_MS);
    visit_page("third", MONDAY_MS);
    cr_assert_str_eq(pages(), "newest third second first");
}

Test(touch, the_newest_ones_stay)
{
    world.agreement.touches = 3;
    for (int i = 0; i < 6; i++)
        visit_page((char[]){(char)('a' + i), 0}, MONDAY_MS + i);
    cr_assert_str_eq(pages(), "f e d");
    visit_page("late", MONDAY_MS);
    cr_assert_str_eq(pages(), "f e d");
    visit_page("tie", MONDAY_MS + 3);
    cr_assert_str_eq(pages(), "f e tie");
}

Test(touch, a_touch_that_is_not_kept_adds_no_words)
{
    world.agreement.touches = 1;
    visit_page("a", MONDAY_MS + 1);
    uint32_t words = world.words.count;
    visit_page("never seen", MONDAY_MS);
    cr_assert_eq(world.words.count, words);
}

Test(touch, an_agreement_can_keep_none)
{
    world.agreement.touches = 0;
    visit_page("a", MONDAY_MS);
    cr_assert_eq(world.lead.touch_count, 0);
    cr_assert_eq(world.words.count, 2);
    cr_assert_eq(world_count(&world, 0), 1);
}

Test(touch, as_many_as_thirty_two_are_kept)
{
    world.agreement.touches = BATON_TOUCHES_MAX;
    for (int i = 0; i < 100; i++)
        visit_page("a", MONDAY_MS + i);
    cr_assert_eq(world.lead.touch_count, BATON_TOUCHES_MAX);
    cr_assert_eq(world.lead.touches[31].time_ms, MONDAY_MS + 68);
}

Test(touch, an_agreement_that_keeps_fewer_drops_the_oldest_at_the_next_event)
{
    for (int i = 0; i < 5; i++)
        visit_page((char[]){(char)('a' + i), 0}, MONDAY_MS + i);
    world.agreement.touches = 2;
    baton_lead_attach(&world.lead, &world.agreement);
    cr_assert_str_eq(pages(), "e d c b a");
    visit_page("f", MONDAY_MS - 1); /* older than those that are kept */
    cr_assert_str_eq(pages(), "e d");
}

Test(touch, a_long_list_of_rules_is_cut_between_two_ids)
{
    char id[61];
    memset(id, 'x', 60);
    for (int i = 0; i < 4; i++)
        world_rule(&world, (struct baton_behaviour_rule){.id = {id, 60}, .kind = BATON_VISIT});
    visit_page("a", MONDAY_MS);
    cr_assert_eq(baton_words_text(&world.words, world.lead.touches[0].rules).size, 2 + 3 * 61);
}

Test(touch, an_id_that_does_not_fit_alone_is_left_out)
{
    static char id[BATON_WORD_MAX + 1];
    memset(id, 'x', sizeof id);
    world.behaviour[0].id = (struct baton_text){id, sizeof id};
    visit_page("a", MONDAY_MS);
    cr_assert_eq(world.lead.touches[0].rules, BATON_WORD_NONE);
    world.behaviour[0].id.size = BATON_WORD_MAX;
    visit_page("b", MONDAY_MS);
    cr_assert_eq(baton_words_text(&world.words, world.lead.touches[0].rules).size, BATON_WORD_MAX);
}

Test(touch, the_first_channel_is_that_of_the_oldest_event_that_has_one)
{
    static const struct {
        const char *channel;
        int64_t time_ms;
        const char *first, *last;
    } steps[] = {{"", 50, "", ""},
                 {"ads", 30, "ads", "ads"},
                 {"mail", 40, "ads", "mail"},
                 {"", 99, "ads", "mail"},
                 {"seo", 20, "seo", "mail"},
                 {"tie", 20, "seo", "mail"},
                 {"tie2", 40, "seo", "tie2"},
                 {"old", 25, "seo", "tie2"},
                 {"x", 41, "seo", "x"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        world_fold(&world,
                   (struct baton_event){.kind = BATON_EMAIL_SENT,
                                        .time_ms = MONDAY_MS + steps[i].time_ms,
                                        .fields[BATON_CHANNEL] = text_of(steps[i].channel)});
        cr_assert(word_is(&world, world.lead.first_channel, steps[i].first), "step %zu", i);
        cr_assert(word_is(&world, world.lead.last_channel, steps[i].last), "step %zu", i);
    }
}

Test(touch, a_conversion_is_a_form_fill)
{
    static const enum baton_event_kind kinds[] = {BATON_VISIT, BATON_FORM_FILL, BATON_CLICK,
                                                  BATON_FORM_FILL, BATON_PROFILE};
    for (size_t i = 0; i < 5; i++)
        world_fold(&world, (struct baton_event){.kind = kinds[i], .time_ms = MONDAY_MS});
    cr_assert_eq(world.lead.conversions, 2);
    cr_assert_eq(world.lead.events, 5);
}
