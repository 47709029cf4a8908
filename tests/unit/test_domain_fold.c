#include "domain_support.h"

static struct world world;

static void start(void)
{
    world_init(&world);
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(fold, .init = start, .fini = end);

static enum baton_fold_outcome visit_as(const char *event_id, int64_t time_ms)
{
    return world_fold(&world, (struct baton_event){.kind = BATON_VISIT,
                                                   .event_id = text_of(event_id),
                                                   .time_ms = time_ms});
}

/* The packed form, which shows every stored part. */
static size_t pack(const struct baton_lead *lead, uint8_t *room)
{
    return baton_lead_pack(lead, lead->applied, room);
}

static void lead_is(const uint8_t *bytes, size_t size)
{
    uint8_t now[4096];
    cr_assert_eq(pack(&world.lead, now), size);
    cr_assert_eq(memcmp(now, bytes, size), 0, "the lead has changed");
}

Test(fold, an_event_moves_the_position_behind_itself)
{
    world.offset = 41;
    cr_assert_eq(visit_as("a", MONDAY_MS), BATON_FOLDED);
    cr_assert_eq(world.lead.applied, 42);
}

Test(fold, an_event_below_the_position_is_already_in_it)
{
    uint16_t rule = world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT});
    visit_as("a", MONDAY_MS);
    visit_as("b", MONDAY_MS);
    uint8_t before[4096];
    size_t size = pack(&world.lead, before);
    world.offset = 1;
    cr_assert_eq(visit_as("c", MONDAY_MS + DAY_MS), BATON_ALREADY_APPLIED);
    lead_is(before, size);
    cr_assert_eq(world_count(&world, rule), 2);
    world.offset = 2;
    cr_assert_eq(visit_as("c", MONDAY_MS + DAY_MS), BATON_FOLDED);
}

Test(fold, gaps_between_offsets_do_not_matter)
{
    visit_as("a", MONDAY_MS);
    world.offset = 1000;
    cr_assert_eq(visit_as("b", MONDAY_MS), BATON_FOLDED);
    cr_assert_eq(world.lead.applied, 1001);
}

Test(fold, an_event_seen_among_the_last_eight_changes_nothing)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 1});
    visit_as("a", MONDAY_MS);
    visit_as("b", MONDAY_MS);
    uint8_t before[4096];
    size_t size = pack(&world.lead, before);
    struct baton_profile_update update = {
        .field = BATON_NAME, .value = TEXT("x"), .folded = TEXT("x")};
    struct baton_event again = {.kind = BATON_FORM_FILL,
                                .event_id = TEXT("a"),
                                .time_ms = MONDAY_MS + DAY_MS,
                                .fields[BATON_CHANNEL] = TEXT("ads"),
                                .updates = &update,
                                .update_count = 1};
    cr_assert_eq(world_fold(&world, again), BATON_DUPLICATE);
    cr_assert_eq(world.result.transition_count, 0);
    lead_is(before, size);
}

Test(fold, the_ring_holds_eight_ids)
{
    char id[8];
    for (int i = 0; i < 9; i++) {
        snprintf(id, sizeof id, "e%d", i);
        cr_assert_eq(visit_as(id, MONDAY_MS), BATON_FOLDED);
    }
    for (int i = 8; i >= 1; i--) {
        snprintf(id, sizeof id, "e%d", i);
        cr_assert_eq(visit_as(id, MONDAY_MS), BATON_DUPLICATE);
    }
    cr_assert_eq(visit_as("e0", MONDAY_MS), BATON_FOLDED, "the ninth oldest has left");
}

Test(fold, a_duplicate_does_not_refresh_the_ring)
{
    visit_as("a", MONDAY_MS);
    char id[8];
    for (int i = 0; i < 8; i++) {
        snprintf(id, sizeof id, "e%d", i);
        visit_as(id, MONDAY_MS);
        cr_assert_eq(visit_as("a", MONDAY_MS), i < 7 ? BATON_DUPLICATE : BATON_FOLDED);
    }
}

Test(fold, every_kind_enters_the_ring_even_without_a_rule)
{
    world_fold(&world, (struct baton_event){
                           .kind = BATON_PROFILE, .event_id = TEXT("p"), .time_ms = MONDAY_MS});
    cr_assert_eq(visit_as("p", MONDAY_MS), BATON_DUPLICATE);
}

Test(fold, ids_are_bytes)
{
    visit_as("a", MONDAY_MS);
    cr_assert_eq(visit_as("A", MONDAY_MS), BATON_FOLDED);
    cr_assert_eq(visit_as("a ", MONDAY_MS), BATON_FOLDED);
    char longest[2][BATON_ID_MAX];
    memset(longest, 'x', sizeof longest);
    longest[1][BATON_ID_MAX - 1] = 'y';
    for (int i = 0; i < 2; i++) {
        struct baton_event event = {
            .kind = BATON_VISIT, .event_id = {longest[i], BATON_ID_MAX}, .time_ms = MONDAY_MS};
        cr_assert_eq(world_fold(&world, event), BATON_FOLDED);
        cr_assert_eq(world_fold(&world, event), BATON_DUPLICATE);
    }
}

Test(fold, newest_is_the_greatest_event_time)
{
    visit_as("a", MONDAY_MS);
    visit_as("b", MONDAY_MS + 10);
    visit_as("c", MONDAY_MS + 5);
    cr_assert_eq(world.lead.newest_ms, MONDAY_MS + 10);
    cr_assert_eq(world.lead.events, 3);
}

Test(fold, the_first_and_the_last_time_can_be_folded)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT,
                                                     .cap_times = 9,
                                                     .cap_period = BATON_PER_DAY,
                                                     .half_life_ms = 1});
    cr_assert_eq(visit_as("a", 0), BATON_FOLDED);
    cr_assert_eq(visit_as("b", BATON_TIME_MAX_MS), BATON_FOLDED);
    cr_assert_eq(visit_as("c", BATON_TIME_MAX_MS - DAY_MS), BATON_FOLDED);
    cr_assert_eq(world_count(&world, 0), 3);
}

Test(fold, a_rule_is_hit_by_its_kind_and_where_only)
{
    struct baton_text pricing = TEXT("/pricing");
    uint16_t rule =
        world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT,
                                                         .where = {.match = BATON_MATCH_EQUAL,
                                                                   .field = BATON_PAGE,
                                                                   .texts = &pricing,
                                                                   .text_count = 1}});
    struct baton_event event = {
        .kind = BATON_CLICK, .time_ms = MONDAY_MS, .fields[BATON_PAGE] = pricing};
    world_fold(&world, event);
    cr_assert_eq(world.lead.tally_count, 0);
    event.kind = BATON_VISIT;
    world_fold(&world, event);
    event.fields[BATON_PAGE] = TEXT("/docs");
    world_fold(&world, event);
    cr_assert_eq(world_count(&world, rule), 1);
}

Test(fold, every_matching_rule_counts)
{
    for (int i = 0; i < 20; i++)
        world_rule(&world, (struct baton_behaviour_rule){.kind = i % 2 ? BATON_CLICK : BATON_VISIT,
                                                         .points = i});
    visit_as("a", MONDAY_MS);
    cr_assert_eq(world.lead.tally_count, 10);
    cr_assert_eq(world.score.behaviour, HUNDRED(90));
}

/* Rules without at_most and half_life, and the profile, do not depend on the order of arrival. */
static void unordered_agreement(struct world *in)
{
    static struct baton_text a = TEXT("a"), b = TEXT("b*");
    world_init(in);
    in->context.gates_closed = true;
    in->agreement.touches = 0;
    world_rule(in, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 3});
    world_rule(in, (struct baton_behaviour_rule){.kind = BATON_VISIT,
                                                 .points = -2,
                                                 .where = {.match = BATON_MATCH_EQUAL,
                                                           .field = BATON_PAGE,
                                                           .texts = &a,
                                                           .text_count = 1}});
    world_rule(in, (struct baton_behaviour_rule){.kind = BATON_CLICK,
                                                 .points = 7,
                                                 .where = {.match = BATON_MATCH_GLOB,
                                                           .field = BATON_CHANNEL,
                                                           .texts = &b,
                                                           .text_count = 1}});
    world_fit(in, 11,
              (struct baton_condition){
                  .match = BATON_MATCH_GLOB, .field = BATON_NAME, .texts = &b, .text_count = 1});
    world_fit(in, 5,
              (struct baton_condition){
                  .match = BATON_MATCH_KNOWN, .field = BATON_COUNTRY, .negate = true});
}

#define EVENTS 40
static const char *const some_texts[] = {"", "a", "b", "bb", "c"};

static struct baton_event random_event(uint64_t *seed, int number,
                                       struct baton_profile_update *update)
{
    static char ids[EVENTS][8];
    snprintf(ids[number], sizeof ids[number], "e%d", number);
    struct baton_event event = {.kind = (enum baton_event_kind)below(seed, BATON_PROFILE + 1),
                                .event_id = text_of(ids[number]),
                                .time_ms = MONDAY_MS + number * 1000 + (int64_t)below(seed, 1000)};
    event.fields[BATON_PAGE] = text_of(some_texts[below(seed, 5)]);
    event.fields[BATON_CHANNEL] = text_of(some_texts[below(seed, 5)]);
    *update = (struct baton_profile_update){.field = below(seed, 2) ? BATON_NAME : BATON_COUNTRY};
    update->value = update->folded = text_of(some_texts[below(seed, 5)]);
    event.updates = update;
    event.update_count = 1;
    return event;
}

static void fold_in_order(struct world *in, const struct baton_event *events, const int *order)
{
    unordered_agreement(in);
    for (int i = 0; i < EVENTS; i++)
        cr_assert_eq(world_fold(in, events[order[i]]), BATON_FOLDED);
}

static void same_but_for_order(const struct world *a, const struct world *b)
{
    cr_assert_eq(memcmp(&a->score, &b->score, sizeof a->score), 0);
    cr_assert_eq(a->lead.newest_ms, b->lead.newest_ms);
    cr_assert_eq(a->lead.conversions, b->lead.conversions);
    cr_assert_eq(a->lead.first_channel_ms, b->lead.first_channel_ms);
    cr_assert_eq(a->lead.last_channel_ms, b->lead.last_channel_ms);
    for (uint16_t rule = 0; rule < a->agreement.behaviour_count; rule++)
        cr_assert_eq(world_count(a, rule), world_count(b, rule));
    cr_assert_eq(a->lead.profile_count, b->lead.profile_count);
    for (uint16_t i = 0; i < a->lead.profile_count; i++) {
        cr_assert_eq(a->lead.profile[i].field, b->lead.profile[i].field);
        cr_assert_eq(a->lead.profile[i].time_ms, b->lead.profile[i].time_ms);
        cr_assert_eq(a->lead.profile[i].value.size, b->lead.profile[i].value.size);
    }
}

Test(fold, the_order_of_arrival_does_not_matter_without_caps_and_half_lives)
{
    static struct world one, other;
    uint64_t seed = 11;
    for (int round = 0; round < 100; round++) {
        struct baton_event events[EVENTS];
        struct baton_profile_update updates[EVENTS];
        int order[EVENTS];
        for (int i = 0; i < EVENTS; i++) {
            events[i] = random_event(&seed, i, &updates[i]);
            order[i] = i;
        }
        fold_in_order(&one, events, order);
        for (int i = EVENTS - 1; i > 0; i--) {
            int j = (int)below(&seed, (uint64_t)i + 1), kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
        fold_in_order(&other, events, order);
        same_but_for_order(&one, &other);
        world_fini(&one);
        world_fini(&other);
    }
}

Test(fold, folding_twice_gives_the_same_bytes)
{
    static struct world one;
    static uint8_t first[8192], second[8192];
    size_t sizes[2];
    for (int run = 0; run < 2; run++) {
        uint64_t seed = 5;
        unordered_agreement(&one);
        one.agreement.touches = 8;
        one.context.gates_closed = false;
        one.agreement.mql.score = 20;
        for (int i = 0; i < EVENTS; i++) {
            struct baton_profile_update update;
            struct baton_event event = random_event(&seed, i, &update);
            world_fold(&one, event);
        }
        sizes[run] = pack(&one.lead, run ? second : first);
        world_fini(&one);
    }
    cr_assert_eq(sizes[0], sizes[1]);
    cr_assert_eq(memcmp(first, second, sizes[0]), 0);
}

Test(fold, without_memory_it_says_so_and_the_lead_can_still_be_dropped)
{
    static struct world one;
    unsigned short_of_memory = 0;
    for (long left = 0; left < 60; left++) {
        uint64_t seed = 9;
        unordered_agreement(&one);
        one.agreement.touches = 8;
        one.memory.left = left;
        for (int i = 0; i < EVENTS; i++) {
            struct baton_profile_update update;
            struct baton_event event = random_event(&seed, i, &update);
            int64_t applied = one.lead.applied;
            if (world_fold(&one, event) == BATON_FOLDED)
                continue;
            cr_assert_eq(one.result.outcome, BATON_OUT_OF_MEMORY);
            cr_assert_eq(one.lead.applied, applied);
            cr_assert_eq(one.result.transition_count, 0);
            short_of_memory++;
            break;
        }
        one.memory.left = -1;
        world_fini(&one);
    }
    cr_assert_gt(short_of_memory, 10);
}
