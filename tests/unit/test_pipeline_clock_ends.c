/* Clocks that end while they run: with their lead, with their generation, or because the lead takes
 * those of another one over. What is counted of them follows from the log alone. C is the unit's
 * time at the fold, T when the event that ends them arrived. */
#define CLOCK_SUITE clock_ends
#include "clock_cases.h"

TestSuite(clock_ends, .init = start, .fini = end);

/* The store falls back to where it was saved: all behind is replayed, from an older C. */
static void replayed(void)
{
    rest();
    owner_kill(&world, 0);
    memory_db_fall_back(world.db);
    owner_start(&world, 0);
    rest();
}

static int64_t due_ms;

static void promote_and_save(void)
{
    promote("a");
    due_ms = now_ms() + 4 * HOUR_MS; /* of first_contact, nearly */
    memory_db_save(world.db);
}

#define AFTER(hours) (due_ms + (hours)*HOUR_MS)

static int64_t at_most_now(int64_t time_ms)
{
    return time_ms < now_ms() ? time_ms : now_ms();
}

static void merge_into(const char *into, int64_t arrived_ms)
{
    char rest[64];
    (void)snprintf(rest, sizeof rest, ",\"into\":\"%s\"", into);
    append_arrived("a", "merge", at_most_now(arrived_ms), rest, arrived_ms);
}

static void end_generation(int64_t arrived_ms)
{
    append_arrived("a", "adjust", at_most_now(arrived_ms),
                   ",\"by\":\"Ana\",\"reason\":\"again\",\"stage\":\"lead\"", arrived_ms);
}

static void are(size_t told_now, int64_t broken)
{
    cr_expect_eq(told_in_all(), told_now);
    cr_expect_eq(counted_broken(), broken);
}

/* ---- A merge ---- */

COUNTED(a_lead_that_is_merged_away_leaves_what_was_due)
{
    promote_and_save();
    pass(5 * HOUR_US);
    merge_into("b", now_ms());
    rest();
    are(1, 1);
    replayed();
    cr_expect_eq(told("a/1/first_contact"), 1);
    are(1, 1);
}

COUNTED(what_was_due_at_the_merge_and_is_not_told_is_told_with_it)
{
    promote_and_save();
    pass(2 * HOUR_US);
    merge_into("b", AFTER(1));
    rest();
    cr_expect_eq(told("a/1/first_contact"), 1);
    are(1, 1);
    replayed();
    are(1, 1);
    pass(5 * HOUR_US);
    are(1, 1);
    pass(60 * HOUR_US);
    cr_expect_eq(told("b/1/verdict"), 1);
}

COUNTED(what_was_told_before_a_merge_of_earlier_arrives_is_counted_by_who_stays)
{
    promote_and_save();
    pass(5 * HOUR_US);
    merge_into("b", AFTER(-1));
    rest();
    cr_expect_eq(told("a/1/first_contact"), 1);
    are(1, 1);
    replayed();
    are(1, 1);
    report("b", "contacted", AFTER(-2));
    rest();
    cr_expect_eq(told("b/1/first_contact/kept"), 1);
    are(2, 0);
}

COUNTED(so_it_is_where_the_lead_that_stays_keeps_its_own_stage)
{
    promote_and_save();
    visit("b");
    rest();
    report("b", "contacted", now_ms());
    report("b", "accepted", now_ms());
    pass(5 * HOUR_US);
    merge_into("b", AFTER(-1));
    rest();
    cr_expect_eq(told("a/1/first_contact"), 1);
    are(1, 1);
    replayed();
    are(1, 1);
}

COUNTED(its_own_end_where_it_takes_over_those_of_another)
{
    promote_and_save();
    owner_kill(&world, 0);
    append("b", "visit", now_ms(), "");
    owner_start(&world, 0);
    rest();
    pass(2 * HOUR_US);
    append("a", "adjust", now_ms(), ",\"by\":\"Ana\",\"reason\":\"again\",\"stage\":\"accepted\"");
    rest();
    pass(3 * HOUR_US);
    cr_expect_eq(told_in_all(), 2);
    append("a", "merge", now_ms(), ",\"into\":\"b\"");
    rest();
    are(2, 2);
    replayed();
    are(2, 2);
}

/* ---- A generation ---- */

COUNTED(a_generation_that_ends_leaves_what_was_due)
{
    promote_and_save();
    pass(5 * HOUR_US);
    end_generation(now_ms());
    rest();
    are(1, 1);
    replayed();
    are(1, 1);
}

COUNTED(what_was_due_when_its_generation_ended_is_told_of_that_generation)
{
    promote_and_save();
    pass(2 * HOUR_US);
    report("a", "assigned\",\"seller\":\"Ben", now_ms());
    end_generation(AFTER(1));
    rest();
    cr_expect_eq(told("a/1/first_contact"), 1);
    const struct outgoing_message *message = memory_log_output(world.log, TOPIC_BREACHES, 0);
    char value[2048];
    (void)snprintf(value, sizeof value, "%.*s", (int)message->value_size,
                   (const char *)message->value);
    cr_expect(strstr(value, "\"seller\":\"Ben\""), "%s", value);
    are(1, 1);
    replayed();
    are(1, 1);
}

COUNTED(what_was_told_of_a_generation_that_had_ended_is_corrected)
{
    promote_and_save();
    pass(5 * HOUR_US);
    end_generation(AFTER(-1));
    rest();
    cr_expect_eq(told("a/1/first_contact"), 1);
    cr_expect_eq(told("a/1/first_contact/kept"), 1);
    are(2, 0);
    replayed();
    are(2, 0);
}

/* ---- An erasure ---- */

COUNTED(who_is_erased_leaves_what_was_due)
{
    promote_and_save();
    pass(5 * HOUR_US);
    append("a", "erase", now_ms(), "");
    rest();
    are(1, 1);
    replayed();
    are(1, 1);
}

Test(clock_ends, of_who_is_erased_nothing_more_is_told)
{
    promote_and_save();
    pass(5 * HOUR_US);
    append_arrived("a", "erase", AFTER(-1), "", AFTER(-1));
    rest();
    are(1, 0);
    replayed();
    are(1, 0);
}

Test(clock_ends, not_even_what_was_due_when_the_erasure_arrived)
{
    promote_and_save();
    pass(2 * HOUR_US);
    append_arrived("a", "erase", now_ms(), "", AFTER(1));
    rest();
    are(0, 1);
    replayed();
    are(0, 1);
}
