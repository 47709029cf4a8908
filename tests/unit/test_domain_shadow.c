/* An agreement that runs beside the one in force: it finds what it would find alone, and the live
 * one finds what it finds without it. */
#include "agreement/shadow.h"
#include "domain/shadow.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOON INT64_C(1793534400000)
#define DAY_MS 86400000
#define EVENTS 120

static const char live_text[] = "agreement: live\nversion: 1\n"
                                "fit:\n"
                                "  - {id: boss, where: {job_title: owner}, points: 10}\n"
                                "behaviour:\n"
                                "  - {id: visit, event: visit, points: 1}\n"
                                "  - {id: price, event: visit, where: {page: /price}, points: 7, "
                                "half_life: 5d}\n"
                                "  - {id: form, event: form_fill, points: 15, at_most: {times: 2, "
                                "per: day}}\n"
                                "gates: {mql: {score: 15, behaviour: 1}, sql: {score: 40}}\n"
                                "recycle: {after: 1d, score: 20}\n";
/* `price` and `visit` are the live one's with other points; the rest is its own. */
static const char shadow_text[] =
    "agreement: next\nversion: 2\n"
    "fit:\n"
    "  - {id: boss, where: {job_title: [owner, director]}, points: 15}\n"
    "behaviour:\n"
    "  - {id: visit, event: visit, points: 2}\n"
    "  - {id: price, event: visit, where: {page: /price}, points: 5, half_life: 5d}\n"
    "  - {id: form, event: form_fill, points: 12, at_most: {times: 1, per: week}}\n"
    "  - {id: click, event: click, points: 3, half_life: 2d}\n"
    "  - {id: often, event: visit, while: {times: 3, within: 2d}, points: 6}\n"
    "personas:\n"
    "  - {id: buyer, fit: [{id: d, where: {job_title: director}, points: 5}]}\n"
    "limits: {behaviour: 60}\n"
    "gates: {mql: {score: 20, behaviour: 1}, sql: {score: 45, needs_one_of: [form, click]}}\n"
    "recycle: {after: 1d, score: 20}\n";

/* ---- leads ---- */

static void *resize(void *context, void *old, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

static struct baton_allocator allocator = {.resize = resize};

struct fold {
    const struct baton_agreement *agreement;
    const struct baton_shadow *shadow;
    struct baton_words words;
    struct baton_lead lead;
    struct baton_fold_result result;
};

static struct agreement *parse(const char *text)
{
    struct agreement *agreement;
    struct text_buffer messages;
    text_buffer_init(&messages);
    cr_assert_eq(agreement_parse("a", text, strlen(text), NULL, 0, &agreement, &messages),
                 STATUS_OK, "%s", messages.data);
    text_buffer_fini(&messages);
    return agreement;
}

static const struct baton_shadow *shadow_of(const char *text, const struct agreement *live)
{
    struct shadow *shadow;
    struct error error;
    cr_assert_eq(shadow_create(parse(text), live, &shadow, &error), STATUS_OK, "%s", error.text);
    return shadow_compiled(shadow);
}

static void begin(struct fold *fold, const struct agreement *agreement,
                  const struct baton_shadow *shadow)
{
    memset(fold, 0, sizeof *fold);
    fold->agreement = agreement_compiled(agreement);
    fold->shadow = shadow;
    baton_words_init(&fold->words, 1000, allocator);
    baton_lead_init(&fold->lead);
    baton_lead_attach(&fold->lead, fold->agreement);
}

static void end(struct fold *fold)
{
    baton_lead_fini(&fold->lead, &allocator);
    baton_words_fini(&fold->words);
}

static void take(struct fold *fold, const struct baton_event *event)
{
    struct baton_fold_context context = {.agreement = fold->agreement,
                                         .words = &fold->words,
                                         .allocator = &allocator,
                                         .shadow = fold->shadow};
    baton_fold(&fold->lead, event, &context, &fold->result);
}

static int64_t promoted_ms(const struct fold *fold, const struct baton_event *event)
{
    for (uint32_t i = 0; i < fold->result.transition_count; i++)
        if (fold->result.transitions[i].to == BATON_SQL)
            return event->time_ms;
    return 0;
}

static const struct baton_shadowed *times_of(const struct fold *fold)
{
    static const struct baton_shadowed none;
    return fold->lead.history ? &fold->lead.history->shadow : &none;
}

/* Packs and unpacks: what is derived must come back. */
static void store_and_load(struct fold *fold)
{
    size_t room = baton_lead_pack_bound(&fold->lead);
    uint8_t *bytes = malloc(room);
    size_t size = baton_lead_pack(&fold->lead, fold->lead.applied, bytes);
    baton_lead_fini(&fold->lead, &allocator);
    baton_lead_init(&fold->lead);
    cr_assert_eq(baton_lead_unpack(&fold->lead, bytes, size, fold->words.count, &allocator),
                 BATON_UNPACKED);
    baton_lead_attach(&fold->lead, fold->agreement);
    free(bytes);
}

/* ---- events ---- */

static unsigned dice;

static unsigned roll(unsigned limit)
{
    dice = dice * 1103515245u + 12345u;
    return (dice >> 16) % limit;
}

static struct baton_text text(const char *from)
{
    return (struct baton_text){from, (uint32_t)strlen(from)};
}

static struct baton_event any_event(int number)
{
    static char id[16];
    static const char *const titles[] = {"owner", "director", "student", ""};
    static struct baton_profile_update update;
    static struct baton_feedback feedback;
    static const enum baton_report reports[] = {BATON_REPORT_ACCEPTED, BATON_REPORT_REJECTED,
                                                BATON_REPORT_CONTACTED};
    snprintf(id, sizeof id, "e%d", number);
    struct baton_event event = {.event_id = text(id),
                                .lead_id = text("lead"),
                                .time_ms = NOON + (int64_t)number * DAY_MS / 7 -
                                           (roll(5) ? 0 : (int64_t)roll(3) * DAY_MS),
                                .offset = number};
    unsigned what = roll(20);
    if (what < 11) {
        event.kind = BATON_VISIT;
        event.fields[BATON_PAGE] = text(roll(3) ? "/" : "/price");
    } else if (what < 14) {
        event.kind = BATON_CLICK;
    } else if (what < 16) {
        event.kind = BATON_FORM_FILL;
    } else if (what < 18) {
        event.kind = BATON_PROFILE;
        update = (struct baton_profile_update){.field = BATON_JOB_TITLE};
        update.value = update.folded = text(titles[roll(4)]);
        event.updates = &update;
        event.update_count = 1;
    } else {
        event.kind = BATON_FEEDBACK;
        feedback = (struct baton_feedback){.report = reports[roll(3)], .at_ms = event.time_ms};
        event.feedback = &feedback;
    }
    return event;
}

/* ---- tests ---- */

Test(domain_shadow, it_finds_what_it_finds_alone)
{
    struct agreement *live = parse(live_text), *next = parse(shadow_text);
    const struct baton_shadow *shadow = shadow_of(shadow_text, live);
    int found = 0, only = 0, differ = 0;
    for (dice = 1; found < 400;) {
        struct fold beside, alone;
        int64_t first_ms = 0, live_ms = 0;
        unsigned seed = dice;
        begin(&beside, live, shadow);
        begin(&alone, next, NULL);
        for (int i = 0; i < EVENTS; i++) {
            struct baton_event event = any_event(i);
            take(&beside, &event);
            take(&alone, &event);
            bool finds = !first_ms && promoted_ms(&alone, &event);
            first_ms = first_ms ? first_ms : promoted_ms(&alone, &event);
            live_ms = live_ms ? live_ms : promoted_ms(&beside, &event);
            cr_assert_eq(beside.result.shadow_sql, finds, "seed %u, event %d", seed, i);
            cr_assert_eq(times_of(&beside)->sql_ms, first_ms);
            cr_assert_eq(times_of(&beside)->live_ms, live_ms);
            if (roll(10) == 0)
                store_and_load(&beside);
        }
        cr_assert_eq(times_of(&beside)->mql_ms != 0,
                     times_of(&beside)->sql_ms != 0 || alone.lead.stage == BATON_MQL);
        found += first_ms != 0;
        only += first_ms && !live_ms;
        differ += first_ms && live_ms && first_ms != live_ms;
        end(&beside);
        end(&alone);
    }
    cr_expect_gt(differ, 50, "the two are not the same: %d", differ);
}

/* The next version takes in what was the shadow's own, and lets go of what both had. */
static const char second_text[] = "agreement: live\nversion: 2\n"
                                  "fit:\n"
                                  "  - {id: boss, where: {job_title: owner}, points: 20}\n"
                                  "behaviour:\n"
                                  "  - {id: visit, event: visit, points: 3}\n"
                                  "  - {id: form, event: form_fill, points: 12, at_most: {times: "
                                  "1, per: week}}\n"
                                  "  - {id: click, event: click, points: 1, half_life: 2d}\n"
                                  "  - {id: often, event: visit, while: {times: 3, within: 2d}, "
                                  "points: 9}\n"
                                  "gates: {mql: {score: 10, behaviour: 1}, sql: {score: 30}}\n"
                                  "recycle: {after: 1d, score: 20}\n";

static void turn_to(struct fold *fold, const struct agreement *agreement,
                    const struct baton_shadow *shadow)
{
    fold->agreement = agreement_compiled(agreement);
    fold->shadow = shadow;
    baton_lead_attach(&fold->lead, fold->agreement);
}

Test(domain_shadow, versions_that_turn_beside_it_make_no_difference_to_what_it_finds)
{
    const struct agreement *live[] = {parse(live_text), parse(second_text)};
    const struct agreement *next = parse(shadow_text);
    const struct baton_shadow *shadows[] = {shadow_of(shadow_text, live[0]),
                                            shadow_of(shadow_text, live[1])};
    int found = 0, behind = 0, live_behind = 0;
    for (dice = 1; found < 600;) {
        struct fold beside, alone;
        int64_t first_ms = 0, live_ms = 0;
        unsigned seed = dice, now = roll(2);
        int turns[] = {5 + (int)roll(20), 25 + (int)roll(20)};
        begin(&beside, live[now], shadows[now]);
        begin(&alone, next, NULL);
        for (int i = 0; i < EVENTS; i++) {
            struct baton_event event = any_event(i);
            if (i == turns[0] || i == turns[1]) {
                now = !now;
                turn_to(&beside, live[now], shadows[now]);
            }
            take(&beside, &event);
            take(&alone, &event);
            behind += !first_ms && i >= turns[0] && promoted_ms(&alone, &event);
            live_behind += !live_ms && i >= turns[0] && promoted_ms(&beside, &event);
            first_ms = first_ms ? first_ms : promoted_ms(&alone, &event);
            live_ms = live_ms ? live_ms : promoted_ms(&beside, &event);
            cr_assert_eq(times_of(&beside)->sql_ms, first_ms, "seed %u, event %d", seed, i);
            cr_assert_eq(times_of(&beside)->live_ms, live_ms, "seed %u, event %d", seed, i);
            if (roll(10) == 0)
                store_and_load(&beside);
        }
        found += first_ms != 0;
        end(&beside);
        end(&alone);
    }
    cr_expect(behind > 100 && live_behind > 100, "behind a turn: %d, %d", behind, live_behind);
}

Test(domain_shadow, the_live_one_does_not_see_it)
{
    struct agreement *live = parse(live_text);
    const struct baton_shadow *shadow = shadow_of(shadow_text, live);
    for (dice = 7; dice != 0 && roll(1000) != 0;) {
        struct fold beside, without;
        begin(&beside, live, shadow);
        begin(&without, live, NULL);
        for (int i = 0; i < EVENTS; i++) {
            struct baton_event event = any_event(i);
            struct baton_score a, b;
            take(&beside, &event);
            take(&without, &event);
            cr_assert_eq(beside.result.outcome, without.result.outcome);
            cr_assert_eq(beside.result.too_late, without.result.too_late);
            cr_assert_eq(beside.result.notice, without.result.notice);
            cr_assert_eq(beside.result.transition_count, without.result.transition_count);
            baton_lead_score(&beside.lead, beside.agreement, beside.lead.newest_ms, &a);
            baton_lead_score(&without.lead, without.agreement, without.lead.newest_ms, &b);
            cr_assert_arr_eq(&a, &b, sizeof a);
            cr_assert_eq(beside.lead.stage, without.lead.stage);
            cr_assert_eq(beside.lead.touch_count, without.lead.touch_count);
            cr_assert_eq(beside.words.count, without.words.count);
        }
        /* The live rules' tallies are the first of all, and the same. */
        uint16_t shared = 0;
        for (uint16_t i = 0; i < beside.lead.tally_count; i++)
            shared += beside.lead.tallies[i].rule >= 0;
        cr_assert_eq(shared, without.lead.tally_count);
        end(&beside);
        end(&without);
    }
}

/* Else what a version counts that goes live later would depend on which shadow ran before. */
Test(domain_shadow, a_rule_of_its_own_leaves_no_hits_for_a_later_version)
{
    struct agreement *live = parse(live_text), *next = parse(shadow_text);
    struct fold beside;
    begin(&beside, live, shadow_of(shadow_text, live));
    for (int i = 0; i < 20; i++) {
        struct baton_event event = {.kind = BATON_CLICK,
                                    .event_id = {"0123456789abcdefghijklm" + i, 1},
                                    .lead_id = text("lead"),
                                    .time_ms = NOON,
                                    .offset = i};
        take(&beside, &event);
    }
    cr_expect_eq(beside.lead.tally_count, 1);
    struct baton_score score;
    baton_lead_attach(&beside.lead, agreement_compiled(next));
    baton_lead_score(&beside.lead, agreement_compiled(next), NOON, &score);
    cr_expect_eq(score.score, 0);
    end(&beside);
}

Test(domain_shadow, another_shadow_begins_anew)
{
    char other_text[sizeof shadow_text];
    struct agreement *live = parse(live_text);
    struct fold fold;
    snprintf(other_text, sizeof other_text, "%s", shadow_text);
    memcpy(strstr(other_text, "version: 2"), "version: 3", 10);
    const struct baton_shadow *first = shadow_of(shadow_text, live),
                              *second = shadow_of(other_text, live);
    cr_assert_neq(first->of, second->of);
    begin(&fold, live, first);
    for (int i = 0; i < 40; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        struct baton_event event = {.kind = i % 2 ? BATON_CLICK : BATON_FORM_FILL,
                                    .event_id = text(id),
                                    .lead_id = text("lead"),
                                    .time_ms = NOON + (int64_t)i * 1000,
                                    .offset = i};
        if (i == 30) {
            cr_assert_neq(times_of(&fold)->sql_ms, 0);
            cr_assert_eq(times_of(&fold)->of, first->of);
            fold.shadow = second;
        }
        take(&fold, &event);
    }
    cr_expect_eq(times_of(&fold)->of, second->of);
    cr_expect_geq(times_of(&fold)->sql_ms, NOON + 30000);
    end(&fold);
}

Test(domain_shadow, a_lead_that_neither_finds_has_nothing_of_it)
{
    struct agreement *live = parse(live_text);
    struct fold fold;
    begin(&fold, live, shadow_of(shadow_text, live));
    struct baton_event event = {.kind = BATON_VISIT,
                                .event_id = text("1"),
                                .lead_id = text("lead"),
                                .time_ms = NOON,
                                .offset = 1};
    take(&fold, &event);
    cr_expect_null(fold.lead.history);
    cr_expect_not(fold.result.shadow_mql || fold.result.shadow_sql);
    end(&fold);
}

Test(domain_shadow, of_two_ids_the_earlier_times_stand)
{
    struct baton_history ours = {.shadow = {.of = 5, .sql_ms = 70, .live_ms = 20}};
    struct baton_history theirs = {.shadow = {.of = 5, .mql_ms = 40, .sql_ms = 50, .live_ms = 60}};
    shadow_unite(&ours, &theirs);
    cr_expect(ours.shadow.mql_ms == 40 && ours.shadow.sql_ms == 50 && ours.shadow.live_ms == 20);
    theirs.shadow = (struct baton_shadowed){.of = 6, .sql_ms = 1};
    shadow_unite(&ours, &theirs);
    cr_expect_eq(ours.shadow.sql_ms, 50, "another shadow's");
    ours.shadow = (struct baton_shadowed){.of = 0};
    shadow_unite(&ours, &theirs);
    cr_expect(ours.shadow.of == 6 && ours.shadow.sql_ms == 1);
}

Test(domain_shadow, a_property_that_nobody_keeps_is_refused)
{
    struct shadow *shadow;
    struct error error;
    struct agreement *live = parse(live_text);
    struct agreement *other =
        parse("agreement: p\nversion: 1\nfit:\n  - {id: plan, where: {properties.plan: gold}, "
              "points: 5}\nbehaviour: [{id: visit, event: visit, points: 1}]\n"
              "gates: {mql: {score: 2, behaviour: 1}, sql: {score: 4}}\n");
    cr_expect_eq(shadow_create(other, live, &shadow, &error), STATUS_STOP);
    cr_expect(strstr(error.text, "properties.plan"), "%s", error.text);
    cr_expect_eq(shadow_create(other, other, &shadow, &error), STATUS_OK);
    shadow_destroy(shadow);
}
