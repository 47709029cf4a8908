#include "domain_support.h"

static struct world world;
static struct baton_fit_rule buyer_fit[2], boss_fit[1];
static struct baton_persona personas[2];

static const struct baton_text head = {"head", 4}, buyer = {"purchaser", 9}, brazil = {"br", 2};

static struct baton_condition contains(enum baton_profile_field field,
                                       const struct baton_text *wanted)
{
    return (struct baton_condition){
        .match = BATON_MATCH_CONTAINS, .field = field, .texts = wanted, .text_count = 1};
}

/* Two kinds of buyers: who purchases has 10 points, and 5 of them only in Brazil; a head has 10. */
static void start(void)
{
    const struct baton_gate open = {
        BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, NULL, 0, NULL, 0};
    world_init(&world);
    buyer_fit[0] = (struct baton_fit_rule){TEXT("buys"), contains(BATON_JOB_TITLE, &buyer), 10};
    buyer_fit[1] = (struct baton_fit_rule){TEXT("near"), contains(BATON_COUNTRY, &brazil), 5};
    boss_fit[0] = (struct baton_fit_rule){TEXT("leads"), contains(BATON_JOB_TITLE, &head), 10};
    personas[0] = (struct baton_persona){
        .id = TEXT("buyer"), .fit = buyer_fit, .fit_count = 2, .mql = open, .sql = open};
    personas[1] = (struct baton_persona){
        .id = TEXT("boss"), .fit = boss_fit, .fit_count = 1, .mql = open, .sql = open};
    world.agreement.personas = personas;
    world.agreement.persona_count = 2;
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(persona, .init = start, .fini = end);

static void title(const char *value)
{
    world_profile(&world, BATON_JOB_TITLE, value, MONDAY_MS + world.offset);
}

Test(persona, a_lead_is_the_one_that_gives_most)
{
    title("Head of Sales");
    cr_assert_eq(world.lead.persona, 2);
    cr_assert_eq(world.score.fit, 1000);
    world_profile(&world, BATON_COUNTRY, "BR", MONDAY_MS + 10);
    cr_assert_eq(world.lead.persona, 2, "five are less than ten");
    title("Purchaser");
    cr_assert_eq(world.lead.persona, 1);
    cr_assert_eq(world.score.fit, 1500);
}

Test(persona, at_a_tie_it_is_the_first)
{
    title("head purchaser");
    cr_assert_eq(world.lead.persona, 1);
    cr_assert_eq(world.score.fit, 1000, "points of one persona only");
}

Test(persona, without_points_it_is_none)
{
    title("Gardener");
    cr_assert_eq(world.lead.persona, 0);
    boss_fit[0].points = 0;
    title("Head");
    cr_assert_eq(world.lead.persona, 0);
    boss_fit[0].points = -10;
    title("head");
    cr_assert_eq(world.lead.persona, 0);
    cr_assert_eq(world.score.fit, 0);
}

Test(persona, its_points_come_on_top_of_the_general_ones_and_within_the_limit)
{
    world_fit(&world, 7, contains(BATON_JOB_TITLE, &head));
    title("Head");
    cr_assert_eq(world.score.fit, 1700);
    world.agreement.limit_fit = 12;
    title("head");
    cr_assert_eq(world.score.fit, 1200);
}

Test(persona, it_has_its_own_gates_in_place_of_the_general_ones)
{
    world.agreement.mql.score = 5;
    world.agreement.sql.score = 50;
    personas[1].has_sql = true;
    personas[1].sql.score = 10;
    title("Purchaser");
    cr_assert_eq(world.lead.stage, BATON_MQL);
    title("Head");
    cr_assert_eq(world.lead.stage, BATON_SQL);
}

Test(persona, its_own_mql_gate_may_be_higher)
{
    world.agreement.mql.score = 5;
    personas[1].has_mql = true;
    personas[1].mql.score = 11;
    title("Head");
    cr_assert_eq(world.lead.stage, BATON_LEAD);
    title("Purchaser");
    cr_assert_eq(world.lead.stage, BATON_MQL);
}

Test(persona, another_agreement_names_another_one)
{
    title("head purchaser");
    world.agreement.persona_count = 0;
    baton_lead_attach(&world.lead, &world.agreement);
    cr_assert_eq(world.lead.persona, 0);
    cr_assert_eq(world.lead.fit_points, 0);
    world.agreement.personas = &personas[1];
    world.agreement.persona_count = 1;
    baton_lead_attach(&world.lead, &world.agreement);
    cr_assert_eq(world.lead.persona, 1);
    cr_assert_eq(world.lead.fit_points, 10);
}

/* ---- Whom a promotion goes to ---------------------------------------------------------------- */

static const struct baton_text names[] = {{"Ana", 3}, {"Bruno", 5}, {"Carla", 5}};

static struct baton_route route(struct baton_condition where, uint16_t number)
{
    return (struct baton_route){.where = where, .persona = number, .to = names, .to_count = 3};
}

Test(persona, the_first_route_that_holds_is_taken)
{
    struct baton_condition any = {.match = BATON_MATCH_ALL};
    struct baton_route routes[] = {route(contains(BATON_COUNTRY, &brazil), 2),
                                   route(contains(BATON_COUNTRY, &brazil), 0), route(any, 2),
                                   route(any, 0)};
    world.agreement.routes = routes;
    world.agreement.route_count = 4;
    cr_assert_eq(baton_route_find(&world.lead, &world.agreement), 3);
    title("Head");
    cr_assert_eq(baton_route_find(&world.lead, &world.agreement), 2);
    world_profile(&world, BATON_COUNTRY, "BR", MONDAY_MS);
    cr_assert_eq(baton_route_find(&world.lead, &world.agreement), 0);
    title("Purchaser");
    cr_assert_eq(baton_route_find(&world.lead, &world.agreement), 1);
    world.agreement.route_count = 1;
    cr_assert_eq(baton_route_find(&world.lead, &world.agreement), -1);
}

Test(persona, names_take_turns_and_units_begin_at_different_ones)
{
    struct baton_route one = route((struct baton_condition){.match = BATON_MATCH_ALL}, 0);
    static const char *const wanted[] = {"Ana", "Bruno", "Carla", "Ana"};
    for (uint64_t turn = 0; turn < 4; turn++)
        cr_assert(text_is(baton_route_name(&one, 0, turn), wanted[turn]));
    cr_assert(text_is(baton_route_name(&one, 1, 0), "Bruno"));
    cr_assert(text_is(baton_route_name(&one, 5, 1), "Ana"));
    cr_assert(text_is(baton_route_name(&one, 2, UINT64_C(1) << 40),
                      wanted[((UINT64_C(1) << 40) + 2) % 3]));
}
