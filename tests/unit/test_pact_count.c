#include "domain_support.h"
#include "pact/count.h"

#define DAY ((int32_t)(MONDAY_MS / DAY_MS))

static struct world world;
static struct baton_pact pact;
static struct counters *counters;
static uint16_t first_hits[BATON_RULES_MAX];
static bool counted;
static int64_t clock_ms;

/* Rule 0 `form`: 50 points for a form; rule 1 `visits`: 5 points for a visit; `fit`: for a segment.
 */
static void start(void)
{
    static struct baton_text bank = {"bank", 4};
    world_init(&world);
    world_rule(&world, (struct baton_behaviour_rule){
                           .id = TEXT("form"), .kind = BATON_FORM_FILL, .points = 50});
    world_rule(&world, (struct baton_behaviour_rule){
                           .id = TEXT("visits"), .kind = BATON_VISIT, .points = 5});
    world_fit(
        &world, 1,
        (struct baton_condition){
            .match = BATON_MATCH_EQUAL, .field = BATON_SEGMENT, .texts = &bank, .text_count = 1});
    world.agreement.mql.score = 10;
    world.agreement.sql.score = 50;
    world.agreement.pact = &pact;
    world.context.first_hits = first_hits;
    counters = counters_create();
    counted = true;
    clock_ms = MONDAY_MS;
}

static void end(void)
{
    counters_destroy(counters);
    world_fini(&world);
}

TestSuite(count, .init = start, .fini = end);

static void folds(struct baton_event event)
{
    (void)world_fold(&world, event);
    struct pact_fold fold = {.agreement = &world.agreement,
                             .lead = &world.lead,
                             .event = &event,
                             .result = &world.result,
                             .first_hits = first_hits,
                             .words = &world.words,
                             .clock_ms = clock_ms,
                             .counted = counted};
    count_fold(counters, &fold);
}

static void happens(enum baton_event_kind kind, int64_t time_ms)
{
    folds((struct baton_event){.kind = kind, .time_ms = time_ms});
}

static void touches(enum baton_event_kind kind, int64_t time_ms, const char *channel,
                    const char *campaign)
{
    struct baton_event event = {.kind = kind, .time_ms = time_ms};
    event.fields[BATON_CHANNEL] = text_of(channel);
    event.fields[BATON_CAMPAIGN] = text_of(campaign);
    event.fields[BATON_PAGE] = text_of(campaign[0] ? "/offer" : "/");
    folds(event);
}

static void says(struct baton_feedback feedback, int64_t time_ms)
{
    if (!feedback.at_ms)
        feedback.at_ms = time_ms;
    folds((struct baton_event){.kind = BATON_FEEDBACK, .time_ms = time_ms, .feedback = &feedback});
}

static void reports(enum baton_report report, int64_t time_ms)
{
    says((struct baton_feedback){.report = report}, time_ms);
}

static void profile(enum baton_profile_field field, const char *value, int64_t time_ms)
{
    struct baton_profile_update update = {
        .field = field, .value = text_of(value), .folded = text_of(value)};
    folds((struct baton_event){
        .kind = BATON_PROFILE, .time_ms = time_ms, .updates = &update, .update_count = 1});
}

static uint32_t word(const char *text)
{
    if (!text)
        return 0;
    for (uint32_t id = 2; id < world.words.count; id++)
        if (word_is(&world, id, text))
            return id;
    return UINT32_MAX;
}

static int64_t on(int32_t day, enum pact_measure measure, enum pact_dimension dimension,
                  const char *value, uint32_t second)
{
    return counters_get(counters, day, measure, dimension, word(value), second);
}

static int64_t all(enum pact_measure measure)
{
    return on(DAY, measure, PACT_ALL, NULL, 0);
}

static int64_t by(enum pact_measure measure, enum pact_dimension dimension, const char *value)
{
    return on(DAY, measure, dimension, value, 0);
}

static void promote(void)
{
    happens(BATON_FORM_FILL, MONDAY_MS);
    cr_assert_eq(world.lead.stage, BATON_SQL);
}

Test(count, a_lead_is_counted_at_its_first_event)
{
    happens(BATON_VISIT, MONDAY_MS);
    cr_assert_eq(all(PACT_LEADS), 1);
    happens(BATON_VISIT, MONDAY_MS + 1);
    folds((struct baton_event){.kind = BATON_VISIT, .time_ms = 1, .event_id = TEXT("e1")});
    cr_assert_eq(world.result.outcome, BATON_DUPLICATE);
    cr_assert_eq(all(PACT_LEADS), 1);
}

Test(count, forms_and_clicks_of_mails_are_counted)
{
    happens(BATON_EMAIL_CLICKED, MONDAY_MS);
    happens(BATON_EMAIL_CLICKED, MONDAY_MS);
    happens(BATON_EMAIL_OPENED, MONDAY_MS);
    happens(BATON_FORM_FILL, MONDAY_MS);
    cr_assert_eq(all(PACT_EMAIL_CLICKED), 2);
    cr_assert_eq(all(PACT_FORMS), 1);
}

Test(count, a_day_is_a_local_date_of_the_event)
{
    world.zone[0].offset_s = -3 * 3600;
    happens(BATON_VISIT, MONDAY_MS + 2 * HOUR_MS);
    cr_assert_eq(on(DAY - 1, PACT_LEADS, PACT_ALL, NULL, 0), 1);
    cr_assert_eq(all(PACT_LEADS), 0);
}

Test(count, each_stage_is_counted_where_it_is_entered)
{
    promote();
    cr_assert_eq(all(PACT_MQL), 1);
    cr_assert_eq(all(PACT_SQL), 1);
    reports(BATON_REPORT_ACCEPTED, MONDAY_MS + DAY_MS);
    cr_assert_eq(all(PACT_ACCEPTED), 0);
    cr_assert_eq(on(DAY + 1, PACT_ACCEPTED, PACT_ALL, NULL, 0), 1);
    reports(BATON_REPORT_REJECTED, MONDAY_MS);
    cr_assert_eq(all(PACT_REJECTED), 1);
    cr_assert_eq(all(PACT_LOST), 1);
    world.agreement.recycle_after_ms = DAY_MS;
    happens(BATON_RECHECK, MONDAY_MS + 3 * DAY_MS);
    cr_assert_eq(on(DAY + 3, PACT_RECYCLED, PACT_ALL, NULL, 0), 1);
}

Test(count, a_customer_has_been_accepted)
{
    promote();
    reports(BATON_REPORT_CUSTOMER, MONDAY_MS + DAY_MS);
    cr_assert_eq(on(DAY + 1, PACT_ACCEPTED, PACT_ALL, NULL, 0), 1);
    cr_assert_eq(on(DAY + 1, PACT_ACCEPTED, PACT_SELLER, NULL, 0), 1);
    cr_assert_eq(on(DAY + 1, PACT_CUSTOMER, PACT_ALL, NULL, 0), 1);
    cr_assert_eq(on(DAY + 1, PACT_CUSTOMER, PACT_SEGMENT, NULL, 0),
                 on(DAY + 1, PACT_ACCEPTED, PACT_SEGMENT, NULL, 0));
}

Test(count, who_said_accepted_before_is_accepted_once)
{
    promote();
    reports(BATON_REPORT_ACCEPTED, MONDAY_MS);
    reports(BATON_REPORT_CUSTOMER, MONDAY_MS);
    cr_assert_eq(all(PACT_ACCEPTED), 1);
    cr_assert_eq(all(PACT_CUSTOMER), 1);
}

Test(count, a_stage_is_counted_by_first_and_last_channel_and_campaign)
{
    touches(BATON_VISIT, MONDAY_MS, "search", "spring");
    touches(BATON_VISIT, MONDAY_MS + 2, "mail", "");
    touches(BATON_FORM_FILL, MONDAY_MS + 1, "ads", "autumn");
    cr_assert_eq(by(PACT_SQL, PACT_CHANNEL_FIRST, "search"), 1);
    cr_assert_eq(by(PACT_SQL, PACT_CHANNEL_LAST, "mail"), 1);
    cr_assert_eq(by(PACT_SQL, PACT_CAMPAIGN_FIRST, "spring"), 1);
    cr_assert_eq(by(PACT_SQL, PACT_CAMPAIGN_LAST, "autumn"), 1, "the newest that has one");
    cr_assert_eq(by(PACT_SQL, PACT_CAMPAIGN_LINEAR, "spring"), 500000);
    cr_assert_eq(by(PACT_SQL, PACT_CAMPAIGN_LINEAR, "autumn"), 500000);
}

Test(count, linear_shares_add_up_and_the_newest_takes_what_is_over)
{
    touches(BATON_VISIT, MONDAY_MS, "search", "");
    touches(BATON_VISIT, MONDAY_MS + 1, "mail", "");
    touches(BATON_FORM_FILL, MONDAY_MS + 2, "ads", "");
    cr_assert_eq(by(PACT_SQL, PACT_CHANNEL_LINEAR, "search"), 333333);
    cr_assert_eq(by(PACT_SQL, PACT_CHANNEL_LINEAR, "mail"), 333333);
    cr_assert_eq(by(PACT_SQL, PACT_CHANNEL_LINEAR, "ads"), 333334);
    cr_assert_eq(by(PACT_SQL, PACT_CAMPAIGN_LINEAR, NULL), PACT_SHARE, "no campaign is known");
    cr_assert_eq(by(PACT_SQL, PACT_CAMPAIGN_FIRST, NULL), 1);
}

Test(count, a_stage_is_counted_by_segment_and_sector)
{
    profile(BATON_SEGMENT, "bank", MONDAY_MS);
    promote();
    cr_assert_eq(by(PACT_SQL, PACT_SEGMENT, "bank"), 1);
    cr_assert_eq(by(PACT_SQL, PACT_SECTOR, NULL), 1, "none is known");
}

Test(count, rules_are_counted_by_leads_promotions_and_outcomes)
{
    profile(BATON_SEGMENT, "bank", MONDAY_MS);
    happens(BATON_VISIT, MONDAY_MS);
    happens(BATON_VISIT, MONDAY_MS);
    cr_assert_eq(by(PACT_RULE_LEADS, PACT_RULE, "visits"), 1);
    cr_assert_eq(by(PACT_RULE_LEADS, PACT_RULE, "form"), 0);
    promote();
    cr_assert_eq(by(PACT_RULE_LEADS, PACT_RULE, "form"), 1);
    cr_assert_eq(by(PACT_RULE_SQL, PACT_RULE, "visits"), 1);
    cr_assert_eq(by(PACT_RULE_SQL, PACT_RULE, "form"), 1);
    cr_assert_eq(by(PACT_RULE_SQL, PACT_RULE, "fit"), 1);
    reports(BATON_REPORT_CUSTOMER, MONDAY_MS);
    cr_assert_eq(by(PACT_RULE_WON, PACT_RULE, "fit"), 1);
    cr_assert_eq(by(PACT_RULE_WON, PACT_RULE, "visits"), 1);
    cr_assert_eq(by(PACT_RULE_LOST, PACT_RULE, "visits"), 0);
}

Test(count, a_report_counts_once_in_a_generation)
{
    promote();
    for (int i = 0; i < 2; i++) {
        says((struct baton_feedback){.report = BATON_REPORT_MEETING, .seller = TEXT("ana")},
             MONDAY_MS);
        reports(BATON_REPORT_ASSIGNED, MONDAY_MS);
    }
    cr_assert_eq(all(PACT_MEETING), 1);
    cr_assert_eq(by(PACT_MEETING, PACT_SELLER, "ana"), 1);
    cr_assert_eq(all(PACT_ASSIGNED), 1);
    world.agreement.recycle_after_ms = DAY_MS;
    reports(BATON_REPORT_REJECTED, MONDAY_MS);
    happens(BATON_FORM_FILL, MONDAY_MS + 2 * DAY_MS);
    cr_assert(world.lead.stage == BATON_SQL && world.lead.generation == 2);
    reports(BATON_REPORT_MEETING, MONDAY_MS);
    cr_assert_eq(all(PACT_MEETING), 2);
}

Test(count, a_report_that_is_ignored_counts_nothing)
{
    happens(BATON_VISIT, MONDAY_MS);
    reports(BATON_REPORT_MEETING, MONDAY_MS);
    cr_assert_eq(world.result.notice, BATON_IGNORED);
    cr_assert_eq(all(PACT_MEETING), 0);
}

Test(count, sellers_have_what_became_of_their_leads)
{
    promote();
    says((struct baton_feedback){.report = BATON_REPORT_ACCEPTED, .seller = TEXT("ana")},
         MONDAY_MS);
    says((struct baton_feedback){.report = BATON_REPORT_CUSTOMER, .seller = TEXT("bea")},
         MONDAY_MS);
    cr_assert_eq(by(PACT_ACCEPTED, PACT_SELLER, "ana"), 1);
    cr_assert_eq(by(PACT_CUSTOMER, PACT_SELLER, "bea"), 1);
    cr_assert_eq(by(PACT_WON, PACT_SELLER, "bea"), 1);
    cr_assert_eq(by(PACT_SQL, PACT_SELLER, NULL), 0, "nobody's yet");
}

Test(count, a_rejection_has_its_reason_though_the_lead_comes_back_at_once)
{
    promote();
    world.agreement.recycle_after_ms = 1;
    happens(BATON_FORM_FILL, MONDAY_MS + DAY_MS);
    says((struct baton_feedback){.report = BATON_REPORT_REJECTED, .reason = TEXT("no budget")},
         MONDAY_MS);
    cr_assert_eq(world.lead.generation, 2);
    cr_assert_eq(by(PACT_REJECTED, PACT_REASON, "no budget"), 1);
    cr_assert_eq(all(PACT_RECYCLED), 1);
    cr_assert_eq(all(PACT_LOST), 1);
}

Test(count, who_churns_was_won_before)
{
    promote();
    reports(BATON_REPORT_CUSTOMER, MONDAY_MS);
    reports(BATON_REPORT_CHURNED, MONDAY_MS);
    cr_assert_eq(all(PACT_WON), 1);
    cr_assert_eq(all(PACT_CHURNED), 1);
    cr_assert_eq(by(PACT_REJECTED, PACT_REASON, "churned"), 1);
    cr_assert_eq(all(PACT_LOST), 0);
}

Test(count, a_customer_brings_revenue_by_currency)
{
    touches(BATON_VISIT, MONDAY_MS, "search", "");
    touches(BATON_VISIT, MONDAY_MS + 1, "mail", "");
    touches(BATON_FORM_FILL, MONDAY_MS + 2, "ads", "");
    says((struct baton_feedback){.report = BATON_REPORT_PROPOSAL,
                                 .has_deal = true,
                                 .deal = 100001,
                                 .currency = TEXT("EUR")},
         MONDAY_MS);
    cr_assert_eq(on(DAY, PACT_REVENUE, PACT_ALL, NULL, word("EUR")), 0);
    reports(BATON_REPORT_CUSTOMER, MONDAY_MS);
    cr_assert_eq(on(DAY, PACT_REVENUE, PACT_ALL, NULL, word("EUR")), 100001);
    cr_assert_eq(on(DAY, PACT_REVENUE, PACT_CHANNEL_FIRST, "search", word("EUR")), 100001);
    cr_assert_eq(on(DAY, PACT_REVENUE, PACT_CHANNEL_LINEAR, "search", word("EUR")), 33333);
    cr_assert_eq(on(DAY, PACT_REVENUE, PACT_CHANNEL_LINEAR, "ads", word("EUR")), 33335);
}

Test(count, a_deal_of_no_currency_is_no_revenue)
{
    promote();
    says((struct baton_feedback){.report = BATON_REPORT_PROPOSAL, .has_deal = true, .deal = 100001},
         MONDAY_MS);
    reports(BATON_REPORT_CUSTOMER, MONDAY_MS);
    cr_assert_eq(on(DAY, PACT_REVENUE, PACT_ALL, NULL, 0), 0);
    cr_assert_eq(on(DAY, PACT_CUSTOMER, PACT_ALL, NULL, 0), 1);
}

Test(count, days_are_whole_ones_since_the_promotion)
{
    promote();
    says((struct baton_feedback){.report = BATON_REPORT_CONTACTED,
                                 .at_ms = MONDAY_MS + 2 * DAY_MS - 1},
         MONDAY_MS + 5 * DAY_MS);
    cr_assert_eq(on(DAY + 5, PACT_DAYS_CONTACT, PACT_ALL, NULL, 1), 1);
    reports(BATON_REPORT_MEETING, MONDAY_MS + 5 * DAY_MS);
    cr_assert_eq(on(DAY + 5, PACT_DAYS_CONTACT, PACT_ALL, NULL, 5), 0, "once");
    says((struct baton_feedback){.report = BATON_REPORT_PROPOSAL, .at_ms = MONDAY_MS + 99 * DAY_MS},
         MONDAY_MS + 6 * DAY_MS);
    cr_assert_eq(on(DAY + 6, PACT_DAYS_PROPOSAL, PACT_SEGMENT, NULL, 6), 1,
                 "nothing happens after it was reported");
    says((struct baton_feedback){.report = BATON_REPORT_CUSTOMER}, MONDAY_MS + 900 * DAY_MS);
    cr_assert_eq(on(DAY + 900, PACT_DAYS_CUSTOMER, PACT_ALL, NULL, 400), 1);
    cr_assert_eq(on(DAY, PACT_COHORT_CUSTOMER, PACT_ALL, NULL, 400), 1, "on the day of the SQL");
}

Test(count, obstacles_meet_the_newest_touch)
{
    touches(BATON_FORM_FILL, MONDAY_MS, "ads", "");
    touches(BATON_VISIT, MONDAY_MS + 1, "ads", "spring");
    says((struct baton_feedback){.report = BATON_REPORT_MEETING, .obstacle = TEXT("price")},
         MONDAY_MS);
    uint32_t price = word("price");
    cr_assert_eq(on(DAY, PACT_OBSTACLE, PACT_BY_PAGE, "/offer", price), 1);
    cr_assert_eq(on(DAY, PACT_OBSTACLE, PACT_BY_CAMPAIGN, "spring", price), 1);
    cr_assert_eq(on(DAY, PACT_OBSTACLE, PACT_ALL, NULL, price), 1);
}

Test(count, a_stage_that_was_taken_over_counts_nowhere)
{
    struct baton_lead lead;
    baton_lead_init(&lead);
    struct baton_event event = {.kind = BATON_TRANSFER, .time_ms = MONDAY_MS};
    struct baton_fold_result result = {.outcome = BATON_FOLDED, .transition_count = 1};
    result.transitions[0] =
        (struct baton_transition){.to = BATON_SQL, .generation = 1, .adopted = true};
    lead.events = 1;
    struct pact_fold fold = {.agreement = &world.agreement,
                             .lead = &lead,
                             .event = &event,
                             .result = &result,
                             .words = &world.words,
                             .counted = true};
    count_fold(counters, &fold);
    int32_t days[PACT_DAYS_MAX];
    cr_assert_eq(counters_days(counters, days), 0);
    result.transitions[0].adopted = false;
    count_fold(counters, &fold);
    cr_assert_eq(all(PACT_SQL), 1);
    cr_assert_eq(all(PACT_LEADS), 0, "it was counted as another one");
}

/* What was counted already leaves the counters alone, and asks for the same words. */
Test(count, what_is_counted_already_asks_for_its_words)
{
    for (int turn = 0; turn < 2; turn++) {
        counted = turn == 1;
        profile(BATON_SEGMENT, "bank", MONDAY_MS);
        profile(BATON_SECTOR, "money", MONDAY_MS);
        touches(BATON_FORM_FILL, MONDAY_MS, "ads", "spring");
        says((struct baton_feedback){.report = BATON_REPORT_CUSTOMER, .obstacle = TEXT("price")},
             MONDAY_MS);
        int32_t days[PACT_DAYS_MAX];
        cr_assert_eq(counters_days(counters, days), (size_t)turn);
        static const char *const texts[] = {"ads",   "spring", "form", "bank",
                                            "money", "fit",    "price"};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            cr_assert_neq(word(texts[i]), UINT32_MAX, "%s", texts[i]);
        baton_lead_fini(&world.lead, &world.allocator);
        baton_lead_init(&world.lead);
        baton_words_fini(&world.words);
    }
}

/* ---- Clocks ---------------------------------------------------------------------------------- */

static const struct baton_clock running = {.start_ms = MONDAY_MS, .due_ms = MONDAY_MS + DAY_MS};

static void moves(struct baton_clock before, struct baton_clock after, int64_t before_ms,
                  int64_t after_ms)
{
    struct baton_clock_move move = {.id = BATON_CLOCK_VERDICT,
                                    .before = before,
                                    .after = after,
                                    .seller_before = 5,
                                    .seller_after = 6};
    count_clock(counters, &world.agreement, &move, before_ms, after_ms);
}

static struct baton_clock stopped(int64_t stop_ms)
{
    struct baton_clock clock = running;
    clock.stop_ms = stop_ms;
    return clock;
}

static void clocks_are(int64_t kept, int64_t broken, uint32_t seller)
{
    cr_assert_eq(on(DAY + 1, PACT_KEPT, PACT_ALL, NULL, BATON_CLOCK_VERDICT), kept);
    cr_assert_eq(on(DAY + 1, PACT_BROKEN, PACT_ALL, NULL, BATON_CLOCK_VERDICT), broken);
    int64_t of_seller = counters_get(counters, DAY + 1, kept ? PACT_KEPT : PACT_BROKEN, PACT_SELLER,
                                     seller, BATON_CLOCK_VERDICT);
    cr_assert_eq(of_seller, kept + broken);
}

Test(count, a_clock_counts_on_the_day_on_which_it_is_due)
{
    moves(running, running, MONDAY_MS, MONDAY_MS + DAY_MS - 1);
    clocks_are(0, 0, 6);
    moves(running, running, MONDAY_MS + DAY_MS - 1, MONDAY_MS + DAY_MS);
    clocks_are(0, 1, 6);
}

Test(count, a_late_report_keeps_what_was_broken)
{
    int64_t now_ms = MONDAY_MS + 5 * DAY_MS;
    moves(running, running, MONDAY_MS, now_ms);
    clocks_are(0, 1, 6);
    struct baton_clock_move move = {.id = BATON_CLOCK_VERDICT,
                                    .before = running,
                                    .after = stopped(MONDAY_MS + DAY_MS),
                                    .seller_before = 6,
                                    .seller_after = 7};
    count_clock(counters, &world.agreement, &move, now_ms, now_ms);
    clocks_are(1, 0, 7);
    cr_assert_eq(counters_get(counters, DAY + 1, PACT_BROKEN, PACT_SELLER, 6, 1), 0);
}

Test(count, a_clock_that_is_gone_stays_counted)
{
    moves(running, stopped(MONDAY_MS), MONDAY_MS, MONDAY_MS);
    clocks_are(1, 0, 6);
    moves(stopped(MONDAY_MS), (struct baton_clock){0}, MONDAY_MS, MONDAY_MS);
    clocks_are(1, 0, 6);
}

static void ends(int64_t clock_at_ms, int64_t arrived_ms)
{
    struct baton_event event = {.kind = BATON_MERGE, .time_ms = MONDAY_MS};
    struct baton_fold_result result = {.outcome = BATON_FOLDED, .clock_move_count = 1};
    result.clock_moves[0] = (struct baton_clock_move){.id = BATON_CLOCK_VERDICT,
                                                      .before = running,
                                                      .seller_before = 6,
                                                      .seller_after = 6,
                                                      .ended = true};
    struct pact_fold fold = {.agreement = &world.agreement,
                             .lead = &world.lead,
                             .event = &event,
                             .result = &result,
                             .words = &world.words,
                             .clock_ms = clock_at_ms,
                             .arrived_ms = arrived_ms,
                             .counted = true};
    count_fold(counters, &fold);
}

/* The unit's time was there, or was not: it depends on where its owner died. */
Test(count, a_clock_that_ends_was_broken_if_it_was_due_when_the_event_arrived)
{
    ends(running.due_ms - 1, running.due_ms);
    clocks_are(0, 1, 6);
    moves(running, running, running.due_ms - 1, running.due_ms);
    clocks_are(0, 2, 6);
    ends(running.due_ms, running.due_ms);
    clocks_are(0, 2, 6);
}

Test(count, a_clock_that_ends_before_it_is_due_is_not_counted_any_more)
{
    ends(running.due_ms - 1, running.due_ms - 1);
    clocks_are(0, 0, 6);
    moves(running, running, running.due_ms - 1, running.due_ms);
    clocks_are(0, 1, 6);
    ends(running.due_ms, running.due_ms - 1);
    clocks_are(0, 0, 6);
}

Test(count, a_move_that_says_the_same_again_touches_nothing)
{
    struct baton_clock_move move = {.id = BATON_CLOCK_VERDICT,
                                    .before = stopped(MONDAY_MS + 2),
                                    .after = stopped(MONDAY_MS + 1),
                                    .seller_before = 6,
                                    .seller_after = 6};
    count_clock(counters, &world.agreement, &move, MONDAY_MS, MONDAY_MS);
    cr_assert_eq(counters_dirty(counters, NULL, 0), 0);
}

Test(count, moves_of_a_fold_are_counted_unless_they_were)
{
    struct baton_event event = {.kind = BATON_PUBLISHED, .time_ms = MONDAY_MS};
    struct baton_fold_result result = {.outcome = BATON_FOLDED, .clock_move_count = 1};
    result.clock_moves[0] =
        (struct baton_clock_move){.id = BATON_CLOCK_VERDICT, .after = running, .seller_after = 9};
    struct pact_fold fold = {.agreement = &world.agreement,
                             .lead = &world.lead,
                             .event = &event,
                             .result = &result,
                             .words = &world.words,
                             .clock_ms = running.due_ms};
    count_fold(counters, &fold);
    clocks_are(0, 0, 9);
    fold.counted = true;
    count_fold(counters, &fold);
    clocks_are(0, 1, 9);
}

/* ---- The shadow agreement -------------------------------------------------------------------- */

static void shadow(bool found, bool live, int64_t sql_ms, int64_t live_ms)
{
    struct baton_history history = {.shadow = {.of = 7, .sql_ms = sql_ms, .live_ms = live_ms}};
    struct baton_lead lead;
    baton_lead_init(&lead);
    lead.history = &history;
    lead.events = 9;
    struct baton_event event = {.kind = BATON_VISIT,
                                .time_ms = sql_ms > live_ms ? sql_ms : live_ms};
    struct baton_fold_result result = {
        .outcome = BATON_FOLDED, .transition_count = live, .shadow_sql = found};
    result.transitions[0] = (struct baton_transition){.to = BATON_SQL, .generation = 1};
    struct pact_fold fold = {.agreement = &world.agreement,
                             .lead = &lead,
                             .event = &event,
                             .result = &result,
                             .words = &world.words,
                             .counted = true};
    count_fold(counters, &fold);
}

static void shadows_are(int64_t both, int64_t only, int64_t live_only)
{
    cr_assert_eq(all(PACT_SHADOW_BOTH), both);
    cr_assert_eq(all(PACT_SHADOW_ONLY), only);
    cr_assert_eq(all(PACT_SHADOW_LIVE_ONLY), live_only);
}

static void outcome(bool won, int64_t sql_ms, int64_t live_ms, uint16_t generation,
                    int64_t ended_ms)
{
    struct baton_history history = {.shadow = {.of = 7, .sql_ms = sql_ms, .live_ms = live_ms}};
    if (generation > 1) {
        history.earlier_count = 1;
        history.earlier[0] = (struct baton_earlier){
            .promoted_ms = ended_ms - HOUR_MS, .ended_ms = ended_ms, .generation = 1};
    }
    struct baton_lead lead;
    baton_lead_init(&lead);
    lead.history = &history;
    lead.generation = generation;
    lead.events = 9;
    struct baton_feedback feedback = {.report =
                                          won ? BATON_REPORT_CUSTOMER : BATON_REPORT_REJECTED};
    struct baton_event event = {
        .kind = BATON_FEEDBACK, .time_ms = MONDAY_MS + 3 * DAY_MS, .feedback = &feedback};
    struct baton_fold_result result = {.outcome = BATON_FOLDED, .transition_count = 1};
    result.transitions[0] = (struct baton_transition){
        .from = BATON_SQL, .to = won ? BATON_CUSTOMER : BATON_REJECTED, .generation = generation};
    struct pact_fold fold = {.agreement = &world.agreement,
                             .lead = &lead,
                             .event = &event,
                             .result = &result,
                             .words = &world.words,
                             .counted = true};
    count_fold(counters, &fold);
}

static void outcomes_are(int64_t won, int64_t lost, int64_t live_won, int64_t live_lost)
{
    cr_expect_eq(all(PACT_SHADOW_WON), won);
    cr_expect_eq(all(PACT_SHADOW_LOST), lost);
    cr_expect_eq(all(PACT_SHADOW_LIVE_WON), live_won);
    cr_expect_eq(all(PACT_SHADOW_LIVE_LOST), live_lost);
}

Test(count, outcomes_beside_a_shadow_are_those_of_the_leads_that_are_compared)
{
    outcome(true, 0, 0, 1, 0); /* promoted before the shadow ran */
    outcomes_are(0, 0, 0, 0);
    outcome(true, 0, MONDAY_MS, 1, 0);
    outcomes_are(0, 0, 1, 0);
    outcome(true, MONDAY_MS + DAY_MS, MONDAY_MS, 1, 0);
    outcomes_are(1, 0, 2, 0);
    cr_expect_eq(on(DAY, PACT_SHADOW_LIVE_WON, PACT_ALL, NULL, 0), 2, "where the lead is counted");
    outcome(false, 0, MONDAY_MS, 2, MONDAY_MS + DAY_MS); /* it was lost before */
    outcomes_are(1, 0, 2, 0);
    outcome(false, 0, MONDAY_MS, 2, MONDAY_MS - DAY_MS);
    outcomes_are(1, 0, 2, 1);
}

Test(count, a_promotion_that_both_find_moves_to_both)
{
    shadow(true, false, MONDAY_MS, 0);
    shadows_are(0, 1, 0);
    shadow(false, true, MONDAY_MS, MONDAY_MS + 2 * DAY_MS);
    shadows_are(1, 0, 0);
    cr_assert_eq(on(DAY + 2, PACT_SHADOW_EARLIER_H, PACT_ALL, NULL, 0), 48);
    shadow(false, true, 0, MONDAY_MS);
    shadows_are(1, 0, 1);
    shadow(true, false, MONDAY_MS + HOUR_MS, MONDAY_MS);
    shadows_are(2, 0, 0);
    cr_assert_eq(all(PACT_SHADOW_EARLIER_H), -1);
    shadow(true, true, MONDAY_MS, MONDAY_MS);
    shadows_are(3, 0, 0);
}
