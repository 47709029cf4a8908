#include "common/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct histogram histogram; /* too large for a stack; each test has its own process */

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 8) % limit;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void is_near(uint64_t told, uint64_t exact)
{
    cr_assert_geq(told, exact, "told %lu, is %lu", told, exact);
    cr_assert_leq(told - exact, exact / 1024, "told %lu, is %lu", told, exact);
}

Test(bench_histogram, an_empty_one_says_zero)
{
    histogram_init(&histogram);
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_P(99)), 0);
    cr_assert_eq(histogram_beyond(&histogram, HISTOGRAM_P(50)), 0);
    cr_assert_eq(histogram.most_us, 0);
    cr_assert_eq(histogram_mean_us(&histogram), 0);
    struct histogram_point point;
    cr_assert_eq(histogram_series(&histogram, 5, &point, 1), 0);
}

Test(bench_histogram, one_value_is_every_percentile_of_itself)
{
    const uint64_t values[] = {0, 1, 2047, 2048, 123457, 3599999999, HISTOGRAM_LIMIT_US};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        histogram_init(&histogram);
        histogram_record(&histogram, values[i]);
        cr_assert_eq(histogram_percentile(&histogram, 0), values[i]);
        cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_P(50)), values[i]);
        cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_WHOLE), values[i]);
        cr_assert_eq(histogram.least_us, values[i]);
    }
}

Test(bench_histogram, up_to_two_milliseconds_every_microsecond_is_told_apart)
{
    histogram_init(&histogram);
    for (uint64_t value = 1; value <= 2000; value++)
        histogram_record(&histogram, value);
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_P(50)), 1000);
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_P(99.9)), 1998);
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_P(99.95)), 1999);
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_P(99.99)), 2000);
    cr_assert_float_eq(histogram_mean_us(&histogram), 1000.5, 1e-9);
}

Test(bench_histogram, a_percentile_is_a_value_that_so_many_do_not_exceed)
{
    histogram_init(&histogram);
    histogram_record_many(&histogram, 10, 999);
    histogram_record(&histogram, 500000);
    /* the 999th of 1,000 in order of size, in spite of what 0.999 * 1000 is in floating point */
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_P(99.9)), 10);
    cr_assert_eq(histogram_beyond(&histogram, HISTOGRAM_P(99.9)), 1);
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_P(99.91)), 500000);
    cr_assert_eq(histogram_beyond(&histogram, HISTOGRAM_P(99.91)), 0);
}

Test(bench_histogram, any_percentile_is_within_a_thousandth_of_the_exact_one)
{
    enum { COUNT = 50000 };
    static uint64_t values[COUNT];
    uint64_t state = 88172645463325252u;
    histogram_init(&histogram);
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = random_below(&state, UINT64_C(1) << (1 + random_below(&state, 31)));
        histogram_record(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof *values, by_size);
    for (uint32_t millionths = 20; millionths <= HISTOGRAM_WHOLE; millionths += 20)
        is_near(histogram_percentile(&histogram, millionths), values[millionths / 20 - 1]);
}

Test(bench_histogram, borders_of_doublings_are_told_within_a_thousandth)
{
    for (unsigned bit = 1; bit <= 31; bit++)
        for (int64_t step = -1; step <= 1; step++) {
            uint64_t value = (uint64_t)((INT64_C(1) << bit) + step);
            histogram_init(&histogram);
            histogram_record(&histogram, value);
            histogram_record(&histogram, HISTOGRAM_LIMIT_US);
            is_near(histogram_percentile(&histogram, HISTOGRAM_P(50)), value);
        }
}

Test(bench_histogram, more_than_an_hour_counts_as_an_hour_and_the_greatest_is_exact)
{
    histogram_init(&histogram);
    histogram_record_many(&histogram, 2 * HISTOGRAM_LIMIT_US, 2);
    histogram_record(&histogram, 3 * HISTOGRAM_LIMIT_US);
    is_near(histogram_percentile(&histogram, HISTOGRAM_P(50)), HISTOGRAM_LIMIT_US);
    cr_assert_eq(histogram_percentile(&histogram, HISTOGRAM_WHOLE), 3 * HISTOGRAM_LIMIT_US);
    cr_assert_eq(histogram.most_us, 3 * HISTOGRAM_LIMIT_US);
}

Test(bench_histogram, merging_is_the_same_as_recording_all_in_one)
{
    static struct histogram parts[2], empty;
    uint64_t state = 7;
    histogram_init(&histogram);
    histogram_init(&parts[0]);
    histogram_init(&parts[1]);
    histogram_init(&empty);
    for (size_t i = 0; i < 10000; i++) {
        uint64_t value = random_below(&state, 10000000), count = random_below(&state, 4);
        histogram_record_many(&histogram, value, count);
        histogram_record_many(&parts[i % 2], value, count);
    }
    histogram_merge(&parts[0], &parts[1]);
    histogram_merge(&parts[0], &empty);
    histogram_merge(&empty, &parts[0]);
    cr_assert_eq(parts[0].total, histogram.total);
    cr_assert_eq(empty.least_us, histogram.least_us);
    cr_assert_eq(empty.most_us, histogram.most_us);
    cr_assert_eq(empty.sum_us, histogram.sum_us);
    cr_assert_arr_eq(empty.cells, histogram.cells, sizeof histogram.cells);
}

Test(bench_histogram, a_value_recorded_no_times_leaves_no_trace)
{
    histogram_init(&histogram);
    histogram_record_many(&histogram, 5, 0);
    cr_assert_eq(histogram.total, 0);
    cr_assert_eq(histogram.most_us, 0);
}

Test(bench_histogram, a_series_halves_what_is_left_and_ends_with_the_greatest)
{
    histogram_init(&histogram);
    for (uint64_t value = 1; value <= 1000; value++)
        histogram_record(&histogram, value);
    struct histogram_point points[HISTOGRAM_POINTS(2)];
    size_t count = histogram_series(&histogram, 2, points, HISTOGRAM_POINTS(2));
    const uint32_t first[] = {0, 250000, 500000, 625000, 750000, 812500};
    for (size_t i = 0; i < 6; i++)
        cr_assert_eq(points[i].millionths, first[i]);
    for (size_t i = 1; i < count; i++) {
        cr_assert_gt(points[i].millionths, points[i - 1].millionths);
        cr_assert_geq(points[i].value_us, points[i - 1].value_us);
    }
    /* a point is told while a value lies beyond it */
    cr_assert_geq(histogram_beyond(&histogram, points[count - 2].millionths), 1);
    cr_assert_eq(points[count - 1].millionths, HISTOGRAM_WHOLE);
    cr_assert_eq(points[count - 1].value_us, 1000);
}

Test(bench_histogram, a_series_never_needs_more_room_than_stated_and_keeps_to_what_it_has)
{
    static struct histogram_point points[HISTOGRAM_POINTS(100)];
    histogram_init(&histogram);
    histogram_record_many(&histogram, 5, UINT64_C(1) << 40);
    histogram_record_many(&histogram, 9, 100);
    for (unsigned steps = 1; steps <= 100; steps++) {
        size_t count = histogram_series(&histogram, steps, points, HISTOGRAM_POINTS(steps));
        cr_assert_lt(count, HISTOGRAM_POINTS(steps));
        cr_assert_eq(points[count - 1].value_us, 9);
    }
    size_t count = histogram_series(&histogram, 5, points, 7);
    cr_assert_eq(count, 7);
    cr_assert_eq(points[6].millionths, HISTOGRAM_WHOLE);
}
