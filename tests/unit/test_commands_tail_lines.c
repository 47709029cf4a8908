/* Lines of `baton tail` for people: promises and dead letters. */
#include "commands/tail_lines.h"

#include <criterion/criterion.h>

static void expect_line(enum outgoing_topic topic, const char *record, const char *change,
                        const char *line)
{
    struct text_buffer out;
    json_t *value = json_loads(record, 0, NULL);
    cr_assert(value, "%s", record);
    text_buffer_init(&out);
    tail_line(topic, value, false, &out);
    cr_expect_str_eq(tail_change_of(topic, value), change);
    cr_expect_str_eq(out.data, line);
    text_buffer_fini(&out);
    json_decref(value);
}

#define OF_CLOCK(state, time)                                                                      \
    "{\"promise\":\"first_contact\",\"state\":\"" state "\",\"owner\":\"Head of Sales\","          \
    "\"escalate_to\":\"Board\",\"time\":\"" time "\",\"lead_id\":\"anna\",\"seller\":\"Ana\","     \
    "\"due\":\"2026-11-02T13:00:00.000Z\",\"period\":null,\"unit\":null}"

Test(tail_lines, a_reminder_is_no_breach_and_escalates_nothing)
{
    expect_line(TOPIC_BREACHES, OF_CLOCK("reminder", "2026-11-02T12:00:00.000Z"), "reminder",
                "2026-11-02 12:00:00  reminder      anna  first contact is due 2026-11-02 13:00:00 "
                "UTC  with Ana  owner Head of Sales\n");
}

Test(tail_lines, a_breach_says_when_it_was_due_and_who_is_to_know)
{
    expect_line(TOPIC_BREACHES, OF_CLOCK("broken", "2026-11-02T13:00:00.000Z"), "breach",
                "2026-11-02 13:00:00  breach        anna  first contact was due 2026-11-02 "
                "13:00:00 UTC  with Ana  owner Head of Sales, escalated to Board\n");
    expect_line(TOPIC_BREACHES, OF_CLOCK("kept", "2026-11-02T13:00:00.000Z"), "correction",
                "2026-11-02 13:00:00  correction    anna  first contact was due 2026-11-02 "
                "13:00:00 UTC, and was kept  with Ana  owner Head of Sales\n");
}

#define OF_GOAL(promise, state, figures)                                                           \
    "{\"promise\":\"" promise "\",\"state\":\"" state "\",\"owner\":\"Head of Sales\","            \
    "\"time\":\"2026-11-04T00:00:00.000Z\",\"lead_id\":null,\"period\":\"2026-11-03\"," figures    \
    "}"

Test(tail_lines, a_goal_is_told_with_its_period_and_figures)
{
    expect_line(TOPIC_BREACHES,
                OF_GOAL("delivery", "missed", "\"unit\":\"leads\",\"promised\":100,\"actual\":0"),
                "breach",
                "2026-11-04 00:00:00  breach        delivery  2026-11-03: 0 of 100 leads  owner "
                "Head of Sales\n");
    expect_line(TOPIC_BREACHES,
                OF_GOAL("meetings", "met",
                        "\"unit\":\"percent\",\"promised\":30,\"actual\":32.5,\"needed\":40"),
                "correction",
                "2026-11-04 00:00:00  correction    meetings  2026-11-03: 32.5%, promised: 30%, at "
                "this rate 40 SQLs are needed, and is met  owner Head of Sales\n");
    expect_line(TOPIC_BREACHES,
                OF_GOAL("cycle", "missed", "\"unit\":\"days\",\"promised\":45,\"actual\":50"),
                "breach",
                "2026-11-04 00:00:00  breach        cycle  2026-11-03: 50, promised: 45 days  "
                "owner Head of Sales\n");
    expect_line(TOPIC_BREACHES, OF_GOAL("review", "announced", "\"unit\":null"), "announcement",
                "2026-11-04 00:00:00  announcement  review  on 2026-11-03  owner Head of Sales\n");
}

Test(tail_lines, a_dead_letter_says_why_and_where_it_stands)
{
    expect_line(TOPIC_DEAD,
                "{\"time\":\"2026-11-02T12:00:00.000Z\",\"reason\":\"key_mismatch\","
                "\"detail\":\"the value says bob\",\"topic\":\"lead-events\",\"partition\":5,"
                "\"offset\":81234,\"key\":\"anna\"}",
                "dead",
                "2026-11-02 12:00:00  dead       anna  key_mismatch: the value says bob  "
                "lead-events, partition 5, offset 81234\n");
    expect_line(TOPIC_DEAD,
                "{\"time\":null,\"reason\":\"empty\",\"detail\":\"\",\"topic\":\"lead-events\","
                "\"partition\":0,\"offset\":0,\"key\":null}",
                "dead", "  dead       (no key)  empty  lead-events, partition 0, offset 0\n");
}

Test(tail_lines, points_beyond_a_limit_are_at_most_so_many)
{
    expect_line(TOPIC_PROMOTIONS,
                "{\"time\":\"2026-11-02T12:00:00.000Z\",\"lead_id\":\"anna\",\"score\":65,"
                "\"fit\":40,\"behaviour\":25,\"rules\":[{\"id\":\"demo\",\"points\":25}],"
                "\"fit_rules\":[{\"id\":\"fleet\",\"points\":35},{\"id\":\"near\",\"points\":15}]}",
                "promotion",
                "2026-11-02 12:00:00  promotion  anna  65 points (fit at most 40, behaviour 25): "
                "fleet 35, demo 25, near 15\n");
}
