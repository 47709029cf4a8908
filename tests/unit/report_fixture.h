/* A report that was written by hand: every kind of value, every drawing, texts that try to break
 * out of a table, two currencies, more rows than are shown. */
#ifndef TESTS_UNIT_REPORT_FIXTURE_H
#define TESTS_UNIT_REPORT_FIXTURE_H

#include "report/tables.h"

#define NIL cell_none()
#define ROW(report, table, ...)                                                                    \
    memcpy(report_add_row(report, table), (struct report_value[]){__VA_ARGS__},                    \
           sizeof((struct report_value[]){__VA_ARGS__}))

static struct report_value at_most(struct report_value value)
{
    value.at_most = true;
    return value;
}

static void fixture_promises(struct report *r)
{
    struct report_value marketing = cell_word(MESSAGE_SIDE_MARKETING, "marketing", TONE_PLAIN),
                        sales = cell_word(MESSAGE_SIDE_SALES, "sales", TONE_PLAIN),
                        kept = cell_word(MESSAGE_REPORT_W_KEPT, "kept", TONE_GOOD),
                        missed = cell_word(MESSAGE_REPORT_W_MISSED, "missed", TONE_BAD),
                        nothing = cell_word(MESSAGE_REPORT_W_NOTHING, "nothing", TONE_PLAIN),
                        day = cell_word(MESSAGE_PERIOD_WORKING_DAY, "working day", TONE_PLAIN),
                        month = cell_word(MESSAGE_PERIOD_MONTH, "month", TONE_PLAIN);
    struct report_value head = cell_text("Head of Sales"), chief = cell_text("Head of Marketing");
    struct report_table *t = report_add_table(r, &table_promises);
    ROW(r, t, marketing, cell_word(MESSAGE_REPORT_P_DELIVERY, "delivery", TONE_PLAIN), day,
        cell_count(2100), cell_count(1731), cell_percent(8243), missed, cell_count(1923), chief);
    ROW(r, t, marketing, cell_text("meetings"), month, cell_percent(3000), cell_percent(3412),
        cell_percent(11373), kept, NIL, chief);
    ROW(r, t, marketing, cell_text("list-hygiene"), month, at_most(cell_percent(300)),
        cell_percent(210), cell_percent(7000), kept, NIL, chief);
    ROW(r, t, sales, cell_word(MESSAGE_REPORT_P_CUSTOMERS, "customers", TONE_PLAIN), day,
        cell_count(420), cell_count(318), cell_percent(7571), missed, cell_count(353), head);
    ROW(r, t, sales, cell_word(MESSAGE_REPORT_P_CONVERSION, "conversion", TONE_PLAIN), month,
        cell_percent(2000), cell_percent(1837), cell_percent(9185), missed, NIL, head);
    ROW(r, t, sales, cell_word(MESSAGE_REPORT_P_FIRST_CONTACT, "first_contact", TONE_PLAIN), NIL,
        cell_count(1712), cell_count(1604), cell_percent(9369), missed, NIL, head);
    ROW(r, t, sales, cell_text("new-revenue"), month, cell_money(45000000, "EUR"),
        cell_money(51210050, "EUR"), cell_percent(11380), kept, NIL, head);
    ROW(r, t, sales, cell_text("churn"), month, at_most(cell_percent(250)), NIL, NIL, nothing, NIL,
        head);
    t = report_add_table(r, &table_rates);
    ROW(r, t, cell_word(MESSAGE_REPORT_P_CONVERSION, "conversion", TONE_PLAIN), cell_percent(2000),
        cell_percent(1837), cell_count(2287));
    t = report_add_table(r, &table_clocks);
    struct report_value contact =
        cell_word(MESSAGE_REPORT_P_FIRST_CONTACT, "first_contact", TONE_PLAIN);
    ROW(r, t, contact, cell_because(MESSAGE_REPORT_W_TOTAL), cell_count(1604), cell_count(108),
        cell_percent(9369));
    ROW(r, t, contact, cell_text("Inês"), cell_count(804), cell_count(8), cell_percent(9901));
    ROW(r, t, contact, cell_text("Emre"), cell_count(800), cell_count(100), cell_percent(8889));
}

static void fixture_funnel(struct report *r)
{
    struct report_table *t = report_add_table(r, &table_funnel);
    ROW(r, t, cell_word(MESSAGE_REPORT_H_LEADS, "lead", TONE_PLAIN), cell_count(48210),
        cell_percent(1204), cell_percent(10000));
    ROW(r, t, cell_word(MESSAGE_REPORT_H_MQL, "mql", TONE_PLAIN), cell_count(5804),
        cell_percent(2982), cell_percent(1204));
    ROW(r, t, cell_word(MESSAGE_REPORT_H_SQL, "sql", TONE_PLAIN), cell_count(1731),
        cell_percent(7487), cell_percent(359));
    ROW(r, t, cell_word(MESSAGE_REPORT_H_ACCEPTED, "accepted", TONE_PLAIN), cell_count(1296),
        cell_percent(2454), cell_percent(269));
    ROW(r, t, cell_word(MESSAGE_REPORT_H_CUSTOMERS, "customer", TONE_PLAIN), cell_count(318), NIL,
        cell_percent(66));
    t = report_add_table(r, &table_days);
    for (int i = 0; i < 30; i++) {
        bool off = i % 7 == 0 || i % 7 == 6; /* the first of November 2026 is a Sunday */
        ROW(r, t, cell_date(20758 + i), cell_count(off ? 700 : 1800 + 37 * (i % 5)),
            cell_count(off ? 60 : 200 + 11 * (i % 6)), cell_count(off ? 0 : 70 + 4 * (i % 4)),
            cell_count(off ? 0 : 50 + 3 * (i % 7)), cell_count(off ? 0 : 11 + i % 5));
    }
}

static void fixture_channels(struct report *r)
{
    static const char *const names[] = {"search", "search", "newsletter",
                                        "partners and resellers of the whole of southern Europe",
                                        "<b>social</b> & \"co\" | x"};
    struct report_table *t = report_add_table(r, &table_channels);
    ROW(r, t, cell_text(names[0]), cell_text("EUR"), cell_money(1250050, ""), cell_count(2210),
        cell_count(702), cell_count(141), cell_money(566, ""), cell_money(1781, ""),
        cell_money(8866, ""), cell_money(23110000, ""));
    ROW(r, t, cell_text(names[0]), cell_text("USD"), cell_money(410000, ""), cell_count(2210),
        cell_count(702), cell_count(141), cell_money(186, ""), cell_money(584, ""),
        cell_money(2908, ""), cell_money(9900000, ""));
    ROW(r, t, cell_text(names[2]), cell_text("EUR"), cell_money(90000, ""), cell_count(904),
        cell_count(388), cell_count(92), cell_money(100, ""), cell_money(232, ""),
        cell_money(978, ""), cell_money(11000000, ""));
    ROW(r, t, cell_text(names[3]), cell_text("EUR"), cell_money(700000, ""), cell_points(41233),
        cell_points(24150), cell_points(3850), cell_money(1698, ""), cell_money(2899, ""),
        cell_money(18182, ""), NIL);
    ROW(r, t, cell_text(names[4]), NIL, NIL, cell_count(310), cell_count(44), cell_count(0), NIL,
        NIL, NIL, NIL);
    ROW(r, t, cell_word(MESSAGE_REPORT_W_NONE, "(none)", TONE_PLAIN), NIL, NIL, cell_count(1968),
        cell_count(356), cell_count(47), NIL, NIL, NIL, NIL);
    ROW(r, t, cell_because(MESSAGE_REPORT_W_TOTAL), cell_text("EUR"), cell_money(2040050, ""),
        cell_count(5804), cell_count(1731), cell_count(318), cell_money(351, ""),
        cell_money(1179, ""), cell_money(6415, ""), cell_money(34110000, ""));
    (void)report_add_table(r, &table_campaigns);
    t = report_add_table(r, &table_cheapest);
    ROW(r, t, cell_text("newsletter"), cell_word(MESSAGE_REPORT_W_CHANNEL, "channel", TONE_PLAIN),
        cell_text("EUR"), cell_money(90000, ""), cell_count(92), cell_money(978, ""));
    ROW(r, t, cell_text("spring_2026"),
        cell_word(MESSAGE_REPORT_W_CAMPAIGN, "campaign", TONE_PLAIN), cell_text("EUR"),
        cell_money(90000, ""), cell_count(9), cell_money(10000, ""));
    t = report_add_table(r, &table_best);
    ROW(r, t, cell_text("newsletter"), cell_word(MESSAGE_REPORT_W_CHANNEL, "channel", TONE_PLAIN),
        cell_count(388), cell_count(92), cell_percent(2371));
    ROW(r, t, cell_text("search"), cell_word(MESSAGE_REPORT_W_CHANNEL, "channel", TONE_PLAIN),
        cell_count(702), cell_count(141), cell_percent(2009));
}

static void fixture_quality(struct report *r)
{
    struct report_table *t = report_add_table(r, &table_segments);
    ROW(r, t, cell_text("mid-market"), cell_count(2100), cell_count(820), cell_count(201),
        cell_count(410), cell_percent(3290), cell_days(100), cell_days(700), cell_days(2400));
    ROW(r, t, cell_text("small business"), cell_count(3004), cell_count(700), cell_count(103),
        cell_count(520), cell_percent(1653), cell_days(0), cell_days(400), cell_days(900));
    ROW(r, t, cell_text("öffentliche Hand"), cell_count(700), cell_count(211), cell_count(14),
        cell_count(2), cell_because(MESSAGE_REPORT_W_TOO_FEW), cell_days(1250), cell_days(3100),
        NIL);
    (void)report_add_table(r, &table_sectors);
    t = report_add_table(r, &table_reasons);
    ROW(r, t, cell_text("no budget"), cell_count(402), cell_percent(4313));
    ROW(r, t, cell_text("not reachable"), cell_count(310), cell_percent(3326));
    ROW(r, t, cell_text("wrong segment"), cell_count(140), cell_percent(1502));
    ROW(r, t, cell_text("competitor"), cell_count(80), cell_percent(858));
    t = report_add_table(r, &table_obstacles_pages);
    ROW(r, t, cell_text("price"), cell_text("/pricing"), cell_count(61));
    ROW(r, t, cell_text("no integration"), cell_text("/docs/api"), cell_count(17));
}

static void fixture_rules(struct report *r)
{
    struct report_table *t = report_add_table(r, &table_rules);
    for (int i = 0; i < 30; i++) {
        char *id = arena_take(&r->arena, 24);
        (void)snprintf(id, 24, "rule-%02d", i + 1);
        bool few = i % 9 == 8;
        struct report_value too_few = cell_because(MESSAGE_REPORT_W_TOO_FEW);
        ROW(r, t, cell_text(id), cell_count(12000 - 390 * i), cell_count(900 - 20 * i),
            cell_count(few ? 3 : 120), cell_count(few ? 4 : 410 - 11 * i),
            few ? too_few : cell_percent(2264 + 60 * i), few ? NIL : cell_percent(3774),
            few ? NIL : cell_points(123 + 3 * i));
    }
    t = report_add_table(r, &table_silent);
    ROW(r, t, cell_text("left-the-list"), cell_word(MESSAGE_REPORT_W_RULE, "rule", TONE_PLAIN));
    ROW(r, t, cell_text("churn"), cell_word(MESSAGE_REPORT_W_GOAL, "goal", TONE_PLAIN));
}

static void fixture_note(struct report *r, enum message_id side, int64_t kept, int64_t all)
{
    struct report_note *note = report_add_note(r, MESSAGE_REPORT_SIDE_KEPT);
    note->headline = true;
    note->tone = kept == all ? TONE_GOOD : TONE_BAD;
    note->holes[0] = (struct report_hole){"side", cell_word(side, "", TONE_PLAIN)};
    note->holes[1] = (struct report_hole){"kept", cell_count(kept)};
    note->holes[2] = (struct report_hole){"all", cell_count(all)};
}

static void report_fixture(struct report *r)
{
    report_init(r);
    r->agreement = "demo-saas";
    r->hash = "0123456789abcdef0123456789abcdef";
    r->version = 3;
    r->period = "2026-11";
    r->first_day = 20758;
    r->last_day = 20787;
    r->counted_from = 20700;
    r->now_local_ms = INT64_C(1796034600000);
    r->running = true;
    r->too_few = 30;
    fixture_note(r, MESSAGE_SIDE_MARKETING, 2, 3);
    fixture_note(r, MESSAGE_SIDE_SALES, 1, 4);
    struct report_note *note = report_add_note(r, MESSAGE_REPORT_COUNTED_FROM);
    note->holes[0] = (struct report_hole){"date", cell_date(20700)};
    (void)report_add_note(r, MESSAGE_REPORT_BY_FIRST);
    fixture_promises(r);
    fixture_funnel(r);
    fixture_channels(r);
    fixture_quality(r);
    fixture_rules(r);
}

#endif
