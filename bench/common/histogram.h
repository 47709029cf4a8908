/* Counts durations of 1 us to 1 h in log-linear cells, as HdrHistogram does (Gil Tene,
 * hdrhistogram.org): 2,048 cells of 1 us, then for each doubling 1,024 cells of double width. So a
 * value that is told lies less than one part in 1,024 above the one recorded (three digits), at any
 * size, and recording takes a few instructions. The greatest and least values are kept exactly.
 * Percentiles are given in millionths, so that 99.9 % is exactly that: HISTOGRAM_P(99.9). */
#ifndef COMMON_HISTOGRAM_H
#define COMMON_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_LIMIT_US UINT64_C(3600000000) /* what is longer counts as this */
#define HISTOGRAM_HALF_CELLS 1024u
#define HISTOGRAM_DOUBLINGS 21u /* 2,048 us << 21 > 1 h */
#define HISTOGRAM_CELLS ((HISTOGRAM_DOUBLINGS + 2) * HISTOGRAM_HALF_CELLS)
#define HISTOGRAM_WHOLE 1000000u
#define HISTOGRAM_P(percent) ((uint32_t)((percent)*10000.0 + 0.5))

struct histogram {
    uint64_t total;
    uint64_t least_us, most_us; /* most_us is exact also beyond the limit; 0 and 0 when empty */
    long double sum_us;
    uint64_t cells[HISTOGRAM_CELLS];
};

void histogram_init(struct histogram *histogram);
void histogram_record(struct histogram *histogram, uint64_t value_us);
void histogram_record_many(struct histogram *histogram, uint64_t value_us, uint64_t count);
void histogram_merge(struct histogram *into, const struct histogram *other);

/* The least value such that this share of the values is not above it, to three digits, and never
 * above most_us; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *histogram, uint32_t millionths);
/* How many values lie beyond the one that is this percentile. With a handful or fewer the
 * percentile says more of chance than of what was measured. */
uint64_t histogram_beyond(const struct histogram *histogram, uint32_t millionths);
double histogram_mean_us(const struct histogram *histogram);

/* For a plot over the percentiles: `steps` points to 50 %, as many to 75 %, to 87.5 %, and so on
 * while a value lies beyond, and the greatest value at the end. Returns the number of points,
 * at most `room` (HISTOGRAM_POINTS(steps) is always enough); 0 when empty. */
struct histogram_point {
    uint32_t millionths;
    uint64_t value_us;
};
#define HISTOGRAM_POINTS(steps) ((size_t)21 * (steps) + 2)
size_t histogram_series(const struct histogram *histogram, unsigned steps,
                        struct histogram_point *points, size_t room);

#endif
