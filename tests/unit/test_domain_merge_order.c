/* Merges that cross, in each order in which their units may fold what lies in their partitions.
 *
 * Each lead has a unit of its own. What is written to it comes in the order of its writer, and
 * writers take turns as it pleases; what a unit makes of an event is written behind what it wrote
 * before. A schedule says at each step from which of them the next event is taken. */
#include "domain/lead_portable.h"
#include "domain_support.h"
#include "pipeline/hops.h"

#define LEADS 3
#define WRITERS (LEADS + 1) /* the leads' units, and the world outside */
#define QUEUE 64
#define STEPS 256

struct mail {
    struct baton_event event;
    struct baton_hop hop;
    struct baton_merge merge;
    struct baton_transfer transfer;
    char id[16];
};

struct queue {
    struct mail *items[QUEUE];
    size_t count, read;
};

struct place {
    struct baton_lead lead;
    struct baton_words words;
    struct tombstones tombstones;
    struct baton_text id;
    int64_t offset;
    struct queue queues[WRITERS];
    bool gave_up, reached; /* its merge is folded; a transfer has come */
};

static struct world world;
static struct place places[LEADS];
static struct arena arena;
static int events, visits, refused;
static bool crossed; /* all merges were folded before any of them had arrived */

static void begin(void)
{
    static const char *const ids[LEADS] = {"a", "b", "c"};
    arena_reset(&arena);
    events = visits = refused = 0;
    crossed = true;
    for (int i = 0; i < LEADS; i++) {
        struct place *place = &places[i];
        baton_lead_fini(&place->lead, &world.allocator);
        baton_words_fini(&place->words);
        tombstones_fini(&place->tombstones);
        *place = (struct place){.id = text_of(ids[i])};
        baton_lead_init(&place->lead);
        baton_words_init(&place->words, 64, world.allocator);
    }
}

static void start(void)
{
    world_init(&world);
    world_rule(&world, (struct baton_behaviour_rule){.kind = BATON_VISIT, .points = 5});
    arena_init(&arena, 65536);
    for (int i = 0; i < LEADS; i++) {
        baton_lead_init(&places[i].lead);
        baton_words_init(&places[i].words, 64, world.allocator);
    }
    begin();
}

static void end(void)
{
    begin();
    for (int i = 0; i < LEADS; i++)
        baton_words_fini(&places[i].words);
    arena_fini(&arena);
    world_fini(&world);
}

TestSuite(merge_order, .init = start, .fini = end);

/* ---- writing
 * ------------------------------------------------------------------------------------ */

static int index_of(struct baton_text id)
{
    for (int i = 0; i < LEADS; i++)
        if (places[i].id.size == id.size && memcmp(places[i].id.data, id.data, id.size) == 0)
            return i;
    cr_assert(false, "no such lead");
    return 0;
}

static struct mail *post(int writer, int to, const struct baton_event *event)
{
    struct queue *queue = &places[to].queues[writer];
    cr_assert_lt(queue->count, QUEUE);
    struct mail *mail = arena_take(&arena, sizeof *mail);
    *mail = (struct mail){.event = *event};
    mail->event.lead_id = places[to].id;
    queue->items[queue->count++] = mail;
    return mail;
}

static struct mail *happens(int lead, enum baton_event_kind kind)
{
    struct mail *mail = post(LEADS, lead, &(struct baton_event){.kind = kind});
    snprintf(mail->id, sizeof mail->id, "e%d", events++);
    mail->event.event_id = text_of(mail->id);
    mail->event.time_ms = MONDAY_MS + events;
    visits += kind == BATON_VISIT;
    return mail;
}

static void merged(int lead, int into)
{
    struct mail *mail = happens(lead, BATON_MERGE);
    mail->merge.into = places[into].id;
    mail->event.merge = &mail->merge;
}

static void pass_on(int from, const struct baton_event *event,
                    const struct baton_fold_result *result, const struct hop_cargo *cargo)
{
    struct mail *mail = post(from, index_of(result->to), event);
    uint32_t count = event->hop ? event->hop->trail_count : 0;
    struct baton_text *trail = arena_take(&arena, (count + 1) * sizeof *trail);
    if (count)
        memcpy(trail, event->hop->trail, count * sizeof *trail);
    trail[count] = event->lead_id;
    mail->hop = (struct baton_hop){.trail = trail, .trail_count = count + 1};
    mail->hop.own = result->hop == BATON_HOP_TRANSFER || (event->hop && event->hop->own);
    mail->event.hop = &mail->hop;
    if (result->hop == BATON_HOP_TRANSFER) {
        mail->transfer = (struct baton_transfer){.from = event->lead_id, .state = cargo->state};
        mail->event.kind = BATON_TRANSFER;
        mail->event.transfer = &mail->transfer;
    }
}

/* ---- folding
 * ------------------------------------------------------------------------------------ */

static bool is_stub(int lead)
{
    return places[lead].lead.flags & BATON_LEAD_MERGED;
}

static void note_crossing(struct place *place, const struct baton_event *event)
{
    place->gave_up = place->gave_up || event->kind == BATON_MERGE;
    if (event->kind == BATON_TRANSFER && !place->gave_up)
        crossed = false;
}

static void fold_next(int lead, struct queue *queue)
{
    struct place *place = &places[lead];
    struct baton_event event = queue->items[queue->read++]->event;
    struct baton_fold_context context = {.agreement = world.context.agreement,
                                         .words = &place->words,
                                         .allocator = &world.allocator};
    struct baton_fold_result result;
    struct hop_cargo cargo;
    event.offset = place->offset++;
    note_crossing(place, &event);
    hops_fold(&place->lead, &event, &context, &place->tombstones, &arena, 0, &result, &cargo);
    cr_assert_neq(result.outcome, BATON_OUT_OF_MEMORY);
    refused += result.refusal != BATON_NOT_REFUSED;
    if (result.refusal)
        cr_assert_eq(result.refusal, BATON_REFUSED_CYCLE);
    if (result.hop)
        pass_on(lead, &event, &result, &cargo);
}

/* From which queues the next event can come. */
static int open_queues(int leads[LEADS * WRITERS], struct queue *queues[LEADS * WRITERS])
{
    int count = 0;
    for (int i = 0; i < LEADS; i++)
        for (int w = 0; w < WRITERS; w++)
            if (places[i].queues[w].read < places[i].queues[w].count) {
                leads[count] = i;
                queues[count++] = &places[i].queues[w];
            }
    return count;
}

/* One schedule; `choices` is what was taken, of so many that `widths` tells. */
static size_t run(uint8_t *choices, uint8_t *widths, size_t given, uint32_t (*choose)(uint32_t))
{
    int leads[LEADS * WRITERS], count;
    struct queue *queues[LEADS * WRITERS];
    size_t step = 0;
    for (; (count = open_queues(leads, queues)) > 0; step++) {
        cr_assert_lt(step, STEPS, "it goes round for ever");
        if (step >= given)
            choices[step] = (uint8_t)(choose ? choose((uint32_t)count) : 0);
        widths[step] = (uint8_t)count;
        fold_next(leads[choices[step]], queues[choices[step]]);
    }
    return step;
}

/* The next schedule in their order: false after the last one. */
static bool advance(uint8_t *choices, const uint8_t *widths, size_t *steps)
{
    while (*steps > 0 && choices[*steps - 1] + 1 == widths[*steps - 1])
        --*steps;
    if (*steps == 0)
        return false;
    choices[*steps - 1]++;
    return true;
}

/* Of so many leads one is left, and has everything; the smallest, if their merges crossed. */
static void expect_one_person(int leads)
{
    int stays = -1;
    for (int i = 0; i < leads; i++) {
        if (is_stub(i))
            continue;
        cr_assert_eq(stays, -1, "two are no stubs: %d and %d", stays, i);
        stays = i;
    }
    cr_assert_neq(stays, -1, "all are stubs");
    if (crossed)
        cr_assert_eq(stays, 0, "the smallest id stays, and not %d", stays);
    struct baton_score score;
    baton_lead_score(&places[stays].lead, world.context.agreement, MONDAY_MS + 1000, &score);
    cr_assert_eq(score.behaviour, 500 * visits, "%d of %d visits", (int)score.behaviour / 500,
                 visits);
    cr_assert_eq(refused, 1, "the circle is told %d times", refused);
}

/* Where a later event of each goes, whoever it is of. */
static void expect_all_lead_there(int leads)
{
    uint8_t choices[STEPS], widths[STEPS];
    for (int i = 0; i < leads; i++)
        (void)happens(i, BATON_VISIT);
    (void)run(choices, widths, 0, NULL);
    expect_one_person(leads);
}

static uint32_t any(uint32_t below)
{
    static uint64_t seed = 88172645463325252u;
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 11) % below);
}

/* ---- the tests
 * ---------------------------------------------------------------------------------- */

Test(merge_order, of_two_the_smaller_id_stays_in_each_order)
{
    uint8_t choices[STEPS], widths[STEPS];
    size_t given = 0, schedules = 0, crossings = 0;
    for (bool more = true; more; schedules++) {
        begin();
        (void)happens(0, BATON_VISIT);
        merged(0, 1);
        (void)happens(0, BATON_VISIT);
        (void)happens(1, BATON_VISIT);
        merged(1, 0);
        (void)happens(1, BATON_VISIT);
        size_t steps = run(choices, widths, given, NULL);
        expect_one_person(2);
        crossings += crossed;
        more = advance(choices, widths, &steps);
        given = steps;
    }
    cr_assert_gt(schedules, 500);
    cr_assert(crossings > 100 && crossings < schedules, "%zu of %zu cross", crossings, schedules);
}

Test(merge_order, what_comes_afterwards_finds_the_one_that_stays)
{
    uint8_t choices[STEPS], widths[STEPS];
    for (int round = 0; round < 2000; round++) {
        begin();
        merged(1, 0);
        (void)happens(1, BATON_VISIT);
        merged(0, 1);
        (void)happens(0, BATON_VISIT);
        (void)run(choices, widths, 0, any);
        expect_one_person(2);
        expect_all_lead_there(2);
    }
}

Test(merge_order, of_three_in_a_circle_one_stays_with_everything)
{
    uint8_t choices[STEPS], widths[STEPS];
    int crossings = 0;
    for (int round = 0; round < 4000; round++) {
        begin();
        for (int i = 0; i < 3; i++) {
            int into = round % 2 ? (i + 1) % 3 : (i + 2) % 3;
            (void)happens(i, BATON_VISIT);
            merged(i, into);
            (void)happens(i, BATON_VISIT);
        }
        (void)run(choices, widths, 0, any);
        expect_one_person(3);
        crossings += crossed;
        expect_all_lead_there(3);
    }
    cr_assert_gt(crossings, 100);
}

Test(merge_order, a_circle_that_is_known_is_refused_and_the_one_that_is_there_stays)
{
    uint8_t choices[STEPS], widths[STEPS];
    begin();
    (void)happens(0, BATON_VISIT);
    merged(0, 1);
    (void)run(choices, widths, 0, NULL);
    merged(1, 0); /* the smaller id was given up before this was said */
    (void)happens(0, BATON_VISIT);
    (void)run(choices, widths, 0, NULL);
    cr_assert(is_stub(0) && !is_stub(1));
    cr_assert_not(crossed);
    expect_one_person(2);
}
