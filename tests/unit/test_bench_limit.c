#include "stages/limit.h"

#include <criterion/criterion.h>

static const struct limit_curve no_writes;

static void is_about(double told, double exact)
{
    cr_assert(told > exact * 0.999 && told < exact * 1.001, "told %f, is %f", told, exact);
}

static struct limit find(const struct limit_part *parts, size_t count,
                         const struct limit_curve *writes)
{
    struct limit_input input = {.cores = 2,
                                .workers = 2,
                                .interval_s = 0.5,
                                .writes = writes,
                                .parts = parts,
                                .part_count = count};
    struct limit limit;
    limit_find(&input, &limit);
    return limit;
}

Test(bench_limit, the_cores_hold_what_all_parts_together_take)
{
    struct limit_part parts[] = {{"a", LIMIT_WORKERS, LIMIT_PER_EVENT, 1e-6},
                                 {"b", LIMIT_BROKER, LIMIT_PER_EVENT, 1e-6}};
    struct limit limit = find(parts, 2, &no_writes);
    cr_assert_eq(limit.holder, LIMIT_BY_CORES);
    is_about(limit.per_second, 1e6);
    is_about(limit.by_holder[LIMIT_BY_WORKERS], 2e6);
    is_about(limit.cpu[LIMIT_WORKERS], 1);
}

Test(bench_limit, redis_has_one_thread_only)
{
    struct limit_part parts[] = {{"redis", LIMIT_REDIS, LIMIT_PER_EVENT, 1e-6},
                                 {"rest", LIMIT_WORKERS, LIMIT_PER_EVENT, 0.1e-6}};
    struct limit limit = find(parts, 2, &no_writes);
    cr_assert_eq(limit.holder, LIMIT_BY_REDIS);
    is_about(limit.per_second, 1e6);
}

Test(bench_limit, a_place_without_work_holds_nothing)
{
    struct limit_part part = {"a", LIMIT_WORKERS, LIMIT_PER_EVENT, 1e-6};
    struct limit limit = find(&part, 1, &no_writes);
    cr_assert_gt(limit.by_holder[LIMIT_BY_REDIS], 0.99e9);
}

Test(bench_limit, what_is_done_each_second_is_taken_off_first)
{
    struct limit_part parts[] = {{"beside", LIMIT_HELPERS, LIMIT_PER_SECOND, 0.5},
                                 {"a", LIMIT_WORKERS, LIMIT_PER_EVENT, 1e-6}};
    is_about(find(parts, 2, &no_writes).per_second, 1.5e6);
}

Test(bench_limit, a_lead_is_written_once_in_an_interval_however_often_it_changed)
{
    /* 1,000 leads whatever there is: 4,000 writes a second by two workers */
    struct limit_curve curve = {.count = 3, .points = {{1000, 1000}, {2000, 1000}, {4000, 1000}}};
    struct limit_part part = {"redis", LIMIT_REDIS, LIMIT_PER_WRITE, 1.0 / 8000};
    struct limit limit = find(&part, 1, &curve);
    cr_assert_gt(limit.by_holder[LIMIT_BY_REDIS], 0.99e9);
    part.cpu = 1.0 / 2000; /* before there are 1,000 in an interval every event is a write */
    is_about(find(&part, 1, &curve).by_holder[LIMIT_BY_REDIS], 2000);
}

Test(bench_limit, a_curve_goes_straight_between_its_points_and_on_beyond_them)
{
    struct limit_curve curve = {.count = 2, .points = {{100, 100}, {400, 200}}};
    is_about(limit_leads_among(&curve, 50), 50);
    is_about(limit_leads_among(&curve, 100), 100);
    is_about(limit_leads_among(&curve, 200), 141.421);
    is_about(limit_leads_among(&curve, 1600), 400);
    cr_assert_eq(limit_leads_among(&no_writes, 100), 0);
}
