/* The tables of a report, from forty leads whose figures are worked out by hand here. */
#include "pact/spend.h"
#include "report/report.h"

#include "unit/pact_support.h"

#define FROM NOV(1)
#define TO NOV(31)

/* Leads that went the same way. */
static const struct way {
    int64_t leads;
    const char *channel, *campaign, *segment;
    char end; /* l: lead, m: MQL, s: SQL, c: customer, r: rejected */
    const char *seller, *reason, *currency;
    int64_t deal;
    int contact_days, customer_days;
} ways[] = {
    {10, "search", "spring", "mid", 'l', "", "", "", 0, 0, 0},
    {6, "search", "spring", "small", 'm', "", "", "", 0, 0, 0},
    {4, "newsletter", "(none)", "mid", 'm', "", "", "", 0, 0, 0},
    {5, "search", "spring", "mid", 'c', "Ana", "", "EUR", 100000, 1, 10},
    {3, "search", "spring", "mid", 'r', "Ana", "no budget", "", 0, 2, 0},
    {4, "newsletter", "(none)", "small", 'c', "Bruno", "", "USD", 200000, 0, 20},
    {6, "newsletter", "(none)", "small", 'r', "Bruno", "not reachable", "", 0, 3, 0},
    {2, "social", "summer", "(none)", 's', "", "", "", 0, 0, 0},
};

static void add_everywhere(struct hand_unit *unit, const struct way *way, int32_t day,
                           enum pact_measure measure, const char *second, int64_t amount)
{
    hand_add(unit, day, measure, PACT_ALL, "", second, amount);
    hand_add(unit, day, measure, PACT_SEGMENT, way->segment, second, amount);
    hand_add(unit, day, measure, PACT_CHANNEL_FIRST, way->channel, second, amount);
    hand_add(unit, day, measure, PACT_CAMPAIGN_FIRST, way->campaign, second, amount);
}

static void add_days(struct hand_unit *unit, const struct way *way, enum pact_measure measure,
                     int days)
{
    char second[12];
    (void)snprintf(second, sizeof second, "%d", days);
    hand_add(unit, NOV(20), measure, PACT_SEGMENT, way->segment, second, way->leads);
    if (measure == PACT_DAYS_CUSTOMER)
        hand_add(unit, NOV(4), PACT_COHORT_CUSTOMER, PACT_ALL, "", second, way->leads);
}

static void add_way(struct hand_unit *unit, const struct way *way)
{
    hand_all(unit, NOV(2), PACT_LEADS, way->leads);
    if (way->end == 'l')
        return;
    add_everywhere(unit, way, NOV(3), PACT_MQL, "0", way->leads);
    if (way->end == 'm')
        return;
    add_everywhere(unit, way, NOV(4), PACT_SQL, "0", way->leads);
    if (way->end == 's')
        return;
    add_days(unit, way, PACT_DAYS_CONTACT, way->contact_days);
    if (way->end == 'r') {
        add_everywhere(unit, way, NOV(20), PACT_REJECTED, "0", way->leads);
        add_everywhere(unit, way, NOV(20), PACT_LOST, "0", way->leads);
        hand_add(unit, NOV(20), PACT_REJECTED, PACT_REASON, way->reason, "0", way->leads);
        return;
    }
    add_everywhere(unit, way, NOV(10), PACT_ACCEPTED, "0", way->leads);
    add_everywhere(unit, way, NOV(20), PACT_CUSTOMER, "0", way->leads);
    add_everywhere(unit, way, NOV(20), PACT_WON, "0", way->leads);
    add_everywhere(unit, way, NOV(20), PACT_REVENUE, way->currency, way->leads * way->deal);
    add_days(unit, way, PACT_DAYS_CUSTOMER, way->customer_days);
}

static void add_clock(struct hand_unit *unit, enum pact_measure measure, const char *seller,
                      int64_t count)
{
    hand_add(unit, NOV(6), measure, PACT_ALL, "", "0", count);
    hand_add(unit, NOV(6), measure, PACT_SELLER, seller, "0", count);
}

static void add_rule(struct hand_unit *unit, const char *id, const int64_t counts[4])
{
    static const enum pact_measure measures[] = {PACT_RULE_LEADS, PACT_RULE_SQL, PACT_RULE_WON,
                                                 PACT_RULE_LOST};
    for (size_t i = 0; i < 4; i++)
        if (counts[i])
            hand_add(unit, NOV(5), measures[i], PACT_RULE, id, "", counts[i]);
}

static void add_rest(struct hand_unit *unit)
{
    hand_all(unit, NOV(7), PACT_MEETING, 6);
    add_clock(unit, PACT_KEPT, "Ana", 8);
    add_clock(unit, PACT_KEPT, "Bruno", 8);
    add_clock(unit, PACT_BROKEN, "Bruno", 2);
    add_rule(unit, "demo", (int64_t[]){20, 15, 8, 2});
    add_rule(unit, "pricing", (int64_t[]){30, 10, 3, 6});
    add_rule(unit, "boss", (int64_t[]){0, 5, 2, 1});
    hand_add(unit, NOV(8), PACT_OBSTACLE, PACT_BY_PAGE, "/pricing", "price", 2);
    hand_add(unit, NOV(8), PACT_OBSTACLE, PACT_BY_PAGE, "/docs", "price", 3);
    hand_add(unit, NOV(8), PACT_OBSTACLE, PACT_BY_CAMPAIGN, "spring", "price", 5);
    /* of another month */
    hand_all(unit, NOV(0), PACT_SQL, 1000);
    hand_add(unit, NOV(31), PACT_SQL, PACT_CHANNEL_FIRST, "search", "0", 1000);
}

static const struct baton_goal goals[] = {
    {.id = HAND_TEXT("customers"),
     .measure = BATON_GOAL_CUSTOMERS,
     .amount = 1000,
     .per = BATON_SPAN_MONTH,
     .side = BATON_SALES,
     .owner = HAND_TEXT("Head of Sales")},
    {.id = HAND_TEXT("conversion"),
     .measure = BATON_GOAL_CONVERSION,
     .amount = 300,
     .per = BATON_SPAN_MONTH,
     .side = BATON_SALES,
     .judge_after_ms = 30 * INT64_C(86400000)},
    {.id = HAND_TEXT("delivery"),
     .measure = BATON_GOAL_SQLS,
     .amount = 3000,
     .per = BATON_SPAN_MONTH,
     .side = BATON_MARKETING},
    {.id = HAND_TEXT("meetings"),
     .measure = BATON_GOAL_MEETING_RATE,
     .amount = 3000,
     .per = BATON_SPAN_MONTH,
     .side = BATON_BOTH},
};

static const struct baton_pact pact = {.clocks = {{.within = {BATON_WORKING_HOURS, 4}}},
                                       .has_clocks = true,
                                       .goals = goals,
                                       .goal_count = 4};
static const struct baton_behaviour_rule behaviour[] = {
    {.id = HAND_TEXT("demo")}, {.id = HAND_TEXT("pricing")}, {.id = HAND_TEXT("careers")}};
static const struct baton_fit_rule fit[] = {{.id = HAND_TEXT("boss")}};
static const struct baton_agreement agreement = {.name = HAND_TEXT("forty"),
                                                 .version = 7,
                                                 .hash = HAND_TEXT("abc"),
                                                 .zone = &hand_utc,
                                                 .zone_count = 1,
                                                 .behaviour = behaviour,
                                                 .behaviour_count = 3,
                                                 .fit = fit,
                                                 .fit_count = 1,
                                                 .pact = &pact};

static struct pact_sums *sums;
static struct spend_table *spend;
static struct report report;

static void spent(struct baton_text channel, const char *currency, int64_t amount)
{
    struct baton_spend detail = {.channel = channel,
                                 .first_day = FROM,
                                 .end_day = TO,
                                 .period = HAND_TEXT("2026-11"),
                                 .amount = amount,
                                 .currency = {currency, 3}};
    struct baton_event event = {.kind = BATON_SPEND, .time_ms = 1, .spend = &detail};
    spend_take(spend, &event);
}

static struct report_input input(void)
{
    return (struct report_input){.agreement = &agreement,
                                 .sums = sums,
                                 .spend = spend,
                                 .span = {FROM, TO},
                                 .period = "2026-11",
                                 .now_ms = NOV(70) * INT64_C(86400000),
                                 .counted_from = INT32_MIN,
                                 .too_few = 8};
}

static void begin(void)
{
    struct hand_unit first = hand_unit(), second = hand_unit();
    sums = sums_create();
    spend = spend_create();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        add_way(i % 2 ? &first : &second, &ways[i]); /* two partitions */
    add_rest(&second);
    hand_take(sums, &first);
    hand_take(sums, &second);
    spent(HAND_TEXT("search"), "EUR", 40000);
    spent(HAND_TEXT("search"), "USD", 5000);
    spent(HAND_TEXT("newsletter"), "EUR", 10000);
    struct report_input in = input();
    report_make(&report, &in);
}

static void end(void)
{
    report_fini(&report);
    sums_destroy(sums);
    spend_destroy(spend);
}

TestSuite(report_make, .init = begin, .fini = end);

/* The rows of a table as people read them, in English: cells with a blank between, lines by ";". */
static const char *table(const char *id)
{
    static char text[8192];
    json_t *json = report_json(&report), *rows, *row, *cell;
    size_t i, used = 0;
    const char *key;
    rows = json_object_get(json_object_get(json, "tables"), id);
    cr_assert(rows, "there is no table %s", id);
    text[0] = 0;
    json_array_foreach(rows, i, row)
    {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", i ? ";" : "");
        json_object_foreach(row, key, cell)
        {
            char *dumped = json_is_string(cell)
                               ? strdup(json_string_value(cell))
                               : json_dumps(cell, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
            used += (size_t)snprintf(text + used, sizeof text - used, "%s ", dumped);
            free(dumped);
        }
    }
    json_decref(json);
    return text;
}

Test(report_make, promises_of_both_sides)
{
    cr_expect_str_eq(table("promises"), "marketing delivery month 30 20 66.67 missed null null ;"
                                        "sales customers month 10 9 90 missed null Head of Sales ;"
                                        "sales conversion month 33.33 45 135.01 kept null null ;"
                                        "sales first_contact null 18 16 88.89 missed null null ;"
                                        "both meetings month 30 30 100 kept null null ");
    /* 10 customers × 20 SQLs ÷ 9 won = 22.2 */
    cr_expect_str_eq(table("rates"), "conversion 33.33 45 23 ;meetings 30 30 null ");
}

Test(report_make, a_promise_of_both_counts_for_each_side)
{
    int64_t expected[2][2] = {{1, 2}, {2, 4}};
    for (size_t i = 0; i < 2; i++) {
        cr_assert(report.notes[i].headline);
        cr_expect_eq(report.notes[i].holes[1].value.amount, expected[i][0]);
        cr_expect_eq(report.notes[i].holes[2].value.amount, expected[i][1]);
    }
}

Test(report_make, clocks_by_seller)
{
    cr_expect_str_eq(table("clocks"), "first_contact null 16 2 88.89 ;first_contact Ana 8 0 100 ;"
                                      "first_contact Bruno 8 2 80 ");
}

Test(report_make, the_funnel)
{
    cr_expect_str_eq(table("funnel"), "lead 40 75 100 ;mql 30 66.67 75 ;sql 20 45 50 ;"
                                      "accepted 9 100 22.5 ;customer 9 null 22.5 ");
}

Test(report_make, days_add_up_to_the_funnel)
{
    const struct report_table *days = report_find(&report, "days");
    int64_t sum[5] = {0}, expected[5] = {40, 30, 20, 9, 9};
    cr_assert_eq(days->row_count, 30);
    for (size_t row = 0; row < 30; row++)
        for (size_t i = 0; i < 5; i++)
            sum[i] += days->cells[row * 6 + 1 + i].amount;
    cr_expect_arr_eq(sum, expected, sizeof sum);
    cr_expect_eq(days->cells[1 * 6 + 1].amount, 40, "all on the second");
}

Test(report_make, two_currencies_stand_side_by_side)
{
    cr_expect_str_eq(table("channels"), "newsletter EUR 100 14 10 4 7.14 10 25 null ;"
                                        "newsletter USD null 14 10 4 null null null 8000 ;"
                                        "search EUR 400 14 8 5 28.57 50 80 5000 ;"
                                        "search USD 50 14 8 5 3.57 6.25 10 null ;"
                                        "social null null 2 2 0 null null null null ;"
                                        "null EUR 500 30 20 9 16.67 25 55.56 5000 ;"
                                        "null USD 50 30 20 9 1.67 2.5 5.56 8000 ");
    cr_expect_str_eq(table("cheapest"), "newsletter channel EUR 100 4 25 ;"
                                        "search channel EUR 400 5 80 ;"
                                        "search channel USD 50 5 10 ");
}

Test(report_make, campaigns_that_were_not_named_are_none)
{
    cr_expect_str_eq(table("campaigns"), "(none) EUR 500 14 10 4 35.71 50 125 null ;"
                                         "(none) USD 50 14 10 4 3.57 5 12.5 8000 ;"
                                         "spring EUR null 14 8 5 null null null 5000 ;"
                                         "summer null null 2 2 0 null null null null ;"
                                         "null EUR 500 30 20 9 16.67 25 55.56 5000 ;"
                                         "null USD 50 30 20 9 1.67 2.5 5.56 8000 ");
}

Test(report_make, the_best_have_enough_sqls)
{
    cr_expect_str_eq(table("best"), "search channel 8 5 62.5 ;spring campaign 8 5 62.5 ;"
                                    "newsletter channel 10 4 40 ");
}

Test(report_make, segments_with_lower_medians)
{
    cr_expect_str_eq(table("segments"), "mid 12 8 5 3 62.5 1 null 10 ;"
                                        "small 16 10 4 6 40 3 null 20 ;"
                                        "(none) 2 2 0 0 null null null null ");
    cr_expect_str_empty(table("sectors"));
}

Test(report_make, reasons_and_obstacles)
{
    cr_expect_str_eq(table("reasons"), "not reachable 6 66.67 ;no budget 3 33.33 ");
    cr_expect_str_eq(table("obstacles_pages"), "price /docs 3 ;price /pricing 2 ");
    cr_expect_str_eq(table("obstacles_campaigns"), "price spring 5 ");
}

Test(report_make, rules_by_what_they_say)
{
    /* Half of all were won: a rule with 8 of 10 lifts by 1.6. */
    cr_expect_str_eq(table("rules"), "demo 20 15 8 2 80 88.89 1.6 ;"
                                     "pricing 30 10 3 6 33.33 33.33 0.67 ;"
                                     "boss null 5 2 1 null null null ");
    cr_expect_str_eq(table("silent"), "careers rule ");
    cr_expect_str_empty(table("shadow"));
}

Test(report_make, shared_leads_add_up)
{
    struct hand_unit unit = hand_unit();
    struct report_input in = input();
    report_fini(&report);
    sums_destroy(sums);
    sums = sums_create();
    hand_all(&unit, NOV(3), PACT_SQL, 1);
    hand_add(&unit, NOV(3), PACT_SQL, PACT_CHANNEL_LINEAR, "search", "0", 333333);
    hand_add(&unit, NOV(3), PACT_SQL, PACT_CHANNEL_LINEAR, "newsletter", "0", 666667);
    hand_take(sums, &unit);
    in.sums = sums;
    in.attribution = ATTRIBUTE_LINEAR;
    report_make(&report, &in);
    cr_expect_str_eq(table("channels"), "newsletter EUR 100 0 0.67 0 null 150 null null ;"
                                        "search EUR 400 0 0.33 0 null 1200 null null ;"
                                        "search USD 50 0 0.33 0 null 150 null null ;"
                                        "null EUR 500 0 1 0 null 500 null null ;"
                                        "null USD 50 0 1 0 null 50 null null ");
}

Test(report_make, a_period_that_runs_is_not_judged_yet)
{
    struct report_input in = input();
    in.now_ms = NOV(16) * INT64_C(86400000);
    report_fini(&report);
    report_make(&report, &in);
    cr_expect(report.running);
    /* 20 SQLs in 15 of 30 days come to 40; 9 customers are there already, in days to come */
    const char *promises = table("promises");
    cr_expect(strstr(promises, "marketing delivery month 30 20 66.67 on course 40 null "), "%s",
              promises);
    cr_expect(strstr(promises, "first_contact null 18 16 88.89 missed"), "%s", promises);
    cr_expect_eq(report_find(&report, "days")->row_count, 16, "days to come are no zeros");
}

Test(report_make, a_month_without_anything)
{
    struct report_input in = input();
    in.span = (struct calendar_span){NOV(-60), NOV(-30)};
    in.spend = NULL;
    in.counted_from = NOV(1);
    report_fini(&report);
    report_make(&report, &in);
    cr_expect_str_empty(table("channels"));
    cr_expect_str_empty(table("funnel"));
    cr_expect_str_eq(table("silent"), "demo rule ;pricing rule ;careers rule ;conversion goal ;"
                                      "meetings goal ");
    bool told = false;
    for (size_t i = 0; i < report.note_count; i++)
        told = told || report.notes[i].id == MESSAGE_REPORT_COUNTED_FROM;
    cr_expect(told, "counting had not begun");
}

Test(report_make, the_shadow_beside_the_one_in_force)
{
    struct hand_unit unit = hand_unit();
    hand_all(&unit, NOV(3), PACT_SHADOW_BOTH, 4);
    hand_all(&unit, NOV(3), PACT_SHADOW_EARLIER_H, 10);
    hand_all(&unit, NOV(3), PACT_SHADOW_ONLY, 3);
    hand_all(&unit, NOV(3), PACT_SHADOW_LIVE_ONLY, 2);
    hand_all(&unit, NOV(9), PACT_SHADOW_WON, 5);
    hand_all(&unit, NOV(9), PACT_SHADOW_LOST, 1);
    hand_all(&unit, NOV(9), PACT_SHADOW_LIVE_WON, 4);
    hand_all(&unit, NOV(9), PACT_SHADOW_LIVE_LOST, 2);
    hand_take(sums, &unit);
    struct report_input in = input();
    report_fini(&report);
    report_make(&report, &in);
    cr_expect_str_eq(table("shadow"), "both 4 null null 2.5 ;shadow only 3 null null null ;"
                                      "in force only 2 null null null ;shadow 7 5 1 null ;"
                                      "in force 6 4 2 null ");
    bool told = false;
    for (size_t i = 0; i < report.note_count; i++)
        told = told || (report.notes[i].id == MESSAGE_REPORT_SHADOW_SINCE &&
                        report.notes[i].holes[0].value.amount == NOV(3));
    cr_expect(told, "since when it runs");
}
