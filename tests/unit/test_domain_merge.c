/* Two ids that are one person: a handful of leads, each in a unit with words of its own, and what
 * is passed on between them in the order that a test says. */
#include "domain/lead_portable.h"
#include "domain_support.h"
#include "pipeline/hops.h"

#define LEADS 4
#define MAILS 256

struct place {
    struct baton_lead lead;
    struct baton_words words;
    struct tombstones tombstones;
    char id[8];
    int64_t offset;
};

struct mail {
    struct baton_event event;
    struct baton_hop hop;
    int to;
};

static struct world world; /* agreement and memory */
static struct place places[LEADS];
static struct mail mails[MAILS];
static size_t mail_count, mail_read;
static struct arena arena;
static struct baton_fold_result last; /* of the event that was given */
static int refused;

static void start(void)
{
    world_init(&world);
    arena_init(&arena, 4096);
    mail_count = mail_read = 0;
    refused = 0;
    for (int i = 0; i < LEADS; i++) {
        struct place *place = &places[i];
        memset(place, 0, sizeof *place);
        baton_lead_init(&place->lead);
        baton_words_init(&place->words, 256, world.allocator);
        snprintf(place->id, sizeof place->id, "%c", 'a' + i);
        /* the same text has another number everywhere */
        for (int n = 0; n <= i; n++)
            baton_words_id(&place->words, text_of(places[n].id), BATON_WORD_TEXT);
    }
}

static void end(void)
{
    for (int i = 0; i < LEADS; i++) {
        baton_lead_fini(&places[i].lead, &world.allocator);
        baton_words_fini(&places[i].words);
        tombstones_fini(&places[i].tombstones);
    }
    arena_fini(&arena);
    world_fini(&world);
}

TestSuite(merge, .init = start, .fini = end);

static int index_of(struct baton_text id)
{
    cr_assert(id.size == 1 && id.data[0] >= 'a' && id.data[0] < 'a' + LEADS);
    return id.data[0] - 'a';
}

static struct mail *post(const struct baton_event *event, int to)
{
    cr_assert_lt(mail_count, MAILS);
    struct mail *mail = &mails[mail_count++];
    *mail = (struct mail){.event = *event, .to = to};
    mail->event.lead_id = text_of(places[to].id);
    return mail;
}

static void add_trail(struct mail *mail, const struct baton_event *event)
{
    uint32_t count = event->hop ? event->hop->trail_count : 0;
    struct baton_text *trail = arena_take(&arena, (count + 1) * sizeof *trail);
    if (count)
        memcpy(trail, event->hop->trail, count * sizeof *trail);
    trail[count] = event->lead_id;
    mail->hop.trail = trail;
    mail->hop.trail_count = count + 1;
    mail->event.hop = &mail->hop;
}

static void post_results(const struct baton_event *event, const struct baton_fold_result *result,
                         const struct hop_cargo *cargo)
{
    if (result->hop == BATON_HOP_FORWARD) {
        struct mail *mail = post(event, index_of(result->to));
        mail->hop.own = event->hop && event->hop->own;
        add_trail(mail, event);
    } else if (result->hop == BATON_HOP_TRANSFER) {
        struct baton_transfer *transfer = arena_take(&arena, sizeof *transfer);
        *transfer = (struct baton_transfer){.from = event->lead_id, .state = cargo->state};
        struct mail *mail = post(event, index_of(result->to));
        mail->event.kind = BATON_TRANSFER;
        mail->event.transfer = transfer;
        mail->hop.own = true;
        add_trail(mail, event);
    } else if (result->hop == BATON_HOP_ERASE) {
        for (uint32_t i = 0; i < cargo->alias_count; i++) {
            struct mail *mail = post(event, index_of(cargo->aliases[i]));
            mail->event.kind = BATON_ERASE;
            mail->hop.own = true;
            mail->event.hop = &mail->hop;
        }
    }
}

static void fold_at(int number, struct baton_event event)
{
    struct place *place = &places[number];
    struct hop_cargo cargo;
    struct baton_fold_context context = world.context;
    context.words = &place->words;
    event.lead_id = text_of(place->id);
    event.offset = place->offset++;
    hops_fold(&place->lead, &event, &context, &place->tombstones, &arena, 0, &last, &cargo);
    cr_assert_neq(last.outcome, BATON_OUT_OF_MEMORY);
    refused += last.refusal != BATON_NOT_REFUSED;
    post_results(&event, &last, &cargo);
}

/* All that is under way arrives, and what follows from it. */
static void deliver(void)
{
    struct baton_fold_result own = last;
    while (mail_read < mail_count) {
        struct mail *mail = &mails[mail_read++];
        fold_at(mail->to, mail->event);
    }
    last = own;
}

static int events;

static void happens(int number, enum baton_event_kind kind, int64_t time_ms, const char *page)
{
    char *id = arena_take(&arena, 16);
    snprintf(id, 16, "e%d", events++);
    struct baton_event event = {.kind = kind, .event_id = text_of(id), .time_ms = time_ms};
    if (page)
        event.fields[BATON_PAGE] = event.fields[BATON_CHANNEL] = text_of(page);
    fold_at(number, event);
}

static void merge_only(int from, int into, int64_t time_ms)
{
    char *id = arena_take(&arena, 16);
    snprintf(id, 16, "m%d", events++);
    struct baton_merge *merge = arena_take(&arena, sizeof *merge);
    *merge = (struct baton_merge){.into = text_of(places[into].id)};
    fold_at(from,
            (struct baton_event){
                .kind = BATON_MERGE, .event_id = text_of(id), .time_ms = time_ms, .merge = merge});
}

static void merge(int from, int into, int64_t time_ms)
{
    merge_only(from, into, time_ms);
    deliver();
}

static void erase(int number, int64_t time_ms)
{
    fold_at(number,
            (struct baton_event){.kind = BATON_ERASE, .event_id = TEXT("x"), .time_ms = time_ms});
    deliver();
}

static void is_stub(int number, int into)
{
    const struct baton_lead *lead = &places[number].lead;
    cr_assert(lead->flags & BATON_LEAD_MERGED, "%s is no stub", places[number].id);
    cr_assert(text_is(lead->history->into, places[into].id));
    cr_assert_eq(lead->tally_count + lead->touch_count + lead->profile_count + lead->events, 0);
}

static int32_t points_of(int number)
{
    struct baton_score score;
    const struct baton_lead *lead = &places[number].lead;
    baton_lead_score(lead, &world.agreement, lead->newest_ms, &score);
    return score.score;
}

Test(merge, both_ids_count_together_and_later_events_follow)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    happens(0, BATON_VISIT, MONDAY_MS, "/a");
    happens(1, BATON_VISIT, MONDAY_MS + 1, "/b");
    merge(0, 1, MONDAY_MS + 2);
    is_stub(0, 1);
    cr_assert_eq(last.notice, BATON_MERGED);
    happens(0, BATON_VISIT, MONDAY_MS + 3, "/c");
    cr_assert_eq(last.outcome, BATON_PASSED_ON);
    deliver();
    cr_assert_eq(points_of(1), HUNDRED(15));
    const struct baton_lead *lead = &places[1].lead;
    cr_assert_eq(lead->events, 4);
    cr_assert_eq(lead->touch_count, 3);
    cr_assert(text_is(baton_words_text(&places[1].words, lead->touches[2].page), "/a"));
    cr_assert(text_is(baton_words_text(&places[1].words, lead->first_channel), "/a"));
    cr_assert(text_is(lead->history->aliases[0], "a"));
}

Test(merge, the_same_merge_again_is_a_repeat_and_one_into_another_moves_the_person_on)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    happens(0, BATON_VISIT, MONDAY_MS, NULL);
    merge(0, 1, MONDAY_MS);
    merge(0, 1, MONDAY_MS);
    cr_assert_eq(last.outcome, BATON_DUPLICATE);
    merge(0, 2, MONDAY_MS);
    is_stub(0, 1);
    is_stub(1, 2);
    cr_assert_eq(points_of(2), HUNDRED(5));
    cr_assert_eq(places[2].lead.history->alias_count, 2);
    merge(0, 2, MONDAY_MS); /* comes to c itself: one person already */
    cr_assert_eq(points_of(2), HUNDRED(5));
    cr_assert_eq(refused, 0);
}

Test(merge, a_circle_is_refused_and_changes_nothing)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    happens(0, BATON_VISIT, MONDAY_MS, NULL);
    merge(0, 1, MONDAY_MS);
    merge(1, 2, MONDAY_MS);
    merge(2, 0, MONDAY_MS); /* a is c by way of b */
    cr_assert_eq(last.outcome, BATON_REFUSED);
    cr_assert_eq(last.refusal, BATON_REFUSED_CYCLE);
    cr_assert_eq(points_of(2), HUNDRED(5));
    cr_assert_eq(places[2].lead.flags, 0);
}

/* Three merges at once, none knowing of the others, and events behind them: the smallest id stays,
 * with all that was known of the three. */
Test(merge, merges_that_cross_end_at_the_smallest_id)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    for (int i = 1; i < LEADS; i++)
        happens(i, BATON_VISIT, MONDAY_MS + i, NULL);
    merge_only(2, 3, MONDAY_MS);
    merge_only(3, 1, MONDAY_MS);
    merge_only(1, 2, MONDAY_MS);
    for (int i = 1; i < LEADS; i++)
        happens(i, BATON_VISIT, MONDAY_MS + 10 + i, NULL);
    deliver();
    cr_assert_eq(places[1].lead.flags, 0);
    is_stub(2, 3);
    is_stub(3, 1);
    cr_assert_eq(points_of(1), HUNDRED(30));
    cr_assert_eq(places[1].lead.events, 9);
    cr_assert_eq(refused, 1, "the circle is told once, and was %d times", refused);
}

/* It follows the lead, and nobody would know what to do with it as a dead letter. */
Test(merge, what_baton_says_to_itself_ends_no_circle)
{
    struct baton_event published = {
        .kind = BATON_PUBLISHED, .event_id = TEXT("p"), .time_ms = MONDAY_MS + 1};
    merge_only(1, 2, MONDAY_MS);
    merge_only(2, 1, MONDAY_MS);
    mail_read = mail_count; /* what they had goes astray: the circle stays */
    fold_at(1, published);
    cr_assert_eq(last.outcome, BATON_PASSED_ON);
    deliver();
    cr_assert_eq(refused, 0);
    is_stub(1, 2);
    is_stub(2, 1);
}

/* That it was given up is the last that was told of it: a rebuild from what was told would make it
 * a stub, so its receipt has to name that record. */
Test(merge, the_receipt_of_who_stays_names_the_merge_that_was_told_of_it)
{
    happens(1, BATON_VISIT, MONDAY_MS, NULL);
    merge_only(1, 2, MONDAY_MS);
    int64_t told = places[1].offset - 1;
    merge_only(2, 1, MONDAY_MS);
    deliver();
    cr_assert_eq(places[1].lead.flags, 0);
    cr_assert_eq(places[1].lead.stage_offset, told);
    fold_at(1, (struct baton_event){
                   .kind = BATON_ERASE, .event_id = TEXT("x"), .time_ms = MONDAY_MS + 1});
    cr_assert_eq(last.notice, BATON_ERASED);
    cr_assert_eq(last.stage_offset, told, "the receipt names %lld", (long long)last.stage_offset);
}

/* What comes round is taken, and its dead letter says why it is one. That is no part of what is
 * told of the lead, nor the other way round. */
Test(merge, what_closed_a_circle_is_told_in_its_dead_letter_alone)
{
    struct baton_text trail[] = {text_of(places[1].id), text_of(places[2].id)};
    struct baton_hop hop = {.trail = trail, .trail_count = 2};
    struct baton_merge into = {.into = text_of(places[3].id)};
    struct baton_feedback report = {.report = BATON_REPORT_CONTACTED};
    const struct baton_event arriving[] = {
        {.kind = BATON_ERASE, .event_id = TEXT("x"), .time_ms = MONDAY_MS + 1, .hop = &hop},
        {.kind = BATON_MERGE,
         .event_id = TEXT("m"),
         .time_ms = MONDAY_MS + 2,
         .hop = &hop,
         .merge = &into},
        {.kind = BATON_FEEDBACK,
         .event_id = TEXT("f"),
         .time_ms = MONDAY_MS + 3,
         .hop = &hop,
         .feedback = &report}};
    static const enum baton_notice notices[] = {BATON_ERASED, BATON_MERGED, BATON_IGNORED};
    for (int i = 0; i < 3; i++) {
        baton_lead_fini(&places[1].lead, &world.allocator);
        tombstones_fini(&places[1].tombstones);
        merge_only(1, 2, MONDAY_MS);
        fold_at(1, arriving[i]);
        cr_assert_eq(last.notice, notices[i]);
        cr_assert_eq(last.refusal, BATON_REFUSED_CYCLE);
        cr_assert(strstr(last.refused, "merged into each other"), "%s", last.refused);
        cr_assert_eq(last.why != NULL, last.notice == BATON_IGNORED);
    }
    cr_assert_str_neq(last.why, last.refused);
}

/* Merge(a → c) goes round the circle of a and b. Until it is back, a has taken the circle's place,
 * and been given up for d a day later. The id that comes back, and is given up for c at once, knows
 * nothing but this merge: what its stub said was of the other one. */
Test(merge, an_id_that_comes_back_with_a_merge_takes_nothing_of_its_stub_along)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    happens(0, BATON_VISIT, MONDAY_MS, NULL);
    merge_only(0, 1, MONDAY_MS + 1);
    merge_only(1, 0, MONDAY_MS + 2);
    merge_only(0, 2, MONDAY_MS + 3);
    for (int i = 0; i < 4; i++) { /* the last is a's own state, come round */
        struct mail *mail = &mails[mail_read++];
        fold_at(mail->to, mail->event);
    }
    cr_assert_eq(last.refusal, BATON_REFUSED_CYCLE);
    cr_assert_eq(places[0].lead.flags, 0);
    merge_only(0, 3, MONDAY_MS + DAY_MS);
    is_stub(0, 3);
    deliver();
    const struct baton_lead *lead = &places[2].lead;
    cr_assert_eq(lead->events, 1);
    cr_assert_eq(lead->newest_ms, MONDAY_MS + 3, "a day too late by the stub: %lld ms",
                 (long long)(lead->newest_ms - MONDAY_MS));
    cr_assert_eq(lead->first_ms, MONDAY_MS + 3);
    cr_assert_eq(lead->history->alias_count, 1);
    cr_assert_eq(places[3].lead.newest_ms, MONDAY_MS + DAY_MS);
    cr_assert_eq(points_of(3), HUNDRED(5));
}

/* Its country is not known, and who it is now is counted elsewhere: also for whoever loads it. */
Test(merge, a_stub_has_no_points_when_it_is_loaded_again)
{
    struct baton_text texts[] = {TEXT("us")};
    world_fit(&world, 7,
              (struct baton_condition){.match = BATON_MATCH_EQUAL,
                                       .field = BATON_COUNTRY,
                                       .texts = texts,
                                       .text_count = 1,
                                       .negate = true});
    happens(0, BATON_VISIT, MONDAY_MS, NULL);
    cr_assert_eq(points_of(0), HUNDRED(7));
    merge(0, 1, MONDAY_MS + 1);
    cr_assert_eq(points_of(1), HUNDRED(7));
    cr_assert_eq(points_of(0), 0);
    uint8_t *packed = arena_take(&arena, baton_lead_pack_bound(&places[0].lead));
    size_t size = baton_lead_pack(&places[0].lead, 0, packed);
    baton_lead_fini(&places[0].lead, &world.allocator);
    cr_assert_eq(baton_lead_unpack(&places[0].lead, packed, size, 0, &world.allocator),
                 BATON_UNPACKED);
    baton_lead_attach(&places[0].lead, &world.agreement);
    is_stub(0, 1);
    cr_assert_eq(points_of(0), 0);
}

/* Whatever comes under which id, and whenever the two are found to be one: as if it had all come
 * under one, for rules without windows of their own. */
Test(merge, what_came_under_which_id_does_not_matter)
{
    srand(7);
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    world_rule(&world,
               (struct baton_behaviour_rule){
                   .kind = BATON_CLICK, .points = 3, .cap_times = 4, .cap_period = BATON_PER_EVER});
    for (int round = 0; round < 50; round++) {
        int merged_at = rand() % 20;
        mail_count = mail_read = 0;
        for (int i = 0; i < 20; i++) {
            enum baton_event_kind kind = rand() % 2 ? BATON_VISIT : BATON_CLICK;
            int64_t time_ms = MONDAY_MS + rand() % DAY_MS;
            if (i == merged_at)
                merge(0, 1, MONDAY_MS);
            happens(rand() % 2, kind, time_ms, NULL);
            deliver();
            happens(2, kind, time_ms, NULL);
        }
        cr_assert_eq(points_of(1), points_of(2), "round %d: %d and %d", round, points_of(1),
                     points_of(2));
        cr_assert_eq(places[1].lead.events, places[2].lead.events + 1); /* the merge */
        for (int i = 0; i < 3; i++)
            baton_lead_fini(&places[i].lead, &world.allocator);
    }
}

Test(merge, hits_beyond_a_cap_together_are_none)
{
    world_rule(&world,
               (struct baton_behaviour_rule){
                   .kind = BATON_VISIT, .points = 1, .cap_times = 3, .cap_period = BATON_PER_DAY});
    for (int i = 0; i < 3; i++) {
        happens(0, BATON_VISIT, MONDAY_MS + i, NULL);
        happens(1, BATON_VISIT, MONDAY_MS + DAY_MS + i, NULL);
        happens(1, BATON_VISIT, MONDAY_MS + i, NULL);
    }
    merge(0, 1, MONDAY_MS);
    cr_assert_eq(points_of(1), HUNDRED(6));
    happens(1, BATON_VISIT, MONDAY_MS + DAY_MS + 50, NULL);
    happens(1, BATON_VISIT, MONDAY_MS + 50, NULL);
    cr_assert_eq(points_of(1), HUNDRED(6));
}

Test(merge, weights_decay_to_the_newer_one_and_add)
{
    world_rule(&world, (struct baton_behaviour_rule){
                           .kind = BATON_VISIT, .points = 8, .half_life_ms = DAY_MS});
    happens(0, BATON_VISIT, MONDAY_MS, NULL);
    happens(1, BATON_VISIT, MONDAY_MS + DAY_MS, NULL);
    merge(0, 1, MONDAY_MS);
    cr_assert_eq(points_of(1), HUNDRED(12));
}

Test(merge, the_further_stage_wins_and_is_told_and_not_promoted_again)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_CLICK, .points = 1});
    world.agreement.mql.score = 5;
    world.agreement.sql.score = 10;
    happens(0, BATON_VISIT, MONDAY_MS, NULL);
    happens(0, BATON_VISIT, MONDAY_MS + 1, NULL);
    cr_assert_eq(places[0].lead.stage, BATON_SQL);
    happens(1, BATON_CLICK, MONDAY_MS + 2, NULL);
    merge_only(0, 1, MONDAY_MS + 3);
    fold_at(1, mails[mail_read++].event);
    cr_assert_eq(places[1].lead.stage, BATON_SQL);
    cr_assert_eq(last.transition_count, 1);
    cr_assert(last.transitions[0].adopted);
    cr_assert_eq(last.transitions[0].to, BATON_SQL);
    cr_assert_eq(baton_lead_sql_ms(&places[1].lead), MONDAY_MS + 1);
    cr_assert_eq(points_of(1), HUNDRED(11));
}

/* Handed over, and rejected at once. */
static void is_handed_over(int number, int64_t time_ms)
{
    static const enum baton_stage stages[] = {BATON_SQL, BATON_REJECTED};
    for (int i = 0; i < 2; i++) {
        char *id = arena_take(&arena, 16);
        snprintf(id, 16, "e%d", events++);
        struct baton_adjustment adjustment = {
            .by = TEXT("Ana"), .reason = TEXT("test"), .has_stage = true, .stage = stages[i]};
        fold_at(number, (struct baton_event){.kind = BATON_ADJUST,
                                             .event_id = text_of(id),
                                             .time_ms = time_ms,
                                             .adjustment = &adjustment});
        cr_assert_eq(last.outcome, BATON_FOLDED);
    }
}

/* Whatever order their events came in: each of both leads has one that came late. */
Test(merge, the_newest_earlier_promotions_of_both_stay)
{
    static const int days[2][4] = {{3, 1, 5, 9}, {2, 6, 4, 9}};
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < 4; n++)
            is_handed_over(i, MONDAY_MS + days[i][n] * DAY_MS);
    cr_assert_eq(places[1].lead.history->earlier_count, 3);
    merge(0, 1, MONDAY_MS + 10 * DAY_MS);
    const struct baton_history *history = places[1].lead.history;
    cr_assert_eq(history->earlier_count, 4);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(history->earlier[i].promoted_ms, MONDAY_MS + (6 - i) * DAY_MS,
                     "day %lld is at place %d",
                     (long long)((history->earlier[i].promoted_ms - MONDAY_MS) / DAY_MS), i);
}

/* … also where the other one was never handed over. */
Test(merge, earlier_promotions_are_in_order_with_somebody_who_has_none)
{
    for (int n = 0; n < 3; n++)
        is_handed_over(1, MONDAY_MS + (n == 1 ? 0 : 1 + n) * DAY_MS);
    merge(0, 1, MONDAY_MS + 10 * DAY_MS);
    const struct baton_history *history = places[1].lead.history;
    cr_assert_eq(history->earlier_count, 2);
    cr_assert_eq(history->earlier[0].promoted_ms, MONDAY_MS + DAY_MS);
    cr_assert_eq(history->earlier[1].promoted_ms, MONDAY_MS);
}

Test(merge, what_both_did_together_opens_a_gate)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    world.agreement.mql.score = world.agreement.sql.score = 10;
    happens(0, BATON_VISIT, MONDAY_MS, NULL);
    happens(1, BATON_VISIT, MONDAY_MS, NULL);
    merge_only(0, 1, MONDAY_MS);
    fold_at(1, mails[mail_read++].event);
    cr_assert_eq(last.transition_count, 2);
    cr_assert_not(last.transitions[1].adopted);
    cr_assert_eq(places[1].lead.stage, BATON_SQL);
}

Test(merge, an_erasure_reaches_every_id_and_nothing_older_comes_back)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    happens(0, BATON_VISIT, MONDAY_MS, "/secret");
    merge(0, 1, MONDAY_MS);
    erase(0, MONDAY_MS + 10); /* by the old id */
    for (int i = 0; i < 2; i++)
        cr_assert_eq(places[i].lead.flags, BATON_LEAD_EMPTIED | BATON_LEAD_ERASED);
    happens(1, BATON_VISIT, MONDAY_MS + 5, NULL);
    cr_assert_eq(last.outcome, BATON_TOO_OLD);
    happens(1, BATON_VISIT, MONDAY_MS + 11, NULL);
    cr_assert_eq(last.outcome, BATON_FOLDED);
    happens(1, BATON_VISIT, MONDAY_MS + 6, NULL); /* late, into the new life */
    cr_assert_eq(last.outcome, BATON_TOO_OLD);
    cr_assert_eq(points_of(1), HUNDRED(5));
    cr_assert_eq(places[1].lead.events, 1);
}

Test(merge, what_is_transferred_to_who_was_erased_meanwhile_is_dropped_and_its_stub_erased)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    happens(0, BATON_VISIT, MONDAY_MS, NULL);
    merge_only(0, 1, MONDAY_MS);
    fold_at(1, (struct baton_event){
                   .kind = BATON_ERASE, .event_id = TEXT("x"), .time_ms = MONDAY_MS + 1});
    deliver();
    cr_assert_eq(places[0].lead.flags, BATON_LEAD_EMPTIED | BATON_LEAD_ERASED);
    cr_assert_eq(places[1].lead.flags, BATON_LEAD_EMPTIED | BATON_LEAD_ERASED);
}

Test(merge, a_state_that_is_damaged_is_refused_and_changes_nothing)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    happens(0, BATON_VISIT, MONDAY_MS, "/a");
    happens(1, BATON_VISIT, MONDAY_MS, "/b");
    merge_only(0, 1, MONDAY_MS);
    struct baton_event event = mails[mail_read++].event;
    struct baton_text state = event.transfer->state;
    for (uint32_t i = 0; i < state.size; i++) {
        char *copy = arena_take(&arena, state.size);
        memcpy(copy, state.data, state.size);
        copy[i] ^= 0x20;
        struct baton_transfer damaged = {.from = event.transfer->from, .state = {copy, state.size}};
        event.transfer = &damaged;
        struct baton_lead lead;
        baton_lead_init(&lead);
        enum baton_unpack got = lead_portable_read(&lead, (const uint8_t *)copy, state.size,
                                                   &places[1].words, &world.allocator);
        if (got == BATON_UNPACKED) { /* a letter of a word, which nothing protects */
            baton_lead_fini(&lead, &world.allocator);
            continue;
        }
        fold_at(1, event);
        cr_assert_eq(last.refusal, BATON_REFUSED_STATE);
        cr_assert_eq(places[1].lead.events, 1);
    }
    for (uint32_t size = 0; size < state.size; size++) {
        struct baton_lead lead;
        baton_lead_init(&lead);
        cr_assert_eq(lead_portable_read(&lead, (const uint8_t *)state.data, size, &places[1].words,
                                        &world.allocator),
                     BATON_DAMAGED);
    }
}

/* Whichever allocation fails: nothing is lost or given back twice. */
Test(merge, without_memory_it_says_so)
{
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    bool done = false;
    for (long left = 0; !done && left < 60; left++) {
        happens(0, BATON_VISIT, MONDAY_MS, "/a");
        merge_only(0, 1, MONDAY_MS);
        struct baton_event event = mails[mail_read++].event;
        struct place *place = &places[1];
        struct hop_cargo cargo;
        struct baton_fold_context context = world.context;
        context.words = &place->words;
        event.offset = place->offset++;
        world.memory.left = left;
        hops_fold(&place->lead, &event, &context, &place->tombstones, &arena, 0, &last, &cargo);
        done = last.outcome == BATON_FOLDED;
        cr_assert(done || last.outcome == BATON_OUT_OF_MEMORY);
        world.memory.left = -1;
        place->words.starved = false;
        baton_lead_fini(&place->lead, &world.allocator);
        baton_lead_fini(&places[0].lead, &world.allocator);
    }
    cr_assert(done);
}
