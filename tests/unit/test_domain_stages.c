#include "domain_support.h"

static struct world world;

static void start(void)
{
    world_init(&world);
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_FORM_FILL, .points = 50});
    world.agreement.mql.score = 10;
    world.agreement.sql.score = 50;
}

static void end(void)
{
    world_fini(&world);
}

TestSuite(stages, .init = start, .fini = end);

static void happens(enum baton_event_kind kind, int64_t time_ms)
{
    enum baton_fold_outcome outcome =
        world_fold(&world, (struct baton_event){.kind = kind, .time_ms = time_ms});
    cr_assert(outcome == BATON_FOLDED || (kind == BATON_RECHECK && outcome == BATON_UNCHANGED));
}

static void says(struct baton_feedback feedback, int64_t time_ms)
{
    if (!feedback.at_ms)
        feedback.at_ms = time_ms;
    struct baton_event event = {.kind = BATON_FEEDBACK, .time_ms = time_ms, .feedback = &feedback};
    cr_assert_eq(world_fold(&world, event), BATON_FOLDED);
}

static void reports(enum baton_report report)
{
    says((struct baton_feedback){.report = report}, MONDAY_MS + HOUR_MS);
}

static void adjusts(struct baton_adjustment adjustment, int64_t time_ms)
{
    struct baton_event event = {
        .kind = BATON_ADJUST, .time_ms = time_ms, .adjustment = &adjustment};
    cr_assert_eq(world_fold(&world, event), BATON_FOLDED);
}

static void stands(enum baton_stage stage, uint16_t generation)
{
    cr_assert_eq(world.lead.stage, stage, "stage %s", baton_stage_name(world.lead.stage));
    cr_assert_eq(world.lead.generation, generation, "generation %u", world.lead.generation);
}

static void moved(unsigned index, enum baton_stage from, enum baton_stage to, uint16_t generation)
{
    cr_assert_lt(index, world.result.transition_count);
    const struct baton_transition *transition = &world.result.transitions[index];
    cr_assert(transition->from == from && transition->to == to &&
                  transition->generation == generation,
              "%s to %s in %u", baton_stage_name(transition->from),
              baton_stage_name(transition->to), transition->generation);
}

static void ignored(const char *why)
{
    cr_assert_eq(world.result.transition_count, 0);
    cr_assert_eq(world.result.notice, BATON_IGNORED);
    cr_assert(strstr(world.result.why, why), "%s", world.result.why);
}

static void promote(void)
{
    happens(BATON_FORM_FILL, MONDAY_MS);
    stands(BATON_SQL, 1);
}

/* ---- The table ------------------------------------------------------------------------------- */

Test(stages, the_table_of_transitions_is_this)
{
    /* by report, from assigned on: the stage from then on in its letter, - where it is refused */
    static const char *const rows[BATON_STAGES] = {
        [BATON_LEAD] = "---------",     [BATON_MQL] = "---------",
        [BATON_SQL] = "ssssaacr-",      [BATON_ACCEPTED] = "aaaa-acr-",
        [BATON_CUSTOMER] = "--------r", [BATON_REJECTED] = "---------",
        [BATON_RECYCLED] = "---------"};
    static const char letters[BATON_STAGES] = "lmsacry";
    for (int stage = 0; stage < BATON_STAGES; stage++)
        for (int report = BATON_REPORT_ASSIGNED; report < BATON_REPORTS; report++) {
            struct baton_ruling ruling =
                baton_rule_report((enum baton_stage)stage, (enum baton_report)report);
            char found = ruling.allowed ? letters[ruling.stage] : '-';
            cr_expect_eq(found, rows[stage][report - 1], "%s at %s: %c",
                         baton_report_name((enum baton_report)report),
                         baton_stage_name((enum baton_stage)stage), found);
            cr_expect_eq(ruling.allowed, ruling.why == NULL);
        }
}

Test(stages, a_report_before_the_hand_over_is_ignored_with_its_reason)
{
    happens(BATON_VISIT, MONDAY_MS);
    reports(BATON_REPORT_ACCEPTED);
    ignored("not handed over");
    stands(BATON_LEAD, 1);
    cr_assert_null(world.lead.history);
}

Test(stages, sales_accepts_and_wins)
{
    promote();
    reports(BATON_REPORT_CONTACTED);
    stands(BATON_SQL, 1);
    cr_assert_eq(world.lead.history->sales.contact_ms, MONDAY_MS + HOUR_MS);
    reports(BATON_REPORT_NEGOTIATING);
    moved(0, BATON_SQL, BATON_ACCEPTED, 1);
    reports(BATON_REPORT_CUSTOMER);
    moved(0, BATON_ACCEPTED, BATON_CUSTOMER, 1);
    cr_assert_eq(baton_lead_stage_ms(&world.lead), MONDAY_MS + HOUR_MS);
    cr_assert_eq(baton_lead_sql_ms(&world.lead), MONDAY_MS);
    happens(BATON_FORM_FILL, MONDAY_MS + DAY_MS);
    cr_assert_eq(world.result.transition_count, 0);
}

Test(stages, a_rejection_needs_a_reason_of_the_list)
{
    static const struct baton_text reasons[] = {TEXT("no budget"), TEXT("sem orcamento")};
    world.agreement.reasons = reasons;
    world.agreement.reason_count = 2;
    promote();
    reports(BATON_REPORT_REJECTED);
    ignored("without a reason");
    struct baton_feedback feedback = {.report = BATON_REPORT_REJECTED,
                                      .reason = TEXT("Sem orçamento"),
                                      .reason_folded = TEXT("bad weather")};
    says(feedback, MONDAY_MS + 1);
    ignored("does not list");
    feedback.reason_folded = reasons[1];
    says(feedback, MONDAY_MS + 2);
    stands(BATON_REJECTED, 1);
    cr_assert(
        text_is(baton_words_text(&world.words, world.lead.history->sales.reason), "Sem orçamento"));
}

Test(stages, a_report_of_another_generation_is_ignored)
{
    promote();
    says((struct baton_feedback){.report = BATON_REPORT_ACCEPTED, .generation = 2}, MONDAY_MS);
    ignored("another generation");
    says((struct baton_feedback){.report = BATON_REPORT_ACCEPTED, .generation = 1}, MONDAY_MS);
    stands(BATON_ACCEPTED, 1);
}

Test(stages, a_report_that_comes_twice_counts_once)
{
    promote();
    struct baton_feedback feedback = {.report = BATON_REPORT_ACCEPTED, .at_ms = MONDAY_MS};
    struct baton_event event = {.kind = BATON_FEEDBACK,
                                .event_id = TEXT("f1"),
                                .time_ms = MONDAY_MS,
                                .feedback = &feedback};
    cr_assert_eq(world_fold(&world, event), BATON_FOLDED);
    cr_assert_eq(world_fold(&world, event), BATON_DUPLICATE);
}

/* ---- Coming back ----------------------------------------------------------------------------- */

static void reject_with_recycle(void)
{
    world.agreement.recycle_after_ms = 30 * DAY_MS;
    world.agreement.recycle_score = 60;
    promote();
    says((struct baton_feedback){.report = BATON_REPORT_REJECTED, .reason = TEXT("later")},
         MONDAY_MS);
    stands(BATON_REJECTED, 1);
}

Test(stages, a_rejected_lead_comes_back_by_an_event_after_its_time)
{
    reject_with_recycle();
    happens(BATON_VISIT, MONDAY_MS + 30 * DAY_MS - 1);
    stands(BATON_REJECTED, 1);
    happens(BATON_VISIT, MONDAY_MS + 30 * DAY_MS);
    moved(0, BATON_REJECTED, BATON_RECYCLED, 2);
    moved(1, BATON_RECYCLED, BATON_MQL, 2);
    cr_assert_eq(world.result.transition_count, 2); /* 50 points, and 110 are asked for now */
    happens(BATON_FORM_FILL, MONDAY_MS + 31 * DAY_MS);
    cr_assert_eq(world.result.transition_count, 0);
    happens(BATON_FORM_FILL, MONDAY_MS + 31 * DAY_MS);
    moved(0, BATON_MQL, BATON_SQL, 2);
    const struct baton_history *history = world.lead.history;
    cr_assert(history->earlier_count == 1 && history->earlier[0].generation == 1 &&
              history->earlier[0].stage == BATON_REJECTED &&
              history->earlier[0].promoted_ms == MONDAY_MS);
    cr_assert(text_is(baton_words_text(&world.words, history->earlier[0].reason), "later"));
    cr_assert_eq(history->sales.report, BATON_REPORT_NONE);
}

Test(stages, a_rejection_that_comes_late_may_be_over_already)
{
    world.agreement.recycle_after_ms = DAY_MS;
    promote();
    happens(BATON_VISIT, MONDAY_MS + 2 * DAY_MS);
    reports(BATON_REPORT_REJECTED);
    moved(0, BATON_SQL, BATON_REJECTED, 1);
    moved(1, BATON_REJECTED, BATON_RECYCLED, 2);
    moved(2, BATON_RECYCLED, BATON_MQL, 2);
    moved(3, BATON_MQL, BATON_SQL, 2);
}

Test(stages, what_is_asked_for_more_stays_within_what_a_score_can_be)
{
    reject_with_recycle();
    world.agreement.recycle_score = BATON_SCORE_MAX;
    adjusts((struct baton_adjustment){.points = BATON_POINTS_MAX}, MONDAY_MS + 30 * DAY_MS);
    stands(BATON_MQL, 2);
    for (int i = 0; i < 100; i++)
        adjusts((struct baton_adjustment){.points = BATON_POINTS_MAX}, MONDAY_MS + 30 * DAY_MS);
    stands(BATON_SQL, 2);
}

Test(stages, without_a_threshold_only_what_is_added_is_asked_for)
{
    reject_with_recycle();
    world.agreement.sql.score = BATON_NO_THRESHOLD;
    happens(BATON_VISIT, MONDAY_MS + 30 * DAY_MS);
    stands(BATON_MQL, 2); /* 50 points, and 60 are asked for */
    adjusts((struct baton_adjustment){.points = 10}, MONDAY_MS + 30 * DAY_MS);
    stands(BATON_SQL, 2);
}

Test(stages, a_lead_that_churned_was_rejected_for_that_whatever_was_said)
{
    promote();
    says((struct baton_feedback){.report = BATON_REPORT_MEETING, .reason = TEXT("nice")},
         MONDAY_MS);
    cr_assert_eq(world.lead.history->sales.reason, 0);
    reports(BATON_REPORT_CUSTOMER);
    says((struct baton_feedback){.report = BATON_REPORT_CHURNED, .reason = TEXT("price")},
         MONDAY_MS);
    cr_assert(word_is(&world, world.lead.history->sales.reason, "churned"));
}

Test(stages, a_rejection_by_hand_keeps_its_reason)
{
    world.agreement.recycle_after_ms = DAY_MS;
    promote();
    adjusts((struct baton_adjustment){.reason = TEXT("a student"),
                                      .has_stage = true,
                                      .stage = BATON_REJECTED},
            MONDAY_MS);
    uint8_t bytes[1024];
    struct baton_lead back;
    cr_assert_leq(baton_lead_pack_bound(&world.lead), sizeof bytes);
    size_t size = baton_lead_pack(&world.lead, 5, bytes);
    baton_lead_init(&back);
    cr_assert_eq(baton_lead_unpack(&back, bytes, size, world.words.count, &world.allocator),
                 BATON_UNPACKED);
    cr_assert(word_is(&world, back.history->sales.reason, "a student"));
    baton_lead_fini(&back, &world.allocator);
    happens(BATON_VISIT, MONDAY_MS + DAY_MS);
    cr_assert(word_is(&world, world.lead.history->earlier[0].reason, "a student"));
}

Test(stages, a_recheck_brings_it_back_and_is_no_event_of_the_lead)
{
    reject_with_recycle();
    uint32_t events = world.lead.events;
    happens(BATON_RECHECK, MONDAY_MS + 29 * DAY_MS);
    stands(BATON_REJECTED, 1);
    happens(BATON_RECHECK, MONDAY_MS + 30 * DAY_MS);
    stands(BATON_MQL, 2);
    cr_assert(world.lead.events == events && world.lead.newest_ms == MONDAY_MS);
    happens(BATON_RECHECK, MONDAY_MS + 30 * DAY_MS);
    cr_assert_eq(world.result.transition_count, 0);
}

Test(stages, a_recheck_opens_a_gate_at_its_own_time)
{
    world.behaviour[0].half_life_ms = 10 * DAY_MS;
    world.agreement.mql.score = 40;
    world.context.gates_closed = true;
    happens(BATON_FORM_FILL, MONDAY_MS);
    world.context.gates_closed = false;
    happens(BATON_RECHECK, MONDAY_MS + 10 * DAY_MS); /* 25 points by then */
    stands(BATON_LEAD, 1);
    happens(BATON_RECHECK, MONDAY_MS);
    stands(BATON_SQL, 1);
}

Test(stages, without_recycle_a_rejection_is_the_end)
{
    promote();
    reports(BATON_REPORT_REJECTED);
    happens(BATON_RECHECK, MONDAY_MS + 3000 * DAY_MS);
    stands(BATON_REJECTED, 1);
}

Test(stages, a_customer_who_leaves_can_come_back)
{
    world.agreement.recycle_after_ms = DAY_MS;
    promote();
    reports(BATON_REPORT_CUSTOMER);
    reports(BATON_REPORT_CHURNED);
    moved(0, BATON_CUSTOMER, BATON_REJECTED, 1);
    happens(BATON_RECHECK, MONDAY_MS + 2 * DAY_MS);
    stands(BATON_SQL, 2);
    cr_assert(
        text_is(baton_words_text(&world.words, world.lead.history->earlier[0].reason), "churned"));
}

/* ---- A rebuild: what was entered is known ---------------------------------------------------- */

static void known(const struct baton_entered *entered, uint32_t count)
{
    world.context.gates_closed = true;
    world.context.entered = entered;
    world.context.entered_count = count;
}

Test(stages, a_rebuild_enters_what_was_entered_and_nothing_else)
{
    static const struct baton_entered mql = {BATON_MQL, 1}, sql = {BATON_SQL, 1},
                                      customer = {BATON_CUSTOMER, 1};
    known(NULL, 0);
    happens(BATON_FORM_FILL, MONDAY_MS);
    stands(BATON_LEAD, 1); /* under the agreement of then it was not enough */
    known(&mql, 1);
    happens(BATON_VISIT, MONDAY_MS + 1);
    stands(BATON_MQL, 1);
    known(&sql, 1);
    happens(BATON_VISIT, MONDAY_MS + 2);
    cr_assert_eq(baton_lead_sql_ms(&world.lead), MONDAY_MS + 2);
    known(NULL, 0);
    reports(BATON_REPORT_CONTACTED);
    cr_assert_eq(world.lead.history->sales.contact_ms, MONDAY_MS + HOUR_MS);
    reports(BATON_REPORT_REJECTED); /* which was ignored then, for its reason */
    stands(BATON_SQL, 1);
    cr_assert_eq(world.lead.history->sales.report, BATON_REPORT_CONTACTED);
    known(&customer, 1);
    reports(BATON_REPORT_CUSTOMER);
    stands(BATON_CUSTOMER, 1);
    cr_assert_eq(world.lead.history->sales.report, BATON_REPORT_CUSTOMER);
}

Test(stages, a_rebuild_brings_a_lead_back_when_it_came_back)
{
    static const struct baton_entered back[] = {{BATON_RECYCLED, 2}, {BATON_MQL, 2}};
    reject_with_recycle();
    known(NULL, 0);
    happens(BATON_VISIT, MONDAY_MS + 40 * DAY_MS);
    stands(BATON_REJECTED, 1);
    known(back, 2);
    happens(BATON_VISIT, MONDAY_MS + 41 * DAY_MS);
    moved(0, BATON_REJECTED, BATON_RECYCLED, 2);
    moved(1, BATON_RECYCLED, BATON_MQL, 2);
    cr_assert_eq(world.lead.history->earlier_count, 1);
}

Test(stages, a_rebuild_adjusts_what_was_adjusted)
{
    static const struct baton_entered accepted = {BATON_ACCEPTED, 1};
    struct baton_adjustment adjustment = {.points = 7, .has_stage = true, .stage = BATON_ACCEPTED};
    known(NULL, 0);
    adjusts(adjustment, MONDAY_MS);
    cr_assert_null(world.lead.history);
    known(&accepted, 1);
    adjusts(adjustment, MONDAY_MS);
    stands(BATON_ACCEPTED, 1);
    cr_assert_eq(world.lead.history->adjusted, 7);
}

Test(stages, what_is_known_of_a_lead_without_its_events_is_restored)
{
    struct baton_lead *lead = &world.lead;
    struct baton_entered steps[] = {{BATON_MQL, 1},      {BATON_SQL, 1}, {BATON_REJECTED, 1},
                                    {BATON_RECYCLED, 2}, {BATON_MQL, 2}, {BATON_SQL, 2}};
    for (int i = 0; i < 6; i++)
        cr_assert(baton_lead_restore(lead, steps[i], MONDAY_MS + i, 100 + i, &world.allocator));
    stands(BATON_SQL, 2);
    cr_assert(lead->stage_offset == 105 && lead->mql_ms == MONDAY_MS + 4);
    cr_assert(lead->history->sql_ms == MONDAY_MS + 5 && lead->history->earlier_count == 1);
    cr_assert(lead->history->earlier[0].promoted_ms == MONDAY_MS + 1 &&
              lead->history->earlier[0].ended_ms == MONDAY_MS + 2);
    cr_assert(baton_lead_restore(lead, steps[2], MONDAY_MS, 7, &world.allocator));
    stands(BATON_SQL, 2); /* older than what it is in */
    cr_assert(baton_lead_restore(lead, (struct baton_entered){BATON_CUSTOMER, 5}, MONDAY_MS, 200,
                                 &world.allocator));
    stands(BATON_CUSTOMER, 5);
    cr_assert_eq(lead->history->sql_ms, 0);
}

/* ---- By hand --------------------------------------------------------------------------------- */

Test(stages, points_by_hand_count_beside_the_limits_and_open_gates)
{
    world.agreement.limit_behaviour = 0;
    adjusts((struct baton_adjustment){.by = TEXT("Ana"), .reason = TEXT("fair"), .points = 49},
            MONDAY_MS);
    stands(BATON_MQL, 1);
    cr_assert(world.score.score == HUNDRED(49) && world.score.behaviour == 0);
    cr_assert_eq(world.result.notice, BATON_ADJUSTED);
    adjusts((struct baton_adjustment){.by = TEXT("Ana"), .reason = TEXT("fair"), .points = 1},
            MONDAY_MS);
    stands(BATON_SQL, 1);
}

Test(stages, points_by_hand_saturate)
{
    for (int i = 0; i < 102; i++)
        adjusts((struct baton_adjustment){.points = -BATON_POINTS_MAX}, MONDAY_MS);
    cr_assert_eq(world.lead.history->adjusted, -BATON_SCORE_MAX);
}

Test(stages, a_stage_by_hand_that_is_not_further_begins_a_generation)
{
    promote();
    adjusts((struct baton_adjustment){.has_stage = true, .stage = BATON_LEAD}, MONDAY_MS + 1);
    moved(0, BATON_SQL, BATON_LEAD, 2);
    moved(1, BATON_LEAD, BATON_MQL, 2); /* its points are still there */
    adjusts((struct baton_adjustment){.has_stage = true, .stage = BATON_CUSTOMER}, MONDAY_MS + 2);
    stands(BATON_CUSTOMER, 2);
    adjusts((struct baton_adjustment){.has_stage = true, .stage = BATON_CUSTOMER}, MONDAY_MS + 3);
    ignored("in that stage");
}

Test(stages, never_holds_by_hand_too)
{
    struct baton_condition never = {
        .match = BATON_MATCH_KNOWN, .field = BATON_NAME, .negate = true};
    world.agreement.never = &never;
    world.agreement.never_count = 1;
    happens(BATON_VISIT, MONDAY_MS);
    adjusts((struct baton_adjustment){.has_stage = true, .stage = BATON_SQL}, MONDAY_MS);
    ignored("never");
}

/* ---- Personas, mails, forms ------------------------------------------------------------------ */

Test(stages, the_persona_that_fits_best_gives_its_points_and_its_gates)
{
    static const struct baton_text lisbon[] = {TEXT("lisbon")}, any[] = {TEXT("*")};
    struct baton_fit_rule rules[] = {{.id = TEXT("near"),
                                      .points = 5,
                                      .where = {.match = BATON_MATCH_GLOB,
                                                .field = BATON_COUNTRY,
                                                .texts = any,
                                                .text_count = 1}},
                                     {.id = TEXT("here"),
                                      .points = 7,
                                      .where = {.match = BATON_MATCH_EQUAL,
                                                .field = BATON_COUNTRY,
                                                .texts = lisbon,
                                                .text_count = 1}}};
    struct baton_gate easy = {7, BATON_NO_THRESHOLD, BATON_NO_THRESHOLD, NULL, 0, NULL, 0};
    struct baton_persona personas[] = {
        {.id = TEXT("a"), .fit = &rules[0], .fit_count = 1},
        {.id = TEXT("b"), .fit = &rules[1], .fit_count = 1, .has_mql = true, .mql = easy}};
    world.agreement.personas = personas;
    world.agreement.persona_count = 2;
    happens(BATON_VISIT, MONDAY_MS);
    cr_assert_eq(world.lead.persona, 0);
    world_profile_as(&world, BATON_COUNTRY, NULL, "Porto", MONDAY_MS);
    cr_assert(world.lead.persona == 1 && world.score.fit == HUNDRED(5));
    stands(BATON_LEAD, 1);
    world_profile_as(&world, BATON_COUNTRY, NULL, "Lisbon", MONDAY_MS);
    cr_assert(world.lead.persona == 2 && world.score.fit == HUNDRED(7));
    stands(BATON_MQL, 1);
}

Test(stages, mails_are_counted_by_what_became_of_them)
{
    happens(BATON_EMAIL_SENT, MONDAY_MS);
    happens(BATON_EMAIL_OPENED, MONDAY_MS + 9);
    happens(BATON_EMAIL_OPENED, MONDAY_MS + 3);
    const struct baton_mail *mail = &world.lead.history->mail;
    cr_assert(mail->counts[0] == 1 && mail->counts[2] == 2 && mail->counts[5] == 0);
    cr_assert(mail->opened_ms == MONDAY_MS + 9 && mail->clicked_ms == 0);
}

Test(stages, the_newest_forms_are_kept)
{
    static const int64_t times[] = {5, 1, 9, 3, 7};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        happens(BATON_FORM_FILL, MONDAY_MS + times[i]);
    const struct baton_history *history = world.lead.history;
    cr_assert_eq(history->form_count, BATON_FORMS_MAX);
    for (int i = 0; i < BATON_FORMS_MAX; i++)
        cr_assert_eq(history->forms[i].time_ms, MONDAY_MS + 9 - 2 * i);
    cr_assert_eq(world.lead.first_ms, MONDAY_MS + 1);
}
