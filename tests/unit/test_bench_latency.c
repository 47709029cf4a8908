#include "latency/figures.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct plan_options options = {.seed = 1,
                                      .leads = 5000,
                                      .zipf = 1.0,
                                      .rate = 20000,
                                      .seconds = 10,
                                      .rising = 0.3,
                                      .rise_s = 2};

static void open_plan(struct plan *plan)
{
    struct error error;
    cr_assert_eq(plan_init(plan, &options, &error), STATUS_OK, "%s", error.text);
    plan->start_ms = 1700000000000;
}

static void make_all(struct plan *plan)
{
    struct traffic_event event;
    for (uint64_t i = 0; i < plan->events; i++)
        (void)plan_make(plan, i, &event);
}

/* ---- plan ---- */

Test(bench_latency, events_are_due_at_a_fixed_rate_whatever_happened_before)
{
    struct plan plan;
    open_plan(&plan);
    cr_assert_eq(plan.events, 200000);
    cr_assert_eq(plan_due(&plan, 0), 0);
    cr_assert_float_eq(plan_due(&plan, 199999), 9.99995, 1e-9);
    cr_assert_eq(plan_count(&plan, -1), 0);
    cr_assert_eq(plan_count(&plan, 0), 1);
    cr_assert_eq(plan_count(&plan, 1.00001), 20001);
    cr_assert_eq(plan_count(&plan, 1e9), plan.events);
    for (uint64_t i = 0; i < plan.events; i += 7) /* never before its time */
        cr_assert_leq(plan_due(&plan, plan_count(&plan, (double)i / 1e4) - 1), (double)i / 1e4);
    plan_fini(&plan);
}

Test(bench_latency, an_event_carries_the_time_at_which_it_is_due)
{
    struct plan plan;
    struct traffic_event event;
    open_plan(&plan);
    for (uint64_t i = 0; i < 50000; i++) {
        (void)plan_make(&plan, i, &event);
        cr_assert_eq(event.time_ms, 1700000000000 + (int64_t)(i / 20));
        cr_assert_eq(event.time_ms, plan_time_ms(&plan, i));
    }
    plan_fini(&plan);
}

Test(bench_latency, a_lead_has_one_promotion_by_the_event_that_lifts_it_to_a_hundred)
{
    static const unsigned points[] = {
        [TRAFFIC_VISIT] = 1, [TRAFFIC_CLICK] = 3, [TRAFFIC_FORM_FILL] = 10};
    struct plan plan;
    struct traffic_event event;
    open_plan(&plan);
    unsigned *scores = calloc(plan.lead_count, sizeof *scores);
    uint32_t promotions = 0;
    for (uint64_t i = 0; i < plan.events; i++) {
        uint32_t promotion = plan_make(&plan, i, &event);
        unsigned *score = &scores[event.lead - plan.first_lead], before = *score;
        *score += points[event.kind];
        cr_assert_eq(promotion != PLAN_NONE, before < 100 && *score >= 100);
        if (promotion == PLAN_NONE)
            continue;
        struct plan_promotion *found;
        cr_assert(plan_knows(&plan, event.lead, &found));
        cr_assert_eq(found, &plan.promotions[promotion]);
        cr_assert_eq(found->sequence, i);
        promotions++;
    }
    cr_assert_eq(promotions, plan.promotion_count);
    cr_assert_gt(promotions, 500);
    free(scores);
    plan_fini(&plan);
}

Test(bench_latency, the_key_names_the_lead_and_the_id_the_event)
{
    struct plan plan;
    struct traffic_event event;
    open_plan(&plan);
    for (uint64_t i = 0; i < 1000; i++) {
        uint32_t lead;
        uint64_t sequence;
        (void)plan_make(&plan, i, &event);
        cr_assert(traffic_lead_of(event.key, event.key_size, &lead));
        cr_assert_eq(lead, event.lead);
        /* the id is the first field of the record, behind five bytes of framing and its size */
        cr_assert(traffic_sequence_of((const char *)event.value + 6, TRAFFIC_ID_SIZE, &sequence));
        cr_assert_eq(sequence, i);
    }
    plan_fini(&plan);
}

Test(bench_latency, rising_leads_make_promotions_evenly)
{
    struct plan plan;
    open_plan(&plan);
    make_all(&plan);
    unsigned by_second[10] = {0};
    for (uint32_t i = 0; i < plan.promotion_count; i++)
        by_second[(size_t)plan_due(&plan, plan.promotions[i].sequence)]++;
    /* 6,000 events a second are of rising leads, nine in ten of which are promoted: some 75 */
    for (size_t second = 3; second < 10; second++)
        cr_assert(by_second[second] > 60 && by_second[second] < 130, "second %zu: %u", second,
                  by_second[second]);
    plan_fini(&plan);
}

Test(bench_latency, another_seed_has_other_leads)
{
    struct plan plan, other;
    struct traffic_event event;
    struct plan_promotion *promotion;
    open_plan(&plan);
    options.seed = 2;
    open_plan(&other);
    for (uint64_t i = 0; i < 10000; i++) {
        (void)plan_make(&other, i, &event);
        cr_assert(plan_knows(&other, event.lead, &promotion));
        cr_assert_not(plan_knows(&plan, event.lead, &promotion));
    }
    plan_fini(&plan);
    plan_fini(&other);
}

Test(bench_latency, without_rising_leads_all_are_of_the_known_ones)
{
    struct plan plan;
    struct traffic_event event;
    options.rising = 0;
    open_plan(&plan);
    for (uint64_t i = 0; i < plan.events; i++) {
        (void)plan_make(&plan, i, &event);
        cr_assert_lt(event.lead - plan.first_lead, options.leads);
    }
    plan_fini(&plan);
}

Test(bench_latency, rising_leads_alone_find_room_however_the_dice_fall)
{
    struct plan plan;
    struct traffic_event event;
    options.rising = 1;
    options.rise_s = 0.01;
    options.leads = 1;
    for (options.seed = 0; options.seed < 20; options.seed++) {
        open_plan(&plan);
        for (uint64_t i = 0; i < plan.events; i++) {
            (void)plan_make(&plan, i, &event);
            cr_assert_lt(event.lead - plan.first_lead, plan.lead_count);
        }
        plan_fini(&plan);
    }
}

Test(bench_latency, a_plan_without_events_is_refused)
{
    struct plan plan;
    struct error error;
    options.seconds = 0.00001;
    cr_assert_eq(plan_init(&plan, &options, &error), STATUS_STOP);
    options.seconds = 1e6;
    options.rate = 1e6;
    cr_assert_eq(plan_init(&plan, &options, &error), STATUS_STOP,
                 "more leads than there is memory for");
    cr_assert(strstr(error.text, "lower rate"), "%s", error.text);
}

/* ---- what a promotion names ---- */

#define ID "00000001-00000000000004d2" /* event 1,234 of seed 1 */

static size_t put_text(char *at, const char *text)
{
    size_t size = strlen(text);
    at[0] = (char)(size * 2); /* zigzag, of texts shorter than 64 bytes */
    memcpy(at + 1, text, size);
    return size + 1;
}

/* The record of schemas/Promotion.avsc, with empty lists; behind `head` bytes of framing. */
static size_t write_promotion(char *room, size_t head, const char *event_id)
{
    char *at = room + head;
    const char *texts[] = {"lead-1", "mql", "sql"};
    at += put_text(at, texts[0]);
    *at++ = 2; /* generation 1 */
    at += put_text(at, texts[1]);
    at += put_text(at, texts[2]);
    memset(at, 0, 4); /* time, score, fit, behaviour */
    at += 4;
    at += put_text(at, "bench-simple");
    *at++ = 2;
    at += put_text(at, "9f2c");
    at += put_text(at, event_id);
    at += put_text(at, "lead-events");
    memset(at, 0, 21); /* partition, offset, and 19 things that are empty, none or null */
    return (size_t)(at + 21 - room);
}

Test(bench_latency, a_promotion_is_read_in_each_of_batons_formats)
{
    static const char json[] = "{\"lead_id\": \"lead-1\", \"event_id\": \"" ID "\"}";
    struct receiver receiver = {0};
    struct error error;
    char single[256] = "\xC3\x01", registry[256] = {0};
    uint64_t sequence;
    cr_assert_eq(receiver_schema(&receiver, &error), STATUS_OK);
    cr_assert(receiver_sequence(&receiver, single, write_promotion(single, 10, ID), &sequence));
    cr_assert_eq(sequence, 1234);
    sequence = 0;
    cr_assert(receiver_sequence(&receiver, registry, write_promotion(registry, 5, ID), &sequence));
    cr_assert_eq(sequence, 1234);
    sequence = 0;
    cr_assert(receiver_sequence(&receiver, json, sizeof json - 1, &sequence));
    cr_assert_eq(sequence, 1234);
    receiver_fini(&receiver);
}

Test(bench_latency, what_is_cut_off_or_names_no_event_of_ours_is_not_read)
{
    struct receiver receiver = {0};
    struct error error;
    char room[256] = "\xC3\x01";
    uint64_t sequence;
    cr_assert_eq(receiver_schema(&receiver, &error), STATUS_OK);
    size_t size = write_promotion(room, 10, ID);
    for (size_t cut = 0; cut < size; cut++) {
        if (cut > 10 && cut + 21 < size) /* libavro leaks a text that is cut off */
            continue;
        char *exact = malloc(cut ? cut : 1); /* so that a step beyond it is seen */
        memcpy(exact, room, cut);
        cr_assert_not(receiver_sequence(&receiver, exact, cut, &sequence), "%zu of %zu", cut, size);
        free(exact);
    }
    size = write_promotion(room, 10, "0193-77");
    cr_assert_not(receiver_sequence(&receiver, room, size, &sequence));
    cr_assert_not(receiver_sequence(&receiver, "{\"event_id\": 7}", 15, &sequence));
    cr_assert_not(receiver_sequence(&receiver, "{\"event_id\"", 11, &sequence));
    cr_assert_not(receiver_sequence(&receiver, "hello", 5, &sequence));
    receiver_fini(&receiver);
}

/* ---- figures ---- */

#define START 1000.0 /* of the monotonic clock */
#define UNIX_AT_ZERO 1699999000.0

static struct figures figures;
static struct sender sender;

struct world {
    struct plan plan;
    struct receiver receiver;
};

/* Every promotion takes ten milliseconds: three to the broker, four in baton, three to be seen. */
static void receive_all(struct world *world)
{
    struct plan *plan = &world->plan;
    struct traffic_event event;
    open_plan(plan);
    sender = (struct sender){.start = START, .warm_up = 4, .sent = plan->events};
    sender.lag_by_second = calloc(20, sizeof *sender.lag_by_second);
    world->receiver =
        (struct receiver){.items = calloc(plan->events, sizeof *world->receiver.items)};
    for (uint64_t i = 0; i < plan->events; i++) {
        uint32_t number = plan_make(plan, i, &event);
        if (number == PLAN_NONE)
            continue;
        double due_at = START + plan_due(plan, i);
        plan->promotions[number].acked = due_at + 0.003;
        world->receiver.items[world->receiver.item_count++] =
            (struct received){.at = due_at + 0.010,
                              .made_ms = (int64_t)((due_at + 0.007 + UNIX_AT_ZERO) * 1000),
                              .sequence = i,
                              .lead = event.lead};
    }
}

static void judge(struct world *world)
{
    figures_init(&figures, &world->plan, &sender, &world->receiver, UNIX_AT_ZERO);
}

static void close_world(struct world *world)
{
    figures_fini(&figures);
    plan_fini(&world->plan);
    free(world->receiver.items);
    free(sender.lag_by_second);
}

Test(bench_latency, time_counts_from_when_the_event_was_due_and_the_warm_up_does_not)
{
    struct world world;
    receive_all(&world);
    judge(&world);
    cr_assert(figures_are_right(&figures));
    cr_assert_eq(figures.expected, world.plan.promotion_count);
    cr_assert_lt(figures.measured_count, figures.expected);
    cr_assert_eq(figures.total.total, figures.measured_count);
    for (size_t i = 0; i < figures.measured_count; i++)
        cr_assert_geq(figures.measured[i].due, 4.0);
    cr_assert_leq(llabs((long long)figures.total.most_us - 10000), 2);
    cr_assert_leq(llabs((long long)figures.total.least_us - 10000), 2);
    cr_assert_eq(figures.seconds_of[0].total > 0, true, "the warm-up is shown over time");
    close_world(&world);
}

Test(bench_latency, parts_add_up_and_are_known_to_a_millisecond)
{
    struct world world;
    receive_all(&world);
    judge(&world);
    for (size_t i = 0; i < figures.measured_count; i++) {
        const struct measured *one = &figures.measured[i];
        int64_t sum = 0;
        for (unsigned part = 0; part < PARTS; part++)
            sum += (int64_t)one->parts_us[part];
        cr_assert_leq(llabs(sum - (int64_t)one->total_us), 3);
        cr_assert_leq(llabs((int64_t)one->parts_us[PART_ACKED] - 3000), 2);
        cr_assert_leq(llabs((int64_t)one->parts_us[PART_MADE] - 4000), 600);
        cr_assert_leq(llabs((int64_t)one->parts_us[PART_VISIBLE] - 3000), 600);
    }
    close_world(&world);
}

Test(bench_latency, parts_stay_in_order_when_the_answer_to_the_sender_is_the_last_to_come)
{
    struct world world;
    receive_all(&world);
    world.plan.promotions[world.plan.promotion_count - 1].acked = START + 100;
    world.receiver.items[world.receiver.item_count - 1].made_ms = 0; /* a stamp of another clock */
    world.receiver.items[world.receiver.item_count - 2].made_ms = INT64_MAX / 2;
    judge(&world);
    for (size_t i = 0; i < figures.measured_count; i++)
        for (unsigned part = 0; part < PARTS; part++)
            cr_assert_leq(figures.measured[i].parts_us[part], figures.measured[i].total_us);
    close_world(&world);
}

Test(bench_latency, a_promotion_that_does_not_come_is_an_error_and_no_good_figure)
{
    struct world world;
    receive_all(&world);
    world.receiver.item_count--;
    judge(&world);
    cr_assert_eq(figures.missing, 1);
    cr_assert_not(figures_are_right(&figures));
    close_world(&world);
}

Test(bench_latency, a_promotion_that_comes_again_is_an_error)
{
    struct world world;
    receive_all(&world);
    world.receiver.items[world.receiver.item_count++] = world.receiver.items[0];
    judge(&world);
    cr_assert_eq(figures.repeated, 1);
    cr_assert_eq(figures.missing, 0);
    cr_assert_not(figures_are_right(&figures));
    close_world(&world);
}

Test(bench_latency, a_promotion_by_another_event_is_an_error_and_does_not_count_as_the_right_one)
{
    struct world world;
    receive_all(&world);
    world.receiver.items[5].sequence++;
    judge(&world);
    cr_assert_eq(figures.wrong, 1);
    cr_assert_eq(figures.missing, 1);
    cr_assert_not(figures_are_right(&figures));
    close_world(&world);
}

Test(bench_latency, a_lead_that_must_not_be_promoted_yet_is_an_error)
{
    struct world world;
    receive_all(&world);
    uint32_t lead = 0;
    while (world.plan.promotion_of[lead] != PLAN_NONE)
        lead++;
    world.receiver.items[world.receiver.item_count++] =
        (struct received){.lead = world.plan.first_lead + lead};
    judge(&world);
    cr_assert_eq(figures.wrong, 1);
    cr_assert_not(figures_are_right(&figures));
    close_world(&world);
}

Test(bench_latency, promotions_of_others_do_not_matter)
{
    struct world world;
    receive_all(&world);
    world.receiver.items[world.receiver.item_count++] =
        (struct received){.lead = world.plan.first_lead + world.plan.lead_count};
    world.receiver.others = 3;
    judge(&world);
    cr_assert_eq(figures.others, 4);
    cr_assert(figures_are_right(&figures));
    close_world(&world);
}

Test(bench_latency, an_event_that_was_not_sent_or_a_score_that_was_not_found_is_an_error)
{
    struct world world;
    receive_all(&world);
    judge(&world);
    figures.failed = 1;
    cr_assert_not(figures_are_right(&figures));
    figures.failed = 0;
    figures.has_freshness = true;
    cr_assert(figures_are_right(&figures));
    figures.freshness.lost = 1;
    cr_assert_not(figures_are_right(&figures));
    close_world(&world);
}

Test(bench_latency, a_run_without_a_measured_promotion_is_an_error)
{
    struct world world;
    receive_all(&world);
    sender.warm_up = 10;
    judge(&world);
    cr_assert_eq(figures.missing, 0);
    cr_assert_not(figures_are_right(&figures));
    json_decref(figures_json(&figures)); /* and can be told */
    figures_print(&figures, stderr);
    close_world(&world);
}

Test(bench_latency, the_slowest_stand_in_front_and_their_parts_are_averaged)
{
    struct world world;
    receive_all(&world);
    size_t last = world.receiver.item_count - 1;
    world.receiver.items[last].at += 0.5; /* late to be seen */
    judge(&world);
    cr_assert_geq(figures.measured[0].total_us, 509000);
    json_t *data = figures_json(&figures);
    json_t *slow = json_array_get(json_object_get(data, "slow"), 1); /* beyond 99.9 % */
    cr_assert_float_eq(json_real_value(json_object_get(slow, "beyond")), 0.999, 1e-9);
    cr_assert_gt(json_real_value(json_object_get(slow, "visible")), 0.4);
    cr_assert_float_eq(json_real_value(json_object_get(slow, "acknowledged")), 0.003, 0.001);
    json_decref(data);
    close_world(&world);
}

Test(bench_latency, json_says_how_far_percentiles_can_be_relied_on)
{
    struct world world;
    receive_all(&world);
    judge(&world);
    json_t *data = figures_json(&figures), *latency = json_object_get(data, "latency");
    cr_assert_eq((size_t)json_integer_value(json_object_get(latency, "count")),
                 figures.measured_count);
    /* some hundred promotions: ten or more beyond 90 %, not beyond 99 % */
    cr_assert_float_eq(json_real_value(json_object_get(latency, "reliable_to")), 0.9, 1e-9);
    cr_assert_eq(json_array_size(json_object_get(latency, "percentiles")), 5);
    cr_assert_gt(json_array_size(json_object_get(latency, "series")), 10);
    json_t *seconds = json_object_get(data, "per_second");
    cr_assert(json_is_true(json_object_get(json_array_get(seconds, 0), "warm_up")));
    cr_assert(json_is_false(
        json_object_get(json_array_get(seconds, json_array_size(seconds) - 1), "warm_up")));
    json_decref(data);
    close_world(&world);
}
